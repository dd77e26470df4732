//! The index, changed under git's own lock and replaced whole. libgit2 leaves its lock when its process is killed, and
//! nobody could tell whose it was; ours is a hard link to `jit/indexing`, as the branch's is to `jit/advancing`, and whoever
//! works on that holds the turn. Imports `ports`.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use git2::{Index, Repository};

use super::files::State;
use super::reference::{failed, hold, link_or_create, places, remove_own_stale_lock};
use crate::ports::StoreError;

/// The index, locked. The lock goes on every way out.
pub struct LockedIndex<'s> {
    /// The entries.
    pub entries: Index,
    state: &'s State,
    /// What is changed: a copy, in our own directory.
    copy: PathBuf,
    target: PathBuf,
    lock: PathBuf,
    stand_in: PathBuf,
}

impl<'s> LockedIndex<'s> {
    /// Locks the index and reads it. Only who holds the turn may call it.
    ///
    /// # Errors
    /// Where somebody else holds the lock, or the index cannot be read.
    pub fn take(repository: &Repository, state: &'s State) -> Result<Self, StoreError> {
        let target = repository.path().join("index");
        let lock = repository.path().join("index.lock");
        let stand_in = state.path().join("indexing");
        let copy = state.path().join("index");
        remove_own_stale_lock(&stand_in, &lock)?;
        for left in [&copy, &copy.with_extension("lock")] {
            match fs::remove_file(left) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed(left, &cause)),
                _ => {}
            }
        }
        File::create_new(&stand_in).map_err(|cause| failed(&stand_in, &cause))?;
        if let Err(error) = hold(&lock, &places(repository), || link_or_create(&stand_in, &lock, "")) {
            let _ = fs::remove_file(&stand_in);
            return Err(error);
        }
        // From here on the lock is given back when this is dropped.
        let unread = |error: git2::Error| StoreError::Read(format!("the index: {}", error.message()));
        let entries = Index::new().map_err(unread)?;
        let mut locked = Self { entries, state, copy, target, lock, stand_in };
        match fs::copy(&locked.target, &locked.copy) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed(&locked.target, &cause)),
            _ => {}
        }
        locked.entries = Index::open(&locked.copy).map_err(unread)?;
        Ok(locked)
    }

    /// Puts the changed index in the place of the old one.
    ///
    /// # Errors
    /// Where it cannot be written; the old one stands then.
    pub fn replace(mut self) -> Result<(), StoreError> {
        self.entries.write().map_err(|error| StoreError::Write(format!("the index: {}", error.message())))?;
        let put = || -> io::Result<()> {
            self.state.sync(&File::open(&self.copy)?)?;
            fs::rename(&self.copy, &self.target)
        };
        put().map_err(|cause| failed(&self.target, &cause))
    }
}

impl Drop for LockedIndex<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.lock);
        let _ = fs::remove_file(&self.stand_in);
        let _ = fs::remove_file(&self.copy);
    }
}
