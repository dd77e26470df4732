//! `jit init`.

use std::path::PathBuf;

use super::error::CliError;
use super::{Context, Outcome};

/// Make a new ledger.
///
/// With --name and --email: you are its one root member, with a sample policy and fresh CA, minter and log keys in your
/// configuration directory, never in the repository. With --policy: that file is the first policy, and you are one of its
/// root members.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to make it [default: this directory].
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The ledger's name, such as acme/production.
    #[arg(long, value_name = "NAME", conflicts_with = "policy")]
    pub name: Option<String>,
    /// Your e-mail address.
    #[arg(long, value_name = "EMAIL", conflicts_with = "policy")]
    pub email: Option<String>,
    /// The first policy.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Without a work tree.
    #[arg(long)]
    pub bare: bool,
    /// Only policy.toml and allowed_signers: no README, no CI workflows.
    #[arg(long)]
    pub no_template: bool,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("init"))
}
