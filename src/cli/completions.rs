//! `jit completions`: from the same tree of commands as the help.

use clap_complete::{Shell, generate};

use super::{Context, Exit, Outcome};

/// Print the completions of a shell.
///
/// For bash: jit completions bash > ~/.local/share/bash-completion/completions/jit
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// Where it cannot be written.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    context.output.bytes(&script(args.shell))?;
    Ok(Exit::DONE)
}

/// The completion script of `shell`.
pub fn script(shell: Shell) -> Vec<u8> {
    let mut bytes = Vec::new();
    generate(shell, &mut super::tree(), "jit", &mut bytes);
    bytes
}
