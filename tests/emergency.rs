//! Break-glass: issued before anybody agrees, said so that nobody overlooks it, reviewed afterwards, one at a time.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::PathBuf;

use common::terminal::{Answer, Terminal};
use common::{Desk, Place, Said, absent, seconds, wait_past};

#[path = "common/harness.rs"]
mod common;

const ROLE: &str = "payments-db/read-only";

/// A ledger of the policy of seven people, changed by `edit`.
fn ledger(place: &Place, edit: impl Fn(String) -> String) -> PathBuf {
    let ledger = place.path("ledger");
    let policy = place.path("policy.toml");
    fs::write(&policy, edit(place.policy_text(1))).unwrap();
    let arguments = ["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--json"];
    place.desk("rita", &ledger).jit_anywhere(&arguments).ok();
    ledger
}

#[track_caller]
fn emergency(desk: &Desk<'_>, duration: &str, more: &[&str]) -> Said {
    let mut arguments = common::request(ROLE, duration, "The payments are down.");
    arguments.extend(["--emergency", "--incident", "INC-1"]);
    arguments.extend(more);
    desk.jit(&arguments)
}

fn review(desk: &Desk<'_>, case: &str) -> Said {
    let answers = ["--answer", "no lingering changes=yes", "--answer", "no open data streams=yes"];
    desk.jit(&[&["review", case][..], &answers, &["--verdict", "clean", "--yes", "--json"]].concat())
}

/// What stands between the edges of a box on a screen or a stream, line by line.
fn boxed(text: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("+=="));
    let edge = lines.next().unwrap_or_else(|| panic!("no box in\n{text}")).to_owned();
    let inside: Vec<String> = lines.take_while(|line| **line != edge).map(str::to_owned).collect();
    for line in &inside {
        assert!(line.starts_with("|  ") && line.ends_with("  |"), "{line:?}");
        assert_eq!(line.chars().count(), edge.len(), "{line:?}");
    }
    inside.iter().map(|line| line.trim_matches(['|', ' ']).to_owned()).collect()
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen"])
}

#[test]
fn it_is_issued_at_once_and_everybody_sees_it() {
    if gone("it_is_issued_at_once_and_everybody_sees_it") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text);
    let (alice, dave, erin) = (place.desk("alice", &ledger), place.desk("dave", &ledger), place.desk("erin", &ledger));

    // Loud on stderr whatever flags there are, and one object on stdout.
    let said = emergency(&alice, "10m", &["--quiet"]).ok();
    let told = boxed(&said.err).join(" ");
    for part in [
        "EMERGENCY ACCESS",
        "alice: payments-db/read-only for 10 min",
        "INC-1",
        "2 of security (dave, erin), within 12 h",
    ] {
        assert!(told.contains(part), "{part:?}\n{}", said.told());
    }
    let case = said.json();
    let id = case["id"].as_str().unwrap().to_owned();
    assert_eq!((&case["emergency"], &case["state"]), (&true.into(), &"pending".into()));
    assert_eq!(case["waiting_on"], serde_json::json!([]), "nobody has to agree");
    // Nobody's approval is wanted, and whoever gave one would be lost as a reviewer.
    assert_eq!(erin.jit(&["status", "--json"]).ok().json()["waiting_for_me"], serde_json::json!([]));
    dave.approves(&id).refused(3).mentions(&["issued without approvals", &format!("jit review {id}")]);

    let minted = place.desk("minter", &ledger).mints().ok().json();
    assert_eq!(minted["issued"][0]["id"], *id);
    // The certificate is real: ssh-keygen reads it, and it ends in time.
    let line = alice.jit(&["credential", &id]).ok().out;
    let file = place.path("issued-cert.pub");
    fs::write(&file, line).unwrap();
    let mut keygen = std::process::Command::new("ssh-keygen");
    keygen.arg("-L").arg("-f").arg(&file);
    let shown = place.run(keygen).ok().out;
    assert!(shown.contains("prod/payments-db/read-only") && shown.contains(&format!("jit:{id}:alice")), "{shown}");

    for (name, sees) in [
        ("alice", "It is yours: until they have reviewed it you can open no other emergency."),
        ("erin", &*format!("You are one of them, as soon as it has ended: jit review {id}")),
        ("bob", &format!("To end it at once: jit revoke {id} --reason \"why\"")),
        ("raj", "Reviewed by 2 of security (dave, erin), until"),
    ] {
        let said = place.desk(name, &ledger).jit(&["status"]).ok();
        assert!(said.out.starts_with("+=="), "it comes first\n{}", said.told());
        let told = boxed(&said.out).join(" ");
        for part in [&format!("EMERGENCY {id}"), "live, ends", "before anybody agreed. Incident: INC-1", sees] {
            assert!(told.contains(part), "{part:?} is not told to {name}\n{}", said.told());
        }
    }
    let status = alice.jit(&["status", "--json"]).ok().json();
    assert_eq!(status["emergencies"][0]["id"], *id);
    assert_eq!(status["overdue_emergencies"], 0);
    assert!(alice.jit(&["list"]).ok().out.contains("EMERGENCY payments-db/read-only"));
    assert_eq!(alice.jit(&["log"]).ok().out.matches(&format!("{id}  EMERGENCY")).count(), 2);
    let shown = alice.jit(&["show", &id]).ok().out;
    for part in [
        "EMERGENCY: the credential is issued before any approval",
        "Credential: prod serial 1",
        "Review by: 2 of security",
    ] {
        assert!(shown.contains(part), "{part:?}\n{shown}");
    }
    // The reviews are due 12 h after the end.
    let seen = alice.sees(&id);
    assert_eq!(seconds(&seen["review_due"]), seconds(&seen["ends"]) + 12 * 3600);
    assert_eq!(seen["review_overdue"], false);
}

