//! What can go wrong on a host. Imports nothing of ours.

use std::io;
use std::path::PathBuf;

/// Why something on the host could not be done. None of these admits anybody.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file or directory.
    #[error("{path}: {cause}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file that says something else than it must.
    #[error("{path} is not what it must be: {why}", path = .path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file that others could have written.
    #[error("{path} can be written by others than {owner}", path = .path.display())]
    Writable {
        /// Which.
        path: PathBuf,
        /// Who alone may write it.
        owner: &'static str,
    },
    /// There are no control groups of version 2 here that can be written.
    #[error("no cgroup v2 is writable here ({0}): a host that cannot end sessions is not protected")]
    NoCgroup(String),
    /// The sync daemon does not answer.
    #[error("jit host sync does not answer at {path}: {cause}", path = .path.display())]
    NoSync {
        /// Its socket.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Something else of the system.
    #[error("{what}: {cause}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        cause: io::Error,
    },
    /// What was asked for is refused.
    #[error("{0}")]
    Refused(String),
}

impl HostError {
    /// A file that could not be used.
    pub fn file(path: impl Into<PathBuf>, cause: io::Error) -> Self {
        Self::File { path: path.into(), cause }
    }

    /// A file with the wrong content.
    pub fn content(path: impl Into<PathBuf>, why: impl ToString) -> Self {
        Self::Content { path: path.into(), why: why.to_string() }
    }

    /// A call of the system that failed.
    pub fn system(what: impl Into<String>, cause: impl Into<io::Error>) -> Self {
        Self::System { what: what.into(), cause: cause.into() }
    }
}
