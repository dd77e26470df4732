//! The log and the keys (K03, K04, L01 to L06), and what of a commit the event says (C04, C05, C07).

use std::collections::BTreeMap;

use jit::domain::event::{Body, Event, Seen};
use jit::domain::finding::{Code, Fault};
use jit::domain::id::Digest;
use jit::domain::state::State;
use jit::domain::state::arrival::Arrival;
use jit::domain::time::Timestamp;

use super::ledger::{Ledger, approval, hardware, key, name, root, ttl};

type Bend = fn(&mut Arrival);

fn event(arrival: &mut Arrival) -> &mut Event {
    arrival.event.as_mut().unwrap()
}

/// The rule that an approval by bob of a request would break, were its arrival bent so.
fn bent(bend: impl FnOnce(&mut Arrival)) -> Option<Code> {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ()).unwrap();
    let event = ledger.event("bob", Some(case), approval());
    let mut arrival = ledger.arrival(event, BTreeMap::new());
    bend(&mut arrival);
    ledger.take(arrival).err()
}

#[test]
fn every_part_of_an_arrival_is_asked() {
    let rows: [(&str, Bend, Option<Code>); 22] = [
        ("nothing", |_| (), None),
        ("parents", |it| it.parents = Err(Fault::new(Code::C01, "two")), Some(Code::C01)),
        ("changed", |it| it.untouched = Err(Fault::new(Code::C02, "changed")), Some(Code::C02)),
        ("a governed file", |it| it.governed_change = Some("README.md".into()), Some(Code::C05)),
        ("layout", |it| it.layout = Err(Fault::new(Code::C03, "two events")), Some(Code::C03)),
        ("path", |it| it.layout.as_mut().unwrap().event_path.push('x'), Some(Code::C04)),
        ("a file elsewhere", |it| it.layout.as_mut().unwrap().file_paths.push("ledger/x".into()), Some(Code::C04)),
        ("sizes", |it| it.layout.as_mut().unwrap().sizes = Err(Fault::new(Code::C06, "large")), Some(Code::C06)),
        ("metadata", |it| it.metadata = Err(Fault::new(Code::C07, "NUL")), Some(Code::C07)),
        ("message", |it| it.metadata.as_mut().unwrap().message.push(' '), Some(Code::C07)),
        ("name", |it| it.metadata.as_mut().unwrap().name = "alice".into(), Some(Code::C07)),
        ("e-mail", |it| it.metadata.as_mut().unwrap().email = "bob@evil.example".into(), Some(Code::C07)),
        ("date", |it| it.metadata.as_mut().unwrap().time += 1, Some(Code::C07)),
        ("zone", |it| it.metadata.as_mut().unwrap().zone = "-0000".into(), Some(Code::C07)),
        ("tree", |it| it.tree = Err(Fault::new(Code::C08, "unsorted")), Some(Code::C08)),
        ("event", |it| it.event = Err(Fault::new(Code::E01, "CR")), Some(Code::E01)),
        ("signature", |it| it.signature = Err(Fault::new(Code::K02, "bad")), Some(Code::K02)),
        ("namespace", |it| it.signature.as_mut().unwrap().namespace = "jit-1/denial".into(), Some(Code::K03)),
        ("another's key", |it| it.signature.as_mut().unwrap().key = key("carol"), Some(Code::K04)),
        ("nobody's key", |it| it.signature.as_mut().unwrap().key = hardware("bob"), Some(Code::K04)),
        ("another root", |it| it.root_at_seen = Some(root(7)), Some(Code::L03)),
        ("no root", |it| it.root_at_seen = None, Some(Code::L03)),
    ];
    for (what, bend, code) in rows {
        assert_eq!(bent(bend), code, "{what}");
    }
}

