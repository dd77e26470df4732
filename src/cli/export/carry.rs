//! Walks the ledger and delivers. Each event is verified, judged and taken by the walk before it is made a record, and the
//! cursor moves when a batch of them is acknowledged. While a receiver is away the walk stands still: at most one batch is in
//! memory, and everything else is where it always was, in the ledger.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::Context;
use super::super::error::CliError;
use super::super::progress::Progress;
use super::cursor::{CursorFile, Start, gone};
use super::format::Shape;
use super::receiver::{Outlook, Receiver, Refused};
use super::stop::Stop;
use super::upstream::Upstream;
use crate::domain::id::Digest;
use crate::git::{GitStore, Program};
use crate::ledger::{Pin, Step, Walk};
use crate::monitor::Record;
use crate::monitor::record::Taken;
use crate::ports::RngError;

/// How often the branch here is looked at with `--follow`: a read of one small file.
const LOOK: Duration = Duration::from_millis(500);
/// The first and the longest pause before a receiver is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How often a receiver that stays away is told of again.
const AGAIN: Duration = Duration::from_secs(600);
/// The most bytes of a batch.
const BATCH_BYTES: usize = 1024 * 1024;

/// How long and how often.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Whether to go on at the head.
    pub follow: bool,
    /// How often to fetch.
    pub every: Duration,
    /// For how long to try again; `None` for ever.
    pub retry_for: Option<Duration>,
    /// The most events of a batch.
    pub batch: usize,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// How many events were acknowledged.
    pub events: u64,
    /// The position of the first.
    pub first: Option<u64>,
    /// How many events the ledger has, as far as it was walked.
    pub size: u64,
    /// Where the cursor stands; `None` where nothing was given.
    pub cursor: Option<Pin>,
    /// The cursor's file.
    pub file: Option<PathBuf>,
}

/// A ledger that is being walked.
pub struct Carrier<'a> {
    walk: Walk<'a>,
    upstream: Upstream<'a>,
    /// The genesis, which is the ledger's id: taken at the opening, before a cursor is chosen.
    genesis: Option<Step>,
    ledger: Digest,
    /// What this clone has verified before.
    pin: Option<Pin>,
    stop: Stop,
}

/// Lines that wait to be delivered, and where the cursor stands behind the last.
#[derive(Default)]
struct Batch {
    lines: Vec<String>,
    bytes: usize,
    first: Option<u64>,
    cursor: Option<Pin>,
}

/// What a delivery came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivered {
    Done,
    /// The process was told to end, or nobody reads any more.
    Ended,
}

impl<'a> Carrier<'a> {
    /// Opens the ledger: held against the pin, fetched if the remote answers, its genesis verified.
    ///
    /// # Errors
    /// As any command: no ledger, not verifiable, or not what this clone verified before (exit 5).
    pub fn open(context: &Context, store: &'a GitStore, program: &'a Program) -> Result<Self, CliError> {
        let stop = Stop::watch()?;
        let mut walk = Walk::new(store);
        let (mut upstream, pin) = Upstream::open(store, program, &mut walk)?;
        upstream.fetch(&mut walk, &context.output)?;
        let genesis = walk.step()?;
        let ledger = walk.replay().state().ledger().expect("a walk that took its first step has a genesis");
        Ok(Self { walk, upstream, genesis, ledger, pin, stop })
    }

    /// The ledger's id.
    pub const fn ledger(&self) -> Digest {
        self.ledger
    }

    /// Delivers everything behind `start`, and with `follow` what comes.
    ///
    /// # Errors
    /// Where the cursor is not of this history (exit 5), the ledger cannot be verified, or the receiver stays away.
    pub fn carry(
        &mut self,
        context: &mut Context,
        start: Start,
        file: Option<CursorFile>,
        shape: &Shape,
        receiver: &mut dyn Receiver,
        patience: &Patience,
    ) -> Result<Carried, CliError> {
        let mut first = start.position(&self.walk, self.ledger)?;
        let known = match &start {
            Start::Cursor(pin) => Some(pin.clone()),
            _ => None,
        };
        let mut carried = Carried {
            cursor: known.clone(),
            file: file.as_ref().map(|file| file.path().to_owned()),
            ..Carried::default()
        };
        let mut batch = Batch::default();
        let mut give = |context: &mut Context, batch: &mut Batch, stop: &Stop, carried: &mut Carried| {
            let delivered = deliver(context, batch, receiver, patience, stop, carried.events > 0)?;
            if delivered == Delivered::Done
                && let Some(cursor) = batch.cursor.take()
            {
                if let Some(file) = &file {
                    file.write(&cursor)?;
                }
                carried.events = carried.events.saturating_add(u64::try_from(batch.lines.len()).unwrap_or(u64::MAX));
                carried.first = carried.first.or(batch.first);
                carried.cursor = Some(cursor);
                *batch = Batch::default();
            }
            Ok::<_, CliError>(delivered)
        };
        // Only the way to the first event to be given takes long without a word; and a line would stand in the stream.
        let mut progress = Some(Progress::new(&context.output, "Checking", "commits"));
        loop {
            let Some(step) = self.next()? else {
                progress = None;
                if matches!((&start, first), (Start::Event(_), None)) {
                    return Err(gone("the event of --since is not in the history".to_owned()));
                }
                carried.size = self.walk.size();
                if give(context, &mut batch, &self.stop, &mut carried)? == Delivered::Ended {
                    break;
                }
                self.upstream.remember(&self.walk, &context.output)?;
                if start == Start::Now && carried.cursor.is_none() {
                    // Remembered before anything comes: whoever starts again misses nothing of what came meanwhile.
                    carried.cursor = Pin::of(self.walk.replay());
                    if let (Some(file), Some(cursor)) = (&file, &carried.cursor) {
                        file.write(cursor)?;
                    }
                }
                if !patience.follow || !self.wait(context, patience)? {
                    break;
                }
                continue;
            };
            self.check_root(&step, known.as_ref())?;
            if first.is_some_and(|first| step.position >= first) {
                progress = None;
            } else if let Some(progress) = &mut progress {
                progress.tell(step.position, self.walk.size());
            }
            match (first, &start) {
                (Some(first), _) if step.position >= first => self.add(&mut batch, &step, shape),
                (None, Start::Event(id)) if step.id == *id => first = step.position.checked_add(1),
                _ => {}
            }
            let full = batch.lines.len() >= patience.batch || batch.bytes >= BATCH_BYTES;
            if full && give(context, &mut batch, &self.stop, &mut carried)? == Delivered::Ended {
                break;
            }
            if step.position % 64 == 0 && self.stop.came() {
                break;
            }
        }
        carried.size = self.walk.replay().state().size();
        Ok(carried)
    }

