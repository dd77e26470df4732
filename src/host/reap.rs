//! The daemon that ends sessions. It looks at the sessions' files and at what `sync` published a few times a second, kills
//! at once what has to end, and leaves everything after that (waiting, telling the ledger, looking for residue) to a thread
//! a session, so that nothing holds up the next kill. All that it knows lies in files: killed at any moment and started
//! again, it ends what is due and tells the ledger once.
//!
//! Source: docs/host.md, "Ending".

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::cgroup::Group;
use super::grants::{Grants, OpenSession, Probe};
use super::probe::Places;
use super::session_file::{Recorded, SessionFile, Standing};
use super::{Config, HostError, cgroup, files, syslog};
use crate::domain::event::EndCause;
use crate::domain::id::Nonce;
use crate::domain::time::Timestamp;
use crate::ports::Clock;

pub mod ending;
pub mod finish;
pub mod verdict;

use ending::Ending;
use verdict::{Left, Signs, Verdict, verdict};

/// How often the sessions are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How often where there are none.
const IDLE: Duration = Duration::from_millis(500);

/// How long a group that no session's file names is left alone: a login makes its group before its file.
const ORPHAN: Duration = Duration::from_secs(2);

/// How long the daemon waits for another reaper to end before it takes its place.
const LOCKED: Duration = Duration::from_secs(10);

/// How long the same complaint is not said again.
const QUIET: Duration = Duration::from_secs(300);

/// How the daemon is run.
pub struct Options {
    /// Where the probes look.
    pub places: Places,
    /// Look once, finish what can be finished now, and stop.
    pub once: bool,
}

/// What the threads share.
pub struct Shared {
    config: Config,
    options: Options,
    said: Mutex<Vec<String>>,
    /// One session at a time is probed: many that end together must not slow the machine down for those that go on.
    probing: Mutex<()>,
}

impl Shared {
    fn info(&self, line: String) {
        syslog::info(&line);
        self.keep(line);
    }

    fn warn(&self, line: String) {
        syslog::warn(&line);
        self.keep(line);
    }

    /// For who called it once, to print.
    fn keep(&self, line: String) {
        if self.options.once {
            self.said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }
}

/// The daemon.
pub struct Reaper<'c> {
    shared: Arc<Shared>,
    clock: &'c dyn Clock,
    mirror: Mirror,
    watched: BTreeMap<Nonce, Watched>,
    orphans: BTreeMap<PathBuf, Instant>,
    /// Sessions whose end was told, or is being told: the mirror may go on for a while to call them open.
    told: BTreeSet<Nonce>,
    telling: Vec<JoinHandle<()>>,
    complaints: BTreeMap<String, Instant>,
    /// Held as long as this lives: there is one reaper on a host.
    _lock: File,
}

/// A session, as it is watched.
struct Watched {
    since: Instant,
    /// Since when it is seen to be refused.
    leaving: Option<Instant>,
    /// When it has to end by a clock that nobody can set. `None` where its end lies beyond what that clock counts.
    deadline: Option<Instant>,
    /// How many commits the mirror held when it was first seen.
    size: u64,
    /// The thread that ends it.
    ending: Option<JoinHandle<()>>,
}

/// What `sync` published, read again only when the file is another.
#[derive(Default)]
struct Mirror {
    /// The file's number, size and time of change.
    seen: Option<(u64, u64, i64, i64)>,
    grants: Option<Grants>,
    /// The probes as last known; `None` until anything was.
    probes: Option<Vec<Probe>>,
}

impl<'c> Reaper<'c> {
    /// Gets ready: sees that groups can be killed here, and that no other reaper runs.
    ///
    /// # Errors
    /// [`HostError::NoCgroup`]; [`HostError::Refused`] where another one runs.
    pub fn new(config: Config, options: Options, clock: &'c dyn Clock) -> Result<Self, HostError> {
        cgroup::check(&config)?;
        let path = config.run.join("reap.lock");
        let began = Instant::now();
        // One that looks only once is gone soon: the daemon waits for it.
        let patience = if options.once { Duration::ZERO } else { LOCKED };
        let lock = loop {
            match files::lock(&path)? {
                Some(lock) => break lock,
                None if began.elapsed() < patience => std::thread::sleep(LOOK),
                None => return Err(HostError::Refused("another jit host reap runs on this host".to_owned())),
            }
        };
        let shared = Shared { config, options, said: Mutex::default(), probing: Mutex::default() };
        Ok(Self {
            shared: Arc::new(shared),
            clock,
            mirror: Mirror::default(),
            watched: BTreeMap::new(),
            orphans: BTreeMap::new(),
            told: BTreeSet::new(),
            telling: Vec::new(),
            complaints: BTreeMap::new(),
            _lock: lock,
        })
    }

    /// Runs until the process ends. What goes wrong is logged and tried again.
    pub fn run(mut self) -> ! {
        self.start();
        loop {
            self.look();
            std::thread::sleep(if self.watched.is_empty() { IDLE } else { LOOK });
        }
    }

