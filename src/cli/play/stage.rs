//! Shows one channel after the other, each with the time it took: what was written, through the filter, and the
//! recorder's remarks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::error::CliError;
use super::super::output::{Output, count};
use super::screen::{Filter, Look};
use crate::recording::cast::{Channel, Entry, Kind};

/// How long a wait may be before the interrupt is looked at again.
const STEP: Duration = Duration::from_millis(40);

/// How fast it goes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Twice as fast is 2.
    pub speed: f64,
    /// No wait is longer.
    pub longest: Option<Duration>,
}

/// Whether somebody pressed Ctrl-C.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C, and a request to end, are noticed here and do not end the process.
    ///
    /// # Errors
    /// Where the system does not allow it.
    pub fn watch() -> Result<Self, CliError> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .map_err(|cause| CliError::failed("cannot watch for Ctrl-C").because(cause.to_string()))?;
        }
        Ok(Self(flag))
    }

    /// Whether it was pressed.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits, unless it is pressed meanwhile. Says whether it was.
    pub fn wait(&self, span: Duration) -> bool {
        let began = Instant::now();
        while !self.came() {
            let left = span.saturating_sub(began.elapsed());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(STEP));
        }
        true
    }
}

/// Where a channel is shown.
pub struct Stage<'a> {
    output: &'a Output,
    look: Look,
    /// Whether stdout is a terminal, which must be left as it was.
    terminal: bool,
    pace: Option<Pace>,
    interrupt: Interrupt,
    filter: Filter,
    /// Whether a line was begun and not ended.
    inside_line: bool,
    /// When the last event was, in milliseconds of its channel.
    last: u64,
    /// When it was shown.
    shown: Instant,
}

impl<'a> Stage<'a> {
    /// Without a pace everything is shown at once.
    pub fn new(output: &'a Output, look: Look, terminal: bool, pace: Option<Pace>, interrupt: Interrupt) -> Self {
        let filter = Filter::new(look);
        Self { output, look, terminal, pace, interrupt, filter, inside_line: false, last: 0, shown: Instant::now() }
    }

    /// A channel begins.
    ///
    /// # Errors
    /// Where it cannot be shown.
    pub fn begin(&mut self, number: usize, channel: &Channel) -> Result<(), CliError> {
        self.end()?;
        let (width, height) = channel.size;
        let what = match &channel.command {
            Some(command) => format!("the command {command}"),
            None => "a shell".to_owned(),
        };
        let how = match &channel.term {
            Some(term) => format!("in a terminal ({term}, {width}x{height})"),
            None => "without a terminal".to_owned(),
        };
        self.output.note(format!("Channel {number}: {what}, {how}"));
        if self.terminal && channel.term.is_some() && self.output.width() < usize::from(width) {
            self.output.warning(format!("this terminal has fewer than {width} columns: lines may stand elsewhere"));
        }
        self.filter = Filter::new(self.look);
        self.last = 0;
        self.shown = Instant::now();
        Ok(())
    }

    /// Shows an entry when its time has come. Says whether to go on.
    ///
    /// # Errors
    /// Where it cannot be shown.
    pub fn show(&mut self, entry: &Entry) -> Result<bool, CliError> {
        let (at, kind, text) = match entry {
            Entry::Event { millis, kind, text, .. } => (*millis, *kind, text.as_str()),
            Entry::Closed { millis, exit, .. } => {
                let go_on = self.wait_until(*millis);
                self.end()?;
                let code = exit.map_or_else(String::new, |code| format!(", exit code {code}"));
                self.output.note(format!("Closed after {} s{code}", millis / 1000));
                return Ok(go_on);
            }
            Entry::Opened(_) => return Ok(true),
        };
        if kind != Kind::Output && kind != Kind::Mark {
            return Ok(true);
        }
        if !self.wait_until(at) {
            return Ok(false);
        }
        if kind == Kind::Mark {
            self.output.note(format!("Recorder: {text}"));
        } else {
            let shown = self.filter.push(text);
            self.inside_line = if shown.is_empty() { self.inside_line } else { !shown.ends_with('\n') };
            self.output.bytes(shown.as_bytes())?;
        }
        Ok(true)
    }

    /// Leaves the terminal as it was.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn end(&mut self) -> Result<(), CliError> {
        let left_out = self.filter.left_out();
        let filter = std::mem::replace(&mut self.filter, Filter::new(self.look));
        if self.terminal && filter.was_used() {
            let line = if self.inside_line { "\r\n" } else { "" };
            self.output.bytes(format!("{}{line}", filter.end()).as_bytes())?;
            self.inside_line = false;
        }
        if left_out > 0 {
            let what = count(left_out, "sequence");
            self.output.note(format!("Left out: {what} that a replay does not need; --raw plays all"));
        }
        Ok(())
    }

    fn wait_until(&mut self, at: u64) -> bool {
        let Some(Pace { speed, longest }) = self.pace else { return !self.interrupt.came() };
        let recorded = Duration::from_millis(at.saturating_sub(self.last));
        let span = Duration::try_from_secs_f64(recorded.as_secs_f64() / speed).unwrap_or(Duration::MAX);
        let span = longest.map_or(span, |longest| span.min(longest));
        // What writing took is no part of the wait, and a wait that was too long shortens the next one.
        let due = self.shown.checked_add(span);
        let left = due.map_or(span, |due| due.saturating_duration_since(Instant::now()));
        let interrupted = self.interrupt.wait(left);
        self.last = self.last.max(at);
        self.shown = due.unwrap_or_else(Instant::now);
        !interrupted
    }
}
