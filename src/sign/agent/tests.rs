//! Answers of an agent, well-formed and not, and a peer that misbehaves.

use std::os::unix::net::UnixListener;

use proptest::prelude::*;

use super::*;
use crate::domain::key::{ED25519, SK_ED25519};

const ALICE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph";

fn alice() -> PublicKey {
    ALICE.parse().unwrap()
}

fn hardware() -> PublicKey {
    PublicKey::from_blob(&strings(&[SK_ED25519.as_bytes(), alice().point(), b"ssh:"])).unwrap()
}

fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        put_string(&mut out, part);
    }
    out
}

fn signed(signature: &[u8]) -> Vec<u8> {
    [vec![SIGN_RESPONSE], strings(&[signature])].concat()
}

fn listed(count: u32, rest: &[u8]) -> Vec<u8> {
    [&[IDENTITIES_ANSWER][..], &count.to_be_bytes(), rest].concat()
}

#[test]
fn only_keys_of_our_kinds_are_listed() {
    let rsa = strings(&[b"ssh-rsa", &[1, 0, 1], &[1; 32]]);
    let weak = strings(&[ED25519.as_bytes(), &[0; 32]]);
    let body = strings(&[&rsa, b"r", &weak, b"w", &alice().blob(), b"alice@laptop", &hardware().blob(), b"\xff"]);
    let found = parse_identities(&listed(4, &body)).unwrap();
    let expected = [
        Identity { key: alice(), comment: "alice@laptop".into() },
        Identity { key: hardware(), comment: "\u{fffd}".into() },
    ];
    assert_eq!(found, expected);
    assert_eq!(parse_identities(&listed(0, b"")).unwrap(), []);
}

#[test]
fn malformed_lists_are_refused() {
    let one = strings(&[&alice().blob(), b"alice"]);
    for (answer, why) in [
        (vec![], "it is empty"),
        (vec![IDENTITIES_ANSWER], "the number of keys is missing"),
        (vec![IDENTITIES_ANSWER, 0, 0], "the number of keys is missing"),
        (vec![SIGN_RESPONSE, 0, 0, 0, 0], "it is of another type"),
        (listed(2, &one), "the list of keys is cut off"),
        (listed(u32::MAX, &one), "the list of keys is cut off"),
        (listed(1, &one[..one.len() - 1]), "the list of keys is cut off"),
        (listed(0, &one), "bytes follow the list of keys"),
    ] {
        let error = parse_identities(&answer).unwrap_err();
        assert!(matches!(error, AgentError::Malformed(found) if found == why), "{error:?} for {why}");
    }
    assert!(matches!(parse_identities(&[FAILURE]), Err(AgentError::Refused)));
}

#[test]
fn signatures_are_parsed_to_the_end() {
    let plain = strings(&[ED25519.as_bytes(), &[3; 64]]);
    let sk = [strings(&[SK_ED25519.as_bytes(), &[3; 64]]), vec![5, 0, 0, 1, 2]].concat();
    let parsed = parse_signature(&signed(&plain), &alice()).unwrap();
    assert_eq!(parsed, RawSignature { bytes: [3; 64], hardware: None });
    let parsed = parse_signature(&signed(&sk), &hardware()).unwrap();
    let flags_and_counter = HardwareSignature { flags: 5, counter: 258 };
    assert_eq!(parsed, RawSignature { bytes: [3; 64], hardware: Some(flags_and_counter) });

    for (answer, key, why) in [
        (vec![SIGN_RESPONSE], alice(), "the signature is cut off"),
        ([signed(&plain), vec![0]].concat(), alice(), "bytes follow the signature"),
        (signed(&sk), alice(), "the signature is of another type than the key"),
        (signed(&plain), hardware(), "the signature is of another type than the key"),
        (signed(&strings(&[ED25519.as_bytes(), &[3; 63]])), alice(), "the signature has not 64 bytes"),
        (signed(&strings(&[ED25519.as_bytes()])), alice(), "the signature has not 64 bytes"),
        (signed(&sk[..sk.len() - 1]), hardware(), "the signature lacks flags and counter"),
        (signed(&[plain.clone(), vec![0]].concat()), alice(), "bytes follow within the signature"),
        (signed(&[sk.clone(), vec![0]].concat()), hardware(), "bytes follow within the signature"),
    ] {
        let error = parse_signature(&answer, &key).unwrap_err();
        assert!(matches!(error, AgentError::Malformed(found) if found == why), "{error:?} for {why}");
    }
    assert!(matches!(parse_signature(&[FAILURE], &alice()), Err(AgentError::Refused)));
}

/// What [`Agent::identities`] makes of a peer that sends `bytes` and hangs up.
fn peer_says(bytes: &'static [u8]) -> Result<Vec<Identity>, AgentError> {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    let peer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).unwrap();
        stream.write_all(bytes).unwrap();
        request
    });
    let answer = Agent::new(&socket).identities();
    // draft-ietf-sshm-ssh-agent, section 3: a length, then the type.
    assert_eq!(peer.join().unwrap(), [0, 0, 0, 1, 11]);
    answer
}

#[test]
fn a_bad_peer_is_an_error() {
    assert!(matches!(peer_says(b""), Err(AgentError::Io(e)) if e.kind() == io::ErrorKind::UnexpectedEof));
    assert!(
        matches!(peer_says(b"\0\0\0\x05\x0c\0"), Err(AgentError::Io(e)) if e.kind() == io::ErrorKind::UnexpectedEof)
    );
    assert!(matches!(peer_says(b"\0\0\0\0"), Err(AgentError::Malformed("it is empty"))));
    assert!(matches!(peer_says(b"\0\0\0\x01\x05"), Err(AgentError::Refused)));
    assert!(matches!(peer_says(b"\0\x04\0\x01"), Err(AgentError::TooLarge(262_145))));
    assert!(matches!(peer_says(b"\xff\xff\xff\xff"), Err(AgentError::TooLarge(_))));
    assert!(peer_says(b"\0\0\0\x05\x0c\0\0\0\0").unwrap().is_empty());
}

#[test]
fn silence_ends_by_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let _silent = UnixListener::bind(&socket).unwrap();
    let error = Agent::new(&socket).ask(&[REQUEST_IDENTITIES], Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, AgentError::Timeout(_)), "{error:?}");
    let too_much = vec![0; LARGEST_MESSAGE];
    assert!(matches!(Agent::new(&socket).sign(&alice(), &too_much), Err(AgentError::TooLarge(_))));
    let nobody = Agent::new(folder.path().join("nobody")).identities();
    assert!(matches!(nobody, Err(AgentError::Connect(..))));
}

proptest! {
    #[test]
    fn random_answers_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_identities(&bytes);
        let _ = parse_signature(&bytes, &hardware());
        if let Some(first) = bytes.first_mut() {
            *first = IDENTITIES_ANSWER;
        }
        if let Ok(identities) = parse_identities(&bytes) {
            prop_assert!(identities.len() * 8 <= bytes.len());
        }
    }
}
