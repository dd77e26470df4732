//! Evidence that stands alone: chosen cases with all that is needed to check them without the ledger, and the archive
//! that carries it. PURE: data in, bytes out; the same evidence gives the same bytes. Imports `domain`, `merkle` and the
//! entries beside it. What a checker does with it is docs/format.md, sections 2 to 4.
//!
//! ```text
//! query ─► selection ─► evidence (entries, policies, checkpoint) ─► files ─► archive
//!                                                               └─► page
//! ```

use std::collections::BTreeSet;

use super::entry::{Entry, Ledger};
use crate::domain::policy::Policy;
use crate::merkle::SignedCheckpoint;

mod archive;
mod files;
mod guide;
mod selection;
mod tree;

pub use archive::{ArchiveError, write as write_archive};
pub use files::{Files, files};
pub use selection::{Enacted, Query, Selection, enacted};
pub use tree::{Node, nodes};

/// A policy and since when it judges.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The first position that it judges: 0, or the one behind its enactment.
    pub from: u64,
    /// The position of the genesis or proposal that brought it.
    pub brought: u64,
    /// `policy.toml`, byte for byte.
    pub bytes: Vec<u8>,
    /// The same, read.
    pub policy: Policy,
}

/// Chosen cases and what is needed to check them.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The ledger that they are from.
    pub ledger: Ledger<'a>,
    /// What was asked for.
    pub query: Query,
    /// The cases, and those that are carried along.
    pub selection: Selection,
    /// The entries of these cases and the void commits of the period, by rising position.
    pub entries: Vec<Entry>,
    /// Every policy in force up to the last entry, by rising version.
    pub policies: Vec<InForce>,
    /// The newest checkpoint, where the ledger has one. It is not larger than the log.
    pub checkpoint: Option<SignedCheckpoint>,
}

impl Evidence<'_> {
    /// The policy that judges the event at `position`.
    pub fn policy_at(&self, position: u64) -> Option<&InForce> {
        self.policies.iter().rfind(|policy| policy.from <= position)
    }

    /// The positions of the entries.
    pub fn positions(&self) -> BTreeSet<u64> {
        self.entries.iter().map(|entry| entry.position).collect()
    }

    /// Nodes that make the whole tree together with the leaves of the entries; cut at the checkpoint's size, so that its
    /// root follows from the first of them.
    pub fn nodes(&self) -> Vec<Node> {
        let cut = self.checkpoint.as_ref().map(|checkpoint| checkpoint.checkpoint().size);
        nodes(self.ledger.log, &self.positions(), cut)
    }
}
