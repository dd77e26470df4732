//! The cursor: what a receiver has acknowledged. A file of its own for each ledger, destination and format, replaced whole
//! after each acknowledged batch: written beside, synced, renamed. What a crash loses is the last step of the cursor, never an
//! event.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use super::super::Context;
use super::super::error::CliError;
use super::super::files;
use super::destination::Destination;
use super::format::Format;
use crate::domain::id::{CommitId, Digest};
use crate::ledger::{Pin, Walk};

/// Behind what an export begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the genesis.
    Genesis,
    /// Behind everything that is there now.
    Now,
    /// Behind so many events.
    Size(u64),
    /// Behind a commit, by its id or the beginning of it.
    Commit(String),
    /// Behind an event.
    Event(Digest),
    /// Where the cursor stands.
    Cursor(Pin),
}

impl Start {
    /// From `--since`, else from the cursor, else the genesis.
    ///
    /// # Errors
    /// Where `--since` is nothing of the kind.
    pub fn of(since: Option<&str>, cursor: Option<&Pin>) -> Result<Self, CliError> {
        let Some(text) = since else { return Ok(cursor.map_or(Self::Genesis, |pin| Self::Cursor(pin.clone()))) };
        if let Ok(digest) = text.parse() {
            return Ok(Self::Event(digest));
        }
        let hex = text.len() >= 7 && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text {
            "start" => Ok(Self::Genesis),
            "now" => Ok(Self::Now),
            // Seven digits and more are a commit; nobody counts so far by hand.
            _ if hex => Ok(Self::Commit(text.to_ascii_lowercase())),
            _ => text.parse().map(Self::Size).map_err(|_| {
                CliError::usage(format!("--since {text:?} is no cursor"))
                    .hint("a commit (7 to 40 hex digits), an event's id (sha256:…), a number of events, start or now")
            }),
        }
    }

    /// The position of the first event to give; `None` where it is known only when the event before it is met.
    ///
    /// # Errors
    /// Stale (exit 5) where the cursor is of another ledger, or of a history that is not there any more.
    pub fn position(&self, walk: &Walk<'_>, ledger: Digest) -> Result<Option<u64>, CliError> {
        Ok(Some(match self {
            Self::Genesis => 0,
            Self::Now => walk.size(),
            Self::Event(_) => return Ok(None),
            Self::Size(size) if *size <= walk.size() => *size,
            Self::Size(size) => {
                return Err(gone(format!("the ledger has {} events, and not {size}", walk.size())));
            }
            Self::Commit(text) => position_of(walk, text)?.saturating_add(1),
            Self::Cursor(pin) if pin.ledger != ledger => {
                return Err(CliError::stale(format!(
                    "the cursor is of another ledger: {}, and this one is {ledger}",
                    pin.ledger
                ))
                .hint("name the ledger (--ledger DIR) or another cursor (--state FILE)"));
            }
            Self::Cursor(pin) => match pin.size.checked_sub(1).and_then(|last| walk.commit_at(last)) {
                Some(commit) if commit == pin.head => pin.size,
                _ => {
                    return Err(gone(format!(
                        "the cursor stands behind {} events at {}, which is no longer in the history",
                        pin.size, pin.head
                    )));
                }
            },
        }))
    }
}

/// What was exported is not what the ledger says now.
pub fn gone(what: String) -> CliError {
    CliError::stale(what)
        .because("the ledger was rewound or rewritten, or this clone is behind")
        .hint("jit verify, and compare with another clone; then, to begin anew: --since start")
}

fn position_of(walk: &Walk<'_>, text: &str) -> Result<u64, CliError> {
    let begins = |id: CommitId| id.to_string().starts_with(text);
    let mut found = (0..walk.size()).filter(|position| walk.commit_at(*position).is_some_and(begins));
    match (found.next(), found.next()) {
        (Some(position), None) => Ok(position),
        (None, _) => Err(gone(format!("commit {text} is not in the history"))),
        (Some(_), Some(_)) => {
            Err(CliError::usage(format!("several commits begin with {text}")).hint("give more of it"))
        }
    }
}

