//! The relay: one loop over everything that a session's channels, their gates and the system have to say. Imports the
//! host's session files and the domain's times.

use std::collections::BTreeMap;
use std::io::PipeReader;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::cgroup::Locator;
use super::super::gate::message::{self, FromGate, FromRecorder, Inbox};
use super::super::{Config, HostError, SessionFile, syslog};
use super::RecordError;
use super::channel::Channel;
use super::journal::{Broken, Journal};
use super::notice::{self, Warnings};
use crate::domain::time::Timestamp;

/// How many channels are open at once, at most; sshd's own limit is ten (sshd_config(5), MaxSessions).
const CHANNELS: usize = 64;

/// How long somebody who connected may take to say what they want.
const GREETING: Duration = Duration::from_secs(10);

/// How long the loop sleeps at most while a warning is to come: the clock may be set.
const NAP: u64 = 30;

/// Why the relay stopped before the session was over.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Nothing more can be recorded.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Waiting failed.
    #[error("poll: {0}")]
    Poll(rustix::io::Errno),
}

/// What the relay waits for beside its channels.
pub struct Waits {
    /// SIGTERM.
    pub told: UnixStream,
    /// The connection's sshd monitor; `None` where it is gone already.
    pub monitor: Option<OwnedFd>,
    /// Closes when the recording is broken.
    pub broken: PipeReader,
}

/// How the relay ended.
pub struct RelayEnd {
    /// Whether as it should.
    pub result: Result<(), RecordError>,
    /// The exit code of the last channel that ended by itself.
    pub exit_code: Option<i64>,
}

/// The relay.
pub struct Relay<'a> {
    config: &'a Config,
    session: &'a SessionFile,
    /// Says in which session a process is.
    sessions: Locator,
    /// `None` once nobody may come any more.
    listener: Option<UnixListener>,
    waits: Waits,
    journal: Journal,
    now: &'a AtomicI64,
    warnings: Warnings,
    guests: BTreeMap<u32, Guest>,
    channels: BTreeMap<u32, Channel>,
    next: u32,
    exit_code: Option<i64>,
    stop: bool,
}

/// Somebody who connected and has not yet said what they want.
struct Guest {
    gate: UnixStream,
    pid: u32,
    inbox: Inbox,
    since: Instant,
}

/// Something that is waited for.
#[derive(Clone, Copy)]
enum Source {
    Listener,
    Told,
    Monitor,
    Broken,
    Guest(u32),
    Gate(u32),
    Flow(u32, usize),
}

impl<'a> Relay<'a> {
    /// A relay without channels.
    ///
    /// # Errors
    /// Where the sessions' control groups lie in no cgroup2.
    pub fn new(
        config: &'a Config,
        session: &'a SessionFile,
        listener: UnixListener,
        waits: Waits,
        journal: Journal,
        now: &'a AtomicI64,
    ) -> Result<Self, HostError> {
        Ok(Self {
            config,
            session,
            sessions: Locator::of(config)?,
            listener: Some(listener),
            waits,
            journal,
            now,
            warnings: Warnings::after(time(now), session.ends),
            guests: BTreeMap::new(),
            channels: BTreeMap::new(),
            next: 1,
            exit_code: None,
            stop: false,
        })
    }

    /// Passes on until the session is over.
    pub fn run(mut self) -> RelayEnd {
        let result = self.relay().map_err(RecordError::from);
        if result.is_err() {
            // Whoever sits at a terminal learns why it ends; there is nothing left that could record this.
            let (unrecorded, _) = Journal::new(Instant::now(), false);
            for channel in self.channels.values_mut() {
                let _ = channel.tell("\r\njit: the recording failed: the session ends\r\n", &unrecorded);
            }
        }
        RelayEnd { result, exit_code: self.exit_code }
    }

