//! A crowd of writers: a bare repository with the hooks, reached as a path or through a real sshd, and clones of it.

// The bench uses a part of this, the tests another; helpers stand outside of test functions, where the lints allow the rest.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::common::server::Sshd;
use super::common::{Desk, JIT, Place, Said};

/// How the remote is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By its path.
    File,
    /// Over ssh.
    Ssh,
}

impl Way {
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Ssh => "ssh",
        }
    }
}

/// A ledger that many write to.
pub struct Crowd<'p> {
    pub place: &'p Place,
    pub remote: PathBuf,
    pub ledger: String,
    server: Option<Sshd>,
}

impl<'p> Crowd<'p> {
    /// With the hooks; `append` as the policy says it, `sshd` further lines of its configuration.
    pub fn new(place: &'p Place, append: &str, way: Way, sshd: &str) -> Self {
        let crowd = Self::bare(place, append, way, sshd);
        crowd.hook(&["install"]).ok();
        crowd
    }

    /// Without hooks: as a forge has it.
    pub fn bare(place: &'p Place, append: &str, way: Way, sshd: &str) -> Self {
        let remote = place.path("remote.git");
        let policy = place.path("policy.toml");
        fs::write(&policy, format!("append = \"{append}\"\n{}", place.policy_text(1))).unwrap();
        let init = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
        let ledger = place.desk("rita", &remote).jit_anywhere(&init).ok().text("ledger");
        let server = (way == Way::Ssh).then(|| {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-s"]).arg(place.key("ca-prod")).args(["-I", "git", "-n", "git"]);
            keygen.arg(place.path("keys").join("alice.pub"));
            place.run(keygen).ok();
            Sshd::start_with(place, "git", sshd)
        });
        Self { place, remote, ledger, server }
    }

    pub fn hook(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(JIT);
        command.arg("hook").args(arguments).args(["--bare", self.remote.to_str().unwrap()]);
        command.current_dir(self.place.path("home"));
        self.place.run(command)
    }

    /// A clone of alice's.
    pub fn writer(&self, number: usize) -> Desk<'p> {
        self.desk("alice", &format!("writer-{number}"))
    }

    /// A clone of somebody's, which reaches the remote in the crowd's way.
    pub fn desk(&self, name: &str, directory: &str) -> Desk<'p> {
        let ledger = self.place.path(directory);
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
        }
        if let Some(server) = &self.server {
            // The certificate that ssh-keygen has written beside alice's key.
            server.serves(&desk, &self.remote, &self.place.key("alice"));
        }
        desk
    }

    /// What sshd said.
    pub fn server_log(&self) -> String {
        self.server.as_ref().map(Sshd::log).unwrap_or_default()
    }

    /// The references that begin so, in the remote.
    pub fn references(&self, prefix: &str) -> Vec<String> {
        let all = self.place.git(&self.remote, &["for-each-ref", "--format=%(refname)", prefix]);
        all.lines().map(str::to_owned).collect()
    }

    /// Demands that the remote holds the genesis and exactly so many further events, each once, on one line, all good; and
    /// that nothing waits in its inbox.
    #[track_caller]
    pub fn is_whole(&self, events: usize) {
        let (place, remote) = (self.place, &*self.remote);
        let commits = place.commits(remote);
        assert_eq!(commits.len(), events + 1, "commits");
        assert_eq!(place.git(remote, &["rev-list", "--merges", "--count", "refs/heads/main"]), "0");
        let files = place.events(remote);
        let names: BTreeSet<&str> = files.iter().filter_map(|path| path.rsplit('/').next()).collect();
        assert_eq!((files.len(), names.len()), (events + 1, events + 1), "events");
        let verified = self.verify(remote).ok().json();
        assert_eq!(verified["size"], events + 1, "{verified}");
        assert_eq!(verified["voids"].as_array().map(Vec::len), Some(0), "{verified}");
        assert_eq!(self.references("refs/jit/inbox/"), Vec::<String>::new());
        place.is_sound(remote);
    }

    fn verify(&self, ledger: &Path) -> Said {
        self.without_a_key(ledger, &["verify", "--json"])
    }

    /// What somebody gets told who has no key and no settings.
    pub fn without_a_key(&self, ledger: &Path, arguments: &[&str]) -> Said {
        let mut command = Command::new(JIT);
        command.args(["--ledger", ledger.to_str().unwrap()]).args(arguments).current_dir(self.place.path("home"));
        self.place.run(command)
    }
}

/// Asks, and waits until the event is in the ledger: where the time for lost races or dropped connections is up, what was
/// signed waits, and `jit sync` delivers it. How often that was needed.
#[track_caller]
pub fn lands(desk: &Desk<'_>) -> usize {
    let said = desk.asks("30m");
    if said.code == 0 {
        assert_eq!(said.json()["state"], "pending", "{}", said.told());
        return 0;
    }
    assert!(said.err.contains("waits in the outbox"), "{}", said.told());
    1 + (0..50).take_while(|_| desk.jit(&["sync"]).code != 0).count()
}
