//! `jit extend`.

use crate::domain::time::Ttl;

use super::error::CliError;
use super::{Context, Outcome};

/// Ask for more time: a new case that continues this one, with approvals of its own.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it. Without one, a list to choose from.
    #[arg(value_name = "CASE")]
    pub case: Option<String>,
    /// For how long, such as 30m.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::args::ttl)]
    pub duration: Option<Ttl>,
    /// Why it takes longer [default: as before].
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Wait until the credential is there, at most for DURATION; exits with 8 if it is still pending then.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = super::args::ttl)]
    pub wait: Option<Option<Ttl>>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("extend"))
}
