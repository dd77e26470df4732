//! `jit host gate`, sshd's ForceCommand: stands between the client and the shell that it asked for, as the login user,
//! within the session's control group. It makes the shell's terminal or pipes, hands both sides of them to the recorder
//! (a process of root's that the user cannot touch), starts the shell only once the recorder has it, and ends with its
//! exit code. It passes on no byte itself.
//!
//! What the shell is and how it is called is as sshd does it (session.c, `do_child`; sshd_config(5), ForceCommand).
//! Imports the host's session files and the domain's ids.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{DumpableBehavior, PidfdFlags, Signal};

use super::{Config, HostError, SessionFile, cgroup};
use ends::{Ends, Terminal};
use message::{FromGate, FromRecorder, Inbox, MessageError};
pub use program::{Program, become_program};

pub mod ends;
pub mod message;
mod program;

/// How the gate ends where nothing ran, or the recorder went away: as no program that was asked for does.
pub const CLOSED: u8 = 254;

/// How long the recorder may take to open a channel.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no shell, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// Its configuration cannot be read, or it cannot be said in which session this process is.
    #[error(transparent)]
    Host(#[from] HostError),
    /// This process is in no session.
    #[error("this process is in no session: its control group is none of those that jit makes")]
    Outside,
    /// The recorder of this session cannot be reached.
    #[error("no recorder at {path}: {cause}", path = .path.display())]
    NoRecorder {
        /// Its socket.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The recorder does not open the channel.
    #[error("the recorder refused: {0}")]
    Refused(String),
    /// What the recorder says is no message.
    #[error("the recorder is not understood: {0}")]
    Malformed(#[from] MessageError),
    /// The recorder is gone: whatever still ran was killed.
    #[error("the recorder is gone: the session ends")]
    RecorderGone,
    /// What was asked for cannot be started.
    #[error("cannot start {program}: {cause}", program = .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A call of the system failed.
    #[error("{what}: {cause}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        cause: io::Error,
    },
}

fn failed<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> GateError {
    move |cause| GateError::System { what, cause: cause.into() }
}

/// Runs what the client asked for, and returns its exit code: 128 and the number of the signal that ended it, if one did.
/// `variables` are those that sshd set.
///
/// # Errors
/// Where nothing ran, or the recorder went away; the exit code is [`CLOSED`] then.
pub fn run(config: &Config, variables: &BTreeMap<OsString, OsString>) -> Result<u8, GateError> {
    let session = cgroup::of_process(config, std::process::id())?.ok_or(GateError::Outside)?;
    // What the user starts in here has the same user id. It must not reach into this process for the client's terminal.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("prctl"))?;
    let signals = Signals::register().map_err(failed("signals"))?;
    let path = SessionFile::gate_path(config, &session);
    let unreachable = |cause| GateError::NoRecorder { path: path.clone(), cause };
    let mut recorder = UnixStream::connect(&path).map_err(unreachable)?;
    let program = Program::asked_for(config, variables);

    let ends = Ends::make().map_err(failed("terminal or pipes"))?;
    let terminal = Terminal::raw(&ends).map_err(failed("the client's terminal"))?;
    let term = variables.get(OsString::from("TERM").as_os_str()).map(|term| term.to_string_lossy().into_owned());
    let term = ends.terminal.is_some().then(|| term.unwrap_or_default());
    let hello = FromGate::Hello { version: message::VERSION, term, command: program.told.clone() };
    let said = message::send(&mut recorder, &hello, &ends.handed_over());
    let mut inbox = Inbox::default();
    // Who is refused before having said anything finds the reason there all the same.
    match (await_ready(&recorder, &mut inbox), said) {
        (Err(GateError::RecorderGone), Err(cause)) => return Err(unreachable(cause)),
        (answered, _) => answered?,
    }

    let mut child = start(&program, ends)?;
    let ended = accompany(&mut child, recorder, &mut inbox, &signals);
    if ended.is_err() {
        hang_up(&mut child);
    }
    drop(terminal);
    ended
}

/// Nothing starts before the recorder has said that it has the channel.
fn await_ready(recorder: &UnixStream, inbox: &mut Inbox) -> Result<(), GateError> {
    recorder.set_read_timeout(Some(PATIENCE)).map_err(failed("the recorder's socket"))?;
    loop {
        match inbox.message()? {
            Some(FromRecorder::Ready { .. }) => return Ok(()),
            Some(FromRecorder::Refused { why }) => return Err(GateError::Refused(why)),
            Some(FromRecorder::Done) => return Err(GateError::RecorderGone),
            None => {}
        }
        if !inbox.receive(recorder).map_err(|_| GateError::RecorderGone)? {
            return Err(GateError::RecorderGone);
        }
    }
}

/// Starts the program behind its inner end. Every copy that this process had of that end, and of the other one that the
/// recorder holds now, is closed when this returns: else nobody would ever see their end.
fn start(program: &Program, ends: Ends) -> Result<Child, GateError> {
    let piped = ends.terminal.is_none();
    // By way of this program again: a safe process can make a session and take its terminal only for itself.
    let mut command = Command::new("/proc/self/exe");
    command.args(["host", "gate", "--inner"]).arg(std::process::id().to_string()).arg("--");
    command.arg(&program.file).arg(&program.name).args(&program.arguments);
    // The first is sshd's for a ForceCommand. The second is set where sshd's configuration keeps bash from reading a file
    // of the user's before the gate (`SetEnv SHLVL=1`); the shell in here is a first one.
    command.env_remove("SSH_ORIGINAL_COMMAND").env_remove("SHLVL");
    if let Some(name) = &ends.terminal {
        command.env("SSH_TTY", name);
    }
    let Ends { inner, .. } = ends;
    let [stdin, stdout, stderr] = inner;
    command.stdin(Stdio::from(stdin)).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    let child = command.spawn().map_err(|cause| GateError::Start { program: program.file.clone().into(), cause })?;
    if piped {
        // The recorder has the client's ends; it alone decides when the client sees an end of file.
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null").map_err(failed("/dev/null"))?;
        rustix::stdio::dup2_stdin(&null).map_err(failed("stdin"))?;
        rustix::stdio::dup2_stdout(&null).map_err(failed("stdout"))?;
    }
    Ok(child)
}

/// Waits until the program is over and the recorder has passed on everything that it said.
fn accompany(
    child: &mut Child,
    mut recorder: UnixStream,
    inbox: &mut Inbox,
    signals: &Signals,
) -> Result<u8, GateError> {
    let gone = |_: io::Error| GateError::RecorderGone;
    recorder.set_read_timeout(None).map_err(gone)?;
    message::send(&mut recorder, &FromGate::Started { pid: child.id() }, &[]).map_err(gone)?;
    let number = pid(child);
    let watched: OwnedFd = rustix::process::pidfd_open(number, PidfdFlags::empty()).map_err(failed("pidfd_open"))?;
    let mut code = None;
    loop {
        let mut waits = vec![
            PollFd::new(&recorder, PollFlags::IN),
            PollFd::new(&signals.resized, PollFlags::IN),
            PollFd::new(&signals.terminate, PollFlags::IN),
            PollFd::new(&signals.hang_up, PollFlags::IN),
        ];
        if code.is_none() {
            waits.push(PollFd::new(&watched, PollFlags::IN));
        }
        match poll(&mut waits, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(failed("poll")(cause)),
        }
        let ready: Vec<bool> = waits.iter().map(|wait| !wait.revents().is_empty()).collect();
        drop(waits);
        let is_ready = |index: usize| ready.get(index).copied().unwrap_or_default();
        if is_ready(1) && emptied(&signals.resized) {
            message::send(&mut recorder, &FromGate::Resized, &[]).map_err(gone)?;
        }
        for (index, signal, source) in [(2, Signal::TERM, &signals.terminate), (3, Signal::HUP, &signals.hang_up)] {
            if is_ready(index) && emptied(source) && code.is_none() {
                // It was meant for what runs here.
                let _ = rustix::process::kill_process_group(number, signal);
            }
        }
        if is_ready(4) && code.is_none() {
            let status = child.wait().map_err(failed("wait"))?;
            let ended = exit_code(status);
            code = Some(ended);
            message::send(&mut recorder, &FromGate::Exited { code: ended }, &[]).map_err(gone)?;
        }
        if is_ready(0) {
            let open = inbox.receive(&recorder).map_err(gone)?;
            match (inbox.message()?, code) {
                (Some(FromRecorder::Done), Some(code)) => return Ok(code),
                _ if !open => return Err(GateError::RecorderGone),
                _ => {}
            }
        }
    }
}

/// Ends what still runs here. Its terminal was hung up by the kernel when the recorder went; what hides from this is the
/// reaper's, who sees the recorder gone as well.
fn hang_up(child: &mut Child) {
    let number = pid(child);
    if matches!(child.try_wait(), Ok(None)) {
        let _ = rustix::process::kill_process_group(number, Signal::HUP);
        let _ = rustix::process::kill_process_group(number, Signal::KILL);
        let _ = child.wait();
    }
}

fn pid(child: &Child) -> rustix::process::Pid {
    rustix::process::Pid::from_child(child)
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(255);
    u8::try_from(code).unwrap_or(255)
}

/// The signals that concern a gate, each as bytes of a socket.
struct Signals {
    resized: UnixStream,
    terminate: UnixStream,
    hang_up: UnixStream,
}

impl Signals {
    fn register() -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGTERM, SIGWINCH};
        let one = |signal| {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            signal_hook::low_level::pipe::register(signal, writer)?;
            io::Result::Ok(reader)
        };
        Ok(Self { resized: one(SIGWINCH)?, terminate: one(SIGTERM)?, hang_up: one(SIGHUP)? })
    }
}

/// Takes what a signal left; whether it was anything.
fn emptied(source: &UnixStream) -> bool {
    let mut bytes = [0; 64];
    let mut any = false;
    while matches!(rustix::io::read(source.as_fd(), &mut bytes), Ok(count) if count > 0) {
        any = true;
    }
    any
}
