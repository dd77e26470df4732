//! `jit verify`.

use crate::domain::time::Timestamp;

use super::error::CliError;
use super::{Context, Outcome};

/// Check the ledger: every commit, signature and rule since the first one.
///
/// Exits with 4 where a commit broke a rule and nobody has acknowledged it, and with 5 where the history is not the one
/// that this clone has verified before.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Report only on what came after this commit. The whole history is checked all the same.
    #[arg(long, value_name = "COMMIT")]
    pub since: Option<String>,
    /// Judge deadlines at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::args::time)]
    pub at: Option<Timestamp>,
    /// Findings about deadlines and files count, too.
    #[arg(long)]
    pub strict: bool,
    /// Print annotations for GitHub Actions.
    #[arg(long)]
    pub github: bool,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("verify"))
}
