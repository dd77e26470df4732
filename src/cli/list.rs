//! `jit list`.

use crate::domain::id::Name;

use super::error::CliError;
use super::{Context, Outcome};

/// List cases, the newest last.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only cases in this state; may be given several times.
    #[arg(long, value_name = "STATE", value_parser = clap::builder::PossibleValuesParser::new(super::args::STATES))]
    pub state: Vec<String>,
    /// Only cases of this member.
    #[arg(long, value_name = "NAME")]
    pub member: Option<Name>,
    /// Only cases that touch this target.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<Name>,
    /// Only cases of this incident.
    #[arg(long, value_name = "INCIDENT")]
    pub incident: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("list"))
}