/// "A void commit has one code: the first rule that it breaks": each row is broken together with all that follow it.
#[test]
fn the_first_rule_in_the_order_of_the_page_is_told() {
    let faults: [(Code, Bend); 9] = [
        (Code::C01, |it| it.parents = Err(Fault::new(Code::C01, "two"))),
        (Code::C02, |it| it.untouched = Err(Fault::new(Code::C02, "changed"))),
        (Code::C05, |it| it.governed_change = Some("README.md".into())),
        (Code::C04, |it| it.layout.as_mut().unwrap().event_path.push('x')),
        (Code::C06, |it| it.layout.as_mut().unwrap().sizes = Err(Fault::new(Code::C06, "large"))),
        (Code::C07, |it| it.metadata.as_mut().unwrap().zone = "-0000".into()),
        (Code::C08, |it| it.tree = Err(Fault::new(Code::C08, "unsorted"))),
        (Code::K02, |it| it.signature = Err(Fault::new(Code::K02, "bad"))),
        (Code::L03, |it| it.root_at_seen = None),
    ];
    for first in 0..faults.len() {
        let told = bent(|arrival| faults[first..].iter().for_each(|(_, bend)| bend(arrival)));
        assert_eq!(told, Some(faults[first].0));
    }
    // Where the event cannot be read, its paths and what the commit says of it are not asked.
    let unread: Bend = |it| {
        it.event = Err(Fault::new(Code::E02, "no TOML"));
        it.layout.as_mut().unwrap().event_path.push('x');
        it.metadata.as_mut().unwrap().name = "mallory".into();
    };
    assert_eq!(bent(unread), Some(Code::E02));
    // Who is not in the policy has no e-mail to compare.
    let stranger: Bend = |it| {
        event(it).actor = name("zoe");
        let digest = it.digest;
        let metadata = it.metadata.as_mut().unwrap();
        metadata.name = "zoe".into();
        metadata.email = "anything".into();
        metadata.message = jit::domain::state::commit::message(it.event.as_ref().unwrap(), &digest);
    };
    assert_eq!(bent(stranger), Some(Code::K04));
}

/// The rule that an approval breaks in a ledger of four commits (genesis, request, a void one, request), with its event
/// bent before it is signed.
fn told(bend: impl FnOnce(&mut Event, &Ledger)) -> Option<Code> {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ()).unwrap();
    ledger.void();
    ledger.wait("1h");
    ledger.request("frank", |_| ()).unwrap();
    let mut event = ledger.event("bob", Some(case), approval());
    bend(&mut event, &ledger);
    let arrival = ledger.arrival(event, BTreeMap::new());
    ledger.take(arrival).err()
}

fn seen(size: u64) -> Option<Seen> {
    Some(Seen { size, root: root(size) })
}

#[test]
fn what_an_author_has_seen_is_what_there_was() {
    assert_eq!(told(|_, _| ()), None);
    assert_eq!(told(|event, _| event.ledger = Some(Digest::of(b"another"))), Some(Code::L01));
    assert_eq!(told(|event, _| event.ledger = None), Some(Code::L01));
    assert_eq!(told(|event, _| event.policy = Some(Digest::of(b"another"))), Some(Code::L01));
    assert_eq!(told(|event, _| event.policy = None), Some(Code::E02));
    assert_eq!(told(|event, _| event.seen = None), Some(Code::E02));
    assert_eq!(told(|event, _| event.seen = seen(5)), Some(Code::L02), "one more than there are");
    assert_eq!(told(|event, _| event.seen = seen(4)), None);
    assert_eq!(told(|event, _| event.seen = Some(Seen { size: 4, root: root(3) })), Some(Code::L03));
    // The request stands at position 1: whoever saw two leaves has seen it.
    assert_eq!(told(|event, _| event.seen = seen(2)), None);
    assert_eq!(told(|event, _| event.seen = seen(1)), Some(Code::L06));
    assert_eq!(told(|event, _| event.case = Some(jit::domain::id::CaseId(Digest::of(b"no case")))), Some(Code::L06));
    // Before its genesis there was no policy.
    assert_eq!(told(|event, _| event.seen = seen(0)), Some(Code::L01));
}

#[test]
fn a_time_is_no_earlier_than_what_its_author_had_seen_by_more_than_the_skew() {
    let back = |event: &mut Event, span: &str| event.time = event.time.minus(ttl(span));
    assert_eq!(told(|event, _| back(event, "2m")), None);
    assert_eq!(told(|event, _| back(event, "121s")), Some(Code::L04));
    // Whoever saw only the first two or three leaves (the void one says no time) has seen nothing newer than the request.
    for size in [2, 3] {
        assert_eq!(told(|event, _| (event.seen = seen(size), back(event, "62m")).1), None, "{size}");
        assert_eq!(told(|event, _| (event.seen = seen(size), back(event, "3721s")).1), Some(Code::L04), "{size}");
    }
    assert_eq!(told(|event, _| event.time = event.time.plus(ttl("1h"))), None, "history is not asked for the future");
}

