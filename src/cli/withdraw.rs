//! `jit withdraw`.

use super::turn::{Turn, comment};
use super::{Context, Outcome};
use crate::domain::event::Body;
use crate::domain::state::case::CaseState;

/// Take your own request back, before a credential is issued.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a rule forbids it; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let (me, now) = (turn.person.name.clone(), context.now());
    let open = [CaseState::Pending, CaseState::Approved];
    let id = turn.choose(context, args.case.as_deref(), "Which case?", |case| {
        *case.actor() == me && case.access().is_some() && open.contains(&turn.session.state().case_state(case, now))
    })?;
    let comment = comment(context, "Comment (optional)", args.comment)?;
    let intent = turn.intent(Some(id), Body::Withdrawal { comment });
    let summary = turn.whole(context, id)?;
    turn.say(context, &intent, &summary)?;
    turn.show(context, "Withdrawn", id)
}
