//! Clocks that are an hour wrong, or run backwards. The release program takes no time from its environment, so the system's
//! own answer is changed: libfaketime.

use std::ffi::OsStr;
use std::process::Command;

use super::common::{Desk, Place, Said, absent, now, request, seconds};

/// Runs `jit` on a machine whose clock is off.
fn at(desk: &Desk<'_>, offset: &str, arguments: &[&str]) -> Said {
    let jit = desk.command();
    let mut command = Command::new("faketime");
    command.args(["-f", offset]).arg(jit.get_program()).args(jit.get_args()).arg("--ledger").arg(&desk.ledger);
    command.args(arguments).current_dir(&desk.home);
    // Durations are not the clock's business.
    let variables = [("FAKETIME_DONT_FAKE_MONOTONIC", OsStr::new("1")), ("NO_FAKE_STAT", OsStr::new("1"))];
    desk.place().run_with(command, &desk.home, &variables, b"")
}

const ASKS: fn() -> Vec<&'static str> = || request("payments-db/read-only", "10m", "Payments are stuck.");

#[test]
fn a_clock_that_is_behind_is_told_and_nothing_is_signed() {
    const TEST: &str = "a_clock_that_is_behind_is_told_and_nothing_is_signed";
    if absent(TEST, &["faketime", "git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let alice = place.desk("alice", &ledger);
    let case = alice.opens("30m");
    let before = place.head(&ledger);
    // Within what the policy allows (2 minutes) nobody notices; the next one, by a right clock, is later again.
    at(&alice, "-60", &ASKS()).ok();
    alice.opens("5m");
    let count = place.commits(&ledger).len();
    let said = at(&alice, "-1h", &ASKS()).refused(3).mentions(&["L04", "date -u"]);
    assert_eq!(place.commits(&ledger).len(), count, "{}", said.told());
    at(&place.desk("bob", &ledger), "-1h", &["approve", &case, "--yes"]).refused(3).mentions(&["L04"]);
    // Looking does not need the time; what it says of times is as wrong as the clock.
    at(&alice, "-1h", &["verify", "--json"]).ok();
    at(&alice, "-1h", &["list"]).ok();
    assert_ne!(place.head(&ledger), before);
    alice.jit(&["verify", "--strict"]).ok();
}

#[test]
fn a_clock_that_is_ahead_and_then_goes_back_harms_no_history() {
    const TEST: &str = "a_clock_that_is_ahead_and_then_goes_back_harms_no_history";
    if absent(TEST, &["faketime", "git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let alice = place.desk("alice", &ledger);
    // Nobody told this machine that it is ahead, and no hook at the remote did: it lands, dated ahead.
    let said = at(&alice, "+1h", &ASKS()).ok();
    let opened = seconds(&said.json()["opened"]);
    assert!(opened > now() + 3500, "{}", said.told());
    let count = place.commits(&ledger).len();
    // For those whose clocks are right it is void to write before that; they are told which time it is about.
    let time = said.json()["opened"].as_str().unwrap().to_owned();
    let said = alice.asks("10m").refused(3).mentions(&["L04", &time, "clock", "jit log"]);
    assert_eq!(place.commits(&ledger).len(), count, "{}", said.told());
    // The history is as good as before, also for a clone that is made now.
    alice.jit(&["verify", "--strict"]).ok();
    let clone = place.path("clone");
    place.desk("bob", &clone).jit_anywhere(&["clone", ledger.to_str().unwrap(), clone.to_str().unwrap()]).ok();
    // When that time has come everybody writes again.
    at(&alice, "+61m", &ASKS()).ok();
    alice.jit(&["verify", "--strict"]).ok();
    place.is_sound(&ledger);
}

#[test]
fn a_minter_whose_clock_is_behind_issues_nothing_that_is_over_or_not_yet() {
    const TEST: &str = "a_minter_whose_clock_is_behind_issues_nothing_that_is_over_or_not_yet";
    if absent(TEST, &["faketime", "git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    let case = place.desk("alice", &ledger).opens("30m");
    for name in ["bob", "dave"] {
        place.desk(name, &ledger).approves(&case).ok();
    }
    let head = place.head(&ledger);
    let authority = format!("prod={}", place.key("ca-prod").display());
    let minter = place.desk("minter", &ledger);
    let said = at(&minter, "-1h", &["mint", "--ca", &authority, "--json"]);
    assert_ne!(said.code, 0, "it says that nothing could be issued\n{}", said.told());
    assert_eq!(place.head(&ledger), head, "{}", said.told());
    // Two hours ahead the approval has lapsed, for this machine; for everybody else it has not.
    let said = at(&minter, "+2h", &["mint", "--ca", &authority, "--json"]);
    assert_eq!(place.head(&ledger), head, "{}", said.told());
    minter.mints().ok();
    let shown = place.desk("alice", &ledger).sees(&case);
    assert!(seconds(&shown["ends"]).abs_diff(now() + 1800) < 60, "{shown:#}");
}
