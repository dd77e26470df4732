//! The snapshot: everything that a replay knows, beside the pin, so that the next command checks only what came since, and
//! reads only what it needs. It is disposable: without it, or with one that is cut, changed, of another build or of
//! another history, everything is replayed from the first commit. Imports `domain`, `merkle` and `ports`.
//!
//! Whoever can write it could as well replace the pin or the program: it is read only where it is the reader's own
//! and nobody else's to write. The checksums are against disks and cut-off copies.
//!
//! ```text
//! snapshot            "jit snapshot LAYOUT VERSION\n" ‖ SHA-256 of what follows ‖ head, parts, what is always at hand
//! pages/FROM-TO-ID    a part: what the commits FROM to TO - 1 added or changed, in pages with a checksum each
//! ```
//!
//! Parts never change. Growth writes one more, with the small ones before it taken in, so that there are few; then the
//! head, which alone says which parts there are; then the parts that it names no more are removed. A kill anywhere in
//! between leaves the old snapshot or the new one. A page is checked when it is first used; where one is wrong, or gone,
//! the commits that it is about are replayed again in the midst of the command, which goes on with that.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::state::State;
use crate::domain::state::snapshot::SnapshotError as StateError;
use crate::merkle;
use crate::ports::Shelf;

use super::Replay;

mod base;
mod page;
mod part;
mod write;

pub use base::{Anew, Base};
use part::{Part, Plan};
pub use write::write;

/// Counts up whenever the bytes of a state or of a snapshot come to mean something else. `tests/snapshot.rs` fails where
/// that was forgotten.
pub const LAYOUT: u32 = 2;

/// The head's name on the shelf.
pub const HEAD: &str = "snapshot";

/// The directory of the parts on the shelf.
pub const PARTS: &str = "pages";

/// Below this many events a replay costs less than looking for a snapshot is worth.
const SMALL: u64 = 64;

/// How often the head is looked at again, where another process replaced its parts meanwhile.
const ATTEMPTS: usize = 3;

/// Why there is no snapshot. Nothing is lost by it.
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
    /// A part is gone, or no file of its length.
    #[error("the snapshot lacks {0}")]
    Lacks(String),
    /// Its state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The shelf cannot be read.
    #[error("the snapshot cannot be read: {0}")]
    Shelf(#[from] io::Error),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    ledger: Digest,
    head: CommitId,
    size: u64,
    root: Digest,
    tree: ObjectId,
    /// Oldest first; each begins where the one before it ends.
    parts: Vec<Plan>,
    /// What is always at hand.
    core: Vec<u8>,
}

/// Whether a ledger should get a new snapshot, where the present one, if there is any, holds `known` events: where more came
/// since than are checked again in no time, or another policy, under which nobody knows yet which cases are at rest.
pub fn is_due(replay: &Replay, known: u64) -> bool {
    let before = replay.state().since().size;
    let since = replay.state().size().saturating_sub(known);
    // A program that runs on writes again what it wrote since it began: more seldom the more that is.
    let seldom = SMALL.max(known.saturating_sub(before) / 4);
    since > seldom || (since > 0 && known > 0 && known == before && replay.state().is_under_another_policy())
}

/// The replay that the snapshot on a shelf holds; `None` where there is none. What cannot be read of it later is replayed
/// by `anew`.
///
/// # Errors
/// [`SnapshotError`] where what is there is none.
pub fn read(shelf: &dyn Shelf, anew: Anew) -> Result<Option<Replay>, SnapshotError> {
    let mut attempt = 1;
    let (head, parts) = loop {
        let Some(head) = head(shelf)? else { return Ok(None) };
        let parts: Result<Vec<Part>, SnapshotError> =
            head.parts.iter().map(|plan| Part::open(shelf, &head.ledger, plan)).collect();
        match parts {
            Ok(parts) => break (head, parts),
            // Another process has just written a new one, and taken away what only the old one names.
            Err(SnapshotError::Lacks(_)) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    };
    let unreadable = |why: &str| SnapshotError::Unreadable(why.to_owned());
    if !Plan::follow(&head.parts, head.size) {
        return Err(unreadable("its parts do not follow each other"));
    }
    let base = Arc::new(Base::new(head.head, (head.size, head.root), parts, anew));
    let state = State::above(&head.core, Arc::<Base>::clone(&base))?;
    let log = merkle::Tree::above(head.size, Arc::<Base>::clone(&base));
    let fits = state.size() == head.size
        && state.ledger() == Some(head.ledger)
        && base.commit(head.size.saturating_sub(1)) == head.head
        && log.root() == head.root;
    if fits { Ok(Some(Replay::above(state, log, base, head.tree))) } else { Err(unreadable("its parts do not fit")) }
}

fn head(shelf: &dyn Shelf) -> Result<Option<Head>, SnapshotError> {
    let Some(bytes) = shelf.read(HEAD)? else { return Ok(None) };
    let rest = bytes.strip_prefix(version().as_bytes()).ok_or(SnapshotError::Version)?;
    let (sum, body) = rest.split_at_checked(32).ok_or(SnapshotError::Damaged)?;
    if Digest::of(body).as_bytes() != sum {
        return Err(SnapshotError::Damaged);
    }
    postcard::from_bytes(body).map(Some).map_err(|error| SnapshotError::Unreadable(error.to_string()))
}

/// The first line: only the same build reads it again.
fn version() -> String {
    format!("jit snapshot {LAYOUT} {}\n", env!("CARGO_PKG_VERSION"))
}
