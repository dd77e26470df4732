//! Every fault, every difference and every refusal of a certificate, and what random bytes do.

use std::collections::BTreeSet;

use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::super::key::{ED25519, HardwareSignature, SK_ED25519, put_string};
use super::*;

/// The first certificate of the sample ledger.
const SAMPLE: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIP3+MS2PK2nN4ZW5s79PZ2jdeDdbOn9zv8Mts7QWdXGtAAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaphAAAAAAAAAAEAAAABAAAAGmppdDo2ZGJ1bG1qZGU2ajI3N2R2OmFsaWNlAAAAHgAAABpwcm9kL3BheW1lbnRzLWRiL3JlYWQtb25seQAAAABrBEc6AAAAAGsETn4AAAAlAAAADnNvdXJjZS1hZGRyZXNzAAAADwAAAAsxMjcuMC4wLjAvOAAAABIAAAAKcGVybWl0LXB0eQAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACBA+PoVfU3qzpjh1WG9HvpHCqS2o49bdcIYwshDiKORWwAAAFMAAAALc3NoLWVkMjU1MTkAAABAOa9gTom57kBzSRYG37EWD26bShSVJolwik85zyUk8Owb4svZSJ9wOKbTbVP3aOAM1CW+TynYnZdTWKSG1PNyCQ==";
const ALICE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph";
const CA: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIED4+hV9TerOmOHVYb0e+kcKpLajj1t1whjCyEOIo5Fb";

/// What `ssh-keygen -L` prints of the sample.
fn sample_spec() -> CertificateSpec {
    CertificateSpec {
        key: ALICE.parse().unwrap(),
        serial: 1,
        key_id: "jit:6dbulmjde6j277dv:alice".into(),
        principals: vec!["prod/payments-db/read-only".into()],
        valid_after: 1_795_442_490,  // 2026-11-23T14:01:30Z
        valid_before: 1_795_444_350, // 2026-11-23T14:32:30Z
        source_address: Some("127.0.0.0/8".into()),
        verify_required: false,
        extensions: BTreeSet::from(["permit-pty".to_owned()]),
        ca: CA.parse().unwrap(),
    }
}

fn hardware_key() -> PublicKey {
    let mut blob = strings(&[SK_ED25519.as_bytes()]);
    put_string(&mut blob, ALICE.parse::<PublicKey>().unwrap().point());
    put_string(&mut blob, b"ssh:");
    PublicKey::from_blob(&blob).unwrap()
}

#[test]
fn the_sample_says_what_its_grant_says() {
    let certificate = Certificate::parse_line(SAMPLE).unwrap();
    assert_eq!(certificate.to_string(), SAMPLE);
    assert_eq!(certificate.kind(), CertificateKind::User);
    assert_eq!(certificate.key().to_string(), ALICE);
    assert_eq!(certificate.ca().to_string(), CA);
    assert_eq!(certificate.serial(), 1);
    assert_eq!(certificate.key_id(), "jit:6dbulmjde6j277dv:alice");
    assert_eq!(certificate.principals(), ["prod/payments-db/read-only"]);
    assert_eq!(certificate.valid_after(), 1_795_442_490);
    assert_eq!(certificate.valid_before(), 1_795_444_350);
    let source_address = (SOURCE_ADDRESS.to_owned(), Some("127.0.0.0/8".to_owned()));
    assert_eq!(*certificate.critical_options(), Options::from([source_address]));
    assert_eq!(*certificate.extensions(), Options::from([("permit-pty".to_owned(), None)]));
    assert_eq!(certificate.nonce().len(), 32);
    assert_eq!(certificate.difference(&sample_spec()), None);
    // The other producer's signature holds over what we say was signed.
    let ca = ed25519_dalek::VerifyingKey::from_bytes(certificate.ca().point()).unwrap();
    let signature = ed25519_dalek::Signature::from_bytes(&certificate.signature().bytes);
    ca.verify_strict(certificate.signed_bytes(), &signature).unwrap();
}

