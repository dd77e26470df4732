//! The valid ledgers that are changed: the sample, one with every kind of event, and random ones.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use git2::Repository;
use jit::domain::event::{Body, LockScope, ProbeResult, Subject};
use jit::domain::id::{CaseId, CommitId};
use jit::ledger::Replay;

use crate::bodies::{
    approval, closure, denial, lock, residue, review, revocation, session_end, session_start, withdrawal,
};
use crate::dice::Dice;
use crate::keys::{Key, TOUCHED};
use crate::ledger::{Case, Ledger, ttl};
use crate::memory::Memory;
use crate::script::Script;
use crate::{Meaning, events};

/// A valid ledger, and what it means.
pub struct Base {
    pub name: String,
    pub script: Script,
    pub memory: Memory,
    /// Oldest first.
    pub commits: Vec<CommitId>,
    pub replay: Replay,
    pub meaning: Meaning,
    pub events: BTreeSet<(String, String, String)>,
    /// What it meant when it was shorter, once asked.
    shorter: RefCell<HashMap<usize, Meaning>>,
}

impl Base {
    fn new(name: String, repository: &Repository) -> Self {
        let script = Script::read(repository);
        let (memory, commits) = script.written();
        let head = *commits.last().unwrap();
        assert_eq!(head.to_string(), repository.refname_to_id("refs/heads/main").unwrap().to_string(), "{name}");
        let replay = Replay::of(&memory, head).unwrap();
        let state = replay.state();
        assert!(!state.has_open_voids(), "{name}: {:?}", state.voids());
        let (meaning, events) = (Meaning::of(&memory, &replay), events(state));
        Self { name, script, memory, commits, replay, meaning, events, shorter: RefCell::default() }
    }

    /// What the first `size` commits mean.
    pub fn meaning_at(&self, size: usize) -> Meaning {
        let mut shorter = self.shorter.borrow_mut();
        let meaning = shorter.entry(size).or_insert_with(|| {
            let replay = Replay::of(&self.memory, self.commits[size - 1]).unwrap();
            Meaning::of(&self.memory, &replay)
        });
        meaning.clone()
    }
}

/// The sample, the ledger with every kind of event, and this many random ones. Each ends with an event whose author has
/// seen everything before it.
pub fn all(random: u64) -> Vec<Base> {
    let mut all = vec![sample(), everything()];
    all.extend((0..random).map(self::random));
    all
}

/// The sample ledger, by another producer.
fn sample() -> Base {
    let directory = tempfile::tempdir().unwrap();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/ledger.bundle");
    let repository = Repository::init_bare(directory.path()).unwrap();
    let fetched = Command::new("git")
        .args(["fetch", "--quiet"])
        .arg(bundle)
        .arg("refs/heads/main:refs/heads/main")
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
    Base::new("the sample".into(), &repository)
}

fn base(name: String, ledger: &mut Ledger) -> Base {
    ledger.request("frank", |_| ());
    Base::new(name, &Repository::open(ledger.path()).unwrap())
}

/// One event of every kind, hardware keys, a void commit that was acknowledged, a new policy, locks.
fn everything() -> Base {
    let mut ledger = Ledger::new();
    whole_case(&mut ledger);
    let denied = ledger.request("alice", |_| ());
    ledger.told("erin", denied.id, denial());
    let withdrawn = ledger.request("alice", |_| ());
    ledger.told("alice", withdrawn.id, withdrawal());
    touched(&mut ledger);
    let revoked = ledger.live();
    ledger.told("carol", revoked.id, revocation());
    locked_and_unlocked(&mut ledger);
    acknowledged(&mut ledger);
    new_policy(&mut ledger, "4h");
    let mut emergency = ledger.request("alice", |request| {
        request.emergency = true;
        request.incident = Some("INC-4711".into());
        request.duration = ttl("15m");
    });
    ledger.mint(&mut emergency);
    ledger.wait("16m");
    ledger.told("dave", emergency.id, review());
    ledger.told("erin", emergency.id, review());
    base("every kind".into(), &mut ledger)
}

fn whole_case(ledger: &mut Ledger) {
    let case = ledger.live();
    session(ledger, &case);
    ledger.told("alice", case.id, closure());
    ledger.told("db1", case.id, residue(ProbeResult::Clear));
    ledger.told("erin", case.id, review());
}

fn session(ledger: &mut Ledger, case: &Case) {
    let session = ledger.nonce();
    ledger.told("db1", case.id, Body::SessionStart(session_start(&session, case.serial)));
    ledger.told("db1", case.id, Body::SessionEnd(session_end(&session)));
}

/// Asked for and approved with hardware keys.
fn touched(ledger: &mut Ledger) {
    let mut request = ledger.asks("alice");
    request.targets = vec!["payments-db/guarded".parse().unwrap()];
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    let time = event.time;
    let signed = ledger.sign_with(&Key::hardware("alice", TOUCHED), event);
    let commit = ledger.lay(&signed);
    let case = CaseId(ledger.land(commit));
    ledger.opened.insert(case, time);
    let event = ledger.event("dave", Some(case), approval());
    let signed = ledger.sign_with(&Key::hardware("dave", TOUCHED), event);
    let commit = ledger.lay(&signed);
    ledger.land(commit);
}