    /// Looks once, finishes what can be finished without waiting for anybody, and says what was done.
    pub fn once(mut self) -> Vec<String> {
        self.start();
        self.look();
        if !self.orphans.is_empty() {
            std::thread::sleep(ORPHAN);
            self.look();
        }
        for watched in std::mem::take(&mut self.watched).into_values() {
            // A thread that fell over has said so on stderr; its session's files stand.
            let _ = watched.ending.map(JoinHandle::join);
        }
        for thread in std::mem::take(&mut self.telling) {
            let _ = thread.join();
        }
        std::mem::take(&mut self.shared.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn start(&mut self) {
        if let Err(error) = ending::clear_orphans(&self.shared.config) {
            self.complain("what an earlier reaper left cannot be cleared", &error);
        }
        // No probe of ours runs yet.
        for group in Group::all(&self.shared.config).unwrap_or_default() {
            if group.is_probe() {
                self.end_orphan(&group);
            }
        }
    }

    /// One look at everything. Kills first; whatever may take time comes after.
    fn look(&mut self) {
        let (now, at) = (self.clock.now(), Instant::now());
        if let Err(error) = self.mirror.refresh(&self.shared.config) {
            self.complain("grants cannot be read: only deadlines and exits end sessions", &error);
        }
        let (sessions, unreadable) = match SessionFile::all(&self.shared.config) {
            Ok(found) => found,
            Err(error) => return self.complain("sessions cannot be listed", &error),
        };
        let size = self.mirror.grants.as_ref().map_or(0, |grants| grants.size);
        let mut due = Vec::new();
        for session in &sessions {
            let watched =
                self.watched.entry(session.session.clone()).or_insert_with(|| Watched::new(session, now, at, size));
            if watched.ending.as_ref().is_some_and(|thread| !thread.is_finished()) {
                continue;
            }
            if session.standing == Standing::Leaving {
                watched.leaving.get_or_insert(at);
            }
            if let Some(plan) = plan(&self.shared.config, session, watched, self.mirror.grants.as_ref(), now, at) {
                // Nothing comes before this.
                if let Err(error) = Group::at(session.cgroup.clone()).kill() {
                    self.shared.warn(format!("session {}: cannot be killed: {error}", session.session));
                }
                due.push((session, plan));
            }
        }
        for (session, plan) in due {
            self.finish(session, plan);
        }
        self.watched.retain(|name, watched| {
            sessions.iter().any(|session| session.session == *name)
                || watched.ending.as_ref().is_some_and(|thread| !thread.is_finished())
        });
        self.sweep(&sessions, &unreadable, at);
        self.find_lost(&unreadable, now);
        for error in unreadable {
            self.complain("a session's file cannot be read", &error);
        }
    }

    /// Has the rest of an ending done by a thread. Where there can be none now, the next look tries again.
    fn finish(&mut self, session: &SessionFile, plan: Plan) {
        if let Plan::End(cause, why) = &plan {
            self.shared.info(format!("session {} of {} ends: {cause}: {why}", session.session, session.login));
        }
        if !matches!(plan, Plan::Drop(_)) {
            self.told.insert(session.session.clone());
        }
        let (shared, file, probes) = (Arc::clone(&self.shared), session.clone(), self.mirror.probes.clone());
        let work = move || finish::run(&shared, &file, plan, probes.as_deref());
        match std::thread::Builder::new().name(format!("end-{}", session.session)).spawn(work) {
            Ok(thread) => {
                if let Some(watched) = self.watched.get_mut(&session.session) {
                    watched.ending = Some(thread);
                }
            }
            Err(cause) => self.complain("no thread for an ending", &HostError::system("spawn", cause)),
        }
    }

    /// Has the ledger told of sessions that it takes for open and of which nothing is here. A login has its file before the
    /// ledger hears of it, and keeps it until the ledger has heard of its end.
    fn find_lost(&mut self, unreadable: &[HostError], now: Timestamp) {
        let Some(grants) = &self.mirror.grants else { return };
        let config = &self.shared.config;
        self.telling.retain(|thread| !thread.is_finished());
        let grace = config.login_wait() + verdict::GRACE;
        let is_old = |open: &OpenSession| u64::try_from(now.since(open.started)).is_ok_and(|age| age > grace.as_secs());
        let lost = grants.open.iter().filter(|open| {
            !self.told.contains(&open.session)
                && !self.watched.contains_key(&open.session)
                && is_old(open)
                && !is_there(unreadable, &SessionFile::path(config, &open.session))
        });
        for open in lost.cloned().collect::<Vec<_>>() {
            let (shared, session) = (Arc::clone(&self.shared), open.session.clone());
            let work = move || finish::lost(&shared, &open);
            match std::thread::Builder::new().name(format!("lost-{session}")).spawn(work) {
                Ok(thread) => {
                    self.telling.push(thread);
                    self.told.insert(session);
                }
                Err(cause) => return self.complain("no thread for an ending", &HostError::system("spawn", cause)),
            }
        }
        // What the mirror calls open no more is not asked about again.
        let Some(grants) = &self.mirror.grants else { return };
        self.told
            .retain(|name| self.watched.contains_key(name) || grants.open.iter().any(|open| open.session == *name));
    }

    /// Ends the groups that no session's file names: nobody would end them otherwise.
    fn sweep(&mut self, sessions: &[SessionFile], unreadable: &[HostError], at: Instant) {
        let groups = match Group::all(&self.shared.config) {
            Ok(groups) => groups,
            Err(error) => return self.complain("groups cannot be listed", &error),
        };
        let unknown: Vec<Group> = groups
            .into_iter()
            .filter(|group| !group.is_probe() && !sessions.iter().any(|session| session.cgroup == group.path()))
            .filter(|group| {
                group.session().is_none_or(|name| !is_there(unreadable, &SessionFile::path(&self.shared.config, &name)))
            })
            .collect();
        self.orphans.retain(|path, _| unknown.iter().any(|group| group.path() == path));
        for group in unknown {
            let since = *self.orphans.entry(group.path().to_owned()).or_insert(at);
            if at.duration_since(since) >= ORPHAN {
                self.end_orphan(&group);
            }
        }
    }

    fn end_orphan(&mut self, group: &Group) {
        let ended = group.kill().and_then(|()| group.wait_empty(LOOK)).and_then(|empty| {
            if empty { group.remove() } else { Err(HostError::Refused("something in it does not die".to_owned())) }
        });
        match ended {
            Ok(()) => self.shared.warn(format!("ended {}: no session is known by that name", group.path().display())),
            Err(error) => self.complain(&format!("{} cannot be ended", group.path().display()), &error),
        }
    }

    /// Logs what goes wrong, and the same again only after a while.
    fn complain(&mut self, what: &str, error: &HostError) {
        let line = format!("reap: {what}: {error}");
        let now = Instant::now();
        self.complaints.retain(|_, said| now.duration_since(*said) < QUIET);
        if !self.complaints.contains_key(&line) {
            self.complaints.insert(line.clone(), now);
            self.shared.warn(line);
        }
    }
}

/// What a thread has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// End it and tell the ledger.
    End(EndCause, String),
    /// Go on with an ending that was begun.
    Resume,
    /// End it and tell nobody.
    Drop(String),
}

/// What has to be done about a session now, if anything.
fn plan(
    config: &Config,
    session: &SessionFile,
    watched: &Watched,
    grants: Option<&Grants>,
    now: Timestamp,
    at: Instant,
) -> Option<Plan> {
    if Ending::path(config, &session.session).try_exists().unwrap_or(false) {
        return Some(Plan::Resume);
    }
    // In this order: a recorder leaves what it has to leave and then goes, and it goes because the connection did. Looked at
    // the other way round, one that does all that meanwhile would be taken for lost.
    let recorder = session.recorder.is_some_and(|recorder| recorder.is_alive());
    let left = if recorder { None } else { left(config, &session.session) };
    let monitor = session.monitor.is_alive();
    let signs = Signs {
        now,
        watched: at.duration_since(watched.since),
        leaving: watched.leaving.map_or(Duration::ZERO, |since| at.duration_since(since)),
        overdue: watched.deadline.is_some_and(|deadline| at >= deadline),
        monitor,
        recorder,
        left,
        size: watched.size,
        login_wait: config.login_wait(),
    };
    Some(match verdict(session, grants, &signs)? {
        Verdict::End(cause, why) => Plan::End(cause, why),
        Verdict::Drop(why) => Plan::Drop(why),
    })
}

/// A file that could not be read just now is there all the same; one that is no session's file names nothing.
fn is_there(unreadable: &[HostError], path: &Path) -> bool {
    unreadable.iter().any(|error| matches!(error, HostError::File { path: file, .. } if file == path))
}

/// What a recorder left.
fn left(config: &Config, session: &Nonce) -> Option<Left> {
    let whole = Recorded::read(config, session).ok().flatten()?.whole;
    let when = Timestamp::from_unix(fs::symlink_metadata(SessionFile::recorded_path(config, session)).ok()?.mtime())?;
    Some(Left { when, whole })
}

impl Watched {
    fn new(session: &SessionFile, now: Timestamp, at: Instant, size: u64) -> Self {
        // A clock that is set back later gains nothing; one that was wrong before is all that there is.
        let left = Duration::from_secs(u64::try_from(session.ends.since(now)).unwrap_or(0));
        Self { since: at, leaving: None, deadline: at.checked_add(left), size, ending: None }
    }
}

impl Mirror {
    fn refresh(&mut self, config: &Config) -> Result<(), HostError> {
        let path = config.grants();
        let seen = match fs::symlink_metadata(&path) {
            Ok(meta) => Some((meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec())),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => None,
            Err(cause) => return Err(HostError::file(path, cause)),
        };
        if seen == self.seen && (seen.is_none() || self.grants.is_some()) {
            return Ok(());
        }
        // Until it was read, nothing is known of the ledger.
        self.grants = None;
        self.grants = Grants::read(config)?;
        self.seen = seen;
        if let Some(grants) = &self.grants {
            self.probes = Some(grants.probes.clone());
        }
        Ok(())
    }
}
