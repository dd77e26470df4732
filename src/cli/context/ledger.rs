//! A ledger as a command works with it: opened, replayed from the genesis, held against the pin, and appended to. Every
//! command begins here, so that none acts on a history that was rewound.

use std::cell::Cell;
use std::thread::sleep;

use super::super::checkpoint::branch;
use super::super::error::CliError;
use super::super::output::{Output, count};
use super::super::progress::Progress;
use super::{Context, Environment};
use crate::domain::decide::Intent;
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, CommitId, Digest, Name};
use crate::domain::policy::Policy;
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState};
use crate::domain::time::Timestamp;
use crate::git::{GitRemote, GitStore, LocalInbox, Program};
use crate::ledger::append::{AppendError, Outbox as _};
use crate::ledger::inbox::Taken;
use crate::ledger::{Appended, Draft, Queue, Replay, ReplayError, Writer};
use crate::ports::{Clock, Inbox, Post, Remote, Rng, Signer, Store as _};

mod outbox;
mod remembered;

use outbox::{OUTBOX, StateOutbox};
use remembered::{from_snapshot, read_snapshot};
pub(in crate::cli) use remembered::{is_the_remotes, made_here, read_pin, replay_at, write_pin};

/// How a ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// As it lies here: for looking.
    Local,
    /// Fetched first, where there is a remote; what waits in the outbox is delivered. For whoever is about to sign.
    Fetched,
}

/// How much of a ledger is checked when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// What came since the snapshot that this user's last command left; all of it where there is none.
    Since,
    /// All of it, from the first commit on.
    Whole,
}

/// A replayed ledger.
pub struct Ledger {
    store: GitStore,
    program: Program,
    replay: Replay,
    /// Whether this clone had verified something before.
    was_pinned: Cell<bool>,
    /// How many events the snapshot holds.
    snapshot: Cell<u64>,
    /// How many events were taken from a snapshot and not checked again.
    known: u64,
    /// The head of another history that was met, and of which evidence was kept.
    met: Cell<Option<CommitId>>,
    /// How many commits made here by hand come after all that the remote has.
    ahead: Cell<usize>,
}

impl Context {
    /// Opens the ledger at hand, replays it and holds it against the pin.
    ///
    /// # Errors
    /// Where there is none, it cannot be read, or it is not what this clone verified before (exit 5).
    pub fn ledger(&mut self, freshness: Freshness) -> Result<Ledger, CliError> {
        self.ledger_with(freshness, History::Since)
    }

    /// The same, with so much of it checked.
    ///
    /// # Errors
    /// As [`Context::ledger`].
    pub fn ledger_with(&mut self, freshness: Freshness, history: History) -> Result<Ledger, CliError> {
        let store = self.store()?;
        let mut ledger = Ledger::read(store, self.git(), &self.output, history)?;
        if freshness == Freshness::Fetched {
            ledger.refresh(&mut *self.environment.rng, &*self.environment.clock, &self.output)?;
        }
        Ok(ledger)
    }

    /// Decides, signs and appends what `make` says, and pushes it where there is a remote.
    ///
    /// # Errors
    /// Where a rule says no, the key does not sign, or the remote does not take it (then it waits in the outbox).
    pub fn append(
        &mut self,
        ledger: &mut Ledger,
        make: &mut Draft<'_>,
        signer: &dyn Signer,
    ) -> Result<Appended, CliError> {
        let Environment { rng, clock, .. } = &mut self.environment;
        let appended =
            ledger.with_writer(&**clock, |writer, replay| writer.append(replay, make, signer, &mut **rng))?;
        // What has landed has landed, whether or not it can be remembered here.
        ledger.pin(&self.output);
        if let Ok(appended) = &appended {
            ledger.tell_behind(appended.behind.as_deref(), &self.output);
        }
        appended
    }

