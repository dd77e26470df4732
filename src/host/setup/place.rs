//! Where the host's files are: at `/`, or below a directory that stands for it (`--root`, for trying out and for tests).
//! Whatever is written here, root writes: no symbolic link is followed on the way, and no directory on the way may be one
//! in which somebody else could put one. Imports the errors and files beside it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use crate::host::{HostError, files};

/// The root of the host's files.
#[derive(Debug, Clone)]
pub struct Place {
    root: Option<PathBuf>,
}

impl Place {
    /// The system's own root, or a directory that stands for it.
    pub const fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    /// The directory that stands for the root; `None` for the system itself.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Where a path of the host really lies.
    pub fn at(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// What lies there, not following a link at its end; `None` where nothing does.
    ///
    /// # Errors
    /// Where that cannot be told.
    pub fn look(&self, path: &Path) -> Result<Option<fs::Metadata>, HostError> {
        match fs::symlink_metadata(self.at(path)) {
            Ok(meta) => Ok(Some(meta)),
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(cause) => Err(HostError::file(path, cause)),
        }
    }

    /// Where a path really lies, once it is certain that nobody but root has a hand in the way there, and that it is no
    /// symbolic link itself.
    ///
    /// # Errors
    /// [`HostError::Content`] for a symbolic link, [`HostError::Writable`] for a directory that others can write.
    pub fn to_write(&self, path: &Path) -> Result<PathBuf, HostError> {
        let me = rustix::process::geteuid().as_raw();
        let mut walked = PathBuf::from("/");
        let parts: Vec<Component<'_>> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        for (index, part) in parts.iter().enumerate() {
            walked.push(part);
            let Some(meta) = self.look(&walked)? else { break };
            if meta.is_symlink() {
                return Err(HostError::content(&walked, "it is a symbolic link, and root writes through none"));
            }
            let is_last = index + 1 == parts.len();
            if is_last {
                break;
            }
            // Where the sticky bit stands, others can add names and cannot take ours away.
            let open = meta.mode() & 0o022 != 0 && meta.mode() & 0o1000 == 0;
            if open || (meta.uid() != 0 && meta.uid() != me) {
                return Err(HostError::Writable { path: walked, owner: "root" });
            }
        }
        Ok(self.at(path))
    }

    /// The text of a plain file; `None` where there is none.
    ///
    /// # Errors
    /// Where it is a link or no plain file, cannot be read, or is not UTF-8.
    pub fn text(&self, path: &Path) -> Result<Option<String>, HostError> {
        if self.look(path)?.is_some_and(|meta| meta.is_symlink()) {
            return Err(HostError::content(path, "it is a symbolic link, and root writes through none"));
        }
        let bytes = match files::read(&self.at(path)) {
            // A directory on the way is missing, or is none.
            Err(HostError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotADirectory => None,
            other => other?,
        };
        bytes.map(String::from_utf8).transpose().map_err(|_| HostError::content(path, "it is not UTF-8"))
    }
}
