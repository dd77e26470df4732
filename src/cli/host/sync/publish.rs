//! What `sync` publishes: the grants, the CAs that sshd trusts, the key revocation list. Each is written beside and
//! renamed; the grants come last, so that nobody is admitted by a CA or past a revocation that sshd does not know yet.

use std::collections::BTreeSet;

use super::super::super::context::Ledger;
use super::super::super::error::CliError;
use crate::domain::key::PublicKey;
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::host::{Config, Grants, files};

/// Remembers what was published, so that a file is only written when it changes.
pub struct Publisher {
    authorities: Vec<u8>,
    grants: Option<Grants>,
}

impl Publisher {
    /// Nothing was published by this process yet.
    pub const fn new() -> Self {
        Self { authorities: Vec::new(), grants: None }
    }

    /// What was last published.
    pub const fn grants(&self) -> Option<&Grants> {
        self.grants.as_ref()
    }

    /// Publishes what the ledger says; `checked` is when its remote answered.
    ///
    /// # Errors
    /// Where a file cannot be written: the old ones stand, and grow stale.
    pub fn publish(
        &mut self,
        config: &Config,
        ledger: &Ledger,
        checked: Timestamp,
        now: Timestamp,
    ) -> Result<(), CliError> {
        let (state, replay) = (ledger.state(), ledger.replay());
        let Some(head) = replay.head() else { return Err(CliError::failed("the mirror is empty")) };
        let Some(grants) = Grants::of(state, &config.host, (head, replay.root()), checked, now) else {
            return Err(CliError::failed(format!("the policy knows no host {}", config.host))
                .hint("the root members propose it; jit host status shows the lines"));
        };
        let authorities = authorities(state);
        if authorities != self.authorities {
            files::write(&config.authorities(), &authorities, 0o644, true)?;
            self.authorities = authorities;
        }
        grants.write(config)?;
        self.grants = Some(grants);
        Ok(())
    }
}

/// The CAs of every environment, one line each. Which certificate opens what is for `principals` to say.
fn authorities(state: &State) -> Vec<u8> {
    let policy = state.policy();
    let environments = policy.iter().flat_map(|policy| policy.environments.values());
    let keys: BTreeSet<String> = environments.map(|environment| PublicKey::to_string(&environment.ca)).collect();
    keys.into_iter().map(|key| key + "\n").collect::<String>().into_bytes()
}
