//! A01 to A13: who may do what, at which state of the case. One function a kind; the rule is quoted beside its check.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access::{Access, may_ask};
use super::case::{Case, CaseState, Matter};
use super::{Claim, State};
use crate::domain::event::{Body, Event, LockScope, Request, Review, SessionEnd, SessionStart};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CaseId, Name, RoleRef};
use crate::domain::policy::{Class, Mfa, Policy, Role};

/// A fault of `code`.
pub(super) fn refuse<T>(code: Code, why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::new(code, why))
}

impl State {
    /// How much presence the roles of the event's case demand: of requests and their approvals and denials.
    /// With several roles the strictest one's. What other kinds say nobody has to touch a key for.
    pub fn demanded_presence(&self, policy: &Policy, case: Option<CaseId>, body: &Body) -> Mfa {
        let targets: &[RoleRef] = match body {
            Body::Request(request) => &request.targets,
            Body::Approval { .. } | Body::Denial { .. } => {
                match case.and_then(|case| self.case(&case)).and_then(Case::access) {
                    Some(access) => &access.request.targets,
                    None => return Mfa::None,
                }
            }
            _ => return Mfa::None,
        };
        targets.iter().filter_map(|role| policy.role(role)).map(|role| role.mfa).max().unwrap_or(Mfa::None)
    }

    /// The A rules of the event's kind.
    pub(super) fn judge_authority(&self, policy: &Policy, claim: &Claim<'_>) -> Result<Option<Arc<Policy>>, Fault> {
        let event = claim.event;
        match &event.body {
            Body::Request(request) => self.judge_request(policy, event, request)?,
            Body::Approval { .. } | Body::Denial { .. } => self.judge_decision(policy, event)?,
            Body::Withdrawal { .. } => self.judge_withdrawal(event)?,
            Body::Issuance(issuance) => self.judge_issuance(event, issuance, claim.signature)?,
            Body::SessionStart(start) => self.judge_session_start(policy, event, start)?,
            Body::SessionEnd(end) => self.judge_session_end(policy, event, end)?,
            Body::Revocation { .. } => self.judge_revocation(policy, event)?,
            Body::Closure { .. } => self.judge_closure(event)?,
            Body::Residue(_) => self.judge_residue(policy, event)?,
            Body::Review(review) => self.judge_review(policy, event, review)?,
            Body::Lock(lock) => judge_lock(policy, event, &lock.scope)?,
            Body::Proposal(proposal) => return self.judge_proposal(policy, claim, proposal),
            Body::Enactment => self.judge_enactment(event)?,
            Body::Genesis(_) => {}
        }
        Ok(None)
    }

    pub(super) fn judge_request(&self, policy: &Policy, event: &Event, request: &Request) -> Result<(), Fault> {
        if !policy.is_member(&event.actor) {
            return refuse(Code::A01, format!("{} is not a member: only people ask for access", event.actor));
        }
        let mut roles = Vec::with_capacity(request.targets.len());
        for target in &request.targets {
            roles.push((target, self.judge_role(policy, event, request, target)?));
        }
        // A01: the request narrows where the login may come from, never widens it.
        super::grant::source_address(request, roles.iter().map(|(_, role)| *role))?;
        for (target, role) in &roles {
            judge_demands(request, target, role)?;
        }
        // A02: the classes are the policy's.
        let classes = policy.data_classes();
        if let Some(unknown) = request.risk.data.iter().find(|class| !classes.contains(class.as_str())) {
            let known: Vec<&str> = classes.into_iter().collect();
            return refuse(Code::A02, format!("{unknown:?} is no data class of the policy: {}", known.join(", ")));
        }
        if let Some(extended) = request.extends {
            let own = self.case(&extended).and_then(Case::access).is_some_and(|access| access.actor == event.actor);
            if !own {
                return refuse(
                    Code::A02,
                    format!("{} is no access case of {} to extend", extended.short(), event.actor),
                );
            }
        }
        if !request.emergency {
            return Ok(());
        }
        // A02: an emergency has an incident.
        if request.incident.is_none() {
            return refuse(Code::A02, "an emergency names its incident");
        }
        // A07: no second emergency before the first one's reviews.
        match self.open_emergency(&event.actor) {
            Some(open) => refuse(
                Code::A07,
                format!("{}'s emergency case {} still waits for its review", event.actor, open.id.short()),
            ),
            None => Ok(()),
        }
    }

