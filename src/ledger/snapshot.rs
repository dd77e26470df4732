//! The snapshot: everything that a replay knows, beside the pin, so that the next command checks only what came since. It is
//! disposable: without it, or with one that is cut, changed, of another build or of another history, everything is
//! replayed from the first commit. Imports `domain` and `merkle`.
//!
//! Whoever can write it could as well replace the pin or the program: it is read only where it is the reader's own file
//! and nobody else's to write (`git::files`). The checksum is against disks and cut-off copies.
//!
//! ```text
//! "jit snapshot LAYOUT VERSION\n" ‖ SHA-256 of what follows ‖ head ‖ commits, 20 bytes each ‖ log ‖ state
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::state::State;
use crate::domain::state::snapshot::SnapshotError as StateError;
use crate::merkle;

use super::Replay;

/// Counts up whenever the bytes of a state or of a snapshot come to mean something else. `tests/snapshot.rs` fails where
/// that was forgotten.
pub const LAYOUT: u32 = 1;

/// Below this many events a replay costs less than looking for a snapshot is worth.
const SMALL: u64 = 64;

/// Why bytes are no snapshot. Nothing is lost by it.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It was written by another build of the program, or is something else.
    #[error("the snapshot is of another version")]
    Version,
    /// The checksum is not that of the bytes.
    #[error("the snapshot is damaged")]
    Damaged,
    /// It cannot be read.
    #[error("the snapshot cannot be read: {0}")]
    Unreadable(String),
    /// Its state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
}

#[derive(Serialize, Deserialize)]
struct Head {
    ledger: Digest,
    head: CommitId,
    size: u64,
    root: Digest,
    tree: ObjectId,
}

/// Whether a ledger of `size` events should get a new snapshot, where the present one, if there is any, holds `known`.
/// What is checked again each time stays as cheap as writing a snapshot, which grows with the ledger, would be.
pub const fn is_due(known: u64, size: u64) -> bool {
    size.saturating_sub(known) > SMALL.saturating_add(size / 256)
}

/// The snapshot of a replay; `None` of an empty one.
///
/// # Panics
/// Never: everything in it can be written.
pub fn write(replay: &Replay) -> Option<Vec<u8>> {
    let state = replay.state();
    let head = Head {
        ledger: state.ledger()?,
        head: replay.head()?,
        size: state.size(),
        root: replay.root(),
        tree: replay.tree()?,
    };
    let mut bytes = version().into_bytes();
    let sum = bytes.len();
    bytes.extend_from_slice(&[0; 32]);
    let from = bytes.len();
    bytes.extend(postcard::to_allocvec(&head).expect("a head has no part that cannot be written"));
    for commit in replay.commits() {
        bytes.extend_from_slice(commit.as_bytes());
    }
    for hash in replay.log().hashes() {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes.extend(state.to_bytes());
    let digest = Digest::of(bytes.get(from..)?);
    bytes.get_mut(sum..from)?.copy_from_slice(digest.as_bytes());
    Some(bytes)
}

/// The replay that a snapshot holds.
///
/// # Errors
/// [`SnapshotError`] where there is none in these bytes.
pub fn read(bytes: Vec<u8>) -> Result<Replay, SnapshotError> {
    let unreadable = |why: &str| SnapshotError::Unreadable(why.to_owned());
    let rest = bytes.strip_prefix(version().as_bytes()).ok_or(SnapshotError::Version)?;
    let (sum, body) = rest.split_at_checked(32).ok_or(SnapshotError::Damaged)?;
    if Digest::of(body).as_bytes() != sum {
        return Err(SnapshotError::Damaged);
    }
    let (head, body): (Head, &[u8]) =
        postcard::take_from_bytes(body).map_err(|error| SnapshotError::Unreadable(error.to_string()))?;
    let size = usize::try_from(head.size).map_err(|_| unreadable("its size"))?;
    let (commits, body) =
        size.checked_mul(20).and_then(|length| body.split_at_checked(length)).ok_or(SnapshotError::Damaged)?;
    let commits: Vec<CommitId> =
        commits.chunks_exact(20).filter_map(|id| id.try_into().ok()).map(CommitId::from_bytes).collect();
    let (log, state) = merkle::Tree::from_hashes(head.size, body).ok_or_else(|| unreadable("its log"))?;
    let from = bytes.len() - state.len();
    let state = State::from_bytes(&Arc::new(bytes), from)?;
    let fits = state.size() == head.size
        && state.ledger() == Some(head.ledger)
        && commits.last() == Some(&head.head)
        && log.root() == head.root;
    if fits { Ok(Replay::known(state, log, commits, head.tree)) } else { Err(unreadable("its parts do not fit")) }
}

/// The first line: only the same build reads it again.
fn version() -> String {
    format!("jit snapshot {LAYOUT} {}\n", env!("CARGO_PKG_VERSION"))
}
