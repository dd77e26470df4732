//! The words of notices. Whatever people wrote stands on one line of a bounded length, with everything in it visible.

use std::collections::BTreeSet;

use super::super::text::{clipped, flat};
use super::{About, Kind, Notice, Role};
use crate::domain::event::{LockScope, Subject};
use crate::domain::id::{CommitId, Digest, Name};
use crate::domain::policy::Class;
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, Locked, Matter, Proposed};
use crate::domain::time::Timestamp;

/// The most characters of a text that somebody wrote.
const LONGEST: usize = 300;

/// What somebody wrote, on one line.
pub(super) fn quoted(text: &str) -> String {
    clipped(&flat(text), LONGEST)
}

/// `23 Nov 14:35 UTC`.
pub(super) fn moment(time: Timestamp) -> String {
    time.utc().format("%d %b %H:%M UTC").to_string()
}

/// What a notice of a case begins with.
pub(super) fn notice(case: &Case, kind: Kind, role: Role, to: BTreeSet<Name>, time: Timestamp) -> Notice {
    Notice {
        to,
        role,
        kind,
        about: About::Case(case.id()),
        subject: case.id().0,
        time,
        title: String::new(),
        lines: Vec::new(),
        until: None,
        command: Some(format!("jit show {}", case.id().short())),
    }
}

/// What a notice of a void commit says.
pub(super) fn void(commit: CommitId, message: &str, position: u64, to: BTreeSet<Name>, time: Timestamp) -> Notice {
    Notice {
        to,
        role: Role::Security,
        kind: Kind::Void,
        about: About::Void(commit),
        subject: Digest::of(commit.to_string().as_bytes()),
        time,
        title: format!("Commit {} at position {position} is void: it broke a rule", commit.short()),
        lines: vec![quoted(message), "Nothing is minted until the root members have acknowledged it.".to_owned()],
        until: None,
        command: Some("jit verify".to_owned()),
    }
}

