//! A07 to A09, A12, A13: emergencies, sessions, the turns of a case, locks, and minting while void commits are open.

use jit::domain::event::{Answer, Body, LockScope, ProbeResult, Proposal, ReviewItem, Subject};

use crate::bodies::{approval, closure, lock, residue, review, revocation, session_end, session_start, withdrawal};
use crate::ledger::{Case, Ledger, ttl};

fn emergency(ledger: &mut Ledger) -> Case {
    let mut case = ledger.request("alice", |request| {
        request.emergency = true;
        request.incident = Some("INC-4711".into());
        request.duration = ttl("15m");
    });
    ledger.mint(&mut case);
    case
}

/// An emergency request by `actor`, refused.
fn no_emergency(actor: &str, role: &str, duration: &str) {
    let mut ledger = Ledger::new();
    ledger.refused_request("A07", actor, |request| {
        request.targets = vec![role.parse().unwrap()];
        request.emergency = true;
        request.incident = Some("INC-4711".into());
        request.duration = ttl(duration);
    });
    ledger.check();
}

#[test]
fn a07_an_emergency_by_somebody_who_is_not_on_call() {
    no_emergency("frank", "payments-db/read-only", "10m");
}

#[test]
fn a07_an_emergency_for_too_long() {
    no_emergency("alice", "payments-db/read-only", "16m");
}

#[test]
fn a07_an_emergency_where_the_role_has_none() {
    no_emergency("alice", "shop-web/deploy", "10m");
}

#[test]
fn a07_an_emergency_with_an_overdue_review() {
    let mut ledger = Ledger::new();
    emergency(&mut ledger);
    ledger.wait("13h");
    ledger.refused_request("A07", "alice", |request| {
        request.emergency = true;
        request.incident = Some("INC-4713".into());
        request.duration = ttl("10m");
    });
    ledger.check();
}

#[test]
fn a07_an_emergency_before_the_reviews_of_the_last() {
    let mut ledger = Ledger::new();
    let case = emergency(&mut ledger);
    ledger.wait("20m");
    ledger.told("dave", case.id, review());
    ledger.refused_request("A07", "alice", |request| {
        request.emergency = true;
        request.incident = Some("INC-4713".into());
        request.duration = ttl("10m");
    });
    ledger.check();
}

#[test]
fn a07_two_emergencies_asked_for_before_either_was_issued() {
    let mut ledger = Ledger::new();
    let ask = |ledger: &mut Ledger| {
        ledger.request("alice", |request| {
            request.emergency = true;
            request.incident = Some("INC-4711".into());
            request.duration = ttl("15m");
        })
    };
    let (mut first, mut second) = (ask(&mut ledger), ask(&mut ledger));
    ledger.mint(&mut first);
    ledger.refused_mint("A07", &second);
    // Once the first is reviewed, the second is an emergency like any other.
    ledger.wait("20m");
    ledger.told("dave", first.id, review());
    ledger.told("erin", first.id, review());
    ledger.mint(&mut second);
    ledger.check();
}

#[test]
fn a08_a_host_that_does_not_serve_the_target() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.refused("A08", "web1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.check();
}

#[test]
fn a08_a_start_by_a_member() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.refused("A08", "alice", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.check();
}

#[test]
fn a08_a_serial_of_nobody() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.refused("A08", "db1", case.id, Body::SessionStart(session_start(&session, case.serial + 1)));
    ledger.check();
}

#[test]
fn a08_another_cases_serial() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let other = ledger.live();
    let session = ledger.nonce();
    ledger.refused("A08", "db1", case.id, Body::SessionStart(session_start(&session, other.serial)));
    ledger.check();
}

#[test]
fn a08_a_start_before_any_issuance() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let session = ledger.nonce();
    ledger.refused("A08", "db1", case.id, Body::SessionStart(session_start(&session, 1)));
    ledger.check();
}

#[test]
fn a08_an_end_without_a_start() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.refused("A08", "db1", case.id, Body::SessionEnd(session_end(&session)));
    ledger.check();
}

#[test]
fn a08_a_second_end() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.told("db1", case.id, Body::SessionEnd(session_end(&session)));
    ledger.refused("A08", "db1", case.id, Body::SessionEnd(session_end(&session)));
    ledger.check();
}

#[test]
fn a08_a_sessions_name_used_again() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.refused("A08", "db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.check();
}

#[test]
fn a08_an_end_by_another_host() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.refused("A08", "web1", case.id, Body::SessionEnd(session_end(&session)));
    ledger.check();
}

#[test]
fn a09_a_closure_by_somebody_else() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.refused("A09", "bob", case.id, closure());
    ledger.check();
}

#[test]
fn a09_a_closure_before_any_issuance() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    ledger.refused("A09", "alice", case.id, closure());
    ledger.check();
}

#[test]
fn a09_a_second_closure() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("alice", case.id, closure());
    ledger.refused("A09", "alice", case.id, closure());
    ledger.check();
}

#[test]
fn a09_a_withdrawal_by_somebody_else() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.refused("A09", "bob", case.id, withdrawal());
    ledger.check();
}

#[test]
fn a09_a_withdrawal_of_a_live_case() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.refused("A09", "alice", case.id, withdrawal());
    ledger.check();
}

#[test]
fn a09_a_revocation_by_somebody_who_may_not() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.refused("A09", "frank", case.id, revocation());
    ledger.check();
}

