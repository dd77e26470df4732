//! `jit sync`.

use super::error::CliError;
use super::{Context, Outcome};

/// Fetch from the remote, verify what came, and deliver what still waits here.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("sync"))
}
