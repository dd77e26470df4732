//! `jit clone`.

use std::path::PathBuf;

use crate::domain::id::Digest;

use super::error::CliError;
use super::{Context, Outcome};

/// Clone a ledger, verify it from its first event, and remember what was seen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where it is.
    #[arg(value_name = "URL")]
    pub url: String,
    /// Where to put it [default: the last part of URL].
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The ledger that it must be: sha256:…, told to you by somebody you trust.
    #[arg(long, value_name = "sha256:…")]
    pub ledger_id: Option<Digest>,
    /// Without a work tree.
    #[arg(long)]
    pub bare: bool,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("clone"))
}