#[test]
fn a_second_one_waits_for_the_review_of_the_first() {
    if gone("a_second_one_waits_for_the_review_of_the_first") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text);
    let (alice, dave, erin) = (place.desk("alice", &ledger), place.desk("dave", &ledger), place.desk("erin", &ledger));
    let minter = place.desk("minter", &ledger);
    // Two at once, before the minter comes: one is issued.
    let first = emergency(&alice, "10m", &[]).ok().text("id");
    let second = emergency(&alice, "10m", &[]).ok();
    assert!(second.err.contains(&format!("your emergency {first} waits for the minter already")), "{}", second.told());
    let second = second.text("id");
    for _ in 0..2 {
        let said = minter.mints().ok();
        said.mentions(&["A07", &format!("{second} is not minted"), &format!("alice's emergency {first}")]);
    }
    assert_eq!((&alice.sees(&first)["state"], &alice.sees(&second)["state"]), (&"live".into(), &"pending".into()));

    // The refusal names the case, the people, the command, and comes before anything is asked or signed.
    let head = place.head(&ledger);
    let said = emergency(&alice, "10m", &[]).refused(3);
    said.mentions(&[
        "A07",
        &first,
        "2 of security (dave, erin)",
        &format!("jit close {first}"),
        &format!("jit review {first}"),
    ]);
    assert_eq!(place.head(&ledger), head);
    alice.asks("30m").ok();
    alice.jit(&["close", &first, "--summary", "The queue was emptied.", "--yes"]).ok();
    let said = emergency(&alice, "10m", &[]).refused(3).mentions(&[&format!("dave, erin run: jit review {first}")]);
    assert!(!said.err.contains("jit close"), "{}", said.told());

    // A reviewer sees it before all else.
    let ordinary = alice.opens("5m");
    for name in ["bob", "dave"] {
        place.desk(name, &ledger).approves(&ordinary).ok();
    }
    minter.mints().ok();
    alice.jit(&["close", &ordinary, "--summary", "Read.", "--yes"]).ok();
    let status = erin.jit(&["status", "--json"]).ok().json();
    let mine: Vec<&str> = status["to_review"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(mine, [&*first, &*ordinary]);
    let said = erin.jit(&["status"]).ok().mentions(&[&format!("Hint: jit review {first}")]);
    assert!(
        boxed(&said.out).join(" ").contains(&format!("You are one of them, now: jit review {first}")),
        "{}",
        said.told()
    );
    // dave approved the ordinary one, and so does not review it.
    let status = dave.jit(&["status", "--json"]).ok().json();
    assert_eq!(status["to_review"].as_array().map(Vec::len), Some(1), "{status:#}");

    review(&dave, &first).ok();
    emergency(&alice, "10m", &[]).refused(3).mentions(&["1 of security (erin)"]);
    let reviewed = review(&erin, &first).ok().json();
    assert_eq!((&reviewed["state"], reviewed["reviews"].as_array().map(Vec::len)), (&"reviewed".into(), Some(2)));
    // Now the one that waited is issued.
    let minted = minter.mints().ok().json();
    assert_eq!(minted["issued"][0]["id"], *second);
    place.desk("erin", &ledger).jit(&["verify", "--strict"]).ok();
}

