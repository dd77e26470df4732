//! A person at a terminal who types only `jit`, `jit request` and `jit approve` gets through without reading a manual, and
//! sees in full what will be signed before it is.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use common::terminal::{Answer, Terminal};
use common::{Place, absent, request};

#[path = "common/harness.rs"]
mod common;

const PROGRAMS: [&str; 3] = ["git", "ssh-keygen", "tmux"];

/// A terminal in a ledger, at which somebody is known by name and key.
fn terminal<'p>(place: &'p Place, name: &str, ledger: &Path) -> Terminal<'p> {
    let desk = place.desk(name, ledger);
    let key = desk.key.display().to_string();
    Terminal::open(place, &desk.home, ledger, &[("JIT_AS", name), ("JIT_KEY", &key)])
}

/// The answers of somebody who reads the questions.
const REQUEST: [Answer<'_>; 9] = [
    Answer { when: &["access to what"], keys: &["text:read-only", "Enter"] },
    Answer { when: &["for how long"], keys: &["Enter"] },
    Answer { when: &["why is it needed"], keys: &["text:The payment queue is stuck.", "Enter"] },
    Answer { when: &["ticket"], keys: &["text:INC-4711", "Enter"] },
    Answer { when: &["how high is the risk"], keys: &["Enter"] },
    Answer { when: &["can go wrong"], keys: &["text:Reads customer rows.", "Enter"] },
    Answer { when: &["undone"], keys: &["text:Nothing is changed.", "Enter"] },
    Answer { when: &["sign this"], keys: &["text:y"] },
    Answer { when: &["comment"], keys: &["Enter"] },
];

#[test]
fn who_types_only_jit_learns_how_to_begin() {
    if absent("who_types_only_jit_learns_how_to_begin", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let home = place.path("home");
    let outside = Terminal::open(&place, &home, &home, &[]);
    let said = outside.converses("jit", &[]);
    assert_eq!(said.code, 0, "{}", said.all());
    for word in ["jit demo", "jit init", "jit clone", "jit --help"] {
        assert!(said.all().contains(word), "{word} is not shown:\n{}", said.all());
    }
}

#[test]
fn a_request_is_asked_for_and_shown_before_it_is_signed() {
    if absent("a_request_is_asked_for_and_shown_before_it_is_signed", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let screen = terminal(&place, "alice", &ledger);
    let said = screen.converses("jit request", &REQUEST);
    assert_eq!(said.code, 0, "{}", said.all());
    let summary = said.when_asked(&["sign this"]);
    for word in [
        "payments-db/read-only",
        "30m",
        "The payment queue is stuck.",
        "INC-4711",
        "low",
        "Reads customer rows.",
        "Nothing is changed.",
        "npi",
        "sre",
        "security",
    ] {
        assert!(summary.contains(word), "{word} is not shown before the signature:\n{summary}");
    }
    let said = place.desk("alice", &ledger).jit(&["list", "--json"]).ok();
    assert!(said.out.contains("\"pending\""), "{}", said.told());
    let overview = screen.converses("jit", &[]);
    assert_eq!(overview.code, 0, "{}", overview.all());
    assert!(overview.all().contains("pending"), "{}", overview.all());
}

#[test]
fn an_approval_is_chosen_from_what_waits_and_shown_in_full() {
    if absent("an_approval_is_chosen_from_what_waits_and_shown_in_full", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let reason = "The payment queue is stuck.";
    let said = place.desk("alice", &ledger).jit(&request("payments-db/read-only", "30m", reason)).ok();
    let case = said.text("id");
    let screen = terminal(&place, "bob", &ledger);
    // Who says no has signed nothing.
    let mut answers: Vec<Answer<'_>> = vec![Answer { when: &["which case"], keys: &["Enter"] }];
    answers
        .extend([Answer { when: &["comment"], keys: &["Enter"] }, Answer { when: &["sign this"], keys: &["text:n"] }]);
    let head = place.head(&ledger);
    let said = screen.converses("jit approve", &answers);
    assert_eq!(said.code, 1, "{}", said.all());
    assert_eq!(place.head(&ledger), head);
    answers[2] = Answer { when: &["sign this"], keys: &["text:y"] };
    let said = screen.converses("jit approve", &answers);
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(said.when_asked(&["which case"]).contains(&case), "{}", said.all());
    let summary = said.when_asked(&["sign this"]);
    for word in [case.as_str(), "alice", "payments-db/read-only", "30 min", reason, "INC-4711", "Reads customer rows."]
    {
        assert!(summary.contains(word), "{word} is not shown before the signature:\n{summary}");
    }
    let said = place.desk("bob", &ledger).jit(&["show", &case, "--json"]).ok();
    assert_eq!(said.json()["approvals"][0]["actor"], "bob", "{}", said.told());
}
