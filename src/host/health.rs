//! Whether a host does its work now: what `jit host status` shows and `jit doctor` judges. Only looks, and waits for
//! nobody. Imports domain and the host's shared types.

use std::fs::{self, File, TryLockError};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::refusals::{self, Refused};
use super::{Config, Grants, HostError, SessionFile, files};
use crate::domain::time::Timestamp;

/// The file that `jit host reap` holds locked while it runs, below `run`.
pub const REAP_LOCK: &str = "reap.lock";

/// What stands on the host.
#[derive(Debug)]
pub struct Health {
    /// What is published; `None` where nothing is.
    pub grants: Option<Grants>,
    /// Whether it is too old to admit anybody.
    pub is_stale: bool,
    /// The version of the revocation list; `None` where there is none that sshd could use.
    pub krl: Option<u64>,
    /// How many CAs sshd trusts for the logins.
    pub authorities: usize,
    /// Whether `jit host sync` answers at its socket.
    pub sync: bool,
    /// Whether `jit host reap` runs.
    pub reap: bool,
    /// The sessions, oldest first.
    pub sessions: Vec<SessionFile>,
    /// Files of sessions that cannot be read.
    pub unreadable: Vec<HostError>,
    /// Refused logins, oldest first.
    pub refused: Vec<Refused>,
    /// Signed events that wait to be delivered.
    pub waiting: u64,
    /// How many bytes the recordings have.
    pub recordings: u64,
}

impl Health {
    /// Looks.
    ///
    /// # Errors
    /// Where something is there and cannot be read: that is no verdict.
    pub fn look(config: &Config, now: Timestamp) -> Result<Self, HostError> {
        let grants = Grants::read(config)?;
        let is_stale = grants.as_ref().is_none_or(|grants| grants.is_stale(now));
        let krl = files::read(&config.krl())?.and_then(|bytes| krl_version(&bytes));
        let authorities = files::read(&config.authorities())?.unwrap_or_default();
        let authorities = authorities.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"ssh-")).count();
        let (sessions, unreadable) =
            if config.sessions().exists() { SessionFile::all(config)? } else { (Vec::new(), Vec::new()) };
        Ok(Self {
            grants,
            is_stale,
            krl,
            authorities,
            sync: UnixStream::connect(config.socket()).is_ok(),
            reap: is_locked(&config.run.join(REAP_LOCK))?,
            sessions,
            unreadable,
            refused: refusals::all(config)?,
            waiting: entries(&config.mirror.join("jit/outbox"))?,
            recordings: size(&config.recordings)?,
        })
    }

    /// Whether everything runs that must.
    pub const fn is_good(&self) -> bool {
        self.sync && self.reap && !self.is_stale && self.krl.is_some() && self.unreadable.is_empty()
    }
}

/// The version in a list's header (PROTOCOL.krl): after the magic and the format's version.
fn krl_version(bytes: &[u8]) -> Option<u64> {
    // 44 bytes are the header alone: cut to that, sshd reads a list that revokes nothing.
    let long_enough = bytes.len() >= 44 && bytes.starts_with(b"SSHKRL\n\0");
    let version: [u8; 8] = bytes.get(12..20)?.try_into().ok()?;
    long_enough.then(|| u64::from_be_bytes(version))
}

fn is_locked(path: &Path) -> Result<bool, HostError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(HostError::file(path, cause)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(cause)) => Err(HostError::file(path, cause)),
    }
}

fn entries(directory: &Path) -> Result<u64, HostError> {
    Ok(u64::try_from(read_dir(directory)?.len()).unwrap_or(u64::MAX))
}

/// The bytes of all plain files below; links are not followed.
fn size(directory: &Path) -> Result<u64, HostError> {
    let mut sum = 0_u64;
    for entry in read_dir(directory)? {
        let Ok(meta) = entry.metadata() else { continue };
        sum = sum.saturating_add(if meta.is_dir() { size(&entry.path())? } else { meta.len() });
    }
    Ok(sum)
}

fn read_dir(directory: &Path) -> Result<Vec<fs::DirEntry>, HostError> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.flatten().collect()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(HostError::file(directory, cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_anything_in_it_is_none() {
        let mut list = b"SSHKRL\n\0".to_vec();
        list.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(krl_version(&list), None, "cut short");
        list.resize(60, 0);
        assert_eq!(krl_version(&list), Some(9));
        assert_eq!(krl_version(b""), None);
    }
}
