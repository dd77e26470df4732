//! `jit ssh`.

use std::ffi::OsString;

use super::error::CliError;
use super::{Context, Outcome};

/// Connect to HOST with your live credential.
///
/// Everything from the first word that is no option of jit is ssh's: `jit ssh -p 2222 db1 uptime`. Options that jit has
/// too (-v, -q) go to ssh after `--`. Without a login in HOST, the role's first one is taken.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case whose credential is used [default: your live one].
    #[arg(long, value_name = "CASE")]
    pub case: Option<String>,
    /// ssh's own options, the host and a command.
    #[arg(value_name = "HOST", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("ssh"))
}
