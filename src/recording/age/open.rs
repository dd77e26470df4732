//! Opening what was sealed to an `ssh-ed25519` key: strict where age is (canonical base64, wrapped lines of 64, the
//! header's MAC before anything is decrypted, the last chunk's rules), and it allocates no more than it was given.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hmac::Mac as _;
use zeroize::Zeroizing;

use super::{
    CHUNK, Key, STANZA, TAG, VERSION, chunk_nonce, header_mac, key_tag, montgomery, payload_cipher, wrapping_key,
};
use crate::domain::key::PublicKey;

/// The longest line of a header in bytes; ours have some 70.
const LONGEST_LINE: usize = 8 * 1024;
/// The most stanzas that are read.
const MOST_STANZAS: usize = 256;

/// A key that can open: its public half, and X25519 with the private one, which stays where it is.
pub struct Identity<'a> {
    /// Whose it is.
    pub public: &'a PublicKey,
    /// X25519 of the private key's scalar and this share.
    pub agree: &'a dyn Fn(&[u8; 32]) -> Zeroizing<[u8; 32]>,
}

/// Why a sealed chunk does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is no age file.
    #[error("it is no age file")]
    NotAge,
    /// The header is malformed; what.
    #[error("its age header is malformed: {0}")]
    Header(&'static str),
    /// It is sealed to other keys.
    #[error("it is not sealed to the key {0}")]
    OtherKeys(String),
    /// The stanza of this key is of small order, so everybody could know its secret.
    #[error("the share sealed to the key is weak")]
    WeakShare,
    /// The header was changed after it was sealed.
    #[error("its age header was changed")]
    Mac,
    /// It ends too early.
    #[error("its sealed text is cut off")]
    Cut,
    /// A chunk was changed, or something follows the last one.
    #[error("its sealed text was changed")]
    Payload,
    /// A last chunk that is empty, after others.
    #[error("its sealed text ends in an empty chunk")]
    EmptyLast,
}

/// Opens one age file.
///
/// # Errors
/// The cause, as [`OpenError`] has them.
pub fn open(file: &[u8], identity: &Identity<'_>) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let header = Header::parse(file)?;
    let file_key = unwrap(&header.stanzas, identity)?;
    // Compared in constant time.
    header_mac(&file_key, header.authenticated).verify_slice(&header.mac).map_err(|_| OpenError::Mac)?;
    payload(&file_key, header.payload)
}

struct Stanza<'a> {
    arguments: Vec<&'a str>,
    body: Vec<u8>,
}

struct Header<'a> {
    stanzas: Vec<Stanza<'a>>,
    /// What the MAC is over: up to and with `---`.
    authenticated: &'a [u8],
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(file: &'a [u8]) -> Result<Self, OpenError> {
        let mut lines = Lines { rest: file };
        if lines.next() != Some(VERSION) {
            return Err(OpenError::NotAge);
        }
        let mut stanzas = Vec::new();
        loop {
            let before = lines.rest;
            let line = lines.next().ok_or(OpenError::Header("it is cut off"))?;
            if let Some(arguments) = line.strip_prefix("-> ") {
                if stanzas.len() == MOST_STANZAS {
                    return Err(OpenError::Header("it has too many stanzas"));
                }
                stanzas.push(Stanza::parse(arguments, &mut lines)?);
            } else if let Some(mac) = line.strip_prefix("--- ") {
                if stanzas.is_empty() {
                    return Err(OpenError::Header("it has no stanza"));
                }
                let mac = decode(mac).filter(|mac| mac.len() == 32).ok_or(OpenError::Header("its MAC is malformed"))?;
                let length = file.len().saturating_sub(before.len()).saturating_add(3);
                let authenticated = file.get(..length).ok_or(OpenError::NotAge)?;
                return Ok(Self { stanzas, authenticated, mac, payload: lines.rest });
            } else {
                return Err(OpenError::Header("it has a line that is neither stanza nor MAC"));
            }
        }
    }
}

