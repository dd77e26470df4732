//! The view without a screen: one JSON object a line for programs, or plain sentences for whoever listens to them. Nothing is
//! ever overwritten, and no cursor moves.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use super::super::error::CliError;
use super::super::view::case_json;
use super::super::{Context, Exit, Outcome};
use super::feed::Feed;
use super::stop::Stop;
use super::words;
use crate::domain::id::Name;
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::monitor::watch::{About, Board, Section};
use crate::monitor::{Record, jsonl};

/// How long nothing is done between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// One JSON object an event, until the process is told to end or nobody reads any more.
///
/// # Errors
/// As [`Feed::look`].
pub fn json(context: &Context, feed: &mut Feed<'_>, first: Vec<Record>, stop: &Stop) -> Outcome {
    let output = context.output.clone();
    let mut records = first;
    loop {
        let now = context.now();
        for record in &records {
            if !say(&object(feed.state(), record, now).to_string())? {
                return Ok(Exit::DONE);
            }
        }
        if !wait(stop) {
            return Ok(Exit::DONE);
        }
        records = feed.look(&output)?;
    }
}

/// What `jit export` gives, and the case as `jit list --json` has it by now.
fn object(state: &State, record: &Record, now: Timestamp) -> Value {
    let mut fields = jsonl::object(record);
    let case = record.case.and_then(|id| state.case(&id));
    fields.insert("case_object".to_owned(), case.map_or(Value::Null, |case| case_json(state, case, now)));
    Value::Object(fields)
}

/// All that there is to see in plain text, then a line for each change.
///
/// # Errors
/// As [`Feed::look`].
pub fn plain(context: &Context, feed: &mut Feed<'_>, me: Option<&Name>, stop: &Stop) -> Outcome {
    let output = context.output.clone();
    let mut board = Board::of(feed.state(), me, context.now());
    if !whole(feed.state(), &board, context.now())? {
        return Ok(Exit::DONE);
    }
    loop {
        if !wait(stop) {
            return Ok(Exit::DONE);
        }
        let records = feed.look(&output)?;
        let now = context.now();
        if records.is_empty() && !board.is_stale(now) {
            continue;
        }
        for record in &records {
            if !say(&format!("{}.", words::event(record)))? {
                return Ok(Exit::DONE);
            }
        }
        let next = Board::of(feed.state(), me, now);
        for line in moved(feed.state(), &board, &next, &records, now) {
            if !say(&line)? {
                return Ok(Exit::DONE);
            }
        }
        board = next;
    }
}

fn whole(state: &State, board: &Board, now: Timestamp) -> Result<bool, CliError> {
    let counts: Vec<(Section, usize)> =
        Section::ALL.iter().map(|section| (*section, board.section(*section).len())).collect();
    let waits = match board.mine() {
        0 => String::new(),
        mine => format!("; {}", words::wait_for_you(mine)),
    };
    let (time, there) = (now.utc().format("%H:%M:%S UTC"), words::counted(&counts));
    let mut text = format!("{}, {time}: {there}{waits}.\n", state.name());
    for (section, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        text.push_str(&format!("\n{}: {count}\n", section.title()));
        for row in board.section(section) {
            text.push_str(&format!("  {}\n", words::spoken(&words::row(state, row, now))));
        }
    }
    text.push_str("\nEach change is a line from here on; Ctrl-C ends it.");
    say(&text)
}

/// What changed because time passed: what an event of its own tells already is left out.
fn moved(state: &State, before: &Board, after: &Board, told: &[Record], now: Timestamp) -> Vec<String> {
    let places = |board: &Board| -> BTreeMap<About, (Section, bool)> {
        board.rows.iter().map(|row| (row.about, (row.section, row.overdue))).collect()
    };
    let (was, is) = (places(before), places(after));
    let time = now.utc().format("%H:%M:%S");
    let mut lines = Vec::new();
    let is_told = |about: &About| told.iter().any(|record| record.case == about.case());
    for (about, place) in was.iter().filter(|(about, _)| matches!(about, About::Case(_)) && !is_told(about)) {
        let Some(case) = about.case().and_then(|id| state.case(&id)) else { continue };
        match is.get(about) {
            Some(there) if there == place => {}
            Some((section, _)) => {
                let row = after.rows.iter().find(|row| row.about == *about);
                let said = row.map_or_else(String::new, |row| words::spoken(&words::row(state, row, now)));
                lines.push(format!("{time}  {}: {said}", section.title()));
            }
            None => {
                let stands = state.case_state(case, now);
                lines.push(format!("{time}  {} of {} is over: {stands}.", case.id().short(), case.actor()));
            }
        }
    }
    lines
}

/// Writes a line; `false` where nobody reads any more, because the pipe was closed or the terminal is gone.
fn say(text: &str) -> Result<bool, CliError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(format!("{text}\n").as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe || !is_read(Duration::ZERO) => Ok(false),
        Err(cause) => Err(CliError::failed("cannot write what happens").because(cause.to_string())),
    }
}

/// Waits a little; `false` where the process was told to end, or nobody reads any more. A signal wakes it.
fn wait(stop: &Stop) -> bool {
    !stop.came() && is_read(PAUSE) && !stop.came()
}

/// Waits for `span`; `false` as soon as nobody reads stdout any more: a pipe whose reader is gone, a terminal that was closed.
fn is_read(span: Duration) -> bool {
    let stdout = rustix::stdio::stdout();
    // Nothing is asked for; what is always told is that the other end is gone (poll(2): POLLERR, POLLHUP).
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let timeout = Timespec::try_from(span).ok();
    // An error is a signal: whoever called looks at it.
    !poll(&mut fds, timeout.as_ref()).is_ok_and(|ready| ready > 0)
}
