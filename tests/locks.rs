//! Locks: whoever the policy allows stops a member, a target, an environment or everything, nothing is minted meanwhile,
//! and only the root members' quorum lifts it. Real keys, real Git.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use common::terminal::{Answer, Terminal};
use common::{Desk, Place, Said, absent};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

const PROGRAMS: [&str; 2] = ["git", "ssh-keygen"];

/// A ledger in which a change takes so many root members.
fn ledger(place: &Place, threshold: usize) -> PathBuf {
    let ledger = place.path("ledger");
    let policy = place.policy(threshold);
    let arguments = ["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--json"];
    place.desk("rita", &ledger).jit_anywhere(&arguments).ok();
    ledger
}

/// A case of alice's that waits for nothing but the minter.
fn approved(place: &Place, ledger: &Path) -> String {
    let case = place.desk("alice", ledger).opens("30m");
    for approver in ["bob", "dave"] {
        place.desk(approver, ledger).approves(&case).ok();
    }
    case
}

/// Locks something; the lock's case object.
#[track_caller]
fn locks(desk: &Desk<'_>, scope: &str) -> Value {
    let said =
        desk.jit(&["lock", scope, "--reason", "Somebody is in it.", "--incident", "INC-9", "--yes", "--json"]).ok();
    let json = said.json();
    assert_eq!((&json["kind"], &json["state"]), (&"lock".into(), &"locked".into()), "{}", said.told());
    assert_eq!((&json["scope"], &json["actor"]), (&scope.into(), &(*desk.name).into()), "{}", said.told());
    assert_eq!((&json["reason"], &json["incident"]), (&"Somebody is in it.".into(), &"INC-9".into()));
    json
}

fn id(case: &Value) -> String {
    case["id"].as_str().unwrap().to_owned()
}

/// Nothing is issued, and the refusal names rule, lock, reason and who may lift it.
#[track_caller]
fn holds_back(place: &Place, ledger: &Path, case: &str, lock: &Value, roots: &str) {
    let said = place.desk("minter", ledger).mints().exits(3);
    assert_eq!(said.json()["issued"].as_array().map(Vec::len), Some(0), "{}", said.told());
    said.mentions(&[case, "A04", &id(lock), "Somebody is in it.", roots, "INC-9"]);
}

#[test]
fn each_scope_stops_the_minter_and_unlocking_lets_it_go_on() {
    if absent("each_scope_stops_the_minter_and_unlocking_lets_it_go_on", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 1);
    let (dave, rita, minter) =
        (place.desk("dave", &ledger), place.desk("rita", &ledger), place.desk("minter", &ledger));
    let case = approved(&place, &ledger);
    for scope in ["member:alice", "target:payments-db", "environment:prod", "ledger"] {
        let lock = locks(&dave, scope);
        holds_back(&place, &ledger, &case, &lock, "1 of root (raj, rita)");
        assert_eq!(dave.sees(&case)["locked"]["id"], lock["id"], "{scope}");
        // One root member is enough here: proposed and enacted in one go.
        let said = rita.jit(&["unlock", &id(&lock), "--reason", "It was a drill.", "--yes", "--json"]).ok();
        assert_eq!(said.json()["state"], "enacted", "{}", said.told());
        assert_eq!(said.json()["lock"], lock["case"], "{}", said.told());
        assert_eq!(dave.sees(&id(&lock))["state"], "lifted", "{scope}");
        assert_eq!(dave.sees(&case)["locked"], Value::Null, "{scope}");
    }
    // A lock of somebody else does not hold it back.
    locks(&dave, "member:bob");
    let said = minter.mints().ok();
    assert_eq!(said.json()["issued"][0]["id"], *case, "{}", said.told());
    // Whoever does not know this program sees a sound history.
    let verified = dave.jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["voids"].as_array().map(Vec::len), Some(0), "{verified:#}");
    place.is_sound(&ledger);
}

