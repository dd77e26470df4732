//! The file of a hardware key, which signs through `ssh-keygen -Y sign`, and what is known of a key before it signs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jit::domain::key::Presence;
use jit::ports::{SignError, Signer};
use jit::sign::{HardwareFileSigner, KeyFile, KeySpec, Keygen, open};
use jit::sshsig::SshSig;

use crate::{RealAgent, SK_DUMMY, have, keygen, keygen_with, nobody, public_key, run, spec};

/// A hardware key's file signs through `ssh-keygen`, which alone knows how to ask the device.
#[test]
fn a_hardware_key_signs_from_its_file() {
    if !have("ssh-keygen") || !have(SK_DUMMY) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let askpass = folder.join("askpass");
    script(&askpass, "echo 1234");
    let asked = [
        ("SSH_SK_PROVIDER", OsStr::new(SK_DUMMY)),
        ("SSH_ASKPASS", askpass.as_os_str()),
        ("SSH_ASKPASS_REQUIRE", OsStr::new("force")),
    ];
    let (touched, both) = (Presence { touch: true, pin: false }, Presence { touch: true, pin: true });
    let nothing = Presence { touch: false, pin: false };
    for (name, option, presence, flags) in [
        ("sk", "", touched, 0x01),
        ("sk-pin", " -O verify-required", both, 0x05),
        ("sk-lax", " -O no-touch-required", nothing, 0x00),
    ] {
        keygen(folder, &format!("-q -t ed25519-sk -w {SK_DUMMY}{option} -N '' -f {name}"));
        let key = public_key(&folder.join(format!("{name}.pub")));
        for path in [name.to_owned(), format!("{name}.pub")] {
            let meant = KeySpec { keygen: keygen_with(&asked), ..spec(folder.join(path), None) };
            let signer = open(&meant, &mut nobody).unwrap();
            assert_eq!((signer.public_key(), signer.presence()), (&key, presence), "{name}");
            let raw = signer.sign_message("jit-1/request", b"what is asked\n").unwrap();
            assert_eq!(raw.hardware.unwrap().flags, flags, "{name}");
            let signature = SshSig::new(key.clone(), "jit-1/request", raw);
            signature.verify(b"what is asked\n").unwrap();
            // What ssh-keygen signs is a message, never a certificate.
            assert!(matches!(signer.sign(b"x"), Err(SignError::OnlyMessages(_))));
        }
        // A second opinion on the whole way: ssh-keygen takes what we write of it.
        let signer = HardwareFileSigner::new(&KeyFile::read(&folder.join(name)).unwrap(), keygen_with(&asked));
        let raw = signer.sign_message("jit-1/approval", b"agreed").unwrap();
        fs::write(folder.join("sig"), SshSig::new(key.clone(), "jit-1/approval", raw).to_armored()).unwrap();
        fs::write(folder.join("allowed"), format!("alice {key}\n")).unwrap();
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-f", "allowed", "-I", "alice", "-n", "jit-1/approval", "-s", "sig"]);
        fs::write(folder.join("message"), "agreed").unwrap();
        command.current_dir(folder).stdin(fs::File::open(folder.join("message")).unwrap()).stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "{name}");
    }

    // Nobody to ask: said at once, and the device is not given an empty PIN.
    let alone = [("SSH_SK_PROVIDER", OsStr::new(SK_DUMMY))];
    let by_file =
        |name: &str, keygen: Keygen| HardwareFileSigner::new(&KeyFile::read(&folder.join(name)).unwrap(), keygen);
    let error = by_file("sk-pin", keygen_with(&alone)).sign_message("jit-1/request", b"x").unwrap_err();
    assert!(matches!(error, SignError::NobodyToAsk(_, "its PIN")), "{error}");
    keygen(folder, &format!("-q -t ed25519-sk -w {SK_DUMMY} -a 2 -N secret-words -f sk-locked"));
    let locked = KeyFile::read(&folder.join("sk-locked")).unwrap();
    assert_eq!((locked.is_encrypted(), locked.presence()), (true, None));
    let error = by_file("sk-locked", keygen_with(&alone)).sign_message("jit-1/request", b"x").unwrap_err();
    assert!(matches!(error, SignError::NobodyToAsk(_, "its passphrase")), "{error}");
    script(&askpass, "echo secret-words");
    let raw = by_file("sk-locked", keygen_with(&asked)).sign_message("jit-1/request", b"x").unwrap();
    assert_eq!(raw.hardware.unwrap().flags, 0x01);
    // The device is not there.
    let none = [("SSH_SK_PROVIDER", OsStr::new("/nowhere.so"))];
    let error = by_file("sk", keygen_with(&none)).sign_message("jit-1/request", b"x").unwrap_err();
    assert!(matches!(&error, SignError::Failed(..)), "{error}");
    // No ssh-keygen.
    let error = by_file("sk", Keygen::new(BTreeMap::from([("PATH".into(), folder.into())]), false));
    let error = error.sign_message("jit-1/request", b"x").unwrap_err();
    assert!(matches!(&error, SignError::Unreachable(..)), "{error}");
}

