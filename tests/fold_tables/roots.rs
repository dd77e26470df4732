//! Proposals (A10) and enactments (A11): versions, manifests, quorums of root members.

use std::collections::BTreeMap;

use jit::domain::event::{Body, FileDigest, Proposal, Subject};
use jit::domain::finding::Code;
use jit::domain::id::{CaseId, Digest, ObjectId};
use jit::domain::state::case::CaseState::{Approved, Denied, Enacted, Overtaken, Pending};

use super::ledger::{Ledger, approval, denial, digests, key, name};

fn subject(ledger: &mut Ledger, subject: Subject) -> Result<CaseId, Code> {
    ledger.say("rita", None, Body::Proposal(Proposal { reason: "Looked into.".into(), subject }))
}

/// A proposal by rita of the next version and these files, of which `brought` lie beside it.
fn proposed(version: u64, edit: impl FnOnce(&mut Vec<FileDigest>, &mut BTreeMap<String, Vec<u8>>)) -> Option<Code> {
    let mut ledger = Ledger::new();
    let text = String::from_utf8(ledger.files["policy.toml"].clone()).unwrap();
    let text = text.replacen("version = 1\n", &format!("version = {version}\n"), 1);
    let mut brought = BTreeMap::from([("policy.toml".to_owned(), text.into_bytes())]);
    let mut files = digests(&brought);
    edit(&mut files, &mut brought);
    let subject = Subject::Policy { version, files };
    let event = ledger.event("rita", None, Body::Proposal(Proposal { reason: "Things change.".into(), subject }));
    let arrival = ledger.arrival(event, brought);
    ledger.take(arrival).err()
}

fn file(path: &str, bytes: &[u8]) -> FileDigest {
    FileDigest { path: path.into(), sha256: Digest::of(bytes) }
}

#[test]
fn a_policy_is_the_next_version_and_its_files_are_the_manifests() {
    assert_eq!(proposed(2, |_, _| ()), None);
    for version in [0, 1, 3] {
        assert_eq!(proposed(version, |_, _| ()), Some(Code::A10), "version {version}");
    }
    type Edit = fn(&mut Vec<FileDigest>, &mut BTreeMap<String, Vec<u8>>);
    let rows: [(&str, Edit, Option<Code>); 10] = [
        (
            "one more, brought",
            |files, brought| {
                files.push(file("z.md", b"z"));
                brought.insert("z.md".into(), b"z".to_vec());
            },
            None,
        ),
        ("one more, not brought", |files, _| files.push(file("z.md", b"z")), Some(Code::A10)),
        (
            "one more, another brought",
            |files, brought| {
                files.push(file("z.md", b"z"));
                brought.insert("z.md".into(), b"y".to_vec());
            },
            Some(Code::A10),
        ),
        ("brought and not named", |_, brought| drop(brought.insert("z.md".into(), b"z".to_vec())), Some(Code::A10)),
        ("a path twice", |files, _| files.push(files[0].clone()), Some(Code::A10)),
        (
            "under ledger/",
            |files, brought| {
                files.insert(0, file("ledger/x", b"z"));
                brought.insert("ledger/x".into(), b"z".to_vec());
            },
            Some(Code::A10),
        ),
        (
            "ledger itself",
            |files, brought| {
                files.insert(0, file("ledger", b"z"));
                brought.insert("ledger".into(), b"z".to_vec());
            },
            Some(Code::A10),
        ),
        (
            "ledgers is another name",
            |files, brought| {
                files.insert(0, file("ledgers", b"z"));
                brought.insert("ledgers".into(), b"z".to_vec());
            },
            None,
        ),
        (
            "no policy",
            |files, brought| {
                files.clear();
                brought.clear();
            },
            Some(Code::A10),
        ),
        (
            "a policy with another version",
            |files, brought| {
                let text = String::from_utf8(brought["policy.toml"].clone()).unwrap().replacen(
                    "version = 2",
                    "version = 3",
                    1,
                );
                brought.insert("policy.toml".into(), text.into_bytes());
                files[0] = file("policy.toml", &brought["policy.toml"]);
            },
            Some(Code::A10),
        ),
    ];
    for (what, edit, code) in rows {
        assert_eq!(proposed(2, edit), code, "{what}");
    }
}

