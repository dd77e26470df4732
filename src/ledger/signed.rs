//! A signed event: its bytes, its signature, verified, and what a proposal brings with it; and the form in which it waits
//! in the outbox. Imports `domain`, `ports` and `sshsig`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::codec;
use crate::domain::event::Event;
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, Digest};
use crate::domain::state::arrival::Signature;
use crate::ports::Signer;
use crate::sshsig::{KeyCache, SshSig};

use super::append::AppendError;
use super::check;

/// A signed event and what goes with it.
#[derive(Debug, Clone)]
pub struct Signed {
    event: Event,
    bytes: Vec<u8>,
    armored: String,
    signature: Signature,
    files: BTreeMap<String, Vec<u8>>,
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
        let armored = SshSig::new(signer.public_key().clone(), &namespace, raw).to_armored();
        // What a signer gives back is verified before anybody sees it, as everybody will who reads it.
        let signature = signature(&bytes, &armored).map_err(AppendError::Refused)?;
        Ok(Self { event, bytes, armored, signature, files })
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its signature file.
    pub(super) fn armored(&self) -> &str {
        &self.armored
    }

    /// What the signature shows.
    pub(super) const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The files that a proposal or a genesis brings.
    pub(super) const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Its case: the one it names, or the one it opens.
    pub(super) fn case(&self) -> CaseId {
        self.event.case.unwrap_or_else(|| CaseId(self.digest()))
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
        serde_json::to_vec_pretty(&kept).expect("texts by name can be written")
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let kept: Kept = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let files = kept.files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        Self::of(kept.event.into_bytes(), kept.signature, files).map_err(|fault| fault.to_string())
    }

    /// From an event's bytes and its signature, which is verified. Whether it may stand in the ledger is not asked.
    pub(super) fn of(bytes: Vec<u8>, armored: String, files: BTreeMap<String, Vec<u8>>) -> Result<Self, Fault> {
        let event = codec::parse(&bytes)?;
        let signature = signature(&bytes, &armored)?;
        Ok(Self { event, bytes, armored, signature, files })
    }
}

/// A certificate in the event is only judged where its commit is (A05).
fn signature(bytes: &[u8], armored: &str) -> Result<Signature, Fault> {
    let signature = check::signature(&mut KeyCache::default(), bytes, armored.as_bytes())?;
    Ok(Signature { ca_signature: true, ..signature })
}
