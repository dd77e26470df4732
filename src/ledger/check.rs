//! From a commit's bytes to an [`Arrival`]: the event parsed, the signature verified. No objects and no state: commits are
//! checked here in any order, side by side.

use crate::domain::certificate::Certificate;
use crate::domain::codec;
use crate::domain::event::{Body, Event};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{Digest, ObjectId};
use crate::domain::state::arrival::{Arrival, Metadata, Signature};
use crate::merkle;
use crate::sshsig::{KeyCache, SshSig, SshSigError, VerifyError};

use super::commit;
use super::read::Fetched;

/// A commit, checked as far as it can be without a state.
pub struct Checked {
    /// What the fold judges, but for its parents (C01) and the root that its author saw (L03).
    pub arrival: Arrival,
    /// The commit's object.
    pub raw: Vec<u8>,
    /// Its tree.
    pub tree: ObjectId,
    /// How many parents it names.
    pub parents: usize,
    /// The leaf of the event, if it breaks no rule.
    pub leaf: Digest,
}

/// Checks commits, keeping the keys that it has seen.
#[derive(Default)]
pub struct Checker {
    keys: KeyCache,
}

impl Checker {
    /// Checks one.
    pub fn check(&mut self, fetched: Fetched) -> Checked {
        let event = match &fetched.event {
            Some(bytes) => codec::parse(bytes),
            None => Err(Fault::new(Code::E02, "there is no event to read")),
        };
        let digest = Digest::of(fetched.event.as_deref().unwrap_or_default());
        let signature = match (&fetched.event, &fetched.signature) {
            (Some(message), Some(armored)) => signature(&mut self.keys, message, armored).map(|signature| Signature {
                ca_signature: event.as_ref().is_ok_and(|event| self.ca_signature(event)),
                ..signature
            }),
            _ => Err(Fault::new(Code::K01, "there is no signature to read")),
        };
        let leaf = merkle::event_leaf(&digest, &Digest::of(fetched.signature.as_deref().unwrap_or_default()));
        let arrival = Arrival {
            commit: fetched.commit,
            parents: Ok(()),
            untouched: fetched.untouched,
            governed_change: fetched.governed_change,
            governed: fetched.governed,
            layout: fetched.layout,
            metadata: metadata(&fetched.raw),
            tree: fetched.faults,
            event,
            digest,
            signature,
            root_at_seen: None,
            files: fetched.files,
            now: None,
        };
        Checked { arrival, raw: fetched.raw, tree: fetched.tree, parents: fetched.parents, leaf }
    }

    /// A05: whether an issuance's certificate is signed by the key that it names as its CA.
    fn ca_signature(&mut self, event: &Event) -> bool {
        let Body::Issuance(issuance) = &event.body else { return false };
        Certificate::parse_line(&issuance.certificate).is_ok_and(|certificate| {
            let ca = self.keys.unpack(&certificate.ca().blob());
            ca.is_ok_and(|ca| ca.verify(certificate.signed_bytes(), certificate.signature()).is_ok())
        })
    }
}

impl Checked {
    /// What the fold judges at a position of `log`.
    pub fn at(mut self, log: &merkle::Tree) -> Self {
        self.arrival.parents = parents(log.size() == 0, self.parents);
        let seen = self.arrival.event.as_ref().ok().and_then(|event| event.seen);
        self.arrival.root_at_seen = seen.and_then(|seen| log.root_at(seen.size));
        self
    }
}

/// K01 and K02: strict, with the key inside; whose key it is comes later. K05 is only noted: it comes after K03 and K04. Of
/// a certificate in the event (A05) nothing is said.
///
/// # Errors
/// K01 where the armored text is no signature, K02 where it is none of this message.
pub fn signature(keys: &mut KeyCache, message: &[u8], armored: &[u8]) -> Result<Signature, Fault> {
    let parsed = SshSig::parse_with(keys, armored).map_err(|error| {
        let code = if matches!(error, SshSigError::WeakKey) { Code::K02 } else { Code::K01 };
        Fault::new(code, error.to_string())
    })?;
    let foreign_application = match parsed.verify(message) {
        Ok(()) => None,
        Err(VerifyError::Application(application)) => Some(application),
        Err(error) => return Err(Fault::new(Code::K02, error.to_string())),
    };
    Ok(Signature {
        key: parsed.public_key().clone(),
        namespace: parsed.namespace().to_owned(),
        touched: parsed.touched(),
        pin: parsed.pin_verified(),
        foreign_application,
        ca_signature: false,
    })
}

/// C01: one parent; the first commit none.
fn parents(is_first: bool, count: usize) -> Result<(), Fault> {
    let expected = usize::from(!is_first);
    if count == expected {
        return Ok(());
    }
    Err(Fault::new(Code::C01, format!("it has {count} parents, not {expected}")))
}

fn metadata(raw: &[u8]) -> Result<Metadata, Fault> {
    let commit = commit::parse(raw).map_err(|fault| Fault::new(Code::C07, fault.to_string()))?;
    let author = commit.author;
    Ok(Metadata {
        name: author.name,
        email: author.email,
        time: author.time,
        zone: author.zone,
        message: commit.message,
    })
}
