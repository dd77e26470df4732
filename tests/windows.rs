//! Booked windows, several targets in one request, and extensions: what is issued when, which certificate goes where, and
//! that no case ends another.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::world::World;
use common::{Desk, Place, Said, absent, environment, executable::executable, now, seconds, wait_past};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

const ROLE: &str = "payments-db/read-only";
const SECOND: &str = "payments-dr/read-only";

/// A ledger of the policy of seven people, changed by `edit`.
fn ledger(place: &Place, edit: impl Fn(String) -> String) -> PathBuf {
    let ledger = place.path("ledger");
    let policy = place.path("policy.toml");
    fs::write(&policy, edit(place.policy_text(1))).unwrap();
    let arguments = ["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--json"];
    place.desk("rita", &ledger).jit_anywhere(&arguments).ok();
    ledger
}

/// Asks for roles with further flags.
#[track_caller]
fn asks(desk: &Desk<'_>, duration: &str, more: &[&str]) -> Said {
    let mut arguments = common::request(ROLE, duration, "The queue table has to be read.");
    arguments.extend(more);
    desk.jit(&arguments)
}

fn approve(place: &Place, ledger: &Path, case: &str) {
    for name in ["bob", "dave"] {
        place.desk(name, ledger).approves(case).ok();
    }
}

