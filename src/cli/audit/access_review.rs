//! `jit audit access-review`.

use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Window, query, tell};
use crate::audit::access_review;

/// Who may and who did: roles never used, members never active, who approved whom, policies of the period.
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
    let first = reading.first_policy()?;
    let founded = reading.founded();
    let report = access_review::report(&reading.ledger(), period, Some((&first, founded)));
    tell(context, &reading, &report, &args.form, &query("access-review", &args.window.flags()))?;
    Ok(Exit::DONE)
}
