//! The extra data of our proofs: the event file and, from its armor on, the signature file; or the raw object of a void
//! commit. Nothing vouches for it until its leaf was found in the log.

use serde_json::{Value, json};

use crate::domain::codec;
use crate::domain::event::Event;
use crate::domain::id::{CaseId, Digest};
use crate::domain::text::visible;
use crate::merkle::{event_leaf, void_leaf};
use crate::sshsig::SshSig;

/// What a signature file begins with. No event holds this line: line ends in its texts are escaped.
const ARMOR: &[u8] = b"\n-----BEGIN SSH SIGNATURE-----\n";
/// What a raw commit begins with. No event does.
const COMMIT: &[u8] = b"tree ";

/// What a proof is about.
pub(super) enum Extra<'a> {
    /// An event and its signature.
    Event {
        /// The event file.
        event: &'a [u8],
        /// The signature file.
        signature: &'a [u8],
    },
    /// A void commit's object.
    Void(&'a [u8]),
}

impl<'a> Extra<'a> {
    /// Takes the extra data apart. Whatever it is, it means one thing.
    pub fn read(extra: &'a [u8]) -> Self {
        if extra.starts_with(COMMIT) {
            return Self::Void(extra);
        }
        let at = extra.windows(ARMOR.len()).position(|window| window == ARMOR);
        // The line feed before the armor is the event's last.
        let at = at.map_or(extra.len(), |at| at.saturating_add(1));
        let (event, signature) = extra.split_at_checked(at).unwrap_or((extra, b""));
        Self::Event { event, signature }
    }

    /// The hash of the leaf that it makes.
    pub fn leaf(&self) -> Digest {
        match self {
            Self::Event { event, signature } => event_leaf(&Digest::of(event), &Digest::of(signature)),
            Self::Void(raw) => void_leaf(raw),
        }
    }

    /// The event, where it can be read.
    fn event(&self) -> Option<(Event, Digest)> {
        match self {
            Self::Event { event, .. } => codec::parse(event).ok().map(|parsed| (parsed, Digest::of(event))),
            Self::Void(_) => None,
        }
    }

    /// What does not hold of it, whatever log it is in.
    pub fn faults(&self) -> Vec<String> {
        let Self::Event { event, signature } = self else { return Vec::new() };
        let parsed = match codec::parse(event) {
            Ok(parsed) => parsed,
            Err(fault) => return vec![format!("its extra data is no event: {fault}")],
        };
        let signature = match SshSig::parse(signature) {
            Ok(signature) => signature,
            Err(why) => return vec![format!("its extra data holds no signature: {why}")],
        };
        let mut faults = Vec::new();
        if signature.namespace() != parsed.kind().namespace() {
            faults.push(format!("the event's signature is for {}", signature.namespace()));
        }
        if let Err(why) = signature.verify(event) {
            faults.push(format!("the event's signature: {why}"));
        }
        faults
    }

    fn signer(&self) -> Option<String> {
        match self {
            Self::Event { signature, .. } => {
                SshSig::parse(signature).ok().map(|signature| signature.public_key().fingerprint())
            }
            Self::Void(_) => None,
        }
    }

    /// What it says, for people.
    pub fn says(&self) -> Vec<String> {
        match (self, self.event()) {
            (Self::Void(raw), _) => vec![format!("a void commit: {}", Digest::of(raw))],
            (_, None) => Vec::new(),
            (_, Some((event, digest))) => {
                let case = event.case.unwrap_or(CaseId(digest));
                let mut says = vec![format!(
                    "{} {} by {} at {}, case {}",
                    event.kind(),
                    digest.short(),
                    visible(event.actor.as_str()),
                    event.time,
                    case.short()
                )];
                // Whose key it is, the policy in force at the entry says; the log took it as the actor's.
                says.extend(self.signer().map(|print| format!("signed with {print}")));
                says
            }
        }
    }

    /// What it says, for programs.
    pub fn json(&self) -> Value {
        match (self, self.event()) {
            (Self::Void(raw), _) => json!({ "void": Digest::of(raw).to_string() }),
            (_, None) => Value::Null,
            (_, Some((event, digest))) => json!({
                "kind": event.kind().to_string(), "event": digest.to_string(),
                "case": event.case.unwrap_or(CaseId(digest)).to_string(), "actor": event.actor.as_str(),
                "time": event.time.to_string(), "key": self.signer(),
            }),
        }
    }
}
