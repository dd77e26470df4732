//! What the tests of `jit export` share: receivers that are other people's code (python), certificates that openssl made, and
//! exporters that run beside the test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::common::{JIT, Place, Said, environment};

pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Reads a file by another's rules; the events in it.
#[track_caller]
pub fn check(place: &Place, format: &str, file: &Path) -> Vec<Value> {
    let mut command = Command::new("python3");
    command.arg(source("export/check.py")).arg(format).arg(file);
    match format {
        "ocsf" => drop(command.arg(source("vectors/export/ocsf-1.8.0.json"))),
        "cloudevents" => drop(command.arg(source("vectors/export/cloudevents-1.0.2.json"))),
        _ => {}
    }
    place.run(command).ok().out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits until something holds, for as long as a slow machine may take.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(40);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not after 40 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A receiver in a process of its own.
pub struct Receiver {
    child: Child,
    pub port: u16,
    out: PathBuf,
    plan: PathBuf,
    arguments: Vec<PathBuf>,
    kind: String,
}

impl Receiver {
    /// On a free port. `further`: certificate, key, and the authority of clients.
    pub fn new(place: &Place, kind: &str, name: &str, further: &[PathBuf]) -> Self {
        let (out, plan) = (place.path(&format!("{name}.taken")), place.path(&format!("{name}.plan")));
        fs::write(&out, "").unwrap();
        let (child, port) = start(kind, &out, &plan, 0, further);
        Self { child, port, out, plan, arguments: further.to_vec(), kind: kind.to_owned() }
    }

    /// From now on it behaves so.
    pub fn behave(&self, how: &str) {
        let beside = self.plan.with_extension("new");
        fs::write(&beside, how).unwrap();
        fs::rename(&beside, &self.plan).unwrap();
    }

    pub fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }

    /// Again, on the same port.
    pub fn restart(&mut self) {
        let (child, port) = start(&self.kind, &self.out, &self.plan, self.port, &self.arguments);
        assert_eq!(port, self.port);
        self.child = child;
    }

    /// Each message or body that it took.
    pub fn taken(&self) -> Vec<Value> {
        fs::read_to_string(&self.out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The ids of the events in them, in order.
    pub fn ids(&self) -> Vec<String> {
        self.taken().iter().flat_map(|taken| ids(taken["text"].as_str().unwrap())).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn start(kind: &str, out: &Path, plan: &Path, port: u16, further: &[PathBuf]) -> (Child, u16) {
    let mut command = Command::new("python3");
    command.arg(source("export/receive.py")).arg(kind).arg(out).arg(plan).arg(port.to_string()).args(further);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

/// The event ids in a text of the jsonl or syslog format.
pub fn ids(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["\"id\":\"sha256:", " id=\"sha256:"] {
        for (at, _) in text.match_indices(start) {
            let from = at + start.len();
            found.push(text[from..from + 64].to_owned());
        }
    }
    found
}

/// An exporter that runs until it is told to end.
pub struct Exporter {
    child: Child,
    err: PathBuf,
}

impl Exporter {
    pub fn start(place: &Place, ledger: &Path, name: &str, arguments: &[&str]) -> Self {
        let home = place.path("home").join("siem");
        fs::create_dir_all(&home).unwrap();
        let err = place.path(&format!("{name}.err"));
        let mut command = Command::new(JIT);
        command.env_clear().envs(environment(&home)).current_dir(&home).arg("--ledger").arg(ledger);
        command.arg("export").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let file = fs::OpenOptions::new().create(true).append(true).open(&err).unwrap();
        Self { child: command.stderr(file).spawn().unwrap(), err }
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    /// Waits until it ends by itself; its exit code.
    pub fn code(&mut self) -> i32 {
        let end = Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
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

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs an export to its end, at an empty HOME.
pub fn export(place: &Place, ledger: &Path, arguments: &[&str]) -> Said {
    let home = place.path("home").join("siem");
    fs::create_dir_all(&home).unwrap();
    let mut command = Command::new(JIT);
    command.current_dir(&home).arg("--ledger").arg(ledger).arg("export").args(arguments);
    place.run_with(command, &home, &[], b"")
}

/// An authority and what it signed.
pub struct Authority<'p> {
    place: &'p Place,
    directory: PathBuf,
}

impl<'p> Authority<'p> {
    pub fn new(place: &'p Place, name: &str) -> Self {
        let directory = place.path(name);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("index.txt"), "").unwrap();
        let config = "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\nnew_certs_dir = .\nrand_serial = yes\ndefault_md = sha256\n\
                      policy = p\ncertificate = ca.pem\nprivate_key = ca.key\nunique_subject = no\n[p]\ncommonName = supplied\n\
                      [server]\nbasicConstraints = CA:FALSE\nsubjectAltName = IP:127.0.0.1\n\
                      [other]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:log.acme.example\n\
                      [client]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = clientAuth\n\
                      [req]\ndistinguished_name = n\nx509_extensions = self\n[n]\n\
                      [self]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n";
        fs::write(directory.join("openssl.cnf"), config).unwrap();
        let made = Self { place, directory };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "openssl.cnf"];
        let subject = format!("/CN={name}");
        let own = ["req", "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", &subject, "-days", "2"];
        made.openssl(&[&own[..], &key].concat());
        made
    }

    pub fn file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// A certificate and its key. `kind`: `server`, `other` (another name), `client`.
    pub fn signs(&self, name: &str, kind: &str, expired: bool) -> [PathBuf; 2] {
        let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "openssl.cnf"];
        let asks = ["req", "-keyout", &key, "-out", &request, "-subj", "/CN=acme"];
        self.openssl(&[&asks[..], &curve].concat());
        let (from, to) =
            if expired { ("20200101000000Z", "20200201000000Z") } else { ("20200101000000Z", "20990101000000Z") };
        self.openssl(&[
            "ca",
            "-batch",
            "-notext",
            "-config",
            "openssl.cnf",
            "-in",
            &request,
            "-out",
            &certificate,
            "-extensions",
            kind,
            "-startdate",
            from,
            "-enddate",
            to,
        ]);
        [self.directory.join(certificate), self.directory.join(key)]
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        command.current_dir(&self.directory).args(arguments);
        self.place.run(command).ok();
    }
}
