//! What changes of the targets: where they lie, what a host does for them, and their roles. Imports the policy alone.

use std::collections::BTreeMap;

use super::super::super::id::Name;
use super::super::{Offline, Policy, Probe, Target};
use super::{Area, Changes, Weight, gained_lost, names, people, role};

/// Compares the targets of two policies.
pub(super) fn compare(changes: &mut Changes, old: &Policy, new: &Policy, targets: &BTreeMap<Name, Target>) {
    for (name, target) in targets {
        let Some(before) = old.targets.get(name) else {
            let of = format!("target {name}");
            changes.put(Weight::Other, Area::Access, &of, format!("is new, in {}", target.environment));
            for (role_name, role) in &target.roles {
                opened(changes, new, &format!("{name}/{role_name}"), role);
            }
            continue;
        };
        one(changes, &format!("target {name}"), before, target);
        for (role_name, role) in &target.roles {
            let of = format!("{name}/{role_name}");
            match before.roles.get(role_name) {
                Some(before) => role::compare(changes, (old, new), &of, before, role),
                None => opened(changes, new, &of, role),
            }
        }
        for role_name in before.roles.keys().filter(|role| !target.roles.contains_key(*role)) {
            changes.stronger(Area::Access, &format!("{name}/{role_name}"), "is gone: nobody gets in by it".to_owned());
        }
    }
    for name in old.targets.keys().filter(|name| !targets.contains_key(*name)) {
        changes.stronger(Area::Access, &format!("target {name}"), "is gone, with all its roles".to_owned());
    }
}

/// A new way in.
fn opened(changes: &mut Changes, policy: &Policy, of: &str, role: &super::super::Role) {
    let who: Vec<String> = role.requesters.iter().map(|group| format!("{group} ({})", people(policy, group))).collect();
    let says = format!(
        "is new: {} may ask for login {} for up to {}, approved by {}",
        who.join(", "),
        role.logins.join(", "),
        role.max_duration,
        role::approval(&role.approve)
    );
    changes.weaker(Area::Access, of, says);
    if role.emergency.is_some() {
        changes.weaker(Area::Access, of, role::emergency(policy, role));
    }
}

fn one(changes: &mut Changes, of: &str, old: &Target, new: &Target) {
    let Target { environment, description, data, offline, probes, roles: _ } = new;
    if old.environment != *environment {
        changes.weaker(
            Area::Environment,
            of,
            format!("moves from the environment {} to {environment}: another CA opens it", old.environment),
        );
    }
    changes.text(of, "the description", &old.description, description);
    let (gained, lost) = gained_lost(&old.data, data);
    for class in gained {
        changes.stronger(Area::Rest, of, format!("holds data of the class {class}"));
    }
    for class in lost {
        changes.weaker(Area::Rest, of, format!("is no longer said to hold data of the class {class}"));
    }
    match (old.offline, offline) {
        (Offline::Deny, Offline::Spool) => {
            changes.weaker(Area::Evidence, of, "lets people in while the ledger cannot be reached".to_owned());
        }
        (Offline::Spool, Offline::Deny) => {
            changes.stronger(Area::Evidence, of, "refuses people while the ledger cannot be reached".to_owned());
        }
        _ => {}
    }
    compare_probes(changes, of, &old.probes, probes);
}

fn compare_probes(changes: &mut Changes, of: &str, old: &[Probe], new: &[Probe]) {
    for probe in new {
        match old.iter().find(|before| before.name == probe.name) {
            None => changes.stronger(
                Area::Evidence,
                of,
                format!("looks at {:?} after each session: {}", probe.name, probe.what),
            ),
            Some(before) if before != probe => {
                // Which of two commands finds more cannot be told.
                let says =
                    format!("looks at {:?} in another way: {} instead of {}", probe.name, probe.what, before.what);
                changes.weaker(Area::Evidence, of, says);
            }
            Some(_) => {}
        }
    }
    for probe in old.iter().filter(|probe| !new.iter().any(|after| after.name == probe.name)) {
        changes.weaker(Area::Evidence, of, format!("no longer looks at {:?} after a session", probe.name));
    }
    let order = |probes: &[Probe], others: &[Probe]| -> Vec<String> {
        let both = probes.iter().filter(|probe| others.iter().any(|other| other.name == probe.name));
        both.map(|probe| probe.name.clone()).collect()
    };
    if order(old, new) != order(new, old) {
        changes.put(Weight::Other, Area::Rest, of, "looks at things in another order after a session".to_owned());
    }
}

/// Groups for people, with who is in them.
pub(super) fn groups(policy: &Policy, groups: &[Name]) -> String {
    if groups.is_empty() {
        return names(groups);
    }
    groups.iter().map(|group| format!("{group} ({})", people(policy, group))).collect::<Vec<_>>().join(", ")
}