    fn relay(&mut self) -> Result<(), RelayError> {
        while !self.is_over() {
            for source in self.wait()? {
                self.attend(source)?;
            }
            if let Some(text) = self.warnings.say(self.now.load(Ordering::Relaxed)) {
                for channel in self.channels.values_mut() {
                    channel.tell(&text, &self.journal)?;
                }
            }
            self.guests.retain(|_, guest| guest.since.elapsed() < GREETING);
            self.clear()?;
        }
        for channel in self.channels.values_mut() {
            channel.abandoned(&self.journal)?;
        }
        self.clear()?;
        Ok(())
    }

    /// As long as the connection stands, its user may open another channel.
    fn is_over(&self) -> bool {
        self.stop || (self.waits.monitor.is_none() && self.channels.is_empty())
    }

    /// What has something to say.
    fn wait(&self) -> Result<Vec<Source>, RelayError> {
        let mut sources: Vec<(Source, BorrowedFd<'_>, PollFlags)> = vec![
            (Source::Told, self.waits.told.as_fd(), PollFlags::IN),
            (Source::Broken, self.waits.broken.as_fd(), PollFlags::IN),
        ];
        sources.extend(self.listener.iter().map(|it| (Source::Listener, it.as_fd(), PollFlags::IN)));
        sources.extend(self.waits.monitor.iter().map(|it| (Source::Monitor, it.as_fd(), PollFlags::IN)));
        sources.extend(self.guests.iter().map(|(id, it)| (Source::Guest(*id), it.gate.as_fd(), PollFlags::IN)));
        for (number, channel) in &self.channels {
            sources.push((Source::Gate(*number), channel.gate.as_fd(), PollFlags::IN));
            let flows = channel.interests();
            sources.extend(flows.map(|(index, end, flags)| (Source::Flow(*number, index), end, flags)));
        }
        let mut waits: Vec<PollFd<'_>> =
            sources.iter().map(|(_, end, flags)| PollFd::from_borrowed_fd(*end, *flags)).collect();
        let warning = self.warnings.next(self.now.load(Ordering::Relaxed)).map(|seconds| seconds.clamp(1, NAP));
        let seconds = if self.guests.is_empty() { warning } else { Some(1) };
        let limit = seconds.and_then(|it| Some(Timespec { tv_sec: i64::try_from(it).ok()?, tv_nsec: 0 }));
        match poll(&mut waits, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(RelayError::Poll(cause)),
        }
        let said = sources.iter().zip(&waits).filter(|(_, wait)| !wait.revents().is_empty());
        Ok(said.map(|((source, ..), _)| *source).collect())
    }

    fn attend(&mut self, source: Source) -> Result<(), RelayError> {
        match source {
            Source::Told => self.stop = true,
            Source::Broken => return Err(Broken.into()),
            Source::Monitor => {
                self.waits.monitor = None;
                self.listener = None;
                self.guests.clear();
            }
            Source::Listener => self.accept(),
            Source::Guest(id) => self.greet(id)?,
            Source::Gate(number) => self.hear(number)?,
            Source::Flow(number, index) => {
                if let Some(channel) = self.channels.get_mut(&number) {
                    channel.pump(index, &self.journal)?;
                }
            }
        }
        Ok(())
    }

    /// Somebody connects. Only processes of this login in this session's control group have anything to say.
    fn accept(&mut self) {
        let Some(Ok((gate, _))) = self.listener.as_ref().map(UnixListener::accept) else { return };
        let pid = match self.admit(&gate) {
            Ok(pid) => pid,
            Err(why) => return self.refuse(gate, why),
        };
        let guest = Guest { gate, pid, inbox: Inbox::default(), since: Instant::now() };
        self.guests.insert(self.next, guest);
        self.next = self.next.wrapping_add(1);
    }

