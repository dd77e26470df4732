//! A part of a snapshot: what the commits from one size of the log to another added or changed. Imports `domain` and `ports`.
//!
//! ```text
//! commits   28 bytes each: id ‖ newest event time behind it (8)
//! hashes    32 bytes each: leaf by leaf the hashes of the complete subtrees that end with it, smallest first
//! bodies    the bytes of cases, one after the other
//! bodies'   24 bytes each, by number: number ‖ where ‖ length; those that were opened here come last
//! cases     40 bytes each, by id: id ‖ number, of those that were opened here
//! ids       28 bytes each, by id: commit ‖ position
//! texts     the texts of policies
//! texts'    48 bytes each: digest ‖ where ‖ length
//! ```

use std::io;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::page::{Damage, Pages, wide};
use super::{PARTS, SnapshotError, version};
use crate::domain::id::{CaseId, CommitId, Digest};
use crate::domain::time::Timestamp;
use crate::ports::Shelf;

pub(super) const COMMIT: u64 = 28;
pub(super) const HASH: u64 = 32;
pub(super) const BODY: u64 = 24;
pub(super) const CASE: u64 = 40;
pub(super) const TEXT: u64 = 48;

/// What the head says of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    /// The size of the log before its first commit.
    pub from: u64,
    /// The size behind its last.
    pub to: u64,
    /// The root at that size: it says all that is in the part.
    pub root: Option<Digest>,
    /// How many cases there were before.
    pub first: u64,
    /// How many were opened here.
    pub opened: u64,
    /// How many cases have their bytes here: those, and older ones of which something was said.
    pub bodies: u64,
    /// How many policies.
    pub texts: u64,
    /// Where each kind begins but the first: hashes, bodies, bodies', cases, ids, texts, texts'.
    pub at: [u64; 7],
    /// How many bytes of content there are.
    pub length: u64,
}

impl Plan {
    /// Whether each begins where the one before it ends, from the first commit to `size`.
    pub(super) fn follow(plans: &[Self], size: u64) -> bool {
        let begins =
            [(0, 0)].into_iter().chain(plans.iter().map(|plan| (plan.to, plan.first.saturating_add(plan.opened))));
        plans.iter().zip(begins).all(|(plan, begin)| (plan.from, plan.first) == begin && plan.from < plan.to)
            && plans.last().is_some_and(|plan| plan.to == size)
    }

    /// How many commits it is of.
    pub(super) const fn size(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// What its pages are checked against: all that decides what is in them.
    pub(super) fn id(&self, ledger: &Digest) -> Digest {
        let mut of = version().into_bytes();
        of.extend_from_slice(ledger.as_bytes());
        of.extend(self.from.to_be_bytes());
        of.extend(self.to.to_be_bytes());
        of.extend(self.root.iter().flat_map(|root| *root.as_bytes()));
        Digest::of(&of)
    }

    /// Its name on the shelf.
    pub(super) fn name(&self, ledger: &Digest) -> String {
        format!("{PARTS}/{}-{}-{}", self.from, self.to, self.id(ledger).short())
    }
}

/// A part on the shelf.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) plan: Plan,
    pub(super) pages: Pages,
}

/// The bytes of records that begin with a key, by key.
struct Sorted<'a> {
    pages: &'a Pages,
    at: u64,
    width: u64,
    count: u64,
}

impl Part {
    pub(super) fn open(shelf: &dyn Shelf, ledger: &Digest, plan: &Plan) -> Result<Self, SnapshotError> {
        let name = plan.name(ledger);
        let lacks = || SnapshotError::Lacks(name.clone());
        let file = shelf.open(&name)?.ok_or_else(lacks)?;
        let pages = Pages::of(file, plan.id(ledger), plan.length)?.ok_or_else(lacks)?;
        Ok(Self { plan: plan.clone(), pages })
    }

