//! What changes of a role: who may ask, who must agree, how strongly, for how long, and what follows. Imports the policy
//! alone.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::super::super::id::Name;
use super::super::{EmergencyReview, EmergencyRule, GroupCount, Pattern, Policy, Record, ReviewRule, Role};
use super::{Area, Changes, Weight, gained_lost, people, target};

/// Compares two versions of a role. `policies`: the old and the new one, which say who is in which group.
pub(super) fn compare(changes: &mut Changes, policies: (&Policy, &Policy), of: &str, old: &Role, new: &Role) {
    let Role {
        logins,
        requesters,
        approve,
        max_duration,
        ticket,
        least_privilege,
        mfa,
        source_address,
        extensions,
        record,
        review,
        emergency,
    } = new;
    changes.each(Area::Access, of, "opens the login", "no longer opens the login", &old.logins, logins);
    let (gained, lost) = gained_lost(&old.requesters, requesters);
    for group in gained {
        changes.weaker(Area::Access, of, format!("{group} may ask for it ({})", people(policies.1, group)));
    }
    for group in lost {
        changes.stronger(Area::Access, of, format!("{group} may no longer ask for it ({})", people(policies.0, group)));
    }
    if let Some(weight) = quorums(&old.approve, approve) {
        changes.put(
            weight,
            Area::Approval,
            of,
            format!("approved by {} instead of {}", approval(approve), approval(&old.approve)),
        );
    }
    changes.longer(Area::Access, of, "lasts up to", old.max_duration, *max_duration);
    compare_ticket(changes, of, old.ticket.as_ref(), ticket.as_ref());
    match (old.least_privilege, least_privilege) {
        (true, false) => {
            changes.weaker(Area::Approval, of, "nobody has to say why a smaller role does not do".to_owned());
        }
        (false, true) => {
            changes.stronger(Area::Approval, of, "a request says why a smaller role does not do".to_owned());
        }
        _ => {}
    }
    if old.mfa != *mfa {
        let weight = if *mfa < old.mfa { Weight::Weaker } else { Weight::Stronger };
        changes.put(weight, Area::Approval, of, format!("signatures prove {mfa} instead of {}", old.mfa));
    }
    compare_sources(changes, of, &old.source_address, source_address);
    changes.each(Area::Access, of, "a credential has", "a credential no longer has", &old.extensions, extensions);
    match (old.record, record) {
        (Record::Required, Record::Off) => {
            changes.weaker(Area::Evidence, of, "sessions need not be recorded".to_owned());
        }
        (Record::Off, Record::Required) => {
            changes.stronger(Area::Evidence, of, "sessions must be recorded".to_owned());
        }
        _ => {}
    }
    compare_review(changes, of, old.review.as_ref(), review.as_ref());
    compare_emergency(changes, policies, of, (old, old.emergency.as_ref()), (new, emergency.as_ref()));
}

/// `1 of sre and 2 of security`.
pub(super) fn approval(rule: &[GroupCount]) -> String {
    rule.iter().map(|slot| format!("{} of {}", slot.count, slot.group)).collect::<Vec<_>>().join(" and ")
}

/// What an emergency opens.
pub(super) fn emergency(policy: &Policy, role: &Role) -> String {
    let Some(rule) = &role.emergency else { return String::new() };
    format!(
        "without approval in an emergency: {} for up to {}, reviewed by {} of {} within {}",
        target::groups(policy, std::slice::from_ref(&rule.group)),
        rule.max_duration,
        rule.review.count,
        rule.review.group,
        rule.review.within
    )
}

/// Weaker where any group's count falls: that another's rises does not make up for it.
fn quorums(old: &[GroupCount], new: &[GroupCount]) -> Option<Weight> {
    let count = |rule: &[GroupCount]| -> BTreeMap<Name, usize> {
        let mut counts: BTreeMap<Name, usize> = BTreeMap::new();
        for slot in rule {
            let count = counts.entry(slot.group.clone()).or_default();
            *count = count.saturating_add(slot.count);
        }
        counts
    };
    let (old, new) = (count(old), count(new));
    if old == new {
        return None;
    }
    let fell = old.iter().any(|(group, count)| new.get(group).copied().unwrap_or(0) < *count);
    Some(if fell { Weight::Weaker } else { Weight::Stronger })
}