#[test]
fn a_certificate_and_its_fields_are_shown_as_they_are() {
    let certificate = Certificate::parse_line(SAMPLE).unwrap();
    let (label, body) = SAMPLE.split_once(' ').unwrap();
    assert_eq!((certificate.label(), certificate.blob()), (label, STANDARD.decode(body).unwrap().as_slice()));
    assert_eq!(format!("{certificate:?}"), SAMPLE);
    assert_eq!(Certificate::parse_line(&Parts::default().line()).unwrap().label(), "ssh-ed25519-cert-v01@openssh.com");
    for (field, told) in [
        (CertificateField::Kind, "type"),
        (CertificateField::Key, "key"),
        (CertificateField::Serial, "serial"),
        (CertificateField::KeyId, "key id"),
        (CertificateField::Principals, "principals"),
        (CertificateField::ValidAfter, "valid after"),
        (CertificateField::ValidBefore, "valid before"),
        (CertificateField::CriticalOptions, "critical options"),
        (CertificateField::Extensions, "extensions"),
        (CertificateField::Ca, "CA"),
    ] {
        assert_eq!((field.to_string(), format!("{field:>16}")), (told.to_owned(), format!("{told:>16}")));
    }
    let mut spec = sample_spec();
    spec.key_id.clear();
    assert_eq!(spec.to_be_signed([0; 32]).unwrap_err().to_string(), "the certificate's key id would be empty");
}

#[test]
fn the_sample_is_encoded_byte_for_byte() {
    let certificate = Certificate::parse_line(SAMPLE).unwrap();
    let nonce = certificate.nonce().try_into().unwrap();
    let to_be_signed = sample_spec().to_be_signed(nonce).unwrap();
    assert_eq!(to_be_signed.bytes(), certificate.signed_bytes());
    assert_eq!(to_be_signed.finish(certificate.signature()).unwrap(), SAMPLE);
}

#[test]
fn every_difference_from_the_grant_is_named() {
    type Change = fn(&mut CertificateSpec);
    let table: [(CertificateField, Change); 16] = [
        (CertificateField::Key, |s| s.key = CA.parse().unwrap()),
        (CertificateField::Ca, |s| s.ca = ALICE.parse().unwrap()),
        (CertificateField::Serial, |s| s.serial = 2),
        (CertificateField::KeyId, |s| s.key_id = "jit:6dbulmjde6j277dv:bob".into()),
        (CertificateField::Principals, |s| s.principals.push("prod/payments-db/operator".into())),
        (CertificateField::Principals, |s| s.principals = vec!["prod/payments-db/read".into()]),
        (CertificateField::Principals, |s| s.principals.clear()),
        (CertificateField::ValidAfter, |s| s.valid_after += 1),
        (CertificateField::ValidBefore, |s| s.valid_before -= 1),
        (CertificateField::CriticalOptions, |s| s.source_address = None),
        (CertificateField::CriticalOptions, |s| s.source_address = Some("0.0.0.0/0".into())),
        (CertificateField::CriticalOptions, |s| s.verify_required = true),
        (CertificateField::Extensions, |s| s.extensions.clear()),
        (CertificateField::Extensions, |s| {
            s.extensions.insert("permit-port-forwarding".into());
        }),
        (CertificateField::Key, |s| s.key = hardware_key()),
        (CertificateField::Ca, |s| s.ca = hardware_key()),
    ];
    let certificate = Certificate::parse_line(SAMPLE).unwrap();
    for (field, change) in table {
        let mut spec = sample_spec();
        change(&mut spec);
        assert_eq!(certificate.difference(&spec), Some(field));
    }
    let host = Parts { kind: 2, ..Parts::default() }.line();
    let host = Certificate::parse_line(&host).unwrap();
    assert_eq!(host.kind(), CertificateKind::Host);
    assert_eq!(host.difference(&sample_spec()), Some(CertificateField::Kind));
    // A flag that carries data is not the flag.
    let parts = Parts { extensions: strings(&[b"permit-pty", &strings(&[b""])]), ..Parts::default() };
    let certificate = Certificate::parse_line(&parts.line()).unwrap();
    assert_eq!(certificate.difference(&sample_spec()), Some(CertificateField::Extensions));
}

