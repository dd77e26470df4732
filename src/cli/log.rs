//! `jit log`.

use super::error::CliError;
use super::{Context, Outcome};

/// The history, one event a line, the newest first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the events of this case.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// At most so many events.
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub limit: Option<usize>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("log"))
}
