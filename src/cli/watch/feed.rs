//! What happens in the ledger, as it happens: the branch here is looked at all the time, the remote is fetched by a thread of
//! its own, so that a slow one never holds up whoever watches. What came is verified and judged on top of what was; nothing
//! is replayed twice.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Context;
use super::super::error::CliError;
use super::super::export::upstream::Upstream;
use super::super::output::Output;
use crate::domain::id::CommitId;
use crate::domain::state::State;
use crate::git::{GitRemote, GitStore, Program};
use crate::ledger::{Step, Walk};
use crate::monitor::Record;
use crate::monitor::record::Taken;
use crate::ports::{Remote as _, RemoteError};

/// How often the branch here, and that of a remote on this machine, are looked at: a read of a few small files.
const LOOK: Duration = Duration::from_millis(400);
/// How often a remote on this machine is fetched though it has not moved.
const NEARBY: Duration = Duration::from_secs(60);
/// How many of the events before the beginning are kept as records.
const LATEST: u64 = 24;
/// How many commits are judged before somebody may press a key.
const AT_ONCE: usize = 256;

type Fetched = Result<Option<CommitId>, RemoteError>;

/// A ledger that is followed.
pub struct Feed<'a> {
    walk: Walk<'a>,
    upstream: Upstream<'a>,
    fetcher: Option<Fetcher>,
    /// What git said when the remote last did not answer.
    why: String,
    every: Duration,
    looked: Instant,
    /// Whether something was walked that is not remembered yet.
    fresh: bool,
}

/// Fetches on a thread of its own.
struct Fetcher {
    ask: Sender<()>,
    told: Receiver<Fetched>,
    /// When the fetch that is under way began.
    began: Option<Instant>,
    /// When the last one came back, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl<'a> Feed<'a> {
    /// Opens the ledger, fetched if the remote answers, verified from the genesis and held against the pin; with the
    /// records of its events from position `since` on, or of the latest ones.
    ///
    /// # Errors
    /// As any command: no ledger, not verifiable, or not what this clone verified before (exit 5).
    pub fn open(
        context: &Context,
        store: &'a GitStore,
        program: &'a Program,
        every: Duration,
        since: Option<u64>,
    ) -> Result<(Self, Vec<Record>), CliError> {
        let mut walk = Walk::new(store);
        let (mut upstream, _) = Upstream::open(store, program, &mut walk)?;
        upstream.fetch(&mut walk, &context.output)?;
        let first = since.unwrap_or_else(|| walk.size().saturating_sub(LATEST));
        let mut records = Vec::new();
        while let Some(step) = walk.step()? {
            if step.position >= first {
                records.extend(record(&walk, &step));
            }
        }
        upstream.remember(&walk, &context.output)?;
        // Nobody can be asked for a password behind the view.
        let silent = Program::new(context.environment.variables.clone(), false);
        let fetcher = upstream.has_remote().then(|| Fetcher::start(store.path().to_owned(), silent));
        let feed = Self { walk, upstream, fetcher, why: String::new(), every, looked: Instant::now(), fresh: false };
        Ok((feed, records))
    }

    /// The state as far as it is verified.
    pub const fn state(&self) -> &State {
        self.walk.replay().state()
    }

    /// Whether there is a remote.
    pub const fn has_remote(&self) -> bool {
        self.upstream.has_remote()
    }

    /// Why the remote did not answer the last time, where it did not.
    pub fn away(&self) -> Option<&str> {
        self.upstream.is_away().then_some(&*self.why)
    }

    /// Whether the remote is on this machine.
    pub const fn is_nearby(&self) -> bool {
        self.upstream.is_nearby()
    }

    /// When the remote was last asked and answered or not.
    pub fn asked(&self) -> Option<Instant> {
        self.fetcher.as_ref().and_then(|fetcher| fetcher.last).map(|(at, _)| at)
    }

