//! Appending: decided, signed, judged once more as it will be read, and moved in by compare-and-swap. A lost race is
//! decided again on the new state; the event is not signed again while it still stands (`seen` commits to what was seen).
//!
//! What was signed is kept in the outbox before anything is sent, and forgotten once it is known what became of it: killed
//! at any moment, it is found in the ledger by its digest, or delivered, once. Where the policy says so, the event goes by
//! way of the inbox ([`super::inbox`]); where nobody empties that, to the branch itself after all.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::codec;
use crate::domain::decide::{Intent, draft, refusal};
use crate::domain::event::{Event, Kind};
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, CommitId, Digest, Name, Nonce};
use crate::domain::policy::Append;
use crate::domain::state::Claim;
use crate::domain::time::Timestamp;
use crate::ports::{Clock, Post, Remote, RemoteError, Rng, RngError, SignError, Signer, Store, StoreError};

use super::inbox::Posted;
use super::patience::Patience;
use super::replay::{Replay, ReplayError};
use super::signed::Signed;

mod build;

pub(super) use build::build;

/// How often the branch of this clone is moved on where other processes of it fetch at the same moment.
const FOLLOWS: u32 = 24;

/// Where signed events wait that could not be delivered.
pub trait Outbox {
    /// Keeps an event under a name.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), String>;
    /// Forgets one.
    ///
    /// # Errors
    /// Where it cannot be removed.
    fn forget(&self, name: &str) -> Result<(), String>;
    /// What is kept: name and bytes of each.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn kept(&self) -> Result<Vec<(String, Vec<u8>)>, String>;
}

/// What is to be said: the same each time it is decided again, or computed from the state.
pub type Draft<'a> = dyn FnMut(&Replay, Timestamp) -> Result<Intent, AppendError> + 'a;

