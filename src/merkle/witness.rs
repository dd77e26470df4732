//! What a witness asks before it cosigns (C2SP tlog-witness, `add-checkpoint`): the checkpoint is the log's, and continues
//! what the witness cosigned before. PURE; imports `domain::id` and the types beside it.

use super::checkpoint::CheckpointError;
use super::note::VerifierKey;
use super::proof::{ProofError, verify_consistency};
use super::tlog_proof::Submission;
use super::tree::empty_root;
use crate::domain::id::Digest;

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// The log's key did not sign it, or a signature that claims to be the key's does not verify: 403.
    #[error("the checkpoint is not signed by the log's key")]
    Signature(#[source] CheckpointError),
    /// The old size is larger than the checkpoint's: 400.
    #[error("the old size {old} is larger than the checkpoint's, {new}")]
    Order {
        /// The old size.
        old: u64,
        /// The checkpoint's.
        new: u64,
    },
    /// The old size is not that of what was cosigned last: 409.
    #[error("the last cosigned checkpoint has {known} entries, not {old}")]
    Conflict {
        /// The size that was cosigned last; 0 for none.
        known: u64,
        /// The old size.
        old: u64,
    },
    /// The log did not only grow, or the proof does not show it: 422.
    #[error("the checkpoint does not continue the last cosigned one")]
    Inconsistent(#[source] ProofError),
}

/// Asks whether `submission` may be cosigned by a witness that cosigned `known` (size and root) last.
///
/// # Errors
/// Why not, in the order of the specification.
pub fn judge(known: Option<(u64, Digest)>, submission: &Submission, log: &VerifierKey) -> Result<(), WitnessRefusal> {
    submission.checkpoint.verify(log).map_err(WitnessRefusal::Signature)?;
    let (old, new) = (submission.old, submission.checkpoint.checkpoint());
    if old > new.size {
        return Err(WitnessRefusal::Order { old, new: new.size });
    }
    let (size, root) = known.unwrap_or((0, empty_root()));
    if old != size {
        return Err(WitnessRefusal::Conflict { known: size, old });
    }
    verify_consistency(size, new.size, &root, &new.root, &submission.hashes).map_err(WitnessRefusal::Inconsistent)
}
