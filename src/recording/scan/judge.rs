//! Holds the frames that were found against the chain: numbers without a gap, each frame following the one before, the
//! last one marked, the head as the ledger has it. Judges what was found and reads only damaged pieces again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

use super::super::fault::{Fault, Part};
use super::super::frame::{HEADER, Head, Header, HeaderError};
use super::damage::{self, Damage};
use super::pieces::{Bytes, Look, Piece};
use super::{Expected, Frame, Scan};
use crate::domain::id::Digest;

/// After so many faults a changed time is not searched for bit by bit any more.
const MOST_THOROUGH: usize = 64;

/// Judges what was found.
pub fn judge<R: Read + Seek>(bytes: &mut Bytes<'_, R>, pieces: Vec<Piece>, expected: &Expected) -> io::Result<Scan> {
    let header = bytes.at(0, HEADER)?;
    let first = pieces.first().and_then(|piece| piece.whole).filter(|(head, _)| head.sequence == 0);
    let mut chain = Chain::begin(&header, first.map(|(head, _)| head.previous), expected.header.as_ref());
    let links = Links::of(&pieces, &header);
    let mut order = Order::of(pieces);
    let mut at = 0;
    while let Some(piece) = order.pieces.get(at).copied() {
        if chain.ended {
            let bytes = bytes.size.saturating_sub(piece.offset);
            chain.faults.push(Fault::Trailing { offset: piece.offset, bytes });
            break;
        }
        if let Some((head, digest)) = piece.whole {
            let awaited = order.next_of(chain.next, at);
            if let Some(there) = chain.whole(piece, head, digest, &links, awaited) {
                // Read on as if they had never been swapped.
                order.swap(at, there);
                continue;
            }
        } else {
            let follows = order.whole_after(at);
            chain.damaged(bytes, piece, follows, expected.head)?;
        }
        at += 1;
    }
    Ok(chain.finish(bytes.size, expected.head))
}

/// The pieces, and where each number is: a file of very many pieces must not keep anybody busy.
struct Order {
    pieces: Vec<Piece>,
    /// Where the whole frames of a number are.
    places: BTreeMap<u64, BTreeSet<usize>>,
    /// Where whole frames are.
    whole: BTreeSet<usize>,
}

impl Order {
    fn of(pieces: Vec<Piece>) -> Self {
        let mut order = Self { pieces: Vec::new(), places: BTreeMap::new(), whole: BTreeSet::new() };
        for (at, piece) in pieces.iter().enumerate() {
            if let Some((head, _)) = piece.whole {
                order.places.entry(head.sequence).or_default().insert(at);
                order.whole.insert(at);
            }
        }
        Self { pieces, ..order }
    }

    /// Where after `at` a whole frame with this number stands.
    fn next_of(&self, sequence: u64, at: usize) -> Option<usize> {
        self.places.get(&sequence)?.range(at.checked_add(1)?..).next().copied()
    }

    /// The next whole frame after `at`.
    fn whole_after(&self, at: usize) -> Option<(Head, Digest)> {
        let there = self.whole.range(at.checked_add(1)?..).next()?;
        self.pieces.get(*there)?.whole
    }

    /// Two whole frames change places.
    fn swap(&mut self, one: usize, other: usize) {
        for (from, to) in [(one, other), (other, one)] {
            if let Some((head, _)) = self.pieces.get(from).and_then(|piece| piece.whole) {
                let places = self.places.entry(head.sequence).or_default();
                places.remove(&from);
                places.insert(to);
            }
        }
        self.pieces.swap(one, other);
    }
}

/// Which frames belong together: what follows what.
struct Links {
    digests: BTreeSet<Digest>,
    previous: BTreeSet<Digest>,
}

impl Links {
    fn of(pieces: &[Piece], header: &[u8]) -> Self {
        let whole = || pieces.iter().filter_map(|piece| piece.whole);
        let mut digests: BTreeSet<Digest> = whole().map(|(_, digest)| digest).collect();
        digests.insert(Digest::of(header));
        Self { digests, previous: whole().map(|(head, _)| head.previous).collect() }
    }

    /// Whether it follows, or is followed by, something that is here.
    fn join(&self, head: &Head, digest: &Digest) -> bool {
        self.digests.contains(&head.previous) || self.previous.contains(digest)
    }
}

/// The state of the judgement.
struct Chain {
    header: Option<Header>,
    /// The number that the next frame has.
    next: u64,
    /// What the next frame may follow; anything, where damage hides it.
    previous: Option<Vec<Digest>>,
    frames: BTreeMap<u64, Frame>,
    taken: BTreeSet<Digest>,
    head: Digest,
    ended: bool,
    cut: bool,
    faults: Vec<Fault>,
}

impl Chain {
    /// `first` is what the first frame follows, where it is whole.
    fn begin(bytes: &[u8], first: Option<Digest>, expected: Option<&Header>) -> Self {
        let own = Digest::of(bytes);
        let mut chain = Self {
            header: None,
            next: 0,
            previous: Some(vec![own]),
            frames: BTreeMap::new(),
            taken: BTreeSet::new(),
            head: own,
            ended: false,
            cut: false,
            faults: Vec::new(),
        };
        if bytes.len() < HEADER {
            chain.faults.push(Fault::HeaderCut { have: u64::try_from(bytes.len()).unwrap_or(u64::MAX) });
            chain.cut = true;
            return chain;
        }
        let vouched_for = |header: &Header| first == Some(header.digest());
        match Header::parse(bytes) {
            Err(HeaderError(line)) => {
                chain.faults.push(Fault::HeaderMalformed { line });
                chain.previous = None;
            }
            Ok(found) => {
                match expected.and_then(|expected| Some((difference(&found, expected)?, vouched_for(expected)))) {
                    Some(((line, _), true)) => chain.faults.push(Fault::HeaderChanged { line }),
                    Some(((line, found), false)) => chain.faults.push(Fault::OtherSession { line, found }),
                    None if first.is_some() && !vouched_for(&found) => {
                        chain.faults.push(Fault::HeaderChanged { line: "ledger, case and session" });
                    }
                    None => {}
                }
                if first.is_some() && !vouched_for(&found) {
                    // Said already: the first frame is not to be blamed as well.
                    chain.previous = None;
                }
                chain.header = Some(found);
            }
        }
        chain
    }

