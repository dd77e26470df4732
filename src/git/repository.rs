//! The store: a Git repository opened with care, raw objects with their sizes first, and the ledger's branch.
//! Imports `ports` and `domain::id`. Format: section 1; issue "Git": grafts and shallow refused by name, replace refs
//! ignored.
//!
//! New objects stay in memory until the branch moves (or [`GitStore::persist`] is called): an append that is given up
//! leaves nothing behind, and one that goes through syncs everything at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{
    ErrorCode, ObjectFormat, ObjectType, Odb, OdbObject, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags,
};
use sha1::{Digest as _, Sha1};

use super::files::{State, WriterLock};
use super::loose::{self, Pending, ReadError, persist, type_of};
use super::pack::{Found, PackError, Packs};
use super::unfinished::{self, MARK};
use super::worktree::{Followed, LeftAlone, follow};
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
    /// Held until the branch of a new repository is there.
    making: RefCell<Option<WriterLock>>,
    /// Where loose objects lie.
    loose: Vec<PathBuf>,
    packs: Packs,
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

    /// Opens the repository whose git directory is `path` itself, as a hook of a push does, and reads the push's own
    /// objects too, which lie in `quarantine` until the hook has agreed. Nothing is written there.
    ///
    /// # Errors
    /// As [`GitStore::open`]; [`GitError::Quarantine`] where that directory is not one that git makes for a push to this
    /// repository.
    pub fn open_receiving(path: &Path, quarantine: Option<&Path>) -> Result<Self, GitError> {
        let mut store = Self::open(path)?;
        let whole = |path: &Path| path.canonicalize().map_err(|cause| GitError::file(path, cause));
        if whole(store.path())? != whole(path)? {
            return Err(GitError::NotARepository(path.to_owned()));
        }
        let Some(quarantine) = quarantine else { return Ok(store) };
        let foreign = || GitError::Quarantine(quarantine.to_owned());
        // The variable could come from anywhere: it counts only where it names what git makes, where git makes it.
        let quarantine = path.join(quarantine);
        let is_plain = std::fs::symlink_metadata(&quarantine).is_ok_and(|meta| meta.is_dir());
        let name = quarantine.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let around = quarantine.parent().ok_or_else(foreign)?;
        let is_here = whole(around)? == whole(&store.repository.commondir().join("objects"))?;
        if !is_plain || !is_here || !(name.starts_with("tmp_objdir-") || name.starts_with("incoming-")) {
            return Err(foreign());
        }
        let failed = |error: git2::Error| GitError::repository(path, &error);
        let objects = store.repository.odb().map_err(failed)?;
        // Kept by the repository: every later `odb()` of it is this one.
        objects.add_disk_alternate(quarantine.to_str().ok_or_else(foreign)?).map_err(failed)?;
        drop(objects);
        store.loose.push(quarantine);
        store.packs = Packs::new(&store.loose);
        Ok(store)
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.repository.is_bare()
    }

    /// Sets an entry of this repository's own configuration, or takes it out.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn configure(&self, key: &str, value: Option<&str>) -> Result<(), GitError> {
        let failed = |error: git2::Error| GitError::repository(self.path(), &error);
        let config = self.repository.config().and_then(|config| config.open_level(git2::ConfigLevel::Local));
        let mut config = config.map_err(failed)?;
        let done = match value {
            Some(value) => config.set_str(key, value),
            None => config.remove(key),
        };
        done.map_err(failed)
    }

    /// The value of an entry of this repository's own configuration; `None` where it has none.
    pub fn own_config(&self, key: &str) -> Option<String> {
        let config = self.repository.config().ok()?.open_level(git2::ConfigLevel::Local).ok()?;
        config.get_string(key).ok()
    }

    /// Makes a repository at `path` whose first branch will be `main`; without templates and hooks. An empty one that is
    /// there already is used.
    ///
    /// # Errors
    /// [`GitError::NotEmpty`] where any branch or tag exists there.
    pub fn init(path: &Path, bare: bool) -> Result<Self, GitError> {
        let none: [&str; 0] = [];
        unfinished::clear(path, bare)?;
        let there = Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none);
        let mut mark = None;
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
                mark = Some(unfinished::mark(path, bare)?);
                options.bare(bare).mkpath(true).external_template(false).initial_head("main");
                let made = Repository::init_opts(path, &options).and_then(|repository| {
                    // Pushes go in by the git program, which by itself syncs neither small pushes nor references.
                    if bare {
                        let mut config = repository.config()?;
                        config.set_str("core.fsync", "committed,reference")?;
                        config.set_str("core.fsyncMethod", "batch")?;
                    }
                    Ok(repository)
                });
                made.map_err(|error| GitError::repository(path, &error))?
            }
            Err(error) => return Err(GitError::repository(path, &error)),
        };
        Ok(Self::of(repository)?.being_made(mark))
    }

    fn of(repository: Repository) -> Result<Self, GitError> {
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
        // jit.fsync = false: for clones that can be thrown away, such as those of CI.
        let durable = repository.config().and_then(|config| config.get_bool("jit.fsync")).unwrap_or(true);
        let state = State::beside(common).with_durability(durable);
        let loose = loose::directories(&common.join("objects"));
        let packs = Packs::new(&loose);
        Ok(Self {
            repository,
            state,
            pending: RefCell::default(),
            left_alone: RefCell::default(),
            making: RefCell::default(),
            loose,
            packs,
        })
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

    /// How many commits `one` has that `other` has not, and the other way round.
    ///
    /// # Errors
    /// Where a commit of either cannot be read.
    pub fn apart(&self, one: CommitId, other: CommitId) -> Result<(usize, usize), StoreError> {
        let failed = |error: git2::Error| StoreError::Read(error.message().to_owned());
        let [one, other] = [Oid::from_bytes(one.as_bytes()), Oid::from_bytes(other.as_bytes())];
        self.repository.graph_ahead_behind(one.map_err(failed)?, other.map_err(failed)?).map_err(failed)
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
        persist(&self.state, &self.repository.commondir().join("objects"), &odb, &waiting)?;
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

    /// Lets the work tree catch up where an earlier process could not, or was killed before it had. Gives way to a process
    /// that is just at it.
    pub fn settle(&self) {
        if matches!(self.state.read(FOLLOWING), Ok(Some(_)))
            && let Ok(Some(_turn)) = self.state.turn(reference::TURN)
            && let Err(error) = self.finish_following()
        {
            let why = format!("could not be brought up to date: {error}");
            self.left_alone.borrow_mut().push(LeftAlone { path: "the work tree".to_owned(), why });
        }
    }

    /// Finishes what a process left that was killed after the branch moved and before the work tree had followed. Gives
    /// the note where it is still owed. Only who holds the turn may call it: then the process that noted it is dead.
    fn finish_following(&self) -> Result<Option<Owed>, GitError> {
        let Some(note) = self.state.read(FOLLOWING)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&note);
        // `none` for a branch that was unborn; anything else that is no id is as good as no note.
        let from = text.trim().parse::<ObjectId>().ok();
        if (from.is_some() || text.trim() == "none")
            && self.shows_branch()
            && let Ok(Some(head)) = self.head()
            && self.follow(from, head)
        {
            return Ok(Some(Owed(from)));
        }
        self.state.remove(FOLLOWING)?;
        Ok(None)
    }

    /// Brings the work tree from `old` to `new`; whether that has to be done again.
    fn follow(&self, old: Option<CommitId>, new: CommitId) -> bool {
        let Followed { left, is_owed } = follow(&self.repository, &self.state, old, new);
        let mut all = self.left_alone.borrow_mut();
        // Tried twice it is told once.
        all.retain(|known| !left.iter().any(|new| new.path == known.path));
        all.extend(left);
        is_owed
    }

    /// Why an object cannot be read: where its own file is at fault, that is named.
    fn unread(&self, id: ObjectId, error: &git2::Error) -> StoreError {
        if error.code() == ErrorCode::NotFound {
            return StoreError::Missing(id);
        }
        let hex = id.to_string();
        let (head, tail) = hex.split_at(2);
        let file = self.repository.commondir().join("objects").join(head).join(tail);
        match std::fs::symlink_metadata(&file) {
            Ok(_) => self.damaged(id, &file, error.message()),
            Err(_) => StoreError::Read(format!("object {id}: {}", error.message())),
        }
    }

    fn damaged(&self, id: ObjectId, file: &Path, why: &str) -> StoreError {
        let is_empty = std::fs::symlink_metadata(file).is_ok_and(|meta| meta.len() == 0);
        StoreError::Damaged {
            id,
            file: file.display().to_string(),
            why: if is_empty { "empty".to_owned() } else { format!("damaged ({why})") },
            repository: self.repository.path().display().to_string().trim_end_matches('/').to_owned(),
            has_remote: self.repository.find_remote("origin").is_ok(),
        }
    }

    /// Holds the mark of a repository that is being made until its branch is there.
    pub(super) fn being_made(self, mark: Option<WriterLock>) -> Self {
        Self { making: RefCell::new(mark), ..self }
    }

    /// Gives the mark of a repository that is being made.
    pub(super) fn mark(&self) -> Option<WriterLock> {
        self.making.borrow_mut().take()
    }

    pub(super) fn git(&self) -> &Repository {
        &self.repository
    }

    /// Why a pack gives nothing of an object that it holds.
    fn unpacked(id: ObjectId, pack: &Path, error: &PackError) -> StoreError {
        StoreError::Read(format!("object {id}: {}: {error}", pack.display()))
    }

    fn is_pending(&self, id: ObjectId) -> bool {
        self.pending.borrow().contains_key(&id)
    }

    /// The body of an object of at most `limit` bytes, whose hash was compared with its id.
    fn body(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        if let Some(object) = self.pending.borrow().get(&id) {
            return Ok(object.bytes.clone());
        }
        // Attack 25: a tampered loose object is an error; one that was cut would keep libgit2 for ever.
        match loose::read(&self.loose, id, kind, limit) {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => {}
            Err(ReadError::Damaged(file, why)) => return Err(self.damaged(id, &file, &why)),
            Err(ReadError::Store(error)) => return Err(error),
        }
        // One that lies in an odd pack.
        let odb = self.repository.odb().map_err(|error| StoreError::Read(error.message().to_owned()))?;
        let object = unhashed(&odb, oid(id)?).map_err(|error| self.unread(id, &error))?;
        // First that it is whole: only then is its kind a fault of whoever named it.
        if hash(object.kind(), object.data()) != id {
            return Err(StoreError::Read(format!("object {id} is damaged: its bytes have another id")));
        }
        if object.kind() != type_of(kind) {
            return Err(StoreError::OtherKind(id, kind));
        }
        Ok(object.data().to_vec())
    }
}

