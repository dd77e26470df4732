//! OpenSSH key revocation lists (OpenSSH PROTOCOL.krl): which certificates of a ledger open nothing any more, and the
//! bytes that sshd reads as `RevokedKeys`. Owns what is revoked, the writer, and in `read` the check before a list is
//! published; `shape` chooses the most compact sections. Imports `domain` alone; pure.
//!
//! A list that revokes nothing admits everybody, and so do zero bytes and a file that was cut to its header of 44 bytes.
//! So every list of ours holds one entry more, as its last: the key id `jit:none` of any CA. No certificate has it (a
//! key id of ours is `jit:<case>:<actor>`), and where it is missing the list was cut.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::certificate::SK_ED25519_CERT;
use crate::domain::event::LockScope;
use crate::domain::id::CaseId;
use crate::domain::key::{KeyError, PublicKey, Wire, put_string};
use crate::domain::state::State;
use crate::domain::state::access::{Access, Issued};
use crate::domain::time::Timestamp;

mod read;
mod shape;

pub use read::{Summary, check};

/// The revoked serials of each CA.
pub type Revocations = BTreeMap<PublicKey, BTreeSet<u64>>;

/// `KRL_MAGIC`.
const MAGIC: &[u8; 8] = b"SSHKRL\n\0";
/// `KRL_FORMAT_VERSION`.
const FORMAT: u32 = 1;
/// `KRL_SECTION_CERTIFICATES`.
const CERTIFICATES: u8 = 1;
/// `KRL_SECTION_CERT_SERIAL_LIST`.
const SERIAL_LIST: u8 = 0x20;
/// `KRL_SECTION_CERT_SERIAL_RANGE`.
const SERIAL_RANGE: u8 = 0x21;
/// `KRL_SECTION_CERT_SERIAL_BITMAP`.
const SERIAL_BITMAP: u8 = 0x22;
/// `KRL_SECTION_CERT_KEY_ID`.
const KEY_ID: u8 = 0x23;
/// The key id that no certificate has. It closes every list.
const NOBODY: &str = "jit:none";

