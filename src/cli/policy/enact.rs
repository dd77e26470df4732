//! `jit policy enact`.

use super::super::error::CliError;
use super::super::turn::Turn;
use super::super::{Context, Outcome};
use crate::domain::event::Body;
use crate::domain::id::CaseId;
use crate::domain::state::case::{CaseState, Matter};

/// Put an approved proposal in force.
///
/// Anybody in the policy may do it once the root quorum stands: that of the policy in force and, where the proposal
/// changes the policy, that of the proposed one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The proposal: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where the quorum is missing, or the proposal was denied, enacted or overtaken.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let now = context.now();
    let state = turn.session.state();
    let id = turn.choose(context, args.case.as_deref(), "Which proposal?", |case| {
        matches!(case.matter(), Matter::Proposal(_)) && state.case_state(case, now) == CaseState::Approved
    })?;
    enact(context, &mut turn, id)
}

/// Enacts a proposal and shows it.
fn enact(context: &mut Context, turn: &mut Turn, id: CaseId) -> Outcome {
    put_in_force(context, turn, id)?;
    turn.show(context, "Enacted", id)
}

/// Puts an approved proposal in force: shows it, asks, signs and appends the enactment.
///
/// # Errors
/// A11 or A12 where it may not be; cancelled where the answer is no.
pub(in crate::cli) fn put_in_force(context: &mut Context, turn: &mut Turn, id: CaseId) -> Result<(), CliError> {
    let intent = turn.intent(Some(id), Body::Enactment);
    // Refused before anybody reads.
    if let Err(error) = turn.session.ask(context, &intent, &*turn.person.signer) {
        return Err(explained(turn, id, error));
    }
    let summary = turn.whole(context, id)?;
    turn.say(context, &intent, &summary).map(|_| ())
}

/// Who is missing, where that is why.
fn explained(turn: &Turn, id: CaseId, error: CliError) -> CliError {
    let state = turn.session.state();
    let missing = state.case(&id).map(|case| state.missing_roots(case)).unwrap_or_default();
    if missing.is_empty() {
        return error;
    }
    error
        .because(format!("it waits on {}", super::super::view::waiting_text(&missing)))
        .hint(format!("they agree with: jit approve {}", id.short()))
}

/// After a proposal: enacts it where that was asked for and the quorum stands, else shows what it waits on.
pub(super) fn finish(context: &mut Context, turn: &mut Turn, id: CaseId, asked: bool) -> Outcome {
    let now = context.now();
    let case = turn.session.known(id)?;
    if asked && turn.session.state().case_state(case, now) == CaseState::Approved {
        return enact(context, turn, id);
    }
    if asked {
        context.output.note("The root quorum is not there yet: nothing is enacted.");
    }
    turn.show(context, "Proposed", id)
}
