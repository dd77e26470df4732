//! Processes of the login that belong to no session: what cron, at, `systemd --user` or another service started for it.
//! Those of other sessions, and of sessions that end just now, are in groups of their own and are not meant.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::cgroup::Locator;
use super::super::session_file::SessionFile;
use super::super::{Config, HostError};
use super::{Finding, Places, list};

/// A process.
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the system did.
    pub started: u64,
    /// Its command line, or its name where it has none.
    pub command: String,
    /// Its group in cgroup v2, from the root.
    pub group: String,
    /// Whether it is under jit's own groups: in a session, or a probe.
    pub is_in_session: bool,
}

/// Whose processes cannot be told from the system's.
const ROOT: u32 = 0;

pub fn look(config: &Config, places: &Places, session: &SessionFile) -> Result<Finding, HostError> {
    if session.uid == ROOT {
        return Ok(Finding::failed("the login is root: its processes cannot be told from the system's"));
    }
    let mut left = of_user(config, places, session.uid)?;
    left.retain(|process| !process.is_in_session);
    if left.is_empty() {
        return Ok(Finding::clear(format!("no process of {} outside of a session", session.login)));
    }
    // Those that may be this session's first.
    let is_new = |process: &Process| process.started >= session.monitor.started;
    left.sort_by_key(|process| (!is_new(process), process.pid));
    let lines: Vec<String> = left
        .iter()
        .map(|process| {
            let since = if is_new(process) { "" } else { ", older than the session" };
            format!("{} {} (in {}{since})", process.pid, short(&process.command), process.group)
        })
        .collect();
    Ok(Finding::found(list(&format!("processes of {} outside of a session", session.login), &lines)))
}

fn short(command: &str) -> String {
    command.chars().take(200).collect()
}

/// Every process that runs as `uid`, also where only its real or saved id is that. Zombies do not run.
///
/// # Errors
/// Where the system's processes cannot be read. One that ends meanwhile is left out.
pub fn of_user(config: &Config, places: &Places, uid: u32) -> Result<Vec<Process>, HostError> {
    let locator = Locator::of(config)?;
    let mut found = Vec::new();
    for (pid, directory) in all(&places.proc)? {
        let Some(status) = text(&directory.join("status"))? else { continue };
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let is_of_user = field("Uid:").is_some_and(|ids| ids.split_ascii_whitespace().any(|id| id.parse() == Ok(uid)));
        if !is_of_user || field("State:").is_some_and(|state| state.starts_with(['Z', 'X'])) {
            continue;
        }
        let (Some(stat), Some(groups)) = (text(&directory.join("stat"))?, text(&directory.join("cgroup"))?) else {
            continue;
        };
        let Some(command) = text(&directory.join("cmdline"))? else { continue };
        let command = command.trim_end_matches('\0').replace('\0', " ");
        let name = || format!("[{}]", field("Name:").unwrap_or_default());
        let group = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
        found.push(Process {
            pid,
            started: stat
                .rfind(')')
                .and_then(|at| stat.get(at + 1..)?.split_ascii_whitespace().nth(19)?.parse().ok())
                .unwrap_or(u64::MAX),
            command: if command.trim().is_empty() { name() } else { command },
            group: group.to_owned(),
            is_in_session: locator.is_below(group),
        });
    }
    Ok(found)
}

/// The sockets that processes of sessions hold, by number.
///
/// # Errors
/// Where the system's processes cannot be read.
pub fn sockets_of_sessions(config: &Config, places: &Places) -> Result<BTreeMap<u64, u32>, HostError> {
    let locator = Locator::of(config)?;
    let mut found = BTreeMap::new();
    for (pid, directory) in all(&places.proc)? {
        let Some(groups) = text(&directory.join("cgroup"))? else { continue };
        if !groups.lines().filter_map(|line| line.strip_prefix("0::")).any(|group| locator.is_below(group)) {
            continue;
        }
        // What ends meanwhile holds nothing.
        let Ok(descriptors) = fs::read_dir(directory.join("fd")) else { continue };
        for link in descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()) {
            let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            found.extend(inode.map(|inode: u64| (inode, pid)));
        }
    }
    Ok(found)
}

fn all(proc: &Path) -> Result<Vec<(u32, PathBuf)>, HostError> {
    let failed = |cause| HostError::file(proc, cause);
    let mut found = Vec::new();
    for entry in fs::read_dir(proc).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            found.push((pid, entry.path()));
        }
    }
    Ok(found)
}

/// A file of a process; `None` where the process is gone.
fn text(path: &Path) -> Result<Option<String>, HostError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(cause)
            if cause.kind() == std::io::ErrorKind::NotFound
                || cause.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) =>
        {
            Ok(None)
        }
        Err(cause) => Err(HostError::file(path, cause)),
    }
}
