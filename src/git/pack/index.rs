//! The index of a pack: which objects it holds, and where. Imports `domain::id`. Git: gitformat-pack, "Version 2
//! pack-*.idx files". What is asked for seldom is looked up in the file; whoever asks for much gets eight bytes an object
//! in memory.

use std::cell::{Cell, OnceCell};

use super::PackError;
use super::blocks::Source;
use crate::domain::id::ObjectId;

/// The magic number and version 2.
const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
/// Where the ids begin: behind the magic number and the table of 256 counts.
const IDS: u64 = 8 + 256 * 4;
/// How many bytes an id has.
const ID: u64 = 20;
/// How many ids are read at a time.
const WINDOW: u64 = 64;
/// A table is made when one look-up has been made for so many objects, and not before [`FEW`] were.
const OBJECTS_A_LOOKUP: u64 = 128;
const FEW: u64 = 512;
/// The largest table, in objects: 128 MiB.
const TABLE_OBJECTS: u64 = 16 * 1024 * 1024;
/// The bit of an offset that says it stands in the table of large ones.
const LARGE: u32 = 0x8000_0000;

/// The index of a pack.
pub struct Index<S> {
    source: S,
    /// How many objects have an id whose first byte is at most this.
    fanout: Vec<u32>,
    /// How many offsets stand in the table of large ones.
    large: u64,
    lookups: Cell<u64>,
    table: OnceCell<Option<Table>>,
}

/// Bytes 1 to 4 of each id, and the four bytes that say where it lies: together, because memory is slow.
struct Table(Vec<(u32, u32)>);

/// Where an object may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where its entry begins.
    pub offset: u64,
    /// Which one it is in the index.
    position: u64,
    /// Whether all of the id was compared.
    pub is_certain: bool,
}

impl<S: Source> Index<S> {
    /// Reads what stands at the head of an index.
    ///
    /// # Errors
    /// [`PackError::Beyond`] where it is of another version; where it is damaged or cannot be read.
    pub fn open(source: S) -> Result<Self, PackError> {
        let mut head = vec![0; 8 + 256 * 4];
        source.read_at(&mut head, 0)?;
        let (magic, counts) = head.split_at(8);
        if magic != MAGIC {
            return Err(PackError::Beyond);
        }
        let fanout: Vec<u32> = counts.chunks_exact(4).map(number).collect();
        if !fanout.is_sorted() {
            return Err(PackError::Damaged("the counts of its index are not sorted"));
        }
        let index = Self { source, fanout, large: 0, lookups: Cell::new(0), table: OnceCell::new() };
        // What each object has, the two checksums, and eight bytes for each offset that is large.
        let without = IDS + index.objects() * (ID + 4 + 4) + 2 * ID;
        let large = index.source.length()?.checked_sub(without);
        match large {
            Some(large) if large % 8 == 0 && large / 8 <= index.objects() => Ok(Self { large: large / 8, ..index }),
            _ => Err(PackError::Damaged("its index has another length than it says")),
        }
    }

    /// How many objects the pack holds.
    pub fn objects(&self) -> u64 {
        self.fanout.last().copied().unwrap_or_default().into()
    }