/// RFC 3339 of a second, as somebody an hour east of Greenwich writes it.
fn east(second: u64) -> String {
    let zone = chrono::FixedOffset::east_opt(3600).unwrap();
    let time = chrono::DateTime::from_timestamp(second.try_into().unwrap(), 0).unwrap();
    time.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What the real `ssh-keygen` reads in a certificate.
#[track_caller]
fn inspected(place: &Place, line: &str) -> String {
    let file = place.path("inspected-cert.pub");
    fs::write(&file, line).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.arg("-L").arg("-f").arg(&file);
    place.run(command).ok().out
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen"])
}

#[test]
fn a_window_opens_when_it_was_booked_for() {
    if gone("a_window_opens_when_it_was_booked_for") {
        return;
    }
    let place = Place::new();
    // The window lies further ahead than `activate_within`: that begins to count when the window opens.
    let ledger = ledger(&place, |text| text.replace("activate_within = \"1h\"", "activate_within = \"4s\""));
    let alice = place.desk("alice", &ledger);
    let minter = place.desk("minter", &ledger);
    let opens = now() + 9;
    let booked = asks(&alice, "10m", &["--at", &east(opens)]).ok().json();
    let id = booked["id"].as_str().unwrap();
    assert_eq!(seconds(&booked["not_before"]), opens, "another zone, the same second");
    let said = alice.jit(&["list"]).ok();
    assert!(said.out.contains("pending, lapses") && said.out.contains("; opens "), "{}", said.told());
    approve(&place, &ledger, id);

    // Approved, and nothing is minted: not now, not when `activate_within` since the approval is over.
    let shown = place.desk("bob", &ledger).jit(&["show", id]).ok();
    for part in ["approved, opens", ", in ", "Not before: ", "minted then, at the latest"] {
        assert!(shown.out.contains(part), "{part:?}\n{}", shown.told());
    }
    let decided = seconds(&alice.sees(id)["decided"]);
    wait_past((decided + 4).min(opens - 3));
    if now() < opens - 2 {
        let said = minter.mints().ok().mentions(&["Nothing is due"]);
        assert_eq!(said.json()["issued"], serde_json::json!([]));
        assert_eq!(alice.sees(id)["state"], "approved");
        alice.jit(&["ssh", "db1", "true"]).refused(8).mentions(&["is approved"]);
        alice.jit(&["credential", id]).refused(8);
    }

    wait_past(opens);
    let issued = minter.mints().ok().json();
    let issued = issued["issued"].as_array().unwrap();
    let case = issued.iter().find(|case| case["id"] == id).unwrap();
    // The certificate is good from the booked second, and its clock runs from the issuance.
    let shown = inspected(&place, &alice.jit(&["credential", id]).ok().out);
    let local = |second: u64| {
        let time = chrono::DateTime::from_timestamp(second.try_into().unwrap(), 0).unwrap();
        time.format("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let ends = seconds(&case["ends"]);
    assert!(shown.contains(&format!("Valid: from {} to {}", local(opens), local(ends))), "{shown}");
    assert_eq!(ends, seconds(&case["starts"]) + 600);
    assert!(seconds(&case["starts"]) >= opens);

    alice.jit(&["verify", "--strict"]).ok();
}

#[test]
fn a_window_that_nobody_minted_in_lapses() {
    if gone("a_window_that_nobody_minted_in_lapses") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text.replace("activate_within = \"1h\"", "activate_within = \"1s\""));
    let alice = place.desk("alice", &ledger);
    let opens = now() + 5;
    let id = asks(&alice, "10m", &["--at", &east(opens)]).ok().text("id");
    approve(&place, &ledger, &id);
    wait_past(opens + 1);
    assert_eq!(alice.sees(&id)["state"], "lapsed");
    assert_eq!(place.desk("minter", &ledger).mints().ok().json()["issued"], serde_json::json!([]));
}

/// Whoever books for next week still needs an answer within `decide_within`.
#[test]
fn a_booked_window_is_decided_in_time() {
    if gone("a_booked_window_is_decided_in_time") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text.replace("decide_within = \"8h\"", "decide_within = \"2s\""));
    let alice = place.desk("alice", &ledger);
    let booked = asks(&alice, "10m", &["--at", &east(now() + 7 * 86_400)]).ok().json();
    let id = booked["id"].as_str().unwrap();
    let shown = alice.jit(&["show", id]).ok();
    assert!(shown.out.contains("It has to be approved by"), "{}", shown.told());
    wait_past(seconds(&booked["opened"]) + 2);
    assert_eq!(alice.sees(id)["state"], "lapsed");
    place.desk("bob", &ledger).approves(id).refused(3).mentions(&["A03", "lapsed"]);
}

#[test]
fn a_time_is_read_strictly() {
    if gone("a_time_is_read_strictly") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text);
    let alice = place.desk("alice", &ledger);
    let head = place.head(&ledger);
    for (given, says) in [
        ("2030-01-01T01:00", "it has no zone: write 2030-01-01T01:00Z for UTC"),
        ("2030-01-01T01:00:00", "it has no zone"),
        ("tomorrow", "expected a date, a time and a zone"),
        ("01:00", "expected a date, a time and a zone"),
        ("2030-02-30T01:00Z", "expected a date, a time and a zone"),
    ] {
        asks(&alice, "10m", &["--at", given]).exits(2).mentions(&["--at", says]);
    }
    let past = east(now() - 7200);
    asks(&alice, "10m", &["--at", &past]).refused(2).mentions(&["2 h ago", "leave --at out"]);
    assert_eq!(place.head(&ledger), head);
    let said = asks(&alice, "10m", &["--at", "2030-01-01T01:00+01:00", "--dry-run"]).ok();
    assert_eq!(said.json()["dry_run"], true);
}

/// The policy of seven people with a second environment, whose one target is another host's.
fn two_environments(place: &Place) -> PathBuf {
    for name in ["ca-dr", "db2"] {
        place.make_key(name);
    }
    ledger(place, |text| {
        let from = text.find("\n[target.payments-db]").unwrap();
        let to = text.find("\n[target.payments-db.role.operator]").unwrap();
        let target = text[from..to].replace("payments-db", "payments-dr").replace("\"prod\"", "\"dr\"");
        let host = format!(
            "\n[host.db2]\nemail = \"db2@acme.example\"\nkeys = [\"{}\"]\ntargets = [\"payments-dr\"]\n",
            place.public_key("db2")
        );
        let environment = format!("\n[environment.dr]\nca = \"{}\"\n", place.public_key("ca-dr"));
        let recorder = format!("\n[[environment.dr.recorder]]\nkey = \"{}\"\n", place.public_key("recorder"));
        let text = text.replace("mints = [\"prod\"]", "mints = [\"prod\", \"dr\"]");
        text.replace("\n[revoke]", &format!("{host}{environment}{recorder}{target}\n[revoke]"))
    })
}

