//! Who is to hear what, and when: from the state before and after an event, and from the passing of time, the notices that
//! follow (docs/notify.md). Pure: no clock, no network; the same history says the same to the same people. Imports `domain`.
//!
//! Text of other people goes in on one line, bounded, with everything visible (`monitor::text`); each way out escapes it
//! once more by its own rules. A notice holds no secret: all of it is in the ledger.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::domain::event::words;
use crate::domain::id::{CaseId, CommitId, Digest, Name};
use crate::domain::state::State;
use crate::domain::time::Timestamp;

mod change;
mod json;
mod people;
mod say;
mod standing;
mod time;

pub use change::{of_event, of_void};
pub use people::{approvers, reviewers, security};
pub use standing::{digest, open_now, still};
pub use time::{ENDING, of_time};

words! {
    /// As what somebody hears of something.
    Role {
        /// Who can still approve, and did not ask.
        Approvers = "approvers",
        /// Who asked or proposed.
        Requesters = "requesters",
        /// Who can still review.
        Reviewers = "reviewers",
        /// Who may lock; the root members where the policy names no group for it.
        Security = "security",
    }
}

words! {
    /// What a notice is about.
    Kind {
        /// A request or proposal waits for an approval.
        ApprovalWanted = "approval-wanted",
        /// The time to decide is nearly over.
        DecidingEnds = "deciding-ends",
        /// The quorum is met.
        Approved = "approved",
        /// Somebody refused it.
        Denied = "denied",
        /// Nobody decided or issued in time.
        Lapsed = "lapsed",
        /// The credential is out.
        Issued = "issued",
        /// The access ends in five minutes.
        Ending = "ending",
        /// The access was revoked.
        Revoked = "revoked",
        /// An access ended and wants a review.
        ReviewWanted = "review-wanted",
        /// A review is overdue.
        ReviewOverdue = "review-overdue",
        /// Somebody opened an emergency access.
        Emergency = "emergency",
        /// Something was locked.
        Lock = "lock",
        /// A commit broke a rule.
        Void = "void",
        /// A host found something left behind.
        Residue = "residue",
        /// Several of these at once.
        Digest = "digest",
    }
}

/// What a notice belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A case.
    Case(CaseId),
    /// A void commit.
    Void(CommitId),
    /// Several of them.
    Many,
}

/// Something that some people are to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who.
    pub to: BTreeSet<Name>,
    /// As what.
    pub role: Role,
    /// What it is.
    pub kind: Kind,
    /// What it belongs to.
    pub about: About,
    /// What, with the kind and the people, tells it from all others: the digest of the event that opened the case, or of the
    /// one that it tells of.
    pub subject: Digest,
    /// When it came to be: the time of the event, or the one at which it was seen to be due.
    pub time: Timestamp,
    /// What and who, in one line.
    pub title: String,
    /// Why, and what else is to be known; a line each.
    pub lines: Vec<String>,
    /// Until when something is to be done, or when the access ends.
    pub until: Option<Timestamp>,
    /// What to run.
    pub command: Option<String>,
}

impl Notice {
    /// What receivers know doubles by: the digest of ledger, subject, kind and people. The same for ever.
    pub fn id(&self, ledger: Digest) -> Digest {
        let people: Vec<&str> = self.to.iter().map(Name::as_str).collect();
        Digest::of(format!("{ledger}\n{}\n{}\n{}\n", self.subject, self.kind, people.join(",")).as_bytes())
    }

    /// The same for some of the people; `None` where nobody is left.
    pub fn only(&self, people: BTreeSet<Name>) -> Option<Self> {
        (!people.is_empty()).then(|| Self { to: people, ..self.clone() })
    }

    /// The case, where it belongs to one.
    pub const fn case(&self) -> Option<CaseId> {
        match self.about {
            About::Case(case) => Some(case),
            About::Void(_) | About::Many => None,
        }
    }

    /// All of it as lines of text: the title, the lines, until when, and the command.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for line in &self.lines {
            text.push_str(&format!("{line}\n"));
        }
        if let Some(command) = &self.command {
            text.push_str(&format!("\n    {command}\n"));
        }
        text
    }
}

/// The text that names a case to another machine: no secret, no right, only which ledger and case are meant.
pub fn link(state: &State, case: CaseId) -> Option<String> {
    Some(format!("jit:case/{}/{}", state.ledger()?.short(), case.short()))
}
