//! A10 and A11, and the genesis: policies that are sound, and quorums of root members that put them in force.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authority::refuse;
use super::case::{Case, CaseState, Matter, Proposed};
use super::{Claim, State};
use crate::domain::event::{Body, Event, FileDigest, Proposal, Subject};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CaseId, Digest, Name};
use crate::domain::policy::{Mfa, Missing, Policy};

impl State {
    /// The genesis is judged by its own policy.
    pub(super) fn judge_genesis(&self, claim: &Claim<'_>) -> Result<Arc<Policy>, Fault> {
        let (event, signature) = (claim.event, claim.signature);
        let Body::Genesis(genesis) = &event.body else { return refuse(Code::E02, "not a genesis") };
        if self.size != 0 {
            return refuse(Code::L05, "a ledger has one genesis");
        }
        // K03
        if signature.namespace != event.kind().namespace() {
            return refuse(Code::K03, format!("signed as {:?}, but this is a genesis", signature.namespace));
        }
        let bytes = claim.files.get("policy.toml");
        let Some(bytes) = bytes else { return refuse(Code::A10, "the genesis has no policy.toml") };
        let policy = Policy::parse(bytes)
            .map_err(|problems| Fault::new(Code::A10, format!("the policy is unsound: {problems}")))?;
        // K04: a root member of that policy, with a key of theirs.
        let known = policy.actor(&event.actor).is_some_and(|actor| actor.keys.contains(&signature.key));
        if !known || !policy.is_root(&event.actor) {
            return refuse(
                Code::K04,
                format!("{} with this key is no root member of the genesis' policy", event.actor),
            );
        }
        signature.presence(Mfa::None)?;
        if genesis.name != policy.name {
            return refuse(Code::A10, format!("the genesis names {:?}, the policy {:?}", genesis.name, policy.name));
        }
        Ok(Arc::new(policy))
    }

    /// A10 and A12: a proposal.
    pub(super) fn judge_proposal(
        &self,
        policy: &Policy,
        claim: &Claim<'_>,
        proposal: &Proposal,
    ) -> Result<Option<Arc<Policy>>, Fault> {
        if !policy.is_member(&claim.event.actor) {
            return refuse(Code::A10, format!("{} is not a member: only people propose", claim.event.actor));
        }
        // A10: manifest and files disagree. Nobody signed what lies beside a proposal that names no files.
        if !matches!(proposal.subject, Subject::Policy { .. })
            && let Some(path) = claim.files.keys().next()
        {
            return refuse(Code::A10, format!("it brings {path}, but proposes no files"));
        }
        match &proposal.subject {
            Subject::Policy { version, files } => self.judge_policy(policy, claim, *version, files).map(Some),
            Subject::Acknowledge { commits } => {
                match commits.iter().find(|commit| !self.voids.iter().any(|void| void.commit == **commit)) {
                    Some(commit) => refuse(Code::A10, format!("{commit} is no void commit")),
                    None => Ok(None),
                }
            }
            Subject::Unlock { lock } if self.stands(lock) => Ok(None),
            Subject::Unlock { lock } => refuse(Code::A12, format!("{} is no standing lock", lock.short())),
        }
    }

    /// Whether a lock stands.
    fn stands(&self, lock: &CaseId) -> bool {
        matches!(self.case(lock).map(Case::matter), Some(Matter::Lock(locked)) if locked.lifted.is_none())
    }

