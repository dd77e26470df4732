//! Many events of one author in one push: what a host has to say when fifty people log in at once, and what it could not
//! deliver while the ledger was away. Each is signed against the ledger as everybody has it, judged on top of those that
//! wait before it, and kept in the outbox before anything is sent: a kill at any moment loses none and doubles none.

use crate::domain::decide::{Intent, draft, refusal};
use crate::domain::event::{Event, Kind};
use crate::domain::finding::Fault;
use crate::domain::id::{CommitId, Digest, Nonce};
use crate::domain::state::State;
use crate::ports::{RemoteError, Rng, Signer, StoreError};

use super::append::{AppendError, Writer, as_objects, build};
use super::inbox::Posted;
use super::patience::Patience;
use super::replay::Replay;
use super::signed::Signed;

/// Signed events that wait, in the order in which they will land.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Vec<Signed>,
    /// The ledger at a head, with everything that waits on top of it.
    ahead: Option<Ahead>,
    /// Whether it is a daemon's, which follows the ledger with the same hand: it neither waits for an inbox to be emptied
    /// nor long for others who are faster.
    is_hurried: bool,
}

/// What became of a queue.
#[derive(Debug, Default)]
pub struct Delivered {
    /// What no longer stands, and the rule that says so.
    pub refused: Vec<(Digest, Fault)>,
    /// Why this clone does not show the rest yet, where it does not: the remote has it, and the next fetch brings it.
    pub behind: Option<String>,
}

#[derive(Debug)]
struct Ahead {
    of: Option<CommitId>,
    replay: Replay,
}

impl Queue {
    /// What the outbox of a daemon kept: name and bytes of each. Also gives the names of those that cannot be read; they are left.
    pub fn restore(kept: impl IntoIterator<Item = (String, Vec<u8>)>) -> (Self, Vec<(String, String)>) {
        let (mut waiting, mut unreadable) = (Vec::new(), Vec::new());
        for (name, bytes) in kept {
            match Signed::read(&bytes) {
                Ok(signed) => waiting.push(signed),
                Err(why) => unreadable.push((name, why)),
            }
        }
        // The outbox does not keep the order. A start comes before its end, and both before what was found afterwards.
        let rank = |kind| match kind {
            Kind::SessionStart => 0,
            Kind::SessionEnd => 1,
            _ => 2,
        };
        waiting.sort_by_key(|signed: &Signed| (signed.event().time, rank(signed.event().kind())));
        (Self { waiting, ahead: None, is_hurried: true }, unreadable)
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many events wait.
    pub const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the event still waits.
    pub fn holds(&self, digest: &Digest) -> bool {
        self.waiting.iter().any(|signed| signed.digest() == *digest)
    }

    /// The events that wait, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.waiting.iter().map(Signed::event)
    }

    /// The state as it will be once everything has landed; the ledger's own where nothing waits.
    pub fn state<'a>(&'a self, replay: &'a Replay) -> &'a State {
        match &self.ahead {
            Some(ahead) if ahead.of == replay.head() && !self.waiting.is_empty() => ahead.replay.state(),
            _ => replay.state(),
        }
    }
}

