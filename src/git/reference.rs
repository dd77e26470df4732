//! Compare-and-swap on the branch, in git's own way (a `.lock` file beside, renamed over it) but synced before the
//! rename, so that a power cut leaves the old value or the new one and never an empty file. Imports `domain::id`, `ports`.
//!
//! A lock that one of our own processes left when it was killed is recognised and taken away: the lock is a hard link to
//! `jit/advancing`, and whoever works on that holds a kernel lock that ends with its process. One that git left goes where
//! nobody lives who could hold it (`stale`).

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use git2::Repository;

use super::files::{State, WriterLock};
use super::stale::{Holder, InTheWay, clear, identity};
use crate::domain::id::{CommitId, ObjectId};
use crate::ports::StoreError;

/// How long a lock of another process is waited for: 40 times 50 ms.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// The file that the kernel locks for whoever moves the branch.
pub const TURN: &str = "advance.lock";

/// Where a reference stands, past all caches of packed ones; `None` where there is none.
pub fn current(repository: &Repository, name: &str) -> Result<Option<CommitId>, StoreError> {
    let reference = match repository.find_reference(name) {
        Ok(reference) => reference,
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::Read(format!("{name}: {}", error.message()))),
    };
    let target = reference.target().ok_or_else(|| StoreError::Read(format!("{name} is a symbolic reference")))?;
    let bytes = target.as_bytes().try_into().map_err(|_| StoreError::Read(format!("{name} is no SHA-1 id")))?;
    Ok(Some(ObjectId::from_bytes(bytes)))
}

/// One of our processes at a time; the kernel ends this when the process ends, however it ends.
pub fn turn(state: &State) -> Result<WriterLock, StoreError> {
    state.wait_for_turn(TURN, ATTEMPTS, PAUSE).map_err(|error| StoreError::Write(error.to_string()))
}

/// Moves `name` from `expected` to `new`, durably. Only who holds the turn may call it.
pub fn advance(
    repository: &Repository,
    state: &State,
    _turn: &WriterLock,
    name: &str,
    expected: Option<CommitId>,
    new: CommitId,
) -> Result<(), StoreError> {
    let target = repository.commondir().join(name);
    let lock = repository.commondir().join(format!("{name}.lock"));
    let directory = target.parent().unwrap_or(repository.commondir());
    fs::create_dir_all(directory).map_err(|cause| failed(directory, &cause))?;

    let beside = state.path().join("advancing");
    remove_own_stale_lock(&beside, &lock)?;

    // Written and synced before the lock is there: the time under the lock is one comparison and one rename.
    let content = format!("{new}\n");
    write_synced(state, &beside, &content).map_err(|cause| failed(&beside, &cause))?;
    let mut held = Held::take(&beside, &lock, &content, &places(repository))?;

    // Under the lock nobody moves the branch: git takes the same lock.
    let actual = current(repository, name)?;
    if actual != expected {
        return Err(StoreError::Moved { actual });
    }
    fs::rename(&held.lock, &target).map_err(|cause| failed(&target, &cause))?;
    held.renamed = true;
    // The event is in the ledger. What fails from here on is not a failed append.
    let synced = state.sync_directory(directory);
    drop(held);
    synced.map_err(|cause| StoreError::NotSynced(format!("{}: {cause}", directory.display())))
}

/// Where somebody who writes to a repository works: its git directory and its work tree.
pub fn places(repository: &Repository) -> Vec<&Path> {
    let all = [Some(repository.commondir()), Some(repository.path()), repository.workdir()];
    all.into_iter().flatten().collect()
}

/// Appends to the reflogs, where the repository keeps them. For people: nothing depends on it, so failures are ignored.
pub fn log(repository: &Repository, names: &[&str], old: Option<CommitId>, new: CommitId, who: &str, note: &str) {
    let zero = "0".repeat(40);
    let old = old.map_or(zero, |id| id.to_string());
    let note: String = note.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for name in names {
        let root = if *name == "HEAD" { repository.path() } else { repository.commondir() };
        let path = root.join("logs").join(name);
        let keeps = path.exists() || !repository.is_bare();
        if !keeps || path.parent().is_some_and(|directory| fs::create_dir_all(directory).is_err()) {
            continue;
        }
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&path) {
            let _ = file.write_all(format!("{old} {new} {who}\t{note}\n").as_bytes());
        }
    }
}

/// The branch's lock, given back on every way out.
struct Held<'p> {
    beside: &'p Path,
    lock: PathBuf,
    renamed: bool,
}

impl<'p> Held<'p> {
    fn take(beside: &'p Path, lock: &Path, content: &str, places: &[&Path]) -> Result<Self, StoreError> {
        match hold(lock, places, || link_or_create(beside, lock, content)) {
            Ok(()) => Ok(Self { beside, lock: lock.to_owned(), renamed: false }),
            Err(error) => {
                let _ = fs::remove_file(beside);
                Err(error)
            }
        }
    }
}

/// Takes a lock with `take`, waiting for others; one that nobody who lives can hold is removed.
pub fn hold(lock: &Path, places: &[&Path], take: impl Fn() -> io::Result<()>) -> Result<(), StoreError> {
    let mut seen = None;
    for attempt in 0..ATTEMPTS {
        match take() {
            Ok(()) => return Ok(()),
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(failed(lock, &cause)),
            Err(_) => {}
        }
        if attempt == 0 {
            seen = identity(lock);
        }
        sleep(PAUSE);
    }
    clear(lock, seen, places).map_err(locked)?;
    take().map_err(|cause| failed(lock, &cause))
}

/// A lock in the way, as whoever appends is told it.
pub fn locked(told: InTheWay) -> StoreError {
    let pid = match told.holder {
        Holder::Alive(pid, _) => Some(pid),
        Holder::Nobody | Holder::Dead | Holder::Unknown(_) => None,
    };
    StoreError::Locked { lock: told.lock.display().to_string(), why: told.why(), pid }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // After the rename the lock is gone, and another of that name is another's. Before it, it is ours.
        if !self.renamed {
            let _ = fs::remove_file(&self.lock);
        }
        let _ = fs::remove_file(self.beside);
    }
}

pub fn link_or_create(beside: &Path, lock: &Path, content: &str) -> io::Result<()> {
    match fs::hard_link(beside, lock) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Err(cause),
        Err(cause) if matches!(cause.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            // A file system without hard links: as git does it. `beside` becomes the link's stand-in only for cleaning up.
            let mut file = OpenOptions::new().write(true).create_new(true).open(lock)?;
            let written = file.write_all(content.as_bytes()).and_then(|()| file.sync_all());
            if written.is_err() {
                let _ = fs::remove_file(lock);
            }
            written
        }
        other => other,
    }
}

/// A lock left by one of our processes that died. We hold the turn, so none of them lives.
pub fn remove_own_stale_lock(beside: &Path, lock: &Path) -> Result<(), StoreError> {
    if same_file(beside, lock) {
        fs::remove_file(lock).map_err(|cause| failed(lock, &cause))?;
    }
    match fs::remove_file(beside) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(beside, &cause)),
        _ => Ok(()),
    }
}

fn write_synced(state: &State, path: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(content.as_bytes())?;
    state.sync(&file)
}

fn same_file(left: &Path, right: &Path) -> bool {
    identity(left).is_some_and(|left| identity(right) == Some(left))
}

/// Device and inode.
pub fn identity_of(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.dev(), meta.ino())
}

pub fn failed(path: &Path, cause: &io::Error) -> StoreError {
    StoreError::Write(format!("{}: {cause}", path.display()))
}