    /// Its number, where it may speak.
    fn admit(&self, gate: &UnixStream) -> Result<u32, String> {
        gate.set_nonblocking(true).map_err(|error| error.to_string())?;
        let peer = rustix::net::sockopt::socket_peercred(gate).map_err(|error| error.to_string())?;
        if peer.uid.as_raw() != self.session.uid {
            return Err(format!("user {} is not this session's", peer.uid.as_raw()));
        }
        let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).map_err(|error| error.to_string())?;
        let session = self.sessions.session_of(pid).map_err(|error| error.to_string())?;
        if session.as_deref() != Some(self.session.session.as_str()) {
            return Err(format!("process {pid} is not in this session"));
        }
        if self.channels.len() + self.guests.len() >= CHANNELS {
            return Err(format!("{CHANNELS} channels are open already"));
        }
        Ok(pid)
    }

    /// The first words of somebody who connected.
    fn greet(&mut self, id: u32) -> Result<(), RelayError> {
        let Some(mut guest) = self.guests.remove(&id) else { return Ok(()) };
        match guest.inbox.receive(&guest.gate) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                self.guests.insert(id, guest);
                return Ok(());
            }
            Err(_) => return Ok(()),
        }
        match guest.inbox.message() {
            Ok(None) => {
                self.guests.insert(id, guest);
                Ok(())
            }
            Ok(Some(FromGate::Hello { version: message::VERSION, term, command })) => {
                self.open(id, guest, term, command)
            }
            Ok(Some(_)) => {
                self.refuse(guest.gate, "the gate and the recorder are not of the same version".to_owned());
                Ok(())
            }
            Err(error) => {
                self.refuse(guest.gate, error.to_string());
                Ok(())
            }
        }
    }

    fn refuse(&self, mut gate: UnixStream, why: String) {
        syslog::warn(&format!("recorder of session {}: refused a channel: {why}", self.session.session));
        let _ = message::send(&mut gate, &FromRecorder::Refused { why }, &[]);
    }

    /// Opens a channel. It is in the recording before the gate may start anything.
    fn open(
        &mut self,
        number: u32,
        guest: Guest,
        term: Option<String>,
        command: Option<String>,
    ) -> Result<(), RelayError> {
        let Ok(mut reply) = guest.gate.try_clone() else { return Ok(()) };
        let gate = (guest.gate, guest.inbox);
        let who = (self.session.uid, guest.pid);
        let (mut channel, open) = match Channel::new(self.config, number, gate, who, (term, command)) {
            Ok(opened) => opened,
            Err(why) => {
                self.refuse(reply, why);
                return Ok(());
            }
        };
        self.journal.open(number, open)?;
        channel.tell(&notice::banner(self.session, time(self.now)), &self.journal)?;
        // Where this fails the gate is gone, which is heard next.
        let _ = message::send(&mut reply, &FromRecorder::Ready { channel: number }, &[]);
        self.channels.insert(number, channel);
        Ok(())
    }

    /// A gate has something to say, or is gone.
    fn hear(&mut self, number: u32) -> Result<(), RelayError> {
        let Some(channel) = self.channels.get_mut(&number) else { return Ok(()) };
        match channel.inbox.receive(&channel.gate) {
            Ok(true) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Ok(false) | Err(_) => return Ok(channel.abandoned(&self.journal)?),
        }
        loop {
            match channel.inbox.message() {
                Ok(None) => return Ok(()),
                Ok(Some(FromGate::Started { pid })) => channel.started(pid, &self.journal)?,
                Ok(Some(FromGate::Resized)) => channel.resized(&self.journal)?,
                Ok(Some(FromGate::Exited { code })) => channel.exited(code, &self.journal)?,
                Ok(Some(FromGate::Hello { .. })) | Err(_) => return Ok(channel.abandoned(&self.journal)?),
            }
        }
    }

    /// Closes the channels that are over.
    fn clear(&mut self) -> Result<(), RelayError> {
        let over: Vec<u32> =
            self.channels.iter().filter(|(_, channel)| channel.is_over()).map(|(number, _)| *number).collect();
        for channel in over.iter().filter_map(|number| self.channels.remove(number)).collect::<Vec<_>>() {
            if let Some(code) = channel.close(&self.journal)? {
                self.exit_code = Some(i64::from(code));
            }
        }
        Ok(())
    }
}

fn time(now: &AtomicI64) -> Timestamp {
    Timestamp::from_unix(now.load(Ordering::Relaxed)).unwrap_or_else(|| {
        // The clock only ever says times that there are.
        Timestamp::from_unix(0).expect("the epoch is a time")
    })
}
