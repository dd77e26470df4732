//! A small object that is made from something huge: which bytes of the huge one it needs is followed through the differences,
//! and only these are taken while that one goes by. PURE; imports nothing of ours but `entry`.

use super::entry::{Delta, Piece};

/// The most pieces that are followed: some ten megabytes.
const PIECES: usize = 256 * 1024;

/// Bytes of an object that are needed: where they begin there, where they go to, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Want {
    from: u64,
    to: usize,
    length: usize,
}

/// An object whose bytes are gathered.
#[derive(Debug)]
pub struct Gathering {
    wants: Vec<Want>,
    /// The object. What is still wanted is zero.
    out: Vec<u8>,
}

impl Gathering {
    /// An object of so many bytes, of which nothing is there yet.
    pub fn new(size: usize) -> Self {
        Self { wants: vec![Want { from: 0, to: 0, length: size }], out: vec![0; size] }
    }

    /// What is wanted of what `delta` makes is wanted of what it was made from instead, or is here. `None` where the
    /// difference is none, or falls into too many pieces.
    pub fn through(&mut self, delta: &Delta<'_>) -> Option<()> {
        let mut pieces: Vec<(u64, Piece<'_>)> = Vec::new();
        let mut end = 0_u64;
        for piece in delta.pieces() {
            let piece = piece?;
            if let Piece::Copied(from, length) = piece
                && u64::try_from(from.checked_add(length)?).ok()? > delta.base
            {
                return None;
            }
            if pieces.len() == PIECES {
                return None;
            }
            pieces.push((end, piece));
            end = end.checked_add(u64::try_from(piece.len()).ok()?)?;
        }
        if end != delta.result {
            return None;
        }
        let mut next = Vec::new();
        for want in &self.wants {
            let mut at = pieces.partition_point(|(begin, _)| *begin <= want.from).checked_sub(1)?;
            let mut left = *want;
            while left.length > 0 {
                let (begin, piece) = pieces.get(at)?;
                let within = usize::try_from(left.from.checked_sub(*begin)?).ok()?;
                let length = left.length.min(piece.len().checked_sub(within)?);
                match piece {
                    Piece::Inserted(bytes) => {
                        let bytes = bytes.get(within..within.checked_add(length)?)?;
                        self.out.get_mut(left.to..left.to.checked_add(length)?)?.copy_from_slice(bytes);
                    }
                    Piece::Copied(from, _) => {
                        if next.len() == PIECES {
                            return None;
                        }
                        let from = u64::try_from(from.checked_add(within)?).ok()?;
                        next.push(Want { from, to: left.to, length });
                    }
                }
                let passed = u64::try_from(length).ok()?;
                left =
                    Want { from: left.from.checked_add(passed)?, to: left.to + length, length: left.length - length };
                at += 1;
            }
        }
        self.wants = next;
        Some(())
    }

    /// What the object in which all differences end is asked for, as it goes by.
    pub fn taking(mut self) -> Taking {
        self.wants.sort_unstable_by_key(|want| std::cmp::Reverse(want.from));
        Taking { later: self.wants, now: Vec::new(), out: self.out, at: 0 }
    }
}

/// What is still to be taken of an object that goes by.
#[derive(Debug)]
pub struct Taking {
    /// What has not begun yet, the next one last.
    later: Vec<Want>,
    now: Vec<Want>,
    out: Vec<u8>,
    at: u64,
}

impl Taking {
    /// The next bytes of the object go by.
    pub fn pass(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        while let Some(next) = self.later.pop_if(|want| want.from < end) {
            self.now.push(next);
        }
        let (at, out) = (self.at, &mut self.out);
        self.now.retain_mut(|want| {
            let within = usize::try_from(want.from.saturating_sub(at)).unwrap_or(usize::MAX);
            let here = bytes.get(within..).unwrap_or_default();
            let here = here.get(..want.length).unwrap_or(here);
            if let Some(to) = out.get_mut(want.to..want.to + here.len()) {
                to.copy_from_slice(here);
            }
            let passed = u64::try_from(here.len()).unwrap_or_default();
            *want = Want { from: want.from + passed, to: want.to + here.len(), length: want.length - here.len() };
            want.length > 0
        });
        self.at = end;
    }

