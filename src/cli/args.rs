//! Values of the command line that several commands share, and how they are read. Imports domain.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::event::{Answer, LockScope, RiskLevel, Verdict};
use crate::domain::id::{Name, RoleRef};
use crate::domain::time::{Timestamp, Ttl};

/// The states by which cases are chosen (product.md, "The life of a case").
pub const STATES: [&str; 14] = [
    "pending",
    "denied",
    "withdrawn",
    "lapsed",
    "approved",
    "live",
    "expired",
    "revoked",
    "closed",
    "review due",
    "overdue",
    "reviewed",
    "locked",
    "lifted",
];

/// A duration as people type it: `90s`, `30m`, `2h`, `1d`.
///
/// # Errors
/// What was expected.
pub fn ttl(text: &str) -> Result<Ttl, String> {
    Ttl::from_human(text).map_err(|e| e.to_string())
}

/// An instant in RFC 3339 with its zone, `2026-11-23T14:05:09Z` or `2026-11-23T15:05:09+01:00`, with or without the
/// seconds. A time without a zone is refused: nobody should have to guess whose clock was meant.
///
/// # Errors
/// What was expected.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let expected = "expected a date, a time and a zone, such as 2026-11-23T14:05Z or 2026-11-23T15:05+01:00";
    // The date and the time to the minute are 16 characters; the zone or the seconds follow.
    let Some((minute, rest)) = text.split_at_checked(16) else { return Err(expected.to_owned()) };
    let whole = if rest.starts_with(':') { text.to_owned() } else { format!("{minute}:00{rest}") };
    match chrono::DateTime::parse_from_rfc3339(&whole) {
        Ok(time) if time.timestamp_subsec_nanos() == 0 && minute.as_bytes().get(10) == Some(&b'T') => {
            Timestamp::from_unix(time.timestamp()).ok_or_else(|| "the years are 1970 to 9999".to_owned())
        }
        Err(_) if chrono::DateTime::parse_from_rfc3339(&format!("{whole}Z")).is_ok() => {
            Err(format!("it has no zone: write {text}Z for UTC, or {text}+01:00 for an hour ahead of it"))
        }
        Ok(_) | Err(_) => Err(expected.to_owned()),
    }
}

/// `TARGET/ROLE`.
///
/// # Errors
/// What was expected.
pub fn role(text: &str) -> Result<RoleRef, String> {
    text.parse::<RoleRef>().map_err(|e| e.to_string())
}

/// `member:NAME`, `target:NAME`, `environment:NAME` or `ledger`: what a lock stops.
///
/// # Errors
/// What was expected.
pub fn scope(text: &str) -> Result<LockScope, String> {
    text.parse().map_err(|()| "expected member:NAME, target:NAME, environment:NAME or ledger".to_owned())
}

/// The levels of risk.
pub fn risk() -> impl TypedValueParser<Value = RiskLevel> {
    let words = RiskLevel::ALL.iter().map(|level| level.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse::<RiskLevel>().map_err(|()| "not a level of risk"))
}

/// The verdicts of a review.
pub fn verdict() -> impl TypedValueParser<Value = Verdict> {
    let words = Verdict::ALL.iter().map(|verdict| verdict.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse::<Verdict>().map_err(|()| "not a verdict"))
}

/// `ENV=FILE`: the CA key of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaFile {
    /// The environment.
    pub environment: Name,
    /// Its CA's private key, or the public one whose private half ssh-agent holds.
    pub file: PathBuf,
}

/// `ENV=FILE`.
///
/// # Errors
/// What was expected.
pub fn ca(text: &str) -> Result<CaFile, String> {
    let expected = || "expected ENV=FILE, such as prod=/run/keys/ca-prod".to_owned();
    let (environment, file) = text.split_once('=').ok_or_else(expected)?;
    let environment = environment.parse().map_err(|_| expected())?;
    if file.is_empty() { Err(expected()) } else { Ok(CaFile { environment, file: file.into() }) }
}

/// `CHECK=yes|no|n/a[:note]`: an answer of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckAnswer {
    /// The check, as the policy words it.
    pub check: String,
    /// The answer.
    pub answer: Answer,
    /// What there is to say about it.
    pub note: Option<String>,
}

/// `CHECK=yes|no|n/a[:note]`.
///
/// # Errors
/// What was expected.
pub fn answer(text: &str) -> Result<CheckAnswer, String> {
    // A check may hold `=`; the answer begins after the first one that is followed by an answer's word.
    for (at, _) in text.match_indices('=') {
        let (Some(check), Some(rest)) = (text.get(..at), text.get(at..).and_then(|rest| rest.strip_prefix('='))) else {
            continue;
        };
        let (word, note) = rest.split_once(':').map_or((rest, None), |(word, note)| (word, Some(note.trim())));
        if let Ok(answer) = word.trim().parse::<Answer>()
            && !check.trim().is_empty()
        {
            let note = note.filter(|note| !note.is_empty()).map(str::to_owned);
            return Ok(CheckAnswer { check: check.trim().to_owned(), answer, note });
        }
    }
    Err("expected CHECK=yes, CHECK=no or CHECK=n/a, each with or without :note".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_their_check() {
        let read = |text| answer(text).unwrap();
        assert_eq!(
            read("no lingering changes=yes"),
            CheckAnswer { check: "no lingering changes".into(), answer: Answer::Yes, note: None }
        );
        assert_eq!(
            read("a=b=no: seen in x=y: later"),
            CheckAnswer { check: "a=b".into(), answer: Answer::No, note: Some("seen in x=y: later".into()) }
        );
        assert_eq!(read("x=n/a:").note, None);
        for bad in ["", "x", "=yes", "x=maybe", "x=YES"] {
            assert!(answer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lock_has_a_scope() {
        assert_eq!(scope("ledger"), Ok(LockScope::Ledger));
        assert_eq!(scope("member:alice"), Ok(LockScope::Member("alice".parse().unwrap())));
        for bad in ["", "alice", "member", "member:", "member:A b", "host:db1", "ledger:x", "Ledger"] {
            assert!(scope(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_may_end_at_the_minute() {
        for same in ["2026-11-23T14:05Z", "2026-11-23T15:05+01:00", "2026-11-23T08:35:00-05:30"] {
            assert_eq!(time(same), time("2026-11-23T14:05:00Z"), "{same}");
        }
        for bad in [
            "14:05",
            "2026-11-23",
            "tomorrow",
            "2026-11-23T1405:0Z",
            "2026-11-23 14:05Z",
            "2026-11-23T14:05:00.5Z",
            "2026-11-31T14:05Z",
            "2026-11-23T24:05Z",
            "1969-12-31T23:59Z",
            "2026-11-23T14:0\u{e9}Z",
        ] {
            assert!(time(bad).is_err(), "{bad}");
        }
        for bare in ["2026-11-23T14:05", "2026-11-23T14:05:00"] {
            assert!(time(bare).unwrap_err().contains("no zone"), "{bare}");
        }
    }

    #[test]
    fn a_ca_has_an_environment_and_a_file() {
        assert_eq!(ca("prod=/a=b").unwrap(), CaFile { environment: "prod".parse().unwrap(), file: "/a=b".into() });
        for bad in ["prod", "prod=", "=x", "Prod=x"] {
            assert!(ca(bad).is_err(), "{bad}");
        }
    }
}
