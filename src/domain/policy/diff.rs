//! What changes between two policies, in terms of people and access and not of lines: who gains what, who loses what, and
//! which rule asks for less than before. PURE; imports nothing of ours but the policy. What cannot be told (a ticket's
//! new pattern, another CA) counts as weaker: whoever approves should look there first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::event::words;
use super::super::id::Name;
use super::super::key::PublicKey;
use super::super::time::Ttl;
use super::{Actor, Class, Environment, Policy, Root};
use std::str::FromStr;

mod role;
mod target;

words! {
    /// Which way a change goes, the most dangerous first.
    Weight {
        /// Somebody can do more, or a rule asks for less.
        Weaker = "weaker",
        /// Neither.
        Other = "other",
        /// Somebody can do less, or a rule asks for more.
        Stronger = "stronger",
    }
}

words! {
    /// What a change is about, the most dangerous first.
    Area {
        /// Who changes the policy.
        Root = "root",
        /// Whose signature counts as whose.
        Key = "key",
        /// People, services and hosts, and the groups they are in.
        Actor = "actor",
        /// CAs and who can read recordings.
        Environment = "environment",
        /// Who approves, and how strongly it is proven.
        Approval = "approval",
        /// Who gets in, where, as whom and for how long.
        Access = "access",
        /// What is looked at afterwards.
        Evidence = "evidence",
        /// Who can stop an access.
        Stop = "stop",
        /// Everything else.
        Rest = "rest",
    }
}

/// One change. Ordered by how dangerous it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Which way it goes.
    pub weight: Weight,
    /// What it is about.
    pub area: Area,
    /// Of whom or what: `root`, `member alice`, `payments-db/read-only`.
    pub of: String,
    /// What changes, in words. It quotes the policies: other people's text.
    pub says: String,
}

/// Everything that differs between `old` and `new`, but for comments, order and the version; weaker first. Empty where
/// both say the same.
pub fn diff(old: &Policy, new: &Policy) -> Vec<Change> {
    // Taken apart, so that a field that is added is not forgotten here.
    let Policy {
        digest: _,
        source: _,
        version: _,
        name,
        clock_skew,
        decide_within,
        activate_within,
        staleness,
        append,
        root,
        actors,
        log,
        environments,
        targets,
        revoke,
        lock,
    } = new;
    let mut changes = Changes::default();
    changes.text("the policy", "its name", &old.name, name);
    for (what, before, after) in [
        ("clocks may differ by", old.clock_skew, *clock_skew),
        ("a request may be decided within", old.decide_within, *decide_within),
        ("an approval may be used within", old.activate_within, *activate_within),
        ("a host may go without news for", old.staleness, *staleness),
    ] {
        changes.longer(Area::Rest, "the policy", what, before, after);
    }
    if *append != old.append {
        let says = format!("events get onto the branch by append = \"{append}\" instead of \"{}\"", old.append);
        changes.put(Weight::Other, Area::Rest, "the policy", says);
    }
    of_root(&mut changes, &old.root, root);
    super::log::compare(&mut changes, old.log.as_ref(), log.as_ref());
    of_actors(&mut changes, old, new, actors);
    of_environments(&mut changes, &old.environments, environments);
    target::compare(&mut changes, old, new, targets);
    for (what, before, after) in [("revoke", &old.revoke, revoke), ("lock", &old.lock, lock)] {
        let (gained, lost) = gained_lost(before, after);
        for group in gained {
            changes.stronger(Area::Stop, &format!("group {group}"), format!("may {what} ({})", people(new, group)));
        }
        for group in lost {
            changes.weaker(
                Area::Stop,
                &format!("group {group}"),
                format!("may no longer {what} ({})", people(old, group)),
            );
        }
    }
    let mut found = changes.0;
    found.sort();
    found.dedup();
    found
}

