//! The policy that a case rests on: which one, and the policy itself once somebody asks for it. A long history has thousands
//! of policies, and hardly a command looks at more than the one in force. PURE.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::aside::Aside;
use crate::domain::id::Digest;
use crate::domain::policy::Policy;

/// A policy, by its digest.
#[derive(Clone)]
pub struct Under {
    digest: Digest,
    read: OnceLock<Arc<Policy>>,
    /// Where its text lies, where it was not read yet.
    sources: Option<Arc<Sources>>,
}

impl Under {
    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The policy.
    pub fn policy(&self) -> &Arc<Policy> {
        self.read.get_or_init(|| {
            // Whoever reads a case binds what it rests on: `kept` and `aside` alone do.
            self.sources.as_ref().expect("a case that was read knows where its policy lies").policy(self.digest)
        })
    }

    /// Says where its text lies.
    pub(super) fn bind(&mut self, sources: &Arc<Sources>) {
        self.sources = Some(Arc::clone(sources));
    }
}

impl From<Arc<Policy>> for Under {
    fn from(policy: Arc<Policy>) -> Self {
        Self { digest: policy.digest, read: OnceLock::from(policy), sources: None }
    }
}

impl Deref for Under {
    type Target = Policy;
    fn deref(&self) -> &Policy {
        self.policy()
    }
}

impl fmt::Debug for Under {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy {}", self.digest)
    }
}

impl Serialize for Under {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.digest.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Under {
    /// It must be bound before somebody asks for the policy.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { digest: Digest::deserialize(deserializer)?, read: OnceLock::new(), sources: None })
    }
}

/// The policies whose text lies aside, each parsed once.
#[derive(Debug)]
pub(super) struct Sources {
    aside: Arc<dyn Aside>,
    read: Mutex<HashMap<Digest, Arc<Policy>>>,
}

impl Sources {
    /// Those of `aside`, with the one in force at hand.
    pub(super) fn new(aside: Arc<dyn Aside>, in_force: Arc<Policy>) -> Self {
        Self { aside, read: Mutex::new([(in_force.digest, in_force)].into()) }
    }

    pub(super) fn policy(&self, digest: Digest) -> Arc<Policy> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let parsed = || {
            let source = self.aside.policy(&digest);
            Arc::new(Policy::parse(source.as_bytes()).expect("a policy that was judged is sound"))
        };
        Arc::clone(read.entry(digest).or_insert_with(parsed))
    }
}
