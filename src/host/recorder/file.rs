//! The recording's file: new, root's alone, in a directory of its case, and never behind a symbolic link. Imports the errors.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, fsync, mkdirat, openat};

use super::super::HostError;

/// Creates `path`, which is `<recordings>/<case>/<name>`. A power cut afterwards does not lose its name.
///
/// # Errors
/// Where there is one already, where it would lie elsewhere, or where it cannot be made.
pub fn create(recordings: &Path, path: &Path) -> Result<File, HostError> {
    let case = path.parent().filter(|parent| parent.parent() == Some(recordings));
    let Some((case, name)) = case.and_then(Path::file_name).zip(path.file_name()) else {
        let why = format!("a recording lies two levels below {}", recordings.display());
        return Err(HostError::content(path, why));
    };
    let make = || -> io::Result<File> {
        let top = directory(CWD, recordings)?;
        let below = directory(&top, Path::new(case))?;
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&below, name, flags, Mode::from_raw_mode(0o600))?;
        fsync(&below)?;
        fsync(&top)?;
        Ok(file.into())
    };
    make().map_err(|cause| HostError::file(path, cause))
}

/// Opens a directory, made where there is none; its last part is no link.
fn directory(at: impl rustix::fd::AsFd, path: &Path) -> io::Result<OwnedFd> {
    match mkdirat(&at, path, Mode::from_raw_mode(0o700)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(cause) => return Err(cause.into()),
    }
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, path, flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn a_recording_is_new_and_behind_no_link() {
        let place = tempfile::tempdir().expect("a directory");
        let top = place.path().join("recordings");
        let path = top.join("7kq2").join("session.jitrec");
        let file = create(&top, &path).expect("created");
        assert_eq!(file.metadata().expect("metadata").mode() & 0o777, 0o600);
        let mode = |path: &Path| std::fs::metadata(path).expect("metadata").mode() & 0o777;
        assert_eq!((mode(&top), mode(&top.join("7kq2"))), (0o700, 0o700));

        assert!(create(&top, &path).is_err(), "it is there already");
        assert!(create(&top, &top.join("session.jitrec")).is_err(), "in no case");
        assert!(create(&top, &place.path().join("a/b/session.jitrec")).is_err(), "elsewhere");
        symlink(place.path(), top.join("other")).expect("a link");
        assert!(create(&top, &top.join("other/session.jitrec")).is_err(), "a case that is a link");
        symlink(place.path().join("target"), top.join("7kq2/link.jitrec")).expect("a link");
        assert!(create(&top, &top.join("7kq2/link.jitrec")).is_err(), "a file that is a link");
    }
}
