//! OpenSSH user certificates (OpenSSH PROTOCOL.certkeys; format.md, section 5, `[issuance]`): what one holds, its
//! strict parser in `parse`, and what one shall say in `spec`. PURE; imports only `super::{id, key, time}`.
//!
//! The parser says what a certificate holds. It does not say whether that is right: [`Certificate::difference`] holds it
//! against a [`CertificateSpec`], and the CA's signature over [`Certificate::signed_bytes`] is verified by the caller,
//! who has the verifier.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{KeyError, PublicKey, RawSignature};

mod parse;
mod spec;

pub use spec::{CertificateField, CertificateSpec, SpecError, ToBeSigned};

/// The label of a certificate for a software key.
pub const ED25519_CERT: &str = "ssh-ed25519-cert-v01@openssh.com";
/// The label of a certificate for a hardware key.
pub const SK_ED25519_CERT: &str = "sk-ssh-ed25519-cert-v01@openssh.com";
/// The critical option that names the addresses a login may come from.
pub const SOURCE_ADDRESS: &str = "source-address";
/// The critical option that demands a PIN at each login; sshd heeds it for hardware keys alone.
pub const VERIFY_REQUIRED: &str = "verify-required";
/// sshd refuses a certificate with more principals (OpenSSH `SSHKEY_CERT_MAX_PRINCIPALS`).
pub const MAX_PRINCIPALS: usize = 256;
/// The `valid_before` that means "forever".
pub const FOREVER: u64 = u64::MAX;

/// Why a text is no certificate of ours. A place is named as PROTOCOL.certkeys names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not `LABEL BASE64` with one space and nothing after.
    #[error("expected an OpenSSH certificate without a comment, such as `ssh-ed25519-cert-v01@openssh.com AAAA…`")]
    Text,
    /// A label other than the two that a ledger uses.
    #[error("certificate type {0} is not allowed: use ssh-ed25519 or sk-ssh-ed25519@openssh.com keys")]
    Label(String),
    /// Not base64 in its one spelling, padding included.
    #[error("the certificate is not canonical base64")]
    Base64,
    /// The label before the base64 is not the one inside.
    #[error("the certificate's label is {outside}, but inside it says {inside}")]
    LabelMismatch {
        /// The first word of the line.
        outside: String,
        /// The first string of the blob.
        inside: String,
    },
    /// The bytes end within a field, or within a list in it.
    #[error("the certificate ends within its {0}")]
    Truncated(&'static str),
    /// Bytes follow the signature.
    #[error("bytes follow the certificate's signature")]
    Trailing,
    /// A text is not UTF-8.
    #[error("the certificate's {0} is not UTF-8")]
    NotUtf8(&'static str),
    /// A text holds NUL or another control character.
    #[error("the certificate's {0} holds a control character")]
    Control(&'static str),
    /// A nonce of fewer than 16 or more than 64 bytes.
    #[error("the certificate's nonce has {0} bytes, expected 16 to 64")]
    Nonce(usize),
    /// The certified key is malformed or weak.
    #[error("the certified key: {0}")]
    Key(#[source] KeyError),
    /// Neither user (1) nor host (2).
    #[error("certificate type {0} is neither user (1) nor host (2)")]
    Kind(u32),
    /// More than [`MAX_PRINCIPALS`].
    #[error("the certificate has more than {MAX_PRINCIPALS} principals")]
    TooManyPrincipals,
    /// A principal without a character.
    #[error("a principal of the certificate is empty")]
    EmptyPrincipal,
    /// An option or extension without a name.
    #[error("a name among the certificate's {0} is empty")]
    EmptyName(&'static str),
    /// An option or extension stands twice.
    #[error("{name} stands twice among the certificate's {list}")]
    Duplicate {
        /// "critical options" or "extensions".
        list: &'static str,
        /// The name.
        name: String,
    },
    /// The names are not in ascending order.
    #[error("{name} is not in order among the certificate's {list}")]
    Order {
        /// "critical options" or "extensions".
        list: &'static str,
        /// The name that should stand earlier.
        name: String,
    },
    /// The data of an option or extension is neither empty nor exactly one string.
    #[error("{name} among the certificate's {list} holds neither nothing nor one string")]
    Data {
        /// "critical options" or "extensions".
        list: &'static str,
        /// The name.
        name: String,
    },
    /// The reserved field is not empty.
    #[error("the certificate's reserved field is not empty")]
    Reserved,
    /// The CA's key is of another type, malformed or weak.
    #[error("the CA's key: {0}")]
    Ca(#[source] KeyError),
    /// The signature's label is not that of the CA's key.
    #[error("the certificate's signature is of type {found}, but its CA's key is {expected}")]
    SignatureLabel {
        /// The label found.
        found: String,
        /// The CA key's label.
        expected: &'static str,
    },
    /// The signature is not 64 bytes, or (of a hardware CA) lacks its flags and counter.
    #[error("the certificate's signature is malformed")]
    Signature,
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateKind {
    /// Somebody who logs in.
    User,
    /// A host. A ledger issues none; the parser knows them to say so.
    Host,
}

/// Critical options or extensions by name, in the order of the wire; `None` where one is a flag without data.
pub type Options = BTreeMap<String, Option<String>>;

/// A well-formed certificate. Its signature has not been verified, and nothing was held against a grant.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    blob: Vec<u8>,
    signed_length: usize,
    nonce: Vec<u8>,
    key: PublicKey,
    serial: u64,
    kind: CertificateKind,
    key_id: String,
    principals: Vec<String>,
    valid_after: u64,
    valid_before: u64,
    critical_options: Options,
    extensions: Options,
    ca: PublicKey,
    signature: RawSignature,
}

impl Certificate {
    /// The key that is certified.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The CA's running number.
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// User or host.
    pub const fn kind(&self) -> CertificateKind {
        self.kind
    }

    /// What sshd writes to its log at a login.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The principals in the order of the wire. None at all means: **any** principal.
    pub fn principals(&self) -> &[String] {
        &self.principals
    }

    /// The first second of validity, since the epoch, UTC.
    pub const fn valid_after(&self) -> u64 {
        self.valid_after
    }

    /// The first second that is no longer valid, since the epoch, UTC; [`FOREVER`] where there is none.
    pub const fn valid_before(&self) -> u64 {
        self.valid_before
    }

    /// The critical options.
    pub const fn critical_options(&self) -> &Options {
        &self.critical_options
    }

    /// The extensions.
    pub const fn extensions(&self) -> &Options {
        &self.extensions
    }

    /// The key of the CA that is said to have signed.
    pub const fn ca(&self) -> &PublicKey {
        &self.ca
    }

    /// The CA's random bytes.
    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// The signature by [`Certificate::ca`] over [`Certificate::signed_bytes`]: not verified here.
    pub const fn signature(&self) -> &RawSignature {
        &self.signature
    }

    /// What the CA signed: every byte before the signature field.
    pub fn signed_bytes(&self) -> &[u8] {
        self.blob.get(..self.signed_length).unwrap_or(&self.blob)
    }

    /// The wire blob.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The label, as the first word of the line has it.
    pub const fn label(&self) -> &'static str {
        label(&self.key)
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.label(), STANDARD.encode(&self.blob))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The label of a certificate for `key`.
const fn label(key: &PublicKey) -> &'static str {
    if key.is_hardware() { SK_ED25519_CERT } else { ED25519_CERT }
}

#[cfg(test)]
mod tests;
