//! Carries notices to the sinks: each has a thread of its own, so that one that is down or slow holds up no other. What is not
//! taken waits, with growing pauses, and is asked before each attempt whether it is still worth hearing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::Context;
use super::super::error::CliError;
use super::super::export::receiver::{Outlook, Refused};
use super::memory::{Memory, Waiting};
use super::settings::SinkKind;
use super::sink::{Parcel, Sink};
use crate::domain::id::{Digest, Name};
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::monitor::notify::{Notice, digest, still};

/// The first and the longest pause before a sink is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// The most messages that wait for one sink.
const WAITING: usize = 500;
/// After so many refusals that do not pass by themselves a message is given up.
const REFUSALS: u32 = 8;
/// For how long a message waits at most, in seconds.
const OLDEST: i64 = 24 * 3600;
/// The span of a sink's rate.
const MINUTE: Duration = Duration::from_secs(60);

/// A sink and its thread.
struct Desk {
    sink: Sink,
    jobs: Sender<Parcel>,
    /// Whether it is at a message.
    busy: bool,
    /// How often it failed since it last took something.
    failures: u32,
    /// When it may be tried again.
    after: Option<Instant>,
    /// When it was given messages, within the last minute.
    given: VecDeque<Instant>,
    /// What was last told of it.
    told: Option<String>,
}

struct Report {
    desk: usize,
    id: Digest,
    result: Result<(), Refused>,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// How many messages were delivered.
    pub delivered: u64,
    /// How many were given up.
    pub dropped: u64,
}

/// The sinks.
pub struct Post {
    desks: Vec<Desk>,
    reports: Receiver<Report>,
    digest_above: usize,
    ledger: Digest,
    /// What was done so far.
    pub done: Done,
}

impl Post {
    /// Opens a thread for each sink.
    pub fn new(sinks: Vec<Sink>, digest_above: usize, ledger: Digest) -> Self {
        let (report, reports) = channel();
        let desk = |(number, mut sink): (usize, Sink)| {
            let (jobs, parcels) = channel::<Parcel>();
            let report: Sender<Report> = report.clone();
            let way = sink.way.take();
            thread::spawn(move || {
                let Some(mut way) = way else { return };
                while let Ok(parcel) = parcels.recv() {
                    let result = way.deliver(&parcel);
                    if report.send(Report { desk: number, id: parcel.id, result }).is_err() {
                        return;
                    }
                }
            });
            Desk { sink, jobs, busy: false, failures: 0, after: None, given: VecDeque::new(), told: None }
        };
        let desks = sinks.into_iter().enumerate().map(desk).collect();
        Self { desks, reports, digest_above, ledger, done: Done::default() }
    }

    /// What each sink is to be given of `notices`: each to those who hear it there, many at once as one.
    pub fn sorted(&self, notices: &[Notice], state: &State, now: Timestamp) -> Vec<(String, Notice)> {
        let current: Vec<Notice> = notices.iter().filter_map(|notice| notice.only(still(notice, state, now))).collect();
        let mut sorted = Vec::new();
        for desk in &self.desks {
            let heard: Vec<Notice> = current.iter().filter_map(|notice| desk.sink.filter.of(notice)).collect();
            let people: BTreeSet<Name> = heard.iter().flat_map(|notice| notice.to.clone()).collect();
            let mut boxes: Vec<(BTreeSet<Name>, Vec<Notice>)> = Vec::new();
            if desk.sink.is_personal() {
                for person in people {
                    let one: BTreeSet<Name> = [person.clone()].into();
                    let own = heard.iter().filter(|notice| notice.to.contains(&person));
                    boxes.push((one.clone(), own.filter_map(|notice| notice.only(one.clone())).collect()));
                }
            } else {
                boxes.push((people, heard));
            }
            for (to, own) in boxes {
                let one = if own.len() > self.digest_above { digest(&own, to, now) } else { None };
                let messages = one.map_or(own, |digest| vec![digest]);
                sorted.extend(messages.into_iter().map(|notice| (desk.sink.name.clone(), notice)));
            }
        }
        sorted
    }

    /// Puts what is not known yet behind what waits.
    pub fn enqueue(&mut self, memory: &mut Memory, sorted: Vec<(String, Notice)>, context: &Context) {
        for (sink, notice) in sorted {
            if memory.knows(&sink, notice.id(self.ledger), self.ledger) {
                continue;
            }
            let waiting = memory.queue.iter().filter(|entry| entry.sink == sink).count();
            if waiting >= WAITING
                && let Some(at) = memory.queue.iter().position(|entry| entry.sink == sink)
            {
                memory.queue.remove(at);
                self.done.dropped = self.done.dropped.saturating_add(1);
                context.output.warning(format!("{sink}: {WAITING} messages wait already: the oldest is given up"));
            }
            memory.queue.push(Waiting { sink, notice, refusals: 0 });
        }
    }