    /// The next event, verified; `None` at the head.
    fn next(&mut self) -> Result<Option<Step>, CliError> {
        match self.genesis.take() {
            Some(genesis) => Ok(Some(genesis)),
            None => Ok(self.walk.step()?),
        }
    }

    /// The roots of the cursor and of the pin are asked when the walk stands where they do, before anything behind is given.
    fn check_root(&self, step: &Step, known: Option<&Pin>) -> Result<(), CliError> {
        for pin in [known, self.pin.as_ref()].into_iter().flatten() {
            if step.position.checked_add(1) == Some(pin.size) && self.walk.replay().root() != pin.root {
                return Err(gone(format!("the log of the first {} events has another root than it had", pin.size)));
            }
        }
        Ok(())
    }

    fn add(&self, batch: &mut Batch, step: &Step, shape: &Shape) {
        let replay = self.walk.replay();
        let taken = Taken {
            state: replay.state(),
            log: replay.log(),
            position: step.position,
            commit: step.commit,
            id: step.id,
            said: &step.said,
        };
        let Some(record) = Record::of(taken) else { return };
        let line = shape.line(&record);
        batch.bytes = batch.bytes.saturating_add(line.len());
        batch.lines.push(line);
        batch.first = batch.first.or(Some(step.position));
        let size = step.position.saturating_add(1);
        batch.cursor = Some(Pin { ledger: self.ledger, head: step.commit, size, root: record.root });
    }

    /// Waits until there is more to walk. Says whether there is; `false` where the process was told to end.
    fn wait(&mut self, context: &Context, patience: &Patience) -> Result<bool, CliError> {
        let (mut began, mut took) = (Instant::now(), Duration::ZERO);
        loop {
            // A remote that takes longer rests for as long: it is not asked without end.
            let period = if took <= patience.every { patience.every } else { took.saturating_mul(2) };
            let left = period.saturating_sub(began.elapsed());
            if self.stop.wait(LOOK.min(left)) {
                return Ok(false);
            }
            self.upstream.look(&mut self.walk)?;
            let due = began.elapsed() >= period;
            if due || self.upstream.has_moved() {
                began = Instant::now();
                self.upstream.fetch(&mut self.walk, &context.output)?;
                took = began.elapsed();
            }
            if self.walk.has_more() {
                return Ok(true);
            }
        }
    }
}

/// Delivers a batch, again and again, with growing pauses. `before`: whether this receiver has taken something in this run;
/// one that never did and says something lasting is wrongly set up, and that is told at once.
fn deliver(
    context: &mut Context,
    batch: &Batch,
    receiver: &mut dyn Receiver,
    patience: &Patience,
    stop: &Stop,
    before: bool,
) -> Result<Delivered, CliError> {
    if batch.lines.is_empty() {
        return Ok(Delivered::Done);
    }
    let began = Instant::now();
    let mut told: Option<(Instant, String)> = None;
    for attempt in 0_u32.. {
        let refused = match receiver.deliver(&batch.lines) {
            Ok(()) => break,
            Err(Refused { outlook: Outlook::Gone, .. }) => return Ok(Delivered::Ended),
            Err(refused) => refused,
        };
        let hopeless = refused.outlook == Outlook::Lasting && !(patience.follow && before);
        let late = patience.retry_for.is_some_and(|span| began.elapsed() >= span);
        if hopeless || late {
            return Err(refused.told());
        }
        let line = refused.line();
        if told.as_ref().is_none_or(|(at, said)| *said != line || at.elapsed() >= AGAIN) {
            context.output.warning(format!("{line}; trying again, nothing is lost"));
            told = Some((Instant::now(), line));
        }
        let mut pause = pause(attempt, context)?;
        if let Some(span) = patience.retry_for {
            pause = pause.min(span.saturating_sub(began.elapsed()));
        }
        if stop.wait(pause) {
            return Ok(Delivered::Ended);
        }
    }
    if told.is_some() {
        context.output.note("The receiver takes events again.");
    }
    Ok(Delivered::Done)
}

/// Between half of a bound that doubles and the whole of it.
fn pause(attempt: u32, context: &mut Context) -> Result<Duration, RngError> {
    let (first, longest) = PAUSE;
    let bound = first.saturating_mul(1 << attempt.min(16)).min(longest);
    let [random, ..] = context.rng().bytes16()?;
    let half = bound / 2;
    Ok(half.saturating_add(half.saturating_mul(u32::from(random)) / 255))
}
