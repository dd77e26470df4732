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

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;

    use super::super::super::key::PublicKey;
    use super::super::reach::Groups;
    use super::*;

    fn key(seed: u8) -> PublicKey {
        PublicKey::ed25519(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap()
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn names(text: &str) -> BTreeSet<Name> {
        text.split_whitespace().map(name).collect()
    }

    /// A policy whose members are in the groups given; its one role asks for nothing but people of `g0`.
    fn people(groups: &[(&str, &str)]) -> Policy {
        let mut text = format!(
            "version = 1\nname = \"t\"\nclock_skew = \"1m\"\ndecide_within = \"1h\"\nactivate_within = \"1h\"\n\
             staleness = \"1h\"\nroot = {{ threshold = 1, members = [\"{}\"] }}\nrevoke = {{ groups = [] }}\n\
             lock = {{ groups = [] }}\n",
            groups[0].0
        );
        for (seed, (who, groups)) in (1..).zip(groups) {
            let list: Vec<String> = groups.split_whitespace().map(|group| format!("\"{group}\"")).collect();
            text += &format!(
                "[member.{who}]\nemail = \"{who}@acme.example\"\ngroups = [{}]\nkeys = [\"{}\"]\n",
                list.join(", "),
                key(seed)
            );
        }
        Policy::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn rule(text: &str) -> Vec<GroupCount> {
        text.split_whitespace()
            .map(|part| {
                let (group, count) = part.split_once('=').unwrap();
                GroupCount { group: name(group), count: count.parse().unwrap() }
            })
            .collect()
    }

    #[test]
    fn people_are_counted_once_and_the_requester_never() {
        let policy = people(&[
            ("alice", "dev"),
            ("bob", "sre"),
            ("carol", "sre security"),
            ("dave", "security"),
            ("erin", "security dev"),
            ("raj", ""),
        ]);
        // rule, requester, approvers → what is missing, `group count candidates`
        for (text, requester, approvers, missing) in [
            ("sre=1 security=1", "alice", "", "sre 1 bob carol; security 1 carol dave erin"),
            ("sre=1 security=1", "alice", "bob", "security 1 carol dave erin"),
            ("sre=1 security=1", "alice", "bob dave", ""),
            // in two groups: one place, whichever helps
            ("sre=1 security=1", "alice", "carol", "security 1 dave erin"),
            ("sre=1 security=1", "alice", "carol dave", ""),
            ("security=1 sre=1", "alice", "bob carol", ""),
            ("sre=2 security=1", "alice", "bob carol", "security 1 dave erin"),
            // bob has no other place than sre, so carol is security's
            ("sre=1 security=1", "alice", "carol bob", ""),
            // the requester, a stranger, somebody who has left, a group in two parts
            ("security=1", "dave", "dave", "security 1 carol erin"),
            ("security=2", "erin", "erin dave", "security 1 carol"),
            ("sre=1", "alice", "zoe raj", "sre 1 bob carol"),
            ("sre=1 sre=1", "alice", "bob", "sre 1 carol"),
            ("sre=1 sre=1", "alice", "bob carol", ""),
            ("sre=2", "bob", "carol", "sre 1 "),
            ("nobody=1", "alice", "bob", "nobody 1 "),
        ] {
            let quorum = quorum(&policy, &rule(text), &name(requester), &names(approvers));
            let told: Vec<String> = quorum
                .missing
                .iter()
                .map(|m| {
                    let candidates: Vec<&str> = m.candidates.iter().map(Name::as_str).collect();
                    format!("{} {} {}", m.group, m.count, candidates.join(" "))
                })
                .collect();
            assert_eq!(told.join("; "), missing, "{text} asked by {requester}, approved by {approvers}");
            assert_eq!(quorum.met, missing.is_empty());
        }
        assert!(!quorum(&policy, &[], &name("alice"), &names("bob carol")).met, "no rule is no approval");
    }

    #[test]
    fn whoever_has_left_the_group_no_longer_counts() {
        let before = people(&[("alice", "dev"), ("bob", "sre"), ("carol", "sre")]);
        let after = people(&[("alice", "dev"), ("bob", "dev"), ("carol", "sre")]);
        let said = names("bob");
        assert!(quorum(&before, &rule("sre=1"), &name("alice"), &said).met);
        assert!(!quorum(&after, &rule("sre=1"), &name("alice"), &said).met);
    }

    /// Whether the places can be filled with distinct people: by trying everything.
    fn brute(places: &[Name], left: &[Name], policy: &Policy) -> bool {
        let Some((place, rest)) = places.split_first() else { return true };
        (0..left.len()).any(|index| {
            let mut others = left.to_vec();
            let person = others.remove(index);
            policy.in_group(&person, place) && brute(rest, &others, policy)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn counting_agrees_with_trying_everything(
            memberships in prop::collection::vec(0u8..16, 6),
            counts in prop::collection::vec((0usize..4, 1usize..3), 1..4),
            said in 0u8..64,
        ) {
            const WHO: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
            let groups: Vec<String> = memberships
                .iter()
                .map(|bits| (0..4).filter(|g| bits & (1 << g) != 0).map(|g| format!("g{g} ")).collect())
                .collect();
            let list: Vec<(&str, &str)> = WHO.into_iter().zip(groups.iter().map(String::as_str)).collect();
            let policy = people(&list);
            let text: Vec<String> = counts.iter().map(|(g, n)| format!("g{g}={n}")).collect();
            let rule = rule(&text.join(" "));
            let approvers: BTreeSet<Name> = (0..6).filter(|i| said & (1 << i) != 0).map(|i| name(WHO[i])).collect();
            let requester = name("a");

            let places: Vec<Name> = rule.iter().flat_map(|r| std::iter::repeat_n(r.group.clone(), r.count)).collect();
            let able: Vec<Name> = approvers.iter().filter(|n| **n != requester).cloned().collect();
            let told = quorum(&policy, &rule, &requester, &approvers);
            prop_assert_eq!(told.met, brute(&places, &able, &policy));

            // What is missing is no more than needed: that many places taken away, the rest can be filled.
            // Hall agrees, with everybody willing and somebody of g0 or g1 asking.
            let everybody: Vec<Name> = policy.actors.keys().cloned().collect();
            let anybody = everybody.iter().any(|asker| {
                let others: Vec<Name> = everybody.iter().filter(|n| *n != asker).cloned().collect();
                policy.in_any_group(asker, &[name("g0"), name("g1")]) && brute(&places, &others, &policy)
            });
            prop_assert_eq!(Groups::of(&policy).reachable(&rule, &[name("g0"), name("g1")]), anybody);

            let short: usize = told.missing.iter().map(|m| m.count).sum();
            let mut rest = places.clone();
            for missing in &told.missing {
                for _ in 0..missing.count {
                    let at = rest.iter().position(|group| *group == missing.group);
                    prop_assert!(at.is_some());
                    rest.remove(at.unwrap());
                }
                for candidate in &missing.candidates {
                    prop_assert!(policy.in_group(candidate, &missing.group));
                    prop_assert!(*candidate != requester && !approvers.contains(candidate));
                }
            }
            prop_assert!(brute(&rest, &able, &policy));
            // … and no fewer: no way of filling leaves fewer empty.
            for keep in 0u32..(1 << places.len()) {
                if usize::try_from(keep.count_ones()).unwrap() > places.len() - short {
                    let some: Vec<Name> =
                        places.iter().enumerate().filter(|(i, _)| keep & (1 << i) != 0).map(|(_, g)| g.clone()).collect();
                    prop_assert!(!brute(&some, &able, &policy));
                }
            }
        }
    }
}