/// The roles of an access, as people type them.
pub(super) fn targets(access: &Access) -> String {
    access.request.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A case in a few words, to stand behind a name.
pub(super) fn object(case: &Case) -> String {
    match case.matter() {
        Matter::Access(access) => format!("access to {}", targets(access)),
        Matter::Proposal(proposed) => format!("proposal of {}", proposal(proposed)),
        Matter::Lock(lock) => format!("lock of {}", scope(&lock.scope)),
        Matter::Genesis => "ledger".to_owned(),
    }
}

pub(super) fn proposal(proposed: &Proposed) -> String {
    match &proposed.subject {
        Subject::Policy { version, .. } => format!("policy version {version}"),
        Subject::Acknowledge { commits } => format!("acknowledging void commits ({})", commits.len()),
        Subject::Unlock { lock } => format!("lifting lock {}", lock.short()),
    }
}

pub(super) fn scope(scope: &LockScope) -> String {
    match scope {
        LockScope::Ledger => "the whole ledger".to_owned(),
        LockScope::Member(name) => format!("member {name}"),
        LockScope::Target(name) => format!("target {name}"),
        LockScope::Environment(name) => format!("environment {name}"),
    }
}

/// Why it was asked for, and what it rests on.
pub(super) fn why(case: &Case) -> Vec<String> {
    match case.matter() {
        Matter::Access(access) => {
            let request = &access.request;
            let mut rest = vec![format!("risk {}", request.risk.level.as_str())];
            rest.extend(request.ticket.as_deref().map(|ticket| format!("ticket {}", quoted(ticket))));
            rest.extend(request.incident.as_deref().map(|incident| format!("incident {}", quoted(incident))));
            vec![format!("Why: {}", quoted(&request.business_need)), format!("With {}", rest.join(", "))]
        }
        Matter::Proposal(proposed) => vec![format!("Why: {}", quoted(&proposed.reason))],
        Matter::Lock(lock) => locked(lock),
        Matter::Genesis => Vec::new(),
    }
}

fn locked(lock: &Locked) -> Vec<String> {
    let mut lines = vec![format!("Why: {}", quoted(&lock.reason))];
    lines.extend(lock.incident.as_deref().map(|incident| format!("Incident: {}", quoted(incident))));
    lines
}

/// Somebody's approval is wanted.
pub(super) fn approval_wanted(state: &State, case: &Case, to: BTreeSet<Name>, now: Timestamp, kind: Kind) -> Notice {
    let mut notice = notice(case, kind, Role::Approvers, to, now);
    let who = case.actor();
    notice.lines = why(case);
    notice.title = match case.matter() {
        Matter::Access(access) => {
            format!("{who} asks for {} for {}: it waits for your approval", targets(access), access.request.duration)
        }
        _ => format!("{who}'s {} waits for your approval", object(case)),
    };
    if let (Some(policy), Some(access)) = (state.policy(), case.access()) {
        let by = access.decide_by(policy);
        notice.until = Some(by);
        notice.lines.push(format!("To be decided by {}", moment(by)));
        if kind == Kind::DecidingEnds {
            notice.title = format!("{who}'s {} lapses at {} unless it is approved", object(case), moment(by));
        }
    }
    notice.command = Some(format!("jit approve {}", case.id().short()));
    notice
}

/// Somebody's review is wanted, or overdue.
pub(super) fn review_wanted(
    case: &Case,
    role: Role,
    to: BTreeSet<Name>,
    due: Option<Timestamp>,
    now: Timestamp,
    kind: Kind,
) -> Notice {
    let mut notice = notice(case, kind, role, to, now);
    let access = format!("{}'s {}", case.actor(), object(case));
    notice.lines = why(case);
    notice.until = due;
    notice.title = match (kind, due) {
        (Kind::ReviewOverdue, Some(due)) => format!("The review of {access} is overdue since {}", moment(due)),
        (_, Some(due)) => format!("{access} has ended and waits for your review until {}", moment(due)),
        (_, None) => format!("{access} has ended and waits for your review"),
    };
    if role == Role::Reviewers {
        notice.command = Some(format!("jit review {}", case.id().short()));
    }
    notice
}

/// An emergency was opened.
pub(super) fn emergency(state: &State, case: &Case, access: &Access, now: Timestamp) -> Notice {
    let mut notice = notice(case, Kind::Emergency, Role::Security, super::security(state), now);
    notice.title = format!(
        "EMERGENCY: {} opens {} for {}, before anybody agreed",
        access.actor,
        targets(access),
        access.request.duration
    );
    notice.lines = why(case);
    notice.lines.push(format!("To stop it: jit revoke {} --reason \"why\"", case.id().short()));
    notice.until = access.ends();
    notice
}

/// Something was locked.
pub(super) fn lock(case: &Case, lock: &Locked, role: Role, to: BTreeSet<Name>, now: Timestamp) -> Notice {
    let mut notice = notice(case, Kind::Lock, role, to, now);
    notice.title = format!("{} locked {}", case.actor(), scope(&lock.scope));
    notice.lines = locked(lock);
    notice
}

/// Something was left behind.
pub(super) fn residue(state: &State, case: &Case, subject: Digest, now: Timestamp) -> Notice {
    let mut notice = notice(case, Kind::Residue, Role::Security, super::security(state), now);
    notice.subject = subject;
    notice.title = format!("Something may be left behind by {}'s {}", case.actor(), object(case));
    let found =
        case.events().iter().rev().find(|event| event.digest == subject).and_then(|event| event.words.as_deref());
    notice.lines = found.map(quoted).into_iter().collect();
    notice
}

/// The access is open, and until when.
pub(super) fn issued(state: &State, case: &Case, access: &Access, now: Timestamp) -> Notice {
    let mut notice = notice(case, Kind::Issued, Role::Requesters, only(&access.actor), now);
    notice.until = access.ends();
    let until = access.ends().map_or_else(String::new, |end| format!(" until {}", moment(end)));
    notice.title = format!("Your access to {} is open{until}", targets(access));
    if let [host] = hosts(state, access).as_slice() {
        notice.command = Some(format!("jit ssh {host}"));
    }
    notice
}

/// The end is near.
pub(super) fn ending(case: &Case, access: &Access, end: Timestamp, now: Timestamp) -> Notice {
    let mut notice = notice(case, Kind::Ending, Role::Requesters, only(&access.actor), now);
    notice.until = Some(end);
    notice.title = format!("Your access to {} ends at {}", targets(access), moment(end));
    notice.lines = vec!["Whatever still runs in its sessions is ended then.".to_owned()];
    notice.command = Some(format!("jit extend {} --for {}", case.id().short(), access.request.duration));
    notice
}

/// The set of one person.
pub(super) fn only(name: &Name) -> BTreeSet<Name> {
    [name.clone()].into()
}

/// The hosts that serve the targets of an access.
fn hosts(state: &State, access: &Access) -> Vec<Name> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let serves = |class: &Class| match class {
        Class::Host { targets } => access.request.targets.iter().any(|role| targets.contains(&role.target)),
        Class::Member { .. } | Class::Service { .. } => false,
    };
    policy.actors.iter().filter(|(_, actor)| serves(&actor.class)).map(|(name, _)| name.clone()).collect()
}