#[test]
fn people_propose_and_only_what_there_is_is_acknowledged() {
    let mut ledger = Ledger::new();
    let void = ledger.void();
    let other = ObjectId::from_bytes([0xee; 20]);
    assert!(subject(&mut ledger, Subject::Acknowledge { commits: vec![other] }).is_err());
    assert_eq!(subject(&mut ledger, Subject::Acknowledge { commits: vec![void, other] }), Err(Code::A10));
    let body = |commits| {
        let subject = Subject::Acknowledge { commits };
        Body::Proposal(Proposal { reason: "Looked into.".into(), subject })
    };
    assert_eq!(ledger.say("minter", None, body(vec![void])), Err(Code::A10), "no person");
    assert!(ledger.clone().say("alice", None, body(vec![void])).is_ok(), "any member");
    // Files beside a proposal that names none were signed by nobody.
    let event = ledger.event("rita", None, body(vec![void]));
    let mut next = ledger.clone();
    let arrival = next.arrival(event, BTreeMap::from([("x".to_owned(), Vec::new())]));
    assert_eq!(next.take(arrival), Err(Code::A10));

    let second = ledger.void();
    let case = subject(&mut ledger, Subject::Acknowledge { commits: vec![void] }).unwrap();
    ledger.say("raj", Some(case), approval()).unwrap();
    assert!(ledger.state.has_open_voids());
    ledger.say("raj", Some(case), Body::Enactment).unwrap();
    let open: Vec<_> = ledger.state.voids().iter().map(|void| (void.commit, void.acknowledged)).collect();
    assert_eq!(open, [(void, true), (second, false)]);
    assert!(ledger.state.has_open_voids());
    let case = subject(&mut ledger, Subject::Acknowledge { commits: vec![second] }).unwrap();
    ledger.say("raj", Some(case), approval()).unwrap();
    ledger.say("raj", Some(case), Body::Enactment).unwrap();
    assert!(!ledger.state.has_open_voids());
}

#[test]
fn a_proposal_wants_the_root_quorum_and_its_proposer_counts_once() {
    let mut ledger = Ledger::new();
    let case = ledger.propose(|text| text).unwrap();
    assert_eq!(ledger.stands(case), Pending);
    assert_eq!(ledger.refused("rita", case, Body::Enactment), Some(Code::A11));
    assert_eq!(ledger.refused("rita", case, approval()), Some(Code::A03), "her own");
    assert_eq!(ledger.refused("alice", case, approval()), Some(Code::A03), "no root member");
    ledger.wait("8760h");
    assert_eq!(ledger.stands(case), Pending, "proposals do not lapse");
    let mut denied = ledger.clone();
    denied.say("raj", Some(case), denial()).unwrap();
    assert_eq!(denied.stands(case), Denied);
    assert_eq!(denied.refused("raj", case, approval()), Some(Code::A03));
    assert_eq!(denied.refused("rita", case, Body::Enactment), Some(Code::A11));
    ledger.say("raj", Some(case), approval()).unwrap();
    assert_eq!(ledger.stands(case), Approved);
    assert_eq!(ledger.refused("raj", case, approval()), Some(Code::A03), "twice");
    let mut other = ledger.propose(|text| text.replace("staleness = \"10m\"", "staleness = \"12m\"")).unwrap();
    ledger.say("raj", Some(case), Body::Enactment).unwrap();
    assert_eq!((ledger.stands(case), ledger.stands(other)), (Enacted, Overtaken));
    assert_eq!(ledger.policy().version, 2);
    assert_eq!(ledger.state.manifest().len(), 1);
    assert_eq!(ledger.refused("raj", other, approval()), Some(Code::A03));
    assert_eq!(ledger.refused("raj", other, Body::Enactment), Some(Code::A11));
    assert_eq!(ledger.refused("raj", case, Body::Enactment), Some(Code::A11), "once");
    other = ledger.state.cases().next().unwrap().id();
    assert!(ledger.refused("raj", other, Body::Enactment).is_some(), "the genesis is no proposal");
}

/// A proposal by rita of a policy with these root members.
fn roots(threshold: usize, members: &str) -> (Ledger, CaseId) {
    let mut ledger = Ledger::new();
    let case = ledger.propose(|text| {
        text.replace(
            "threshold = 2\nmembers = [\"rita\", \"raj\"]",
            &format!("threshold = {threshold}\nmembers = {members}"),
        )
    });
    (ledger, case.unwrap())
}

