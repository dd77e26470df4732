//! A small file system of its own, which can be filled up or made read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted tmpfs, unmounted when dropped.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one of so many KiB; `None` where this machine does not allow it.
    pub fn new(at: PathBuf, kibibytes: u32) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let options = format!("size={kibibytes}k,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&at).output();
        mounted.is_ok_and(|it| it.status.success()).then_some(Self(at))
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Mounts it again with `ro` or `rw`; whether the machine allows it.
    pub fn remount(&self, option: &str) -> bool {
        let options = format!("remount,{option}");
        Command::new("mount").args(["-o", &options]).arg(&self.0).status().is_ok_and(|status| status.success())
    }

    /// Writes until nothing more fits.
    pub fn fill(&self) {
        let mut size: usize = 1 << 20;
        let mut number = 0;
        while size > 0 {
            number += 1;
            if fs::write(self.0.join(format!("filler-{number}")), vec![1; size]).is_err() {
                size /= 2;
            }
        }
    }

    /// Removes what [`Disk::fill`] wrote.
    pub fn make_room(&self) {
        for entry in fs::read_dir(&self.0).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("filler-") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
