//! Whether new keys are proven: what an approver must see of `key_proofs` (format.md, section 6, "Proofs of possession").
//! Imports domain and sshsig.

use super::super::output::Output;
use crate::domain::id::{Digest, Name};
use crate::domain::key::PublicKey;
use crate::domain::policy::Policy;
use crate::domain::state::State;
use crate::sshsig::enrolment::{Proof, parse_all};

/// The governed file of proofs.
pub const FILE: &str = "key_proofs";

/// The proofs that a ledger or a proposal has.
pub struct Proofs {
    ledger: Option<Digest>,
    /// What could be read; why not, where it could not.
    proofs: Result<Vec<Proof>, String>,
}

impl Proofs {
    /// From the bytes of the governed file, where there is one.
    pub fn read(state: &State, bytes: Option<&[u8]>) -> Self {
        let proofs = parse_all(bytes.unwrap_or_default()).map_err(|error| error.to_string());
        Self { ledger: state.ledger(), proofs }
    }

    /// Whether it is proven that `name` holds `key`; else why not.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn of(&self, name: &Name, key: &PublicKey) -> Result<(), String> {
        let proofs = self.proofs.as_ref().map_err(|why| format!("{FILE} cannot be read: {why}"))?;
        let mut why = "there is no proof of possession".to_owned();
        for proof in proofs.iter().filter(|proof| proof.said().key == *key) {
            match self.ledger.map(|ledger| proof.check(ledger, name)) {
                Some(Ok(_)) => return Ok(()),
                Some(Err(error)) => why = format!("its proof does not hold: {error}"),
                None => {}
            }
        }
        Err(why)
    }
}

/// A line for each key that `new` has and the policy in force has not; empty where there is none.
pub fn text(output: &Output, state: &State, new: &Policy, proofs: Option<&[u8]>) -> String {
    let Some(old) = state.policy() else { return String::new() };
    let proofs = Proofs::read(state, proofs);
    let mut text = String::new();
    for (name, actor) in &new.actors {
        let known = old.actor(name).map_or(&[][..], |actor| &actor.keys);
        for key in actor.keys.iter().filter(|key| !known.contains(key)) {
            let (word, says) = match proofs.of(name, key) {
                Ok(()) => (output.green("proven  "), "its holder signed for it".to_owned()),
                Err(why) => (output.red("UNPROVEN"), why),
            };
            text.push_str(&format!("  {word}  {name}: the key {}: {says}\n", key.fingerprint()));
        }
    }
    text
}
