//! F: what is no fault of a commit. F04 needs checkpoints, which these ledgers do not hold.

use jit::domain::event::{Body, ProbeResult, Recording};

use crate::bodies::{closure, residue, review, session_end, session_start};
use crate::ledger::{Ledger, ttl};

#[test]
fn f01_a_review_overdue() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("alice", case.id, closure());
    assert_eq!(ledger.judged_at(ledger.now.plus(ttl("23h")), &[]).findings(), []);
    ledger.check_finding("F01", Some(case.id), ledger.now.plus(ttl("25h")));
}

#[test]
fn f02_live_past_its_end_without_a_session_end() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    assert_eq!(ledger.judged(&[]).findings(), []);
    ledger.check_finding("F02", Some(case.id), ledger.now.plus(ttl("1h")));
}

#[test]
fn f03_allowed_signers_that_the_policy_does_not_derive() {
    let mut ledger = Ledger::new();
    let text = String::from_utf8(ledger.governed["allowed_signers"].clone()).unwrap();
    let shorter = text.split_once('\n').unwrap().1.to_owned();
    let change = ledger.propose("rita", &[("allowed_signers", &shorter)]);
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    ledger.check_finding("F03", None, ledger.now);
}

#[test]
fn f05_residue_that_nobody_followed_up() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("alice", case.id, closure());
    ledger.told("db1", case.id, residue(ProbeResult::Found));
    ledger.check_finding("F05", Some(case.id), ledger.now);
}

#[test]
fn f06_a_session_that_was_not_recorded() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    let mut start = session_start(&session, case.serial);
    start.recording = Recording::Off;
    let mut end = session_end(&session);
    end.recording = None;
    end.bytes = 0;
    ledger.told("db1", case.id, Body::SessionStart(start));
    ledger.told("db1", case.id, Body::SessionEnd(end));
    ledger.check_finding("F06", Some(case.id), ledger.now);
}

#[test]
fn f06_a_recording_that_is_missing() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    let mut end = session_end(&session);
    end.recording = None;
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.told("db1", case.id, Body::SessionEnd(end));
    ledger.check_finding("F06", Some(case.id), ledger.now);
}

#[test]
fn f07_a_session_after_the_credentials_end() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.wait("31m");
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.told("db1", case.id, Body::SessionEnd(session_end(&session)));
    ledger.told("erin", case.id, review());
    ledger.check_finding("F07", Some(case.id), ledger.now);
}
