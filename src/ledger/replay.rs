//! The replay: every commit from the genesis to the head, read, judged and taken, oldest first. Only here does a commit
//! become part of a [`State`].

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::domain::event::Event;
use crate::domain::finding::{Code, Fault, Finding};
use crate::domain::id::{CommitId, Digest, ObjectId};
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::merkle;
use crate::ports::{ObjectKind, Objects, StoreError};

use super::check::{Checked, Checker};
use super::commit::{self, CommitFault, Links};
use super::pipeline;
use super::read::{Reader, governed_files};
use super::snapshot::Base;
use super::tree::TreeReader;

mod walk;

pub use walk::{Step, Walk};

/// The most bytes of a commit object that is read at all.
const COMMIT_BYTES: u64 = 1024 * 1024;

/// After how many commits whoever looks on is told.
const TOLD_EVERY: u64 = 64;

/// Whoever looks on while a ledger is replayed: is told how many commits were taken, and of how many.
pub type Observer<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// A ledger, replayed up to a head.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    state: State,
    log: merkle::Tree,
    /// What of the first commits is not at hand.
    base: Option<Arc<Base>>,
    /// The commits since.
    commits: Vec<CommitId>,
    tree: Option<ObjectId>,
}

/// Why a ledger could not be replayed. None but [`ReplayError::Genesis`] and [`ReplayError::Forked`] is a verdict.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An object is missing or cannot be read: it could not be checked.
    #[error("the ledger could not be checked")]
    Store(#[from] StoreError),
    /// A commit object from which not even its parents can be told.
    #[error("commit {0} cannot be read: {1}")]
    Commit(CommitId, CommitFault),
    /// A commit object that is larger than any commit of a ledger: neither it nor anything behind it can be checked.
    #[error("commit {commit} has {size} bytes, where one of a ledger has at most {limit}")]
    CommitTooLarge {
        /// The commit.
        commit: CommitId,
        /// Its size in bytes.
        size: u64,
        /// What is read at most.
        limit: u64,
    },
    /// There is no ledger without a good genesis.
    #[error("the genesis {commit} is void: {fault}")]
    Genesis {
        /// The first commit.
        commit: CommitId,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The new head does not descend from what was replayed before.
    #[error("the ledger was rewritten: {found} does not descend from {known}, the verified head")]
    Forked {
        /// The head that was known.
        known: CommitId,
        /// The head that was found.
        found: CommitId,
    },
    /// Something that would be appended breaks a rule. Nothing was.
    #[error("the commit would be void: {0}")]
    WouldBeVoid(Fault),
}

impl Replay {
    /// Replays everything up to `head`.
    ///
    /// # Errors
    /// Where something cannot be read, or the genesis is void.
    pub fn of(objects: &dyn Objects, head: CommitId) -> Result<Self, ReplayError> {
        Self::observed(objects, head, &mut |_, _| {})
    }

    /// The same, with somebody looking on.
    ///
    /// # Errors
    /// As [`Replay::of`].
    pub fn observed(objects: &dyn Objects, head: CommitId, observer: Observer<'_>) -> Result<Self, ReplayError> {
        let mut replay = Self::default();
        replay.extend_observed(objects, head, observer)?;
        Ok(replay)
    }

    /// Replays on to `head`, which must descend from the present one.
    ///
    /// # Errors
    /// [`ReplayError::Forked`] where it does not; nothing has changed then.
    pub fn extend(&mut self, objects: &dyn Objects, head: CommitId) -> Result<(), ReplayError> {
        self.extend_observed(objects, head, &mut |_, _| {})
    }

    fn extend_observed(
        &mut self,
        objects: &dyn Objects,
        head: CommitId,
        observer: Observer<'_>,
    ) -> Result<(), ReplayError> {
        let chain = self.chain(objects, head)?;
        if chain.is_empty() {
            return Ok(());
        }
        // A copy is taken only where something is known already: a failure half-way must not leave half a state.
        let mut next = self.clone();
        next.take_all(objects, &chain, observer)?;
        *self = next;
        Ok(())
    }

    /// What a snapshot knew.
    pub(super) const fn above(state: State, log: merkle::Tree, base: Arc<Base>, tree: ObjectId) -> Self {
        Self { state, log, base: Some(base), commits: Vec::new(), tree: Some(tree) }
    }

    /// The snapshot that it goes on from.
    pub(super) const fn base(&self) -> Option<&Arc<Base>> {
        self.base.as_ref()
    }

    /// The commits that came since that snapshot, oldest first.
    pub(super) fn since(&self) -> &[CommitId] {
        &self.commits
    }

    /// Replays on to `head` from what a snapshot knew, with somebody looking on.
    ///
    /// # Errors
    /// As [`Replay::extend`]; what was known is gone then.
    pub fn onwards(
        mut self,
        objects: &dyn Objects,
        head: CommitId,
        observer: Observer<'_>,
    ) -> Result<Self, ReplayError> {
        let chain = self.chain(objects, head)?;
        self.take_all(objects, &chain, observer)?;
        Ok(self)
    }

    /// Takes the commits of `chain`, newest first, that follow the head.
    fn take_all(
        &mut self,
        objects: &dyn Objects,
        chain: &[CommitId],
        observer: Observer<'_>,
    ) -> Result<(), ReplayError> {
        let total = u64::try_from(chain.len()).unwrap_or(u64::MAX);
        let mut done = 0;
        let before = self.tree;
        pipeline::run(objects, before, chain, |checked| {
            self.take(checked, false)?;
            done += 1;
            if done % TOLD_EVERY == 0 {
                observer(done, total);
            }
            Ok(())
        })
    }

    /// Judges a commit on top of the head without taking it: what we are about to publish.
    ///
    /// # Errors
    /// [`ReplayError::WouldBeVoid`] with the rule that it breaks.
    pub fn preview(&self, objects: &dyn Objects, id: CommitId, now: Timestamp) -> Result<(), ReplayError> {
        let mut checked = self.check_next(objects, id)?.at(&self.log);
        checked.arrival.now = Some(now);
        self.state.judge(checked.arrival).map(|_| ()).map_err(ReplayError::WouldBeVoid)
    }

    /// Judges a commit on top of the head as of `now`, and takes it where it breaks no rule: what somebody pushes. Nothing
    /// has changed where it fails.
    ///
    /// # Errors
    /// [`ReplayError::WouldBeVoid`] with the rule that it breaks.
    pub fn admit(&mut self, objects: &dyn Objects, id: CommitId, now: Timestamp) -> Result<(), ReplayError> {
        let mut checked = self.check_next(objects, id)?.at(&self.log);
        checked.arrival.now = Some(now);
        let judged = self.state.judge(checked.arrival).map_err(ReplayError::WouldBeVoid)?;
        self.log.append(checked.leaf);
        self.state.apply(judged);
        self.commits.push(id);
        self.tree = Some(checked.tree);
        Ok(())
    }

    /// Takes the one commit that follows the head, without the copy that [`Replay::extend`] makes: for a replay that is
    /// thrown away when this fails.
    pub(super) fn take_next(&mut self, objects: &dyn Objects, id: CommitId) -> Result<(), ReplayError> {
        let checked = self.check_next(objects, id)?;
        self.take(checked, false).map(|_| ())
    }

    fn check_next(&self, objects: &dyn Objects, id: CommitId) -> Result<Checked, ReplayError> {
        let (raw, links) = read_commit(objects, id)?;
        let fetched = Reader::new(objects).fetch(id, raw, &links, self.tree)?;
        Ok(Checker::default().check(fetched))
    }

    /// The state.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The log.
    pub const fn log(&self) -> &merkle::Tree {
        &self.log
    }

    /// The last commit.
    pub fn head(&self) -> Option<CommitId> {
        self.commits.last().copied().or_else(|| self.base.as_ref().map(|base| base.head()))
    }

    fn before(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.size())
    }

    /// The commit at a position.
    pub fn commit_at(&self, position: u64) -> Option<CommitId> {
        match position.checked_sub(self.before()) {
            Some(since) => usize::try_from(since).ok().and_then(|since| self.commits.get(since)).copied(),
            None => self.base.as_ref().map(|base| base.commit(position)),
        }
    }

    /// The position of a commit; `None` where it is not in the history.
    pub fn position_of(&self, commit: CommitId) -> Option<u64> {
        match self.commits.iter().rposition(|known| *known == commit) {
            Some(since) => Some(self.before().saturating_add(u64::try_from(since).ok()?)),
            None => self.base.as_ref()?.position(&commit),
        }
    }

    /// The positions of the commits whose ids lie in `ids`; at least two of them where there are as many.
    pub fn positions_among(&self, ids: RangeInclusive<CommitId>) -> Vec<u64> {
        let old = self.base.as_ref().map(|base| base.positions(ids.clone(), 2));
        let new = (self.before()..).zip(&self.commits).filter(|(_, id)| ids.contains(id)).map(|(position, _)| position);
        old.into_iter().flatten().chain(new).collect()
    }

    /// Whether a commit is in the history.
    pub fn contains(&self, commit: CommitId) -> bool {
        self.position_of(commit).is_some()
    }

    /// The tree of the head.
    pub const fn tree(&self) -> Option<ObjectId> {
        self.tree
    }

    /// The Merkle root of the whole log.
    pub fn root(&self) -> Digest {
        self.log.root()
    }

    /// What is to be looked at, at `now`: the state's findings, and F03 of the tree at the head.
    ///
    /// # Errors
    /// Where the tree cannot be read.
    pub fn findings(&self, objects: &dyn Objects, now: Timestamp) -> Result<Vec<Finding>, ReplayError> {
        let mut findings = self.state.findings(now);
        let (Some(tree), Some(policy)) = (self.tree, self.state.policy()) else { return Ok(findings) };
        let (files, _) = governed_files(objects, &mut TreeReader::new(objects), tree)?;
        let manifest = self.state.manifest();
        let mut found = |message: String| findings.push(Finding { code: Code::F03, case: None, message });
        for path in files.keys().chain(manifest.keys().filter(|path| !files.contains_key(*path))) {
            if files.get(path).copied().flatten() != manifest.get(path).copied() || !manifest.contains_key(path) {
                found(format!("{path} is not what the manifest in force says"));
            }
        }
        let derived = Digest::of(policy.allowed_signers().as_bytes());
        if files.get("allowed_signers").copied().flatten() != Some(derived) {
            found("allowed_signers is not what the policy derives".into());
        }
        Ok(findings)
    }

    /// The commits behind the present head up to `head`, newest first.
    fn chain(&self, objects: &dyn Objects, head: CommitId) -> Result<Vec<CommitId>, ReplayError> {
        let known = self.head();
        let mut chain = Vec::new();
        let mut at = Some(head);
        while at != known {
            let Some(id) = at else {
                let known = known.unwrap_or(head);
                return Err(ReplayError::Forked { known, found: head });
            };
            let (_, links) = read_commit(objects, id)?;
            chain.push(id);
            at = links.parents.first().copied();
        }
        Ok(chain)
    }

    /// Takes the next commit, all of it or nothing. With `keep` it gives back what the commit said.
    fn take(&mut self, checked: Checked, keep: bool) -> Result<Option<Taken>, ReplayError> {
        let Checked { arrival, raw, tree, leaf, .. } = checked.at(&self.log);
        let (id, digest) = (arrival.commit, arrival.digest);
        let taken = match self.state.judge(arrival) {
            Ok(judged) => {
                let taken = keep.then(|| Taken { id: digest, said: Ok(judged.event().clone()) });
                self.log.append(leaf);
                self.state.apply(judged);
                taken
            }
            Err(fault) if self.state.size() == 0 => return Err(ReplayError::Genesis { commit: id, fault }),
            Err(fault) => {
                let taken = keep.then(|| Taken { id: Digest::of(&raw), said: Err(fault.clone()) });
                self.log.append(merkle::void_leaf(&raw));
                self.state.apply_void(id, fault);
                taken
            }
        };
        self.commits.push(id);
        self.tree = Some(tree);
        Ok(taken)
    }
}

/// What a commit said: the digest by which it is known, and its event or its fault.
struct Taken {
    id: Digest,
    said: Result<Event, Fault>,
}

pub(super) fn read_commit(objects: &dyn Objects, id: CommitId) -> Result<(Vec<u8>, Links), ReplayError> {
    let raw = match objects.read(id, ObjectKind::Commit, COMMIT_BYTES) {
        // Its leaf would be the digest of all of it, which nobody can ask for without reading it.
        Err(StoreError::TooLarge { size, limit, .. }) => {
            return Err(ReplayError::CommitTooLarge { commit: id, size, limit });
        }
        read => read?,
    };
    let links = commit::links(&raw).map_err(|fault| ReplayError::Commit(id, fault))?;
    Ok((raw, links))
}
