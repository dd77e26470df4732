//! Files that a command leaves behind: whole or not at all, whenever it is killed.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// For whoever ran the command alone.
pub const OWN: u32 = 0o600;
/// To be handed on: as readable as the umask makes other files of this person.
pub const SHARED: u32 = 0o644;

/// A new file in the folder of `path`, to be renamed to it.
///
/// # Errors
/// Where the folder takes none.
pub fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".jit-").permissions(Permissions::from_mode(mode)).tempfile_in(folder(path))
}

/// Writes a file beside, syncs it and renames it. When this returns a power cut loses nothing; where it fails the old
/// content stands. A symbolic link of that name is replaced, not followed.
///
/// # Errors
/// Where it cannot be written.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = beside(path, mode)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (path, other) = (place.path().join("report"), place.path().join("other"));
        std::fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        for (text, mode) in [("one", OWN), ("two", SHARED)] {
            write(&path, text.as_bytes(), mode).unwrap();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            assert!(
                meta.is_file() && meta.permissions().mode() & 0o177 & !mode == 0,
                "{:o}",
                meta.permissions().mode()
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "other");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2, "nothing is left beside");
    }
}
