//! What setup did, kept beside the configuration (`/etc/jit/setup.json`), so that `--undo` takes away exactly that: the
//! content of each file before, what was made, and the lines that were added to files that others write, too.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Change, Place, Plan, units};
use crate::domain::id::Digest;
use crate::host::{Config, HostError, files, text};

/// A file that setup wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// What it said before setup first touched it; `None` where there was none.
    pub before: Option<String>,
    /// What setup wrote last.
    #[serde(with = "text")]
    pub after: Digest,
    /// Whether others have lines in it, too.
    pub shared: bool,
    /// Whether sshd and PAM read it.
    pub guarded: bool,
    /// The lines that setup added.
    pub added: Vec<String>,
}

/// What setup did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The user that was made.
    pub user: Option<String>,
    /// Directories that were made, parents first.
    pub directories: Vec<PathBuf>,
    /// Files that were written, in that order.
    pub files: Vec<Written>,
    /// Links that were made.
    pub links: Vec<PathBuf>,
    /// Where the program was copied to.
    pub program: Option<PathBuf>,
    /// The key that was made.
    pub key: Option<PathBuf>,
    /// The logins that are served.
    pub logins: Vec<String>,
    /// sshd's configuration.
    pub sshd_config: PathBuf,
    /// Whether systemd was told anything.
    pub systemd: bool,
}

/// Where the record of the setup with this configuration lies.
pub fn path(config_file: &Path) -> PathBuf {
    config_file.with_file_name("setup.json")
}

impl Record {
    /// Reads it; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read(place: &Place, config_file: &Path) -> Result<Option<Self>, HostError> {
        let path = path(config_file);
        let Some(text) = place.text(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| HostError::content(path, error))
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, place: &Place, config_file: &Path) -> Result<(), HostError> {
        let path = path(config_file);
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| HostError::content(&path, error))?;
        files::write(&place.to_write(&path)?, &bytes, 0o600, true)
    }

    /// Notes a change before it is made.
    pub fn note(&mut self, change: &Change) {
        match change {
            Change::User { name, .. } => self.user = Some(name.clone()),
            Change::Directory { path, exists: false, .. } => self.directory(path),
            Change::File { path, old, new, shared, guarded, .. } => {
                let after = Digest::of(new.as_bytes());
                let kept: Vec<&str> = old.iter().flat_map(|text| text.lines()).collect();
                let added = new.lines().filter(|line| !kept.contains(line)).map(str::to_owned);
                match self.files.iter_mut().find(|file| file.path == *path) {
                    Some(file) => {
                        file.after = after;
                        file.added.retain(|line| new.lines().any(|kept| kept == line));
                        file.added.extend(added);
                    }
                    None => self.files.push(Written {
                        path: path.clone(),
                        before: old.clone(),
                        after,
                        shared: *shared,
                        guarded: *guarded,
                        added: added.collect(),
                    }),
                }
            }
            Change::Program { to, .. } => self.program = Some(to.clone()),
            Change::Key { path, .. } => self.key = Some(path.clone()),
            Change::Link { path, .. } => self.links.push(path.clone()),
            Change::Run { argv, .. } => self.systemd |= argv.first().is_some_and(|program| program == "systemctl"),
            Change::Directory { .. } | Change::Own { .. } | Change::Remove { .. } | Change::RemoveDirectory { .. } => {}
        }
    }

    /// Notes a directory that was made.
    pub fn directory(&mut self, path: &Path) {
        if !self.directories.iter().any(|known| known == path) {
            self.directories.push(path.to_owned());
        }
    }

    /// The plan that takes it all away again. Without `purge`, key, mirror, recordings and user stay.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn undo(
        &self,
        place: &Place,
        config_file: &Path,
        config: Option<&Config>,
        ssh_unit: &str,
        purge: bool,
    ) -> Result<Plan, HostError> {
        let mut plan = Plan::default();
        let systemd = self.systemd && place.at(Path::new("/run/systemd/system")).is_dir();
        // Last written, first taken away: sshd lets nobody in by certificate before PAM forgets about them.
        let (guarded, plain): (Vec<&Written>, Vec<&Written>) = self.files.iter().rev().partition(|file| file.guarded);
        for file in guarded {
            file.undo(place, &mut plan)?;
        }
        if systemd && !plan.is_done() {
            plan.run("sshd reads its configuration again", &["systemctl", "reload", ssh_unit]);
        } else if !plan.is_done() {
            plan.warnings.push(super::RELOAD_BY_HAND.to_owned());
        }
        if systemd {
            plan.run("the daemons end", &["systemctl", "disable", "--now", units::NAMES[0], units::NAMES[1]]);
        }
        for path in &self.links {
            if place.look(path)?.is_some_and(|meta| meta.is_symlink()) {
                plan.changes.push(Change::Remove { path: path.clone(), guarded: false });
            }
        }
        for file in plain {
            file.undo(place, &mut plan)?;
        }
        if systemd {
            plan.run("systemd reads its units again", &["systemctl", "daemon-reload"]);
        }
        let mut remove = |path: &Path| -> Result<(), HostError> {
            if place.look(path)?.is_some() {
                plan.changes.push(Change::Remove { path: path.to_owned(), guarded: false });
            }
            Ok(())
        };
        if let Some(program) = &self.program {
            remove(program)?;
        }
        if let (true, Some(key)) = (purge, &self.key) {
            remove(key)?;
            remove(&super::public_half(key))?;
        }
        remove(&path(config_file))?;
        for path in self.directories.iter().rev() {
            let is_run = config.is_some_and(|config| path.starts_with(&config.run));
            let kept = config
                .map(|config| [config.recordings.clone(), config.mirror.parent().unwrap_or(Path::new("/")).to_owned()]);
            let is_kept = kept.is_some_and(|kept| kept.contains(path));
            if place.look(path)?.is_some() {
                plan.changes.push(Change::RemoveDirectory { path: path.clone(), whole: is_run || (purge && is_kept) });
            }
        }
        if let (true, Some(user)) = (purge, &self.user) {
            plan.run("the user goes", &["userdel", user]);
        }
        Ok(plan)
    }
}

impl Written {
    fn undo(&self, place: &Place, plan: &mut Plan) -> Result<(), HostError> {
        let Some(now) = place.text(&self.path)? else { return Ok(()) };
        let to = if Digest::of(now.as_bytes()) == self.after {
            self.before.clone()
        } else if self.shared {
            // Somebody wrote something else since: only the lines of jit go.
            let mut added = self.added.clone();
            let keep = |line: &&str| match added.iter().position(|it| it == line.trim_end_matches('\n')) {
                Some(at) => {
                    added.swap_remove(at);
                    false
                }
                None => true,
            };
            let left: String = now.split_inclusive('\n').filter(keep).collect();
            if left.is_empty() && self.before.is_none() { None } else { Some(left) }
        } else {
            plan.warnings.push(format!(
                "{} was changed since setup wrote it, and stays: look at it, then remove it",
                self.path.display()
            ));
            return Ok(());
        };
        plan.changes.push(match to {
            None => Change::Remove { path: self.path.clone(), guarded: self.guarded },
            Some(new) if new == now => return Ok(()),
            Some(new) => Change::File {
                path: self.path.clone(),
                old: Some(now),
                new,
                mode: None,
                shared: self.shared,
                guarded: self.guarded,
            },
        });
        Ok(())
    }
}
