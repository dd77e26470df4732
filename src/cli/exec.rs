//! `jit exec`: a program with the credential of a live case.

use std::ffi::OsString;
use std::process::Command;

use super::credential::{find, lend, pass_on};
use super::error::CliError;
use super::{Context, Outcome};
use crate::domain::id::Name;

/// Run a command with the credential of a live case.
///
/// The command finds the case in JIT_CASE, the path of the certificate in JIT_CERTIFICATE and the key's in JIT_IDENTITY.
/// The certificate's file is gone when the command ends.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// The environment, where the case has a credential in several.
    #[arg(long, value_name = "ENV")]
    pub environment: Option<Name>,
    /// The command.
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Runs the command; its exit code is ours.
///
/// # Errors
/// Where the case is not live, or the command cannot be started.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let lent = find(context, &args.case, args.environment.as_ref())?;
    let files = lend(context, &lent)?;
    let mut words = args.command.into_iter();
    let program = words.next().ok_or_else(|| CliError::usage("a command is needed after --"))?;
    let mut command = Command::new(program);
    command.args(words).current_dir(&context.environment.directory);
    command.env("JIT_CASE", lent.case.0.hex());
    command.env("JIT_CERTIFICATE", files.certificate()).env("JIT_IDENTITY", &files.identity);
    pass_on(command)
}
