//! The folder while it is made: nobody sees it yet, so its files are written plainly, and synced at the end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::super::error::CliError;
use crate::domain::id::Digest;

/// The list of digests: the last file that is written.
pub const SUMS: &str = "SHA256SUMS";

/// The folder.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The empty directory `root`.
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The path of what lies in it under `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            self.make(folder)?;
        }
        fs::write(&path, bytes).map_err(|cause| CliError::file("write", &path, &cause))
    }

    /// Makes a directory in it.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn make(&self, folder: &Path) -> Result<(), CliError> {
        fs::create_dir_all(folder).map_err(|cause| CliError::file("make", folder, &cause))
    }

    /// Writes the digests of all files, sorted by their paths, as `sha256sum --check` reads them. How many files there are
    /// then, how many bytes they have, and the digest of the list.
    ///
    /// # Errors
    /// Where a file cannot be read back, or the list not written.
    pub fn seal(mut self) -> Result<(u64, u64, Digest), CliError> {
        let mut names = Vec::new();
        list(&self.root, "", &mut names).map_err(|cause| CliError::file("read", &self.root, &cause))?;
        names.sort_unstable();
        let (mut sums, mut bytes, mut files) = (String::new(), 0_u64, 1_u64);
        let mut add = |length: usize| {
            files = files.saturating_add(1);
            bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        };
        for name in names {
            let path = self.path(&name);
            let content = fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
            add(content.len());
            // Our own names have no backslash and no line end: nothing to escape.
            sums.push_str(&format!("{}  {name}\n", Digest::of(&content).hex()));
        }
        self.put(SUMS, sums.as_bytes())?;
        let bytes = bytes.saturating_add(u64::try_from(sums.len()).unwrap_or(u64::MAX));
        Ok((files, bytes, Digest::of(sums.as_bytes())))
    }
}

/// The paths of all files below `folder`.
fn list(folder: &Path, before: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
