//! Soundness (rule A10): how the parts of a policy relate. "A policy that is itself unsound (unknown group, a quorum that
//! nobody can reach, one key with two actors, threshold above members)". Imports nothing of ours but the policy.

use std::collections::BTreeMap;

use super::super::id::Name;
use super::super::key::PublicKey;
use super::errors::Report;
use super::reach::Groups;
use super::{Class, EmergencyRule, GroupCount, Policy, ReviewRule, Role};

/// Reports everything unsound. The policy's fields are well-formed each for itself.
pub(super) fn check(policy: &Policy, report: &mut Report<'_>) {
    root(policy, report);
    keys(policy, report);
    references(policy, report);
    if let Some(log) = &policy.log {
        super::log::check(log, report);
    }
    let groups = Groups::of(policy);
    groups.check_list(report, "revoke/groups", &policy.revoke);
    groups.check_list(report, "lock/groups", &policy.lock);
    for (target_name, target) in &policy.targets {
        for (role_name, role) in &target.roles {
            let place = format!("target/{target_name}/role/{role_name}");
            if role_groups(&groups, role, &place, report) {
                reach(&groups, role, &place, report);
            }
        }
    }
}

/// A10: threshold above members; root members are people of the policy.
fn root(policy: &Policy, report: &mut Report<'_>) {
    for (index, name) in policy.root.members.iter().enumerate() {
        if !policy.is_member(name) {
            let message = format!("root member `{name}` is no member");
            report.add_at(&format!("root/members/{index}"), message, Some("the name of a [member.…]"));
        }
    }
    // The reader has refused a name that comes twice.
    let most = policy.root.members.len();
    if policy.root.threshold > most {
        let message = format!("the threshold is {} and the root has {most} members", policy.root.threshold);
        report.add_at("root/threshold", message, Some(&format!("1 to {most}")));
    }
}

/// A10: one key with two actors. A key has one use in the whole policy, too: whoever holds a CA's key and could also
/// sign events with it would be two roles in one file.
fn keys(policy: &Policy, report: &mut Report<'_>) {
    let mut uses: Vec<(usize, String, &PublicKey)> = Vec::new();
    for (name, actor) in &policy.actors {
        let class = match actor.class {
            Class::Member { .. } => "member",
            Class::Service { .. } => "service",
            Class::Host { .. } => "host",
        };
        for (index, key) in actor.keys.iter().enumerate() {
            let place = format!("{class}/{name}/keys/{index}");
            uses.push((report.offset_of(&place), format!("{class} {name}"), key));
        }
    }
    if let Some(log) = &policy.log {
        uses.push((report.offset_of("log/key"), "the log".to_owned(), &log.key));
        // A witness that holds the log's key, or a minter's, would vouch for itself.
        for (index, witness) in log.witnesses.iter().enumerate() {
            let place = format!("log/witness/{index}/key");
            uses.push((report.offset_of(&place), format!("the witness {}", witness.name), &witness.key));
        }
    }
    for (name, environment) in &policy.environments {
        let place = format!("environment/{name}");
        uses.push((report.offset_of(&format!("{place}/ca")), format!("the CA of {name}"), &environment.ca));
    }
    // The earlier in the file owns the key; the later is the mistake.
    uses.sort_by_key(|(offset, _, _)| *offset);
    // By point: a hardware key and a software key with one point are one key.
    let mut owners: BTreeMap<&[u8; 32], String> = BTreeMap::new();
    for (offset, owner, key) in uses {
        if let Some(first) = owners.get(key.point()) {
            let message = format!("one key with two owners: {first} and {owner} ({})", key.fingerprint());
            report.add(offset, message, Some("a key of its own"));
        } else {
            owners.insert(key.point(), owner);
        }
    }
    // Several environments may share a recorder, but a recorder is nothing else.
    for (name, environment) in &policy.environments {
        for (index, key) in environment.recorders.iter().enumerate() {
            if let Some(first) = owners.get(key.point()) {
                let message = format!("one key with two owners: {first} and a recorder of {name}");
                let place = format!("environment/{name}/recorder/{index}/key");
                report.add_at(&place, message, Some("a key of its own"));
            }
        }
    }
}

