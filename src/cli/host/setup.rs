//! `jit host setup`.

use super::super::{Context, Exit, Outcome};

/// Set this host up: user, directories, sshd, PAM, units.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Where it cannot be done.
pub fn run(context: &mut Context, _file: &std::path::Path, args: Args) -> Outcome {
    let _ = (context, args);
    Ok(Exit::DONE)
}
