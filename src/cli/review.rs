//! `jit review`.

use super::args::CheckAnswer;
use crate::domain::event::Verdict;

use super::error::CliError;
use super::{Context, Outcome};

/// Look at a case that has ended, and answer each check of the policy.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// An answer to a check; once for each check.
    #[arg(long = "answer", value_name = "CHECK=yes|no|n/a[:NOTE]", value_parser = super::args::answer)]
    pub answers: Vec<CheckAnswer>,
    /// The outcome.
    #[arg(long, value_name = "VERDICT", value_parser = super::args::verdict())]
    pub verdict: Option<Verdict>,
    /// The ticket that follows it up.
    #[arg(long, value_name = "TICKET")]
    pub follow_up: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("review"))
}
