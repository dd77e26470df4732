//! One pack with its index: an object found, its differences followed to what they were made to, and put together. What is
//! made from something huge is gathered while that goes by.
//! Imports `domain::id`, `ports`. Git: gitformat-pack.

use std::collections::HashSet;
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};
use sha1::{Digest as _, Sha1};

use super::bases::{Base, Bases, Place};
use super::blocks::{Blocks, Source};
use super::entry::{self, HEAD_BYTES, SIZES_BYTES, What};
use super::index::{Hit, Index};
use super::sparse::Gathering;
use super::{Found, PackError};
use crate::domain::id::ObjectId;
use crate::ports::ObjectKind;

/// `PACK` and the version, which is followed by the number of objects.
const MAGIC: [u8; 8] = *b"PACK\0\0\0\x02";
/// The bytes of a pack before the first entry, and those behind the last.
const HEADER: u64 = 12;
const TRAILER: u64 = 20;
/// The most differences in a row: git makes 50, and 4095 at most.
const CHAIN: usize = 4096;
/// The most bytes of anything that is held as a whole: twice what a ledger's largest object may have.
const PART_BYTES: u64 = 16 * 1024 * 1024;
/// The most bytes of all that is made on the way to one object.
const WHOLE_BYTES: u64 = 16 * PART_BYTES;
/// How many bytes of something large go by at a time.
const PASSING: usize = 64 * 1024;
/// Of how many objects it is kept that they are as large as they say.
const LARGE: usize = 4096;

/// What reading needs beside the pack: what was read lately, and room to work in.
pub struct Scratch {
    blocks: Blocks,
    bases: Bases,
    inflater: Decompress,
    /// The differences from an object down to something whole.
    chain: Vec<Step>,
    delta: Vec<u8>,
    top: Vec<u8>,
    /// What was found to be as large as it says.
    large: HashSet<Place>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            blocks: Blocks::default(),
            bases: Bases::default(),
            inflater: Decompress::new(true),
            chain: Vec::new(),
            delta: Vec::new(),
            top: Vec::new(),
            large: HashSet::new(),
        }
    }
}

/// A stream of the pack: where its entry begins, where it begins itself, and how many bytes come out of it.
#[derive(Debug, Clone, Copy)]
struct Step {
    entry: u64,
    at: u64,
    size: u64,
}

/// What a chain of differences ends in.
#[derive(Clone)]
enum End {
    Kept(Base),
    Stream(ObjectKind, Step),
}

impl End {
    const fn kind(&self) -> ObjectKind {
        match self {
            Self::Kept(base) => base.kind,
            Self::Stream(kind, _) => *kind,
        }
    }
}

/// A pack with its index.
pub struct Pack<S> {
    /// By which it is known among the others.
    serial: u64,
    index: Index<S>,
    source: S,
    /// Where the last entry ends.
    end: u64,
}

impl<S: Source> Pack<S> {
    /// A pack and the index that belongs to it, known as `serial`.
    ///
    /// # Errors
    /// [`PackError::Beyond`] where it is of another version; where the two do not belong together or cannot be read.
    pub fn open(serial: u64, index: S, source: S) -> Result<Self, PackError> {
        let index = Index::open(index)?;
        let mut head = [0; 12];
        source.read_at(&mut head, 0)?;
        let (magic, count) = head.split_at(8);
        if magic != MAGIC {
            return Err(PackError::Beyond);
        }
        let count: [u8; 4] = count.try_into().unwrap_or_default();
        let end = source.length()?.checked_sub(TRAILER).filter(|end| *end >= HEADER);
        let end = end.ok_or(PackError::Damaged("it is too short"))?;
        let mut checksum = [0; 20];
        source.read_at(&mut checksum, end)?;
        // A pack that is being replaced by another of its name, or that was cut.
        if checksum != index.pack_checksum()? || u64::from(u32::from_be_bytes(count)) != index.objects() {
            return Err(PackError::Damaged("its index is another pack's"));
        }
        Ok(Self { serial, index, source, end })
    }

