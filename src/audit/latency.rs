//! How long things took: from a revocation or lock to the end of each session, from the request to the quorum, from the
//! quorum to the credential. Imports `domain`.

use super::course::percentile;
use super::entry::Ledger;
use super::period::Period;
use super::population::accesses;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use crate::domain::event::EndCause;
use crate::domain::event::Kind;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, Matter};
use crate::domain::time::Timestamp;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief(
        "measure",
        "revocation to session end, lock to session end, request to approval, or approval to issuance",
    ),
    Column::brief("id", "The case of the access, 16 characters"),
    Column::full("case", "The case of the access, 64 hex digits"),
    Column::full("actor", "Whose access it was"),
    Column::brief(
        "from",
        "When it began, UTC: the revocation, the lock, the request; the quorum, or the start of a booked window where that came later",
    ),
    Column::full("to", "When it was done, UTC; nothing where it has not happened"),
    Column::brief(
        "seconds",
        "The seconds between. Each time is of its author's clock: clocks that differ can make it negative",
    ),
    Column::full("by", "Who revoked or locked"),
    Column::full("host", "The host that reported the end of the session"),
    Column::full("cause", "What the host says ended the session"),
];

/// What is measured: the word in the column, and the figures' names and meanings.
const MEASURES: [(&str, [&str; 5]); 4] = [
    (
        "revocation to session end",
        [
            "revocation_to_session_end_count",
            "revocation_to_session_end_median_seconds",
            "revocation_to_session_end_p95_seconds",
            "revocation_to_session_end_max_seconds",
            "revocation_to_session_end_open",
        ],
    ),
    (
        "lock to session end",
        [
            "lock_to_session_end_count",
            "lock_to_session_end_median_seconds",
            "lock_to_session_end_p95_seconds",
            "lock_to_session_end_max_seconds",
            "lock_to_session_end_open",
        ],
    ),
    (
        "request to approval",
        [
            "request_to_approval_count",
            "request_to_approval_median_seconds",
            "request_to_approval_p95_seconds",
            "request_to_approval_max_seconds",
            "request_to_approval_open",
        ],
    ),
    (
        "approval to issuance",
        [
            "approval_to_issuance_count",
            "approval_to_issuance_median_seconds",
            "approval_to_issuance_p95_seconds",
            "approval_to_issuance_max_seconds",
            "approval_to_issuance_open",
        ],
    ),
];

/// What each of the five figures of a measure means.
const MEANINGS: [&str; 5] =
    ["how often", "median, seconds", "95th percentile, seconds", "longest, seconds", "how often its end has not come"];

/// Everything that began in `period`.
pub fn report(ledger: &Ledger<'_>, period: Period) -> Report {
    let mut report = Report::new("latency", "Latency: how long it took", period);
    let mut spans = revocations(ledger, period);
    spans.extend(locks(ledger, period));
    for (case, access) in accesses(ledger, period) {
        spans.extend(decisions(case, access));
    }
    for (measure, names) in MEASURES {
        let of: Vec<&Span<'_>> = spans.iter().filter(|span| span.measure == measure).collect();
        let seconds: Vec<i64> = of.iter().filter_map(|span| span.seconds()).collect();
        let values = [
            Cell::count(seconds.len()),
            Cell::span(percentile(&seconds, 50)),
            Cell::span(percentile(&seconds, 95)),
            Cell::span(percentile(&seconds, 100)),
            Cell::count(of.len() - seconds.len()),
        ];
        let figures = names.into_iter().zip(MEANINGS).zip(values);
        report
            .figures
            .extend(figures.map(|((name, meaning), value)| Figure::new(name, format!("{measure}: {meaning}"), value)));
    }
    let mut sheet = Sheet::new(COLUMNS);
    for span in &spans {
        sheet.push(span.cells());
    }
    report.sheet = Some(sheet);
    report.notes.push("Median and 95th percentile are nearest-rank: values that occurred.".to_owned());
    report
}

