//! Objects that survive a power cut: loose object files written beside, synced, renamed, their directories synced.
//! libgit2 renames first and never syncs, so a crash can leave an empty file under an object's name, which a later write
//! of the same object takes for granted. Imports `domain::id`, `ports`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use git2::{Odb, Oid};
use tempfile::TempPath;

use super::files::State;
use crate::domain::id::ObjectId;
use crate::ports::{ObjectKind, StoreError};

mod read;

pub use read::{ReadError, directories, has_file, read};

/// An object that is not on disk yet.
#[derive(Debug, Clone)]
pub struct Pending {
    pub kind: ObjectKind,
    pub bytes: Vec<u8>,
}

/// How many syncs are under way at once: journalling file systems commit them together.
const PARALLEL: usize = 16;

/// Puts all of `pending` on disk. When this returns, a power cut loses none of them (unless `state` syncs nothing).
pub fn persist(
    state: &State,
    objects: &Path,
    odb: &Odb<'_>,
    pending: &[(ObjectId, Pending)],
) -> Result<(), StoreError> {
    // 1. Written beside and synced. Where this fails nothing has a name yet, and the files go away again.
    let written = in_parallel(pending, |(id, object)| write_one(state, objects, odb, *id, object))?;
    // 2. Renamed. Objects without a reference are harmless wherever this stops.
    let mut directories = BTreeSet::new();
    for file in written {
        let (file, target) = match file {
            Written::There(directory) => {
                directories.insert(directory);
                continue;
            }
            Written::Beside(file, target) => (file, target),
        };
        let directory = target.parent().unwrap_or(objects).to_owned();
        if !directory.is_dir() {
            match fs::create_dir(&directory) {
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(failed(&directory, &cause)),
                Err(_) => {}
                Ok(()) => share(objects, &directory).map_err(|cause| failed(&directory, &cause))?,
            }
            directories.insert(objects.to_owned());
        }
        file.persist(&target).map_err(|error| failed(&target, &error.error))?;
        directories.insert(directory);
    }
    // 3. The names are synced too.
    let directories: Vec<PathBuf> = directories.into_iter().collect();
    in_parallel(&directories, |directory| state.sync_directory(directory).map_err(|cause| failed(directory, &cause)))?;
    Ok(())
}

/// A new directory is as open as the one around it: a repository that several people write to (`core.sharedRepository`)
/// stays one, whatever the umask.
fn share(around: &Path, new: &Path) -> io::Result<()> {
    fs::set_permissions(new, fs::metadata(around)?.permissions())
}

/// libgit2's name of a kind.
pub const fn type_of(kind: ObjectKind) -> git2::ObjectType {
    match kind {
        ObjectKind::Commit => git2::ObjectType::Commit,
        ObjectKind::Tree => git2::ObjectType::Tree,
        ObjectKind::Blob => git2::ObjectType::Blob,
    }
}

enum Written {
    /// A synced file that has to be renamed.
    Beside(TempPath, PathBuf),
    /// It was there, whole, and has been synced; its directory has not.
    There(PathBuf),
}

fn write_one(
    state: &State,
    objects: &Path,
    odb: &Odb<'_>,
    id: ObjectId,
    object: &Pending,
) -> Result<Written, StoreError> {
    let hex = id.to_string();
    let (head, tail) = hex.split_at(2);
    let target = objects.join(head).join(tail);
    // Only one that reads back whole counts as there; an empty or broken file under its name is replaced.
    let there = if has_file(objects, id) {
        let limit = u64::try_from(object.bytes.len()).unwrap_or(u64::MAX);
        read(&[objects.to_owned()], id, object.kind, limit).is_ok_and(|there| there.as_ref() == Some(&object.bytes))
    } else {
        let there = Oid::from_bytes(id.as_bytes()).and_then(|oid| odb.read(oid));
        there.is_ok_and(|there| there.kind() == type_of(object.kind) && there.data() == object.bytes)
    };
    if there {
        // Perhaps another process wrote it just now and has not synced it. Packed ones git has synced.
        return match File::open(&target).and_then(|file| state.sync(&file)) {
            Ok(()) => Ok(Written::There(objects.join(head))),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Written::There(objects.to_owned())),
            Err(cause) => Err(failed(&target, &cause)),
        };
    }
    let written = || -> io::Result<TempPath> {
        // `tmp_obj_` is what git's own clean-up looks for.
        let mut builder = tempfile::Builder::new();
        builder.prefix("tmp_obj_");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444));
        let mut file = builder.tempfile_in(objects)?;
        file.write_all(&deflated(object))?;
        state.sync(file.as_file())?;
        // Closed: a ledger's first commit may have more files than a process may have open.
        Ok(file.into_temp_path())
    };
    written().map(|file| Written::Beside(file, target)).map_err(|cause| failed(objects, &cause))
}

