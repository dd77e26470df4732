//! Doing a plan: one change after another, each noted in the record before it is made, so that what was cut off can be
//! undone. What sshd and PAM read is kept only if sshd takes it; else the old files are put back before anything is
//! reloaded. Imports domain and the parts beside it.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::record::Record;
use super::sshd::{Effective, Sshd};
use super::{Change, Owner, Place, Plan};
use crate::host::users::User;
use crate::host::{HostError, files};

/// What doing a plan needs beyond the plan.
pub struct Work<'a> {
    /// Where the host's files are.
    pub place: &'a Place,
    /// Where the configuration lies; the record lies beside it.
    pub config_file: &'a Path,
    /// The sshd that has to take what is written.
    pub sshd: Sshd,
    /// Logins for which nothing may change: root, whoever runs setup, and somebody whom nobody knows.
    pub others: Vec<String>,
    /// Makes the host's key at the path.
    pub make_key: &'a mut dyn FnMut(&Path) -> Result<(), HostError>,
    /// Says what is done.
    pub tell: &'a mut dyn FnMut(&Change),
}

/// Does the plan. `record`: what setup did before; `None` while undoing.
///
/// # Errors
/// The first that cannot be done. Changes before it stand, and are in the record; of those that sshd and PAM read, either
/// all stand or none.
pub fn apply(work: &mut Work<'_>, plan: &Plan, mut record: Option<Record>) -> Result<(), HostError> {
    let first = plan.changes.iter().position(Change::is_guarded);
    let last = plan.changes.iter().rposition(Change::is_guarded);
    let (Some(first), Some(last)) = (first, last) else {
        plan.changes.iter().try_for_each(|change| work.step(change, record.as_mut()))?;
        return work.finish(plan, record);
    };
    let part = |from: usize, to: usize| plan.changes.get(from..to).unwrap_or_default();
    part(0, first).iter().try_for_each(|change| work.step(change, record.as_mut()))?;
    let before: Vec<(String, Effective)> = work
        .others
        .iter()
        .map(|login| Ok((login.clone(), work.sshd.effective(login)?)))
        .collect::<Result<_, HostError>>()?;
    let earlier = record.clone();
    let mut old = Vec::new();
    let taken = (|| {
        for change in part(first, last + 1) {
            old.extend(work.keep(change)?);
            work.step(change, record.as_mut())?;
        }
        work.sshd.check(plan.logins.as_deref().unwrap_or_default(), &plan.settings, &before)
    })();
    if let Err(why) = taken {
        for (path, content) in old.into_iter().rev() {
            match content {
                Some((bytes, mode)) => files::write(&path, &bytes, mode, true)?,
                None => files::remove(&path)?,
            }
        }
        if let Some(earlier) = earlier {
            earlier.write(work.place, work.config_file)?;
        }
        let cause = io::Error::other(why.to_string());
        return Err(HostError::system("sshd does not take what would be written, and the old files are back", cause));
    }
    part(last + 1, plan.changes.len()).iter().try_for_each(|change| work.step(change, record.as_mut()))?;
    work.finish(plan, record)
}

/// The content and mode of a file, to be put back.
type Kept = (PathBuf, Option<(Vec<u8>, u32)>);

