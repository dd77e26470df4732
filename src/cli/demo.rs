//! `jit demo`.

use super::error::CliError;
use super::{Context, Outcome};

/// The whole life of a case in a temporary ledger, each step shown.
///
/// Real keys, real Git, real certificates; nothing outside the temporary directory is touched.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Keep the ledger and its keys, and say where they are.
    #[arg(long)]
    pub keep: bool,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("demo"))
}
