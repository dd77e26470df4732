//! `jit host status`.

use super::super::{Context, Exit, Outcome};
use crate::host::Config;

/// Show what stands on this host: mirror, grants, sessions, refusals.
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