#[test]
fn a09_a_revocation_of_what_is_revoked() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("carol", case.id, revocation());
    ledger.refused("A09", "dave", case.id, revocation());
    ledger.check();
}

#[test]
fn a09_residue_by_a_member() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.refused("A09", "dave", case.id, residue(ProbeResult::Clear));
    ledger.check();
}

#[test]
fn a09_residue_before_any_issuance() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    ledger.refused("A09", "db1", case.id, residue(ProbeResult::Clear));
    ledger.check();
}

/// A review of a case that bob and dave approved and alice closed.
fn reviewed(actor: &str, body: Body) {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("alice", case.id, closure());
    ledger.refused("A09", actor, case.id, body);
    ledger.check();
}

#[test]
fn a09_a_review_by_the_requester() {
    reviewed("alice", review());
}

#[test]
fn a09_a_review_by_an_approver() {
    reviewed("dave", review());
}

#[test]
fn a09_a_review_by_somebody_whom_the_role_does_not_name() {
    reviewed("carol", review());
}

#[test]
fn a09_a_review_that_leaves_a_check_out() {
    let Body::Review(mut body) = review() else { unreachable!() };
    body.items.pop();
    reviewed("erin", Body::Review(body));
}

#[test]
fn a09_a_review_with_other_checks() {
    let Body::Review(mut body) = review() else { unreachable!() };
    body.items[1] = ReviewItem { check: "all is well".into(), answer: Answer::Yes, note: None };
    reviewed("erin", Body::Review(body));
}

#[test]
fn a09_a_review_of_a_live_case() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.refused("A09", "erin", case.id, review());
    ledger.check();
}

#[test]
fn a09_two_reviews_by_one_person() {
    let mut ledger = Ledger::new();
    let case = emergency(&mut ledger);
    ledger.wait("20m");
    ledger.told("dave", case.id, review());
    ledger.refused("A09", "dave", case.id, review());
    ledger.check();
}

#[test]
fn a12_a_lock_by_somebody_who_may_not() {
    let mut ledger = Ledger::new();
    let event = ledger.event("bob", None, lock(LockScope::Member("alice".parse().unwrap())));
    ledger.void_event("A12", event);
    ledger.check();
}

#[test]
fn a12_a_lock_of_everything_by_the_requester() {
    let mut ledger = Ledger::new();
    let event = ledger.event("alice", None, lock(LockScope::Ledger));
    ledger.void_event("A12", event);
    ledger.check();
}

/// A proposal to unlock this, refused.
fn no_unlock(ledger: &mut Ledger, lock: jit::domain::id::CaseId) {
    let proposal = Proposal { reason: "Found.".into(), subject: Subject::Unlock { lock } };
    let event = ledger.event("rita", None, Body::Proposal(proposal));
    ledger.void_event("A12", event);
    ledger.check();
}

#[test]
fn a12_an_unlock_of_what_is_no_lock() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    no_unlock(&mut ledger, case.id);
}

#[test]
fn a12_an_unlock_of_what_was_lifted() {
    let mut ledger = Ledger::new();
    let event = ledger.event("dave", None, lock(LockScope::Ledger));
    let locked = ledger.say(event);
    let unlock = ledger.propose_other("raj", Subject::Unlock { lock: locked });
    ledger.approve(unlock, "rita");
    ledger.told("raj", unlock, Body::Enactment);
    no_unlock(&mut ledger, locked);
}

#[test]
fn a11_an_unlock_whose_lock_another_has_lifted() {
    let mut ledger = Ledger::new();
    let event = ledger.event("dave", None, lock(LockScope::Ledger));
    let locked = ledger.say(event);
    let slower = ledger.propose_other("rita", Subject::Unlock { lock: locked });
    let unlock = ledger.propose_other("raj", Subject::Unlock { lock: locked });
    ledger.approve(unlock, "rita");
    ledger.told("raj", unlock, Body::Enactment);
    // Nothing is left to decide about the other one.
    let late = ledger.event("raj", Some(slower), approval());
    ledger.void_event("A03", late);
    let event = ledger.event("raj", Some(slower), Body::Enactment);
    ledger.void_event("A11", event);
    ledger.check();
}

#[test]
fn a13_minting_while_a_void_commit_is_open() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let event = ledger.event("bob", None, lock(LockScope::Ledger));
    ledger.void_event("A12", event);
    ledger.refused_mint("A13", &case);
    ledger.check();
}

#[test]
fn control_an_emergency_while_a_void_commit_is_open() {
    let mut ledger = Ledger::new();
    let event = ledger.event("bob", None, lock(LockScope::Ledger));
    ledger.void_event("A12", event);
    emergency(&mut ledger);
    ledger.check();
}

#[test]
fn control_minting_after_an_acknowledgement() {
    let mut ledger = Ledger::new();
    let mut case = ledger.approved();
    let event = ledger.event("bob", None, lock(LockScope::Ledger));
    ledger.void_event("A12", event);
    let commits = ledger.voids().iter().map(|id| id.to_string().parse().unwrap()).collect();
    let proposal = ledger.propose_other("rita", Subject::Acknowledge { commits });
    ledger.approve(proposal, "raj");
    ledger.told("rita", proposal, Body::Enactment);
    ledger.acknowledged();
    ledger.mint(&mut case);
    ledger.check();
}
