//! Control groups of version 2: each session is in one of its own, and nothing that it starts leaves it. `cgroup.kill` ends
//! all of it at once, forks and `setsid` included. Imports nothing of ours but the configuration, names and errors.
//!
//! Source: the kernel's Documentation/admin-guide/cgroup-v2.rst ("Core Interface Files").

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Config, HostError};
use crate::domain::id::Nonce;

/// The group of the recorders. They have to outlive the sessions that they record, and no user may end them.
const RECORDERS: &str = "recorders";

/// What the group of a probe's command is called, before its number.
const PROBE: &str = "probe-";

/// `CGROUP2_SUPER_MAGIC` of linux/magic.h.
const MAGIC: u64 = 0x6367_7270;

/// How often a group is looked at while it empties.
const LOOK: Duration = Duration::from_millis(5);

/// Whether sessions can be ended on this machine: `config.cgroup` lies on cgroup v2, groups can be made in it, and they
/// can be killed (Linux 5.14 and later). Makes `config.cgroup` where only its last part is missing.
///
/// # Errors
/// [`HostError::NoCgroup`], saying what is wrong.
pub fn check(config: &Config) -> Result<(), HostError> {
    prepare(config)?;
    let no = |why: String| HostError::NoCgroup(format!("{}: {why}", config.cgroup.display()));
    let probe = tempfile::Builder::new().prefix("check-").tempdir_in(&config.cgroup).map_err(|e| no(e.to_string()))?;
    let kill = probe.path().join("cgroup.kill");
    let has_kill = kill.exists();
    // A group is removed as it stands: its files are the kernel's.
    let path = probe.keep();
    fs::remove_dir(&path).map_err(|e| no(e.to_string()))?;
    if has_kill { Ok(()) } else { Err(no("there is no cgroup.kill: Linux 5.14 or later is needed".to_owned())) }
}

/// Makes `config.cgroup` where only its last part is missing, and sees that it is on cgroup v2.
fn prepare(config: &Config) -> Result<(), HostError> {
    let no = |why: String| HostError::NoCgroup(format!("{}: {why}", config.cgroup.display()));
    let parent = config.cgroup.parent().ok_or_else(|| no("it has no parent".to_owned()))?;
    for (directory, makes_next) in [(parent, true), (config.cgroup.as_path(), false)] {
        let found = rustix::fs::statfs(directory).map_err(|cause| no(format!("{}: {cause}", directory.display())))?;
        if u64::try_from(found.f_type).ok() != Some(MAGIC) {
            return Err(no(format!("{} is not on cgroup v2", directory.display())));
        }
        if makes_next {
            make(&config.cgroup).map_err(|cause| no(cause.to_string()))?;
        }
    }
    Ok(())
}

fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
        _ => Ok(()),
    }
}

/// A control group. Groups that are gone are empty, dead and removed: nothing here fails because of that, but
/// [`Group::enter`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    path: PathBuf,
}

/// The control group of a session.
pub type Session = Group;

impl Group {
    /// The group of a session, as its name has it. It need not exist.
    pub fn of(config: &Config, session: &Nonce) -> Self {
        Self { path: config.cgroup.join(session.as_str()) }
    }

    /// The group with this directory. It need not exist.
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Makes the group of a session, and `config.cgroup` where that is missing.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn create(config: &Config, session: &Nonce) -> Result<Self, HostError> {
        Self::of(config, session).made(config)
    }

