//! OpenSSH Ed25519 private key files (OpenSSH PROTOCOL.key): opening, plain or with a passphrase, and writing new ones.
//! Imports ports and domain. Nothing private is kept longer than it must: buffers and keys are wiped when dropped.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use ssh_key::private::KeypairData;
use zeroize::Zeroizing;

use crate::domain::key::{KeyError, Presence, PublicKey, RawSignature, Wire};
use crate::ports::{SignError, Signer};

mod create;

pub use create::generate;
pub(super) use create::public_path;

/// A private key file has some 400 bytes; an RSA one some 3 KiB. Nothing larger is read.
const LARGEST_FILE: u64 = 64 * 1024;
const ARMOR_BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const ARMOR_END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// Asks for the passphrase of the key file at the path. How often to ask again after a wrong one is the caller's matter:
/// each [`open`] asks at most once.
pub type AskPassphrase<'a> = dyn FnMut(&Path) -> Result<Zeroizing<String>, NoPassphrase> + 'a;

/// There is nobody to ask, or they gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPassphrase(pub String);

/// Why a key file does not open, or was not written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file.
    #[error("there is no key file {path}", path = .0.display())]
    NotFound(PathBuf),
    /// It cannot be read.
    #[error("cannot read {path}: {1}", path = .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A folder, socket or device.
    #[error("{path} is not a file", path = .0.display())]
    NotAFile(PathBuf),
    /// Far larger than any key file (bytes).
    #[error("{path} has {1} bytes: that is no key file", path = .0.display())]
    TooLarge(PathBuf, u64),
    /// Others than its owner can read or write it, as its mode says.
    #[error("{path} has mode {1:04o}: others than its owner can use it", path = .0.display())]
    TooOpen(PathBuf, u32),
    /// It holds a public key.
    #[error("{path} holds a public key, not a private one", path = .0.display())]
    Public(PathBuf),
    /// A private key in another format than OpenSSH's, which is named.
    #[error("{path} is a private key in the format {1}, not OpenSSH's own", path = .0.display())]
    OtherFormat(PathBuf, String),
    /// No private key at all.
    #[error("{path} is not an OpenSSH private key", path = .0.display())]
    NotAKey(PathBuf),
    /// It begins as an OpenSSH private key, but is cut off or damaged; the cause.
    #[error("the OpenSSH private key {path} is damaged: {1}", path = .0.display())]
    Damaged(PathBuf, String),
    /// An RSA, ECDSA or DSA key, which is named.
    #[error("{path} is an {1} key: use an ssh-ed25519 or sk-ssh-ed25519@openssh.com key", path = .0.display())]
    OtherType(PathBuf, String),
    /// The file of a hardware key: what is secret is in the device.
    #[error("{path} belongs to a hardware key: the key itself is in the device", path = .0.display())]
    Hardware(PathBuf),
    /// The public half is weak.
    #[error("{path}: {1}", path = .0.display())]
    Weak(PathBuf, #[source] KeyError),
    /// The key is encrypted and there was no passphrase.
    #[error("{path} needs a passphrase: {1}", path = .0.display())]
    NoPassphrase(PathBuf, #[source] NoPassphrase),
    /// The passphrase is wrong.
    #[error("wrong passphrase for {path}", path = .0.display())]
    WrongPassphrase(PathBuf),
    /// A new key would overwrite a file.
    #[error("{path} exists already", path = .0.display())]
    Exists(PathBuf),
    /// A new key cannot be written.
    #[error("cannot write {path}: {1}", path = .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// A new key's comment holds a control character.
    #[error("the key's comment holds a control character")]
    Comment,
}

/// A private key from a file, in memory. Wiped when dropped.
pub struct FileSigner {
    public: PublicKey,
    secret: SigningKey,
}

impl Signer for FileSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, data: &[u8]) -> Result<RawSignature, SignError> {
        Ok(RawSignature { bytes: self.secret.sign(data).to_bytes(), hardware: None })
    }
}

impl std::fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSigner").field("public", &self.public).finish_non_exhaustive()
    }
}

impl FileSigner {
    /// A key that was just made from `seed`, for keys that live no longer than the process.
    ///
    /// # Errors
    /// [`KeyError::Weak`] never in practice: no seed is known that gives a weak key.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, KeyError> {
        let seed = Zeroizing::new(seed);
        let secret = SigningKey::from_bytes(&seed);
        Ok(Self { public: PublicKey::ed25519(secret.verifying_key().to_bytes())?, secret })
    }
}

/// A private key as it opens what is sealed to it: X25519, and nothing else. Wiped when dropped. Only a file gives one:
/// ssh-agent signs, and does nothing else with its keys; a hardware key cannot do it at all.
pub struct Opener {
    public: PublicKey,
    scalar: Zeroizing<[u8; 32]>,
}

