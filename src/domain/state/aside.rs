//! What of a state is not at hand: the cases, times and policies of the commits up to some size, wherever they are kept. They
//! are asked for one by one; a command of a long history looks at few of them. PURE: whoever keeps them implements
//! [`Aside`].

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use super::case::Case;
use super::kept;
use super::rest::Rest;
use super::under::Sources;
use crate::domain::id::{CaseId, Digest};
use crate::domain::time::Timestamp;

/// Everything that the first commits of a ledger said, kept elsewhere. It never changes. What it gives is what
/// [`super::State`] gave to whoever keeps it: there is no error here, since whoever cannot read it any more replays those
/// commits. Cases are numbered from 0 in the order in which they were opened.
pub trait Aside: fmt::Debug + Send + Sync {
    /// The bytes of a case, as [`super::State::case_bytes`] gave them last.
    fn case(&self, number: u64) -> Vec<u8>;
    /// The number of a case; `None` where it is not among them.
    fn number(&self, id: &CaseId) -> Option<u64>;
    /// The numbers of cases whose ids lie in `ids`, at most `most` of them.
    fn numbers(&self, ids: RangeInclusive<CaseId>, most: usize) -> Vec<u64>;
    /// The newest event time over the first `size` commits, of which there is at least one.
    fn newest(&self, size: u64) -> Timestamp;
    /// The text of a policy that a case rests on.
    fn policy(&self, digest: &Digest) -> String;
}

/// What lies aside, and what of it was read.
#[derive(Debug)]
pub(super) struct Base {
    aside: Arc<dyn Aside>,
    sources: Arc<Sources>,
    /// How many commits it holds.
    pub(super) size: u64,
    /// How many cases it holds.
    pub(super) cases: u64,
    /// The newest event time.
    pub(super) newest: Timestamp,
    /// Which of its cases are at rest.
    pub(super) rest: Rest,
    read: Memo,
}

impl Base {
    pub(super) fn new(
        aside: Arc<dyn Aside>,
        sources: Arc<Sources>,
        (size, cases, newest): (u64, u64, Timestamp),
        rest: Rest,
    ) -> Self {
        Self { aside, sources, size, cases, newest, rest, read: Memo::default() }
    }

    /// Whoever keeps it.
    pub(super) fn aside(&self) -> &dyn Aside {
        &*self.aside
    }

    /// A case; it stays in memory.
    pub(super) fn case(&self, number: u64) -> &Case {
        self.read.get_or_read(number, || self.read(number))
    }

    /// Shows a case, and keeps no more of it than before.
    pub(super) fn look<T>(&self, number: u64, look: impl FnOnce(&Case) -> T) -> T {
        match self.read.get(number) {
            Some(case) => look(case),
            None => look(&self.read(number)),
        }
    }

    fn read(&self, number: u64) -> Case {
        kept::read(&self.aside.case(number), &self.sources)
    }
}

/// Cases by number that can be added to while others are looked at: chains that only grow.
struct Memo {
    chains: Vec<OnceLock<Box<Link>>>,
}

struct Link {
    number: u64,
    case: Case,
    next: OnceLock<Box<Link>>,
}

impl Memo {
    const CHAINS: usize = 1024;

    fn chain(&self, number: u64) -> Option<&OnceLock<Box<Link>>> {
        let chains = u64::try_from(self.chains.len()).unwrap_or(u64::MAX);
        self.chains.get(usize::try_from(number.checked_rem(chains)?).ok()?)
    }

    fn get(&self, number: u64) -> Option<&Case> {
        let mut at = self.chain(number)?;
        while let Some(link) = at.get() {
            if link.number == number {
                return Some(&link.case);
            }
            at = &link.next;
        }
        None
    }

    fn get_or_read(&self, number: u64, read: impl Fn() -> Case) -> &Case {
        let mut at = self.chain(number).expect("there are chains");
        loop {
            let link = at.get_or_init(|| Box::new(Link { number, case: read(), next: OnceLock::new() }));
            if link.number == number {
                return &link.case;
            }
            at = &link.next;
        }
    }
}

impl Default for Memo {
    fn default() -> Self {
        Self { chains: (0..Self::CHAINS).map(|_| OnceLock::new()).collect() }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cases that were read")
    }
}

impl Drop for Memo {
    fn drop(&mut self) {
        // Link by link: a long chain dropped at once would be as deep a recursion.
        for chain in &mut self.chains {
            let mut next = chain.take();
            while let Some(mut link) = next {
                next = link.next.take();
            }
        }
    }
}
