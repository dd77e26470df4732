//! A case as the state keeps it: at hand, or as bytes until somebody asks for it. Of a long history most cases are done
//! with; their bytes take a fifth of what the case itself takes, and a snapshot brings them without looking at them.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::case::{Case, Matter};
use crate::domain::id::Digest;
use crate::domain::policy::Policy;

/// A case that is kept.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// At hand.
    AtHand(Arc<Case>),
    /// As bytes.
    Aside(Arc<Aside>),
}

/// A case as bytes. Nobody outside makes one: the bytes are those that [`written`] gave, or have the checksum of a
/// snapshot that holds them.
#[derive(Debug)]
pub(super) struct Aside {
    bytes: Bytes,
    /// The one policy that the case rests on.
    policy: Option<Arc<Policy>>,
    /// Whether it waits for a credential.
    waits: bool,
    /// The case, once somebody asked for it.
    read: OnceLock<Case>,
}

#[derive(Debug)]
enum Bytes {
    Own(Box<[u8]>),
    Of(Arc<Vec<u8>>, Range<usize>),
}

impl From<Case> for Kept {
    fn from(case: Case) -> Self {
        Self::AtHand(Arc::new(case))
    }
}

impl Kept {
    /// A case of a snapshot: `range` of its bytes.
    pub(super) fn of(bytes: &Arc<Vec<u8>>, range: Range<usize>, policy: Option<Arc<Policy>>, waits: bool) -> Self {
        let bytes = Bytes::Of(Arc::clone(bytes), range);
        Self::Aside(Arc::new(Aside { bytes, policy, waits, read: OnceLock::new() }))
    }

    /// The case.
    pub(super) fn case(&self) -> &Case {
        match self {
            Self::AtHand(case) => case,
            Self::Aside(aside) => aside.read.get_or_init(|| aside.read()),
        }
    }

    /// The case, to be changed. It is at hand from then on.
    pub(super) fn case_mut(&mut self) -> &mut Case {
        if let Self::Aside(aside) = self {
            let case = aside.read.get().cloned().unwrap_or_else(|| aside.read());
            *self = Self::AtHand(Arc::new(case));
        }
        match self {
            Self::AtHand(case) => Arc::make_mut(case),
            Self::Aside(_) => unreachable!("it was taken at hand just now"),
        }
    }

    /// Shows the case, and keeps no more of it than before.
    pub(super) fn look(&self, look: &mut impl FnMut(&Case)) {
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
            let aside = Aside {
                bytes: Bytes::Own(written(case).into()),
                policy: policy_of(case).cloned(),
                waits: waits(case),
                read: OnceLock::new(),
            };
            *self = Self::Aside(Arc::new(aside));
        }
    }

    /// Whether it is an access that waits for a credential.
    pub(super) fn waits(&self) -> bool {
        match self {
            Self::AtHand(case) => waits(case),
            Self::Aside(aside) => aside.waits,
        }
    }

    /// The policy that it rests on.
    pub(super) fn policy(&self) -> Option<&Arc<Policy>> {
        match self {
            Self::AtHand(case) => policy_of(case),
            Self::Aside(aside) => aside.policy.as_ref(),
        }
    }

    /// Adds its bytes to a snapshot. Gives how many they are.
    pub(super) fn write(&self, to: &mut Vec<u8>) -> usize {
        let before = to.len();
        match self {
            Self::AtHand(case) => to.extend_from_slice(&written(case)),
            Self::Aside(aside) => to.extend_from_slice(aside.bytes()),
        }
        to.len() - before
    }
}

impl Aside {
    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Own(bytes) => bytes,
            Bytes::Of(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        }
    }

    fn read(&self) -> Case {
        // The bytes are our own, of this very build: in memory, or in a file of ours whose checksum says so. Whoever can
        // forge that can replace the program, too; going on without the case would be worse than not going on.
        let mut case: Case = postcard::from_bytes(self.bytes()).expect("what this program wrote, it reads");
        match &mut case.matter {
            Matter::Access(access) => access.issued_under.clone_from(&self.policy),
            Matter::Proposal(proposed) => proposed.policy.clone_from(&self.policy),
            Matter::Genesis | Matter::Lock(_) => {}
        }
        case
    }
}

/// A case as bytes; the policy that it rests on stands beside them.
fn written(case: &Case) -> Vec<u8> {
    postcard::to_allocvec(case).expect("a case has no part that cannot be written")
}

fn waits(case: &Case) -> bool {
    case.access().is_some_and(super::access::Access::waits)
}

fn policy_of(case: &Case) -> Option<&Arc<Policy>> {
    match &case.matter {
        Matter::Access(access) => access.issued_under.as_ref(),
        Matter::Proposal(proposed) => proposed.policy.as_ref(),
        Matter::Genesis | Matter::Lock(_) => None,
    }
}

/// The digest of a policy that is there.
pub(super) fn digest_of(policy: Option<&Arc<Policy>>) -> Option<Digest> {
    policy.map(|policy| policy.digest)
}
