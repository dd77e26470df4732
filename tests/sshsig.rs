//! SSHSIG against the program whose format it is: what `ssh-keygen -Y sign` writes we read, verify and write again to the
//! byte; what we write is good for `ssh-keygen -Y verify` (format.md, section 3). Hardware keys are played by sk-dummy.so of
//! the Debian package `openssh-tests`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ed25519_dalek::{Signer as _, SigningKey};
use jit::domain::key::{PublicKey, RawSignature};
use jit::sshsig::{SshSig, SshSigError, VerifyError, signed_data};
use tempfile::TempDir;

const NAMESPACE: &str = "jit-1/request";
const MESSAGE: &[u8] = b"jit = 1\nkind = \"request\"\n";
const SK_DUMMY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";
/// OpenSSH's own test data, from the same package.
const TESTDATA: &str = "/usr/lib/openssh/regress/unittests/sshsig/testdata";

/// Says that a test cannot run here; in CI, where everything is installed, that is a failure.
#[allow(clippy::disallowed_methods)]
fn skip(name: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{name} is missing");
    println!("skipped: {name}");
}

fn has_ssh_keygen() -> bool {
    let found = Command::new("ssh-keygen").arg("-?").stdin(Stdio::null()).output().is_ok();
    if !found {
        skip("ssh-keygen");
    }
    found
}

fn has_file(path: &str) -> bool {
    let found = Path::new(path).exists();
    if !found {
        skip(path);
    }
    found
}

struct Keygen {
    folder: TempDir,
}

impl Keygen {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("message"), MESSAGE).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str], stdin: Stdio) -> Output {
        // A PIN is asked for: the empty one that `true` types, wherever the test runs.
        Command::new("ssh-keygen")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("SSH_SK_PROVIDER", SK_DUMMY)
            .env("SSH_ASKPASS", "/bin/true")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .stdin(stdin)
            .output()
            .unwrap()
    }

    fn must(&self, arguments: &[&str]) {
        let output = self.run(arguments, Stdio::null());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Makes the key `key`.
    fn generate(&self, kind: &str, options: &[&str]) {
        let mut arguments = vec!["-q", "-t", kind, "-N", "", "-C", "alice@laptop", "-f", "key"];
        arguments.extend_from_slice(options);
        self.must(&arguments);
    }

    fn public_key(&self) -> PublicKey {
        PublicKey::from_pub_line(&fs::read_to_string(self.path("key.pub")).unwrap()).unwrap()
    }

    /// Signs the message with `key`, and gives the signature file.
    fn sign(&self, namespace: &str, options: &[&str]) -> Vec<u8> {
        let _ = fs::remove_file(self.path("message.sig"));
        let mut arguments = vec!["-Y", "sign", "-f", "key", "-n", namespace];
        arguments.extend_from_slice(options);
        arguments.push("message");
        self.must(&arguments);
        fs::read(self.path("message.sig")).unwrap()
    }

    /// Whether `ssh-keygen -Y verify` says Good of the signature, by alice's key, over the message.
    fn says_good(&self, key: &PublicKey, namespace: &str, signature: &str, message: &[u8]) -> bool {
        let line = format!("alice namespaces=\"jit-1/*\" {key}\n");
        fs::write(self.path("allowed_signers"), line).unwrap();
        fs::write(self.path("ours.sig"), signature).unwrap();
        fs::write(self.path("stdin"), message).unwrap();
        let stdin = fs::File::open(self.path("stdin")).unwrap();
        let arguments = ["-Y", "verify", "-f", "allowed_signers", "-I", "alice", "-n", namespace, "-s", "ours.sig"];
        let output = self.run(&arguments, stdin.into());
        let said = String::from_utf8_lossy(&output.stdout).starts_with("Good");
        assert_eq!(said, output.status.success());
        said
    }
}

#[test]
fn what_ssh_keygen_signs_is_read_and_written_the_same() {
    if !has_ssh_keygen() {
        return;
    }
    let keygen = Keygen::new();
    keygen.generate("ed25519", &[]);
    // Namespaces of every length modulo 3, and those whose base64 fills its last line of 70 exactly.
    let long = "n".repeat(41);
    let namespaces = [NAMESPACE, "jit-1/approval", "jit-1/lock", &long[..38], &long[..39], &long[..40], &long];
    let mut last_lines = Vec::new();
    for namespace in namespaces {
        let armored = keygen.sign(namespace, &[]);
        let signature = SshSig::parse(&armored).unwrap();
        assert_eq!(signature.to_armored().as_bytes(), armored);
        assert_eq!(signature.namespace(), namespace);
        assert_eq!(signature.public_key(), &keygen.public_key());
        assert_eq!((signature.hardware(), signature.touched(), signature.pin_verified()), (None, false, false));
        assert_eq!(signature.verify(MESSAGE), Ok(()));
        assert_eq!(signature.verify(b"jit = 1\n"), Err(VerifyError::Signature));
        let text = String::from_utf8(armored).unwrap();
        last_lines.push(text.lines().rev().nth(1).unwrap().len());
    }
    assert!(last_lines.contains(&70), "{last_lines:?}");
    let error = SshSig::parse(&keygen.sign(NAMESPACE, &["-O", "hashalg=sha256"])).unwrap_err();
    assert_eq!(error, SshSigError::Hash("`sha256`".into()));
}