/// Something that took time.
struct Span<'a> {
    measure: &'static str,
    case: &'a Case,
    from: Timestamp,
    to: Option<Timestamp>,
    by: Option<String>,
    host: Option<String>,
    cause: Option<EndCause>,
}

impl Span<'_> {
    fn seconds(&self) -> Option<i64> {
        self.to.map(|to| to.since(self.from))
    }

    fn cells(&self) -> [(&'static str, Cell); 10] {
        [
            ("measure", Cell::Text(self.measure.to_owned())),
            ("id", Cell::Text(self.case.id().short())),
            ("case", Cell::Text(self.case.id().0.hex())),
            ("actor", Cell::Text(self.case.actor().to_string())),
            ("from", Cell::Time(self.from)),
            ("to", Cell::time(self.to)),
            ("seconds", Cell::span(self.seconds())),
            ("by", Cell::optional(self.by.as_deref())),
            ("host", Cell::optional(self.host.as_deref())),
            ("cause", self.cause.map_or(Cell::Empty, |cause| Cell::Text(cause.to_string()))),
        ]
    }
}

/// From each revocation of the period to the end of each session that was open then.
fn revocations<'a>(ledger: &Ledger<'a>, period: Period) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    for (case, access) in accesses(ledger, Period::ALL) {
        let Some((who, time)) = access.revoked.as_ref().filter(|(_, time)| period.holds(*time)) else { continue };
        cut(&mut spans, "revocation to session end", case, access, *time, who.as_str());
    }
    spans
}

/// From each lock of the period to the end of each session that it covers and that was open then.
fn locks<'a>(ledger: &Ledger<'a>, period: Period) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    for lock in super::population::cases(ledger, period) {
        let Matter::Lock(locked) = lock.matter() else { continue };
        for (case, access) in accesses(ledger, Period::ALL) {
            if ledger.state.covers(&locked.scope, access) {
                cut(&mut spans, "lock to session end", case, access, lock.opened(), lock.actor().as_str());
            }
        }
    }
    spans
}

fn cut<'a>(
    spans: &mut Vec<Span<'a>>,
    measure: &'static str,
    case: &'a Case,
    access: &'a Access,
    from: Timestamp,
    by: &str,
) {
    // A session that ended in the same second was still open.
    let open = access
        .sessions
        .iter()
        .filter(|session| session.started <= from && session.ended.is_none_or(|(ended, _)| from <= ended));
    spans.extend(open.map(|session| Span {
        measure,
        case,
        from,
        to: session.ended.map(|(time, _)| time),
        by: Some(by.to_owned()),
        host: Some(session.host.to_string()),
        cause: session.ended.map(|(_, cause)| cause),
    }));
}

/// From the request to the quorum, and from there to the first credential. An emergency waits for neither.
fn decisions<'a>(case: &'a Case, access: &'a Access) -> Vec<Span<'a>> {
    if access.request.emergency {
        return Vec::new();
    }
    let span = |measure, from, to| Span { measure, case, from, to, by: None, host: None, cause: None };
    let mut spans = vec![span("request to approval", case.opened(), access.decided)];
    if let Some(decided) = access.decided {
        // The wait for a booked window is no delay.
        let from = access.request.not_before.map_or(decided, |start| start.max(decided));
        spans.push(span("approval to issuance", from, access.starts()));
    }
    spans
}

/// The median seconds from request to quorum of a report.
pub fn median_to_approve(report: &Report) -> Cell {
    let wanted = "request_to_approval_median_seconds";
    report.figures.iter().find(|figure| figure.name == wanted).map_or(Cell::Empty, |figure| figure.value.clone())
}

/// How many revocations there were in `period`.
pub fn revocation_count(ledger: &Ledger<'_>, period: Period) -> usize {
    let events = ledger.state.cases().flat_map(Case::events);
    events.filter(|event| event.kind == Kind::Revocation && period.holds(event.time)).count()
}
