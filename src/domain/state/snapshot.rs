//! The state in parts, for a snapshot beside the pin: what is always at hand, as bytes and back, and what can be laid aside
//! ([`Aside`]): cases, times, policies. The bytes are those of this build of the program and of no other; what vouches for
//! them (owner, checksum, head) is `ledger::snapshot`'s. PURE.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::State;
use super::aside::{Aside, Base};
use super::rest::Rest;
use super::under::Sources;
use crate::domain::finding::Void;
use crate::domain::id::{CaseId, Digest, Name};
use crate::domain::key::PublicKey;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;

/// Why bytes are no state. Nothing is lost by it: the ledger is replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// They cannot be read.
    #[error("the state cannot be read: {0}")]
    Unreadable(String),
    /// The policy in force is not sound, or not there.
    #[error("policy {0} is missing or unsound")]
    Policy(Digest),
    /// It was of no ledger.
    #[error("the state is empty")]
    Empty,
}

/// What is always at hand.
#[derive(Serialize, Deserialize)]
struct Core {
    size: u64,
    cases: u64,
    newest: Timestamp,
    ledger: Option<Digest>,
    name: String,
    policy: Digest,
    /// Its text.
    source: String,
    manifest: BTreeMap<String, Digest>,
    policies: Vec<(u64, Digest)>,
    emergencies: Vec<u64>,
    waiting: BTreeSet<u64>,
    standing: Vec<CaseId>,
    voids: Vec<Void>,
    serials: BTreeMap<PublicKey, u64>,
    key_owners: BTreeMap<[u8; 32], Name>,
    rest: Rest,
}

/// What a state has that does not lie aside yet: what comes into the next part of a snapshot.
#[derive(Debug)]
pub struct Since<'a> {
    state: &'a State,
    /// How many commits lie aside.
    pub size: u64,
    /// How many cases lie aside.
    pub cases: u64,
}

impl State {
    /// What is always at hand, as bytes; `None` of an empty ledger.
    ///
    /// # Panics
    /// Never: everything in a state can be written.
    pub fn core(&self) -> Option<Vec<u8>> {
        let policy = self.policy()?;
        let core = Core {
            size: self.size,
            cases: self.case_count(),
            newest: self.newest()?,
            ledger: self.ledger,
            name: self.name.clone(),
            policy: policy.digest,
            source: policy.source.as_ref().to_owned(),
            manifest: self.manifest.clone(),
            policies: self.policies.clone(),
            emergencies: self.emergencies.clone(),
            waiting: self.waiting.clone(),
            standing: self.standing.clone(),
            voids: self.voids.clone(),
            serials: self.serials.iter().map(|(key, serial)| (key.clone(), *serial)).collect(),
            key_owners: self.key_owners.iter().map(|(key, name)| (*key, name.clone())).collect(),
            rest: self.rest().clone(),
        };
        Some(postcard::to_allocvec(&core).expect("a state has no part that cannot be written"))
    }

    /// The state whose [`State::core`] this is, while the rest of it lies in `aside`. Whoever calls this has made sure that
    /// both are ours and belong together.
    ///
    /// # Errors
    /// [`SnapshotError`] where they cannot be read.
    pub fn above(core: &[u8], aside: Arc<dyn Aside>) -> Result<Self, SnapshotError> {
        let core: Core = postcard::from_bytes(core).map_err(|error| SnapshotError::Unreadable(error.to_string()))?;
        let unsound = || SnapshotError::Policy(core.policy);
        let policy = Policy::parse(core.source.as_bytes()).map_err(|_| unsound())?;
        if policy.digest != core.policy {
            return Err(unsound());
        }
        let policy = Arc::new(policy);
        let sources = Arc::new(Sources::new(Arc::clone(&aside), Arc::clone(&policy)));
        let measure = (core.size, core.cases, core.newest);
        Ok(Self {
            size: core.size,
            ledger: core.ledger,
            name: core.name,
            policy: Some(policy),
            manifest: core.manifest,
            policies: core.policies,
            emergencies: core.emergencies,
            waiting: core.waiting,
            standing: core.standing,
            voids: core.voids,
            serials: core.serials.into_iter().collect(),
            key_owners: core.key_owners.into_iter().collect(),
            base: Some(Arc::new(Base::new(aside, sources, measure, core.rest))),
            ..Self::default()
        })
    }

    /// What does not lie aside yet.
    pub fn since(&self) -> Since<'_> {
        let (size, cases) = self.base.as_ref().map_or((0, 0), |base| (base.size, base.cases));
        Since { state: self, size, cases }
    }

    /// The bytes of a case, by its number.
    pub fn case_bytes(&self, number: u64) -> Option<Vec<u8>> {
        match self.kept(number) {
            Some(kept) => Some(kept.bytes()),
            None => self.base.as_ref().filter(|base| number < base.cases).map(|base| base.aside().case(number)),
        }
    }

    /// The number of a case: they are counted from 0 in the order in which they were opened.
    pub fn number(&self, id: &CaseId) -> Option<u64> {
        self.numbers.get(id).copied().or_else(|| self.base.as_ref()?.aside().number(id))
    }

    /// Whether another policy is in force than when what lies aside was laid there: then nothing is known to be at rest.
    pub fn is_under_another_policy(&self) -> bool {
        let now = self.policy.as_ref().map(|policy| policy.digest);
        self.base.as_ref().is_some_and(|base| base.rest.policy != now)
    }

    /// The text of a policy that was proposed or founded the ledger.
    pub fn source(&self, digest: &Digest) -> Option<String> {
        let brought = self.brought.iter().find(|policy| policy.digest == *digest);
        brought.map(|policy| policy.source.as_ref().to_owned())
    }

    /// Everything that it says, as bytes, wherever it lies: two states that say the same have the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.core().unwrap_or_default();
        for number in 0..self.case_count() {
            bytes.extend(self.case_bytes(number).unwrap_or_default());
        }
        for size in 1..=self.size {
            bytes.extend(self.newest_at(size).map_or(0, Timestamp::unix).to_be_bytes());
        }
        bytes
    }
}

impl<'a> Since<'a> {
    /// The numbers of the cases of which something was said since, rising. [`State::case_bytes`] gives their bytes.
    pub fn changed(&self) -> impl Iterator<Item = u64> + 'a {
        let state = self.state;
        state.changed.keys().copied().chain(self.cases..state.case_count())
    }

    /// The cases that were opened since: ids and numbers, in no order.
    pub fn opened(&self) -> impl Iterator<Item = (CaseId, u64)> + 'a {
        self.state.numbers.iter().map(|(id, number)| (*id, *number))
    }

    /// The newest event time behind each commit since.
    pub fn newest(&self) -> &'a [Timestamp] {
        &self.state.newest
    }

    /// The policies that were proposed since, or founded the ledger.
    pub fn policies(&self) -> impl Iterator<Item = &'a Arc<Policy>> {
        self.state.brought.iter()
    }
}
