//! `jit ledger`. One file a subcommand.

use super::{Context, Outcome};

mod upgrade_template;

/// Look after the ledger's own files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with it.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with the ledger.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    UpgradeTemplate(upgrade_template::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::UpgradeTemplate(args) => upgrade_template::run(context, args),
    }
}
