//! `jit close`.

use super::error::CliError;
use super::{Context, Outcome};

/// Say that the work is done. It ends the access at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// What was done.
    #[arg(long, value_name = "TEXT")]
    pub summary: Option<String>,
    /// Something that was changed, and how it was undone or why it stays; may be given several times.
    #[arg(long = "change", value_name = "TEXT")]
    pub changes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("close"))
}
