//! The time that a report is about: half-open, in UTC. Imports `domain::time`.

use std::fmt;

use chrono::{DateTime, NaiveDate};

use crate::domain::time::Timestamp;

/// Why there is no such period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Neither a date nor an instant.
    #[error("expected a date such as 2026-07-01 (its midnight, UTC) or a time such as 2026-07-01T09:30:00Z")]
    Boundary,
    /// Nothing lies in it.
    #[error("the period ends at {to}, which is not after its beginning, {from}")]
    Empty {
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
}

/// From an instant, which is in it, to another, which is not. What is left out has no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Period {
    /// Everything.
    pub const ALL: Self = Self { from: None, to: None };

    /// `[from, to)`.
    ///
    /// # Errors
    /// [`PeriodError::Empty`] where `to` is not after `from`.
    pub fn new(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Self, PeriodError> {
        match (from, to) {
            (Some(from), Some(to)) if to <= from => Err(PeriodError::Empty { from, to }),
            _ => Ok(Self { from, to }),
        }
    }

    /// Its first instant, where it has one.
    pub const fn from(&self) -> Option<Timestamp> {
        self.from
    }

    /// The first instant after it, where it ends.
    pub const fn to(&self) -> Option<Timestamp> {
        self.to
    }

    /// Whether an instant lies in it.
    pub fn holds(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (None, None) => f.write_str("the whole ledger"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(to)) => write!(f, "before {to}"),
            (Some(from), Some(to)) => write!(f, "from {from} to before {to}"),
        }
    }
}

/// A boundary as people type it: a date, which means its midnight in UTC, or an RFC 3339 time in whole seconds.
///
/// # Errors
/// [`PeriodError::Boundary`] for anything else.
pub fn boundary(text: &str) -> Result<Timestamp, PeriodError> {
    // Ten characters: chrono also takes years of other lengths.
    if text.len() == 10
        && let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
    {
        let midnight = date.and_hms_opt(0, 0, 0).ok_or(PeriodError::Boundary)?;
        return Timestamp::from_unix(midnight.and_utc().timestamp()).ok_or(PeriodError::Boundary);
    }
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| PeriodError::Boundary)?;
    if time.timestamp_subsec_nanos() != 0 {
        return Err(PeriodError::Boundary);
    }
    Timestamp::from_unix(time.timestamp()).ok_or(PeriodError::Boundary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_end_is_not_in_it() {
        let period = Period::new(boundary("2026-07-01").ok(), boundary("2026-10-01").ok()).unwrap();
        assert!(period.holds(at("2026-07-01T00:00:00Z")));
        assert!(period.holds(at("2026-09-30T23:59:59Z")));
        assert!(!period.holds(at("2026-10-01T00:00:00Z")));
        assert!(!period.holds(at("2026-06-30T23:59:59Z")));
        assert!(Period::ALL.holds(at("1970-01-01T00:00:00Z")));
        let same = boundary("2026-07-01").ok();
        assert!(Period::new(same, same).is_err());
    }

    #[test]
    fn boundaries_are_dates_or_times() {
        // `date -u -d '2026-07-01T09:30:00+02:00' +%FT%TZ`
        assert_eq!(boundary("2026-07-01T09:30:00+02:00"), Ok(at("2026-07-01T07:30:00Z")));
        assert_eq!(boundary("2026-07-01"), Ok(at("2026-07-01T00:00:00Z")));
        for bad in ["", "2026", "2026-7-1", "2026-02-30", "01.07.2026", "2026-07-01T09:30:00", "2026-07-01T09:30:00.5Z"]
        {
            assert_eq!(boundary(bad), Err(PeriodError::Boundary), "{bad}");
        }
    }
}
