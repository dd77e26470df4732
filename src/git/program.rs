//! The one place that starts the `git` program: a fixed environment, fixed settings, both outputs read at once, an end
//! after a time. Imports `ports` only.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::repository::GitStore;
use crate::ports::RemoteError;

/// Of the variables that begin with `GIT_`, those that say how to reach a remote or whose configuration to read. All
/// others (`GIT_DIR`, `GIT_INDEX_FILE`, `GIT_CONFIG_PARAMETERS`, …) would point git elsewhere, and are not passed on.
const KEPT: [&str; 13] = [
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_PROXY_COMMAND",
    "GIT_ASKPASS",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// Settings of every call. No hooks of this side, no file system monitor, no `ext::` remotes, no clean-up in the
/// background.
const SETTINGS: [&str; 7] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.gpgSign=false",
    "advice.pushUpdateRejected=false",
];

/// What is fetched is synced like what we write.
const SYNCED: [&str; 2] = ["core.fsync=committed,reference", "core.fsyncMethod=batch"];
const UNSYNCED: [&str; 1] = ["core.fsync=none"];

/// The first time between two looks at whether git has ended.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest.
const LONGEST: Duration = Duration::from_millis(100);

/// The most that is kept of each output, in bytes.
const OUTPUT_LIMIT: usize = 1 << 20;

/// How the `git` program is started.
#[derive(Debug, Clone)]
pub struct Program {
    environment: Vec<(OsString, OsString)>,
    timeout: Duration,
}

/// What a run gave.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Whether it exited with 0.
    pub success: bool,
    /// Its output.
    pub stdout: String,
    /// Its messages, the remote's lines among them.
    pub stderr: String,
}

impl Program {
    /// From the environment of this process, which only `main` reads. `interactive`: whether git may ask for a password
    /// at the terminal. A run ends after 120 s.
    pub fn new(environment: impl IntoIterator<Item = (OsString, OsString)>, interactive: bool) -> Self {
        let passes = |name: &OsStr| {
            let name = name.to_string_lossy();
            !name.starts_with("GIT_") || KEPT.contains(&name.as_ref())
        };
        let mut environment: Vec<(OsString, OsString)> = environment
            .into_iter()
            .filter(|(name, _)| passes(name) && name != "LC_ALL" && name != "LANGUAGE")
            .collect();
        let mut set = |name: &str, value: &str| environment.push((name.into(), value.into()));
        // Its messages are read by us.
        set("LC_ALL", "C");
        set("GIT_NO_REPLACE_OBJECTS", "1");
        set("GIT_NO_LAZY_FETCH", "1");
        if !interactive {
            set("GIT_TERMINAL_PROMPT", "0");
        }
        Self { environment, timeout: Duration::from_secs(120) }
    }

    /// The same with another time limit for one run.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How long one run may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Runs git on a ledger's repository.
    ///
    /// # Errors
    /// [`RemoteError::Git`] where there is no git, [`RemoteError::Unreachable`] where it took too long. That git failed is
    /// no error here.
    pub fn run(&self, store: &GitStore, arguments: &[&str]) -> Result<Finished, RemoteError> {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        let syncing: &[&str] = if store.state().is_durable() { &SYNCED } else { &UNSYNCED };
        for setting in SETTINGS.iter().chain(syncing) {
            command.args(["-c", setting]);
        }
        let mut directory = OsString::from("--git-dir=");
        directory.push(absolute(store.path()));
        // Where git itself would stand: relative remotes are relative to this.
        command.arg(directory).args(arguments).current_dir(store.work_tree().unwrap_or(store.path()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => RemoteError::Git("the git program is not installed".to_owned()),
            _ => RemoteError::Git(format!("git cannot be started: {cause}")),
        })?;
        self.wait(child)
    }

    fn wait(&self, mut child: Child) -> Result<Finished, RemoteError> {
        // Both at once: a full pipe that nobody reads would stop git for ever.
        let mut stdout = Output::of(child.stdout.take());
        let mut stderr = Output::of(child.stderr.take());
        let end = Instant::now() + self.timeout;
        let (mut pause, mut has_said_all) = (SHORTEST, false);
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                // Its output ends with it, or the next look is due: of many that wait, none keeps a processor busy.
                Ok(None) if Instant::now() < end => {
                    if has_said_all {
                        thread::sleep(pause);
                    } else if stdout.read_within(pause) {
                        (pause, has_said_all) = (SHORTEST, true);
                        continue;
                    }
                    pause = LONGEST.min(pause * 2);
                }
                Ok(None) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    let seconds = self.timeout.as_secs();
                    return Err(RemoteError::Unreachable(format!("git did not finish within {seconds} s")));
                }
                Err(cause) => return Err(RemoteError::Git(format!("git cannot be waited for: {cause}"))),
            }
        };
        // Git has ended. A child of its that still holds a pipe (an ssh master) must not hold us.
        let end = Instant::now() + Duration::from_secs(2);
        for output in [&mut stdout, &mut stderr] {
            while !output.read_within(end.saturating_duration_since(Instant::now())) && Instant::now() < end {}
        }
        Ok(Finished { success: status.success(), stdout: stdout.text(), stderr: stderr.text() })
    }
}

fn absolute(path: &Path) -> OsString {
    std::path::absolute(path).map_or_else(|_| path.as_os_str().to_owned(), Into::into)
}

/// One of git's outputs, read to its end in a thread of its own.
struct Output {
    parts: Option<Receiver<Vec<u8>>>,
    bytes: Vec<u8>,
}

impl Output {
    fn of(from: Option<impl Read + Send + 'static>) -> Self {
        Self { parts: from.map(drain), bytes: Vec::new() }
    }

    /// Takes what comes within this time. Whether that was the last of it; what is beyond the limit is dropped.
    fn read_within(&mut self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while let Some(parts) = &self.parts {
            match parts.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(part) if self.bytes.len() < OUTPUT_LIMIT => self.bytes.extend_from_slice(&part),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => self.parts = None,
            }
        }
        true
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Reads to the end in a thread of its own, into a channel that ends where it does.
fn drain(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0u8; 8192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if sender.send(buffer.get(..count).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}
