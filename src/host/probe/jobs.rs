//! Jobs of the login that run without it: its crontab, its at jobs, its lingering, the units of its user manager.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::super::session_file::SessionFile;
use super::super::{Config, HostError};
use super::processes::of_user;
use super::{Finding, Places, list};

pub fn look(config: &Config, places: &Places, session: &SessionFile) -> Result<Finding, HostError> {
    let mut found = Vec::new();
    let started = session.started.unix();
    for directory in &places.crontabs {
        let path = directory.join(&session.login);
        if let Some(meta) = entry(&path)?
            && !meta.is_dir()
        {
            found.push(format!("crontab {}{}", path.display(), since(&meta, started)));
        }
    }
    for directory in &places.at_jobs {
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(HostError::file(directory, cause)),
        };
        for job in entries {
            let path = job.map_err(|cause| HostError::file(directory, cause))?.path();
            let Some(meta) = entry(&path)? else { continue };
            if meta.uid() == session.uid && meta.is_file() && !is_counter(&path) {
                found.push(format!("at job {}{}", path.display(), since(&meta, started)));
            }
        }
    }
    let linger = places.linger.join(&session.login);
    if let Some(meta) = entry(&linger)? {
        found.push(format!("lingering {}{}", linger.display(), since(&meta, started)));
    }
    found.extend(units(config, places, session.uid)?.into_iter().map(|unit| format!("user unit {unit}")));
    if found.is_empty() {
        return Ok(Finding::clear(format!("{} has no crontab, at job, lingering or user unit", session.login)));
    }
    Ok(Finding::found(list(&format!("jobs of {}", session.login), &found)))
}

/// What lies there itself, wherever it may point; `None` where nothing does.
fn entry(path: &Path) -> Result<Option<fs::Metadata>, HostError> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(HostError::file(path, cause)),
    }
}

fn since(meta: &fs::Metadata, started: i64) -> &'static str {
    if meta.mtime() >= started || meta.ctime() >= started { ", changed since the session began" } else { "" }
}

/// at keeps its count of jobs beside them.
fn is_counter(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".SEQ")
}

/// The units that run below the login's own manager, `user@UID.service`.
fn units(config: &Config, places: &Places, uid: u32) -> Result<Vec<String>, HostError> {
    let manager = format!("/user@{uid}.service/");
    let mut found: Vec<String> = of_user(config, places, uid)?
        .iter()
        .filter_map(|process| process.group.split_once(&manager).map(|(_, unit)| unit.to_owned()))
        .filter(|unit| unit != "init.scope")
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