#[test]
fn other_kinds_of_key_are_refused_by_name() {
    if !has_ssh_keygen() {
        return;
    }
    for (kind, label) in [("rsa", "ssh-rsa"), ("ecdsa", "ecdsa-sha2-nistp256")] {
        let keygen = Keygen::new();
        keygen.generate(kind, &[]);
        let error = SshSig::parse(&keygen.sign(NAMESPACE, &[])).unwrap_err();
        assert_eq!(error, SshSigError::KeyType(label.into()));
    }
}

#[test]
fn what_we_sign_is_good_for_ssh_keygen() {
    if !has_ssh_keygen() {
        return;
    }
    let secret = SigningKey::from_bytes(&[42; 32]);
    let key = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let keygen = Keygen::new();
    let bytes = secret.sign(&signed_data(NAMESPACE, MESSAGE)).to_bytes();
    let signature = SshSig::new(key.clone(), NAMESPACE, RawSignature { bytes, hardware: None });
    let armored = signature.to_armored();
    assert_eq!(signature.verify(MESSAGE), Ok(()));
    assert!(keygen.says_good(&key, NAMESPACE, &armored, MESSAGE));
    // The control: it says so of this signature alone.
    assert!(!keygen.says_good(&key, NAMESPACE, &armored, b"jit = 1\n"));
    assert!(!keygen.says_good(&key, "jit-1/approval", &armored, MESSAGE));
}

#[test]
fn hardware_keys_say_whether_they_were_touched_and_given_a_pin() {
    if !has_ssh_keygen() || !has_file(SK_DUMMY) {
        return;
    }
    let kinds: [(&[&str], u8, bool, bool); 3] = [
        (&[], 0x01, true, false),
        (&["-O", "verify-required"], 0x05, true, true),
        (&["-O", "no-touch-required"], 0x00, false, false),
    ];
    for (options, flags, touched, pin) in kinds {
        let keygen = Keygen::new();
        keygen.generate("ed25519-sk", &[options, &["-w", SK_DUMMY]].concat());
        let armored = keygen.sign(NAMESPACE, &[]);
        let signature = SshSig::parse(&armored).unwrap();
        assert_eq!(signature.to_armored().as_bytes(), armored);
        assert_eq!(signature.public_key(), &keygen.public_key());
        assert!(signature.public_key().is_hardware());
        let hardware = signature.hardware().unwrap();
        // sk-dummy.c always counts 0x12345678.
        assert_eq!((hardware.flags, hardware.counter), (flags, 0x1234_5678), "{options:?}");
        assert_eq!((signature.touched(), signature.pin_verified()), (touched, pin), "{options:?}");
        assert_eq!(signature.verify(MESSAGE), Ok(()), "{options:?}");
        assert_eq!(signature.verify(b""), Err(VerifyError::Signature));
        // Nobody can claim a touch afterwards.
        let mut raw = signature.raw().clone();
        raw.hardware.as_mut().unwrap().flags ^= 0x05;
        let claimed = SshSig::new(keygen.public_key(), NAMESPACE, raw);
        assert_eq!(claimed.verify(MESSAGE), Err(VerifyError::Signature));
    }
}

#[test]
fn a_hardware_key_for_another_application_is_refused() {
    if !has_ssh_keygen() || !has_file(SK_DUMMY) {
        return;
    }
    let keygen = Keygen::new();
    keygen.generate("ed25519-sk", &["-O", "application=ssh:other", "-w", SK_DUMMY]);
    let signature = SshSig::parse(&keygen.sign(NAMESPACE, &[])).unwrap();
    assert_eq!(signature.verify(MESSAGE), Err(VerifyError::Application("ssh:other".into())));
    assert_eq!(signature.verify(b""), Err(VerifyError::Signature));
}

#[test]
fn opensshs_own_test_data_is_read_and_verified() {
    if !has_file(TESTDATA) {
        return;
    }
    let read = |name: &str| fs::read(Path::new(TESTDATA).join(name)).unwrap();
    let namespace = String::from_utf8(read("namespace")).unwrap();
    for name in ["ed25519", "ed25519_sk"] {
        let armored = read(&format!("{name}.sig"));
        let signature = SshSig::parse(&armored).unwrap();
        assert_eq!(signature.to_armored().as_bytes(), armored);
        assert_eq!(signature.namespace(), namespace);
        let key = String::from_utf8(read(&format!("{name}.pub"))).unwrap();
        assert_eq!(signature.public_key(), &PublicKey::from_pub_line(&key).unwrap());
        assert_eq!(signature.verify(&read("signed-data")), Ok(()), "{name}");
    }
    for name in ["rsa", "dsa", "ecdsa", "ecdsa_sk", "ecdsa_sk_webauthn"] {
        let refused = SshSig::parse(&read(&format!("{name}.sig")));
        assert!(matches!(refused, Err(SshSigError::KeyType(_))), "{name}: {refused:?}");
    }
}