fn compare_ticket(changes: &mut Changes, of: &str, old: Option<&Pattern>, new: Option<&Pattern>) {
    match (old, new) {
        (Some(old), None) => changes.weaker(Area::Approval, of, format!("no ticket is demanded (was {old})")),
        (None, Some(new)) => changes.stronger(Area::Approval, of, format!("a ticket like {new} is demanded")),
        // Whether one pattern takes less than another cannot be told.
        (Some(old), Some(new)) if old != new => {
            changes.weaker(Area::Approval, of, format!("a ticket is like {new} instead of {old}"));
        }
        _ => {}
    }
}

fn compare_sources(changes: &mut Changes, of: &str, old: &[IpNet], new: &[IpNet]) {
    let (gained, lost) = gained_lost(old, new);
    if gained.is_empty() && lost.is_empty() {
        return;
    }
    let said = |nets: &[IpNet]| match nets {
        [] => "anywhere".to_owned(),
        nets => nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    // An empty list is every address.
    let within = |net: &IpNet| old.is_empty() || old.iter().any(|wider| wider.contains(net));
    let wider = (new.is_empty() && !old.is_empty()) || !new.iter().all(within);
    let weight = if wider { Weight::Weaker } else { Weight::Stronger };
    changes.put(weight, Area::Access, of, format!("a login comes from {} instead of {}", said(new), said(old)));
}

fn compare_review(changes: &mut Changes, of: &str, old: Option<&ReviewRule>, new: Option<&ReviewRule>) {
    let said = |rule: &ReviewRule| format!("{} of {} within {}", rule.count, rule.group, rule.within);
    match (old, new) {
        (Some(old), None) => changes.weaker(Area::Evidence, of, format!("no review afterwards (was {})", said(old))),
        (None, Some(new)) => changes.stronger(Area::Evidence, of, format!("reviewed by {}", said(new))),
        (Some(old), Some(new)) => {
            let ReviewRule { group, count, within, checks } = new;
            if said(old) != said(new) {
                // Another group is another judgement: it counts as weaker.
                let weaker = *group != old.group || *count < old.count || *within > old.within;
                let weight = if weaker { Weight::Weaker } else { Weight::Stronger };
                changes.put(weight, Area::Evidence, of, format!("reviewed by {} instead of {}", said(new), said(old)));
            }
            let (gained, lost) = gained_lost(&old.checks, checks);
            for check in gained {
                changes.stronger(Area::Evidence, of, format!("a review answers {check:?}"));
            }
            for check in lost {
                changes.weaker(Area::Evidence, of, format!("a review no longer answers {check:?}"));
            }
        }
        (None, None) => {}
    }
}

fn compare_emergency(
    changes: &mut Changes,
    policies: (&Policy, &Policy),
    of: &str,
    (_, old): (&Role, Option<&EmergencyRule>),
    (role, new): (&Role, Option<&EmergencyRule>),
) {
    match (old, new) {
        (None, Some(_)) => changes.weaker(Area::Access, of, emergency(policies.1, role)),
        (Some(_), None) => changes.stronger(Area::Access, of, "no emergency opens it any more".to_owned()),
        (Some(old), Some(new)) => {
            let EmergencyRule { group, max_duration, review } = new;
            if old.group != *group {
                let says = format!(
                    "{group} ({}) opens emergencies instead of {} ({})",
                    people(policies.1, group),
                    old.group,
                    people(policies.0, &old.group)
                );
                changes.weaker(Area::Access, of, says);
            }
            changes.longer(Area::Access, of, "an emergency lasts up to", old.max_duration, *max_duration);
            let said = |rule: &EmergencyReview| format!("{} of {} within {}", rule.count, rule.group, rule.within);
            if old.review != *review {
                let EmergencyReview { group, count, within } = review;
                let weaker = *group != old.review.group || *count < old.review.count || *within > old.review.within;
                let weight = if weaker { Weight::Weaker } else { Weight::Stronger };
                let says = format!("an emergency is reviewed by {} instead of {}", said(review), said(&old.review));
                changes.put(weight, Area::Evidence, of, says);
            }
        }
        (None, None) => {}
    }
}
