//! The exceptions of a period, each with who has to see to it and since when: what a reader of the whole population would
//! look for first. Imports `domain`.

use std::collections::BTreeMap;

use super::entry::Ledger;
use super::period::Period;
use super::population::accesses;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use crate::domain::finding::{Code, Finding, Void};
use crate::domain::id::Name;
use crate::domain::state::access::{Access, Session};
use crate::domain::state::case::{Case, CaseState};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief(
        "what",
        "overdue review, late end, no end, residue, recording missing, governed file, emergency, void commit or reciprocal approvals",
    ),
    Column::full("code", "The code of docs/rules.md, where it has one"),
    Column::brief(
        "status",
        "open; or closed: an emergency that was reviewed or never opened anything, a void commit that was acknowledged",
    ),
    Column::brief("id", "The case, 16 characters; of a void commit the first 12 digits of its id"),
    Column::full("subject", "The whole id of case or commit; of reciprocal approvals all cases"),
    Column::full(
        "since",
        "Since when, UTC: the review's due time, the end of the access, the residue report, the request; of a void commit the newest event before it",
    ),
    Column::brief("age_seconds", "How long that is before the time of the report, seconds"),
    Column::brief(
        "owner",
        "Who has to see to it: who can still review, the host, the requester, the root members, or the two who approved each other",
    ),
    Column::full("actor", "Whose case it is"),
    Column::full("detail", "What exactly, in words"),
];

/// What is open or was an exception in `period`: cases by when they were opened, void commits by the newest event before
/// them.
pub fn report(ledger: &Ledger<'_>, period: Period) -> Report {
    let mut rows = Vec::new();
    rows.extend(ledger.findings.iter().filter_map(|finding| of_finding(ledger, period, finding)));
    rows.extend(accesses(ledger, period).filter_map(|(case, access)| emergency(ledger, case, access)));
    rows.extend(voids(ledger, period).into_iter().map(|(void, since)| of_void(ledger, void, since)));
    rows.extend(pairs(ledger, period).into_iter().filter(Pair::is_reciprocal).map(|pair| reciprocal(&pair)));
    rows.sort_by(|left, right| (left.since, left.what, &left.id).cmp(&(right.since, right.what, &right.id)));
    let mut report = Report::new("exceptions", "Exceptions: what is to be looked at", period);
    let open = rows.iter().filter(|row| row.open).count();
    report.figures.push(Figure::new("open", "Exceptions that are open", Cell::count(open)));
    let mut sheet = Sheet::new(COLUMNS);
    for row in rows {
        sheet.push(row.cells(ledger.now));
    }
    report.sheet = Some(sheet);
    report
}

/// Whether a report of this kind holds an open exception.
pub fn has_open(report: &Report) -> bool {
    report.figures.iter().any(|figure| figure.name == "open" && figure.value != Cell::Number(0))
}

/// The void commits of `period`, each with the time of the newest event before it: the committer's own clock proves
/// nothing.
pub fn voids<'a>(ledger: &Ledger<'a>, period: Period) -> Vec<(&'a Void, Option<Timestamp>)> {
    let voids = ledger.state.voids();
    if voids.is_empty() {
        return Vec::new();
    }
    let events = ledger.state.cases().flat_map(Case::events);
    let mut times: Vec<(u64, Timestamp)> = events.map(|event| (event.position, event.time)).collect();
    times.sort_unstable();
    let mut found = Vec::new();
    let (mut next, mut newest) = (times.iter().peekable(), None);
    for void in voids {
        while let Some((_, time)) = next.next_if(|(position, _)| *position < void.position) {
            newest = newest.max(Some(*time));
        }
        if newest.is_some_and(|newest| period.holds(newest)) {
            found.push((void, newest));
        }
    }
    found
}

/// How often two people approved cases of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The one whose name comes first.
    pub first: Name,
    /// The other.
    pub second: Name,
    /// Cases of `second` that `first` approved, in the log's order.
    pub by_first: Vec<String>,
    /// Cases of `first` that `second` approved.
    pub by_second: Vec<String>,
    /// The newest approval.
    pub last: Timestamp,
}

impl Pair {
    /// Whether each approved the other.
    pub const fn is_reciprocal(&self) -> bool {
        !self.by_first.is_empty() && !self.by_second.is_empty()
    }
}

/// Everybody who approved somebody's case of `period`, by pairs in the order of their names.
pub fn pairs(ledger: &Ledger<'_>, period: Period) -> Vec<Pair> {
    let mut pairs: BTreeMap<(Name, Name), Pair> = BTreeMap::new();
    for (case, access) in accesses(ledger, period) {
        for approval in &access.approvals {
            let (who, whom) = (&approval.actor, &access.actor);
            let (first, second) = if who < whom { (who, whom) } else { (whom, who) };
            let pair = pairs.entry((first.clone(), second.clone())).or_insert_with(|| Pair {
                first: first.clone(),
                second: second.clone(),
                by_first: Vec::new(),
                by_second: Vec::new(),
                last: approval.time,
            });
            let by = if who == first { &mut pair.by_first } else { &mut pair.by_second };
            by.push(case.id().short());
            pair.last = pair.last.max(approval.time);
        }
    }
    pairs.into_values().collect()
}

struct Row {
    what: &'static str,
    code: Option<Code>,
    open: bool,
    id: String,
    subject: Vec<String>,
    since: Option<Timestamp>,
    owner: Vec<String>,
    actor: Option<Name>,
    detail: String,
}

