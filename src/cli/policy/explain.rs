//! `jit policy explain`.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::error::CliError;
use super::super::session::{Fresh, Session};
use super::super::view::{waiting_json, waiting_text};
use super::super::{Context, Exit, Outcome};
use super::names;
use crate::domain::id::{Name, RoleRef};
use crate::domain::policy::{Mfa, Role, Target, quorum};
use crate::domain::time::Ttl;

/// What would happen if `member` asked.
///
/// # Errors
/// Refused where the policy knows no such member or role.
pub fn run(context: &mut Context, member: &Name, target: &RoleRef, duration: Option<Ttl>, emergency: bool) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let policy = session.policy();
    let Some(role) = policy.role(target) else {
        return Err(CliError::refused(format!("the policy has no {target}")).hint("jit policy show"));
    };
    if !policy.is_member(member) {
        return Err(CliError::refused(format!("the policy knows no member {member}")).hint("jit policy show"));
    }
    let mut refusals = Vec::new();
    let (groups, longest) = match (&role.emergency, emergency) {
        (Some(rule), true) => (vec![rule.group.clone()], rule.max_duration),
        (None, true) => {
            refusals.push(format!("{target} has no emergency access"));
            (Vec::new(), role.max_duration)
        }
        (_, false) => (role.requesters.clone(), role.max_duration),
    };
    if refusals.is_empty() && !policy.in_any_group(member, &groups) {
        refusals.push(format!("{member} is in no group that may ask ({})", names(&groups)));
    }
    if let Some(duration) = duration.filter(|duration| *duration > longest) {
        refusals.push(format!("{duration} is longer than the {longest} that {target} allows"));
    }
    let missing = if emergency { Vec::new() } else { quorum(policy, &role.approve, member, &BTreeSet::new()).missing };
    let allowed = refusals.is_empty();
    let mut lines = Vec::new();
    if allowed {
        lines.push(format!("{member} may ask for {target} for up to {longest}."));
        if emergency {
            lines
                .push("The credential is issued before any approval; reviewers must look at it afterwards.".to_owned());
        } else {
            lines.push(format!("Approval: {}", waiting_text(&missing)));
        }
        demands(role, &mut lines);
        lines.extend(policy.targets.get(&target.target).map(afterwards));
    } else {
        lines.extend(refusals.iter().map(|why| format!("Refused: {why}.")));
    }
    context.output.result(
        || {
            json!({ "allowed": allowed, "member": member.as_str(), "role": target.to_string(), "max_duration": longest.to_string(),
                "emergency": emergency, "refusals": refusals, "waiting_on": waiting_json(&missing) })
        },
        || lines.join("\n"),
    )?;
    Ok(if allowed { Exit::DONE } else { Exit(3) })
}

/// What the target's hosts look at after each session.
fn afterwards(target: &Target) -> String {
    let probes: Vec<String> = target.all_probes().into_iter().map(|probe| probe.name).collect();
    format!("After each session the host looks at: {}", probes.join(", "))
}

/// What the request would have to say, and what follows.
fn demands(role: &Role, lines: &mut Vec<String>) {
    if let Some(pattern) = &role.ticket {
        lines.push(format!("Ticket: like {}", pattern.as_str()));
    }
    if role.least_privilege {
        lines.push("Must say why a smaller role does not do (--least-privilege).".to_owned());
    }
    if role.mfa != Mfa::None {
        lines.push(format!("Signatures: hardware key, {}", role.mfa));
    }
    if !role.source_address.is_empty() {
        let nets: Vec<String> = role.source_address.iter().map(ToString::to_string).collect();
        lines.push(format!("Login from: {}", nets.join(", ")));
    }
    if let Some(review) = &role.review {
        lines.push(format!("Review: {} of {} within {} of the end", review.count, review.group, review.within));
    }
}