    /// The checksum of the pack that this is the index of.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn pack_checksum(&self) -> Result<[u8; 20], PackError> {
        let mut checksum = [0; 20];
        let at = IDS + self.objects() * (ID + 4 + 4) + self.large * 8;
        self.source.read_at(&mut checksum, at)?;
        Ok(checksum)
    }

    /// Where an object lies; `None` where the pack does not hold it. A hit that is not certain may be another object, whose
    /// id is the same in its first forty bits: [`Index::is_at`] says so.
    ///
    /// # Errors
    /// Where the index is damaged or cannot be read.
    pub fn find(&self, id: ObjectId) -> Result<Option<Hit>, PackError> {
        let first = usize::from(id.as_bytes()[0]);
        let count = |at: usize| self.fanout.get(at).copied().map_or(0, u64::from);
        let bucket = (first.checked_sub(1).map_or(0, count), count(first));
        let lookups = self.lookups.get() + 1;
        self.lookups.set(lookups);
        let table = match self.table.get() {
            Some(table) => table.as_ref(),
            None if lookups > FEW && lookups > self.objects() / OBJECTS_A_LOOKUP => {
                let table = if self.objects() <= TABLE_OBJECTS { Some(self.read_table()?) } else { None };
                self.table.get_or_init(|| table).as_ref()
            }
            None => None,
        };
        match table {
            Some(table) => self.find_in_table(table, bucket, id),
            None => self.find_in_file(bucket, id),
        }
    }

    /// Whether a hit is this very object.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn is_at(&self, hit: Hit, id: ObjectId) -> Result<bool, PackError> {
        let mut there = [0; 20];
        self.source.read_at(&mut there, IDS + hit.position * ID)?;
        Ok(there == *id.as_bytes())
    }

    fn find_in_table(&self, table: &Table, bucket: (u64, u64), id: ObjectId) -> Result<Option<Hit>, PackError> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let tails = table.0.get(place(bucket.0)..place(bucket.1)).unwrap_or_default();
        let wanted = tail(id.as_bytes());
        // Ids are hashes and lie evenly: it is near where it would lie if they did so exactly.
        let guess = place((u64::from(wanted) * (bucket.1 - bucket.0)) >> 32);
        let is_before = |at: usize| tails.get(at).is_some_and(|(tail, _)| *tail < wanted);
        let (mut from, mut to) = (guess, guess);
        let mut step = 8;
        if is_before(guess) {
            while is_before(to) {
                (from, to) = (to, to + step);
                step *= 2;
            }
        } else {
            while from > 0 && !is_before(from) {
                (from, to) = (from.saturating_sub(step), from);
                step *= 2;
            }
        }
        let part = tails.get(from..to.min(tails.len())).unwrap_or_default();
        let at = from + part.partition_point(|(tail, _)| *tail < wanted);
        let same = tails.iter().skip(at).take_while(|(tail, _)| *tail == wanted).count();
        let is_certain = same > 1;
        for at in at..at + same {
            let position = bucket.0 + u64::try_from(at).unwrap_or_default();
            let (_, raw) = table.0.get(place(position)).copied().unwrap_or_default();
            let hit = Hit { offset: self.offset(raw)?, position, is_certain };
            if !is_certain || self.is_at(hit, id)? {
                return Ok(Some(hit));
            }
        }
        Ok(None)
    }

    fn find_in_file(&self, (mut low, mut high): (u64, u64), id: ObjectId) -> Result<Option<Hit>, PackError> {
        let wanted = *id.as_bytes();
        let mut buffer = [0; 20 * 64];
        let mut guess = low + ((u64::from(tail(&wanted)) * (high - low)) >> 32);
        // Each turn leaves less, whatever the bytes say.
        while low < high {
            let from = guess.saturating_sub(WINDOW / 2).clamp(low, high.saturating_sub(WINDOW).max(low));
            let length = WINDOW.min(high - from);
            let bytes = usize::try_from(length * ID).ok().and_then(|length| buffer.get_mut(..length));
            let bytes = bytes.ok_or(PackError::Beyond)?;
            self.source.read_at(bytes, IDS + from * ID)?;
            let (ids, _) = bytes.as_chunks::<20>();
            let at = ids.partition_point(|id| *id < wanted);
            if ids.get(at) == Some(&wanted) {
                return self.hit(from + u64::try_from(at).unwrap_or_default()).map(Some);
            }
            if at == 0 {
                high = from;
            } else if at == ids.len() {
                low = from + length;
            } else {
                return Ok(None);
            }
            guess = low.midpoint(high);
        }
        Ok(None)
    }

    /// What is known of the object at a position, whose id was compared.
    fn hit(&self, position: u64) -> Result<Hit, PackError> {
        let mut raw = [0; 4];
        self.source.read_at(&mut raw, self.offsets() + position * 4)?;
        Ok(Hit { offset: self.offset(u32::from_be_bytes(raw))?, position, is_certain: true })
    }

    /// Where the table of offsets begins: behind the ids and the checksums.
    fn offsets(&self) -> u64 {
        IDS + self.objects() * (ID + 4)
    }

    fn offset(&self, raw: u32) -> Result<u64, PackError> {
        if raw & LARGE == 0 {
            return Ok(raw.into());
        }
        let which = u64::from(raw & !LARGE);
        if which >= self.large {
            return Err(PackError::Damaged("its index names an offset that is not there"));
        }
        let mut large = [0; 8];
        self.source.read_at(&mut large, self.offsets() + self.objects() * 4 + which * 8)?;
        Ok(u64::from_be_bytes(large))
    }

    fn read_table(&self) -> Result<Table, PackError> {
        let mut table = Vec::with_capacity(usize::try_from(self.objects()).unwrap_or_default());
        self.in_pieces(IDS, ID, |piece| {
            let (ids, _) = piece.as_chunks::<20>();
            table.extend(ids.iter().map(|id| (tail(id), 0)));
        })?;
        let mut done = 0;
        self.in_pieces(self.offsets(), 4, |piece| {
            for ((_, offset), bytes) in table.iter_mut().skip(done).zip(piece.chunks_exact(4)) {
                *offset = number(bytes);
                done += 1;
            }
        })?;
        Ok(Table(table))
    }

    /// Reads a table of the file, from `at` on and with so many bytes an object, in pieces of whole objects.
    fn in_pieces(&self, at: u64, each: u64, mut take: impl FnMut(&[u8])) -> Result<(), PackError> {
        const OBJECTS: u64 = 4096;
        let mut piece = Vec::new();
        let mut done = 0;
        while done < self.objects() {
            let next = OBJECTS.min(self.objects() - done);
            piece.resize(usize::try_from(next * each).unwrap_or_default(), 0);
            self.source.read_at(&mut piece, at + done * each)?;
            take(&piece);
            done += next;
        }
        Ok(())
    }
}

