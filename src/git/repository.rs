//! The store: a Git repository opened with care, raw objects with their sizes first, and the ledger's branch.
//! Imports `ports` and `domain::id`. Format: section 1; issue "Git": grafts and shallow refused by name, replace refs
//! ignored.
//!
//! New objects stay in memory until the branch moves (or [`GitStore::persist`] is called): an append that is given up
//! leaves nothing behind, and one that goes through syncs everything at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use sha1::{Digest as _, Sha1};

use git2::{ErrorCode, ObjectFormat, ObjectType, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};

use super::files::State;
use super::loose::{Pending, persist, type_of};
use super::worktree::{LeftAlone, follow};
use super::{BRANCH, GitError, reference};
use crate::domain::id::{CommitId, ObjectId};
use crate::ports::{ObjectKind, Objects, Store, StoreError};

/// The state file that says from where the work tree is just following the branch.
const FOLLOWING: &str = "following";

/// A ledger's repository.
pub struct GitStore {
    repository: Repository,
    state: State,
    pending: RefCell<BTreeMap<ObjectId, Pending>>,
    left_alone: RefCell<Vec<LeftAlone>>,
}

/// Something about the repository that does no harm and should be known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// `refs/replace`: git would show other objects in place of some; the ledger is read without them.
    #[error("{0} replace references are ignored (git replace -l shows them, git replace -d removes them)")]
    Replaced(usize),
    /// Objects are borrowed from another repository and vanish with it.
    #[error("objects are borrowed from another repository (objects/info/alternates)")]
    Alternates,
    /// Many loose objects make reading slow.
    #[error("about {0} loose objects: `git repack -d` makes reading faster")]
    Loose(usize),
}

