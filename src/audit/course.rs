//! How an access went: when its review was due and done, how long it lasted. Pure functions over the state that several
//! reports share. Imports `domain`.

use std::collections::BTreeSet;

use crate::domain::id::Name;
use crate::domain::policy::{Policy, quorum};
use crate::domain::state::access::Access;
use crate::domain::time::Timestamp;

/// When the review had to be complete; `None` where the access has not ended, was never opened, or wants none.
pub fn review_due(policy: &Policy, access: &Access, now: Timestamp) -> Option<Timestamp> {
    if access.issued.is_empty() {
        return None;
    }
    let (ended, _) = access.ended(now)?;
    let within = access.duties(policy).into_iter().map(|duty| duty.within).min()?;
    Some(ended.plus(within))
}

/// When the last review that was wanted came in; `None` where one is still missing or none is wanted.
pub fn reviewed(policy: &Policy, access: &Access) -> Option<Timestamp> {
    let duties = access.duties(policy);
    if duties.is_empty() {
        return None;
    }
    let mut reviewers: BTreeSet<Name> = BTreeSet::new();
    for review in &access.reviews {
        reviewers.insert(review.actor.clone());
        if duties.iter().all(|duty| quorum(policy, &duty.slots, &access.actor, &reviewers).met) {
            return Some(review.time);
        }
    }
    None
}

/// How long the access was open, in seconds: from the first credential to its end, or to `now` where it is live.
pub fn length(access: &Access, now: Timestamp) -> Option<i64> {
    let starts = access.starts()?;
    let end = access.ended(now).map_or(now, |(end, _)| end);
    Some(end.since(starts).max(0))
}

/// The value at rank ⌈share × n⌉ of `values` in rising order, `share` in percent: the nearest-rank percentile. It is always
/// a value that occurred. `None` where there is none.
pub fn percentile(values: &[i64], share: usize) -> Option<i64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    let rank = values.len().saturating_mul(share).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        // `python3 -c 'import math; v=sorted([7,1,3,9]); print([v[max(1,math.ceil(p*4/100))-1] for p in (0,50,95,100)])'`
        let values = [7, 1, 3, 9];
        assert_eq!([0, 50, 95, 100].map(|share| percentile(&values, share)), [Some(1), Some(3), Some(9), Some(9)]);
        assert_eq!(percentile(&[5], 50), Some(5));
        assert_eq!(percentile(&[], 50), None);
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 95), Some(95));
    }
}
