//! Follows the ledger and the clock: what there is to be told since the last time.

use std::time::{Duration, Instant};

use super::super::Context;
use super::super::error::CliError;
use super::super::export::cursor::gone;
use super::super::export::upstream::Upstream;
use crate::domain::id::Digest;
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::git::{GitStore, Program};
use crate::ledger::{Pin, Walk};
use crate::monitor::notify::{Notice, of_event, of_time, of_void, open_now};

/// With more events than this behind the cursor nobody is told of each: what is open is told.
const HISTORY: u64 = 1000;
/// How often the branch here is looked at: a read of one small file.
pub const LOOK: Duration = Duration::from_millis(500);

/// A ledger that is listened to.
pub struct Listener<'a> {
    walk: Walk<'a>,
    upstream: Upstream<'a>,
    ledger: Digest,
    pin: Option<Pin>,
    fetched: Instant,
}

impl<'a> Listener<'a> {
    /// Opens the ledger: held against the pin, fetched if the remote answers, its genesis verified.
    ///
    /// # Errors
    /// As any command: no ledger, not verifiable, or not what this clone verified before (exit 5).
    pub fn open(context: &Context, store: &'a GitStore, program: &'a Program) -> Result<Self, CliError> {
        let mut walk = Walk::new(store);
        let (mut upstream, pin) = Upstream::open(store, program, &mut walk)?;
        upstream.fetch(&mut walk, &context.output)?;
        walk.step()?;
        let ledger = walk.replay().state().ledger().expect("a walk that took its first step has a genesis");
        Ok(Self { walk, upstream, ledger, pin, fetched: Instant::now() })
    }

    /// The ledger's id.
    pub const fn ledger(&self) -> Digest {
        self.ledger
    }

    /// The state, as far as it was read.
    pub const fn state(&self) -> &State {
        self.walk.replay().state()
    }

    /// Where we are.
    pub fn cursor(&self) -> Option<Pin> {
        Pin::of(self.walk.replay())
    }

    /// Reads everything there is. What came behind the cursor is told, event by event, and what time brought meanwhile;
    /// without a cursor, or far behind it, only what is open now is told.
    ///
    /// # Errors
    /// Where the cursor is not of this history (exit 5), or it cannot be verified.
    pub fn catch_up(
        &mut self,
        context: &Context,
        cursor: Option<&Pin>,
        looked: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Vec<Notice>, CliError> {
        if let Some(pin) = cursor
            && pin.size.checked_sub(1).and_then(|last| self.walk.commit_at(last)) != Some(pin.head)
        {
            return Err(gone(format!("the cursor stands at {}, which is no longer in the history", pin.head)));
        }
        let near = cursor.filter(|pin| self.walk.size().saturating_sub(pin.size) <= HISTORY);
        let (Some(pin), Some(looked)) = (near, looked) else {
            self.steps(context, None, cursor, now)?;
            return Ok(open_now(self.state(), now));
        };
        let mut notices = self.steps(context, Some(pin.size), cursor, now)?;
        notices.extend(of_time(self.state(), looked, now));
        Ok(notices)
    }

    /// What came since the last time, where the clock was looked at at `looked`.
    ///
    /// # Errors
    /// Where the history was rewritten (exit 5), or cannot be verified.
    pub fn more(&mut self, context: &Context, looked: Timestamp, now: Timestamp) -> Result<Vec<Notice>, CliError> {
        let mut notices = self.steps(context, Some(self.state().size()), None, now)?;
        notices.extend(of_time(self.state(), looked, now));
        Ok(notices)
    }

    /// Takes all steps; tells of those from `first` on.
    fn steps(
        &mut self,
        context: &Context,
        first: Option<u64>,
        cursor: Option<&Pin>,
        now: Timestamp,
    ) -> Result<Vec<Notice>, CliError> {
        let mut notices = Vec::new();
        loop {
            for pin in [cursor, self.pin.as_ref()].into_iter().flatten() {
                if self.state().size() == pin.size && self.walk.replay().root() != pin.root {
                    return Err(gone(format!("the log of the first {} events has another root than it had", pin.size)));
                }
            }
            let told = first.is_some_and(|first| self.state().size() >= first);
            // The cases are shared: a copy is a table of references.
            let before = (told && self.walk.has_more()).then(|| self.state().clone());
            let Some(step) = self.walk.step()? else { break };
            let Some(before) = before else { continue };
            match &step.said {
                Ok(event) => notices.extend(of_event(&before, self.state(), step.id, event, now)),
                Err(fault) => notices.push(of_void(self.state(), step.commit, fault, step.position, now)),
            }
        }
        self.upstream.remember(&self.walk, &context.output)?;
        Ok(notices)
    }

    /// Looks at the branch here, and at the remote every so often. Says whether there is more to read.
    ///
    /// # Errors
    /// Where the history was rewritten (exit 5).
    pub fn look(&mut self, context: &Context, every: Duration) -> Result<bool, CliError> {
        self.upstream.look(&mut self.walk)?;
        let due = self.upstream.has_remote() && self.fetched.elapsed() >= every;
        if due || self.upstream.has_moved() {
            self.upstream.fetch(&mut self.walk, &context.output)?;
            self.fetched = Instant::now();
        }
        Ok(self.walk.has_more())
    }
}
