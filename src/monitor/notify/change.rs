//! What an event gives people to hear: the state before it and the state behind it, both looked at at the same time.

use std::collections::BTreeSet;

use super::people::{approvers, reviewers, root, security};
use super::say;
use super::time::review_due;
use super::{Kind, Notice, Role};
use crate::domain::event::{Body, Event};
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, CommitId, Digest, Name};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::time::Timestamp;

/// What people are to hear of `event`, whose digest is `id`, at `now`.
pub fn of_event(before: &State, after: &State, id: Digest, event: &Event, now: Timestamp) -> Vec<Notice> {
    let mut notices = Vec::new();
    let Some(case) = after.case(&event.case.unwrap_or(CaseId(id))) else { return notices };
    match &event.body {
        // Another policy: whoever can approve now and could not before hears of all that waits.
        Body::Enactment => notices.extend(after.cases().filter_map(|case| newly_wanted(before, after, case, now))),
        _ => notices.extend(newly_wanted(before, after, case, now)),
    }
    notices.extend(decided(before, after, case, event, now));
    notices.extend(special(after, case, id, event, now));
    notices
}

/// What people are to hear of a commit that broke a rule: security, and the root members, who acknowledge it.
pub fn of_void(after: &State, commit: CommitId, fault: &Fault, position: u64, now: Timestamp) -> Notice {
    say::void(commit, &fault.to_string(), position, security(after).into_iter().chain(root(after)).collect(), now)
}

/// Those who can approve now and could not before.
fn newly_wanted(before: &State, after: &State, case: &Case, now: Timestamp) -> Option<Notice> {
    let asked = before.case(&case.id()).map_or_else(BTreeSet::new, |then| approvers(before, then, now));
    let people: BTreeSet<Name> = approvers(after, case, now).difference(&asked).cloned().collect();
    (!people.is_empty()).then(|| say::approval_wanted(after, case, people, now, Kind::ApprovalWanted))
}

/// Where the case has come further: what that means to who asked, and to who reviews.
fn decided(before: &State, after: &State, case: &Case, event: &Event, now: Timestamp) -> Vec<Notice> {
    let was = before.case(&case.id()).map(|then| before.case_state(then, now));
    let is = after.case_state(case, now);
    if was == Some(is) || was.is_none() && case.access().is_none() {
        return Vec::new();
    }
    let mine = |kind| say::notice(case, kind, Role::Requesters, say::only(case.actor()), event.time);
    let object = say::object(case);
    let by = &event.actor;
    let said = event.body.words().map(|words| format!("Why: {}", say::quoted(&words)));
    let mut notices = Vec::new();
    match (is, case.access()) {
        (CaseState::Approved, Some(access)) if !access.request.emergency => {
            let mut notice = mine(Kind::Approved);
            notice.title = format!("Your {object} is approved; the credential comes next");
            notice.until = after.policy().and_then(|policy| access.activate_by(policy));
            notices.push(notice);
        }
        (CaseState::Approved, None) => {
            let mut notice = mine(Kind::Approved);
            notice.title = format!("Your {object} is approved and can be put in force");
            notice.command = Some(format!("jit policy enact {}", case.id().short()));
            notices.push(notice);
        }
        (CaseState::Denied, _) => {
            let mut notice = mine(Kind::Denied);
            notice.title = format!("{by} denied your {object}");
            notice.lines.extend(said.clone());
            notices.push(notice);
        }
        (CaseState::Live, Some(access)) => notices.push(say::issued(after, case, access, event.time)),
        _ => {}
    }
    if matches!(event.body, Body::Revocation { .. }) && by != case.actor() {
        let mut notice = mine(Kind::Revoked);
        notice.title = format!("{by} revoked your {object}");
        notice.lines.extend(said);
        notices.push(notice);
    }
    let to = reviewers(after, case, now);
    if is == CaseState::ReviewDue && !to.is_empty() {
        let due = review_due(after, case, now);
        notices.push(say::review_wanted(case, Role::Reviewers, to, due, event.time, Kind::ReviewWanted));
    }
    notices
}

/// What security hears, and those whom a lock stops.
fn special(after: &State, case: &Case, id: Digest, event: &Event, now: Timestamp) -> Vec<Notice> {
    match (&event.body, case.matter()) {
        (Body::Request(request), Matter::Access(access)) if request.emergency => {
            vec![say::emergency(after, case, access, event.time)]
        }
        (Body::Residue(residue), _) if !residue.clean => vec![say::residue(after, case, id, event.time)],
        (Body::Lock(_), Matter::Lock(lock)) => {
            let live = after.cases().filter(|other| after.case_state(other, now) == CaseState::Live);
            let stopped = live.filter_map(Case::access).filter(|access| after.covers(&lock.scope, access));
            let people: BTreeSet<Name> = stopped.map(|access| access.actor.clone()).collect();
            let told = security(after);
            let others: BTreeSet<Name> = people.difference(&told).cloned().collect();
            let mut notices = vec![say::lock(case, lock, Role::Security, told, event.time)];
            if !others.is_empty() {
                let mut notice = say::lock(case, lock, Role::Requesters, others, event.time);
                notice.lines.push("Your sessions that it covers are ended.".to_owned());
                notices.push(notice);
            }
            notices
        }
        _ => Vec::new(),
    }
}
