//! `jit credential`.

use std::path::PathBuf;

use crate::domain::id::Name;

use super::error::CliError;
use super::{Context, Outcome};

/// Print the certificate of a live case, one OpenSSH line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// Write it to FILE instead.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// The environment, where the case has a credential in several.
    #[arg(long, value_name = "ENV")]
    pub environment: Option<Name>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("credential"))
}
