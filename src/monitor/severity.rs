//! How much an event wants to be looked at. The table of docs/export.md, and nothing else decides it.

use crate::domain::event::{Body, EndCause, Event, LockScope, Verdict, words};
use std::fmt;
use std::str::FromStr;

words! {
    /// How much a record wants to be looked at.
    Severity {
        /// What happens every day.
        Informational = "informational",
        /// Somebody said no, or a session ended otherwise than by its person.
        Low = "low",
        /// Out of the ordinary: to be looked at in the course of the day.
        Medium = "medium",
        /// An emergency, a revocation or a lock: to be looked at now.
        High = "high",
        /// The ledger was locked whole, or a commit broke a rule.
        Critical = "critical",
    }
}

impl Severity {
    /// The severity of an event; `emergency`: its case is a break-glass one.
    pub fn of(event: &Event, emergency: bool) -> Self {
        let plain = match &event.body {
            Body::Lock(lock) if lock.scope == LockScope::Ledger => Self::Critical,
            Body::Lock(_) | Body::Revocation { .. } => Self::High,
            Body::Request(_) | Body::Issuance(_) | Body::SessionStart(_) if emergency => Self::High,
            Body::Residue(residue) if !residue.clean => Self::Medium,
            Body::Review(review) if review.verdict == Verdict::FollowUp => Self::Medium,
            Body::Proposal(_) | Body::Enactment => Self::Medium,
            Body::SessionEnd(end) if end.cause == EndCause::Lost => Self::Medium,
            Body::SessionEnd(end) if matches!(end.cause, EndCause::Revoked | EndCause::Expired) => Self::Low,
            Body::Denial { .. } => Self::Low,
            _ => Self::Informational,
        };
        if emergency { plain.max(Self::Medium) } else { plain }
    }

    /// OCSF `severity_id`.
    pub const fn ocsf(self) -> u8 {
        match self {
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }

    /// The word that OCSF has for it.
    pub const fn ocsf_name(self) -> &'static str {
        match self {
            Self::Informational => "Informational",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }

    /// CEF, 0 to 10.
    pub const fn cef(self) -> u8 {
        match self {
            Self::Informational => 1,
            Self::Low => 3,
            Self::Medium => 5,
            Self::High => 8,
            Self::Critical => 10,
        }
    }

    /// RFC 5424, section 6.2.1: informational 6, notice 5, warning 4, error 3, critical 2.
    pub const fn syslog(self) -> u8 {
        match self {
            Self::Informational => 6,
            Self::Low => 5,
            Self::Medium => 4,
            Self::High => 3,
            Self::Critical => 2,
        }
    }
}