impl<'a> Stanza<'a> {
    fn parse(arguments: &'a str, lines: &mut Lines<'a>) -> Result<Self, OpenError> {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let printable = |argument: &&str| !argument.is_empty() && argument.bytes().all(|c| c.is_ascii_graphic());
        if !arguments.iter().all(printable) {
            return Err(OpenError::Header("a stanza's arguments are malformed"));
        }
        let wrong = OpenError::Header("a stanza's body is malformed");
        let mut body = Vec::new();
        loop {
            let line = lines.next().ok_or(OpenError::Header("it is cut off"))?;
            let part = decode(line).filter(|_| line.len() <= 64).ok_or_else(|| wrong.clone())?;
            body.extend(part);
            // Full lines of 64, then one that is shorter, be it empty.
            if line.len() < 64 {
                return Ok(Self { arguments, body });
            }
            if body.len() > LONGEST_LINE {
                return Err(wrong);
            }
        }
    }
}

/// Lines that end in one LF each; what follows them is bytes.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let end = self.rest.iter().take(LONGEST_LINE).position(|&c| c == b'\n')?;
        let (line, after) = self.rest.split_at_checked(end)?;
        self.rest = after.split_first()?.1;
        std::str::from_utf8(line).ok()
    }
}

/// Base64 without padding, in its one spelling.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).ok()
}

fn unwrap(stanzas: &[Stanza<'_>], identity: &Identity<'_>) -> Result<Zeroizing<[u8; 16]>, OpenError> {
    let other = || OpenError::OtherKeys(identity.public.fingerprint());
    let point = montgomery(identity.public).ok_or_else(other)?;
    let own = key_tag(identity.public);
    for stanza in stanzas {
        let [kind, tag, share] = stanza.arguments.as_slice() else {
            if stanza.arguments.first() == Some(&STANZA) {
                return Err(OpenError::Header("a stanza's arguments are malformed"));
            }
            continue;
        };
        if *kind != STANZA {
            continue;
        }
        let share: Option<[u8; 32]> = decode(share).and_then(|share| share.try_into().ok());
        let (Some(4), Some(share)) = (decode(tag).map(|tag| tag.len()), share) else {
            return Err(OpenError::Header("a stanza's arguments are malformed"));
        };
        if stanza.body.len() != 16 + TAG {
            return Err(OpenError::Header("a wrapped key has another length"));
        }
        if *tag != own {
            continue;
        }
        let shared = (identity.agree)(&share);
        let key: Key = wrapping_key(identity.public, &point, &share, &shared).ok_or(OpenError::WeakShare)?;
        let cipher = ChaCha20Poly1305::new((&*key).into());
        // Four bytes of tag may be another key's as well: then the next stanza may be ours.
        let Ok(opened) = cipher.decrypt(&Nonce::default(), stanza.body.as_slice()).map(Zeroizing::new) else {
            continue;
        };
        let file_key: [u8; 16] = opened.as_slice().try_into().map_err(|_| other())?;
        return Ok(Zeroizing::new(file_key));
    }
    Err(other())
}

fn payload(file_key: &[u8; 16], payload: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, mut rest) = payload.split_at_checked(16).ok_or(OpenError::Cut)?;
    let nonce: [u8; 16] = nonce.try_into().map_err(|_| OpenError::Cut)?;
    let cipher = payload_cipher(file_key, &nonce);
    // One allocation of the right size: a buffer that grows leaves copies behind that nobody wipes.
    let mut plain = Zeroizing::new(Vec::with_capacity(rest.len()));
    let mut counter = 0_u64;
    while let Some((chunk, after)) = rest.split_at_checked(CHUNK + TAG).filter(|(_, after)| !after.is_empty()) {
        let opened = cipher.decrypt(&chunk_nonce(counter, false), chunk).map_err(|_| OpenError::Payload)?;
        plain.extend_from_slice(&Zeroizing::new(opened));
        counter = counter.saturating_add(1);
        rest = after;
    }
    if rest.len() < TAG {
        return Err(OpenError::Cut);
    }
    if rest.len() == TAG && counter > 0 {
        return Err(OpenError::EmptyLast);
    }
    let opened = cipher.decrypt(&chunk_nonce(counter, true), rest).map_err(|_| OpenError::Payload)?;
    plain.extend_from_slice(&Zeroizing::new(opened));
    Ok(plain)
}
