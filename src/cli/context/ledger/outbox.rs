//! The outbox of a clone: a file for each signed event that is not known to have landed.

use crate::git::State;
use crate::ledger::append::Outbox;

/// The folder of signed events that wait to be delivered.
pub const OUTBOX: &str = "outbox";

/// The outbox in the state files of a repository.
pub struct StateOutbox<'a>(pub &'a State);

impl Outbox for StateOutbox<'_> {
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.0.write(&format!("{OUTBOX}/{name}"), bytes).map_err(|e| e.to_string())
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        self.0.remove(&format!("{OUTBOX}/{name}")).map_err(|e| e.to_string())
    }

    fn kept(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut kept = Vec::new();
        for name in self.0.list(OUTBOX).map_err(|error| error.to_string())? {
            let bytes = self.0.read(&format!("{OUTBOX}/{name}")).map_err(|error| error.to_string())?;
            kept.extend(bytes.map(|bytes| (name, bytes)));
        }
        Ok(kept)
    }
}
