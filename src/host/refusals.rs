//! The refused logins of this host, for `jit host status`: one JSON line each in the published directory, and a line to
//! syslog. Noting one never admits and never fails a login.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use serde::{Deserialize, Serialize};

use super::admission::Refusal;
use super::{Config, HostError, files, syslog, text};
use crate::domain::time::Timestamp;

/// Beyond this many bytes the file begins anew; the one before is kept beside it.
const LARGEST: u64 = 256 * 1024;

/// A refused login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// When.
    #[serde(with = "text")]
    pub time: Timestamp,
    /// The login.
    pub login: String,
    /// The key id that the certificate claims.
    pub key_id: String,
    /// The serial that it claims.
    pub serial: u64,
    /// Where from, where that is known.
    pub source: Option<String>,
    /// The reason's word.
    pub reason: String,
    /// In words.
    pub message: String,
}

/// Notes a refusal.
pub fn note(
    config: &Config,
    time: Timestamp,
    login: &str,
    key_id: &str,
    serial: u64,
    source: Option<&str>,
    refusal: &Refusal,
) {
    let short = |text: &str| text.chars().take(200).collect::<String>();
    let refused = Refused {
        time,
        login: short(login),
        key_id: short(key_id),
        serial,
        source: source.map(short),
        reason: refusal.word().to_owned(),
        message: refusal.to_string(),
    };
    let from = refused.source.as_ref().map_or_else(String::new, |source| format!(" from {source}"));
    syslog::warn(&format!(
        "refused login={} key={} serial={serial}{from} reason={} {}",
        refused.login, refused.key_id, refused.reason, refused.message
    ));
    if let Err(error) = append(config, &refused) {
        syslog::warn(&format!("a refusal cannot be noted: {error}"));
    }
}

/// The noted refusals, oldest first.
///
/// # Errors
/// Where they cannot be read.
pub fn all(config: &Config) -> Result<Vec<Refused>, HostError> {
    let path = config.refusals();
    let mut found = Vec::new();
    for path in [path.with_extension("jsonl.old"), path] {
        let bytes = files::read(&path)?.unwrap_or_default();
        // A line that was cut by a full disk is left out; the next ones are not.
        found.extend(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()));
    }
    Ok(found)
}

fn append(config: &Config, refused: &Refused) -> Result<(), HostError> {
    let path = config.refusals();
    let failed = |cause| HostError::file(&path, cause);
    let mut line = serde_json::to_vec(refused).map_err(|error| HostError::content(&path, error))?;
    line.push(b'\n');
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut file =
        OpenOptions::new().append(true).create(true).mode(0o640).custom_flags(no_follow).open(&path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() > LARGEST {
        std::fs::rename(&path, path.with_extension("jsonl.old")).map_err(failed)?;
        file = OpenOptions::new().append(true).create(true).mode(0o640).open(&path).map_err(failed)?;
    }
    // One write, so that many logins at once do not mix their lines.
    file.write_all(&line).map_err(failed)
}
