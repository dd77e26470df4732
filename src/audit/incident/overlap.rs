//! What happened at the same time on the same targets, environments and people, and does not name the incident: where an
//! investigator looks next. It is told apart from what belongs to it, since nobody has said that it does. Imports `domain`.

use std::collections::BTreeSet;

use super::super::entry::Ledger;
use super::super::period::Period;
use super::super::report::{Figure, Report};
use super::super::sheet::{Cell, Column, Sheet};
use crate::domain::event::LockScope;
use crate::domain::id::{CaseId, Name};
use crate::domain::state::case::{Case, Matter};
use crate::domain::time::Timestamp;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("from", "When it began, by its author's clock, UTC"),
    Column::brief("until", "When it ended, or its last event, UTC; the time at which this is judged where it goes on"),
    Column::full("kind", "The kind of case"),
    Column::brief("actor", "Who opened it"),
    Column::brief("id", "The case, 16 characters"),
    Column::brief("shares", "What it has in common with the incident"),
    Column::brief("what", "What it is about"),
    Column::full("case", "The case, 64 hex digits"),
    Column::full("position", "The position of its first event in the log"),
];

/// What an incident has touched.
#[derive(Default)]
struct Touched {
    targets: BTreeSet<Name>,
    environments: BTreeSet<Name>,
    members: BTreeSet<Name>,
    everything: bool,
}

/// The cases that are not among `tied` and overlap them.
pub fn overlapped(ledger: &Ledger<'_>, incident: &str, tied: &[&Case]) -> Report {
    let title = format!("Overlapped {incident} on the same targets, and does not name it");
    let mut sheet = Sheet::new(COLUMNS);
    let ids: BTreeSet<CaseId> = tied.iter().map(|case| case.id()).collect();
    let spans: Vec<(Timestamp, Timestamp)> = tied.iter().map(|case| span(case, ledger.now)).collect();
    let from = spans.iter().map(|(from, _)| *from).min();
    let until = spans.iter().map(|(_, until)| *until).max();
    let touched = Touched::by(ledger, tied);
    let (mut first, mut last) = (None, None);
    for case in ledger.state.cases().filter(|case| !ids.contains(&case.id())) {
        let (began, ended) = span(case, ledger.now);
        if from.is_none_or(|from| ended < from) || until.is_none_or(|until| began > until) {
            continue;
        }
        let Some((shares, what)) = touched.shares(ledger, case) else { continue };
        first = first.or(Some(case.position()));
        last = Some(case.position());
        sheet.push([
            ("from", Cell::Time(began)),
            ("until", Cell::Time(ended)),
            ("kind", Cell::Text(case.kind().to_string())),
            ("actor", Cell::Text(case.actor().to_string())),
            ("id", Cell::Text(case.id().short())),
            ("shares", Cell::Text(shares)),
            ("what", Cell::Text(what)),
            ("case", Cell::Text(case.id().0.hex())),
            ("position", Cell::position(case.position())),
        ]);
    }
    let positions = || tied.iter().flat_map(|case| case.events().iter().map(|event| event.position));
    let (low, high) = (positions().min().unwrap_or(0), positions().max().unwrap_or(0));
    let voids = ledger.state.voids().iter().filter(|void| (low..=high).contains(&void.position)).count();
    let mut report = Report::new("incident-overlap", title, Period::ALL);
    report.figures = vec![
        Figure::new("from", "The incident's first event, UTC", Cell::time(from)),
        Figure::new("until", "Its last, or the end of what it opened or locked, UTC", Cell::time(until)),
        Figure::new("voids", "Void commits between its first and last event (jit verify)", Cell::count(voids)),
    ];
    report.leaves = first.zip(last);
    report.sheet = Some(sheet);
    report
}

impl Touched {
    fn by(ledger: &Ledger<'_>, tied: &[&Case]) -> Self {
        let mut touched = Self::default();
        for case in tied {
            match case.matter() {
                Matter::Access(access) => {
                    touched.members.insert(access.actor.clone());
                    for role in &access.request.targets {
                        touched.targets.insert(role.target.clone());
                        touched.environments.extend(environment(ledger, &role.target));
                    }
                }
                Matter::Lock(lock) => match &lock.scope {
                    LockScope::Member(name) => drop(touched.members.insert(name.clone())),
                    LockScope::Target(name) => {
                        touched.environments.extend(environment(ledger, name));
                        touched.targets.insert(name.clone());
                    }
                    LockScope::Environment(name) => drop(touched.environments.insert(name.clone())),
                    LockScope::Ledger => touched.everything = true,
                },
                Matter::Proposal(_) | Matter::Genesis => {}
            }
        }
        touched
    }

    /// What a case has in common with it, and what the case is about; `None` where it has nothing.
    fn shares(&self, ledger: &Ledger<'_>, case: &Case) -> Option<(String, String)> {
        match case.matter() {
            Matter::Access(access) => {
                let roles = &access.request.targets;
                let same = roles.iter().find(|role| self.targets.contains(&role.target));
                let near = roles.iter().filter_map(|role| environment(ledger, &role.target));
                let near = near.into_iter().find(|name| self.environments.contains(name));
                let shares = match (same, self.members.contains(&access.actor), near) {
                    (Some(role), _, _) => format!("target {}", role.target),
                    (None, true, _) => format!("member {}", access.actor),
                    (None, false, Some(environment)) => format!("environment {environment}"),
                    (None, false, None) if self.everything => "the ledger's lock".to_owned(),
                    (None, false, None) => return None,
                };
                let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
                Some((shares, roles.join(", ")))
            }
            Matter::Lock(lock) => {
                let is_shared = match &lock.scope {
                    LockScope::Member(name) => self.members.contains(name),
                    LockScope::Target(name) => self.targets.contains(name),
                    LockScope::Environment(name) => self.environments.contains(name),
                    LockScope::Ledger => true,
                };
                (is_shared || self.everything).then(|| (lock.scope.to_string(), format!("locks {}", lock.scope)))
            }
            Matter::Proposal(_) | Matter::Genesis => None,
        }
    }
}

fn environment(ledger: &Ledger<'_>, target: &Name) -> Option<Name> {
    Some(ledger.state.policy()?.targets.get(target)?.environment.clone())
}

/// From when until when a case ran: to its end, to its last event, or on and on.
fn span(case: &Case, now: Timestamp) -> (Timestamp, Timestamp) {
    let last = case.events().iter().map(|event| event.time).max().unwrap_or(case.opened());
    let until = match case.matter() {
        Matter::Access(access) if access.issued.is_empty() => last,
        Matter::Access(access) => access.ended(now).map_or(now, |(end, _)| end.max(last)),
        Matter::Lock(lock) => lock.lifted.unwrap_or(now).max(last),
        Matter::Proposal(_) | Matter::Genesis => last,
    };
    (case.opened(), until)
}