/// A program in the place of ssh that says which certificate and which login it was given.
fn beside_ssh(place: &Place, desk: &mut Desk<'_>) {
    let directory = place.path("programs");
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join("ssh");
    let script = "#!/bin/sh\nfor a in \"$@\"; do case $a in CertificateFile=*) ssh-keygen -L -f \"${a#*=}\";; esac; done\n\
                  echo \"called: $*\"\n";
    executable(&program, script);
    let path = std::env::var_os("PATH").unwrap();
    let all = std::iter::once(directory).chain(std::env::split_paths(&path));
    desk.path = Some(std::env::join_paths(all).unwrap());
}

#[test]
fn one_request_opens_two_environments() {
    if gone("one_request_opens_two_environments") {
        return;
    }
    let place = Place::new();
    let ledger = two_environments(&place);
    let mut alice = place.desk("alice", &ledger);
    let minter = place.desk("minter", &ledger);
    // A case before, so that the serials of the two CAs differ.
    let before = alice.opens("10m");
    approve(&place, &ledger, &before);
    minter.mints().ok();
    alice.jit(&["close", &before, "--summary", "Read.", "--yes"]).ok();

    let case = asks(&alice, "10m", &[SECOND]).ok().json();
    let id = case["id"].as_str().unwrap();
    assert_eq!(case["targets"], serde_json::json!([ROLE, SECOND]));
    approve(&place, &ledger, id);
    let (prod, dr) = (place.key("ca-prod"), place.key("ca-dr"));
    let one = format!("prod={}", prod.display());
    // A minter that has only one of the CAs issues there, and the case is live there.
    let said = minter.jit(&["mint", "--ca", &one, "--json"]);
    assert_ne!(said.code, 0, "the other CA is missing: {}", said.told());
    let other = format!("dr={}", dr.display());
    minter.jit(&["mint", "--ca", &one, "--ca", &other, "--json"]).ok();
    let seen = alice.sees(id);
    let mut serials: Vec<u64> = seen["serials"].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect();
    serials.sort_unstable();
    assert_eq!(serials, [1, 2], "each CA counts for itself");

    let of = |name: &str| inspected(&place, &alice.jit(&["credential", id, "--environment", name]).ok().out);
    let (first, second) = (of("prod"), of("dr"));
    let fingerprint = |name: &str| {
        let mut command = Command::new("ssh-keygen");
        command.arg("-l").arg("-f").arg(place.key(name).with_extension("pub"));
        place.run(command).ok().out.split(' ').nth(1).unwrap().to_owned()
    };
    for (shown, authority, serial, principal, not) in [
        (&first, "ca-prod", 2, "prod/payments-db/read-only", "payments-dr"),
        (&second, "ca-dr", 1, "dr/payments-dr/read-only", "payments-db"),
    ] {
        for part in [&fingerprint(authority), &format!("Serial: {serial}\n"), principal, &format!("jit:{id}:alice")] {
            assert!(shown.contains(part), "{part:?}\n{shown}");
        }
        assert!(!shown.contains(not), "{shown}");
    }
    let end = |shown: &str| {
        shown.lines().find(|line| line.contains("Valid:")).unwrap().split(" to ").nth(1).unwrap().to_owned()
    };
    assert_eq!(end(&first), end(&second), "one case has one end");
    alice.jit(&["credential", id]).refused(2).mentions(&["dr, prod", "--environment"]);

    // ssh is given the one of the host, and where the policy does not know the host, the person says which.
    beside_ssh(&place, &mut alice);
    for (arguments, principal) in [
        (&["db1"][..], "prod/payments-db/read-only"),
        (&["db2"], "dr/payments-dr/read-only"),
        (&["payments-dr"], "dr/payments-dr/read-only"),
        (&["db1.acme.example"], "prod/payments-db/read-only"),
        (&["--role", SECOND, "10.1.2.3"], "dr/payments-dr/read-only"),
        (&["--role", ROLE, "10.1.2.3"], "prod/payments-db/read-only"),
    ] {
        let said = alice.jit(&[&["ssh"], arguments, &["true"]].concat()).ok();
        assert!(said.out.contains(principal), "{}", said.told());
        assert_eq!(said.out.matches("Principals:").count(), 1, "{}", said.told());
    }
    alice.jit(&["ssh", "10.1.2.3", "true"]).exits(2).mentions(&["--role"]);
    alice.jit(&["ssh", "--role", "payments-db/operator", "--case", id, "db1"]).refused(1).mentions(&["does not open"]);
    let shown = alice.jit(&["show", id]).ok().out;
    assert!(shown.contains("Credential: prod serial 2") && shown.contains("Credential: dr serial 1"), "{shown}");
    alice.jit(&["verify", "--strict"]).ok();
}