    /// An object's kind and size; `None` where it is not here. Its bytes are not looked at.
    ///
    /// # Errors
    /// As [`PackError`] has them.
    pub fn header(&self, scratch: &mut Scratch, id: ObjectId) -> Result<Option<(ObjectKind, u64)>, PackError> {
        let Some(hit) = self.index.find(id)? else { return Ok(None) };
        if !hit.is_certain && !self.index.is_at(hit, id)? {
            return Ok(None);
        }
        let end = self.chain(scratch, hit.offset)?;
        let size = match (scratch.chain.first(), &end) {
            (Some(top), _) => self.result(scratch, *top)?,
            (None, End::Stream(_, stream)) => stream.size,
            (None, End::Kept(base)) => size(base.bytes.len()),
        };
        Ok(Some((end.kind(), size)))
    }

    /// An object of at most `limit` bytes, whose hash was compared with its id; `None` where it is not here.
    ///
    /// # Errors
    /// As [`PackError`] has them.
    pub fn read(&self, scratch: &mut Scratch, id: ObjectId, limit: u64) -> Result<Option<Found>, PackError> {
        let Some(hit) = self.index.find(id)? else { return Ok(None) };
        let found = self.object(scratch, hit, limit);
        if let Ok(Found::Whole(kind, bytes)) = &found
            && hash(*kind, bytes) == id
        {
            return found.map(Some);
        }
        if !hit.is_certain && !self.index.is_at(hit, id)? {
            return Ok(None);
        }
        match found? {
            Found::Whole(..) => Err(PackError::Damaged("its bytes have another id")),
            found @ Found::TooLarge(_, size) => {
                self.confirm(scratch, hit, id, size)?;
                Ok(Some(found))
            }
        }
    }

    /// That an object has more bytes than it may is a fault of whoever made it, but only where that is true: a damaged
    /// pack says so of any. Its bytes go by and are hashed; of a large difference it is only asked whether it is whole.
    fn confirm(&self, scratch: &mut Scratch, hit: Hit, id: ObjectId, size: u64) -> Result<(), PackError> {
        let place = (self.serial, hit.offset);
        if scratch.large.contains(&place) {
            return Ok(());
        }
        let end = self.chain(scratch, hit.offset)?;
        let is_it = match (scratch.chain.first().copied(), end) {
            (None, End::Kept(base)) => hash(base.kind, &base.bytes) == id,
            (None, End::Stream(kind, stream)) => {
                let mut hasher = begun(kind, stream.size);
                self.inflate_by(scratch, stream, &mut |bytes| hasher.update(bytes))?;
                ObjectId::from_bytes(hasher.finalize().into()) == id
            }
            (Some(_), _) if size <= PART_BYTES => match self.object(scratch, hit, size)? {
                Found::Whole(kind, bytes) => hash(kind, &bytes) == id,
                Found::TooLarge(..) => false,
            },
            (Some(top), _) => {
                self.inflate_by(scratch, top, &mut |_| ())?;
                true
            }
        };
        if !is_it {
            return Err(PackError::Damaged("its bytes have another id"));
        }
        if scratch.large.len() >= LARGE {
            scratch.large.clear();
        }
        scratch.large.insert(place);
        Ok(())
    }

    fn object(&self, scratch: &mut Scratch, hit: Hit, limit: u64) -> Result<Found, PackError> {
        let end = self.chain(scratch, hit.offset)?;
        let kind = end.kind();
        let is_kept = scratch.chain.is_empty() && matches!(end, End::Kept(_));
        let chain = std::mem::take(&mut scratch.chain);
        let found = self.put_together(scratch, &chain, end, limit);
        scratch.chain = chain;
        match found? {
            Ok(bytes) => {
                if kind == ObjectKind::Tree && !is_kept {
                    // The tree of the commit before will be a difference to this one.
                    let place = (self.serial, hit.offset);
                    scratch.bases.keep(place, Base { kind, bytes: bytes.as_slice().into() });
                }
                Ok(Found::Whole(kind, bytes))
            }
            Err(size) => Ok(Found::TooLarge(kind, size)),
        }
    }

