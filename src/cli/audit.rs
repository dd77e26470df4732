//! `jit audit`. One file a subcommand.

use super::{Context, Outcome};
use reports::Which;

mod all;
pub(super) mod bundle;
pub(super) mod carry;
mod check;
mod consistency;
mod controls;
pub(super) mod incident;
mod page;
mod population;
mod prove;
pub(super) mod read;
pub(super) mod report;
mod reports;
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
    /// Exceptions with their owner and age: overdue reviews, late ends, emergencies, void commits, residue, reciprocal
    /// approvals.
    ///
    /// Exits with 4 where one of them is open.
    Exceptions(reports::Args),
    /// The register of emergencies: every break-glass request and the review afterwards.
    Emergencies(reports::Args),
    /// How long it took: from revocation to session end, request to approval, approval to issuance.
    Latency(reports::Args),
    Incident(incident::Args),
    /// Who may and who did: roles never used, members never active, who approved whom, policies of the period.
    AccessReview(reports::Args),
    /// One page for the board: counts, medians, the rate of emergencies, reviews on time.
    Board(reports::Args),
    Controls(controls::Args),
    Bundle(bundle::Args),
    Page(page::Args),
    Prove(prove::Args),
    Consistency(consistency::Args),
    Check(check::Args),
    Tiles(tiles::Args),
    All(all::Args),
}

/// Runs the command.
///
/// # Errors
/// As each subcommand has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    match args.command {
        Command::Population(args) => population::run(context, &args),
        Command::Sample(args) => sample::run(context, &args),
        Command::Exceptions(args) => reports::run(context, Which::Exceptions, &args),
        Command::Emergencies(args) => reports::run(context, Which::Emergencies, &args),
        Command::Latency(args) => reports::run(context, Which::Latency, &args),
        Command::Incident(args) => incident::run(context, &args),
        Command::AccessReview(args) => reports::run(context, Which::AccessReview, &args),
        Command::Board(args) => reports::run(context, Which::Board, &args),
        Command::Controls(args) => controls::run(context, &args),
        Command::Bundle(args) => bundle::run(context, &args),
        Command::Page(args) => page::run(context, &args),
        Command::Prove(args) => prove::run(context, &args),
        Command::Consistency(args) => consistency::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Tiles(args) => tiles::run(context, &args),
        Command::All(args) => all::run(context, &args),
    }
}
