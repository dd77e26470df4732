//! What is remembered between runs: where in the ledger we are, when we last looked at the time, what waits to be delivered
//! and what was delivered lately. One file, replaced whole: written beside, synced, renamed. The cursor and what waits move
//! together, so that a crash can double the last message, which has the same id, and can lose none.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::export::cursor;
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;
use crate::ledger::Pin;
use crate::monitor::notify::Notice;

/// How many deliveries are remembered, to know doubles by.
const GIVEN: usize = 2000;
/// The most bytes of the file.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A message that waits for its sink.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The sink's name.
    pub sink: String,
    /// What is to be told.
    pub notice: Notice,
    /// How often it was refused in a way that does not pass by itself.
    pub refusals: u32,
}

/// The file and what it holds.
pub struct Memory {
    path: PathBuf,
    /// Held while this lives; not where nothing will be written.
    _lock: Option<File>,
    /// How far the ledger was read.
    pub cursor: Option<Pin>,
    /// When the time was last looked at.
    pub looked: Option<Timestamp>,
    /// What waits, oldest first.
    pub queue: Vec<Waiting>,
    given: VecDeque<String>,
}

impl Memory {
    /// Opens the file at `path`, for this process alone if it will be written.
    ///
    /// # Errors
    /// Where another process uses it, or it cannot be read.
    pub fn open(path: PathBuf, ledger: Digest, write: bool) -> Result<Self, CliError> {
        let lock = if write {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory(&path))
                .map_err(|cause| CliError::file("make", directory(&path), &cause))?;
            Some(cursor::lock(&path, "notifier")?)
        } else {
            None
        };
        let mut memory =
            Self { path, _lock: lock, cursor: None, looked: None, queue: Vec::new(), given: VecDeque::new() };
        if let Some(bytes) = read(&memory.path).map_err(|cause| CliError::file("read", &memory.path, &cause))? {
            let whole = serde_json::from_slice::<Value>(&bytes).ok().and_then(|object| memory.fill(&object));
            if whole.is_none() {
                return Err(CliError::failed(format!("{} is not what jit notify remembers", memory.path.display()))
                    .hint("name another file with --state, or move this one away: what is open is told then"));
            }
            if memory.cursor.as_ref().is_some_and(|pin| pin.ledger != ledger) {
                return Err(CliError::stale(format!("{} is of another ledger", memory.path.display()))
                    .hint("name the ledger (--ledger DIR) or another file (--state FILE)"));
            }
        }
        Ok(memory)
    }

    fn fill(&mut self, object: &Value) -> Option<()> {
        if object.get("version")?.as_u64()? != 1 {
            return None;
        }
        let cursor = object.get("cursor")?;
        if !cursor.is_null() {
            let text = |field: &str| cursor.get(field).and_then(Value::as_str);
            self.cursor = Some(Pin {
                ledger: text("ledger")?.parse().ok()?,
                head: text("head")?.parse().ok()?,
                size: cursor.get("size")?.as_u64()?,
                root: text("root")?.parse().ok()?,
            });
        }
        self.looked = match object.get("looked")? {
            Value::Null => None,
            text => Some(text.as_str()?.parse().ok()?),
        };
        for entry in object.get("queue")?.as_array()? {
            self.queue.push(Waiting {
                sink: entry.get("sink")?.as_str()?.to_owned(),
                notice: Notice::of_json(entry.get("notice")?)?,
                refusals: u32::try_from(entry.get("refusals")?.as_u64()?).ok()?,
            });
        }
        for entry in object.get("given")?.as_array()? {
            self.given.push_back(entry.as_str()?.to_owned());
        }
        Some(())
    }

    /// Whether this sink was given this, or it waits for it already.
    pub fn knows(&self, sink: &str, id: Digest, ledger: Digest) -> bool {
        let key = key(sink, id);
        self.given.contains(&key) || self.queue.iter().any(|entry| entry.sink == sink && entry.notice.id(ledger) == id)
    }

    /// It was delivered.
    pub fn gave(&mut self, sink: &str, id: Digest) {
        self.given.push_back(key(sink, id));
        while self.given.len() > GIVEN {
            self.given.pop_front();
        }
    }

    /// Remembers all of it. When this returns, a power cut loses nothing.
    ///
    /// # Errors
    /// Where it cannot be written; what was remembered before stands then.
    pub fn write(&self, ledger: Digest, name: &str) -> Result<(), CliError> {
        let cursor = self.cursor.as_ref().map(|pin| {
            json!({ "ledger": pin.ledger.to_string(), "head": pin.head.to_string(), "size": pin.size,
                "root": pin.root.to_string() })
        });
        let queue: Vec<Value> = self
            .queue
            .iter()
            .map(|entry| {
                json!({ "sink": entry.sink, "refusals": entry.refusals, "notice": entry.notice.json(ledger, name) })
            })
            .collect();
        let object = json!({ "version": 1, "cursor": cursor, "looked": self.looked.map(|time| time.to_string()),
            "queue": queue, "given": self.given });
        let write = || -> io::Result<()> {
            let mut beside = tempfile::Builder::new().prefix(".notify-").tempfile_in(directory(&self.path))?;
            beside.write_all(object.to_string().as_bytes())?;
            beside.as_file().sync_all()?;
            beside.persist(&self.path).map_err(|error| error.error)?;
            File::open(directory(&self.path))?.sync_all()
        };
        write().map_err(|cause| CliError::file("write", &self.path, &cause))
    }
}

fn key(sink: &str, id: Digest) -> String {
    format!("{sink} {id}")
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    match OpenOptions::new().read(true).custom_flags(nofollow).open(path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(LIMIT).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}
