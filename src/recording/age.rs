//! Sealing to `ssh-ed25519` recipients: the age v1 format (C2SP, age.md) with the recipient stanza `ssh-ed25519` of the
//! programs age and rage, and nothing else of it. What is sealed here, `age --decrypt -i KEY` opens; what
//! `age -R KEY.pub` seals, [`open`] opens. Small enough to be read in one sitting, and it keeps one version of each
//! primitive in the tree, which the published crate does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use ed25519_dalek::VerifyingKey;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use crate::domain::id::Digest;
use crate::domain::key::{KeyKind, PublicKey};
use crate::ports::{Rng, RngError};

mod open;

pub use open::{Identity, OpenError, open};

/// The first line.
const VERSION: &str = "age-encryption.org/v1";
/// What the stanza is called.
const STANZA: &str = "ssh-ed25519";
/// What the keys that wrap a file key are derived for.
const LABEL: &[u8] = b"age-encryption.org/v1/ssh-ed25519";
/// Plaintext bytes of a chunk of the payload.
const CHUNK: usize = 64 * 1024;
/// Bytes of a Poly1305 tag.
const TAG: usize = 16;

/// A key of 32 bytes, wiped when dropped.
type Key = Zeroizing<[u8; 32]>;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is nobody who could open it.
    #[error("there is no recorder key to seal the recording to")]
    NoRecipients,
    /// A hardware key cannot be sealed to.
    #[error("nothing can be sealed to the hardware key {0}: a recorder's key is an ssh-ed25519 key")]
    Hardware(String),
    /// A recipient's point gives no secret. Never for a [`PublicKey`], which is not weak.
    #[error("nothing can be sealed to the key {0}: its point is weak")]
    Weak(String),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RngError),
    /// The cipher refused, as it does beyond 256 GiB.
    #[error("the cipher refused to seal")]
    Cipher,
}

/// Checks that everybody of `recipients` can be sealed to, and that there is somebody.
///
/// # Errors
/// [`SealError::NoRecipients`], [`SealError::Hardware`].
pub fn check_recipients(recipients: &[PublicKey]) -> Result<(), SealError> {
    if recipients.is_empty() {
        return Err(SealError::NoRecipients);
    }
    match recipients.iter().find(|key| *key.kind() != KeyKind::Ed25519) {
        Some(key) => Err(SealError::Hardware(key.fingerprint())),
        None => Ok(()),
    }
}

/// Seals `plaintext` to each of `recipients`: one age file, binary.
///
/// # Errors
/// The cause, as [`SealError`] has them.
pub fn seal(recipients: &[PublicKey], plaintext: &[u8], rng: &mut dyn Rng) -> Result<Vec<u8>, SealError> {
    check_recipients(recipients)?;
    let file_key = Zeroizing::new(rng.bytes16()?);
    let mut header = format!("{VERSION}\n");
    for recipient in recipients {
        let ephemeral = Zeroizing::new(rng.bytes32()?);
        header.push_str(&stanza(recipient, &ephemeral, &file_key)?);
    }
    header.push_str("---");
    let mac = header_mac(&file_key, header.as_bytes()).finalize().into_bytes();
    header.push(' ');
    header.push_str(&STANDARD_NO_PAD.encode(mac));
    header.push('\n');

    let nonce = rng.bytes16()?;
    let mut out = header.into_bytes();
    out.extend_from_slice(&nonce);
    let cipher = payload_cipher(&file_key, &nonce);
    let mut rest = plaintext;
    let mut counter = 0_u64;
    // The last chunk is short or full, and empty only where it is the only one.
    while let Some((chunk, after)) = rest.split_at_checked(CHUNK).filter(|(_, after)| !after.is_empty()) {
        out.extend(cipher.encrypt(&chunk_nonce(counter, false), chunk).map_err(|_| SealError::Cipher)?);
        counter += 1;
        rest = after;
    }
    out.extend(cipher.encrypt(&chunk_nonce(counter, true), rest).map_err(|_| SealError::Cipher)?);
    Ok(out)
}

/// `-> ssh-ed25519 TAG SHARE` and the wrapped file key.
fn stanza(recipient: &PublicKey, ephemeral: &[u8; 32], file_key: &[u8; 16]) -> Result<String, SealError> {
    let weak = || SealError::Weak(recipient.fingerprint());
    let point = montgomery(recipient).ok_or_else(weak)?;
    let share = x25519(*ephemeral, X25519_BASEPOINT_BYTES);
    let shared = Zeroizing::new(x25519(*ephemeral, point));
    let key = wrapping_key(recipient, &point, &share, &shared).ok_or_else(weak)?;
    let cipher = ChaCha20Poly1305::new((&*key).into());
    let wrapped = cipher.encrypt(&Nonce::default(), file_key.as_slice()).map_err(|_| SealError::Cipher)?;
    Ok(format!(
        "-> {STANZA} {} {}\n{}\n",
        key_tag(recipient),
        STANDARD_NO_PAD.encode(share),
        STANDARD_NO_PAD.encode(wrapped)
    ))
}

/// The key that wraps the file key, from what X25519 gave for the ephemeral and the recipient's key. `None` where that is
/// zero: a share of small order, with which everybody knows the secret.
fn wrapping_key(recipient: &PublicKey, point: &[u8; 32], share: &[u8; 32], shared: &[u8; 32]) -> Option<Key> {
    let tweak = derive(&recipient.blob(), &[], LABEL);
    let shared = Zeroizing::new(x25519(*tweak, *shared));
    if *shared == [0; 32] {
        return None;
    }
    let salt = [share.as_slice(), point.as_slice()].concat();
    Some(derive(&salt, &*shared, LABEL))
}

/// The recipient's point on Curve25519.
fn montgomery(key: &PublicKey) -> Option<[u8; 32]> {
    Some(VerifyingKey::from_bytes(key.point()).ok()?.to_montgomery().to_bytes())
}

/// The first four bytes of the SHA-256 of the key's blob: which stanza is whose.
fn key_tag(key: &PublicKey) -> String {
    let digest = Digest::of(&key.blob());
    let (tag, _) = digest.as_bytes().split_at(4);
    STANDARD_NO_PAD.encode(tag)
}

/// HMAC over the header up to and with `---`.
fn header_mac(file_key: &[u8; 16], header: &[u8]) -> Hmac<Sha256> {
    let key = derive(&[], file_key, b"header");
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes a key of any length");
    mac.update(header);
    mac
}

fn payload_cipher(file_key: &[u8; 16], nonce: &[u8; 16]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&*derive(nonce, file_key, b"payload")).into())
}

/// HKDF-SHA-256 to 32 bytes. An empty salt is as none (RFC 5869, section 2.2).
fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut *key).expect("HKDF gives up to 8160 bytes");
    key
}

/// STREAM: eleven bytes of counter, then 1 for the last chunk.
fn chunk_nonce(counter: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce.iter_mut().skip(3).zip(counter.to_be_bytes()).for_each(|(to, from)| *to = from);
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(last);
    }
    nonce.into()
}
