//! The rest of an ending, in a thread of its own: until everything is dead, until it is known what the recording came to,
//! until the ledger has taken the end, until the probes looked, until it has taken what they found; then the session's
//! files go. Each step is written down when it is done.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::super::HostError;
use super::super::cgroup::Group;
use super::super::grants::{OpenSession, Probe};
use super::super::probe;
use super::super::process::ProcessId;
use super::super::session_file::{Recorded, SessionFile};
use super::super::wire::{Answer, Ask, ask};
use super::ending::{Ending, clear};
use super::{Plan, Shared};
use crate::domain::event::EndCause;
use crate::domain::id::{CaseId, Digest, Nonce};
use crate::recording::scan;

/// How long the recorder may take to leave what it has to, once the session is dead.
const RECORDER: Duration = Duration::from_secs(3);
/// How long it may take to die when it did not.
const RECORDER_DIES: Duration = Duration::from_secs(2);
/// How long `sync` may take to answer: it pushes before it does.
const ANSWER: Duration = Duration::from_secs(60);
/// The first pause before `sync` is asked again; each one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(10);
/// What does not die is named after so long, and again so often.
const STUCK: Duration = Duration::from_secs(2);
const STUCK_AGAIN: Duration = Duration::from_secs(300);
/// How often something is looked at that ends soon.
const LOOK: Duration = Duration::from_millis(20);
/// How often a rule has to say that a session does not stand before it is believed.
const REFUSALS: u32 = 2;

/// Does the rest of an ending. Where it stops, for an error or because it was to try only once, the files stand and the
/// next look begins it again.
pub fn run(shared: &Shared, session: &SessionFile, plan: Plan, probes: Option<&[Probe]>) {
    let done = match plan {
        Plan::Drop(why) => drop_session(shared, session, &why).map(|()| true),
        Plan::End(cause, why) => end(shared, session, Some(Ending::new(cause, why)), probes),
        Plan::Resume => end(shared, session, None, probes),
    };
    match done {
        Ok(true) => {}
        Ok(false) => shared.info(format!("session {}: jit host sync has not taken its end yet", session.session)),
        Err(error) => {
            shared.warn(format!("session {}: its ending waits: {error}", session.session));
            // It is begun again at the next look; an error that stays must not make the daemon run hot.
            if !shared.options.once {
                std::thread::sleep(LAST_PAUSE);
            }
        }
    }
}

/// Tells the ledger of the end of a session that it knows and this host does not: the machine was started anew, or the
/// ledger took a session-start that was given up here.
pub fn lost(shared: &Shared, open: &OpenSession) {
    let session = &open.session;
    shared.warn(format!("session {session}: the ledger has its start, and nothing is left of it here: it is lost"));
    let recording = SessionFile::recording_path(&shared.config, CaseId(open.case), session);
    let (recording, bytes) = recovered_head(&recording);
    let end = Ask::SessionEnd {
        case: open.case,
        session: session.clone(),
        cause: EndCause::Lost,
        exit_code: None,
        recording,
        bytes,
    };
    if tell(shared, session, &end, "session-end") {
        shared.info(format!("session {session} is lost, and the ledger knows it"));
    }
}

/// Ends what is left of a session that the ledger never heard of.
fn drop_session(shared: &Shared, session: &SessionFile, why: &str) -> Result<(), HostError> {
    until_empty(shared, session)?;
    if let Some(recorder) = session.recorder {
        kill_recorder(recorder)?;
    }
    Group::at(session.cgroup.clone()).remove()?;
    clear(&shared.config, &session.session)?;
    shared.info(format!("session {} of {} is gone: {why}", session.session, session.login));
    Ok(())
}

/// Whether all is done; not, where `sync` did not take something and was to be asked once only.
fn end(
    shared: &Shared,
    session: &SessionFile,
    begun: Option<Ending>,
    probes: Option<&[Probe]>,
) -> Result<bool, HostError> {
    let (config, name) = (&shared.config, &session.session);
    let mut ending = match begun {
        Some(ending) => {
            ending.write(config, name)?;
            ending
        }
        None => Ending::read(config, name)?
            .ok_or_else(|| HostError::content(Ending::path(config, name), "it was there a moment ago"))?,
    };
    until_empty(shared, session)?;
    if ending.recorded.is_none() {
        ending.recorded = Some(recorded(shared, session)?);
        ending.write(config, name)?;
    }
    if !ending.told {
        let Some(end) = ending.session_end(session) else { return Ok(false) };
        if !tell(shared, name, &end, "session-end") {
            return Ok(false);
        }
        ending.told = true;
        ending.write(config, name)?;
    }
    if ending.items.is_none() {
        let _one_at_a_time = shared.probing.lock().unwrap_or_else(PoisonError::into_inner);
        ending.items = Some(probe::run(config, &shared.options.places, session, probes));
        ending.write(config, name)?;
    }
    if !ending.reported {
        let Some(residue) = ending.residue(session) else { return Ok(false) };
        if !tell(shared, name, &residue, "residue") {
            return Ok(false);
        }
        ending.reported = true;
        ending.write(config, name)?;
    }
    Group::at(session.cgroup.clone()).remove()?;
    clear(config, name)?;
    let clean = ending.items.iter().flatten().all(probe::is_clear);
    let residue =
        if clean { "nothing was left behind" } else { "something was left behind, or could not be looked for" };
    shared.info(format!("session {name} of {} ended: {}: {residue}", session.login, ending.cause));
    Ok(true)
}

