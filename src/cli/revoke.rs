//! `jit revoke`.

use super::turn::{Turn, reason};
use super::{Context, Outcome};
use crate::domain::event::Body;
use crate::domain::state::case::CaseState;

/// End a case at once: its credential opens nothing any more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The incident, where there is one.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a rule forbids it; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let now = context.now();
    let open = [CaseState::Live, CaseState::Approved, CaseState::Pending];
    let id = turn.choose(context, args.case.as_deref(), "Which case?", |case| {
        case.access().is_some() && open.contains(&turn.session.state().case_state(case, now))
    })?;
    let reason = reason(context, "--reason", "Why?", args.reason)?;
    let intent = turn.intent(Some(id), Body::Revocation { reason, incident: args.incident });
    let summary = turn.whole(context, id)?;
    turn.say(context, &intent, &summary)?;
    turn.show(context, "Revoked", id)
}
