//! The work tree and the index follow the branch: only the paths that changed, only files that are as the old commit had
//! them, never through a symbolic link, never a link or submodule, no filters and no hooks. Imports `domain::id`, `ports`.
//!
//! A void commit stays in the history, so what it holds can be anything: the names are checked here again.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use git2::{Index, IndexEntry, IndexTime, ObjectType, Oid, Repository, Tree};

use super::files::State;
use super::index::LockedIndex;
use crate::domain::id::CommitId;
use crate::ports::StoreError;

/// A path that did not follow the branch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} {why}")]
pub struct LeftAlone {
    /// The path in the work tree.
    pub path: String,
    /// Why, as the rest of a sentence.
    pub why: String,
}

/// How files begin that are to be renamed into the work tree.
const BESIDE: &str = ".tree-";
/// The largest file that is compared or written, in bytes: far more than a ledger may hold.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;
/// The largest directory that is read, in bytes of its tree object: that of a ledger has an hour's cases.
const DIRECTORY_LIMIT: usize = 8 * 1024 * 1024;
/// How many entries of directories that were seen already are looked at again. In a ledger only proposals that bring the
/// same files share a directory.
const AGAIN_LIMIT: usize = 100_000;
const EXECUTABLE: u32 = 0o100_755;
const FILE: u32 = 0o100_644;

type Side = Option<(u32, Oid)>;

struct Difference {
    path: String,
    old: Side,
    new: Side,
}

/// What came of following.
#[derive(Debug, Default)]
pub struct Followed {
    /// The paths that stayed behind.
    pub left: Vec<LeftAlone>,
    /// Whether it has to be done again: something could not be read or written, and not because somebody changed it.
    pub is_owed: bool,
}

/// Brings the work tree and index from `old` to `new` and says which paths stayed behind. Only who holds the turn may call
/// it. Done twice it changes nothing more.
pub fn follow(repository: &Repository, state: &State, old: Option<CommitId>, new: CommitId) -> Followed {
    let mut followed = Followed::default();
    if let Err(why) = try_follow(repository, state, old, new, &mut followed) {
        followed.left.push(LeftAlone { path: "the work tree".to_owned(), why });
        followed.is_owed = true;
    }
    followed
}

fn try_follow(
    repository: &Repository,
    state: &State,
    old: Option<CommitId>,
    new: CommitId,
    followed: &mut Followed,
) -> Result<(), String> {
    let Some(root) = repository.workdir() else { return Ok(()) };
    let differences =
        differences(repository, old, new).map_err(|error| format!("could not be read: {}", error.message()))?;
    if differences.is_empty() {
        return Ok(());
    }
    let late = |error: StoreError| match error {
        StoreError::Locked { lock, why, pid: Some(pid) } => {
            format!(
                "is behind: {lock} is there, {why}; it follows when process {pid} has ended, with the next jit sync"
            )
        }
        StoreError::Locked { lock, why, pid: None } => {
            format!("is behind: {lock} is there, {why}; if no git is at work there: rm {lock}; then: jit sync")
        }
        other => format!("is behind: {other}"),
    };
    // Locked from before the first file is written: people who stage with git wait, or see all of it.
    clear_left(state);
    let mut index = LockedIndex::take(repository, state).map_err(late)?;
    let entries = &mut index.entries;
    for difference in &differences {
        let Difference { path, old, new } = difference;
        let mut leave = |why: &str| followed.left.push(LeftAlone { path: path.clone(), why: why.to_owned() });
        if !path.split('/').all(is_plain_name) {
            leave("has a name that is not written to a work tree");
            continue;
        }
        let written = match new {
            Some((FILE | EXECUTABLE, _)) | None => step(repository, state, root, difference),
            Some(_) => Err(Stays::Theirs("is a link or submodule, which is not written to a work tree".to_owned())),
        };
        match &written {
            Err(Stays::Theirs(why)) => leave(why),
            Err(Stays::Owed(why)) => {
                leave(why);
                followed.is_owed = true;
            }
            Ok(_) => {}
        }
        let mut leave = |why: &str| followed.left.push(LeftAlone { path: path.clone(), why: why.to_owned() });
        let staged = entries.get_path(Path::new(path), 0).map(|entry| (entry.mode, entry.id));
        if staged != *old && staged != *new {
            leave("has a staged change, which stays staged");
            continue;
        }
        // A file that was left alone shows as modified against the new index entry, which is what it is.
        let changed = match new {
            None => remove(entries, path),
            Some((mode, id)) => entries.add(&entry(path, *mode, *id, written.ok().flatten().as_ref())),
        };
        changed.map_err(|error| format!("could not be brought up to date: {}", error.message()))?;
    }
    index.replace().map_err(late)
}

