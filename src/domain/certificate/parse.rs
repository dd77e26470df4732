//! The strict parser of certificates (OpenSSH PROTOCOL.certkeys). PURE; imports only what lies beside it and
//! `domain::key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::key::{ED25519, HardwareSignature, KeyKind, PublicKey, RawSignature, SK_ED25519, Wire, put_string};
use super::{Certificate, CertificateError, CertificateKind, ED25519_CERT, MAX_PRINCIPALS, Options, SK_ED25519_CERT};

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
