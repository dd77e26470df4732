//! Cosignatures: a witness's word that it saw a log only grow, up to this checkpoint, at this time (C2SP
//! tlog-cosignature, Ed25519, `cosignature/v1`; format.md, section 4). PURE; imports only `domain::time` and the notes
//! beside it.

use super::note::{NoteSignature, SignatureType, VerifierKey};
use crate::domain::time::Timestamp;

/// Why a signature line is no cosignature by a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The key is not one for cosignatures.
    #[error("the key is not one for cosignatures (type 0x04)")]
    Type,
    /// Not 8 bytes of time and 64 of signature. Holds the length in bytes.
    #[error("the cosignature is {0} bytes long, expected 72")]
    Length(usize),
    /// The time is after the year 9999. Holds it, in seconds since the epoch.
    #[error("the cosignature's time is {0} seconds after 1970, which is no time")]
    Time(u64),
    /// It does not verify.
    #[error("the cosignature does not verify")]
    Bad,
}

/// A cosignature that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Who signed.
    pub witness: VerifierKey,
    /// When, as the witness says.
    pub time: Timestamp,
}

/// What a witness signs: the header, the time, and the text of the checkpoint with its final line feed.
pub fn message(time: Timestamp, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {}\n{text}", time.unix()).into_bytes()
}

/// The signature line for a cosignature made at `time`: `signature` is Ed25519 by `key` over [`message`].
///
/// # Errors
/// [`CosignatureError::Type`] for another kind of key, [`CosignatureError::Bad`] where the signature is not this key's.
pub fn line(
    key: &VerifierKey,
    time: Timestamp,
    text: &str,
    signature: [u8; 64],
) -> Result<NoteSignature, CosignatureError> {
    let line = key.line([time.unix_u64().to_be_bytes().as_slice(), &signature].concat());
    verify(key, text, &line)?;
    Ok(line)
}

/// Verifies a signature line of `key` over the text of a checkpoint, and gives the time it was made at.
///
/// # Errors
/// Why it is not good.
pub fn verify(key: &VerifierKey, text: &str, signature: &NoteSignature) -> Result<Timestamp, CosignatureError> {
    if key.kind() != SignatureType::CosignatureV1 {
        return Err(CosignatureError::Type);
    }
    let length = CosignatureError::Length(signature.bytes.len());
    let (time, rest) = signature.bytes.split_first_chunk::<8>().ok_or(length.clone())?;
    let bytes = <&[u8; 64]>::try_from(rest).map_err(|_| length)?;
    let seconds = u64::from_be_bytes(*time);
    let time = i64::try_from(seconds).ok().and_then(Timestamp::from_unix).ok_or(CosignatureError::Time(seconds))?;
    if key.accepts(&message(time, text), bytes) { Ok(time) } else { Err(CosignatureError::Bad) }
}
