//! `jit host gate`: sshd's ForceCommand. Runs as the login user; its exit code is that of the shell or command.

use std::ffi::OsString;

use super::super::error::CliError;
use super::super::{Context, Exit, Outcome};
use crate::host::gate::{self, GateError};
use crate::host::{Config, HostError};

/// Run the shell or command of a session, recorded: the ForceCommand of sshd.
///
/// The exit code is that of what ran, or 128 and the number of the signal that ended it; 254 where nothing ran, or the
/// recorder went away.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Become the program that follows, in a session of its own. The gate calls itself so.
    #[arg(long, hide = true, value_name = "PID", requires = "program")]
    inner: Option<u32>,
    /// The program, its name, its arguments.
    #[arg(hide = true, last = true, requires = "inner", num_args = 2..)]
    program: Vec<OsString>,
}

/// Runs the command.
///
/// # Errors
/// Never: whatever goes wrong is told, and ends with [`gate::CLOSED`], which no shell is mistaken for.
pub fn run(context: &mut Context, config: Result<Config, HostError>, args: Args) -> Outcome {
    let ended = match args.inner {
        Some(pid) => Err(gate::become_program(pid, &args.program)),
        None => config.map_err(GateError::from).and_then(|config| gate::run(&config, &context.environment.variables)),
    };
    let error = match ended {
        Ok(code) => return Ok(Exit(code)),
        Err(error) => error,
    };
    let hint = match &error {
        GateError::RecorderGone => "log in again; if that fails, tell who runs this host",
        GateError::Start { .. } => "check the shell of this login",
        GateError::Host(_)
        | GateError::Outside
        | GateError::NoRecorder { .. }
        | GateError::Refused(_)
        | GateError::Malformed(_)
        | GateError::System { .. } => "nothing ran; tell who runs this host: jit host status",
    };
    CliError::failed(error.to_string()).hint(hint).report(&context.output);
    Ok(Exit(gate::CLOSED))
}
