//! `jit audit exceptions`.

use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Window, query, tell};
use crate::audit::exceptions;

/// Exceptions with their owner and age: overdue reviews, late ends, emergencies, void commits, residue, reciprocal approvals.
///
/// Exits with 4 where one of them is open.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which period.
    #[command(flatten)]
    pub window: Window,
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
    let reading = Reading::open(context, args.window.at)?;
    let report = exceptions::report(&reading.ledger(), period);
    tell(context, &reading, &report, &args.form, &query("exceptions", &args.window.flags()))?;
    Ok(if exceptions::has_open(&report) { Exit::FINDINGS } else { Exit::DONE })
}