    /// A01 and A07: the role is there, its requesters may ask, and not for longer than it allows.
    fn judge_role<'p>(
        &self,
        policy: &'p Policy,
        event: &Event,
        request: &Request,
        target: &RoleRef,
    ) -> Result<&'p Role, Fault> {
        let Some(role) = policy.role(target) else {
            return match policy.targets.get(&target.target) {
                None => {
                    let known: Vec<&str> = policy.targets.keys().map(Name::as_str).collect();
                    refuse(
                        Code::A01,
                        format!("target {} is unknown; the policy has {}", target.target, known.join(", ")),
                    )
                }
                Some(known) => {
                    let roles: Vec<&str> = known.roles.keys().map(Name::as_str).collect();
                    refuse(
                        Code::A01,
                        format!("{} has no role {}; it has {}", target.target, target.role, roles.join(", ")),
                    )
                }
            };
        };
        if request.emergency {
            let Some(rule) = &role.emergency else {
                return refuse(Code::A07, format!("{target} has no emergency access"));
            };
            if !may_ask(policy, role, &event.actor, true) {
                return refuse(
                    Code::A07,
                    format!("{} is not in {}, who may open an emergency on {target}", event.actor, rule.group),
                );
            }
            if request.duration > rule.max_duration {
                return refuse(
                    Code::A07,
                    format!(
                        "{} is longer than the {} that an emergency on {target} allows",
                        request.duration, rule.max_duration
                    ),
                );
            }
            return Ok(role);
        }
        if !may_ask(policy, role, &event.actor, false) {
            let groups: Vec<&str> = role.requesters.iter().map(Name::as_str).collect();
            return refuse(
                Code::A01,
                format!("{} is in no group that may ask for {target} ({})", event.actor, groups.join(", ")),
            );
        }
        if request.duration > role.max_duration {
            return refuse(
                Code::A01,
                format!("{} is longer than the {} that {target} allows", request.duration, role.max_duration),
            );
        }
        Ok(role)
    }

    /// The emergency case of `actor` that was issued and not reviewed yet.
    pub fn open_emergency(&self, actor: &Name) -> Option<&Case> {
        let policy = self.policy.as_deref()?;
        // One that is at rest under this policy was reviewed, or never issued.
        let at_rest = |number: &u64| {
            let base = self.base.as_ref().filter(|base| *number < base.cases && !self.changed.contains_key(number));
            base.is_some_and(|base| base.rest.policy == Some(policy.digest) && base.rest.holds(*number))
        };
        let may = self.emergencies.iter().rev().filter(|number| !at_rest(number));
        may.filter_map(|number| self.at(*number)).find(|case| {
            case.access().is_some_and(|access| {
                access.request.emergency
                    && access.actor == *actor
                    && !access.issued.is_empty()
                    && !access.missing_reviews(policy).is_empty()
            })
        })
    }

    /// A03: approval and denial.
    pub(super) fn judge_decision(&self, policy: &Policy, event: &Event) -> Result<(), Fault> {
        let case = self.case_of(event)?;
        if case.actor == event.actor {
            return refuse(Code::A03, format!("{} cannot decide their own {}", event.actor, case.kind()));
        }
        let state = self.case_state(case, event.time);
        let (eligible, earlier) = match &case.matter {
            Matter::Access(access) => (may_decide(policy, access, &event.actor), access.approvers()),
            Matter::Proposal(proposed) => {
                let may = policy.is_root(&event.actor)
                    || proposed.policy.as_deref().is_some_and(|new| new.is_root(&event.actor));
                (may, proposed.approvals.keys().cloned().collect::<BTreeSet<_>>())
            }
            Matter::Genesis | Matter::Lock(_) => {
                return refuse(Code::A03, format!("there is nothing to decide about a {}", case.kind()));
            }
        };
        if !eligible {
            return refuse(
                Code::A03,
                format!("{} is not one of those who decide case {}", event.actor, case.id.short()),
            );
        }
        if earlier.contains(&event.actor) {
            return refuse(Code::A03, format!("{} has already approved case {}", event.actor, case.id.short()));
        }
        if state != CaseState::Pending {
            return refuse(Code::A03, format!("case {} is {state}: there is nothing left to decide", case.id.short()));
        }
        Ok(())
    }

    /// A09: the requester takes the request back before a credential is out.
    fn judge_withdrawal(&self, event: &Event) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A09)?;
        if access.actor != event.actor {
            return refuse(Code::A09, format!("only {} may withdraw case {}", access.actor, case.id.short()));
        }
        self.demand_state(case, event, Code::A09, &[CaseState::Pending, CaseState::Approved])
    }

    /// A08: a host that serves the target, with a serial of the case.
    fn judge_session_start(&self, policy: &Policy, event: &Event, start: &SessionStart) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A08)?;
        let served = served_targets(policy, &event.actor, access);
        if served.is_empty() {
            return refuse(Code::A08, format!("host {} serves no target of case {}", event.actor, case.id.short()));
        }
        let environments: Vec<&Name> = served.iter().filter_map(|role| policy.environment_of(role)).collect();
        let issued = access
            .issued
            .iter()
            .any(|issued| issued.serial == start.serial && environments.contains(&&issued.environment));
        if !issued {
            return refuse(Code::A08, format!("serial {} was not issued in case {}", start.serial, case.id.short()));
        }
        if access.sessions.iter().any(|session| session.session == start.session) {
            return refuse(Code::A08, format!("session {} began already", start.session));
        }
        Ok(())
    }

    /// A08: the end of a session that stands, by its host.
    fn judge_session_end(&self, policy: &Policy, event: &Event, end: &SessionEnd) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A08)?;
        if !matches!(policy.actor(&event.actor).map(|actor| &actor.class), Some(Class::Host { .. })) {
            return refuse(Code::A08, format!("{} is not a host", event.actor));
        }
        let stands = |session: &&super::access::Session| {
            session.session == end.session && session.host == event.actor && session.ended.is_none()
        };
        if access.sessions.iter().any(|session| stands(&session)) {
            return Ok(());
        }
        refuse(Code::A08, format!("no session {} of {} stands in case {}", end.session, event.actor, case.id.short()))
    }

    /// A09: revocation by those the policy allows, the requester, or a service.
    fn judge_revocation(&self, policy: &Policy, event: &Event) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A09)?;
        let service = matches!(policy.actor(&event.actor).map(|actor| &actor.class), Some(Class::Service { .. }));
        if !service && access.actor != event.actor && !policy.in_any_group(&event.actor, &policy.revoke) {
            return refuse(Code::A09, format!("{} may not revoke case {}", event.actor, case.id.short()));
        }
        self.demand_state(case, event, Code::A09, &[CaseState::Pending, CaseState::Approved, CaseState::Live])
    }

    /// A09: the requester closes what was issued, once.
    fn judge_closure(&self, event: &Event) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A09)?;
        if access.actor != event.actor {
            return refuse(Code::A09, format!("only {} may close case {}", access.actor, case.id.short()));
        }
        if access.issued.is_empty() {
            return refuse(Code::A09, format!("case {} has no credential yet: withdraw it instead", case.id.short()));
        }
        if access.closed.is_some() {
            return refuse(Code::A09, format!("case {} is closed already", case.id.short()));
        }
        Ok(())
    }

    /// A09: a host of the case or a service says what was left behind.
    fn judge_residue(&self, policy: &Policy, event: &Event) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A09)?;
        let may = match policy.actor(&event.actor).map(|actor| &actor.class) {
            Some(Class::Service { .. }) => true,
            Some(Class::Host { .. }) => !served_targets(policy, &event.actor, access).is_empty(),
            Some(Class::Member { .. }) | None => false,
        };
        if !may {
            return refuse(Code::A09, format!("{} may not report residue of case {}", event.actor, case.id.short()));
        }
        if access.issued.is_empty() {
            return refuse(Code::A09, format!("case {} has no credential: nothing can be left of it", case.id.short()));
        }
        Ok(())
    }

    /// A09: a review by somebody independent, of every check, after the end.
    fn judge_review(&self, policy: &Policy, event: &Event, review: &Review) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A09)?;
        // Decision 3: of what was revoked before any issuance nothing was opened.
        if access.issued.is_empty() {
            return refuse(
                Code::A09,
                format!("case {} had no credential: there is nothing to review", case.id.short()),
            );
        }
        let duties = access.duties(policy);
        if access.ended(event.time).is_none() {
            return refuse(
                Code::A09,
                format!("case {} is {}: it has not ended", case.id.short(), self.case_state(case, event.time)),
            );
        }
        if access.actor == event.actor {
            return refuse(
                Code::A09,
                format!("{} asked for case {} and cannot review it", event.actor, case.id.short()),
            );
        }
        if access.approvals.iter().any(|approval| approval.actor == event.actor) {
            return refuse(
                Code::A09,
                format!("{} approved case {} and cannot review it", event.actor, case.id.short()),
            );
        }
        if access.reviews.iter().any(|earlier| earlier.actor == event.actor) {
            return refuse(Code::A09, format!("{} has already reviewed case {}", event.actor, case.id.short()));
        }
        let eligible =
            duties.iter().flat_map(|duty| &duty.slots).any(|slot| policy.in_group(&event.actor, &slot.group));
        if !eligible {
            return refuse(
                Code::A09,
                format!("{} is not one of those who review case {}", event.actor, case.id.short()),
            );
        }
        let answered: BTreeSet<&str> = review.items.iter().map(|item| item.check.as_str()).collect();
        if answered.len() != review.items.len() {
            return refuse(Code::A09, "a check is answered twice");
        }
        match access.checks(policy).iter().find(|check| !answered.contains(check.as_str())) {
            Some(check) => refuse(Code::A09, format!("the check {check:?} is not answered")),
            None => Ok(()),
        }
    }

    /// The case of an event that has one; L06 asked before this that it is known.
    pub(super) fn case_of(&self, event: &Event) -> Result<&Case, Fault> {
        let known = event.case.and_then(|case| self.case(&case));
        known.ok_or_else(|| Fault::new(Code::L06, "the case is unknown"))
    }

    /// The access that an event is about.
    pub(super) fn access_of(&self, event: &Event, code: Code) -> Result<(&Case, &Access), Fault> {
        let case = self.case_of(event)?;
        match case.access() {
            Some(access) => Ok((case, access)),
            None => refuse(code, format!("case {} is a {}, not an access", case.id.short(), case.kind())),
        }
    }

    pub(super) fn demand_state(
        &self,
        case: &Case,
        event: &Event,
        code: Code,
        allowed: &[CaseState],
    ) -> Result<(), Fault> {
        let state = self.case_state(case, event.time);
        if allowed.contains(&state) {
            return Ok(());
        }
        refuse(code, format!("case {} is {state}", case.id.short()))
    }
}

