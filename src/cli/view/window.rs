//! When an access opens and ends, as people see it: booked windows, what continues what, and the warning that it ends
//! soon. Imports domain.

use crate::cli::output::{Output, clock, moment};
use crate::domain::id::Name;
use crate::domain::policy::Policy;
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::Timestamp;

/// Whoever has less than this left is warned, in seconds; a host warns at the same moment.
const SOON: i64 = 300;

/// When a booked window opens; `None` where none was booked, or it is open.
pub fn opens(access: &Access, now: Timestamp) -> Option<Timestamp> {
    access.request.not_before.filter(|start| now < *start)
}

/// What the booked window and the policy's times mean for this request, for whoever asks and whoever approves.
pub(super) fn text(policy: &Policy, access: &Access) -> Option<String> {
    let start = access.request.not_before?;
    Some(format!(
        "{start}; minted then, at the latest {}. It has to be approved by {}",
        start.max(access.decided.unwrap_or(start)).plus(policy.activate_within),
        access.decide_by(policy)
    ))
}

/// For how long after its end a case is looked at for what continues it, in seconds.
const LATELY: i64 = 86_400;

/// The open case of the same person that continues `case`, which is live or ended within a day: one that is live before one
/// that is awaited, then the newest.
pub fn extended_by<'s>(state: &'s State, case: &Case, now: Timestamp) -> Option<&'s Case> {
    // A long list asks this of every case, and the answer takes a look at all that are open.
    let end = case.access().and_then(Access::ends)?;
    if now.since(end) > LATELY {
        return None;
    }
    let continues = |later: &&Case| later.access().is_some_and(|access| access.request.extends == Some(case.id()));
    let found = |wanted: &[CaseState]| {
        state.awake(now).rev().filter(continues).find(|later| wanted.contains(&state.case_state(later, now)))
    };
    found(&[CaseState::Live]).or_else(|| found(&[CaseState::Approved])).or_else(|| found(&[CaseState::Pending]))
}

/// Warns where an access of `me` ends soon, with the command that asks for more. Says whether it did.
pub fn warn(output: &Output, state: &State, case: &Case, me: &Name, now: Timestamp) -> bool {
    let Some(access) = case.access().filter(|access| access.actor == *me) else { return false };
    let Some(end) = access.ends().filter(|end| (1..=SOON).contains(&end.since(now))) else { return false };
    if state.case_state(case, now) != CaseState::Live {
        return false;
    }
    let id = case.id().short();
    output.warning(format!("{id} ends {}: servers end its sessions then", moment(end, now)));
    match extended_by(state, case, now) {
        Some(later) if state.case_state(later, now) == CaseState::Live => {
            let until = later.access().and_then(Access::ends).map_or_else(String::new, |end| clock(end, now));
            output.note(format!("{} continues it until {until}: log in again before then.", later.id().short()));
        }
        Some(later) => output.note(format!("{} is to continue it, and is not live yet.", later.id().short())),
        None => output.hint(format!("jit extend {id} --for 30m")),
    }
    true
}

/// Of several live accesses of one person those that are not continued by another of them which opens no less.
pub fn newest<'s>(live: Vec<(&'s Case, &'s Access)>) -> Vec<(&'s Case, &'s Access)> {
    let is_continued = |case: &Case, access: &Access| {
        live.iter().any(|(_, later)| {
            later.request.extends == Some(case.id())
                && later.request.credential_key == access.request.credential_key
                && access.request.targets.iter().all(|role| later.request.targets.contains(role))
        })
    };
    live.iter().filter(|(case, access)| !is_continued(case, access)).copied().collect()
}