fn of_root(changes: &mut Changes, old: &Root, new: &Root) {
    let Root { threshold, members } = new;
    let says = |from: usize, to: usize| format!("{to} of {} must agree to a change, not {from}", members.len());
    match threshold.cmp(&old.threshold) {
        std::cmp::Ordering::Less => changes.weaker(Area::Root, "root", says(old.threshold, *threshold)),
        std::cmp::Ordering::Greater => changes.stronger(Area::Root, "root", says(old.threshold, *threshold)),
        std::cmp::Ordering::Equal => {}
    }
    let (gained, lost) = gained_lost(&old.members, members);
    for name in gained {
        changes.weaker(Area::Root, "root", format!("{name} joins those who change the policy"));
    }
    for name in lost {
        changes.stronger(Area::Root, "root", format!("{name} no longer changes the policy"));
    }
}

fn of_actors(changes: &mut Changes, old: &Policy, new: &Policy, actors: &BTreeMap<Name, Actor>) {
    for (name, actor) in actors {
        let of = format!("{} {name}", class(actor));
        let Some(before) = old.actors.get(name) else {
            let keys: Vec<String> = actor.keys.iter().map(fingerprint).collect();
            changes.weaker(Area::Actor, &of, format!("is new, {}; signs with {}", may(new, actor), keys.join(", ")));
            continue;
        };
        let Actor { email, keys, class: now } = actor;
        changes.text(&of, "the e-mail", &before.email, email);
        let (gained, lost) = gained_lost(&before.keys, keys);
        for key in gained {
            changes.weaker(Area::Key, &of, format!("gains the key {}", fingerprint(key)));
        }
        for key in lost {
            changes.stronger(Area::Key, &of, format!("loses the key {}", fingerprint(key)));
        }
        match (&before.class, now) {
            (Class::Member { groups: before }, Class::Member { groups }) => {
                let (gained, lost) = gained_lost(before, groups);
                for group in gained {
                    changes.weaker(Area::Actor, &of, format!("gains the group {group}{}", powers_text(new, group)));
                }
                for group in lost {
                    changes.stronger(Area::Actor, &of, format!("loses the group {group}{}", powers_text(old, group)));
                }
            }
            (Class::Service { mints: before }, Class::Service { mints }) => {
                changes.each(Area::Actor, &of, "mints for", "no longer mints for", before, mints);
            }
            (Class::Host { targets: before }, Class::Host { targets }) => {
                changes.each(Area::Actor, &of, "serves", "no longer serves", before, targets);
            }
            _ => {
                let was = class(before);
                changes.weaker(Area::Actor, &of, format!("was a {was}; {}", may(new, actor)));
            }
        }
    }
    for (name, actor) in old.actors.iter().filter(|(name, _)| !actors.contains_key(*name)) {
        changes.stronger(Area::Actor, &format!("{} {name}", class(actor)), format!("is gone, {}", may(old, actor)));
    }
}

