//! SSHSIG: the signature file of an event (format.md, section 3; rules K01, K02, K05; OpenSSH PROTOCOL.sshsig and
//! PROTOCOL.u2f). PURE, and imports only `domain::{id, key}`.
//!
//! A signature file has one spelling: what [`SshSig::parse`] takes, [`SshSig::to_armored`] writes again to the byte, and
//! both are what `ssh-keygen -Y sign` writes. Whoever could spell one signature in two ways could give one event two
//! leaves.
//!
//! ```text
//! armor ─► blob ─► SshSig ─► verify
//! ```
//!
//! What is left to the caller, because it needs the event or the policy: the namespace (K03), whose key it is (K04),
//! touch and PIN (K05).

mod armor;
mod blob;
pub mod enrolment;
#[cfg(test)]
#[allow(clippy::as_conversions)]
mod tests;
mod verify;

use std::sync::Arc;

use sha2::{Digest as _, Sha512};

pub use self::blob::{parse_signature_blob, signature_blob};
pub use self::verify::{KeyCache, UnpackedKey, VerifyError, verify_raw};
use crate::domain::key::{HardwareSignature, KeyError, PublicKey, RawSignature, put_string};

/// The largest signature file, in bytes (rule C06).
pub const MAX_BYTES: usize = 4096;

/// The first bytes of an SSHSIG and of what it signs.
const MAGIC: &[u8; 6] = b"SSHSIG";
/// The one version there is.
const VERSION: u32 = 1;
/// The one hash that a ledger takes; `ssh-keygen -Y sign` uses it unless told otherwise.
const HASH: &str = "sha512";

/// Why bytes are not a signature file. [`SshSigError::WeakKey`] is rule K02, everything else K01; it is reported only
/// where nothing else is wrong, as the rules are asked in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshSigError {
    /// More than [`MAX_BYTES`]. Holds the length in bytes.
    #[error("the signature file is {0} bytes long, the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// Something other than the BEGIN line comes first.
    #[error("the signature file does not begin with the line `-----BEGIN SSH SIGNATURE-----`")]
    Begin,
    /// The END line and one line feed are not the last thing in the file.
    #[error("the signature file does not end with the line `-----END SSH SIGNATURE-----`")]
    End,
    /// The base64 is not in lines of 70 characters ended by a line feed, the last 1 to 70 long.
    #[error("the base64 of the signature file is not wrapped at 70 characters")]
    Wrap,
    /// Not base64, or not its canonical spelling: padding, spare bits, a second block, a carriage return.
    #[error("the signature file holds something other than canonical base64")]
    Base64,
    /// The blob does not begin with `SSHSIG`.
    #[error("the signature does not begin with the magic bytes SSHSIG")]
    Magic,
    /// Another version than 1.
    #[error("SSHSIG version {0}, expected 1")]
    Version(u32),
    /// The blob ends inside the named field.
    #[error("the signature ends inside its {0}")]
    Truncated(&'static str),
    /// The public key's blob is malformed.
    #[error("the public key inside the signature is malformed")]
    KeyMalformed,
    /// The public key is of a type that a ledger does not use.
    #[error("key type {0} is not allowed: use ssh-ed25519 or sk-ssh-ed25519@openssh.com")]
    KeyType(String),
    /// The public key is no point on the curve, not in its canonical encoding, or of small order: rule K02.
    #[error("the public key inside the signature is weak: its point is of small order or not canonical")]
    WeakKey,
    /// The namespace is empty or not UTF-8.
    #[error("the namespace of the signature is empty or not UTF-8")]
    Namespace,
    /// The reserved field is not empty. Holds its length in bytes.
    #[error("the reserved field of the signature holds {0} bytes, expected none")]
    Reserved(usize),
    /// Another hash than `sha512`.
    #[error("the signature uses the hash {0}, expected sha512")]
    Hash(String),
    /// The signature's label is not the key's.
    #[error("a signature of type {signature} by a key of type {key}")]
    Label {
        /// The label of the key.
        key: &'static str,
        /// The label of the signature.
        signature: String,
    },
    /// R ‖ S is not 64 bytes long. Holds its length in bytes.
    #[error("the Ed25519 signature is {0} bytes long, expected 64")]
    SignatureLength(usize),
    /// Bytes follow the last field of the signature blob. Holds how many.
    #[error("{0} bytes too many inside the signature blob")]
    SignatureTrailing(usize),
    /// Bytes follow the last field of the SSHSIG. Holds how many.
    #[error("{0} bytes too many after the signature")]
    Trailing(usize),
}

