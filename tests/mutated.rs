//! Valid ledgers with a single change, as somebody who can write to the repository but has nobody's key may make it: a
//! byte, a file, a commit, an order, a signature of somebody else. Whatever it is, the commit that does it is void, or the
//! ledger cannot be checked, or the state is what it was. Nothing ever panics, and no event enters the state that its
//! author did not sign for that case.
//!
//! The ledgers: the sample, which another producer made; each kind of event; and small random ones. A case that fails says
//! the seed that makes it again. Thousands of cases, with a seed of one's own:
//!
//! ```text
//! JIT_MUTATE_SEED=7 JIT_MUTATE_CASES=5000 cargo test --test mutated -- --ignored --nocapture
//! ```

// Helpers stand outside of test functions, where the lints allow this. What is shared with the golden ledgers is not all used.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, dead_code)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jit::domain::id::{CommitId, Digest};
use jit::domain::state::State;
use jit::domain::time::Timestamp;
use jit::issue::krl;
use jit::ledger::{Pin, Replay};

use change::Change;
use dice::Dice;
use ledgers::Base;
use memory::Memory;

#[path = "golden/bodies.rs"]
mod bodies;
#[path = "mutated/change.rs"]
mod change;
#[path = "golden/commit.rs"]
mod commit;
#[path = "mutated/dice.rs"]
mod dice;
#[path = "golden/governed.rs"]
mod governed;
#[path = "golden/keys.rs"]
mod keys;
#[path = "golden/ledger.rs"]
mod ledger;
#[path = "mutated/ledgers.rs"]
mod ledgers;
#[path = "mutated/memory.rs"]
mod memory;
#[path = "golden/minting.rs"]
mod minting;
#[path = "mutated/script.rs"]
mod script;
#[path = "golden/verdict.rs"]
mod verdict;

/// What a ledger says, all of it, with positions in the place of commits: the same for two ledgers that mean the same.
#[derive(PartialEq, Eq, Clone)]
pub struct Meaning(String);

impl Meaning {
    fn of(memory: &Memory, replay: &Replay) -> Self {
        let state = replay.state();
        let mut text = format!("{:?} {:?} {} {:?}\n", state.ledger(), replay.root(), state.name(), state.policy());
        text.push_str(&format!("{:?}\n", state.manifest()));
        for case in state.cases() {
            text.push_str(&format!("{case:?} {:?}\n", at_times(state).map(|at| state.case_state(case, at))));
        }
        let locks: Vec<_> = state.locks().map(|(case, scope)| (case.id(), scope.clone())).collect();
        text.push_str(&format!("{locks:?}\n{:?}\n{:?}\n", state.voids(), krl::revocations(state).unwrap()));
        let cas = state.policy().into_iter().flat_map(|policy| policy.environments.values());
        let serials: Vec<u64> = cas.map(|environment| state.next_serial(&environment.ca)).collect();
        text.push_str(&format!("{serials:?}\n"));
        for at in at_times(state) {
            text.push_str(&format!("{:?}\n", replay.findings(memory, at).unwrap()));
        }
        Self(with_positions(&text, replay))
    }
}

/// While things run, after they ended, and when reviews are overdue.
fn at_times(state: &State) -> [Timestamp; 3] {
    let newest = state.newest().unwrap();
    ["30s", "3h", "72h"].map(|later| newest.plus(later.parse().unwrap()))
}

/// Replaces every commit's id by its position.
fn with_positions(text: &str, replay: &Replay) -> String {
    let positions: HashMap<String, u64> =
        (0..replay.state().size()).map(|at| (replay.commit_at(at).unwrap().to_string(), at)).collect();
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|it: char| !it.is_ascii_hexdigit()) {
        let word = piece.trim_end_matches(|it: char| !it.is_ascii_hexdigit());
        match positions.get(word) {
            Some(position) => out.push_str(&format!("commit {position}{}", &piece[word.len()..])),
            None => out.push_str(piece),
        }
    }
    out
}

/// The events that count: which, in which case, at which place among those of the case.
fn events(state: &State) -> BTreeSet<(String, String, String)> {
    let mut events = BTreeSet::new();
    for case in state.cases() {
        for event in case.events() {
            events.insert((case.id().to_string(), event.digest.to_string(), event.actor.to_string()));
        }
    }
    events
}

fn open(state: &State) -> Vec<(u64, &'static str)> {
    state
        .voids()
        .iter()
        .filter(|void| !void.acknowledged)
        .map(|void| (void.position, void.fault.code.as_str()))
        .collect()
}

/// What came of a change.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Outcome {
    /// An error: it could not be checked, or it is no ledger.
    Error,
    /// A commit is void.
    Void,
    /// Nothing is void, and a finding tells of it.
    Finding,
    /// It means what it meant.
    Same,
    /// The tail is gone: it means what it meant then. Only who has seen more can tell (the pin).
    Earlier,
}

