//! Proof files: that a leaf is in a log, with the checkpoint that says so (C2SP tlog-proof; format.md, section 4); and what
//! is submitted to a witness: that a checkpoint continues an older one (C2SP tlog-witness, `add-checkpoint`). Both are
//! lines of hashes, an empty line and a signed note. PURE; imports only `domain::id` and the types beside it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{CheckpointError, MAX_SIZE, SignedCheckpoint, encode_hash, parse_hash, parse_number};
use super::note;
use super::proof::{ProofError, verify_inclusion};
use crate::domain::id::Digest;

/// The first line of a proof file.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The extension of a proof file's name.
pub const EXTENSION: &str = "tlog-proof";
/// The largest proof file that is read, in bytes: an event of 64 KiB with its signature, in base64, and a large note.
pub const MAX_BYTES: usize = 2_000_000;
/// The most hashes in a proof.
pub const MAX_HASHES: usize = 63;

/// Why a text is no proof file, or no submission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// More than [`MAX_BYTES`]. Holds the length in bytes.
    #[error("the proof is {0} bytes long, the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("the proof is not UTF-8")]
    Utf8,
    /// The first line is not [`HEADER`].
    #[error("the first line of the proof is not `{HEADER}`")]
    Header,
    /// The extra data is not canonical base64.
    #[error("the extra data of the proof is not base64")]
    Extra,
    /// There is no line `index N`, or N is not a decimal number without leading zeroes.
    #[error("the proof has no line `index N`, N a decimal number without leading zeroes")]
    Index,
    /// There is no line `old N`, or N is not a decimal number without leading zeroes.
    #[error("the first line is not `old N`, N a decimal number without leading zeroes")]
    Old,
    /// A line of the proof is not 32 bytes in base64. Holds its number among the hashes, from 1.
    #[error("hash {0} of the proof is not 32 bytes in base64")]
    Hash(usize),
    /// More than [`MAX_HASHES`] hashes.
    #[error("the proof has more than {MAX_HASHES} hashes")]
    TooMany,
    /// No empty line ends the hashes.
    #[error("the proof has no empty line before its checkpoint")]
    NoCheckpoint,
    /// What follows the empty line is no checkpoint.
    #[error("the checkpoint in the proof cannot be read")]
    Checkpoint(#[source] CheckpointError),
}

/// A proof file: a leaf's index, its audit path, and the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// What the application adds. Nothing vouches for it before it was hashed into the leaf.
    pub extra: Option<Vec<u8>>,
    /// The leaf's index, from 0.
    pub index: u64,
    /// The audit path, from the leaf upwards.
    pub hashes: Vec<Digest>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl TlogProof {
    /// Reads a proof file. Verifies nothing.
    ///
    /// # Errors
    /// The first cause found.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let rest = read_text(bytes)?.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n'));
        let mut rest = rest.ok_or(TlogProofError::Header)?;
        let mut extra = None;
        if let Some(line) = rest.strip_prefix("extra ") {
            let (data, after) = line.split_once('\n').ok_or(TlogProofError::Index)?;
            extra = Some(STANDARD.decode(data).map_err(|_| TlogProofError::Extra)?);
            rest = after;
        }
        let (index, rest) = numbered(rest, "index ").ok_or(TlogProofError::Index)?;
        let (hashes, checkpoint) = parse_hashes(rest)?;
        Ok(Self { extra, index, hashes, checkpoint })
    }

    /// Checks that `leaf` (a leaf hash) is in the log that the checkpoint is of. Whether the checkpoint is signed by
    /// anybody to trust is for [`SignedCheckpoint::verify`].
    ///
    /// # Errors
    /// Why not.
    pub fn verify_leaf(&self, leaf: &Digest) -> Result<(), ProofError> {
        let checkpoint = self.checkpoint.checkpoint();
        verify_inclusion(leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        write_hashes(f, &self.hashes, &self.checkpoint)
    }
}

/// That a checkpoint continues the log of `old` leaves: the body of `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The size of the older log.
    pub old: u64,
    /// The consistency proof.
    pub hashes: Vec<Digest>,
    /// The newer checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl Submission {
    /// Reads the body of `add-checkpoint`. Verifies nothing.
    ///
    /// # Errors
    /// The first cause found.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let (old, rest) = numbered(read_text(bytes)?, "old ").ok_or(TlogProofError::Old)?;
        let (hashes, checkpoint) = parse_hashes(rest)?;
        Ok(Self { old, hashes, checkpoint })
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        write_hashes(f, &self.hashes, &self.checkpoint)
    }
}

fn read_text(bytes: &[u8]) -> Result<&str, TlogProofError> {
    if bytes.len() > MAX_BYTES {
        return Err(TlogProofError::TooLarge(bytes.len()));
    }
    std::str::from_utf8(bytes).map_err(|_| TlogProofError::Utf8)
}

/// A line `WORD NUMBER`, and what follows it.
fn numbered<'a>(text: &'a str, word: &str) -> Option<(u64, &'a str)> {
    let (number, rest) = text.strip_prefix(word)?.split_once('\n')?;
    Some((parse_number(number).filter(|&number| number <= MAX_SIZE)?, rest))
}

fn parse_hashes(text: &str) -> Result<(Vec<Digest>, SignedCheckpoint), TlogProofError> {
    let mut hashes = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = rest.split_once('\n').ok_or(TlogProofError::NoCheckpoint)?;
        rest = after;
        if line.is_empty() {
            let checkpoint = SignedCheckpoint::parse(rest.as_bytes()).map_err(TlogProofError::Checkpoint)?;
            return Ok((hashes, checkpoint));
        }
        if hashes.len() == MAX_HASHES {
            return Err(TlogProofError::TooMany);
        }
        hashes.push(parse_hash(line).ok_or(TlogProofError::Hash(hashes.len().saturating_add(1)))?);
    }
}

fn write_hashes(f: &mut fmt::Formatter<'_>, hashes: &[Digest], checkpoint: &SignedCheckpoint) -> fmt::Result {
    hashes.iter().try_for_each(|hash| writeln!(f, "{}", encode_hash(hash)))?;
    write!(f, "\n{checkpoint}")
}

// A note is part of a proof: whatever note can be read can be read inside a proof.
const _: () = assert!(note::MAX_BYTES < MAX_BYTES);
