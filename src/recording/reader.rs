//! Opens what a scan found, frame by frame, and reads a recording that still grows.

use std::io::{self, Read, Seek};

use super::age::{self, Identity};
use super::cast::{self, Entry};
use super::fault::{Fault, Part};
use super::frame::{HEAD, HEADER, Head, Header, LARGEST, TAIL};
use super::scan::{Frame, Scan, sealed};
use crate::domain::id::Digest;

/// Opens one frame: what its lines say, and what is wrong with them.
///
/// # Errors
/// Where the file cannot be read, which is no verdict.
pub fn open<R: Read + Seek>(
    source: &mut R,
    frame: &Frame,
    identity: &Identity<'_>,
) -> io::Result<(Vec<Entry>, Option<Fault>)> {
    let sealed = sealed(source, frame)?;
    Ok(entries(frame.sequence, &sealed, identity))
}

fn entries(sequence: u64, sealed: &[u8], identity: &Identity<'_>) -> (Vec<Entry>, Option<Fault>) {
    match age::open(sealed, identity).map(|plain| cast::read(&plain)) {
        Ok(Ok(entries)) => (entries, None),
        Ok(Err((entries, line))) => (entries, Some(Fault::Lines { sequence, line: line.0 })),
        Err(cause) => (Vec::new(), Some(Fault::Sealed { sequence, cause })),
    }
}

/// Opens every frame once: `each` sees what they hold, and what is wrong with them is added to the scan's faults. What the
/// scan could only narrow down is told now: a changed time, or a changed text.
///
/// # Errors
/// Where the file cannot be read, which is no verdict.
pub fn open_all<R: Read + Seek>(
    source: &mut R,
    scan: &mut Scan,
    identity: &Identity<'_>,
    each: &mut dyn FnMut(&Entry),
) -> io::Result<()> {
    for frame in &scan.frames {
        let (entries, fault) = open(source, frame, identity)?;
        entries.iter().for_each(&mut *each);
        let narrowed = scan.faults.iter_mut().find_map(|known| match known {
            Fault::Changed { sequence, part, .. } if *sequence == frame.sequence => Some(part),
            _ => None,
        });
        match (narrowed, fault) {
            (Some(part @ (Part::TimeOrSealed | Part::TimeSealedOrDigest)), Some(_)) => *part = Part::Sealed,
            (Some(part @ Part::TimeOrSealed), None) => *part = Part::Time,
            (Some(part @ Part::TimeSealedOrDigest), None) => *part = Part::TimeOrDigest,
            (_, Some(fault)) => scan.faults.push(fault),
            (_, None) => {}
        }
    }
    Ok(())
}

/// Reads a recording that grows: each frame as soon as it is whole.
pub struct Tail {
    header: Option<Header>,
    offset: u64,
    next: u64,
    previous: Digest,
    ended: bool,
}

/// What a growing recording gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grown {
    /// A frame: what it holds.
    Frame(Vec<Entry>),
    /// The next frame is not whole yet.
    NotYet,
    /// The last frame was read; the recording's head.
    Ended(Digest),
    /// It does not go on as a recording does: the file as a whole tells why.
    Broken,
    /// A frame does not open.
    Fault(Fault),
}

impl Tail {
    /// From the beginning of a recording of `expected`.
    pub const fn new(expected: Header) -> Self {
        Self { header: Some(expected), offset: 0, next: 0, previous: Digest::from_bytes([0; 32]), ended: false }
    }

    /// The next frame.
    ///
    /// # Errors
    /// Where the file cannot be read, which is no verdict.
    pub fn next<R: Read + Seek>(&mut self, source: &mut R, identity: &Identity<'_>) -> io::Result<Grown> {
        if self.ended {
            return Ok(Grown::Ended(self.previous));
        }
        if let Some(expected) = &self.header {
            let bytes = at(source, 0, HEADER)?;
            if bytes.len() < HEADER {
                return Ok(Grown::NotYet);
            }
            if bytes != expected.to_bytes() {
                return Ok(Grown::Broken);
            }
            self.previous = expected.digest();
            self.offset = wide(HEADER);
            self.header = None;
        }
        let head = at(source, self.offset, HEAD)?;
        if head.len() < HEAD {
            return Ok(Grown::NotYet);
        }
        let Some(head) = Head::parse(&head) else { return Ok(Grown::Broken) };
        let length = usize::try_from(head.length).ok().filter(|&length| length <= LARGEST);
        let (true, Some(length)) = (head.sequence == self.next && head.previous == self.previous, length) else {
            return Ok(Grown::Broken);
        };
        let total = HEAD + length + TAIL;
        let frame = at(source, self.offset, total)?;
        let Some((body, stored)) = frame.split_last_chunk::<TAIL>().filter(|_| frame.len() == total) else {
            return Ok(Grown::NotYet);
        };
        let digest = Digest::of(body);
        if digest.as_bytes() != stored {
            return Ok(Grown::Broken);
        }
        self.offset = self.offset.saturating_add(wide(total));
        self.next = self.next.saturating_add(1);
        self.previous = digest;
        self.ended = head.last;
        let sealed = body.get(HEAD..).unwrap_or_default();
        Ok(match entries(head.sequence, sealed, identity) {
            (_, Some(fault)) => Grown::Fault(fault),
            (entries, None) => Grown::Frame(entries),
        })
    }
}

fn at<R: Read + Seek>(source: &mut R, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    source.seek(io::SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    source.take(wide(most)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
