//! Key files as `ssh-keygen` and `openssl` write them, and a real `ssh-agent`. That our signatures are true is judged by
//! `ssh-keygen -L`, which verifies the CA's signature in a certificate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, missing_docs)]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jit::domain::certificate::CertificateSpec;
use jit::domain::key::PublicKey;
use jit::issue::ssh_cert::issue;
use jit::ports::{SignError, Signer};
use jit::sign::{Agent, KeyFileError, KeySpec, Keygen, NoPassphrase, OpenError, file, open};
use zeroize::Zeroizing;

#[path = "common/executable.rs"]
mod executable;

#[path = "signers/hardware.rs"]
mod hardware;

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

fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("SSH_ASKPASS")
        .env("SSH_AUTH_SOCK", folder.join("agent"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn keygen(folder: &Path, arguments: &str) {
    let arguments: Vec<&str> = arguments.split(' ').map(|word| if word == "''" { "" } else { word }).collect();
    run(folder, "ssh-keygen", &arguments);
}

fn public_key(path: &Path) -> PublicKey {
    PublicKey::from_pub_line(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What is meant, without anybody to ask at a terminal.
fn spec(path: PathBuf, agent: Option<PathBuf>) -> KeySpec {
    KeySpec { path, agent, keygen: keygen_with(&[]) }
}

/// `ssh-keygen` with the PATH of the tests, and further variables.
fn keygen_with(more: &[(&str, &OsStr)]) -> Keygen {
    let mut variables: BTreeMap<OsString, OsString> =
        [("PATH".into(), std::env::var_os("PATH").unwrap_or_default())].into();
    variables.extend(more.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    Keygen::new(variables, false)
}

fn nobody(_: &Path) -> Result<Zeroizing<String>, NoPassphrase> {
    panic!("the passphrase was asked for")
}

fn says(words: &'static str) -> impl FnMut(&Path) -> Result<Zeroizing<String>, NoPassphrase> {
    move |_| Ok(Zeroizing::new(words.to_owned()))
}

/// Has `signer` sign a certificate, and `ssh-keygen` judge it.
fn assert_signs(folder: &Path, signer: &dyn Signer) {
    let ca = signer.public_key().clone();
    let spec = CertificateSpec {
        key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph".parse().unwrap(),
        serial: 1,
        key_id: "jit:x:alice".into(),
        principals: vec!["prod/payments-db/read-only".into()],
        valid_after: 1,
        valid_before: 2,
        source_address: None,
        verify_required: false,
        extensions: BTreeSet::new(),
        ca: ca.clone(),
    };
    let line = issue(&spec, signer, [1; 32]).unwrap();
    fs::write(folder.join("judged-cert.pub"), format!("{line}\n")).unwrap();
    let judged = run(folder, "ssh-keygen", &["-L", "-f", "judged-cert.pub"]);
    assert!(judged.contains(&ca.fingerprint()), "{judged}");
}

/// A real ssh-agent in the foreground, ended when dropped.
struct RealAgent {
    process: Child,
    socket: PathBuf,
}

impl RealAgent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let process = Command::new("ssh-agent")
            .args(["-D", "-P", SK_DUMMY, "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self { process, socket };
        for _ in 0..500 {
            if UnixStream::connect(&agent.socket).is_ok() {
                return agent;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("ssh-agent does not listen");
    }
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_plain_key_file_signs() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    keygen(folder, "-q -t ed25519 -N '' -f alice");
    let signer = file::open(&folder.join("alice"), &mut nobody).unwrap();
    assert_eq!(*signer.public_key(), public_key(&folder.join("alice.pub")));
    assert_signs(folder, &signer);
    assert!(!format!("{signer:?}").contains("secret"));
    symlink("alice", folder.join("link")).unwrap();
    assert_eq!(file::open(&folder.join("link"), &mut nobody).unwrap().public_key(), signer.public_key());
    // The same file with line ends of DOS is the same key to ssh, too.
    let text = fs::read_to_string(folder.join("alice")).unwrap();
    write_private(&folder.join("dos"), text.replace('\n', "\r\n").as_bytes());
    assert_eq!(file::open(&folder.join("dos"), &mut nobody).unwrap().public_key(), signer.public_key());
}

#[test]
fn an_encrypted_key_file_asks_once() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for cipher in ["aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-cbc"] {
        keygen(folder, &format!("-q -t ed25519 -a 2 -Z {cipher} -N secret-words -f {cipher}"));
        let path = folder.join(cipher);
        let asked = Cell::new(0);
        let signer = file::open(&path, &mut |asked_for: &Path| {
            assert_eq!(asked_for, path);
            asked.set(asked.get() + 1);
            Ok(Zeroizing::new("secret-words".to_owned()))
        })
        .unwrap();
        assert_eq!(asked.get(), 1);
        assert_eq!(*signer.public_key(), public_key(&folder.join(format!("{cipher}.pub"))));
        assert_signs(folder, &signer);
        for wrong in ["secret-word", " ", "x", ""] {
            let error = file::open(&path, &mut says(wrong)).unwrap_err();
            assert!(matches!(&error, KeyFileError::WrongPassphrase(p) if *p == path), "{cipher} {wrong:?}: {error:?}");
        }
        let error = file::open(&path, &mut |_: &Path| Err(NoPassphrase("no terminal".into()))).unwrap_err();
        assert!(matches!(error, KeyFileError::NoPassphrase(..)), "{error:?}");
        assert!(error.to_string().ends_with("needs a passphrase: no terminal"), "{error}");
    }
}

fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn every_other_file_is_refused_with_its_cause() {
    if !have("ssh-keygen") || !have("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    keygen(folder, "-q -t ed25519 -N '' -f alice");
    keygen(folder, "-q -t rsa -b 2048 -N '' -f rsa");
    keygen(folder, "-q -t ecdsa -N '' -f ecdsa");
    keygen(folder, "-q -t ecdsa -N '' -m PEM -f pem");
    keygen(folder, "-q -t rsa -b 2048 -N '' -m PKCS8 -f pkcs8");
    run(folder, "openssl", &["genpkey", "-quiet", "-algorithm", "ed25519", "-out", "pkcs8-ed25519"]);
    fs::set_permissions(folder.join("pkcs8-ed25519"), fs::Permissions::from_mode(0o600)).unwrap();
    let whole = fs::read(folder.join("alice")).unwrap();
    write_private(&folder.join("cut"), &whole[..whole.len() - 60]);
    write_private(&folder.join("cut-inside"), &[&whole[..110], b"\n-----END OPENSSH PRIVATE KEY-----\n"].concat());
    let mut flipped = whole.clone();
    flipped[60] ^= 1;
    write_private(&folder.join("flipped"), &flipped);
    let no_base64 = String::from_utf8(whole.clone()).unwrap().replacen("b3BlbnNz", "b3Bl!nNz", 1);
    write_private(&folder.join("no-base64"), no_base64.as_bytes());
    write_private(&folder.join("before"), &[b"hello\n", &whole[..]].concat());
    write_private(&folder.join("empty"), b"");
    write_private(&folder.join("text"), b"hello\n");
    write_private(&folder.join("binary"), &[0xff; 300]);
    write_private(&folder.join("ppk"), b"PuTTY-User-Key-File-3: ssh-ed25519\n");
    write_private(&folder.join("huge"), &vec![b'-'; 70_000]);
    fs::copy(folder.join("alice.pub"), folder.join("public")).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    for (name, mode) in [("open-640", 0o640), ("open-604", 0o604), ("open-620", 0o620)] {
        write_private(&folder.join(name), &whole);
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    type Is = fn(&KeyFileError) -> bool;
    let table: [(&str, Is); 21] = [
        ("nothing", |e| matches!(e, KeyFileError::NotFound(_))),
        ("folder", |e| matches!(e, KeyFileError::NotAFile(_))),
        ("huge", |e| matches!(e, KeyFileError::TooLarge(_, 70_000))),
        ("open-640", |e| matches!(e, KeyFileError::TooOpen(_, 0o640))),
        ("open-604", |e| matches!(e, KeyFileError::TooOpen(_, 0o604))),
        ("open-620", |e| matches!(e, KeyFileError::TooOpen(_, 0o620))),
        ("public", |e| matches!(e, KeyFileError::Public(_))),
        ("pem", |e| matches!(e, KeyFileError::OtherFormat(_, f) if f == "PEM (EC PRIVATE KEY)")),
        ("pkcs8", |e| matches!(e, KeyFileError::OtherFormat(_, f) if f == "PKCS#8")),
        ("pkcs8-ed25519", |e| matches!(e, KeyFileError::OtherFormat(_, f) if f == "PKCS#8")),
        ("ppk", |e| matches!(e, KeyFileError::OtherFormat(_, f) if f == "PuTTY")),
        ("rsa", |e| matches!(e, KeyFileError::OtherType(_, t) if t == "ssh-rsa")),
        ("ecdsa", |e| matches!(e, KeyFileError::OtherType(_, t) if t == "ecdsa-sha2-nistp256")),
        ("cut", |e| matches!(e, KeyFileError::Damaged(_, why) if why == "it is cut off")),
        ("cut-inside", |e| matches!(e, KeyFileError::Damaged(..))),
        ("flipped", |e| matches!(e, KeyFileError::Damaged(..))),
        ("no-base64", |e| matches!(e, KeyFileError::Damaged(_, why) if why == "its base64 is malformed")),
        ("before", |e| matches!(e, KeyFileError::NotAKey(_))),
        ("empty", |e| matches!(e, KeyFileError::NotAKey(_))),
        ("text", |e| matches!(e, KeyFileError::NotAKey(_))),
        ("binary", |e| matches!(e, KeyFileError::NotAKey(_))),
    ];
    for (name, is) in table {
        let error = file::open(&folder.join(name), &mut nobody).unwrap_err();
        assert!(is(&error), "{name}: {error:?}");
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
}

/// The public half outside the encrypted part is another key's: it is not believed.
#[test]
fn swapped_halves_are_refused() {
    if !have("ssh-keygen") {
        return;
    }
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, words) in [("plain", "''"), ("encrypted", "secret-words")] {
        keygen(folder, &format!("-q -t ed25519 -a 2 -N {words} -f {name}"));
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let mut blob = STANDARD.decode(body).unwrap();
        let point = *public_key(&folder.join(format!("{name}.pub"))).point();
        let position = blob.windows(32).position(|window| window == point).unwrap();
        let other = *file::FileSigner::from_seed([5; 32]).unwrap().public_key().point();
        blob[position..position + 32].copy_from_slice(&other);
        let body = STANDARD.encode(&blob);
        let lines: Vec<&str> = body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let armor =
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n", lines.join("\n"));
        write_private(&folder.join(name), armor.as_bytes());
        let error = file::open(&folder.join(name), &mut says("secret-words")).unwrap_err();
        assert!(matches!(error, KeyFileError::Damaged(..)), "{name}: {error:?}");
    }
}

#[test]
fn public_files() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    keygen(folder, "-q -t ed25519 -N '' -C alice@laptop -f alice");
    keygen(folder, "-q -t ecdsa -N '' -f ecdsa");
    let key = file::read_public(&folder.join("alice.pub")).unwrap();
    assert!(run(folder, "ssh-keygen", &["-lf", "alice.pub"]).contains(&key.fingerprint()));
    let line = fs::read_to_string(folder.join("alice.pub")).unwrap();
    fs::write(folder.join("two.pub"), line.repeat(2)).unwrap();
    fs::write(folder.join("binary.pub"), [0xff; 9]).unwrap();
    let read = |name: &str| file::read_public(&folder.join(name)).unwrap_err();
    assert!(matches!(read("ecdsa.pub"), KeyFileError::OtherType(_, t) if t == "ecdsa-sha2-nistp256"));
    assert!(matches!(read("two.pub"), KeyFileError::NotAKey(_)));
    assert!(matches!(read("binary.pub"), KeyFileError::NotAKey(_)));
    assert!(matches!(read("alice"), KeyFileError::NotAKey(_)));
    assert!(matches!(read("none.pub"), KeyFileError::NotFound(_)));
}

#[test]
fn a_new_key_is_as_ssh_keygen_would_write_it() {
    if !have("ssh-keygen") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let path = folder.join("new");
    let key = file::generate(&path, "ca-prod of demo", [3; 32]).unwrap();
    let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("new"), 0o600);
    assert_eq!(mode("new.pub") & 0o644, mode("new.pub"));
    let line = format!("{key} ca-prod of demo\n");
    assert_eq!(fs::read_to_string(folder.join("new.pub")).unwrap(), line);
    // ssh-keygen derives the same public half from the private file.
    assert_eq!(run(folder, "ssh-keygen", &["-y", "-f", "new"]), line);
    let signer = file::open(&path, &mut nobody).unwrap();
    assert_eq!(*signer.public_key(), key);
    assert_signs(folder, &signer);

    let before = fs::read(&path).unwrap();
    assert!(matches!(file::generate(&path, "", [4; 32]), Err(KeyFileError::Exists(p)) if p == path));
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::write(folder.join("half.pub"), "").unwrap();
    assert!(matches!(file::generate(&folder.join("half"), "", [4; 32]), Err(KeyFileError::Exists(_))));
    assert!(!folder.join("half").exists());
    symlink("nowhere", folder.join("dangling")).unwrap();
    assert!(matches!(file::generate(&folder.join("dangling"), "", [4; 32]), Err(KeyFileError::Exists(_))));
    assert!(matches!(file::generate(&folder.join("x"), "a\nb", [4; 32]), Err(KeyFileError::Comment)));
    assert!(matches!(file::generate(&folder.join("no/x"), "", [4; 32]), Err(KeyFileError::Write(..))));
    let bare = file::generate(&folder.join("bare"), "", [4; 32]).unwrap();
    assert_eq!(fs::read_to_string(folder.join("bare.pub")).unwrap(), format!("{bare}\n"));
    // Nothing else was left behind.
    let left = fs::read_dir(folder)
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".jit-key-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_key_in_the_agent_signs() {
    if !have("ssh-keygen") || !have("ssh-agent") || !have("ssh-add") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let real = RealAgent::start(folder);
    let agent = Agent::new(&real.socket);
    assert_eq!(agent.identities().unwrap(), []);
    keygen(folder, "-q -t ed25519 -N '' -C alice@laptop -f alice");
    keygen(folder, "-q -t rsa -b 2048 -N '' -f rsa");
    for name in ["alice", "rsa"] {
        run(folder, "ssh-add", &["-q", name]);
    }
    let key = public_key(&folder.join("alice.pub"));
    let held = agent.identities().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!((&held[0].key, held[0].comment.as_str()), (&key, "alice@laptop"));

    // The private file is gone: it is the agent that signs.
    fs::remove_file(folder.join("alice")).unwrap();
    let by_agent = |path: &str| spec(folder.join(path), Some(real.socket.clone()));
    for path in ["alice.pub", "alice"] {
        let signer = open(&by_agent(path), &mut nobody).unwrap();
        assert_eq!(*signer.public_key(), key);
        assert_signs(folder, &*signer);
    }
    let signer = agent.signer(&key).unwrap().unwrap();
    run(folder, "ssh-add", &["-q", "-D"]);
    assert!(matches!(signer.sign(b"x"), Err(SignError::Refused(_))));
    assert!(matches!(open(&by_agent("alice.pub"), &mut nobody), Err(OpenError::NotHeld(k)) if *k == key));
    drop(real);
    assert!(matches!(signer.sign(b"x"), Err(SignError::Unreachable(..))));
    let meant = spec(folder.join("alice.pub"), Some(folder.join("agent")));
    assert!(matches!(open(&meant, &mut nobody), Err(OpenError::Agent { key: k, .. }) if *k == key));
}

#[test]
fn a_hardware_key_signs_through_the_agent() {
    if !have("ssh-keygen") || !have("ssh-agent") || !have("ssh-add") || !have(SK_DUMMY) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let real = RealAgent::start(folder);
    keygen(folder, &format!("-q -t ed25519-sk -w {SK_DUMMY} -N '' -f sk"));
    let key = public_key(&folder.join("sk.pub"));
    assert!(matches!(file::open(&folder.join("sk"), &mut nobody), Err(KeyFileError::Hardware(_))));
    run(folder, "ssh-add", &["-q", "-S", SK_DUMMY, "sk"]);
    for path in ["sk", "sk.pub"] {
        let signer = open(&spec(folder.join(path), Some(real.socket.clone())), &mut nobody).unwrap();
        assert_eq!(*signer.public_key(), key);
        assert!(signer.public_key().is_hardware());
        // sk-dummy touches by itself (flag 0x01).
        assert_eq!(signer.sign(b"x").unwrap().hardware.unwrap().flags, 1);
        assert_signs(folder, &*signer);
    }
}

#[test]
fn the_key_that_is_meant_is_found() {
    if !have("ssh-keygen") || !have("ssh-agent") || !have("ssh-add") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    keygen(folder, "-q -t ed25519 -N '' -f alice");
    keygen(folder, "-q -t ed25519 -N '' -f bob");
    keygen(folder, "-q -t ed25519 -a 2 -N secret-words -f carol");
    let without = |path: &str| spec(folder.join(path), None);
    let alice = public_key(&folder.join("alice.pub"));
    let carol = public_key(&folder.join("carol.pub"));
    // No agent, or one that is not there: the private file beside the public one.
    for path in ["alice", "alice.pub"] {
        assert_eq!(*open(&without(path), &mut nobody).unwrap().public_key(), alice);
        let absent = spec(folder.join(path), Some(folder.join("absent")));
        assert_eq!(*open(&absent, &mut nobody).unwrap().public_key(), alice);
    }
    let mut asks = says("secret-words");
    assert_eq!(*open(&without("carol.pub"), &mut asks).unwrap().public_key(), carol);
    let wrong = open(&without("carol.pub"), &mut says("x")).err().unwrap();
    assert!(matches!(wrong, OpenError::File(KeyFileError::WrongPassphrase(_))), "{wrong:?}");
    // A file that holds a public key is one, whatever its name.
    fs::copy(folder.join("alice.pub"), folder.join("copy")).unwrap();
    assert!(matches!(open(&without("copy"), &mut nobody), Err(OpenError::NoAgent(k)) if *k == alice));
    // Another key's private half beside it.
    fs::copy(folder.join("bob.pub"), folder.join("mixed.pub")).unwrap();
    fs::copy(folder.join("alice"), folder.join("mixed")).unwrap();
    assert!(matches!(open(&without("mixed.pub"), &mut nobody), Err(OpenError::OtherPair { .. })));
    assert!(matches!(open(&without("none"), &mut nobody), Err(OpenError::File(KeyFileError::NotFound(_)))));
    assert!(matches!(open(&without("none.pub"), &mut nobody), Err(OpenError::File(KeyFileError::NotFound(_)))));
    // An encrypted file whose key the agent holds asks for nothing.
    let real = RealAgent::start(folder);
    fs::copy(folder.join("carol"), folder.join("carol-plain")).unwrap();
    keygen(folder, "-q -p -P secret-words -N '' -f carol-plain");
    run(folder, "ssh-add", &["-q", "carol-plain"]);
    let meant = spec(folder.join("carol"), Some(real.socket.clone()));
    let signer = open(&meant, &mut nobody).unwrap();
    assert_eq!(*signer.public_key(), carol);
    assert_signs(folder, &*signer);
}
