//! What the fuzz targets share: keys and signed texts of the tests' vectors, which nobody here could have signed anew. So
//! whatever verifies under one of these keys must be one of these texts.

use std::sync::OnceLock;

use jit::domain::key::PublicKey;
use jit::merkle::{SignedCheckpoint, VerifierKey};

/// The vectors of C2SP: two verifier keys, then signed checkpoints, apart by `====`.
const SIGNED: &str = include_str!("../../tests/vectors/c2sp/signed.txt");

/// A log, a witness, and everything that they have ever signed.
pub struct Log {
    /// The log's key.
    pub key: VerifierKey,
    /// The witness's key.
    pub witness: VerifierKey,
    /// The texts of the checkpoints.
    pub texts: Vec<String>,
}

/// The log of the vectors.
pub fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let mut parts = SIGNED.split("====\n");
        let mut keys = parts.next().expect("keys").lines().map(|line| line.parse().expect("a verifier key"));
        let (key, witness) = (keys.next().expect("the log's key"), keys.next().expect("the witness's key"));
        let text =
            |note: &str| SignedCheckpoint::parse(note.as_bytes()).expect("a checkpoint").note().text().to_owned();
        Log { key, witness, texts: parts.map(text).collect() }
    })
}

/// Asserts of a checkpoint what must hold whatever bytes it came from: nobody but the log and the witness signs for them.
pub fn check_signatures(checkpoint: &SignedCheckpoint) {
    let Log { key, witness, texts } = log();
    let is_known = || texts.iter().any(|text| text == checkpoint.note().text());
    if checkpoint.verify(key).is_ok() {
        assert!(is_known(), "the log's key never signed this");
    }
    if checkpoint.cosignatures([witness]).is_ok_and(|found| !found.is_empty()) {
        assert!(is_known(), "the witness never cosigned this");
    }
}

/// A public key of the tests' vectors.
pub fn public_key(line: &str) -> PublicKey {
    PublicKey::from_pub_line(line).expect("a public key")
}

/// Bytes taken from the front of a fuzzer's input, zero where there are no more.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Two bytes as a number.
    pub fn short(&mut self) -> usize {
        usize::from(u16::from_be_bytes([self.byte(), self.byte()]))
    }

    /// At most so many bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        head
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