    /// Decides, signs and appends several events in one push. Gives for each, in order, the rule that refused it.
    ///
    /// # Errors
    /// Where the key does not sign, or the remote does not take them (then they wait in the outbox).
    pub fn append_all(
        &mut self,
        ledger: &mut Ledger,
        intents: &[Intent],
        signer: &dyn Signer,
    ) -> Result<Vec<Option<Fault>>, CliError> {
        let Environment { rng, clock, .. } = &mut self.environment;
        let appended = ledger.with_writer(&**clock, |writer, replay| {
            let mut queue = Queue::default();
            let mut told: Vec<(Option<Digest>, Option<Fault>)> = Vec::with_capacity(intents.len());
            for intent in intents {
                match writer.enqueue(replay, &mut queue, intent, signer, &mut **rng) {
                    Ok(digest) => told.push((Some(digest), None)),
                    Err(AppendError::Refused(fault)) => told.push((None, Some(fault))),
                    Err(error) => return Err(error),
                }
            }
            let delivered = writer.deliver_queue(replay, &mut queue, &mut **rng).map_err(|error| match error {
                // What could not be delivered is signed, and waits.
                AppendError::Remote(cause) => {
                    let first = told.iter().find_map(|(digest, _)| digest.as_ref());
                    AppendError::Queued { name: first.map(Digest::short).unwrap_or_default(), cause }
                }
                other => other,
            })?;
            for (digest, fault) in delivered.refused {
                // Nobody was told it; it is not tried again.
                writer.take_back(&mut queue, &digest)?;
                if let Some(told) = told.iter_mut().find(|(known, _)| *known == Some(digest)) {
                    told.1 = Some(fault);
                }
            }
            Ok((told.into_iter().map(|(_, fault)| fault).collect(), delivered.behind))
        })?;
        ledger.pin(&self.output);
        let (told, behind) = appended?;
        ledger.tell_behind(behind.as_deref(), &self.output);
        Ok(told)
    }

    /// Who is at the keyboard, without unlocking a key: `--as`, the configuration's member, or whose public key it is.
    ///
    /// # Errors
    /// As [`Context::key_path`] and [`Context::actor`] have them.
    pub fn who(&self, policy: &Policy) -> Result<Name, CliError> {
        let configured = if self.global.key.is_none() { self.config()?.member.as_ref() } else { None };
        match self.global.actor.as_ref().or(configured) {
            Some(named) => Ok(named.clone()),
            None => self.actor(policy, &super::super::keys::default(self, policy)?.key),
        }
    }
}

impl Ledger {
    /// Replays what the branch holds and holds it against the pin.
    ///
    /// # Errors
    /// As [`Context::ledger`] has them.
    pub fn read(store: GitStore, program: Program, output: &Output, history: History) -> Result<Self, CliError> {
        // What an earlier command could not finish, or was killed in.
        store.settle();
        // Before the branch is looked at: another process may move all of them in between, and neither is ever ahead of it.
        let pin = read_pin(&store)?;
        // Without a pin nothing was verified here, whatever a snapshot says.
        let snapshot = (pin.is_some() && history == History::Since).then(|| {
            let read = read_snapshot(&store);
            read.map_err(|error| output.detail(format!("the snapshot is left: {error}"))).ok().flatten()
        });
        let Some(head) = store.head()? else {
            return Err(CliError::failed(format!(
                "{} holds no ledger yet: main has no commit",
                store.path().display()
            ))
            .hint("make one: jit init DIR; or fetch it: jit clone URL DIR"));
        };
        let mut progress = Progress::new(output, "Checking", "commits");
        let mut observer = |done, total| progress.tell(done, total);
        let (replay, known) = from_snapshot(&store, snapshot.flatten(), head, &mut observer)?;
        drop(progress);
        if let Some(pin) = &pin {
            // The pin never goes back: whoever rewinds or rewrites the history is seen by everybody who was here before.
            pin.check(&replay)?;
        }
        let ledger = Self {
            store,
            program,
            replay,
            was_pinned: Cell::new(pin.is_some()),
            snapshot: Cell::new(known),
            known,
            met: Cell::new(None),
            ahead: Cell::new(0),
        };
        ledger.pin(output);
        Ok(ledger)
    }

    /// A ledger that was just made or cloned.
    pub(in crate::cli) fn from_parts(store: GitStore, program: Program, replay: Replay, output: &Output) -> Self {
        let ledger = Self {
            store,
            program,
            replay,
            was_pinned: Cell::new(false),
            snapshot: Cell::new(0),
            known: 0,
            met: Cell::new(None),
            ahead: Cell::new(0),
        };
        ledger.pin(output);
        ledger
    }

