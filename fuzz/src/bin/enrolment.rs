//! Proofs of possession: one spelling, and none holds for another ledger, name or key.
#![no_main]

use jit::domain::id::Digest;
use jit::sshsig::enrolment::{Proof, parse_all};

/// A proof that `dave` made with ssh-keygen, for the ledger below.
const KNOWN: &[u8] = include_bytes!("../../seeds/enrolment/dave");
const LEDGER: &str = "sha256:d70ae84d0e92ab997a9246788e9092b16411195254d634d5696baef6831a558e";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let ledger: Digest = LEDGER.parse().expect("a digest");
    if let Ok(proof) = Proof::parse(bytes) {
        assert_eq!(proof.to_text().as_bytes(), bytes, "one proof, two spellings");
        if proof.check(ledger, &"dave".parse().expect("a name")).is_ok() {
            assert_eq!(bytes, KNOWN, "a proof that nobody made");
        }
    }
    if let Ok(proofs) = parse_all(bytes) {
        assert_eq!(proofs.iter().map(Proof::to_text).collect::<String>().as_bytes(), bytes);
    }
});
