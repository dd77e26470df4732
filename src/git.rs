//! Git: the object store and the branch on libgit2, the work tree kept in step, small state files beside the ledger, and
//! the one place that starts the `git` program. Imports `ports` and `domain`.
//!
//! What survives a crash after each step of an append, in this order:
//! 1. objects are written beside, synced, and renamed to their names: nothing refers to them yet;
//! 2. the branch's new value is written beside and synced: nothing has moved;
//! 3. it is renamed over the branch: from here on the event is in the ledger;
//! 4. reflog, work tree and index follow: a note made before step 3 lets the next append finish this.

use std::io;
use std::path::PathBuf;

pub mod files;
pub mod inbox;
pub mod program;
pub mod remote;
pub mod repository;

mod drops;
mod index;
mod loose;
mod reference;
mod stale;
mod unfinished;
mod worktree;

pub use files::{State, WriterLock};
pub use inbox::LocalInbox;
pub use program::Program;
pub use remote::{GitRemote, clone};
pub use repository::{GitStore, Warning};
pub use unfinished::{clear as clear_unfinished, forget as forget_clone};
pub use worktree::LeftAlone;

/// The ledger's branch.
pub const BRANCH: &str = "refs/heads/main";
/// The branch of the ledger's checkpoints, which holds nothing else.
pub const CHECKPOINTS: &str = "refs/heads/checkpoints";

/// Why there is no ledger to work with here.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository here or above.
    #[error("{0} is not in a Git repository")]
    NotARepository(PathBuf),
    /// The repository belongs to another user: git would refuse it too.
    #[error("the repository at {0} belongs to another user (git config safe.directory)")]
    OtherOwner(PathBuf),
    /// Part of the history is missing.
    #[error("{0} is a shallow clone: part of the history is missing (git fetch --unshallow)")]
    Shallow(PathBuf),
    /// A file that makes git see other parents than the commits have.
    #[error("{0} changes what Git shows as history: remove it")]
    Grafts(PathBuf),
    /// Object ids that `jit/1` does not know.
    #[error("{0} uses SHA-256 object ids; a ledger uses SHA-1 ids (and its own SHA-256 log)")]
    ObjectFormat(PathBuf),
    /// Something is there already.
    #[error("{0} already holds history")]
    NotEmpty(PathBuf),
    /// The branch is no plain reference.
    #[error("{0} in {1} is a symbolic reference, not a branch")]
    SymbolicBranch(&'static str, PathBuf),
    /// Git's variable for the objects of a push names something else.
    #[error("{0} is not where git keeps the objects of a push to this repository")]
    Quarantine(PathBuf),
    /// A name that no state file can have.
    #[error("`{0}` is not a name for a state file")]
    StateName(String),
    /// A symbolic link or other foreign thing where a state file should be.
    #[error("{0} is not a plain file or directory")]
    NotPlain(PathBuf),
    /// Another process is writing to this ledger.
    #[error("another jit process is writing to this ledger (it holds {0}{1})")]
    Busy(PathBuf, String),
    /// A file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// libgit2 cannot open or make it.
    #[error("{path}: {cause}")]
    Repository {
        /// The repository.
        path: PathBuf,
        /// What libgit2 said.
        cause: String,
    },
    /// The other side of a ledger that is to be cloned.
    #[error(transparent)]
    Remote(#[from] crate::ports::RemoteError),
}

impl GitError {
    fn file(path: impl Into<PathBuf>, cause: io::Error) -> Self {
        Self::File { path: path.into(), cause }
    }

    fn repository(path: impl Into<PathBuf>, cause: &git2::Error) -> Self {
        Self::Repository { path: path.into(), cause: cause.message().to_owned() }
    }
}
