//! `jit unlock`.

use super::error::CliError;
use super::policy::enact::put_in_force;
use super::turn::{Turn, reason};
use super::view::{case_json, locks, next_step, waiting_on, waiting_text};
use super::{Context, Exit, Outcome};
use crate::domain::event::{Body, Proposal, Subject};
use crate::domain::finding::Code;
use crate::domain::id::CaseId;
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};

/// Lift a lock: propose it to the root members, and put it in force once enough of them agree.
///
/// Where one root member is enough and that is you, the lock is lifted at once. Else the others run `jit approve`, and
/// then anybody runs this again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lock's case, or the proposal to lift it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only put in force what was proposed and approved; propose nothing.
    #[arg(long, conflicts_with = "reason")]
    pub enact: bool,
}

/// Runs the command.
///
/// # Errors
/// Refused where there is no standing lock (A12) or a rule forbids it; pending (exit 8) with --enact while approvals
/// are missing; cancelled where the answer is no.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut turn = Turn::open(context)?;
    let lock = chosen(context, &turn, args.case.as_deref())?;
    let open = proposal(context, turn.session.state(), lock);
    let (id, proposed) = match open {
        Some(id) => (id, false),
        None if args.enact => {
            return Err(CliError::failed(format!("nobody has proposed to lift {}", lock.short()))
                .hint(format!("jit unlock {} --reason \"why\"", lock.short())));
        }
        None => (propose(context, &mut turn, lock, args.reason)?, true),
    };
    let now = context.now();
    let case = turn.session.known(id)?;
    let stands = turn.session.state().case_state(case, now);
    if stands == CaseState::Approved {
        // Counted before it is lifted: afterwards nothing is stopped.
        let opens = locks::lifts(turn.session.state(), &lock, now);
        put_in_force(context, &mut turn, id)?;
        let state = turn.session.state();
        let case = turn.session.known(id)?;
        context.output.result(|| case_json(state, case, now), || format!("Lifted {opens}"))?;
        for (other, scope) in state.locks() {
            context.output.note(format!("Still locked: {scope} (case {})", other.id().short()));
        }
        return Ok(Exit::DONE);
    }
    if args.enact {
        let missing = waiting_text(&waiting_on(turn.session.state(), case, now));
        return Err(CliError::pending(format!("proposal {} is {stands}: waiting on {missing}", id.short()))
            .hint(format!("jit approve {}", id.short())));
    }
    if !proposed {
        context.output.note(format!("{} proposed this already.", case.actor()));
    }
    let state = turn.session.state();
    context.output.result(
        || case_json(state, case, now),
        || format!("Proposed in case {}, {stands}: to lift {}", id.short(), locks::lifts(state, &lock, now)),
    )?;
    next_step(&context.output, state, case, now);
    Ok(Exit::DONE)
}

fn propose(context: &mut Context, turn: &mut Turn, lock: CaseId, why: Option<String>) -> Result<CaseId, CliError> {
    let body = |reason: String| Body::Proposal(Proposal { reason, subject: Subject::Unlock { lock } });
    // Refused before anybody is asked for words.
    let probe = turn.intent(None, body("asked".to_owned()));
    turn.session.ask(context, &probe, &*turn.person.signer).map_err(|error| match error.broken_rule() {
        Some(Code::A10) => error.hint("ask a member of the policy to propose it: jit policy show lists them"),
        _ => error,
    })?;
    let mut summary = locks::lifts_text(turn.session.state(), &lock, context.now());
    if let Some(missing) = locks::missing_roots(turn.session.policy(), [&turn.person.name].into_iter()) {
        summary.push_str(&format!("{:>12}: {}\n", "Approval", waiting_text(&[missing])));
    }
    if context.prompt().is_available() && why.is_none() {
        context.output.summary(&summary);
    }
    let why = reason(context, "--reason", "Why may it be lifted?", why)?;
    turn.say(context, &turn.intent(None, body(why)), &summary)
}

/// The standing lock that is meant: named itself, or by a proposal to lift it.
fn chosen(context: &Context, turn: &Turn, named: Option<&str>) -> Result<CaseId, CliError> {
    let (state, now) = (turn.session.state(), context.now());
    let Some(named) = named else {
        return turn.choose(context, None, "Which lock?", |case| state.case_state(case, now) == CaseState::Locked);
    };
    let case = turn.session.case(named)?;
    let lock = match case.matter() {
        Matter::Proposal(proposed) => match &proposed.subject {
            Subject::Unlock { lock } => *lock,
            Subject::Policy { .. } | Subject::Acknowledge { .. } => case.id(),
        },
        Matter::Lock(_) | Matter::Access(_) | Matter::Genesis => case.id(),
    };
    let refused = |why: String| CliError::refused(why).rule(Code::A12).hint("jit list --state locked");
    match state.case(&lock).map(Case::matter) {
        Some(Matter::Lock(locked)) if locked.lifted.is_none() => Ok(lock),
        Some(Matter::Lock(locked)) => Err(refused(format!("the lock of {} was lifted already", locked.scope))),
        _ => Err(refused(format!("case {} is no lock", case.id().short()))),
    }
}

/// The open proposal to lift `lock`: an approved one before a pending one.
fn proposal(context: &Context, state: &State, lock: CaseId) -> Option<CaseId> {
    let now = context.now();
    let in_state = |wanted: CaseState| {
        let lifts = |case: &&Case| match case.matter() {
            Matter::Proposal(proposed) => proposed.subject == Subject::Unlock { lock },
            _ => false,
        };
        state.cases().filter(lifts).find(|case| state.case_state(case, now) == wanted).map(Case::id)
    };
    in_state(CaseState::Approved).or_else(|| in_state(CaseState::Pending))
}
