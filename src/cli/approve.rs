//! `jit approve`.

use super::error::CliError;
use super::{Context, Outcome};

/// Agree to a request.
///
/// Shows everything that will be signed, then signs. Without CASE, a list of what waits for you.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cases: their ids or the beginnings of them.
    #[arg(value_name = "CASE")]
    pub cases: Vec<String>,
    /// What there is to say about it.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("approve"))
}
