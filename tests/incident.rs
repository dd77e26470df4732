//! `jit incident`: what is tied to an incident, what merely overlapped it, by when others must be told, and the evidence
//! that can be carried away.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use common::{Place, absent, request};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

struct Night {
    place: Place,
    ledger: PathBuf,
    /// Names the incident.
    named: String,
    /// Names nothing, was revoked for the incident.
    revoked: String,
    /// On the same target, and names nothing.
    beside: String,
    /// The lock that names it.
    lock: String,
}

fn night() -> Night {
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let alice = place.desk("alice", &ledger);
    let asks = |more: &[&str]| {
        let mut arguments = request("payments-db/read-only", "30m", "Payments are stuck.");
        arguments.extend(more);
        alice.jit(&arguments).ok().text("id")
    };
    let named = asks(&["--incident", "INC-7"]);
    let beside = asks(&[]);
    let revoked = asks(&[]);
    let other = asks(&["--incident", "INC-8"]);
    assert_ne!(named, other);
    let dave = place.desk("dave", &ledger);
    let revoke = ["revoke", &revoked, "--reason", "It was not alice.", "--incident", "INC-7", "--yes", "--json"];
    dave.jit(&revoke).ok();
    let lock =
        ["lock", "target:payments-db", "--reason", "Somebody is in it.", "--incident", "INC-7", "--yes", "--json"];
    let lock = dave.jit(&lock).ok().text("id");
    Night { place, ledger, named, revoked, beside, lock }
}

fn ids(report: &Value) -> BTreeSet<String> {
    report["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_tied_and_what_overlapped_stand_apart() {
    if absent("what_is_tied_and_what_overlapped_stand_apart", &["git", "ssh-keygen"]) {
        return;
    }
    let night = night();
    let rita = night.place.desk("rita", &night.ledger);
    let said = rita.jit(&["incident", "INC-7", "--json"]).ok();
    let told = said.json();
    let tied = ids(&told["timeline"]);
    assert_eq!(tied, BTreeSet::from([night.named.clone(), night.revoked.clone(), night.lock.clone()]));
    let apart = ids(&told["overlapped"]);
    assert!(apart.contains(&night.beside) && apart.is_disjoint(&tied), "{apart:?}");
    assert_eq!(apart.len(), 2, "the other incident's case on the same target overlapped as well");
    let rows = told["overlapped"]["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["shares"] == "target payments-db"), "{rows:?}");
    // In the log's order, and the same as the auditor's report.
    let audit = rita.jit(&["audit", "incident", "INC-7", "--json"]).ok().json();
    assert_eq!(told["timeline"]["rows"], audit["rows"]);
    let positions: Vec<u64> =
        audit["rows"].as_array().unwrap().iter().map(|row| row["position"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted() && positions.len() == 4, "{positions:?}");

    let text = rita.jit(&["incident", "INC-7"]).ok().out;
    let (first, second) = text.split_once("Overlapped INC-7 on the same targets, and does not name it\n").unwrap();
    assert!(first.contains(&night.lock) && !first.contains(&night.beside), "{text}");
    assert!(second.contains(&night.beside) && !second.contains(&night.lock), "{text}");
    assert_eq!(text.matches("Ledger:").count(), 1, "{text}");

    let listed = rita.jit(&["incident", "list", "--json"]).ok().json();
    let listed = listed["incidents"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["incident"], &listed[0]["open"]), (&Value::from("INC-7"), &Value::from(2)));
    assert_eq!(listed[0]["cases"].as_array().map(Vec::len), Some(3));
    let text = rita.jit(&["incident", "list"]).ok().out;
    assert!(text.contains("INC-7") && text.contains("INC-8"), "{text}");
    for arguments in [&["incident", "INC-9"][..], &["incident", "clock", "INC-9"], &["incident", "export", "INC-9"]] {
        rita.jit(arguments).refused(1).mentions(&["INC-9"]);
    }
    rita.jit(&["incident"]).exits(2);
}

#[test]
fn the_clocks_run_from_what_was_determined() {
    if absent("the_clocks_run_from_what_was_determined", &["git", "ssh-keygen", "date"]) {
        return;
    }
    let night = night();
    let rita = night.place.desk("rita", &night.ledger);
    // What `date` says of 36 and 72 hours later.
    let later = |from: &str, hours: u32| {
        let mut command = Command::new("date");
        command.args(["-u", "-d", &format!("{from} +{hours} hours"), "+%Y-%m-%dT%H:%M:%SZ"]);
        night.place.run(command).ok().out.trim().to_owned()
    };
    let from = "2026-10-24T23:30:00Z";
    let at = "2026-10-26T11:31:00Z";
    let arguments = ["incident", "clock", "INC-7", "--determined-at", from, "--at", at, "--json"];
    let told = rita.jit(&arguments).ok().json();
    let clocks = told["clocks"].as_array().unwrap();
    let rows: Vec<(&str, String, i64)> = clocks
        .iter()
        .map(|it| {
            let by = it["by"].as_str().unwrap().to_owned();
            (it["rule"].as_str().unwrap(), by, it["seconds_left"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(rows[0], ("12 CFR 53.3", later(from, 36), -60));
    assert_eq!(rows[1], ("23 NYCRR 500.17(a)(1)", later(from, 72), 36 * 3600 - 60));
    let text = rita.jit(&arguments[..arguments.len() - 1]).ok().out;
    assert!(text.contains("over, by 1 min") && text.contains("35 h left"), "{text}");

    // Nobody determined anything: from the first event, which says so.
    let said = rita.jit(&["incident", "clock", "INC-7"]).ok();
    assert!(said.out.contains("cannot have begun before"), "{}", said.told());
    assert!(said.err.contains("--determined-at"), "{}", said.told());
    let told = rita.jit(&["incident", "clock", "INC-7", "--json"]).ok().json();
    assert!(told["determined_at"].is_null());
    assert_eq!(told["from"], told["first_event"]);
    assert_eq!(told["clocks"][0]["by"], later(told["from"].as_str().unwrap(), 36));
    for word in ["compliant", "comply", "complies"] {
        assert!(!said.out.contains(word), "{}", said.told());
    }
}

#[test]
fn the_evidence_of_an_incident_checks_out_elsewhere() {
    if absent("the_evidence_of_an_incident_checks_out_elsewhere", &["git", "ssh-keygen", "tar"]) {
        return;
    }
    let night = night();
    let rita = night.place.desk("rita", &night.ledger);
    let out = night.place.path("inc-7.tar.gz");
    let said = rita.jit(&["incident", "export", "INC-7", "--out", out.to_str().unwrap(), "--json"]).ok();
    assert_eq!(said.json()["cases"], 3, "{}", said.told());
    let same = night.place.path("same.tar.gz");
    rita.jit(&["audit", "bundle", "--incident", "INC-7", "--out", same.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&same).unwrap());
    // The same as the auditor's, whose checking by ssh-keygen and sha256sum tests/bundle.rs shows.
    let mut list = Command::new("tar");
    list.arg("tzf").arg(&out);
    let names = night.place.run(list).ok().out;
    assert!(names.contains(&night.revoked) && !names.contains(&night.beside), "{names}");
}
