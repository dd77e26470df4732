//! OpenSSH public keys of the two kinds a ledger knows: `ssh-ed25519` and `sk-ssh-ed25519@openssh.com`
//! (RFC 8709, OpenSSH PROTOCOL.u2f). A `PublicKey` is canonical text, a point on the curve in its one encoding, and not
//! of small order; a weak key cannot be held.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use super::id::Digest;

/// Why a text or blob is not a key we accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `TYPE BASE64` with one space and nothing after.
    #[error("expected an OpenSSH public key without a comment, such as `ssh-ed25519 AAAA…`")]
    Text,
    /// A key type that a ledger does not use.
    #[error("key type {0} is not allowed: use ssh-ed25519 or sk-ssh-ed25519@openssh.com")]
    Type(String),
    /// The base64 or the blob inside is malformed, or label and blob disagree.
    #[error("the key is malformed")]
    Blob,
    /// The point is not on the curve, not in its canonical encoding, or of small order.
    #[error("the key is weak: its point is of small order or not canonical")]
    Weak,
}

/// The two kinds of key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    /// A software key, `ssh-ed25519`.
    Ed25519,
    /// A hardware key, `sk-ssh-ed25519@openssh.com`, with the application it was made for (`ssh:`).
    SkEd25519 {
        /// The application string inside the key.
        application: String,
    },
}

/// A public key: valid, canonical, not weak.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(KeyKind, [u8; 32])", into = "(KeyKind, [u8; 32])")]
pub struct PublicKey {
    kind: KeyKind,
    point: [u8; 32],
}

/// The label of a software key.
pub const ED25519: &str = "ssh-ed25519";
/// The label of a hardware key.
pub const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";

impl PublicKey {
    /// A software key from its 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Weak`] where the bytes are no point, not canonical, or of small order.
    pub fn ed25519(point: [u8; 32]) -> Result<Self, KeyError> {
        Self::checked(KeyKind::Ed25519, point)
    }

    /// Parses the wire blob: `string label, string point [, string application]`, and nothing after.
    ///
    /// # Errors
    /// The cause, as [`KeyError`] has them.
    pub fn from_blob(blob: &[u8]) -> Result<Self, KeyError> {
        let mut wire = Wire::new(blob);
        let label = wire.text().ok_or(KeyError::Blob)?;
        let kind_is_sk = match label {
            ED25519 => false,
            SK_ED25519 => true,
            other => return Err(KeyError::Type(other.to_owned())),
        };
        let point = wire.string().and_then(|p| <[u8; 32]>::try_from(p).ok()).ok_or(KeyError::Blob)?;
        let kind = if kind_is_sk {
            KeyKind::SkEd25519 { application: wire.text().ok_or(KeyError::Blob)?.to_owned() }
        } else {
            KeyKind::Ed25519
        };
        if !wire.is_empty() {
            return Err(KeyError::Blob);
        }
        Self::checked(kind, point)
    }

    /// Reads a line of a `.pub` file: type, base64 and an optional comment.
    ///
    /// # Errors
    /// The cause, as [`KeyError`] has them.
    pub fn from_pub_line(line: &str) -> Result<Self, KeyError> {
        let mut words = line.split_whitespace();
        let (Some(label), Some(body)) = (words.next(), words.next()) else { return Err(KeyError::Text) };
        format!("{label} {body}").parse()
    }

    /// The kind.
    pub const fn kind(&self) -> &KeyKind {
        &self.kind
    }

    /// Whether it lives in hardware (`sk-…`).
    pub const fn is_hardware(&self) -> bool {
        matches!(self.kind, KeyKind::SkEd25519 { .. })
    }

    /// The 32 bytes of the point.
    pub const fn point(&self) -> &[u8; 32] {
        &self.point
    }

    /// The label, as the first word of the text has it.
    pub const fn label(&self) -> &'static str {
        match self.kind {
            KeyKind::Ed25519 => ED25519,
            KeyKind::SkEd25519 { .. } => SK_ED25519,
        }
    }

    /// The wire blob.
    pub fn blob(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        put_string(&mut out, self.label().as_bytes());
        put_string(&mut out, &self.point);
        if let KeyKind::SkEd25519 { application } = &self.kind {
            put_string(&mut out, application.as_bytes());
        }
        out
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        use base64::engine::general_purpose::STANDARD_NO_PAD;
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Digest::of(&self.blob()).as_bytes()))
    }

    fn checked(kind: KeyKind, point: [u8; 32]) -> Result<Self, KeyError> {
        if is_good(&point) { Ok(Self { kind, point }) } else { Err(KeyError::Weak) }
    }
}

impl TryFrom<(KeyKind, [u8; 32])> for PublicKey {
    type Error = KeyError;
    fn try_from((kind, point): (KeyKind, [u8; 32])) -> Result<Self, KeyError> {
        Self::checked(kind, point)
    }
}

