//! Cases at rest: of which time alone brings nothing new any more, neither another state nor a finding. Of a long history
//! nearly all are; whoever looks for what is open, due or wrong need not look at them. Only an event of the case, or another
//! policy, wakes them. PURE.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::State;
use super::access::Access;
use super::case::{Case, CaseState, Matter};
use crate::domain::id::Digest;
use crate::domain::policy::Policy;
use crate::domain::time::{Timestamp, Ttl};

/// How long before the newest event a case must have come to rest, in seconds: whoever asks about a little while ago, or
/// whose clock is behind the ledger's by less, need not look at all of them.
const LAG: u64 = 1200;

/// Which cases are at rest, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Rest {
    /// At this time and at every later one; `None` where none are.
    by: Option<Timestamp>,
    /// Under this policy.
    pub(super) policy: Option<Digest>,
    /// The numbers of those that are not, rising.
    pub(super) awake: Vec<u64>,
    /// How many of the others are in which state, the genesis not counted.
    counts: BTreeMap<CaseState, u64>,
}

impl Rest {
    fn count(&mut self, case: &Case, state: CaseState) {
        if case.position() > 0 {
            let count = self.counts.entry(state).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Whether a case was at rest.
    pub(super) fn holds(&self, number: u64) -> bool {
        self.by.is_some() && self.awake.binary_search(&number).is_err()
    }
}

impl State {
    /// The cases that are not at rest at `now`, in the order in which they were opened: among them every one that is
    /// pending, approved, live, a standing lock, or waits for its review, and every one that has a finding.
    pub fn awake(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = &Case> {
        self.awake_numbers(now).into_iter().filter_map(|number| self.at(number))
    }

    /// How many cases are in which state at `now`, the genesis not counted.
    pub fn count_by_state(&self, now: Timestamp) -> BTreeMap<CaseState, u64> {
        let rest = self.rest();
        let is_known = rest.by.is_some_and(|by| now >= by);
        let mut told = Rest { counts: if is_known { rest.counts.clone() } else { BTreeMap::new() }, ..Rest::default() };
        let mut count = |case: &Case| told.count(case, self.case_state(case, now));
        match is_known {
            true => rest.awake.iter().filter_map(|number| self.at(*number)).for_each(count),
            false => self.each_case(&mut count),
        }
        told.counts
    }

    pub(super) fn awake_numbers(&self, now: Timestamp) -> Vec<u64> {
        let rest = self.rest();
        if rest.by.is_some_and(|by| now >= by) {
            return rest.awake.clone();
        }
        // A clock behind the ledger's, or somebody asks how it was: each is looked at.
        let awake = |number: &u64| self.look(*number, |case| self.at_rest(case, now).is_none()) == Some(true);
        (0..self.case_count()).filter(awake).collect()
    }

    /// Which cases are at rest as of the newest event. What lies aside was asked before; it is asked again only where the
    /// policy is another one.
    pub(super) fn rest(&self) -> &Rest {
        self.rest.get_or_init(|| {
            let (Some(policy), Some(newest)) = (self.policy(), self.newest()) else { return Rest::default() };
            let by = newest.minus(Ttl::from_seconds(LAG).unwrap_or(policy.clock_skew));
            let mut rest = Rest { by: Some(by), policy: Some(policy.digest), ..Rest::default() };
            let known = self.base.as_ref().filter(|base| base.rest.policy == rest.policy && base.rest.by <= rest.by);
            let numbers: Vec<u64> = match known {
                None => (0..self.case_count()).collect(),
                Some(base) => {
                    rest.counts.clone_from(&base.rest.counts);
                    for number in self.changed.keys().filter(|number| base.rest.holds(**number)) {
                        // It was counted as what it was.
                        let was = base.look(*number, |case| {
                            base.rest.by.and_then(|by| self.at_rest(case, by)).filter(|_| case.position() > 0)
                        });
                        if let Some(count) = was.and_then(|was| rest.counts.get_mut(&was)) {
                            *count = count.saturating_sub(1);
                        }
                    }
                    let old: BTreeSet<u64> = base.rest.awake.iter().chain(self.changed.keys()).copied().collect();
                    old.into_iter().chain(base.cases..self.case_count()).collect()
                }
            };
            for number in numbers {
                let rests = self.look(number, |case| self.at_rest(case, by).map(|state| rest.count(case, state)));
                if rests == Some(None) {
                    rest.awake.push(number);
                }
            }
            rest.counts.retain(|_, count| *count > 0);
            rest
        })
    }

    /// The state that a case has at `by` and at any later time, where it is at rest then.
    fn at_rest(&self, case: &Case, by: Timestamp) -> Option<CaseState> {
        let policy = self.policy()?;
        if let Matter::Access(access) = &case.matter
            && moments(policy, access).any(|moment| moment >= by)
        {
            return None;
        }
        match self.case_state(case, by) {
            CaseState::Pending | CaseState::Approved | CaseState::Live | CaseState::ReviewDue | CaseState::Locked => {
                None
            }
            state => self.case_findings(policy, case, by).is_empty().then_some(state),
        }
    }
}

/// Every moment at which time alone may bring an access another state or a finding.
fn moments(policy: &Policy, access: &Access) -> impl Iterator<Item = Timestamp> {
    let stands = access.denied.is_some() || access.withdrawn.is_some();
    let deadlines = [Some(access.decide_by(policy)), access.activate_by(policy)];
    let deadlines = deadlines.into_iter().flatten().filter(move |_| !stands && access.issued.is_empty());
    let said = [access.revoked.as_ref().map(|(_, time)| *time), access.closed];
    // What ended before its time came has ended, whatever comes.
    let over = said.iter().flatten().min().copied();
    let ends =
        access.issued.iter().map(|issued| issued.valid_before).filter(move |end| over.is_none_or(|over| over >= *end));
    deadlines.chain(ends).chain(said.into_iter().flatten())
}
