//! What of a replay lies in a snapshot, asked for piece by piece. Whatever cannot be read any more, or is not what was
//! written, is replayed from the first commit, once, and answered from that: never a wrong answer, only a slow one.
//! Imports `domain`, `merkle` and the replay.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use super::page::Damage;
use super::part::Part;
use crate::domain::id::{CaseId, CommitId, Digest};
use crate::domain::state::aside::Aside;
use crate::domain::time::Timestamp;
use crate::ledger::Replay;
use crate::merkle;

/// Replays everything up to a commit once more, where a snapshot turns out to be damaged while it is used. It takes the
/// snapshot away, too.
pub type Anew = Box<dyn Fn(CommitId) -> Result<Replay, String> + Send + Sync>;

/// The first commits of a ledger, as a snapshot holds them.
pub struct Base {
    head: CommitId,
    size: u64,
    root: Digest,
    /// Oldest first.
    parts: Vec<Part>,
    anew: Anew,
    again: OnceLock<Box<Replay>>,
}

impl Base {
    pub(super) fn new(head: CommitId, (size, root): (u64, Digest), parts: Vec<Part>, anew: Anew) -> Self {
        Self { head, size, root, parts, anew, again: OnceLock::new() }
    }

    /// The last of the commits.
    pub(in crate::ledger) const fn head(&self) -> CommitId {
        self.head
    }

    /// How many they are.
    pub(in crate::ledger) const fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether something of it was found damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.again.get().is_some()
    }

    /// The commit at a position, of which there are [`Base::size`].
    pub(in crate::ledger) fn commit(&self, position: u64) -> CommitId {
        self.ask(
            |base| base.holding(position)?.commit(position).map(|(commit, _)| commit),
            |again| again.commit_at(position),
        )
    }

    /// The position of a commit; `None` where it is not among them.
    pub(in crate::ledger) fn position(&self, commit: &CommitId) -> Option<u64> {
        self.positions(*commit..=*commit, 1).first().copied()
    }

    /// The positions of the commits whose ids lie in `ids`, at most `most`.
    pub(in crate::ledger) fn positions(&self, ids: RangeInclusive<CommitId>, most: usize) -> Vec<u64> {
        self.ask(
            |base| base.gather(most, |part, most| part.positions(&ids, most)),
            |again| Some(again.positions_among(ids.clone())),
        )
    }

    /// What the parts say; where they cannot, what a new replay says.
    fn ask<T>(&self, read: impl FnOnce(&Self) -> Result<T, Damage>, again: impl FnOnce(&Replay) -> Option<T>) -> T {
        if !self.is_damaged()
            && let Ok(told) = read(self)
        {
            return told;
        }
        let replay = self.again.get_or_init(|| {
            // The head, whose checksum was right, names a commit that this user verified. Where it can be replayed no
            // more, the disk took the ledger with the snapshot, and there is nothing to go on with.
            let replay = (self.anew)(self.head).expect("the snapshot is damaged, and the ledger cannot be replayed");
            assert!(replay.root() == self.root, "the snapshot does not fit the ledger; it was removed");
            Box::new(replay)
        });
        again(replay).expect("the snapshot holds what the ledger does not; it was removed")
    }

    fn holding(&self, position: u64) -> Result<&Part, Damage> {
        let at = self.parts.partition_point(|part| part.plan.to <= position);
        self.parts.get(at).filter(|part| part.holds(position)).ok_or(Damage)
    }

    fn gather(&self, most: usize, ask: impl Fn(&Part, usize) -> Result<Vec<u64>, Damage>) -> Result<Vec<u64>, Damage> {
        let mut found = Vec::new();
        // The newest first: what is asked for was mostly said lately.
        for part in self.parts.iter().rev() {
            if found.len() < most {
                found.extend(ask(part, most - found.len())?);
            }
        }
        Ok(found)
    }
}

impl Aside for Base {
    fn case(&self, number: u64) -> Vec<u8> {
        let read = |base: &Self| {
            for part in base.parts.iter().rev() {
                if let Some((at, length)) = part.body(number)? {
                    return part.bytes(at, length);
                }
            }
            Err(Damage)
        };
        self.ask(read, |again| again.state().case_bytes(number))
    }

    fn number(&self, id: &CaseId) -> Option<u64> {
        self.numbers(*id..=*id, 1).first().copied()
    }

    fn numbers(&self, ids: RangeInclusive<CaseId>, most: usize) -> Vec<u64> {
        self.ask(
            |base| base.gather(most, |part, most| part.cases(&ids, most)),
            |again| {
                let cases = again.state().cases_among(ids.clone());
                Some(cases.into_iter().filter_map(|case| again.state().number(&case.id())).take(most).collect())
            },
        )
    }

    fn newest(&self, size: u64) -> Timestamp {
        let position = size.saturating_sub(1);
        self.ask(
            |base| base.holding(position)?.commit(position).map(|(_, newest)| newest),
            |again| again.state().newest_at(size),
        )
    }

    fn policy(&self, digest: &Digest) -> String {
        let read = |base: &Self| {
            for part in base.parts.iter().rev() {
                if let Some(text) = part.text(digest)? {
                    return String::from_utf8(text).map_err(|_| Damage);
                }
            }
            Err(Damage)
        };
        self.ask(read, |again| again.state().source(digest))
    }
}

impl merkle::Hashes for Base {
    fn subtree(&self, level: u32, index: u64) -> Digest {
        let read = |base: &Self| {
            let end =
                index.checked_add(1).and_then(|next| next.checked_mul(1_u64.checked_shl(level)?)).ok_or(Damage)?;
            let last = end.saturating_sub(1);
            base.holding(last)?.subtree(level, last)
        };
        self.ask(read, |again| again.log().subtree(level, index))
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} commits up to {} in {} parts", self.size, self.head, self.parts.len())
    }
}