impl Objects for GitStore {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        if let Some(object) = self.pending.borrow().get(&id) {
            return Ok((object.kind, size(object.bytes.len())));
        }
        match self.packs.header(id) {
            Ok(Some(packed)) => return Ok(packed),
            Ok(None) | Err((_, PackError::Beyond)) => {}
            Err((pack, error)) => return Err(Self::unpacked(id, &pack, &error)),
        }
        let odb = self.repository.odb().map_err(|error| StoreError::Read(error.message().to_owned()))?;
        let (length, kind) = odb.read_header(oid(id)?).map_err(|error| self.unread(id, &error))?;
        let kind = match kind {
            ObjectType::Commit => ObjectKind::Commit,
            ObjectType::Tree => ObjectKind::Tree,
            ObjectType::Blob => ObjectKind::Blob,
            // No ledger holds one; whoever asked for anything gets something else.
            ObjectType::Tag => return Err(StoreError::OtherKind(id, ObjectKind::Commit)),
            other => return Err(StoreError::Read(format!("object {id} is a {}", other.str()))),
        };
        Ok((kind, size(length)))
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        if !self.is_pending(id) {
            match self.packs.read(id, limit) {
                Ok(Some(Found::Whole(actual, bytes))) if actual == kind => return Ok(bytes),
                // Whole, or too much of something else: a fault of whoever named it so.
                Ok(Some(Found::Whole(..))) => return Err(StoreError::OtherKind(id, kind)),
                Ok(Some(Found::TooLarge(actual, _))) if actual != kind => return Err(StoreError::OtherKind(id, kind)),
                Ok(Some(Found::TooLarge(_, size))) => return Err(StoreError::TooLarge { id, size, limit }),
                Ok(None) | Err((_, PackError::Beyond)) => {}
                // As git has it: a loose copy stands in for a damaged one. libgit2 is not let near the pack.
                Err(_) if self.loose.iter().any(|objects| loose::has_file(objects, id)) => {
                    return self.body(id, kind, limit);
                }
                Err((pack, error)) => return Err(Self::unpacked(id, &pack, &error)),
            }
        }
        // The size before the body: 400 MB of zeros pack into 2 MB.
        let (actual, size) = self.header(id)?;
        if actual != kind {
            // A fault of whoever named it so, but only where the object is whole: what is damaged is no verdict.
            if size <= limit {
                self.body(id, actual, limit)?;
            }
            return Err(StoreError::OtherKind(id, kind));
        }
        if size > limit {
            return Err(StoreError::TooLarge { id, size, limit });
        }
        self.body(id, kind, limit)
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
        let owed = self.finish_following().map_err(noted)?;
        let follows = self.shows_branch();
        if follows && owed.is_none() {
            // Killed from here on, the next command finds this and lets the work tree catch up.
            let from = expected.map_or_else(|| "none".to_owned(), |id| id.to_string());
            self.state.write(FOLLOWING, from.as_bytes()).map_err(noted)?;
        }
        let moved = reference::advance(&self.repository, &self.state, &turn, BRANCH, expected, new);
        let mut is_owed = owed.is_some();
        if moved.is_ok() {
            if self.making.borrow_mut().take().is_some() {
                let _ = self.state.remove(MARK);
            }
            let names: &[&str] = if follows { &[BRANCH, "HEAD"] } else { &[BRANCH] };
            reference::log(&self.repository, names, expected, new, &committer(&commit), note);
            is_owed = follows && self.follow(owed.map_or(expected, |Owed(from)| from), new);
        }
        // Where this fails the next command follows once more, which changes nothing then. Where the branch moved and
        // could not be synced, the note stays.
        if follows && !is_owed && (moved.is_ok() || self.head().is_ok_and(|head| head != Some(new))) {
            let _ = self.state.remove(FOLLOWING);
        }
        moved
    }
}

