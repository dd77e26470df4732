//! `jit` alone: the status of the ledger at hand for who has one, else how to begin.

use super::{Context, Outcome};
use crate::cli::{Exit, status};

/// The status at a terminal where a ledger is found; else what jit is and three commands to begin with.
///
/// # Errors
/// As `jit status`.
pub(super) fn run(context: &mut Context) -> Outcome {
    if context.environment.stdout_is_terminal && context.ledger_dir().is_ok() {
        return status::run(context, status::Args {});
    }
    let output = &context.output;
    let line = |command: &str, does: &str| format!("  {}{does}\n", output.cyan(&format!("{command:<44}")));
    let mut text = format!("{}: temporary production access, approved in Git.\n\n", output.bold("jit"));
    text.push_str("Begin with one of these:\n");
    text.push_str(&line("jit demo", "see the whole life of a case, in a temporary ledger"));
    text.push_str(&line("jit init DIR --name acme/production", "make a ledger of your own"));
    text.push_str(&line("jit clone URL DIR", "work with one that exists"));
    text.push_str("\nIn a ledger: jit request, jit approve, jit status. All commands: jit --help\n");
    context.output.print(&text)?;
    Ok(Exit::DONE)
}
