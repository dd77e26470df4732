//! `jit deny`.

use super::error::CliError;
use super::{Context, Outcome};

/// Refuse a request. One denial by somebody who might approve ends the case.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("deny"))
}
