//! `jit completions`.

use clap_complete::Shell;

use super::error::CliError;
use super::{Context, Outcome};

/// Print the completions of a shell.
///
/// For bash: jit completions bash > ~/.local/share/bash-completion/completions/jit
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    #[arg(value_name = "SHELL", value_parser = clap::builder::EnumValueParser::<Shell>::new())]
    pub shell: Shell,
}

/// Runs the command.
///
/// # Errors
/// It is not built yet.
pub fn run(_context: &mut Context, _args: Args) -> Outcome {
    Err(CliError::not_built("completions"))
}
