//! A whole server on this machine: a real sshd with PAM, jit's daemons, real logins. Who gets in and who does not, and
//! why; what is recorded; when it ends.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::island::{Island, LOGINS, USER};
use common::{Desk, Place, Said, now};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// A ledger with its remote, and a server that follows it.
struct World<'p> {
    place: &'p Place,
    island: Island<'p>,
    remote: PathBuf,
}

const JIT_HOST: [&str; 3] = ["host", "--config", "/etc/jit/host.toml"];

impl<'p> World<'p> {
    /// With a policy whose text is changed by `edit`; daemons and sshd run.
    fn new(test: &str, place: &'p Place, edit: impl Fn(String) -> String) -> Option<Self> {
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
        let key = place.key("db1");
        let script = format!(
            "chmod 755 {place}\nchmod -R a+rwX {remote}\nmkdir -p /etc/jit\n\
             install -m 600 -o {user} -g {user} {key} /etc/jit/host_key\n\
             install -d -m 750 -o {user} -g {user} /var/lib/jit\ninstall -d -m 700 /var/lib/jit/recordings\n\
             install -d -m 755 /run/jit\ninstall -d -m 700 /run/jit/sessions\ninstall -d -m 711 /run/jit/gate\n\
             install -d -m 755 -o {user} -g {user} /run/jit/published\n\
             printf 'host = \"db1\"\\nledger = \"{id}\"\\nremote = \"{remote}\"\\ncgroup = \"{cgroup}\"\\n' \
             > /etc/jit/host.toml\n",
            place = place.path("").display(),
            remote = remote.display(),
            user = USER.0,
            key = key.display(),
            cgroup = island.cgroup.display(),
        );
        island.shell(&script).ok();
        let jit = "/usr/local/libexec/jit/jit";
        let logins: Vec<&str> = LOGINS.iter().take(2).map(|(name, _)| *name).collect();
        let drop_in = format!(
            "Match User {logins}\n  TrustedUserCAKeys /run/jit/published/ca.pub\n  RevokedKeys /run/jit/published/krl\n  \
             AuthorizedPrincipalsCommand {jit} host principals %u %i %s %F %k\n  AuthorizedPrincipalsCommandUser jit\n  \
             AuthorizedKeysFile none\n  AuthenticationMethods publickey\n  ForceCommand {jit} host gate\nMatch all\n",
            logins = logins.join(",")
        );
        let pam = format!(
            "session [success=ignore default=1] pam_succeed_if.so quiet user in {}\n\
             session required pam_exec.so quiet stdout {jit} host session\n",
            logins.join(":")
        );
        fs::write(place.path("drop-in"), drop_in).unwrap();
        fs::write(place.path("pam"), pam).unwrap();
        island
            .shell(&format!(
                "mkdir -p /etc/ssh/sshd_config.d\ncp {0}/drop-in /etc/ssh/sshd_config.d/50-jit.conf\n\
                 cat {0}/pam >> /etc/pam.d/sshd\n",
                place.path("").display()
            ))
            .ok();
        island.start("sync", &[&JIT_HOST[..], &["sync"]].concat());
        island.start("reap", &[&JIT_HOST[..], &["reap"]].concat());
        island.start_sshd();
        let world = Self { place, island, remote };
        world.until("the daemon publishes", || world.grants().is_some());
        Some(world)
    }

    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.jit_anywhere(&["clone", self.remote.to_str().unwrap(), ledger.to_str().unwrap(), "--json"]).ok();
        }
        desk
    }

    /// A live case of alice: its id and the file of its certificate.
    fn live(&self, role: &str, duration: &str) -> (String, PathBuf) {
        let alice = self.desk("alice");
        let reason = "Payments are stuck; the queue table has to be read.";
        let mut arguments = common::request(role, duration, reason);
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

    fn grants(&self) -> Option<String> {
        let said = self.island.run("cat", &["/run/jit/published/grants.json"]);
        (said.code == 0).then_some(said.out)
    }

    fn ssh(&self, login: &str, certificate: &Path, remote: &[&str]) -> Said {
        self.island.ssh(login, &self.place.key("alice"), Some(certificate), remote)
    }

    /// The reasons for which logins were refused so far.
    fn refusals(&self) -> Vec<String> {
        let said = self.island.run("cat", &["/run/jit/published/refused.jsonl"]);
        said.out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["reason"].as_str().unwrap().to_owned())
            .collect()
    }

    #[track_caller]
    fn until(&self, what: &str, done: impl Fn() -> bool) {
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

/// The whole digest of a case.
fn case_of(desk: &Desk<'_>, case: &str) -> String {
    desk.sees(case)["case"].as_str().unwrap().to_owned()
}

/// The sample's people, with two logins that this server gives.
fn policy_of(place: &Place) -> String {
    let text = place.policy_text(1).replace("record = \"off\"", "record = \"required\"");
    let login = format!("logins = [\"{}\"]", common::login());
    text.replacen(&login, "logins = [\"readonly\"]", 1).replacen(&login, "logins = [\"operator\"]", 1)
}

#[test]
fn what_the_ledger_holds_gets_in_and_nothing_else() {
    const TEST: &str = "what_the_ledger_holds_gets_in_and_nothing_else";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, certificate) = world.live("payments-db/read-only", "5m");
    let began = now();
    let said = world.ssh("readonly", &certificate, &["id -un; echo to-stderr >&2; exit 3"]);
    assert_eq!((said.code, said.out.trim()), (3, "readonly"), "{}\n{}", said.told(), world.island.log("sshd"));
    assert_eq!(said.err.trim(), "to-stderr", "{}", said.told());
    let alice = world.desk("alice");
    world.until("the session's end is in the ledger", || {
        let shown = alice.sees(&case);
        shown["sessions"].as_array().is_some_and(|all| all.iter().any(|one| !one["ended"].is_null()))
    });
    let shown = alice.sees(&case);
    let session = &shown["sessions"][0];
    assert_eq!((session["login"].as_str(), session["host"].as_str()), (Some("readonly"), Some("db1")), "{shown:#}");
    assert_eq!(session["source"].as_str(), Some("127.0.0.1"), "{shown:#}");
    assert!(common::seconds(&session["started"]) >= began, "{shown:#}");
}
