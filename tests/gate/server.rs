//! A session as `jit host session` leaves it, made by hand: a control group, the session's file, a recorder, and gates as
//! sshd would start them, for the user `nobody`. What the recording holds is read with `age` and by its published form.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jit::host::process::ProcessId;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::common::{JIT, Place, absent, executable::executable, now, skip};

pub const PROGRAMS: [&str; 6] = ["age", "ssh-keygen", "setpriv", "setsid", "bash", "sha256sum"];

/// The login of the tests: a user that every system has.
pub const UID: u32 = 65534;

/// How long anything may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Whether this machine cannot show it; then says so. In CI nothing is skipped silently.
pub fn cannot(test: &str) -> bool {
    if absent(test, &PROGRAMS) {
        return true;
    }
    let why = if !rustix::process::geteuid().is_root() {
        "it needs root"
    } else if cgroup2().is_none() {
        "no cgroup v2 is writable here"
    } else {
        return false;
    };
    skip(test, why);
    true
}

/// Where cgroup v2 is mounted, and can be written.
fn cgroup2() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"))?;
    let mount = PathBuf::from(line.split(' ').nth(1)?);
    let probe = mount.join(format!("jit-probe-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir(&probe).ok()?;
    fs::remove_dir(&probe).ok()?;
    Some(mount)
}

/// A host with one session.
pub struct Server {
    pub place: Place,
    pub groups: PathBuf,
    pub config: PathBuf,
    pub program: PathBuf,
    pub session: String,
    pub monitor: Child,
    pub recorder: Option<Child>,
    recorded: bool,
    ends: u64,
}

impl Server {
    /// A session of half an hour that is recorded, and its recorder.
    pub fn start() -> Self {
        let mut server = Self::new(true, 1800);
        server.record();
        server
    }

    /// A session that ends in as many seconds; nothing runs yet.
    pub fn new(recorded: bool, seconds: u64) -> Self {
        let place = Place::new();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let groups = cgroup2().unwrap().join(format!("jit-test-{}-{number}", std::process::id()));
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        open(&place.path(""), 0o755);
        for (name, mode) in [("run", 0o755), ("run/sessions", 0o700), ("run/gate", 0o711), ("recordings", 0o700)] {
            fs::create_dir(place.path(name)).unwrap();
            open(&place.path(name), mode);
        }
        let home = place.path("nobody");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(UID), Some(UID)).unwrap();
        fs::write(home.join(".bash_profile"), "PS1='ready> '\nbind 'set enable-bracketed-paste off'\n").unwrap();
        // The login must be able to run it, wherever this was built.
        let program = place.path("jit");
        if fs::hard_link(JIT, &program).is_err() {
            executable(&program, fs::read(JIT).unwrap());
        }
        let config = place.path("host.toml");
        let at = |name: &str| place.path(name).display().to_string();
        let text = format!(
            "host = \"db1\"\nledger = \"sha256:{}\"\nremote = \"/nowhere\"\nrun = \"{}\"\nrecordings = \"{}\"\n\
             cgroup = \"{}\"\n",
            "5".repeat(64),
            at("run"),
            at("recordings"),
            groups.display(),
        );
        fs::write(&config, text).unwrap();
        open(&config, 0o644);
        fs::create_dir(&groups).unwrap();
        let monitor = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
        let session = format!("{:a>26}", "bcdefgh"[..1 + (number as usize % 7)].to_owned());
        let mut server =
            Self { place, groups, config, program, session, monitor, recorder: None, recorded, ends: now() + seconds };
        server.write_session();
        server
    }

    fn write_session(&mut self) {
        let group = self.group();
        fs::create_dir(&group).unwrap();
        let monitor = ProcessId::of(self.monitor.id()).unwrap();
        let time = |seconds: u64| {
            let time = chrono::DateTime::from_timestamp(seconds.try_into().unwrap(), 0).unwrap();
            time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let file = json!({
            "session": self.session, "case": format!("sha256:{}", "7".repeat(64)), "requester": "alice",
            "environment": "prod", "serial": 1, "certificate": format!("sha256:{}", "8".repeat(64)),
            "roles": ["payments-db/read-only"], "login": "nobody", "uid": UID, "source": "192.0.2.7",
            "started": time(now()), "ends": time(self.ends), "cgroup": group,
            "monitor": { "pid": monitor.pid, "started": monitor.started }, "standing": "open", "recorder": null,
            "recording": self.recorded.then(|| self.recording()), "recorders": [self.place.public_key("recorder")],
            "reason": "The payment queue is stuck.", "ticket": "INC-4711",
        });
        let path = self.place.path("run/sessions").join(format!("{}.json", self.session));
        fs::write(path, file.to_string()).unwrap();
    }

    /// The session's control group.
    pub fn group(&self) -> PathBuf {
        self.groups.join(&self.session)
    }

    pub fn recording(&self) -> PathBuf {
        self.place.path("recordings").join("case").join(format!("{}.jitrec", self.session))
    }

    pub fn socket(&self) -> PathBuf {
        self.place.path("run/gate").join(format!("{}.sock", self.session))
    }

    /// Starts the recorder as `jit host session` does: until it says that it is ready.
    pub fn record(&mut self) {
        let mut child = Command::new(&self.program)
            .args(["host", "record", &self.session, "--config"])
            .arg(&self.config)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        // It lets go of stdout once it is ready.
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "ready\n");
        self.recorder = Some(child);
    }

    /// A gate as sshd starts it, in the session's control group.
    pub fn gate(&self, command: Option<&str>) -> Command {
        self.gate_in(&self.group(), command)
    }

    /// A gate in some control group.
    pub fn gate_in(&self, group: &Path, command: Option<&str>) -> Command {
        self.within(
            group,
            command,
            &[self.program.to_str().unwrap(), "host", "gate", "--config", self.config.to_str().unwrap()],
        )
    }

    /// A program as the login in some control group.
    pub fn within(&self, group: &Path, asked: Option<&str>, words: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 0 > \"$0\" && exec \"$@\""]).arg(group.join("cgroup.procs"));
        let id = UID.to_string();
        command.args(["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"]).args(words);
        let home = self.place.path("nobody");
        command.current_dir(&home).env_clear().env("HOME", &home).env("SHELL", "/bin/bash").env("USER", "nobody");
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("LANG", "C.UTF-8").env("TERM", "xterm");
        if let Some(asked) = asked {
            command.env("SSH_ORIGINAL_COMMAND", asked);
        }
        command
    }

    /// A channel with a terminal.
    pub fn terminal(&self, command: Option<&str>) -> Screen {
        Screen::start(self.gate(command))
    }

    /// A channel without one, run to its end.
    pub fn pipes(&self, command: &str, input: &[u8]) -> (i32, Vec<u8>, String) {
        let mut gate = self.gate(Some(command));
        let mut child = gate.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        (output.status.code().unwrap_or(-1), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Ends the connection, waits for the recorder, and returns what it left.
    pub fn finish(&mut self) -> Value {
        let _ = self.monitor.kill();
        let _ = self.monitor.wait();
        self.left()
    }

    /// Waits for the recorder, and returns what it left.
    pub fn left(&mut self) -> Value {
        let mut recorder = self.recorder.take().unwrap();
        assert!(within(PATIENCE, || recorder.try_wait().unwrap().is_some()), "the recorder does not end");
        let path = self.place.path("run/sessions").join(format!("{}.recorded.json", self.session));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    /// What the recording holds.
    pub fn transcript(&self) -> Transcript {
        Transcript::read(&self.place, &fs::read(self.recording()).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in self.recorder.iter_mut().chain([&mut self.monitor]) {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::write(self.groups.join("cgroup.kill"), "1");
        within(PATIENCE, || {
            for group in fs::read_dir(&self.groups).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(group.path());
            }
            fs::remove_dir(&self.groups).is_ok()
        });
    }
}

/// Whether something comes to hold in time.
pub fn within(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    holds()
}

/// A client's terminal, at which somebody types.
pub struct Screen {
    master: OwnedFd,
    /// The device, as sshd has it before the gate begins.
    pub device: PathBuf,
    shown: Arc<Mutex<Vec<u8>>>,
    pub gate: Child,
}

impl Screen {
    /// Starts a gate at a new terminal of 80 columns and 24 rows, which is the login's.
    pub fn start(gate: Command) -> Self {
        Self::start_after(gate, |_| ())
    }

    /// The same, after something was done with the terminal's device.
    pub fn start_after(gate: Command, first: impl FnOnce(&Path)) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let device = PathBuf::from(rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).unwrap();
        chown(&device, Some(UID), Some(UID)).unwrap();
        resize(&master, 80, 24);
        first(&device);
        // A session of its own, with this terminal.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(gate.get_program()).args(gate.get_args());
        command.current_dir(gate.get_current_dir().unwrap()).env_clear();
        command.envs(gate.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("SSH_TTY", &device);
        let end = || Stdio::from(slave.try_clone().unwrap());
        let gate = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        drop(command);
        drop(slave);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (reader, into) = (master.try_clone().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut piece = vec![0; 65536];
            while let Ok(count @ 1..) = rustix::io::read(&reader, &mut piece) {
                into.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        Self { master, device, shown, gate }
    }

    pub fn types(&self, text: &str) {
        let mut left = text.as_bytes();
        while !left.is_empty() {
            let count = rustix::io::write(&self.master, left).unwrap();
            left = &left[count..];
        }
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        resize(&self.master, columns, rows);
    }

    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    /// Waits until this is shown, after what was shown before `types`.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        assert!(within(PATIENCE, || self.shown().contains(text)), "{text:?} is not shown:\n{}", self.shown());
    }

    /// Types a line and waits until this is shown as many times.
    #[track_caller]
    pub fn answers(&self, line: &str, text: &str, times: usize) {
        self.types(&format!("{line}\r"));
        let shown = within(PATIENCE, || self.shown().matches(text).count() >= times);
        assert!(shown, "{text:?} is not shown {times} times:\n{}", self.shown());
    }

    /// Waits for the gate's end.
    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let mut status = None;
        let ended = within(PATIENCE, || {
            status = self.gate.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "the gate does not end:\n{}", self.shown());
        status.unwrap()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.gate.kill();
        let _ = self.gate.wait();
    }
}

fn resize(master: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(master.as_fd(), size).unwrap();
}

/// A recording, decrypted.
pub struct Transcript {
    /// Each channel's events: kind and text.
    events: Vec<(u64, String, String)>,
    /// The lines that are objects.
    pub lines: Vec<Value>,
    /// The digest of the last frame.
    pub head: String,
    /// Whether the last frame says that it is the last.
    pub whole: bool,
}

impl Transcript {
    /// Takes a recording apart by its form (docs/format.md, "Recordings"), checks the chain, and decrypts with `age`.
    pub fn read(place: &Place, bytes: &[u8]) -> Self {
        let (header, mut rest) = bytes.split_at(207);
        let mut previous = Sha256::digest(header).to_vec();
        let mut text = String::new();
        let mut whole = false;
        while !rest.is_empty() {
            assert_eq!(&rest[..4], b"jitf");
            assert!(!whole, "a frame after the last one");
            whole = rest[7] == 1;
            assert_eq!(rest[24..56], previous, "the chain is broken");
            let length = u32::from_be_bytes(rest[56..60].try_into().unwrap()) as usize;
            let (frame, after) = rest.split_at(60 + length);
            previous = Sha256::digest(frame).to_vec();
            assert_eq!(after[..32], previous);
            text.push_str(&decrypted(place, &frame[60..]));
            rest = &after[32..];
        }
        let (mut events, mut lines, mut channel) = (Vec::new(), Vec::new(), 0);
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            match &value {
                Value::Array(event) => {
                    events.push((
                        channel,
                        event[1].as_str().unwrap().to_owned(),
                        event[2].as_str().unwrap().to_owned(),
                    ));
                }
                object => {
                    channel = object["channel"].as_u64().unwrap();
                    lines.push(value);
                }
            }
        }
        let head = previous.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { events, lines, head, whole }
    }

    /// Everything of one kind: `o`, `i`, `r`, `m`.
    pub fn all(&self, kind: &str) -> String {
        self.events.iter().filter(|event| event.1 == kind).map(|event| event.2.as_str()).collect()
    }

    /// The same of one channel.
    pub fn of(&self, channel: u64, kind: &str) -> String {
        let of = |event: &&(u64, String, String)| event.0 == channel && event.1 == kind;
        self.events.iter().filter(of).map(|event| event.2.as_str()).collect()
    }

    /// The exit codes of the channels that were closed, in their order.
    pub fn closed(&self) -> Vec<Option<i64>> {
        self.lines.iter().filter(|line| !line["closed"].is_null()).map(|line| line["exit"].as_i64()).collect()
    }
}

fn decrypted(place: &Place, sealed: &[u8]) -> String {
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(place.key("recorder")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = age.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sealed = sealed.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&sealed)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "age does not open a frame");
    String::from_utf8(output.stdout).unwrap()
}
