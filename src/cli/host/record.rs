//! `jit host record`: root's process beside a session. `jit host session` starts it, and waits for `ready` on its stdout.

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use crate::domain::id::Nonce;
use crate::host::Config;
use crate::host::recorder::{self, RecordError};

/// Record one session: `jit host session` starts it.
///
/// Prints `ready` once the session's gates can reach it, then goes to the background of its own accord, and ends with the
/// session.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The session.
    pub session: Nonce,
}

/// Runs the command.
///
/// # Errors
/// Where the session cannot be recorded: nobody gets in then, or the session ends.
pub fn run(context: &mut Context, config: &Config, args: Args) -> Outcome {
    let output = context.output.clone();
    let ready = || output.bytes(recorder::READY).map_err(|error| std::io::Error::other(error.message().to_owned()));
    let environment = &mut context.environment;
    recorder::run(config, &args.session, &*environment.clock, &mut *environment.rng, ready)?;
    Ok(Exit::DONE)
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Host(error) => error.into(),
            RecordError::NoSession(_) => Self::failed(error.to_string()).hint("jit host status lists the sessions"),
            RecordError::Recording(_) | RecordError::Relay(_) | RecordError::RelayLost => {
                Self::failed(error.to_string()).hint("check the space and the disk below the recordings' directory")
            }
        }
    }
}