/// Why no list was made, or a list must not be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KrlError {
    /// Zero bytes, which sshd takes for a list that revokes nothing.
    #[error("the revocation list is empty: sshd would admit everybody")]
    Empty,
    /// Other first bytes than those of a revocation list.
    #[error("the file is no revocation list")]
    Magic,
    /// Another format than the one that PROTOCOL.krl describes.
    #[error("the revocation list is of format {0}, expected 1")]
    Format(u32),
    /// The bytes end within a field.
    #[error("the revocation list ends within its {0}")]
    Truncated(&'static str),
    /// The header alone, or sections without the closing entry: the list was cut between two of them.
    #[error("the revocation list lacks its closing entry: it was cut")]
    Cut,
    /// Bytes after the closing entry.
    #[error("bytes follow the revocation list's closing entry")]
    Trailing,
    /// A field that is not as this writer fills it.
    #[error("the revocation list's {0} is not as it should be")]
    Field(&'static str),
    /// A section that this writer does not write.
    #[error("the revocation list holds a section of type {0:#04x}")]
    Section(u8),
    /// A CA's key that cannot be read.
    #[error("a CA's key in the revocation list: {0}")]
    Ca(#[source] KeyError),
    /// A serial that none of our certificates has: they count from 1.
    #[error("serial 0 cannot be revoked: certificates count from 1")]
    SerialZero,
    /// Serials in no order, or a bitmap that reaches beyond the last serial.
    #[error("the revocation list holds {0} that means nothing")]
    Serials(&'static str),
    /// Fewer leaves were seen than when an earlier list was written.
    #[error("the revocation list is of version {found}, older than {least}")]
    Older {
        /// Its version.
        found: u64,
        /// The version that stands.
        least: u64,
    },
    /// A comment that holds a control character; sshd's C code would cut it.
    #[error("the revocation list's comment holds a control character")]
    Comment,
    /// A certificate in the ledger that cannot be read, so that nobody knows which CA's serial to revoke.
    #[error("the certificate with serial {serial} of case {} cannot be read", case.short())]
    Certificate {
        /// The case.
        case: CaseId,
        /// The serial that the event gives.
        serial: u64,
    },
    /// What was written does not read as what should be written: it is thrown away.
    #[error("the revocation list that was written is not the one that was meant")]
    Differs,
}

/// Every serial that opens nothing any more, by the CA that signed it: of cases that are revoked, closed or under a
/// standing lock, and of people whom the policy in force does not have. What has expired stays: clocks can be set back.
/// A lock that is lifted, and a person who comes back, take their serials off again.
///
/// # Errors
/// [`KrlError::Certificate`] where a CA cannot be told; the list would be too short then.
pub fn revocations(state: &State) -> Result<Revocations, KrlError> {
    let mut revoked = Revocations::new();
    let mut keys: BTreeMap<Vec<u8>, PublicKey> = BTreeMap::new();
    for case in state.cases() {
        let Some(access) = case.access() else { continue };
        let whole = opens_nothing(state, access);
        for issued in &access.issued {
            if !whole && !environment_is_locked(state, issued) {
                continue;
            }
            let unknown = KrlError::Certificate { case: case.id(), serial: issued.serial };
            // By the certificate and not by the environment: its CA may have been replaced since.
            let Some(blob) = signature_key(&issued.certificate) else { return Err(unknown) };
            let ca = match keys.get(&blob) {
                Some(key) => key.clone(),
                None => {
                    let key = PublicKey::from_blob(&blob).map_err(|_| unknown)?;
                    keys.insert(blob, key.clone());
                    key
                }
            };
            revoked.entry(ca).or_default().insert(issued.serial);
        }
    }
    Ok(revoked)
}

fn opens_nothing(state: &State, access: &Access) -> bool {
    access.revoked.is_some()
        || access.closed.is_some()
        || state.lock_on(access).is_some()
        || !state.policy().is_some_and(|policy| policy.is_member(&access.actor))
}

/// A role that was dropped from the policy lies in no environment any more, but its certificate still does.
fn environment_is_locked(state: &State, issued: &Issued) -> bool {
    state.locks().any(|(_, scope)| matches!(scope, LockScope::Environment(name) if *name == issued.environment))
}

/// The blob of the CA's key in a certificate (PROTOCOL.certkeys). The fold has read and judged the whole of it (A05), and
/// only once: a list is made after every commit, and may be long.
fn signature_key(line: &str) -> Option<Vec<u8>> {
    let (label, body) = line.split_once(' ')?;
    let blob = STANDARD.decode(body).ok()?;
    let mut wire = Wire::new(&blob);
    // Label, nonce and public key; the application of a hardware key.
    let strings = if label == SK_ED25519_CERT { 4 } else { 3 };
    (0..strings).try_for_each(|_| wire.string().map(|_| ()))?;
    let _serial = wire.u64()?;
    let _kind = wire.u32()?;
    // Key id and principals.
    (0..2).try_for_each(|_| wire.string().map(|_| ()))?;
    let _valid = (wire.u64()?, wire.u64()?);
    // Critical options, extensions and the reserved field.
    (0..3).try_for_each(|_| wire.string().map(|_| ()))?;
    wire.string().map(<[u8]>::to_vec)
}

/// The list in which `revoked` is revoked and nothing else, as bytes. `version` is the size of the log it was made from,
/// so that it rises with each commit; `generated` and `comment` (one line) are for people. What is written is read
/// again and compared.
///
/// # Errors
/// [`KrlError::SerialZero`], [`KrlError::Comment`]; [`KrlError::Differs`] where the writer is at fault.
pub fn write(version: u64, generated: Timestamp, comment: &str, revoked: &Revocations) -> Result<Vec<u8>, KrlError> {
    if comment.contains(char::is_control) {
        return Err(KrlError::Comment);
    }
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&FORMAT.to_be_bytes());
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&generated.unix_u64().to_be_bytes());
    out.extend_from_slice(&0_u64.to_be_bytes()); // flags: none are defined
    put_string(&mut out, b""); // reserved
    put_string(&mut out, comment.as_bytes());

    for (ca, serials) in revoked.iter().filter(|(_, serials)| !serials.is_empty()) {
        if serials.contains(&0) {
            return Err(KrlError::SerialZero);
        }
        put_certificates(&mut out, &ca.blob(), &shape::sections(&shape::runs(serials)));
    }
    let mut nobody = Vec::new();
    put_string(&mut nobody, NOBODY.as_bytes());
    // "ca_key may be empty": of any CA.
    put_certificates(&mut out, b"", &section(KEY_ID, &nobody));

    let read = check(&out, version)?;
    let same = (read.version, read.generated, read.comment.as_str()) == (version, generated.unix_u64(), comment)
        && read.revokes_exactly(revoked);
    if same { Ok(out) } else { Err(KrlError::Differs) }
}

/// A section of certificates: `byte 1, string { string ca_key, string reserved, sections }`.
fn put_certificates(out: &mut Vec<u8>, ca: &[u8], sections: &[u8]) {
    let mut body = Vec::with_capacity(ca.len().saturating_add(sections.len()).saturating_add(8));
    put_string(&mut body, ca);
    put_string(&mut body, b"");
    body.extend_from_slice(sections);
    out.extend_from_slice(&section(CERTIFICATES, &body));
}

/// `byte type, string body`.
fn section(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    put_string(&mut out, body);
    out
}