/// Kills until nothing is left. Something in an uninterruptible call stays until that returns: it is named, and the
/// ending waits, because a session that still does something has not ended.
fn until_empty(shared: &Shared, session: &SessionFile) -> Result<(), HostError> {
    let group = Group::at(session.cgroup.clone());
    let (began, mut named) = (Instant::now(), None::<Instant>);
    loop {
        group.kill()?;
        if group.wait_empty(LOOK * 5)? {
            return Ok(());
        }
        if began.elapsed() >= STUCK && named.is_none_or(|last| last.elapsed() >= STUCK_AGAIN) {
            named = Some(Instant::now());
            let pids: Vec<String> = group.processes()?.iter().map(ToString::to_string).collect();
            shared.warn(format!("session {}: killed, and still not dead: {}", session.session, pids.join(", ")));
        }
        if shared.options.once && began.elapsed() >= 2 * STUCK {
            return Err(HostError::Refused("something of it does not die".to_owned()));
        }
    }
}

/// What the recording came to. The recorder says so itself once the session is dead; one that does not is ended, so that
/// nothing grows any more, and what can be known is taken from the file.
fn recorded(shared: &Shared, session: &SessionFile) -> Result<Recorded, HostError> {
    let began = Instant::now();
    loop {
        // In this order: what a recorder leaves before it goes is not missed.
        let lives = session.recorder.is_some_and(ProcessId::is_alive);
        if let Some(recorded) = Recorded::read(&shared.config, &session.session)? {
            return Ok(recorded);
        }
        if !lives || began.elapsed() >= RECORDER {
            break;
        }
        std::thread::sleep(LOOK);
    }
    if let Some(recorder) = session.recorder {
        kill_recorder(recorder)?;
        if let Some(recorded) = Recorded::read(&shared.config, &session.session)? {
            return Ok(recorded);
        }
    }
    let none = Recorded { head: None, bytes: 0, exit_code: None, whole: false };
    let Some(path) = &session.recording else { return Ok(none) };
    let (head, bytes) = recovered_head(path);
    shared.warn(format!("session {}: its recorder left nothing; the recording has {bytes} bytes", session.session));
    Ok(Recorded { head, bytes, ..none })
}

/// The head and size, in bytes, of a recording that its recorder did not close: the digest of its last whole frame. What
/// was cut off by the kill after that frame is no part of it. No head where there is no recording that can be read.
fn recovered_head(path: &Path) -> (Option<Digest>, u64) {
    let size = || std::fs::symlink_metadata(path).map_or(0, |meta| meta.len());
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let Ok(mut file) = OpenOptions::new().read(true).custom_flags(no_follow).open(path) else { return (None, size()) };
    match scan::scan(&mut file, &scan::Expected::default()) {
        Ok(found) => (found.header.is_some().then_some(found.head), found.size),
        Err(_) => (None, size()),
    }
}

/// Ends a recorder, if that process is still it.
fn kill_recorder(recorder: ProcessId) -> Result<(), HostError> {
    let failed = |cause: rustix::io::Errno| HostError::system("a recorder cannot be ended", cause);
    let Some(pid) = i32::try_from(recorder.pid).ok().and_then(rustix::process::Pid::from_raw) else { return Ok(()) };
    // The handle first: it stays with this process, and only then is asked whether this process is the one.
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(handle) if recorder.is_alive() => {
            match rustix::process::pidfd_send_signal(&handle, rustix::process::Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(cause) => return Err(failed(cause)),
            }
        }
        Ok(_) | Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(cause) => return Err(failed(cause)),
    }
    let began = Instant::now();
    while recorder.is_alive() && began.elapsed() < RECORDER_DIES {
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Asks `sync` until it took the event; whether it did. Once it is `Kept`, `sync` delivers it.
fn tell(shared: &Shared, session: &Nonce, event: &Ask, what: &str) -> bool {
    let (mut pause, mut refusals, mut said) = (FIRST_PAUSE, 0, String::new());
    loop {
        let trouble = match ask(&shared.config, event, ANSWER) {
            Ok(Answer::Landed) => return true,
            Ok(Answer::Kept { why }) => {
                shared.info(format!("session {}: {what} waits on this host: {why}", session));
                return true;
            }
            Ok(Answer::Refused { why }) => {
                // A08: `sync` may have been killed between appending the end and saying so.
                refusals = if why.contains("no session") && why.contains("stands") { refusals + 1 } else { 0 };
                if refusals >= REFUSALS {
                    shared.warn(format!("session {}: {what} is given up: {why}", session));
                    return true;
                }
                format!("refused: {why}")
            }
            Ok(Answer::Failed { why }) => why,
            Err(error) => error.to_string(),
        };
        if trouble != said {
            shared.warn(format!("session {}: {what} is not taken yet: {trouble}", session));
            said = trouble;
        }
        if shared.options.once && refusals == 0 {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
