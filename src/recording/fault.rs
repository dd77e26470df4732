//! What can be wrong with a recording, named exactly: which frame, and which part of it.

use super::age::OpenError;
use crate::domain::id::Digest;

/// A part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its first four bytes.
    Magic,
    /// Whether it is the last.
    Last,
    /// Its number.
    Sequence,
    /// Its time.
    Time,
    /// The digest of the frame before.
    Previous,
    /// The length of its sealed text.
    Length,
    /// Its sealed text.
    Sealed,
    /// Its own digest.
    Digest,
    /// Its time or its sealed text: opening it tells which.
    TimeOrSealed,
    /// Its time, its sealed text or its digest: nothing follows it, by which its digest could be told.
    TimeSealedOrDigest,
    /// Its time or its digest: its sealed text opens, and nothing follows it.
    TimeOrDigest,
    /// More than one of them.
    Several,
}

impl Part {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Magic => "its first four bytes were changed",
            Self::Last => "its mark of the last frame was changed",
            Self::Sequence => "its number was changed",
            Self::Time => "its time was changed",
            Self::Previous => "its digest of the frame before was changed",
            Self::Length => "its length was changed",
            Self::Sealed => "its sealed text was changed",
            Self::Digest => "its own digest was changed",
            Self::TimeOrSealed => "its time or its sealed text was changed",
            Self::TimeSealedOrDigest => "its time, its sealed text or its own digest was changed",
            Self::TimeOrDigest => "its time or its own digest was changed",
            Self::Several => "several parts of it were changed",
        }
    }
}

/// What is wrong. Frames are counted from 0, offsets and lengths are bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is shorter than a header.
    #[error("it ends inside its header, after {have} of 207 bytes")]
    HeaderCut {
        /// Its size.
        have: u64,
    },
    /// The header is no header; which line.
    #[error("its header was changed: line {line:?} is malformed")]
    HeaderMalformed {
        /// The first line that is wrong.
        line: &'static str,
    },
    /// The header names something else than the frames were written under.
    #[error("its header was changed: {line:?} is not what its frames were written under")]
    HeaderChanged {
        /// The line.
        line: &'static str,
    },
    /// It is whole under its header, but of something else than was asked for.
    #[error("it is the recording of another {line}: {found}")]
    OtherSession {
        /// What differs: ledger, case or session.
        line: &'static str,
        /// What it says.
        found: String,
    },
    /// A frame was changed.
    #[error("frame {sequence} (at byte {offset}): {part}", part = part.as_str())]
    Changed {
        /// Which.
        sequence: u64,
        /// Where it begins.
        offset: u64,
        /// What.
        part: Part,
    },
    /// Frames are not there.
    #[error("{}", missing(*first, *last))]
    Missing {
        /// From.
        first: u64,
        /// To, itself included.
        last: u64,
    },
    /// Two frames stand in each other's place.
    #[error("frames {first} and {second} are swapped")]
    Swapped {
        /// The one that comes too late.
        first: u64,
        /// The one that comes too early.
        second: u64,
    },
    /// A frame stands there again.
    #[error("frame {sequence} stands there again, at byte {offset}")]
    Twice {
        /// Which.
        sequence: u64,
        /// Where the second begins.
        offset: u64,
    },
    /// A frame that is whole, but does not follow the one before.
    #[error("the frame at byte {offset}, which calls itself frame {sequence}, is not of this recording")]
    Foreign {
        /// What it calls itself.
        sequence: u64,
        /// Where it begins.
        offset: u64,
    },
    /// Bytes that are no frame.
    #[error("{bytes} bytes at byte {offset} are no frame")]
    Debris {
        /// Where they begin.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// It ends inside a frame.
    #[error("it ends inside frame {sequence}, after {have} bytes of it{}", of.map(|of| format!(" (of {of})")).unwrap_or_default())]
    Cut {
        /// Which.
        sequence: u64,
        /// How many bytes of it are there.
        have: u64,
        /// How many it has, where that can be read.
        of: Option<u64>,
    },
    /// It ends between two frames.
    #[error("{}", no_last(*after))]
    NoLast {
        /// The last one that is there.
        after: Option<u64>,
    },
    /// Something follows the last frame.
    #[error("{bytes} bytes follow its last frame, from byte {offset} on")]
    Trailing {
        /// Where they begin.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// Its head is not the one that the ledger holds.
    #[error("its head is {found}, and the ledger holds {ledger}")]
    OtherHead {
        /// The recording's.
        found: Digest,
        /// The ledger's.
        ledger: Digest,
    },
    /// A frame's sealed text does not open.
    #[error("frame {sequence} does not open: {cause}")]
    Sealed {
        /// Which.
        sequence: u64,
        /// Why.
        cause: OpenError,
    },
    /// What was sealed is no asciicast.
    #[error("frame {sequence} holds something else than a recording: line {line}")]
    Lines {
        /// Which.
        sequence: u64,
        /// The first line that is wrong, from 1.
        line: usize,
    },
}

fn missing(first: u64, last: u64) -> String {
    if first == last { format!("frame {first} is missing") } else { format!("frames {first} to {last} are missing") }
}

fn no_last(after: Option<u64>) -> String {
    match after {
        Some(after) => format!("it ends after frame {after} without its last frame"),
        None => "it ends after its header without any frame".to_owned(),
    }
}
