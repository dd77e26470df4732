//! A case as the state keeps it: at hand, or as bytes until somebody asks for it. Of a long history most cases are done
//! with; their bytes take a fifth of what the case itself takes.

use std::sync::{Arc, OnceLock};

use super::case::{Case, Matter};
use super::under::{Sources, Under};

/// A case that is kept.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// At hand.
    AtHand(Arc<Case>),
    /// As bytes.
    Aside(Arc<Bytes>),
}

/// A case as bytes. Nobody outside makes one: they are what [`written`] gave.
#[derive(Debug)]
pub(super) struct Bytes {
    bytes: Box<[u8]>,
    /// The one policy that the case rests on.
    under: Option<Under>,
    /// The case, once somebody asked for it.
    read: OnceLock<Box<Case>>,
}

impl From<Case> for Kept {
    fn from(case: Case) -> Self {
        Self::AtHand(Arc::new(case))
    }
}

impl Kept {
    /// The case.
    pub(super) fn case(&self) -> &Case {
        match self {
            Self::AtHand(case) => case,
            Self::Aside(aside) => aside.read.get_or_init(|| Box::new(aside.read())),
        }
    }

    /// The case, to be changed. It is at hand from then on.
    pub(super) fn case_mut(&mut self) -> &mut Case {
        if let Self::Aside(aside) = self {
            let case = aside.read.get().map_or_else(|| aside.read(), |case| Case::clone(case));
            *self = Self::AtHand(Arc::new(case));
        }
        match self {
            Self::AtHand(case) => Arc::make_mut(case),
            Self::Aside(_) => unreachable!("it was taken at hand just now"),
        }
    }

    /// Shows the case, and keeps no more of it than before.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Case) -> T) -> T {
        match self {
            Self::AtHand(case) => look(case),
            Self::Aside(aside) => match aside.read.get() {
                Some(case) => look(case),
                None => look(&aside.read()),
            },
        }
    }

    /// Keeps only its bytes.
    pub(super) fn lay_aside(&mut self) {
        if let Self::AtHand(case) = self {
            let aside = Bytes { bytes: written(case).into(), under: under(case).cloned(), read: OnceLock::new() };
            *self = Self::Aside(Arc::new(aside));
        }
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::AtHand(case) => written(case),
            Self::Aside(aside) => aside.bytes.to_vec(),
        }
    }
}

impl Bytes {
    fn read(&self) -> Case {
        let mut case = parsed(&self.bytes);
        if let Some(slot) = slot(&mut case) {
            slot.clone_from(&self.under);
        }
        case
    }
}

/// A case as bytes; of the policy that it rests on the digest.
pub(super) fn written(case: &Case) -> Vec<u8> {
    postcard::to_allocvec(case).expect("a case has no part that cannot be written")
}

/// The case that was [`written`], with the policy that it rests on in `sources`.
pub(super) fn read(bytes: &[u8], sources: &Arc<Sources>) -> Case {
    let mut case = parsed(bytes);
    if let Some(Some(under)) = slot(&mut case) {
        under.bind(sources);
    }
    case
}

fn parsed(bytes: &[u8]) -> Case {
    // The bytes are our own, of this very build: in memory, or in a file of ours whose checksum says so. Whoever can forge
    // that can replace the program, too; going on without the case would be worse than not going on.
    postcard::from_bytes(bytes).expect("what this program wrote, it reads")
}

fn under(case: &Case) -> Option<&Under> {
    match &case.matter {
        Matter::Access(access) => access.issued_under.as_ref(),
        Matter::Proposal(proposed) => proposed.policy.as_ref(),
        Matter::Genesis | Matter::Lock(_) => None,
    }
}

fn slot(case: &mut Case) -> Option<&mut Option<Under>> {
    match &mut case.matter {
        Matter::Access(access) => Some(&mut access.issued_under),
        Matter::Proposal(proposed) => Some(&mut proposed.policy),
        Matter::Genesis | Matter::Lock(_) => None,
    }
}
