//! `jit show`.

use super::error::CliError;
use super::{Context, Outcome};

/// Show one case whole: what was asked, who agreed, what was issued, how it ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("show"))
}