impl GitStore {
    /// Opens the repository at `path` or the nearest above it, on the same file system, whatever `GIT_*` variables say.
    ///
    /// # Errors
    /// Where there is none, or one whose history cannot be trusted to be whole: shallow, grafted, of another format, or
    /// another user's.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        let none: [&str; 0] = [];
        let repository = Repository::open_ext(path, RepositoryOpenFlags::empty(), none).map_err(|error| {
            let unknown_format = error.message().contains("object format") || error.message().contains("objectformat");
            match error.code() {
                ErrorCode::NotFound => GitError::NotARepository(path.to_owned()),
                ErrorCode::Owner => GitError::OtherOwner(path.to_owned()),
                _ if unknown_format => GitError::ObjectFormat(path.to_owned()),
                _ => GitError::repository(path, &error),
            }
        })?;
        Self::of(repository)
    }

    /// Makes a repository at `path` whose first branch will be `main`; without templates and hooks. An empty one that is
    /// there already is used.
    ///
    /// # Errors
    /// [`GitError::NotEmpty`] where any branch or tag exists there.
    pub fn init(path: &Path, bare: bool) -> Result<Self, GitError> {
        let none: [&str; 0] = [];
        let there = Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none);
        let repository = match there {
            Ok(repository) => {
                let references = repository.references().map_err(|error| GitError::repository(path, &error))?;
                if references.flatten().next().is_some() {
                    return Err(GitError::NotEmpty(path.to_owned()));
                }
                repository.set_head(BRANCH).map_err(|error| GitError::repository(path, &error))?;
                repository
            }
            Err(error) if error.code() == ErrorCode::NotFound => {
                let mut options = RepositoryInitOptions::new();
                options.bare(bare).mkpath(true).external_template(false).initial_head("main");
                Repository::init_opts(path, &options).map_err(|error| GitError::repository(path, &error))?
            }
            Err(error) => return Err(GitError::repository(path, &error)),
        };
        Self::of(repository)
    }

    fn of(repository: Repository) -> Result<Self, GitError> {
        // Every object is read about once, and hashed here: see `read`.
        git2::opts::strict_hash_verification(false);
        git2::opts::enable_caching(false);
        let common = repository.commondir();
        if repository.object_format() != ObjectFormat::Sha1 {
            return Err(GitError::ObjectFormat(common.to_owned()));
        }
        // Attack 24: part of the history is not there. "Incomplete", never "ok".
        if std::fs::symlink_metadata(common.join("shallow")).is_ok() {
            return Err(GitError::Shallow(common.to_owned()));
        }
        // Attack 23: we read parents from raw commits, but push, fetch and people's git would see others.
        let grafts = common.join("info").join("grafts");
        if std::fs::symlink_metadata(&grafts).is_ok() {
            return Err(GitError::Grafts(grafts));
        }
        let branch = repository.find_reference(BRANCH);
        if branch.is_ok_and(|branch| branch.kind() == Some(git2::ReferenceType::Symbolic)) {
            return Err(GitError::SymbolicBranch(BRANCH, common.to_owned()));
        }
        let state = State::beside(common);
        Ok(Self { repository, state, pending: RefCell::default(), left_alone: RefCell::default() })
    }

    /// The git directory.
    pub fn path(&self) -> &Path {
        self.repository.path()
    }

    /// The work tree; `None` for a bare repository.
    pub fn work_tree(&self) -> Option<&Path> {
        self.repository.workdir()
    }

    /// The small files beside the ledger.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What should be known about the repository.
    ///
    /// # Errors
    /// Where the references cannot be read.
    pub fn warnings(&self) -> Result<Vec<Warning>, GitError> {
        let failed = |error: git2::Error| GitError::repository(self.path(), &error);
        let mut warnings = Vec::new();
        // Attack 22: libgit2's object database does not follow them; they are told all the same.
        let replaced = self.repository.references_glob("refs/replace/*").map_err(failed)?.count();
        if replaced > 0 {
            warnings.push(Warning::Replaced(replaced));
        }
        let objects = self.repository.commondir().join("objects");
        if objects.join("info").join("alternates").exists() {
            warnings.push(Warning::Alternates);
        }
        // As `git gc --auto` guesses: one of 256 directories stands for all.
        let loose = std::fs::read_dir(objects.join("17")).map_or(0, Iterator::count) * 256;
        if loose > 6700 {
            warnings.push(Warning::Loose(loose));
        }
        Ok(warnings)
    }

    /// The commit of any reference, such as `refs/remotes/origin/main`; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn reference(&self, name: &str) -> Result<Option<CommitId>, StoreError> {
        reference::current(&self.repository, name)
    }

    /// The value of a configuration entry of this repository or its user, such as `user.email`; `None` where it is unset.
    pub fn config(&self, key: &str) -> Option<String> {
        self.repository.config().ok()?.snapshot().ok()?.get_string(key).ok()
    }

    /// Writes all objects that wait in memory to disk and syncs them, without moving the branch. [`Store::advance`]
    /// and a push do it by themselves.
    ///
    /// # Errors
    /// [`StoreError::Write`] with the system's cause: no space, read-only, …
    pub fn persist(&self) -> Result<(), StoreError> {
        let waiting: Vec<(ObjectId, Pending)> =
            self.pending.borrow().iter().map(|(id, object)| (*id, object.clone())).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        let odb = self.repository.odb().map_err(|error| StoreError::Read(error.message().to_owned()))?;
        persist(&self.repository.commondir().join("objects"), &odb, &waiting)?;
        self.pending.borrow_mut().clear();
        Ok(())
    }

    /// Moves a branch that no work tree shows from `expected` to `new`, if it still stands there. Waiting objects are
    /// written first.
    ///
    /// # Errors
    /// [`StoreError::Moved`] where somebody else was first; nothing has changed then.
    pub fn advance_branch(&self, name: &str, expected: Option<CommitId>, new: CommitId) -> Result<(), StoreError> {
        self.persist()?;
        let turn = reference::turn(&self.state)?;
        reference::advance(&self.repository, &self.state, &turn, name, expected, new)
    }

    /// Forgets the objects that wait in memory: of an append that was given up.
    pub fn discard(&self) {
        self.pending.borrow_mut().clear();
    }

    /// The paths of the work tree that did not follow the branch since this was last asked, with the reason.
    pub fn left_alone(&self) -> Vec<LeftAlone> {
        std::mem::take(&mut self.left_alone.borrow_mut())
    }

    /// Whether a work tree shows the branch and has to follow it.
    fn shows_branch(&self) -> bool {
        let head = self.repository.find_reference("HEAD");
        !self.repository.is_bare() && head.is_ok_and(|head| head.symbolic_target().ok().flatten() == Some(BRANCH))
    }

    /// Finishes what a process left that was killed after the branch moved and before the work tree had followed.
    /// Only who holds the turn may call it: then the process that noted it is dead.
    fn finish_following(&self) -> Result<(), GitError> {
        let Some(note) = self.state.read(FOLLOWING)? else { return Ok(()) };
        let text = String::from_utf8_lossy(&note);
        // `none` for a branch that was unborn; anything else that is no id is as good as no note.
        let from = text.trim().parse::<ObjectId>().ok();
        if (from.is_some() || text.trim() == "none")
            && self.shows_branch()
            && let Ok(Some(head)) = self.head()
        {
            self.left_alone.borrow_mut().extend(follow(&self.repository, from, head));
        }
        self.state.remove(FOLLOWING)
    }

    pub(super) fn git(&self) -> &Repository {
        &self.repository
    }
}