/// Environments and targets that are named exist.
fn references(policy: &Policy, report: &mut Report<'_>) {
    const ENVIRONMENT: Option<&str> = Some("the name of an [environment.…]");
    for (name, target) in &policy.targets {
        if !policy.environments.contains_key(&target.environment) {
            let message = format!("environment `{}` is unknown", target.environment);
            report.add_at(&format!("target/{name}/environment"), message, ENVIRONMENT);
        }
    }
    for (name, actor) in &policy.actors {
        match &actor.class {
            Class::Member { .. } => {}
            Class::Service { mints } => {
                for (index, environment) in mints.iter().enumerate() {
                    if !policy.environments.contains_key(environment) {
                        let message = format!("environment `{environment}` is unknown");
                        report.add_at(&format!("service/{name}/mints/{index}"), message, ENVIRONMENT);
                    }
                }
            }
            Class::Host { targets } => {
                for (index, target) in targets.iter().enumerate() {
                    if !policy.targets.contains_key(target) {
                        let message = format!("target `{target}` is unknown");
                        let expected = Some("the name of a [target.…]");
                        report.add_at(&format!("host/{name}/targets/{index}"), message, expected);
                    }
                }
            }
        }
    }
}

impl Groups<'_> {
    /// A10: unknown group.
    fn check(&self, report: &mut Report<'_>, place: &str, group: &Name) -> bool {
        if self.contains(group) {
            return true;
        }
        let message = format!("group `{group}` is unknown: no member is in it");
        let names: Vec<&str> = self.names().map(Name::as_str).take(12).collect();
        let expected = format!("a group that a member lists, such as {}", names.join(", "));
        report.add_at(place, message, (!names.is_empty()).then_some(expected.as_str()));
        false
    }

    fn check_list(&self, report: &mut Report<'_>, place: &str, groups: &[Name]) -> bool {
        let mut good = true;
        for (index, group) in groups.iter().enumerate() {
            good &= self.check(report, &format!("{place}/{index}"), group);
        }
        good
    }
}

fn role_groups(groups: &Groups<'_>, role: &Role, place: &str, report: &mut Report<'_>) -> bool {
    let mut good = groups.check_list(report, &format!("{place}/requesters"), &role.requesters);
    for (index, slot) in role.approve.iter().enumerate() {
        good &= groups.check(report, &format!("{place}/approve/{index}/group"), &slot.group);
    }
    if let Some(ReviewRule { group, .. }) = &role.review {
        good &= groups.check(report, &format!("{place}/review/group"), group);
    }
    if let Some(EmergencyRule { group, review, .. }) = &role.emergency {
        good &= groups.check(report, &format!("{place}/emergency/group"), group);
        good &= groups.check(report, &format!("{place}/emergency/review/group"), &review.group);
    }
    good
}

/// A10: a quorum that nobody can reach. Nobody fills two places, and the requester none; the review is by nobody who
/// asked or approved (A09), so its people come on top of the approvers.
fn reach(groups: &Groups<'_>, role: &Role, place: &str, report: &mut Report<'_>) {
    let mut slots: Vec<GroupCount> = role.approve.clone();
    if !groups.reachable(&slots, &role.requesters) {
        let message = "nobody can reach this quorum: there are not enough distinct people besides the requester";
        report.add_at(&format!("{place}/approve"), message, Some("fewer approvals, or more people in the groups"));
    } else if let Some(review) = &role.review {
        slots.extend(review.slots());
        if !groups.reachable(&slots, &role.requesters) {
            let message = "nobody is left to review: reviewers are distinct from the requester and the approvers";
            report.add_at(&format!("{place}/review"), message, Some("fewer reviewers, or more people in the group"));
        }
    }
    if let Some(emergency) = &role.emergency
        && !groups.reachable(&emergency.review.slots(), std::slice::from_ref(&emergency.group))
    {
        let message = "nobody can reach this emergency review: there are not enough people besides the requester";
        let expected = Some("fewer reviewers, or more people in the group");
        report.add_at(&format!("{place}/emergency/review"), message, expected);
    }
}
