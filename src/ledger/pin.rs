//! The pin: head, size and root of the last verified state, kept beside the clone. It never goes back: a head that does not
//! descend from it, or a smaller or different log, is a fork or a rollback.

use serde::{Deserialize, Serialize};

use crate::domain::id::{CommitId, Digest};

use super::Replay;

/// The last verified state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The ledger's id.
    pub ledger: Digest,
    /// The last commit.
    pub head: CommitId,
    /// How many leaves.
    pub size: u64,
    /// The root at that size.
    pub root: Digest,
}

/// Why a pin does not fit.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The file is no pin.
    #[error("the pin is damaged: {0}")]
    Damaged(String),
    /// What was verified before is not there any more.
    #[error(
        "the ledger was rewound or rewritten: {found} at size {found_size} does not continue {pinned} at size {pinned_size}, which was verified before"
    )]
    Forked {
        /// The head that was verified.
        pinned: CommitId,
        /// The size that was verified.
        pinned_size: u64,
        /// The head that is there.
        found: CommitId,
        /// Its size.
        found_size: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ledger: String,
    head: String,
    size: u64,
    root: String,
}

impl Pin {
    /// The pin of a replayed ledger; `None` where it is empty.
    pub fn of(replay: &Replay) -> Option<Self> {
        let state = replay.state();
        Some(Self { ledger: state.ledger()?, head: replay.head()?, size: state.size(), root: replay.root() })
    }

    /// Reads a pin.
    ///
    /// # Errors
    /// [`PinError::Damaged`] where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, PinError> {
        let damaged = |why: String| PinError::Damaged(why);
        let text = std::str::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
        let file: File = toml::from_str(text).map_err(|error| damaged(error.message().to_owned()))?;
        Ok(Self {
            ledger: file.ledger.parse().map_err(|_| damaged("ledger".into()))?,
            head: file.head.parse().map_err(|_| damaged("head".into()))?,
            size: file.size,
            root: file.root.parse().map_err(|_| damaged("root".into()))?,
        })
    }

    /// The file's bytes.
    pub fn write(&self) -> Vec<u8> {
        format!(
            "ledger = \"{}\"\nhead = \"{}\"\nsize = {}\nroot = \"{}\"\n",
            self.ledger, self.head, self.size, self.root
        )
        .into_bytes()
    }

    /// Whether `replay` continues what was pinned.
    ///
    /// # Errors
    /// [`PinError::Forked`] where it does not, with both heads.
    pub fn check(&self, replay: &Replay) -> Result<(), PinError> {
        let state = replay.state();
        let continues = state.ledger() == Some(self.ledger)
            && self.size.checked_sub(1).and_then(|last| replay.commit_at(last)) == Some(self.head)
            && replay.log().root_at(self.size) == Some(self.root);
        if continues {
            return Ok(());
        }
        Err(PinError::Forked {
            pinned: self.head,
            pinned_size: self.size,
            found: replay.head().unwrap_or(self.head),
            found_size: state.size(),
        })
    }
}