    /// Follows differences from an entry down to an object that is whole, or kept from before. They are in
    /// `scratch.chain` then, that of the entry first.
    fn chain(&self, scratch: &mut Scratch, entry: u64) -> Result<End, PackError> {
        scratch.chain.clear();
        let mut entry = entry;
        loop {
            if let Some(base) = scratch.bases.find((self.serial, entry)) {
                return Ok(End::Kept(base));
            }
            if entry < HEADER || entry >= self.end {
                return Err(PackError::Damaged("an entry lies outside of it"));
            }
            let head = scratch.blocks.view(&self.source, self.serial, self.end, entry, HEAD_BYTES)?;
            let said = entry::entry(head).ok_or(PackError::Damaged("an entry has no head"))?;
            let step = Step { entry, at: entry + size(said.head), size: said.size };
            entry = match said.what {
                What::Whole(kind) => return Ok(End::Stream(kind, step)),
                What::Tag => return Err(PackError::Beyond),
                What::Back(distance) => {
                    entry.checked_sub(distance).ok_or(PackError::Damaged("a difference is to nothing"))?
                }
                What::From(id) => match self.index.find(id)? {
                    Some(hit) if hit.is_certain || self.index.is_at(hit, id)? => hit.offset,
                    _ => return Err(PackError::Damaged("a difference is to an object that is not there")),
                },
            };
            scratch.chain.push(step);
            if scratch.chain.len() > CHAIN {
                return Err(PackError::Damaged("differences go on and on"));
            }
        }
    }

    /// The object at the head of `chain`, or its size where that is more than `limit`.
    fn put_together(
        &self,
        scratch: &mut Scratch,
        chain: &[Step],
        end: End,
        limit: u64,
    ) -> Result<Result<Vec<u8>, u64>, PackError> {
        let Some((top, below)) = chain.split_first() else {
            let size = match &end {
                End::Kept(base) => size(base.bytes.len()),
                End::Stream(_, stream) => stream.size,
            };
            if size > limit {
                return Ok(Err(size));
            }
            return match end {
                End::Kept(base) => Ok(Ok(base.bytes.to_vec())),
                End::Stream(_, stream) => {
                    let mut bytes = Vec::new();
                    self.inflate(scratch, stream, &mut bytes)?;
                    Ok(Ok(bytes))
                }
            };
        };
        // The size of what comes out, before any of it is made.
        if top.size > limit.saturating_mul(2).saturating_add(1024) {
            let result = self.result(scratch, *top)?;
            if result > limit {
                return Ok(Err(result));
            }
            // Odd, or damaged: only what is whole is somebody else's.
            self.inflate_by(scratch, *top, &mut |_| ())?;
            return Err(PackError::Beyond);
        }
        let mut delta = std::mem::take(&mut scratch.top);
        let made = match self.made(scratch, *top, &mut delta, below, end.clone(), limit) {
            Err(PackError::Beyond) => self.gathered(scratch, chain, end, &mut delta),
            made => made,
        };
        scratch.top = delta;
        made
    }

    /// The object at the head of `chain`, gathered from something huge that is never held as a whole. Within its limit it
    /// is, or `made` had said so.
    fn gathered(
        &self,
        scratch: &mut Scratch,
        chain: &[Step],
        end: End,
        delta: &mut Vec<u8>,
    ) -> Result<Result<Vec<u8>, u64>, PackError> {
        let mut gathering: Option<Gathering> = None;
        for step in chain {
            if step.size > PART_BYTES {
                self.inflate_by(scratch, *step, &mut |_| ())?;
                return Err(PackError::Beyond);
            }
            self.inflate(scratch, *step, delta)?;
            let said = entry::delta(delta).ok_or(NO_DELTA)?;
            let gathering = match &mut gathering {
                Some(gathering) => gathering,
                none => none.insert(Gathering::new(usize::try_from(said.result).map_err(|_| PackError::Beyond)?)),
            };
            // What falls into too many pieces may be whole, and what is no difference is found by libgit2, too.
            gathering.through(&said).ok_or(PackError::Beyond)?;
        }
        let mut taking = gathering.ok_or(PackError::Beyond)?.taking();
        match end {
            End::Kept(base) => taking.pass(&base.bytes),
            End::Stream(_, stream) => self.inflate_by(scratch, stream, &mut |bytes| taking.pass(bytes))?,
        }
        taking.whole().ok_or(NO_DELTA).map(Ok)
    }

