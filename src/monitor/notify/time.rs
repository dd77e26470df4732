//! What time alone gives people to hear: each threshold that was passed since the last look, once.

use super::people::{approvers, reviewers, security};
use super::say;
use super::{Kind, Notice, Role};
use crate::domain::state::State;
use crate::domain::state::access::{Access, EndedBy};
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::{Timestamp, Ttl};

/// How long before its end the requester hears of it, in seconds.
pub const ENDING: u64 = 300;
/// How long before a request lapses its approvers hear of it again, at most, in seconds.
const DECIDING: u64 = 900;

/// What became due after `last` and up to `now`. What has passed already, because nobody looked for long, is left out: of an
/// access that has ended nobody hears that it is about to.
pub fn of_time(state: &State, last: Timestamp, now: Timestamp) -> Vec<Notice> {
    let passed = |time: Timestamp| last < time && time <= now;
    let mut notices = Vec::new();
    for case in state.cases() {
        let Some(access) = case.access() else { continue };
        notices.extend(of_case(state, case, access, now, &passed));
    }
    notices
}

fn of_case(
    state: &State,
    case: &Case,
    access: &Access,
    now: Timestamp,
    passed: &dyn Fn(Timestamp) -> bool,
) -> Vec<Notice> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let mut notices = Vec::new();
    match state.case_state(case, now) {
        CaseState::Live => {
            if let Some(end) = access.ends().filter(|end| passed(before(*end, ENDING))) {
                notices.push(say::ending(case, access, end, now));
            }
        }
        CaseState::Pending => {
            let by = access.decide_by(policy);
            // Of a short time to decide, the last quarter.
            let ahead = DECIDING.min(policy.decide_within.seconds() / 4);
            let to = approvers(state, case, now);
            if passed(before(by, ahead)) && !to.is_empty() {
                notices.push(say::approval_wanted(state, case, to, now, Kind::DecidingEnds));
            }
        }
        CaseState::Lapsed => {
            let by = access.activate_by(policy).unwrap_or_else(|| access.decide_by(policy));
            if passed(after(by)) {
                let mine = say::only(&access.actor);
                let mut notice = say::notice(case, Kind::Lapsed, Role::Requesters, mine, now);
                let what = if access.decided.is_some() { "no credential was issued" } else { "nobody decided" };
                notice.title = format!("Your {} lapsed: {what} in time", say::object(case));
                notices.push(notice);
            }
        }
        CaseState::ReviewDue => {
            let due = review_due(state, case, now);
            let to = reviewers(state, case, now);
            let expired = access.ended(now).filter(|(_, by)| *by == EndedBy::Expired);
            if expired.is_some_and(|(end, _)| passed(end)) && !to.is_empty() {
                notices.push(say::review_wanted(case, Role::Reviewers, to.clone(), due, now, Kind::ReviewWanted));
            }
            if due.is_some_and(|due| passed(after(due))) {
                notices.extend(overdue(state, case, now));
            }
        }
        _ => {}
    }
    notices
}

/// That a review is overdue: to those who owe it, and to security.
pub(super) fn overdue(state: &State, case: &Case, now: Timestamp) -> Vec<Notice> {
    let due = review_due(state, case, now);
    let owe = reviewers(state, case, now);
    let others = security(state).difference(&owe).cloned().collect();
    [(Role::Reviewers, owe), (Role::Security, others)]
        .into_iter()
        .filter(|(_, to)| !to.is_empty())
        .map(|(role, to)| say::review_wanted(case, role, to, due, now, Kind::ReviewOverdue))
        .collect()
}

/// Until when the review of an access that ended is wanted.
pub(super) fn review_due(state: &State, case: &Case, now: Timestamp) -> Option<Timestamp> {
    let (policy, access) = state.policy().zip(case.access())?;
    let (ended, _) = access.ended(now)?;
    access.duties(policy).into_iter().map(|duty| ended.plus(duty.within)).min()
}

/// So many seconds before.
pub(super) fn before(time: Timestamp, seconds: u64) -> Timestamp {
    Ttl::from_seconds(seconds).map_or(time, |span| time.minus(span))
}

/// The first second behind.
fn after(time: Timestamp) -> Timestamp {
    Ttl::from_seconds(1).map_or(time, |span| time.plus(span))
}