    pub(super) const fn holds(&self, position: u64) -> bool {
        self.plan.from <= position && position < self.plan.to
    }

    /// The commit at a position that it [holds](Part::holds), and the newest event time behind it.
    pub(super) fn commit(&self, position: u64) -> Result<(CommitId, Timestamp), Damage> {
        let at = position.checked_sub(self.plan.from).ok_or(Damage)? * COMMIT;
        let id = CommitId::from_bytes(self.pages.array(at)?);
        let time = i64::try_from(self.pages.number(at.saturating_add(20))?).map_err(|_| Damage)?;
        Ok((id, Timestamp::from_unix(time).ok_or(Damage)?))
    }

    /// The hash of the complete subtree that ends with the leaf at a position that it [holds](Part::holds).
    pub(super) fn subtree(&self, level: u32, last: u64) -> Result<Digest, Damage> {
        let [hashes, ..] = self.plan.at;
        let index = hashes_before(last).saturating_sub(hashes_before(self.plan.from)).saturating_add(u64::from(level));
        Ok(Digest::from_bytes(self.pages.array(hashes.saturating_add(index * HASH))?))
    }

    /// Where the bytes of a case are, if they are here: where, and how many.
    pub(super) fn body(&self, number: u64) -> Result<Option<(u64, u64)>, Damage> {
        let [_, _, bodies, ..] = self.plan.at;
        let old = self.plan.bodies.checked_sub(self.plan.opened).ok_or(Damage)?;
        let index = match number.checked_sub(self.plan.first) {
            Some(since) if since >= self.plan.opened => return Ok(None),
            Some(since) => old.saturating_add(since),
            None => {
                let sorted = Sorted { pages: &self.pages, at: bodies, width: BODY, count: old };
                sorted.first(&number.to_be_bytes(), false)?
            }
        };
        let at = bodies.saturating_add(index.saturating_mul(BODY));
        if index >= self.plan.bodies || self.pages.number(at)? != number {
            return Ok(None);
        }
        Ok(Some((self.pages.number(at.saturating_add(8))?, self.pages.number(at.saturating_add(16))?)))
    }

    /// All of them, rising: number, where, and how many bytes.
    pub(super) fn bodies(&self) -> Result<Vec<(u64, u64, u64)>, Damage> {
        let [_, _, bodies, ..] = self.plan.at;
        let entry = |index: u64| {
            let at = bodies.saturating_add(index.saturating_mul(BODY));
            let place = (self.pages.number(at.saturating_add(8))?, self.pages.number(at.saturating_add(16))?);
            Ok((self.pages.number(at)?, place.0, place.1))
        };
        (0..self.plan.bodies).map(entry).collect()
    }

    /// Bytes that stand at a place here.
    pub(super) fn bytes(&self, at: u64, length: u64) -> Result<Vec<u8>, Damage> {
        let within = at.checked_add(length).is_some_and(|end| end <= self.plan.length);
        self.pages.read(at, usize::try_from(length).ok().filter(|_| within).ok_or(Damage)?)
    }

    /// The numbers of the cases opened here whose ids lie in `ids`, at most `most`.
    pub(super) fn cases(&self, ids: &RangeInclusive<CaseId>, most: usize) -> Result<Vec<u64>, Damage> {
        let [_, _, _, cases, ..] = self.plan.at;
        let sorted = Sorted { pages: &self.pages, at: cases, width: CASE, count: self.plan.opened };
        sorted.among(ids.start().0.as_bytes(), ids.end().0.as_bytes(), most)
    }

    /// All cases opened here: ids and numbers.
    pub(super) fn opened(&self) -> Result<Vec<(CaseId, u64)>, Damage> {
        let [_, _, _, cases, ..] = self.plan.at;
        let entry = |index: u64| {
            let at = cases.saturating_add(index.saturating_mul(CASE));
            let id = CaseId(Digest::from_bytes(self.pages.array(at)?));
            Ok((id, self.pages.number(at.saturating_add(32))?))
        };
        (0..self.plan.opened).map(entry).collect()
    }

