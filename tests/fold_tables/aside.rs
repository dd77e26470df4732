//! The same fold with its past laid aside: before each event of these tables the state is taken apart (`State::core`, its
//! cases, times and policies in memory) and put together again above the parts. It must judge the event as the state at hand
//! does, and say the same afterwards; and so must a state whose past was laid aside some commits ago.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use jit::domain::id::{CaseId, Digest};
use jit::domain::state::State;
use jit::domain::state::arrival::{Arrival, Layout, Metadata};
use jit::domain::state::aside::Aside;
use jit::domain::state::case::Case;
use jit::domain::time::Timestamp;

use super::ledger::ttl;

/// What lies aside, in memory.
#[derive(Debug)]
struct Parts {
    cases: Vec<Vec<u8>>,
    numbers: BTreeMap<CaseId, u64>,
    newest: Vec<Timestamp>,
    policies: BTreeMap<Digest, String>,
}

impl Aside for Parts {
    fn case(&self, number: u64) -> Vec<u8> {
        self.cases[usize::try_from(number).unwrap()].clone()
    }

    fn number(&self, id: &CaseId) -> Option<u64> {
        self.numbers.get(id).copied()
    }

    fn numbers(&self, ids: RangeInclusive<CaseId>, most: usize) -> Vec<u64> {
        self.numbers.range(ids).map(|(_, number)| *number).take(most).collect()
    }

    fn newest(&self, size: u64) -> Timestamp {
        self.newest[usize::try_from(size).unwrap() - 1]
    }

    fn policy(&self, digest: &Digest) -> String {
        self.policies[digest].clone()
    }
}

/// The same state, with nothing at hand but what always is; `None` of an empty ledger.
fn above(state: &State) -> Option<State> {
    let core = state.core()?;
    let since = state.since();
    assert_eq!(since.changed().collect::<Vec<_>>(), (0..state.case_count()).collect::<Vec<_>>());
    let parts = Parts {
        cases: since.changed().map(|number| state.case_bytes(number).unwrap()).collect(),
        numbers: since.opened().collect(),
        newest: since.newest().to_vec(),
        policies: since.policies().map(|policy| (policy.digest, policy.source.as_ref().to_owned())).collect(),
    };
    Some(State::above(&core, Arc::new(parts)).unwrap())
}

/// Judges `arrival` with the past of `state` laid aside, and holds all that is said against what `state` says.
pub fn judged_alike(state: &State, arrival: &Arrival, now: Timestamp) {
    let Some(mut aside) = above(state) else { return };
    say_the_same(state, &aside, now);
    let mut at_hand = state.clone();
    match (at_hand.judge(again(arrival)), aside.judge(again(arrival))) {
        (Ok(first), Ok(second)) => {
            at_hand.apply(first);
            aside.apply(second);
            say_the_same(&at_hand, &aside, now);
        }
        (first, second) => assert_eq!(first.err(), second.err()),
    }
}

/// A state whose past was laid aside some commits ago takes the next arrival, if it breaks no rule.
pub fn followed(older: &mut Option<State>, arrival: &Arrival) {
    if let Some(older) = older
        && let Ok(judged) = older.judge(again(arrival))
    {
        older.apply(judged);
    }
}

/// It says what `state` says, which took the same; and now and then its past is laid aside anew.
pub fn kept_up(older: &mut Option<State>, state: &State, now: Timestamp) {
    match older {
        Some(older) if state.size() > 1 && !state.size().is_multiple_of(6) => say_the_same(state, older, now),
        _ => *older = above(state),
    }
}

fn again(arrival: &Arrival) -> Arrival {
    let layout = arrival.layout.as_ref().map_err(Clone::clone);
    let metadata = arrival.metadata.as_ref().map_err(Clone::clone);
    Arrival {
        commit: arrival.commit,
        parents: arrival.parents.clone(),
        untouched: arrival.untouched.clone(),
        governed_change: arrival.governed_change.clone(),
        governed: arrival.governed.clone(),
        layout: layout.map(|layout| Layout {
            event_path: layout.event_path.clone(),
            file_paths: layout.file_paths.clone(),
            sizes: layout.sizes.clone(),
        }),
        metadata: metadata.map(|metadata| Metadata {
            name: metadata.name.clone(),
            email: metadata.email.clone(),
            time: metadata.time,
            zone: metadata.zone.clone(),
            message: metadata.message.clone(),
        }),
        tree: arrival.tree.clone(),
        event: arrival.event.clone(),
        digest: arrival.digest,
        signature: arrival.signature.clone(),
        root_at_seen: arrival.root_at_seen,
        files: arrival.files.clone(),
        now: arrival.now,
    }
}

fn say_the_same(state: &State, aside: &State, now: Timestamp) {
    let ids = |state: &State| state.cases().map(Case::id).collect::<Vec<_>>();
    assert_eq!((aside.size(), aside.case_count(), ids(aside)), (state.size(), state.case_count(), ids(state)));
    assert_eq!((aside.ledger(), aside.name(), aside.manifest()), (state.ledger(), state.name(), state.manifest()));
    for size in 0..=state.size() + 1 {
        assert_eq!(aside.newest_at(size), state.newest_at(size), "{size}");
    }
    assert_eq!((aside.newest(), aside.voids()), (state.newest(), state.voids()));
    // The first one lies before everything that is taken for being at rest.
    for moment in [now.minus(ttl("400h")), now.minus(ttl("2h")), now, now.plus(ttl("45m")), now.plus(ttl("100h"))] {
        assert_eq!(aside.findings(moment), state.findings(moment));
        assert_eq!(aside.count_by_state(moment), state.count_by_state(moment));
        let awake = |state: &State| state.awake(moment).map(Case::id).collect::<Vec<_>>();
        assert_eq!(awake(aside), awake(state));
        for (one, other) in state.cases().zip(aside.cases()) {
            assert_eq!(aside.case_state(other, moment), state.case_state(one, moment));
        }
        // What is at rest is in no list of what is open, due or wrong; asked one by one, the cases say so too.
        let all = state.cases().flat_map(|case| state.findings_of(case, moment)).collect::<Vec<_>>();
        assert_eq!(state.findings(moment), all);
        let mut counts = BTreeMap::new();
        for case in state.cases().filter(|case| case.position() > 0) {
            *counts.entry(state.case_state(case, moment)).or_insert(0_u64) += 1;
        }
        assert_eq!(state.count_by_state(moment), counts);
    }
    let locks = |state: &State| state.locks().map(|(case, scope)| (case.id(), scope.clone())).collect::<Vec<_>>();
    assert_eq!(locks(aside), locks(state));
    for id in ids(state) {
        let among = |state: &State| state.cases_among(id..=id).into_iter().map(Case::id).collect::<Vec<_>>();
        assert_eq!((among(aside), among(state)), (vec![id], vec![id]));
    }
    assert_eq!(aside.to_bytes(), state.to_bytes());
}
