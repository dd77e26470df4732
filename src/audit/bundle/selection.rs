//! Which cases are asked for, and which must come along: nobody can judge a key without the policies up to then, and no
//! policy without the case that put it in force. Imports `domain` (format.md, section 6).

use std::collections::BTreeSet;

use crate::domain::event::{Kind, Subject};
use crate::domain::id::CaseId;
use crate::domain::state::State;
use crate::domain::state::case::{Case, Matter};
use crate::domain::time::Timestamp;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The whole ledger.
    All,
    /// Cases opened in a period: from (inclusive) until (exclusive), by their authors' clocks.
    Period {
        /// The beginning; none for the ledger's.
        from: Option<Timestamp>,
        /// The end; none for the ledger's.
        to: Option<Timestamp>,
    },
    /// These cases.
    Cases(BTreeSet<CaseId>),
    /// Requests, locks and revocations that name an incident.
    Incident(String),
}

impl Query {
    /// What is asked for, in words.
    pub fn words(&self) -> String {
        match self {
            Self::All | Self::Period { from: None, to: None } => "the whole ledger".to_owned(),
            Self::Period { from: Some(from), to: None } => format!("cases opened from {from} on"),
            Self::Period { from: None, to: Some(to) } => format!("cases opened before {to}"),
            Self::Period { from: Some(from), to: Some(to) } => format!("cases opened from {from} until before {to}"),
            Self::Cases(cases) => {
                let names: Vec<String> = cases.iter().map(CaseId::short).collect();
                format!("{} {}", if names.len() == 1 { "case" } else { "cases" }, names.join(", "))
            }
            Self::Incident(incident) => format!("cases of incident {incident}"),
        }
    }

    /// Whether everything is asked for.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All | Self::Period { from: None, to: None })
    }

    fn asks(&self, case: &Case) -> bool {
        match self {
            Self::All => true,
            Self::Period { from, to } => {
                from.is_none_or(|from| case.opened() >= from) && to.is_none_or(|to| case.opened() < to)
            }
            Self::Cases(cases) => cases.contains(&case.id()),
            Self::Incident(incident) => names_incident(case, incident),
        }
    }
}

/// Whether the request or lock names the incident. What a revocation names is found by the caller, who has its bytes.
fn names_incident(case: &Case, incident: &str) -> bool {
    match case.matter() {
        Matter::Access(access) => access.request.incident.as_deref() == Some(incident),
        Matter::Lock(lock) => lock.incident.as_deref() == Some(incident),
        Matter::Genesis | Matter::Proposal(_) => false,
    }
}

/// The chosen cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those that were asked for.
    pub asked: BTreeSet<CaseId>,
    /// Those without which the others could not be checked.
    pub along: BTreeSet<CaseId>,
}

impl Selection {
    /// What `query` chooses. `more`: cases that belong to it by what only their bytes say. `present`: whether the policy in
    /// force at the head must come along, for its log key; else only those up to the last entry that is asked for.
    pub fn of(state: &State, query: &Query, more: &BTreeSet<CaseId>, present: bool) -> Self {
        let asked: BTreeSet<CaseId> =
            state.cases().filter(|case| query.asks(case) || more.contains(&case.id())).map(Case::id).collect();
        let last = state
            .cases()
            .filter(|case| asked.contains(&case.id()))
            .flat_map(|case| case.events().iter().map(|event| event.position))
            .max()
            .unwrap_or(0);
        let along = enacted(state)
            .into_iter()
            .filter(|enacted| (present || enacted.from <= last) && !asked.contains(&enacted.case))
            .map(|enacted| enacted.case)
            .collect();
        Self { asked, along }
    }

    /// All of them, in the order in which they were opened.
    pub fn cases<'a>(&'a self, state: &'a State) -> impl Iterator<Item = &'a Case> {
        state.cases().filter(|case| self.asked.contains(&case.id()) || self.along.contains(&case.id()))
    }

    /// The positions of the first and last event of what was asked for.
    pub fn span(&self, state: &State) -> Option<(u64, u64)> {
        let positions = || {
            let asked = state.cases().filter(|case| self.asked.contains(&case.id()));
            asked.flat_map(|case| case.events().iter().map(|event| event.position))
        };
        Some((positions().min()?, positions().max()?))
    }
}

/// A case that put a policy in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enacted {
    /// The genesis or proposal.
    pub case: CaseId,
    /// The position of the event that opened it.
    pub brought: u64,
    /// The first position that its policy judges.
    pub from: u64,
}

/// Every case that put a policy in force, the first one first.
pub fn enacted(state: &State) -> Vec<Enacted> {
    let mut found: Vec<Enacted> = state
        .cases()
        .filter_map(|case| {
            let from = match case.matter() {
                Matter::Genesis => 0,
                Matter::Proposal(proposed) if matches!(proposed.subject, Subject::Policy { .. }) => {
                    let enactment = case.events().iter().find(|event| event.kind == Kind::Enactment)?;
                    enactment.position.checked_add(1)?
                }
                Matter::Proposal(_) | Matter::Access(_) | Matter::Lock(_) => return None,
            };
            Some(Enacted { case: case.id(), brought: case.position(), from })
        })
        .collect();
    found.sort_by_key(|enacted| enacted.from);
    found
}
