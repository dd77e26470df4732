//! Who is concerned: counted as the rules count, so that nobody is asked who could not answer.

use std::collections::BTreeSet;

use crate::domain::id::Name;
use crate::domain::policy::Missing;
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::time::Timestamp;

/// Who can still approve a case at `now`: not the one who asked, not those who have, and nobody where the quorum stands.
/// Nobody is asked to approve an emergency: whoever does is lost as its reviewer.
pub fn approvers(state: &State, case: &Case, now: Timestamp) -> BTreeSet<Name> {
    if state.case_state(case, now) != CaseState::Pending {
        return BTreeSet::new();
    }
    match case.matter() {
        Matter::Access(access) if !access.request.emergency => {
            let missing = state.policy().and_then(|policy| access.missing(policy));
            candidates(missing.unwrap_or_default())
        }
        Matter::Proposal(_) => candidates(state.missing_roots(case)),
        Matter::Access(_) | Matter::Lock(_) | Matter::Genesis => BTreeSet::new(),
    }
}

/// Who can still review a case that wants it at `now`.
pub fn reviewers(state: &State, case: &Case, now: Timestamp) -> BTreeSet<Name> {
    let Some((policy, access)) = state.policy().zip(case.access()) else { return BTreeSet::new() };
    if state.case_state(case, now) != CaseState::ReviewDue {
        return BTreeSet::new();
    }
    candidates(access.missing_reviews(policy))
}

/// Who is to hear of what went wrong: the members that may lock, for they can stop it; the root members where the policy
/// names no group for that, or nobody is in it.
pub fn security(state: &State) -> BTreeSet<Name> {
    let Some(policy) = state.policy() else { return BTreeSet::new() };
    let able: BTreeSet<Name> = policy.lock.iter().flat_map(|group| policy.members_of(group)).cloned().collect();
    if able.is_empty() { root(state) } else { able }
}

/// The root members.
pub(super) fn root(state: &State) -> BTreeSet<Name> {
    state.policy().map_or_else(BTreeSet::new, |policy| policy.root.members.iter().cloned().collect())
}

fn candidates(missing: Vec<Missing>) -> BTreeSet<Name> {
    missing.into_iter().flat_map(|lack| lack.candidates).collect()
}
