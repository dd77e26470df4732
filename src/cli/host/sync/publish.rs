//! What `sync` publishes: the grants, the CAs that sshd trusts, the key revocation list. Each is written beside and
//! renamed; the grants come last, so that nobody is admitted by a CA or past a revocation that sshd does not know yet.
//! A new CA needs no announcement for the same reason: its first certificate lies behind the policy that names it, so
//! whoever publishes the grant has published its CA before.

use std::collections::BTreeSet;

use super::super::super::context::Ledger;
use super::super::super::error::CliError;
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::host::grants::Authorities;
use crate::host::{Config, Grants, files};
use crate::issue::krl::{self, KrlError};

/// How long a list of grants stands without the fold being asked again, in seconds: what ended long ago leaves it then.
const STANDS: i64 = 300;

/// Remembers what was published, so that the fold is only asked, and a file only written, when something changed.
pub struct Publisher {
    authorities: Vec<u8>,
    /// When a CA that the policy has replaced may have to go.
    until: Option<Timestamp>,
    grants: Option<Grants>,
    made: Option<Timestamp>,
}

impl Publisher {
    /// Nothing was published by this process yet.
    pub const fn new() -> Self {
        Self { authorities: Vec::new(), until: None, grants: None, made: None }
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
        let Some(head) = ledger.replay().head() else { return Err(CliError::failed("the mirror is empty")) };
        let fresh = self.made.is_some_and(|made| (0..STANDS).contains(&now.since(made)))
            && self.until.is_none_or(|until| now < until);
        if let Some(grants) = self.grants.as_mut().filter(|grants| fresh && grants.head == head) {
            grants.checked = checked;
            return Ok(grants.write(config)?);
        }
        // Whatever fails below, the next round makes all of it anew.
        self.grants = None;
        let state = ledger.state();
        self.publish_authorities(config, state, now)?;
        publish_revocations(config, state, now)?;
        let Some(grants) = Grants::of(state, &config.host, (head, ledger.replay().root()), checked, now) else {
            return Err(CliError::failed(format!("the policy knows no host {}", config.host))
                .hint("the root members propose it: jit host setup shows the lines"));
        };
        grants.write(config)?;
        self.grants = Some(grants);
        self.made = Some(now);
        Ok(())
    }

    fn publish_authorities(&mut self, config: &Config, state: &State, now: Timestamp) -> Result<(), CliError> {
        let Authorities { keys, until } = Authorities::of(state, &config.host, now);
        let lines: BTreeSet<String> = keys.iter().map(|key| format!("{key}\n")).collect();
        let authorities = lines.into_iter().collect::<String>().into_bytes();
        if authorities != self.authorities {
            files::write(&config.authorities(), &authorities, 0o644, true)?;
            self.authorities = authorities;
        }
        self.until = until;
        Ok(())
    }
}

/// Writes the revocation list where it says other than the ledger. Its version is the log's size, so it only rises.
fn publish_revocations(config: &Config, state: &State, now: Timestamp) -> Result<(), CliError> {
    let failed = |error: KrlError| CliError::failed(format!("the revocation list: {error}"));
    let path = config.krl();
    let revoked = krl::revocations(state).map_err(failed)?;
    // What lies there and cannot be read is replaced; what is newer than this ledger is not.
    let standing = files::read(&path)?.and_then(|bytes| krl::check(&bytes, 0).ok());
    if standing.as_ref().is_some_and(|standing| standing.revokes_exactly(&revoked) && standing.version <= state.size())
    {
        return Ok(());
    }
    let bytes = krl::write(state.size(), now, &format!("jit {}", config.host), &revoked).map_err(failed)?;
    krl::check(&bytes, standing.map_or(0, |standing| standing.version)).map_err(failed)?;
    Ok(files::write(&path, &bytes, 0o644, true)?)
}
