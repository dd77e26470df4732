//! Names the part of a frame that was changed: puts each part back as it must have been, and looks whether the frame's
//! digest is right again.

use super::super::fault::Part;
use super::super::frame::{HEAD, Head, LARGEST, MAGIC, TAIL};
use crate::domain::id::Digest;

/// The largest frame in bytes.
pub const LARGEST_FRAME: usize = HEAD + LARGEST + TAIL;
/// Where a frame's time lies.
const TIME: std::ops::Range<usize> = 16..24;

/// A frame that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// In which part.
    pub part: Part,
    /// Its head as it was, as far as that can be told.
    pub head: Head,
    /// Its digest as it was, as far as that can be told.
    pub digest: Digest,
}

/// What is wrong with the frame `bytes`, which should have the number `sequence` and follow `previous`. `vouched` is what
/// the next frame or the ledger says that its digest is. `None` where it is no frame, or more than one part was changed.
/// Not `thorough` is faster, and may leave open whether it was the time or the sealed text.
pub fn name(
    bytes: &[u8],
    sequence: u64,
    previous: Option<Digest>,
    vouched: Option<Digest>,
    thorough: bool,
) -> Option<Damage> {
    let (body, stored) = bytes.split_last_chunk::<TAIL>()?;
    let (head, sealed) = body.split_at_checked(HEAD)?;
    let stored = Digest::from_bytes(*stored);
    let right = |head: &[u8]| Digest::of(&[head, sealed].concat()) == stored;
    let length = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= LARGEST)?;
    let put_back = |part: Part, at: usize, with: &[u8]| {
        let mut head = head.to_vec();
        head.get_mut(at..at.checked_add(with.len())?)?.copy_from_slice(with);
        let parsed = Head::parse(&head)?;
        // What is put back is the only change: a frame whose length is wrong is no frame yet.
        (parsed.length == length && right(&head)).then_some(Damage { part, head: parsed, digest: stored })
    };
    let found = put_back(Part::Magic, 0, &MAGIC)
        .or_else(|| put_back(Part::Last, 4, &[0, 0, 0, 0]))
        .or_else(|| put_back(Part::Last, 4, &[0, 0, 0, 1]))
        .or_else(|| put_back(Part::Sequence, 8, &sequence.to_be_bytes()))
        .or_else(|| put_back(Part::Previous, 24, previous?.as_bytes()))
        .or_else(|| put_back(Part::Length, 56, &length.to_be_bytes()));
    if found.is_some() {
        return found;
    }
    let parsed = Head::parse(head).filter(|head| head.length == length && head.sequence == sequence)?;
    let computed = Digest::of(body);
    if vouched == Some(computed) {
        return Some(Damage { part: Part::Digest, head: parsed, digest: computed });
    }
    if thorough && let Some(time) = flipped_time(head, &right) {
        return Some(Damage { part: Part::Time, head: time, digest: stored });
    }
    let part = if vouched == Some(stored) { Part::TimeOrSealed } else { Part::TimeSealedOrDigest };
    Some(Damage { part, head: parsed, digest: stored })
}

/// The head with one bit of its time put back.
fn flipped_time(head: &[u8], right: &dyn Fn(&[u8]) -> bool) -> Option<Head> {
    TIME.flat_map(|at| (0..8).map(move |bit| (at, 1_u8 << bit))).find_map(|(at, mask)| {
        let mut head = head.to_vec();
        *head.get_mut(at)? ^= mask;
        right(&head).then(|| Head::parse(&head)).flatten()
    })
}

/// The digest that a frame ends in.
pub fn stored(bytes: &[u8]) -> Option<Digest> {
    bytes.last_chunk::<TAIL>().map(|stored| Digest::from_bytes(*stored))
}
