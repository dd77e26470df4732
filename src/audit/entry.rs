//! A ledger as it is handed to an examiner: each commit with its bytes, its leaf and what was judged of it; and the facts
//! that every report names. Plain data; `cli/audit/read.rs` makes it. Imports `domain` and `merkle` (format.md, sections 1
//! to 4).

use crate::domain::event::Event;
use crate::domain::finding::{Fault, Finding};
use crate::domain::id::{CaseId, CommitId, Digest};
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::merkle::Tree;

/// One commit of the ledger: one leaf of the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its index in the log, from 0.
    pub position: u64,
    /// The commit.
    pub commit: CommitId,
    /// When its committer says that it was made, UTC. Anybody can write it; `None` where it cannot be read.
    pub committed: Option<Timestamp>,
    /// The hash of its leaf, as the log has it.
    pub leaf: Digest,
    /// What it says.
    pub said: Said,
}

/// What a commit says.
#[derive(Debug, Clone)]
pub enum Said {
    /// An event that broke no rule.
    Event(Box<Signed>),
    /// Nothing: it broke a rule.
    Void(Voided),
}

/// An event and its signature, byte for byte.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The path of the event file; the signature's is the same with `.sig`.
    pub path: String,
    /// The event file.
    pub bytes: Vec<u8>,
    /// The signature file.
    pub signature: Vec<u8>,
    /// SHA-256 of the event file.
    pub digest: Digest,
    /// The event file, parsed.
    pub event: Event,
}

impl Signed {
    /// The case it belongs to: the one it names, or opens.
    pub fn case(&self) -> CaseId {
        self.event.case.unwrap_or(CaseId(self.digest))
    }
}

/// A commit that broke a rule and changed nothing.
#[derive(Debug, Clone)]
pub struct Voided {
    /// The rule, and how.
    pub fault: Fault,
    /// Whether the root quorum has acknowledged it.
    pub acknowledged: bool,
    /// The commit object, as `git cat-file commit` prints it: what the leaf commits to.
    pub raw: Vec<u8>,
}

impl Entry {
    /// The event, where the commit is not void.
    pub fn event(&self) -> Option<&Signed> {
        match &self.said {
            Said::Event(signed) => Some(signed),
            Said::Void(_) => None,
        }
    }
}

/// A ledger, replayed to its head, and the time at which its deadlines are judged.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a> {
    /// The digest of the genesis.
    pub id: Digest,
    /// The commit it was replayed to.
    pub head: CommitId,
    /// What it says.
    pub state: &'a State,
    /// The log, for roots and proofs.
    pub log: &'a Tree,
    /// What is to be looked at, at that time: the findings of docs/rules.md.
    pub findings: &'a [Finding],
    /// The time at which deadlines are judged, UTC.
    pub now: Timestamp,
}

impl Ledger<'_> {
    /// Its name, such as `acme/production`.
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// How many leaves the log has.
    pub fn size(&self) -> u64 {
        self.log.size()
    }

    /// The root of the whole log.
    pub fn root(&self) -> Digest {
        self.log.root()
    }
}
