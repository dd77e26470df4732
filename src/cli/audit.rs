//! `jit audit`. One file a subcommand.

use super::{Context, Outcome};

mod bundle;
mod carry;
mod page;
pub(super) mod read;

/// Evidence for examiners: what a stranger can check years later, offline.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do for the examiner.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    Bundle(bundle::Args),
    Page(page::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::Bundle(args) => bundle::run(context, &args),
        Command::Page(args) => page::run(context, &args),
    }
}