#[test]
fn what_must_not_be_made_is_refused() {
    type Change = fn(&mut CertificateSpec);
    let table: [(SpecError, Change); 14] = [
        (SpecError::NoPrincipals, |s| s.principals.clear()),
        (SpecError::TooManyPrincipals(257), |s| s.principals = (0..257).map(|i| format!("p{i}")).collect()),
        (SpecError::Empty(CertificateField::Principals), |s| s.principals.push(String::new())),
        (SpecError::Empty(CertificateField::KeyId), |s| s.key_id.clear()),
        (SpecError::Empty(CertificateField::CriticalOptions), |s| s.source_address = Some(String::new())),
        (SpecError::Control(CertificateField::Principals), |s| s.principals[0] = "root\0".into()),
        (SpecError::Control(CertificateField::KeyId), |s| s.key_id.push('\n')),
        (SpecError::Control(CertificateField::KeyId), |s| s.key_id.push('\u{85}')),
        (SpecError::Control(CertificateField::CriticalOptions), |s| s.source_address = Some("\x7f".into())),
        (SpecError::Control(CertificateField::Extensions), |s| {
            s.extensions.insert("permit-pty\0".into());
        }),
        (SpecError::NeverEnds, |s| s.valid_before = u64::MAX),
        (SpecError::EndsBeforeItBegins { after: 5, before: 5 }, |s| (s.valid_after, s.valid_before) = (5, 5)),
        (SpecError::EndsBeforeItBegins { after: 6, before: 5 }, |s| (s.valid_after, s.valid_before) = (6, 5)),
        (SpecError::PinWithoutHardware, |s| s.verify_required = true),
    ];
    for (error, change) in table {
        let mut spec = sample_spec();
        change(&mut spec);
        assert_eq!(spec.to_be_signed([0; 32]).unwrap_err(), error);
    }
    let mut spec = sample_spec();
    spec.principals = (0..256).map(|i| format!("p{i}")).collect();
    (spec.key, spec.verify_required) = (hardware_key(), true);
    assert!(spec.to_be_signed([0; 32]).is_ok());
    let by_hardware = RawSignature { bytes: [0; 64], hardware: Some(HardwareSignature { flags: 5, counter: 1 }) };
    let error = spec.to_be_signed([0; 32]).unwrap().finish(&by_hardware).unwrap_err();
    assert_eq!(error, SpecError::SignatureKind);
    spec.ca = hardware_key();
    let plain = RawSignature { bytes: [0; 64], hardware: None };
    assert_eq!(spec.to_be_signed([0; 32]).unwrap().finish(&plain).unwrap_err(), SpecError::SignatureKind);
    let line = spec.to_be_signed([0; 32]).unwrap().finish(&by_hardware).unwrap();
    assert_eq!(*Certificate::parse_line(&line).unwrap().signature(), by_hardware);
}

