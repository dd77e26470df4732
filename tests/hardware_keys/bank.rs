//! A ledger whose members have hardware keys of `sk-dummy.so`, an agent that holds them, and what they do by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::common::history::History;
use crate::common::{self, JIT, Place, Said, absent, executable::executable, request, skip};

pub const SK_DUMMY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";
/// The programs that every test here needs.
pub const PROGRAMS: [&str; 4] = ["git", "ssh-keygen", "ssh-agent", "ssh-add"];
/// A member's keys: how each is called after the name, and how it is made.
pub const KINDS: [(&str, &[&str]); 3] =
    [("sk", &[]), ("pin", &["-O", "verify-required"]), ("lax", &["-O", "no-touch-required"])];
/// The roles, and which key each takes: the software key, 0x01, 0x05, 0x00.
pub const ROLES: [(&str, &str, [bool; 4]); 3] = [
    ("read-only", "none", [true, true, true, false]),
    ("guarded", "touch", [false, true, true, false]),
    ("vault", "touch+pin", [false, false, true, false]),
];

pub fn missing(test: &str) -> bool {
    if absent(test, &PROGRAMS) {
        return true;
    }
    let there = Path::new(SK_DUMMY).exists();
    if !there {
        skip(test, "sk-dummy.so of openssh-tests is not installed");
    }
    !there
}

/// A ledger in which alice, bob and dave have a software key and three hardware keys each, and three roles.
pub struct Bank {
    /// Where everything lies.
    pub place: Place,
    /// The ledger.
    pub ledger: PathBuf,
    /// Where `ssh-keygen` is found first: it writes down that it was called.
    bin: PathBuf,
}

impl Bank {
    pub fn new() -> Self {
        let place = Place::new();
        let bin = place.path("bin");
        fs::create_dir(&bin).unwrap();
        script(&place.path("askpass"), "echo 1234");
        let real = common::find("ssh-keygen").unwrap();
        let log = place.path("calls");
        script(&bin.join("ssh-keygen"), &format!("echo \"$@\" >> {}\nexec {} \"$@\"", log.display(), real.display()));
        let mut text = place.policy_text(1);
        for name in ["alice", "bob", "dave"] {
            let mut keys = vec![place.public_key(name)];
            for (kind, options) in KINDS {
                make_sk(&place, &place.key(&format!("{name}-{kind}")), options);
                keys.push(place.public_key(&format!("{name}-{kind}")));
            }
            text = text.replace(&format!("keys = [\"{}\"]", place.public_key(name)), &format!("keys = {keys:?}"));
        }
        let from = text.find("\n[target.payments-db.role.read-only]").unwrap();
        let to = text.find("\n[target.payments-db.role.operator]").unwrap();
        let block = text[from..to].to_owned();
        for (role, mfa, _) in &ROLES[1..] {
            let more = block.replace("role.read-only", &format!("role.{role}"));
            text.insert_str(to, &more.replace("mfa = \"none\"", &format!("mfa = \"{mfa}\"")));
        }
        let policy = place.path("policy.toml");
        fs::write(&policy, text).unwrap();
        let ledger = place.path("ledger");
        let arguments = ["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--json"];
        place.desk("rita", &ledger).jit_anywhere(&arguments).ok();
        Self { place, ledger, bin }
    }

