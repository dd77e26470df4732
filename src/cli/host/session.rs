//! `jit host session`.

use super::super::{Context, Exit, Outcome};
use crate::host::Config;

/// Open a session: PAM runs it as root at each login.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Where it cannot be done.
pub fn run(
    context: &mut Context,
    _file: &std::path::Path,
    _config: Result<Config, crate::host::HostError>,
    args: Args,
) -> Outcome {
    let _ = (context, args);
    Ok(Exit::DONE)
}