#[test]
fn each_fault_has_its_own_error() {
    use CertificateError as E;
    const OPTIONS: &str = "critical options";
    const EXTENSIONS: &str = "extensions";
    let duplicate = |list| E::Duplicate { list, name: "a".into() };
    let order = |list| E::Order { list, name: "a".into() };
    let data = |list| E::Data { list, name: "a".into() };
    type Change = fn(&mut Parts);
    let table: Vec<(E, Change)> = vec![
        (E::LabelMismatch { outside: ED25519_CERT.into(), inside: SK_ED25519_CERT.into() }, |p| {
            p.label = SK_ED25519_CERT.into();
        }),
        (E::NotUtf8("label"), |p| p.label = vec![0xff]),
        (E::Nonce(15), |p| p.nonce = vec![1; 15]),
        (E::Nonce(65), |p| p.nonce = vec![1; 65]),
        (E::Nonce(0), |p| p.nonce = vec![]),
        (E::Key(KeyError::Blob), |p| p.point = vec![1; 31]),
        (E::Key(KeyError::Weak), |p| p.point = vec![0; 32]),
        (E::Kind(0), |p| p.kind = 0),
        (E::Kind(3), |p| p.kind = 3),
        (E::NotUtf8("key id"), |p| p.key_id = vec![0xc0, 0x80]),
        (E::Control("key id"), |p| p.key_id = b"jit:x:alice\0".to_vec()),
        (E::Control("key id"), |p| p.key_id = b"jit:x\n:alice".to_vec()),
        (E::Control("valid principals"), |p| p.principals = strings(&[b"root\0/x"])),
        (E::NotUtf8("valid principals"), |p| p.principals = strings(&[b"\xff"])),
        (E::EmptyPrincipal, |p| p.principals = strings(&[b"a", b""])),
        (E::TooManyPrincipals, |p| p.principals = strings(&[&b"p"[..]; 257])),
        (E::Truncated("valid principals"), |p| p.principals = vec![0, 0, 0, 9, b'a']),
        (E::Truncated("valid principals"), |p| p.principals = vec![0, 0]),
        (duplicate(OPTIONS), |p| p.critical_options = strings(&[b"a", b"", b"a", b""])),
        (duplicate(OPTIONS), |p| p.critical_options = strings(&[b"a", b"", b"b", b"", b"a", b""])),
        (order(OPTIONS), |p| p.critical_options = strings(&[b"b", b"", b"a", b""])),
        (data(OPTIONS), |p| p.critical_options = strings(&[b"a", b"raw"])),
        (data(OPTIONS), |p| p.critical_options = strings(&[b"a", &strings(&[b"x", b"y"])])),
        (E::EmptyName(OPTIONS), |p| p.critical_options = strings(&[b"", b""])),
        (E::Control(OPTIONS), |p| p.critical_options = strings(&[b"a\0", b""])),
        (E::Control(OPTIONS), |p| p.critical_options = strings(&[b"a", &strings(&[b"x\0"])])),
        (E::NotUtf8(OPTIONS), |p| p.critical_options = strings(&[b"a", &strings(&[b"\xff"])])),
        (E::Truncated(OPTIONS), |p| p.critical_options = strings(&[b"a"])),
        (duplicate(EXTENSIONS), |p| p.extensions = strings(&[b"a", b"", b"a", b""])),
        (order(EXTENSIONS), |p| p.extensions = strings(&[b"permit-pty", b"", b"a", b""])),
        (data(EXTENSIONS), |p| p.extensions = strings(&[b"a", b"\0\0\0\x05x"])),
        (E::EmptyName(EXTENSIONS), |p| p.extensions = strings(&[b"", b""])),
        (E::Control(EXTENSIONS), |p| p.extensions = strings(&[b"permit-pty\x1b", b""])),
        (E::Truncated(EXTENSIONS), |p| p.extensions = strings(&[b"a"])),
        (E::Reserved, |p| p.reserved = vec![0]),
        (E::Ca(KeyError::Type("ssh-rsa".into())), |p| p.ca = strings(&[b"ssh-rsa", &[1, 0, 1]])),
        (E::Ca(KeyError::Type(ED25519_CERT.into())), |p| p.ca = strings(&[ED25519_CERT.as_bytes(), &alice_point()])),
        (E::Ca(KeyError::Blob), |p| p.ca.push(0)),
        (E::Ca(KeyError::Weak), |p| p.ca = strings(&[ED25519.as_bytes(), &[0; 32]])),
        (E::SignatureLabel { found: "ssh-rsa".into(), expected: ED25519 }, |p| {
            p.signature = strings(&[b"ssh-rsa", &[0; 64]]);
        }),
        (E::SignatureLabel { found: SK_ED25519.into(), expected: ED25519 }, |p| p.signature = sk_signature()),
        (E::SignatureLabel { found: ED25519.into(), expected: SK_ED25519 }, |p| p.ca = hardware_key().blob()),
        (E::Signature, |p| p.signature = strings(&[ED25519.as_bytes(), &[0; 63]])),
        (E::Signature, |p| p.signature = strings(&[ED25519.as_bytes(), &[0; 65]])),
        (E::Signature, |p| p.signature.push(0)),
        (E::Signature, |p| p.signature = vec![]),
        (E::Signature, |p| {
            p.ca = hardware_key().blob();
            p.signature = sk_signature();
            p.signature.pop();
        }),
        (E::Signature, |p| {
            p.ca = hardware_key().blob();
            p.signature = [sk_signature(), vec![0]].concat();
        }),
        (E::Trailing, |p| p.trailing = vec![0]),
    ];
    assert!(Certificate::parse_line(&Parts::default().line()).is_ok());
    for (number, (error, change)) in table.into_iter().enumerate() {
        let mut parts = Parts::default();
        change(&mut parts);
        assert_eq!(Certificate::parse_line(&parts.line()).unwrap_err(), error, "row {number}");
    }
}

