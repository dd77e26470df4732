//! What is open now, for whoever begins to listen, and whether a notice that waited is still worth hearing.

use std::collections::BTreeSet;

use super::people::{approvers, reviewers, root, security};
use super::say;
use super::time::{before, overdue, review_due};
use super::{About, ENDING, Kind, Notice, Role};
use crate::domain::event::Kind as EventKind;
use crate::domain::id::{Digest, Name};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::time::Timestamp;

/// For how long a notice about something that is over is still told, in seconds.
const NEWS: i64 = 3600;
/// The most lines of a digest.
const LINES: usize = 20;

/// What is open at `now`, as if it had just come: what waits for approval or review, emergencies, locks, voids, residue and
/// accesses about to end. No history.
pub fn open_now(state: &State, now: Timestamp) -> Vec<Notice> {
    let mut notices: Vec<Notice> = state.cases().flat_map(|case| of_case(state, case, now)).collect();
    let to: BTreeSet<Name> = security(state).into_iter().chain(root(state)).collect();
    for void in state.voids().iter().filter(|void| !void.acknowledged) {
        notices.push(say::void(void.commit, &void.fault.to_string(), void.position, to.clone(), now));
    }
    notices
}

fn of_case(state: &State, case: &Case, now: Timestamp) -> Vec<Notice> {
    let mut notices = Vec::new();
    let is = state.case_state(case, now);
    let waits = approvers(state, case, now);
    if !waits.is_empty() {
        notices.push(say::approval_wanted(state, case, waits, now, Kind::ApprovalWanted));
    }
    if let Matter::Lock(lock) = case.matter()
        && is == CaseState::Locked
    {
        notices.push(say::lock(case, lock, Role::Security, security(state), now));
    }
    let Some(access) = case.access() else { return notices };
    if is_emergency_open(state, case, now) {
        notices.push(say::emergency(state, case, access, now));
    }
    if is == CaseState::ReviewDue {
        let due = review_due(state, case, now);
        let to = reviewers(state, case, now);
        if due.is_some_and(|due| now > due) {
            notices.extend(overdue(state, case, now));
        } else if !to.is_empty() {
            notices.push(say::review_wanted(case, Role::Reviewers, to, due, now, Kind::ReviewWanted));
        }
    }
    if is == CaseState::Live
        && let Some(end) = access.ends().filter(|end| before(*end, ENDING) <= now)
    {
        notices.push(say::ending(case, access, end, now));
    }
    let found = case.events().iter().rev().find(|event| event.kind == EventKind::Residue);
    if let Some(found) = found.filter(|_| access.residue_open()) {
        notices.push(say::residue(state, case, found.digest, now));
    }
    notices
}

fn is_emergency_open(state: &State, case: &Case, now: Timestamp) -> bool {
    case.access().is_some_and(|access| access.request.emergency)
        && matches!(state.case_state(case, now), CaseState::Pending | CaseState::Approved | CaseState::Live)
}

/// For whom of its people a notice still says something true and useful at `now`.
pub fn still(notice: &Notice, state: &State, now: Timestamp) -> BTreeSet<Name> {
    let all = |stands: bool| if stands { notice.to.clone() } else { BTreeSet::new() };
    let both = |people: BTreeSet<Name>| notice.to.intersection(&people).cloned().collect();
    let is_news = now.since(notice.time) <= NEWS;
    let case = match notice.about {
        About::Many => return all(is_news),
        About::Void(commit) => {
            return all(state.voids().iter().any(|void| void.commit == commit && !void.acknowledged));
        }
        About::Case(case) => state.case(&case),
    };
    let Some(case) = case else { return BTreeSet::new() };
    let is = state.case_state(case, now);
    match notice.kind {
        Kind::ApprovalWanted | Kind::DecidingEnds => both(approvers(state, case, now)),
        Kind::ReviewWanted => both(reviewers(state, case, now)),
        Kind::ReviewOverdue => all(is == CaseState::ReviewDue),
        Kind::Issued | Kind::Ending => all(is == CaseState::Live),
        Kind::Approved => all(is == CaseState::Approved && is_news),
        Kind::Emergency => all(is_news || is_emergency_open(state, case, now)),
        Kind::Lock => all(is == CaseState::Locked),
        Kind::Residue => all(case.access().is_some_and(|access| access.residue_open())),
        Kind::Denied | Kind::Lapsed | Kind::Revoked | Kind::Void | Kind::Digest => all(is_news),
    }
}

/// Several notices as one, for those who would else hear each: the titles and commands, as far as they fit.
pub fn digest(notices: &[Notice], to: BTreeSet<Name>, now: Timestamp) -> Option<Notice> {
    let first = notices.first()?;
    let mut lines: Vec<String> = notices
        .iter()
        .take(LINES)
        .map(|notice| match &notice.command {
            Some(command) => format!("{} ({command})", notice.title),
            None => notice.title.clone(),
        })
        .collect();
    let left = notices.len().saturating_sub(LINES);
    if left > 0 {
        lines.push(format!("and {left} more"));
    }
    let subjects: Vec<String> = notices.iter().map(|notice| format!("{} {}", notice.kind, notice.subject)).collect();
    Some(Notice {
        to,
        role: first.role,
        kind: Kind::Digest,
        about: About::Many,
        subject: Digest::of(subjects.join("\n").as_bytes()),
        time: now,
        title: format!("{} things are open", notices.len()),
        lines,
        until: None,
        command: Some("jit status".to_owned()),
    })
}
