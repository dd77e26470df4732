//! The queue between the relay and the recording. The relay says what it is about to pass on; the keeper seals it. The
//! queue is bounded, and putting something in it waits: what is not in the journal is not passed on. Imports `recording`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::ports::Clock;
use crate::recording::{ChannelOpen, Recorder, RecorderError, Sink};

/// How many entries wait at most; none is larger than a read of the relay, 64 KiB.
const WAITING: usize = 64;

/// How often the keeper looks at the clock where nothing happens.
const IDLE: Duration = Duration::from_secs(1);

/// The recording is broken: no more is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the recording is broken")]
pub struct Broken;

/// Where the relay says what it is about to pass on.
pub struct Journal {
    queue: SyncSender<Entry>,
    began: Instant,
    /// `false` where the policy wants no recording: then nothing is queued.
    recorded: bool,
}

/// What was said to the journal.
pub struct Entry {
    channel: u32,
    /// Milliseconds since the recording began.
    at: u64,
    what: What,
}

enum What {
    Open(ChannelOpen),
    Output(Vec<u8>),
    Input(Vec<u8>),
    Resize(u16, u16),
    Mark(String),
    Close(Option<i32>),
}

/// Milliseconds since `began`.
pub fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Journal {
    /// A journal, and the other end of its queue.
    pub fn new(began: Instant, recorded: bool) -> (Self, Receiver<Entry>) {
        let (queue, entries) = sync_channel(WAITING);
        (Self { queue, began, recorded }, entries)
    }

    /// A channel opens.
    ///
    /// # Errors
    /// [`Broken`], here as everywhere below: the session must end.
    pub fn open(&self, channel: u32, open: ChannelOpen) -> Result<(), Broken> {
        self.say(channel, || What::Open(open))
    }

    /// Bytes on their way to the client.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn output(&self, channel: u32, bytes: &[u8]) -> Result<(), Broken> {
        self.say(channel, || What::Output(bytes.to_vec()))
    }

    /// Bytes on their way from the client.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn input(&self, channel: u32, bytes: &[u8]) -> Result<(), Broken> {
        self.say(channel, || What::Input(bytes.to_vec()))
    }

    /// The terminal has another size.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn resize(&self, channel: u32, columns: u16, rows: u16) -> Result<(), Broken> {
        self.say(channel, || What::Resize(columns, rows))
    }

    /// A remark of the recorder's own.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn mark(&self, channel: u32, text: String) -> Result<(), Broken> {
        self.say(channel, || What::Mark(text))
    }

    /// A channel is closed.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn close(&self, channel: u32, exit: Option<i32>) -> Result<(), Broken> {
        self.say(channel, || What::Close(exit))
    }

    fn say(&self, channel: u32, what: impl FnOnce() -> What) -> Result<(), Broken> {
        if !self.recorded {
            return Ok(());
        }
        self.queue.send(Entry { channel, at: millis(self.began), what: what() }).map_err(|_| Broken)
    }
}

/// Seals what the relay says until it is done; and keeps `now`, in seconds since 1970, at the present time for it.
///
/// # Errors
/// Where the recording is broken. The queue is closed then, which stops the relay.
pub fn keep<S: Sink>(
    queue: Receiver<Entry>,
    mut recorder: Option<&mut Recorder<'_, S>>,
    began: Instant,
    clock: &dyn Clock,
    now: &AtomicI64,
) -> Result<(), RecorderError> {
    loop {
        now.store(clock.now().unix(), Ordering::Relaxed);
        let due = recorder.as_ref().and_then(|recorder| recorder.due_in(millis(began)));
        let wait = due.map_or(IDLE, |millis| Duration::from_millis(millis).min(IDLE));
        match (queue.recv_timeout(wait), recorder.as_mut()) {
            (Ok(entry), Some(recorder)) => enter(recorder, entry)?,
            (Err(RecvTimeoutError::Timeout), Some(recorder)) => recorder.tick(millis(began))?,
            (Ok(_) | Err(RecvTimeoutError::Timeout), None) => {}
            (Err(RecvTimeoutError::Disconnected), _) => return Ok(()),
        }
    }
}

fn enter<S: Sink>(recorder: &mut Recorder<'_, S>, entry: Entry) -> Result<(), RecorderError> {
    let Entry { channel, at, what } = entry;
    match what {
        What::Open(open) => recorder.open_channel(channel, at, &open),
        What::Output(bytes) => recorder.output(channel, at, &bytes),
        What::Input(bytes) => recorder.input(channel, at, &bytes),
        What::Resize(columns, rows) => recorder.resize(channel, at, columns, rows),
        What::Mark(text) => recorder.mark(channel, at, &text),
        What::Close(exit) => recorder.close_channel(channel, at, exit),
    }
}
