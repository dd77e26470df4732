//! The sample ledger, made by another producer from the format's page alone: `jit verify` says exactly the figures of its
//! `expected.json`. And what happens to a ledger that is pinned and then rewritten: exit 5, with both heads named.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::history::History;
use common::{Desk, Place, Said, absent};
use serde_json::{Value, json};

#[path = "common/harness.rs"]
mod common;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample")
}

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(vectors().join("expected.json")).unwrap()).unwrap()
}

/// A bare clone of the sample's bundle.
fn sample(place: &Place, name: &str) -> PathBuf {
    let ledger = place.path(name);
    let bundle = vectors().join("ledger.bundle");
    place.git(&place.path("home"), &["clone", "-q", "--bare", bundle.to_str().unwrap(), ledger.to_str().unwrap()]);
    ledger
}

fn verify(place: &Place, ledger: &Path) -> Said {
    let expected = expected();
    place.desk("alice", ledger).jit(&["verify", "--json", "--at", expected["at"].as_str().unwrap()])
}

#[test]
fn the_sample_verifies_with_exactly_its_figures() {
    if absent("the_sample_verifies_with_exactly_its_figures", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place, "sample.git");
    let said = verify(&place, &ledger).ok();
    let (got, expected) = (said.json(), expected());
    assert_eq!(got["ok"], true, "{}", said.told());
    for field in ["ledger", "head", "size", "root"] {
        assert_eq!(got[field], expected[field], "{field}\n{}", said.told());
    }
    let voids: Vec<Value> = got["voids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|void| json!({"commit": void["commit"], "code": void["code"], "acknowledged": void["acknowledged"]}))
        .collect();
    assert_eq!(Value::Array(voids), expected["voids"], "{}", said.told());
    let position = &got["voids"][0]["position"];
    let commits = place.commits(&ledger);
    assert_eq!(
        Some(commits[usize::try_from(position.as_u64().unwrap()).unwrap()].as_str()),
        got["voids"][0]["commit"].as_str()
    );
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for state in expected["states_at"].as_object().unwrap().values() {
        *counts.entry(state.as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(got["cases"], json!(counts), "{}", said.told());
    let said = place.desk("alice", &ledger).jit(&["verify"]).ok();
    assert!(said.out.contains(&format!("{} events, every signature", expected["size"])), "{}", said.told());
    assert_eq!(place.head(&ledger), expected["head"].as_str().unwrap(), "verifying writes nothing");
}

#[test]
fn the_order_of_reading_changes_nothing() {
    if absent("the_order_of_reading_changes_nothing", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place, "sample.git");
    // Loose objects instead of a pack, and a fresh clone with a work tree: the same verdict to the letter.
    let whole = verify(&place, &ledger).ok().json();
    let loose = place.path("loose.git");
    place.git(&place.path("home"), &["init", "-q", "--bare", "-b", "main", loose.to_str().unwrap()]);
    let unpack = ["-c", "fetch.unpackLimit=100000", "fetch", "-q", ledger.to_str().unwrap(), "+main:main"];
    place.git(&loose, &unpack);
    assert_eq!(verify(&place, &loose).ok().json(), whole);
    let tree = place.path("tree");
    let home = place.path("home");
    place.git(&home, &["clone", "-q", "-b", "main", ledger.to_str().unwrap(), tree.to_str().unwrap()]);
    assert_eq!(verify(&place, &tree).ok().json(), whole);
    // And once more where it was verified before: what was remembered agrees with what is read.
    assert_eq!(verify(&place, &ledger).ok().json(), whole);
}

/// What somebody who can force-push does to a history.
type Tampering = fn(&mut History, &Place);

/// Each way of tampering that rewrites what was there, and the first code that it breaks by the order of rules.md: a path no
/// longer is its event's digest; a later author saw more than lies before; the key is somebody else's.
const TAMPERINGS: [(&str, &str, Tampering); 4] = [
    ("one byte of an old event changed", "C04", |history, _| {
        history.edit(history.position("request"), "business_need = \"")
    }),
    ("a commit dropped", "L02", |history, _| history.drop_step(history.position("approval"))),
    ("two commits swapped", "L02", |history, _| history.swap(history.position("approval"))),
    ("a foreign signature", "K04", |history, place| {
        history.sign_again(place, history.position("approval"), "approval", &place.key("alice"));
    }),
];

/// A history of one case, at its issuance, in a bare ledger; the desk of its requester.
fn lived<'p>(place: &'p Place, name: &str) -> Desk<'p> {
    let (ledger, _) = place.ledger(name, true);
    let alice = place.desk("alice", &ledger);
    let case = alice.opens("30m");
    place.desk("bob", &ledger).approves(&case).ok();
    place.desk("dave", &ledger).approves(&case).ok();
    place.desk("minter", &ledger).mints().ok();
    alice.jit(&["verify"]).ok();
    alice
}

#[test]
fn writing_a_history_again_unchanged_gives_the_same_head() {
    if absent("writing_a_history_again_unchanged_gives_the_same_head", &["git", "ssh-keygen"]) {
        return;
    }
    // Otherwise the tampered ones would be caught for what our tool did, not for what was done to them.
    let place = Place::new();
    let ledger = sample(&place, "sample.git");
    assert_eq!(History::read(&place, &ledger).write(&place, &ledger), expected()["head"].as_str().unwrap());
}

#[test]
fn what_was_rewritten_after_it_was_pinned_exits_5() {
    if absent("what_was_rewritten_after_it_was_pinned_exits_5", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    for (number, (what, code, tamper)) in TAMPERINGS.into_iter().enumerate() {
        let alice = lived(&place, &format!("ledger-{number}.git"));
        let before = place.head(&alice.ledger);
        let mut history = History::read(&place, &alice.ledger);
        tamper(&mut history, &place);
        let after = history.write(&place, &alice.ledger);
        assert_ne!(before, after, "{what}");
        for arguments in [vec!["verify"], vec!["list"]] {
            alice.jit(&arguments).refused(5).mentions(&[&before[..12], &after[..12]]);
        }
        alice.asks("10m").refused(5).mentions(&[&before[..12], &after[..12]]);
        assert_eq!(place.head(&alice.ledger), after, "{what}: nothing is appended to it");
        // Somebody who comes later has no pin, and still sees it.
        let later = place.path(&format!("later-{number}.git"));
        place.git(
            &place.path("home"),
            &["clone", "-q", "--bare", alice.ledger.to_str().unwrap(), later.to_str().unwrap()],
        );
        let said = place.desk("bob", &later).jit(&["verify", "--json"]).exits(4);
        let json = said.json();
        assert_eq!(json["ok"], false, "{what}\n{}", said.told());
        let void = &json["voids"][0];
        let commit = void["commit"].as_str().unwrap();
        assert!(place.commits(&later).iter().any(|it| it == commit), "{what}\n{}", said.told());
        assert_eq!(void["acknowledged"], false, "{what}\n{}", said.told());
        assert_eq!(void["code"], code, "{what}\n{}", said.told());
        let said = place.desk("bob", &later).jit(&["verify"]).exits(4);
        let told = format!("{}{}", said.out, said.err);
        assert!(told.contains(&commit[..7]) && told.contains(code), "{}", said.told());
    }
}

#[test]
fn a_second_parent_on_top_of_the_pin_is_void() {
    if absent("a_second_parent_on_top_of_the_pin_is_void", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let alice = place.desk("alice", &ledger);
    let case = alice.opens("30m");
    place.desk("bob", &ledger).approves(&case).ok();
    place.desk("dave", &ledger).approves(&case).ok();
    // Approved before, and then somebody pushes a merge on top: a credential is due, and must not be issued.
    alice.opens("10m");
    alice.jit(&["verify"]).ok();
    let mut history = History::read(&place, &alice.ledger);
    let last = history.len() - 1;
    history.double_parent(last);
    let after = history.write(&place, &alice.ledger);
    // Pinned before: another head than the one that was seen.
    alice.jit(&["verify"]).refused(5).mentions(&[&after[..12]]);
    let later = place.path("later.git");
    place.git(&place.path("home"), &["clone", "-q", "--bare", alice.ledger.to_str().unwrap(), later.to_str().unwrap()]);
    let said = place.desk("bob", &later).jit(&["verify", "--json"]).exits(4);
    assert_eq!(said.json()["voids"][0]["commit"], *after, "{}", said.told());
    assert_eq!(said.json()["voids"][0]["code"], "C01", "{}", said.told());
    // And nobody mints on it, although a credential is due.
    let said = place.desk("minter", &later).mints();
    assert!(!said.out.contains("cert-v01") && !said.out.contains("live"), "{}", said.told());
    said.mentions(&["void"]);
    assert_eq!(place.head(&later), after);
    let said = place.desk("alice", &later).jit(&["show", &case, "--json"]).ok();
    assert_eq!(said.text("state"), "approved", "{}", said.told());
}
