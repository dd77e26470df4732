//! How the repository, its files and its remote fail, and what can be typed then.

use super::{CliError, ErrorKind, failed, of};
use crate::git::GitError;
use crate::ports::{RemoteError, StoreError};

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        match &error {
            GitError::NotARepository(_) => failed(&error, "name a ledger with --ledger DIR, or make one: jit init DIR"),
            GitError::OtherOwner(path) => {
                failed(&error, &format!("git config --global --add safe.directory {}", path.display()))
            }
            GitError::Shallow(_) => failed(&error, "git fetch --unshallow, or clone it whole: jit clone URL DIR"),
            GitError::Grafts(path) => failed(&error, &format!("rm {}", path.display())),
            GitError::ObjectFormat(_) => failed(&error, "git init --object-format=sha1, or: jit init DIR"),
            GitError::NotEmpty(path) => {
                let is_there =
                    format!("choose another directory; if it is your clone: jit verify --ledger {}", path.display());
                failed(&error, &is_there)
            }
            GitError::SymbolicBranch(..) => failed(&error, "make main a branch of its own"),
            GitError::Quarantine(_) => failed(&error, "this runs as a hook of git: jit hook install --bare DIR"),
            GitError::StateName(_) => of(ErrorKind::Failed, &error, None),
            GitError::NotPlain(_) => failed(&error, "look at what lies there, and move it away"),
            GitError::Busy(..) => failed(&error, "wait until the other command has ended, then try again"),
            GitError::File { path, cause } => Self::file("use", path, cause),
            GitError::Repository { .. } => failed(&error, "jit doctor"),
            GitError::Remote(cause) => Self::from_remote(cause),
        }
    }
}

impl CliError {
    fn from_remote(error: &RemoteError) -> Self {
        match error {
            RemoteError::LostRace => failed(error, "run the command again"),
            RemoteError::Refused(why) => {
                // Whoever refuses says it in lines: one cause each, as they stand there.
                let mut lines = why.lines();
                let first = RemoteError::Refused(lines.next().unwrap_or_default().to_owned());
                let hint = "do as it says, or ask who runs the remote; what was signed waits for: jit sync";
                lines.fold(failed(&first, hint), Self::because)
            }
            RemoteError::Locked { lock, is_remote: false, .. } => {
                failed(error, &format!("if no git is at work there: rm {lock}; then run the command again"))
            }
            RemoteError::Locked { lock, is_remote: true, .. } => failed(
                error,
                &format!("if no git is at work there, whoever runs the remote types: rm {lock}; then, here: jit sync"),
            ),
            RemoteError::Unreachable(_) => failed(error, "check the remote and your access to it, then: jit sync"),
            RemoteError::Disk(_) => failed(error, "make room here (df), or mount it writable; then: jit sync"),
            RemoteError::Git(_) => failed(error, "check that `git` works here: git --version"),
        }
    }
}

impl From<RemoteError> for CliError {
    fn from(error: RemoteError) -> Self {
        Self::from_remote(&error)
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Missing(_) => failed(&error, "the clone is incomplete or damaged: clone it again"),
            StoreError::OtherKind(..) => failed(&error, "the clone is damaged: git fsck"),
            StoreError::TooLarge { .. } => failed(&error, "jit verify"),
            StoreError::Moved { .. } => failed(&error, "run the command again"),
            StoreError::Write(_) => {
                failed(&error, "check free space and permissions of the ledger; nothing was changed")
            }
            StoreError::Locked { pid: Some(pid), .. } => {
                failed(&error, &format!("wait until that process has ended (ps -fp {pid}), then run the command again"))
            }
            StoreError::Locked { lock, .. } => {
                failed(&error, &format!("if no git is at work there: rm {lock}; then run the command again"))
            }
            StoreError::NotSynced(_) => failed(&error, "look after the disk (dmesg), then: jit verify"),
            StoreError::Damaged { file, repository, has_remote: true, .. } => failed(
                &error,
                &format!(
                    "take it from the remote again: rm -f {file}; git -C {repository} fetch --refetch origin; then run the command again"
                ),
            ),
            StoreError::Damaged { repository, has_remote: false, .. } => failed(
                &error,
                &format!(
                    "take that file from a backup, or the object from another clone: git -C CLONE cat-file TYPE ID | git -C \
                     {repository} hash-object -w --stdin -t TYPE"
                ),
            ),
            StoreError::Read(_) => failed(&error, "git fsck"),
        }
    }
}
