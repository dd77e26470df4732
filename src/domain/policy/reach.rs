//! Whether a quorum could be reached at all (rule A10), for every role of a policy that a stranger may have proposed:
//! so by Hall's theorem over the few groups of a rule, not by matching everybody with every place for each possible
//! requester. `quorum` counts those who have approved; this asks about all who might. Imports nothing of ours but the
//! policy.

use std::collections::{BTreeMap, BTreeSet};

use super::super::id::Name;
use super::{GroupCount, Policy};

/// Who is in which group; members are numbered.
pub(super) struct Groups<'a> {
    people: usize,
    members: BTreeMap<&'a Name, Vec<usize>>,
}

impl<'a> Groups<'a> {
    pub(super) fn of(policy: &'a Policy) -> Self {
        let mut members: BTreeMap<&Name, Vec<usize>> = BTreeMap::new();
        for (person, actor) in policy.actors.values().enumerate() {
            for group in actor.groups() {
                members.entry(group).or_default().push(person);
            }
        }
        Self { people: policy.actors.len(), members }
    }

    /// A group is there when at least one member lists it.
    pub(super) fn contains(&self, group: &Name) -> bool {
        self.members.contains_key(group)
    }

    /// The groups' names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a Name> {
        self.members.keys().copied()
    }

    /// Whether somebody of `requesters` could ask so that distinct others fill every place of `rule`, which has at most
    /// 16 parts (the reader lets 8 through, and a review is one more).
    ///
    /// Hall: the places can be filled exactly when, for each choice of parts, there are as many people in any of their
    /// groups as these parts have places.
    pub(super) fn reachable(&self, rule: &[GroupCount], requesters: &[Name]) -> bool {
        // Each person's parts, as bits.
        let mut parts = vec![0_usize; self.people];
        for (bit, slot) in rule.iter().enumerate() {
            for person in self.people_of(&slot.group) {
                if let Some(mask) = parts.get_mut(person) {
                    *mask |= 1 << bit;
                }
            }
        }
        let mut alike: BTreeMap<usize, usize> = BTreeMap::new();
        for mask in &parts {
            let count = alike.entry(*mask).or_default();
            *count = count.saturating_add(1);
        }
        // For each choice of parts: how many people more than places.
        let spare: Option<Vec<(usize, usize)>> = (1..1_usize << rule.len())
            .map(|choice| {
                let able: usize = alike.iter().filter(|(mask, _)| **mask & choice != 0).map(|(_, count)| count).sum();
                let chosen = rule.iter().enumerate().filter(|(bit, _)| choice & (1 << bit) != 0);
                let places: usize = chosen.map(|(_, slot)| slot.count).sum();
                able.checked_sub(places).map(|spare| (choice, spare))
            })
            .collect();
        let Some(spare) = spare else { return false };

        // The requester fills no place, so one must be to spare wherever they would count.
        let askers: BTreeSet<usize> = requesters
            .iter()
            .flat_map(|group| self.people_of(group))
            .filter_map(|person| parts.get(person).copied())
            .collect();
        askers.into_iter().any(|asker| spare.iter().all(|(choice, spare)| asker & choice == 0 || *spare > 0))
    }

    fn people_of(&self, group: &Name) -> impl Iterator<Item = usize> {
        self.members.get(group).into_iter().flatten().copied()
    }
}
