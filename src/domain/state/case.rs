//! A case: everything about one access, lock or proposal, and the words for how far it has come.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::access::Access;
use super::under::Under;
use crate::domain::event::{Kind, LockScope, Subject, words};
use crate::domain::id::{CaseId, CommitId, Digest, Name};
use crate::domain::time::Timestamp;

/// One case and its events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    pub(super) id: CaseId,
    pub(super) position: u64,
    pub(super) opened: Timestamp,
    pub(super) actor: Name,
    pub(super) events: Vec<EventRef>,
    pub(super) matter: Matter,
}

impl Case {
    /// Its id.
    pub const fn id(&self) -> CaseId {
        self.id
    }

    /// The position of the event that opened it.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// When it was opened, by its author's clock.
    pub const fn opened(&self) -> Timestamp {
        self.opened
    }

    /// Who opened it.
    pub const fn actor(&self) -> &Name {
        &self.actor
    }

    /// Its events, in the log's order.
    pub fn events(&self) -> &[EventRef] {
        &self.events
    }

    /// What it is about.
    pub const fn matter(&self) -> &Matter {
        &self.matter
    }

    /// The access it is about, where it is about one.
    pub const fn access(&self) -> Option<&Access> {
        match &self.matter {
            Matter::Access(access) => Some(access),
            _ => None,
        }
    }

    /// The folder of its files: `ledger/YYYY/MM/DD/HH/<case>`.
    pub fn folder(&self) -> String {
        format!("ledger/{}/{}", self.opened.hour_path(), self.id.short())
    }

    /// The word for what opened it.
    pub const fn kind(&self) -> Kind {
        match self.matter {
            Matter::Genesis => Kind::Genesis,
            Matter::Access(_) => Kind::Request,
            Matter::Lock(_) => Kind::Lock,
            Matter::Proposal(_) => Kind::Proposal,
        }
    }
}

/// An event of a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRef {
    /// Its kind.
    pub kind: Kind,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Who said it.
    pub actor: Name,
    /// When, by the author's clock.
    pub time: Timestamp,
    /// Where in the log.
    pub position: u64,
    /// In which commit.
    pub commit: CommitId,
    /// What its author said in words; other people's text.
    pub words: Option<String>,
}

/// What a case is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Matter {
    /// The ledger itself.
    Genesis,
    /// Access.
    Access(Box<Access>),
    /// A lock.
    Lock(Locked),
    /// A proposal.
    Proposal(Box<Proposed>),
}

/// A lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Locked {
    /// What it stops.
    pub scope: LockScope,
    /// Why.
    pub reason: String,
    /// The incident.
    pub incident: Option<String>,
    /// When it was lifted.
    pub lifted: Option<Timestamp>,
}

/// A proposal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proposed {
    /// Why.
    pub reason: String,
    /// What for.
    pub subject: Subject,
    /// Who agreed, and when; the proposer is not among them.
    pub approvals: BTreeMap<Name, Timestamp>,
    /// Who refused.
    pub denied: Option<Name>,
    /// When it was put in force.
    pub enacted: Option<Timestamp>,
    /// The policy that it proposes.
    pub policy: Option<Under>,
}

words! {
    /// How far a case has come.
    CaseState {
        /// The quorum is not met.
        Pending = "pending",
        /// The quorum is met; no credential yet, or not yet enacted.
        Approved = "approved",
        /// A credential is out and its end has not come.
        Live = "live",
        /// It ended, and no review is wanted.
        Ended = "ended",
        /// It ended, and a review is wanted.
        ReviewDue = "review due",
        /// It was reviewed.
        Reviewed = "reviewed",
        /// Somebody eligible denied it.
        Denied = "denied",
        /// Its author took it back.
        Withdrawn = "withdrawn",
        /// Nobody decided, or nobody issued, in time.
        Lapsed = "lapsed",
        /// A proposal in force.
        Enacted = "enacted",
        /// Another proposal of the same version came first.
        Overtaken = "overtaken",
        /// A standing lock.
        Locked = "locked",
        /// A lock that was lifted.
        Lifted = "lifted",
        /// The genesis.
        Founded = "founded",
    }
}
