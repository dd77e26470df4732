//! The tree itself: hashes of leaves and nodes, and an append-only tree that gives its root at any size it ever had
//! (format.md, section 4; RFC 6962, section 2.1). Imports only `domain::id`.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::domain::id::Digest;

/// "0x01 ‖ SHA-256(event file) ‖ SHA-256(signature file)": the leaf data of an event begins with this.
const EVENT: u8 = 0x01;
/// "0x02 ‖ SHA-256(raw commit object)": the leaf data of a void commit begins with this.
const VOID: u8 = 0x02;

/// The hash of a leaf: SHA-256(0x00 ‖ data).
pub fn leaf_hash(data: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update([0x00]).chain_update(data).finalize().into())
}

/// The hash of a node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hash = Sha256::new().chain_update([0x01]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The leaf data of an event commit: what [`leaf_hash`] makes [`event_leaf`] of, and what bundles of tiles hold.
pub fn event_entry(event: &Digest, signature: &Digest) -> Vec<u8> {
    [&[EVENT], event.as_bytes().as_slice(), signature.as_bytes()].concat()
}

/// The leaf data of a void commit, from the raw commit object.
pub fn void_entry(raw_commit: &[u8]) -> Vec<u8> {
    [&[VOID], Digest::of(raw_commit).as_bytes().as_slice()].concat()
}

/// The leaf hash of an event commit, from the SHA-256 of its event file and of its signature file.
pub fn event_leaf(event: &Digest, signature: &Digest) -> Digest {
    let hash = Sha256::new().chain_update([0x00, EVENT]);
    let hash = hash.chain_update(event.as_bytes()).chain_update(signature.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// The leaf hash of a void commit, from the raw commit object: what `git cat-file commit` prints, without Git's header.
pub fn void_leaf(raw_commit: &[u8]) -> Digest {
    let hash = Sha256::new().chain_update([0x00, VOID]).chain_update(Digest::of(raw_commit).as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// Where the hashes over the first leaves of a tree are kept, when they are not at hand. They never change. There is no
/// error here: whoever cannot read them any more computes them again.
pub trait Hashes: fmt::Debug + Send + Sync {
    /// The hash of the complete subtree of 2^`level` leaves at `index`, which is among them.
    fn subtree(&self, level: u32, index: u64) -> Digest;
}

/// An append-only tree. It keeps the hash of every complete subtree, 64 bytes a leaf in all, so that the root at any
/// earlier size costs at most log₂(size) hashes. A clone shares all but the last chunk of each level.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The leaves whose hashes are kept elsewhere, and where.
    base: Option<(u64, Arc<dyn Hashes>)>,
    /// `levels[k]` holds, left to right, the hashes of the complete subtrees of 2ᵏ leaves that came since.
    levels: Vec<Level>,
}

impl Tree {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self { base: None, levels: Vec::new() }
    }

    /// The tree of `size` leaves whose hashes are kept elsewhere.
    pub const fn above(size: u64, hashes: Arc<dyn Hashes>) -> Self {
        Self { base: Some((size, hashes)), levels: Vec::new() }
    }

    /// Adds a leaf, given its hash ([`event_leaf`], [`void_leaf`], [`leaf_hash`]). Costs one node hash on average.
    pub fn append(&mut self, leaf: Digest) {
        let (mut hash, mut level) = (leaf, 0);
        loop {
            let index = self.count(level);
            let at = usize::try_from(level).unwrap_or(usize::MAX);
            if self.levels.len() <= at {
                self.levels.resize_with(at.saturating_add(1), Level::default);
            }
            if let Some(hashes) = self.levels.get_mut(at) {
                hashes.push(hash);
            }
            // An even number of subtrees: the last two make a complete one of the level above.
            let left = if index.is_multiple_of(2) { None } else { self.subtree(level, index.saturating_sub(1)) };
            let Some(left) = left else { return };
            hash = node_hash(&left, &hash);
            level = level.saturating_add(1);
        }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.count(0)
    }

    /// How many complete subtrees of 2^`level` leaves it has.
    fn count(&self, level: u32) -> u64 {
        let since = usize::try_from(level).ok().and_then(|level| self.levels.get(level)).map_or(0, Level::len);
        self.before(level).saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// How many of them are kept elsewhere.
    fn before(&self, level: u32) -> u64 {
        self.base.as_ref().map_or(0, |(size, _)| size.checked_shr(level).unwrap_or(0))
    }

    /// The leaf hash at `index`, from 0.
    pub fn leaf(&self, index: u64) -> Option<Digest> {
        self.subtree(0, index)
    }

    /// The root over all leaves.
    pub fn root(&self) -> Digest {
        // The tree has as many leaves as it has.
        self.root_at(self.size()).unwrap_or_else(empty_root)
    }

    /// The root when the tree had `size` leaves; `None` where it never had as many.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        if size == 0 { Some(empty_root()) } else { self.range_root(0, size) }
    }

    /// The root over `count` leaves from `start`, which is a multiple of the smallest power of two ≥ `count`: what all
    /// subtrees of RFC 6962 are. `None` for no leaves, or for leaves that are not there.
    pub(super) fn range_root(&self, start: u64, count: u64) -> Option<Digest> {
        if start.checked_add(count)? > self.size() {
            return None;
        }
        // The complete subtrees that `count` is made of grow from right to left, as its bits do.
        let mut end = start.checked_add(count)?;
        let mut left = count;
        let mut root = None;
        while left != 0 {
            let level = left.trailing_zeros();
            let width = 1_u64 << level;
            end -= width;
            left -= width;
            let subtree = self.subtree(level, end >> level)?;
            root = Some(root.map_or(subtree, |right| node_hash(&subtree, &right)));
        }
        root
    }

    /// The hash of the complete subtree of 2^`level` leaves at `index`; `None` where it is not complete yet.
    pub fn subtree(&self, level: u32, index: u64) -> Option<Digest> {
        match index.checked_sub(self.before(level)) {
            Some(since) => self.levels.get(usize::try_from(level).ok()?)?.get(usize::try_from(since).ok()?),
            None => self.base.as_ref().map(|(_, hashes)| hashes.subtree(level, index)),
        }
    }
}

impl PartialEq for Tree {
    /// Trees of one size and root have the same leaves.
    fn eq(&self, other: &Self) -> bool {
        self.size() == other.size() && self.root() == other.root()
    }
}

impl Eq for Tree {}

impl FromIterator<Digest> for Tree {
    /// A tree of leaf hashes.
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::new();
        tree.extend(leaves);
        tree
    }
}

impl Extend<Digest> for Tree {
    fn extend<I: IntoIterator<Item = Digest>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

/// The hashes of one level: full chunks, shared between clones, and the chunk that is being filled.
#[derive(Debug, Clone, Default)]
struct Level {
    full: Vec<Arc<[Digest]>>,
    open: Vec<Digest>,
}

impl Level {
    /// Hashes a chunk: 16 KiB.
    const CHUNK: usize = 512;

    fn push(&mut self, hash: Digest) {
        self.open.push(hash);
        if self.open.len() == Self::CHUNK {
            self.full.push(Arc::from(self.open.as_slice()));
            self.open.clear();
        }
    }

    fn len(&self) -> usize {
        self.full.len() * Self::CHUNK + self.open.len()
    }

    fn get(&self, index: usize) -> Option<Digest> {
        let (chunk, place) = (index / Self::CHUNK, index % Self::CHUNK);
        match self.full.get(chunk) {
            Some(full) => full.get(place).copied(),
            None if chunk == self.full.len() => self.open.get(place).copied(),
            None => None,
        }
    }
}
