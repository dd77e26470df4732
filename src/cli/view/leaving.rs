//! Who a policy leaves out, and what ends with them: live grants, open requests, approvals of other people's cases. Shown
//! wherever such a policy is proposed, approved or put in force. Imports domain.

use serde_json::{Value, json};

use super::super::output::Output;
use super::{standing, subject};
use crate::domain::id::Name;
use crate::domain::key::PublicKey;
use crate::domain::policy::{Class, Policy};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::Timestamp;

/// A member of the policy in force whom another policy leaves out.
pub struct Leaver<'s> {
    /// Who.
    pub name: Name,
    /// Their live grants, oldest first.
    pub live: Vec<&'s Case>,
    /// Their requests that are pending or approved.
    pub open: Vec<&'s Case>,
    /// Other people's pending and approved cases that they agreed to.
    pub agreed: Vec<&'s Case>,
}

/// Everybody whom `new` leaves out, by name.
pub fn leavers<'s>(state: &'s State, new: &Policy, now: Timestamp) -> Vec<Leaver<'s>> {
    let Some(old) = state.policy() else { return Vec::new() };
    let gone = old.actors.keys().filter(|name| old.is_member(name) && !new.is_member(name));
    gone.map(|name| {
        let mut leaver = Leaver { name: name.clone(), live: Vec::new(), open: Vec::new(), agreed: Vec::new() };
        for case in state.awake(now) {
            let Some(access) = case.access() else { continue };
            let waits = matches!(state.case_state(case, now), CaseState::Pending | CaseState::Approved);
            let is_live = state.case_state(case, now) == CaseState::Live;
            if access.actor == *name {
                if is_live {
                    leaver.live.push(case);
                } else if waits {
                    leaver.open.push(case);
                }
            } else if waits && access.approvals.iter().any(|approval| approval.actor == *name) {
                leaver.agreed.push(case);
            }
        }
        leaver
    })
    .collect()
}

/// Whether `name` with `key` may revoke anybody's case under `policy` (A09).
pub fn may_revoke(policy: &Policy, name: &Name, key: &PublicKey) -> bool {
    let Some(actor) = policy.actor(name).filter(|actor| actor.keys.contains(key)) else { return false };
    matches!(actor.class, Class::Service { .. }) || policy.in_any_group(name, &policy.revoke)
}

/// Who may revoke under `policy`: `sre (bob), security (dave, erin), service minter`.
pub fn who_revokes(policy: &Policy) -> String {
    let groups = policy.revoke.iter().map(|group| {
        let names: Vec<&str> = policy.members_of(group).map(Name::as_str).collect();
        format!("{group} ({})", names.join(", "))
    });
    let services = policy.actors.iter().filter(|(_, actor)| matches!(actor.class, Class::Service { .. }));
    groups.chain(services.map(|(name, _)| format!("service {name}"))).collect::<Vec<_>>().join(", ")
}

/// What ends, line by line; empty where nobody leaves.
pub fn text(output: &Output, state: &State, new: &Policy, now: Timestamp) -> String {
    let mut text = String::new();
    for leaver in leavers(state, new, now) {
        let Leaver { name, live, open, agreed } = &leaver;
        text.push_str(&format!("\n{}\n", output.bold(&format!("{name} leaves. What ends with the enactment:"))));
        let mut line = |what: &str, case: &Case, comes: &str| {
            let case = format!("{}  {}, {}", case.id().short(), subject(case), standing(state, case, now));
            text.push_str(&format!("  {what:<8}  {case}\n            {comes}\n"));
        };
        for case in live {
            line("grant", case, "is revoked; servers end its sessions at once");
        }
        for case in open {
            line("request", case, "is revoked; no credential comes of it any more");
        }
        for case in agreed {
            line("approval", case, &format!("{} asked; {name}'s approval no longer counts", case.actor()));
        }
        if live.is_empty() && open.is_empty() && agreed.is_empty() {
            text.push_str("  nothing: no live grant, no open request, no approval that others wait on\n");
        }
        if !live.is_empty() || !open.is_empty() {
            let who = who_revokes(new);
            text.push_str(&format!("  Whoever enacts signs the revocations, if they may revoke: {who}\n"));
        }
    }
    text
}

/// The same for scripts.
pub fn json(state: &State, new: &Policy, now: Timestamp) -> Value {
    let ids = |cases: &[&Case]| -> Vec<String> { cases.iter().map(|case| case.id().short()).collect() };
    leavers(state, new, now)
        .iter()
        .map(|leaver| {
            json!({ "member": leaver.name.as_str(), "live": ids(&leaver.live), "open": ids(&leaver.open),
                "approvals": ids(&leaver.agreed) })
        })
        .collect()
}
