//! How far the ending of a session has come: `<run>/sessions/<session>.ending.json`, written beside and renamed, so that a
//! reaper that is killed at any moment goes on where it was. Every step may be done twice: killing what is dead, asking
//! `sync` what it has answered, looking again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::cgroup::Group;
use super::super::session_file::{Recorded, SessionFile};
use super::super::wire::{Ask, Item};
use super::super::{Config, HostError, files, text};
use crate::domain::event::EndCause;
use crate::domain::id::Nonce;

/// What is appended to the session's name.
const SUFFIX: &str = ".ending.json";

/// The ending of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ending {
    /// Why it ends. Once written it stays, whatever is seen later.
    #[serde(with = "text")]
    pub cause: EndCause,
    /// In words, for the log.
    pub why: String,
    /// What the recording came to; `None` until that is known.
    pub recorded: Option<Recorded>,
    /// Whether the session-end was taken.
    pub told: bool,
    /// What the probes found; `None` until they looked.
    pub items: Option<Vec<Item>>,
    /// Whether the residue was taken: only clearing away is left.
    pub reported: bool,
}

impl Ending {
    /// The beginning of one.
    pub const fn new(cause: EndCause, why: String) -> Self {
        Self { cause, why, recorded: None, told: false, items: None, reported: false }
    }

    /// Where it lies.
    pub fn path(config: &Config, session: &Nonce) -> PathBuf {
        config.sessions().join(format!("{session}{SUFFIX}"))
    }

    /// Reads it; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(config: &Config, session: &Nonce) -> Result<Option<Self>, HostError> {
        let path = Self::path(config, session);
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| HostError::content(path, error))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, config: &Config, session: &Nonce) -> Result<(), HostError> {
        let path = Self::path(config, session);
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| HostError::content(&path, error))?;
        files::write(&path, &bytes, 0o600, true)
    }

    /// The session-end, once it is known what the recording came to.
    pub fn session_end(&self, session: &SessionFile) -> Option<Ask> {
        let recorded = self.recorded.as_ref()?;
        Some(Ask::SessionEnd {
            case: session.case,
            session: session.session.clone(),
            cause: self.cause,
            exit_code: recorded.exit_code,
            recording: recorded.head,
            bytes: recorded.bytes,
        })
    }

    /// The residue, once the probes looked.
    pub fn residue(&self, session: &SessionFile) -> Option<Ask> {
        let items = self.items.clone()?;
        Some(Ask::Residue { case: session.case, session: session.session.clone(), items })
    }
}

/// Removes everything of a session but its recording. Its own file goes last but one: while that is there, so is the rest
/// of what the ending needs to be known.
///
/// # Errors
/// Where something cannot be removed; what is left is tried again.
pub fn clear(config: &Config, session: &Nonce) -> Result<(), HostError> {
    Group::of(config, session).remove()?;
    files::remove(&SessionFile::gate_path(config, session))?;
    files::remove(&SessionFile::recorded_path(config, session))?;
    files::remove(&SessionFile::path(config, session))?;
    files::remove(&Ending::path(config, session))
}

/// Removes what a reaper left that was killed while it cleared a session away: the ending without its session.
///
/// # Errors
/// Where the directory cannot be read or something cannot be removed.
pub fn clear_orphans(config: &Config) -> Result<(), HostError> {
    let directory = config.sessions();
    let failed = |cause| HostError::file(&directory, cause);
    for entry in std::fs::read_dir(&directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        let Some(session) = name.strip_suffix(SUFFIX).and_then(|stem| stem.parse::<Nonce>().ok()) else { continue };
        if SessionFile::path(config, &session).try_exists().is_ok_and(|exists| !exists) {
            clear(config, &session)?;
        }
    }
    Ok(())
}
