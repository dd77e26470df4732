//! `jit audit board`.

use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Window, query, tell};
use crate::audit::board;

/// One page for the board: counts, medians, the rate of emergencies, reviews on time.
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
    let report = board::report(&reading.ledger(), period);
    tell(context, &reading, &report, &args.form, &query("board", &args.window.flags()))?;
    Ok(Exit::DONE)
}
