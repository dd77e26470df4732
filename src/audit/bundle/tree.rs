//! A tree of which only some leaves are carried: the others stand as the largest complete subtrees that hold none of
//! them, at most 2 log₂(size) for each leaf that is carried. Imports `merkle` (RFC 6962, section 2.1).

use std::collections::BTreeSet;

use crate::domain::id::Digest;
use crate::merkle::Tree;

/// A complete subtree of 2^`level` leaves; of level 0, a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The position of its first leaf: a multiple of 2^`level`.
    pub position: u64,
    /// Its height.
    pub level: u32,
    /// Its hash.
    pub hash: Digest,
}

/// The nodes that make `tree` together, left to right and without a gap: each leaf of `carried` on its own, and no node
/// that reaches over `cut`. Adding them up from the left, two of one level at a time, gives every root from `cut` on.
pub fn nodes(tree: &Tree, carried: &BTreeSet<u64>, cut: Option<u64>) -> Vec<Node> {
    let size = tree.size();
    let mut stops: BTreeSet<u64> =
        carried.iter().flat_map(|position| [*position, position.saturating_add(1)]).collect();
    stops.extend(cut);
    stops.insert(size);
    let mut out = Vec::new();
    let mut at = 0_u64;
    for stop in stops.into_iter().filter(|stop| *stop <= size) {
        while at < stop {
            // As large as its place allows (the bits of `at`) and as there is room for before the stop.
            let room = (stop - at).ilog2();
            let level = if at == 0 { room } else { at.trailing_zeros().min(room) };
            let Some(hash) = tree.subtree(level, at >> level) else { return out };
            out.push(Node { position: at, level, hash });
            at += 1 << level;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{leaf_hash, node_hash};

    /// Adds nodes up as `how-to-check.txt` says it, which knows nothing of how they were made.
    fn fold(nodes: &[Node]) -> Option<Digest> {
        let mut stack: Vec<(u32, Digest)> = Vec::new();
        let mut next = 0;
        for node in nodes {
            assert_eq!(node.position, next, "a gap");
            next += 1 << node.level;
            let (mut level, mut hash) = (node.level, node.hash);
            while let Some((_, left)) = stack.pop_if(|(top, _)| *top == level) {
                hash = node_hash(&left, &hash);
                level += 1;
            }
            stack.push((level, hash));
        }
        let (_, mut root) = stack.pop()?;
        while let Some((_, left)) = stack.pop() {
            root = node_hash(&left, &root);
        }
        Some(root)
    }

    #[test]
    fn nodes_add_up_to_the_root_whatever_is_carried() {
        for size in 1..40_u64 {
            let tree: Tree = (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
            for seed in 0..60_u64 {
                let carried: BTreeSet<u64> =
                    (0..size).filter(|leaf| (leaf * 2_654_435_761 + seed * 40_503) % 7 < seed % 8).collect();
                let cut = seed % (size + 1);
                let nodes = nodes(&tree, &carried, Some(cut));
                assert_eq!(fold(&nodes), Some(tree.root()), "{size} leaves, {carried:?}, cut at {cut}");
                for leaf in &carried {
                    assert!(nodes.iter().any(|node| node.level == 0 && node.position == *leaf), "leaf {leaf} is lost");
                }
                let before: Vec<Node> = nodes.into_iter().filter(|node| node.position < cut).collect();
                assert_eq!(fold(&before), tree.root_at(cut).filter(|_| cut > 0), "the first {cut} of {size}");
            }
        }
    }

    #[test]
    fn one_leaf_of_many_needs_few_nodes() {
        let tree: Tree = (0..10_000_u64).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
        let few = nodes(&tree, &BTreeSet::from([5_003]), None);
        assert!(few.len() < 30, "{} nodes", few.len());
    }
}