    fn judge_policy(
        &self,
        policy: &Policy,
        claim: &Claim<'_>,
        version: u64,
        files: &[FileDigest],
    ) -> Result<Arc<Policy>, Fault> {
        // A10: exactly the present version + 1: an equal or older one is a rollback.
        let next = policy.version.saturating_add(1);
        if version != next {
            return refuse(Code::A10, format!("version {version} is not the next one, {next}"));
        }
        let manifest: BTreeMap<&str, Digest> = files.iter().map(|file| (file.path.as_str(), file.sha256)).collect();
        if manifest.len() != files.len() {
            return refuse(Code::A10, "the manifest names a file twice");
        }
        if let Some(path) = manifest.keys().find(|path| path.starts_with("ledger/") || **path == "ledger") {
            return refuse(Code::A10, format!("{path} cannot be a governed file"));
        }
        for (path, digest) in &manifest {
            let unchanged = self.manifest.get(*path) == Some(digest);
            let brought = claim.files.get(*path).map(|bytes| Digest::of(bytes));
            // A10: the contents of changed files lie beside, and are what the manifest says.
            if !unchanged && brought != Some(*digest) {
                return refuse(
                    Code::A10,
                    format!("the new contents of {path} are missing or not what the manifest says"),
                );
            }
        }
        if let Some(path) = claim
            .files
            .iter()
            .find_map(|(path, bytes)| (manifest.get(path.as_str()) != Some(&Digest::of(bytes))).then_some(path))
        {
            return refuse(Code::A10, format!("files/{path} is not in the manifest"));
        }
        let Some(bytes) = claim.files.get("policy.toml") else {
            return refuse(Code::A10, "a policy proposal changes policy.toml: its version rises");
        };
        let proposed = Policy::parse(bytes)
            .map_err(|problems| Fault::new(Code::A10, format!("the policy is unsound: {problems}")))?;
        if proposed.version != version {
            return refuse(Code::A10, format!("policy.toml has version {}, the proposal {version}", proposed.version));
        }
        for (name, actor) in &proposed.actors {
            // A10: one key belongs to one actor for ever.
            if let Some((key, owner)) = actor
                .keys
                .iter()
                .find_map(|key| self.key_owner(key).filter(|owner| *owner != name).map(|owner| (key, owner)))
            {
                return refuse(Code::A10, format!("key {} of {name} is or was {owner}'s", key.fingerprint()));
            }
        }
        Ok(Arc::new(proposed))
    }

    /// A11: the old and the new root quorum stand; not denied, enacted or overtaken.
    pub(super) fn judge_enactment(&self, event: &Event) -> Result<(), Fault> {
        let case = self.case_of(event)?;
        let Matter::Proposal(proposed) = &case.matter else {
            return refuse(Code::A11, format!("case {} is a {}, not a proposal", case.id.short(), case.kind()));
        };
        match self.proposal_state(case, proposed) {
            CaseState::Approved => {}
            CaseState::Pending => {
                return refuse(Code::A11, format!("proposal {} lacks the root quorum", case.id.short()));
            }
            state => return refuse(Code::A11, format!("proposal {} is {state}", case.id.short())),
        }
        Ok(())
    }

    /// How far a proposal has come; proposals do not lapse.
    pub(super) fn proposal_state(&self, case: &Case, proposed: &Proposed) -> CaseState {
        if proposed.enacted.is_some() {
            return CaseState::Enacted;
        }
        if proposed.denied.is_some() {
            return CaseState::Denied;
        }
        let Some(policy) = self.policy.as_deref() else { return CaseState::Pending };
        let is_overtaken = match &proposed.subject {
            Subject::Policy { version, .. } => *version != policy.version.saturating_add(1),
            Subject::Unlock { lock } => !self.stands(lock),
            Subject::Acknowledge { .. } => false,
        };
        if is_overtaken {
            return CaseState::Overtaken;
        }
        let mut people: BTreeSet<Name> = proposed.approvals.keys().cloned().collect();
        people.insert(case.actor.clone()); // the proposer counts once
        let new_agrees = proposed.policy.as_deref().is_none_or(|new| new.root_quorum(&people));
        if policy.root_quorum(&people) && new_agrees { CaseState::Approved } else { CaseState::Pending }
    }

    /// Who must still agree to a proposal: of the root in force, and where the proposal changes the root, of the proposed
    /// one, too. Empty for other cases and for proposals that are not pending.
    pub fn missing_roots(&self, case: &Case) -> Vec<Missing> {
        let (Some(policy), Matter::Proposal(proposed)) = (self.policy.as_deref(), &case.matter) else {
            return Vec::new();
        };
        if self.proposal_state(case, proposed) != CaseState::Pending {
            return Vec::new();
        }
        let mut people: BTreeSet<&Name> = proposed.approvals.keys().collect();
        people.insert(&case.actor);
        let lack = |group: &str, policy: &Policy| -> Option<Missing> {
            let agreed = policy.root.members.iter().filter(|name| people.contains(name)).count();
            let count = policy.root.threshold.saturating_sub(agreed);
            let left = policy.root.members.iter().filter(|name| !people.contains(name));
            let mut candidates: Vec<Name> = left.cloned().collect();
            candidates.sort();
            (count > 0).then_some(Missing { group: group.parse().ok()?, count, candidates })
        };
        let present = lack("root", policy);
        let proposed = proposed.policy.as_deref().and_then(|new| lack("new-root", new));
        let same = match (&present, &proposed) {
            (Some(one), Some(other)) => one.count == other.count && one.candidates == other.candidates,
            _ => false,
        };
        present.into_iter().chain(proposed.filter(|_| !same)).collect()
    }
}
