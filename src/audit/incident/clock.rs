//! By when others must be told of an incident. The clocks of both rules begin when the organisation has determined that
//! there was one: a person's judgement, which no event of a ledger holds. Sources: 12 CFR 53.3; 23 NYCRR 500.17(a)(1).
//! Imports `domain::time`.

use crate::domain::time::{Timestamp, Ttl};

/// A rule that wants others to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    /// Its name in JSON; never changes meaning.
    pub name: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// Who is told.
    pub whom: &'static str,
    /// The latest, in hours.
    pub hours: u64,
}

/// The two rules that docs/controls.md names.
pub const DUTIES: [Duty; 2] = [
    Duty { name: "occ", rule: "12 CFR 53.3", whom: "the OCC, of a notification incident", hours: 36 },
    Duty {
        name: "nydfs",
        rule: "23 NYCRR 500.17(a)(1)",
        whom: "the superintendent, of a cybersecurity incident",
        hours: 72,
    },
];

/// A clock that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The rule.
    pub duty: Duty,
    /// The last moment, UTC.
    pub by: Timestamp,
    /// How long it is until then, in seconds; negative where it is over.
    pub left: i64,
}

/// The clocks that began at `from`, as they stand at `now`.
pub fn clocks(from: Timestamp, now: Timestamp) -> Vec<Clock> {
    let clock = |duty: Duty| {
        let span = Ttl::from_seconds(duty.hours.saturating_mul(3600))?;
        let by = from.plus(span);
        Some(Clock { duty, by, left: by.since(now) })
    };
    DUTIES.into_iter().filter_map(clock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_end_after_a_day_and_a_half_and_after_three() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        // date -u -d '2026-02-27T18:30:00Z +36 hours' +%FT%TZ, and +72 hours: over the end of a February.
        let found = clocks(at("2026-02-27T18:30:00Z"), at("2026-03-01T06:31:00Z"));
        let ends: Vec<(u64, Timestamp, i64)> = found.iter().map(|it| (it.duty.hours, it.by, it.left)).collect();
        assert_eq!(ends, [(36, at("2026-03-01T06:30:00Z"), -60), (72, at("2026-03-02T18:30:00Z"), 36 * 3600 - 60)]);
    }
}
