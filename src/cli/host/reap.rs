//! `jit host reap`.

use super::super::{Context, Exit, Outcome};
use crate::host::Config;

/// End sessions when their time comes: the root daemon.
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