#[test]
fn a_lock_is_lifted_by_the_quorum_only() {
    if absent("a_lock_is_lifted_by_the_quorum_only", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 2);
    let desk = |name: &str| place.desk(name, &ledger);
    let case = approved(&place, &ledger);
    let lock = locks(&desk("dave"), "target:payments-db");
    let lock_id = id(&lock);
    // Nobody has proposed anything yet.
    desk("rita").jit(&["unlock", &lock_id, "--enact", "--yes"]).refused(1).mentions(&["nobody has proposed"]);
    // Whoever set it does not lift it: dave's proposal counts for nothing, as he is no root member.
    let said = desk("dave").jit(&["unlock", &lock_id, "--reason", "It is over.", "--yes", "--json"]).ok();
    let proposal = said.text("id");
    let json = said.json();
    assert_eq!(json["state"], "pending", "{}", said.told());
    let waiting = &json["waiting_on"][0];
    assert_eq!((&waiting["group"], &waiting["count"]), (&"root".into(), &2.into()), "{}", said.told());
    assert_eq!(waiting["members"], serde_json::json!(["raj", "rita"]), "{}", said.told());
    // No other member approves, nobody enacts before the quorum.
    desk("bob").jit(&["approve", &proposal, "--yes"]).refused(3).mentions(&["A03"]);
    desk("rita").jit(&["approve", &proposal, "--yes", "--json"]).ok();
    desk("rita").jit(&["unlock", &lock_id, "--enact", "--yes"]).refused(8).mentions(&["1 of root (raj)"]);
    holds_back(&place, &ledger, &case, &lock, "2 of root (raj, rita)");
    // A second call proposes nothing a second time.
    let head = place.head(&ledger);
    let again = desk("rita").jit(&["unlock", &lock_id, "--reason", "It is over.", "--yes", "--json"]).ok();
    assert_eq!(again.text("id"), proposal, "{}", again.told());
    assert_eq!(place.head(&ledger), head);
    let last = desk("raj").jit(&["approve", &proposal, "--yes", "--json"]).ok();
    assert_eq!(last.json()["state"], "approved", "{}", last.told());
    let last = last.mentions(&[&format!("jit unlock {lock_id} --enact")]);
    assert_eq!(desk("dave").sees(&lock_id)["state"], "locked", "{}", last.told());
    // Named by the proposal it does the same.
    let said = desk("rita").jit(&["unlock", &proposal, "--enact", "--yes", "--json"]).ok();
    assert_eq!(said.json()["state"], "enacted", "{}", said.told());
    assert_eq!(desk("dave").sees(&lock_id)["state"], "lifted");
    assert_eq!(desk("minter").mints().ok().json()["issued"][0]["id"], *case);
    // What is lifted is no lock any more.
    desk("rita").jit(&["unlock", &lock_id, "--reason", "Again.", "--yes"]).refused(3).mentions(&["A12", "lifted"]);
    desk("rita").jit(&["unlock", &case, "--reason", "Again.", "--yes"]).refused(3).mentions(&["A12", "no lock"]);
}

#[test]
fn who_may_not_lock_is_told_before_anything_is_signed() {
    if absent("who_may_not_lock_is_told_before_anything_is_signed", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 1);
    let head = place.head(&ledger);
    for (name, arguments) in [
        ("alice", &["lock", "ledger", "--reason", "Why not?", "--yes"][..]),
        // Not even a root member, who could change the policy.
        ("rita", &["lock", "member:bob", "--reason", "Why not?", "--yes"][..]),
        ("db1", &["lock", "ledger", "--reason", "Why not?", "--yes"][..]),
        ("bob", &["panic", "--reason", "Help!", "--yes"][..]),
        // Before anybody is asked for words.
        ("bob", &["lock", "ledger"][..]),
    ] {
        let said = place.desk(name, &ledger).jit(arguments).refused(3);
        said.mentions(&["A12", "security (dave, erin)", "service minter"]);
    }
    let dave = place.desk("dave", &ledger);
    // A name that nothing has would stop nothing.
    for scope in ["member:alcie", "member:minter", "target:payments", "environment:staging"] {
        let said = dave.jit(&["lock", scope, "--reason", "Somebody is in it.", "--yes"]).refused(3);
        said.mentions(&["nothing would be locked"]);
    }
    for scope in ["alice", "host:db1", "ledger:all", "member:"] {
        dave.jit(&["lock", scope, "--reason", "Somebody is in it.", "--yes"]).exits(2);
    }
    dave.jit(&["lock", "ledger", "--yes"]).exits(2).mentions(&["--reason"]);
    dave.jit(&["lock", "--reason", "Somebody is in it.", "--yes"]).exits(2).mentions(&["scope"]);
    dave.jit(&["lock", "ledger", "--reason", "...", "--yes"]).refused(3).mentions(&["E03"]);
    dave.jit(&["lock", "ledger", "--reason", "Somebody is in it."]).exits(2).mentions(&["--yes"]);
    assert_eq!(place.head(&ledger), head);
    // A service may.
    locks(&place.desk("minter", &ledger), "ledger");
}