fn locked_and_unlocked(ledger: &mut Ledger) {
    let event = ledger.event("dave", None, lock(LockScope::Member("alice".parse().unwrap())));
    let locked = ledger.say(event);
    let unlock = ledger.propose_other("raj", Subject::Unlock { lock: locked });
    ledger.approve(unlock, "rita");
    ledger.told("raj", unlock, Body::Enactment);
}

/// A void commit that the root members have looked into.
fn acknowledged(ledger: &mut Ledger) {
    let event = ledger.event("bob", None, lock(LockScope::Ledger));
    ledger.void_event("A12", event);
    let commits = ledger.voids().iter().map(|id| id.to_string().parse().unwrap()).collect();
    let proposal = ledger.propose_other("rita", Subject::Acknowledge { commits });
    ledger.approve(proposal, "raj");
    ledger.told("rita", proposal, Body::Enactment);
}

fn new_policy(ledger: &mut Ledger, decide_within: &str) {
    let change = ledger.propose_policy("rita", |text| {
        let (before, rest) = text.split_once("decide_within = \"").unwrap();
        let after = rest.split_once('"').unwrap().1;
        format!("{before}decide_within = \"{decide_within}\"{after}")
    });
    ledger.approve(change.id, "raj");
    ledger.enact("bob", &change);
}

/// How far a case of a random ledger has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Half,
    Approved,
    Live,
    Ended,
    Done,
}

/// Between 15 and 30 turns, each one that the rules allow.
fn random(number: u64) -> Base {
    let mut dice = Dice::new(number.wrapping_add(77));
    let mut ledger = Ledger::new();
    let mut cases: Vec<(Case, Stage)> = Vec::new();
    for _ in 0..15 + dice.below(15) {
        let open: Vec<usize> = (0..cases.len()).filter(|at| cases[*at].1 != Stage::Done).collect();
        match dice.below(10) {
            0 => new_policy(&mut ledger, ["3h", "5h", "7h", "9h"][dice.below(4)]),
            1 => locked_and_unlocked(&mut ledger),
            2 | 3 => cases.push((asked(&mut dice, &mut ledger), Stage::Asked)),
            _ if open.is_empty() => cases.push((asked(&mut dice, &mut ledger), Stage::Asked)),
            _ => {
                let (case, stage) = &mut cases[*dice.one(&open)];
                *stage = turn(&mut dice, &mut ledger, case, *stage);
            }
        }
    }
    base(format!("random {number}"), &mut ledger)
}

fn asked(dice: &mut Dice, ledger: &mut Ledger) -> Case {
    let actor = *dice.one(&["alice", "frank"]);
    let deploys = dice.below(4) == 0;
    ledger.request(actor, |request| {
        request.duration = ttl(["20m", "30m", "1h"][dice.below(3)]);
        if deploys {
            request.targets = vec!["shop-web/deploy".parse().unwrap()];
        }
    })
}

/// The next turn of a case.
fn turn(dice: &mut Dice, ledger: &mut Ledger, case: &mut Case, stage: Stage) -> Stage {
    let deploys = case.request.targets[0].to_string() == "shop-web/deploy";
    let actor = case.event.actor.as_str().to_owned();
    match stage {
        Stage::Asked if dice.below(6) == 0 => {
            let who = if deploys { "bob" } else { "erin" };
            ledger.told(who, case.id, denial());
            Stage::Done
        }
        Stage::Asked | Stage::Approved if dice.below(8) == 0 => {
            ledger.told(&actor, case.id, withdrawal());
            Stage::Done
        }
        Stage::Asked => {
            ledger.approve(case.id, dice.one::<&str>(&["bob", "carol"]));
            if deploys { Stage::Approved } else { Stage::Half }
        }
        Stage::Half => {
            ledger.approve(case.id, "dave");
            Stage::Approved
        }
        Stage::Approved => {
            ledger.mint(case);
            Stage::Live
        }
        Stage::Live => match dice.below(4) {
            0 if !deploys => {
                session(ledger, case);
                Stage::Live
            }
            1 => {
                ledger.told(dice.one::<&str>(&["dave", "carol"]), case.id, revocation());
                Stage::Ended
            }
            2 => {
                ledger.mint(case);
                Stage::Live
            }
            _ => {
                ledger.told(&actor, case.id, closure());
                Stage::Ended
            }
        },
        Stage::Ended if dice.coin() && !deploys => {
            ledger.told("db1", case.id, residue(*dice.one(&[ProbeResult::Clear, ProbeResult::Found])));
            Stage::Ended
        }
        Stage::Ended if !deploys => {
            ledger.told("erin", case.id, review());
            Stage::Done
        }
        Stage::Ended | Stage::Done => Stage::Done,
    }
}
