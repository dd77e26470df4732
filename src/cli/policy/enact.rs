//! `jit policy enact`.

use super::super::error::CliError;
use super::super::output::count;
use super::super::turn::Turn;
use super::super::view::leaving;
use super::super::{Context, Outcome};
use crate::domain::decide::Intent;
use crate::domain::event::Body;
use crate::domain::id::{CaseId, Name};
use crate::domain::state::case::{Case, CaseState, Matter};

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
    put_in_force(context, &mut turn, id)?;
    turn.show(context, "Enacted", id)
}

/// Puts an approved proposal in force: shows it, asks, signs and appends the enactment. Where it takes people out of the
/// policy, the revocations of what they have open follow at once, as far as whoever enacts may sign them.
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
    let ends = ends(context, turn, id)?;
    if ends.is_empty() {
        return turn.say(context, &intent, &summary).map(|_| ());
    }
    if !context.global.yes || context.prompt().is_available() {
        context.output.summary(&summary);
    }
    let (mine, others): (Vec<Ending>, Vec<Ending>) = ends.into_iter().partition(|end| end.may_revoke);
    let key = turn.person.signer.public_key().fingerprint();
    let also = match mine.len() {
        0 => String::new(),
        number => format!(" and {}", count(number, "revocation")),
    };
    context.confirm(&format!("Sign this enactment{also} as {} with {key}?", turn.person.name))?;
    turn.session.append(context, &intent, &*turn.person.signer)?;
    // The removal is in force from here on, whatever becomes of the rest: servers know it already.
    revoke(context, turn, &mine);
    for end in others.into_iter().filter(|end| end.is_live) {
        context.output.warning(format!(
            "the grant of {} in case {} still has to be revoked in the ledger (servers end it by themselves), by {}",
            end.who,
            end.case.short(),
            end.by
        ));
        context.output.hint(format!("jit revoke {} --reason \"{}\"", end.case.short(), end.reason));
    }
    Ok(())
}

/// A live grant or an open request of somebody whom a proposal takes out of the policy.
struct Ending {
    case: CaseId,
    who: Name,
    reason: String,
    /// Whether it is a grant; nothing can come of a request any more.
    is_live: bool,
    /// Whether whoever enacts may sign its revocation once the proposal is in force.
    may_revoke: bool,
    /// Who may.
    by: String,
}

fn ends(context: &Context, turn: &Turn, id: CaseId) -> Result<Vec<Ending>, CliError> {
    let (state, now) = (turn.session.state(), context.now());
    let Matter::Proposal(proposed) = turn.session.known(id)?.matter() else { return Ok(Vec::new()) };
    let Some(new) = proposed.policy.as_deref() else { return Ok(Vec::new()) };
    let may_revoke = leaving::may_revoke(new, &turn.person.name, turn.person.signer.public_key());
    let by = leaving::who_revokes(new);
    let ending = |leaver: &leaving::Leaver<'_>| -> Vec<Ending> {
        let reason = format!("{} left the policy with version {}.", leaver.name, new.version);
        let end = |case: &Case, is_live| Ending {
            case: case.id(),
            who: leaver.name.clone(),
            reason: reason.clone(),
            is_live,
            may_revoke,
            by: by.clone(),
        };
        let live = leaver.live.iter().map(|case| end(case, true));
        live.chain(leaver.open.iter().map(|case| end(case, false))).collect()
    };
    Ok(leaving::leavers(state, new, now).iter().flat_map(ending).collect())
}

/// Signs the revocations, all in one push. What fails is told: the enactment stands all the same.
fn revoke(context: &mut Context, turn: &mut Turn, ends: &[Ending]) {
    if ends.is_empty() {
        return;
    }
    let intents: Vec<Intent> = ends
        .iter()
        .map(|end| turn.intent(Some(end.case), Body::Revocation { reason: end.reason.clone(), incident: None }))
        .collect();
    let told = |end: &Ending| format!("Revoked {}: {} is no member any more.", end.case.short(), end.who);
    match turn.session.append_all(context, &intents, &*turn.person.signer) {
        Ok(refused) => {
            for (end, refused) in ends.iter().zip(refused) {
                match refused {
                    None => context.output.note(told(end)),
                    Some(fault) => {
                        context.output.warning(format!("case {} was not revoked: {fault}", end.case.short()))
                    }
                }
            }
        }
        Err(error) => {
            context.output.warning(format!("the revocations are not in the ledger yet: {}", error.line()));
            context.output.hint(
                error.hint_text().unwrap_or("jit sync delivers what waits in the outbox; jit list shows what is live"),
            );
        }
    }
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

/// What became of a proposal.
pub(in crate::cli) struct Finished {
    /// Its case.
    pub case: CaseId,
    /// The word for it.
    pub done: &'static str,
    /// Whether it is in force.
    pub enacted: bool,
}

/// After a proposal: enacts it where that was asked for and the quorum stands.
///
/// # Errors
/// As [`put_in_force`].
pub(in crate::cli) fn finished(
    context: &mut Context,
    turn: &mut Turn,
    id: CaseId,
    asked: bool,
) -> Result<Finished, CliError> {
    let now = context.now();
    let case = turn.session.known(id)?;
    if asked && turn.session.state().case_state(case, now) == CaseState::Approved {
        put_in_force(context, turn, id)?;
        return Ok(Finished { case: id, done: "Enacted", enacted: true });
    }
    if asked {
        context.output.note("The root quorum is not there yet: nothing is enacted.");
    }
    Ok(Finished { case: id, done: "Proposed", enacted: false })
}

/// As [`finished`], and shows the case.
pub(super) fn finish(context: &mut Context, turn: &mut Turn, id: CaseId, asked: bool) -> Outcome {
    let finished = finished(context, turn, id, asked)?;
    turn.show(context, finished.done, id)
}