    /// What the difference `top` makes of what `below` and `end` make.
    fn made(
        &self,
        scratch: &mut Scratch,
        top: Step,
        delta: &mut Vec<u8>,
        below: &[Step],
        end: End,
        limit: u64,
    ) -> Result<Result<Vec<u8>, u64>, PackError> {
        self.inflate(scratch, top, delta)?;
        let said = entry::delta(delta).ok_or(NO_DELTA)?;
        if said.result > limit {
            return Ok(Err(said.result));
        }
        let kind = end.kind();
        let mut made = 0_u64;
        let mut base = match end {
            End::Kept(base) => base.bytes,
            End::Stream(_, stream) => {
                let mut bytes = Vec::new();
                within(&mut made, stream.size)?;
                self.inflate(scratch, stream, &mut bytes)?;
                self.kept(scratch, stream, kind, bytes)
            }
        };
        for step in below.iter().rev() {
            let mut delta = std::mem::take(&mut scratch.delta);
            let bytes = self.applied(scratch, *step, &mut delta, &base, &mut made);
            scratch.delta = delta;
            base = self.kept(scratch, *step, kind, bytes?);
        }
        said.apply(&base).ok_or(NO_DELTA).map(Ok)
    }

    /// What a difference makes of `base`.
    fn applied(
        &self,
        scratch: &mut Scratch,
        step: Step,
        delta: &mut Vec<u8>,
        base: &[u8],
        made: &mut u64,
    ) -> Result<Vec<u8>, PackError> {
        within(made, step.size)?;
        self.inflate(scratch, step, delta)?;
        let said = entry::delta(delta).ok_or(NO_DELTA)?;
        within(made, said.result)?;
        said.apply(base).ok_or(NO_DELTA)
    }

    fn kept(&self, scratch: &mut Scratch, step: Step, kind: ObjectKind, bytes: Vec<u8>) -> Arc<[u8]> {
        let bytes: Arc<[u8]> = bytes.into();
        scratch.bases.keep((self.serial, step.entry), Base { kind, bytes: Arc::clone(&bytes) });
        bytes
    }

    /// The size of what a difference makes: it stands at its head.
    fn result(&self, scratch: &mut Scratch, step: Step) -> Result<u64, PackError> {
        let mut head = std::mem::take(&mut scratch.delta);
        let length = step.size.min(size(SIZES_BYTES));
        let read = self.inflate_some(scratch, step, length, &mut head);
        let result = entry::delta(&head).map(|delta| delta.result);
        scratch.delta = head;
        read?;
        result.ok_or(NO_DELTA)
    }

    /// What comes out of a stream: as much as its entry says, and then its end.
    fn inflate(&self, scratch: &mut Scratch, stream: Step, out: &mut Vec<u8>) -> Result<(), PackError> {
        if self.inflate_some(scratch, stream, stream.size, out)? == Status::StreamEnd && size(out.len()) == stream.size
        {
            return Ok(());
        }
        Err(PackError::Damaged("a stream has another size than it says"))
    }

