//! The file of a recording: a header of 207 bytes that binds it to one session of one ledger, then frames. Each frame
//! holds one age file and the digest of the frame before it, the first one that of the header; the last one says that it
//! is the last. The digest of the last frame is the recording's head, which `session-end` holds. format.md, "Recordings".

use std::fs::File;
use std::io::{self, Write as _};

use crate::domain::id::{CaseId, Digest, Nonce};
use crate::domain::key::Wire;

/// Bytes of the header: it has the same length for every recording.
pub const HEADER: usize = 207;
/// Bytes of a frame before its sealed text.
pub const HEAD: usize = 60;
/// Bytes of a frame after its sealed text.
pub const TAIL: usize = 32;
/// The most sealed bytes that a frame holds.
pub const LARGEST: usize = 1024 * 1024;
/// What each frame begins with.
pub const MAGIC: [u8; 4] = *b"jitf";

/// Which session a recording is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The ledger: the digest of its genesis.
    pub ledger: Digest,
    /// The case.
    pub case: CaseId,
    /// The session, as `session-start` names it.
    pub session: Nonce,
}

/// What a file begins with is no header; which line is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its line {0:?} is malformed")]
pub struct HeaderError(pub &'static str);

impl Header {
    /// The 207 bytes: four lines of text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { ledger, case, session } = self;
        format!("jit-recording 1\nledger {ledger}\ncase {case}\nsession {session}\n").into_bytes()
    }

    /// Parses exactly these bytes.
    ///
    /// # Errors
    /// The first line that is not as it should be.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let text = std::str::from_utf8(bytes).map_err(|_| HeaderError("jit-recording 1"))?;
        let rest = text.strip_prefix("jit-recording 1\n").ok_or(HeaderError("jit-recording 1"))?;
        let line = |rest: &str, name: &'static str| {
            let (value, after) = rest.strip_prefix(name)?.strip_prefix(' ')?.split_once('\n')?;
            Some((value.to_owned(), after.to_owned()))
        };
        let (ledger, rest) = line(rest, "ledger").ok_or(HeaderError("ledger"))?;
        let (case, rest) = line(&rest, "case").ok_or(HeaderError("case"))?;
        let (session, rest) = line(&rest, "session").ok_or(HeaderError("session"))?;
        if !rest.is_empty() {
            return Err(HeaderError("session"));
        }
        Ok(Self {
            ledger: ledger.parse().map_err(|_| HeaderError("ledger"))?,
            case: CaseId(case.parse().map_err(|_| HeaderError("case"))?),
            session: session.parse().map_err(|_| HeaderError("session"))?,
        })
    }

    /// The digest of its bytes: what the first frame follows.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }
}

/// Where a recording is written to: bytes at its end, and the certainty that they are on the disk.
pub trait Sink {
    /// Adds all of `bytes` at the end.
    ///
    /// # Errors
    /// Where they cannot be written whole.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was added would outlive a power cut.
    ///
    /// # Errors
    /// Where that cannot be said.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Sink for Vec<u8> {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (**self).sync()
    }
}

/// The head of a frame: everything before its sealed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whether it is the last.
    pub last: bool,
    /// 0, 1, 2, …
    pub sequence: u64,
    /// When it was sealed: milliseconds since 1970-01-01T00:00:00Z.
    pub time: u64,
    /// The digest of the frame before; of the header for the first.
    pub previous: Digest,
    /// Bytes of sealed text.
    pub length: u32,
}

impl Head {
    /// Its 60 bytes; numbers are big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&u32::from(self.last).to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.time.to_be_bytes());
        out.extend_from_slice(self.previous.as_bytes());
        out.extend_from_slice(&self.length.to_be_bytes());
        out
    }
}

impl Head {
    /// Parses 60 bytes; `None` where they do not begin as a frame does, or the mark of the last is neither 0 nor 1.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut wire = Wire::new(bytes.strip_prefix(&MAGIC)?);
        let last = match wire.u32()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let (sequence, time) = (wire.u64()?, wire.u64()?);
        let previous = Digest::from_bytes(wire.take(32)?.try_into().ok()?);
        let length = wire.u32()?;
        wire.is_empty().then_some(Self { last, sequence, time, previous, length })
    }
}

/// Why a frame was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It cannot be written, or it cannot be said that it is on the disk. Nothing may be written after it.
    #[error("cannot write the recording: {0}")]
    Write(#[source] io::Error),
    /// An earlier write failed or the last frame was written.
    #[error("the recording takes no further frame")]
    Closed,
    /// More than a frame may hold (bytes).
    #[error("a frame of {0} bytes is too large")]
    TooLarge(usize),
}

/// Writes a recording. Each frame is on the disk when [`Writer::append`] returns.
#[derive(Debug)]
pub struct Writer<S> {
    sink: S,
    next: u64,
    head: Digest,
    bytes: u64,
    open: bool,
}

impl<S: Sink> Writer<S> {
    /// Begins a recording in `sink`, which is empty.
    ///
    /// # Errors
    /// [`WriteError::Write`].
    pub fn begin(mut sink: S, header: &Header) -> Result<Self, WriteError> {
        let bytes = header.to_bytes();
        sink.append(&bytes).and_then(|()| sink.sync()).map_err(WriteError::Write)?;
        Ok(Self { sink, next: 0, head: Digest::of(&bytes), bytes: count(bytes.len()), open: true })
    }

    /// Writes a frame, and returns its digest. After one that is `last`, and after any failure, it takes no more: what
    /// stood after a frame that was written in part, nobody could read.
    ///
    /// # Errors
    /// The cause, as [`WriteError`] has them.
    pub fn append(&mut self, time: u64, last: bool, sealed: &[u8]) -> Result<Digest, WriteError> {
        if !self.open {
            return Err(WriteError::Closed);
        }
        let too_large = || WriteError::TooLarge(sealed.len());
        let length = u32::try_from(sealed.len()).ok().filter(|_| sealed.len() <= LARGEST).ok_or_else(too_large)?;
        let head = Head { last, sequence: self.next, time, previous: self.head, length };
        let mut frame = head.to_bytes();
        frame.extend_from_slice(sealed);
        let digest = Digest::of(&frame);
        frame.extend_from_slice(digest.as_bytes());
        self.open = false;
        self.sink.append(&frame).and_then(|()| self.sink.sync()).map_err(WriteError::Write)?;
        self.open = !last;
        self.next = self.next.saturating_add(1);
        self.head = digest;
        self.bytes = self.bytes.saturating_add(count(frame.len()));
        Ok(digest)
    }

    /// The digest of the last frame that was written; of the header before the first one.
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// How many frames were written.
    pub const fn frames(&self) -> u64 {
        self.next
    }

    /// Bytes written.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
