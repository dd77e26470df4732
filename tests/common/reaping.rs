//! A host for the reaper's tests: its configuration, a control group of its own, sessions with real processes in them, and
//! somebody who answers where `jit host sync` would.

#![allow(dead_code)] // figures and tests use different parts

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jit::domain::id::{CaseId, Digest};
use jit::domain::time::Timestamp;
use jit::host::process::ProcessId;
use jit::ports::{Rng, RngError};
use jit::recording::{ChannelOpen, Header, Recorder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::common::{JIT, absent, skip};

/// The user id of the login. No user of the machine has it.
pub const LOGIN_UID: u32 = 47_110;
const LOGIN: &str = "payments-ro";
const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// How long something may take that has no deadline of its own.
const PATIENCE: Duration = Duration::from_secs(40);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Tests of this file make thousands of processes and look for all of one user: one at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Randomness that is none: nobody has to be kept out.
struct Counting(u8);

impl Rng for Counting {
    fn bytes16(&mut self) -> Result<[u8; 16], RngError> {
        self.0 += 1;
        Ok([self.0; 16])
    }

    fn bytes32(&mut self) -> Result<[u8; 32], RngError> {
        self.0 += 1;
        Ok([self.0; 32])
    }
}

/// The present second.
pub fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A second as the ledger writes it.
pub fn stamp(unix: u64) -> String {
    Timestamp::from_unix(i64::try_from(unix).unwrap()).unwrap().to_string()
}

/// Whether a process runs; a zombie does not.
pub fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rfind(')').is_some_and(|at| !matches!(stat.as_bytes().get(at + 2), Some(b'Z' | b'X') | None))
}

/// Waits for something, and panics where it never comes.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a command as the login's user, outside of every session.
pub fn as_login(command: &mut Command) -> std::io::Result<Child> {
    command.uid(LOGIN_UID).gid(LOGIN_UID).current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
}

/// What a child says first.
pub fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// Where cgroup v2 is mounted.
fn mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

/// A host.
pub struct Host {
    directory: TempDir,
    cgroup: PathBuf,
    _one: std::sync::MutexGuard<'static, ()>,
}

