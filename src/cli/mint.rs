//! `jit mint`.

use super::args::CaFile;

use super::error::CliError;
use super::{Context, Outcome};

/// Issue every credential that is due. For the minter, a service of the policy.
///
/// Verifies the whole ledger first, and stops at anything that is not in order. A CA key comes from --ca, from the
/// variable JIT_CA_<ENV> (a file, or the key itself), or from ssh-agent.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The CA key of an environment; may be given several times.
    #[arg(long = "ca", value_name = "ENV=FILE", value_parser = super::args::ca)]
    pub ca: Vec<CaFile>,
    /// Go on, and issue what becomes due.
    #[arg(long)]
    pub watch: bool,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("mint"))
}
