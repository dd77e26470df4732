//! Locks that somebody left, and locks of somebody who lives: cleared, or explained with what to type.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::common::{Desk, Place, absent, environment};

/// A remote and alice's clone of it, with a work tree.
struct Office {
    place: Place,
    remote: PathBuf,
    clone: PathBuf,
}

impl Office {
    fn new() -> Self {
        let place = Place::new();
        let (remote, _) = place.ledger("remote.git", true);
        let clone = place.path("clone");
        let (from, to) = (remote.display().to_string(), clone.display().to_string());
        place.desk("alice", &clone).jit_anywhere(&["clone", &from, &to]).ok();
        Self { place, remote, clone }
    }

    fn alice(&self) -> Desk<'_> {
        self.place.desk("alice", &self.clone)
    }

    fn status(&self) -> String {
        self.place.git(&self.clone, &["status", "--porcelain"])
    }

    fn lock(&self, name: &str) -> PathBuf {
        let lock = self.clone.join(".git").join(name);
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        lock
    }
}

/// Somebody who has a file open, ended when dropped.
struct Living(Child);

impl Living {
    fn with(place: &Place, file: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "exec sleep 600 <\"$0\""]).arg(file).env_clear().envs(environment(&place.path("home")));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let descriptors = format!("/proc/{}/fd/0", child.id());
        while fs::read_link(&descriptors).ok().as_deref() != Some(file) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_branch_lock_of_the_dead_goes_and_one_of_the_living_is_named() {
    if absent("a_branch_lock_of_the_dead_goes_and_one_of_the_living_is_named", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let local = office.place.desk("alice", &office.remote);
    let lock = office.remote.join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let living = Living::with(&office.place, &lock);
    let before = office.place.head(&office.remote);
    local.asks("5m").refused(1).mentions(&[&lock.display().to_string(), &living.pid(), "ps -fp"]);
    assert_eq!(office.place.head(&office.remote), before);
    assert!(lock.exists());
    drop(living);
    local.opens("5m");
    assert!(!lock.exists());
    office.place.is_sound(&office.remote);
}

#[test]
fn with_a_locked_branch_what_the_remote_took_is_not_called_lost() {
    if absent("with_a_locked_branch_what_the_remote_took_is_not_called_lost", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.alice();
    let lock = office.lock("refs/heads/main.lock");
    let living = Living::with(&office.place, &lock);
    let said = alice.asks("5m").ok().mentions(&["the remote has it", "this clone is behind", &living.pid()]);
    let id = said.text("id");
    let there = office.place.events(&office.remote);
    assert_eq!(there.iter().filter(|path| path.contains(&format!("request-{id}"))).count(), 1);
    assert_ne!(office.place.head(&office.clone), office.place.head(&office.remote));
    // The next command is not told that the ledger was rewound.
    let said = alice.jit(&["list", "--json"]);
    assert_ne!(said.code, 5, "{}", said.told());
    drop(living);
    alice.jit(&["sync"]).ok();
    assert_eq!(office.place.head(&office.clone), office.place.head(&office.remote));
    assert_eq!(office.status(), "");
    office.place.is_sound(&office.clone);
}

#[test]
fn a_lock_of_the_index_holds_up_nothing_and_the_work_tree_follows_later() {
    if absent("a_lock_of_the_index_holds_up_nothing_and_the_work_tree_follows_later", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.alice();
    let lock = office.lock("index.lock");
    let living = Living::with(&office.place, &lock);
    let id = alice.asks("5m").ok().mentions(&["index.lock", &living.pid(), "jit sync"]).text("id");
    assert_ne!(office.status(), "", "the work tree is behind");
    // Still behind, still told; nothing is said twice.
    alice.asks("6m").ok().mentions(&["index.lock"]);
    drop(living);
    // Nothing new comes from the remote, and all the same it is mended.
    alice.jit(&["sync"]).ok();
    assert_eq!(office.status(), "");
    assert!(!lock.exists());
    assert_eq!(office.place.events(&office.clone).iter().filter(|path| path.contains(&id)).count(), 1);
    office.place.is_sound(&office.clone);
}

#[test]
fn a_lock_that_a_fetch_left_goes_and_one_of_the_living_is_named() {
    if absent("a_lock_that_a_fetch_left_goes_and_one_of_the_living_is_named", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.alice();
    office.place.desk("alice", &office.remote).opens("7m");
    let lock = office.lock("refs/remotes/origin/main.lock");
    let living = Living::with(&office.place, &lock);
    alice.jit(&["sync"]).refused(1).mentions(&["refs/remotes/origin/main.lock", &living.pid()]);
    drop(living);
    alice.jit(&["sync"]).ok();
    assert!(!lock.exists());
    assert_eq!(office.place.head(&office.clone), office.place.head(&office.remote));
}

#[test]
fn a_lock_at_the_remote_is_explained_and_the_event_waits() {
    if absent("a_lock_at_the_remote_is_explained_and_the_event_waits", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.alice();
    let lock = office.remote.join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let said = alice.asks("5m").refused(1).mentions(&["waits in the outbox", &format!("rm {}", lock.display())]);
    assert!(said.err.contains("jit sync"), "{}", said.told());
    // As the hint says.
    fs::remove_file(&lock).unwrap();
    alice.jit(&["sync"]).ok();
    let requests = office.place.events(&office.remote);
    assert_eq!(requests.iter().filter(|path| path.contains("/request-")).count(), 1);
}

/// Our own locks are the kernel's: of a dead process there is none; a living one, here a stopped one, is named.
#[test]
fn a_jit_that_is_stopped_in_the_midst_is_named() {
    const TEST: &str = "a_jit_that_is_stopped_in_the_midst_is_named";
    if absent(TEST, &["git", "ssh-keygen", "flock"]) {
        return;
    }
    let office = Office::new();
    let turn = office.remote.join("jit/advance.lock");
    let mut command = Command::new("flock");
    command.arg("--no-fork").arg(&turn).args(["sleep", "600"]).env_clear();
    let other = Living(command.envs(environment(&office.place.path("home"))).spawn().unwrap());
    let sleeps = || fs::read_to_string(format!("/proc/{}/comm", other.pid())).is_ok_and(|name| name.trim() == "sleep");
    while !sleeps() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let local = office.place.desk("alice", &office.remote);
    let named = format!("process {}, sleep", other.pid());
    local.asks("5m").refused(1).mentions(&["another jit process", "advance.lock", &named]);
    drop(other);
    local.opens("5m");
}
