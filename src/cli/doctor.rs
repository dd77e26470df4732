//! `jit doctor`.

use super::error::CliError;
use super::{Context, Outcome};

/// Say what is set up, what is missing, and the command that mends it.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("doctor"))
}