/// Removes files that were to be renamed into the work tree when their process was killed. We hold the turn, so none is in
/// the making.
fn clear_left(state: &State) {
    for entry in fs::read_dir(state.path()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(BESIDE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The paths that differ between two commits; what goes before what comes, so that it makes room.
fn differences(repository: &Repository, old: Option<CommitId>, new: CommitId) -> Result<Vec<Difference>, git2::Error> {
    let tree_of = |id: CommitId| repository.find_commit(Oid::from_bytes(id.as_bytes())?)?.tree();
    let before = old.map(tree_of).transpose()?;
    let after = tree_of(new)?;
    let mut differences = Comparison::of(repository, before.as_ref(), Some(&after))?;
    differences.sort_by_key(|difference| difference.new.is_some());
    Ok(differences)
}

/// The paths that differ, descending only into directories that do.
struct Comparison<'r> {
    repository: &'r Repository,
    odb: git2::Odb<'r>,
    found: Vec<Difference>,
    /// The directories that were looked at.
    seen: HashSet<Oid>,
    /// How much of them was looked at again.
    again: usize,
}

impl<'r> Comparison<'r> {
    fn of(
        repository: &'r Repository,
        old: Option<&Tree<'_>>,
        new: Option<&Tree<'_>>,
    ) -> Result<Vec<Difference>, git2::Error> {
        let odb = repository.odb()?;
        let mut comparison = Self { repository, odb, found: Vec::new(), seen: HashSet::new(), again: 0 };
        comparison.directories(old, new, "")?;
        Ok(comparison.found)
    }

    fn directories(&mut self, old: Option<&Tree<'_>>, new: Option<&Tree<'_>>, prefix: &str) -> Result<(), git2::Error> {
        let mut names: BTreeMap<String, (Side, Side)> = BTreeMap::new();
        for (name, mode, id) in self.entries(old)? {
            names.entry(name).or_default().0 = Some((mode, id));
        }
        for (name, mode, id) in self.entries(new)? {
            names.entry(name).or_default().1 = Some((mode, id));
        }
        for (name, (old, new)) in names {
            if old == new {
                continue;
            }
            let path = format!("{prefix}{name}");
            // A path of a tree that can be checked out anywhere is no deeper and no longer than this.
            if path.len() > 4096 {
                continue;
            }
            let (old_tree, new_tree) = (self.tree(old)?, self.tree(new)?);
            if old_tree.is_some() || new_tree.is_some() {
                self.directories(old_tree.as_ref(), new_tree.as_ref(), &format!("{path}/"))?;
            }
            let (old, new) = (old.filter(|_| !is_tree(old)), new.filter(|_| !is_tree(new)));
            if old.is_some() || new.is_some() {
                self.found.push(Difference { path, old, new });
            }
        }
        Ok(())
    }

    /// What a directory holds. A tree bomb is a few directories, each many times in another: what is looked at again is
    /// counted.
    fn entries(&mut self, tree: Option<&Tree<'_>>) -> Result<Vec<(String, u32, Oid)>, git2::Error> {
        let Some(tree) = tree else { return Ok(Vec::new()) };
        if !self.seen.insert(tree.id()) {
            self.again = self.again.saturating_add(tree.len()).saturating_add(1);
        }
        if self.again > AGAIN_LIMIT {
            return Err(git2::Error::from_str("the same directories stand in the tree again and again"));
        }
        let raw = |entry: git2::TreeEntry<'_>| {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            (name, u32::try_from(entry.filemode_raw()).unwrap_or(0), entry.id())
        };
        Ok(tree.iter().map(raw).collect())
    }

    fn tree(&self, side: Side) -> Result<Option<Tree<'r>>, git2::Error> {
        match side {
            Some((_, id)) if is_tree(side) => {
                // The size before the body.
                let (size, _) = self.odb.read_header(id)?;
                if size > DIRECTORY_LIMIT {
                    return Err(git2::Error::from_str("a directory is too large"));
                }
                self.repository.find_tree(id).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn is_tree(side: Side) -> bool {
    side.is_some_and(|(mode, _)| mode & 0o170_000 == 0o040_000)
}

/// Why a path stays behind.
enum Stays {
    /// Somebody made it other than the ledger had it.
    Theirs(String),
    /// It could not be read or written now.
    Owed(String),
}

/// One file. `Ok` with its metadata where it now is as `new` has it; otherwise why it was left alone.
fn step(repository: &Repository, own: &State, root: &Path, difference: &Difference) -> Result<Option<Metadata>, Stays> {
    let Difference { path, old, new } = difference;
    let file = directory(root, path, new.is_some())?;
    let failed = |cause: io::Error| Stays::Owed(format!("could not be written: {cause}"));
    let theirs = |why: &str| Err(Stays::Theirs(why.to_owned()));
    let Some(file) = file else {
        // The directory is not there, and nothing is to be put into it.
        return Ok(None);
    };
    let there = match fs::symlink_metadata(&file) {
        Ok(meta) => Some(meta),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => return Err(failed(cause)),
    };
    let content = match &there {
        Some(meta) if meta.is_file() && meta.len() <= FILE_LIMIT => Some(state(&file, meta).map_err(failed)?),
        _ => None,
    };
    if there.is_some() && content.is_some() && content == *new {
        return Ok(there);
    }
    match (&there, old) {
        (None, Some(_)) if new.is_some() => return theirs("was removed in the work tree, and stays removed"),
        (Some(_), None) => return theirs("was there untracked, and stays as it is"),
        (Some(_), Some(old)) if content != Some(*old) => {
            return theirs("has local changes, which stay");
        }
        _ => {}
    }
    let Some((mode, id)) = new else {
        if there.is_some() {
            fs::remove_file(&file).map_err(failed)?;
            prune(root, &file);
        }
        return Ok(None);
    };
    write(repository, own, &file, *mode, *id)?;
    fs::symlink_metadata(&file).map(Some).map_err(failed)
}

/// The file's path, every directory above it a real one; made where they are missing and `make` says so.
fn directory(root: &Path, path: &str, make: bool) -> Result<Option<PathBuf>, Stays> {
    let mut at = root.to_owned();
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    for part in parts {
        at.push(part);
        match fs::symlink_metadata(&at) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => {
                let why = "lies below something that is no directory in the work tree";
                return Err(Stays::Theirs(why.to_owned()));
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && !make => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&at).map_err(|cause| Stays::Owed(format!("could not be written: {cause}")))?;
            }
            Err(cause) => return Err(Stays::Owed(format!("could not be looked at: {cause}"))),
        }
    }
    at.push(name);
    Ok(Some(at))
}

/// Mode and blob id of a file in the work tree, its bytes hashed as they are.
fn state(file: &Path, meta: &Metadata) -> io::Result<(u32, Oid)> {
    let bytes = fs::read(file)?;
    let id =
        Oid::hash_object(ObjectType::Blob, &bytes).map_err(|error| io::Error::other(error.message().to_owned()))?;
    Ok((if meta.permissions().mode() & 0o100 == 0 { FILE } else { EXECUTABLE }, id))
}

fn write(repository: &Repository, state: &State, file: &Path, mode: u32, id: Oid) -> Result<(), Stays> {
    let unread = |error: git2::Error| Stays::Owed(format!("could not be read: {}", error.message()));
    let odb = repository.odb().map_err(unread)?;
    let (size, kind) = odb.read_header(id).map_err(unread)?;
    if kind != ObjectType::Blob || u64::try_from(size).is_ok_and(|size| size > FILE_LIMIT) {
        return Err(Stays::Theirs("is too large for a work tree".to_owned()));
    }
    let object = odb.read(id).map_err(unread)?;
    let directory = file.parent().unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        // Renamed into place: a name that has become a link meanwhile is replaced, not followed.
        let put = |directory: &Path| -> io::Result<()> {
            let mut beside = tempfile::Builder::new()
                .prefix(BESIDE)
                .permissions(fs::Permissions::from_mode(mode & 0o777))
                .tempfile_in(directory)?;
            beside.write_all(object.data())?;
            beside.persist(file).map_err(|error| error.error)?;
            Ok(())
        };
        // Not among people's files, where a kill would leave it for them to wonder about.
        match put(state.path()) {
            Err(cause) if cause.kind() == io::ErrorKind::CrossesDevices => put(directory),
            other => other,
        }
    };
    written().map_err(|cause| Stays::Owed(format!("could not be written: {cause}")))
}

/// Removes the directories above a removed file that have become empty.
fn prune(root: &Path, file: &Path) {
    let above = file.ancestors().skip(1).take_while(|directory| *directory != root && directory.starts_with(root));
    for directory in above {
        if fs::remove_dir(directory).is_err() {
            return;
        }
    }
}

/// A name that means the same on every file system, and nothing to git.
fn is_plain_name(name: &str) -> bool {
    let folded: String = name.chars().filter(char::is_ascii).collect::<String>().to_ascii_lowercase();
    let folded = folded.trim_end_matches([' ', '.']);
    !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.contains(['\\', ':', '\u{fffd}'])
        && !name.chars().any(char::is_control)
        && folded != ".git"
        && !folded.starts_with("git~")
}

fn remove(index: &mut Index, path: &str) -> Result<(), git2::Error> {
    match index.remove(Path::new(path), 0) {
        Err(error) if error.code() != git2::ErrorCode::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// An index entry with what `git status` compares first; without it git looks into the file.
fn entry(path: &str, mode: u32, id: Oid, meta: Option<&Metadata>) -> IndexEntry {
    // The index keeps the low 32 bits of all of these (gitformat-index).
    let low = |value: u64| u32::try_from(value & 0xffff_ffff).unwrap_or_default();
    let signed = |value: i64| i32::try_from(value).unwrap_or_default();
    let time =
        |seconds: i64, nanoseconds: i64| IndexTime::new(signed(seconds), u32::try_from(nanoseconds).unwrap_or(0));
    IndexEntry {
        ctime: meta.map_or(IndexTime::new(0, 0), |meta| time(meta.ctime(), meta.ctime_nsec())),
        mtime: meta.map_or(IndexTime::new(0, 0), |meta| time(meta.mtime(), meta.mtime_nsec())),
        dev: meta.map_or(0, |meta| low(meta.dev())),
        ino: meta.map_or(0, |meta| low(meta.ino())),
        mode,
        uid: meta.map_or(0, Metadata::uid),
        gid: meta.map_or(0, Metadata::gid),
        file_size: meta.map_or(0, |meta| low(meta.len())),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