#[test]
fn what_arrives_now_is_not_from_the_future() {
    for (ahead, code) in [("1s", None), ("2m", None), ("121s", Some(Code::L04))] {
        let mut ledger = Ledger::new();
        let case = ledger.request("alice", |_| ()).unwrap();
        let clock: Timestamp = ledger.now;
        ledger.wait(ahead);
        let event = ledger.event("bob", Some(case), approval());
        let mut arrival = ledger.arrival(event, BTreeMap::new());
        arrival.now = Some(clock);
        assert_eq!(ledger.take(arrival).err(), code, "{ahead}");
    }
}

#[test]
fn an_event_is_taken_once() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ()).unwrap();
    let event = ledger.event("bob", Some(case), approval());
    let again = event.clone();
    let digest = Digest::of(&jit::domain::codec::write(&event));
    assert!(!ledger.state.holds(&event, &digest));
    let arrival = ledger.arrival(event, BTreeMap::new());
    ledger.take(arrival).unwrap();
    assert!(ledger.state.holds(&again, &digest));
    assert!(!ledger.state.holds(&again, &Digest::of(b"another")));
    let arrival = ledger.arrival(again, BTreeMap::new());
    assert_eq!(ledger.take(arrival), Err(Code::L05));
    // A request, too, whose own digest is its case.
    let asked = Body::Request(Box::new(ledger.asks()));
    let event = ledger.event("alice", None, asked);
    let digest = Digest::of(&jit::domain::codec::write(&event));
    assert!(!ledger.state.holds(&event, &digest));
    let arrival = ledger.arrival(event.clone(), BTreeMap::new());
    ledger.take(arrival).unwrap();
    assert!(ledger.state.holds(&event, &digest));
}

#[test]
fn a_policy_holds_from_the_commit_behind_its_enactment() {
    let mut ledger = Ledger::new();
    let old = ledger.policy().digest;
    let case = ledger.request("alice", |_| ()).unwrap();
    let before = ledger.state.size();
    ledger.change(|text| text.replace("staleness = \"10m\"", "staleness = \"11m\""));
    let (new, enacted) = (ledger.policy().digest, ledger.state.size());
    assert_ne!(old, new);
    // The proposal, the approval and the enactment: the policy is in force at the size behind the last one.
    assert_eq!(enacted, before + 3);
    for (size, policy, code) in [
        (before, old, None),
        (enacted - 1, old, None),
        (enacted - 1, new, Some(Code::L01)),
        (enacted, new, None),
        (enacted, old, Some(Code::L01)),
        (before, new, Some(Code::L01)),
    ] {
        let mut next = ledger.clone();
        let mut event = next.event("bob", Some(case), approval());
        (event.seen, event.policy) = (seen(size), Some(policy));
        let arrival = next.arrival(event, BTreeMap::new());
        assert_eq!(next.take(arrival).err(), code, "{size}");
    }
}

#[test]
fn there_is_no_ledger_before_its_genesis_and_no_second_one() {
    let mut ledger = Ledger::new();
    let asked = Body::Request(Box::new(ledger.asks()));
    let event = ledger.event("alice", None, asked);
    let arrival = ledger.arrival(event, BTreeMap::new());
    assert_eq!(State::new().judge(arrival).map(|_| ()).map_err(|fault| fault.code), Err(Code::L01));
    assert_eq!(State::new().newest(), None);
    let files = ledger.files.clone();
    let genesis = jit::domain::event::Genesis { name: "acme/production".into(), files: super::ledger::digests(&files) };
    assert_eq!(ledger.say("rita", None, Body::Genesis(genesis.clone())), Err(Code::L05));
    // What a genesis has to be, each time alone: the code, who signs, its name, its policy.
    let begun = |actor: &str, name: &str, bend: Bend| {
        let mut ledger = Ledger::new();
        ledger.state = State::new();
        let body = Body::Genesis(jit::domain::event::Genesis { name: name.into(), ..genesis.clone() });
        let event = ledger.event(actor, None, body);
        let mut arrival = ledger.arrival(event, files.clone());
        bend(&mut arrival);
        ledger.take(arrival).err()
    };
    let good: Bend = |_| ();
    assert_eq!(begun("rita", "acme/production", good), None);
    assert_eq!(begun("raj", "acme/production", good), None);
    assert_eq!(begun("alice", "acme/production", good), Some(Code::K04), "no root member");
    assert_eq!(begun("rita", "acme/staging", good), Some(Code::A10));
    assert_eq!(begun("rita", "acme/production", |it| it.signature.as_mut().unwrap().key = key("raj")), Some(Code::K04));
    let namespace: Bend = |it| it.signature.as_mut().unwrap().namespace = "jit-1/request".into();
    assert_eq!(begun("rita", "acme/production", namespace), Some(Code::K03));
    assert_eq!(begun("rita", "acme/production", |it| it.files.clear()), Some(Code::A10), "no policy");
    let unsound: Bend = |it| drop(it.files.insert("policy.toml".into(), b"version = 1\n".to_vec()));
    assert_eq!(begun("rita", "acme/production", unsound), Some(Code::K04).and(Some(Code::A10)));
    let foreign: Bend = |it| it.signature.as_mut().unwrap().foreign_application = Some("ssh:x".into());
    assert_eq!(begun("rita", "acme/production", foreign), Some(Code::K05));
    let email: Bend = |it| it.metadata.as_mut().unwrap().email = "rita@evil.example".into();
    assert_eq!(begun("rita", "acme/production", email), Some(Code::C07));
}

