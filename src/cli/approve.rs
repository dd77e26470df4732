//! `jit approve`.

use super::turn::{Turn, comment};
use super::{Context, Outcome};
use crate::domain::event::Body;
use crate::domain::id::CaseId;
use crate::domain::state::case::CaseState;

/// Agree to a request.
///
/// Shows everything that will be signed, then signs. Without CASE, a list of what waits for you.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cases: their ids or the beginnings of them.
    #[arg(value_name = "CASE")]
    pub cases: Vec<String>,
    /// What there is to say about it.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Refused where a rule forbids it; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let mut cases = Vec::new();
    for named in &args.cases {
        cases.push(turn.session.case(named)?.id());
    }
    if cases.is_empty() {
        let mine = waiting_for_me(context, &turn);
        cases.push(turn.choose(context, None, "Which case?", |case| mine.contains(&case.id()))?);
    }
    let mut exit = super::Exit::DONE;
    for id in cases {
        // Refused before anybody reads or signs.
        let probe = turn.intent(Some(id), Body::Approval { comment: None });
        turn.suit(context, turn.demands(&probe))?;
        turn.session.ask(context, &probe, &*turn.person.signer)?;
        let whole = turn.whole(context, id)?;
        let asked = !context.global.yes && args.comment.is_none() && context.prompt().is_available();
        if asked {
            context.output.summary(&whole);
        }
        let said = comment(context, "Comment (optional)", args.comment.clone())?;
        let intent = turn.intent(Some(id), Body::Approval { comment: said });
        turn.say(context, &intent, if asked { "" } else { &whole })?;
        exit = turn.show(context, "Approved", id)?;
    }
    Ok(exit)
}

/// The cases that whoever acts could approve now.
pub(super) fn waiting_for_me(context: &mut Context, turn: &Turn) -> Vec<CaseId> {
    let (state, now) = (turn.session.state(), context.now());
    let pending = state.cases().filter(|case| state.case_state(case, now) == CaseState::Pending).map(|case| case.id());
    let pending: Vec<CaseId> = pending.collect();
    pending.into_iter().filter(|id| turn.would_take(context, *id, Body::Approval { comment: None })).collect()
}
