//! Loose objects, read here and not by libgit2: from a file whose zlib stream ends too early, as a power cut or a bad disk
//! leaves one, libgit2 1.9.7 never comes back (`git_zstream_get_output` asks again for ever). Imports `domain::id`, `ports`.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;
use git2::{ObjectType, Oid};

use super::type_of;
use crate::domain::id::ObjectId;
use crate::ports::{ObjectKind, StoreError};

/// The longest `kind size NUL` that git writes.
const HEADER_LIMIT: u64 = 32;
/// How many repositories may borrow from each other in a row, as in git.
const ALTERNATES_DEPTH: usize = 5;
/// The most bytes of a list of alternates that are read.
const ALTERNATES_BYTES: u64 = 64 * 1024;

/// The directories in which a repository's objects lie: its own, and those that it borrows from.
pub fn directories(objects: &Path) -> Vec<PathBuf> {
    let mut found = vec![objects.to_owned()];
    let mut next = vec![objects.to_owned()];
    for _ in 0..ALTERNATES_DEPTH {
        let mut further = Vec::new();
        for directory in &next {
            let mut text = Vec::new();
            let list = File::open(directory.join("info").join("alternates"));
            if list.and_then(|list| list.take(ALTERNATES_BYTES).read_to_end(&mut text)).is_err() {
                continue;
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                // A relative path counts from the directory that names it.
                let borrowed = directory.join(line);
                if !found.contains(&borrowed) {
                    found.push(borrowed.clone());
                    further.push(borrowed);
                }
            }
        }
        next = further;
    }
    found
}

/// Why a loose object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is not what its name says.
    #[error("{path} is damaged: {1}", path = .0.display())]
    Damaged(PathBuf, String),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The body of a loose object of at most `limit` bytes, whose hash was compared with its id; `None` where no file has its
/// name.
///
/// # Errors
/// As [`ReadError`] has them; [`StoreError::OtherKind`] inside where it is of another kind.
pub fn read(directories: &[PathBuf], id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let hex = id.to_string();
    let (head, tail) = hex.split_at(2);
    for directory in directories {
        let path = directory.join(head).join(tail);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(StoreError::Read(format!("{}: {cause}", path.display())).into()),
        };
        let damaged = |why: &str| ReadError::Damaged(path.clone(), why.to_owned());
        let mut whole = Vec::new();
        let mut stream = ZlibDecoder::new(BufReader::new(file)).take(limit.saturating_add(HEADER_LIMIT));
        // The end of the stream and its checksum are asked, too: a file that was cut is an error here.
        stream.read_to_end(&mut whole).map_err(|cause| damaged(&cause.to_string()))?;
        let end = whole.iter().position(|byte| *byte == 0).ok_or_else(|| damaged("it has no header"))?;
        let body = whole.split_off(end.saturating_add(1));
        let header = String::from_utf8_lossy(&whole);
        let said = header.trim_end_matches('\0').split_once(' ').ok_or_else(|| damaged("it has no header"))?;
        if said.1 != body.len().to_string() {
            return Err(damaged("it has not the size that it says"));
        }
        let actual = ObjectType::from_str(said.0).ok_or_else(|| damaged("it is of no kind that git has"))?;
        let oid = Oid::hash_object(actual, &body).map_err(|error| damaged(error.message()))?;
        if oid.as_bytes() != id.as_bytes() {
            return Err(damaged("its bytes have another id"));
        }
        // Only now: that an object is of another kind is a fault of whoever named it, and its own only where it is whole.
        if actual != type_of(kind) {
            return Err(StoreError::OtherKind(id, kind).into());
        }
        return Ok(Some(body));
    }
    Ok(None)
}

