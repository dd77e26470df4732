//! Whole seconds: instants in UTC and spans between them (format.md, section 2). No `now()` here: every rule is given
//! its time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not `YYYY-MM-DDTHH:MM:SSZ`.
    #[error("expected a time in UTC such as 2026-11-23T14:05:09Z")]
    Timestamp,
    /// Not `<n>s|m|h`.
    #[error("expected a duration such as 90s, 30m or 2h")]
    Ttl,
}

/// An instant: whole seconds since 1970-01-01T00:00:00Z, years 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59Z, the last second with a four-digit year.
const LAST: i64 = 253_402_300_799;

impl Timestamp {
    /// The instant `seconds` after the epoch; `None` outside the years 1970 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        (0..=LAST).contains(&seconds).then_some(Self(seconds))
    }

    /// Seconds since the epoch.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, as certificates count them.
    pub fn unix_u64(self) -> u64 {
        self.0.unsigned_abs()
    }

    /// This instant and `span` more, at most the last one there is.
    pub fn plus(self, span: Ttl) -> Self {
        Self(self.0.saturating_add_unsigned(span.seconds()).min(LAST))
    }

    /// This instant less `span`, at least the epoch.
    pub fn minus(self, span: Ttl) -> Self {
        Self(self.0.saturating_sub_unsigned(span.seconds()).max(0))
    }

    /// Seconds from `earlier` to this instant; negative where it is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `YYYY/MM/DD/HH`: the folder of the cases opened in this hour.
    pub fn hour_path(self) -> String {
        self.utc().format("%Y/%m/%d/%H").to_string()
    }

    /// The instant as chrono has it.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let parsed = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").map_err(|_| TimeError::Timestamp)?;
        let time = Self::from_unix(parsed.and_utc().timestamp()).ok_or(TimeError::Timestamp)?;
        // One spelling only: chrono also takes unpadded fields and a leap second.
        if time.to_string() == text { Ok(time) } else { Err(TimeError::Timestamp) }
    }
}

/// A span of whole seconds, at least one and at most 100 years. Written in the largest unit that is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ttl(u64);

const LONGEST: u64 = 100 * 366 * 86_400;

impl Ttl {
    /// `seconds` as a span; `None` for zero and for more than 100 years.
    pub const fn from_seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > LONGEST { None } else { Some(Self(seconds)) }
    }

    /// The length in seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// Parses `<n>s|m|h` in any exact unit (`60m`, `1h`): what people type. Files hold [`Ttl::from_str`]'s one spelling.
    ///
    /// # Errors
    /// [`TimeError::Ttl`] where the text is no such span.
    pub fn from_human(text: &str) -> Result<Self, TimeError> {
        let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(TimeError::Ttl)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(TimeError::Ttl),
        };
        if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return Err(TimeError::Ttl);
        }
        let count: u64 = digits.parse().map_err(|_| TimeError::Ttl)?;
        count.checked_mul(unit).and_then(Self::from_seconds).ok_or(TimeError::Ttl)
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            s if s % 3600 == 0 => format!("{}h", s / 3600),
            s if s % 60 == 0 => format!("{}m", s / 60),
            s => format!("{s}s"),
        };
        f.pad(&text)
    }
}

impl FromStr for Ttl {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let ttl = Self::from_human(text)?;
        if ttl.to_string() == text { Ok(ttl) } else { Err(TimeError::Ttl) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_one_spelling() {
        let time: Timestamp = "2026-11-23T14:05:09Z".parse().unwrap();
        // `date -u -d 2026-11-23T14:05:09Z +%s`
        assert_eq!(time.unix(), 1_795_442_709);
        assert_eq!(time.to_string(), "2026-11-23T14:05:09Z");
        assert_eq!(time.hour_path(), "2026/11/23/14");
        for bad in [
            "2026-11-23T14:05:09",
            "2026-11-23 14:05:09Z",
            "2026-11-23T14:05:09.0Z",
            "2026-11-23T14:05:9Z",
            "2026-02-30T00:00:00Z",
            "2026-06-30T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "2026-11-23T14:05:09+00:00",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_written_in_the_largest_exact_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("24h", 86_400), ("61m", 3660)] {
            assert_eq!(text.parse::<Ttl>().unwrap().seconds(), seconds);
            assert_eq!(Ttl::from_seconds(seconds).unwrap().to_string(), text);
        }
        for bad in ["60s", "60m", "0s", "", "m", "1.5h", "-1m", "+1m", "1d", "1 h", "99999999999999999999h", "ä"] {
            assert!(bad.parse::<Ttl>().is_err(), "{bad}");
        }
        assert_eq!(Ttl::from_human("60m").unwrap().to_string(), "1h");
        assert_eq!(Ttl::from_human("1d").unwrap().to_string(), "24h");
    }
}
