//! Small files of the host: read whole and bounded, never through a symbolic link; written beside, synced and renamed, so
//! that a reader finds the old or the new one and a power cut loses neither. Imports nothing of ours but the errors.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::HostError;

/// The largest file that is read, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// The content of a plain file; `None` where there is none.
///
/// # Errors
/// Where it is no plain file, is too large, or cannot be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, HostError> {
    let failed = |cause| HostError::file(path, cause);
    // NOFOLLOW: whoever owns the directory must not choose what root reads. NONBLOCK: nor make it wait on a pipe.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(|_| failed(io::ErrorKind::InvalidInput.into()))?;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(cause)),
    };
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() || meta.len() > LIMIT {
        return Err(HostError::content(path, "no plain file, or too large"));
    }
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Replaces a file's content. `mode` are the permissions of the new file; `synced`: a power cut loses nothing once this
/// returned (not needed on a file system that lives in memory).
///
/// # Errors
/// Where it cannot be written; the old content stands then.
pub fn write(path: &Path, bytes: &[u8], mode: u32, synced: bool) -> Result<(), HostError> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        if synced {
            file.as_file().sync_all()?;
        }
        file.persist(path).map_err(|error| error.error)?;
        if synced { File::open(directory)?.sync_all() } else { Ok(()) }
    };
    write().map_err(|cause| HostError::file(path, cause))
}

/// Removes a file; one that is not there is no error.
///
/// # Errors
/// Where it cannot be removed.
pub fn remove(path: &Path) -> Result<(), HostError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(HostError::file(path, cause)),
        _ => Ok(()),
    }
}

/// Takes the lock of a file, made where there is none; `None` where another process holds it. It is held as long as the
/// file is open, so the system takes it back when the process ends, however it ends.
///
/// # Errors
/// Where the file cannot be made or locked.
pub fn lock(path: &Path) -> Result<Option<File>, HostError> {
    let failed = |cause| HostError::file(path, cause);
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(cause)) => Err(failed(cause)),
    }
}
