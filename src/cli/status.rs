//! `jit status`.

use super::error::CliError;
use super::{Context, Outcome};

/// What waits for you, what is live and for how long.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("status"))
}
