//! The population: every case that was opened in a period, one row each, so that a sample can be drawn from something
//! complete. Imports `domain`.

use std::collections::BTreeMap;

use super::course;
use super::entry::Ledger;
use super::period::Period;
use super::report::Report;
use super::sheet::{Cell, Column, Sheet};
use crate::domain::event::{Kind, Subject};
use crate::domain::id::{CaseId, Name};
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, Matter, Proposed};

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("id", "The case, 16 characters: what people type"),
    Column::full("case", "The case, SHA-256 of the event that opened it, 64 hex digits"),
    Column::full("kind", "What opened it: request, lock or proposal"),
    Column::brief("state", "Where it stands at the time of the report: one of the states of docs/rules.md"),
    Column::brief("actor", "Who opened it"),
    Column::brief("opened", "When, by the clock of who opened it, UTC. Decides to which period the case belongs"),
    Column::brief("subject", "TARGET/ROLE asked for; the scope of a lock; what a proposal is for"),
    Column::full("duration_seconds", "How long the access was asked for, seconds"),
    Column::full("emergency", "Whether it was opened as break-glass"),
    Column::full("incident", "The incident that it names"),
    Column::full("ticket", "The ticket that it names"),
    Column::full("extends", "The case that it continues, 16 characters"),
    Column::full("risk", "The risk as the requester sees it: low, medium or high"),
    Column::full("data", "The classes of data that the requester names"),
    Column::full("reason", "The business need, or the reason of a lock or proposal, as written by its author"),
    Column::full("approvers", "Who agreed, in the log's order"),
    Column::full("approved", "When the quorum stood, UTC; for a proposal when it was put in force"),
    Column::full("denied_by", "Who denied it"),
    Column::full("withdrawn", "When its author took it back, UTC"),
    Column::full("issued", "When the first credential was made, UTC: the access opens"),
    Column::full("serials", "The serial numbers of the certificates"),
    Column::full(
        "ended",
        "When the access ended, UTC: expired, revoked or closed, whichever came first; when a lock was lifted",
    ),
    Column::full("ended_by", "Why it ended: expired, revoked or closed"),
    Column::full(
        "open_seconds",
        "How long the access was open, seconds: from the first credential to the end, or to the time of the report",
    ),
    Column::full("revoked_by", "Who revoked it"),
    Column::full("sessions", "How many sessions hosts reported"),
    Column::full("hosts", "On which hosts"),
    Column::full("last_session_end", "When the last session ended, UTC"),
    Column::full("recordings", "How many sessions have the digest of a recording in the ledger"),
    Column::full("residue", "What hosts found left behind: clear, found, or nothing where no host has looked"),
    Column::full("review_due", "Until when the review has to be complete, UTC"),
    Column::full("reviewers", "Who reviewed, in the log's order"),
    Column::full("reviewed", "When the last review that is wanted came in, UTC"),
    Column::full("findings", "The F codes of docs/rules.md that stand at the time of the report"),
    Column::full("events", "How many events it has"),
    Column::full("first_position", "The position in the log of the event that opened it, from 0"),
    Column::full("last_position", "The position in the log of its newest event"),
    Column::full("leaf", "The leaf hash of the event that opened it, 64 hex digits"),
];

/// Every case of `period`, of one kind or of all but the genesis.
pub fn report(ledger: &Ledger<'_>, period: Period, kind: Option<Kind>) -> Report {
    let what = kind.map_or_else(|| "every case".to_owned(), |kind| format!("every case that began with a {kind}"));
    let mut report = Report::new("population", format!("Population: {what}"), period);
    let mut findings: BTreeMap<CaseId, Vec<String>> = BTreeMap::new();
    for finding in ledger.findings {
        let Some(case) = finding.case else { continue };
        let codes = findings.entry(case).or_default();
        let code = finding.code.to_string();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let mut sheet = Sheet::new(COLUMNS);
    for case in cases(ledger, period).filter(|case| kind.is_none_or(|kind| case.kind() == kind)) {
        let last = case.events().last().map_or(case.position(), |event| event.position);
        let (first, until) = report.leaves.unwrap_or((case.position(), last));
        report.leaves = Some((first.min(case.position()), until.max(last)));
        sheet.push(row(ledger, case, findings.remove(&case.id()).unwrap_or_default()));
    }
    report.sheet = Some(sheet);
    report
}

/// The cases that were opened in `period`, in the log's order; the genesis is none.
pub fn cases<'a>(ledger: &Ledger<'a>, period: Period) -> impl Iterator<Item = &'a Case> + use<'a> {
    ledger.state.cases().filter(move |case| case.position() > 0 && period.holds(case.opened()))
}

/// The access cases that were opened in `period`.
pub fn accesses<'a>(ledger: &Ledger<'a>, period: Period) -> impl Iterator<Item = (&'a Case, &'a Access)> + use<'a> {
    cases(ledger, period).filter_map(|case| Some((case, case.access()?)))
}