    /// Gives each idle sink its next message.
    pub fn dispatch(&mut self, memory: &mut Memory, state: &State, now: Timestamp) {
        let ledger = self.ledger;
        for desk in &mut self.desks {
            desk.given.retain(|at| at.elapsed() < MINUTE);
            let waits = desk.after.is_some_and(|after| Instant::now() < after);
            let full = desk.given.len() >= usize::try_from(desk.sink.at_most).unwrap_or(usize::MAX);
            if desk.busy || waits || full {
                continue;
            }
            let name = &desk.sink.name;
            // What concerns nobody any more is not told: a request that was approved meanwhile waits for no approval.
            let mut next = None;
            memory.queue.retain_mut(|entry| {
                if entry.sink != *name || next.is_some() {
                    return true;
                }
                let people = still(&entry.notice, state, now);
                if people.is_empty() || now.since(entry.notice.time) > OLDEST {
                    return false;
                }
                next = Some(entry.notice.clone());
                true
            });
            let Some(notice) = next else { continue };
            let email =
                |name: &Name| state.policy().and_then(|policy| policy.actor(name)).map(|actor| actor.email.clone());
            let parcel = Parcel {
                id: notice.id(ledger),
                object: notice.json(ledger, state.name()),
                ledger: state.name().to_owned(),
                address: if desk.sink.is_personal() { notice.to.first().and_then(email) } else { None },
                now,
                notice,
            };
            if desk.jobs.send(parcel).is_ok() {
                desk.busy = true;
                desk.given.push_back(Instant::now());
            }
        }
    }

    /// Whether a sink is at a message.
    pub fn is_busy(&self) -> bool {
        self.desks.iter().any(|desk| desk.busy)
    }

    /// Whether something waits for a sink that has not failed.
    pub fn has_work(&self, memory: &Memory) -> bool {
        self.desks
            .iter()
            .any(|desk| desk.failures == 0 && memory.queue.iter().any(|entry| entry.sink == desk.sink.name))
    }

    /// Whether something waits for a sink of these.
    pub fn left(&self, memory: &Memory) -> BTreeMap<String, usize> {
        let mut left = BTreeMap::new();
        for entry in &memory.queue {
            if self.desks.iter().any(|desk| desk.sink.name == entry.sink) {
                let count: &mut usize = left.entry(entry.sink.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        left
    }

    /// Waits for a word of a sink, for so long. Says whether one came, and what it means is in the memory then.
    ///
    /// # Errors
    /// Where the result cannot be written, or there is no randomness.
    pub fn collect(&mut self, memory: &mut Memory, context: &mut Context, span: Duration) -> Result<bool, CliError> {
        let Ok(report) = self.reports.recv_timeout(span) else { return Ok(false) };
        let ledger = self.ledger;
        let Some(desk) = self.desks.get_mut(report.desk) else { return Ok(true) };
        desk.busy = false;
        let name = desk.sink.name.clone();
        let at = memory.queue.iter().position(|entry| entry.sink == name && entry.notice.id(ledger) == report.id);
        match report.result {
            Ok(()) => {
                desk.failures = 0;
                desk.after = None;
                if desk.told.take().is_some() {
                    context.output.note(format!("{name}: it takes messages again."));
                }
                memory.gave(&name, report.id);
                self.done.delivered = self.done.delivered.saturating_add(1);
                let is_terminal = desk.sink.kind == SinkKind::Terminal;
                if let Some(at) = at {
                    let entry = memory.queue.remove(at);
                    tell(context, ledger, &entry, is_terminal)?;
                }
            }
            Err(refused) => {
                desk.failures = desk.failures.saturating_add(1);
                let pause = pause(desk.failures, refused.outlook, context)?;
                desk.after = Instant::now().checked_add(pause);
                let line = format!("{name}: {}", refused.line());
                if desk.told.as_ref() != Some(&line) {
                    context.output.warning(format!("{line}; it waits and is tried again ({})", refused.hint));
                    desk.told = Some(line);
                }
                if refused.outlook == Outlook::Lasting
                    && let Some(at) = at
                {
                    let mut entry = memory.queue.remove(at);
                    entry.refusals = entry.refusals.saturating_add(1);
                    if entry.refusals >= REFUSALS {
                        context.output.warning(format!("{name}: given up: {}", entry.notice.title));
                        self.done.dropped = self.done.dropped.saturating_add(1);
                    } else {
                        // Behind the others: one address that is wrong keeps nobody else's mail.
                        memory.queue.push(entry);
                    }
                }
            }
        }
        Ok(true)
    }
}

/// One delivery as a line of the result.
fn tell(context: &Context, ledger: Digest, entry: &Waiting, is_terminal: bool) -> Result<(), CliError> {
    let notice = &entry.notice;
    let names: Vec<&str> = notice.to.iter().map(Name::as_str).collect();
    let json = || {
        json!({ "sink": entry.sink, "delivered": true, "id": notice.id(ledger).to_string(), "kind": notice.kind.as_str(),
            "to": names, "case_id": notice.case().map(|case| case.short()), "title": notice.title })
    };
    // What the terminal shows needs no second line.
    let text = || {
        let line = format!("{}: {} to {}: {}", entry.sink, notice.kind, names.join(", "), notice.title);
        if is_terminal { String::new() } else { line }
    };
    context.output.result(json, text)
}

/// Between half of a bound that doubles and the whole of it; the longest where somebody has to mend something.
fn pause(failures: u32, outlook: Outlook, context: &mut Context) -> Result<Duration, CliError> {
    let (first, longest) = PAUSE;
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    let bound = if outlook == Outlook::Lasting { doubled.max(longest / 10) } else { doubled };
    let [random, ..] = context.rng().bytes16()?;
    let half = bound / 2;
    Ok(half.saturating_add(half.saturating_mul(u32::from(random)) / 255))
}
