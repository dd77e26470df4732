//! A request tried against a policy that need not be in force: the same rules as of a request and its approvals in a
//! ledger, without a ledger. What rests on keys and on the log (K, L) is not asked. Imports as the fold does.

use std::sync::Arc;

use super::State;
use super::access::{Access, Approved};
use super::case::{Case, CaseState, Matter};
use crate::domain::event::{Body, Event, Request};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CaseId, Digest, Name};
use crate::domain::policy::{Missing, Policy};
use crate::domain::time::Timestamp;

/// What would become of a request.
#[derive(Debug, Clone)]
pub enum Trial {
    /// A rule refuses the request, or somebody's approval.
    Refused {
        /// Whose event.
        by: Name,
        /// Why.
        fault: Fault,
    },
    /// It waits.
    Pending(Vec<Missing>),
    /// The quorum stands.
    Approved,
    /// An emergency: a credential is issued before any approval.
    Emergency,
}

/// Asks the rules what would become of `request` by `actor` at `now`, approved by `approvers` one after the other.
pub fn trial(policy: &Policy, actor: &Name, request: &Request, approvers: &[Name], now: Timestamp) -> Trial {
    let event = |actor: &Name, case: Option<CaseId>, body: Body| Event {
        ledger: None,
        case,
        policy: Some(policy.digest),
        actor: actor.clone(),
        time: now,
        nonce: None,
        seen: None,
        body,
    };
    // K04: whoever signs is in the policy.
    let known = |name: &Name| match policy.actor(name) {
        Some(_) => Ok(()),
        None => Err(Fault::new(Code::K04, format!("{name} is not in the policy"))),
    };
    let mut state = State { policy: Some(Arc::new(policy.clone())), ..State::default() };
    let asked = event(actor, None, Body::Request(Box::new(request.clone())));
    if let Err(fault) = known(actor).and_then(|()| state.judge_request(policy, &asked, request)) {
        return Trial::Refused { by: actor.clone(), fault };
    }
    if request.emergency {
        return Trial::Emergency;
    }
    let id = CaseId(Digest::of(b"a trial"));
    let case = Case {
        id,
        position: 0,
        opened: now,
        actor: actor.clone(),
        events: Vec::new(),
        matter: Matter::Access(Box::new(Access::draft(actor.clone(), now, request.clone()))),
    };
    state.numbers.insert(id, 0);
    state.opened.push(case.into());
    for name in approvers {
        let said = event(name, Some(id), Body::Approval { comment: None });
        if let Err(fault) = known(name).and_then(|()| state.judge_decision(policy, &said)) {
            return Trial::Refused { by: name.clone(), fault };
        }
        let key = policy.actor(name).and_then(|actor| actor.keys.first()).cloned();
        if let (Some(Matter::Access(access)), Some(key)) = (state.case_mut(&id).map(|case| &mut case.matter), key) {
            access.approvals.push(Approved { actor: name.clone(), time: now, key });
            if access.decided.is_none() && access.has_quorum(policy) {
                access.decided = Some(now);
            }
        }
    }
    match state.case(&id) {
        Some(case) if state.case_state(case, now) == CaseState::Approved => Trial::Approved,
        case => {
            Trial::Pending(case.and_then(Case::access).and_then(|access| access.missing(policy)).unwrap_or_default())
        }
    }
}
