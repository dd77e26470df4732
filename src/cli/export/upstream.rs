//! Where new events come from: the branch here, which other commands move, and the remote, which is fetched. What was walked
//! is remembered as any command does it: the branch follows, and the pin never goes back.

use super::super::Context;
use super::super::context::{read_pin, write_pin};
use super::super::error::CliError;
use super::super::output::Output;
use crate::domain::id::CommitId;
use crate::git::{GitRemote, GitStore, Program};
use crate::ledger::{Pin, Walk};
use crate::ports::{Remote as _, RemoteError, Store as _, StoreError};

/// The two sides of a clone.
pub struct Upstream<'a> {
    store: &'a GitStore,
    remote: Option<GitRemote<'a>>,
    /// Where the branch here was when it was last looked at.
    local: Option<CommitId>,
    /// Where the remote's branch was, where that can be seen without asking it.
    nearby: Option<CommitId>,
    /// Whether the remote did not answer the last time.
    away: bool,
    /// Whether what was walked could not be remembered.
    told: bool,
}

impl<'a> Upstream<'a> {
    /// Sets the walk to what lies here, held against the pin, which is given back: its root can be asked only later.
    ///
    /// # Errors
    /// Where there is no ledger, or it is not what this clone verified before (exit 5).
    pub fn open(
        store: &'a GitStore,
        program: &'a Program,
        walk: &mut Walk<'a>,
    ) -> Result<(Self, Option<Pin>), CliError> {
        let remote = GitRemote::of(store, program, None)?;
        let Some(local) = store.head()? else {
            return Err(CliError::failed(format!(
                "{} holds no ledger yet: main has no commit",
                store.path().display()
            ))
            .hint("make one: jit init DIR; or fetch it: jit clone URL DIR"));
        };
        walk.aim(local)?;
        let pin = read_pin(store)?;
        if let Some(pin) = &pin {
            continues(walk, pin)?;
        }
        let upstream = Self { store, remote, local: Some(local), nearby: None, away: false, told: false };
        Ok((upstream, pin))
    }

    /// Fetches, and sets the walk to what came. A remote that does not answer is told once, and is no failure.
    ///
    /// # Errors
    /// Where the remote rewrote history (exit 5), or git does not work.
    pub fn fetch(&mut self, walk: &mut Walk<'a>, output: &Output) -> Result<(), CliError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        self.nearby = remote.nearby_head();
        match remote.fetch() {
            Ok(head) => {
                if std::mem::take(&mut self.away) {
                    output.note("The remote answers again.");
                }
                // Whatever another command here has pushed, the remote has: first what is here.
                self.look(walk)?;
                match head {
                    Some(head) => Ok(walk.aim(head)?),
                    None => Ok(()),
                }
            }
            Err(RemoteError::Unreachable(why)) => {
                if !std::mem::replace(&mut self.away, true) {
                    output.warning(format!("the remote does not answer: going on with what lies here ({why})"));
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the walk to what other commands brought here meanwhile.
    ///
    /// # Errors
    /// Where the branch was rewound (exit 5).
    pub fn look(&mut self, walk: &mut Walk<'a>) -> Result<(), CliError> {
        let local = self.store.head()?;
        if local == self.local {
            return Ok(());
        }
        self.local = local;
        match local {
            // Where the branch could not follow, what was walked is ahead of it.
            Some(head) if !walk.holds(head) => Ok(walk.aim(head)?),
            _ => Ok(()),
        }
    }

    /// Whether a remote on this machine has moved since the last fetch: seen without running git.
    pub fn has_moved(&self) -> bool {
        self.remote.as_ref().and_then(GitRemote::nearby_head).is_some_and(|head| self.nearby != Some(head))
    }

    /// Whether there is a remote.
    pub const fn has_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// Remembers what was walked, at the head.
    ///
    /// # Errors
    /// Where another command verified another history meanwhile (exit 5).
    pub fn remember(&mut self, walk: &Walk<'a>, context: &Context) -> Result<(), CliError> {
        let Some(head) = walk.replay().head() else { return Ok(()) };
        if self.local != Some(head) {
            match self.store.advance(self.local, head, "jit: fetched") {
                Ok(()) => self.local = Some(head),
                // Somebody else was first, or it cannot be written: the next look tells.
                Err(StoreError::Moved { .. }) => return Ok(()),
                Err(error) => {
                    if !std::mem::replace(&mut self.told, true) {
                        context.output.warning(format!("what was verified cannot be remembered: {error}"));
                    }
                    return Ok(());
                }
            }
        }
        if let Some(pin) = read_pin(self.store)? {
            if pin.size > walk.size() {
                return Ok(());
            }
            continues(walk, &pin)?;
        }
        if !self.told {
            self.told = !write_pin(self.store, walk.replay(), &context.output);
        }
        Ok(())
    }
}

/// Whether the walk leads over what was verified before. The root is asked where the walk has come so far.
fn continues(walk: &Walk<'_>, pin: &Pin) -> Result<(), CliError> {
    let there = pin.size.checked_sub(1).and_then(|last| walk.commit_at(last));
    let walked = walk.replay().log();
    let root = if walked.size() >= pin.size { walked.root_at(pin.size) } else { Some(pin.root) };
    if there == Some(pin.head) && root == Some(pin.root) {
        return Ok(());
    }
    Err(crate::ledger::pin::PinError::Forked {
        pinned: pin.head,
        pinned_size: pin.size,
        found: walk.head().unwrap_or(pin.head),
        found_size: walk.size(),
    }
    .into())
}
