//! `jit incident`: what the reports of `jit audit` know, for whoever has the incident on the desk. Imports audit.

use serde_json::json;

use super::audit::incident::{Gathered, gather};
use super::audit::read::Reading;
use super::audit::report::text;
use super::error::CliError;
use super::output::Table;
use super::{Context, Exit, Outcome};
use crate::audit::incident::{named, overlapped, report};
use crate::domain::state::case::{CaseState, Matter};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

mod clock;
mod export;

/// One incident: its timeline, what overlapped it, its evidence, and by when others must be told.
///
/// Requests, locks and revocations name an incident with --incident; what they name is tied to it.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, disable_help_subcommand = true)]
pub struct Args {
    /// The incident, as it was written, such as INC-4711.
    #[arg(value_name = "INCIDENT", required = true)]
    pub incident: Option<String>,
    /// Judge what goes on at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::args::time)]
    pub at: Option<Timestamp>,
    /// What to do with it.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do with an incident.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands")]
pub enum Command {
    /// Every incident that something names.
    List,
    Clock(clock::Args),
    Export(export::Args),
}

/// Runs the command.
///
/// # Errors
/// Where nothing names the incident, or the ledger cannot be checked.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match (args.command, args.incident) {
        (Some(Command::List), _) => list(context),
        (Some(Command::Clock(args)), _) => clock::run(context, &args),
        (Some(Command::Export(args)), _) => export::run(context, args),
        (None, Some(incident)) => show(context, &incident, args.at),
        (None, None) => list(context),
    }
}

/// The events that belong to the incident.
///
/// # Errors
/// Where nothing names it.
fn found<'a>(reading: &'a Reading, incident: &str) -> Result<Gathered<'a>, CliError> {
    let gathered = gather(reading, incident)?;
    if gathered.cases.is_empty() {
        return Err(CliError::failed(format!("no request, lock or revocation names incident {incident}"))
            .hint("jit incident list"));
    }
    Ok(gathered)
}

fn show(context: &mut Context, incident: &str, at: Option<Timestamp>) -> Outcome {
    let reading = Reading::open(context, at)?;
    let Gathered { cases, entries } = found(&reading, incident)?;
    let overlap = overlapped(&reading.ledger(), incident, &cases);
    let timeline = report(incident, entries);
    let quoted = format!("'{}'", incident.replace('\'', "'\\''"));
    let query = match at {
        Some(at) => format!("jit incident {quoted} --at {at}"),
        None => format!("jit incident {quoted}"),
    };
    let ledger = reading.ledger();
    context.output.result(
        || {
            json!({ "incident": incident, "timeline": timeline.json(&ledger, &query),
                "overlapped": overlap.json(&ledger, &query) })
        },
        || {
            let whole = text(&context.output, &reading, &timeline, false);
            let apart = text(&context.output, &reading, &overlap, false);
            // The ledger's facts stand above already.
            let title = apart.lines().next().unwrap_or_default();
            let rest = apart.split_once("\n\n").map_or("", |(_, rest)| rest);
            format!("{whole}\n{title}\n\n{rest}")
        },
    )?;
    context.output.hint(format!("jit incident export {quoted}; jit incident clock {quoted}"));
    Ok(Exit::DONE)
}

fn list(context: &mut Context) -> Outcome {
    let reading = Reading::open(context, None)?;
    let ledger = reading.ledger();
    let mut table = Table::new(&["INCIDENT", "FIRST", "LAST", "CASES", "OPEN"]);
    let mut objects = Vec::new();
    for (incident, cases) in named(&ledger, &reading.revocations()?) {
        let times = || cases.iter().flat_map(|case| case.events().iter().map(|event| event.time));
        let (Some(first), Some(last)) = (times().min(), times().max()) else { continue };
        let open = cases.iter().filter(|case| match case.matter() {
            Matter::Lock(lock) => lock.lifted.is_none(),
            _ => matches!(
                ledger.state.case_state(case, ledger.now),
                CaseState::Live | CaseState::Approved | CaseState::Pending
            ),
        });
        let open = open.count();
        let brief = |time: Timestamp| time.utc().format("%Y-%m-%d %H:%M").to_string();
        let (count, still) = (cases.len().to_string(), open.to_string());
        table.row([visible(&incident), brief(first), brief(last), count, still]);
        objects.push(json!({ "incident": incident, "first": first.to_string(), "last": last.to_string(),
            "cases": cases.iter().map(|case| case.id().0.hex()).collect::<Vec<_>>(), "open": open }));
    }
    let width = context.output.width();
    context.output.result(
        || json!({ "incidents": objects }),
        || match table.is_empty() {
            true => "No request, lock or revocation names an incident.\n".to_owned(),
            false => table.render(width),
        },
    )?;
    Ok(Exit::DONE)
}
