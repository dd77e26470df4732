//! Files below paths of the policy that changed since the session began, whoever owns them. The person who just left may
//! have prepared what is walked here: no symbolic link is followed, no other file system is entered, nothing is opened
//! but directories, and a walk that would take too long ends as failed.

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{CWD, Dir, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;

use super::{Finding, list};
use crate::domain::time::Timestamp;

/// How many entries are looked at, over all paths of a probe.
const MOST: usize = 200_000;

pub fn look(paths: &[String], since: Timestamp, until: Instant) -> Finding {
    let mut walk = Walk { since: since.unix(), until, visited: 0, changed: Vec::new(), elsewhere: 0 };
    for path in paths {
        if let Err(why) = walk.path(path) {
            return walk.failed(&format!("{path}: {why}"));
        }
    }
    if walk.changed.is_empty() {
        let elsewhere = match walk.elsewhere {
            0 => String::new(),
            count => format!("; {count} mounted below them not looked at"),
        };
        return Finding::clear(format!("none of {} entries changed since {since}{elsewhere}", walk.visited));
    }
    Finding::found(list(&format!("changed since {since}"), &walk.changed))
}

struct Walk {
    since: i64,
    until: Instant,
    visited: usize,
    changed: Vec<String>,
    elsewhere: usize,
}

impl Walk {
    /// A look that came to no end is none; what it saw until then is told all the same.
    fn failed(&self, why: &str) -> Finding {
        if self.changed.is_empty() {
            return Finding::failed(why);
        }
        Finding::failed(format!("{why}\n{}", list("until then, changed", &self.changed)))
    }

    fn path(&mut self, path: &str) -> Result<(), String> {
        // A link anywhere in it would let somebody else say what is looked at.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root =
            openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).map_err(|cause| match cause {
                Errno::LOOP => "a symbolic link is in the way: the policy has to name the true path".to_owned(),
                cause => cause.to_string(),
            })?;
        let shown = Path::new(path).as_os_str().as_bytes();
        if !self.visit(&root, shown)? {
            return Ok(());
        }
        // Directories by their path below the root, opened when their turn comes: a deep tree takes no descriptors.
        let mut waiting: VecDeque<CString> = VecDeque::from([c".".to_owned()]);
        while let Some(below) = waiting.pop_front() {
            self.directory(&root, shown, &below, &mut waiting)?;
        }
        Ok(())
    }

    fn directory(
        &mut self,
        root: &OwnedFd,
        shown: &[u8],
        below: &CStr,
        waiting: &mut VecDeque<CString>,
    ) -> Result<(), String> {
        let said = |cause: Errno| format!("{}: {cause}", String::from_utf8_lossy(&joined(shown, below.to_bytes())));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let directory = match openat2(root, below, flags, Mode::empty(), INSIDE) {
            Ok(directory) => directory,
            // It was removed or replaced meanwhile; its parent shows that.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            Err(cause) => return Err(said(cause)),
        };
        for entry in Dir::read_from(&directory).map_err(said)? {
            let entry = entry.map_err(said)?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let found = match openat2(&directory, name, flags, Mode::empty(), INSIDE) {
                Ok(found) => found,
                Err(Errno::NOENT) => continue,
                Err(Errno::XDEV) => {
                    self.elsewhere += 1;
                    continue;
                }
                Err(cause) => return Err(said(cause)),
            };
            let path = joined(below.to_bytes(), name.to_bytes());
            if self.visit(&found, &joined(shown, &path))? {
                waiting.extend(CString::new(path));
            }
        }
        Ok(())
    }

    /// Looks at one entry; whether it is a directory.
    fn visit(&mut self, entry: &impl AsFd, shown: &[u8]) -> Result<bool, String> {
        self.visited += 1;
        if self.visited > MOST {
            return Err(format!("more than {MOST} entries: it could not look at all of them"));
        }
        if self.visited.is_multiple_of(256) && Instant::now() >= self.until {
            return Err(format!("it took too long, after {} entries", self.visited));
        }
        let meta = fstat(entry).map_err(|cause| format!("{}: {cause}", String::from_utf8_lossy(shown)))?;
        let is_after = |seconds: i64| seconds >= self.since;
        // The change time too: a modification time can be set back, that one cannot.
        if is_after(seconds(meta.st_mtime)) || is_after(seconds(meta.st_ctime)) {
            self.changed.push(String::from_utf8_lossy(shown).into_owned());
        }
        Ok(rustix::fs::FileType::from_raw_mode(meta.st_mode).is_dir())
    }
}

const INSIDE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_XDEV);

/// Seconds as the kernel gives them, whatever their type is on this machine. What does not fit counts as changed.
fn seconds(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

fn joined(parent: &[u8], name: &[u8]) -> Vec<u8> {
    match (parent, name) {
        (b".", name) => name.to_vec(),
        (parent, b".") => parent.to_vec(),
        (parent, name) => [parent.strip_suffix(b"/").unwrap_or(parent), b"/", name].concat(),
    }
}
