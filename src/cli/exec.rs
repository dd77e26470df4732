//! `jit exec`.

use std::ffi::OsString;

use crate::domain::id::Name;

use super::error::CliError;
use super::{Context, Outcome};

/// Run a command with the credential of a live case.
///
/// The command finds the case in JIT_CASE and the path of the certificate in JIT_CERTIFICATE; both are gone when it ends.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// The environment, where the case has a credential in several.
    #[arg(long, value_name = "ENV")]
    pub environment: Option<Name>,
    /// The command.
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("exec"))
}
