//! What the root parts ask of `sync`, which alone holds the host's key: one JSON line each way over a Unix socket that
//! only root and the daemon's own user may use.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Config, HostError, text};
use crate::domain::event::{EndCause, ProbeResult};
use crate::domain::id::{Digest, Nonce};

/// The longest message, in bytes.
pub const LIMIT: u64 = 256 * 1024;

/// An event that the ledger should be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ask {
    /// Somebody is about to get in. Asked again with the same session it is answered again, and appended once.
    SessionStart {
        /// The case.
        #[serde(with = "text")]
        case: Digest,
        /// The session.
        #[serde(with = "text")]
        session: Nonce,
        /// The serial.
        serial: u64,
        /// The login.
        login: String,
        /// Where from.
        source: String,
        /// Whether it is recorded.
        recorded: bool,
    },
    /// A session is over.
    SessionEnd {
        /// The case.
        #[serde(with = "text")]
        case: Digest,
        /// The session.
        #[serde(with = "text")]
        session: Nonce,
        /// Why.
        #[serde(with = "text")]
        cause: EndCause,
        /// The exit code, where there was one.
        exit_code: Option<i64>,
        /// The recording's head.
        #[serde(with = "text::option")]
        recording: Option<Digest>,
        /// The recording's size in bytes.
        bytes: u64,
    },
    /// What was left behind.
    Residue {
        /// The case.
        #[serde(with = "text")]
        case: Digest,
        /// The session after which was looked.
        #[serde(with = "text")]
        session: Nonce,
        /// The probes.
        items: Vec<Item>,
    },
}

/// What one probe found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name.
    pub probe: String,
    /// What it came to.
    #[serde(with = "text")]
    pub result: ProbeResult,
    /// What it saw, for people; at most 2,000 characters.
    pub detail: String,
}

/// What `sync` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// The ledger holds it.
    Landed,
    /// It is signed and waits on this host until the ledger can be reached; it will be delivered once.
    Kept {
        /// Why it waits.
        why: String,
    },
    /// A rule says no.
    Refused {
        /// Which one, and why.
        why: String,
    },
    /// It could not be done now: ask again.
    Failed {
        /// Why.
        why: String,
    },
}

/// Asks `sync`.
///
/// # Errors
/// [`HostError::NoSync`] where it does not answer within `wait`.
pub fn ask(config: &Config, ask: &Ask, wait: Duration) -> Result<Answer, HostError> {
    let path = config.socket();
    let talk = || -> std::io::Result<Answer> {
        let mut stream = UnixStream::connect(&path)?;
        stream.set_read_timeout(Some(wait))?;
        stream.set_write_timeout(Some(wait))?;
        let mut line = serde_json::to_vec(ask)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = String::new();
        BufReader::new(stream.take(LIMIT)).read_line(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    talk().map_err(|cause| HostError::NoSync { path: path.clone(), cause })
}