/// The file of a loose object: a zlib stream (RFC 1950) of `kind size NUL bytes`, in stored blocks (RFC 1951, 3.2.4).
/// Events are smaller than a disk block, so compressing them here would save nothing; `git repack` does.
fn deflated(object: &Pending) -> Vec<u8> {
    let mut plain = format!("{} {}\0", type_of(object.kind).str(), object.bytes.len()).into_bytes();
    plain.extend_from_slice(&object.bytes);
    let mut out = Vec::with_capacity(plain.len() + 64);
    // CMF: deflate, 32 KiB window. FLG: fastest, check bits.
    out.extend_from_slice(&[0x78, 0x01]);
    let mut blocks = plain.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&adler32(&plain).to_be_bytes());
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1u32, 0u32);
    // 5552 is the most bytes before the sums can overflow (RFC 1950, section 9).
    for chunk in bytes.chunks(5552) {
        for &byte in chunk {
            low += u32::from(byte);
            high += low;
        }
        low %= 65521;
        high %= 65521;
    }
    (high << 16) | low
}

/// Does `work` for each item, some at once; the first error counts.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, StoreError> + Sync,
) -> Result<Vec<R>, StoreError> {
    let share = items.len().div_ceil(PARALLEL).max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().map(work).collect::<Result<Vec<R>, StoreError>>()))
            .collect();
        let mut all = Vec::with_capacity(items.len());
        for thread in threads {
            let part = thread.join().map_err(|_| StoreError::Write("a writing thread died".to_owned()))?;
            all.extend(part?);
        }
        Ok(all)
    })
}

fn failed(path: &Path, cause: &io::Error) -> StoreError {
    StoreError::Write(format!("{}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adler_is_the_published_one() {
        // The example that the checksum's descriptions share.
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        assert_eq!(adler32(b""), 1);
    }

    #[test]
    fn git_and_libgit2_read_what_we_write() {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init_bare(directory.path()).unwrap();
        let sizes = [0usize, 1, 5551, 65_520, 65_530, 65_535, 200_000];
        let pending: Vec<_> = sizes
            .iter()
            .map(|&size| {
                let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
                let oid = Oid::hash_object(git2::ObjectType::Blob, &bytes).unwrap();
                let id = ObjectId::from_bytes(oid.as_bytes().try_into().unwrap());
                (id, Pending { kind: ObjectKind::Blob, bytes })
            })
            .collect();
        let odb = repository.odb().unwrap();
        persist(&State::beside(directory.path()), &directory.path().join("objects"), &odb, &pending).unwrap();
        for (id, object) in &pending {
            let oid = Oid::from_bytes(id.as_bytes()).unwrap();
            assert_eq!(odb.read_header(oid).unwrap(), (object.bytes.len(), git2::ObjectType::Blob));
            assert_eq!(odb.read(oid).unwrap().data(), object.bytes);
        }
        // Git itself, with everything it knows to check.
        let fsck = std::process::Command::new("git")
            .args(["fsck", "--strict", "--full"])
            .current_dir(directory.path())
            .output()
            .unwrap();
        assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
    }

    #[test]
    fn an_empty_file_under_the_name_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init_bare(directory.path()).unwrap();
        let objects = directory.path().join("objects");
        let oid = Oid::hash_object(git2::ObjectType::Blob, b"event").unwrap();
        let id = ObjectId::from_bytes(oid.as_bytes().try_into().unwrap());
        let hex = id.to_string();
        fs::create_dir(objects.join(&hex[..2])).unwrap();
        fs::write(objects.join(&hex[..2]).join(&hex[2..]), b"").unwrap();
        let pending = [(id, Pending { kind: ObjectKind::Blob, bytes: b"event".to_vec() })];
        persist(&State::beside(directory.path()), &objects, &repository.odb().unwrap(), &pending).unwrap();
        assert_eq!(repository.find_blob(oid).unwrap().content(), b"event");
    }
    #[test]
    fn what_is_shared_stays_shared() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let shared = std::process::Command::new("git")
            .args(["init", "-q", "--bare", "--shared=group"])
            .arg(directory.path())
            .status()
            .unwrap();
        assert!(shared.success());
        let repository = git2::Repository::open_bare(directory.path()).unwrap();
        let objects = directory.path().join("objects");
        let oid = Oid::hash_object(git2::ObjectType::Blob, b"event").unwrap();
        let id = ObjectId::from_bytes(oid.as_bytes().try_into().unwrap());
        let pending = [(id, Pending { kind: ObjectKind::Blob, bytes: b"event".to_vec() })];
        persist(&State::beside(directory.path()), &objects, &repository.odb().unwrap(), &pending).unwrap();
        let mode = fs::metadata(objects.join(&id.to_string()[..2])).unwrap().permissions().mode();
        assert_eq!(mode & 0o2070, 0o2070, "{mode:o}");
    }
}
