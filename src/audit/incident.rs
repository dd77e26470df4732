//! One incident as one timeline: every event of every case that names it, in the log's order; what overlapped it
//! (`overlap`); and by when others must be told of it (`clock`). Imports `domain`.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Entry, Ledger};
use super::period::Period;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use crate::domain::event::{Body, Event, Kind, Subject};
use crate::domain::id::{CaseId, Digest};
use crate::domain::state::case::{Case, Matter};

mod clock;
mod overlap;

pub use clock::{Clock, Duty, clocks};
pub use overlap::overlapped;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("time", "When, by the clock of who said it, UTC"),
    Column::full("kind", "The kind of event"),
    Column::brief("actor", "Who said it"),
    Column::brief("id", "The case, 16 characters"),
    Column::brief("what", "What was said: its author's own words after the colon, where there are any"),
    Column::full("position", "Its position in the log, from 0: the order that is proven"),
    Column::full("case", "The case, 64 hex digits"),
    Column::full("event", "SHA-256 of the event file, 64 hex digits"),
    Column::full("leaf", "The leaf hash, 64 hex digits"),
    Column::full("commit", "The commit"),
    Column::full("path", "The path of the event file"),
];

/// The cases that belong to an incident, in the log's order: those that name it, those that were revoked for it
/// (`revocations`: the incident of each revocation, by the digest of its event), and the proposals that lift its locks.
pub fn cases<'a>(ledger: &Ledger<'a>, incident: &str, revocations: &BTreeMap<Digest, String>) -> Vec<&'a Case> {
    let mut locks: BTreeSet<CaseId> = BTreeSet::new();
    let mut found = Vec::new();
    for case in ledger.state.cases() {
        let named = match case.matter() {
            Matter::Access(access) => access.request.incident.as_deref() == Some(incident),
            Matter::Lock(lock) => lock.incident.as_deref() == Some(incident),
            Matter::Proposal(proposed) => {
                matches!(&proposed.subject, Subject::Unlock { lock } if locks.contains(lock))
            }
            Matter::Genesis => false,
        };
        let revoked =
            || case.events().iter().any(|event| revocations.get(&event.digest).is_some_and(|it| it == incident));
        if named || revoked() {
            if case.kind() == Kind::Lock {
                locks.insert(case.id());
            }
            found.push(case);
        }
    }
    found
}

/// Every incident that something names, in their order, each with its cases. `revocations` as for [`cases`].
pub fn named<'a>(ledger: &Ledger<'a>, revocations: &BTreeMap<Digest, String>) -> Vec<(String, Vec<&'a Case>)> {
    let mut names: BTreeSet<&str> = revocations.values().map(String::as_str).collect();
    for case in ledger.state.cases() {
        names.extend(match case.matter() {
            Matter::Access(access) => access.request.incident.as_deref(),
            Matter::Lock(lock) => lock.incident.as_deref(),
            Matter::Proposal(_) | Matter::Genesis => None,
        });
    }
    names.into_iter().map(|name| (name.to_owned(), cases(ledger, name, revocations))).collect()
}

/// The timeline of these events, which are all of its cases' in any order.
pub fn report(incident: &str, mut entries: Vec<Entry>) -> Report {
    entries.sort_by_key(|entry| entry.position);
    let mut report = Report::new("incident", format!("Incident {incident}: what happened, in order"), Period::ALL);
    let mut sheet = Sheet::new(COLUMNS);
    let (mut cases, mut people) = (BTreeSet::new(), BTreeSet::new());
    for entry in &entries {
        let Some(signed) = entry.event() else { continue };
        let event = &signed.event;
        cases.insert(signed.case());
        people.insert(event.actor.clone());
        sheet.push([
            ("time", Cell::Time(event.time)),
            ("kind", Cell::Text(event.kind().to_string())),
            ("actor", Cell::Text(event.actor.to_string())),
            ("id", Cell::Text(signed.case().short())),
            ("what", Cell::Text(says(event))),
            ("position", Cell::position(entry.position)),
            ("case", Cell::Text(signed.case().0.hex())),
            ("event", Cell::Text(signed.digest.hex())),
            ("leaf", Cell::Text(entry.leaf.hex())),
            ("commit", Cell::Text(entry.commit.to_string())),
            ("path", Cell::Text(signed.path.clone())),
        ]);
    }
    let times: Vec<_> = entries.iter().filter_map(|entry| Some(entry.event()?.event.time)).collect();
    let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
    let length = first.zip(last).map(|(first, last)| last.since(first));
    report.figures = vec![
        Figure::new("cases", "Cases that name it, were revoked for it, or lift its locks", Cell::count(cases.len())),
        Figure::new("actors", "People, services and hosts that took part", Cell::names(&people)),
        Figure::new("first", "The first event, UTC", Cell::time(first)),
        Figure::new("last", "The last event, UTC", Cell::time(last)),
        Figure::new("seconds", "Between them, seconds", Cell::span(length)),
    ];
    report.leaves = entries.first().map(|entry| entry.position).zip(entries.last().map(|entry| entry.position));
    report.sheet = Some(sheet);
    report
}

/// What an event says, in a line: what matters of its fields, and its author's words.
pub fn says(event: &Event) -> String {
    let words = event.body.words().map(|words| words.replace('\n', "; "));
    match &event.body {
        Body::Request(request) => {
            let targets: Vec<String> = request.targets.iter().map(ToString::to_string).collect();
            let how = if request.emergency { "declares an emergency and asks for" } else { "asks for" };
            format!("{how} {} for {}: {}", targets.join(", "), request.duration, request.business_need)
        }
        Body::Issuance(issuance) => format!(
            "certificate {} of {}, valid until {}",
            issuance.serial, issuance.environment, issuance.valid_before
        ),
        Body::SessionStart(start) => {
            let command = start.command.as_ref().map_or_else(String::new, |command| format!(": {command}"));
            format!("logs in as {} from {}, recording {}{command}", start.login, start.source, start.recording)
        }
        Body::SessionEnd(end) => format!("session over ({}), {} bytes recorded", end.cause, end.bytes),
        Body::Lock(lock) => format!("locks {}: {}", lock.scope, lock.reason),
        Body::Proposal(proposal) => format!("proposes {}: {}", proposal.subject.as_str(), proposal.reason),
        Body::Enactment => "puts it in force".to_owned(),
        Body::Genesis(genesis) => format!("founds {}", genesis.name),
        Body::Approval { .. } => said("agrees", words),
        Body::Denial { .. } => said("denies", words),
        Body::Withdrawal { .. } => said("withdraws", words),
        Body::Revocation { .. } => said("revokes", words),
        Body::Closure { .. } => said("closes", words),
        Body::Residue(_) => said("looked for what was left behind", words),
        Body::Review(_) => said("reviews", words),
    }
}

fn said(verb: &str, words: Option<String>) -> String {
    words.map_or_else(|| verb.to_owned(), |words| format!("{verb}: {words}"))
}
