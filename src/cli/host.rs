//! `jit host`: the server's side. Some of these people run; others sshd, PAM and systemd run, as docs/host.md shows.

use std::path::PathBuf;

use super::{Context, Outcome};
use crate::host::{Config, config};

mod gate;
mod principals;
mod reap;
mod record;
mod session;
pub(in crate::cli) mod setup;
pub(in crate::cli) mod status;
mod sync;

/// The server's side: admit what the ledger holds, record it, end it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The host's configuration.
    #[arg(long, global = true, value_name = "FILE", default_value = config::DEFAULT, value_hint = clap::ValueHint::FilePath)]
    pub config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do on a host.
#[derive(Debug, clap::Subcommand)]
#[command(subcommand_help_heading = "Commands", disable_help_subcommand = true)]
pub enum Command {
    Setup(setup::Args),
    Status(status::Args),
    Sync(sync::Args),
    Reap(reap::Args),
    Principals(principals::Args),
    Session(session::Args),
    Record(record::Args),
    Gate(gate::Args),
}

/// Runs the command.
///
/// # Errors
/// As each command has them.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let file = args.config;
    let configured = || Config::read(&file);
    match args.command {
        Command::Setup(args) => setup::run(context, &file, args),
        Command::Status(args) => status::run(context, &file, &configured()?, args),
        Command::Sync(args) => sync::run(context, &configured()?, &file, args),
        Command::Reap(args) => reap::run(context, configured(), args),
        // These three have their own way to fail: nobody gets in.
        Command::Principals(args) => principals::run(context, configured(), args),
        Command::Session(args) => session::run(context, &file, configured(), args),
        Command::Gate(args) => gate::run(context, configured(), args),
        Command::Record(args) => record::run(context, &configured()?, args),
    }
}
