//! L: what the author had seen, and when.

use jit::domain::event::{Body, Event, Genesis};
use jit::domain::id::{CaseId, Digest};

use crate::bodies::approval;
use crate::ledger::{Ledger, ttl};

/// bob's approval of alice's request, changed before it is signed.
fn unseen(code: &'static str, change: impl FnOnce(&Ledger, &mut Event)) {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let mut event = ledger.event("bob", Some(case.id), approval());
    change(&ledger, &mut event);
    ledger.void_event(code, event);
    ledger.check();
}

#[test]
fn l01_another_ledger() {
    unseen("L01", |_, event| event.ledger = Some(Digest::of(b"another ledger")));
}

#[test]
fn l01_another_policy() {
    unseen("L01", |_, event| event.policy = Some(Digest::of(b"another policy")));
}

#[test]
fn l01_the_policy_before() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let before = Digest::of(&ledger.governed["policy.toml"]);
    let change = ledger.propose_policy("rita", |text| text);
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    let mut event = ledger.event("bob", Some(case.id), approval());
    event.policy = Some(before);
    ledger.void_event("L01", event);
    ledger.check();
}

#[test]
fn l02_more_than_there_is() {
    unseen("L02", |ledger, event| event.seen.as_mut().unwrap().size = ledger.log.size() + 1);
}

#[test]
fn l03_another_root() {
    unseen("L03", |_, event| event.seen.as_mut().unwrap().root = Digest::of(b"another history"));
}

#[test]
fn l03_the_root_of_another_size() {
    unseen("L03", |ledger, event| event.seen.as_mut().unwrap().root = ledger.log.root_at(1).unwrap());
}

#[test]
fn l03_another_history_of_the_same_size() {
    // alice's request was shown to bob in another form than the one that stands.
    let mut ledger = Ledger::new();
    let mut other = ledger.log.clone();
    let case = ledger.request("alice", |_| ());
    other.append(Digest::of(b"another request"));
    let mut event = ledger.event("bob", Some(case.id), approval());
    event.seen.as_mut().unwrap().root = other.root();
    ledger.void_event("L03", event);
    ledger.check();
}

#[test]
fn l04_backdated() {
    unseen("L04", |ledger, event| event.time = ledger.now.minus(ttl("10m")));
}

#[test]
fn l05_the_same_event_again() {
    // Only a void commit can make room for it.
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign(event);
    let commit = ledger.lay(&signed);
    ledger.land(commit);
    let event = ledger.event("dave", Some(case.id), approval());
    let other = ledger.sign(event);
    let mut commit = ledger.lay(&other);
    let path = ledger.lay(&signed).path;
    commit.remove = vec![path.clone(), format!("{path}.sig")];
    ledger.void("C02", commit);
    ledger.void_signed("L05", &signed);
    ledger.check();
}

#[test]
fn l05_a_second_genesis() {
    let mut ledger = Ledger::new();
    let files = crate::ledger::digests(&ledger.governed);
    let body = Body::Genesis(Genesis { name: "acme/production".into(), files });
    let mut event = ledger.event("rita", None, body);
    event.ledger = None;
    event.policy = None;
    event.seen = None;
    ledger.void_event("L05", event);
    ledger.check();
}

#[test]
fn l06_an_unknown_case() {
    unseen("L06", |_, event| event.case = Some(CaseId(Digest::of(b"another case"))));
}

#[test]
fn l06_a_case_that_was_not_seen() {
    unseen("L06", |ledger, event| {
        let seen = event.seen.as_mut().unwrap();
        seen.size = 1;
        seen.root = ledger.log.root_at(1).unwrap();
    });
}

#[test]
fn l06_a_void_request() {
    let mut ledger = Ledger::new();
    let request = ledger.asks("bob");
    let event = ledger.event("bob", None, Body::Request(Box::new(request)));
    let signed = ledger.sign(event);
    ledger.void_signed("A01", &signed);
    let case = CaseId(Digest::of(&signed.bytes));
    ledger.refused("L06", "dave", case, approval());
    ledger.check();
}
