//! Inclusion and consistency proofs (format.md, section 4; RFC 6962, sections 2.1.1 and 2.1.2 make them, RFC 9162,
//! sections 2.1.3.2 and 2.1.4.2 check them). Proofs come from outside: nothing here panics, whatever the numbers are.
//! Imports only `domain::id`.

use super::tree::{Tree, empty_root, node_hash};
use crate::domain::id::Digest;

/// Why a proof cannot be made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A proof for a size that the tree never had.
    #[error("the log has {have} leaves, not {asked}")]
    Size {
        /// The size asked for.
        asked: u64,
        /// The size there is.
        have: u64,
    },
    /// The leaf's index is not less than the size.
    #[error("leaf {index} is not in a log of {size}")]
    Index {
        /// The leaf's index, from 0.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// The older log is the larger one.
    #[error("the older log has {old} leaves, the newer only {new}")]
    Order {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// The proof has too few or too many hashes for the numbers.
    #[error("a proof of {0} hashes is too short or too long")]
    Length(usize),
    /// The proof does not lead to the root of the (newer) log.
    #[error("the proof does not lead to the log's root")]
    Root,
    /// The proof does not lead to the root of the older log.
    #[error("the proof does not lead to the older log's root")]
    OldRoot,
}

impl Tree {
    /// The proof that leaf `index` is in the log as it was at `size` leaves: the audit path, from the leaf upwards.
    ///
    /// # Errors
    /// [`ProofError::Size`] or [`ProofError::Index`].
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Digest>, ProofError> {
        self.check_size(size)?;
        if index >= size {
            return Err(ProofError::Index { index, size });
        }
        // PATH(m, D[n]) from the root downwards: the half without the leaf goes into the proof.
        let mut proof = Vec::new();
        let (mut start, mut count) = (0, size);
        while count > 1 {
            let half = split(count);
            if index - start < half {
                proof.push(self.range(start + half, count - half)?);
                count = half;
            } else {
                proof.push(self.range(start, half)?);
                start += half;
                count -= half;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The proof that the log at `old` leaves is the beginning of the log at `new` leaves.
    ///
    /// # Errors
    /// [`ProofError::Size`] or [`ProofError::Order`].
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Digest>, ProofError> {
        self.check_size(new)?;
        if old > new {
            return Err(ProofError::Order { old, new });
        }
        // Nothing is to be proved of the empty log, nor of a log and itself.
        if old == 0 || old == new {
            return Ok(Vec::new());
        }
        // SUBPROOF(m, D[n], b) from the root downwards. `whole` is b: nothing to the left of the range was left out, so
        // that its root is the old root, which the reader has.
        let mut proof = Vec::new();
        let (mut start, mut count, mut whole) = (0, new, true);
        while old - start < count {
            let half = split(count);
            if old - start <= half {
                proof.push(self.range(start + half, count - half)?);
                count = half;
            } else {
                proof.push(self.range(start, half)?);
                start += half;
                count -= half;
                whole = false;
            }
        }
        if !whole {
            proof.push(self.range(start, count)?);
        }
        proof.reverse();
        Ok(proof)
    }

    fn check_size(&self, asked: u64) -> Result<(), ProofError> {
        let have = self.size();
        if asked > have { Err(ProofError::Size { asked, have }) } else { Ok(()) }
    }

    fn range(&self, start: u64, count: u64) -> Result<Digest, ProofError> {
        let missing = ProofError::Size { asked: start.saturating_add(count), have: self.size() };
        self.range_root(start, count).ok_or(missing)
    }
}

/// The largest power of two smaller than `count`, which is at least 2 (RFC 6962, section 2.1).
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// Checks that the leaf with hash `leaf` is at `index` of the log of `size` leaves with this root.
///
/// # Errors
/// Why not, as [`ProofError`] has it.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let mut path = Path { first: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        let side = path.climb().ok_or(ProofError::Length(proof.len()))?;
        hash = match side {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if path.last != 0 {
        return Err(ProofError::Length(proof.len()));
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the log of `old` leaves with `old_root` is the beginning of the log of `new` leaves with `new_root`.
///
/// Everything continues the empty log, whose root is [`empty_root`]; its proof is empty, as is that of a log and itself.
///
/// # Errors
/// Why not, as [`ProofError`] has it.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Digest,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Order { old, new });
    }
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(ProofError::Length(proof.len()));
        }
        if old == 0 && *old_root != empty_root() {
            return Err(ProofError::OldRoot);
        }
        // Of a larger log nothing more can be said from here: it continues the empty one.
        return if old == new && old_root != new_root { Err(ProofError::Root) } else { Ok(()) };
    }
    // The lowest subtree on the old log's right edge that is complete: its hash opens the proof, unless it is all of the
    // old log, whose root the reader has.
    let mut path = Path { first: old - 1, last: new - 1 };
    while path.first % 2 == 1 {
        path = path.up();
    }
    let (seed, siblings) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(ProofError::Length(proof.len()))?
    };
    let (mut old_hash, mut new_hash) = (*seed, *seed);
    for sibling in siblings {
        let side = path.climb().ok_or(ProofError::Length(proof.len()))?;
        match side {
            Side::Left => {
                old_hash = node_hash(sibling, &old_hash);
                new_hash = node_hash(sibling, &new_hash);
            }
            Side::Right => new_hash = node_hash(&new_hash, sibling),
        }
    }
    if path.last != 0 {
        return Err(ProofError::Length(proof.len()));
    }
    if old_hash != *old_root {
        return Err(ProofError::OldRoot);
    }
    if new_hash == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

/// On which side of a node its sibling is.
enum Side {
    Left,
    Right,
}

/// Where a verifier stands in a tree: the index of a node, and of the last node, on one level (RFC 9162's `fn` and `sn`).
struct Path {
    first: u64,
    last: u64,
}

impl Path {
    /// Up to where the node next has a sibling, and one level more. `None` at the top, where there is none.
    fn climb(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        if self.first % 2 == 1 {
            *self = self.up();
            return Some(Side::Left);
        }
        if self.first < self.last {
            *self = self.up();
            return Some(Side::Right);
        }
        // The last node of an odd level has no sibling here: it is its own parent until it is a right child.
        while self.first.is_multiple_of(2) && self.first != 0 {
            *self = self.up();
        }
        *self = self.up();
        Some(Side::Left)
    }

    const fn up(&self) -> Self {
        Self { first: self.first >> 1, last: self.last >> 1 }
    }
}