/// Whether a file has the object's name, whatever is in it.
pub fn has_file(objects: &Path, id: ObjectId) -> bool {
    let hex = id.to_string();
    let (head, tail) = hex.split_at(2);
    fs::symlink_metadata(objects.join(head).join(tail)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::files::State;
    use crate::git::loose::{Pending, persist};

    /// A repository with one loose object, by us or by git; its objects directory, the file, the id and the bytes.
    fn loose(by_git: bool) -> (tempfile::TempDir, PathBuf, PathBuf, ObjectId, Vec<u8>) {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init_bare(directory.path()).unwrap();
        let objects = directory.path().join("objects");
        let bytes: Vec<u8> = (0..5000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let oid = Oid::hash_object(ObjectType::Blob, &bytes).unwrap();
        let id = ObjectId::from_bytes(oid.as_bytes().try_into().unwrap());
        if by_git {
            repository.blob(&bytes).unwrap();
        } else {
            let pending = [(id, Pending { kind: ObjectKind::Blob, bytes: bytes.clone() })];
            persist(&State::beside(objects.parent().unwrap()), &objects, &repository.odb().unwrap(), &pending).unwrap();
        }
        let hex = id.to_string();
        let file = objects.join(&hex[..2]).join(&hex[2..]);
        assert!(file.is_file() && has_file(&objects, id));
        (directory, objects, file, id, bytes)
    }

    fn replace(file: &Path, bytes: &[u8]) {
        fs::remove_file(file).unwrap();
        fs::write(file, bytes).unwrap();
    }

    #[test]
    fn whole_ones_are_read_and_limits_kept() {
        for by_git in [true, false] {
            let (_keep, objects, _, id, bytes) = loose(by_git);
            let directories = directories(&objects);
            assert_eq!(read(&directories, id, ObjectKind::Blob, 20_000).unwrap(), Some(bytes));
            assert!(matches!(
                read(&directories, id, ObjectKind::Tree, 20_000),
                Err(ReadError::Store(StoreError::OtherKind(..)))
            ));
            assert!(matches!(read(&directories, id, ObjectKind::Blob, 19_000), Err(ReadError::Damaged(..))));
            assert_eq!(read(&directories, ObjectId::from_bytes([7; 20]), ObjectKind::Blob, 9).unwrap(), None);
        }
    }

    #[test]
    fn one_that_was_cut_anywhere_is_an_error_and_not_for_ever() {
        for by_git in [true, false] {
            let (_keep, objects, file, id, bytes) = loose(by_git);
            let whole = fs::read(&file).unwrap();
            let directories = directories(&objects);
            for length in (0..whole.len()).step_by(97).chain(whole.len() - 8..whole.len()) {
                replace(&file, &whole[..length]);
                let cut = read(&directories, id, ObjectKind::Blob, 20_000);
                assert!(matches!(cut, Err(ReadError::Damaged(..))), "cut to {length}");
            }
            // Written again, it is whole again: what is damaged is not taken for the object.
            let repository = git2::Repository::open_bare(objects.parent().unwrap()).unwrap();
            let pending = [(id, Pending { kind: ObjectKind::Blob, bytes: bytes.clone() })];
            persist(&State::beside(objects.parent().unwrap()), &objects, &repository.odb().unwrap(), &pending).unwrap();
            assert_eq!(read(&directories, id, ObjectKind::Blob, 20_000).unwrap(), Some(bytes));
        }
    }

    #[test]
    fn a_turned_bit_is_an_error_or_says_nothing_else() {
        let (_keep, objects, file, id, bytes) = loose(true);
        let whole = fs::read(&file).unwrap();
        let directories = directories(&objects);
        for at in (2..whole.len()).step_by(101) {
            let mut bent = whole.clone();
            bent[at] ^= 0x10;
            replace(&file, &bent);
            // Some bits of a deflate stream mean nothing.
            match read(&directories, id, ObjectKind::Blob, 20_000) {
                Ok(read) => assert!(read.as_ref() == Some(&bytes), "byte {at}"),
                Err(error) => assert!(
                    matches!(error, ReadError::Damaged(..) | ReadError::Store(StoreError::OtherKind(..))),
                    "byte {at}"
                ),
            }
        }
    }

    #[test]
    fn borrowed_ones_are_read_too() {
        let (_keep, objects, file, id, bytes) = loose(false);
        let borrower = tempfile::tempdir().unwrap();
        fs::create_dir(borrower.path().join("info")).unwrap();
        fs::write(borrower.path().join("info/alternates"), format!("# theirs\n{}\n", objects.display())).unwrap();
        let directories = directories(borrower.path());
        assert_eq!(directories, [borrower.path().to_owned(), objects]);
        assert_eq!(read(&directories, id, ObjectKind::Blob, 20_000).unwrap(), Some(bytes));
        replace(&file, b"\x78\x01");
        assert!(read(&directories, id, ObjectKind::Blob, 20_000).is_err());
    }
}