#[test]
fn the_governed_files_of_a_genesis_are_its_manifest() {
    let rows: [(&str, Bend, Option<Code>); 6] = [
        ("as it should be", |_| (), None),
        ("not read", |it| it.governed = None, Some(Code::C05)),
        ("one missing", |it| it.governed = Some(BTreeMap::new()), Some(Code::C05)),
        (
            "one more",
            |it| {
                it.governed.as_mut().unwrap().insert("README.md".into(), Some(Digest::of(b"")));
            },
            Some(Code::C05),
        ),
        (
            "another",
            |it| {
                it.governed.as_mut().unwrap().insert("policy.toml".into(), Some(Digest::of(b"")));
            },
            Some(Code::C05),
        ),
        (
            "no plain file",
            |it| {
                it.governed.as_mut().unwrap().insert("policy.toml".into(), None);
            },
            Some(Code::C05),
        ),
    ];
    for (what, bend, code) in rows {
        let mut ledger = Ledger::new();
        ledger.state = State::new();
        let files = super::ledger::digests(&ledger.files);
        let body = Body::Genesis(jit::domain::event::Genesis { name: "acme/production".into(), files });
        let event = ledger.event("rita", None, body);
        let files = ledger.files.clone();
        let mut arrival = ledger.arrival(event, files);
        bend(&mut arrival);
        assert_eq!(ledger.take(arrival).err(), code, "{what}");
    }
}

#[test]
fn voids_change_nothing_but_the_size() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let (size, newest) = (ledger.state.size(), ledger.state.newest());
    let commit = ledger.void();
    assert_eq!((ledger.state.size(), ledger.state.newest()), (size + 1, newest));
    let void = &ledger.state.voids()[0];
    assert_eq!((void.commit, void.position, void.acknowledged), (commit, size, false));
    assert!(ledger.state.has_open_voids());
    // A13: nothing is minted but emergencies.
    assert_eq!(ledger.mint(case), Err(Code::A13));
    let emergency = ledger.emergency().unwrap();
    ledger.mint(emergency).unwrap();
    // The newest time is not the last one.
    let late = ledger.now;
    ledger.now = late.minus(ttl("1m"));
    ledger.request("frank", |_| ()).unwrap();
    assert_eq!(ledger.state.newest(), Some(late));
}

#[test]
fn serials_count_for_each_ca_and_keys_have_one_owner() {
    let mut ledger = Ledger::new();
    let (prod, staging) = (key("the CA of prod"), key("the CA of staging"));
    assert_eq!((ledger.state.next_serial(&prod), ledger.state.next_serial(&staging)), (1, 1));
    let case = ledger.live();
    assert_eq!((ledger.state.next_serial(&prod), ledger.state.next_serial(&staging)), (2, 1));
    assert_eq!(ledger.state.case(&case).unwrap().access().unwrap().issued[0].serial, 1);
    ledger.live();
    assert_eq!(ledger.state.next_serial(&prod), 3);
    assert_eq!(ledger.state.key_owner(&key("bob")), Some(&name("bob")));
    assert_eq!(ledger.state.key_owner(&key("nobody")), None);
    // Also after it was taken out of the policy.
    let gone = hardware("dave");
    assert_eq!(ledger.state.key_owner(&gone), Some(&name("dave")));
    ledger.change(|text| text.replace(&format!(", \"{}\"", hardware("dave")), ""));
    assert_eq!(ledger.state.key_owner(&gone), Some(&name("dave")));
    let taken = ledger.propose(|text| text.replace(&key("erin").to_string(), &gone.to_string()));
    assert_eq!(taken, Err(Code::A10));
}
