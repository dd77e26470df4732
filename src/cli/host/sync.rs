//! `jit host sync`.

use super::super::{Context, Exit, Outcome};
use crate::host::Config;

/// Follow the ledger and publish what this host admits: the daemon of the user jit.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Where it cannot be done.
pub fn run(context: &mut Context, _config: &Config, args: Args) -> Outcome {
    let _ = (context, args);
    Ok(Exit::DONE)
}