impl Objects for GitStore {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        if let Some(object) = self.pending.borrow().get(&id) {
            return Ok((object.kind, size(object.bytes.len())));
        }
        let odb = self.repository.odb().map_err(|error| StoreError::Read(error.message().to_owned()))?;
        let (length, kind) = odb.read_header(oid(id)?).map_err(|error| unread(id, &error))?;
        let kind = match kind {
            ObjectType::Commit => ObjectKind::Commit,
            ObjectType::Tree => ObjectKind::Tree,
            ObjectType::Blob => ObjectKind::Blob,
            other => return Err(StoreError::Read(format!("object {id} is a {}", other.str()))),
        };
        Ok((kind, size(length)))
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        // The size before the body: 400 MB of zeros pack into 2 MB.
        let (actual, size) = self.header(id)?;
        if actual != kind {
            return Err(StoreError::OtherKind(id, kind));
        }
        if size > limit {
            return Err(StoreError::TooLarge { id, size, limit });
        }
        if let Some(object) = self.pending.borrow().get(&id) {
            return Ok(object.bytes.clone());
        }
        let odb = self.repository.odb().map_err(|error| StoreError::Read(error.message().to_owned()))?;
        let object = odb.read(oid(id)?).map_err(|error| unread(id, &error))?;
        if object.kind() != type_of(kind) {
            return Err(StoreError::OtherKind(id, kind));
        }
        // Attack 25: a tampered object is no verdict but an error. libgit2 can ask this too, several times slower.
        if hash(kind, object.data()) != id {
            return Err(StoreError::Read(format!("object {id} is damaged: its bytes have another id")));
        }
        Ok(object.data().to_vec())
    }
}

impl Store for GitStore {
    fn head(&self) -> Result<Option<CommitId>, StoreError> {
        reference::current(&self.repository, BRANCH)
    }

    fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        let oid =
            Oid::hash_object(type_of(kind), bytes).map_err(|error| StoreError::Write(error.message().to_owned()))?;
        let id = oid.as_bytes().try_into().map_err(|_| StoreError::Write("no SHA-1 id".to_owned()))?;
        let id = ObjectId::from_bytes(id);
        self.pending.borrow_mut().insert(id, Pending { kind, bytes: bytes.to_vec() });
        Ok(id)
    }

    fn advance(&self, expected: Option<CommitId>, new: CommitId, note: &str) -> Result<(), StoreError> {
        // Known to be lost before anything is written.
        let actual = self.head()?;
        if actual != expected {
            return Err(StoreError::Moved { actual });
        }
        let commit = self.read(new, ObjectKind::Commit, 1 << 20)?;
        self.persist()?;
        let turn = reference::turn(&self.state)?;
        let noted = |error: GitError| StoreError::Write(error.to_string());
        self.finish_following().map_err(noted)?;
        let follows = self.shows_branch();
        if follows {
            // Killed from here on, the next append finds this and lets the work tree catch up.
            let from = expected.map_or_else(|| "none".to_owned(), |id| id.to_string());
            self.state.write(FOLLOWING, from.as_bytes()).map_err(noted)?;
        }
        let moved = reference::advance(&self.repository, &self.state, &turn, BRANCH, expected, new);
        if moved.is_ok() {
            let names: &[&str] = if follows { &[BRANCH, "HEAD"] } else { &[BRANCH] };
            reference::log(&self.repository, names, expected, new, &committer(&commit), note);
            if follows {
                self.left_alone.borrow_mut().extend(follow(&self.repository, expected, new));
            }
        }
        // Where this fails the next append follows once more, which changes nothing then. Where the branch moved and
        // could not be synced, the note stays.
        if follows && (moved.is_ok() || self.head().is_ok_and(|head| head != Some(new))) {
            let _ = self.state.remove(FOLLOWING);
        }
        moved
    }
}

/// The committer line of a commit, as reflogs repeat it: no clock is asked here.
fn committer(commit: &[u8]) -> String {
    let text = String::from_utf8_lossy(commit);
    let headers = text.split("\n\n").next().unwrap_or_default();
    let line = headers.lines().find_map(|line| line.strip_prefix("committer "));
    line.unwrap_or("jit <> 0 +0000").to_owned()
}

/// The id that Git gives to an object.
fn hash(kind: ObjectKind, bytes: &[u8]) -> ObjectId {
    let header = format!("{} {}\0", type_of(kind).str(), bytes.len());
    let hash = Sha1::new().chain_update(header).chain_update(bytes).finalize();
    ObjectId::from_bytes(hash.into())
}

fn oid(id: ObjectId) -> Result<Oid, StoreError> {
    Oid::from_bytes(id.as_bytes()).map_err(|error| StoreError::Read(error.message().to_owned()))
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn unread(id: ObjectId, error: &git2::Error) -> StoreError {
    match error.code() {
        ErrorCode::NotFound => StoreError::Missing(id),
        _ => StoreError::Read(format!("object {id}: {}", error.message())),
    }
}
