//! `jit close`.

use super::error::CliError;
use super::turn::{Turn, reason};
use super::{Context, Outcome};
use crate::domain::event::Body;
use crate::domain::id::CaseId;
use crate::domain::state::case::Case;

/// Say that the work is done. It ends the access at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// What was done.
    #[arg(long, value_name = "TEXT")]
    pub summary: Option<String>,
    /// Something that was changed, and how it was undone or why it stays; may be given several times.
    #[arg(long = "change", value_name = "TEXT")]
    pub changes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a rule forbids it; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let me = turn.person.name.clone();
    let open = |case: &Case| {
        *case.actor() == me && case.access().is_some_and(|access| !access.issued.is_empty() && access.closed.is_none())
    };
    let id = turn.choose(context, args.case.as_deref(), "Which case?", open)?;
    say(context, &mut turn, id, args.summary, args.changes)?;
    turn.show(context, "Closed", id)
}

/// Asks for what is missing, shows the case, signs and appends the closure.
///
/// # Errors
/// As [`run`].
pub(super) fn say(
    context: &mut Context,
    turn: &mut Turn,
    id: CaseId,
    summary: Option<String>,
    mut changes: Vec<String>,
) -> Result<(), CliError> {
    let asks = summary.is_none();
    let summary = reason(context, "--summary", "What was done?", summary)?;
    while asks && context.prompt().is_available() {
        let more = context.prompt().input(
            "--change",
            "A change, and how it was undone or why it stays (empty: no more)",
            None,
            |_| Ok(()),
        )?;
        if more.is_empty() {
            break;
        }
        changes.push(more);
    }
    if changes.is_empty() {
        changes.push("none".to_owned());
    }
    let intent = turn.intent(Some(id), Body::Closure { summary, changes });
    let whole = turn.whole(context, id)?;
    turn.say(context, &intent, &whole)?;
    Ok(())
}
