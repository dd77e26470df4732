//! Notes, checkpoints, cosignatures, verifier keys and signature lines: one spelling each, and nothing verifies that the
//! key's holder has not signed.
#![no_main]

use jit::merkle::note::parse_signatures;
use jit::merkle::{Checkpoint, Note, SignedCheckpoint, VerifierKey};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes, "one note, two spellings");
        assert!(!note.signatures().is_empty());
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes) {
        assert_eq!(checkpoint.to_string().as_bytes(), bytes);
        assert_eq!(checkpoint.checkpoint().to_string(), checkpoint.note().text());
        jit_fuzz::check_signatures(&checkpoint);
        // With nobody's signature it is nobody's.
        let mut bare = checkpoint;
        bare.retain(|_| false);
        assert!(bare.verify(&jit_fuzz::log().key).is_err());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(signatures) = parse_signatures(text) {
        assert_eq!(signatures.iter().map(ToString::to_string).collect::<String>(), text);
    }
});