    /// The positions of the commits here whose ids lie in `ids`, at most `most`.
    pub(super) fn positions(&self, ids: &RangeInclusive<CommitId>, most: usize) -> Result<Vec<u64>, Damage> {
        let [_, _, _, _, commits, ..] = self.plan.at;
        let sorted = Sorted { pages: &self.pages, at: commits, width: COMMIT, count: self.plan.size() };
        sorted.among(ids.start().as_bytes(), ids.end().as_bytes(), most)
    }

    /// The text of a policy, if it is here.
    pub(super) fn text(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Damage> {
        let found = self.texts()?.into_iter().find(|(known, ..)| known == digest);
        found.map(|(_, at, length)| self.bytes(at, length)).transpose()
    }

    /// The policies here: digest, where, and how many bytes.
    pub(super) fn texts(&self) -> Result<Vec<(Digest, u64, u64)>, Damage> {
        let [.., texts] = self.plan.at;
        let entry = |index: u64| {
            let at = texts.saturating_add(index.saturating_mul(TEXT));
            let place = (self.pages.number(at.saturating_add(32))?, self.pages.number(at.saturating_add(40))?);
            Ok((Digest::from_bytes(self.pages.array(at)?), place.0, place.1))
        };
        (0..self.plan.texts).map(entry).collect()
    }
}

impl Sorted<'_> {
    /// The index of the first record whose key is not less than `key`. Where `spread`, keys are hashes, and it is looked for
    /// near to where it must be.
    fn first(&self, key: &[u8], spread: bool) -> Result<u64, Damage> {
        let (mut low, mut high) = (0, self.count);
        if spread && let Some(head) = key.first_chunk::<8>() {
            let guess = u128::from(u64::from_be_bytes(*head)).saturating_mul(u128::from(self.count)) >> 64;
            let guess = u64::try_from(guess).map_err(|_| Damage)?;
            let near = self.count.isqrt().saturating_mul(3).saturating_add(16);
            let (below, above) = (guess.saturating_sub(near), guess.saturating_add(near).min(self.count));
            if below > 0 && self.is_less(below.saturating_sub(1), key)? {
                low = below;
            }
            if above < self.count && !self.is_less(above, key)? {
                high = above;
            }
        }
        while low < high {
            let middle = low.midpoint(high);
            if self.is_less(middle, key)? {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn is_less(&self, index: u64, key: &[u8]) -> Result<bool, Damage> {
        Ok(self.key(index, key.len())?.as_slice() < key)
    }

    fn key(&self, index: u64, length: usize) -> Result<Vec<u8>, Damage> {
        self.pages.read(self.at.saturating_add(index.saturating_mul(self.width)), length)
    }

    /// The numbers at the ends of the records whose keys lie between two, at most `most`.
    fn among(&self, start: &[u8], end: &[u8], most: usize) -> Result<Vec<u64>, Damage> {
        let mut found = Vec::new();
        let mut index = self.first(start, true)?;
        while found.len() < most && index < self.count && self.key(index, end.len())?.as_slice() <= end {
            let at = self.at.saturating_add(index.saturating_mul(self.width)).saturating_add(wide(end.len()));
            found.push(self.pages.number(at)?);
            index = index.saturating_add(1);
        }
        Ok(found)
    }
}

/// How many hashes the leaves before one bring: each its own, and those of the complete subtrees that end with it.
pub(super) fn hashes_before(leaf: u64) -> u64 {
    let (mut count, mut left) = (0_u64, leaf);
    while left > 0 {
        count = count.saturating_add(left);
        left >>= 1;
    }
    count
}

impl From<Damage> for io::Error {
    fn from(_: Damage) -> Self {
        Self::new(io::ErrorKind::InvalidData, "a page of the snapshot is damaged")
    }
}
