//! An access case and its state at a time: pure functions over what its events said and the policy in force.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::State;
use super::case::CaseState;
use super::under::Under;
use crate::domain::event::{EndCause, Recording, Request, ResidueItem, Review, Verdict, words};
use crate::domain::id::{Digest, Name, Nonce, RoleRef};
use crate::domain::key::PublicKey;
use crate::domain::policy::{GroupCount, Missing, Policy, Role, quorum};
use crate::domain::time::{Timestamp, Ttl};
use std::fmt;
use std::str::FromStr;

/// One access, from the request on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Access {
    /// Who asked.
    pub actor: Name,
    /// When.
    pub opened: Timestamp,
    /// For what.
    pub request: Request,
    /// Who agreed.
    pub approvals: Vec<Approved>,
    /// When the quorum was met, under the policy in force then.
    pub decided: Option<Timestamp>,
    /// Who refused, and when.
    pub denied: Option<(Name, Timestamp)>,
    /// When the author took it back.
    pub withdrawn: Option<Timestamp>,
    /// The credentials.
    pub issued: Vec<Issued>,
    /// Who revoked it, and when.
    pub revoked: Option<(Name, Timestamp)>,
    /// When the requester closed it.
    pub closed: Option<Timestamp>,
    /// Who was in.
    pub sessions: Vec<Session>,
    /// What hosts found left behind.
    pub residues: Vec<Found>,
    /// Who looked at it afterwards.
    pub reviews: Vec<Reviewed>,
    /// The policy at the last issuance: what it demanded is still owed when a role is dropped.
    pub(super) issued_under: Option<Under>,
}

/// Somebody's agreement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Approved {
    /// Who.
    pub actor: Name,
    /// When.
    pub time: Timestamp,
    /// With which key.
    pub key: PublicKey,
}

/// A credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issued {
    /// Whose CA.
    pub environment: Name,
    /// Its number.
    pub serial: u64,
    /// When it was made.
    pub time: Timestamp,
    /// Valid from.
    pub valid_after: Timestamp,
    /// Valid until.
    pub valid_before: Timestamp,
    /// The certificate, one line.
    pub certificate: String,
}

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub session: Nonce,
    /// On which host.
    pub host: Name,
    /// With which certificate.
    pub serial: u64,
    /// As which login.
    pub login: String,
    /// From where.
    pub source: String,
    /// When it began.
    pub started: Timestamp,
    /// Whether it is recorded.
    pub recording: Recording,
    /// How it ended.
    pub ended: Option<(Timestamp, EndCause)>,
    /// The recording's digest.
    pub recorded: Option<Digest>,
}

/// What a host found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Found {
    /// Which host.
    pub host: Name,
    /// When.
    pub time: Timestamp,
    /// Whether nothing was left.
    pub clean: bool,
    /// The probes.
    pub items: Vec<ResidueItem>,
}

/// A review.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reviewed {
    /// Who.
    pub actor: Name,
    /// When.
    pub time: Timestamp,
    /// What they said.
    pub review: Review,
}

words! {
    /// Why an access ended.
    EndedBy {
        /// Its time came.
        Expired = "expired",
        /// It was revoked.
        Revoked = "revoked",
        /// The requester closed it.
        Closed = "closed",
    }
}

/// A review that a role wants: by whom and of what.
#[derive(Debug, Clone)]
pub struct ReviewDuty {
    /// The role.
    pub role: RoleRef,
    /// How many of which group.
    pub slots: [GroupCount; 1],
    /// How long after the end.
    pub within: Ttl,
    /// What each review answers.
    pub checks: Vec<String>,
}

impl Access {
    /// An access as it stands when it is asked for.
    pub const fn draft(actor: Name, opened: Timestamp, request: Request) -> Self {
        Self {
            actor,
            opened,
            request,
            approvals: Vec::new(),
            decided: None,
            denied: None,
            withdrawn: None,
            issued: Vec::new(),
            revoked: None,
            closed: None,
            sessions: Vec::new(),
            residues: Vec::new(),
            reviews: Vec::new(),
            issued_under: None,
        }
    }

    /// Whether it waits for a credential: then a change of policy counts its quorum again.
    pub(super) const fn waits(&self) -> bool {
        self.issued.is_empty() && self.denied.is_none() && self.withdrawn.is_none()
    }

    /// Whether little more is likely to be said of it. Only where it is kept rests on this, never what it says.
    pub(super) const fn is_laid_aside(&self) -> bool {
        self.denied.is_some() || self.withdrawn.is_some() || !self.reviews.is_empty()
    }

    /// When the clock of `duration` began: the first issuance.
    pub fn starts(&self) -> Option<Timestamp> {
        self.issued.first().map(|issued| issued.time)
    }

    /// When the credential ends by itself.
    pub fn ends(&self) -> Option<Timestamp> {
        self.issued.first().map(|issued| issued.valid_before)
    }

    /// When and why the access ended, if it had by `now`.
    pub fn ended(&self, now: Timestamp) -> Option<(Timestamp, EndedBy)> {
        let mut ends = Vec::with_capacity(3);
        ends.extend(self.ends().filter(|end| *end <= now).map(|end| (end, EndedBy::Expired)));
        ends.extend(self.revoked.as_ref().map(|(_, time)| (*time, EndedBy::Revoked)));
        ends.extend(self.closed.map(|time| (time, EndedBy::Closed)));
        ends.into_iter().min_by_key(|(time, _)| *time)
    }

