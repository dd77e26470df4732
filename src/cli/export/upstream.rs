//! Where new events come from: the branch here, which other commands move, and the remote, which is fetched. What was walked
//! is remembered as any command does it: the branch follows, and the pin never goes back.

use super::super::context::{is_the_remotes, made_here, read_pin, write_pin};
use super::super::error::CliError;
use super::super::output::Output;
use crate::domain::id::CommitId;
use crate::git::{GitRemote, GitStore, Program};
use crate::ledger::{Pin, ReplayError, Walk};
use crate::ports::{Remote as _, RemoteError, Store as _, StoreError};

/// The two sides of a clone.
pub struct Upstream<'a> {
    store: &'a GitStore,
    remote: Option<GitRemote<'a>>,
    /// Where the branch here was when it was last looked at.
    local: Option<CommitId>,
    /// Where the remote's branch was, where that can be seen without asking it.
    nearby: Option<CommitId>,
    /// How many commits were known when the last fetch began: the remote has them.
    began: u64,
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
        let upstream = Self { store, remote, local: Some(local), nearby: None, began: 0, away: false, told: false };
        Ok((upstream, pin))
    }

    /// Fetches, and sets the walk to what came. A remote that does not answer is told once, and is no failure.
    ///
    /// # Errors
    /// Where the remote rewrote history (exit 5), or git does not work.
    pub fn fetch(&mut self, walk: &mut Walk<'a>, output: &Output) -> Result<(), CliError> {
        self.begins(walk)?;
        let Some(fetched) = self.remote.as_ref().map(GitRemote::fetch) else { return Ok(()) };
        self.took(walk, fetched, output)
    }

    /// To be called before a fetch, whoever makes it: what is known by now, the remote has.
    ///
    /// # Errors
    /// As [`Upstream::look`].
    pub fn begins(&mut self, walk: &mut Walk<'a>) -> Result<(), CliError> {
        self.look(walk)?;
        self.began = walk.size();
        self.nearby = self.remote.as_ref().and_then(GitRemote::nearby_head);
        Ok(())
    }

    /// Whether a fetched head lies behind what another command pushed from here while it was fetched.
    fn is_passed(&self, walk: &Walk<'_>, head: CommitId) -> bool {
        (self.began.saturating_sub(1)..walk.size()).any(|position| walk.commit_at(position) == Some(head))
    }

    /// Sets the walk to what a fetch brought.
    ///
    /// # Errors
    /// As [`Upstream::fetch`].
    pub fn took(
        &mut self,
        walk: &mut Walk<'a>,
        fetched: Result<Option<CommitId>, RemoteError>,
        output: &Output,
    ) -> Result<(), CliError> {
        match fetched {
            Ok(head) => {
                if std::mem::take(&mut self.away) {
                    output.note("The remote answers again.");
                }
                // Whatever another command here has pushed, the remote has: first what is here.
                self.look(walk)?;
                match head {
                    Some(head) if !self.is_passed(walk, head) => match walk.aim(head) {
                        Err(ReplayError::Forked { found, .. })
                            if let Some(error) = made_here(self.store, self.local, found)? =>
                        {
                            Err(error)
                        }
                        aimed => Ok(aimed?),
                    },
                    _ => Ok(()),
                }
            }
            Err(RemoteError::Unreachable(why)) => {
                if !std::mem::replace(&mut self.away, true) {
                    output.warning(format!("the remote does not answer: going on with what lies here ({why})"));
                }
                Ok(())
            }
            Err(error @ RemoteError::Disk(_)) => {
                if !std::mem::replace(&mut self.away, true) {
                    output.warning(format!("{error}: going on with what lies here"));
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

    /// Whether the remote is on this machine, where a look at it costs nothing.
    pub const fn is_nearby(&self) -> bool {
        self.nearby.is_some()
    }

    /// Whether the remote did not answer the last time.
    pub const fn is_away(&self) -> bool {
        self.away
    }

    /// Whether there is a remote.
    pub const fn has_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// Remembers what was walked, at the head.
    ///
    /// # Errors
    /// Where another command verified another history meanwhile (exit 5).
    pub fn remember(&mut self, walk: &Walk<'a>, output: &Output) -> Result<(), CliError> {
        let Some(head) = walk.replay().head() else { return Ok(()) };
        if self.local != Some(head) {
            match self.store.advance(self.local, head, "jit: fetched") {
                Ok(()) => self.local = Some(head),
                // Somebody else was first, or it cannot be written: the next look tells.
                Err(StoreError::Moved { .. }) => return Ok(()),
                Err(error) => {
                    if !std::mem::replace(&mut self.told, true) {
                        output.warning(format!("what was verified cannot be remembered: {error}"));
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
        let made_here = self.remote.as_ref().is_some_and(|remote| !is_the_remotes(self.store, remote, head));
        if !self.told && !made_here {
            self.told = !write_pin(self.store, walk.replay(), output);
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