impl Writer<'_> {
    /// Signs what is meant and keeps it in the outbox, behind what waits there already.
    ///
    /// # Errors
    /// Where a rule says no (nothing was signed), or it cannot be signed or kept.
    pub fn enqueue(
        &self,
        replay: &Replay,
        queue: &mut Queue,
        intent: &Intent,
        signer: &dyn Signer,
        rng: &mut dyn Rng,
    ) -> Result<Digest, AppendError> {
        self.prepare(replay, queue)?;
        let Some(ahead) = &mut queue.ahead else {
            return Err(AppendError::Other("nothing can be put on top of the ledger".to_owned()));
        };
        let now = self.clock.now();
        let nonce = Nonce::from_random(rng.bytes16()?);
        // `seen` is what others have too: what only waits here may land in another order.
        let root = replay.root();
        let event = draft(replay.state(), root, intent, now, nonce);
        refusal(ahead.replay.state(), Some(root), &event, signer.public_key(), signer.presence(), &intent.files, now)
            .map_err(AppendError::Refused)?;
        let signed = Signed::by(signer, event, intent.files.clone())?;
        let digest = signed.digest();
        self.outbox.keep(&digest.short(), &signed.write()).map_err(AppendError::Outbox)?;
        let taken = self.put_ahead(&mut ahead.replay, &signed);
        queue.waiting.push(signed);
        if let Err(error) = taken {
            queue.ahead = None;
            return Err(error);
        }
        Ok(digest)
    }

    /// Takes an event back that was never delivered, as far as is known here.
    ///
    /// # Errors
    /// Where the outbox cannot be written.
    pub fn take_back(&self, queue: &mut Queue, digest: &Digest) -> Result<(), AppendError> {
        self.outbox.forget(&digest.short()).map_err(AppendError::Outbox)?;
        queue.waiting.retain(|signed| signed.digest() != *digest);
        queue.ahead = None;
        Ok(())
    }

    /// Delivers everything that waits in one push. Gives what no longer stands; that stays in the outbox, and is left out
    /// of the queue.
    ///
    /// # Errors
    /// Where the remote does not take it; everything still waits then.
    pub fn deliver_queue(
        &self,
        replay: &mut Replay,
        queue: &mut Queue,
        rng: &mut dyn Rng,
    ) -> Result<Delivered, AppendError> {
        let mut delivered = Delivered { refused: self.prepare(replay, queue)?, behind: None };
        let mut patience = if queue.is_hurried { Patience::hurried() } else { Patience::new() };
        let mut direct = queue.is_hurried;
        loop {
            if queue.is_empty() {
                return Ok(delivered);
            }
            if !direct && let Some(post) = self.inbox_of(replay) {
                let posted = self.by_inbox(replay, post, &queue.waiting, rng).map_err(|error| match error {
                    AppendError::Queued { cause, .. } => AppendError::Remote(cause),
                    other => other,
                })?;
                // Refused is what is not there now and does not stand; what stands is tried once more, directly.
                direct = true;
                delivered.refused.extend(self.prepare(replay, queue)?);
                if let Posted::Settled { behind } = posted
                    && queue.is_empty()
                {
                    delivered.behind = behind;
                    return Ok(delivered);
                }
            }
            if let Some(behind) = self.deliver_ahead(replay, queue)? {
                delivered.behind = behind;
                return Ok(delivered);
            }
            let Some(pause) = patience.after_loss(rng)? else {
                let first = queue.waiting.first().map(|signed| signed.digest().short());
                return Err(AppendError::Busy {
                    times: patience.lost(),
                    seconds: patience.spent().as_secs(),
                    name: first,
                });
            };
            (self.wait)(pause);
            self.catch_up(replay)?;
            delivered.refused.extend(self.prepare(replay, queue)?);
        }
    }

    /// Moves the branch to everything that waits, in one push. `None` where somebody else was faster; else why this clone is
    /// behind, where it is.
    fn deliver_ahead(&self, replay: &mut Replay, queue: &mut Queue) -> Result<Option<Option<String>>, AppendError> {
        let Some(head) = queue.ahead.as_ref().and_then(|ahead| ahead.replay.head()) else { return Ok(Some(None)) };
        if let Some(remote) = self.remote {
            match remote.push(head) {
                Ok(()) => {}
                Err(RemoteError::LostRace) => return Ok(None),
                Err(cause) => return Err(AppendError::Remote(cause)),
            }
        }
        let mut behind = None;
        match self.store.advance(replay.head(), head, "jit: delivered") {
            Ok(()) => {}
            // The remote has it: the next fetch brings it here too.
            Err(StoreError::Moved { .. }) if self.remote.is_some() => {}
            Err(StoreError::Moved { .. }) => return Ok(None),
            // The remote has it: it did not fail.
            Err(error) if self.remote.is_some() => behind = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        if let Some(ahead) = queue.ahead.take() {
            *replay = ahead.replay;
        }
        for signed in std::mem::take(&mut queue.waiting) {
            // What cannot be forgotten is found in the ledger the next time, and forgotten then.
            let _ = self.outbox.forget(&signed.digest().short());
        }
        Ok(Some(behind))
    }

    /// Puts everything that waits on top of the ledger as it stands now. What has landed meanwhile is forgotten; what no
    /// longer stands is given.
    fn prepare(&self, replay: &Replay, queue: &mut Queue) -> Result<Vec<(Digest, Fault)>, AppendError> {
        if queue.ahead.as_ref().is_some_and(|ahead| ahead.of == replay.head()) {
            return Ok(Vec::new());
        }
        queue.ahead = None;
        let mut ahead = Ahead { of: replay.head(), replay: replay.clone() };
        let mut refused = Vec::new();
        let mut standing = Vec::with_capacity(queue.waiting.len());
        for signed in &queue.waiting {
            let digest = signed.digest();
            if replay.state().holds(signed.event(), &digest) {
                self.outbox.forget(&digest.short()).map_err(AppendError::Outbox)?;
                continue;
            }
            if let Err(fault) = self.stands(&ahead.replay, signed) {
                refused.push((digest, fault));
                continue;
            }
            self.put_ahead(&mut ahead.replay, signed)?;
            standing.push(signed.clone());
        }
        queue.waiting = standing;
        queue.ahead = Some(ahead);
        Ok(refused)
    }

    /// Builds the commit of a signed event on top of `ahead`, judged as everybody will read it.
    fn put_ahead(&self, ahead: &mut Replay, signed: &Signed) -> Result<(), AppendError> {
        let now = self.clock.now();
        let commit = build(self.store, ahead, signed, now)?;
        ahead.preview(as_objects(self.store), commit, now)?;
        Ok(ahead.take_next(as_objects(self.store), commit)?)
    }
}