/// The commit that the work tree still shows; `None` for nothing.
struct Owed(Option<CommitId>);

/// The committer line of a commit, as reflogs repeat it: no clock is asked here.
fn committer(commit: &[u8]) -> String {
    let text = String::from_utf8_lossy(commit);
    let headers = text.split("\n\n").next().unwrap_or_default();
    let line = headers.lines().find_map(|line| line.strip_prefix("committer "));
    line.unwrap_or("jit <> 0 +0000").to_owned()
}

/// Reads an object without comparing its hash with its id, which libgit2 does several times slower than [`hash`], and
/// without keeping it: each is read about once. Whatever else libgit2 reads, for the work tree say, it compares itself.
fn unhashed<'a>(odb: &'a Odb<'_>, id: Oid) -> Result<OdbObject<'a>, git2::Error> {
    let strictly = |strictly| {
        git2::opts::strict_hash_verification(strictly);
        git2::opts::enable_caching(strictly);
    };
    strictly(false);
    let object = odb.read(id);
    strictly(true);
    object
}

/// The id that Git gives to an object.
fn hash(kind: ObjectType, bytes: &[u8]) -> ObjectId {
    let header = format!("{} {}\0", kind.str(), bytes.len());
    let hash = Sha1::new().chain_update(header).chain_update(bytes).finalize();
    ObjectId::from_bytes(hash.into())
}

fn oid(id: ObjectId) -> Result<Oid, StoreError> {
    Oid::from_bytes(id.as_bytes()).map_err(|error| StoreError::Read(error.message().to_owned()))
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
