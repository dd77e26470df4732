//! A probe of the policy that is a command: no shell, an environment of its own, an unprivileged user, a control group of
//! its own that ends with it, a timeout, and no more of what it says than is wanted.
//!
//! It is started through this program ([`enter`]), which moves itself into the group before it becomes the command: what
//! the command starts is in the group from its first moment.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::super::cgroup::Group;
use super::super::session_file::SessionFile;
use super::super::users::User;
use super::super::{Config, HostError};
use super::{Finding, Places};

/// How much of what it says is kept, in bytes; of stdout and stderr each.
const KEPT: u64 = 4 * 1024;
/// How often it is looked whether it ended.
const LOOK: Duration = Duration::from_millis(10);
/// How long its pipes may stay open once all of its group is dead.
const PIPES: Duration = Duration::from_secs(2);
/// What [`enter`] ends with where there was no command to become; 126 and 127 mean the same of programs in general.
pub const NOT_STARTED: u8 = 125;

/// What the policy wants to be run.
pub struct Wanted<'p> {
    pub argv: &'p [String],
    pub must_be_empty: bool,
    pub run_as: Option<&'p str>,
}

pub fn look(
    config: &Config,
    places: &Places,
    session: &SessionFile,
    wanted: &Wanted<'_>,
    timeout: Duration,
) -> Result<Finding, HostError> {
    if !config.probe_commands {
        return Ok(Finding::failed("commands are not allowed by host.toml (probe_commands)"));
    }
    let user = wanted.run_as.unwrap_or(&config.user);
    let account = User::named(user)?.ok_or_else(|| HostError::Refused(format!("there is no user {user} here")))?;
    // What the policy says comes by way of the unprivileged user that follows the ledger. Who is that user must not become
    // root by it.
    if account.uid == 0 || account.gid == 0 {
        return Ok(Finding::failed(format!("a command may not run as {user}: that is root")));
    }
    let group = Group::probe(config, session.session.as_str())?;
    let mut command = Command::new(&places.program);
    command
        .args(["host", "reap", "--enter"])
        .arg(group.path())
        .args(["--uid", &account.uid.to_string(), "--gid", &account.gid.to_string(), "--"])
        .args(wanted.argv)
        .env_clear()
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|cause| HostError::system("a probe's command", cause))?;
    let (out, err) = (child.stdout.take().map(kept), child.stderr.take().map(kept));
    let ended = wait(&mut child, timeout);
    // Whatever it started ends with it; then nothing holds its pipes.
    let emptied = group.kill().and_then(|()| group.wait_empty(PIPES));
    if ended.is_err() || matches!(ended, Ok(None)) {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (out, err) = (said(out), said(err));
    if emptied? {
        group.remove()?;
    }
    let ended = ended.map_err(|cause| HostError::system("a probe's command", cause))?;
    Ok(judge(ended, wanted.must_be_empty, timeout, &out, &err))
}

fn judge(ended: Option<ExitStatus>, must_be_empty: bool, timeout: Duration, out: &str, err: &str) -> Finding {
    let with = |head: String| {
        let said: Vec<&str> =
            [head.as_str(), out.trim_end(), err.trim_end()].into_iter().filter(|s| !s.is_empty()).collect();
        said.join("\n")
    };
    let Some(status) = ended else {
        return Finding::failed(with(format!("not done within {} s", timeout.as_secs())));
    };
    let not_started = [i32::from(NOT_STARTED), 126, 127];
    match status.code() {
        None => Finding::failed(with(format!("ended by signal {}", status.signal().unwrap_or_default()))),
        Some(code) if not_started.contains(&code) => {
            Finding::failed(with(format!("could not be started (exit {code})")))
        }
        Some(0) if must_be_empty && !out.is_empty() => Finding::found(with(String::new())),
        Some(0) => Finding::clear(with("exit 0".to_owned())),
        // It says that it could not look, and names nothing.
        Some(code) if must_be_empty && out.is_empty() => Finding::failed(with(format!("exit {code}"))),
        Some(code) => Finding::found(with(format!("exit {code}"))),
    }
}

/// How it ended; `None` where it did not in time.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        std::thread::sleep(LOOK);
    }
}

/// Reads a pipe to its end in a thread of its own and keeps the beginning. It is read on so that the command does not
/// stand still on a full pipe.
fn kept(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.by_ref().take(KEPT).read_to_end(&mut bytes);
        let rest = io::copy(&mut pipe, &mut io::sink()).unwrap_or(0);
        if rest > 0 {
            bytes.extend_from_slice(format!("\n({rest} bytes more)").as_bytes());
        }
        let _ = send.send(bytes);
    });
    receive
}

fn said(pipe: Option<Receiver<Vec<u8>>>) -> String {
    // A pipe that something else still holds says nothing any more.
    let bytes = pipe.and_then(|pipe| pipe.recv_timeout(PIPES).ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What [`enter`] is to become.
#[derive(Debug)]
pub struct Entry {
    /// The directory of the control group.
    pub group: PathBuf,
    /// The user id.
    pub uid: u32,
    /// The group id; there are no others.
    pub gid: u32,
    /// The program and its arguments.
    pub argv: Vec<String>,
}

/// Moves this process into a control group, gives up root, and becomes the command. Returns only where that fails.
pub fn enter(entry: &Entry) -> HostError {
    let procs = entry.group.join("cgroup.procs");
    // 0 is the process that writes.
    if let Err(cause) = fs::write(&procs, "0") {
        return HostError::file(procs, cause);
    }
    let Some((program, arguments)) = entry.argv.split_first() else {
        return HostError::Refused("there is no command".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LANG", "C.UTF-8");
    // Given a user id, the standard library also drops every supplementary group when it is root that asks.
    command.uid(entry.uid).gid(entry.gid);
    HostError::system(program.clone(), command.exec())
}