impl Opener {
    /// The public half.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// X25519 of the private scalar (RFC 8032, section 5.1.5: the clamped half of the seed's SHA-512) and the point
    /// `share`. Zero where the point is of small order, which the caller must refuse.
    pub fn agree(&self, share: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(x25519_dalek::x25519(*self.scalar, *share))
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("public", &self.public).finish_non_exhaustive()
    }
}

impl FileSigner {
    /// The key as it opens what is sealed to it.
    pub fn into_opener(self) -> Opener {
        let Self { public, secret } = self;
        Opener { public, scalar: Zeroizing::new(secret.to_scalar_bytes()) }
    }
}

/// Opens the private key file at `path`; a symbolic link is followed, as ssh does. An encrypted one asks `passphrase`
/// once.
///
/// # Errors
/// The cause, as [`KeyFileError`] has them.
pub fn open(path: &Path, passphrase: &mut AskPassphrase<'_>) -> Result<FileSigner, KeyFileError> {
    KeyFile::read(path)?.unlock(passphrase)
}

/// A private key file that was read and identified, but not yet unlocked: its public half is known without passphrase.
pub struct KeyFile {
    path: PathBuf,
    armor: Zeroizing<Vec<u8>>,
    public: PublicKey,
    encrypted: bool,
    presence: Option<Presence>,
}

impl KeyFile {
    /// Reads and identifies the file at `path`.
    ///
    /// # Errors
    /// The cause, as [`KeyFileError`] has them.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let armor = read_private(path)?;
        let (public, encrypted, presence) = identify(path, &armor)?;
        Ok(Self { path: path.to_owned(), armor, public, encrypted, presence })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of a hardware key: what OpenSSH will ask of the device, as the file says it (`no-touch-required`,
    /// `verify-required` when it was made). `None` where the file is encrypted, or is a software key's.
    pub const fn presence(&self) -> Option<Presence> {
        self.presence
    }

    /// The public half, as the file states it outside the encrypted part.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Whether a passphrase is needed.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether it is only the handle of a hardware key.
    pub const fn is_hardware(&self) -> bool {
        self.public.is_hardware()
    }

    /// The key itself; asks `passphrase` once where it is encrypted.
    ///
    /// # Errors
    /// The cause, as [`KeyFileError`] has them.
    pub fn unlock(self, passphrase: &mut AskPassphrase<'_>) -> Result<FileSigner, KeyFileError> {
        let Self { path, armor, public, encrypted, .. } = self;
        if public.is_hardware() {
            return Err(KeyFileError::Hardware(path));
        }
        let damaged = |e: ssh_key::Error| KeyFileError::Damaged(path.clone(), e.to_string());
        let locked = ssh_key::PrivateKey::from_openssh(&*armor).map_err(damaged)?;
        let unlocked = if encrypted {
            let words = passphrase(&path).map_err(|e| KeyFileError::NoPassphrase(path.clone(), e))?;
            // The check words inside differ, or the cipher's tag: both mean another passphrase.
            locked.decrypt(words.as_bytes()).map_err(|e| match e {
                ssh_key::Error::Crypto => KeyFileError::WrongPassphrase(path.clone()),
                other => damaged(other),
            })?
        } else {
            locked
        };
        let KeypairData::Ed25519(pair) = unlocked.key_data() else {
            return Err(KeyFileError::Damaged(path, "its halves are of different types".into()));
        };
        let secret = SigningKey::from_bytes(pair.private.as_ref());
        // What is stated outside the encrypted part is not to be believed: the key that signs says who it is.
        if secret.verifying_key().as_bytes() != public.point() {
            return Err(KeyFileError::Damaged(path, "its public half is not its private half's".into()));
        }
        Ok(FileSigner { public, secret })
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => KeyFileError::NotFound(path.to_owned()),
        _ => KeyFileError::Read(path.to_owned(), e),
    };
    // Asked before opening, since opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(KeyFileError::NotAFile(path.to_owned()));
    }
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.len() > LARGEST_FILE {
        return Err(KeyFileError::TooLarge(path.to_owned(), metadata.len()));
    }
    let capacity = usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1);
    // One allocation of the right size: a buffer that grows leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    let starts_private = bytes.starts_with(b"-----BEGIN ") || bytes.starts_with(b"PuTTY-User-Key-File-");
    if !starts_private {
        let public = std::str::from_utf8(&bytes).is_ok_and(|text| PublicKey::from_pub_line(text).is_ok());
        let path = path.to_owned();
        return Err(if public { KeyFileError::Public(path) } else { KeyFileError::NotAKey(path) });
    }
    // ssh refuses such a key too ("UNPROTECTED PRIVATE KEY FILE").
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::TooOpen(path.to_owned(), mode));
    }
    Ok(bytes)
}