    /// Takes a whole frame, or says that it is no part of the chain. Returns where the frame stands that should stand here,
    /// when the two are swapped.
    fn whole(
        &mut self,
        piece: Piece,
        head: Head,
        digest: Digest,
        links: &Links,
        awaited: Option<usize>,
    ) -> Option<usize> {
        let Head { sequence, .. } = head;
        let foreign = Fault::Foreign { sequence, offset: piece.offset };
        let follows = self.previous.as_ref().is_none_or(|previous| previous.contains(&head.previous));
        if sequence < self.next {
            let twice = Fault::Twice { sequence, offset: piece.offset };
            self.faults.push(if self.taken.contains(&digest) { twice } else { foreign });
            return None;
        }
        if sequence > self.next {
            match awaited {
                Some(_) if !links.join(&head, &digest) => {
                    self.faults.push(foreign);
                    return None;
                }
                Some(there) => {
                    self.faults.push(Fault::Swapped { first: self.next, second: sequence });
                    return Some(there);
                }
                None => self.faults.push(Fault::Missing { first: self.next, last: sequence - 1 }),
            }
        } else if !follows {
            self.faults.push(foreign);
            if awaited.is_none() {
                // It stands in the place of ours: the next one follows what is not here. What it holds is not read.
                self.take(piece, head, digest, None);
                self.frames.remove(&sequence);
            }
            return None;
        }
        self.take(piece, head, digest, Some(vec![digest]));
        None
    }

    /// Names what is wrong with a damaged piece.
    fn damaged<R: Read + Seek>(
        &mut self,
        bytes: &mut Bytes<'_, R>,
        piece: Piece,
        follows: Option<(Head, Digest)>,
        ledger: Option<Digest>,
    ) -> io::Result<()> {
        let (sequence, offset) = (self.next, piece.offset);
        let span = piece.end.saturating_sub(offset);
        let text = bytes.at(offset, damage::LARGEST_FRAME + 1)?;
        let text = text.get(..usize::try_from(span).unwrap_or(usize::MAX)).unwrap_or(&text);
        let vouched =
            follows.filter(|(head, _)| head.sequence == sequence.saturating_add(1)).map(|(head, _)| head.previous);
        let known = self.previous.as_ref().and_then(|previous| previous.first()).copied();
        // After a frame that calls itself the last, only the ledger can say which digest was right.
        let vouched = vouched.or(ledger.filter(|_| follows.is_none() && piece.end == bytes.size));
        let thorough = self.faults.len() < MOST_THOROUGH;
        if let Some(Damage { part, head, digest }) = damage::name(text, sequence, known, vouched, thorough) {
            self.faults.push(Fault::Changed { sequence, offset, part });
            // Either may be what the next frame follows.
            let stored = damage::stored(text);
            self.take(piece, head, digest, Some([Some(digest), stored].into_iter().flatten().collect()));
            return Ok(());
        }
        if follows.is_none() && piece.end == bytes.size {
            self.faults.push(match bytes.look(offset)? {
                Look::Short(of) => Fault::Cut { sequence, have: span, of },
                Look::Whole(..) | Look::Damaged(_) => Fault::Changed { sequence, offset, part: Part::Several },
                Look::NoFrame => Fault::Debris { offset, bytes: span },
            });
            self.cut = true;
            return Ok(());
        }
        match follows {
            Some((head, _)) if head.sequence == sequence.saturating_add(1) => {
                self.faults.push(Fault::Changed { sequence, offset, part: Part::Several });
                self.next = head.sequence;
            }
            _ => self.faults.push(Fault::Debris { offset, bytes: span }),
        }
        self.previous = None;
        Ok(())
    }

    fn take(&mut self, piece: Piece, head: Head, digest: Digest, previous: Option<Vec<Digest>>) {
        let Head { sequence, time, length, .. } = head;
        let frame =
            Frame { sequence, time, offset: piece.offset, length, digest: piece.whole.map(|(_, digest)| digest) };
        self.frames.insert(head.sequence, frame);
        self.taken.insert(digest);
        self.next = head.sequence.saturating_add(1);
        self.previous = previous;
        self.head = digest;
        self.ended = head.last;
    }

    fn finish(mut self, size: u64, ledger: Option<Digest>) -> Scan {
        if !self.ended && !self.cut {
            self.faults.push(Fault::NoLast { after: self.next.checked_sub(1) });
        }
        let found = self.head;
        if let Some(ledger) = ledger.filter(|ledger| *ledger != found) {
            self.faults.push(Fault::OtherHead { found, ledger });
        }
        Scan {
            header: self.header,
            frames: self.frames.into_values().collect(),
            faults: self.faults,
            head: self.head,
            complete: self.ended,
            size,
        }
    }
}

/// The first line in which two headers differ, and what `found` has there.
fn difference(found: &Header, expected: &Header) -> Option<(&'static str, String)> {
    if found.ledger != expected.ledger {
        return Some(("ledger", found.ledger.to_string()));
    }
    if found.case != expected.case {
        return Some(("case", found.case.to_string()));
    }
    (found.session != expected.session).then(|| ("session", found.session.to_string()))
}
