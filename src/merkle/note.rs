//! Signed notes: a text and the signatures under it (C2SP signed-note v1.0.0; format.md, section 4). A note has one
//! spelling: what [`Note::parse`] takes, its `Display` writes again to the byte. PURE; imports only
//! `domain::{id, key}` and the types beside it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use self::key::{NoteKeyError, SignatureType, VerifierKey};

mod key;

/// The largest note that is read, in bytes: what Go's `sumdb/note` takes.
pub const MAX_BYTES: usize = 1_000_000;
/// The most signatures that are read under one note, as Go's `sumdb/note` has it; the specification demands 16.
pub const MAX_SIGNATURES: usize = 100;

/// What a signature line begins with: an em dash and a space.
const LINE_START: &str = "— ";

/// Why bytes are no signed note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_BYTES`]. Holds the length in bytes.
    #[error("the note is {0} bytes long, the limit is {MAX_BYTES}")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("the note is not UTF-8")]
    Utf8,
    /// An ASCII control character other than line feed.
    #[error("the note holds the control character 0x{0:02x}")]
    Control(u8),
    /// The text does not end with a line feed, or there is no text.
    #[error("the text of the note does not end with a line feed")]
    Text,
    /// No empty line parts text and signatures, or nothing follows it.
    #[error("the note has no signatures after an empty line")]
    Unsigned,
    /// The last line does not end with a line feed.
    #[error("the last line of the note does not end with a line feed")]
    End,
    /// A signature line is not `— NAME BASE64`. Holds its number, from 1.
    #[error("signature line {0} of the note is not of the form `— NAME BASE64`")]
    Line(usize),
    /// A key name is empty or holds a space or a plus. Holds the number of the signature line.
    #[error("signature line {0} of the note names a key with a space or a plus in it")]
    Name(usize),
    /// A signature is not canonical base64. Holds the number of the signature line.
    #[error("the signature in line {0} of the note is not canonical base64")]
    Base64(usize),
    /// A signature has no bytes after its key id. Holds the number of the signature line.
    #[error("the signature in line {0} of the note is too short")]
    Short(usize),
    /// More than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooMany,
}

/// A key name is empty, or holds a Unicode space, a plus or a control character.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a key name without spaces and plus signs, such as example.com/log42")]
pub struct NameError;

/// The name of a key under notes: not empty, no Unicode spaces, no plus, no control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for KeyName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let forbidden = |c: char| c.is_whitespace() || c == '+' || c.is_control();
        if text.is_empty() || text.contains(forbidden) { Err(NameError) } else { Ok(Self(text.to_owned())) }
    }
}

/// The first four bytes of the hash of a key: which of the keys of one name signed.
pub type KeyId = [u8; 4];

/// One signature line. That it is good is what [`VerifierKey`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who signed, as the line says.
    pub name: KeyName,
    /// The key id, as the line says.
    pub id: KeyId,
    /// What follows the key id; its form is the signature type's.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    /// The line with its line feed: `— NAME BASE64\n`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_slice(), &self.bytes].concat();
        writeln!(f, "{LINE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text with the signatures under it. The text is worth nothing before a signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A text, to be signed.
    ///
    /// # Errors
    /// [`NoteError::Text`] where it does not end with a line feed, [`NoteError::Control`] where it cannot be in a note.
    pub fn unsigned(text: String) -> Result<Self, NoteError> {
        check_characters(text.as_bytes())?;
        if text.ends_with('\n') { Ok(Self { text, signatures: Vec::new() }) } else { Err(NoteError::Text) }
    }

    /// Reads a signed note.
    ///
    /// # Errors
    /// The first cause found.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_BYTES {
            return Err(NoteError::TooLarge(bytes.len()));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Utf8)?;
        check_characters(bytes)?;
        // "the text is separated from the signatures by the last empty line in the note"
        let at = note.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, rest) = note.split_at(at.saturating_add(1));
        let lines = rest.strip_prefix('\n').unwrap_or(rest);
        Ok(Self { text: text.to_owned(), signatures: parse_signatures(lines)? })
    }

    /// The text, with its final line feed: what is signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in the order of their lines.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Those that say that this key made them.
    pub fn signatures_of(&self, key: &VerifierKey) -> impl Iterator<Item = &NoteSignature> {
        self.signatures.iter().filter(move |signature| signature.id == key.id() && signature.name == *key.name())
    }

    /// Adds a signature; one that is there already is not added again.
    pub fn add(&mut self, signature: NoteSignature) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Takes the signatures out that `keep` does not want.
    pub fn retain(&mut self, keep: impl FnMut(&NoteSignature) -> bool) {
        self.signatures.retain(keep);
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| fmt::Display::fmt(signature, f))
    }
}

/// Reads signature lines, at least one, each with its line feed: the end of a note, or what a witness answers.
///
/// # Errors
/// The first cause found.
pub fn parse_signatures(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    if lines.is_empty() {
        return Err(NoteError::Unsigned);
    }
    let lines = lines.strip_suffix('\n').ok_or(NoteError::End)?;
    let mut signatures = Vec::new();
    for (line, number) in lines.split('\n').zip(1_usize..) {
        if number > MAX_SIGNATURES {
            return Err(NoteError::TooMany);
        }
        signatures.push(parse_line(line, number)?);
    }
    Ok(signatures)
}

fn parse_line(line: &str, number: usize) -> Result<NoteSignature, NoteError> {
    let line = line.strip_prefix(LINE_START).ok_or(NoteError::Line(number))?;
    let (name, signature) = line.split_once(' ').ok_or(NoteError::Line(number))?;
    let name = name.parse().map_err(|NameError| NoteError::Name(number))?;
    let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Base64(number))?;
    let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(NoteError::Short(number))?;
    if bytes.is_empty() {
        return Err(NoteError::Short(number));
    }
    Ok(NoteSignature { name, id: *id, bytes: bytes.to_vec() })
}

fn check_characters(bytes: &[u8]) -> Result<(), NoteError> {
    match bytes.iter().find(|&&byte| byte < 0x20 && byte != b'\n') {
        Some(byte) => Err(NoteError::Control(*byte)),
        None => Ok(()),
    }
}
