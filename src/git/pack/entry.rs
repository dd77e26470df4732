//! An entry of a pack, and the difference that it may hold: decoders over bytes from outside, and nothing else. PURE;
//! imports `domain::id`, `ports`. Git: gitformat-pack, "pack-*.pack files have the following format".

use crate::domain::id::ObjectId;
use crate::ports::ObjectKind;

/// The most bytes in front of an entry's zlib stream: the size, and the longest way to name what it differs from.
pub const HEAD_BYTES: usize = 32;
/// The most bytes in which a difference says the two sizes.
pub const SIZES_BYTES: usize = 20;
/// How much is put by for a result whose size is only claimed.
const CLAIMED: usize = 1024 * 1024;

/// What stands in front of an entry's zlib stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What the stream holds.
    pub what: What,
    /// How many bytes come out of the stream.
    pub size: u64,
    /// How many bytes of the pack stand before the stream.
    pub head: usize,
}

/// What an entry's stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// An object.
    Whole(ObjectKind),
    /// A tag: no ledger holds one.
    Tag,
    /// A difference to the entry that begins so many bytes earlier.
    Back(u64),
    /// A difference to an object of the same pack.
    From(ObjectId),
}

/// The head of an entry that begins with `bytes`; `None` where these are no head, or too few.
pub fn entry(bytes: &[u8]) -> Option<Entry> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut size = u64::from(first & 0x0f);
    let mut more = first & 0x80 != 0;
    let mut shift = 4;
    while more {
        let (&byte, behind) = rest.split_first()?;
        size |= shifted(byte & 0x7f, shift)?;
        (more, rest, shift) = (byte & 0x80 != 0, behind, shift + 7);
    }
    let what = match (first >> 4) & 7 {
        1 => What::Whole(ObjectKind::Commit),
        2 => What::Whole(ObjectKind::Tree),
        3 => What::Whole(ObjectKind::Blob),
        4 => What::Tag,
        6 => {
            let (distance, behind) = distance(rest)?;
            rest = behind;
            What::Back(distance)
        }
        7 => {
            let (id, behind) = rest.split_first_chunk()?;
            rest = behind;
            What::From(ObjectId::from_bytes(*id))
        }
        _ => return None,
    };
    Some(Entry { what, size, head: bytes.len() - rest.len() })
}

/// Seven bits at their place, where none of them falls off. Zeroes for ever are no number, either.
fn shifted(bits: u8, shift: u32) -> Option<u64> {
    let bits = u64::from(bits);
    if shift > bits.leading_zeros() { None } else { bits.checked_shl(shift) }
}

/// How far back a difference's base lies: seven bits a byte, highest first, and one is added for each further byte.
fn distance(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut distance = u64::from(first & 0x7f);
    let mut more = first & 0x80 != 0;
    while more {
        let (&byte, behind) = rest.split_first()?;
        distance = distance.checked_add(1)?.checked_mul(0x80)? | u64::from(byte & 0x7f);
        (more, rest) = (byte & 0x80 != 0, behind);
    }
    (distance > 0).then_some((distance, rest))
}

/// A difference: how to make an object out of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta<'a> {
    /// How many bytes the other one has.
    pub base: u64,
    /// How many bytes the object has.
    pub result: u64,
    steps: &'a [u8],
}

/// Reads the two sizes at the head of a difference; `None` where these are none. What follows is looked at only by
/// [`Delta::apply`], so that the head alone will do.
pub fn delta(bytes: &[u8]) -> Option<Delta<'_>> {
    let (base, rest) = size(bytes)?;
    let (result, steps) = size(rest)?;
    Some(Delta { base, result, steps })
}

/// A size: seven bits a byte, lowest first.
fn size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut rest = bytes;
    let (mut size, mut shift) = (0, 0);
    loop {
        let (&byte, behind) = rest.split_first()?;
        size |= shifted(byte & 0x7f, shift)?;
        rest = behind;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((size, rest));
        }
    }
}

impl Delta<'_> {
    /// Makes the object out of `base`; `None` where the difference is not one to it, or does not give what it says.
    pub fn apply(&self, base: &[u8]) -> Option<Vec<u8>> {
        if u64::try_from(base.len()).ok()? != self.base {
            return None;
        }
        let size = usize::try_from(self.result).ok()?;
        let mut out = Vec::with_capacity(size.min(CLAIMED));
        let mut rest = self.steps;
        while !rest.is_empty() {
            let piece;
            (piece, rest) = next(rest)?;
            let piece = match piece {
                Piece::Copied(from, length) => base.get(from..from.checked_add(length)?)?,
                Piece::Inserted(bytes) => bytes,
            };
            if piece.len() > size - out.len() {
                return None;
            }
            out.extend_from_slice(piece);
        }
        (out.len() == size).then_some(out)
    }

    /// The pieces that the object is made of, in their order; `None` for one that is none, which is the last then.
    pub fn pieces(&self) -> impl Iterator<Item = Option<Piece<'_>>> {
        let mut rest = self.steps;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let found = next(rest);
            rest = found.map_or(&[][..], |(_, behind)| behind);
            Some(found.map(|(piece, _)| piece))
        })
    }
}

