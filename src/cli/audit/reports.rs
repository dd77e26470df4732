//! `jit audit exceptions`, `emergencies`, `latency`, `access-review` and `board`: the reports that ask for nothing but a
//! period.

use super::super::{Context, Exit, Outcome};
use super::read::Reading;
use super::report::{Form, Window, query, tell};
use crate::audit::{access_review, board, emergencies, exceptions, latency};

/// Which period, and in which form.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which period.
    #[command(flatten)]
    pub window: Window,
    /// In which form.
    #[command(flatten)]
    pub form: Form,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Exceptions,
    Emergencies,
    Latency,
    AccessReview,
    Board,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, or the report not written.
pub fn run(context: &mut Context, which: Which, args: &Args) -> Outcome {
    let period = args.window.period()?;
    let reading = Reading::open(context, args.window.at)?;
    let ledger = reading.ledger();
    let report = match which {
        Which::Exceptions => exceptions::report(&ledger, period),
        Which::Emergencies => emergencies::report(&ledger, period),
        Which::Latency => latency::report(&ledger, period),
        Which::AccessReview => {
            access_review::report(&ledger, period, Some((&reading.first_policy()?, reading.founded())))
        }
        Which::Board => board::report(&ledger, period),
    };
    tell(context, &reading, &report, &args.form, &query(report.name, &args.window.flags()))?;
    Ok(if which == Which::Exceptions && exceptions::has_open(&report) { Exit::FINDINGS } else { Exit::DONE })
}