/// A02: what the role demands of a request.
fn judge_demands(request: &Request, target: &RoleRef, role: &Role) -> Result<(), Fault> {
    if let Some(pattern) = &role.ticket {
        match &request.ticket {
            None => return refuse(Code::A02, format!("{target} demands a ticket like {}", pattern.as_str())),
            Some(ticket) if !pattern.matches(ticket) => {
                return refuse(
                    Code::A02,
                    format!("ticket {ticket:?} is not like {}, as {target} demands", pattern.as_str()),
                );
            }
            Some(_) => {}
        }
    }
    if role.least_privilege && request.least_privilege.is_none() {
        return refuse(Code::A02, format!("{target} demands to know why a smaller role does not do (least_privilege)"));
    }
    // sshd ignores verify-required for software keys, so the certificate would promise what nobody checks.
    if role.mfa == Mfa::TouchPin && !request.credential_key.is_hardware() {
        return refuse(Code::A02, format!("{target} demands a hardware key to be certified (mfa = touch+pin)"));
    }
    Ok(())
}

/// Whether the rules of one of the roles name `actor`.
fn may_decide(policy: &Policy, access: &Access, actor: &Name) -> bool {
    let roles = access.request.targets.iter().filter_map(|role| policy.role(role));
    roles.flat_map(|role| &role.approve).any(|slot| policy.in_group(actor, &slot.group))
}

/// The roles of the case on targets that the host serves.
fn served_targets<'a>(policy: &Policy, host: &Name, access: &'a Access) -> Vec<&'a RoleRef> {
    let Some(Class::Host { targets }) = policy.actor(host).map(|actor| &actor.class) else { return Vec::new() };
    access.request.targets.iter().filter(|role| targets.contains(&role.target)).collect()
}

/// A12: a lock by a member whom the policy allows, or by a service.
fn judge_lock(policy: &Policy, event: &Event, scope: &LockScope) -> Result<(), Fault> {
    let service = matches!(policy.actor(&event.actor).map(|actor| &actor.class), Some(Class::Service { .. }));
    if service || policy.in_any_group(&event.actor, &policy.lock) {
        return Ok(());
    }
    refuse(Code::A12, format!("{} may not lock {scope}", event.actor))
}