fn of_environments(changes: &mut Changes, old: &BTreeMap<Name, Environment>, new: &BTreeMap<Name, Environment>) {
    for (name, environment) in new {
        let of = format!("environment {name}");
        let Environment { ca, recorders } = environment;
        let Some(before) = old.get(name) else {
            changes.put(Weight::Other, Area::Environment, &of, format!("is new, its CA is {}", fingerprint(ca)));
            continue;
        };
        if before.ca != *ca {
            let says =
                format!("another CA opens its servers: {} instead of {}", fingerprint(ca), fingerprint(&before.ca));
            changes.weaker(Area::Environment, &of, says);
        }
        let (gained, lost) = gained_lost(&before.recorders, recorders);
        for key in gained {
            changes.weaker(Area::Environment, &of, format!("{} can read recordings", fingerprint(key)));
        }
        for key in lost {
            let says = format!("{} cannot read new recordings any more", fingerprint(key));
            changes.put(Weight::Other, Area::Environment, &of, says);
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        changes.stronger(Area::Environment, &format!("environment {name}"), "is gone".to_owned());
    }
}

/// The changes as they are found.
#[derive(Default)]
pub(super) struct Changes(Vec<Change>);

impl Changes {
    pub(super) fn put(&mut self, weight: Weight, area: Area, of: &str, says: String) {
        self.0.push(Change { weight, area, of: of.to_owned(), says });
    }

    pub(super) fn weaker(&mut self, area: Area, of: &str, says: String) {
        self.put(Weight::Weaker, area, of, says);
    }

    pub(super) fn stronger(&mut self, area: Area, of: &str, says: String) {
        self.put(Weight::Stronger, area, of, says);
    }

    /// A text for people.
    fn text(&mut self, of: &str, what: &str, old: &str, new: &str) {
        if old != new {
            self.put(Weight::Other, Area::Rest, of, format!("{what} is {new:?} instead of {old:?}"));
        }
    }

    /// A span of time of which more is weaker.
    pub(super) fn longer(&mut self, area: Area, of: &str, what: &str, old: Ttl, new: Ttl) {
        if old != new {
            let weight = if new > old { Weight::Weaker } else { Weight::Stronger };
            self.put(weight, area, of, format!("{what} {new} instead of {old}"));
        }
    }

    /// A list in which more is weaker, a line for each.
    fn each<T: PartialEq + fmt::Display>(
        &mut self,
        area: Area,
        of: &str,
        gains: &str,
        loses: &str,
        old: &[T],
        new: &[T],
    ) {
        let (gained, lost) = gained_lost(old, new);
        for item in gained {
            self.weaker(area, of, format!("{gains} {item}"));
        }
        for item in lost {
            self.stronger(area, of, format!("{loses} {item}"));
        }
    }
}

/// What only `new` has, and what only `old` has.
pub(super) fn gained_lost<'a, T: PartialEq>(old: &'a [T], new: &'a [T]) -> (Vec<&'a T>, Vec<&'a T>) {
    (new.iter().filter(|item| !old.contains(item)).collect(), old.iter().filter(|item| !new.contains(item)).collect())
}

pub(super) fn fingerprint(key: &PublicKey) -> String {
    let hardware = if key.is_hardware() { " (hardware key)" } else { "" };
    format!("{}{hardware}", key.fingerprint())
}

const fn class(actor: &Actor) -> &'static str {
    match actor.class {
        Class::Member { .. } => "member",
        Class::Service { .. } => "service",
        Class::Host { .. } => "host",
    }
}

/// What an actor is for.
fn may(policy: &Policy, actor: &Actor) -> String {
    match &actor.class {
        Class::Member { groups } if groups.is_empty() => "in no group".to_owned(),
        Class::Member { groups } => {
            let groups: Vec<String> =
                groups.iter().map(|group| format!("{group}{}", powers_text(policy, group))).collect();
            format!("in {}", groups.join(", "))
        }
        Class::Service { mints } => format!("mints for {}", names(mints)),
        Class::Host { targets } => format!("serves {}", names(targets)),
    }
}

fn names(names: &[Name]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// Who is in a group: `bob, carol`.
fn people(policy: &Policy, group: &Name) -> String {
    policy.members_of(group).map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// What a group may do, in brackets: ` (approves payments-db/operator; revokes)`; empty where it may nothing.
fn powers_text(policy: &Policy, group: &Name) -> String {
    let mut powers: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (target_name, target) in &policy.targets {
        for (role_name, role) in &target.roles {
            let emergency = role.emergency.as_ref();
            let reviews = role.review.as_ref().is_some_and(|review| review.group == *group)
                || emergency.is_some_and(|rule| rule.review.group == *group);
            for (what, may) in [
                ("asks for", role.requesters.contains(group)),
                ("approves", role.approve.iter().any(|slot| slot.group == *group)),
                ("opens emergencies on", emergency.is_some_and(|rule| rule.group == *group)),
                ("reviews", reviews),
            ] {
                if may {
                    powers.entry(what).or_default().insert(format!("{target_name}/{role_name}"));
                }
            }
        }
    }
    let mut parts: Vec<String> = powers
        .into_iter()
        .map(|(what, roles)| format!("{what} {}", roles.into_iter().collect::<Vec<_>>().join(", ")))
        .collect();
    if policy.revoke.contains(group) {
        parts.push("revokes".to_owned());
    }
    if policy.lock.contains(group) {
        parts.push("locks".to_owned());
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}
