//! `jit hook`. One file a subcommand; [`check`] judges what a push brings, [`refusal`] has the words.

use super::{Context, Outcome};

mod check;
mod install;
mod receive;
mod refusal;

/// Keep bad pushes out of a shared repository.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do with the hook.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    Install(install::Args),
    Uninstall(install::Undo),
    PreReceive(receive::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::Install(args) => install::run(context, &args),
        Command::Uninstall(args) => install::undo(context, &args),
        Command::PreReceive(args) => receive::run(context, args),
    }
}
