//! What is done from the view: the very commands that people type, in front of it, so that whatever they show, ask and refuse is
//! the same. They run as processes of their own: Ctrl-C in one ends that one.

use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::Context;
use super::super::error::CliError;
use super::super::play::source;
use super::stop::Stop;
use super::view::Act;
use crate::domain::event::Recording;
use crate::domain::id::CaseId;
use crate::domain::state::State;
use crate::monitor::watch::About;

/// How often it is looked whether a command has ended, or we are told to.
const LOOK: Duration = Duration::from_millis(50);

/// The command line of an act, without the program and the global options.
pub fn arguments(act: Act, case: Option<CaseId>) -> Vec<String> {
    let case = if act == Act::Lock { None } else { case };
    std::iter::once(act.verb().to_owned()).chain(case.map(|case| case.short())).collect()
}

/// The command line that follows a session from here.
///
/// # Errors
/// What to do instead, where its recording is not on this machine.
pub fn following(context: &Context, state: &State, about: About) -> Result<Vec<String>, String> {
    let Some((case, access)) = about.case().and_then(|id| state.case(&id)).and_then(|it| Some((it, it.access()?)))
    else {
        return Err("There is no session here.".to_owned());
    };
    let id = case.id();
    let chosen = match about {
        About::Session(_, number) => Some(number),
        _ => access.sessions.iter().rposition(|session| session.ended.is_none()),
    };
    let Some((number, session)) = chosen.and_then(|number| Some((number, access.sessions.get(number)?))) else {
        return Err(format!("Nobody is logged in with {}.", id.short()));
    };
    if session.recording == Recording::Off {
        return Err("This session is not recorded: there is nothing to follow.".to_owned());
    }
    let number = number.saturating_add(1).to_string();
    let place = source::place(context, None).map_err(|error| error.message().to_owned())?;
    if !source::file(&place, id, &session.session).exists() {
        let id = id.short();
        return Err(format!("On {}, as root: jit play {id} --session {number} --follow", session.host));
    }
    Ok(["play", &id.short(), "--session", &number, "--follow"].map(str::to_owned).to_vec())
}

/// Runs a command of ours in front, with the terminal; it has the options with which the view was started.
///
/// # Errors
/// Where it cannot be started.
pub fn run(context: &Context, arguments: &[String], stop: &Stop) -> Result<ExitStatus, CliError> {
    let failed = |cause: std::io::Error| CliError::failed("cannot start jit").because(cause.to_string());
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.env_clear().envs(&context.environment.variables).current_dir(&context.environment.directory);
    command.args(arguments).arg("--ledger").arg(context.ledger_dir()?);
    if let Some(actor) = &context.global.actor {
        command.args(["--as", actor.as_str()]);
    }
    if let Some(key) = &context.global.key {
        command.arg("--key").arg(key);
    }
    // Never `--yes`: a key pressed by mistake signs nothing.
    let mut child = command.spawn().map_err(failed)?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if stop.ends() {
            end(&child);
            break child.wait().map_err(failed)?;
        }
        std::thread::sleep(LOOK);
    };
    stop.forget_interrupt();
    Ok(status)
}

fn end(child: &Child) {
    if let Some(id) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(id, Signal::TERM);
    }
}