#[test]
fn what_the_policy_does_not_allow_is_refused_before_it_is_signed() {
    if gone("what_the_policy_does_not_allow_is_refused_before_it_is_signed") {
        return;
    }
    let place = Place::new();
    let operator = "\n[target.payments-db.role.operator]";
    let ledger = ledger(&place, |text| {
        let at = text.find(operator).unwrap();
        let (head, tail) = text.split_at(at);
        let tail: String =
            tail.lines().filter(|line| !line.starts_with("emergency")).map(|line| format!("{line}\n")).collect();
        format!("{head}{tail}")
    });
    let alice = place.desk("alice", &ledger);
    let head = place.head(&ledger);
    let mut arguments = common::request(ROLE, "10m", "Down.");
    arguments.push("--emergency");
    alice.jit(&arguments).refused(2).mentions(&["--incident"]);
    emergency(&alice, "16m", &[]).refused(3).mentions(&["A07", "15m"]);
    emergency(&place.desk("bob", &ledger), "10m", &[]).refused(3).mentions(&["A07", "on-call"]);
    emergency(&alice, "10m", &["--at", "2030-01-01T00:00Z"]).exits(2).mentions(&["--emergency", "--at"]);
    let mut arguments = common::request("payments-db/operator", "10m", "Down.");
    arguments.extend(["--emergency", "--incident", "INC-1", "--least-privilege", "It writes."]);
    alice.jit(&arguments).refused(3).mentions(&["A07", "no emergency access"]);
    let dry = emergency(&alice, "10m", &["--dry-run"]).ok();
    assert_eq!(dry.json()["waiting_on"], serde_json::json!([]));
    assert!(dry.err.contains("EMERGENCY ACCESS"), "{}", dry.told());
    assert_eq!(place.head(&ledger), head, "nothing was appended");
}

/// What continues an emergency is an ordinary request: it has approvals, and no gap.
#[test]
fn an_emergency_is_extended_with_approvals() {
    if gone("an_emergency_is_extended_with_approvals") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text);
    let alice = place.desk("alice", &ledger);
    let first = emergency(&alice, "10m", &[]).ok().text("id");
    place.desk("minter", &ledger).mints().ok();
    let said = alice.jit(&["extend", &first, "--for", "30m", "--yes", "--json"]).ok();
    let said = said.mentions(&["was an emergency", "waits for approvals", "ends with it"]);
    let later = said.json();
    assert_eq!((&later["emergency"], &later["state"]), (&false.into(), &"pending".into()));
    assert_eq!(later["extends"], alice.sees(&first)["case"]);
    assert_eq!(alice.sees(&first)["extended_by"], later["case"]);
}

#[test]
fn scripts_notice_an_overdue_review() {
    if gone("scripts_notice_an_overdue_review") {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text.replace("count = 2, within = \"12h\"", "count = 2, within = \"1s\""));
    let alice = place.desk("alice", &ledger);
    let id = emergency(&alice, "10m", &[]).ok().text("id");
    place.desk("minter", &ledger).mints().ok();
    let erin = place.desk("erin", &ledger);
    erin.jit(&["status"]).ok();
    alice.jit(&["close", &id, "--summary", "Done.", "--yes"]).ok();
    wait_past(seconds(&alice.sees(&id)["review_due"]));

    let said = erin.jit(&["status"]).exits(4);
    assert!(boxed(&said.out).join(" ").contains("ITS REVIEW IS OVERDUE"), "{}", said.told());
    let status = place.desk("raj", &ledger).jit(&["status", "--json"]).exits(4).json();
    assert_eq!(
        (&status["overdue_emergencies"], &status["emergencies"][0]["review_overdue"]),
        (&1.into(), &true.into())
    );
    // A finding, not a fault: the ledger is in order, and minting goes on.
    let verdict = erin.jit(&["verify", "--json"]).ok().json();
    assert_eq!((&verdict["findings"][0]["code"], &verdict["ok"]), (&"F01".into(), &true.into()));
    erin.jit(&["verify", "--strict"]).exits(4);
    assert!(erin.jit(&["list", "--state", "overdue"]).ok().out.contains(&id));
    emergency(&alice, "10m", &[]).refused(3).mentions(&["OVERDUE since", "dave, erin"]);
    review(&erin, &id).ok();
    review(&place.desk("dave", &ledger), &id).ok();
    let said = erin.jit(&["status"]).ok();
    assert!(!said.out.contains("EMERGENCY"), "{}", said.told());
}

/// At a terminal the box stands before the question, with colours and in a narrow window.
#[test]
fn nobody_signs_it_without_having_read_it() {
    if absent("nobody_signs_it_without_having_read_it", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let ledger = ledger(&place, |text| text);
    let alice = place.desk("alice", &ledger);
    let key = alice.key.display().to_string();
    let variables = [("JIT_AS", "alice"), ("JIT_KEY", &*key), ("COLUMNS", "60")];
    let screen = Terminal::open(&place, &alice.home, &alice.ledger, &variables);
    let line = format!(
        "jit request {ROLE} --for 10m --reason Down. --ticket INC-1 --risk high --impact Rows. --rollback None. \
         --emergency --incident INC-1"
    );
    let said = screen.converses(&line, &[Answer { when: &["sign this request"], keys: &["text:n"] }]);
    let shown = said.when_asked(&["sign this request"]);
    let told = boxed(shown).join(" ");
    assert!(told.contains("EMERGENCY ACCESS") && told.contains("2 of security (dave, erin)"), "{shown}");
    assert_ne!(said.code, 0, "{}", said.all());
    assert_eq!(place.commits(&ledger).len(), 1);
}
