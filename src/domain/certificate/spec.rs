//! What a certificate shall say ([`CertificateSpec`], made by the fold from a grant), its encoding (OpenSSH
//! PROTOCOL.certkeys), and the comparison of a certificate with it (rule A05). PURE; imports only the parser beside it
//! and `domain::key`.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::key::{KeyKind, PublicKey, RawSignature, put_string};
use super::{Certificate, CertificateKind, FOREVER, MAX_PRINCIPALS, Options, SOURCE_ADDRESS, VERIFY_REQUIRED, label};

/// What a user certificate shall say, but for the CA's nonce and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSpec {
    /// The key to be certified.
    pub key: PublicKey,
    /// The CA's running number: 1, 2, 3 …
    pub serial: u64,
    /// `jit:<case>:<actor>`.
    pub key_id: String,
    /// `<environment>/<target>/<role>`, in the order in which they are written.
    pub principals: Vec<String>,
    /// The first second of validity, since the epoch, UTC.
    pub valid_after: u64,
    /// The first second that is no longer valid, since the epoch, UTC.
    pub valid_before: u64,
    /// The value of `source-address`, nets joined with `,`; `None` where there is no such option.
    pub source_address: Option<String>,
    /// Whether `verify-required` is set; only for hardware keys.
    pub verify_required: bool,
    /// The extensions, all of them flags (`permit-pty`).
    pub extensions: BTreeSet<String>,
    /// The key that shall sign.
    pub ca: PublicKey,
}

/// Why a certificate that says this must not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// No principals: sshd would take it for every principal.
    #[error("a certificate without principals would open every login")]
    NoPrincipals,
    /// More than [`MAX_PRINCIPALS`]: sshd would refuse it.
    #[error("{0} principals, but a certificate holds at most {MAX_PRINCIPALS}: ask for fewer roles")]
    TooManyPrincipals(usize),
    /// A text without a character.
    #[error("the certificate's {0} would be empty")]
    Empty(CertificateField),
    /// A text with NUL or another control character: `sshd` would read another text than we.
    #[error("the certificate's {0} would hold a control character")]
    Control(CertificateField),
    /// It ends before it begins.
    #[error("the certificate would end ({before}) no later than it begins ({after})")]
    EndsBeforeItBegins {
        /// `valid_after`, seconds since the epoch.
        after: u64,
        /// `valid_before`, seconds since the epoch.
        before: u64,
    },
    /// It never ends.
    #[error("the certificate would never end")]
    NeverEnds,
    /// `verify-required` for a software key, for which sshd ignores it.
    #[error("a PIN is demanded, but the key to be certified is no hardware key")]
    PinWithoutHardware,
    /// The signature is of a hardware key and the CA's is none, or the other way round.
    #[error("the signature is not of the CA's kind of key")]
    SignatureKind,
}

/// What a certificate and its spec can differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateField {
    /// User or host.
    Kind,
    /// The certified key.
    Key,
    /// The serial.
    Serial,
    /// The key id.
    KeyId,
    /// The principals and their order.
    Principals,
    /// The first second of validity.
    ValidAfter,
    /// The first second after it.
    ValidBefore,
    /// The critical options.
    CriticalOptions,
    /// The extensions.
    Extensions,
    /// The CA's key.
    Ca,
}

impl fmt::Display for CertificateField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kind => "type",
            Self::Key => "key",
            Self::Serial => "serial",
            Self::KeyId => "key id",
            Self::Principals => "principals",
            Self::ValidAfter => "valid after",
            Self::ValidBefore => "valid before",
            Self::CriticalOptions => "critical options",
            Self::Extensions => "extensions",
            Self::Ca => "CA",
        })
    }
}

impl CertificateSpec {
    /// The bytes for the CA to sign, with a nonce of 32 random bytes.
    ///
    /// # Errors
    /// [`SpecError`] where such a certificate must not be made.
    pub fn to_be_signed(&self, nonce: [u8; 32]) -> Result<ToBeSigned, SpecError> {
        self.check()?;
        let mut out = Vec::with_capacity(512);
        put_string(&mut out, label(&self.key).as_bytes());
        put_string(&mut out, &nonce);
        put_string(&mut out, self.key.point());
        if let KeyKind::SkEd25519 { application } = self.key.kind() {
            put_string(&mut out, application.as_bytes());
        }
        out.extend_from_slice(&self.serial.to_be_bytes());
        out.extend_from_slice(&1_u32.to_be_bytes()); // SSH_CERT_TYPE_USER
        put_string(&mut out, self.key_id.as_bytes());
        let mut principals = Vec::new();
        for principal in &self.principals {
            put_string(&mut principals, principal.as_bytes());
        }
        put_string(&mut out, &principals);
        out.extend_from_slice(&self.valid_after.to_be_bytes());
        out.extend_from_slice(&self.valid_before.to_be_bytes());
        put_string(&mut out, &encode_options(&self.critical_options()));
        put_string(&mut out, &encode_options(&self.extensions()));
        put_string(&mut out, b""); // reserved
        put_string(&mut out, &self.ca.blob());
        Ok(ToBeSigned { bytes: out, label: label(&self.key), ca: self.ca.clone() })
    }

