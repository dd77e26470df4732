//! Appending: decided, signed, judged once more as it will be read, and moved in by compare-and-swap. A lost race is
//! decided again on the new state; the event is not signed again while it still stands (`seen` commits to what was seen).
//! When a push fails otherwise, the signed event waits in the outbox and is delivered once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::codec;
use crate::domain::decide::{Intent, draft, refusal};
use crate::domain::event::{Body, Event, Kind, Subject};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CaseId, CommitId, Digest, Name, Nonce};
use crate::domain::state::arrival::Signature;
use crate::domain::state::case::Matter;
use crate::domain::state::commit::message;
use crate::domain::state::{Claim, State};
use crate::domain::time::Timestamp;
use crate::ports::{Clock, ObjectKind, Remote, RemoteError, Rng, RngError, SignError, Signer, Store, StoreError};
use crate::sshsig::{SshSig, VerifyError};

use super::commit::{Person, RawCommit};
use super::governed::{self, GovernedError};
use super::replay::{Replay, ReplayError};
use super::tree;

/// How often a lost race is run again.
const TRIES: u32 = 24;

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

/// A signed event and what goes with it.
#[derive(Debug, Clone)]
pub struct Signed {
    event: Event,
    bytes: Vec<u8>,
    armored: String,
    signature: Signature,
    files: BTreeMap<String, Vec<u8>>,
}

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
    /// The race was lost again and again.
    #[error("others were faster {0} times; nothing was appended")]
    Busy(u32),
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
        let mut signed: Option<Signed> = None;
        for attempt in 0..TRIES {
            if attempt > 0 {
                (self.wait)(backoff(attempt, rng)?);
                self.catch_up(replay)?;
            }
            let current = match signed.take() {
                Some(signed) if self.stands(replay, &signed).is_ok() => signed,
                _ => {
                    // One time for both: a grant counts from the second that its issuance names.
                    let now = self.clock.now();
                    let intent = make(replay, now)?;
                    self.sign(replay, &intent, now, signer, rng)?
                }
            };
            match self.deliver(replay, &current)? {
                Some(appended) => return Ok(appended),
                None => signed = Some(current),
            }
        }
        Err(AppendError::Busy(TRIES))
    }

    /// Delivers a signed event from the outbox, once.
    ///
    /// # Errors
    /// As [`Writer::append`]; what no longer stands is refused with its rule and stays in the outbox.
    pub fn deliver_kept(&self, replay: &mut Replay, bytes: &[u8], rng: &mut dyn Rng) -> Result<Appended, AppendError> {
        let signed = Signed::read(bytes).map_err(AppendError::Outbox)?;
        let digest = Digest::of(&signed.bytes);
        let case = signed.event.case.unwrap_or(CaseId(digest));
        for attempt in 0..TRIES {
            if attempt > 0 {
                (self.wait)(backoff(attempt, rng)?);
            }
            self.catch_up(replay)?;
            if replay.state().holds(&signed.event, &digest) {
                let commit = replay
                    .state()
                    .case(&case)
                    .and_then(|case| case.events().iter().find(|event| event.digest == digest))
                    .map(|event| event.commit);
                self.outbox.forget(&digest.short()).map_err(AppendError::Outbox)?;
                return Ok(Appended {
                    digest,
                    case,
                    commit: commit.or(replay.head()).ok_or(AppendError::Busy(attempt))?,
                    behind: None,
                });
            }
            self.stands(replay, &signed).map_err(AppendError::Refused)?;
            if let Some(appended) = self.deliver(replay, &signed)? {
                self.outbox.forget(&digest.short()).map_err(AppendError::Outbox)?;
                return Ok(appended);
            }
        }
        Err(AppendError::Busy(TRIES))
    }

    /// The event of a kept one that says the same, in its name.
    fn waits(&self, intent: &Intent) -> Result<(), AppendError> {
        for (name, bytes) in self.outbox.kept().map_err(AppendError::Outbox)? {
            let Ok(kept) = Signed::read(&bytes) else { continue };
            let Event { actor, case, body, .. } = kept.event;
            if actor == intent.actor && case == intent.case && body == intent.body && kept.files == intent.files {
                return Err(AppendError::Waits { name, actor, kind: intent.body.kind() });
            }
        }
        Ok(())
    }

    fn sign(
        &self,
        replay: &Replay,
        intent: &Intent,
        now: Timestamp,
        signer: &dyn Signer,
        rng: &mut dyn Rng,
    ) -> Result<Signed, AppendError> {
        self.waits(intent)?;
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
            event: &signed.event,
            digest: Digest::of(&signed.bytes),
            signature: &signed.signature,
            root_at_seen: signed.event.seen.and_then(|seen| replay.log().root_at(seen.size)),
            files: &signed.files,
            arrival: Some(self.clock.now()),
        };
        replay.state().judge_event(&claim).map(|_| ())
    }

    /// Builds the commit, judges it as everybody will read it, and moves it in. `None` where the race was lost.
    fn deliver(&self, replay: &mut Replay, signed: &Signed) -> Result<Option<Appended>, AppendError> {
        let digest = Digest::of(&signed.bytes);
        let commit = build(self.store, replay, signed, self.clock.now())?;
        replay.preview(as_objects(self.store), commit, self.clock.now())?;
        if let Some(remote) = self.remote {
            match remote.push(commit) {
                Ok(()) => {}
                Err(RemoteError::LostRace) => return Ok(None),
                Err(cause) => {
                    let name = digest.short();
                    self.outbox.keep(&name, &signed.write()).map_err(AppendError::Outbox)?;
                    return Err(AppendError::Queued { name, cause });
                }
            }
        }
        let note = format!("jit: {}", signed.event.kind());
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
        Ok(Some(Appended { digest, case: signed.event.case.unwrap_or(CaseId(digest)), commit, behind }))
    }

    fn follow(&self, replay: &mut Replay, head: CommitId) -> Result<(), AppendError> {
        let local = self.store.head()?;
        let objects = as_objects(self.store);
        if let Some(local) = local
            && replay.head() != Some(local)
        {
            replay.extend(objects, local)?;
        }
        if Some(head) == replay.head() {
            return Ok(());
        }
        replay.extend(objects, head)?;
        let mut from = local;
        for _ in 0..TRIES {
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
    let digest = Digest::of(&signed.bytes);
    let commit = build(store, &replay, &signed, now)?;
    replay.preview(as_objects(store), commit, now)?;
    store.advance(None, commit, "jit: genesis")?;
    replay.extend(as_objects(store), commit)?;
    Ok((replay, Appended { digest, case: CaseId(digest), commit, behind: None }))
}

pub(super) fn as_objects(store: &dyn Store) -> &dyn crate::ports::Objects {
    store
}

/// Full jitter: between nothing and a bound that doubles, at most four seconds.
pub(super) fn backoff(attempt: u32, rng: &mut dyn Rng) -> Result<Duration, RngError> {
    let bound = 50_u64.saturating_mul(1 << attempt.min(6)).min(4000);
    let [low, high, ..] = rng.bytes16()?;
    Ok(Duration::from_millis(u64::from(u16::from_be_bytes([low, high])).saturating_mul(bound) / u64::from(u16::MAX)))
}

fn facts(signature: &SshSig, bytes: &[u8]) -> Result<Signature, Fault> {
    // What a signer gives back is verified before anybody sees it.
    let foreign_application = match signature.verify(bytes) {
        Ok(()) => None,
        // K05, which comes after K03 and K04, as for everybody who reads it.
        Err(VerifyError::Application(application)) => Some(application),
        Err(error) => return Err(Fault::new(Code::K02, error.to_string())),
    };
    Ok(Signature {
        key: signature.public_key().clone(),
        namespace: signature.namespace().to_owned(),
        touched: signature.touched(),
        pin: signature.pin_verified(),
        foreign_application,
        ca_signature: true,
    })
}

/// Writes the commit of a signed event on top of the replay's head.
pub(super) fn build(
    store: &dyn Store,
    replay: &Replay,
    signed: &Signed,
    now: Timestamp,
) -> Result<CommitId, AppendError> {
    let state = replay.state();
    let event = &signed.event;
    let digest = Digest::of(&signed.bytes);
    let folder = match event.case.and_then(|case| state.case(&case)) {
        Some(case) => case.folder(),
        None => format!("ledger/{}/{}", event.time.hour_path(), digest.short()),
    };
    let path = format!("{folder}/{}-{}.toml", event.kind(), digest.short());
    let mut puts = vec![
        (format!("{path}.sig"), store.write(ObjectKind::Blob, signed.armored.as_bytes())?),
        (path, store.write(ObjectKind::Blob, &signed.bytes)?),
    ];
    let is_genesis = matches!(event.body, Body::Genesis(_));
    for (name, bytes) in &signed.files {
        let path = if is_genesis { name.clone() } else { format!("{folder}/files/{name}") };
        puts.push((path, store.write(ObjectKind::Blob, bytes)?));
    }
    let mut base = replay.tree();
    if matches!(event.body, Body::Enactment) {
        // C05: exactly the governed files of the manifest; what a void commit put beside them goes.
        base = governed::bare_ledger(store, base)?;
        puts.extend(enacted_files(store, replay, event)?);
    }
    let puts: Vec<(&str, _)> = puts.iter().map(|(path, id)| (path.as_str(), *id)).collect();
    let tree = tree::build(store, base, &puts, &[])?;
    let email = author_email(state, signed);
    let person = |time: Timestamp| Person {
        name: event.actor.to_string(),
        email: email.clone(),
        time: time.unix(),
        zone: "+0000".to_owned(),
    };
    let commit = RawCommit {
        tree,
        parents: replay.head().into_iter().collect(),
        author: person(event.time),
        committer: person(now),
        message: message(event, &digest),
    };
    let raw = commit.write().map_err(|fault| AppendError::Other(fault.to_string()))?;
    Ok(store.write(ObjectKind::Commit, &raw)?)
}

fn author_email(state: &State, signed: &Signed) -> String {
    let of =
        |policy: &crate::domain::policy::Policy| policy.actor(&signed.event.actor).map(|actor| actor.email.clone());
    let email = match state.policy() {
        Some(policy) => of(policy),
        None => signed
            .files
            .get("policy.toml")
            .and_then(|bytes| crate::domain::policy::Policy::parse(bytes).ok())
            .as_ref()
            .and_then(of),
    };
    email.unwrap_or_default()
}

type Puts = Vec<(String, crate::domain::id::ObjectId)>;

/// All governed files as they are after an enactment.
fn enacted_files(store: &dyn Store, replay: &Replay, event: &Event) -> Result<Puts, AppendError> {
    let state = replay.state();
    let other = |why: &str| AppendError::Other(why.to_owned());
    let told = |error: GovernedError| match error {
        GovernedError::Store(error) => AppendError::Store(error),
        error => AppendError::Other(error.to_string()),
    };
    let case = event.case.and_then(|case| state.case(&case)).ok_or_else(|| other("the proposal is unknown"))?;
    let Matter::Proposal(proposed) = case.matter() else { return Err(other("the case is no proposal")) };
    let present = governed::in_force(as_objects(store), replay).map_err(told)?;
    let Subject::Policy { files, .. } = &proposed.subject else {
        return Ok(present.into_iter().map(|(path, content)| (path, content.blob)).collect());
    };
    let brought = governed::brought(as_objects(store), case).map_err(told)?;
    let mut puts = Vec::new();
    for file in files {
        let unchanged = state.manifest().get(&file.path) == Some(&file.sha256);
        let from = if unchanged { &present } else { &brought };
        let content = from.get(&file.path).ok_or_else(|| other("a proposed file is missing"))?;
        puts.push((file.path.clone(), content.blob));
    }
    Ok(puts)
}

/// An event as it waits in the outbox.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    event: String,
    signature: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

impl Signed {
    /// Signs an event.
    pub(super) fn by(signer: &dyn Signer, event: Event, files: BTreeMap<String, Vec<u8>>) -> Result<Self, AppendError> {
        let bytes = codec::write(&event);
        let namespace = event.kind().namespace();
        let raw = signer.sign_message(&namespace, &bytes)?;
        let signature = SshSig::new(signer.public_key().clone(), &namespace, raw);
        let facts = facts(&signature, &bytes).map_err(AppendError::Refused)?;
        Ok(Self { armored: signature.to_armored(), signature: facts, bytes, event, files })
    }

    pub(super) const fn event(&self) -> &Event {
        &self.event
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let files = self
            .files
            .iter()
            .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
            .collect();
        let kept =
            Kept { event: String::from_utf8_lossy(&self.bytes).into_owned(), signature: self.armored.clone(), files };
        serde_json::to_vec_pretty(&kept).unwrap_or_default()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let kept: Kept = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let bytes = kept.event.into_bytes();
        let event = codec::parse(&bytes).map_err(|fault| fault.to_string())?;
        let signature = SshSig::parse(kept.signature.as_bytes()).map_err(|error| error.to_string())?;
        let facts = facts(&signature, &bytes).map_err(|fault| fault.to_string())?;
        let files = kept.files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        Ok(Self { event, bytes, armored: kept.signature, signature: facts, files })
    }
}
