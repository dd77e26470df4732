//! Intent + state + time → event or refusal: the same rules as the fold, asked before anything is signed.

use std::collections::BTreeMap;

use super::codec;
use super::event::{Body, Event, Seen};
use super::finding::Fault;
use super::id::{CaseId, Digest, Name, Nonce};
use super::key::{Presence, PublicKey};
use super::state::Claim;
use super::state::State;
use super::state::arrival::Signature;
use super::time::Timestamp;

/// What somebody means to say.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Who.
    pub actor: Name,
    /// In which case; `None` where it opens one.
    pub case: Option<CaseId>,
    /// What.
    pub body: Body,
    /// A proposal's changed files.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The event that says what is meant, as of the log with `root` at the state's size.
pub fn draft(state: &State, root: Digest, intent: &Intent, time: Timestamp, nonce: Nonce) -> Event {
    let opens = intent.body.kind().opens_case();
    Event {
        ledger: state.ledger(),
        case: intent.case,
        policy: state.policy().map(|policy| policy.digest),
        actor: intent.actor.clone(),
        time,
        nonce: opens.then_some(nonce),
        seen: state.ledger().map(|_| Seen { size: state.size(), root }),
        body: intent.body.clone(),
    }
}

/// Asks `event` every rule that can be asked before it is signed: text and size (E), whose key and which kind of key (K),
/// and all of L and A. A hardware key is taken to show what it can (`presence`); an issuance's CA signature is taken to be
/// good. Both are looked at again when the event is signed, and when it is replayed.
///
/// # Errors
/// The first rule that the event would break.
pub fn refusal(
    state: &State,
    root_at_seen: Option<Digest>,
    event: &Event,
    key: &PublicKey,
    presence: Presence,
    files: &BTreeMap<String, Vec<u8>>,
    now: Timestamp,
) -> Result<(), Fault> {
    let bytes = codec::write(event);
    // E03: the texts, and that the event reads back as it is.
    codec::parse(&bytes)?;
    let signature = Signature {
        key: key.clone(),
        namespace: event.kind().namespace(),
        touched: presence.touch,
        pin: presence.pin,
        foreign_application: None,
        ca_signature: true,
    };
    let claim =
        Claim { event, digest: Digest::of(&bytes), signature: &signature, root_at_seen, files, arrival: Some(now) };
    state.judge_event(&claim).map(|_| ())
}