impl Host {
    /// Sets one up; `None`, said aloud, where this machine cannot (root and cgroup v2 are needed). In CI it can.
    pub fn new(test: &str) -> Option<Self> {
        if absent(test, &["perl", "setpriv", "mkfifo"]) {
            return None;
        }
        let one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let cgroup = mount().map(|mount| mount.join(format!("jit-test-{}-{number}", std::process::id())));
        let Some(cgroup) = cgroup.filter(|path| fs::create_dir(path).is_ok() && path.join("cgroup.kill").exists())
        else {
            skip(test, "root and a writable cgroup v2 with cgroup.kill are needed");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let host = Self { directory, cgroup, _one: one };
        for part in ["run/sessions", "run/gate", "published", "recordings"] {
            fs::create_dir_all(host.path(part)).unwrap();
        }
        host.configured("");
        Some(host)
    }

    /// Writes the configuration, with more lines.
    pub fn configured(&self, more: &str) {
        let text = format!(
            "host = \"db1\"\nledger = \"{DIGEST}\"\nremote = \"/nowhere\"\nuser = \"nobody\"\npublished = {:?}\nrun = {:?}\n\
             recordings = {:?}\ncgroup = {:?}\n{more}",
            self.path("published"),
            self.path("run"),
            self.path("recordings"),
            self.cgroup,
        );
        fs::write(self.path("host.toml"), text).unwrap();
        fs::set_permissions(self.path("host.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    }

    pub fn path(&self, part: &str) -> PathBuf {
        self.directory.path().join(part)
    }

    pub fn grants(&self) -> PathBuf {
        self.path("published/grants.json")
    }

    pub fn config(&self) -> jit::host::Config {
        jit::host::Config::read(&self.path("host.toml")).unwrap()
    }

    /// A session that is open from now for an hour and has a monitor, unless its file is changed.
    pub fn session(&self, change: impl FnOnce(&mut Value)) -> Session {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // 26 letters of base32.
        let digits: String = format!("{number:06}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        let name = format!("session{digits}aaaaaaaaaaaaa");
        let group = self.group(&name);
        let monitor = group.sleeps();
        let mut file = json!({
            "session": name, "case": DIGEST, "requester": "alice", "environment": "prod", "serial": number,
            "certificate": format!("sha256:{number:064x}"), "roles": ["payments-db/read-only"], "login": LOGIN,
            "uid": LOGIN_UID, "source": "127.0.0.1", "started": stamp(unix()), "ends": stamp(unix() + 3600),
            "cgroup": group.path, "monitor": ProcessId::of(monitor).unwrap(), "standing": "open", "recorder": null,
            "recording": null, "recorders": [], "reason": "look", "ticket": null,
        });
        change(&mut file);
        let session = Session { name, run: self.path("run"), group, monitor, file: Mutex::new(file) };
        // What a recorder leaves; sessions here have none unless they say so.
        let left = json!({"head": null, "bytes": 4711, "exit_code": 3, "whole": true});
        fs::write(session.recorded(), left.to_string()).unwrap();
        session.write();
        session
    }

    /// A control group under the host's.
    pub fn group(&self, name: &str) -> Group {
        let path = self.cgroup.join(name);
        fs::create_dir(&path).unwrap();
        Group { path }
    }

    /// A recording that its recorder did not close, sealed to a real key, and its head.
    pub fn recording(&self) -> (Vec<u8>, String) {
        let key = self.path("recorder");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let public = fs::read_to_string(key.with_extension("pub")).unwrap().trim().parse().unwrap();
        let digest: Digest = DIGEST.parse().unwrap();
        let session = "abcdefghijklmnopqrstuvwxyz".parse().unwrap();
        let header = Header { ledger: digest, case: CaseId(digest), session };
        let (mut file, mut rng) = (Vec::new(), Counting(0));
        let mut recorder = Recorder::new(&mut file, &[public], &header, 0, &mut rng).unwrap();
        recorder.open_channel(0, 0, &ChannelOpen::default()).unwrap();
        for at in 1..4 {
            recorder.output(0, at * 1000, b"what was shown").unwrap();
            recorder.flush(at * 1000).unwrap();
        }
        let head = recorder.head().to_string();
        drop(recorder);
        (file, head)
    }

    /// Publishes the grants of sessions, changed.
    pub fn publishes(&self, sessions: &[&Session], change: impl FnOnce(&mut Value)) {
        let grant = |session: &&Session| {
            let file = session.file.lock().unwrap();
            json!({
                "case": DIGEST, "requester": "alice", "environment": "prod", "serial": file["serial"],
                "certificate": file["certificate"], "forwards": false, "source_address": [], "valid_after": file["started"],
                "valid_before": file["ends"], "ended": null, "reason": "look", "ticket": null,
                "opens": [{
                    "principal": "prod/payments-db/read-only", "target": "payments-db", "role": "payments-db/read-only",
                    "logins": [LOGIN], "record": true, "recorders": [], "spool": false,
                }],
            })
        };
        let mut grants = json!({
            "host": "db1", "ledger": DIGEST, "head": "1".repeat(40), "size": 10, "root": DIGEST, "checked": stamp(unix()),
            "staleness": "10m", "clock_skew": "5m", "logins": [LOGIN], "probes": [], "open": [],
            "grants": sessions.iter().map(grant).collect::<Vec<_>>(),
        });
        change(&mut grants);
        let beside = self.path("published/.new");
        fs::write(&beside, grants.to_string()).unwrap();
        fs::rename(beside, self.grants()).unwrap();
    }

    fn jit(&self) -> Command {
        let mut command = Command::new(JIT);
        command.env_clear().args(["host", "reap", "--config"]).arg(self.path("host.toml"));
        command
    }

    /// Starts the daemon.
    pub fn reaper(&self) -> Reaper {
        Reaper(self.jit().stdin(Stdio::null()).spawn().unwrap())
    }

    /// Looks once; what it says.
    pub fn once(&self) -> String {
        let said = self.jit().arg("--once").output().unwrap();
        String::from_utf8(said.stdout).unwrap() + &String::from_utf8(said.stderr).unwrap()
    }

    /// Looks once and is killed at the so-many-th call of a kind that one of its threads makes; whether it came to that.
    pub fn once_killed_at(&self, call: &str, count: u32) -> bool {
        let jit = self.jit();
        let said = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={call}:signal=KILL:when={count}")])
            .arg(jit.get_program())
            .args(jit.get_args())
            .arg("--once")
            .output()
            .unwrap();
        !said.status.success()
    }

    /// Somebody answers at the socket from now on.
    pub fn sync(&self) -> Sync {
        if !self.grants().exists() {
            self.publishes(&[], |grants| grants["checked"] = json!(stamp(unix() - 60)));
        }
        Sync::start(&self.path("published/host.sock"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::write(self.cgroup.join("cgroup.kill"), "1");
        for _ in 0..200 {
            let below = fs::read_dir(&self.cgroup).into_iter().flatten().flatten();
            for group in below.filter(|entry| entry.path().is_dir()) {
                let _ = fs::remove_dir(group.path());
            }
            if fs::remove_dir(&self.cgroup).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A control group.
pub struct Group {
    pub path: PathBuf,
}

impl Group {
    /// Starts a shell script in it, as root or as the login's user; its process.
    pub fn runs(&self, script: &str, as_login: bool) -> u32 {
        let drop = if as_login {
            format!("setpriv --reuid {LOGIN_UID} --regid {LOGIN_UID} --clear-groups ")
        } else {
            String::new()
        };
        let enter = format!("echo $$ > {}/cgroup.procs; cd /; exec {drop}sh -c \"$1\"", self.path.display());
        let mut child = Command::new("sh")
            .args(["-c", &enter, "sh", script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = child.id();
        // Somebody has to bury it.
        std::thread::spawn(move || child.wait());
        eventually("it is in its group", || self.processes().contains(&pid));
        pid
    }

    /// Starts something that only waits.
    pub fn sleeps(&self) -> u32 {
        self.runs("exec sleep 100000", false)
    }

    pub fn processes(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

/// A session.
pub struct Session {
    pub name: String,
    pub monitor: u32,
    run: PathBuf,
    group: Group,
    file: Mutex<Value>,
}

impl Session {
    fn write(&self) {
        let beside = self.run.join(".new");
        fs::write(&beside, self.file.lock().unwrap().to_string()).unwrap();
        fs::rename(beside, self.file()).unwrap();
    }

    pub fn file(&self) -> PathBuf {
        self.run.join(format!("sessions/{}.json", self.name))
    }

    fn recorded(&self) -> PathBuf {
        self.run.join(format!("sessions/{}.recorded.json", self.name))
    }

    pub fn recording(&self) -> PathBuf {
        self.run.join(format!("{}.jitrec", self.name))
    }

    /// Runs a script in it as the login's user.
    pub fn runs(&self, script: &str) {
        self.group.runs(script, true);
    }

    pub fn processes(&self) -> Vec<u32> {
        self.group.processes()
    }

    /// Whether nothing of it is left.
    pub fn is_cleared(&self) -> bool {
        let sessions = fs::read_dir(self.run.join("sessions")).unwrap();
        let left = sessions.flatten().any(|entry| entry.file_name().to_string_lossy().contains(&self.name));
        !left && !self.group.path.exists()
    }

    pub fn monitor_ends(&self) {
        kill(self.monitor);
    }

    /// Gives it a recorder that has left nothing yet but what it recorded.
    pub fn has_a_recorder(&self, recording: &[u8]) {
        let mut child = Command::new("sleep").arg("100000").spawn().unwrap();
        let recorder = ProcessId::of(child.id()).unwrap();
        std::thread::spawn(move || child.wait());
        fs::write(self.recording(), recording).unwrap();
        fs::remove_file(self.recorded()).unwrap();
        {
            let mut file = self.file.lock().unwrap();
            file["recorder"] = json!(recorder);
            file["recording"] = json!(self.recording());
        }
        self.write();
    }

    pub fn recorder_ends(&self) {
        kill(u32::try_from(self.file.lock().unwrap()["recorder"]["pid"].as_u64().unwrap()).unwrap());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.file.lock().unwrap()["recorder"].is_null() {
            self.recorder_ends();
        }
    }
}

fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// The daemon, killed when dropped.
pub struct Reaper(Child);

impl Reaper {
    /// `kill -9`.
    pub fn killed(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// How long it computed, in hundredths of a second.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// How much memory it has, in KiB.
    pub fn resident(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim().to_owned()
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Who answers where `jit host sync` would.
pub struct Sync {
    asked: Arc<Mutex<Vec<Value>>>,
    answer: Arc<Mutex<&'static str>>,
    path: PathBuf,
}

impl Sync {
    fn start(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new("landed")));
        let (noted, said) = (Arc::clone(&asked), Arc::clone(&answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (noted, said) = (Arc::clone(&noted), Arc::clone(&said));
                std::thread::spawn(move || Self::answer(&stream.unwrap(), &noted, *said.lock().unwrap()));
            }
        });
        Self { asked, answer, path: path.to_owned() }
    }

    fn answer(stream: &UnixStream, asked: &Mutex<Vec<Value>>, how: &'static str) {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        let Ok(mut ask) = serde_json::from_str::<Value>(&line) else { return };
        let answer = match (how, ask["ask"].as_str()) {
            ("refused-end", Some("session-end")) => {
                json!({"answer": "refused", "why": "A08: no session x of db1 stands in case y"})
            }
            ("failed", _) => json!({"answer": "failed", "why": "the remote is away"}),
            ("kept", _) => json!({"answer": "kept", "why": "the remote is away"}),
            _ => json!({"answer": "landed"}),
        };
        if how != "hang-up" && how != "landed" {
            ask["answered"] = json!(how);
        }
        asked.lock().unwrap().push(ask);
        if how != "hang-up" {
            let mut to = stream;
            let _ = to.write_all(format!("{answer}\n").as_bytes());
        }
    }

    /// From now on: `landed`, `kept`, `failed`, `refused-end`, or `hang-up` without an answer.
    pub fn answers(&self, how: &'static str) {
        *self.answer.lock().unwrap() = how;
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    /// Of which sessions something was asked.
    pub fn sessions_asked(&self) -> std::collections::BTreeSet<String> {
        self.asked().iter().map(|it| it["session"].to_string()).collect()
    }
}

impl Drop for Sync {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