#[test]
fn every_role_of_a_request_has_its_rules() {
    if gone("every_role_of_a_request_has_its_rules") {
        return;
    }
    let place = Place::new();
    let ledger = two_environments(&place);
    let alice = place.desk("alice", &ledger);
    // operator lasts 30 min and wants to know why a smaller role does not do; the other lasts 2 h.
    asks(&alice, "1h", &["payments-db/operator", "--least-privilege", "It writes."])
        .refused(3)
        .mentions(&["A01", "30m"]);
    asks(&alice, "20m", &["payments-db/operator"]).refused(2).mentions(&["--least-privilege"]);
    let case = asks(&alice, "20m", &["payments-db/operator", ROLE, "--least-privilege", "It writes."]).ok().json();
    assert_eq!(case["targets"], serde_json::json!(["payments-db/operator", ROLE]), "each once");
}

#[test]
fn an_extension_leaves_no_gap() {
    if gone("an_extension_leaves_no_gap") {
        return;
    }
    let place = Place::new();
    let ledger = two_environments(&place);
    let mut alice = place.desk("alice", &ledger);
    let minter = place.desk("minter", &ledger);
    let first = alice.opens("4m");
    alice.jit(&["extend", &first, "--for", "10m", "--yes"]).refused(3).mentions(&["nothing to extend"]);
    approve(&place, &ledger, &first);
    minter.mints().ok();

    // Less than five minutes are left: status says so, with the command.
    alice.jit(&["status"]).ok().mentions(&[&format!("{first} ends"), &format!("jit extend {first} --for 30m")]);
    let others = place.desk("bob", &ledger).jit(&["status"]).ok();
    assert!(!others.err.contains("extend"), "it is alice's to extend: {}", others.told());
    beside_ssh(&place, &mut alice);
    alice
        .jit(&["ssh", "db1", "true"])
        .ok()
        .mentions(&["servers end its sessions then", &format!("jit extend {first}")]);

    let said = alice.jit(&["extend", &first, "--for", "10m", "--yes", "--json"]).ok();
    let second = said.text("id");
    assert_eq!(said.json()["state"], "pending", "approvals of its own");
    said.mentions(&[&format!("A session that began under {first} ends with it"), "log in again"]);
    alice.jit(&["status"]).ok().mentions(&[&format!("{second} is to continue it, and is not live yet")]);
    alice.jit(&["extend", &first, "--for", "9m", "--yes"]).ok().mentions(&["is extended already", &second]);
    approve(&place, &ledger, &second);
    minter.mints().ok();

    // Both are live; the second begins before the first ends; ssh takes the second without a question.
    let (one, two) = (alice.sees(&first), alice.sees(&second));
    assert_eq!((&one["state"], &two["state"]), (&"live".into(), &"live".into()));
    let shown = inspected(&place, &alice.jit(&["credential", &second]).ok().out);
    assert!(shown.contains(&format!("jit:{second}:alice")), "{shown}");
    assert!(seconds(&two["starts"]) < seconds(&one["ends"]) && seconds(&two["ends"]) > seconds(&one["ends"]));
    let said = alice.jit(&["ssh", "db1", "true"]).ok();
    assert!(said.out.contains(&format!("jit:{second}:alice")), "{}", said.told());
    let said = alice.jit(&["ssh", "--case", &first, "db1", "true"]).ok();
    assert!(said.out.contains(&format!("jit:{first}:alice")), "{}", said.told());
    assert!(said.err.contains(&format!("{second} continues it until")), "{}", said.told());

    // The end of one never ends another, in either order.
    place.desk("dave", &ledger).jit(&["revoke", &first, "--reason", "A try.", "--yes"]).ok();
    assert_eq!(alice.sees(&second)["state"], "live");
    assert_eq!(seconds(&alice.sees(&second)["ends"]), seconds(&two["ends"]));
    let said = alice.jit(&["extend", &first, "--for", "10m", "--yes"]).ok();
    said.mentions(&[&format!("{first} is over"), "a gap"]);
    // Nobody extends somebody else's.
    place.desk("bob", &ledger).jit(&["extend", &second, "--for", "10m", "--yes"]).refused(3);
    alice.jit(&["verify"]).ok();
}

