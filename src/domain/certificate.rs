//! OpenSSH user certificates (OpenSSH PROTOCOL.certkeys; format.md, section 5, `[issuance]`): the strict parser, and in
//! [`spec`] what is to be certified and its encoding. PURE; imports only `super::{id, key, time}`.
//!
//! The parser says what a certificate holds. It does not say whether that is right: [`Certificate::difference`] holds it
//! against a [`CertificateSpec`], and the CA's signature over [`Certificate::signed_bytes`] is verified by the caller,
//! who has the verifier.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{
    ED25519, HardwareSignature, KeyError, KeyKind, PublicKey, RawSignature, SK_ED25519, Wire, put_string,
};

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
    /// Parses exactly `LABEL BASE64`: no comment, no line end. [`Certificate`]'s `Display` gives back the same text.
    ///
    /// # Errors
    /// The first fault found, as [`CertificateError`] has them.
    pub fn parse_line(text: &str) -> Result<Self, CertificateError> {
        let (outside, body) = text.split_once(' ').ok_or(CertificateError::Text)?;
        if outside != ED25519_CERT && outside != SK_ED25519_CERT {
            return Err(CertificateError::Label(outside.to_owned()));
        }
        if body.is_empty() || body.contains(char::is_whitespace) {
            return Err(CertificateError::Text);
        }
        // STANDARD demands padding and zero spare bits, so that one blob has one text.
        let blob = STANDARD.decode(body).map_err(|_| CertificateError::Base64)?;
        Self::parse_blob(outside, blob)
    }

    fn parse_blob(outside: &str, blob: Vec<u8>) -> Result<Self, CertificateError> {
        let mut fields = Fields(Wire::new(&blob));
        let inside = fields.text("label")?;
        if inside != outside {
            return Err(CertificateError::LabelMismatch { outside: outside.to_owned(), inside });
        }
        let nonce = fields.string("nonce")?.to_vec();
        // PROTOCOL.certkeys: "typically 16 or 32 bytes". Shorter ones let the requester foresee what the CA signs.
        if !(16..=64).contains(&nonce.len()) {
            return Err(CertificateError::Nonce(nonce.len()));
        }
        let key = fields.certified_key(outside == SK_ED25519_CERT)?;
        let serial = fields.u64("serial")?;
        let kind = match fields.u32("type")? {
            1 => CertificateKind::User,
            2 => CertificateKind::Host,
            other => return Err(CertificateError::Kind(other)),
        };
        let key_id = fields.text("key id")?;
        let principals = principals(fields.string("valid principals")?)?;
        let valid_after = fields.u64("valid after")?;
        let valid_before = fields.u64("valid before")?;
        let critical_options = options("critical options", fields.string("critical options")?)?;
        let extensions = options("extensions", fields.string("extensions")?)?;
        if !fields.string("reserved")?.is_empty() {
            return Err(CertificateError::Reserved);
        }
        let ca = PublicKey::from_blob(fields.string("signature key")?).map_err(CertificateError::Ca)?;
        let signed_length = blob.len().saturating_sub(fields.0.rest().len());
        let signature = signature(fields.string("signature")?, &ca)?;
        if !fields.0.is_empty() {
            return Err(CertificateError::Trailing);
        }
        Ok(Self {
            signed_length,
            nonce,
            key,
            serial,
            kind,
            key_id,
            principals,
            valid_after,
            valid_before,
            critical_options,
            extensions,
            ca,
            signature,
            blob,
        })
    }

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

/// A reader that names the field in which it stopped.
struct Fields<'a>(Wire<'a>);

impl<'a> Fields<'a> {
    fn string(&mut self, name: &'static str) -> Result<&'a [u8], CertificateError> {
        self.0.string().ok_or(CertificateError::Truncated(name))
    }

    fn text(&mut self, name: &'static str) -> Result<String, CertificateError> {
        text(name, self.string(name)?)
    }

    fn u32(&mut self, name: &'static str) -> Result<u32, CertificateError> {
        self.0.u32().ok_or(CertificateError::Truncated(name))
    }

    fn u64(&mut self, name: &'static str) -> Result<u64, CertificateError> {
        self.0.u64().ok_or(CertificateError::Truncated(name))
    }

    /// `string pk [, string application]`: the same fields as in the key's own blob, but for the label.
    fn certified_key(&mut self, hardware: bool) -> Result<PublicKey, CertificateError> {
        let mut blob = Vec::with_capacity(96);
        put_string(&mut blob, if hardware { SK_ED25519 } else { ED25519 }.as_bytes());
        put_string(&mut blob, self.string("public key")?);
        if hardware {
            put_string(&mut blob, self.text("application")?.as_bytes());
        }
        PublicKey::from_blob(&blob).map_err(CertificateError::Key)
    }
}

fn text(name: &'static str, bytes: &[u8]) -> Result<String, CertificateError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CertificateError::NotUtf8(name))?;
    // A NUL ends the string for sshd's C code, a line end begins a new one in its log.
    if text.contains(char::is_control) {
        return Err(CertificateError::Control(name));
    }
    Ok(text.to_owned())
}

fn principals(bytes: &[u8]) -> Result<Vec<String>, CertificateError> {
    let mut fields = Fields(Wire::new(bytes));
    let mut principals = Vec::new();
    while !fields.0.is_empty() {
        if principals.len() == MAX_PRINCIPALS {
            return Err(CertificateError::TooManyPrincipals);
        }
        let principal = fields.text("valid principals")?;
        if principal.is_empty() {
            return Err(CertificateError::EmptyPrincipal);
        }
        principals.push(principal);
    }
    Ok(principals)
}

fn options(list: &'static str, bytes: &[u8]) -> Result<Options, CertificateError> {
    let mut fields = Fields(Wire::new(bytes));
    let mut options = Options::new();
    while !fields.0.is_empty() {
        let name = fields.text(list)?;
        if name.is_empty() {
            return Err(CertificateError::EmptyName(list));
        }
        // PROTOCOL.certkeys: "options must be lexically ordered by name if they appear in the sequence. Each named
        // option may only appear once".
        if options.contains_key(&name) {
            return Err(CertificateError::Duplicate { list, name });
        }
        if options.last_key_value().is_some_and(|(last, _)| *last > name) {
            return Err(CertificateError::Order { list, name });
        }
        let value = match fields.string(list)? {
            [] => None,
            data => {
                let mut data = Wire::new(data);
                let value = data.string().filter(|_| data.is_empty());
                let Some(value) = value else { return Err(CertificateError::Data { list, name }) };
                Some(text(list, value)?)
            }
        };
        options.insert(name, value);
    }
    Ok(options)
}

fn signature(bytes: &[u8], ca: &PublicKey) -> Result<RawSignature, CertificateError> {
    let mut wire = Wire::new(bytes);
    let found = wire.text().ok_or(CertificateError::Signature)?;
    if found != ca.label() {
        return Err(CertificateError::SignatureLabel { found: found.to_owned(), expected: ca.label() });
    }
    let bytes = wire.string().and_then(|s| <[u8; 64]>::try_from(s).ok()).ok_or(CertificateError::Signature)?;
    let hardware = match ca.kind() {
        KeyKind::Ed25519 => None,
        KeyKind::SkEd25519 { .. } => {
            let (Some(flags), Some(counter)) = (wire.u8(), wire.u32()) else { return Err(CertificateError::Signature) };
            Some(HardwareSignature { flags, counter })
        }
    };
    if wire.is_empty() { Ok(RawSignature { bytes, hardware }) } else { Err(CertificateError::Signature) }
}

#[cfg(test)]
mod tests;
