//! A ledger with its remote, people with clones of it, and a server of its own that follows it: what the tests of the
//! host's side share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::island::{Island, USER};
use super::{Desk, Place, Said, now};

/// A ledger with its remote, and a server that follows it.
pub struct World<'p> {
    pub place: &'p Place,
    pub island: Island<'p>,
    pub remote: PathBuf,
}

/// How the host's commands begin.
pub const JIT_HOST: [&str; 3] = ["host", "--config", "/etc/jit/host.toml"];

impl<'p> World<'p> {
    /// With a policy whose text is changed by `edit`; daemons and sshd run.
    pub fn new(test: &str, place: &'p Place, edit: impl Fn(String) -> String) -> Option<Self> {
        let mut island = Island::new(test, place)?;
        let remote = place.path("remote.git");
        let policy = place.path("policy.toml");
        fs::write(&policy, edit(policy_of(place))).unwrap();
        let desk = place.desk("rita", &remote);
        let arguments = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
        let id = desk.jit_anywhere(&arguments).ok().text("ledger");
        // The daemon's user and the people's desks write to one repository.
        place.git(&remote, &["config", "core.sharedRepository", "0777"]);
        let home = place.path("home");
        for name in ["alice", "bob", "dave", "minter", "rita"] {
            fs::create_dir_all(home.join(name)).unwrap();
            fs::write(home.join(name).join(".gitconfig"), "[safe]\n\tdirectory = *\n").unwrap();
        }
        // As docs/host.md has it: the key was made before the ledger, whose policy names it; setup does the rest.
        let script = format!(
            "chmod 755 {place}\nchmod -R a+rwX {remote}\ninstall -d -m 755 /etc/jit\n\
             install -m 600 {key} /etc/jit/host_key\ninstall -m 644 {key}.pub /etc/jit/host_key.pub\n",
            place = place.path("").display(),
            remote = remote.display(),
            key = place.key("db1").display(),
        );
        island.shell(&script).ok();
        let cgroup = island.cgroup.display().to_string();
        let remote_path = remote.display().to_string();
        let arguments = ["host", "setup", "--yes", "--no-systemd", "--host", "db1", "--ledger-id", &id];
        island.jit(&[&arguments[..], &["--remote", &remote_path, "--cgroup", &cgroup]].concat()).ok();
        island.start("sync", &[&JIT_HOST[..], &["sync"]].concat());
        island.start("reap", &[&JIT_HOST[..], &["reap"]].concat());
        island.start_sshd();
        let world = Self { place, island, remote };
        world.until("the daemon publishes", || world.grants().is_some());
        Some(world)
    }

