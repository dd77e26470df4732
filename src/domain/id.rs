//! Names and numbers that are parsed once: digests, case and event ids, actor names, `TARGET/ROLE`, nonces, commit ids.
//! A value of one of these types is well-formed; nobody downstream checks again (format.md, sections 1 and 2).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, HEXLOWER, Specification};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("expected `sha256:` and 64 lower-case hex digits")]
    Digest,
    /// Not 40 lower-case hexadecimal digits.
    #[error("expected a commit id of 40 lower-case hex digits")]
    Commit,
    /// Not a name: 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit.
    #[error("expected a name: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit")]
    Name,
    /// Not `TARGET/ROLE`.
    #[error("expected TARGET/ROLE, such as payments-db/read-only")]
    RoleRef,
    /// Not 26 characters of lower-case base32.
    #[error("expected 26 lower-case base32 characters")]
    Nonce,
}

/// A SHA-256 digest. Written `sha256:<64 hex>` in events and JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The first 16 characters of the lower-case unpadded base32: what paths and people use.
    pub fn short(&self) -> String {
        // 10 bytes are exactly 16 base32 characters.
        let (head, _) = self.0.split_at(10);
        BASE32_NOPAD.encode(head).to_ascii_lowercase()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let hex = text.strip_prefix("sha256:").ok_or(IdError::Digest)?;
        let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| IdError::Digest)?;
        bytes.try_into().map(Self).map_err(|_| IdError::Digest)
    }
}

/// The digest of the event that opened a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseId(pub Digest);

impl CaseId {
    /// The 16 characters people type.
    pub fn short(&self) -> String {
        self.0.short()
    }

    /// The ids whose [`CaseId::short`] begins with `text`, of which there is at least a character; `None` where none can.
    pub fn begin_short(text: &str) -> Option<RangeInclusive<Self>> {
        let digits = b"abcdefghijklmnopqrstuvwxyz234567";
        let digit = |c: u8| digits.iter().position(|digit| *digit == c).and_then(|value| u8::try_from(value).ok());
        let range = begin::<32>(text.bytes().map(digit), 5)?;
        (text.len() <= 16).then(|| Self(Digest(*range.start()))..=Self(Digest(*range.end())))
    }

    /// The ids whose 64 hexadecimal digits begin with `text`, likewise.
    pub fn begin_hex(text: &str) -> Option<RangeInclusive<Self>> {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let range = begin::<32>(text.bytes().map(digit), 4)?;
        Some(Self(Digest(*range.start()))..=Self(Digest(*range.end())))
    }
}

/// The arrays whose first bits are those of `digits`, of `width` bits each.
fn begin<const N: usize>(
    digits: impl ExactSizeIterator<Item = Option<u8>>,
    width: usize,
) -> Option<RangeInclusive<[u8; N]>> {
    let (mut low, mut high) = ([0; N], [0xff; N]);
    if digits.len() == 0 {
        return None;
    }
    for (index, digit) in digits.enumerate() {
        let digit = digit?;
        for bit in 0..width {
            let at = index.checked_mul(width)?.checked_add(bit)?;
            let mask = 0x80_u8 >> (at % 8);
            let is_set = digit >> (width - 1 - bit) & 1 == 1;
            for (bytes, keep) in [(&mut low, is_set), (&mut high, is_set)] {
                let byte = bytes.get_mut(at / 8)?;
                *byte = if keep { *byte | mask } else { *byte & !mask };
            }
        }
    }
    Some(low..=high)
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A Git object id (SHA-1). It says where bytes are stored and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId([u8; 20]);

/// The object id of a commit.
pub type CommitId = ObjectId;

impl ObjectId {
    /// An id from its 20 bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The first 12 hexadecimal digits, for people.
    pub fn short(&self) -> String {
        let (head, _) = self.0.split_at(6);
        HEXLOWER.encode(head)
    }

    /// The ids whose 40 hexadecimal digits begin with `text`, of which there is at least one; `None` where none can.
    pub fn begin(text: &str) -> Option<RangeInclusive<Self>> {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let range = begin::<20>(text.bytes().map(digit), 4)?;
        Some(Self(*range.start())..=Self(*range.end()))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| IdError::Commit)?;
        bytes.try_into().map(Self).map_err(|_| IdError::Commit)
    }
}

/// The name of a member, service, host, group, environment, target or role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "&str", into = "String")]
pub struct Name(std::sync::Arc<str>);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl FromStr for Name {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let bytes = text.as_bytes();
        let first_is_plain = bytes.first().copied().is_some_and(plain);
        if !first_is_plain || bytes.len() > 64 || !bytes.iter().all(|&c| plain(c) || matches!(c, b'.' | b'_' | b'-')) {
            return Err(IdError::Name);
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<&str> for Name {
    type Error = IdError;
    fn try_from(text: &str) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// `TARGET/ROLE`: what a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleRef {
    /// The target.
    pub target: Name,
    /// The role on it.
    pub role: Name,
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.target, self.role))
    }
}

impl FromStr for RoleRef {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let (target, role) = text.split_once('/').ok_or(IdError::RoleRef)?;
        let parse = |part: &str| part.parse::<Name>().map_err(|_| IdError::RoleRef);
        Ok(Self { target: parse(target)?, role: parse(role)? })
    }
}

/// 26 random base32 characters: what makes two equal requests two cases, and names a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nonce(String);

impl Nonce {
    /// A nonce from 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Nonce {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        // Any 26 base32 characters: whether the spare bits of the last one are zero is nobody's concern.
        let base32 = |c: u8| c.is_ascii_lowercase() || (b'2'..=b'7').contains(&c);
        if text.len() != 26 || !text.bytes().all(base32) {
            return Err(IdError::Nonce);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Lower-case base32 without padding, as ids and origins use it.
pub fn base32_lower() -> Specification {
    let mut spec = Specification::new();
    spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_text_round_trips_and_refuses_other_spellings() {
        // SHA-256 of the empty string, FIPS 180-4 test vector.
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse::<Digest>().unwrap(), digest);
        // base32 of the first ten bytes, from `printf … | base32`.
        assert_eq!(digest.short(), "4oymiquy7qobjgx3");
        for bad in
            ["", "sha256:", &text.to_uppercase(), &text.replace("sha256", "sha512"), &text[..70], &format!("{text}0")]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_lower_case_and_bounded() {
        for good in ["a", "db1", "payments-db", "on-call", "a.b_c", &"x".repeat(64)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "A", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }

    #[test]
    fn role_refs_have_one_slash() {
        assert_eq!("payments-db/read-only".parse::<RoleRef>().unwrap().to_string(), "payments-db/read-only");
        for bad in ["payments-db", "/x", "x/", "a/b/c"] {
            assert!(bad.parse::<RoleRef>().is_err(), "{bad}");
        }
    }
}
