//! Makes a recording of what a session's channels say: buffers lines, seals a chunk when it is full or a second old, and
//! appends it as a frame. Pure: time comes as an argument, bytes go to a [`Sink`], randomness comes from a port. After an
//! error nothing more is taken; a session that cannot be recorded must not go on.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::age::{self, SealError};
use super::cast::{self, Kind, Utf8};
use super::frame::{Header, Sink, WriteError, Writer};
use crate::domain::id::Digest;
use crate::domain::key::PublicKey;
use crate::ports::Rng;

/// A chunk is sealed when it has as many bytes.
pub const CHUNK_BYTES: usize = 32 * 1024;
/// A chunk is sealed when its first line is as old, in milliseconds.
pub const CHUNK_MILLIS: u64 = 1000;
/// How much of what a channel says becomes one line: six bytes of JSON a byte at most, so that no frame is too large.
const PIECE: usize = 4 * 1024;

/// Why a recording does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A channel that is not open; its number.
    #[error("channel {0} is not open")]
    NoChannel(u32),
    /// A channel that is open already; its number.
    #[error("channel {0} is open already")]
    ChannelOpen(u32),
}

/// A terminal, as the client asked for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// The value of TERM.
    pub term: String,
    /// Its width in characters.
    pub columns: u16,
    /// Its height in lines.
    pub rows: u16,
}

/// How a channel opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelOpen {
    /// The command; `None` for a shell.
    pub command: Option<String>,
    /// Its terminal; `None` where it has pipes.
    pub terminal: Option<Terminal>,
}

/// A whole recording: what `session-end` says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The digest of its last frame.
    pub head: Digest,
    /// The size of the file in bytes.
    pub bytes: u64,
}

/// Records one session. `at` is everywhere in milliseconds since the recording began, and never goes back: an earlier one
/// is taken as the latest there was.
pub struct Recorder<'a, S> {
    writer: Writer<S>,
    recipients: Vec<PublicKey>,
    rng: &'a mut dyn Rng,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    began: u64,
    channels: BTreeMap<u32, Channel>,
    current: Option<u32>,
    chunk: Zeroizing<Vec<u8>>,
    /// When the chunk's first line came.
    chunk_began: Option<u64>,
    latest: u64,
}

#[derive(Default)]
struct Channel {
    opened: u64,
    output: Utf8,
    input: Utf8,
}