#[test]
fn a_line_has_one_spelling() {
    use CertificateError as E;
    let body = SAMPLE.split_once(' ').unwrap().1;
    let table = [
        (E::Text, String::new()),
        (E::Text, ED25519_CERT.to_owned()),
        (E::Text, format!("{ED25519_CERT} ")),
        (E::Text, format!("{SAMPLE} alice")),
        (E::Text, format!("{SAMPLE}\n")),
        (E::Text, format!("{ED25519_CERT}  {body}")),
        (E::Label(String::new()), format!(" {SAMPLE}")),
        (E::Label("ssh-ed25519".into()), ALICE.to_owned()),
        (E::Label("ssh-rsa-cert-v01@openssh.com".into()), format!("ssh-rsa-cert-v01@openssh.com {body}")),
        (E::Base64, SAMPLE.trim_end_matches('=').to_owned()),
        (E::Base64, format!("{SAMPLE}=")),
        // The spare bits of the last character: 'Q' and 'R' end the same bytes.
        (E::Base64, SAMPLE.replace("NyCQ==", "NyCR==")),
        (E::Base64, SAMPLE.replace("NyCQ==", "Ny-Q==")),
        (E::LabelMismatch { outside: SK_ED25519_CERT.into(), inside: ED25519_CERT.into() }, format!("sk-{SAMPLE}")),
    ];
    for (error, line) in table {
        assert_eq!(Certificate::parse_line(&line).unwrap_err(), error, "{line}");
    }
}

#[test]
fn a_certificate_that_is_cut_off_is_refused_at_every_byte() {
    let blob = Certificate::parse_line(SAMPLE).unwrap().blob().to_vec();
    for length in 0..blob.len() {
        let line = format!("{ED25519_CERT} {}", STANDARD.encode(&blob[..length]));
        let error = Certificate::parse_line(&line).unwrap_err();
        // Of an empty blob nothing is left of the line but its label.
        let expected = if length == 0 { error == CertificateError::Text } else { is_truncation(&error) };
        assert!(expected, "{length}: {error:?}");
    }
}

fn is_truncation(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Truncated(_))
}

fn alice_point() -> [u8; 32] {
    *ALICE.parse::<PublicKey>().unwrap().point()
}

/// Flags 5 (touched, PIN given), counter 1.
fn sk_signature() -> Vec<u8> {
    let mut signature = strings(&[SK_ED25519.as_bytes(), &[0; 64]]);
    signature.extend_from_slice(&[5, 0, 0, 0, 1]);
    signature
}

/// A certificate field by field, as an attacker would write it: nothing is checked.
#[derive(Clone)]
struct Parts {
    label: Vec<u8>,
    nonce: Vec<u8>,
    point: Vec<u8>,
    serial: u64,
    kind: u32,
    key_id: Vec<u8>,
    principals: Vec<u8>,
    valid_after: u64,
    valid_before: u64,
    critical_options: Vec<u8>,
    extensions: Vec<u8>,
    reserved: Vec<u8>,
    ca: Vec<u8>,
    signature: Vec<u8>,
    trailing: Vec<u8>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            label: ED25519_CERT.into(),
            nonce: vec![7; 32],
            point: alice_point().to_vec(),
            serial: 1,
            kind: 1,
            key_id: b"jit:6dbulmjde6j277dv:alice".to_vec(),
            principals: strings(&[b"prod/payments-db/read-only"]),
            valid_after: 1_795_442_490,
            valid_before: 1_795_444_350,
            critical_options: strings(&[b"source-address", &strings(&[b"127.0.0.0/8"])]),
            extensions: strings(&[b"permit-pty", b""]),
            reserved: vec![],
            ca: CA.parse::<PublicKey>().unwrap().blob(),
            signature: strings(&[ED25519.as_bytes(), &[0; 64]]),
            trailing: vec![],
        }
    }
}