    /// The first `length` bytes that come out of a stream, or fewer where it ends before. The last status tells whether
    /// it did.
    fn inflate_some(
        &self,
        scratch: &mut Scratch,
        stream: Step,
        length: u64,
        out: &mut Vec<u8>,
    ) -> Result<Status, PackError> {
        out.clear();
        let length = usize::try_from(length).map_err(|_| PackError::Beyond)?;
        // One more than there should be, to see the end.
        let room = length.checked_add(usize::from(size(length) == stream.size)).ok_or(PackError::Beyond)?;
        let mut at = stream.at;
        // What cannot be made smaller is stored, with a little around it.
        let mut wish = length.saturating_add(length / 64).saturating_add(64);
        scratch.inflater.reset(true);
        loop {
            let input = scratch.blocks.view(&self.source, self.serial, self.end, at, wish)?;
            // What is claimed is put by only as far as the bytes there can make it: 1032 times as many.
            let more = room.saturating_sub(out.len()).min(input.len().saturating_mul(1032).saturating_add(64));
            out.reserve_exact(more);
            let (before, made) = (scratch.inflater.total_in(), out.len());
            let status = scratch.inflater.decompress_vec(input, out, FlushDecompress::Finish);
            let status = status.map_err(|_| PackError::Damaged("a stream is damaged"))?;
            let read = scratch.inflater.total_in() - before;
            if status == Status::StreamEnd || out.len() >= room {
                return Ok(status);
            }
            if read == 0 && out.len() == made {
                return Err(PackError::Damaged("a stream is cut"));
            }
            at = at.saturating_add(read);
            // An encoder that writes more than it need: on, to the end of the pack if it must be.
            wish = wish.max(4096);
        }
    }

    /// What comes out of a stream goes by, in pieces: as much as its entry says, and then its end.
    fn inflate_by(&self, scratch: &mut Scratch, stream: Step, each: &mut dyn FnMut(&[u8])) -> Result<(), PackError> {
        let mut piece = vec![0; PASSING];
        let mut at = stream.at;
        scratch.inflater.reset(true);
        loop {
            let input = scratch.blocks.view(&self.source, self.serial, self.end, at, PASSING)?;
            let before = (scratch.inflater.total_in(), scratch.inflater.total_out());
            let status = scratch.inflater.decompress(input, &mut piece, FlushDecompress::None);
            let status = status.map_err(|_| PackError::Damaged("a stream is damaged"))?;
            let read = scratch.inflater.total_in() - before.0;
            let made = scratch.inflater.total_out() - before.1;
            each(usize::try_from(made).ok().and_then(|made| piece.get(..made)).unwrap_or_default());
            let is_over = scratch.inflater.total_out() > stream.size;
            match status {
                Status::StreamEnd if scratch.inflater.total_out() == stream.size => return Ok(()),
                _ if is_over || status == Status::StreamEnd => {
                    return Err(PackError::Damaged("a stream has another size than it says"));
                }
                _ if read == 0 && made == 0 => return Err(PackError::Damaged("a stream is cut")),
                _ => at = at.saturating_add(read),
            }
        }
    }
}

const NO_DELTA: PackError = PackError::Damaged("a difference is none to what it names");

/// Counts what one object takes, as far as that is read here.
fn within(made: &mut u64, more: u64) -> Result<(), PackError> {
    *made = made.saturating_add(more);
    if more > PART_BYTES || *made > WHOLE_BYTES { Err(PackError::Beyond) } else { Ok(()) }
}

/// The id that Git gives to an object.
fn hash(kind: ObjectKind, bytes: &[u8]) -> ObjectId {
    ObjectId::from_bytes(begun(kind, size(bytes.len())).chain_update(bytes).finalize().into())
}

/// What is hashed before an object's bytes, of which there are so many.
fn begun(kind: ObjectKind, size: u64) -> Sha1 {
    let name: &[u8] = match kind {
        ObjectKind::Commit => b"commit ",
        ObjectKind::Tree => b"tree ",
        ObjectKind::Blob => b"blob ",
    };
    Sha1::new().chain_update(name).chain_update(Decimal::of(size).text()).chain_update([0])
}

/// A number in decimal digits, on the stack.
struct Decimal([u8; 20], usize);

impl Decimal {
    fn of(number: u64) -> Self {
        let (mut digits, mut from, mut left) = ([b'0'; 20], 20, number);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
            from -= 1;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        Self(digits, from)
    }

    fn text(&self) -> &[u8] {
        self.0.get(self.1..).unwrap_or_default()
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
