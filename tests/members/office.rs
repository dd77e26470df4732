//! The office of these tests, its people and what they do again and again.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::common::{self, Desk, Place, Said, absent};

const ROOT: &str = "members = [\"rita\", \"raj\"]";

/// A bare remote whose root is erin, raj and rita; its policy has comments all over.
pub struct Office {
    /// The directory of all.
    pub place: Place,
    /// The bare repository.
    pub remote: PathBuf,
    /// The ledger's id.
    pub id: String,
}

impl Office {
    pub fn new(threshold: usize) -> Self {
        Self::with(threshold, |text| text)
    }

    pub fn with(threshold: usize, edit: impl Fn(String) -> String) -> Self {
        let place = Place::new();
        let remote = place.path("remote.git");
        let text = place
            .policy_text(threshold)
            .replace("version = 1\n", "# The payment team's policy.\nversion = 1   # counts up\n")
            .replace(ROOT, "members = [\n    \"rita\",  # the owner\n    \"raj\",   # her deputy\n    \"erin\"\n]")
            .replace("[member.alice]", "# Everybody who works here.\n\n# alice is on call in May\n[member.alice]")
            .replace("[member.carol]", "# bob and carol share a desk\n[member.carol]   # since 2024")
            .replace("[service.minter]", "# Machines.\n[service.minter]");
        let file = place.path("first.toml");
        fs::write(&file, edit(text)).unwrap();
        let rita = place.desk("rita", &remote);
        let (path, file) = (remote.to_str().unwrap(), file.to_str().unwrap());
        let id = rita.jit_anywhere(&["init", path, "--policy", file, "--bare", "--json"]).ok().text("ledger");
        Self { place, remote, id }
    }

    /// The desk of somebody with a clone of their own.
    pub fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
        }
        desk
    }

    /// A desk that signs with another key.
    pub fn desk_with(&self, name: &str, key: &str) -> Desk<'_> {
        let mut desk = self.desk(name);
        desk.key = self.place.key(key);
        desk
    }

    pub fn git_show(&self, path: &str) -> String {
        self.place.git(&self.remote, &["show", &format!("main:{path}")]) + "\n"
    }

    /// A proof by the key of this name that it is `name`'s, made where there is no clone; its file.
    pub fn proof(&self, name: &str, key: &str) -> String {
        self.proof_for(name, key, &self.id)
    }

    pub fn proof_for(&self, name: &str, key: &str, ledger: &str) -> String {
        if !self.place.key(key).exists() {
            self.place.make_key(key);
        }
        let mut command = Command::new(common::JIT);
        command.current_dir(self.place.path("home")).args(["member", "prove", name, "--ledger-id", ledger, "--key"]);
        command.arg(self.place.key(key)).arg("--yes");
        let said = self.place.run(command).ok();
        assert!(said.err.contains("SHA256:"), "{}", said.told());
        self.file(&format!("{name}-{key}.proof"), &said.out)
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let file = self.place.path(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    pub fn fingerprint(&self, key: &str) -> String {
        let mut command = Command::new("ssh-keygen");
        command.arg("-lf").arg(self.place.path("keys").join(format!("{key}.pub")));
        self.place.run(command).ok().out.split(' ').nth(1).unwrap().to_owned()
    }

    /// erin agrees to rita's proposal, and alice or who is named enacts it.
    pub fn passes(&self, id: &str, enactor: &str) -> Said {
        self.desk("erin").approves(id).ok();
        self.desk(enactor).jit(&["policy", "enact", id, "--yes"]).ok()
    }

    /// A live grant of alice's; its case.
    pub fn live(&self, duration: &str) -> String {
        let case = self.desk("alice").opens(duration);
        self.desk("bob").approves(&case).ok();
        self.desk("dave").approves(&case).ok();
        let issued = self.desk("minter").mints().ok().json();
        assert!(issued["issued"].as_array().unwrap().iter().any(|one| one["id"] == *case), "{issued:#}");
        case
    }

    pub fn members(&self) -> Vec<Value> {
        let said = self.desk("dave").jit(&["member", "list", "--all", "--json"]).ok();
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn member(&self, name: &str) -> Option<Value> {
        self.members().into_iter().find(|member| member["name"] == name)
    }

    pub fn is_sound(&self) {
        self.desk("dave").jit(&["verify", "--strict"]).ok();
        self.place.is_sound(&self.remote);
    }
}

pub fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen"])
}

/// Lines that are only in one of two texts, with `-` and `+`.
pub fn changed(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("-{line}"));
    gone.chain(new.iter().filter(|line| !old.contains(line)).map(|line| format!("+{line}"))).collect()
}

pub fn adds<'a>(name: &'a str, email: &'a str, proof: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["member", "add", name, "--email", email, "--proof", proof, "--group", "developers"];
    arguments.extend(["--group", "sre", "--reason", "frank joins the team.", "--yes", "--json"]);
    arguments
}

pub const FRANK: &str = "frank@acme.example";
