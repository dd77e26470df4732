//! Ledgers that break no rule: every kind of event, each turn that the rules allow.

use jit::domain::event::{Body, LockScope, ProbeResult, Subject};

use crate::bodies::{
    approval, closure, denial, lock, residue, review, revocation, session_end, session_start, withdrawal,
};
use crate::keys::{Key, TOUCHED};
use crate::ledger::{Ledger, ttl};

#[test]
fn control_a_genesis_alone() {
    Ledger::new().check_as_is();
}

#[test]
fn control_a_whole_case() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.told("db1", case.id, Body::SessionEnd(session_end(&session)));
    ledger.told("alice", case.id, closure());
    ledger.told("db1", case.id, residue(ProbeResult::Clear));
    ledger.told("erin", case.id, review());
    ledger.check();
    let verdict = ledger.judged(&[]);
    assert_eq!(verdict.findings(), []);
}

#[test]
fn control_denied_withdrawn_and_revoked() {
    let mut ledger = Ledger::new();
    let denied = ledger.request("alice", |_| ());
    ledger.told("erin", denied.id, denial());
    let withdrawn = ledger.request("alice", |_| ());
    ledger.told("alice", withdrawn.id, withdrawal());
    let withdrawn_when_approved = ledger.approved();
    ledger.told("alice", withdrawn_when_approved.id, withdrawal());
    for actor in ["carol", "dave", "alice", "minter"] {
        let revoked = ledger.live();
        ledger.told(actor, revoked.id, revocation());
    }
    let revoked_when_pending = ledger.request("alice", |_| ());
    ledger.told("bob", revoked_when_pending.id, revocation());
    ledger.check();
}

#[test]
fn control_an_emergency_and_its_two_reviews() {
    let mut ledger = Ledger::new();
    let mut case = ledger.request("alice", |request| {
        request.emergency = true;
        request.incident = Some("INC-4711".into());
        request.duration = ttl("15m");
    });
    ledger.mint(&mut case);
    ledger.wait("20m");
    ledger.told("dave", case.id, review());
    ledger.told("erin", case.id, review());
    ledger.check();
}

#[test]
fn control_a_booked_window() {
    let mut ledger = Ledger::new();
    let from = ledger.now.plus(ttl("1h"));
    let mut case = ledger.request("alice", |request| request.not_before = Some(from));
    ledger.approve(case.id, "bob");
    ledger.approve(case.id, "dave");
    ledger.wait("1h");
    ledger.mint(&mut case);
    ledger.check();
}

#[test]
fn control_a_second_certificate_with_the_same_end() {
    let mut ledger = Ledger::new();
    let mut case = ledger.live();
    ledger.wait("5m");
    ledger.mint(&mut case);
    ledger.check();
}

#[test]
fn control_a_touched_hardware_key() {
    let mut ledger = Ledger::new();
    let key = Key::hardware("alice", TOUCHED);
    let mut request = ledger.asks("alice");
    request.targets = vec!["payments-db/guarded".parse().unwrap()];
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    let signed = ledger.sign_with(&key, event);
    let commit = ledger.lay(&signed);
    let case = jit::domain::id::CaseId(ledger.land(commit));
    let event = ledger.event("dave", Some(case), approval());
    let signed = ledger.sign_with(&Key::hardware("dave", TOUCHED), event);
    let commit = ledger.lay(&signed);
    ledger.land(commit);
    ledger.check();
}

#[test]
fn control_a_new_policy() {
    let mut ledger = Ledger::new();
    let change = ledger.propose_policy("rita", |text| text.replace("decide_within = \"8h\"", "decide_within = \"4h\""));
    ledger.approve(change.id, "raj");
    ledger.enact("bob", &change);
    ledger.live();
    ledger.check();
    assert_eq!(ledger.judged(&[]).findings(), []);
}

#[test]
fn control_a_lock_that_was_lifted() {
    let mut ledger = Ledger::new();
    let event = ledger.event("dave", None, lock(LockScope::Member("alice".parse().unwrap())));
    let locked = ledger.say(event);
    let unlock = ledger.propose_other("raj", Subject::Unlock { lock: locked });
    ledger.approve(unlock, "rita");
    ledger.told("raj", unlock, Body::Enactment);
    ledger.live();
    ledger.check();
}

#[test]
fn control_a_lock_of_another_member() {
    let mut ledger = Ledger::new();
    let event = ledger.event("dave", None, lock(LockScope::Member("frank".parse().unwrap())));
    ledger.say(event);
    ledger.live();
    ledger.check();
}

#[test]
fn control_an_event_whose_place_others_took() {
    // "a push that loses a race is retried without signing again": seen stays behind the position.
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let late = ledger.sign(event);
    ledger.approve(case.id, "dave");
    let commit = ledger.lay(&late);
    ledger.land(commit);
    ledger.check();
}
