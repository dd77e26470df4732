//! The wire form inside the armor, and the signature blob inside that (OpenSSH PROTOCOL.sshsig, "Blob format";
//! PROTOCOL.u2f, "SSH U2F signatures"; RFC 8709, section 6). Signature blobs of certificates are the same.

use super::{HASH, KeyCache, MAGIC, SshSig, SshSigError, VERSION};
use crate::domain::key::{ED25519, HardwareSignature, KeyError, PublicKey, RawSignature, SK_ED25519, Wire, put_string};

/// Reads the blob. The order is that of the fields, but for a weak key, which is told last: it is rule K02, and all
/// else here is K01.
pub(super) fn decode(keys: &mut KeyCache, blob: &[u8]) -> Result<SshSig, SshSigError> {
    use SshSigError::Truncated;
    let mut wire = Wire::new(blob);
    if wire.take(MAGIC.len()) != Some(MAGIC.as_slice()) {
        return Err(SshSigError::Magic);
    }
    let version = wire.u32().ok_or(Truncated("version"))?;
    if version != VERSION {
        return Err(SshSigError::Version(version));
    }
    let key_blob = wire.string().ok_or(Truncated("public key"))?;
    let key = match keys.unpack(key_blob) {
        Ok(key) => Some(key),
        Err(KeyError::Weak) => None,
        Err(other) => return Err(other.into()),
    };
    let namespace = wire.string().ok_or(Truncated("namespace"))?;
    // PROTOCOL.sshsig: the namespace "MUST NOT be the empty string".
    let namespace = match std::str::from_utf8(namespace) {
        Ok(text) if !text.is_empty() => text,
        _ => return Err(SshSigError::Namespace),
    };
    // format.md, section 3: "empty reserved field". OpenSSH ignores what is in it; we don't.
    let reserved = wire.string().ok_or(Truncated("reserved field"))?;
    if !reserved.is_empty() {
        return Err(SshSigError::Reserved(reserved.len()));
    }
    let hash = wire.string().ok_or(Truncated("hash"))?;
    if hash != HASH.as_bytes() {
        return Err(SshSigError::Hash(printable(hash)));
    }
    let signature = wire.string().ok_or(Truncated("signature"))?;
    // A key that was understood, weak or not, begins with one of the two labels.
    let label = if Wire::new(key_blob).string() == Some(SK_ED25519.as_bytes()) { SK_ED25519 } else { ED25519 };
    let signature = parse_labelled(signature, label)?;
    if !wire.is_empty() {
        return Err(SshSigError::Trailing(wire.rest().len()));
    }
    let key = key.ok_or(SshSigError::WeakKey)?;
    Ok(SshSig { key, namespace: namespace.to_owned(), signature })
}

/// Writes the blob.
pub(super) fn encode(signature: &SshSig) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    put_string(&mut out, &signature.public_key().blob());
    put_string(&mut out, signature.namespace.as_bytes());
    put_string(&mut out, b"");
    put_string(&mut out, HASH.as_bytes());
    put_string(&mut out, &signature_blob(signature.public_key(), &signature.signature));
    out
}

/// Reads a signature blob made by `key`: `string label, string R ‖ S [, byte flags, uint32 counter]`, nothing after.
///
/// # Errors
/// The cause: label, length, or bytes missing or too many.
pub fn parse_signature_blob(blob: &[u8], key: &PublicKey) -> Result<RawSignature, SshSigError> {
    parse_labelled(blob, key.label())
}

/// Writes the signature blob of `key`.
///
/// The label is the key's. A signature that is not of the key's kind (see [`super::VerifyError::Kind`]) gives a blob
/// that no reader takes: the hardware fields are written where the signature has them, and nowhere else.
pub fn signature_blob(key: &PublicKey, signature: &RawSignature) -> Vec<u8> {
    let mut out = Vec::with_capacity(112);
    put_string(&mut out, key.label().as_bytes());
    put_string(&mut out, &signature.bytes);
    if let Some(hardware) = signature.hardware {
        out.push(hardware.flags);
        out.extend_from_slice(&hardware.counter.to_be_bytes());
    }
    out
}

/// K01: "label and key disagree".
fn parse_labelled(blob: &[u8], key_label: &'static str) -> Result<RawSignature, SshSigError> {
    use SshSigError::Truncated;
    let mut wire = Wire::new(blob);
    let label = wire.string().ok_or(Truncated("signature label"))?;
    if label != key_label.as_bytes() {
        return Err(SshSigError::Label { key: key_label, signature: printable(label) });
    }
    let bytes = wire.string().ok_or(Truncated("signature bytes"))?;
    let bytes = <[u8; 64]>::try_from(bytes).map_err(|_| SshSigError::SignatureLength(bytes.len()))?;
    let hardware = if key_label == SK_ED25519 {
        let flags = wire.u8().ok_or(Truncated("flags"))?;
        let counter = wire.u32().ok_or(Truncated("counter"))?;
        Some(HardwareSignature { flags, counter })
    } else {
        None
    };
    if !wire.is_empty() {
        return Err(SshSigError::SignatureTrailing(wire.rest().len()));
    }
    Ok(RawSignature { bytes, hardware })
}

/// What a stranger wrote, fit for an error message: short, and nothing that a terminal obeys.
fn printable(bytes: &[u8]) -> String {
    let (head, more) = match bytes.split_at_checked(64) {
        Some((head, rest)) if !rest.is_empty() => (head, "…"),
        _ => (bytes, ""),
    };
    format!("`{}`{more}", head.escape_ascii())
}
