//! Who else has the client's side of a channel open. A process of the same login could read and write there past the
//! recorder: one that a file of the user's started before the gate, or one that lay in wait for a new terminal. Reads
//! `/proc/PID/{status,stat,fd}` (proc(5)) and imports nothing of ours.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{FileType, fstat, major, minor};

/// The major numbers of the terminals in `/dev/pts` (Documentation/admin-guide/devices.txt).
const PTS: std::ops::RangeInclusive<u32> = 136..=143;

/// The client's side of a channel, by what it is.
pub struct Client {
    /// Device and inode of each terminal or socket. Both ends of a pipe look the same, and sshd uses none here.
    files: Vec<(u64, u64)>,
    /// The number of the terminal, as `/proc/PID/stat` has it.
    terminal: Option<u64>,
}

/// Whether this is a terminal of `/dev/pts` that belongs to `uid`.
///
/// # Errors
/// Where that cannot be said.
pub fn is_terminal_of(end: impl AsFd, uid: u32) -> io::Result<bool> {
    let stat = fstat(end)?;
    let is_device = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    Ok(is_device && PTS.contains(&major(stat.st_rdev)) && stat.st_uid == uid)
}

impl Client {
    /// From its descriptors.
    ///
    /// # Errors
    /// Where one is none.
    pub fn new(ends: &[OwnedFd]) -> io::Result<Self> {
        let mut client = Self { files: Vec::new(), terminal: None };
        for end in ends {
            let stat = fstat(end)?;
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::CharacterDevice if PTS.contains(&major(stat.st_rdev)) => {
                    client.terminal = Some(number(major(stat.st_rdev), minor(stat.st_rdev)));
                }
                FileType::Socket => {}
                _ => continue,
            }
            client.files.push((stat.st_dev, stat.st_ino));
        }
        Ok(client)
    }

    /// A process of user `uid` other than `gate` that has any of it open, or has it as its terminal.
    ///
    /// # Errors
    /// Where `/proc` cannot be read. A process that ends meanwhile is none.
    pub fn held_by_another(&self, uid: u32, gate: u32) -> io::Result<Option<u32>> {
        if self.files.is_empty() {
            return Ok(None);
        }
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if pid != gate && gone_is_none(self.is_held_by(pid, uid))? {
                return Ok(Some(pid));
            }
        }
        Ok(None)
    }

    fn is_held_by(&self, pid: u32, uid: u32) -> io::Result<bool> {
        // The owner of the directory says nothing: a process can make itself opaque.
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        if !belongs_to(&status, uid) {
            return Ok(false);
        }
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        if self.terminal.is_some() && terminal(&stat) == self.terminal {
            return Ok(true);
        }
        for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
            match fs::metadata(entry?.path()) {
                Ok(meta) if self.files.contains(&(meta.dev(), meta.ino())) => return Ok(true),
                Ok(_) => {}
                // A file system that hides its files even from root (FUSE): no terminal and no socket lies there.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => drop(gone_is_none(Err(error))?),
            }
        }
        Ok(false)
    }
}

fn gone_is_none(held: io::Result<bool>) -> io::Result<bool> {
    // ESRCH: it ended while its file was open.
    let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(3);
    match held {
        Err(error) if gone(&error) => Ok(false),
        held => held,
    }
}

/// Whether any of a process's user ids is this one.
fn belongs_to(status: &str, uid: u32) -> bool {
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.is_some_and(|ids| ids.split_ascii_whitespace().any(|id| id.parse() == Ok(uid)))
}

/// The terminal of a process: the seventh field, the fifth after its name.
fn terminal(stat: &str) -> Option<u64> {
    stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().nth(4)?.parse().ok()
}

/// How the kernel writes a device's number there (`new_encode_dev`).
fn number(major: u32, minor: u32) -> u64 {
    u64::from((minor & 0xff) | (major << 8) | ((minor & !0xff) << 12))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_process_that_has_it_open_is_found() {
        let uid = rustix::process::geteuid().as_raw();
        let (ours, _other) = UnixStream::pair().expect("a pair");
        let copy: OwnedFd = ours.try_clone().expect("a copy").into();
        let client = Client::new(&[copy]).expect("a client");
        let me = std::process::id();
        assert_eq!(client.held_by_another(uid, me).expect("a look"), None);
        assert_eq!(client.held_by_another(uid, 1).expect("a look"), Some(me));
        assert_eq!(client.held_by_another(uid ^ 1, 1).expect("a look"), None, "another user's");
    }

    #[test]
    fn what_the_kernel_says_is_read() {
        assert_eq!(terminal("7 (a) b) S 1 7 7 34817 7 4194560"), Some(34817));
        assert_eq!(number(136, 1), 34817);
        assert_eq!(number(136, 300), 34816 + 44 + (1 << 20));
        assert!(belongs_to("Name:\ta\nUid:\t0\t1000\t0\t0\nGid:\t5\t5\t5\t5\n", 1000));
        assert!(!belongs_to("Name:\ta\nUid:\t0\t0\t0\t0\nGid:\t5\t5\t5\t5\n", 5));
    }
}
