//! A CA is replaced on a whole server: real sshd, jit's daemons, real logins. Nobody is cut off at the switch, nobody gets
//! in longer than before, and a CA in wrong hands is cut off at once.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::world::World;
use common::{Place, now, seconds};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

const ROLE: &str = "payments-db/read-only";

/// The CAs that the host's sshd trusts, sorted.
fn trusted(world: &World<'_>) -> Vec<String> {
    let said = world.island.run("cat", &["/run/jit/published/ca.pub"]).ok();
    let mut lines: Vec<String> = said.out.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn keys(place: &Place, names: &[&str]) -> Vec<String> {
    let mut keys: Vec<String> = names.iter().map(|name| place.public_key(name)).collect();
    keys.sort();
    keys
}

/// Rita, who is enough for a change here, replaces the CA.
fn rotates(world: &World<'_>, new: &Path) {
    let public = new.with_extension("pub");
    let arguments = ["policy", "rotate-ca", "prod", "--new", public.to_str().unwrap()];
    let more = ["--reason", "The key is a year old.", "--enact", "--yes", "--json"];
    let said = world.desk("rita").jit(&[&arguments[..], &more].concat()).ok();
    assert_eq!(said.json()["state"], "enacted", "{}", said.told());
}

/// An approved case of alice's.
fn approved(world: &World<'_>, duration: &str) -> String {
    let case = world.desk("alice").opens(duration);
    world.desk("bob").approves(&case).ok();
    world.desk("dave").approves(&case).ok();
    case
}

/// Issues what is due with the old and the new key; then the certificate's file.
fn minted(world: &World<'_>, case: &str, new: &Path) -> PathBuf {
    let (old, new) = (world.place.key("ca-prod"), new);
    let (old, new) = (format!("prod={}", old.display()), format!("prod={}", new.display()));
    world.desk("minter").jit(&["mint", "--ca", &old, "--ca", &new, "--json"]).ok();
    let line = world.desk("alice").jit(&["credential", case]).ok().out;
    let file = world.place.path(&format!("{case}-cert.pub"));
    fs::write(&file, line).unwrap();
    file
}

/// The fingerprint of the CA in a certificate, as ssh-keygen reads it.
fn signing_ca(place: &Place, certificate: &Path) -> String {
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-Lf").arg(certificate);
    let said = place.run(keygen).ok();
    let line = said.out.lines().find(|line| line.contains("Signing CA:")).unwrap();
    line.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap().to_owned()
}

fn fingerprint(place: &Place, key: &Path) -> String {
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-lf").arg(key.with_extension("pub"));
    place.run(keygen).ok().out.split_whitespace().nth(1).unwrap().to_owned()
}

/// Somebody who stays in.
fn sits(world: &World<'_>, certificate: &Path, seconds: &str) -> Child {
    let mut command = world.island.ssh_command("readonly", &world.place.key("alice"), Some(certificate), &[]);
    command.arg(format!("sleep {seconds}")).env_clear().envs(common::environment(&world.place.path("home")));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    world.until("the session runs", || is_in(world, seconds));
    child
}

fn is_in(world: &World<'_>, seconds: &str) -> bool {
    world.island.processes_of("readonly").iter().any(|line| *line == format!("sleep {seconds}"))
}

/// A certificate by a CA's true signature that the ledger does not hold.
fn forged(world: &World<'_>, name: &str, ca: &Path) -> PathBuf {
    let public = world.place.path(&format!("{name}.pub"));
    fs::copy(world.place.key("alice").with_extension("pub"), &public).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-s"]).arg(ca).args(["-I", "jit:aaaaaaaaaaaaaaaa:alice", "-n", "prod/payments-db/read-only"]);
    keygen.args(["-V", "-1m:+1h", "-z", "77"]).arg(&public);
    world.place.run(keygen).ok();
    world.place.path(&format!("{name}-cert.pub"))
}

#[track_caller]
fn gets_in(world: &World<'_>, certificate: &Path) {
    let said = world.ssh("readonly", certificate, &["id -un"]);
    assert_eq!((said.code, said.out.trim()), (0, "readonly"), "{}\n{}", said.told(), world.island.log("sshd"));
}

/// Sets a flag when it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn nobody_is_cut_off_when_a_ca_is_replaced() {
    const TEST: &str = "nobody_is_cut_off_when_a_ca_is_replaced";
    let place = Place::new();
    let new = place.make_key("ca-new");
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (first, old) = world.live(ROLE, "30m");
    let (revoked, taken) = world.live(ROLE, "30m");
    let mut session = sits(&world, &old, "1000");
    assert_eq!(trusted(&world), keys(&place, &["ca-prod"]));
    let pending = approved(&world, "45s");

    // People log in all the time while it is replaced.
    let (over, logins) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                gets_in(&world, &old);
                logins.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1500));
            }
        });
        // Also where something here fails: the thread must end for the failure to be told.
        let _ends = Ends(&over);
        let has_logged_in = |times| logins.load(Ordering::SeqCst) >= times;
        world.until("people log in", || has_logged_in(2));
        // One credential more by the old CA, which ends by itself; what was approved before is issued by the new one.
        let short = minted(&world, &pending, &new);
        assert_eq!(signing_ca(&place, &short), fingerprint(&place, &place.key("ca-prod")));
        let waiting = approved(&world, "20m");
        rotates(&world, &new);
        let fresh = minted(&world, &waiting, &new);
        assert_eq!(signing_ca(&place, &fresh), fingerprint(&place, &new));
        let shown = world.desk("alice").sees(&waiting);
        assert_eq!(shown["serials"], serde_json::json!([1]), "serials count for each CA: {shown:#}");
        // As soon as the grant is here its CA is, too: the first login works.
        let digest = shown["case"].as_str().unwrap().to_owned();
        world.until("the new grant is published", || world.grants().is_some_and(|grants| grants.contains(&digest)));
        gets_in(&world, &fresh);
        assert_eq!(trusted(&world), keys(&place, &["ca-new", "ca-prod"]));
        let before = logins.load(Ordering::SeqCst);
        world.until("people log in", || has_logged_in(before + 2));
    });
    assert!(is_in(&world, "1000"), "whoever was in still is");

    // Either CA's signature is worth nothing without the ledger.
    world.refuses("readonly", &forged(&world, "by-old", &place.key("ca-prod")), "not-in-ledger");
    world.refuses("readonly", &forged(&world, "by-new", &new), "not-in-ledger");
    // The list covers the CA that was replaced.
    world.desk("dave").jit(&["revoke", &revoked, "--reason", "Not needed any more.", "--yes"]).ok();
    world.until("it is revoked here", || world.principals("readonly", &taken).is_empty());
    world.refuses("readonly", &taken, "ended");
    let said = world.island.run("ssh-keygen", &["-Q", "-f", "/run/jit/published/krl", taken.to_str().unwrap()]);
    assert!(said.code == 1 && said.out.contains("REVOKED"), "{}", said.told());

    // What an administrator runs meanwhile.
    let status = world.island.jit(&["host", "status", "--json"]).ok().json();
    assert_eq!((&status["authorities"], &status["ok"]), (&2.into(), &Value::Bool(true)), "{status:#}");
    let shown = world.island.jit(&["host", "status"]).ok();
    assert!(shown.out.contains("2 CAs trusted"), "{}", shown.told());
    let said = world.island.jit(&["host", "setup", "--yes", "--no-systemd"]).ok();
    assert_eq!(trusted(&world), keys(&place, &["ca-new", "ca-prod"]), "{}", said.told());
    gets_in(&world, &old);

    // The first case is closed; the short one ends by itself. Nothing happens in the ledger at that moment.
    let ends = seconds(&world.desk("alice").sees(&pending)["ends"]);
    world.desk("alice").jit(&["close", &first, "--summary", "Looked, found it.", "--yes"]).ok();
    world.until("her session is dead", || world.island.processes_of("readonly").is_empty());
    session.wait().unwrap();
    if now() < ends {
        assert_eq!(trusted(&world), keys(&place, &["ca-new", "ca-prod"]), "{ends}");
    }
    common::wait_past(ends.saturating_sub(1));
    world.until("the old CA is gone", || trusted(&world) == keys(&place, &["ca-new"]));
    assert!(now() >= ends, "not before its last credential has ended");
    let said = world.ssh("readonly", &forged(&world, "by-gone", &place.key("ca-prod")), &["id"]);
    assert_eq!(said.code, 255, "{}", said.told());
    assert!(!world.island.log("sshd").contains("jit cannot go on"));
    // And the daemon that starts anew finds the same.
    let status = world.island.jit(&["host", "status", "--json"]).ok().json();
    assert_eq!(status["authorities"], 1, "{status:#}");
}

