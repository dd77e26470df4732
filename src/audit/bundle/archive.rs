//! Files as a tar archive under gzip, the same bytes for the same files: sorted by path, one time, no owner, and no name
//! or time of its own in the gzip header. Imports nothing of ours but the time (POSIX ustar; RFC 1952).

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::files::Files;
use crate::domain::time::Timestamp;

/// The folder in the archive that holds everything: unpacking never scatters files.
pub const FOLDER: &str = "jit-bundle";

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be written.
    #[error("the archive cannot be written")]
    Write(#[from] io::Error),
}

/// Writes the archive. `time`: what every file in it is dated.
///
/// # Errors
/// Where `out` does not take it.
pub fn write(files: &Files, time: Timestamp, out: impl Write) -> Result<(), ArchiveError> {
    // 255: no operating system is named. The header has no time unless it is given one.
    let gzip = GzBuilder::new().operating_system(255).write(out, Compression::new(6));
    let mut archive = Builder::new(gzip);
    for (path, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_path(format!("{FOLDER}/{path}"))?;
        header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)?);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time.unix_u64());
        header.set_cksum();
        archive.append(&header, bytes.as_slice())?;
    }
    archive.into_inner()?.finish()?.flush()?;
    Ok(())
}
