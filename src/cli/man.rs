//! `jit man`.

use std::path::PathBuf;

use super::error::CliError;
use super::{Context, Outcome};

/// Print the manual page, or write one for each command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write the pages into DIR.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("man"))
}
