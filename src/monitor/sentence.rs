//! What happened, in one English sentence without a full stop. It holds names, which cannot hide anything, and where a
//! host or requester wrote freely (a login, a source, an incident) that text as it is: each format escapes it.

use crate::domain::event::{Body, Event, LockScope, Recording, Subject};
use crate::domain::id::Name;

use super::record::{Detail, Record};

/// The sentence of an event; `record` is filled but for this.
pub fn of(record: &Record, event: &Event) -> String {
    let actor = &event.actor;
    let access = access(record);
    match &event.body {
        Body::Genesis(genesis) => format!("{actor} founded the ledger {}", genesis.name),
        Body::Request(request) => {
            let emergency = if request.emergency { " as an emergency" } else { "" };
            let incident = request.incident.as_ref().map_or_else(String::new, |incident| format!(" ({incident})"));
            format!("{actor} asks {} for {}{emergency}{incident}", record.targets_text(), request.duration)
        }
        Body::Approval { .. } => format!("{actor} approved {access}{}", stands(record)),
        Body::Denial { .. } => format!("{actor} denied {access}"),
        Body::Withdrawal { .. } => format!("{actor} withdrew the request for {}", record.targets_text()),
        Body::Issuance(issuance) => {
            let emergency = if record.emergency { " as an emergency, before any approval," } else { "" };
            format!(
                "{actor} issued credential {} for {access}{emergency} until {}",
                issuance.serial, issuance.valid_before
            )
        }
        Body::SessionStart(start) => {
            let recorded = if start.recording == Recording::Off { ", not recorded" } else { "" };
            format!("{} logged in to {actor} as {} from {}{recorded}", requester(record), start.login, start.source)
        }
        Body::SessionEnd(end) => format!("the session of {} on {actor} ended: {}", requester(record), end.cause),
        Body::Revocation { .. } => format!("{actor} revoked {access}"),
        Body::Closure { .. } => format!("{actor} closed the access to {}", record.targets_text()),
        Body::Residue(residue) if residue.clean => format!("{actor} found nothing left behind by {access}"),
        Body::Residue(_) => format!("{actor} found something left behind by {access}, or could not look"),
        Body::Review(review) => format!("{actor} reviewed {access}: {}", review.verdict),
        Body::Lock(lock) => format!("{actor} locked {}", locked(&lock.scope)),
        Body::Proposal(_) => format!("{actor} proposes {}", proposal(record)),
        Body::Enactment => match &record.detail {
            Detail::Proposal { subject: Subject::Policy { version, .. }, .. } => {
                format!("{actor} put policy version {version} in force")
            }
            Detail::Proposal { subject: Subject::Acknowledge { commits }, .. } => {
                format!("{actor} put on record that {} looked into", were(commits.len()))
            }
            Detail::Proposal { subject: Subject::Unlock { lock }, lifts } => {
                format!("{actor} lifted lock {}{}", lock.short(), of_scope(lifts.as_ref()))
            }
            _ => format!("{actor} put a proposal in force"),
        },
    }
}

fn requester(record: &Record) -> &str {
    record.requester.as_ref().map_or("somebody", Name::as_str)
}

/// What a case is about, as the object of a sentence.
fn access(record: &Record) -> String {
    if matches!(record.detail, Detail::Proposal { .. }) {
        return format!("{}'s proposal of {}", requester(record), proposal(record));
    }
    format!("{}'s access to {}", requester(record), record.targets_text())
}

fn stands(record: &Record) -> String {
    record.state.map_or_else(String::new, |state| format!("; it is {state}"))
}

fn proposal(record: &Record) -> String {
    match &record.detail {
        Detail::Proposal { subject: Subject::Policy { version, .. }, .. } => format!("policy version {version}"),
        Detail::Proposal { subject: Subject::Acknowledge { commits }, .. } => {
            format!("the acknowledgement of {}", voids(commits.len()))
        }
        Detail::Proposal { subject: Subject::Unlock { lock }, lifts } => {
            format!("lifting lock {}{}", lock.short(), of_scope(lifts.as_ref()))
        }
        _ => "a change".to_owned(),
    }
}

fn locked(scope: &LockScope) -> String {
    match scope {
        LockScope::Ledger => "the whole ledger".to_owned(),
        LockScope::Member(name) => format!("member {name}"),
        LockScope::Target(name) => format!("target {name}"),
        LockScope::Environment(name) => format!("environment {name}"),
    }
}

fn of_scope(scope: Option<&LockScope>) -> String {
    scope.map_or_else(String::new, |scope| format!(" of {}", locked(scope)))
}

fn voids(number: usize) -> String {
    if number == 1 { "1 void commit".to_owned() } else { format!("{number} void commits") }
}

fn were(number: usize) -> String {
    format!("{} {}", voids(number), if number == 1 { "was" } else { "were" })
}
