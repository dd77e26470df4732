//! Finds the frames in the bytes of a recording. A frame that is whole is one whose digest is right; anything else is a
//! damaged piece, which ends where its own length says if a frame begins there, else where the next whole frame begins.

use std::io::{self, Read, Seek, SeekFrom};

use super::super::frame::{HEAD, HEADER, Head, LARGEST, MAGIC, TAIL};
use crate::domain::id::Digest;

/// The largest frame in bytes.
const LARGEST_FRAME: usize = HEAD + LARGEST + TAIL;
/// How much is looked through at once for the beginning of a frame.
const WINDOW: usize = 64 * 1024;
/// What may be hashed in search of the next whole frame, beyond the file's own size: a file full of beginnings of frames
/// must not keep anybody busy for days.
const SEARCH_BUDGET: u64 = 64 * 1024 * 1024;

/// A frame, or what is there in its place.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// Where it begins.
    pub offset: u64,
    /// Where it ends.
    pub end: u64,
    /// The frame, where it is whole: its head, and its digest.
    pub whole: Option<(Head, Digest)>,
}

/// The recording's bytes, any part of them.
pub struct Bytes<'a, R> {
    source: &'a mut R,
    /// How many there are.
    pub size: u64,
}

impl<'a, R: Read + Seek> Bytes<'a, R> {
    pub fn new(source: &'a mut R) -> io::Result<Self> {
        let size = source.seek(SeekFrom::End(0))?;
        Ok(Self { source, size })
    }

    /// At most `most` bytes from `offset` on.
    pub fn at(&mut self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        self.source.seek(SeekFrom::Start(offset))?;
        let most = wide(most).min(self.size.saturating_sub(offset));
        let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or(0));
        (&mut *self.source).take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// What stands at `offset`.
    pub fn look(&mut self, offset: u64) -> io::Result<Look> {
        let head = self.at(offset, HEAD)?;
        if head.len() < HEAD {
            let begins = head.iter().zip(MAGIC).all(|(&byte, magic)| byte == magic);
            return Ok(if begins { Look::Short(None) } else { Look::NoFrame });
        }
        let Some(head) = Head::parse(&head) else { return Ok(Look::NoFrame) };
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        if length > LARGEST {
            return Ok(Look::NoFrame);
        }
        let total = HEAD + length + TAIL;
        let frame = self.at(offset, total)?;
        if frame.len() < total {
            return Ok(Look::Short(Some(wide(total))));
        }
        Ok(match frame.split_last_chunk::<TAIL>() {
            Some((bytes, stored)) if Digest::of(bytes).as_bytes() == stored => {
                Look::Whole(head, Digest::from_bytes(*stored), wide(total))
            }
            _ => Look::Damaged(wide(total)),
        })
    }
}

/// What stands at an offset.
pub enum Look {
    /// A frame of so many bytes, and its digest.
    Whole(Head, Digest, u64),
    /// A frame of so many bytes, of which the digest is wrong.
    Damaged(u64),
    /// The beginning of a frame of so many bytes.
    Short(Option<u64>),
    /// Neither.
    NoFrame,
}

/// All pieces from the header to the end.
pub fn find<R: Read + Seek>(bytes: &mut Bytes<'_, R>) -> io::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut offset = wide(HEADER);
    let mut budget = bytes.size.saturating_add(SEARCH_BUDGET);
    while offset < bytes.size {
        let piece = match bytes.look(offset)? {
            Look::Whole(head, digest, total) => {
                Piece { offset, end: offset.saturating_add(total), whole: Some((head, digest)) }
            }
            Look::Damaged(total) if begins(bytes, offset.saturating_add(total))? => {
                Piece { offset, end: offset.saturating_add(total), whole: None }
            }
            Look::Damaged(_) | Look::Short(_) | Look::NoFrame => {
                Piece { offset, end: next_whole(bytes, offset.saturating_add(1), &mut budget)?, whole: None }
            }
        };
        offset = piece.end;
        pieces.push(piece);
    }
    Ok(pieces)
}

/// Whether a frame can begin at `offset`: its first bytes are there, or the file ends.
fn begins<R: Read + Seek>(bytes: &mut Bytes<'_, R>, offset: u64) -> io::Result<bool> {
    Ok(offset == bytes.size || bytes.at(offset, MAGIC.len())? == MAGIC)
}

/// Where the next whole frame begins, from `offset` on; the file's end where there is none.
fn next_whole<R: Read + Seek>(bytes: &mut Bytes<'_, R>, mut offset: u64, budget: &mut u64) -> io::Result<u64> {
    while offset < bytes.size {
        // Windows overlap by three bytes, in which a beginning could lie across.
        let window = bytes.at(offset, WINDOW)?;
        for (at, _) in window.windows(MAGIC.len()).enumerate().filter(|(_, four)| *four == MAGIC) {
            let candidate = offset.saturating_add(wide(at));
            if *budget == 0 {
                return Ok(bytes.size);
            }
            match bytes.look(candidate)? {
                Look::Whole(..) => return Ok(candidate),
                Look::Damaged(total) => *budget = budget.saturating_sub(total),
                Look::Short(Some(_)) => *budget = budget.saturating_sub(wide(LARGEST_FRAME)),
                Look::Short(None) | Look::NoFrame => {}
            }
        }
        let step = window.len().saturating_sub(MAGIC.len() - 1).max(1);
        offset = offset.saturating_add(wide(step));
    }
    Ok(bytes.size)
}

pub fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