impl Row {
    fn cells(self, now: Timestamp) -> [(&'static str, Cell); 10] {
        let age = Cell::span(self.since.map(|since| now.since(since)));
        [
            ("what", Cell::Text(self.what.to_owned())),
            ("code", self.code.map_or(Cell::Empty, |code| Cell::Text(code.to_string()))),
            ("status", Cell::Text(if self.open { "open" } else { "closed" }.to_owned())),
            ("id", Cell::Text(self.id)),
            ("subject", Cell::List(self.subject)),
            ("since", Cell::time(self.since)),
            ("age_seconds", age),
            ("owner", Cell::List(self.owner)),
            ("actor", Cell::name(self.actor.as_ref())),
            ("detail", Cell::Text(self.detail)),
        ]
    }
}

fn of_finding(ledger: &Ledger<'_>, period: Period, finding: &Finding) -> Option<Row> {
    let Some(id) = finding.case else {
        // F03 is about the head, whatever the period.
        return Some(Row {
            what: what(finding.code),
            code: Some(finding.code),
            open: true,
            id: String::new(),
            subject: Vec::new(),
            since: None,
            owner: roots(ledger),
            actor: None,
            detail: visible(&finding.message),
        });
    };
    let case = ledger.state.case(&id).filter(|case| period.holds(case.opened()))?;
    let access = case.access()?;
    // A finding about a session names it.
    let session = access.sessions.iter().find(|session| finding.message.contains(session.session.as_str()));
    let host = session.map(|session| vec![session.host.to_string()]);
    Some(Row {
        what: what(finding.code),
        code: Some(finding.code),
        open: true,
        id: id.short(),
        subject: vec![id.0.hex()],
        since: since(ledger, access, session, finding.code),
        owner: host.unwrap_or_else(|| reviewers(ledger, access)),
        actor: Some(access.actor.clone()),
        detail: finding.message.clone(),
    })
}

const fn what(code: Code) -> &'static str {
    match code {
        Code::F01 => "overdue review",
        Code::F02 => "no end",
        Code::F03 => "governed file",
        Code::F04 => "no fresh checkpoint",
        Code::F05 => "residue",
        Code::F06 => "recording missing",
        Code::F07 => "late end",
        _ => "finding",
    }
}

fn since(ledger: &Ledger<'_>, access: &Access, session: Option<&Session>, code: Code) -> Option<Timestamp> {
    match code {
        Code::F01 => super::course::review_due(ledger.state.policy()?, access, ledger.now),
        Code::F05 => access.residues.iter().rev().find(|found| !found.clean).map(|found| found.time),
        Code::F06 => session.map(|session| session.started),
        _ => access.ended(ledger.now).map(|(time, _)| time),
    }
}

fn emergency(ledger: &Ledger<'_>, case: &Case, access: &Access) -> Option<Row> {
    if !access.request.emergency {
        return None;
    }
    let stands = ledger.state.case_state(case, ledger.now);
    let open = !access.issued.is_empty() && stands != CaseState::Reviewed;
    let incident = access.request.incident.as_deref().unwrap_or_default();
    Some(Row {
        what: "emergency",
        code: None,
        open,
        id: case.id().short(),
        subject: vec![case.id().0.hex()],
        since: Some(case.opened()),
        owner: if open { reviewers(ledger, access) } else { vec![access.actor.to_string()] },
        actor: Some(access.actor.clone()),
        detail: format!("break-glass for {incident}: {stands}"),
    })
}

fn of_void(ledger: &Ledger<'_>, void: &Void, since: Option<Timestamp>) -> Row {
    Row {
        what: "void commit",
        code: Some(void.fault.code),
        open: !void.acknowledged,
        id: void.commit.short(),
        subject: vec![void.commit.to_string()],
        since,
        owner: roots(ledger),
        actor: None,
        // A message may quote a path or header that somebody made up, control characters and all.
        detail: format!("at position {}: {}", void.position, visible(&void.fault.message)),
    }
}

fn reciprocal(pair: &Pair) -> Row {
    let count =
        |cases: &[String]| if cases.len() == 1 { "1 case".to_owned() } else { format!("{} cases", cases.len()) };
    Row {
        what: "reciprocal approvals",
        code: None,
        open: true,
        id: pair.by_first.first().cloned().unwrap_or_default(),
        subject: pair.by_first.iter().chain(&pair.by_second).cloned().collect(),
        since: Some(pair.last),
        owner: vec![pair.first.to_string(), pair.second.to_string()],
        actor: None,
        detail: format!(
            "{} approved {} of {}, {} approved {} of {}",
            pair.first,
            count(&pair.by_first),
            pair.second,
            pair.second,
            count(&pair.by_second),
            pair.first
        ),
    }
}

/// Who can still review the case; its requester where nobody has to.
fn reviewers(ledger: &Ledger<'_>, access: &Access) -> Vec<String> {
    let missing = ledger.state.policy().map(|policy| access.missing_reviews(policy)).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for name in missing.iter().flat_map(|lack| &lack.candidates).map(ToString::to_string) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { vec![access.actor.to_string()] } else { names }
}

fn roots(ledger: &Ledger<'_>) -> Vec<String> {
    let policy = ledger.state.policy();
    policy.map(|policy| policy.root.members.iter().map(ToString::to_string).collect()).unwrap_or_default()
}
