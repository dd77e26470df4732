//! Counting people: a rule asks for so many of each group, and each person fills one place (rules A03, A04; "approvals
//! count people, not keys"). Imports nothing of ours but the policy.

use std::collections::{BTreeMap, BTreeSet};

use super::super::id::Name;
use super::{GroupCount, Policy};

/// Whether a rule is met, and who is still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Whether every place is filled. A rule without a place is never met: nobody opens access alone.
    pub met: bool,
    /// What is missing, in the rule's order; each group once.
    pub missing: Vec<Missing>,
}

/// People of a group who are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The group.
    pub group: Name,
    /// How many.
    pub count: usize,
    /// Who could still approve: in the group, not the requester, not yet among the approvers; sorted.
    pub candidates: Vec<Name>,
}

/// Counts `approvers` against `rule` under `policy`. Every person fills one place of the whole rule, the requester none,
/// and a group counts only those who are in it in this policy; whoever the policy does not know counts for nothing.
///
/// A person in two groups fills whichever place lets the most be filled. Where there is still a choice of what to call
/// missing, it is the group with the most people left who could approve.
pub fn quorum(policy: &Policy, rule: &[GroupCount], requester: &Name, approvers: &BTreeSet<Name>) -> Quorum {
    let people: Vec<&Name> = approvers.iter().filter(|name| *name != requester && policy.is_member(name)).collect();
    let candidates = |group: &Name| -> Vec<Name> {
        policy.members_of(group).filter(|name| *name != requester && !approvers.contains(*name)).cloned().collect()
    };

    // Places of the scarcest groups first: an augmenting path never empties a place that was filled, so the first ones
    // asked for keep priority.
    let mut order: Vec<(usize, &GroupCount)> = rule.iter().map(|slot| (candidates(&slot.group).len(), slot)).collect();
    order.sort_by_key(|(left, _)| *left);

    let mut seats = Seats { policy, people, seated: BTreeMap::new(), places: Vec::new() };
    let mut short: BTreeMap<&Name, usize> = BTreeMap::new();
    for (_, slot) in order {
        for _ in 0..slot.count {
            if !seats.fill(&slot.group) {
                let count = short.entry(&slot.group).or_default();
                *count = count.saturating_add(1);
            }
        }
    }

    let met = !rule.is_empty() && short.is_empty();
    let mut missing = Vec::new();
    for slot in rule {
        if let Some(count) = short.remove(&slot.group) {
            missing.push(Missing { group: slot.group.clone(), count, candidates: candidates(&slot.group) });
        }
    }
    Quorum { met, missing }
}

/// Whether somebody of `requesters` could ask so that distinct others fill every place of `rule`.
pub(super) fn reachable(policy: &Policy, rule: &[GroupCount], requesters: &[Name]) -> bool {
    let everybody: BTreeSet<Name> = policy.actors.keys().cloned().collect();
    requesters
        .iter()
        .flat_map(|group| policy.members_of(group))
        .any(|requester| quorum(policy, rule, requester, &everybody).met)
}

/// A bipartite matching between places and people, grown one place at a time.
struct Seats<'a> {
    policy: &'a Policy,
    people: Vec<&'a Name>,
    /// Person → place.
    seated: BTreeMap<&'a Name, usize>,
    /// Place → the group it is for.
    places: Vec<&'a Name>,
}

impl<'a> Seats<'a> {
    /// Opens a place for `group` and fills it, moving others where that helps. False where nobody can be found.
    fn fill(&mut self, group: &'a Name) -> bool {
        let place = self.places.len();
        self.places.push(group);
        if self.seat(place, &mut BTreeSet::new()) {
            return true;
        }
        self.places.pop();
        false
    }

    /// An augmenting path from `place`; `tried` people are not asked again. As deep as there are filled places, which
    /// the policy bounds (64 for each part of a rule).
    fn seat(&mut self, place: usize, tried: &mut BTreeSet<&'a Name>) -> bool {
        let Some(group) = self.places.get(place).copied() else { return false };
        for index in 0..self.people.len() {
            let Some(person) = self.people.get(index).copied() else { return false };
            if !self.policy.in_group(person, group) || !tried.insert(person) {
                continue;
            }
            let moved = match self.seated.get(person).copied() {
                None => true,
                Some(taken) => self.seat(taken, tried),
            };
            if moved {
                self.seated.insert(person, place);
                return true;
            }
        }
        false
    }
}