/// The property.
fn judge(base: &Base, change: &Change) -> Result<Outcome, String> {
    let (memory, head) = change.written(base);
    let replay = match Replay::of(&memory, head) {
        Ok(replay) => replay,
        Err(_) => return Ok(Outcome::Error),
    };
    let state = replay.state();
    // Whoever has verified the ledger before is told of every history that does not continue it.
    let kept =
        base.commits.iter().enumerate().all(|(at, id)| replay.commit_at(u64::try_from(at).unwrap()) == Some(*id));
    let pinned = Pin::of(&base.replay).unwrap().check(&replay);
    if pinned.is_ok() != kept {
        return Err(format!("the pin says {pinned:?}"));
    }
    // No event counts that its author did not sign for its case.
    let forged: Vec<_> = events(state).difference(&base.events).cloned().collect();
    if !forged.is_empty() {
        return Err(format!("events that nobody signed count: {forged:?}"));
    }
    if !open(state).is_empty() {
        return Ok(Outcome::Void);
    }
    let meaning = Meaning::of(&memory, &replay);
    if meaning == base.meaning {
        return Ok(Outcome::Same);
    }
    let size = usize::try_from(state.size()).unwrap();
    if change.only_shortens() && size < base.commits.len() && meaning == base.meaning_at(size) {
        return Ok(Outcome::Earlier);
    }
    let now = at_times(base.replay.state())[0];
    let found = replay.findings(&memory, now).unwrap();
    if found.len() > base.replay.findings(&base.memory, now).unwrap().len() {
        return Ok(Outcome::Finding);
    }
    Err("nothing is void, nothing is reported, and the state is another".into())
}

/// One case: which ledger, which change, what came of it. The seed decides everything.
fn run(bases: &[Base], seed: u64) -> (String, Outcome) {
    let mut dice = Dice::new(seed);
    let base = &bases[dice.below(bases.len())];
    let change = Change::random(&mut dice, base);
    let kind = change.kind();
    let told = || format!("seed {seed}: {} on {:?}: {change}", kind, base.name);
    match catch_unwind(AssertUnwindSafe(|| judge(base, &change))) {
        Ok(Ok(outcome)) => {
            if outcome == Outcome::Same {
                println!("the same: {}", told());
            }
            (kind.to_owned(), outcome)
        }
        Ok(Err(why)) => panic!("{}\n{why}", told()),
        Err(_) => panic!("{}\nit panicked", told()),
    }
}

/// Runs cases with seeds from `first` on, and prints what came of each kind of change.
fn run_all(bases: &[Base], first: u64, cases: u64) -> BTreeMap<String, BTreeMap<Outcome, usize>> {
    let mut table: BTreeMap<String, BTreeMap<Outcome, usize>> = BTreeMap::new();
    for seed in first..first + cases {
        let (kind, outcome) = run(bases, seed);
        *table.entry(kind).or_default().entry(outcome).or_default() += 1;
    }
    for (kind, outcomes) in &table {
        println!("{kind:34} {outcomes:?}");
    }
    table
}

#[test]
fn the_ledgers_are_valid_and_written_again_the_same() {
    for base in ledgers::all(3) {
        assert_eq!(open(base.replay.state()), [], "{}", base.name);
        let (memory, ids) = base.script.written();
        assert_eq!(ids, base.commits, "{}: written again, it is the same to the byte", base.name);
        let replay = Replay::of(&memory, *ids.last().unwrap()).unwrap();
        assert!(Meaning::of(&memory, &replay) == base.meaning, "{}", base.name);
        assert!(base.events.len() >= base.commits.len() - base.replay.state().voids().len());
    }
}

#[test]
fn a_single_change_is_void_or_reported_or_changes_nothing() {
    let table = run_all(&ledgers::all(3), 20_261_123, 300);
    // Every kind of change was tried, and the changes are changes.
    assert_eq!(
        table.keys().map(String::as_str).collect::<Vec<_>>(),
        change::KINDS.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    );
    let count = |wanted: Outcome| table.values().filter_map(|row| row.get(&wanted)).sum::<usize>();
    assert!(count(Outcome::Void) > 180, "{table:#?}");
    assert!(count(Outcome::Same) < 30, "{table:#?}");
}

/// The seed and the number of cases come from the environment.
#[test]
#[ignore = "thousands of cases, for as long as one likes: JIT_MUTATE_SEED, JIT_MUTATE_CASES"]
#[allow(clippy::disallowed_methods)]
fn thousands_of_single_changes() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (first, cases) = (number("JIT_MUTATE_SEED", 1), number("JIT_MUTATE_CASES", 5000));
    run_all(&ledgers::all(12), first, cases);
}

/// The property can fail: a verifier that does not look at what was signed takes a shorter history for the whole one.
#[test]
fn a_ledger_that_means_something_else_is_told_from_this_one() {
    let bases = ledgers::all(1);
    let base = &bases[0];
    let last = base.commits.len() - 1;
    assert!(base.meaning_at(last) != base.meaning);
    let shorter: CommitId = base.commits[last - 1];
    let replay = Replay::of(&base.memory, shorter).unwrap();
    assert!(Pin::of(&base.replay).unwrap().check(&replay).is_err());
    assert_ne!(replay.root(), Digest::of(b""));
}
