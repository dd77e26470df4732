//! `jit audit population`.

use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Window, query, tell};
use crate::audit::population;
use crate::domain::event::Kind;

/// The population: every case that was opened in a period, with fixed columns.
///
/// With --out, a manifest says beside it which ledger and period it is, how many rows it has, and its SHA-256.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which period: by when a case was opened.
    #[command(flatten)]
    pub window: Window,
    /// Only cases that began so.
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(["request", "lock", "proposal"]))]
    pub kind: Option<String>,
    /// In which form.
    #[command(flatten)]
    pub form: Form,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, or the report not written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let period = args.window.period()?;
    let kind = args.kind.as_deref().and_then(|kind| kind.parse::<Kind>().ok());
    let reading = Reading::open(context, args.window.at)?;
    let report = population::report(&reading.ledger(), period, kind);
    let mut flags = args.window.flags();
    flags.extend(kind.map(|kind| format!("--kind {kind}")));
    tell(context, &reading, &report, &args.form, &query("population", &flags))?;
    Ok(Exit::DONE)
}