impl From<KeyError> for SshSigError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Text | KeyError::Blob => Self::KeyMalformed,
            KeyError::Type(label) => Self::KeyType(label),
            KeyError::Weak => Self::WeakKey,
        }
    }
}

/// A well-formed SSHSIG. That it is good for a message is what [`SshSig::verify`] says, and nothing else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSig {
    key: Arc<UnpackedKey>,
    namespace: String,
    signature: RawSignature,
}

impl SshSig {
    /// A signature from its parts, as a signer has them. `signature` is over [`signed_data`]; nothing is verified here.
    pub fn new(public_key: PublicKey, namespace: &str, signature: RawSignature) -> Self {
        Self { key: Arc::new(UnpackedKey::new(public_key)), namespace: namespace.to_owned(), signature }
    }

    /// Reads a signature file. Strict: the bytes are those that `ssh-keygen -Y sign` writes, or it is refused.
    ///
    /// # Errors
    /// The first cause found; [`SshSigError::WeakKey`] only where there is no other.
    pub fn parse(armored: &[u8]) -> Result<Self, SshSigError> {
        Self::parse_with(&mut KeyCache::new(), armored)
    }

    /// [`SshSig::parse`] for many files by few keys: a key seen before is not checked and decompressed again.
    ///
    /// # Errors
    /// As [`SshSig::parse`].
    pub fn parse_with(keys: &mut KeyCache, armored: &[u8]) -> Result<Self, SshSigError> {
        blob::decode(keys, &armor::decode(armored)?)
    }

    /// The signature file, byte for byte as `ssh-keygen -Y sign` writes it.
    pub fn to_armored(&self) -> String {
        armor::encode(&blob::encode(self))
    }

    /// The key that signed, as the signature says. Whether it is the actor's is for the caller to ask (K04).
    pub fn public_key(&self) -> &PublicKey {
        self.key.public()
    }

    /// The namespace that was signed. Whether it is the event's kind is for the caller to ask (K03).
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// R ‖ S, and what the hardware added.
    pub const fn raw(&self) -> &RawSignature {
        &self.signature
    }

    /// The flags and counter of a hardware key; none for a software key.
    pub const fn hardware(&self) -> Option<HardwareSignature> {
        self.signature.hardware
    }

    /// Whether a hardware key says that it was touched. Never true for a software key.
    pub fn touched(&self) -> bool {
        self.has_flag(FLAG_TOUCHED)
    }

    /// Whether a hardware key says that a PIN (or a fingerprint) was given. Never true for a software key.
    pub fn pin_verified(&self) -> bool {
        self.has_flag(FLAG_PIN)
    }

    /// Verifies it over `message`, strictly (K02).
    ///
    /// # Errors
    /// [`VerifyError::Signature`] where it is not good (K02). [`VerifyError::Application`] where it is good and the
    /// hardware key was made for something other than `ssh:` (K05, which comes after K03 and K04).
    pub fn verify(&self, message: &[u8]) -> Result<(), VerifyError> {
        self.key.verify(&signed_data(&self.namespace, message), &self.signature)
    }

    fn has_flag(&self, flag: u8) -> bool {
        self.hardware().is_some_and(|hardware| hardware.flags & flag != 0)
    }
}

/// Of a hardware signature's flags: somebody touched the key (PROTOCOL.u2f, "user presence").
const FLAG_TOUCHED: u8 = 0x01;
/// Of a hardware signature's flags: somebody proved who they are to the key ("user verification").
const FLAG_PIN: u8 = 0x04;

/// What a key signs for a message in a namespace: `SSHSIG`, namespace, reserved, hash name, SHA-512 of the message.
pub fn signed_data(namespace: &str, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + namespace.len());
    out.extend_from_slice(MAGIC);
    put_string(&mut out, namespace.as_bytes());
    put_string(&mut out, b"");
    put_string(&mut out, HASH.as_bytes());
    put_string(&mut out, &Sha512::digest(message));
    out
}
