//! `jit audit`. One file a subcommand.

use super::{Context, Outcome};

mod access_review;
mod board;
mod bundle;
mod carry;
mod check;
mod consistency;
mod controls;
mod emergencies;
mod exceptions;
mod incident;
mod latency;
mod page;
mod population;
mod prove;
pub(super) mod read;
mod report;
mod sample;
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
    Population(population::Args),
    Sample(sample::Args),
    Exceptions(exceptions::Args),
    Emergencies(emergencies::Args),
    Latency(latency::Args),
    Incident(incident::Args),
    AccessReview(access_review::Args),
    Board(board::Args),
    Controls(controls::Args),
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
        Command::Population(args) => population::run(context, &args),
        Command::Sample(args) => sample::run(context, &args),
        Command::Exceptions(args) => exceptions::run(context, &args),
        Command::Emergencies(args) => emergencies::run(context, &args),
        Command::Latency(args) => latency::run(context, &args),
        Command::Incident(args) => incident::run(context, &args),
        Command::AccessReview(args) => access_review::run(context, &args),
        Command::Board(args) => board::run(context, &args),
        Command::Controls(args) => controls::run(context, &args),
        Command::Bundle(args) => bundle::run(context, &args),
        Command::Page(args) => page::run(context, &args),
        Command::Prove(args) => prove::run(context, &args),
        Command::Consistency(args) => consistency::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Tiles(args) => tiles::run(context, &args),
    }
}