type Cells = Vec<(&'static str, Cell)>;

fn row(ledger: &Ledger<'_>, case: &Case, findings: Vec<String>) -> Cells {
    let leaf = ledger.log.leaf(case.position()).map(|leaf| leaf.hex());
    let last = case.events().last().map_or(case.position(), |event| event.position);
    let mut cells = vec![
        ("id", Cell::Text(case.id().short())),
        ("case", Cell::Text(case.id().0.hex())),
        ("kind", Cell::Text(case.kind().to_string())),
        ("state", Cell::Text(ledger.state.case_state(case, ledger.now).to_string())),
        ("actor", Cell::Text(case.actor().to_string())),
        ("opened", Cell::Time(case.opened())),
        ("findings", Cell::List(findings)),
        ("events", Cell::count(case.events().len())),
        ("first_position", Cell::position(case.position())),
        ("last_position", Cell::position(last)),
        ("leaf", Cell::optional(leaf.as_deref())),
    ];
    match case.matter() {
        Matter::Access(access) => {
            cells.extend(asked(access));
            cells.extend(happened(ledger, access));
        }
        Matter::Lock(lock) => cells.extend([
            ("subject", Cell::Text(lock.scope.to_string())),
            ("incident", Cell::optional(lock.incident.as_deref())),
            ("reason", Cell::Text(lock.reason.clone())),
            ("ended", Cell::time(lock.lifted)),
        ]),
        Matter::Proposal(proposed) => cells.extend([
            ("subject", Cell::Text(proposes(proposed))),
            ("reason", Cell::Text(proposed.reason.clone())),
            ("approvers", Cell::names(proposed.approvals.keys())),
            ("approved", Cell::time(proposed.enacted)),
            ("denied_by", Cell::name(proposed.denied.as_ref())),
        ]),
        Matter::Genesis => {}
    }
    cells
}

/// What the request says, and what was decided.
fn asked(access: &Access) -> Cells {
    let request = &access.request;
    let extends = request.extends.map(|case| case.short());
    vec![
        ("subject", Cell::List(request.targets.iter().map(ToString::to_string).collect())),
        ("duration_seconds", Cell::seconds(request.duration)),
        ("emergency", Cell::Flag(request.emergency)),
        ("incident", Cell::optional(request.incident.as_deref())),
        ("ticket", Cell::optional(request.ticket.as_deref())),
        ("extends", Cell::optional(extends.as_deref())),
        ("risk", Cell::Text(request.risk.level.to_string())),
        ("data", Cell::List(request.risk.data.clone())),
        ("reason", Cell::Text(request.business_need.clone())),
        ("approvers", Cell::names(access.approvals.iter().map(|approval| &approval.actor))),
        ("approved", Cell::time(access.decided)),
        ("denied_by", Cell::name(access.denied.as_ref().map(|(name, _)| name))),
        ("withdrawn", Cell::time(access.withdrawn)),
    ]
}

/// What was opened, and what came of it.
fn happened(ledger: &Ledger<'_>, access: &Access) -> Cells {
    let now = ledger.now;
    let policy = ledger.state.policy().map(|policy| &**policy);
    // A case that was revoked before any credential never opened anything, so nothing ended.
    let ended = access.ended(now).filter(|_| !access.issued.is_empty());
    let mut hosts: Vec<&Name> = Vec::new();
    for session in &access.sessions {
        if !hosts.contains(&&session.host) {
            hosts.push(&session.host);
        }
    }
    let residue = match access.residues.as_slice() {
        [] => Cell::Empty,
        found if found.iter().all(|found| found.clean) => Cell::Text("clear".to_owned()),
        _ => Cell::Text("found".to_owned()),
    };
    let recorded = access.sessions.iter().filter(|session| session.recorded.is_some()).count();
    let last_end = access.sessions.iter().filter_map(|session| session.ended.map(|(time, _)| time)).max();
    vec![
        ("issued", Cell::time(access.starts())),
        ("serials", Cell::List(access.issued.iter().map(|issued| issued.serial.to_string()).collect())),
        ("ended", Cell::time(ended.map(|(time, _)| time))),
        ("ended_by", ended.map_or(Cell::Empty, |(_, by)| Cell::Text(by.to_string()))),
        ("open_seconds", Cell::span(course::length(access, now))),
        ("revoked_by", Cell::name(access.revoked.as_ref().map(|(name, _)| name))),
        ("sessions", Cell::count(access.sessions.len())),
        ("hosts", Cell::names(hosts)),
        ("last_session_end", Cell::time(last_end)),
        ("recordings", Cell::count(recorded)),
        ("residue", residue),
        ("review_due", Cell::time(policy.and_then(|policy| course::review_due(policy, access, now)))),
        ("reviewers", Cell::names(access.reviews.iter().map(|review| &review.actor))),
        ("reviewed", Cell::time(policy.and_then(|policy| course::reviewed(policy, access)))),
    ]
}

fn proposes(proposed: &Proposed) -> String {
    match &proposed.subject {
        Subject::Policy { version, .. } => format!("policy version {version}"),
        Subject::Acknowledge { commits } => {
            let commits: Vec<String> = commits.iter().map(ToString::to_string).collect();
            format!("acknowledge {}", commits.join(" "))
        }
        Subject::Unlock { lock } => format!("unlock {}", lock.short()),
    }
}