/// A piece of an object that a difference makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// So many bytes of the other one: where they begin, and how many.
    Copied(usize, usize),
    /// Bytes of its own.
    Inserted(&'a [u8]),
}

impl Piece<'_> {
    /// How many bytes it has.
    pub const fn len(&self) -> usize {
        match self {
            Self::Copied(_, length) => *length,
            Self::Inserted(bytes) => bytes.len(),
        }
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The next piece, and what follows it.
fn next(steps: &[u8]) -> Option<(Piece<'_>, &[u8])> {
    let (&step, behind) = steps.split_first()?;
    if step & 0x80 != 0 {
        let (from, behind) = number(step, behind)?;
        let (length, behind) = number((step >> 4) & 7, behind)?;
        Some((Piece::Copied(from, if length == 0 { 0x1_0000 } else { length }), behind))
    } else if step == 0 {
        // Kept by git for what may come.
        None
    } else {
        let (bytes, behind) = behind.split_at_checked(usize::from(step))?;
        Some((Piece::Inserted(bytes), behind))
    }
}

/// A number whose bytes that are not zero are there, lowest first: the four low bits of `which` say which.
fn number(which: u8, bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (mut number, mut rest) = (0, bytes);
    for (bit, shift) in [(1_u8, 0), (2, 8), (4, 16), (8, 24)] {
        if which & bit != 0 {
            let (&byte, behind) = rest.split_first()?;
            number |= usize::from(byte) << shift;
            rest = behind;
        }
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn heads_as_git_documents_them() {
        let whole = |kind, size, head| Some(Entry { what: What::Whole(kind), size, head });
        assert_eq!(entry(&[0x15, 9]), whole(ObjectKind::Commit, 5, 1));
        assert_eq!(entry(&[0xa5, 0x03]), whole(ObjectKind::Tree, 5 + (3 << 4), 2));
        assert_eq!(entry(&[0xbf, 0x80, 0x01]), whole(ObjectKind::Blob, 15 + (1 << 11), 3));
        assert_eq!(entry(&[0x41]).map(|entry| entry.what), Some(What::Tag));
        assert_eq!(entry(&[0x61, 0x05]), Some(Entry { what: What::Back(5), size: 1, head: 2 }));
        // 0x80 0x00: ((0 + 1) << 7) + 0.
        assert_eq!(entry(&[0x61, 0x80, 0x00]), Some(Entry { what: What::Back(128), size: 1, head: 3 }));
        let named = [&[0x72_u8][..], &[7; 20]].concat();
        let from = What::From(ObjectId::from_bytes([7; 20]));
        assert_eq!(entry(&named), Some(Entry { what: from, size: 2, head: 21 }));
    }

    #[test]
    fn what_is_no_head() {
        let cases: [&[u8]; 8] = [
            &[],
            &[0x05],
            &[0x55],
            &[0x95],
            &[0x61],
            &[0x61, 0x00],
            &[0x71, 1, 2, 3],
            // A size of more than 64 bits, and a distance of more.
            &[0x9f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ];
        for case in cases {
            assert_eq!(entry(case), None, "{case:x?}");
        }
        assert_eq!(entry(&[&[0x61][..], &[0xff; 10], &[0x7f]].concat()), None);
        assert!(entry(&[0x9f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_some());
    }

    #[test]
    fn a_difference_copies_and_inserts() {
        // base 5, result 7: "ab" inserted, then all five.
        let bytes = [5, 7, 2, b'a', b'b', 0x90, 5];
        assert_eq!(delta(&bytes).unwrap().apply(b"12345").as_deref(), Some(&b"ab12345"[..]));
        // Length zero stands for 65,536.
        let long = [0x80, 0x80, 0x04, 0x80, 0x80, 0x04, 0x80];
        assert_eq!(delta(&long).unwrap().apply(&[3; 65_536]), Some(vec![3; 65_536]));
        let wrong: [&[u8]; 6] = [
            &[5, 7, 2, b'a', b'b', 0x90, 6],
            &[5, 8, 2, b'a', b'b', 0x90, 5],
            &[5, 6, 2, b'a', b'b', 0x90, 5],
            &[4, 7, 2, b'a', b'b', 0x90, 5],
            &[5, 7, 2, b'a', b'b', 0x90, 5, 0],
            &[5, 7, 9, b'a'],
        ];
        for case in wrong {
            assert_eq!(delta(case).unwrap().apply(b"12345"), None, "{case:x?}");
        }
        assert_eq!(delta(&[0x80]), None);
        // Nothing is put by for a claim.
        assert_eq!(delta(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).unwrap().apply(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200), base in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(entry) = entry(&bytes) {
                prop_assert!(entry.head <= HEAD_BYTES.min(bytes.len()));
            }
            if let Some(delta) = delta(&bytes)
                && let Some(result) = delta.apply(&base)
            {
                prop_assert_eq!(u64::try_from(result.len()).unwrap(), delta.result);
            }
        }
    }
}
