//! Checkpoints: what a log says its size and root are, signed (C2SP tlog-checkpoint v1.0.0; format.md, section 4). PURE;
//! imports only `domain::id` and the notes beside it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cosignature::{self, Cosignature};
use super::note::{KeyName, NameError, Note, NoteError, NoteKeyError, NoteSignature, SignatureType, VerifierKey};
use crate::domain::id::Digest;
use crate::domain::key::PublicKey;

/// The largest size of a log: what fits in 63 bits, so that no proof has more than 63 hashes.
pub const MAX_SIZE: u64 = u64::MAX >> 1;

/// Why a note is no checkpoint, or not one to trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer than three lines.
    #[error("a checkpoint has at least three lines: origin, size, root")]
    Lines,
    /// The origin is empty.
    #[error("the checkpoint's origin is empty")]
    Origin,
    /// The size is not a decimal number without leading zeroes, or more than [`MAX_SIZE`].
    #[error("the checkpoint's size is not a decimal number without leading zeroes")]
    Size,
    /// The root is not 32 bytes in canonical base64.
    #[error("the checkpoint's root is not 32 bytes in base64")]
    Root,
    /// A line after the root is empty.
    #[error("the checkpoint has an empty line after its root")]
    Extension,
    /// Another log's checkpoint.
    #[error("the checkpoint is of the log {found:?}, expected {expected:?}")]
    OtherLog {
        /// The origin that it has.
        found: String,
        /// The origin that it should have.
        expected: String,
    },
    /// No signature is by the log's key.
    #[error("the checkpoint is not signed by the log's key ({0})")]
    Unsigned(KeyName),
    /// A signature says that a key made it which did not.
    #[error("the signature of {0} does not verify")]
    BadSignature(KeyName),
}

/// The origin of a ledger's log: `jit/` and the first 16 characters of the ledger id in base32.
pub fn origin(ledger: &Digest) -> String {
    format!("jit/{}", ledger.short())
}

/// The key that signs a ledger's checkpoints, named as the log is.
///
/// # Errors
/// [`NoteKeyError::Hardware`] for a hardware key.
pub fn log_key(ledger: &Digest, key: PublicKey) -> Result<VerifierKey, NoteKeyError> {
    let name = origin(ledger).parse().map_err(|NameError| NoteKeyError::Name)?;
    VerifierKey::new(name, SignatureType::Ed25519, key)
}

/// What a checkpoint says: the text of the note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log it is.
    pub origin: String,
    /// How many leaves the log has.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// Further lines. We write none and keep those that others wrote.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without further lines.
    pub const fn new(origin: String, size: u64, root: Digest) -> Self {
        Self { origin, size, root, extensions: Vec::new() }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// The first cause found.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let text = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Lines);
        };
        if origin.is_empty() {
            return Err(CheckpointError::Origin);
        }
        let size = parse_number(size).filter(|&size| size <= MAX_SIZE).ok_or(CheckpointError::Size)?;
        let root = parse_hash(root).ok_or(CheckpointError::Root)?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }
}

impl fmt::Display for Checkpoint {
    /// The text of the note, with its final line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, encode_hash(&self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint in its note. That somebody signed it is what [`SignedCheckpoint::verify`] says, and nothing else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// A checkpoint with its first signature: `signature` is Ed25519 by `key` over the checkpoint's text.
    ///
    /// # Errors
    /// [`CheckpointError::BadSignature`] where it is not, others where the checkpoint cannot be written down.
    pub fn new(checkpoint: &Checkpoint, key: &VerifierKey, signature: [u8; 64]) -> Result<Self, CheckpointError> {
        let text = checkpoint.to_string();
        let mut note = Note::unsigned(text.clone())?;
        note.add(key.line(signature.to_vec()));
        let signed = Self { checkpoint: Checkpoint::parse(&text)?, note };
        signed.verify(key)?;
        Ok(signed)
    }

    /// Reads a signed note with a checkpoint in it. Verifies nothing.
    ///
    /// # Errors
    /// The first cause found.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// What it says.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Checks that it is of the log that `key` is named after, and signed by it.
    ///
    /// # Errors
    /// [`CheckpointError::OtherLog`], [`CheckpointError::Unsigned`] or [`CheckpointError::BadSignature`].
    pub fn verify(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        if self.checkpoint.origin != key.name().as_str() {
            let expected = key.name().as_str().to_owned();
            return Err(CheckpointError::OtherLog { found: self.checkpoint.origin.clone(), expected });
        }
        let mut is_signed = false;
        for signature in self.note.signatures_of(key) {
            let bytes = <&[u8; 64]>::try_from(signature.bytes.as_slice()).ok();
            // "If a signature from a known key fails to verify, clients SHOULD reject the whole note."
            if !bytes.is_some_and(|bytes| key.accepts(self.note.text().as_bytes(), bytes)) {
                return Err(CheckpointError::BadSignature(key.name().clone()));
            }
            is_signed = true;
        }
        if is_signed { Ok(()) } else { Err(CheckpointError::Unsigned(key.name().clone())) }
    }

    /// The cosignatures by these witnesses: of each that signed, its newest. Those of unknown keys are passed over.
    ///
    /// # Errors
    /// [`CheckpointError::BadSignature`] where one of a known key does not verify.
    pub fn cosignatures<'a>(
        &self,
        witnesses: impl IntoIterator<Item = &'a VerifierKey>,
    ) -> Result<Vec<Cosignature>, CheckpointError> {
        let mut found = Vec::new();
        for key in witnesses {
            let mut newest = None;
            for signature in self.note.signatures_of(key) {
                let time = cosignature::verify(key, self.note.text(), signature)
                    .map_err(|_| CheckpointError::BadSignature(key.name().clone()))?;
                newest = newest.max(Some(time));
            }
            found.extend(newest.map(|time| Cosignature { witness: key.clone(), time }));
        }
        Ok(found)
    }

    /// Adds a signature line.
    pub fn add(&mut self, signature: NoteSignature) {
        self.note.add(signature);
    }

    /// Takes the signatures out that `keep` does not want.
    pub fn retain(&mut self, keep: impl FnMut(&NoteSignature) -> bool) {
        self.note.retain(keep);
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.note, f)
    }
}

/// A hash as checkpoints and proofs have it: canonical base64 of 32 bytes.
pub fn encode_hash(hash: &Digest) -> String {
    STANDARD.encode(hash.as_bytes())
}

/// A hash from its canonical base64.
pub fn parse_hash(text: &str) -> Option<Digest> {
    // 44 characters: nothing longer is decoded.
    if text.len() != 44 {
        return None;
    }
    STANDARD.decode(text).ok()?.try_into().ok().map(Digest::from_bytes)
}

/// "ASCII decimal with no leading zeroes", `0` being zero.
pub fn parse_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
