//! The state as bytes and back, for a snapshot beside the pin. The bytes are those of this build of the program and of no
//! other; what vouches for them (owner, checksum, head) is `ledger::snapshot`'s. Two states that say the same have the
//! same bytes. PURE.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::State;
use super::kept::{Kept, digest_of};
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
    /// A policy in it is not sound, or not there.
    #[error("policy {0} is missing or unsound")]
    Policy(Digest),
    /// Its parts do not fit each other.
    #[error("the state is cut off")]
    Cut,
}

/// Everything but the cases' own bytes, which follow it.
#[derive(Serialize, Deserialize)]
struct Head {
    size: u64,
    ledger: Option<Digest>,
    name: String,
    policy: Option<Digest>,
    /// The text of every policy that something here rests on.
    sources: BTreeMap<Digest, String>,
    manifest: BTreeMap<String, Digest>,
    policies: Vec<(u64, Digest)>,
    /// Seconds that the newest time grew by, leaf by leaf.
    newest: Vec<u64>,
    /// In the order in which they were opened.
    cases: Vec<Row>,
    emergencies: Vec<CaseId>,
    standing: Vec<CaseId>,
    voids: Vec<Void>,
    serials: BTreeMap<PublicKey, u64>,
    key_owners: BTreeMap<[u8; 32], Name>,
}

/// A case among the bytes.
#[derive(Serialize, Deserialize)]
struct Row {
    id: CaseId,
    length: usize,
    policy: Option<Digest>,
    waits: bool,
}

impl State {
    /// The state as bytes.
    ///
    /// # Panics
    /// Never: everything in a state can be written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut sources = BTreeMap::new();
        let mut keep = |policy: Option<&Arc<Policy>>| {
            if let Some(policy) = policy {
                sources.entry(policy.digest).or_insert_with(|| policy.source.as_ref().to_owned());
            }
        };
        keep(self.policy.as_ref());
        let mut cases = Vec::with_capacity(self.order.len());
        let mut bodies = Vec::new();
        for id in &self.order {
            let Some(kept) = self.cases.get(id) else { continue };
            keep(kept.policy());
            let length = kept.write(&mut bodies);
            cases.push(Row { id: *id, length, policy: digest_of(kept.policy()), waits: kept.waits() });
        }
        let mut before = 0;
        let newest = self
            .newest
            .iter()
            .map(|time| time.unix_u64().saturating_sub(std::mem::replace(&mut before, time.unix_u64())));
        let head = Head {
            size: self.size,
            ledger: self.ledger,
            name: self.name.clone(),
            policy: digest_of(self.policy.as_ref()),
            sources,
            manifest: self.manifest.clone(),
            policies: self.policies.clone(),
            newest: newest.collect(),
            cases,
            emergencies: self.emergencies.clone(),
            standing: self.standing.clone(),
            voids: self.voids.clone(),
            serials: self.serials.iter().map(|(key, serial)| (key.clone(), *serial)).collect(),
            key_owners: self.key_owners.iter().map(|(key, name)| (*key, name.clone())).collect(),
        };
        let mut bytes = postcard::to_allocvec(&head).expect("a state has no part that cannot be written");
        bytes.append(&mut bodies);
        bytes
    }

    /// The state that [`State::to_bytes`] wrote, from `from` on in `bytes`. The cases stay bytes until somebody asks for
    /// them, so whoever calls this has made sure that they are ours.
    ///
    /// # Errors
    /// [`SnapshotError`] where they are not.
    pub fn from_bytes(bytes: &Arc<Vec<u8>>, from: usize) -> Result<Self, SnapshotError> {
        let told = bytes.get(from..).ok_or(SnapshotError::Cut)?;
        let (head, bodies): (Head, &[u8]) =
            postcard::take_from_bytes(told).map_err(|error| SnapshotError::Unreadable(error.to_string()))?;
        let mut policies: HashMap<Digest, Arc<Policy>> = HashMap::new();
        for (digest, source) in head.sources {
            let policy = Policy::parse(source.as_bytes()).map_err(|_| SnapshotError::Policy(digest))?;
            if policy.digest != digest {
                return Err(SnapshotError::Policy(digest));
            }
            policies.insert(digest, Arc::new(policy));
        }
        let policy = |digest: Option<Digest>| match digest {
            Some(digest) => policies.get(&digest).cloned().map(Some).ok_or(SnapshotError::Policy(digest)),
            None => Ok(None),
        };
        let mut at = bytes.len() - bodies.len();
        let mut cases = HashMap::with_capacity(head.cases.len());
        let mut order = Vec::with_capacity(head.cases.len());
        for Row { id, length, policy: under, waits } in head.cases {
            let end = at.checked_add(length).filter(|end| *end <= bytes.len()).ok_or(SnapshotError::Cut)?;
            cases.insert(id, Kept::of(bytes, at..end, policy(under)?, waits));
            order.push(id);
            at = end;
        }
        if at != bytes.len() || cases.len() != order.len() {
            return Err(SnapshotError::Cut);
        }
        let mut newest = Vec::with_capacity(head.newest.len());
        let mut time = 0_u64;
        for grown in head.newest {
            time = time.saturating_add(grown);
            let stamp = i64::try_from(time).ok().and_then(Timestamp::from_unix);
            newest.push(stamp.ok_or(SnapshotError::Cut)?);
        }
        Ok(Self {
            size: head.size,
            ledger: head.ledger,
            name: head.name,
            policy: policy(head.policy)?,
            manifest: head.manifest,
            policies: head.policies,
            newest,
            cases,
            order,
            emergencies: head.emergencies,
            standing: head.standing,
            voids: head.voids,
            serials: head.serials.into_iter().collect(),
            key_owners: head.key_owners.into_iter().collect(),
        })
    }
}
