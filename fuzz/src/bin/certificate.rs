//! Certificates: one spelling, what is read is within its bounds, and a changed one bears no signature of its CA.
#![no_main]

use std::str::FromStr as _;

use jit::domain::certificate::{Certificate, MAX_PRINCIPALS};
use jit::domain::key::PublicKey;
use jit::sshsig::verify_raw;

const CA: &str = include_str!("../../../tests/vectors/sample/keys/ca-prod.pub");
/// What this CA has signed.
const SIGNED: [&str; 3] = [
    include_str!("../../seeds/certificate/one"),
    include_str!("../../seeds/certificate/two"),
    include_str!("../../seeds/certificate/three"),
];

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(certificate) = Certificate::parse_line(text) else { return };
    assert_eq!(certificate.to_string(), text, "one certificate, two spellings");
    assert!(certificate.principals().len() <= MAX_PRINCIPALS);
    let texts = certificate.principals().iter().chain(certificate.extensions().keys());
    assert!(texts.chain([&certificate.key_id().to_owned()]).all(|text| !text.contains(char::is_control)));
    assert_eq!(PublicKey::from_str(&certificate.key().to_string()).as_ref(), Ok(certificate.key()));
    assert!(certificate.blob().starts_with(certificate.signed_bytes()));
    let ca = jit_fuzz::public_key(CA);
    if *certificate.ca() == ca && verify_raw(&ca, certificate.signed_bytes(), certificate.signature()).is_ok() {
        assert!(SIGNED.contains(&text), "the CA never signed this");
    }
});
