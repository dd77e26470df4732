//! Lock files that are in the way: whether whoever made one can still be alive. Git's locks are plain files, so a process
//! that dies leaves its own; removing that of a living one would let two write at once. So one is taken for left only where
//! everything says so: the file is on a disk of this machine, it stays the same while it is waited for, no process has it
//! open, and no git works in the repository. Whatever cannot be seen counts as alive. Imports nothing of ours.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::reference::identity_of;

/// Who may hold a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The file is gone.
    Nobody,
    /// Nobody who lives.
    Dead,
    /// This process: its number and name.
    Alive(u32, String),
    /// It cannot be told, and why.
    Unknown(&'static str),
}

/// A lock file that is in the way, told with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    /// The file.
    pub lock: PathBuf,
    /// Who may hold it.
    pub holder: Holder,
}

impl InTheWay {
    /// Why it stays, as the rest of a sentence.
    pub fn why(&self) -> String {
        match &self.holder {
            Holder::Nobody => "and was there for a moment only".to_owned(),
            Holder::Dead => "left by a process that died".to_owned(),
            Holder::Alive(pid, name) => format!("and process {pid} ({name}) works in this repository"),
            Holder::Unknown(why) => format!("and {why}"),
        }
    }
}

impl fmt::Display for InTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is there, {}", self.lock.display(), self.why())
    }
}

/// What is known about a lock that did not go away.
pub fn in_the_way(lock: &Path, repository: &[&Path]) -> InTheWay {
    InTheWay { lock: lock.to_owned(), holder: holder(lock, repository) }
}

/// Removes a lock that has stayed the same since `seen` was read from it, and that nobody who lives can hold.
///
/// # Errors
/// Why it stays.
pub fn clear(lock: &Path, seen: Option<(u64, u64)>, repository: &[&Path]) -> Result<(), InTheWay> {
    let told = in_the_way(lock, repository);
    match told.holder {
        Holder::Nobody => Ok(()),
        Holder::Dead if seen.is_some() && identity(lock) == seen => {
            fs::remove_file(lock).map_err(|_| InTheWay { holder: Holder::Unknown("it cannot be removed"), ..told })
        }
        _ => Err(told),
    }
}

/// Device and inode of a file; `None` where there is none.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().as_ref().map(identity_of)
}

/// Who may hold the lock file `lock` of the repository in these directories (git directory, work tree).
fn holder(lock: &Path, repository: &[&Path]) -> Holder {
    let Ok(meta) = fs::symlink_metadata(lock) else { return Holder::Nobody };
    if !meta.is_file() {
        return Holder::Unknown("it is no plain file");
    }
    if !is_local(lock) {
        return Holder::Unknown("other machines may write to this disk");
    }
    among_processes(&meta, repository)
}

fn among_processes(lock: &Metadata, repository: &[&Path]) -> Holder {
    let repository: Vec<PathBuf> = repository.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let Ok(processes) = fs::read_dir("/proc") else { return Holder::Unknown("the processes cannot be looked at") };
    let mut seen = false;
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        seen = true;
        if pid == std::process::id() {
            continue;
        }
        let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        let name: String = name.trim_end().chars().filter(|c| !c.is_control()).collect();
        if has_open(&process.path(), lock) {
            return Holder::Alive(pid, name);
        }
        if !name.starts_with("git") {
            continue;
        }
        match fs::read_link(process.path().join("cwd")) {
            Ok(directory) if repository.iter().any(|own| directory.starts_with(own)) => {
                return Holder::Alive(pid, name);
            }
            Ok(_) => {}
            // It has ended, whether or not its parent has asked how.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return Holder::Unknown("another user's git is running"),
        }
    }
    if seen { Holder::Dead } else { Holder::Unknown("the processes cannot be looked at") }
}

/// Whether a process has this file open, as far as it lets us look.
fn has_open(process: &Path, file: &Metadata) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    let same = |path: PathBuf| fs::metadata(path).is_ok_and(|meta| identity_of(&meta) == identity_of(file));
    descriptors.flatten().any(|descriptor| same(descriptor.path()))
}

/// The process that has a file open, as far as the system lets us look: for messages.
pub fn user_of(file: &Path) -> Option<(u32, String)> {
    match among_processes(&fs::metadata(file).ok()?, &[]) {
        Holder::Alive(pid, name) => Some((pid, name)),
        _ => None,
    }
}

/// Whether a file is on a disk that only this machine writes to (statfs(2), `f_type`): ext2 to 4, XFS, Btrfs, ZFS, F2FS,
/// tmpfs, overlayfs. Anything else may be shared.
fn is_local(file: &Path) -> bool {
    const LOCAL: [u64; 7] = [0xEF53, 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0xF2F5_2010, 0x0102_1994, 0x794C_7630];
    let directory = file.parent().unwrap_or(file);
    rustix::fs::statfs(directory).is_ok_and(|it| u64::try_from(it.f_type).is_ok_and(|kind| LOCAL.contains(&kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_lock_is_cleared_only_where_nobody_lives_who_could_hold_it() {
        let place = tempfile::tempdir().unwrap();
        let lock = place.path().join("main.lock");
        assert_eq!(holder(&lock, &[place.path()]), Holder::Nobody);
        fs::write(&lock, "").unwrap();
        let seen = identity(&lock);
        // Somebody has it open, somewhere else.
        let script = "exec sleep 100 < \"$0\"";
        let mut child = Command::new("sh").arg("-c").arg(script).arg(&lock).stdin(Stdio::null()).spawn().unwrap();
        let held = || matches!(holder(&lock, &[place.path()]), Holder::Alive(pid, _) if pid == child.id());
        for _ in 0..200 {
            if held() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(held());
        assert_eq!(user_of(&lock).map(|(pid, _)| pid), Some(child.id()));
        assert!(clear(&lock, seen, &[place.path()]).is_err());
        child.kill().unwrap();
        child.wait().unwrap();
        // Another file of that name is another's lock.
        assert!(clear(&lock, Some((0, 0)), &[place.path()]).is_err());
        assert!(clear(&lock, None, &[place.path()]).is_err());
        clear(&lock, seen, &[place.path()]).unwrap();
        assert!(!lock.exists());
        clear(&lock, seen, &[place.path()]).unwrap();
    }

    #[test]
    fn a_git_that_works_in_the_repository_may_hold_it() {
        let place = tempfile::tempdir().unwrap();
        let lock = place.path().join("index.lock");
        fs::write(&lock, "").unwrap();
        let git = |directory: &Path| {
            Command::new("git")
                .args(["cat-file", "--batch"])
                .current_dir(directory)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        };
        assert!(Command::new("git").args(["init", "-q"]).arg(place.path()).status().unwrap().success());
        let mut child = git(place.path());
        // Until the exec it has our name.
        for _ in 0..200 {
            if holder(&lock, &[place.path()]) != Holder::Dead {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let told = in_the_way(&lock, &[place.path()]);
        assert_eq!(told.holder, Holder::Alive(child.id(), "git".to_owned()));
        assert!(told.to_string().contains(&format!("process {} (git)", child.id())), "{told}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(holder(&lock, &[place.path()]), Holder::Dead);
        // A disk of the kernel's own kind is none of those that are known to be this machine's alone.
        assert!(matches!(holder(Path::new("/proc/version"), &[]), Holder::Unknown(_)));
    }
}
