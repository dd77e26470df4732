//! Our certificates as `ssh-keygen` reads them, and `ssh-keygen`'s as we read them. `ssh-keygen -L` verifies the CA's
//! signature too, which the last test shows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use jit::domain::certificate::{Certificate, CertificateKind, CertificateSpec, Options};
use jit::domain::key::{HardwareSignature, PublicKey, RawSignature};
use jit::issue::ssh_cert::{IssueError, issue};
use jit::ports::{SignError, Signer};
use jit::sign::FileSigner;

const SK_DUMMY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

/// Whether the tool is there. Where it is not, the test says so and ends; in CI that is a failure.
fn have(name: &str) -> bool {
    let found = if name.contains('/') {
        Path::new(name).exists()
    } else {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(name).exists())
    };
    if !found {
        println!("skipped: {name}");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is missing");
    }
    found
}

fn ssh_keygen(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("ssh-keygen").args(arguments).current_dir(folder).env("TZ", "UTC").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn new_key(folder: &Path, name: &str) -> PublicKey {
    ssh_keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name]);
    public_key(&folder.join(format!("{name}.pub")))
}

fn new_hardware_key(folder: &Path, name: &str) -> PublicKey {
    ssh_keygen(folder, &["-q", "-t", "ed25519-sk", "-w", SK_DUMMY, "-N", "", "-C", name, "-f", name]);
    public_key(&folder.join(format!("{name}.pub")))
}