fn missing(ledger: &Ledger, case: CaseId) -> String {
    let lack = |it: &jit::domain::policy::Missing| {
        let names: Vec<String> = it.candidates.iter().map(ToString::to_string).collect();
        format!("{} {}: {}", it.group, it.count, names.join(" "))
    };
    ledger.state.missing_roots(ledger.case(case)).iter().map(lack).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_old_and_the_new_root_quorum_are_both_needed() {
    // Nothing of the roots changes: the same people are not asked for twice.
    let (mut ledger, case) = roots(2, "[\"rita\", \"raj\"]");
    assert_eq!(missing(&ledger, case), "root 1: raj");
    ledger.say("raj", Some(case), approval()).unwrap();
    assert_eq!((missing(&ledger, case).as_str(), ledger.stands(case)), ("", Approved));

    // The new roots are others: both quorums.
    let (mut ledger, case) = roots(2, "[\"dave\", \"erin\"]");
    assert_eq!(missing(&ledger, case), "root 1: raj; new-root 2: dave erin");
    ledger.say("raj", Some(case), approval()).unwrap();
    assert_eq!((missing(&ledger, case).as_str(), ledger.stands(case)), ("new-root 2: dave erin", Pending));
    assert_eq!(ledger.refused("raj", case, Body::Enactment), Some(Code::A11));
    ledger.say("erin", Some(case), approval()).unwrap();
    assert_eq!(missing(&ledger, case), "new-root 1: dave");
    ledger.say("dave", Some(case), approval()).unwrap();
    assert_eq!((missing(&ledger, case).as_str(), ledger.stands(case)), ("", Approved));

    // The threshold falls with the proposal: the old one holds still (quality.md, attack 17).
    let (ledger, case) = roots(1, "[\"rita\", \"raj\"]");
    assert_eq!((missing(&ledger, case).as_str(), ledger.stands(case)), ("root 1: raj", Pending));

    // It rises: the new one holds as well.
    let (mut ledger, case) = roots(3, "[\"rita\", \"raj\", \"erin\", \"dave\"]");
    assert_eq!(missing(&ledger, case), "root 1: raj; new-root 2: dave erin raj");
    ledger.say("dave", Some(case), approval()).unwrap();
    assert_eq!(missing(&ledger, case), "root 1: raj; new-root 1: erin raj");
    ledger.say("erin", Some(case), approval()).unwrap();
    assert_eq!(
        (missing(&ledger, case).as_str(), ledger.stands(case)),
        ("root 1: raj", Pending),
        "the old ones lack one"
    );
    ledger.say("raj", Some(case), approval()).unwrap();
    assert_eq!(missing(&ledger, case), "");

    // Of one count, but of other people.
    let (ledger, case) = roots(2, "[\"rita\", \"erin\"]");
    assert_eq!(missing(&ledger, case), "root 1: raj; new-root 1: erin");
    // Other cases lack nobody.
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ()).unwrap();
    assert_eq!(missing(&ledger, case), "");
}

#[test]
fn an_unlock_of_what_was_lifted_meanwhile_is_overtaken() {
    use jit::domain::event::{Lock, LockScope};
    let mut ledger = Ledger::new();
    let lock = Body::Lock(Lock { scope: LockScope::Member(name("alice")), reason: "Lost.".into(), incident: None });
    let lock = ledger.say("erin", None, lock).unwrap();
    let one = subject(&mut ledger, Subject::Unlock { lock }).unwrap();
    let other = subject(&mut ledger, Subject::Unlock { lock }).unwrap();
    assert_eq!(missing(&ledger, one), "root 1: raj");
    ledger.say("raj", Some(one), approval()).unwrap();
    ledger.say("raj", Some(one), Body::Enactment).unwrap();
    assert_eq!((ledger.stands(one), ledger.stands(other)), (Enacted, Overtaken));
    assert_eq!(missing(&ledger, other), "");
}

#[test]
fn a_key_of_one_actor_is_nobody_elses() {
    let mut ledger = Ledger::new();
    let taken = ledger.propose(|text| {
        let zoe = format!("[member.zoe]\nemail = \"zoe@acme.example\"\ngroups = []\nkeys = [\"{}\"]\n\n", key("zoe"));
        text.replace("[service.minter]", &format!("{zoe}[service.minter]"))
    });
    assert!(taken.is_ok());
    ledger.change(|text| text.replace(&key("frank").to_string(), &key("frank's second").to_string()));
    let given = |who: &str| {
        let mut next = ledger.clone();
        next.propose(|text| text.replace(&key(who).to_string(), &key("frank").to_string()))
    };
    assert_eq!(given("erin"), Err(Code::A10), "it was frank's");
    assert!(given("frank's second").is_ok(), "and is his again");
}