    /// The group of the recorders, made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn recorders(config: &Config) -> Result<Self, HostError> {
        Self { path: config.cgroup.join(RECORDERS) }.made(config)
    }

    /// A group for a probe's command. `name` distinguishes it among those that run.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn probe(config: &Config, name: &str) -> Result<Self, HostError> {
        Self { path: config.cgroup.join(format!("{PROBE}{name}")) }.made(config)
    }

    fn made(self, config: &Config) -> Result<Self, HostError> {
        prepare(config)?;
        make(&self.path).map_err(|cause| HostError::file(&self.path, cause))?;
        Ok(self)
    }

    /// The groups right under `config.cgroup`, but the recorders': sessions' and whatever else is there.
    ///
    /// # Errors
    /// Where the directory cannot be read. Where there is none, there are no groups.
    pub fn all(config: &Config) -> Result<Vec<Self>, HostError> {
        let recorders = config.cgroup.join(RECORDERS);
        Ok(children(&config.cgroup)
            .map_err(|cause| HostError::file(&config.cgroup, cause))?
            .into_iter()
            .filter(|path| *path != recorders)
            .map(|path| Self { path })
            .collect())
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its last part: the session's name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether it is a probe's.
    pub fn is_probe(&self) -> bool {
        self.name().starts_with(PROBE)
    }

    /// The session that it is named after; `None` where it is another kind of group.
    pub fn session(&self) -> Option<Nonce> {
        self.name().parse().ok()
    }

    /// Moves a process in. What it starts from now on is in it too; what it started before is not.
    ///
    /// # Errors
    /// Where the process or the group is gone.
    pub fn enter(&self, pid: u32) -> Result<(), HostError> {
        let file = self.path.join("cgroup.procs");
        fs::write(&file, pid.to_string()).map_err(|cause| HostError::file(&file, cause))
    }

    /// Kills everything in it and below it, at once, also what forks meanwhile. A process in an uninterruptible call
    /// dies when that returns: see [`Group::is_empty`].
    ///
    /// # Errors
    /// Where the kernel refuses.
    pub fn kill(&self) -> Result<(), HostError> {
        let file = self.path.join("cgroup.kill");
        match fs::write(&file, "1") {
            Err(cause) if !is_gone(&cause) => Err(HostError::file(&file, cause)),
            _ => Ok(()),
        }
    }

    /// Whether nothing runs in it or below it.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn is_empty(&self) -> Result<bool, HostError> {
        let file = self.path.join("cgroup.events");
        match fs::read_to_string(&file) {
            Ok(text) => match text.lines().find_map(|line| line.strip_prefix("populated ")) {
                Some("0") => Ok(true),
                Some("1") => Ok(false),
                _ => Err(HostError::content(file, "it does not say whether it is populated")),
            },
            Err(cause) if is_gone(&cause) => Ok(true),
            Err(cause) => Err(HostError::file(file, cause)),
        }
    }

    /// Waits until it is empty, at most so long; whether it is.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn wait_empty(&self, longest: Duration) -> Result<bool, HostError> {
        let began = Instant::now();
        loop {
            if self.is_empty()? {
                return Ok(true);
            }
            if began.elapsed() >= longest {
                return Ok(false);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// The numbers of the processes in it and below it.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn processes(&self) -> Result<Vec<u32>, HostError> {
        let mut found = Vec::new();
        for path in self.with_descendants()? {
            let file = path.join("cgroup.procs");
            match fs::read_to_string(&file) {
                Ok(text) => found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok())),
                // A threaded group: its processes are listed above it.
                Err(cause)
                    if is_gone(&cause) || cause.raw_os_error() == Some(rustix::io::Errno::OPNOTSUPP.raw_os_error()) => {
                }
                Err(cause) => return Err(HostError::file(file, cause)),
            }
        }
        found.sort_unstable();
        found.dedup();
        // 0 is a process of another namespace of numbers: it has none here.
        found.retain(|pid| *pid != 0);
        Ok(found)
    }

    /// Removes it and what is below it. It must be empty.
    ///
    /// # Errors
    /// Where something still runs in it.
    pub fn remove(&self) -> Result<(), HostError> {
        for path in self.with_descendants()?.iter().rev() {
            match fs::remove_dir(path) {
                Err(cause) if !is_gone(&cause) => return Err(HostError::file(path, cause)),
                _ => {}
            }
        }
        Ok(())
    }

    /// It and every group below it, a parent before its children.
    fn with_descendants(&self) -> Result<Vec<PathBuf>, HostError> {
        let mut found = vec![self.path.clone()];
        let mut at = 0;
        while let Some(path) = found.get(at).cloned() {
            found.extend(children(&path).map_err(|cause| HostError::file(&path, cause))?);
            at += 1;
        }
        Ok(found)
    }
}

