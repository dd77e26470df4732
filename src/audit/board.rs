//! One page for the board: how much access there was, how fast it was decided, how long it lasted, and whether the reviews
//! came in time. Imports `domain`.

use std::collections::BTreeMap;

use super::course::{length, percentile, review_due, reviewed};
use super::emergencies::rate;
use super::entry::Ledger;
use super::exceptions;
use super::latency;
use super::period::Period;
use super::population::{accesses, cases};
use super::report::{Figure, Report};
use super::sheet::Cell;
use crate::domain::state::case::{CaseState, Matter};

/// The figures of `period`.
pub fn report(ledger: &Ledger<'_>, period: Period) -> Report {
    let mut report = Report::new("board", "Production access on one page", period);
    let mut states: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut requests, mut opened, mut emergencies) = (0, 0, 0);
    let mut lengths = Vec::new();
    let (mut due, mut on_time) = (0, 0);
    let mut people = std::collections::BTreeSet::new();
    for (case, access) in accesses(ledger, period) {
        requests += 1;
        *states.entry(word(ledger.state.case_state(case, ledger.now))).or_default() += 1;
        if access.issued.is_empty() {
            continue;
        }
        opened += 1;
        people.insert(&access.actor);
        emergencies += usize::from(access.request.emergency);
        lengths.extend(length(access, ledger.now).filter(|_| access.ended(ledger.now).is_some()));
        let Some(policy) = ledger.state.policy() else { continue };
        let Some(until) = review_due(policy, access, ledger.now) else { continue };
        let done = reviewed(policy, access);
        if done.is_some() || ledger.now > until {
            due += 1;
            on_time += usize::from(done.is_some_and(|done| done <= until));
        }
    }
    let latency = latency::report(ledger, period);
    let value = |name: &str| {
        latency.figures.iter().find(|figure| figure.name == name).map_or(Cell::Empty, |figure| figure.value.clone())
    };
    let state = |word: &str| Cell::count(states.get(word).copied().unwrap_or_default());
    let locks = cases(ledger, period).filter(|case| matches!(case.matter(), Matter::Lock(_))).count();
    let exceptions = exceptions::report(ledger, period);
    let open =
        exceptions.figures.iter().find(|figure| figure.name == "open").map_or(Cell::Empty, |it| it.value.clone());
    report.figures = vec![
        Figure::new("requests", "Requests for access", Cell::count(requests)),
        Figure::new("opened", "Accesses opened: a credential was made", Cell::count(opened)),
        Figure::new("people", "People who had access", Cell::count(people.len())),
        Figure::new("denied", "Requests denied", state("denied")),
        Figure::new("not_used", "Requests withdrawn or lapsed", {
            let count = |word: &str| states.get(word).copied().unwrap_or_default();
            Cell::count(count("withdrawn") + count("lapsed"))
        }),
        Figure::new("waiting", "Requests pending, or approved and not yet issued", state("waiting")),
        Figure::new("live", "Accesses live at the time of the report", state("live")),
        Figure::new(
            "median_seconds_to_approve",
            "Median time from request to approval, seconds",
            latency::median_to_approve(&latency),
        ),
        Figure::new(
            "median_open_seconds",
            "Median length of an access that ended, seconds",
            Cell::span(percentile(&lengths, 50)),
        ),
        Figure::new(
            "longest_open_seconds",
            "Longest access that ended, seconds",
            Cell::span(percentile(&lengths, 100)),
        ),
        Figure::new("emergencies", "Accesses opened as emergencies", Cell::count(emergencies)),
        Figure::new("emergency_rate", "Emergencies in a hundred accesses opened", rate(emergencies, opened)),
        Figure::new("reviews_due", "Reviews that came in, or are overdue", Cell::count(due)),
        Figure::new("reviews_on_time", "Of these, complete in time", Cell::count(on_time)),
        Figure::new("review_rate", "Reviews in time in a hundred", rate(on_time, due)),
        Figure::new("revocations", "Accesses revoked by hand", Cell::count(latency::revocation_count(ledger, period))),
        Figure::new("locks", "Locks", Cell::count(locks)),
        Figure::new(
            "median_seconds_to_cut",
            "Median time from revocation to session end, seconds",
            value("revocation_to_session_end_median_seconds"),
        ),
        Figure::new("open_exceptions", "Exceptions that are open", open),
    ];
    report
}

const fn word(state: CaseState) -> &'static str {
    match state {
        CaseState::Pending | CaseState::Approved => "waiting",
        CaseState::Live => "live",
        CaseState::Denied => "denied",
        CaseState::Withdrawn => "withdrawn",
        CaseState::Lapsed => "lapsed",
        CaseState::Ended
        | CaseState::ReviewDue
        | CaseState::Reviewed
        | CaseState::Enacted
        | CaseState::Overtaken
        | CaseState::Locked
        | CaseState::Lifted
        | CaseState::Founded => "over",
    }
}
