//! `jit host session`: PAM runs it as root when sshd opens a session. From here on everything of the connection lies in a
//! control group of its own, the ledger knows of it, and its recorder runs; or nobody gets a shell.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::{Context, Exit, Outcome};
use crate::host::admission::{Admitted, Attempt, Refusal, admit};
use crate::host::login::Login;
use crate::host::process::ProcessId;
use crate::host::session_file::Standing;
use crate::host::users::User;
use crate::host::wire::{self, Answer, Ask};
use crate::host::{Config, Grants, HostError, SessionFile, cgroup, refusals, syslog};

/// How long the recorder may take to be ready.
const RECORDER: Duration = Duration::from_secs(5);

/// Open a session: PAM runs it as root at each login.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Opens the session that PAM's variables tell of. What it prints is shown to the person who logs in.
///
/// # Errors
/// Where nobody may get in; sshd then starts nothing.
pub fn run(context: &mut Context, file: &Path, config: Result<Config, HostError>, args: Args) -> Outcome {
    let Args {} = args;
    let variable = |name: &str| context.environment.variable(name).map(|value| value.to_string_lossy().into_owned());
    // The reaper sees the connection end by itself, also when PAM is never told.
    if variable("PAM_TYPE").as_deref() == Some("close_session") {
        return Ok(Exit::DONE);
    }
    let login = Login::of(variable);
    let opened = config.map_err(|error| error.to_string()).and_then(|config| {
        let login = login.map_err(|error| error.to_string())?;
        open(context, file, &config, &login)
    });
    match opened {
        Ok(()) => Ok(Exit::DONE),
        Err(why) => {
            syslog::warn(&format!("session refused: {why}"));
            context.output.print(&format!("jit: no session: {why}"))?;
            Ok(Exit(1))
        }
    }
}

fn open(context: &mut Context, file: &Path, config: &Config, login: &Login) -> Result<(), String> {
    let now = context.now();
    let attempt =
        Attempt { login: &login.name, certificate: login.certificate, serial: login.serial, source: login.address() };
    let grants = match Grants::read(config) {
        Ok(Some(grants)) => Ok(grants),
        Ok(None) => Err(Refusal::NoMirror("nothing is published".to_owned())),
        Err(error) => Err(Refusal::NoMirror(error.to_string())),
    };
    // A clone, so that what was refused can be noted with the same few lines.
    let admitted = grants.as_ref().map_err(Clone::clone).and_then(|grants| admit(grants, &attempt, now));
    let admitted = admitted.map_err(|refusal| {
        refusals::note(config, now, &login.name, &login.key_id, login.serial, Some(&login.source), &refusal);
        refusal.to_string()
    })?;
    let forwards = admitted.grant.forwards;
    let mut session = describe(context, config, login, &admitted).map_err(|error| error.to_string())?;
    // From here on a session file names the group: whatever happens to this process, the reaper ends it.
    session.write(config).map_err(|error| error.to_string())?;
    let begun = begin(config, file, &mut session);
    if let Err(why) = &begun {
        // sshd starts no command without PAM's consent, but it would carry a forwarded port for as long as it is there.
        session.standing = if forwards { Standing::Refused } else { Standing::Leaving };
        if let Err(error) = session.write(config) {
            syslog::warn(&format!("session {}: {error}", session.session));
        }
        if let Some(pid) = session.recorder.and_then(|id| Pid::from_raw(i32::try_from(id.pid).ok()?)) {
            let _ = kill_process(pid, Signal::TERM);
        }
        syslog::warn(&format!("session {} of case {} refused: {why}", session.session, session.case().short()));
    }
    begun
}

fn describe(
    context: &mut Context,
    config: &Config,
    login: &Login,
    admitted: &Admitted<'_>,
) -> Result<SessionFile, HostError> {
    let grant = admitted.grant;
    let user = User::named(&login.name)?
        .filter(|user| user.uid != 0)
        .ok_or_else(|| HostError::Refused(format!("{} is no login that jit serves", login.name)))?;
    let nonce = context.nonce().map_err(|error| HostError::Refused(error.message().to_owned()))?;
    let recorded = admitted.opens.iter().any(|open| open.record);
    let recorders =
        admitted.opens.iter().flat_map(|open| &open.recorders).cloned().fold(Vec::new(), |mut keys, key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
            keys
        });
    if recorded && recorders.is_empty() {
        return Err(HostError::Refused(format!(
            "the policy demands a recording and names no recorder key in {}",
            grant.environment
        )));
    }
    let monitor = rustix::process::getppid()
        .and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok())
        .ok_or_else(|| HostError::Refused("sshd is gone".to_owned()))?;
    Ok(SessionFile {
        case: grant.case,
        requester: grant.requester.clone(),
        environment: grant.environment.clone(),
        serial: grant.serial,
        certificate: grant.certificate,
        roles: admitted.opens.iter().map(|open| open.role.clone()).collect(),
        login: login.name.clone(),
        uid: user.uid,
        source: login.source.clone(),
        started: context.now(),
        ends: grant.valid_before,
        cgroup: cgroup::Session::of(config, &nonce).path().to_owned(),
        monitor: ProcessId::of(monitor)?,
        standing: Standing::Starting,
        recorder: None,
        recording: recorded.then(|| SessionFile::recording_path(config, grant.case(), &nonce)),
        recorders,
        reason: grant.reason.clone(),
        ticket: grant.ticket.clone(),
        session: nonce,
    })
}

fn begin(config: &Config, file: &Path, session: &mut SessionFile) -> Result<(), String> {
    let confine = || -> Result<(), HostError> {
        let group = cgroup::Session::create(config, &session.session)?;
        // Everything that the connection starts from now on is born in it.
        group.enter(session.monitor.pid)
    };
    confine().map_err(|error| error.to_string())?;
    let recorder = start_recorder(file, session).map_err(|error| format!("the recorder does not start: {error}"))?;
    session.recorder = Some(ProcessId::of(recorder.id()).map_err(|error| format!("the recorder is gone: {error}"))?);
    session.write(config).map_err(|error| error.to_string())?;
    let start = Ask::SessionStart {
        case: session.case,
        session: session.session.clone(),
        serial: session.serial,
        login: session.login.clone(),
        source: session.source.clone(),
        recorded: session.recording.is_some(),
    };
    match wire::ask(config, &start, config.login_wait()).map_err(|error| error.to_string())? {
        Answer::Landed | Answer::Kept { .. } => {}
        Answer::Refused { why } => return Err(format!("the ledger does not take the session: {why}")),
        Answer::Failed { why } => return Err(format!("the ledger cannot be told: {why}")),
    }
    session.standing = Standing::Open;
    session.write(config).map_err(|error| error.to_string())
}

/// Starts the recorder, which outlives this process, and waits until it listens.
fn start_recorder(file: &Path, session: &SessionFile) -> Result<Child, String> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["host", "record", "--config"]).arg(file).arg(session.session.as_str());
    // Nothing of sshd's and PAM's: who held their pipes would hold up the login.
    command.env_clear().current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let Some(stdout) = child.stdout.take() else { return Err("it has no output".to_owned()) };
    let (sender, ready) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let _ = sender.send(read.map(|_| line));
    });
    match ready.recv_timeout(RECORDER) {
        Ok(Ok(line)) if line.trim_end() == "ready" => Ok(child),
        other => {
            let _ = child.kill();
            Err(match other {
                Ok(Ok(line)) if line.is_empty() => "it ended at once (its reason is in syslog)".to_owned(),
                Ok(Ok(line)) => line,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("it is not ready after {} s", RECORDER.as_secs()),
            })
        }
    }
}
