//! Which serials a ledger revokes: the cases and people whose certificates open nothing any more. The serials are the
//! builder's own.

use std::collections::{BTreeMap, BTreeSet};

use jit::domain::event::{Body, LockScope, Subject};
use jit::domain::key::PublicKey;
use jit::git::GitStore;
use jit::issue::krl;
use jit::ledger::Replay;
use jit::ports::Store as _;

use crate::bodies::{closure, lock, revocation};
use crate::keys::Key;
use crate::ledger::{Case, Ledger};

const PROD: &str = "the CA of prod";

/// The revoked serials by the name of their CA.
fn revoked(ledger: &Ledger) -> BTreeMap<PublicKey, BTreeSet<u64>> {
    let store = GitStore::open(&ledger.path()).unwrap();
    let head = store.head().unwrap().unwrap();
    let replay = Replay::of(&store, head).unwrap();
    assert!(replay.state().voids().is_empty(), "{:?}", replay.state().voids());
    krl::revocations(replay.state()).unwrap()
}

fn serials<const N: usize>(ca: &str, serials: [u64; N]) -> (PublicKey, BTreeSet<u64>) {
    (Key::of(ca).public, BTreeSet::from(serials))
}

/// A live case of somebody else than alice.
fn live_of(ledger: &mut Ledger, actor: &str) -> Case {
    let mut case = ledger.request(actor, |_| ());
    ledger.approve(case.id, "bob");
    ledger.approve(case.id, "dave");
    ledger.mint(&mut case);
    case
}

#[test]
fn what_is_revoked_or_closed_stays_revoked_for_ever() {
    let mut ledger = Ledger::new();
    assert_eq!(revoked(&ledger), BTreeMap::new(), "a ledger without a certificate");
    let cases: Vec<Case> = (0..4).map(|_| ledger.live()).collect();
    assert_eq!(revoked(&ledger), BTreeMap::new(), "four live ones");
    ledger.told("carol", cases[1].id, revocation());
    ledger.told("alice", cases[3].id, closure());
    let both = BTreeMap::from([serials(PROD, [2, 4])]);
    assert_eq!(revoked(&ledger), both);
    // A certificate that has expired opens nothing, unless the host's clock is set back.
    ledger.wait("48h");
    ledger.request("frank", |_| ());
    assert_eq!(revoked(&ledger), both);
}

#[test]
fn every_certificate_of_a_case_is_revoked() {
    let mut ledger = Ledger::new();
    let mut case = ledger.live();
    ledger.live();
    ledger.mint(&mut case);
    ledger.told("alice", case.id, revocation());
    assert_eq!(revoked(&ledger), BTreeMap::from([serials(PROD, [1, 3])]));
}

#[test]
fn a_lock_revokes_while_it_stands() {
    let mut ledger = Ledger::new();
    ledger.live();
    live_of(&mut ledger, "frank");
    for (scope, locked) in [
        (LockScope::Member("frank".parse().unwrap()), vec![2]),
        (LockScope::Target("payments-db".parse().unwrap()), vec![1, 2]),
        (LockScope::Environment("prod".parse().unwrap()), vec![1, 2]),
        (LockScope::Environment("staging".parse().unwrap()), vec![]),
        (LockScope::Ledger, vec![1, 2]),
    ] {
        let event = ledger.event("dave", None, lock(scope.clone()));
        let case = ledger.say(event);
        let expected: BTreeMap<_, _> = if locked.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([(Key::of(PROD).public, locked.into_iter().collect())])
        };
        assert_eq!(revoked(&ledger), expected, "{scope}");
        let unlock = ledger.propose_other("raj", Subject::Unlock { lock: case });
        ledger.approve(unlock, "rita");
        ledger.told("raj", unlock, Body::Enactment);
        assert_eq!(revoked(&ledger), BTreeMap::new(), "{scope} was lifted");
    }
}

/// A role that the policy no longer has lies in no environment; its certificate was made for one.
#[test]
fn a_locked_environment_revokes_what_was_minted_for_a_role_that_is_gone() {
    let mut ledger = Ledger::new();
    ledger.live();
    let change = ledger.propose_policy("rita", |text| {
        text.replace("[target.payments-db.role.read-only]", "[target.payments-db.role.reader]")
    });
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    assert_eq!(revoked(&ledger), BTreeMap::new());
    let event = ledger.event("dave", None, lock(LockScope::Environment("prod".parse().unwrap())));
    ledger.say(event);
    assert_eq!(revoked(&ledger), BTreeMap::from([serials(PROD, [1])]));
}

#[test]
fn a_hardware_keys_certificate_is_revoked_like_any_other() {
    let mut ledger = Ledger::new();
    let mut case = ledger.request("alice", |request| request.credential_key = Key::hardware("alice", 0).public);
    ledger.approve(case.id, "bob");
    ledger.approve(case.id, "dave");
    ledger.mint(&mut case);
    ledger.told("alice", case.id, revocation());
    assert_eq!(revoked(&ledger), BTreeMap::from([serials(PROD, [1])]));
}

#[test]
fn whoever_left_opens_nothing() {
    let mut ledger = Ledger::new();
    ledger.live();
    live_of(&mut ledger, "frank");
    let frank = format!(
        "[member.frank]\nemail = \"frank@acme.example\"\ngroups = [\"developers\"]\nkeys = [\"{}\"]\n\n",
        Key::of("frank").public
    );
    let change = ledger.propose_policy("rita", |text| text.replace(&frank, ""));
    ledger.approve(change.id, "raj");
    assert_eq!(revoked(&ledger), BTreeMap::new());
    ledger.enact("rita", &change);
    assert_eq!(revoked(&ledger), BTreeMap::from([serials(PROD, [2])]));
}

#[test]
fn a_serial_is_revoked_of_the_ca_that_signed_it() {
    let mut ledger = Ledger::new();
    let (first, new) = (ledger.live(), "a new CA of prod");
    ledger.live();
    let (old_key, new_key) = (Key::of(PROD).public.to_string(), Key::of(new).public.to_string());
    let change = ledger.propose_policy("rita", |text| text.replace(&old_key, &new_key));
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    // The new CA counts from 1.
    let case = ledger.approved();
    ledger.serial = 0;
    let mut spec = ledger.spec(&case);
    spec.ca = Key::of(new).public;
    let event = ledger.issuance("minter", case.id, &spec, new);
    ledger.say(event);
    ledger.told("alice", case.id, revocation());
    assert_eq!(revoked(&ledger), BTreeMap::from([serials(new, [1])]));
    ledger.told("alice", first.id, closure());
    assert_eq!(revoked(&ledger), BTreeMap::from([serials(PROD, [1]), serials(new, [1])]));
}