/// Something else in the place of `ssh-keygen`: what it leaves is believed only where it is this key's signature.
#[test]
fn what_ssh_keygen_leaves_is_verified() {
    if !have("ssh-keygen") || !have(SK_DUMMY) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    keygen(folder, &format!("-q -t ed25519-sk -w {SK_DUMMY} -N '' -f sk"));
    keygen(folder, &format!("-q -t ed25519-sk -w {SK_DUMMY} -N '' -f other"));
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let system = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{system}", bin.display());
    let with = |limit: Duration| {
        let variables = [("PATH", path.as_str()), ("SSH_SK_PROVIDER", SK_DUMMY), ("REAL", system.as_str())];
        let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let keygen = Keygen { limit, ..Keygen::new(variables.into(), false) };
        HardwareFileSigner::new(&KeyFile::read(&folder.join("sk")).unwrap(), keygen)
    };
    let patient = Duration::from_secs(60);
    // Called as: -q -Y sign -n NAMESPACE -f KEY FILE
    let other = folder.join("other");
    for (what, lines) in [
        ("another key", format!("PATH=$REAL ssh-keygen -q -Y sign -n $5 -f {} $8", other.display())),
        ("another namespace", "PATH=$REAL ssh-keygen -q -Y sign -n jit-1/lock -f $7 $8".to_owned()),
        ("another message", "echo more >> $8; PATH=$REAL ssh-keygen -q -Y sign -n $5 -f $7 $8".to_owned()),
        ("another hash", "PATH=$REAL ssh-keygen -q -Y sign -O hashalg=sha256 -n $5 -f $7 $8".to_owned()),
        ("text after it", "PATH=$REAL ssh-keygen -q -Y sign -n $5 -f $7 $8; echo x >> $8.sig".to_owned()),
        ("nothing in it", ": > $8.sig".to_owned()),
        ("far too much", "head -c 100000 /dev/zero > $8.sig".to_owned()),
    ] {
        script(&bin.join("ssh-keygen"), &lines);
        let error = with(patient).sign_message("jit-1/request", b"asked").unwrap_err();
        assert!(matches!(error, SignError::Malformed(_)), "{what}: {error}");
    }
    script(&bin.join("ssh-keygen"), "true");
    let error = with(patient).sign_message("jit-1/request", b"asked").unwrap_err();
    assert!(matches!(error, SignError::Unreachable(..)), "{error}");
    script(&bin.join("ssh-keygen"), "echo the device is gone >&2; exit 255");
    let error = with(patient).sign_message("jit-1/request", b"asked").unwrap_err();
    assert!(matches!(&error, SignError::Failed(_, why) if why == "the device is gone"), "{error}");
    // Nobody touches: it ends, and so does what it started.
    let pid = folder.join("pid");
    script(&bin.join("ssh-keygen"), &format!("sleep 600 & echo $! > {}; wait", pid.display()));
    let error = with(Duration::from_secs(1)).sign_message("jit-1/request", b"asked").unwrap_err();
    assert!(matches!(error, SignError::Timeout(_, 1)), "{error}");
    let helper = fs::read_to_string(&pid).unwrap();
    let gone = || {
        let status = fs::read_to_string(format!("/proc/{}/status", helper.trim())).unwrap_or_default();
        status.is_empty() || status.contains("State:\tZ")
    };
    let end = Instant::now() + Duration::from_secs(20);
    while !gone() {
        assert!(Instant::now() < end, "what it started still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
    script(&bin.join("ssh-keygen"), "PATH=$REAL exec ssh-keygen \"$@\"");
    with(patient).sign_message("jit-1/request", b"asked").unwrap();
}

/// A key in the agent whose file is here: what it will show is known.
#[test]
fn what_the_file_says_is_known_of_a_key_in_the_agent() {
    if !have("ssh-keygen") || !have("ssh-agent") || !have("ssh-add") || !have(SK_DUMMY) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let real = RealAgent::start(folder);
    keygen(folder, &format!("-q -t ed25519-sk -w {SK_DUMMY} -O no-touch-required -N '' -f lax"));
    run(folder, "ssh-add", &["-q", "-S", SK_DUMMY, "lax"]);
    for path in ["lax", "lax.pub"] {
        let signer = open(&spec(folder.join(path), Some(real.socket.clone())), &mut nobody).unwrap();
        assert_eq!(signer.presence(), Presence { touch: false, pin: false });
        assert_eq!(signer.sign(b"x").unwrap().hardware.unwrap().flags, 0);
    }
    fs::remove_file(folder.join("lax")).unwrap();
    let signer = open(&spec(folder.join("lax.pub"), Some(real.socket.clone())), &mut nobody).unwrap();
    assert_eq!(signer.presence(), Presence { touch: true, pin: true }, "what is not known is taken to be possible");
}

fn script(path: &Path, lines: &str) {
    // Written beside and renamed: one that is being run cannot be written to.
    let beside = path.with_extension("new");
    crate::executable::executable(&beside, format!("#!/bin/sh\n{lines}\n"));
    fs::rename(&beside, path).unwrap();
}
