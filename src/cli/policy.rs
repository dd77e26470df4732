//! `jit policy`. One file a subcommand.

use std::path::PathBuf;

use super::{Context, Outcome};
use crate::domain::id::{Name, RoleRef};
use crate::domain::time::Ttl;

mod acknowledge;
pub(super) mod check;
mod diff;
pub(super) mod enact;
mod explain;
pub(super) mod propose;
mod rotate_ca;
mod show;
mod test;

/// Look at the policy, and change it: who may do what.
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
    /// Say what differs between two policies: who gains and who loses what, the dangerous first.
    Diff(diff::Args),
    /// Try scenarios against a policy: who asks for what, who agrees, and what comes of it.
    Test(test::Args),
    /// Propose a new policy and other governed files, which root members then approve.
    Propose(propose::Args),
    /// Propose another CA for an environment; credentials by the present one go on until they end.
    RotateCa(rotate_ca::Args),
    /// Propose to acknowledge void commits: they were looked into, and minting may go on.
    Acknowledge(acknowledge::Args),
    /// Put an approved proposal in force: a policy, an acknowledgement or an unlock.
    Enact(enact::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::Check { file } => check::run(context, &file),
        Command::Show => show::run(context),
        Command::Explain { member, role, duration, emergency } => {
            explain::run(context, &member, &role, duration, emergency)
        }
        Command::Diff(args) => diff::run(context, &args),
        Command::Test(args) => test::run(context, &args),
        Command::Propose(args) => propose::run(context, args),
        Command::RotateCa(args) => rotate_ca::run(context, args),
        Command::Acknowledge(args) => acknowledge::run(context, args),
        Command::Enact(args) => enact::run(context, &args),
    }
}

fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}