    /// The variables with which people work: the device, somebody to ask for the PIN, and the agent, if there is one.
    pub fn variables(&self, agent: Option<&Path>) -> Vec<(&'static str, OsString)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut variables = vec![
            ("PATH", format!("{}:{path}", self.bin.display()).into()),
            ("SSH_SK_PROVIDER", SK_DUMMY.into()),
            ("SSH_ASKPASS", self.place.path("askpass").into()),
            ("SSH_ASKPASS_REQUIRE", "force".into()),
        ];
        variables.extend(agent.map(|agent| ("SSH_AUTH_SOCK", agent.into())));
        variables
    }

    /// Runs jit as somebody, with the key that is named or the one that it finds.
    pub fn jit(&self, name: &str, key: Option<&Path>, agent: Option<&Path>, arguments: &[&str]) -> Said {
        let desk = self.place.desk(name, &self.ledger);
        let mut command = Command::new(JIT);
        command.current_dir(&desk.home).arg("--ledger").arg(&self.ledger);
        if let Some(key) = key {
            command.args(["--as", name, "--key"]).arg(key);
        }
        command.args(arguments);
        let variables = self.variables(agent);
        let variables: Vec<(&str, &OsStr)> = variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        self.place.run_with(command, &desk.home, &variables, b"")
    }

    pub fn asks(&self, name: &str, key: Option<&Path>, agent: Option<&Path>, role: &str) -> Said {
        self.jit(name, key, agent, &request(&format!("payments-db/{role}"), "30m", "Payments are stuck."))
    }

    /// How often `ssh-keygen` was called so far by what runs here.
    pub fn calls(&self) -> usize {
        fs::read_to_string(self.place.path("calls")).unwrap_or_default().lines().count()
    }

    /// The four keys of somebody: software, 0x01, 0x05, 0x00.
    pub fn keys_of(&self, name: &str) -> [PathBuf; 4] {
        ["", "-sk", "-pin", "-lax"].map(|kind| self.place.key(&format!("{name}{kind}")))
    }

    /// The verdict on a history, in a repository that has never seen another.
    pub fn verdict(&self, history: &History) -> Value {
        let bare = tempfile::tempdir_in(self.place.path("home")).unwrap();
        let mut command = Command::new("git");
        command.args(["init", "-q", "--bare", "-b", "main"]).arg(bare.path());
        self.place.run(command).ok();
        history.write(&self.place, bare.path());
        let mut command = Command::new(JIT);
        command.arg("--ledger").arg(bare.path()).args(["verify", "--json"]);
        let said = self.place.run(command);
        let json = said.json();
        let bad = json["voids"].as_array().is_some_and(|voids| !voids.is_empty());
        assert_eq!(said.code, if bad { 4 } else { 0 }, "{}", said.told());
        json
    }

    /// Signs the event at this position again by hand, with plain `ssh-keygen`.
    pub fn sign_by_hand(&self, history: &mut History, position: usize, kind: &str, key: &Path) {
        let event = history.file(position, ".toml").clone();
        let file = self.place.path("by-hand");
        fs::write(&file, event).unwrap();
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", &format!("jit-1/{kind}"), "-f"]).arg(key).arg(&file);
        let provider = [("SSH_SK_PROVIDER", OsStr::new(SK_DUMMY))];
        self.place.run_with(command, &self.place.path("home"), &provider, b"\n").ok();
        let signature = self.place.path("by-hand.sig");
        *history.file(position, ".toml.sig") = fs::read(&signature).unwrap();
        fs::remove_file(signature).unwrap();
    }
}

pub fn script(path: &Path, lines: &str) {
    executable(path, format!("#!/bin/sh\n{lines}\n"));
}

/// Makes a hardware key, as the real `ssh-keygen` does.
pub fn make_sk(place: &Place, file: &Path, options: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519-sk", "-w", SK_DUMMY, "-N", "", "-C", "key"]).args(options).arg("-f").arg(file);
    place.run(command).ok();
}

/// The same hardware key, used with other flags: what somebody does who wants to get round a touch. The flags are in the
/// key's file (PROTOCOL.u2f), and the device obeys.
pub fn with_flags(key: &Path, flags: u8) -> PathBuf {
    let text = fs::read_to_string(key).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut blob = STANDARD.decode(body).unwrap();
    let at = blob.windows(8).rposition(|window| window == b"\0\0\0\x04ssh:").unwrap() + 8;
    blob[at] = flags;
    let body = STANDARD.encode(&blob);
    let lines: Vec<&str> = body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let file = key.with_extension(format!("flags{flags}"));
    let armor =
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", lines.join("\n"));
    fs::write(&file, armor).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::copy(key.with_extension("pub"), format!("{}.pub", file.display())).unwrap();
    file
}

/// A real ssh-agent that may use sk-dummy, ended when dropped.
pub struct Agent {
    process: Child,
    /// Where it listens.
    pub socket: PathBuf,
}

impl Agent {
    pub fn start(bank: &Bank, keys: &[PathBuf]) -> Self {
        let socket = bank.place.path("agent");
        let mut command = Command::new("ssh-agent");
        command.args(["-D", "-P", SK_DUMMY, "-a"]).arg(&socket).stdin(Stdio::null());
        // Whoever adds a key with verify-required lets the agent ask for the PIN.
        command.env("SSH_ASKPASS", bank.place.path("askpass")).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":0");
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let agent = Self { process, socket };
        for _ in 0..1000 {
            if UnixStream::connect(&agent.socket).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        agent.add(bank, keys);
        agent
    }

    pub fn add(&self, bank: &Bank, keys: &[PathBuf]) {
        let mut command = Command::new("ssh-add");
        command.args(["-q", "-S", SK_DUMMY]).args(keys);
        let variables = [("SSH_AUTH_SOCK", self.socket.as_os_str())];
        bank.place.run_with(command, &bank.place.path("home"), &variables, b"").ok();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The fingerprint of a key, as `ssh-keygen -l` prints it.
pub fn print_of(bank: &Bank, key: &Path) -> String {
    let mut command = Command::new("ssh-keygen");
    command.arg("-lf").arg(key.with_file_name(format!("{}.pub", key.file_name().unwrap().to_str().unwrap())));
    bank.place.run(command).ok().out.split_whitespace().nth(1).unwrap().to_owned()
}
