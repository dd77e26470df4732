//! A whole server on this machine: a real sshd with PAM, jit's daemons, real logins. Who gets in and who does not, and
//! why; what is recorded; when it ends.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::world::World;
use common::{Place, now};

#[path = "common/harness.rs"]
mod common;

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
    // What it claims writes no line of its own where an administrator looks.
    let lines = ["-I", "jit:x\nmirror  fine", "-n", principal, "-V", "-1m:+1h"];
    world.refuses("readonly", &world.forged("lines", &lines), "not-in-ledger");
    let status = world.island.jit(&["host", "status"]);
    assert!(status.out.contains("\\u{a}mirror") && !status.out.contains("\nmirror"), "{}", status.told());

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

/// A login while the remote is away: refused, or let in and told later, as the policy says.
#[test]
fn a_login_while_the_ledger_is_away() {
    const TEST: &str = "a_login_while_the_ledger_is_away";
    for spool in [false, true] {
        let place = Place::new();
        let offline = |text: String| match spool {
            true => text.replacen("[target.payments-db]\n", "[target.payments-db]\noffline = \"spool\"\n", 1),
            false => text,
        };
        let Some(world) = World::new(TEST, &place, offline) else { return };
        let (case, certificate) = world.live("payments-db/read-only", "10m");
        let away = place.path("away.git");
        std::fs::rename(&world.remote, &away).unwrap();
        let said = world.ssh("readonly", &certificate, &["id -un"]);
        if spool {
            assert_eq!((said.code, said.out.trim()), (0, "readonly"), "{}", said.told());
        } else {
            assert_eq!(said.code, 254, "{}", said.told());
            assert!(said.out.contains("jit: no session: the ledger cannot be told"), "{}", said.told());
        }
        std::fs::rename(&away, &world.remote).unwrap();
        let alice = world.desk("alice");
        let sessions = || alice.sees(&case)["sessions"].as_array().cloned().unwrap_or_default();
        if spool {
            world.until("the session and its end are delivered", || {
                sessions().iter().any(|session| session["cause"] == "exit")
            });
        }
        // Once, and nothing of a login that was refused.
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(sessions().len(), usize::from(spool), "{:#?}", sessions());
    }
}

/// A connection that may forward ports is access also where no command is run: a refused one is cut, not waited for.
#[test]
fn a_refused_login_forwards_nothing() {
    const TEST: &str = "a_refused_login_forwards_nothing";
    let place = Place::new();
    let forwarding =
        |text: String| text.replacen("extensions = [\"permit-pty\"]", "extensions = [\"permit-port-forwarding\"]", 1);
    let Some(world) = World::new(TEST, &place, forwarding) else { return };
    let (_, certificate) = world.live("payments-db/read-only", "10m");
    std::fs::rename(&world.remote, place.path("away.git")).unwrap();
    let began = Instant::now();
    let forward = format!("{}:127.0.0.1:{}", common::server::free_port(), common::server::free_port());
    let options = ["-N", "-L", forward.as_str()];
    let said = place.run(world.island.ssh_command("readonly", &place.key("alice"), Some(&certificate), &options));
    assert_eq!(said.code, 255, "{}", said.told());
    // The ledger's absence is known at once; those who are only told why get five seconds more.
    assert!(began.elapsed() < Duration::from_secs(4), "cut after {:?}", began.elapsed());
}

#[test]
fn jit_ssh_goes_in_and_closes() {
    const TEST: &str = "jit_ssh_goes_in_and_closes";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, _) = world.live("payments-db/read-only", "10m");
    let alice = world.desk("alice");
    let options = world.island.options();
    let mut arguments = vec!["ssh", "--yes", "--case", &case, "--close=Looked at the queue; nothing changed."];
    arguments.extend(options.iter().map(String::as_str));
    arguments.extend(["127.0.0.1", "id -un; exit 5"]);
    let said = alice.jit(&arguments);
    assert_eq!((said.code, said.out.trim()), (5, "readonly"), "{}", said.told());
    let shown = alice.sees(&case);
    assert_eq!(shown["state"], "review due", "{shown:#}");
    world.until("the session's end is told", || {
        alice.sees(&case)["sessions"].as_array().is_some_and(|all| all.iter().any(|one| one["cause"] == "exit"))
    });
}

/// Whoever is no member any more is out, and ended, at once.
#[test]
fn who_left_the_policy_is_out() {
    const TEST: &str = "who_left_the_policy_is_out";
    let place = Place::new();
    // Somebody else can still ask, so the policy without alice is sound.
    let others =
        |text: String| text.replacen("groups = [\"sre\"]", "groups = [\"sre\", \"developers\", \"on-call\"]", 2);
    let Some(world) = World::new(TEST, &place, others) else { return };
    let (case, certificate) = world.live("payments-db/read-only", "10m");
    let mut command = world.island.ssh_command("readonly", &place.key("alice"), Some(&certificate), &[]);
    command.arg("sleep 1000").env_clear().envs(common::environment(&place.path("home")));
    let mut session = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    world.until("it runs", || world.island.processes_of("readonly").iter().any(|line| line == "sleep 1000"));
    let rita = world.desk("rita");
    let text = std::fs::read_to_string(rita.ledger.join("policy.toml")).unwrap();
    let (before, rest) = text.split_once("[member.alice]").unwrap();
    let (_, after) = rest.split_once("\n[").unwrap();
    let shorter = place.path("shorter.toml");
    std::fs::write(&shorter, format!("{before}[{after}").replacen("version = 1", "version = 2", 1)).unwrap();
    let file = format!("policy.toml={}", shorter.display());
    rita.jit(&["policy", "propose", &file, "--reason", "alice has left.", "--enact", "--yes"]).ok();
    world.until("her session is dead", || world.island.processes_of("readonly").is_empty());
    session.wait().unwrap();
    world.refuses("readonly", &certificate, "ended");
    let said = world.island.run("ssh-keygen", &["-Q", "-f", "/run/jit/published/krl", certificate.to_str().unwrap()]);
    assert!(said.code == 1 && said.out.contains("REVOKED"), "{}", said.told());
    world.until("its end is told", || {
        rita.sees(&case)["sessions"].as_array().is_some_and(|all| all.iter().any(|one| one["cause"] == "revoked"))
    });
}
