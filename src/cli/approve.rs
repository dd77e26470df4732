//! `jit approve`.

use super::error::CliError;
use super::turn::{Turn, comment};
use super::{Context, Outcome};
use crate::domain::event::Body;
use crate::domain::id::CaseId;
use crate::domain::state::case::{Case, CaseState};

/// Agree to a request.
///
/// Shows everything that will be signed, then signs. Without CASE, a list of what waits for you.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cases: their ids or the beginnings of them, links to them (jit link), or files that hold a link.
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
        let linked = super::link::in_file(context, named)?;
        cases.push(turn.session.case(linked.as_deref().unwrap_or(named))?.id());
    }
    if cases.is_empty() {
        let mine = waiting_for_me(context, &turn);
        cases.push(turn.choose(context, None, "Which case?", |case| mine.contains(&case.id()))?);
    }
    let mut exit = super::Exit::DONE;
    for id in cases {
        not_an_emergency(&turn, id)?;
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

fn is_emergency(case: &Case) -> bool {
    case.access().is_some_and(|access| access.request.emergency)
}

/// An emergency waits for nobody's approval, and whoever approves it is lost as a reviewer: with few of them nobody could
/// complete its review.
fn not_an_emergency(turn: &Turn, id: CaseId) -> Result<(), CliError> {
    if !is_emergency(turn.session.known(id)?) {
        return Ok(());
    }
    let id = id.short();
    Err(CliError::refused(format!("case {id} is an emergency: it is issued without approvals"))
        .because("whoever approves a case cannot review it, and an emergency has to be reviewed")
        .hint(format!("jit review {id}, once it has ended; to stop it: jit revoke {id} --reason \"why\"")))
}

/// The cases that whoever acts could approve now.
pub(super) fn waiting_for_me(context: &mut Context, turn: &Turn) -> Vec<CaseId> {
    let (state, now) = (turn.session.state(), context.now());
    let waits = |case: &&Case| state.case_state(case, now) == CaseState::Pending && !is_emergency(case);
    let pending = state.awake(now).filter(waits).map(Case::id);
    let pending: Vec<CaseId> = pending.collect();
    pending.into_iter().filter(|id| turn.would_take(context, *id, Body::Approval { comment: None })).collect()
}
