//! The keys that verify notes, and their text form, the vkey (C2SP signed-note v1.0.0, "Verifier keys"). Two types of
//! signature are known: Ed25519 over the text (0x01) and the timestamped cosignature of a checkpoint (0x04). PURE;
//! imports only `domain::{id, key}` and the types beside it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, VerifyingKey};

use super::{KeyId, KeyName, NoteSignature};
use crate::domain::id::Digest;
use crate::domain::key::{KeyError, PublicKey};

/// Why a text is no verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteKeyError {
    /// Not `NAME+ID+KEY`.
    #[error("expected a verifier key such as example.com/log+530d903a+AekyeRrm…")]
    Form,
    /// The name is empty, or holds spaces.
    #[error("the verifier key's name is empty or holds a space")]
    Name,
    /// The id is not eight lower-case hexadecimal digits.
    #[error("the verifier key's id is not 8 lower-case hex digits")]
    Id,
    /// Not canonical base64, or empty.
    #[error("the verifier key's last part is not canonical base64")]
    Base64,
    /// A type of signature that is not verified here. Holds its byte.
    #[error("signature type 0x{0:02x} is not supported: use Ed25519 (0x01) or Ed25519 cosignatures (0x04)")]
    Type(u8),
    /// The key is not 32 bytes long. Holds its length in bytes.
    #[error("the verifier key holds a key of {0} bytes, expected 32")]
    Length(usize),
    /// The key is weak or no point on the curve.
    #[error(transparent)]
    Key(KeyError),
    /// A hardware key: what it signs is not what a note's signature says.
    #[error("a hardware key cannot sign notes: use ssh-ed25519")]
    Hardware,
    /// The id is not that of name and key. Holds the right one.
    #[error("the verifier key's id does not belong to its name and key, which have {0}")]
    Mismatch(String),
}

/// What a key signs under a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureType {
    /// 0x01: Ed25519 over the note's text. Logs sign so.
    Ed25519,
    /// 0x04: a timestamped cosignature of a checkpoint (C2SP tlog-cosignature). Witnesses sign so.
    CosignatureV1,
}

impl SignatureType {
    /// The byte that stands for it.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }
}

/// A name and a key: together, whom a signature line is by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifierKey {
    name: KeyName,
    kind: SignatureType,
    key: PublicKey,
}

impl VerifierKey {
    /// A key of this name and type.
    ///
    /// # Errors
    /// [`NoteKeyError::Hardware`] for a hardware key.
    pub fn new(name: KeyName, kind: SignatureType, key: PublicKey) -> Result<Self, NoteKeyError> {
        if key.is_hardware() { Err(NoteKeyError::Hardware) } else { Ok(Self { name, kind, key }) }
    }

    /// Its name.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// What it signs.
    pub const fn kind(&self) -> SignatureType {
        self.kind
    }

    /// The public key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-256(name ‖ LF ‖ type ‖ key), the first four bytes.
    pub fn id(&self) -> KeyId {
        let hashed = [self.name.as_str().as_bytes(), b"\n", &[self.kind.byte()], self.key.point()].concat();
        let [a, b, c, d, ..] = *Digest::of(&hashed).as_bytes();
        [a, b, c, d]
    }

    /// The signature line's content for `bytes`, which this key made.
    pub fn line(&self, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.name.clone(), id: self.id(), bytes }
    }

    /// Whether `signature` is this key's over `message`, strictly: canonical, and no point of small order.
    pub(in crate::merkle) fn accepts(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(self.key.point());
        key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    /// The vkey: `NAME+ID+KEY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = [&[self.kind.byte()], self.key.point().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), STANDARD.encode(material))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteKeyError;
    fn from_str(text: &str) -> Result<Self, NoteKeyError> {
        // Base64 has plus signs too: the first two part the text.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteKeyError::Form);
        };
        let name: KeyName = name.parse().map_err(|_| NoteKeyError::Name)?;
        let id: KeyId =
            HEXLOWER.decode(id.as_bytes()).ok().and_then(|id| id.try_into().ok()).ok_or(NoteKeyError::Id)?;
        let material = STANDARD.decode(material).map_err(|_| NoteKeyError::Base64)?;
        let (kind, point) = material.split_first().ok_or(NoteKeyError::Base64)?;
        let kind = match kind {
            0x01 => SignatureType::Ed25519,
            0x04 => SignatureType::CosignatureV1,
            other => return Err(NoteKeyError::Type(*other)),
        };
        let point = <[u8; 32]>::try_from(point).map_err(|_| NoteKeyError::Length(point.len()))?;
        let key = Self::new(name, kind, PublicKey::ed25519(point).map_err(NoteKeyError::Key)?)?;
        if key.id() == id { Ok(key) } else { Err(NoteKeyError::Mismatch(HEXLOWER.encode(&key.id()))) }
    }
}