impl From<PublicKey> for (KeyKind, [u8; 32]) {
    fn from(key: PublicKey) -> Self {
        (key.kind, key.point)
    }
}

/// How many points a thread remembers to be good.
const REMEMBERED: usize = 4096;

thread_local! {
    /// Points that were found good. A ledger names few keys very often, and looking at one costs as much as parsing an event.
    static GOOD: RefCell<HashSet<[u8; 32]>> = RefCell::new(HashSet::new());
}

/// Whether 32 bytes are a point in its one encoding, and not of small order.
fn is_good(point: &[u8; 32]) -> bool {
    if GOOD.with_borrow(|good| good.contains(point)) {
        return true;
    }
    let Ok(key) = VerifyingKey::from_bytes(point) else { return false };
    // from_bytes takes y >= p as well; to_edwards().compress() gives the one canonical encoding.
    if key.is_weak() || key.to_edwards().compress().to_bytes() != *point {
        return false;
    }
    GOOD.with_borrow_mut(|good| {
        // Anybody may bring keys that nobody knows: what they can fill is bounded.
        if good.len() >= REMEMBERED {
            good.clear();
        }
        good.insert(*point);
    });
    true
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.label(), STANDARD.encode(self.blob()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    /// Takes the canonical text alone: `TYPE BASE64`.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (label, body) = text.split_once(' ').ok_or(KeyError::Text)?;
        if label != ED25519 && label != SK_ED25519 {
            return Err(KeyError::Type(label.to_owned()));
        }
        let blob = STANDARD.decode(body).map_err(|_| KeyError::Blob)?;
        let key = Self::from_blob(&blob)?;
        if key.label() == label { Ok(key) } else { Err(KeyError::Blob) }
    }
}

/// A signature as a key made it, before it is put into an SSHSIG or a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSignature {
    /// R ‖ S.
    pub bytes: [u8; 64],
    /// Of a hardware key: its flags and counter.
    pub hardware: Option<HardwareSignature>,
}

/// What a hardware key adds to a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HardwareSignature {
    /// 0x01 touched, 0x04 PIN given.
    pub flags: u8,
    /// How often the key signed.
    pub counter: u32,
}

/// What signatures of a key can show of the person who makes them, as far as that is known before one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// That the key was touched.
    pub touch: bool,
    /// That it was given its PIN, or knew a finger.
    pub pin: bool,
}

impl Presence {
    /// What a key of this kind can show at best: a software key nothing, a hardware key both.
    pub const fn at_best(key: &PublicKey) -> Self {
        let hardware = key.is_hardware();
        Self { touch: hardware, pin: hardware }
    }
}

/// A reader over the SSH wire encoding (RFC 4251, section 5). Never panics, never reads past its end.
pub struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    /// Reads from `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    /// `byte`
    pub fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// `uint32`
    pub fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// `uint64`
    pub fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// `string`
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    /// `string` that is UTF-8.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }
}

/// Appends a `string` (RFC 4251, section 5).
///
/// # Panics
/// Never for less than 4 GiB, which no caller holds.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("an SSH string is shorter than 4 GiB");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph";

    #[test]
    fn a_key_text_round_trips() {
        let key: PublicKey = ALICE.parse().unwrap();
        assert_eq!(key.to_string(), ALICE);
        assert_eq!(PublicKey::from_blob(&key.blob()).unwrap(), key);
        // `ssh-keygen -lf alice.pub`
        assert_eq!(key.fingerprint(), "SHA256:6dBl91efD6Myq/FY+XFMPSAatxXYdpZLGDWcMnTGlF4");
    }

    #[test]
    fn weak_and_odd_keys_are_refused() {
        let mut blob = Vec::new();
        put_string(&mut blob, b"ssh-ed25519");
        let with_point = |point: [u8; 32]| {
            let mut blob = blob.clone();
            put_string(&mut blob, &point);
            PublicKey::from_blob(&blob)
        };
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(with_point(identity), Err(KeyError::Weak));
        assert_eq!(with_point([0; 32]), Err(KeyError::Weak)); // order 4
        // y = p + 3: a non-canonical encoding of y = 3, which is on the curve and not of small order.
        let mut non_canonical = [0xff; 32];
        non_canonical[0] = 0xf0;
        non_canonical[31] = 0x7f;
        assert_eq!(with_point(non_canonical), Err(KeyError::Weak));
        for bad in [
            ALICE.to_owned() + " alice",
            ALICE.replace("ssh-ed25519 ", "ssh-ed25519  "),
            ALICE.replace("ssh-ed25519 ", "ssh-rsa "),
            ALICE.replace("ssh-ed25519 ", "sk-ssh-ed25519@openssh.com "),
            "ssh-ed25519".into(),
            "ssh-ed25519 AAAA".into(),
        ] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
        assert!(PublicKey::from_pub_line(&(ALICE.to_owned() + " alice@laptop\n")).is_ok());
    }
}
