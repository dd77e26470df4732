//! `jit audit latency`.

use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Window, query, tell};
use crate::audit::latency;

/// How long it took: from revocation to session end, request to approval, approval to issuance.
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
    let report = latency::report(&reading.ledger(), period);
    tell(context, &reading, &report, &args.form, &query("latency", &args.window.flags()))?;
    Ok(Exit::DONE)
}