    /// What waits in the outbox: name and bytes of each.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(in crate::cli) fn kept(&self) -> Result<Vec<(String, Vec<u8>)>, CliError> {
        StateOutbox(self.store.state()).kept().map_err(|why| {
            CliError::failed("the outbox cannot be read").because(why).hint("check the permissions of the ledger")
        })
    }

    /// The same with other settings of the git program.
    #[must_use]
    pub(in crate::cli) fn with_program(self, program: Program) -> Self {
        Self { program, ..self }
    }

    /// Tells where an event is at the remote, and this clone could not follow.
    pub(in crate::cli) fn tell_behind(&self, behind: Option<&str>, output: &Output) {
        if let Some(why) = behind {
            output.warning(format!("the remote has it, and this clone is behind: {why}"));
            output.hint("mend that, then: jit sync");
        }
    }

    /// Remembers the present state. Reading goes on where it cannot be written (a read-only clone), but it is told.
    pub(in crate::cli) fn pin(&self, output: &Output) {
        // Never ahead of the branch: it would look rewound to the next command.
        if !matches!(self.store.head(), Ok(head) if head == self.replay.head()) {
            return;
        }
        let remote = GitRemote::of(&self.store, &self.program, None).ok().flatten();
        let made_here =
            remote.zip(self.replay.head()).is_some_and(|(remote, head)| !is_the_remotes(&self.store, &remote, head));
        if !made_here && write_pin(&self.store, &self.replay, output) {
            self.was_pinned.set(true);
            self.snapshot.set(remembered::keep_snapshot(&self.store, &self.replay, self.snapshot.get(), output));
        }
    }

    /// How many events were taken from a snapshot: an earlier command of this user checked them.
    pub const fn known(&self) -> u64 {
        self.known
    }

    /// How many commits that were made here by hand come after all that the remote has, as the last fetch saw it.
    pub const fn ahead(&self) -> usize {
        self.ahead.get()
    }

    /// Fetches, verifies what came, and delivers what waits. What the rules do not take any more stays, and is told.
    /// Returns how many events were delivered.
    ///
    /// # Errors
    /// Where the remote cannot be asked, or rewrote history (exit 5).
    pub fn refresh(&mut self, rng: &mut dyn Rng, clock: &dyn Clock, output: &Output) -> Result<usize, CliError> {
        self.follow(clock, output)?;
        self.deliver(rng, clock, output)
    }

    /// Fetches and verifies what came, and delivers nothing.
    ///
    /// # Errors
    /// As [`Ledger::refresh`].
    pub(in crate::cli) fn follow(&mut self, clock: &dyn Clock, output: &Output) -> Result<(), CliError> {
        let caught_up = self.catch_up(clock, output);
        if caught_up.is_err() {
            self.store.discard();
        }
        caught_up
    }

    /// The same, and what was not delivered yet stays in memory.
    ///
    /// # Errors
    /// As [`Ledger::refresh`].
    pub(in crate::cli) fn catch_up(&mut self, clock: &dyn Clock, output: &Output) -> Result<(), CliError> {
        let caught_up = self.write(clock, |writer, replay| writer.catch_up(replay))?;
        if let Err(AppendError::Replay(ReplayError::Forked { found, .. })) = &caught_up
            && let Some(error) = made_here(&self.store, self.replay.head(), *found)?
        {
            let (here, there) = self.replay.head().map_or(Ok((0, 0)), |head| self.store.apart(head, *found))?;
            self.ahead.set(if there == 0 { here } else { 0 });
            return Err(error);
        }
        if let Err(AppendError::Replay(ReplayError::Forked { found, .. })) = &caught_up
            && self.met.replace(Some(*found)) != Some(*found)
        {
            // The moment two histories meet is when evidence of both can be had. Whoever asks again and again (jit host
            // sync) looks at it once.
            branch::keep_evidence(output, self, *found);
        }
        if let Err(AppendError::Replay(ReplayError::Forked { known, found })) = &caught_up
            && let Some(error) = self.rewound(*known, *found)
        {
            return Err(error);
        }
        caught_up?;
        self.pin(output);
        Ok(())
    }

    /// A remote that shows an older state of this very history, as after a backup was restored.
    fn rewound(&self, known: CommitId, found: CommitId) -> Option<CliError> {
        let size = self.state().size();
        let position = self.replay.position_of(found)?;
        let what = format!(
            "the ledger was rewritten: the remote was rewound to {found} ({}), and this clone has verified {}, up to {known}",
            count(position.saturating_add(1), "event"),
            count(size, "event")
        );
        let directory = self.store.work_tree().unwrap_or(self.store.path()).display();
        Some(CliError::stale(what).because("a backup was restored, or somebody took events away").hint(format!(
            "compare with another clone, and find out which; what is missing goes back with: git -C {directory} push origin main"
        )))
    }

    /// Delivers what waits in the outbox; how many events that were.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub(in crate::cli) fn deliver(
        &mut self,
        rng: &mut dyn Rng,
        clock: &dyn Clock,
        output: &Output,
    ) -> Result<usize, CliError> {
        let mut delivered = 0;
        for name in self.waiting()? {
            let Some(bytes) = self.store.state().read(&format!("{OUTBOX}/{name}"))? else { continue };
            match self.with_writer(clock, |writer, replay| writer.deliver_kept(replay, &bytes, rng))? {
                Ok(appended) => {
                    delivered += 1;
                    output.note(format!("Delivered what waited in the outbox: {name}"));
                    self.tell_behind(appended.behind.as_deref(), output);
                }
                Err(error) => {
                    output.warning(format!("{name} stays in the outbox: {}", error.innermost()));
                    // What a rule refuses may never land; whoever signed it may give it up.
                    match error.broken_rule() {
                        Some(_) => {
                            let file = self.store.state().path().join(OUTBOX).join(&name);
                            output.hint(format!("to give it up: rm {}", file.display()));
                        }
                        None => error.hint_text().into_iter().for_each(|hint| output.hint(hint)),
                    }
                }
            }
        }
        self.pin(output);
        Ok(delivered)
    }

    /// Takes an event out of the outbox, undelivered.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub(in crate::cli) fn forget(&self, name: &str) -> Result<(), CliError> {
        Ok(self.store.state().remove(&format!("{OUTBOX}/{name}"))?)
    }

    /// The names of the signed events that wait to be delivered.
    ///
    /// # Errors
    /// Where the outbox cannot be read.
    pub fn waiting(&self) -> Result<Vec<String>, CliError> {
        Ok(self.store.state().list(OUTBOX)?)
    }

    /// Runs `act` with a writer on this ledger; what was not delivered is forgotten.
    fn with_writer<T>(
        &mut self,
        clock: &dyn Clock,
        act: impl FnOnce(&Writer<'_>, &mut Replay) -> Result<T, AppendError>,
    ) -> Result<Result<T, CliError>, CliError> {
        self.holds_nothing_by_hand()?;
        let done = self.write(clock, act)?;
        if done.is_err() {
            self.store.discard();
        }
        Ok(done.map_err(CliError::from))
    }

    /// What was made here by hand is not pushed along with what is signed, or taken in, now.
    fn holds_nothing_by_hand(&self) -> Result<(), CliError> {
        let remote = GitRemote::of(&self.store, &self.program, None)?;
        if let (Some(remote), Some(head)) = (&remote, self.replay.head())
            && !is_the_remotes(&self.store, remote, head)
            && let Some(seen) = remote.last_seen()?
            && let Some(error) = made_here(&self.store, Some(head), seen)?
        {
            return Err(error);
        }
        Ok(())
    }

    /// Runs `act` with a writer on this ledger. Objects that were not delivered stay in memory.
    ///
    /// # Errors
    /// Where the remote's configuration cannot be read.
    pub(in crate::cli) fn write<T>(
        &mut self,
        clock: &dyn Clock,
        act: impl FnOnce(&Writer<'_>, &mut Replay) -> Result<T, AppendError>,
    ) -> Result<Result<T, AppendError>, CliError> {
        let remote = GitRemote::of(&self.store, &self.program, None)?;
        let outbox = StateOutbox(self.store.state());
        let writer = Writer {
            store: &self.store,
            remote: remote.as_ref().map(|remote| -> &dyn Remote { remote }),
            post: remote.as_ref().map(|remote| -> &dyn Post { remote }),
            outbox: &outbox,
            clock,
            wait: &sleep,
        };
        Ok(act(&writer, &mut self.replay))
    }

    /// One round of taking in what waits in the inbox: the remote's, where there is one, else this repository's own.
    ///
    /// # Errors
    /// Where the inbox or the ledger cannot be read or written; what was not settled is found again.
    pub(in crate::cli) fn take_in(&mut self, rng: &mut dyn Rng, clock: &dyn Clock) -> Result<Taken, CliError> {
        self.holds_nothing_by_hand()?;
        let remote = GitRemote::of(&self.store, &self.program, None)?;
        let own = LocalInbox(&self.store);
        let inbox: &dyn Inbox = match &remote {
            Some(remote) => remote,
            None => &own,
        };
        let outbox = StateOutbox(self.store.state());
        let writer = Writer {
            store: &self.store,
            remote: remote.as_ref().map(|remote| -> &dyn Remote { remote }),
            post: None,
            outbox: &outbox,
            clock,
            wait: &sleep,
        };
        let taken = writer.take_in(&mut self.replay, inbox, rng);
        if taken.is_err() {
            self.store.discard();
        }
        Ok(taken?)
    }

    /// Pushes the whole branch where the remote has none yet. Says whether it did.
    ///
    /// # Errors
    /// Where the remote cannot be asked, or does not take it.
    pub fn publish(&self) -> Result<bool, CliError> {
        let Some(remote) = GitRemote::of(&self.store, &self.program, None)? else { return Ok(false) };
        let Some(head) = self.replay.head() else { return Ok(false) };
        if remote.fetch()?.is_some() {
            return Ok(false);
        }
        remote.push(head)?;
        Ok(true)
    }

    /// The repository.
    pub const fn store(&self) -> &GitStore {
        &self.store
    }

    /// The replay: state, log, head, findings.
    pub const fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The state.
    pub const fn state(&self) -> &State {
        self.replay.state()
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        self.state().policy().expect("a replayed ledger has a genesis, and that a policy")
    }

    /// The remote's name, where there is one.
    ///
    /// # Errors
    /// Where the configuration cannot be read.
    pub fn remote(&self) -> Result<Option<String>, CliError> {
        Ok(GitRemote::of(&self.store, &self.program, None)?.map(|remote| remote.name().to_owned()))
    }

    /// The remote's other branch, such as that of the checkpoints; `None` where there is no remote.
    ///
    /// # Errors
    /// Where the configuration cannot be read.
    pub(in crate::cli) fn remote_branch(&self, branch: &'static str) -> Result<Option<GitRemote<'_>>, CliError> {
        Ok(GitRemote::of(&self.store, &self.program, None)?.map(|remote| remote.with_branch(branch)))
    }

    /// The paths of the work tree that did not follow, told as warnings.
    pub fn tell_left_alone(&self, output: &Output) {
        for left in self.store.left_alone() {
            output.warning(left.to_string());
        }
    }

    /// The case that `named` means: any unambiguous beginning of its id, as in Git, or its whole digest.
    ///
    /// # Errors
    /// Where it means none or several.
    pub fn case(&self, named: &str) -> Result<&Case, CliError> {
        let wanted = named.trim().to_ascii_lowercase();
        let hex = wanted.strip_prefix("sha256:").unwrap_or(&wanted);
        let means = |case: &&Case| {
            let id = case.id();
            id.short().starts_with(&wanted) || (hex.len() >= 8 && id.0.hex().starts_with(hex))
        };
        // A text may be a beginning in either spelling.
        let ranges = [CaseId::begin_short(&wanted), CaseId::begin_hex(hex)].into_iter().flatten();
        let mut found: Vec<&Case> = ranges.flat_map(|range| self.state().cases_among(range)).filter(means).collect();
        found.sort_by_key(|case| case.position());
        found.dedup_by_key(|case| case.position());
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(case), None) => Ok(case),
            (None, _) => Err(CliError::failed(format!("there is no case {named}")).hint("jit list")),
            (Some(first), Some(second)) => {
                let both = format!("{} and {}", first.id().short(), second.id().short());
                Err(CliError::usage(format!("{named} means several cases: {both}, at least"))
                    .hint("give more of its id"))
            }
        }
    }

    /// The access case that `named` means.
    ///
    /// # Errors
    /// As [`Ledger::case`], and where it is about something else.
    pub fn access(&self, named: &str) -> Result<(&Case, &Access), CliError> {
        let case = self.case(named)?;
        let access = case.access().ok_or_else(|| {
            CliError::failed(format!("{} is no access: it is a {}", case.id().short(), case.kind())).hint("jit list")
        })?;
        Ok((case, access))
    }

    /// The live access cases of `member` at `now`, oldest first.
    pub fn live_of<'a>(&'a self, member: &'a Name, now: Timestamp) -> impl Iterator<Item = (&'a Case, &'a Access)> {
        let state = self.state();
        let live = move |case: &Case| state.case_state(case, now) == CaseState::Live;
        let cases = state.awake(now).filter_map(|case| Some((case, case.access()?)));
        cases.filter(move |(case, access)| access.actor == *member && live(case))
    }
}