/// What became of an event.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Its digest.
    pub digest: Digest,
    /// Its case.
    pub case: CaseId,
    /// The commit that holds it.
    pub commit: CommitId,
    /// Why this clone does not show it yet, where it does not: the remote has it, and the next fetch brings it.
    pub behind: Option<String>,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A rule says no. Nothing was signed, unless the state changed meanwhile.
    #[error("{}", .0.message)]
    Refused(Fault),
    /// The person said no.
    #[error("cancelled: nothing was signed")]
    Cancelled,
    /// The ledger cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The store did not take it: nothing was moved.
    #[error("nothing was appended")]
    Store(#[from] StoreError),
    /// The key did not sign.
    #[error("nothing was signed")]
    Sign(#[from] SignError),
    /// No randomness.
    #[error(transparent)]
    Rng(#[from] RngError),
    /// The other side did not take it, or did not say so; the signed event waits in the outbox.
    #[error("the event is signed and waits in the outbox ({name}); {}", so_far(.cause))]
    Queued {
        /// Its name in the outbox.
        name: String,
        /// Why it was not delivered.
        #[source]
        cause: RemoteError,
    },
    /// The other side could not be asked, before anything was signed.
    #[error("the remote could not be asked; nothing was signed")]
    Remote(#[source] RemoteError),
    /// The same was signed before, and waits in the outbox: it is not signed twice.
    #[error("{actor} has signed this {kind} already: it waits in the outbox ({name})")]
    Waits {
        /// Its name in the outbox.
        name: String,
        /// Whose it is.
        actor: Name,
        /// What it is.
        kind: Kind,
    },
    /// The outbox cannot be written.
    #[error("the outbox cannot be written: {0}")]
    Outbox(String),
    /// The race was lost again and again, until the time was up.
    #[error("others were faster {times} times in {seconds} s; {}", what_waits(name.as_deref()))]
    Busy {
        /// How often.
        times: u32,
        /// In how many seconds.
        seconds: u64,
        /// Its name in the outbox, where it waits there.
        name: Option<String>,
    },
    /// Something else that the caller's draft found.
    #[error("{0}")]
    Other(String),
}

/// Whether an event whose push failed can be in the ledger all the same.
const fn so_far(cause: &RemoteError) -> &'static str {
    match cause {
        // The connection may have ended after the other side took it, and before it said so.
        RemoteError::Unreachable(_) => "whether the remote has taken it is not known",
        RemoteError::LostRace
        | RemoteError::Refused(_)
        | RemoteError::Locked { .. }
        | RemoteError::Disk(_)
        | RemoteError::Git(_) => "it is not in the ledger yet",
    }
}

/// Everything that appending needs.
pub struct Writer<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The other side, where there is one.
    pub remote: Option<&'a dyn Remote>,
    /// Its inbox.
    pub post: Option<&'a dyn Post>,
    /// Where undelivered events wait.
    pub outbox: &'a dyn Outbox,
    /// The time.
    pub clock: &'a dyn Clock,
    /// How to wait between two tries.
    pub wait: &'a dyn Fn(Duration),
}

impl Writer<'_> {
    /// Brings the clone up to date: fetches, replays what is new, and moves the branch.
    ///
    /// # Errors
    /// [`ReplayError::Forked`] inside where the other side rewrote history; the branch has not moved then.
    pub fn catch_up(&self, replay: &mut Replay) -> Result<(), AppendError> {
        if let Some(remote) = self.remote {
            if let Some(head) = remote.fetch().map_err(AppendError::Remote)? {
                self.follow(replay, head)?;
            }
            return Ok(());
        }
        match self.store.head()? {
            Some(head) => Ok(replay.extend(as_objects(self.store), head)?),
            None => Ok(()),
        }
    }

    /// Decides, signs and appends. `replay` stands at the new head afterwards.
    ///
    /// # Errors
    /// As [`AppendError`] has them; the branch moved only where this gives `Ok`.
    pub fn append(
        &self,
        replay: &mut Replay,
        make: &mut Draft<'_>,
        signer: &dyn Signer,
        rng: &mut dyn Rng,
    ) -> Result<Appended, AppendError> {
        let mut patience = Patience::new();
        let mut direct = false;
        let mut kept: Option<Signed> = None;
        let mut was_signed = false;
        loop {
            if let Some(signed) = &kept
                && let Some(landed) = landed(replay, signed)
            {
                self.settled(signed);
                return Ok(landed);
            }
            let current = match kept.take() {
                Some(signed) if self.stands(replay, &signed).is_ok() => signed,
                stale => {
                    // It did not land and never shall: something else is decided now.
                    if let Some(stale) = stale
                        && self.remote.is_some()
                    {
                        self.outbox.forget(&stale.digest().short()).map_err(AppendError::Outbox)?;
                    }
                    // One time for both: a grant counts from the second that its issuance names.
                    let now = self.clock.now();
                    let intent = make(replay, now)?;
                    // Asked once: from the first signature on, what says the same may be this very event.
                    if !was_signed {
                        self.waits(&intent)?;
                    }
                    was_signed = true;
                    let signed = self.sign(replay, &intent, now, signer, rng)?;
                    self.keep(&signed)?;
                    signed
                }
            };
            match self.send(replay, &current, &mut direct, rng) {
                Ok(Some(appended)) => {
                    self.settled(&current);
                    return Ok(appended);
                }
                Ok(None) => {}
                Err(error @ AppendError::Queued { .. }) => return Err(error),
                Err(error) => {
                    // Nothing has left this machine.
                    self.settled(&current);
                    return Err(error);
                }
            }
            self.pause(&mut patience, &current, rng)?;
            self.catch_up(replay).map_err(|error| queued(error, &current))?;
            kept = Some(current);
        }
    }

    /// Delivers a signed event from the outbox, once.
    ///
    /// # Errors
    /// As [`Writer::append`]; what no longer stands is refused with its rule and stays in the outbox.
    pub fn deliver_kept(&self, replay: &mut Replay, bytes: &[u8], rng: &mut dyn Rng) -> Result<Appended, AppendError> {
        let signed = Signed::read(bytes).map_err(AppendError::Outbox)?;
        let mut patience = Patience::new();
        let mut direct = false;
        loop {
            self.catch_up(replay)?;
            if let Some(landed) = landed(replay, &signed) {
                self.outbox.forget(&signed.digest().short()).map_err(AppendError::Outbox)?;
                return Ok(landed);
            }
            self.stands(replay, &signed).map_err(AppendError::Refused)?;
            if let Some(appended) = self.send(replay, &signed, &mut direct, rng)? {
                self.outbox.forget(&signed.digest().short()).map_err(AppendError::Outbox)?;
                return Ok(appended);
            }
            self.pause(&mut patience, &signed, rng)?;
        }
    }

    /// The event of a kept one that says the same, in its name.
    fn waits(&self, intent: &Intent) -> Result<(), AppendError> {
        for (name, bytes) in self.outbox.kept().map_err(AppendError::Outbox)? {
            let Ok(kept) = Signed::read(&bytes) else { continue };
            let Event { actor, case, body, .. } = kept.event();
            if *actor == intent.actor && *case == intent.case && *body == intent.body && *kept.files() == intent.files {
                return Err(AppendError::Waits { name, actor: actor.clone(), kind: intent.body.kind() });
            }
        }
        Ok(())
    }

    /// Before anything is sent: killed from here on, the next command finds it.
    fn keep(&self, signed: &Signed) -> Result<(), AppendError> {
        if self.remote.is_none() {
            return Ok(());
        }
        self.outbox.keep(&signed.digest().short(), &signed.write()).map_err(AppendError::Outbox)
    }

    /// It is known what became of it. What cannot be forgotten is found in the ledger the next time, and forgotten then.
    fn settled(&self, signed: &Signed) {
        if self.remote.is_some() {
            let _ = self.outbox.forget(&signed.digest().short());
        }
    }

    /// Waits after a lost race.
    fn pause(&self, patience: &mut Patience, signed: &Signed, rng: &mut dyn Rng) -> Result<(), AppendError> {
        match patience.after_loss(rng)? {
            Some(pause) => {
                (self.wait)(pause);
                Ok(())
            }
            None => Err(AppendError::Busy {
                times: patience.lost(),
                seconds: patience.spent().as_secs(),
                name: self.remote.map(|_| signed.digest().short()),
            }),
        }
    }

    /// One try: by way of the inbox where the policy says so, else to the branch. `None` where somebody else was faster, or
    /// the event was not taken.
    fn send(
        &self,
        replay: &mut Replay,
        signed: &Signed,
        direct: &mut bool,
        rng: &mut dyn Rng,
    ) -> Result<Option<Appended>, AppendError> {
        if !*direct && let Some(post) = self.inbox_of(replay) {
            match self.by_inbox(replay, post, std::slice::from_ref(signed), rng)? {
                Posted::Settled { behind } => {
                    if let Some(landed) = landed(replay, signed) {
                        return Ok(Some(Appended { behind, ..landed }));
                    }
                    // Refused. Where no rule says so here, an answer that anybody could have written is not the last word.
                    *direct = self.stands(replay, signed).is_ok();
                    return Ok(None);
                }
                // A ledger whose inbox nobody empties still takes a revocation.
                Posted::Unanswered => *direct = true,
            }
            if let Some(landed) = landed(replay, signed) {
                return Ok(Some(landed));
            }
            if self.stands(replay, signed).is_err() {
                return Ok(None);
            }
        }
        self.deliver(replay, signed)
    }

    /// The remote's inbox, where the policy in force sends events there.
    pub(super) fn inbox_of(&self, replay: &Replay) -> Option<&dyn Post> {
        let by_inbox = replay.state().policy().is_some_and(|policy| policy.append == Append::Inbox);
        self.post.filter(|_| by_inbox && self.remote.is_some())
    }

    fn sign(
        &self,
        replay: &Replay,
        intent: &Intent,
        now: Timestamp,
        signer: &dyn Signer,
        rng: &mut dyn Rng,
    ) -> Result<Signed, AppendError> {
        let nonce = Nonce::from_random(rng.bytes16()?);
        let root = replay.root();
        let event = draft(replay.state(), root, intent, now, nonce);
        refusal(replay.state(), Some(root), &event, signer.public_key(), signer.presence(), &intent.files, now)
            .map_err(AppendError::Refused)?;
        let signed = Signed::by(signer, event, intent.files.clone())?;
        self.stands(replay, &signed).map_err(AppendError::Refused)?;
        Ok(signed)
    }

    /// Whether a signed event breaks no rule on the present state.
    pub(super) fn stands(&self, replay: &Replay, signed: &Signed) -> Result<(), Fault> {
        let claim = Claim {
            event: signed.event(),
            digest: signed.digest(),
            signature: signed.signature(),
            root_at_seen: signed.event().seen.and_then(|seen| replay.log().root_at(seen.size)),
            files: signed.files(),
            arrival: Some(self.clock.now()),
        };
        replay.state().judge_event(&claim).map(|_| ())
    }

    /// Builds the commit, judges it as everybody will read it, and moves it in. `None` where the race was lost.
    fn deliver(&self, replay: &mut Replay, signed: &Signed) -> Result<Option<Appended>, AppendError> {
        let commit = build(self.store, replay, signed, self.clock.now())?;
        replay.preview(as_objects(self.store), commit, self.clock.now())?;
        if let Some(remote) = self.remote {
            match remote.push(commit) {
                Ok(()) => {}
                Err(RemoteError::LostRace) => return Ok(None),
                Err(cause) => return Err(AppendError::Queued { name: signed.digest().short(), cause }),
            }
        }
        let note = format!("jit: {}", signed.event().kind());
        let mut behind = None;
        match self.store.advance(replay.head(), commit, &note) {
            Ok(()) => {}
            // The remote has it: whoever moved the branch meanwhile fetched it, or the next command does.
            Err(StoreError::Moved { .. }) if self.remote.is_some() => {}
            Err(StoreError::Moved { actual }) => {
                if let Some(actual) = actual {
                    replay.extend(as_objects(self.store), actual)?;
                }
                return Ok(None);
            }
            // The remote has it. To call that "nothing was appended" would have it said twice.
            Err(error) if self.remote.is_some() => behind = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        replay.extend(as_objects(self.store), commit)?;
        Ok(Some(Appended { digest: signed.digest(), case: signed.case(), commit, behind }))
    }

    /// Replays on to `head`, which the remote was just seen to have, and moves the branch there.
    pub(super) fn follow(&self, replay: &mut Replay, head: CommitId) -> Result<(), AppendError> {
        let local = self.store.head()?;
        let objects = as_objects(self.store);
        if let Some(local) = local
            && !replay.contains(local)
        {
            replay.extend(objects, local)?;
        }
        if Some(head) != replay.head() {
            replay.extend(objects, head)?;
        }
        // Older than the replay where this clone could not follow before ([`Appended::behind`]).
        if local == Some(head) {
            return Ok(());
        }
        let mut from = local;
        for _ in 0..FOLLOWS {
            match self.store.advance(from, head, "jit: fetched") {
                Ok(()) => return Ok(()),
                // Another process of this clone fetched less than we did: the branch goes on from there.
                Err(StoreError::Moved { actual: Some(actual) }) if actual != head && replay.contains(actual) => {
                    from = Some(actual);
                }
                // It fetched as much or more.
                Err(StoreError::Moved { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The genesis: the one event that is appended to nothing.
///
/// # Errors
/// A10 and the like where the policy is unsound; the branch is not made then.
pub fn found(
    store: &dyn Store,
    event: &Event,
    files: &BTreeMap<String, Vec<u8>>,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<(Replay, Appended), AppendError> {
    codec::parse(&codec::write(event)).map_err(AppendError::Refused)?;
    let signed = Signed::by(signer, event.clone(), files.clone())?;
    let mut replay = Replay::default();
    let digest = signed.digest();
    let commit = build(store, &replay, &signed, now)?;
    replay.preview(as_objects(store), commit, now)?;
    store.advance(None, commit, "jit: genesis")?;
    replay.extend(as_objects(store), commit)?;
    Ok((replay, Appended { digest, case: CaseId(digest), commit, behind: None }))
}

/// Where the ledger holds the event, by its digest.
pub(super) fn landed(replay: &Replay, signed: &Signed) -> Option<Appended> {
    let (digest, case) = (signed.digest(), signed.case());
    let state = replay.state();
    if !state.holds(signed.event(), &digest) {
        return None;
    }
    let event = state.case(&case).and_then(|case| case.events().iter().find(|event| event.digest == digest));
    let commit = event.map(|event| event.commit).or_else(|| replay.head())?;
    Some(Appended { digest, case, commit, behind: None })
}

/// What was signed could not be delivered: the other side went away meanwhile, or what it has cannot be kept here.
pub(super) fn queued(error: AppendError, signed: &Signed) -> AppendError {
    let cause = match error {
        AppendError::Remote(cause) => cause,
        AppendError::Store(StoreError::Locked { lock, why, .. }) => RemoteError::Locked { lock, why, is_remote: false },
        AppendError::Store(error @ (StoreError::Write(_) | StoreError::NotSynced(_))) => {
            RemoteError::Disk(error.to_string())
        }
        other => return other,
    };
    AppendError::Queued { name: signed.digest().short(), cause }
}

/// What became of a signed event that was not appended.
fn what_waits(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("the event is signed and waits in the outbox ({name}); it is not in the ledger yet"),
        None => "nothing was appended".to_owned(),
    }
}

pub(super) fn as_objects(store: &dyn Store) -> &dyn crate::ports::Objects {
    store
}