fn public_key(path: &Path) -> PublicKey {
    PublicKey::from_pub_line(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The certificate that `ssh-keygen -s` wrote, without its comment.
fn certificate(path: &Path) -> (String, Certificate) {
    let text = std::fs::read_to_string(path).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = format!("{} {}", words[0], words[1]);
    let parsed = Certificate::parse_line(&line).unwrap();
    (line, parsed)
}

/// What `ssh-keygen -L` prints, line by line without indentation. It fails where the CA's signature does not verify.
fn listed(folder: &Path, line: &str) -> Vec<String> {
    let path = folder.join("listed-cert.pub");
    std::fs::write(&path, format!("{line}\n")).unwrap();
    let text = ssh_keygen(folder, &["-L", "-f", "listed-cert.pub"]);
    text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

fn spec(key: PublicKey, ca: PublicKey) -> CertificateSpec {
    CertificateSpec {
        key,
        serial: 1042,
        key_id: "jit:6dbulmjde6j277dv:alice".into(),
        principals: vec!["prod/orders-db/operator".into(), "prod/payments-db/read-only".into()],
        valid_after: 1_795_442_490,  // `date -u -d 2026-11-23T14:01:30Z +%s`
        valid_before: 1_795_444_350, // `date -u -d 2026-11-23T14:32:30Z +%s`
        source_address: Some("10.0.0.0/8,127.0.0.1/32".into()),
        verify_required: false,
        extensions: BTreeSet::from(["permit-pty".to_owned(), "permit-port-forwarding".to_owned()]),
        ca,
    }
}

fn options(entries: &[(&str, Option<&str>)]) -> Options {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
}

#[test]
fn ssh_keygen_reads_every_field_of_ours() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let alice = new_key(folder.path(), "alice");
    let ca = FileSigner::from_seed([7; 32]).unwrap();
    let line = issue(&spec(alice.clone(), ca.public_key().clone()), &ca, [9; 32]).unwrap();
    let expected = [
        "Type: ssh-ed25519-cert-v01@openssh.com user certificate".to_owned(),
        format!("Public key: ED25519-CERT {}", alice.fingerprint()),
        format!("Signing CA: ED25519 {} (using ssh-ed25519)", ca.public_key().fingerprint()),
        "Key ID: \"jit:6dbulmjde6j277dv:alice\"".to_owned(),
        "Serial: 1042".to_owned(),
        "Valid: from 2026-11-23T14:01:30 to 2026-11-23T14:32:30".to_owned(),
        "Principals:".to_owned(),
        "prod/orders-db/operator".to_owned(),
        "prod/payments-db/read-only".to_owned(),
        "Critical Options:".to_owned(),
        "source-address 10.0.0.0/8,127.0.0.1/32".to_owned(),
        "Extensions:".to_owned(),
        "permit-port-forwarding".to_owned(),
        "permit-pty".to_owned(),
    ];
    assert_eq!(listed(folder.path(), &line), expected);
    // The fingerprint is ours on both sides there; ssh-keygen's own word for it:
    assert!(ssh_keygen(folder.path(), &["-lf", "alice.pub"]).contains(&alice.fingerprint()));
}

#[test]
fn ssh_keygen_reads_a_bare_one_and_one_for_hardware() {
    if !have("ssh-keygen") || !have(SK_DUMMY) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ca = FileSigner::from_seed([7; 32]).unwrap();
    let key = new_hardware_key(folder.path(), "sk");
    assert!(key.is_hardware());
    let mut bare = spec(key, ca.public_key().clone());
    (bare.source_address, bare.verify_required, bare.serial) = (None, true, u64::MAX);
    bare.extensions.clear();
    bare.principals.truncate(1);
    let lines = listed(folder.path(), &issue(&bare, &ca, [9; 32]).unwrap());
    assert_eq!(lines[0], "Type: sk-ssh-ed25519-cert-v01@openssh.com user certificate");
    assert_eq!(lines[4], "Serial: 18446744073709551615");
    let expected =
        ["Principals:", "prod/orders-db/operator", "Critical Options:", "verify-required", "Extensions: (none)"];
    assert_eq!(lines[6..], expected);
}

#[test]
fn ssh_keygen_takes_256_principals() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ca = FileSigner::from_seed([7; 32]).unwrap();
    let mut many = spec(new_key(folder.path(), "alice"), ca.public_key().clone());
    many.principals = (0..256).map(|number| format!("prod/db-{number}/read")).collect();
    let lines = listed(folder.path(), &issue(&many, &ca, [9; 32]).unwrap());
    assert_eq!(lines[7..263], many.principals);
}

#[test]
fn we_read_what_ssh_keygen_makes() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (alice, ca) = (new_key(folder, "alice"), new_key(folder, "ca"));
    let arguments = "-q -s ca -I jit:x:alice -n a/b,c -z 77 -V 20260101000000Z:20260102030405Z -O no-x11-forwarding \
                     -O no-agent-forwarding -O no-user-rc -O source-address=10.0.0.0/8,::1/128 -O force-command=id alice.pub";
    ssh_keygen(folder, &arguments.split_whitespace().collect::<Vec<_>>());
    let (line, made) = certificate(&folder.join("alice-cert.pub"));
    assert_eq!(made.to_string(), line);
    assert_eq!((made.key(), made.ca(), made.kind()), (&alice, &ca, CertificateKind::User));
    assert_eq!((made.serial(), made.key_id()), (77, "jit:x:alice"));
    assert_eq!(made.principals(), ["a/b", "c"]);
    // `date -u -d 2026-01-01T00:00:00Z +%s`, `date -u -d 2026-01-02T03:04:05Z +%s`
    assert_eq!((made.valid_after(), made.valid_before()), (1_767_225_600, 1_767_323_045));
    let critical = options(&[("force-command", Some("id")), ("source-address", Some("10.0.0.0/8,::1/128"))]);
    assert_eq!(*made.critical_options(), critical);
    assert_eq!(*made.extensions(), options(&[("permit-port-forwarding", None), ("permit-pty", None)]));
    let verifying = ed25519_dalek::VerifyingKey::from_bytes(ca.point()).unwrap();
    let signature = ed25519_dalek::Signature::from_bytes(&made.signature().bytes);
    verifying.verify_strict(made.signed_bytes(), &signature).unwrap();
}

/// What a careless hand makes is read as what it is, so that the comparison with the grant can refuse it.
#[test]
fn without_principals_or_end_or_for_a_host() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    new_key(folder, "alice");
    new_key(folder, "ca");
    ssh_keygen(folder, &["-q", "-s", "ca", "-I", "x", "-O", "clear", "alice.pub"]);
    let (line, careless) = certificate(&folder.join("alice-cert.pub"));
    assert_eq!(careless.to_string(), line);
    assert!(careless.principals().is_empty() && careless.extensions().is_empty());
    assert_eq!((careless.valid_after(), careless.valid_before()), (0, u64::MAX));
    ssh_keygen(folder, &["-q", "-h", "-s", "ca", "-I", "x", "-n", "db1", "alice.pub"]);
    assert_eq!(certificate(&folder.join("alice-cert.pub")).1.kind(), CertificateKind::Host);
}

