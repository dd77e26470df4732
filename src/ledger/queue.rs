//! Many events of one author in one push: what a host has to say when fifty people log in at once, and what it could not
//! deliver while the ledger was away. Each is signed against the ledger as everybody has it, judged on top of those that
//! wait before it, and kept in the outbox before anything is sent: a kill at any moment loses none and doubles none.

use crate::domain::decide::{Intent, draft, refusal};
use crate::domain::event::{Event, Kind};
use crate::domain::finding::Fault;
use crate::domain::id::{CommitId, Digest, Nonce};
use crate::domain::state::State;
use crate::ports::{RemoteError, Rng, Signer, StoreError};

use super::append::{AppendError, Signed, Writer, as_objects, backoff, build};
use super::replay::Replay;

/// How often a lost race is run again.
const TRIES: u32 = 24;

/// Signed events that wait, in the order in which they will land.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Vec<Signed>,
    /// The ledger at a head, with everything that waits on top of it.
    ahead: Option<Ahead>,
}

#[derive(Debug)]
struct Ahead {
    of: Option<CommitId>,
    replay: Replay,
}

impl Queue {
    /// What the outbox kept: name and bytes of each. Also gives the names of those that cannot be read; they are left.
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
        (Self { waiting, ahead: None }, unreadable)
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
        let Some(ahead) = &mut queue.ahead else { return Err(AppendError::Busy(0)) };
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
    ) -> Result<Vec<(Digest, Fault)>, AppendError> {
        let mut refused = Vec::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                (self.wait)(backoff(attempt, rng)?);
                self.catch_up(replay)?;
            }
            refused.extend(self.prepare(replay, queue)?);
            let Some(ahead) = queue.ahead.as_ref().filter(|_| !queue.is_empty()) else { return Ok(refused) };
            let Some(head) = ahead.replay.head() else { return Ok(refused) };
            if let Some(remote) = self.remote {
                match remote.push(head) {
                    Ok(()) => {}
                    Err(RemoteError::LostRace) => continue,
                    Err(cause) => return Err(AppendError::Remote(cause)),
                }
            }
            match self.store.advance(replay.head(), head, "jit: delivered") {
                Ok(()) => {}
                // The remote has it: the next fetch brings it here too.
                Err(StoreError::Moved { .. }) if self.remote.is_some() => {}
                Err(StoreError::Moved { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            if let Some(ahead) = queue.ahead.take() {
                *replay = ahead.replay;
            }
            for signed in std::mem::take(&mut queue.waiting) {
                // What cannot be forgotten is found in the ledger the next time, and forgotten then.
                let _ = self.outbox.forget(&signed.digest().short());
            }
            return Ok(refused);
        }
        Err(AppendError::Busy(TRIES))
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
