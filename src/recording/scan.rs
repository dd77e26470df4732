//! Looks a whole recording through and says exactly what is wrong with it. Two steps: `pieces` finds the frames in the
//! bytes, going on after damage where the next whole frame begins; `judge` holds them against the chain. What can be
//! read is listed all the same, in the order in which it was recorded.

use std::io::{self, Read, Seek, SeekFrom};

use super::fault::Fault;
use super::frame::{HEAD, Header};
use crate::domain::id::Digest;

mod damage;
mod judge;
mod pieces;

/// What the ledger says of a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Which session it is of.
    pub header: Option<Header>,
    /// Its head, once the session has ended.
    pub head: Option<Digest>,
}

/// A frame of which the sealed text was found, be it changed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Its number.
    pub sequence: u64,
    /// When it was sealed: milliseconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// Where it begins.
    pub offset: u64,
    /// Bytes of its sealed text.
    pub length: u32,
    /// Its digest, where it is whole: what is read later is held against it.
    pub digest: Option<Digest>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The header, where it is one.
    pub header: Option<Header>,
    /// The frames, in the order of their numbers.
    pub frames: Vec<Frame>,
    /// What is wrong; nothing where it is whole. The first is the one that explains most.
    pub faults: Vec<Fault>,
    /// The digest of the last frame; of the header where there is none.
    pub head: Digest,
    /// Whether the last frame is there.
    pub complete: bool,
    /// Bytes of the file.
    pub size: u64,
}

/// Looks `source` through, from its beginning.
///
/// # Errors
/// Where it cannot be read, which is no verdict.
pub fn scan<R: Read + Seek>(source: &mut R, expected: &Expected) -> io::Result<Scan> {
    let mut bytes = pieces::Bytes::new(source)?;
    let pieces = pieces::find(&mut bytes)?;
    judge::judge(&mut bytes, pieces, expected)
}

/// The sealed text of a frame that was found.
///
/// # Errors
/// Where it cannot be read, or is not what was found there any more.
pub fn sealed<R: Read + Seek>(source: &mut R, frame: &Frame) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(frame.offset))?;
    let mut bytes = Vec::new();
    let head = u64::try_from(HEAD).unwrap_or(u64::MAX);
    source.take(head.saturating_add(frame.length.into())).read_to_end(&mut bytes)?;
    if frame.digest.is_some_and(|digest| digest != Digest::of(&bytes)) {
        return Err(io::Error::other("the recording was changed while it was read"));
    }
    Ok(bytes.split_off(HEAD.min(bytes.len())))
}
