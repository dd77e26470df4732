//! A replay that is taken step by step: each commit is verified, judged and taken, and then shown to the caller with the
//! state as it stands right behind it. Nothing is kept but what a replay keeps anyway: a long ledger is walked in the memory
//! of its state.

use crate::domain::event::Event;
use crate::domain::finding::Fault;
use crate::domain::id::{CommitId, Digest};
use crate::ports::Objects;

use super::super::check::Checker;
use super::super::read::Reader;
use super::{Replay, ReplayError, Taken, read_commit};

/// A commit that was taken.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its position in the log.
    pub position: u64,
    /// The commit.
    pub commit: CommitId,
    /// The digest of the event file's bytes; of a void commit, of the raw commit object (format.md, section 4).
    pub id: Digest,
    /// The event, or the rule that the commit breaks.
    pub said: Result<Event, Fault>,
}

/// A ledger on the way from its genesis to a head.
pub struct Walk<'a> {
    objects: &'a dyn Objects,
    replay: Replay,
    reader: Reader<'a>,
    checker: Checker,
    /// What lies ahead, the next commit last.
    ahead: Vec<CommitId>,
}

impl<'a> Walk<'a> {
    /// Before the genesis, with nothing ahead.
    pub fn new(objects: &'a dyn Objects) -> Self {
        let (reader, checker) = (Reader::new(objects), Checker::default());
        Self { objects, replay: Replay::default(), reader, checker, ahead: Vec::new() }
    }

    /// Sets the head to which the steps lead. Only the links between the commits are read here.
    ///
    /// # Errors
    /// [`ReplayError::Forked`] where it does not descend from the head before it; nothing has changed then.
    pub fn aim(&mut self, head: CommitId) -> Result<(), ReplayError> {
        let before = self.head();
        if before == Some(head) {
            return Ok(());
        }
        let chain = self.replay.chain(self.objects, head)?;
        match self.ahead.first() {
            Some(known) if !chain.contains(known) => Err(ReplayError::Forked { known: *known, found: head }),
            _ => {
                self.ahead = chain;
                Ok(())
            }
        }
    }

    /// Verifies and takes the next commit; `None` at the head. A step that fails can be tried again.
    ///
    /// # Errors
    /// Where it cannot be read, or the genesis is void.
    pub fn step(&mut self) -> Result<Option<Step>, ReplayError> {
        let Some(commit) = self.ahead.last().copied() else { return Ok(None) };
        let position = self.replay.state().size();
        let (raw, links) = read_commit(self.objects, commit)?;
        let fetched = self.reader.fetch(commit, raw, &links, self.replay.tree)?;
        let taken = self.replay.take(self.checker.check(fetched), true)?;
        self.ahead.pop();
        Ok(taken.map(|Taken { id, said }| Step { position, commit, id, said }))
    }

    /// The replay as far as it was walked.
    pub const fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The head to which the steps lead.
    pub fn head(&self) -> Option<CommitId> {
        self.ahead.first().copied().or_else(|| self.replay.head())
    }

    /// Whether a step is left.
    pub fn has_more(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Whether a commit lies on the way, walked or ahead.
    pub fn holds(&self, commit: CommitId) -> bool {
        self.ahead.contains(&commit) || self.replay.contains(commit)
    }

    /// How many commits there are up to that head.
    pub fn size(&self) -> u64 {
        self.replay.state().size().saturating_add(u64::try_from(self.ahead.len()).unwrap_or(u64::MAX))
    }

    /// The commit at a position, walked or ahead.
    pub fn commit_at(&self, position: u64) -> Option<CommitId> {
        match position.checked_sub(self.replay.state().size()) {
            None => self.replay.commit_at(position),
            Some(further) => {
                let further = usize::try_from(further).ok()?;
                self.ahead.len().checked_sub(further.checked_add(1)?).and_then(|at| self.ahead.get(at)).copied()
            }
        }
    }
}