/// The groups right below one. None where it is gone.
fn children(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(cause) if is_gone(&cause) => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut found = Vec::new();
    for entry in entries {
        match entry.and_then(|entry| Ok((entry.file_type()?, entry.path()))) {
            Ok((kind, path)) if kind.is_dir() => found.push(path),
            Ok(_) => {}
            Err(cause) if is_gone(&cause) => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(found)
}

/// The kernel says ENODEV for a group that is removed while one of its files is open.
fn is_gone(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::NotFound || cause.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error())
}

/// The session that a process is in; `None` where it is in none. `config.cgroup` is looked for in `/proc/self/mountinfo`,
/// because `/proc/PID/cgroup` counts from the root of the hierarchy.
///
/// # Errors
/// Where the process is gone or the system does not say.
pub fn of_process(config: &Config, pid: u32) -> Result<Option<Nonce>, HostError> {
    Ok(Locator::of(config)?.session_of(pid)?.and_then(|name| name.parse().ok()))
}

/// Says of many processes in which group under `config.cgroup` they are.
#[derive(Debug, Clone)]
pub struct Locator {
    /// `config.cgroup` as `/proc/PID/cgroup` spells it, with a slash at its end.
    prefix: String,
}

impl Locator {
    /// Finds where `config.cgroup` lies in the hierarchy.
    ///
    /// # Errors
    /// [`HostError::NoCgroup`] where it lies on no cgroup v2.
    pub fn of(config: &Config) -> Result<Self, HostError> {
        let file = Path::new("/proc/self/mountinfo");
        let mounts = fs::read_to_string(file).map_err(|cause| HostError::file(file, cause))?;
        let prefix = prefix(&mounts, &config.cgroup)
            .ok_or_else(|| HostError::NoCgroup(format!("{} is under no mount of it", config.cgroup.display())))?;
        Ok(Self { prefix })
    }

    /// The name of the group right under `config.cgroup` that a process is in or below; `None` where it is elsewhere.
    ///
    /// # Errors
    /// Where the process is gone or the system does not say.
    pub fn session_of(&self, pid: u32) -> Result<Option<String>, HostError> {
        let file = PathBuf::from(format!("/proc/{pid}/cgroup"));
        let text = fs::read_to_string(&file).map_err(|cause| HostError::file(&file, cause))?;
        let path = text
            .lines()
            .find_map(|line| line.strip_prefix("0::"))
            .ok_or_else(|| HostError::content(&file, "no line of cgroup v2"))?;
        let name = self.below(path).and_then(|rest| rest.split(['/', ' ']).next());
        Ok(name.filter(|name| !name.is_empty()).map(str::to_owned))
    }

    /// Whether a group, as `/proc/PID/cgroup` spells it, lies under `config.cgroup`.
    pub fn is_below(&self, group: &str) -> bool {
        self.below(group).is_some()
    }

    fn below<'g>(&self, group: &'g str) -> Option<&'g str> {
        group.strip_prefix(self.prefix.as_str())
    }
}

/// `cgroup`, as `/proc/PID/cgroup` spells it, with a slash at its end.
fn prefix(mountinfo: &str, cgroup: &Path) -> Option<String> {
    // 31 23 0:26 ROOT MOUNT_POINT rw,nosuid shared:5 - cgroup2 cgroup2 rw
    let mounts = mountinfo.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut fields = place.split(' ').skip(3);
        let (root, point) = (unescaped(fields.next()?), unescaped(fields.next()?));
        let below = cgroup.strip_prefix(&point).ok()?.to_str()?.to_owned();
        Some((kind.split(' ').next()? == "cgroup2", point.len(), root, below))
    });
    // Of mounts one above the other, the innermost counts; of two at one place, the later one.
    let (is_cgroup2, _, root, below) = mounts.max_by_key(|(_, length, ..)| *length)?;
    let root = root.trim_end_matches('/');
    is_cgroup2.then(|| format!("{root}/{below}/").replace("//", "/"))
}

/// A path in mountinfo, where blanks and such are `\040`.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_groups_lie_in_the_hierarchy() {
        let pure = "30 1 0:25 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(prefix(pure, Path::new("/sys/fs/cgroup/jit")).as_deref(), Some("/jit/"));
        let hybrid = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        assert_eq!(prefix(hybrid, Path::new("/sys/fs/cgroup/unified/jit")).as_deref(), Some("/jit/"));
        assert_eq!(prefix(hybrid, Path::new("/sys/fs/cgroup/jit")), None, "a tmpfs is no control group");
        assert_eq!(prefix(hybrid, Path::new("/sys/fs/cgroup/cpu/jit")), None, "nor is version 1");
        let container = "50 1 0:25 /lxc/a\\040b /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        assert_eq!(prefix(container, Path::new("/sys/fs/cgroup/x/jit")).as_deref(), Some("/lxc/a b/x/jit/"));
        assert_eq!(prefix("", Path::new("/sys/fs/cgroup/jit")), None);
    }
}