impl Parts {
    fn line(&self) -> String {
        let mut blob = strings(&[&self.label, &self.nonce, &self.point]);
        blob.extend_from_slice(&self.serial.to_be_bytes());
        blob.extend_from_slice(&self.kind.to_be_bytes());
        blob.extend(strings(&[&self.key_id, &self.principals]));
        blob.extend_from_slice(&self.valid_after.to_be_bytes());
        blob.extend_from_slice(&self.valid_before.to_be_bytes());
        let rest: [&[u8]; 5] = [&self.critical_options, &self.extensions, &self.reserved, &self.ca, &self.signature];
        blob.extend(strings(&rest));
        blob.extend_from_slice(&self.trailing);
        format!("{ED25519_CERT} {}", STANDARD.encode(blob))
    }
}

fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        put_string(&mut out, part);
    }
    out
}

prop_compose! {
    fn any_spec()(
        (seed, ca_seed, hardware, verify) in any::<([u8; 32], [u8; 32], bool, bool)>(),
        serial in any::<u64>(),
        key_id in "[ -~é]{1,40}",
        principals in prop::collection::vec("[a-z0-9/.-]{1,30}", 1..20),
        valid_after in any::<u64>().prop_filter("room for an end", |t| *t < u64::MAX - 10),
        length in 1_u64..9,
        source_address in prop::option::of("[0-9./,]{1,40}"),
        extensions in prop::collection::btree_set("[a-zA-Z@.-]{1,30}", 0..8),
    ) -> CertificateSpec {
        let point = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let mut blob = strings(&[SK_ED25519.as_bytes(), &point, b"ssh:"]);
        if !hardware {
            blob = strings(&[ED25519.as_bytes(), &point]);
        }
        CertificateSpec {
            key: PublicKey::from_blob(&blob).unwrap(),
            serial,
            key_id,
            principals,
            valid_after,
            valid_before: valid_after + length,
            source_address,
            verify_required: hardware && verify,
            extensions,
            ca: PublicKey::ed25519(SigningKey::from_bytes(&ca_seed).verifying_key().to_bytes()).unwrap(),
        }
    }
}

proptest! {
    #[test]
    fn what_was_written_is_what_is_parsed(spec in any_spec(), nonce in any::<[u8; 32]>(), seed in any::<[u8; 32]>()) {
        let to_be_signed = spec.to_be_signed(nonce).unwrap();
        let signed = to_be_signed.bytes().to_vec();
        let signature = RawSignature { bytes: SigningKey::from_bytes(&seed).sign(&signed).to_bytes(), hardware: None };
        let line = to_be_signed.finish(&signature).unwrap();
        let certificate = Certificate::parse_line(&line).unwrap();
        prop_assert_eq!(certificate.difference(&spec), None);
        prop_assert_eq!(certificate.nonce(), &nonce[..]);
        prop_assert_eq!(certificate.signed_bytes(), signed);
        prop_assert_eq!(certificate.signature(), &signature);
        prop_assert_eq!(certificate.to_string(), line);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        prop_assert!(Certificate::parse_line(&text).is_err());
        let line = format!("{ED25519_CERT} {}", STANDARD.encode(&bytes));
        prop_assert!(Certificate::parse_line(&line).is_err());
    }

    /// A byte changed anywhere: refused, or another certificate that still has exactly this one text.
    #[test]
    fn a_changed_byte_never_goes_unseen(position in any::<prop::sample::Index>(), change in 1_u8..) {
        let original = Certificate::parse_line(SAMPLE).unwrap();
        let mut blob = original.blob().to_vec();
        let position = position.index(blob.len());
        blob[position] ^= change;
        let line = format!("{ED25519_CERT} {}", STANDARD.encode(&blob));
        if let Ok(changed) = Certificate::parse_line(&line) {
            prop_assert_ne!(&changed, &original);
            prop_assert_eq!(changed.to_string(), line);
            // A05 sees it, but for the CA's random nonce and the signature, which the signature's check sees.
            let seen = changed.difference(&sample_spec()).is_some();
            prop_assert!(seen || changed.nonce() != original.nonce() || changed.signature() != original.signature());
        }
    }
}
