//! Signature files (SSHSIG): one spelling, and none verifies over a message that its key has not signed.
#![no_main]

use jit::sshsig::{SshSig, parse_signature_blob, signature_blob};

/// A message and the one signature file over it, made by ssh-keygen.
const MESSAGE: &[u8] = include_bytes!("../../seeds/event/request.toml");
const SIGNATURE: &[u8] = include_bytes!("../../seeds/signature/request.sig");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(signature) = SshSig::parse(bytes) else { return };
    assert_eq!(signature.to_armored().as_bytes(), bytes, "one signature, two spellings");
    let again = SshSig::new(signature.public_key().clone(), signature.namespace(), signature.raw().clone());
    assert_eq!(again.to_armored().as_bytes(), bytes);
    let blob = signature_blob(signature.public_key(), signature.raw());
    assert_eq!(parse_signature_blob(&blob, signature.public_key()).as_ref(), Ok(signature.raw()));
    if signature.verify(MESSAGE).is_ok() {
        assert_eq!(bytes, SIGNATURE, "a signature that nobody made");
    }
    assert!(!signature.touched() || signature.hardware().is_some(), "a software key is not touched");
});
