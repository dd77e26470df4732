//! Writing new key files, as `ssh-keygen` would (OpenSSH PROTOCOL.key). Imports domain and the errors beside it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ssh_key::private::{Ed25519Keypair, KeypairData};
use zeroize::Zeroizing;

use super::{FileSigner, KeyFileError};
use crate::domain::key::PublicKey;

/// Makes an Ed25519 key from `seed`, 32 bytes of the system's randomness, and writes it unencrypted to `path` (mode 0600)
/// and its public half to `path` + `.pub` (0644). Each file is written beside, synced and then named, so that a crash
/// leaves a whole file or none; the private one comes first. No file is overwritten.
///
/// # Errors
/// [`KeyFileError::Exists`], [`KeyFileError::Write`], [`KeyFileError::Comment`].
pub fn generate(path: &Path, comment: &str, seed: [u8; 32]) -> Result<PublicKey, KeyFileError> {
    let seed = Zeroizing::new(seed);
    if comment.contains(char::is_control) {
        return Err(KeyFileError::Comment);
    }
    let public_path = public_path(path);
    for taken in [path, &public_path] {
        if taken.symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists(taken.to_owned()));
        }
    }
    let encoded = |e: ssh_key::Error| KeyFileError::Write(path.to_owned(), io::Error::other(e.to_string()));
    let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
    let private = ssh_key::PrivateKey::new(pair, comment).map_err(encoded)?;
    let armor = private.to_openssh(ssh_key::LineEnding::LF).map_err(encoded)?;
    let signer = FileSigner::from_seed(*seed).map_err(|e| KeyFileError::Weak(path.to_owned(), e))?;
    write_new(path, 0o600, armor.as_bytes())?;
    let line = format!("{} {comment}", signer.public);
    write_new(&public_path, 0o644, format!("{}\n", line.trim_end()).as_bytes())?;
    Ok(signer.public)
}

/// `path` + `.pub`.
pub(in crate::sign) fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), KeyFileError> {
    let unwritable = |e: io::Error| KeyFileError::Write(path.to_owned(), e);
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let permissions = std::fs::Permissions::from_mode(mode);
    let mut beside = tempfile::Builder::new()
        .prefix(".jit-key-")
        .permissions(permissions)
        .tempfile_in(folder)
        .map_err(unwritable)?;
    beside.write_all(bytes).map_err(unwritable)?;
    beside.as_file().sync_all().map_err(unwritable)?;
    // Named by a call that fails where the name is taken: nobody's key is overwritten, not even in a race.
    beside.persist_noclobber(path).map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => unwritable(e.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)
}