/// The emergency: somebody else has the CA's key. What docs/security.md says to type.
#[test]
fn a_ca_in_wrong_hands_is_cut_off() {
    const TEST: &str = "a_ca_in_wrong_hands_is_cut_off";
    let place = Place::new();
    let new = place.make_key("ca-new");
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, old) = world.live(ROLE, "30m");
    let mut session = sits(&world, &old, "1000");
    let (dave, rita) = (world.desk("dave"), world.desk("rita"));

    // One person, at once.
    let reason = ["--reason", "The key of the CA was copied.", "--yes", "--json"];
    let lock = dave.jit(&[&["lock", "environment:prod"][..], &reason].concat()).ok().text("id");
    world.until("her session is dead", || world.island.processes_of("readonly").is_empty());
    session.wait().unwrap();
    world.refuses("readonly", &old, "ended");

    // What the old CA has signed ends for good; then the quorum replaces it, and lifts the lock.
    dave.jit(&[&["revoke", &case][..], &reason].concat()).ok();
    rotates(&world, &new);
    world.until("the old CA is not trusted any more", || trusted(&world) == keys(&place, &["ca-new"]));
    rita.jit(&[&["unlock", &lock][..], &reason].concat()).ok();
    let said = world.desk("alice").jit(&["list", "--state", "live", "--json"]).ok();
    assert!(!said.out.contains(&case), "{}", said.told());

    // Nothing that the old key signs opens anything, whether the ledger holds it or not; sshd itself says no, and does not
    // even ask for principals.
    let refused = world.refusals().len();
    for certificate in [&old, &forged(&world, "by-thief", &place.key("ca-prod"))] {
        let said = world.ssh("readonly", certificate, &["id"]);
        assert_eq!((said.code, said.out.as_str()), (255, ""), "{}", said.told());
    }
    assert_eq!(world.refusals().len(), refused, "{:#?}", world.refusals());
    // A minter that still has the old key issues nothing with it.
    let waiting = approved(&world, "10m");
    let said = world.desk("minter").mints().refused(1).mentions(&["but the policy names"]);
    drop(said);
    let fresh = minted(&world, &waiting, &new);
    let digest = common::world::case_of(&world.desk("alice"), &waiting);
    world.until("the new grant is published", || world.grants().is_some_and(|grants| grants.contains(&digest)));
    gets_in(&world, &fresh);
    assert_eq!(trusted(&world), keys(&place, &["ca-new"]));
}