    /// The critical options, as a certificate holds them.
    pub fn critical_options(&self) -> Options {
        let mut options = Options::new();
        if let Some(nets) = &self.source_address {
            options.insert(SOURCE_ADDRESS.to_owned(), Some(nets.clone()));
        }
        if self.verify_required {
            options.insert(VERIFY_REQUIRED.to_owned(), None);
        }
        options
    }

    /// The extensions, as a certificate holds them.
    pub fn extensions(&self) -> Options {
        self.extensions.iter().map(|name| (name.clone(), None)).collect()
    }

    fn check(&self) -> Result<(), SpecError> {
        if self.principals.is_empty() {
            return Err(SpecError::NoPrincipals);
        }
        if self.principals.len() > MAX_PRINCIPALS {
            return Err(SpecError::TooManyPrincipals(self.principals.len()));
        }
        check_text(CertificateField::KeyId, &self.key_id)?;
        for principal in &self.principals {
            check_text(CertificateField::Principals, principal)?;
        }
        if let Some(nets) = &self.source_address {
            check_text(CertificateField::CriticalOptions, nets)?;
        }
        for extension in &self.extensions {
            check_text(CertificateField::Extensions, extension)?;
        }
        if let KeyKind::SkEd25519 { application } = self.key.kind() {
            check_text(CertificateField::Key, application)?;
        }
        if self.valid_before == FOREVER {
            return Err(SpecError::NeverEnds);
        }
        if self.valid_before <= self.valid_after {
            return Err(SpecError::EndsBeforeItBegins { after: self.valid_after, before: self.valid_before });
        }
        // sshd silently ignores the option for software keys: the promise of a PIN would be empty.
        if self.verify_required && !self.key.is_hardware() {
            return Err(SpecError::PinWithoutHardware);
        }
        Ok(())
    }
}

fn check_text(field: CertificateField, text: &str) -> Result<(), SpecError> {
    if text.is_empty() {
        return Err(SpecError::Empty(field));
    }
    if text.contains(char::is_control) { Err(SpecError::Control(field)) } else { Ok(()) }
}

fn encode_options(options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in options {
        put_string(&mut out, name.as_bytes());
        let mut data = Vec::new();
        if let Some(value) = value {
            put_string(&mut data, value.as_bytes());
        }
        put_string(&mut out, &data);
    }
    out
}

/// An encoded certificate that lacks only the CA's signature.
#[derive(Debug, Clone)]
pub struct ToBeSigned {
    bytes: Vec<u8>,
    label: &'static str,
    ca: PublicKey,
}

impl ToBeSigned {
    /// What the CA signs, as it is (no SSHSIG around it).
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The certificate's line, `LABEL BASE64`, with `signature` put in. Whether it is the CA's is not checked here.
    ///
    /// # Errors
    /// [`SpecError::SignatureKind`] where the signature is of another kind of key than the CA's.
    pub fn finish(mut self, signature: &RawSignature) -> Result<String, SpecError> {
        let mut field = Vec::with_capacity(128);
        put_string(&mut field, self.ca.label().as_bytes());
        put_string(&mut field, &signature.bytes);
        match (self.ca.is_hardware(), signature.hardware) {
            (false, None) => {}
            (true, Some(hardware)) => {
                field.push(hardware.flags);
                field.extend_from_slice(&hardware.counter.to_be_bytes());
            }
            (false, Some(_)) | (true, None) => return Err(SpecError::SignatureKind),
        }
        put_string(&mut self.bytes, &field);
        Ok(format!("{} {}", self.label, STANDARD.encode(&self.bytes)))
    }
}

impl Certificate {
    /// The first field in which this certificate says other than `spec`; `None` where it says exactly that. The CA's
    /// signature and the nonce are not looked at.
    // A05: the certificate says other than the grant: key, id, principals, times, options, extensions, CA.
    pub fn difference(&self, spec: &CertificateSpec) -> Option<CertificateField> {
        let same = [
            (CertificateField::Kind, self.kind() == CertificateKind::User),
            (CertificateField::Ca, *self.ca() == spec.ca),
            (CertificateField::Key, *self.key() == spec.key),
            (CertificateField::Serial, self.serial() == spec.serial),
            (CertificateField::KeyId, self.key_id() == spec.key_id),
            (CertificateField::Principals, self.principals() == spec.principals),
            (CertificateField::ValidAfter, self.valid_after() == spec.valid_after),
            (CertificateField::ValidBefore, self.valid_before() == spec.valid_before),
            (CertificateField::CriticalOptions, *self.critical_options() == spec.critical_options()),
            (CertificateField::Extensions, *self.extensions() == spec.extensions()),
        ];
        same.into_iter().find_map(|(field, same)| (!same).then_some(field))
    }
}