    /// Until when a pending request may be decided.
    pub fn decide_by(&self, policy: &Policy) -> Timestamp {
        self.opened.plus(policy.decide_within)
    }

    /// Until when a decided request may be issued; the wait for a booked window does not count.
    pub fn activate_by(&self, policy: &Policy) -> Option<Timestamp> {
        let decided = self.decided?;
        Some(self.request.not_before.map_or(decided, |start| start.max(decided)).plus(policy.activate_within))
    }

    /// The people who agreed.
    pub fn approvers(&self) -> BTreeSet<Name> {
        self.approvals.iter().map(|approval| approval.actor.clone()).collect()
    }

    /// What each role asked for still lacks under `policy`; empty when the quorum stands. `None` where a role is not in
    /// the policy, or the requester may no longer ask: no approval can stand then.
    pub fn missing(&self, policy: &Policy) -> Option<Vec<Missing>> {
        let approvers = self.approvers();
        let mut missing: Vec<Missing> = Vec::new();
        for target in &self.request.targets {
            let role = policy.role(target)?;
            if !may_ask(policy, role, &self.actor, self.request.emergency) {
                return None;
            }
            for lack in quorum(policy, &role.approve, &self.actor, &approvers).missing {
                match missing.iter_mut().find(|known| known.group == lack.group) {
                    Some(known) => known.count = known.count.max(lack.count),
                    None => missing.push(lack),
                }
            }
        }
        Some(missing)
    }

    /// Whether the quorum stands under `policy`.
    pub fn has_quorum(&self, policy: &Policy) -> bool {
        self.missing(policy).is_some_and(|missing| missing.is_empty())
    }

    /// The reviews that are owed for it, by role.
    pub fn duties(&self, policy: &Policy) -> Vec<ReviewDuty> {
        let role_of = |target: &RoleRef| {
            policy.role(target).or_else(|| self.issued_under.as_ref().and_then(|then| then.role(target)))
        };
        let duty = |target: &RoleRef| {
            let role = role_of(target)?;
            let checks = role.review.as_ref().map_or_else(Vec::new, |review| review.checks.clone());
            let (slots, within) = match (&role.emergency, self.request.emergency) {
                (Some(emergency), true) => (emergency.review.slots(), emergency.review.within),
                _ => role.review.as_ref().map(|review| (review.slots(), review.within))?,
            };
            Some(ReviewDuty { role: target.clone(), slots, within, checks })
        };
        self.request.targets.iter().filter_map(duty).collect()
    }

    /// Every check that a review must answer, each once, in the policy's order.
    pub fn checks(&self, policy: &Policy) -> Vec<String> {
        let mut checks = Vec::new();
        for check in self.duties(policy).into_iter().flat_map(|duty| duty.checks) {
            if !checks.contains(&check) {
                checks.push(check);
            }
        }
        checks
    }

    /// Who still has to review; empty when all did.
    pub fn missing_reviews(&self, policy: &Policy) -> Vec<Missing> {
        let reviewers: BTreeSet<Name> = self.reviews.iter().map(|review| review.actor.clone()).collect();
        let approvers = self.approvers();
        let mut missing: Vec<Missing> = Vec::new();
        for duty in self.duties(policy) {
            for mut lack in quorum(policy, &duty.slots, &self.actor, &reviewers).missing {
                lack.candidates.retain(|name| !approvers.contains(name));
                if !missing.iter().any(|known| known.group == lack.group && known.count >= lack.count) {
                    missing.push(lack);
                }
            }
        }
        missing
    }

    /// Whether what hosts found left behind waits for somebody: the last word of a host is not clean, and no review
    /// opened a follow-up.
    pub fn residue_open(&self) -> bool {
        let last = |host: &Name| self.residues.iter().rev().find(|found| found.host == *host);
        self.residues.iter().any(|found| last(&found.host).is_some_and(|last| !last.clean))
            && !self.reviews.iter().any(|review| review.review.verdict == Verdict::FollowUp)
    }
}

/// Whether `actor` may ask for `role`.
pub(super) fn may_ask(policy: &Policy, role: &Role, actor: &Name, emergency: bool) -> bool {
    if emergency {
        return role.emergency.as_ref().is_some_and(|rule| policy.in_group(actor, &rule.group));
    }
    policy.in_any_group(actor, &role.requesters)
}

impl State {
    /// The state of an access at `now`.
    pub(super) fn access_state(&self, access: &Access, now: Timestamp) -> CaseState {
        let Some(policy) = self.policy() else { return CaseState::Pending };
        if access.denied.is_some() {
            return CaseState::Denied;
        }
        if access.withdrawn.is_some() {
            return CaseState::Withdrawn;
        }
        if access.issued.is_empty() {
            // Nothing was opened, so there is nothing to review.
            if access.revoked.is_some() {
                return CaseState::Ended;
            }
            return match access.activate_by(policy) {
                Some(by) if now <= by => CaseState::Approved,
                None if now <= access.decide_by(policy) => CaseState::Pending,
                _ => CaseState::Lapsed,
            };
        }
        if access.ended(now).is_none() {
            return CaseState::Live;
        }
        if access.duties(policy).is_empty() {
            return CaseState::Ended;
        }
        if access.missing_reviews(policy).is_empty() { CaseState::Reviewed } else { CaseState::ReviewDue }
    }
}