    pub fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
        }
        desk
    }

    /// A live case of alice: its id and the file of its certificate.
    pub fn live(&self, role: &str, duration: &str) -> (String, PathBuf) {
        let alice = self.desk("alice");
        let reason = "Payments are stuck; the queue table has to be read.";
        let mut arguments = super::request(role, duration, reason);
        arguments.extend(["--least-privilege", "The other role cannot do it."]);
        let case = alice.jit(&arguments).ok().text("id");
        self.desk("bob").approves(&case).ok();
        self.desk("dave").approves(&case).ok();
        self.desk("minter").mints().ok();
        let line = alice.jit(&["credential", &case]).ok().out;
        let file = self.place.path(&format!("{case}-cert.pub"));
        fs::write(&file, line).unwrap();
        self.until("the grant is published", || {
            self.grants().is_some_and(|grants| grants.contains(&case_of(&alice, &case)))
        });
        (case, file)
    }

    pub fn grants(&self) -> Option<String> {
        let said = self.island.run("cat", &["/run/jit/published/grants.json"]);
        (said.code == 0).then_some(said.out)
    }

    pub fn ssh(&self, login: &str, certificate: &Path, remote: &[&str]) -> Said {
        self.island.ssh(login, &self.place.key("alice"), Some(certificate), remote)
    }

    /// The reasons for which logins were refused so far.
    pub fn refusals(&self) -> Vec<String> {
        let said = self.island.run("cat", &["/run/jit/published/refused.jsonl"]);
        said.out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["reason"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    pub fn until(&self, what: &str, done: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(
                Instant::now() < end,
                "{what}: not after 20 s\n--- sync\n{}\n--- reap\n{}\n--- sshd\n{}",
                self.island.log("sync"),
                self.island.log("reap"),
                self.island.log("sshd"),
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl World<'_> {
    /// What `principals` prints for a certificate and a login, asked as sshd asks.
    pub fn principals(&self, login: &str, certificate: &Path) -> String {
        let line = fs::read_to_string(certificate).unwrap();
        let blob = line.split_whitespace().nth(1).unwrap();
        let user = format!("--reuid={}", self.island.uid(USER));
        let jit = "/usr/local/libexec/jit/jit";
        let arguments =
            [&user, "--clear-groups", "--", jit, "host", "principals", login, "jit:case:alice", "1", "SHA256:x", blob];
        self.island.run("setpriv", &arguments).ok().out
    }

    /// Demands that neither sshd nor `principals` lets this in, and that the latter says why.
    #[track_caller]
    pub fn refuses(&self, login: &str, certificate: &Path, reason: &str) {
        let said = self.ssh(login, certificate, &["id"]);
        assert_eq!((said.code, said.out.as_str()), (255, ""), "{}\n{}", said.told(), self.island.log("sshd"));
        assert_eq!(self.principals(login, certificate), "", "{reason}");
        let last = self.refusals().pop();
        assert_eq!(last.as_deref(), Some(reason), "{:#?}", self.refusals());
    }

    /// A certificate that the true CA signed for alice's key, beside the ledger.
    pub fn forged(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let public = self.place.path(&format!("{name}.pub"));
        fs::copy(self.place.key("alice").with_extension("pub"), &public).unwrap();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-s"]).arg(self.place.key("ca-prod")).args(arguments).arg(&public);
        self.place.run(keygen).ok();
        self.place.path(&format!("{name}-cert.pub"))
    }

    /// Appends an event that opens a case, written and signed by hand with `ssh-keygen` and committed with `git`.
    pub fn by_hand(&self, actor: &str, kind: &str, table: &str) {
        let desk = self.desk(actor);
        let ledger = &desk.ledger;
        let verified = desk.jit(&["verify", "--json"]).ok().json();
        let policy = fs::read(ledger.join("policy.toml")).unwrap();
        let time = chrono::DateTime::from_timestamp(now().try_into().unwrap(), 0).unwrap();
        let stamp = time.format("%Y-%m-%dT%H:%M:%SZ");
        let event = format!(
            "jit = 1\nkind = \"{kind}\"\nledger = {}\npolicy = \"sha256:{}\"\nactor = \"{actor}\"\ntime = {stamp}\n\
             nonce = \"{:a<26}\"\n\n[seen]\nsize = {}\nroot = {}\n\n[{kind}]\n{table}",
            verified["ledger"],
            sha256(&policy),
            "q",
            verified["size"],
            verified["root"]
        );
        let name = data_encoding::BASE32_NOPAD.encode(&digest(event.as_bytes())).to_lowercase();
        let short = &name[..16];
        let folder = ledger.join(format!("ledger/{}/{short}", time.format("%Y/%m/%d/%H")));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{kind}-{short}.toml"));
        fs::write(&file, &event).unwrap();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-Y", "sign", "-n", &format!("jit-1/{kind}"), "-f"]).arg(&desk.key).arg(&file);
        self.place.run(keygen).ok();
        fs::rename(file.with_extension("toml.sig"), folder.join(format!("{kind}-{short}.toml.sig"))).unwrap();
        let message = format!("{kind} {short}: {actor}\n\nJit-Event: sha256:{}\n", sha256(event.as_bytes()));
        self.place.git(ledger, &["add", "-f", "ledger"]);
        let author = format!("{actor} <{actor}@acme.example>");
        let date = format!("{} +0000", time.timestamp());
        let mut commit = Command::new("git");
        commit.arg("-C").arg(ledger).args(["-c", "user.name=x", "-c", "user.email=x@x.example", "-c"]);
        commit.args([
            "commit.gpgSign=false",
            "commit",
            "-q",
            "--cleanup=verbatim",
            "--author",
            &author,
            "--date",
            &date,
        ]);
        commit.args(["-m", &message]);
        desk.run(commit).ok();
        let mut push = Command::new("git");
        push.arg("-C").arg(ledger).args(["push", "-q", "origin", "main"]);
        desk.run(push).ok();
        let verified = desk.jit(&["verify", "--json"]).ok().json();
        assert_eq!(verified["voids"].as_array().map(Vec::len), Some(0), "{verified:#}");
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    <sha2::Sha256 as sha2::Digest>::digest(bytes).into()
}

fn sha256(bytes: &[u8]) -> String {
    digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The whole digest of a case.
pub fn case_of(desk: &Desk<'_>, case: &str) -> String {
    desk.sees(case)["case"].as_str().unwrap().to_owned()
}

/// The sample's people, with two logins that this server gives.
pub fn policy_of(place: &Place) -> String {
    let text = place.policy_text(1).replace("record = \"off\"", "record = \"required\"");
    let login = format!("logins = [\"{}\"]", super::login());
    text.replacen(&login, "logins = [\"readonly\"]", 1).replacen(&login, "logins = [\"operator\"]", 1)
}
