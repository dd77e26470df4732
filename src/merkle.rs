//! The log: a Merkle tree over the commits of a ledger (format.md, section 4; RFC 6962, section 2.1, with SHA-256).
//! PURE, and imports only `domain::id`. [`tree`] holds the leaves and gives the root at any size; [`proof`] makes and
//! checks inclusion and consistency proofs.

pub mod proof;
pub mod tree;

pub use self::proof::{ProofError, verify_consistency, verify_inclusion};
pub use self::tree::{Tree, empty_root, event_leaf, leaf_hash, node_hash, void_leaf};