#[test]
fn a_standing_lock_is_seen_wherever_somebody_would_run_into_it() {
    if absent("a_standing_lock_is_seen_wherever_somebody_would_run_into_it", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 1);
    let desk = |name: &str| place.desk(name, &ledger);
    let live = approved(&place, &ledger);
    desk("minter").mints().ok();
    let pending = desk("alice").opens("20m");
    let said = desk("dave").jit(&["lock", "member:alice", "--reason", "Her laptop is gone.", "--yes"]).ok();
    assert!(said.out.contains("1 live case with 0 open sessions; 1 case waiting"), "{}", said.told());
    let listed = desk("bob").jit(&["list", "--state", "locked", "--json"]).ok().json();
    let lock = id(&listed);
    let names = [lock.as_str(), "member:alice", "dave", "Her laptop is gone.", "1 of root (raj, rita)"];

    // At the top of the status, before anything else.
    let status = desk("bob").jit(&["status"]).ok();
    let first = status.out.lines().next().unwrap_or_default();
    assert!(first.contains("LOCKED") && first.contains("member:alice"), "{}", status.told());
    let shows =
        |said: &Said, text: &str| names.iter().for_each(|word| assert!(text.contains(word), "{word}\n{}", said.told()));
    shows(&status, &status.out);
    let shown = desk("bob").jit(&["show", &live]).ok();
    shows(&shown, &shown.out);
    let said = desk("bob").jit(&["list"]).ok();
    assert!(said.out.contains(&format!("LOCKED ({lock}); live")), "{}", said.told());
    assert_eq!(desk("bob").sees(&pending)["locked"]["id"], *lock);

    // The credential is there, and opens nothing.
    for arguments in [&["credential", &live][..], &["ssh", "db1"], &["exec", &live, "--", "true"]] {
        let said = desk("alice").jit(arguments).refused(3);
        assert_eq!(said.out, "", "{}", said.told());
        said.mentions(&names);
    }
    // Who asks anew, and who would approve, know before they sign.
    let said = desk("alice").asks("10m").ok();
    assert_eq!(said.json()["state"], "pending", "{}", said.told());
    said.mentions(&names);
    let said = desk("bob").jit(&["approve", &pending]).exits(2);
    assert_eq!(desk("bob").sees(&pending)["approvals"].as_array().map(Vec::len), Some(0), "{}", said.told());
    said.mentions(&names);
    // An approver of the unlock sees what it lifts.
    let proposal =
        desk("dave").jit(&["unlock", &lock, "--reason", "She has a new key.", "--yes", "--json"]).ok().text("id");
    let said = desk("raj").jit(&["approve", &proposal]).exits(2);
    said.mentions(&["lifts", "the lock of member:alice", "Her laptop is gone.", "She has a new key.", &live, &pending]);
}

#[test]
fn panic_stops_everything_and_fits_on_one_screen() {
    if absent("panic_stops_everything_and_fits_on_one_screen", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 2);
    let case = approved(&place, &ledger);
    place.desk("minter", &ledger).mints().ok();
    let dave = place.desk("dave", &ledger);
    let said = dave.jit(&["panic", "--reason", "Unknown people are in.", "--yes"]).ok();
    let lock = id(&dave.jit(&["list", "--state", "locked", "--json"]).ok().json());
    for word in
        ["THE LEDGER IS LOCKED", "Unknown people are in.", "1 live case", "0 open sessions", "2 of root (raj, rita)"]
    {
        assert!(said.out.contains(word), "{word}\n{}", said.told());
    }
    for command in [
        format!("jit unlock {lock} --reason"),
        format!("git bundle create {lock}.bundle main"),
        format!("jit show {case}"),
        "jit list --state live".to_owned(),
    ] {
        assert!(said.out.contains(&command), "{command}\n{}", said.told());
    }
    assert!(said.out.lines().count() <= 24, "{}", said.told());
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.told());
    // The commands are as typed: evidence of it is one that git reads again.
    let bundle = format!("{lock}.bundle");
    place.git(&ledger, &["bundle", "create", &bundle, "main"]);
    place.git(&ledger, &["bundle", "verify", &bundle]);
    fs::remove_file(ledger.join(&bundle)).unwrap();
    // Twice is once.
    let head = place.head(&ledger);
    let again = dave.jit(&["panic", "--json"]).ok();
    assert_eq!(again.text("id"), lock, "{}", again.told());
    assert_eq!(again.json()["stopped"]["live"], serde_json::json!([case]), "{}", again.told());
    assert_eq!(place.head(&ledger), head);
    // Emergencies too.
    let mut arguments = common::request("payments-db/read-only", "10m", "The payments are down.");
    arguments.extend(["--emergency", "--incident", "INC-1"]);
    place.desk("alice", &ledger).jit(&arguments).ok();
    let said = place.desk("minter", &ledger).mints().exits(3);
    assert_eq!(said.json()["issued"].as_array().map(Vec::len), Some(0), "{}", said.told());
}