/// Bytes 1 to 4: the first one is what the bucket has.
fn tail(id: &[u8; 20]) -> u32 {
    let [_, a, b, c, d, ..] = *id;
    u32::from_be_bytes([a, b, c, d])
}

fn number(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An index as git documents it, of these ids, each at an offset that follows from it. Large from 2 GiB on.
    fn written(ids: &[[u8; 20]]) -> Vec<u8> {
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        let mut out = MAGIC.to_vec();
        for byte in 0..=255_u8 {
            let count = sorted.iter().filter(|id| id[0] <= byte).count();
            out.extend(u32::try_from(count).unwrap().to_be_bytes());
        }
        out.extend(sorted.iter().flatten());
        out.extend(sorted.iter().flat_map(|_| [0; 4]));
        let mut large: Vec<u64> = Vec::new();
        for id in &sorted {
            let offset = offset_of(id);
            match u32::try_from(offset) {
                Ok(small) if small & LARGE == 0 => out.extend(small.to_be_bytes()),
                _ => {
                    out.extend((LARGE | u32::try_from(large.len()).unwrap()).to_be_bytes());
                    large.push(offset);
                }
            }
        }
        out.extend(large.iter().flat_map(|offset| offset.to_be_bytes()));
        out.extend([7; 20]);
        out.extend([9; 20]);
        out
    }

    fn offset_of(id: &[u8; 20]) -> u64 {
        u64::from(tail(id)) + if id[19] & 1 == 0 { 0 } else { 1 << 40 }
    }

    fn is_whole(ids: &[[u8; 20]], others: &[[u8; 20]]) {
        let index = Index::open(written(ids)).unwrap();
        assert_eq!(usize::try_from(index.objects()).unwrap(), ids.len());
        assert_eq!(index.pack_checksum().unwrap(), [7; 20]);
        let in_memory = Index::open(written(ids)).unwrap();
        in_memory.lookups.set(u64::MAX / 2);
        for id in ids.iter().chain(others) {
            let wanted = ObjectId::from_bytes(*id);
            let expected = ids.contains(id).then(|| offset_of(id));
            index.lookups.set(0);
            let hit = index.find(wanted).unwrap();
            assert_eq!(hit.map(|hit| hit.offset), expected);
            assert!(hit.is_none_or(|hit| hit.is_certain && index.is_at(hit, wanted).unwrap()));
            // In memory forty bits are compared: what is not certain is asked.
            let hit = in_memory.find(wanted).unwrap().filter(|hit| in_memory.is_at(*hit, wanted).unwrap());
            assert_eq!(hit.map(|hit| hit.offset), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_in_it_is_found_and_nothing_else(
            // Few values a byte, so that buckets fill and ids begin alike.
            ids in proptest::collection::btree_set(proptest::array::uniform20(0..3_u8), 0..300),
            others in proptest::collection::vec(proptest::array::uniform20(0..3_u8), 20),
        ) {
            is_whole(&ids.into_iter().collect::<Vec<_>>(), &others);
        }

        #[test]
        fn even_ones_too(ids in proptest::collection::btree_set(any::<[u8; 20]>(), 0..2000), others in any::<[[u8; 20]; 20]>()) {
            is_whole(&ids.into_iter().collect::<Vec<_>>(), &others);
        }

        #[test]
        fn any_bytes_end(
            ids in proptest::collection::btree_set(any::<[u8; 20]>(), 1..300),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
            cut in 0..3_usize,
            in_memory in any::<bool>(),
        ) {
            let ids: Vec<_> = ids.into_iter().collect();
            let mut bytes = written(&ids);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut * 9);
            if let Ok(index) = Index::open(bytes) {
                index.lookups.set(if in_memory { u64::MAX / 2 } else { 0 });
                for id in ids {
                    let _ = index.find(ObjectId::from_bytes(id));
                }
            }
        }
    }

    #[test]
    fn many_in_one_bucket_are_found_in_the_file() {
        let ids: Vec<[u8; 20]> = (0..5000_u32)
            .map(|n| {
                let mut id = [5; 20];
                // Far from even.
                id[1..5].copy_from_slice(&(n / 3 * 7).to_be_bytes());
                id[10] = u8::try_from(n % 3).unwrap();
                id
            })
            .collect();
        is_whole(&ids, &[[5; 20], [4; 20], [6; 20], [0; 20], [255; 20]]);
    }
}
