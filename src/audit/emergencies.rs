//! The register of emergencies: every break-glass request, who declared it, and the review afterwards. Imports `domain`.

use super::course;
use super::entry::Ledger;
use super::period::Period;
use super::population::accesses;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use crate::domain::id::Name;
use crate::domain::state::access::Access;
use crate::domain::state::case::Case;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("id", "The case, 16 characters"),
    Column::full("case", "The case, 64 hex digits"),
    Column::brief("actor", "Who declared the emergency"),
    Column::brief("incident", "The incident"),
    Column::full("subject", "TARGET/ROLE asked for"),
    Column::full("reason", "The business need, as the requester wrote it"),
    Column::brief("opened", "When, UTC"),
    Column::full("issued", "When the credential was made, UTC"),
    Column::full("ended", "When the access ended, UTC"),
    Column::full("ended_by", "Why it ended: expired, revoked or closed"),
    Column::full("open_seconds", "How long the access was open, seconds"),
    Column::full("sessions", "How many sessions hosts reported"),
    Column::full("review_due", "Until when the review has to be complete, UTC"),
    Column::full("reviewers", "Who reviewed"),
    Column::full("reviewed", "When the last review that is wanted came in, UTC"),
    Column::brief("review", "on time, late, due, overdue; or nothing where no access was opened or it is still live"),
    Column::full("waiting_on", "Who can still review"),
];

/// Every emergency that was opened in `period`.
pub fn report(ledger: &Ledger<'_>, period: Period) -> Report {
    let mut report = Report::new("emergencies", "Emergency register: every break-glass request", period);
    let mut sheet = Sheet::new(COLUMNS);
    let (mut opened, mut broken) = (0, 0);
    for (case, access) in accesses(ledger, period) {
        opened += usize::from(!access.issued.is_empty());
        if !access.request.emergency {
            continue;
        }
        broken += usize::from(!access.issued.is_empty());
        sheet.push(row(ledger, case, access));
    }
    report.figures = vec![
        Figure::new("opened", "Accesses of the period for which a credential was made", Cell::count(opened)),
        Figure::new("emergencies", "Of these, emergencies", Cell::count(broken)),
        Figure::new("rate", "Emergencies in a hundred accesses opened", rate(broken, opened)),
    ];
    report.sheet = Some(sheet);
    report
}

/// `part` in a hundred of `whole`, with one digit after the point, rounded half up; nothing of nothing.
pub fn rate(part: usize, whole: usize) -> Cell {
    if whole == 0 {
        return Cell::Empty;
    }
    let tenths = part.saturating_mul(2000).saturating_add(whole) / whole.saturating_mul(2);
    Cell::Text(format!("{}.{} %", tenths / 10, tenths % 10))
}

/// Where a review stands.
pub fn review_word(ledger: &Ledger<'_>, access: &Access) -> Option<&'static str> {
    let policy = ledger.state.policy()?;
    let due = course::review_due(policy, access, ledger.now)?;
    Some(match course::reviewed(policy, access) {
        Some(done) if done <= due => "on time",
        Some(_) => "late",
        None if ledger.now <= due => "due",
        None => "overdue",
    })
}

fn row(ledger: &Ledger<'_>, case: &Case, access: &Access) -> Vec<(&'static str, Cell)> {
    let policy = ledger.state.policy().map(|policy| &**policy);
    let ended = access.ended(ledger.now).filter(|_| !access.issued.is_empty());
    let review = review_word(ledger, access);
    let missing = policy.filter(|_| review.is_some()).map(|policy| access.missing_reviews(policy)).unwrap_or_default();
    let candidates: Vec<&Name> = missing.iter().flat_map(|lack| &lack.candidates).collect();
    vec![
        ("id", Cell::Text(case.id().short())),
        ("case", Cell::Text(case.id().0.hex())),
        ("actor", Cell::Text(access.actor.to_string())),
        ("incident", Cell::optional(access.request.incident.as_deref())),
        ("subject", Cell::List(access.request.targets.iter().map(ToString::to_string).collect())),
        ("reason", Cell::Text(access.request.business_need.clone())),
        ("opened", Cell::Time(case.opened())),
        ("issued", Cell::time(access.starts())),
        ("ended", Cell::time(ended.map(|(time, _)| time))),
        ("ended_by", ended.map_or(Cell::Empty, |(_, by)| Cell::Text(by.to_string()))),
        ("open_seconds", Cell::span(course::length(access, ledger.now))),
        ("sessions", Cell::count(access.sessions.len())),
        ("review_due", Cell::time(policy.and_then(|policy| course::review_due(policy, access, ledger.now)))),
        ("reviewers", Cell::names(access.reviews.iter().map(|review| &review.actor))),
        ("reviewed", Cell::time(policy.and_then(|policy| course::reviewed(policy, access)))),
        ("review", Cell::optional(review)),
        ("waiting_on", Cell::names(candidates)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_one_digit_after_the_point() {
        for (part, whole, told) in
            [(1, 3, "33.3 %"), (2, 3, "66.7 %"), (0, 9, "0.0 %"), (7, 7, "100.0 %"), (1, 2000, "0.1 %")]
        {
            assert_eq!(rate(part, whole), Cell::Text(told.into()));
        }
        assert_eq!(rate(0, 0), Cell::Empty);
    }
}