#[test]
fn we_read_hardware_keys_and_a_hardware_ca() {
    if !have("ssh-keygen") || !have(SK_DUMMY) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (alice, ca) = (new_hardware_key(folder, "alice"), new_hardware_key(folder, "ca"));
    let sign = ["-q", "-s", "ca", "-I", "x", "-n", "a", "-O", "verify-required", "-w", SK_DUMMY, "alice.pub"];
    let output = Command::new("ssh-keygen").args(sign).env("SSH_SK_PROVIDER", SK_DUMMY).current_dir(folder).output();
    assert!(output.unwrap().status.success());
    let (line, made) = certificate(&folder.join("alice-cert.pub"));
    assert_eq!(made.to_string(), line);
    assert_eq!((made.key(), made.ca()), (&alice, &ca));
    assert!(made.critical_options().contains_key("verify-required"));
    // sk-dummy touches (0x01) unless told otherwise.
    assert_eq!(made.signature().hardware.unwrap().flags & 1, 1);
}

#[test]
fn other_kinds_of_certificate_are_refused() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    new_key(folder, "alice");
    ssh_keygen(folder, &["-q", "-t", "ecdsa", "-N", "", "-f", "ecdsa"]);
    for (ca, subject) in [("ecdsa", "alice"), ("alice", "ecdsa")] {
        ssh_keygen(folder, &["-q", "-s", ca, "-I", "x", "-n", "a", &format!("{subject}.pub")]);
        let path: PathBuf = folder.join(format!("{subject}-cert.pub"));
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let error = Certificate::parse_line(&line).unwrap_err().to_string();
        assert!(error.contains("ecdsa-sha2-nistp256"), "{error}");
    }
}

/// A signer that answers wrongly.
struct Wrong {
    public: PublicKey,
    answer: fn() -> Result<RawSignature, SignError>,
}

impl Signer for Wrong {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, _: &[u8]) -> Result<RawSignature, SignError> {
        (self.answer)()
    }
}

#[test]
fn nothing_is_issued_with_another_ca_or_without_its_signature() {
    let ca = FileSigner::from_seed([7; 32]).unwrap();
    let other = FileSigner::from_seed([8; 32]).unwrap();
    let spec = spec(other.public_key().clone(), ca.public_key().clone());
    assert!(matches!(issue(&spec, &other, [9; 32]), Err(IssueError::OtherCa { .. })));
    let public = ca.public_key().clone();
    let refuses = Wrong { public: public.clone(), answer: || Err(SignError::Refused("the agent".into())) };
    assert!(matches!(issue(&spec, &refuses, [9; 32]), Err(IssueError::Sign(SignError::Refused(_)))));
    let other_kind = Wrong {
        public,
        answer: || Ok(RawSignature { bytes: [0; 64], hardware: Some(HardwareSignature { flags: 1, counter: 1 }) }),
    };
    assert!(matches!(issue(&spec, &other_kind, [9; 32]), Err(IssueError::Spec(_))));
    let mut forever = spec.clone();
    forever.valid_before = u64::MAX;
    assert!(matches!(issue(&forever, &ca, [9; 32]), Err(IssueError::Spec(_))));
    assert!(issue(&spec, &ca, [9; 32]).is_ok());
}

/// The control for the tests above: `ssh-keygen -L` refuses a certificate whose signature does not verify.
#[test]
fn ssh_keygen_refuses_a_foreign_signature() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let ca = FileSigner::from_seed([7; 32]).unwrap();
    let spec = spec(new_key(folder.path(), "alice"), ca.public_key().clone());
    let forged = spec.to_be_signed([9; 32]).unwrap();
    let signature = FileSigner::from_seed([8; 32]).unwrap().sign(forged.bytes()).unwrap();
    let line = forged.finish(&signature).unwrap();
    std::fs::write(folder.path().join("forged-cert.pub"), format!("{line}\n")).unwrap();
    let output = Command::new("ssh-keygen").args(["-L", "-f", "forged-cert.pub"]).current_dir(folder.path()).output();
    assert!(!output.unwrap().status.success());
}
