//! `jit revoke`.

use super::error::CliError;
use super::{Context, Outcome};

/// End a case at once: its credential opens nothing any more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The incident, where there is one.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("revoke"))
}
