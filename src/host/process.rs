//! Naming a process so that nobody else is meant once its number is given again: by number and start time. Imports
//! nothing of ours but the errors.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::HostError;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the system did (`/proc/PID/stat`, field 22).
    pub started: u64,
}

impl ProcessId {
    /// The running process with this number.
    ///
    /// # Errors
    /// Where there is none.
    pub fn of(pid: u32) -> Result<Self, HostError> {
        let path = PathBuf::from(format!("/proc/{pid}/stat"));
        let text = std::fs::read_to_string(&path).map_err(|cause| HostError::file(&path, cause))?;
        let started = started(&text).ok_or_else(|| HostError::content(path, "no start time"))?;
        Ok(Self { pid, started })
    }

    /// Whether it still runs. A zombie does not.
    pub fn is_alive(self) -> bool {
        let Ok(text) = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)) else { return false };
        started(&text) == Some(self.started) && !matches!(state(&text), Some('Z' | 'X'))
    }
}

/// What follows the command's name, which may hold anything: the last `)` ends it.
fn fields(stat: &str) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    Some(stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace())
}

fn state(stat: &str) -> Option<char> {
    fields(stat)?.next()?.chars().next()
}

fn started(stat: &str) -> Option<u64> {
    // Field 3 is the first one after the name; the start time is field 22.
    fields(stat)?.nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) R ) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(started(stat), Some(4711));
        assert_eq!(state(stat), Some('S'));
        assert_eq!(started("7 (a"), None);
    }

    #[test]
    fn this_process_lives() {
        let me = ProcessId::of(std::process::id()).expect("this process runs");
        assert!(me.is_alive());
        assert!(!ProcessId { started: me.started + 1, ..me }.is_alive());
    }
}
