//! Counts the records of a period that an area of the map rests on, and the exceptions. Imports `domain`.

use std::collections::BTreeMap;

use super::super::entry::Ledger;
use super::super::exceptions::{Pair, pairs, voids};
use super::super::period::Period;
use super::super::population::{accesses, cases};
use super::map::{Area, Records};
use crate::domain::event::{Kind, Subject};
use crate::domain::id::Digest;
use crate::domain::policy::Mfa;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, Matter};
use crate::domain::time::Timestamp;

/// What the state alone does not tell.
#[derive(Debug, Clone, Copy)]
pub struct Counts<'a> {
    /// The incident of each revocation that names one, by the digest of its event.
    pub revocations: &'a BTreeMap<Digest, String>,
    /// When the first policy came into force: no proposal names it.
    pub founded: Timestamp,
}

/// What there is for an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Records.
    pub records: usize,
    /// Exceptions that stand.
    pub exceptions: usize,
    /// Void commits that broke a rule of the area and were acknowledged.
    pub stopped: usize,
}

/// Counts for one area.
pub fn count(ledger: &Ledger<'_>, period: Period, counts: &Counts<'_>, area: &Area) -> Counted {
    let has = |code: &str| area.codes.iter().any(|known| known == code);
    let found = ledger.findings.iter().filter(|finding| has(finding.code.as_str())).filter(|finding| {
        let Some(case) = finding.case.and_then(|id| ledger.state.case(&id)) else { return true };
        let emergency = case.access().is_some_and(|access| access.request.emergency);
        period.holds(case.opened()) && (emergency || !area.emergencies_only)
    });
    let mut exceptions = found.count();
    let mut stopped = 0;
    for (void, _) in voids(ledger, period) {
        if has(void.fault.code.as_str()) {
            if void.acknowledged { stopped += 1 } else { exceptions += 1 }
        }
    }
    if area.reciprocal {
        exceptions += pairs(ledger, period).iter().filter(|pair| Pair::is_reciprocal(pair)).count();
    }
    Counted { records: records(ledger, period, counts, area.records), exceptions, stopped }
}

fn records(ledger: &Ledger<'_>, period: Period, counts: &Counts<'_>, what: Records) -> usize {
    let opened = || accesses(ledger, period).filter(|(_, access)| !access.issued.is_empty());
    match what {
        // Issuances of the period, wherever their case began.
        Records::Certificates => events(ledger, period, &[Kind::Issuance]),
        Records::StrongSignatures => accesses(ledger, period)
            .filter(|(_, access)| wants_touch(ledger, access))
            .map(|(_, it)| 1 + it.approvals.len())
            .sum(),
        // Requests of the period for which a credential was made.
        Records::Accesses => opened().count(),
        Records::Revocations => events(ledger, period, &[Kind::Revocation, Kind::Lock]),
        Records::Requests => accesses(ledger, period).count(),
        Records::Decisions => events(ledger, period, &[Kind::Approval, Kind::Denial, Kind::Review]),
        Records::Events => events(ledger, period, &Kind::ALL),
        // The whole log, whatever the period: its root covers all of it.
        Records::Leaves => usize::try_from(ledger.size()).unwrap_or(usize::MAX),
        Records::Reviews => events(ledger, period, &[Kind::Review]),
        Records::Recordings => {
            let sessions = accesses(ledger, Period::ALL).flat_map(|(_, access)| &access.sessions);
            sessions.filter(|session| session.recorded.is_some() && period.holds(session.started)).count()
        }
        Records::Ends => events(ledger, period, &[Kind::SessionEnd, Kind::Closure, Kind::Residue]),
        Records::Emergencies => opened().filter(|(_, access)| access.request.emergency).count(),
        Records::Incidents => incidents(ledger, period, counts),
        Records::Policies => {
            let enacted =
                ledger.state.cases().filter(|case| came_into_force(case).is_some_and(|time| period.holds(time)));
            enacted.count() + usize::from(period.holds(counts.founded))
        }
    }
}

/// The events of these kinds whose time lies in the period.
fn events(ledger: &Ledger<'_>, period: Period, kinds: &[Kind]) -> usize {
    let events = ledger.state.cases().flat_map(Case::events);
    events.filter(|event| kinds.contains(&event.kind) && period.holds(event.time)).count()
}

fn wants_touch(ledger: &Ledger<'_>, access: &Access) -> bool {
    let Some(policy) = ledger.state.policy() else { return false };
    access.request.targets.iter().any(|role| policy.role(role).is_some_and(|role| role.mfa != Mfa::None))
}

fn incidents(ledger: &Ledger<'_>, period: Period, counts: &Counts<'_>) -> usize {
    let named = cases(ledger, period).filter(|case| match case.matter() {
        Matter::Access(access) => access.request.incident.is_some(),
        Matter::Lock(lock) => lock.incident.is_some(),
        Matter::Proposal(_) | Matter::Genesis => false,
    });
    let events = ledger.state.cases().flat_map(Case::events);
    let revoked = events.filter(|event| period.holds(event.time) && counts.revocations.contains_key(&event.digest));
    named.count() + revoked.count()
}

fn came_into_force(case: &Case) -> Option<Timestamp> {
    match case.matter() {
        Matter::Proposal(proposed) if matches!(proposed.subject, Subject::Policy { .. }) => proposed.enacted,
        _ => None,
    }
}