impl Work<'_> {
    fn finish(&self, plan: &Plan, record: Option<Record>) -> Result<(), HostError> {
        let Some(mut record) = record else { return Ok(()) };
        if let Some(logins) = &plan.logins {
            record.logins.clone_from(logins);
        }
        record.write(self.place, self.config_file)
    }

    fn keep(&self, change: &Change) -> Result<Option<Kept>, HostError> {
        let (Change::File { path, .. } | Change::Remove { path, .. }) = change else { return Ok(None) };
        let real = self.place.to_write(path)?;
        let mode = self.place.look(path)?.map_or(0o644, |meta| meta.mode() & 0o7777);
        let content = files::read(&real)?.map(|bytes| (bytes, mode));
        Ok(Some((real, content)))
    }

    fn step(&mut self, change: &Change, record: Option<&mut Record>) -> Result<(), HostError> {
        (self.tell)(change);
        if let Some(record) = record {
            if let Change::File { path, .. } | Change::Program { to: path, .. } | Change::Directory { path, .. } =
                change
            {
                for parent in self.missing_parents(path)? {
                    record.directory(&parent);
                }
            }
            record.note(change);
            // The very first change is the directory in which the record lies.
            if self.place.at(&super::record::path(self.config_file)).parent().is_some_and(Path::is_dir) {
                record.write(self.place, self.config_file)?;
            }
        }
        self.make(change)
    }

    fn make(&mut self, change: &Change) -> Result<(), HostError> {
        match change {
            Change::User { name, home } => {
                let home = home.display().to_string();
                let options =
                    ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "--home-dir"];
                self.run("useradd", options.iter().copied().chain([&*home, name.as_str()]))
            }
            Change::Directory { path, owner, mode, .. } => {
                let real = self.place.to_write(path)?;
                self.parents(path)?;
                let failed = |cause| HostError::file(path, cause);
                match fs::DirBuilder::new().mode(0o700).create(&real) {
                    Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => return Err(failed(cause)),
                    Ok(()) | Err(_) => {}
                }
                self.own(&real, owner)?;
                fs::set_permissions(&real, fs::Permissions::from_mode(*mode)).map_err(failed)
            }
            Change::File { path, new, mode, .. } => {
                let real = self.place.to_write(path)?;
                self.parents(path)?;
                let there = self.place.look(path)?;
                let mode = mode.or_else(|| there.as_ref().map(|meta| meta.mode() & 0o7777)).unwrap_or(0o644);
                files::write(&real, new.as_bytes(), mode, true)
            }
            Change::Program { from, to } => {
                self.parents(to)?;
                let bytes = fs::read(from).map_err(|cause| HostError::file(from, cause))?;
                files::write(&self.place.to_write(to)?, &bytes, 0o755, true)
            }
            Change::Key { path, owner } => {
                let real = self.place.to_write(path)?;
                (self.make_key)(&real)?;
                self.own(&real, owner)?;
                self.own(&super::public_half(&real), owner)
            }
            Change::Own { path, owner, mode } => {
                let real = self.place.to_write(path)?;
                self.own(&real, owner)?;
                let permissions = fs::Permissions::from_mode(*mode);
                fs::set_permissions(&real, permissions).map_err(|cause| HostError::file(path, cause))
            }
            Change::Link { path, to } => {
                let real = self.place.to_write(path)?;
                self.parents(path)?;
                symlink(to, &real).map_err(|cause| HostError::file(path, cause))
            }
            Change::Remove { path, .. } => files::remove(&self.place.at(path)),
            Change::RemoveDirectory { path, whole } => {
                let real = self.place.to_write(path)?;
                let removed = if *whole { fs::remove_dir_all(&real) } else { fs::remove_dir(&real) };
                match removed {
                    Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
                    // Somebody has something there.
                    Err(cause) if cause.kind() == io::ErrorKind::DirectoryNotEmpty && !whole => Ok(()),
                    other => other.map_err(|cause| HostError::file(path, cause)),
                }
            }
            Change::Run { argv, .. } => match argv.split_first() {
                Some((program, arguments)) => self.run(program, arguments.iter().map(String::as_str)),
                None => Ok(()),
            },
        }
    }

    /// Directories above `path` that are not there, outermost first.
    fn missing_parents(&self, path: &Path) -> Result<Vec<PathBuf>, HostError> {
        let mut missing = Vec::new();
        for parent in path.ancestors().skip(1) {
            if self.place.look(parent)?.is_some() || parent == Path::new("/") {
                break;
            }
            missing.insert(0, parent.to_owned());
        }
        Ok(missing)
    }

    fn parents(&self, path: &Path) -> Result<(), HostError> {
        for parent in self.missing_parents(path)? {
            let made = fs::DirBuilder::new().mode(0o755).create(self.place.at(&parent));
            made.map_err(|cause| HostError::file(parent, cause))?;
        }
        Ok(())
    }

    /// Below a directory that stands for the root, owners are left alone: its users are not this system's.
    fn own(&self, path: &Path, owner: &Owner) -> Result<(), HostError> {
        if self.place.root().is_some() {
            return Ok(());
        }
        let (uid, gid) = match owner {
            Owner::Root => (0, 0),
            Owner::User(name) => ids(name)?,
            Owner::RootWithGroup(name) => (0, ids(name)?.1),
        };
        lchown(path, Some(uid), Some(gid)).map_err(|cause| HostError::file(path, cause))
    }

    /// Runs a command of the system; below a directory that stands for the root none is run.
    fn run<'s>(&self, program: &str, arguments: impl Iterator<Item = &'s str>) -> Result<(), HostError> {
        if self.place.root().is_some() {
            return Ok(());
        }
        let arguments: Vec<&str> = arguments.collect();
        let what = format!("{program} {}", arguments.join(" "));
        let done = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|cause| HostError::system(&what, cause))?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        Err(HostError::system(what, io::Error::other(format!("{}: {said}", done.status))))
    }
}

/// A user's number and group.
fn ids(name: &str) -> Result<(u32, u32), HostError> {
    let missing = || HostError::system(format!("the user {name}"), io::Error::from(io::ErrorKind::NotFound));
    User::named(name)?.map(|user| (user.uid, user.gid)).ok_or_else(missing)
}
