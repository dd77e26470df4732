//! Where a recording lies: `<recordings>/<case>/<session>.jitrec`. Files that others may have put there are opened without
//! following a link, and nothing but a plain file is read.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::super::Context;
use super::super::error::CliError;
use crate::domain::id::{CaseId, Nonce};

/// Where hosts keep recordings.
const USUAL: &str = "/var/lib/jit/recordings";

/// The place that `--recordings` names, else the configuration's, else the host's own.
///
/// # Errors
/// Where the configuration cannot be read.
pub fn place(context: &Context, named: Option<&Path>) -> Result<PathBuf, CliError> {
    if let Some(named) = named {
        return Ok(context.resolve(named));
    }
    let configured = context.config()?.recordings.as_deref();
    Ok(context.resolve(configured.unwrap_or(Path::new(USUAL))))
}

/// The file of a session's recording: `place` itself where it is a file.
pub fn file(place: &Path, case: CaseId, session: &Nonce) -> PathBuf {
    if place.is_file() { place.to_owned() } else { place.join(case.short()).join(format!("{session}.jitrec")) }
}

/// Opens a file that [`file`] gave. Below `place` no link is followed.
///
/// # Errors
/// Where it is not there, no plain file, or cannot be read.
pub fn open(place: &Path, file: &Path) -> Result<File, CliError> {
    let failed = |cause: io::Error| {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound => "say where recordings lie: --recordings DIR, or recordings in config.toml",
            io::ErrorKind::PermissionDenied => {
                "recordings are root's on their host: run it there as root, or copy them"
            }
            _ => "a recording is a plain file, and no link to one is followed: --recordings FILE names it itself",
        };
        CliError::file("read", file, &cause).hint(hint)
    };
    let opened = below(place, file).map_err(failed)?;
    if !opened.metadata().map_err(failed)?.is_file() {
        let error = CliError::failed(format!("{} is no plain file", file.display()));
        return Err(error.hint("--recordings FILE names one"));
    }
    Ok(opened)
}

/// Goes down from `place` by one name at a time.
fn below(place: &Path, file: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    // What the user named is followed wherever it leads.
    let mut opened = rustix::fs::open(place, flags, Mode::empty())?;
    for name in file.strip_prefix(place).ok().into_iter().flat_map(Path::components) {
        opened = rustix::fs::openat(&opened, name.as_os_str(), flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(File::from(opened))
}
