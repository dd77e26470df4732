//! What the tests of `jit notify` share: receivers that are other people's code (python), and a notifier beside the test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::common::{JIT, Place, Said, environment};

pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/notify").join(name)
}

/// Waits until something holds, for as long as a slow machine may take.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not after 60 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A receiver in a process of its own.
pub struct Receiver {
    child: Child,
    pub port: u16,
    pub out: PathBuf,
    script: &'static str,
    arguments: Vec<PathBuf>,
}

impl Receiver {
    pub fn http(place: &Place, name: &str) -> Self {
        Self::new(place, name, "web.py", vec![place.path(&format!("{name}.plan"))])
    }

    pub fn smtp(place: &Place, name: &str) -> Self {
        Self::new(place, name, "smtp.py", Vec::new())
    }

    /// With STARTTLS and a login.
    pub fn smtp_tls(place: &Place, name: &str, pair: &[PathBuf; 2]) -> Self {
        let mut made = Self::idle(place, name, "smtp.py", Vec::new());
        made.arguments = pair.to_vec();
        made.start(0);
        made
    }

    fn new(place: &Place, name: &str, script: &'static str, arguments: Vec<PathBuf>) -> Self {
        let mut made = Self::idle(place, name, script, arguments);
        made.start(0);
        made
    }

    fn idle(place: &Place, name: &str, script: &'static str, arguments: Vec<PathBuf>) -> Self {
        let out = place.path(&format!("{name}.taken"));
        fs::write(&out, "").unwrap();
        let child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        Self { child, port: 0, out, script, arguments }
    }

    /// Starts it on a port; 0 for a free one.
    fn start(&mut self, port: u16) {
        let _ = self.child.wait();
        let mut command = Command::new("python3");
        command.arg(source(self.script)).arg(&self.out);
        if self.script == "web.py" {
            command.args(&self.arguments).arg(port.to_string());
        } else {
            command.arg(port.to_string()).args(&self.arguments);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.port = line.trim().parse().unwrap();
        self.child = child;
    }

    /// From now on it answers so.
    pub fn answers(&self, status: &str) {
        fs::write(&self.arguments[0], status).unwrap();
    }

    pub fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }

    pub fn restart(&mut self) {
        let port = self.port;
        self.start(port);
        assert_eq!(port, self.port);
    }

    /// All that it took or refused.
    pub fn all(&self) -> Vec<Value> {
        fs::read_to_string(&self.out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The objects that it took, of a webhook.
    pub fn objects(&self) -> Vec<Value> {
        let taken = self.all().into_iter().filter(|taken| taken["status"] == 200);
        taken.map(|taken| serde_json::from_str(taken["body"].as_str().unwrap()).unwrap()).collect()
    }

    /// Kind and people of each, sorted.
    pub fn heard(&self) -> Vec<String> {
        let mut heard: Vec<String> = self.objects().iter().map(line).collect();
        heard.sort();
        heard
    }
}

/// `approval-wanted: bob, carol`.
pub fn line(object: &Value) -> String {
    let names: Vec<&str> = object["to"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    format!("{}: {}", object["kind"].as_str().unwrap(), names.join(", "))
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Writes a file that only its owner can read.
pub fn secret(place: &Place, name: &str, text: &str) -> PathBuf {
    let file = place.path(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// Writes a configuration.
pub fn config(place: &Place, name: &str, text: &str) -> PathBuf {
    let file = place.path(name);
    fs::write(&file, text).unwrap();
    file
}

/// A webhook sink for a receiver.
pub fn webhook(place: &Place, name: &str, receiver: &Receiver, more: &str) -> String {
    let secret = secret(place, "webhook-secret", "0123456789abcdef0123456789abcdef\n");
    format!(
        "[[notify.sink]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/in\"\nsecret_file = {secret:?}\n{more}\n",
        receiver.port
    )
}

fn command(place: &Place, ledger: &Path, config: &Path, arguments: &[&str]) -> Command {
    let home = place.path("home").join("notifier");
    fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(JIT);
    command.env_clear().envs(environment(&home)).current_dir(&home).arg("--ledger").arg(ledger);
    command.arg("notify").arg("--config").arg(config).args(arguments);
    command
}

/// Runs it to its end.
pub fn notify(place: &Place, ledger: &Path, config: &Path, arguments: &[&str]) -> Said {
    let home = place.path("home").join("notifier");
    let command = command(place, ledger, config, arguments);
    place.run_with(command, &home, &[], b"")
}

/// One that runs until it is told to end.
pub struct Notifier {
    child: Child,
    err: PathBuf,
}

impl Notifier {
    pub fn start(place: &Place, ledger: &Path, config: &Path) -> Self {
        let err = place.path("notifier.err");
        let file = fs::OpenOptions::new().create(true).append(true).open(&err).unwrap();
        let mut command = command(place, ledger, config, &["--follow", "--every", "1s"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Self { child: command.spawn().unwrap(), err }
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    /// Kills it, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end; demands that it does so well.
    #[track_caller]
    pub fn terminate(mut self) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let code = self.child.wait().unwrap().code();
        assert_eq!(code, Some(0), "{}", self.said());
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
