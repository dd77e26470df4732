//! `jit host record`.

use super::super::{Context, Exit, Outcome};
use crate::host::Config;

/// Record one session: `jit host session` starts it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The session.
    pub session: String,
}

/// Runs the command.
///
/// # Errors
/// Where it cannot be done.
pub fn run(context: &mut Context, _config: &Config, args: Args) -> Outcome {
    let _ = (context, args);
    Ok(Exit::DONE)
}
