//! `jit audit incident`.

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, query, tell};
use crate::audit::Entry;
use crate::audit::incident;
use crate::audit::period;
use crate::domain::state::case::Case;
use crate::domain::time::Timestamp;

/// One incident as one timeline: every event of every case, lock and revocation that names it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The incident, as it was written, such as INC-4711.
    #[arg(value_name = "INCIDENT")]
    pub incident: String,
    /// Judge deadlines at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = |text: &str| period::boundary(text).map_err(|error| error.to_string()))]
    pub at: Option<Timestamp>,
    /// In which form.
    #[command(flatten)]
    pub form: Form,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, or the report not written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let reading = Reading::open(context, args.at)?;
    let report = incident::report(&args.incident, gather(&reading, &args.incident)?.entries);
    let mut flags = vec![format!("'{}'", args.incident.replace('\'', "'\\''"))];
    flags.extend(args.at.map(|at| format!("--at {at}")));
    tell(context, &reading, &report, &args.form, &query("incident", &flags))?;
    Ok(Exit::DONE)
}

/// What belongs to an incident.
pub struct Gathered<'a> {
    /// The cases, in the log's order.
    pub cases: Vec<&'a Case>,
    /// All of their events.
    pub entries: Vec<Entry>,
}

/// Reads what belongs to an incident; empty where nothing names it.
///
/// # Errors
/// Where it cannot be read.
pub fn gather<'a>(reading: &'a Reading, incident: &str) -> Result<Gathered<'a>, CliError> {
    let cases = incident::cases(&reading.ledger(), incident, &reading.revocations()?);
    let mut entries = Vec::new();
    for case in &cases {
        for event in case.events() {
            entries.push(reading.event(case, event)?);
        }
    }
    Ok(Gathered { cases, entries })
}