    /// The object; `None` where something of it did not go by.
    pub fn whole(self) -> Option<Vec<u8>> {
        (self.later.is_empty() && self.now.is_empty()).then_some(self.out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::entry::delta;
    use super::*;

    /// A difference to something of `base` bytes, of pieces that are copied (where, how many) or inserted; how many bytes
    /// come out of it.
    fn made(base: usize, pieces: &[(usize, usize, Vec<u8>)]) -> (Vec<u8>, usize) {
        let mut steps = Vec::new();
        let mut result = 0;
        for (from, length, inserted) in pieces {
            if inserted.is_empty() {
                let from = from % base;
                let length = (length % 200 + 1).min(base - from);
                steps.push(0x80 | 0b111 | 0b1_0000);
                steps.extend_from_slice(&from.to_le_bytes()[..3]);
                steps.push(u8::try_from(length).unwrap());
                result += length;
            } else {
                steps.push(u8::try_from(inserted.len()).unwrap());
                steps.extend_from_slice(inserted);
                result += inserted.len();
            }
        }
        let sized = |size: usize| {
            let low = |shift: usize| u8::try_from(size >> shift & 0x7f).unwrap();
            [low(0) | 0x80, low(7) | 0x80, low(14)]
        };
        ([&sized(base)[..], &sized(result), &steps].concat(), result)
    }

    fn pieces() -> impl Strategy<Value = Vec<(usize, usize, Vec<u8>)>> {
        let inserted = prop_oneof![Just(Vec::new()), proptest::collection::vec(any::<u8>(), 1..100)];
        proptest::collection::vec(
            (any::<u16>().prop_map(usize::from), any::<u8>().prop_map(usize::from), inserted),
            1..20,
        )
    }

    proptest! {
        #[test]
        fn what_is_gathered_is_what_the_differences_make(
            base in proptest::collection::vec(any::<u8>(), 1..5000),
            first in pieces(),
            second in pieces(),
            third in pieces(),
            step in 1..700_usize,
        ) {
            let mut deltas = Vec::new();
            let mut size = base.len();
            let mut expected = base.clone();
            for pieces in [first, second, third] {
                let (bytes, result) = made(size, &pieces);
                expected = delta(&bytes).unwrap().apply(&expected).unwrap();
                deltas.push(bytes);
                size = result;
            }
            let mut gathering = Gathering::new(size);
            for bytes in deltas.iter().rev() {
                prop_assert!(gathering.through(&delta(bytes).unwrap()).is_some());
            }
            let mut taking = gathering.taking();
            base.chunks(step).for_each(|piece| taking.pass(piece));
            prop_assert_eq!(taking.whole(), Some(expected));
        }
    }

    #[test]
    fn what_does_not_come_is_no_object() {
        let bytes = [10, 3, 0b1001_0001, 7, 3];
        let gathered = |base: &[u8]| {
            let mut gathering = Gathering::new(3);
            gathering.through(&delta(&bytes).unwrap()).unwrap();
            let mut taking = gathering.taking();
            taking.pass(base);
            taking.whole()
        };
        assert_eq!(gathered(b"0123456789").as_deref(), Some(&b"789"[..]));
        assert_eq!(gathered(b"012345678"), None);
        // Beyond the base, of another size, and none.
        for bytes in [&[10, 3, 0b1001_0001, 8, 3][..], &[10, 4, 0b1001_0001, 7, 3], &[10, 3, 0]] {
            assert!(Gathering::new(3).through(&delta(bytes).unwrap()).is_none());
        }
    }
}
