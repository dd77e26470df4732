//! What goes wrong in daily use: each a clear error with a hint and the right exit code, and nothing half-written. The
//! ledger's head is where it was, `git fsck` finds nothing, and the same command goes through when the cause is gone.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;

use common::disk::Disk;
use common::{Desk, Place, Said, absent, request, skip};

#[path = "common/harness.rs"]
mod common;

const REASON: &str = "Payments are stuck; the queue table has to be read.";

/// Runs a command that is to be refused: the code, `Error:`, `Hint:`, and the ledger as it was.
#[track_caller]
fn refused(place: &Place, desk: &Desk<'_>, arguments: &[&str], code: i32) -> Said {
    let before = place.head(&desk.ledger);
    let said = desk.jit(arguments).refused(code);
    assert_eq!(place.head(&desk.ledger), before, "the head moved\n{}", said.told());
    place.is_sound(&desk.ledger);
    said
}

#[test]
fn what_the_policy_forbids_is_refused_before_it_is_signed() {
    if absent("what_the_policy_forbids_is_refused_before_it_is_signed", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let [alice, bob, dave] = ["alice", "bob", "dave"].map(|name| place.desk(name, &ledger));
    let unknown = request("payments-db/superuser", "30m", REASON);
    refused(&place, &alice, &unknown, 3).mentions(&["superuser"]);
    let unknown = request("other-db/read-only", "30m", REASON);
    refused(&place, &alice, &unknown, 3).mentions(&["other-db"]);
    let long = request("payments-db/read-only", "3h", REASON);
    refused(&place, &alice, &long, 3).mentions(&["2h"]);
    let empty = request("payments-db/read-only", "30m", ".");
    let said = refused(&place, &alice, &empty, 3);
    assert!(said.err.contains("reason") || said.err.contains("need"), "which text says nothing\n{}", said.told());
    let ticket: Vec<&str> = request("payments-db/read-only", "30m", REASON)
        .into_iter()
        .map(|word| if word == "INC-4711" { "none" } else { word })
        .collect();
    refused(&place, &alice, &ticket, 3).mentions(&["ticket"]);
    // Bob is in no group that may ask.
    refused(&place, &bob, &request("payments-db/read-only", "30m", REASON), 3).mentions(&["developers"]);

    let case = alice.opens("30m");
    refused(&place, &alice, &["approve", &case, "--yes"], 3);
    bob.approves(&case).ok();
    refused(&place, &bob, &["approve", &case, "--yes"], 3);
    // The second of sre is one too many; the quorum wants one of security.
    let carol = place.desk("carol", &ledger);
    let said = carol.approves(&case);
    assert!([0, 3].contains(&said.code), "{}", said.told());
    let said = alice.jit(&["show", &case, "--json"]).ok();
    assert_eq!(said.text("state"), "pending", "two of sre are not one of each\n{}", said.told());
    // Only a service mints.
    let authority = format!("prod={}", place.key("ca-prod").display());
    refused(&place, &dave, &["mint", "--ca", &authority], 3);
    // And only the requester withdraws.
    refused(&place, &dave, &["withdraw", &case, "--yes"], 3);
}

#[test]
fn a_wrong_key_signs_nothing() {
    if absent("a_wrong_key_signs_nothing", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let case = place.desk("alice", &ledger).opens("30m");
    let mut desk = place.desk("bob", &ledger);
    for (key, code) in [("dave", 3), ("alice", 3), ("ca-prod", 3)] {
        desk.key = place.key(key);
        refused(&place, &desk, &["approve", &case, "--yes"], code).mentions(&["bob"]);
    }
    desk.key = place.make_key("stranger");
    refused(&place, &desk, &["approve", &case, "--yes"], 3);
    desk.key = place.path("no-such-key");
    refused(&place, &desk, &["approve", &case, "--yes"], 1).mentions(&["no-such-key"]);
    desk.key = place.path("policy.toml");
    fs::set_permissions(&desk.key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    refused(&place, &desk, &["approve", &case, "--yes"], 1).mentions(&["policy.toml"]);
    // A CA key that is not the environment's.
    desk.key = place.key("bob");
    desk.approves(&case).ok();
    place.desk("dave", &ledger).approves(&case).ok();
    let other = format!("prod={}", place.key("log").display());
    let said = refused(&place, &place.desk("minter", &ledger), &["mint", "--ca", &other], 1);
    assert!(!said.out.contains("cert-v01"));
}

#[test]
fn a_typo_in_a_policy_is_found_with_line_and_column() {
    if absent("a_typo_in_a_policy_is_found_with_line_and_column", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let good = place.policy_text(1);
    let typos = [
        ("max_duration = \"2h\"", "max_duraton = \"2h\"", "max_dura"),
        ("threshold = 1", "threshold = \"one\"", "threshold"),
        ("requesters = [\"developers\"]", "requesters = [\"developer\"]", "developer"),
        ("max_duration = \"2h\"", "max_duration = \"2 hours\"", "2 hours"),
        ("name = \"acme/production\"", "name = \"acme/production", ""),
    ];
    for (right, wrong, word) in typos {
        let text = good.replacen(right, wrong, 1);
        let line = 1 + text[..text.find(wrong).unwrap()].matches('\n').count();
        let file = place.path("typo.toml");
        fs::write(&file, &text).unwrap();
        let ledger = place.path("typo-ledger");
        let rita = place.desk("rita", &ledger);
        let place_of = format!("{line}:");
        for arguments in [
            vec!["policy", "check", file.to_str().unwrap()],
            vec!["init", ledger.to_str().unwrap(), "--policy", file.to_str().unwrap()],
        ] {
            let said = rita.jit_anywhere(&arguments).refused(3).mentions(&[word]);
            let named = said.err.contains(&place_of)
                || said.err.contains(&format!("line {line}, column")) && !said.err.contains("line 0");
            assert!(named, "line {line} and its column are not named\n{}", said.told());
        }
        assert!(!ledger.join(".git").exists(), "no ledger was made of it");
    }
    fs::write(place.path("good.toml"), good).unwrap();
    let rita = place.desk("rita", &place.path("x"));
    rita.jit_anywhere(&["policy", "check", place.path("good.toml").to_str().unwrap()]).ok();
}

#[test]
fn a_directory_that_is_no_ledger_is_named() {
    if absent("a_directory_that_is_no_ledger_is_named", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let nothing = place.path("nothing");
    let empty = place.path("empty");
    fs::create_dir(&empty).unwrap();
    let other = place.path("other");
    place.git(&place.path("home"), &["init", "-q", "-b", "main", other.to_str().unwrap()]);
    fs::write(other.join("README"), "A repository of something else.\n").unwrap();
    place.git(&other, &["add", "."]);
    place.git(&other, &["-c", "user.name=x", "-c", "user.email=x@acme.example", "commit", "-q", "-m", "x"]);
    for ledger in [&nothing, &empty] {
        let desk = place.desk("alice", ledger);
        for arguments in [vec!["list"], vec!["verify"], request("payments-db/read-only", "10m", REASON)] {
            desk.jit(&arguments).refused(1).mentions(&[&ledger.display().to_string()]);
        }
    }
    assert!(!nothing.exists());
    assert!(fs::read_dir(&empty).unwrap().next().is_none(), "nothing was made there");
    // A repository whose history is no ledger is not opened as one, and not written to.
    let desk = place.desk("alice", &other);
    let head = place.head(&other);
    let said = desk.jit(&request("payments-db/read-only", "10m", REASON));
    assert!(![0, 2, 8].contains(&said.code), "{}", said.told());
    said.mentions(&["Error:", "Hint:"]);
    assert_eq!(place.head(&other), head);
    // An existing ledger is not made again over itself.
    let (ledger, _) = place.ledger("ledger", false);
    let before = place.head(&ledger);
    let policy = place.path("policy.toml");
    let rita = place.desk("rita", &ledger);
    rita.jit_anywhere(&["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap()]).refused(1);
    assert_eq!(place.head(&ledger), before);
}

#[test]
fn without_a_terminal_a_missing_answer_names_its_flag() {
    if absent("without_a_terminal_a_missing_answer_names_its_flag", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let alice = place.desk("alice", &ledger);
    let whole = request("payments-db/read-only", "30m", REASON);
    for flag in ["--for", "--reason", "--ticket", "--risk", "--impact", "--rollback", "--yes"] {
        let at = whole.iter().position(|word| *word == flag).unwrap();
        let mut arguments = whole.clone();
        arguments.drain(at..if flag == "--yes" { at + 1 } else { at + 2 });
        let before = place.head(&ledger);
        let said = alice.jit(&arguments).refused(2).mentions(&[flag]);
        assert_eq!(place.head(&ledger), before, "{}", said.told());
    }
    let case = alice.opens("30m");
    let dave = place.desk("dave", &ledger);
    for (arguments, word) in [
        (vec!["request"], "TARGET/ROLE"),
        (vec!["approve"], "CASE"),
        (vec!["approve", case.as_str()], "--yes"),
        (vec!["deny", case.as_str(), "--yes"], "--comment"),
    ] {
        let before = place.head(&ledger);
        dave.jit(&arguments).exits(2).mentions(&[word]);
        assert_eq!(place.head(&ledger), before);
    }
    // What cannot be read as what it should be is a usage error, too.
    for (right, wrong) in [("30m", "soon"), ("payments-db/read-only", "payments-db"), ("low", "none")] {
        let arguments: Vec<&str> = whole.iter().map(|word| if *word == right { wrong } else { word }).collect();
        alice.jit(&arguments).exits(2).mentions(&[wrong]);
    }
    place.is_sound(&ledger);
}

#[test]
fn an_unknown_case_is_an_error_of_its_own() {
    if absent("an_unknown_case_is_an_error_of_its_own", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let bob = place.desk("bob", &ledger);
    for arguments in [vec!["show", "aaaaaaaaaaaaaaaa"], vec!["approve", "aaaaaaaaaaaaaaaa", "--yes"]] {
        let said = bob.jit(&arguments);
        assert!([1, 2].contains(&said.code), "{}", said.told());
        said.mentions(&["Error:", "Hint:", "aaaaaaaaaaaaaaaa"]);
    }
}

/// A ledger on a disk of its own with one pending case; the desk of its requester.
fn on_disk<'p>(place: &'p Place, disk: &Path) -> Desk<'p> {
    let ledger = disk.join("ledger.git");
    let policy = place.policy(1);
    let rita = place.desk("rita", &ledger);
    rita.jit_anywhere(&["init", ledger.to_str().unwrap(), "--bare", "--policy", policy.to_str().unwrap()]).ok();
    let alice = place.desk("alice", &ledger);
    alice.opens("30m");
    alice
}

#[test]
fn a_full_disk_moves_nothing() {
    const TEST: &str = "a_full_disk_moves_nothing";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let Some(disk) = Disk::new(place.path("disk"), 4096) else {
        return skip(TEST, "tmpfs cannot be mounted here");
    };
    let alice = on_disk(&place, disk.path());
    let before = place.head(&alice.ledger);
    disk.fill();
    alice.asks("10m").refused(1).mentions(&["space"]);
    assert_eq!(place.head(&alice.ledger), before);
    // It can still be read and verified.
    let said = alice.jit(&["list", "--json"]);
    assert!(said.out.contains("pending"), "{}", said.told());
    disk.make_room();
    place.is_sound(&alice.ledger);
    alice.opens("10m");
    let said = alice.jit(&["verify", "--json"]).ok();
    assert_eq!(said.json()["size"], 3, "once\n{}", said.told());
    place.is_sound(&alice.ledger);
}

#[test]
fn a_read_only_disk_moves_nothing() {
    const TEST: &str = "a_read_only_disk_moves_nothing";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let Some(disk) = Disk::new(place.path("disk"), 4096) else {
        return skip(TEST, "tmpfs cannot be mounted here");
    };
    let alice = on_disk(&place, disk.path());
    let before = place.head(&alice.ledger);
    if !disk.remount("ro") {
        return skip(TEST, "it cannot be mounted again read-only");
    }
    alice.asks("10m").refused(1).mentions(&["read-only"]);
    assert_eq!(place.head(&alice.ledger), before);
    let said = alice.jit(&["verify"]);
    assert_eq!(said.code, 0, "what cannot be written can be verified\n{}", said.told());
    assert!(disk.remount("rw"));
    alice.opens("10m");
    place.is_sound(&alice.ledger);
}