/// On a real server: who is logged in under the first case is out when it ends, though the second is live; with the second
/// they are let in again, before and after.
#[test]
fn a_session_ends_with_its_own_case() {
    const TEST: &str = "a_session_ends_with_its_own_case";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (first, old) = world.live(ROLE, "40s");
    let end = seconds(&world.desk("alice").sees(&first)["ends"]);
    let mut running = world.island.ssh_command("readonly", &place.key("alice"), Some(&old), &[]);
    running.arg("sleep 120").env_clear().envs(environment(&place.path("home")));
    let mut running = running.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();

    let alice = world.desk("alice");
    let second = alice.jit(&["extend", &first, "--for", "5m", "--yes", "--json"]).ok().text("id");
    for name in ["bob", "dave"] {
        world.desk(name).approves(&second).ok();
    }
    world.desk("minter").mints().ok();
    let new = place.path("second-cert.pub");
    fs::write(&new, alice.jit(&["credential", &second]).ok().out).unwrap();
    let known = common::world::case_of(&alice, &second);
    world.until("the second grant is published", || world.grants().is_some_and(|grants| grants.contains(&known)));
    world.ssh("readonly", &new, &["true"]).ok();
    assert!(now() < end, "the second was there before the first ended");
    assert!(running.try_wait().unwrap().is_none(), "the first session runs");

    wait_past(end);
    world.until("the first session is over", || {
        let seen = alice.sees(&first);
        seen["sessions"].as_array().is_some_and(|all| all.iter().any(|session| session["cause"] == "expired"))
    });
    assert!(!running.wait().unwrap().success());
    assert_eq!(alice.sees(&second)["state"], "live");
    world.ssh("readonly", &new, &["true"]).ok();
    assert_ne!(world.ssh("readonly", &old, &["true"]).code, 0);
}

#[test]
fn a_case_says_what_it_waits_for() {
    if gone("a_case_says_what_it_waits_for") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text);
    let alice = place.desk("alice", &ledger);
    let booked = asks(&alice, "10m", &["--at", &east(now() + 3 * 3600 + 30)]).ok();
    assert!(booked.err.contains("jit approve"), "{}", booked.told());
    let id = booked.text("id");
    approve(&place, &ledger, &id);
    for arguments in [&["status"][..], &["list"]] {
        let said = alice.jit(arguments).ok();
        assert!(said.out.contains("approved, opens") && said.out.contains("in 3 h"), "{}", said.told());
    }
    let shown = alice.jit(&["show", &id]).ok();
    assert!(shown.err.contains("waits for the window"), "{}", shown.told());
    let status: Value = alice.jit(&["status", "--json"]).ok().json();
    assert_eq!(status["pending"][0]["not_before"], alice.sees(&id)["not_before"]);
}
