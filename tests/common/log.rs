//! A ledger whose log is looked at: founded with what `[log]` demands, with keys for witnesses, and with as many entries as
//! a test wants.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{BRANCH, Desk, Place, Said};

/// The branch of checkpoints.
pub const CHECKPOINTS: &str = "refs/heads/checkpoints";

/// A ledger in a bare repository, and what it takes to look at its log.
pub struct Logged {
    /// Where everything lies.
    pub place: Place,
    /// The bare repository.
    pub remote: PathBuf,
    /// The ledger's id.
    pub id: String,
}

impl Logged {
    /// With these lines below `[log]`; `{w1}` and `{w2}` are the public keys of two witnesses.
    #[track_caller]
    pub fn new(demands: &str) -> Self {
        let place = Place::new();
        for witness in ["w1", "w2"] {
            place.make_key(witness);
        }
        let demands = demands.replace("{w1}", &place.public_key("w1")).replace("{w2}", &place.public_key("w2"));
        let log = format!("\n[log]\nkey = \"{}\"\n", place.public_key("log"));
        let text = place.policy_text(1);
        assert!(text.contains(&log));
        let policy = place.path("policy.toml");
        fs::write(&policy, text.replacen(&log, &format!("{log}{demands}"), 1)).unwrap();
        let remote = place.path("remote.git");
        let rita = place.desk("rita", &remote);
        let arguments = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
        let id = rita.jit_anywhere(&arguments).ok().text("ledger");
        Self { place, remote, id }
    }

    /// The desk of somebody with a clone of their own.
    #[track_caller]
    pub fn clone_of(&self, name: &str) -> Desk<'_> {
        let desk = self.place.desk(name, &self.place.path("home").join(name).join("ledger"));
        self.clones(&desk).ok();
        desk
    }

    /// What cloning says.
    pub fn clones(&self, desk: &Desk<'_>) -> Said {
        let (remote, ledger) = (self.remote.to_str().unwrap(), desk.ledger.to_str().unwrap());
        desk.jit_anywhere(&["clone", remote, ledger, "--ledger-id", &self.id, "--json"])
    }

    /// Somebody makes a checkpoint in their clone, with the log's key and these further arguments.
    pub fn checkpoint(&self, desk: &Desk<'_>, more: &[&str]) -> Said {
        let key = self.place.key("log");
        let mut arguments = vec!["checkpoint", "--json", "--log-key", key.to_str().unwrap()];
        arguments.extend(more);
        desk.jit(&arguments)
    }

    /// A witness cosigns in somebody's clone.
    pub fn witness(&self, desk: &Desk<'_>, witness: &str, more: &[&str]) -> Said {
        let key = self.place.key(witness);
        let mut arguments = vec!["witness", "--json", "--witness-key", key.to_str().unwrap()];
        arguments.extend(more);
        desk.jit(&arguments)
    }

    /// The commits of the branch of checkpoints at the remote, oldest first.
    #[track_caller]
    pub fn commits(&self) -> Vec<String> {
        let found = self.place.git(&self.remote, &["rev-list", "--reverse", CHECKPOINTS]);
        found.lines().map(str::to_owned).collect()
    }

    /// The note at a commit.
    #[track_caller]
    pub fn note_at(&self, commit: &str) -> String {
        self.place.git(&self.remote, &["cat-file", "blob", &format!("{commit}:checkpoint")]) + "\n"
    }

    /// The newest note at the remote.
    #[track_caller]
    pub fn note(&self) -> String {
        self.note_at(CHECKPOINTS)
    }

    /// Puts a commit with these files on top of a branch of the remote, whoever may push.
    #[track_caller]
    pub fn push_files(&self, branch: &str, files: &[(&str, &str)]) {
        let from = self.place.git_says(&self.remote, &["rev-parse", "-q", "--verify", branch]);
        let mut stream = format!("commit {branch}\ncommitter x <x@x> 1795444780 +0000\ndata 5\nrogue\n");
        if from.code == 0 {
            stream += &format!("from {branch}^0\ndeleteall\n");
        }
        for (path, text) in files {
            stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
        self.import(&stream);
    }

    /// Adds so many commits to the ledger that say nothing: each is void, and an entry of the log.
    #[track_caller]
    pub fn add_voids(&self, count: usize) {
        let mut stream = String::new();
        for number in 0..count {
            stream += &format!("commit {BRANCH}\ncommitter x <x@x> 1795444780 +0000\ndata 5\noops\n");
            if number == 0 {
                stream += &format!("from {BRANCH}^0\n");
            }
        }
        self.import(&stream);
    }

    fn import(&self, stream: &str) {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.remote).args(["fast-import", "--quiet", "--force"]);
        self.place.run_with(command, &self.place.path("home"), &[], stream.as_bytes()).ok();
    }

    /// Another ledger that begins as this one and went on differently, with a checkpoint of its own in its repository.
    #[track_caller]
    pub fn fork(&self) -> PathBuf {
        let other = self.place.path("fork.git");
        let mut command = Command::new("cp");
        command.args(["-r", self.remote.to_str().unwrap(), other.to_str().unwrap()]);
        self.place.run(command).ok();
        let _ = fs::remove_dir_all(other.join("jit"));
        let bob = self.place.desk("alice", &other);
        bob.opens("15m");
        self.checkpoint(&bob, &[]).ok();
        other
    }

    /// Overwrites a branch of the remote with that of another repository.
    #[track_caller]
    pub fn overwrite(&self, other: &Path, branch: &str) {
        self.place.git(&self.remote, &["fetch", "-q", "-f", other.to_str().unwrap(), &format!("+{branch}:{branch}")]);
    }
}

/// Runs a python script of the vectors.
#[track_caller]
pub fn python(place: &Place, script: &str, arguments: &[&OsStr]) -> serde_json::Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/c2sp").join(script);
    let mut command = Command::new("python3");
    command.arg(file).args(arguments);
    place.run(command).ok().json()
}
