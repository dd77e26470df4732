//! A session's file, `<run>/sessions/<session>.json`: what the root parts know of a session that runs, so that each of
//! them can be restarted. `session` writes it, `reap` removes it once the session has ended and the ledger has been told.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::process::ProcessId;
use super::{Config, HostError, files, text};
use crate::domain::id::{CaseId, Digest, Name, Nonce};
use crate::domain::key::PublicKey;
use crate::domain::time::Timestamp;

/// A session that runs, or has ended and is not yet cleared away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionFile {
    /// Its name.
    #[serde(with = "text")]
    pub session: Nonce,
    /// The case, as 64 hex digits with `sha256:`.
    #[serde(with = "text")]
    pub case: Digest,
    /// Whose access it is.
    #[serde(with = "text")]
    pub requester: Name,
    /// The environment whose CA signed.
    #[serde(with = "text")]
    pub environment: Name,
    /// The certificate's serial.
    pub serial: u64,
    /// SHA-256 of the certificate's blob: with it the grant is found again.
    #[serde(with = "text")]
    pub certificate: Digest,
    /// The `TARGET/ROLE`s through which this login was opened.
    pub roles: Vec<String>,
    /// The login.
    pub login: String,
    /// Its user id.
    pub uid: u32,
    /// Where from: an address.
    pub source: String,
    /// When it began.
    #[serde(with = "text")]
    pub started: Timestamp,
    /// When it has to end.
    #[serde(with = "text")]
    pub ends: Timestamp,
    /// Its control group: a directory.
    pub cgroup: PathBuf,
    /// The sshd monitor of the connection. When it is gone, the session is over.
    pub monitor: ProcessId,
    /// Where it stands.
    pub standing: Standing,
    /// The recorder; `None` until it runs.
    pub recorder: Option<ProcessId>,
    /// The recording; `None` where the policy wants none.
    pub recording: Option<PathBuf>,
    /// To whom it is sealed.
    #[serde(with = "text::list")]
    pub recorders: Vec<PublicKey>,
    /// What the user is told at login: the reason and ticket of the request.
    pub reason: String,
    /// The ticket, where there is one.
    pub ticket: Option<String>,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Its session-start is not in the ledger yet, or waits there: nobody has a shell. What stays so for longer than
    /// `login_wait` is ended without a session-end.
    Starting,
    /// Its session-start was appended (or waits in the outbox, where the policy allows that).
    Open,
    /// It was refused: whatever is left of the connection is ended, and the ledger never heard of it.
    Refused,
    /// The same, but sshd has yet to tell the person why, and the connection is good for nothing else: it may end by
    /// itself, within a few seconds.
    Leaving,
}

/// What the recorder leaves: `<run>/sessions/<session>.recorded.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recorded {
    /// The digest of the last frame: the recording's head. `None` where nothing was recorded.
    #[serde(with = "text::option")]
    pub head: Option<Digest>,
    /// The size of the recording, in bytes.
    pub bytes: u64,
    /// The exit code of the last channel that ended by itself.
    pub exit_code: Option<i64>,
    /// Whether the recorder closed the recording itself.
    pub whole: bool,
}

impl SessionFile {
    /// The case.
    pub const fn case(&self) -> CaseId {
        CaseId(self.case)
    }

    /// Where the file of a session lies.
    pub fn path(config: &Config, session: &Nonce) -> PathBuf {
        config.sessions().join(format!("{session}.json"))
    }

    /// Where what its recorder leaves lies.
    pub fn recorded_path(config: &Config, session: &Nonce) -> PathBuf {
        config.sessions().join(format!("{session}.recorded.json"))
    }

    /// Where its gate meets its recorder.
    pub fn gate_path(config: &Config, session: &Nonce) -> PathBuf {
        config.gates().join(format!("{session}.sock"))
    }

    /// Where its recording lies: `<recordings>/<case>/<session>.jitrec`.
    pub fn recording_path(config: &Config, case: CaseId, session: &Nonce) -> PathBuf {
        config.recordings.join(case.short()).join(format!("{session}.jitrec"))
    }

    /// Reads a session's file; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(config: &Config, session: &Nonce) -> Result<Option<Self>, HostError> {
        read(&Self::path(config, session))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, config: &Config) -> Result<(), HostError> {
        write(&Self::path(config, &self.session), self)
    }

    /// All sessions, oldest first; and the files that could not be read.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn all(config: &Config) -> Result<(Vec<Self>, Vec<HostError>), HostError> {
        let directory = config.sessions();
        let failed = |cause| HostError::file(&directory, cause);
        let (mut sessions, mut unreadable) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".json") else { continue };
            let Ok(session) = stem.parse::<Nonce>() else { continue };
            match Self::read(config, &session) {
                Ok(found) => sessions.extend(found),
                Err(error) => unreadable.push(error),
            }
        }
        sessions.sort_by(|a, b| (a.started, a.session.as_str()).cmp(&(b.started, b.session.as_str())));
        Ok((sessions, unreadable))
    }
}

impl Recorded {
    /// What the recorder of `session` left; `None` where it has not yet.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(config: &Config, session: &Nonce) -> Result<Option<Self>, HostError> {
        read(&SessionFile::recorded_path(config, session))
    }

    /// Leaves it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, config: &Config, session: &Nonce) -> Result<(), HostError> {
        write(&SessionFile::recorded_path(config, session), self)
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, HostError> {
    let Some(bytes) = files::read(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| HostError::content(path, error))
}

fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), HostError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| HostError::content(path, error))?;
    files::write(path, &bytes, 0o600, true)
}