/// What the unencrypted part says (PROTOCOL.key, section 1): the public half, whether the rest is encrypted, and what a
/// hardware key will show.
fn identify(path: &Path, armor: &[u8]) -> Result<(PublicKey, bool, Option<Presence>), KeyFileError> {
    let damaged = |why: &str| KeyFileError::Damaged(path.to_owned(), why.to_owned());
    let Ok(text) = std::str::from_utf8(armor) else { return Err(KeyFileError::NotAKey(path.to_owned())) };
    let first = text.lines().next().unwrap_or_default();
    if first.trim_end() != ARMOR_BEGIN {
        let format = match first.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----")) {
            Some(("PRIVATE KEY" | "ENCRYPTED PRIVATE KEY", _)) => "PKCS#8".to_owned(),
            Some((label, _)) if label.ends_with("PRIVATE KEY") => format!("PEM ({label})"),
            None if first.starts_with("PuTTY-User-Key-File-") => "PuTTY".to_owned(),
            Some(_) | None => return Err(KeyFileError::NotAKey(path.to_owned())),
        };
        return Err(KeyFileError::OtherFormat(path.to_owned(), format));
    }
    let Some((body, _)) = text.split_once(ARMOR_END) else { return Err(damaged("it is cut off")) };
    // One allocation of the right size, here too.
    let mut joined = Zeroizing::new(String::with_capacity(body.len()));
    joined.extend(body.lines().skip(1));
    let blob = Zeroizing::new(STANDARD.decode(joined.trim_end()).map_err(|_| damaged("its base64 is malformed"))?);
    let mut wire = Wire::new(&blob);
    let header = (|| {
        let magic = wire.take(15)?;
        let cipher = wire.text()?;
        let _kdf = wire.text()?;
        let _kdf_options = wire.string()?;
        Some((magic, cipher, wire.u32()?, wire.string()?))
    })();
    let Some((b"openssh-key-v1\0", cipher, 1, public)) = header else { return Err(damaged("its header is malformed")) };
    let public = PublicKey::from_blob(public).map_err(|e| match e {
        KeyError::Type(label) => KeyFileError::OtherType(path.to_owned(), label),
        KeyError::Weak => KeyFileError::Weak(path.to_owned(), e),
        KeyError::Text | KeyError::Blob => damaged("its public half is malformed"),
    })?;
    let encrypted = cipher != "none";
    let presence = match wire.string() {
        Some(private) if public.is_hardware() && !encrypted => {
            Some(hardware_presence(private).ok_or_else(|| damaged("its private part is malformed"))?)
        }
        _ => None,
    };
    Ok((public, encrypted, presence))
}

/// From the private part of a hardware key (PROTOCOL.u2f, "SSH U2F Key formats"): twice the check word, then type, point,
/// application and the flags: `SSH_SK_USER_PRESENCE_REQD` is 0x01, `SSH_SK_USER_VERIFICATION_REQD` 0x04.
fn hardware_presence(private: &[u8]) -> Option<Presence> {
    let mut wire = Wire::new(private);
    wire.take(8)?;
    for _ in 0..3 {
        wire.string()?;
    }
    let flags = wire.u8()?;
    Some(Presence { touch: flags & 0x01 != 0, pin: flags & 0x04 != 0 })
}

/// Reads the public key file at `path`: one line, with or without comment.
///
/// # Errors
/// [`KeyFileError::NotFound`], [`KeyFileError::Read`], [`KeyFileError::OtherType`], [`KeyFileError::Weak`], and
/// [`KeyFileError::NotAKey`] for anything else.
pub fn read_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => KeyFileError::NotFound(path.to_owned()),
        _ => KeyFileError::Read(path.to_owned(), e),
    };
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(KeyFileError::NotAFile(path.to_owned()));
    }
    let mut text = String::new();
    let read = File::open(path).map_err(unreadable)?.take(LARGEST_FILE).read_to_string(&mut text);
    match read {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(KeyFileError::NotAKey(path.to_owned())),
        Err(e) => return Err(unreadable(e)),
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(KeyFileError::NotAKey(path.to_owned()));
    };
    PublicKey::from_pub_line(line).map_err(|e| match e {
        // Only what looks like a key type is one: `-----BEGIN` is not.
        KeyError::Type(label) if label.contains("ssh-") || label.contains("ecdsa-") => {
            KeyFileError::OtherType(path.to_owned(), label)
        }
        KeyError::Weak => KeyFileError::Weak(path.to_owned(), e),
        KeyError::Type(_) | KeyError::Text | KeyError::Blob => KeyFileError::NotAKey(path.to_owned()),
    })
}