/// The file of a cursor, held by this process alone.
pub struct CursorFile {
    path: PathBuf,
    known: Option<Pin>,
    /// Held while this lives.
    _lock: File,
}

impl CursorFile {
    /// The cursor at `named`, else in the user's state directory; `None` for standard output, unless one is named.
    ///
    /// # Errors
    /// Where it cannot be read, is no cursor, or another process uses it.
    pub fn open(
        context: &Context,
        named: Option<PathBuf>,
        ledger: Digest,
        to: &Destination,
        format: Format,
    ) -> Result<Option<Self>, CliError> {
        let path = match (named, to) {
            (Some(path), _) => path,
            (None, Destination::Stdout) => return Ok(None),
            (None, to) => {
                let directory = context.environment.state_directory().ok_or_else(|| {
                    CliError::failed("there is no place for the cursor: HOME is not set").hint("--state FILE")
                })?;
                let whom = Digest::of(format!("{format} {to}").as_bytes()).short();
                directory.join("export").join(format!("{}-{whom}.toml", ledger.short()))
            }
        };
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|cause| CliError::file("make", directory, &cause))?;
        let lock = lock(&path, "export")?;
        let known = match read(&path).map_err(|cause| failed("read", &path, &cause))? {
            Some(bytes) => Some(Pin::parse(&bytes).map_err(|error| {
                CliError::failed(format!("{} is no cursor", path.display()))
                    .because(error.to_string())
                    .hint("name another file with --state, or move this one away to begin anew")
            })?),
            None => None,
        };
        Ok(Some(Self { path, known, _lock: lock }))
    }

    /// The cursor that was read.
    pub const fn known(&self) -> Option<&Pin> {
        self.known.as_ref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers what was acknowledged. When this returns, a power cut loses nothing.
    ///
    /// # Errors
    /// Where it cannot be written; the old cursor stands then.
    pub fn write(&self, cursor: &Pin) -> Result<(), CliError> {
        files::write(&self.path, &cursor.write(), files::OWN).map_err(|cause| {
            CliError::file("write", &self.path, &cause)
                .context("what the receiver has cannot be remembered: it will be given the last events again")
        })
    }
}

fn failed(doing: &str, path: &Path, cause: &io::Error) -> CliError {
    let error = CliError::file(doing, path, cause);
    if cause.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return error.hint("it is a symbolic link: name the file itself with --state");
    }
    error
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    match OpenOptions::new().read(true).custom_flags(nofollow).open(path) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut io::Read::by_ref(&mut file), &mut bytes)?;
            Ok(Some(bytes))
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Held by this process alone, as long as the file that is given back lives: two of them with one cursor would each believe
/// that what the other gave away was given by them.
///
/// # Errors
/// Where another process holds it, or it cannot be made.
pub fn lock(path: &Path, who: &str) -> Result<File, CliError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(nofollow)
        .open(&beside)
        .map_err(|cause| failed("lock", &beside, &cause))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(_) => Err(CliError::failed(format!("another {who} uses the cursor {}", path.display()))
            .hint("end it first, or name another cursor: --state FILE")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_has_one_meaning() {
        let read = |text: &str| Start::of(Some(text), None).ok();
        assert_eq!(read("start"), Some(Start::Genesis));
        assert_eq!(read("now"), Some(Start::Now));
        assert_eq!(read("12"), Some(Start::Size(12)));
        assert_eq!(read("ABCDEF0"), Some(Start::Commit("abcdef0".into())));
        assert!(matches!(read(&Digest::of(b"").to_string()), Some(Start::Event(_))));
        for bad in ["", "-1", "abc", "sha256:12", "HEAD", "yesterday"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(Start::of(None, None).ok(), Some(Start::Genesis));
    }
}