#[test]
fn what_two_locks_stop_stays_stopped_when_one_is_lifted() {
    if absent("what_two_locks_stop_stays_stopped_when_one_is_lifted", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 1);
    let case = approved(&place, &ledger);
    let (dave, rita) = (place.desk("dave", &ledger), place.desk("rita", &ledger));
    let (small, large) = (locks(&dave, "member:alice"), locks(&dave, "ledger"));
    // Who locks a second time is told, and may.
    let third =
        dave.jit(&["lock", "ledger", "--reason", "Somebody is in it.", "--incident", "INC-9", "--yes", "--json"]);
    let third = third.ok().mentions(&["locked already", &id(&large)]).json();
    for (lock, stays) in [(&large, 2), (&third, 1)] {
        let said = rita.jit(&["unlock", &id(lock), "--reason", "It was alice's laptop.", "--yes"]).ok();
        assert!(said.out.contains("0 live cases with 0 open sessions; 0 cases waiting"), "{}", said.told());
        assert_eq!(said.err.matches("Still locked").count(), stays, "{}", said.told());
        holds_back(&place, &ledger, &case, &small, "1 of root (raj, rita)");
    }
    let said = rita.jit(&["unlock", &id(&small), "--reason", "She has a new key.", "--yes"]).ok();
    assert!(said.out.contains("1 case waiting"), "{}", said.told());
    assert_eq!(place.desk("minter", &ledger).mints().ok().json()["issued"][0]["id"], *case);
    // People propose, services do not.
    let lock = locks(&dave, "ledger");
    let said = place.desk("minter", &ledger).jit(&["unlock", &id(&lock), "--reason", "Go on.", "--yes"]).refused(3);
    said.mentions(&["A10", "not a member"]);
}

#[test]
fn a_lock_that_was_not_delivered_is_not_told_as_done() {
    if absent("a_lock_that_was_not_delivered_is_not_told_as_done", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let clone = place.path("clone");
    let dave = place.desk("dave", &clone);
    dave.clones(&remote);
    let away = place.path("away.git");
    fs::rename(&remote, &away).unwrap();
    let said = dave.jit(&["lock", "ledger", "--reason", "Somebody is in it.", "--yes"]).exits(1);
    let said = said.mentions(&["ledger is NOT locked yet", "outbox", "jit sync"]);
    assert!(!said.out.contains("Locked"), "{}", said.told());
    fs::rename(&away, &remote).unwrap();
    dave.jit(&["sync"]).ok();
    let there = place.desk("erin", &remote).jit(&["list", "--state", "locked", "--json"]).ok();
    assert_eq!(there.text("scope"), "ledger", "{}", there.told());
}

#[test]
fn a_lock_is_asked_for_and_shown_before_it_is_signed() {
    if absent("a_lock_is_asked_for_and_shown_before_it_is_signed", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, 1);
    let case = approved(&place, &ledger);
    let desk = place.desk("dave", &ledger);
    let key = desk.key.display().to_string();
    let screen = Terminal::open(&place, &desk.home, &ledger, &[("JIT_AS", "dave"), ("JIT_KEY", &key)]);
    let answers = [
        Answer { when: &["stop what"], keys: &["text:member:alice", "Enter"] },
        Answer { when: &["why"], keys: &["text:Her laptop is gone.", "Enter"] },
        Answer { when: &["sign this"], keys: &["text:y"] },
    ];
    let said = screen.converses("jit lock", &answers);
    assert_eq!(said.code, 0, "{}", said.all());
    let summary = said.when_asked(&["sign this"]);
    for word in
        ["member:alice", "Her laptop is gone.", "0 live cases", "1 case waiting", &case, "1 of root (raj, rita)"]
    {
        assert!(summary.contains(word), "{word} is not shown before the signature:\n{summary}");
    }
    let answers = [
        Answer { when: &["which lock"], keys: &["Enter"] },
        Answer { when: &["why"], keys: &["text:She has it again.", "Enter"] },
        Answer { when: &["sign this"], keys: &["text:y"] },
    ];
    let said = screen.converses(&format!("jit --as rita --key {} unlock", place.key("rita").display()), &answers);
    assert_eq!(said.code, 0, "{}", said.all());
    for (question, words) in [
        ("which lock", &["lock of member:alice"][..]),
        ("sign this proposal", &["the lock of member:alice", "Her laptop is gone.", "She has it again.", &case]),
        ("sign this enactment", &["the lock of member:alice"]),
    ] {
        let shown = said.when_asked(&[question]);
        words.iter().for_each(|word| assert!(shown.contains(word), "{word} is not shown at {question}:\n{shown}"));
    }
    assert_eq!(place.desk("dave", &ledger).jit(&["list", "--state", "locked", "--json"]).ok().out, "");
}
