//! Disks that are full or read-only, here and at the remote. (A ledger without a remote: tests/bad_input.rs.)

use std::path::PathBuf;

use super::common::disk::Disk;
use super::common::{Desk, Place, absent, files, skip};

/// A remote and alice's clone, each on a disk of its own.
struct Disks {
    /// Unmounted before the directory goes.
    clone_disk: Disk,
    remote_disk: Disk,
    place: Place,
    remote: PathBuf,
    clone: PathBuf,
}

impl Disks {
    fn new(test: &str) -> Option<Self> {
        if absent(test, &["git", "ssh-keygen"]) {
            return None;
        }
        let place = Place::new();
        let disks = [place.path("there"), place.path("here")].map(|at| Disk::new(at, 8192));
        let [Some(remote_disk), Some(clone_disk)] = disks else {
            skip(test, "tmpfs cannot be mounted here");
            return None;
        };
        let (remote, _) = place.ledger("there/remote.git", true);
        let clone = clone_disk.path().join("clone");
        let (from, to) = (remote.display().to_string(), clone.display().to_string());
        place.desk("alice", &clone).jit_anywhere(&["clone", &from, &to]).ok();
        place.desk("alice", &clone).opens("30m");
        Some(Self { clone_disk, remote_disk, place, remote, clone })
    }

    fn alice(&self) -> Desk<'_> {
        self.place.desk("alice", &self.clone)
    }

    fn requests(&self) -> usize {
        self.place.events(&self.remote).iter().filter(|path| path.contains("/request-")).count()
    }

    fn outbox(&self) -> usize {
        files(&self.clone.join(".git/jit/outbox")).len()
    }

    /// Both sides are whole and the same, and nothing waits.
    #[track_caller]
    fn is_sound(&self) {
        for repository in [&self.remote, &self.clone] {
            self.place.is_sound(repository);
        }
        assert_eq!(self.place.head(&self.remote), self.place.head(&self.clone));
        assert_eq!(self.place.git(&self.clone, &["status", "--porcelain"]), "");
        assert_eq!(self.outbox(), 0);
        self.place.desk("rita", &self.remote).jit(&["verify", "--strict"]).ok();
    }
}

#[test]
fn a_full_disk_here_loses_nothing_and_says_so() {
    let Some(disks) = Disks::new("a_full_disk_here_loses_nothing_and_says_so") else { return };
    let alice = disks.alice();
    disks.clone_disk.fill();
    alice.asks("5m").refused(1).mentions(&["space"]);
    assert_eq!(disks.requests(), 1, "nothing was signed that the remote got");
    // What lies here can be read.
    alice.jit(&["list", "--json"]).ok();
    // Somebody else's event comes: it cannot be fetched, and that is not called the remote's fault.
    disks.place.desk("alice", &disks.remote).opens("6m");
    alice.jit(&["sync"]).refused(1).mentions(&["no space left"]);
    disks.clone_disk.make_room();
    alice.jit(&["sync"]).ok();
    alice.opens("5m");
    assert_eq!(disks.requests(), 3);
    disks.is_sound();
}

#[test]
fn a_read_only_disk_here_can_be_looked_at() {
    let Some(disks) = Disks::new("a_read_only_disk_here_can_be_looked_at") else { return };
    let alice = disks.alice();
    if !disks.clone_disk.remount("ro") {
        return skip("a_read_only_disk_here_can_be_looked_at", "it cannot be mounted again read-only");
    }
    alice.asks("5m").refused(1).mentions(&["read-only"]);
    assert_eq!(disks.requests(), 1);
    disks.place.desk("alice", &disks.remote).opens("6m");
    alice.jit(&["sync"]).refused(1).mentions(&["read-only"]);
    let said = alice.jit(&["verify"]);
    assert_eq!(said.code, 0, "what lies here is whole\n{}", said.told());
    assert!(said.err.to_lowercase().contains("read-only"), "and is not said to be the newest\n{}", said.told());
    assert!(disks.clone_disk.remount("rw"));
    alice.jit(&["sync"]).ok();
    alice.opens("5m");
    disks.is_sound();
}

#[test]
fn a_full_disk_at_the_remote_is_told_and_the_event_waits() {
    let Some(disks) = Disks::new("a_full_disk_at_the_remote_is_told_and_the_event_waits") else { return };
    let alice = disks.alice();
    let before = disks.place.head(&disks.remote);
    disks.remote_disk.fill();
    let said = alice.asks("5m").refused(1).mentions(&["waits in the outbox", "no space left", "jit sync"]);
    assert_eq!((disks.outbox(), disks.place.head(&disks.remote)), (1, before.clone()), "{}", said.told());
    alice.jit(&["sync"]).refused(1);
    assert_eq!(disks.outbox(), 1);
    disks.remote_disk.make_room();
    alice.jit(&["sync"]).ok();
    assert_eq!(disks.requests(), 2);
    disks.is_sound();
}

#[test]
fn a_read_only_disk_at_the_remote_is_told_and_the_event_waits() {
    let Some(disks) = Disks::new("a_read_only_disk_at_the_remote_is_told_and_the_event_waits") else { return };
    let alice = disks.alice();
    if !disks.remote_disk.remount("ro") {
        return skip("a_read_only_disk_at_the_remote_is_told_and_the_event_waits", "it cannot be mounted read-only");
    }
    alice.asks("5m").refused(1).mentions(&["waits in the outbox", "it cannot write", "read-only?", "jit sync"]);
    assert_eq!((disks.outbox(), disks.requests()), (1, 1));
    assert!(disks.remote_disk.remount("rw"));
    alice.jit(&["sync"]).ok();
    assert_eq!(disks.requests(), 2);
    disks.is_sound();
}