impl<'a, S: Sink> Recorder<'a, S> {
    /// Begins a recording in the empty `sink`, sealed to each of `recipients`. `began` is the present time in milliseconds
    /// since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`SealError::NoRecipients`], [`SealError::Hardware`], or what the sink says.
    pub fn new(
        sink: S,
        recipients: &[PublicKey],
        header: &Header,
        began: u64,
        rng: &'a mut dyn Rng,
    ) -> Result<Self, RecorderError> {
        age::check_recipients(recipients)?;
        Ok(Self {
            writer: Writer::begin(sink, header)?,
            recipients: recipients.to_vec(),
            rng,
            began,
            channels: BTreeMap::new(),
            current: None,
            chunk: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES * 2)),
            chunk_began: None,
            latest: 0,
        })
    }

    /// A channel opens. Its number is the caller's; one that was closed may be used again.
    ///
    /// # Errors
    /// [`RecorderError::ChannelOpen`], or what sealing and writing say.
    pub fn open_channel(&mut self, channel: u32, at: u64, open: &ChannelOpen) -> Result<(), RecorderError> {
        let at = self.advance(at)?;
        if self.channels.contains_key(&channel) {
            return Err(RecorderError::ChannelOpen(channel));
        }
        self.channels.insert(channel, Channel { opened: at, ..Channel::default() });
        let terminal = open.terminal.as_ref();
        // A header has one line and a frame: of a command that is longer, the rest follows in marks.
        let (command, rest) = match &open.command {
            Some(command) => {
                let (first, rest) = cut(command);
                (Some(first.to_owned()), rest)
            }
            None => (None, ""),
        };
        let line = cast::Channel {
            number: channel,
            size: terminal.map_or((80, 24), |terminal| (terminal.columns, terminal.rows)),
            timestamp: self.began.saturating_add(at) / 1000,
            at,
            command,
            term: terminal.map(|terminal| terminal.term.clone()),
        };
        // The header itself makes the channel current.
        self.current = Some(channel);
        self.push(at, &line.line())?;
        if rest.is_empty() { Ok(()) } else { self.mark(channel, at, &format!("command, continued: {rest}")) }
    }

    /// Bytes that the session wrote to its user.
    ///
    /// # Errors
    /// [`RecorderError::NoChannel`], or what sealing and writing say.
    pub fn output(&mut self, channel: u32, at: u64, bytes: &[u8]) -> Result<(), RecorderError> {
        let at = self.advance(at)?;
        for piece in bytes.chunks(PIECE) {
            let text = self.channel(channel)?.output.push(piece);
            self.event(channel, at, Kind::Output, &text)?;
        }
        Ok(())
    }

    /// Bytes that the user typed or sent.
    ///
    /// # Errors
    /// As [`Recorder::output`].
    pub fn input(&mut self, channel: u32, at: u64, bytes: &[u8]) -> Result<(), RecorderError> {
        let at = self.advance(at)?;
        for piece in bytes.chunks(PIECE) {
            let text = self.channel(channel)?.input.push(piece);
            self.event(channel, at, Kind::Input, &text)?;
        }
        Ok(())
    }

    /// The channel's terminal has another size.
    ///
    /// # Errors
    /// As [`Recorder::output`].
    pub fn resize(&mut self, channel: u32, at: u64, columns: u16, rows: u16) -> Result<(), RecorderError> {
        let at = self.advance(at)?;
        self.event(channel, at, Kind::Resize, &format!("{columns}x{rows}"))
    }

    /// A remark of the recorder's own, such as how many bytes went each way.
    ///
    /// # Errors
    /// As [`Recorder::output`].
    pub fn mark(&mut self, channel: u32, at: u64, text: &str) -> Result<(), RecorderError> {
        let at = self.advance(at)?;
        let mut rest = text;
        loop {
            let (piece, after) = cut(rest);
            self.event(channel, at, Kind::Mark, piece)?;
            if after.is_empty() {
                return Ok(());
            }
            rest = after;
        }
    }

    /// The channel is closed; `exit` is its exit code where it has one.
    ///
    /// # Errors
    /// As [`Recorder::output`].
    pub fn close_channel(&mut self, channel: u32, at: u64, exit: Option<i32>) -> Result<(), RecorderError> {
        let at = self.advance(at)?;
        let opened = self.channel(channel)?.opened;
        let input = self.channel(channel)?.input.finish();
        self.event(channel, at, Kind::Input, &input)?;
        let output = self.channel(channel)?.output.finish();
        self.event(channel, at, Kind::Output, &output)?;
        self.push(at, &cast::closed(channel, at.saturating_sub(opened), exit))?;
        self.channels.remove(&channel);
        if self.current == Some(channel) {
            self.current = None;
        }
        Ok(())
    }

    /// Seals the chunk if it is due. To be called at least once a second while there is one.
    ///
    /// # Errors
    /// What sealing and writing say.
    pub fn tick(&mut self, at: u64) -> Result<(), RecorderError> {
        self.advance(at).map(|_| ())
    }

    /// How many milliseconds after `at` the chunk is due; `None` while there is none. For the timeout of a poll.
    pub fn due_in(&self, at: u64) -> Option<u64> {
        self.chunk_began.map(|began| began.saturating_add(CHUNK_MILLIS).saturating_sub(at))
    }

    /// Seals what there is now, as before a head is anchored. Nothing happens where there is nothing.
    ///
    /// # Errors
    /// What sealing and writing say.
    pub fn flush(&mut self, at: u64) -> Result<(), RecorderError> {
        self.latest = self.latest.max(at);
        if self.chunk.is_empty() { Ok(()) } else { self.seal(false) }
    }

    /// Closes what is open, writes the last frame and returns what the ledger says of the recording.
    ///
    /// # Errors
    /// What sealing and writing say.
    pub fn finish(mut self, at: u64) -> Result<Finished, RecorderError> {
        let open: Vec<u32> = self.channels.keys().copied().collect();
        for channel in open {
            self.close_channel(channel, at, None)?;
        }
        self.latest = self.latest.max(at);
        self.seal(true)?;
        Ok(Finished { head: self.writer.head(), bytes: self.writer.bytes() })
    }

    /// The digest of the last frame that was written; of the header before the first one.
    pub const fn head(&self) -> Digest {
        self.writer.head()
    }

    /// Bytes of the file so far.
    pub const fn bytes(&self) -> u64 {
        self.writer.bytes()
    }

    fn channel(&mut self, channel: u32) -> Result<&mut Channel, RecorderError> {
        self.channels.get_mut(&channel).ok_or(RecorderError::NoChannel(channel))
    }

    /// Goes to `at`, and seals what became due on the way.
    fn advance(&mut self, at: u64) -> Result<u64, RecorderError> {
        self.latest = self.latest.max(at);
        if self.due_in(self.latest) == Some(0) {
            self.seal(false)?;
        }
        Ok(self.latest)
    }

    fn event(&mut self, channel: u32, at: u64, kind: Kind, text: &str) -> Result<(), RecorderError> {
        let opened = self.channel(channel)?.opened;
        if text.is_empty() {
            return Ok(());
        }
        if self.current != Some(channel) {
            self.current = Some(channel);
            // At the beginning of a chunk `push` says it.
            if !self.chunk.is_empty() {
                self.push(at, &cast::switch(channel))?;
            }
        }
        self.push(at, &cast::event(at.saturating_sub(opened), kind, text))
    }

    /// Adds a line; the chunk is sealed where it is full.
    fn push(&mut self, at: u64, line: &str) -> Result<(), RecorderError> {
        if self.chunk.is_empty() {
            self.chunk_began = Some(at);
            // Only an event needs to be told whose it is.
            if let Some(channel) = self.current.filter(|_| line.starts_with('[')) {
                self.chunk.extend_from_slice(cast::switch(channel).as_bytes());
            }
        }
        self.chunk.extend_from_slice(line.as_bytes());
        if self.chunk.len() >= CHUNK_BYTES { self.seal(false) } else { Ok(()) }
    }

    fn seal(&mut self, last: bool) -> Result<(), RecorderError> {
        let sealed = age::seal(&self.recipients, &self.chunk, self.rng)?;
        self.writer.append(self.began.saturating_add(self.latest), last, &sealed)?;
        self.chunk.clear();
        self.chunk_began = None;
        Ok(())
    }
}

/// The first [`PIECE`] bytes of a text, less a character that does not fit whole, and the rest.
fn cut(text: &str) -> (&str, &str) {
    let at = (0..=PIECE.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.split_at(at)
}
