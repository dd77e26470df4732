//! `jit host record`, one for each session: root's process between the client and everything that the session runs. It
//! takes both sides of each channel from a gate, passes bytes on, and seals what it passes on into the recording before
//! anybody has seen it. It lives in a control group of its own, and outlives the session that it records.
//!
//! Two threads: the relay never waits for the disk; the keeper seals and syncs. The queue between them is bounded: where
//! the disk cannot follow, the relay stops, and nothing unrecorded is passed on. Imports `recording`, `ports`, `domain`.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags};

use super::cgroup::Group;
use super::session_file::Recorded;
use super::{Config, HostError, SessionFile, syslog};
use crate::domain::id::Nonce;
use crate::ports::{Clock, Rng};
use crate::recording::{Header, Recorder, RecorderError, Sink};
use journal::Journal;
use relay::{Relay, RelayEnd, RelayError, Waits};

mod channel;
mod file;
mod flow;
mod holders;
mod journal;
mod notice;
mod relay;
mod transfer;

/// What the recorder says on stdout once gates can reach it.
pub const READY: &[u8] = b"ready\n";

/// Why a session is not recorded, or not any longer. Each of these ends it.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Something of the host.
    #[error(transparent)]
    Host(#[from] HostError),
    /// There is no such session.
    #[error("no session {0} here")]
    NoSession(Nonce),
    /// The recording cannot be written.
    #[error("the recording is broken: {0}")]
    Recording(#[from] RecorderError),
    /// The relay stopped.
    #[error("the relay stopped: {0}")]
    Relay(#[from] RelayError),
    /// The relay ended in a way that it must not.
    #[error("the relay broke down")]
    RelayLost,
}

/// Records `session` until it is over: until its sshd monitor is gone and its gates with it, or SIGTERM comes. `ready` is
/// called once gates can reach it; after that the process belongs to nobody's terminal.
///
/// # Errors
/// Where it cannot begin, and where the recording broke on the way. What was recorded until then is told to the reaper in
/// both cases that have anything.
pub fn run(
    config: &Config,
    session: &Nonce,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
    ready: impl FnOnce() -> io::Result<()>,
) -> Result<(), RecordError> {
    // Whoever ends the session's control group must not end its recorder.
    Group::recorders(config)?.enter(std::process::id())?;
    let session = SessionFile::read(config, session)?.ok_or_else(|| RecordError::NoSession(session.clone()))?;
    let (told, monitor) = waits(&session)?;
    let began = Instant::now();
    let mut recorder = match &session.recording {
        Some(path) => {
            let header = Header { ledger: config.ledger, case: session.case(), session: session.session.clone() };
            let sink = file::create(&config.recordings, path)?;
            let now = clock.now().unix_u64().saturating_mul(1000);
            Some(Recorder::new(sink, &session.recorders, &header, now, rng)?)
        }
        None => None,
    };
    let path = SessionFile::gate_path(config, &session.session);
    let listener = listen(&path, session.uid)?;
    let now = AtomicI64::new(clock.now().unix());
    let (broken, breaks) = io::pipe().map_err(|cause| HostError::system("pipe", cause))?;
    let (journal, queue) = Journal::new(began, recorder.is_some());
    let relay = Relay::new(config, &session, listener, Waits { told, monitor, broken }, journal, &now)?;
    let told = ready().map_err(|cause| HostError::system("saying that the recorder is ready", cause));
    told.and_then(|()| detach()).inspect_err(|_| drop(super::files::remove(&path)))?;

    let (relayed, kept) = std::thread::scope(|scope| {
        let relay = scope.spawn(move || relay.run());
        let kept = journal::keep(queue, recorder.as_mut(), began, clock, &now);
        // The relay waits for this end of the pipe too. In the good case it has ended already.
        drop(breaks);
        (relay.join(), kept)
    });
    // Nobody connects to it any more; the reaper must be told in any case.
    let _ = super::files::remove(&path);
    let relayed = relayed.unwrap_or(RelayEnd { result: Err(RecordError::RelayLost), exit_code: None });
    let (recorded, result) = finish(recorder, kept, journal::millis(began));
    Recorded { exit_code: relayed.exit_code, ..recorded }.write(config, &session.session)?;
    // The recording's own error comes first: the relay only follows it.
    result.and(relayed.result).inspect_err(|error| {
        syslog::warn(&format!("recorder of session {}: {error}", session.session));
    })
}

/// Closes the recording, where it can be; what the reaper is told of it.
fn finish<S: Sink>(
    recorder: Option<Recorder<'_, S>>,
    kept: Result<(), RecorderError>,
    at: u64,
) -> (Recorded, Result<(), RecordError>) {
    let told = |head, bytes, whole| Recorded { head, bytes, exit_code: None, whole };
    let Some(recorder) = recorder else { return (told(None, 0, true), Ok(())) };
    let so_far = told(Some(recorder.head()), recorder.bytes(), false);
    match kept.and_then(|()| recorder.finish(at)) {
        Ok(finished) => (told(Some(finished.head), finished.bytes, true), Ok(())),
        Err(error) => (so_far, Err(error.into())),
    }
}

/// What the recorder waits for beside its channels: SIGTERM, and the end of the connection. Opened before anybody is told
/// that it is ready, so that neither is missed.
fn waits(session: &SessionFile) -> Result<(UnixStream, Option<OwnedFd>), HostError> {
    let failed = |what: &'static str| move |cause: io::Error| HostError::system(what, cause);
    let (told, teller) = UnixStream::pair().map_err(failed("socketpair"))?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGTERM, teller).map_err(failed("SIGTERM"))?;
    let pid = i32::try_from(session.monitor.pid).ok().and_then(Pid::from_raw);
    let monitor = pid.and_then(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok());
    // Its number may have been given to another process before it was opened here; not after.
    let monitor = monitor.filter(|_| session.monitor.is_alive());
    Ok((told, monitor))
}

/// Listens for gates: those of this login alone.
fn listen(path: &Path, uid: u32) -> Result<UnixListener, HostError> {
    let listen = || -> io::Result<UnixListener> {
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(path);
        rustix::process::umask(before);
        let listener = listener?;
        listener.set_nonblocking(true)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        chown(path, Some(uid), None)?;
        Ok(listener)
    };
    listen().map_err(|cause| HostError::file(path, cause))
}

/// Lets go of who started it: a session of its own, no terminal, no working directory.
fn detach() -> Result<(), HostError> {
    let failed = |what: &'static str| move |cause: rustix::io::Errno| HostError::system(what, cause);
    // The leader of a process group cannot; it was started from a shell, for a look.
    if rustix::process::getpgrp() != rustix::process::getpid() {
        rustix::process::setsid().map_err(failed("setsid"))?;
    }
    let null = PathBuf::from("/dev/null");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&null);
    let file = file.map_err(|cause| HostError::file(null, cause))?;
    let _ = io::stdout().flush();
    rustix::stdio::dup2_stdin(&file).map_err(failed("stdin"))?;
    rustix::stdio::dup2_stdout(&file).map_err(failed("stdout"))?;
    rustix::stdio::dup2_stderr(&file).map_err(failed("stderr"))?;
    rustix::process::chdir("/").map_err(failed("chdir"))
}
