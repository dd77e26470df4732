//! Attack 29, with the real `ssh-keygen` in the hands of whoever has the CA's key: what it signs without being asked
//! twice, the ledger does not take. The minter's own signature is good in each case.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use jit::domain::event::{Body, Issuance};
use jit::domain::id::Digest;
use jit::domain::time::Timestamp;
use ssh_key::private::{Ed25519Keypair, PrivateKey};

use crate::common::absent;
use crate::ledger::{Case, Ledger};

/// Writes the private key of a golden ledger's actor as OpenSSH has it.
pub fn key_file(name: &str, path: &Path) {
    let seed = *Digest::of(format!("golden {name}").as_bytes()).as_bytes();
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let text = key.to_openssh(ssh_key::LineEnding::LF).unwrap();
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    fs::write(path.with_extension("pub"), format!("{}\n", key.public_key().to_openssh().unwrap())).unwrap();
}

/// `ssh-keygen -s` with these arguments, over this key; the certificate's line.
fn certify(ca: &str, of: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    key_file(ca, &folder.path().join("ca"));
    key_file(of, &folder.path().join("key"));
    let output = Command::new("ssh-keygen")
        .args(["-q", "-s", "ca"])
        .args(arguments)
        .arg("key.pub")
        .current_dir(folder.path())
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let line = fs::read_to_string(folder.path().join("key-cert.pub")).unwrap();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// The arguments that make exactly what was granted.
fn granted(ledger: &Ledger, case: &Case) -> Vec<String> {
    let spec = ledger.spec(case);
    let time = |seconds: u64| {
        Timestamp::from_unix(i64::try_from(seconds).unwrap()).unwrap().utc().format("%Y%m%d%H%M%S").to_string()
    };
    let validity = format!("{}:{}", time(spec.valid_after), time(spec.valid_before));
    let source = format!("source-address={}", spec.source_address.unwrap());
    let serial = spec.serial.to_string();
    [
        "-I",
        &spec.key_id,
        "-z",
        &serial,
        "-V",
        &validity,
        "-n",
        &spec.principals[0],
        "-O",
        "clear",
        "-O",
        "permit-pty",
        "-O",
        &source,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The arguments without an option and its value.
fn without(arguments: &[String], option: &str) -> Vec<String> {
    let at = arguments.iter().position(|it| it == option).unwrap();
    [&arguments[..at], &arguments[at + 2..]].concat()
}

fn with(arguments: &[String], more: &[&str]) -> Vec<String> {
    arguments.iter().cloned().chain(more.iter().map(|it| (*it).to_owned())).collect()
}

/// The issuance of a certificate line; what it says of itself is the grant's.
fn issuance(ledger: &mut Ledger, case: &Case, line: String) -> jit::domain::event::Event {
    let spec = ledger.spec(case);
    let time = |seconds: u64| Timestamp::from_unix(i64::try_from(seconds).unwrap()).unwrap();
    let issuance = Issuance {
        environment: "prod".parse().unwrap(),
        serial: spec.serial,
        valid_after: time(spec.valid_after),
        valid_before: time(spec.valid_before),
        certificate: line,
    };
    ledger.event("minter", Some(case.id), Body::Issuance(issuance))
}

#[test]
fn what_ssh_keygen_would_sign_and_nobody_granted() {
    if absent("what_ssh_keygen_would_sign_and_nobody_granted", &["ssh-keygen"]) {
        return;
    }
    /// What is done to the arguments.
    type Edit = fn(&[String]) -> Vec<String>;
    const CA: &str = "the CA of prod";
    let edits: [(&str, &str, &str, Edit); 16] = [
        ("no end", CA, "alice", |it| without(it, "-V")),
        ("no end, but a beginning", CA, "alice", |it| with(&without(it, "-V"), &["-V", "20261123140000:forever"])),
        ("no principals", CA, "alice", |it| without(it, "-n")),
        ("neither", CA, "alice", |it| without(&without(it, "-V"), "-n")),
        ("a principal too many", CA, "alice", |it| {
            let own = it.iter().position(|it| it == "-n").unwrap() + 1;
            let both = format!("{},root", it[own]);
            with(&without(it, "-n"), &["-n", &both])
        }),
        ("another principal", CA, "alice", |it| with(&without(it, "-n"), &["-n", "root"])),
        ("another key id", CA, "alice", |it| with(&without(it, "-I"), &["-I", "jit:maintenance"])),
        ("no serial", CA, "alice", |it| without(it, "-z")),
        ("agent forwarding", CA, "alice", |it| with(it, &["-O", "permit-agent-forwarding"])),
        ("port forwarding", CA, "alice", |it| with(it, &["-O", "permit-port-forwarding"])),
        ("an extension of one's own", CA, "alice", |it| with(it, &["-O", "extension:jit@acme.example=root"])),
        ("a command that is forced", CA, "alice", |it| with(it, &["-O", "force-command=/bin/sh"])),
        ("an option that sshd does not know", CA, "alice", |it| with(it, &["-O", "critical:jit@acme.example=1"])),
        ("for a host", CA, "alice", |it| {
            let it = without(it, "-n");
            let clear: Vec<String> = it[..it.iter().position(|it| it == "-O").unwrap()].to_vec();
            with(&clear, &["-h", "-n", "prod/payments-db/read-only"])
        }),
        ("another key", CA, "frank", |it| it.to_vec()),
        ("another CA", "the CA of staging", "alice", |it| it.to_vec()),
    ];
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    // A good one first, so that what is wrong below is the only thing wrong; refused for being a second, nothing else.
    let arguments = granted(&ledger, &case);
    let line = certify(CA, "alice", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let good = issuance(&mut ledger, &case, line);
    let issued = good.time;
    ledger.say(good);
    ledger.serial += 1;
    let case = Case { issued: Some(issued), serial: 1, ..case };
    for (what, ca, of, edit) in edits {
        // Again, with the same end: that may be.
        let arguments = granted(&ledger, &case);
        let edited = edit(&arguments);
        assert!(edited != arguments || ca != CA || of != "alice", "{what} changes something");
        let line = certify(ca, of, &edited.iter().map(String::as_str).collect::<Vec<_>>());
        let event = issuance(&mut ledger, &case, line);
        ledger.void_event("A05", event);
    }
    ledger.check();
}
