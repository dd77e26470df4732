//! Which session a process belongs to: its control group says it, and nothing that the process can choose. Reads
//! `/proc/PID/cgroup` and `/proc/self/mountinfo` (cgroups(7), proc(5)); imports the errors and the domain's ids.

use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::{Config, HostError};
use crate::domain::id::Nonce;

/// The session that this process belongs to.
///
/// # Errors
/// [`HostError::Refused`] where its control group is no session's.
pub fn own_session(config: &Config) -> Result<Nonce, HostError> {
    let group = group_of("self")?;
    let sessions = spelled(&config.cgroup)?;
    let named = group.file_name().and_then(|name| name.to_str()?.parse().ok());
    named.filter(|_| group.parent() == Some(&sessions)).ok_or_else(|| {
        HostError::Refused(format!(
            "this process is in no session: its control group is {}, and sessions have theirs below {}",
            group.display(),
            sessions.display()
        ))
    })
}

/// The control group of a process (`self`, or its number), as the kernel spells it: from the root of version 2 on.
///
/// # Errors
/// Where there is no such process, or no control group of version 2.
pub fn group_of(process: &str) -> Result<PathBuf, HostError> {
    let path = PathBuf::from("/proc").join(process).join("cgroup");
    let text = std::fs::read(&path).map_err(|cause| HostError::file(&path, cause))?;
    unified(&text).ok_or_else(|| HostError::content(path, "it names no control group of version 2"))
}

/// A directory of cgroup v2 as `/proc/PID/cgroup` spells it.
///
/// # Errors
/// [`HostError::NoCgroup`] where it does not lie in a mounted cgroup2.
pub fn spelled(directory: &Path) -> Result<PathBuf, HostError> {
    let path = PathBuf::from("/proc/self/mountinfo");
    let mounts = std::fs::read(&path).map_err(|cause| HostError::file(&path, cause))?;
    below_root(&mounts, directory)
        .ok_or_else(|| HostError::NoCgroup(format!("{} lies in no mounted cgroup2", directory.display())))
}

fn unified(text: &[u8]) -> Option<PathBuf> {
    let path = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"0::"))?;
    path.starts_with(b"/").then(|| path_of(path.to_vec()))
}

/// The mount that a path lies in is the longest one that it begins with; of two in one place the later one.
fn below_root(mounts: &[u8], directory: &Path) -> Option<PathBuf> {
    let lines = mounts.split(|byte| *byte == b'\n');
    let (mount, root, kind) = lines
        .filter_map(mount)
        .filter(|(mount, ..)| directory.starts_with(mount))
        .max_by_key(|(mount, ..)| mount.components().count())?;
    let below = directory.strip_prefix(mount).ok()?;
    (kind == b"cgroup2").then(|| if below.as_os_str().is_empty() { root } else { root.join(below) })
}

/// `36 35 98:0 /root /mount options… - type source options`: where, from which root, and what.
fn mount(line: &[u8]) -> Option<(PathBuf, PathBuf, &[u8])> {
    let mut words = line.split(|byte| *byte == b' ');
    let root = words.nth(3)?;
    let mount = words.next()?;
    words.find(|word| *word == b"-")?;
    Some((path_of(unescaped(mount)), path_of(unescaped(root)), words.next()?))
}

/// `\040` and the like stand for white space and backslashes.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = (*first == b'\\').then(|| std::str::from_utf8(after.get(..3)?).ok()).flatten();
        if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            out.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"22 1 254:0 / / rw - ext4 /dev/vda rw\n\
        30 22 0:26 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw\n\
        41 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
        42 30 0:38 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        43 22 0:37 /machine /mnt/a\\040b rw shared:1 master:2 - cgroup2 cgroup2 rw\n";

    #[test]
    fn a_directory_is_spelled_from_the_root_of_its_mount() {
        let spelled = |path: &str| below_root(MOUNTS, Path::new(path));
        assert_eq!(spelled("/sys/fs/cgroup/unified/jit"), Some("/jit".into()));
        assert_eq!(spelled("/sys/fs/cgroup/unified"), Some("/".into()));
        assert_eq!(spelled("/mnt/a b/jit"), Some("/machine/jit".into()));
        assert_eq!(spelled("/sys/fs/cgroup/cpu/jit"), None, "version 1");
        assert_eq!(spelled("/sys/fs/cgroup/unifiedly/jit"), None, "a name that only begins alike");
        assert_eq!(spelled("/var/jit"), None);
    }

    #[test]
    fn of_several_hierarchies_the_unified_one_counts() {
        assert_eq!(unified(b"9:name=systemd:/a\n4:memory:/b\n0::/jit/s\n"), Some("/jit/s".into()));
        assert_eq!(unified(b"9:name=systemd:/a\n10::/x\n"), None);
        assert_eq!(unified(b""), None);
    }
}
