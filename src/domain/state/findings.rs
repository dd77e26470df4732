//! F01 to F07: what is to be looked at, at a given time, and is no fault of a commit. F03 needs the tree and is the
//! replay's; F04 needs checkpoints.

use super::State;
use super::access::Access;
use super::case::{Case, CaseState};
use crate::domain::event::Recording;
use crate::domain::finding::{Code, Finding};
use crate::domain::policy::{Policy, Record};
use crate::domain::time::Timestamp;

impl State {
    /// What is to be looked at, at `now`.
    pub fn findings(&self, now: Timestamp) -> Vec<Finding> {
        let Some(policy) = self.policy.as_deref() else { return Vec::new() };
        // What is at rest has none.
        self.awake(now).flat_map(|case| self.case_findings(policy, case, now)).collect()
    }

    /// What is to be looked at in one case, at `now`.
    pub fn findings_of(&self, case: &Case, now: Timestamp) -> Vec<Finding> {
        self.policy.as_deref().map_or_else(Vec::new, |policy| self.case_findings(policy, case, now))
    }

    pub(super) fn case_findings(&self, policy: &Policy, case: &Case, now: Timestamp) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(access) = case.access() else { return findings };
        let mut found = |code, message: String| findings.push(Finding { code, case: Some(case.id()), message });
        if let Some(message) = self.overdue_review(policy, case, access, now) {
            found(Code::F01, message);
        }
        if let Some((ended, _)) = access.ended(now) {
            for session in access.sessions.iter().filter(|session| session.ended.is_none()) {
                found(
                    Code::F02,
                    format!(
                        "session {} on {} has no end, though the access ended {ended}",
                        session.session, session.host
                    ),
                );
            }
        }
        if access.residue_open() {
            found(Code::F05, "a host found residue, and no review follows it up".into());
        }
        let required = access
            .request
            .targets
            .iter()
            .any(|role| policy.role(role).is_some_and(|role| role.record == Record::Required));
        for session in access.sessions.iter().filter(|_| required) {
            let missing =
                session.recording == Recording::Off || (session.ended.is_some() && session.recorded.is_none());
            if missing {
                found(
                    Code::F06,
                    format!(
                        "session {} on {} has no recording, which the policy demands",
                        session.session, session.host
                    ),
                );
            }
        }
        for session in &access.sessions {
            let Some((ended, _)) = access.ended(now) else { continue };
            let late_end = session.ended.is_some_and(|(end, _)| end > ended.plus(policy.clock_skew));
            if session.started >= ended || late_end {
                found(
                    Code::F07,
                    format!("session {} on {} ran after the access ended {ended}", session.session, session.host),
                );
            }
        }
        findings
    }

    fn overdue_review(&self, policy: &Policy, case: &Case, access: &Access, now: Timestamp) -> Option<String> {
        if self.case_state(case, now) != CaseState::ReviewDue {
            return None;
        }
        let (ended, _) = access.ended(now)?;
        let within = access.duties(policy).into_iter().map(|duty| duty.within).min()?;
        let due = ended.plus(within);
        (now > due).then(|| format!("its review was due {due}"))
    }
}