    /// Fetches at the next look, however long ago the last time was.
    pub const fn hurry(&mut self) {
        if let Some(fetcher) = &mut self.fetcher {
            fetcher.last = None;
        }
    }

    /// What happened since the last look, oldest first. Never waits for the remote.
    ///
    /// # Errors
    /// Where the ledger was rewritten (exit 5), cannot be read, or git does not work.
    pub fn look(&mut self, output: &Output) -> Result<Vec<Record>, CliError> {
        if let Some(fetched) = self.fetcher.as_mut().and_then(Fetcher::answer) {
            if let Err(RemoteError::Unreachable(why)) = &fetched {
                self.why.clone_from(why);
            }
            self.upstream.took(&mut self.walk, fetched, output)?;
        }
        let idle = if self.upstream.is_nearby() { self.every.max(NEARBY) } else { self.every };
        if self.looked.elapsed() >= LOOK || self.fetcher.as_ref().is_some_and(|fetcher| fetcher.is_due(idle, false)) {
            self.looked = Instant::now();
            self.upstream.look(&mut self.walk)?;
            let moved = self.upstream.has_moved();
            if let Some(fetcher) = &mut self.fetcher
                && fetcher.is_due(idle, moved)
            {
                self.upstream.begins(&mut self.walk)?;
                fetcher.fetch();
            }
        }
        let mut records = Vec::new();
        for _ in 0..AT_ONCE {
            let Some(step) = self.walk.step()? else { break };
            self.fresh = true;
            records.extend(record(&self.walk, &step));
        }
        if self.fresh && !self.walk.has_more() {
            self.upstream.remember(&self.walk, output)?;
            self.fresh = false;
        }
        Ok(records)
    }
}

impl Fetcher {
    fn start(directory: PathBuf, program: Program) -> Self {
        let (ask, asked) = channel::<()>();
        let (tell, told) = channel::<Fetched>();
        thread::spawn(move || {
            let failed = |cause: &dyn std::fmt::Display| Err(RemoteError::Git(cause.to_string()));
            while asked.recv().is_ok() {
                let fetched = match GitStore::open(&directory) {
                    Err(cause) => failed(&cause),
                    Ok(store) => match GitRemote::of(&store, &program, None) {
                        Err(cause) => failed(&cause),
                        Ok(None) => Ok(None),
                        Ok(Some(remote)) => remote.fetch(),
                    },
                };
                if tell.send(fetched).is_err() {
                    break;
                }
            }
        });
        Self { ask, told, began: None, last: Some((Instant::now(), Duration::ZERO)) }
    }

    /// What the fetch that was under way brought, once it did.
    fn answer(&mut self) -> Option<Fetched> {
        let began = self.began?;
        let fetched = match self.told.try_recv() {
            Ok(fetched) => fetched,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(RemoteError::Git("whoever fetches is gone".to_owned())),
        };
        self.began = None;
        self.last = Some((Instant::now(), began.elapsed()));
        Some(fetched)
    }

    /// Whether it is time: `idle` after the last fetch began. One that took longer is followed by as long a rest, so that a slow
    /// remote is not asked without end; at once where the other side was seen to move.
    fn is_due(&self, idle: Duration, moved: bool) -> bool {
        let rested = |(at, took): (Instant, Duration)| {
            let rest = if took <= idle { idle.saturating_sub(took) } else { took };
            moved || at.elapsed() >= rest
        };
        self.began.is_none() && self.last.is_none_or(rested)
    }

    fn fetch(&mut self) {
        self.began = Some(Instant::now());
        // Where the thread is gone, the answer says so.
        let _ = self.ask.send(());
    }
}

fn record(walk: &Walk<'_>, step: &Step) -> Option<Record> {
    let replay = walk.replay();
    Record::of(Taken {
        state: replay.state(),
        log: replay.log(),
        position: step.position,
        commit: step.commit,
        id: step.id,
        said: &step.said,
    })
}
