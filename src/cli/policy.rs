//! `jit policy`.

use std::path::PathBuf;

use super::error::CliError;
use super::{Context, Outcome};
use crate::domain::id::{Name, RoleRef};
use crate::domain::time::Ttl;

/// Look at the policy: who may do what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with it.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with the policy.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    /// Check a policy file: every problem with its line, column and what was expected.
    Check {
        /// The file.
        #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show the policy in force.
    Show,
    /// Say what would happen if MEMBER asked for TARGET/ROLE, and who would have to approve.
    Explain {
        /// Who would ask.
        #[arg(value_name = "MEMBER")]
        member: Name,
        /// What for.
        #[arg(value_name = "TARGET/ROLE", value_parser = super::args::role)]
        role: RoleRef,
        /// For how long, such as 30m.
        #[arg(long = "for", value_name = "DURATION", value_parser = super::args::ttl)]
        duration: Option<Ttl>,
        /// As break-glass.
        #[arg(long)]
        emergency: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("policy"))
}
