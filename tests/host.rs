//! A whole server on this machine: a real sshd with PAM, jit's daemons, real logins. Who gets in and who does not, and
//! why; what is recorded; when it ends.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
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

impl World<'_> {
    /// What `principals` prints for a certificate and a login, asked as sshd asks.
    fn principals(&self, login: &str, certificate: &Path) -> String {
        let line = fs::read_to_string(certificate).unwrap();
        let blob = line.split_whitespace().nth(1).unwrap();
        let user = format!("--reuid={}", USER.1);
        let jit = "/usr/local/libexec/jit/jit";
        let arguments =
            [&user, "--clear-groups", "--", jit, "host", "principals", login, "jit:case:alice", "1", "SHA256:x", blob];
        self.island.run("setpriv", &arguments).ok().out
    }

    /// Demands that neither sshd nor `principals` lets this in, and that the latter says why.
    #[track_caller]
    fn refuses(&self, login: &str, certificate: &Path, reason: &str) {
        let said = self.ssh(login, certificate, &["id"]);
        assert_eq!((said.code, said.out.as_str()), (255, ""), "{}\n{}", said.told(), self.island.log("sshd"));
        assert_eq!(self.principals(login, certificate), "", "{reason}");
        let last = self.refusals().pop();
        assert_eq!(last.as_deref(), Some(reason), "{:#?}", self.refusals());
    }

    /// A certificate that the true CA signed for alice's key, beside the ledger.
    fn forged(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let public = self.place.path(&format!("{name}.pub"));
        fs::copy(self.place.key("alice").with_extension("pub"), &public).unwrap();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-s"]).arg(self.place.key("ca-prod")).args(arguments).arg(&public);
        self.place.run(keygen).ok();
        self.place.path(&format!("{name}-cert.pub"))
    }

    /// Appends an event that opens a case, written and signed by hand with `ssh-keygen` and committed with `git`.
    fn by_hand(&self, actor: &str, kind: &str, table: &str) {
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
fn case_of(desk: &Desk<'_>, case: &str) -> String {
    desk.sees(case)["case"].as_str().unwrap().to_owned()
}

/// The sample's people, with two logins that this server gives.
fn policy_of(place: &Place) -> String {
    let text = place.policy_text(1).replace("record = \"off\"", "record = \"required\"");
    let login = format!("logins = [\"{}\"]", common::login());
    text.replacen(&login, "logins = [\"readonly\"]", 1).replacen(&login, "logins = [\"operator\"]", 1)
}

/// A second target that another host serves, and a mirror that is soon too old.
fn two_hosts(place: &Place, text: String) -> String {
    place.make_key("db2");
    let (_, role) = text.split_once("[target.payments-db.role.read-only]").unwrap();
    let (role, _) = role.split_once("[target.payments-db.role.operator]").unwrap();
    text.clone().replace("staleness = \"10m\"", "staleness = \"4s\"")
        + &format!(
            "\n[host.db2]\nemail = \"db2@acme.example\"\nkeys = [\"{}\"]\ntargets = [\"cards-db\"]\n\n\
             [target.cards-db]\nenvironment = \"prod\"\ndata = [\"npi\"]\n\n[target.cards-db.role.read-only]{role}",
            place.public_key("db2")
        )
}

#[test]
fn nobody_gets_in_but_by_the_ledger() {
    const TEST: &str = "nobody_gets_in_but_by_the_ledger";
    let place = Place::new();
    let Some(mut world) = World::new(TEST, &place, |text| two_hosts(&place, text)) else { return };
    let principal = "prod/payments-db/read-only";
    let (case, good) = world.live("payments-db/read-only", "10m");
    assert_eq!(world.principals("readonly", &good).trim(), principal, "the control");

    // What the CA signed and the ledger does not hold, whatever it says.
    let options = ["-I", "jit:aaaaaaaaaaaaaaaa:alice", "-n", principal, "-V", "-1m:+1h", "-z"];
    world.refuses("readonly", &world.forged("other", &[&options[..], &["99"]].concat()), "not-in-ledger");
    world.refuses("readonly", &world.forged("same-serial", &[&options[..], &["1"]].concat()), "not-in-ledger");

    // Another login; another host's target; a login that is none of jit's.
    world.refuses("operator", &good, "wrong-login");
    let (_, elsewhere) = world.live("cards-db/read-only", "10m");
    world.refuses("readonly", &elsewhere, "wrong-host");
    let said = world.ssh("admin", &good, &["id"]);
    assert_eq!(said.code, 255, "{}", said.told());

    // Revoked, closed, locked: the list says so to sshd, and the grants to `principals`.
    let (revoked, certificate) = world.live("payments-db/read-only", "10m");
    world.desk("dave").jit(&["revoke", &revoked, "--reason", "Not needed any more.", "--yes"]).ok();
    world.until("it is revoked here", || world.principals("readonly", &certificate).is_empty());
    world.refuses("readonly", &certificate, "ended");
    let said = world.island.run("ssh-keygen", &["-Q", "-f", "/run/jit/published/krl", certificate.to_str().unwrap()]);
    assert!(said.code == 1 && said.out.contains("REVOKED"), "{}", said.told());
    let said = world.island.run("ssh-keygen", &["-Q", "-f", "/run/jit/published/krl", good.to_str().unwrap()]);
    assert!(said.code == 0 && said.out.contains("ok"), "{}", said.told());
    let (closed, certificate) = world.live("payments-db/read-only", "10m");
    world.desk("alice").jit(&["close", &closed, "--summary", "Looked, found it.", "--yes"]).ok();
    world.until("it is closed here", || world.principals("readonly", &certificate).is_empty());
    world.refuses("readonly", &certificate, "ended");

    // It has ended by itself.
    let (_, short) = world.live("payments-db/read-only", "3s");
    world.until("its end", || world.principals("readonly", &short).is_empty());
    world.refuses("readonly", &short, "expired");

    world.by_hand("dave", "lock", "scope = \"member:alice\"\nreason = \"A key was lost.\"\n");
    world.until("it is locked here", || world.principals("readonly", &good).is_empty());
    world.refuses("readonly", &good, "ended");
    assert!(
        world.island.run("tail", &["-1", "/run/jit/published/refused.jsonl"]).out.contains("member:alice is locked")
    );

    // Without the daemon the mirror goes stale.
    world.island.kill("sync");
    std::thread::sleep(Duration::from_secs(6));
    world.refuses("readonly", &good, "stale");
    let _ = case;
}

#[test]
fn an_admins_login_never_depends_on_jit() {
    const TEST: &str = "an_admins_login_never_depends_on_jit";
    let place = Place::new();
    let Some(mut world) = World::new(TEST, &place, |text| text) else { return };
    let admin = place.make_key("admin");
    world
        .island
        .shell(&format!(
            "install -d -m 700 -o admin -g admin /home/admin/.ssh\n\
             install -m 600 -o admin -g admin {}.pub /home/admin/.ssh/authorized_keys\n",
            admin.display()
        ))
        .ok();
    let gets_in = |world: &World<'_>| world.island.ssh("admin", &admin, None, &["id", "-un"]).ok().out;
    assert_eq!(gets_in(&world).trim(), "admin");
    // The daemons dead, everything published gone, the program broken.
    world.island.kill("sync");
    world.island.kill("reap");
    world.island.shell("rm -rf /run/jit /etc/jit; echo broken > /usr/local/libexec/jit/jit").ok();
    assert_eq!(gets_in(&world).trim(), "admin");
    // And the logins that it does serve are shut.
    let said = world.ssh("readonly", &place.key("alice").with_extension("pub"), &["id"]);
    assert_eq!(said.code, 255, "{}", said.told());
}

#[test]
fn what_the_ledger_holds_gets_in() {
    const TEST: &str = "what_the_ledger_holds_gets_in";
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
