//! Repositories whose making was killed. Before anything else goes into a new one it gets a mark, which the kernel locks for
//! its maker; what has the mark, no living maker and no branch was nobody's ledger yet, and is made anew. Imports nothing
//! but this room.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{State, WriterLock};
use super::{BRANCH, GitError};

/// The state file that the maker holds until the branch is there.
pub const MARK: &str = "making";
/// How the names begin that libgit2 and a fetch put into a new git directory; and our own folder.
const LAYOUT: [&str; 12] = [
    "HEAD",
    "config",
    "description",
    "hooks",
    "info",
    "jit",
    "objects",
    "refs",
    "logs",
    "packed-refs",
    "FETCH_HEAD",
    PROBE,
];
/// How the names begin of what libgit2 makes to see what a file system can do.
const PROBE: &str = "_git2_";

/// Marks what is about to be made at `directory`.
///
/// # Errors
/// Where somebody else is making it, or nothing can be written there.
pub fn mark(directory: &Path, bare: bool) -> Result<WriterLock, GitError> {
    let git = git_directory(directory, bare);
    fs::create_dir_all(&git).map_err(|cause| GitError::file(&git, cause))?;
    State::beside(&git).wait_for_turn(MARK, 1, Duration::ZERO)
}

/// Removes a repository that was killed before its branch was there, and nothing else.
///
/// # Errors
/// Where its maker lives, or it cannot be removed.
pub fn clear(directory: &Path, bare: bool) -> Result<(), GitError> {
    let git = git_directory(directory, bare);
    let found = names(&git);
    let is_known = |name: &String| LAYOUT.iter().any(|known| name.starts_with(known));
    if !fs::symlink_metadata(&git).is_ok_and(|meta| meta.is_dir()) || !found.iter().all(is_known) {
        return Ok(());
    }
    let state = State::beside(&git);
    // Killed before it could even make its mark, it has left the folder for the mark and no more.
    let only_folders = names(state.path()).is_empty() && found.iter().all(|name| name == "jit");
    let has_mark = state.path().join(MARK).is_file();
    let holds_something =
        [git.join(BRANCH), git.join("packed-refs"), state.path().join("pin"), state.path().join("outbox")];
    if !(has_mark || only_folders) || holds_something.iter().any(|path| path.exists()) {
        return Ok(());
    }
    // Held by a maker that lives.
    let _mark = state.wait_for_turn(MARK, 1, Duration::ZERO)?;
    for path in in_order(&git, &state) {
        let is_directory = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
        let gone = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.map_err(|cause| GitError::file(path, cause))?;
    }
    for probe in names(directory).iter().filter(|name| !bare && name.starts_with(PROBE)) {
        let path = directory.join(probe);
        fs::remove_file(&path).map_err(|cause| GitError::file(path, cause))?;
    }
    if bare { Ok(()) } else { fs::remove_dir(&git).map_err(|cause| GitError::file(git, cause)) }
}

/// Takes away a clone that failed or was refused, in the order in which one that is killed on the way is still known as half
/// made. Of a directory that `was_there`, and was empty, only what was put there goes. What cannot be removed stays.
pub fn forget(directory: &Path, bare: bool, was_there: bool) {
    let _ = clear(directory, bare);
    if !was_there {
        let _ = fs::remove_dir_all(directory);
        return;
    }
    for path in names(directory).iter().map(|name| directory.join(name)) {
        let is_directory = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
        let _ = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

/// What goes, in the order in which it goes: the mark last, so that whoever is killed on the way is found again.
fn in_order(git: &Path, state: &State) -> Vec<PathBuf> {
    let own = state.path();
    let beside = names(git).into_iter().map(|name| git.join(name)).filter(|path| path != own);
    let inside = names(own).into_iter().filter(|name| name != MARK).map(|name| own.join(name));
    let last = [own.join(MARK), own.to_owned()].into_iter().filter(|path| path.exists());
    beside.chain(inside).chain(last).collect()
}

fn git_directory(directory: &Path, bare: bool) -> PathBuf {
    if bare { directory.to_owned() } else { directory.join(".git") }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_killed_while_it_goes_is_found_again() {
        for bare in [false, true] {
            for gone in 0.. {
                let place = tempfile::tempdir().unwrap();
                let git = git_directory(place.path(), bare);
                let mut options = git2::RepositoryInitOptions::new();
                git2::Repository::init_opts(place.path(), options.bare(bare)).unwrap();
                drop(mark(place.path(), bare).unwrap());
                fs::write(git.join("jit/else"), "x").unwrap();
                let paths = in_order(&git, &State::beside(&git));
                for path in paths.iter().take(gone) {
                    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                }
                clear(place.path(), bare).unwrap();
                assert_eq!(names(place.path()), Vec::<String>::new(), "{gone} of {}", paths.len());
                if gone > paths.len() {
                    break;
                }
            }
        }
    }

    #[test]
    fn only_what_nobody_finished_goes() {
        let place = tempfile::tempdir().unwrap();
        let repository = place.path().join("clone");
        let git = repository.join(".git");
        // Somebody's own repository without a commit has no mark.
        git2::Repository::init(&repository).unwrap();
        clear(&repository, false).unwrap();
        assert!(git.join("HEAD").exists());
        // A living maker.
        let held = mark(&repository, false).unwrap();
        assert!(matches!(clear(&repository, false), Err(GitError::Busy(..))));
        assert!(git.join("HEAD").exists());
        drop(held);
        // What holds something of the ledger's stays, mark or not.
        for name in ["jit/pin", "packed-refs", "refs/heads/main"] {
            fs::write(git.join(name), "x").unwrap();
            clear(&repository, false).unwrap();
            assert!(git.join("HEAD").exists(), "{name}");
            fs::remove_file(git.join(name)).unwrap();
        }
        fs::write(git.join("letters"), "x").unwrap();
        clear(&repository, false).unwrap();
        assert!(git.join("HEAD").exists(), "files that are no repository's");
        fs::remove_file(git.join("letters")).unwrap();
        // A dead one, and a lock that libgit2 left.
        fs::write(git.join("config.lock"), "").unwrap();
        fs::write(repository.join("notes"), "mine").unwrap();
        fs::write(repository.join("_git2_a1b2c3"), "").unwrap();
        clear(&repository, false).unwrap();
        assert_eq!(names(&repository), ["notes"]);
        clear(&repository, false).unwrap();
        // Of the bare kind the folder itself stays.
        drop(mark(&repository.join("bare"), true).unwrap());
        clear(&repository.join("bare"), true).unwrap();
        assert_eq!(names(&repository.join("bare")), Vec::<String>::new());
    }
}
