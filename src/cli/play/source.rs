//! Where a recording lies: `<recordings>/<case>/<session>.jitrec`. Files that others may have put there are opened without
//! following a link, and nothing but a plain file is read.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

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

/// Opens it.
///
/// # Errors
/// Where it is not there, no plain file, or cannot be read.
pub fn open(file: &Path) -> Result<File, CliError> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(file);
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
    let opened = opened.map_err(failed)?;
    if !opened.metadata().map_err(failed)?.is_file() {
        return Err(
            CliError::failed(format!("{} is no plain file", file.display())).hint("--recordings FILE names one")
        );
    }
    Ok(opened)
}
