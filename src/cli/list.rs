//! `jit list`.

use super::output::Table;
use super::session::{Fresh, Session};
use super::view::{case_json, coloured, standing, subject};
use super::{Context, Exit, Outcome};
use std::collections::BTreeSet;

use crate::domain::event::LockScope;
use crate::domain::finding::Code;
use crate::domain::id::{CaseId, Name};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::time::Timestamp;

/// The word for what has a finding about its review (F01), beside the states.
const OVERDUE: &str = "overdue";

/// List cases, the newest last.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only cases in this state; may be given several times.
    #[arg(long, value_name = "STATE", value_parser = clap::builder::PossibleValuesParser::new(super::args::STATES))]
    pub state: Vec<String>,
    /// Only cases of this member.
    #[arg(long, value_name = "NAME")]
    pub member: Option<Name>,
    /// Only cases that touch this target.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<Name>,
    /// Only cases of this incident.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let (state, now) = (session.state(), context.now());
    let overdue: BTreeSet<CaseId> = match args.state.iter().any(|word| word == OVERDUE) {
        true => state.findings(now).into_iter().filter(|it| it.code == Code::F01).filter_map(|it| it.case).collect(),
        false => BTreeSet::new(),
    };
    let fits = |case: &&Case| fits(&args, state, case, &overdue, now);
    // Nothing that is at rest is in one of these.
    let open = [CaseState::Pending, CaseState::Approved, CaseState::Live, CaseState::ReviewDue, CaseState::Locked];
    let is_open = |word: &String| word == OVERDUE || open.iter().any(|state| state.as_str() == word);
    let cases: Vec<&Case> = match !args.state.is_empty() && args.state.iter().all(is_open) {
        true => state.awake(now).filter(fits).collect(),
        false => state.cases().filter(fits).collect(),
    };
    if context.output.is_json() {
        for case in cases {
            context.output.print(&case_json(state, case, now).to_string())?;
        }
        return Ok(Exit::DONE);
    }
    if cases.is_empty() {
        context.output.note("No case.");
        return Ok(Exit::DONE);
    }
    context.output.print(&table(context, state, &cases, now))?;
    Ok(Exit::DONE)
}

/// Cases as a table.
pub(super) fn table(context: &Context, state: &State, cases: &[&Case], now: Timestamp) -> String {
    let mut table = Table::new(&["case", "who", "what", "state"]);
    for case in cases {
        let stands = state.case_state(case, now);
        table.row([
            case.id().short(),
            case.actor().to_string(),
            subject(case),
            coloured(&context.output, stands, &standing(state, case, now)),
        ]);
    }
    table.render(context.output.width())
}

fn fits(args: &Args, state: &State, case: &Case, overdue: &BTreeSet<CaseId>, now: Timestamp) -> bool {
    if matches!(case.matter(), Matter::Genesis) {
        return false;
    }
    let stands = state.case_state(case, now);
    let ended = case.access().and_then(|access| access.ended(now)).map(|(_, by)| by.as_str());
    let in_state = |word: &String| {
        word == stands.as_str()
            || (ended == Some(word.as_str()) && word != "closed" || ended == Some(word.as_str()))
            || (word == OVERDUE && overdue.contains(&case.id()))
    };
    let request = case.access().map(|access| &access.request);
    let lock = match case.matter() {
        Matter::Lock(lock) => Some(lock),
        _ => None,
    };
    (args.state.is_empty() || args.state.iter().any(in_state))
        && args.member.as_ref().is_none_or(|member| case.actor() == member)
        && args.target.as_ref().is_none_or(|target| {
            request.is_some_and(|request| request.targets.iter().any(|role| role.target == *target))
                || lock.is_some_and(|lock| lock.scope == LockScope::Target(target.clone()))
        })
        && args.incident.as_ref().is_none_or(|incident| {
            let of = request.map_or_else(|| lock.and_then(|lock| lock.incident.as_ref()), |it| it.incident.as_ref());
            of == Some(incident)
        })
}
