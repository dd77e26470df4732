//! `jit audit`. One file a subcommand.

use super::{Context, Outcome};

mod bundle;
mod carry;
mod check;
mod consistency;
mod page;
mod prove;
pub(super) mod read;
mod tiles;

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
    Prove(prove::Args),
    Consistency(consistency::Args),
    Check(check::Args),
    Tiles(tiles::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::Bundle(args) => bundle::run(context, &args),
        Command::Page(args) => page::run(context, &args),
        Command::Prove(args) => prove::run(context, &args),
        Command::Consistency(args) => consistency::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Tiles(args) => tiles::run(context, &args),
    }
}
