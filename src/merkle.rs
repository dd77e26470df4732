//! The log: a Merkle tree over the commits of a ledger (format.md, section 4; RFC 6962, section 2.1, with SHA-256), and the
//! forms in which others can check it (C2SP). PURE, and imports only `domain::{id, key, time}`. [`tree`] holds the leaves
//! and gives the root at any size; [`proof`] makes and checks inclusion and consistency proofs.
//!
//! ```text
//! note ─► checkpoint (cosignature) ─► tlog_proof        tree ─► proof ─► tlog_proof
//!                                                       tree ─► tile
//! ```

pub mod checkpoint;
pub mod cosignature;
pub mod note;
pub mod proof;
pub mod tile;
pub mod tlog_proof;
pub mod tree;
pub mod witness;

pub use self::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use self::cosignature::Cosignature;
pub use self::note::{KeyName, Note, NoteSignature, SignatureType, VerifierKey};
pub use self::proof::{ProofError, verify_consistency, verify_inclusion};
pub use self::tlog_proof::{Submission, TlogProof};
pub use self::tree::{Hashes, Tree, empty_root, event_entry, event_leaf, leaf_hash, node_hash, void_entry, void_leaf};
