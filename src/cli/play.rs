//! `jit play`: finds a session's recording, holds it against the ledger, opens it with a recorder's key, and shows it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::error::{CliError, ErrorKind};
use super::output::{clock, span};
use super::session::{Fresh, Session as OpenLedger};
use super::{Context, Exit, Outcome};
use crate::domain::event::Recording;
use crate::domain::id::{CaseId, Digest};
use crate::domain::state::access::{Access, Session};
use crate::recording::age::{Identity, OpenError};
use crate::recording::cast::{Channel, Entry};
use crate::recording::scan::{Expected, Scan, scan};
use crate::recording::{Fault, Header, reader};
use crate::sign::Opener;
use export::Export;
pub use screen::{Filter, Look};
use stage::{Interrupt, Pace, Stage};

mod export;
mod follow;
mod identity;
mod screen;
pub(in crate::cli) mod source;
mod stage;

/// How many faults are told one by one.
const MOST_FAULTS: usize = 20;

/// Play the recording of a session, after holding it against the ledger.
///
/// It opens with a recorder's key (the private key file: ssh-agent cannot do it). What the session wrote is shown with
/// the time it took; what a replay does not need of it, such as writing to your clipboard, is left out. Without a
/// terminal the text is printed at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case: its id or the beginning of it.
    #[arg(value_name = "CASE")]
    pub case: String,
    /// Which of its sessions, counted from 1 [default: the only one].
    #[arg(long, value_name = "N")]
    pub session: Option<usize>,
    /// Only this one of the session's channels, counted from 1.
    #[arg(long, value_name = "N")]
    pub channel: Option<usize>,
    /// How much faster than it was.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    pub speed: f64,
    /// Wait no longer than so many seconds where nothing happens.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub max_idle: Option<Duration>,
    /// Show a running session as it goes on, on its host; Ctrl-C ends it.
    #[arg(long, conflicts_with_all = ["export", "speed", "max_idle", "damaged"])]
    pub follow: bool,
    /// Write one channel as an asciicast file (`-`: to stdout) instead of playing it. What was typed is in it too.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub export: Option<PathBuf>,
    /// Where recordings lie, or the one file [default: recordings in config.toml, else /var/lib/jit/recordings].
    #[arg(long, value_name = "DIR|FILE", value_hint = clap::ValueHint::AnyPath)]
    pub recordings: Option<PathBuf>,
    /// The recorder's private key file [default: the key that signs].
    #[arg(long, value_name = "KEY", value_hint = clap::ValueHint::FilePath)]
    pub identity: Option<PathBuf>,
    /// Play what can be read of a recording that is damaged, or that the ledger does not vouch for; the exit code is 4.
    #[arg(long)]
    pub damaged: bool,
    /// Play every byte as recorded: the session's user can then do to your terminal whatever a terminal obeys.
    #[arg(long)]
    pub raw: bool,
}

/// A factor of speed.
fn speed(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "expected a factor such as 2 or 0.5".to_owned())?;
    if (0.01..=1000.0).contains(&factor) { Ok(factor) } else { Err("expected a factor from 0.01 to 1000".to_owned()) }
}

/// Seconds, with a fraction if need be.
fn seconds(text: &str) -> Result<Duration, String> {
    let expected = || "expected seconds such as 2 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| expected())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| expected())
}

/// Runs the command.
///
/// # Errors
/// Where there is no recording, it does not open, or it is not what was recorded (exit 4).
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let ledger = OpenLedger::open(context, Fresh::Try)?;
    let case = ledger.case(&args.case)?;
    let Some(access) = case.access().filter(|access| !access.sessions.is_empty()) else {
        return Err(CliError::failed(format!("case {} has no session", case.id().short())).hint("jit show CASE"));
    };
    let Some(id) = ledger.state().ledger() else { return Err(CliError::failed("the ledger has no genesis")) };
    let place = source::place(context, args.recordings.as_deref())?;
    if context.output.is_json() && args.export.is_none() && !args.follow {
        return list(context, &args, access, case.id(), id, &place);
    }
    let (number, session) = choose(access, args.session)?;
    if session.recording == Recording::Off {
        return Err(CliError::failed(format!("session {number} was not recorded, as the ledger says"))
            .hint("jit show CASE, jit verify"));
    }
    let header = Header { ledger: id, case: case.id(), session: session.session.clone() };
    let path = source::file(&place, case.id(), &session.session);
    let mut file = source::open(&place, &path)?;
    let opener = identity::open(context, args.identity.as_deref())?;
    introduce(context, access, number, session);
    if args.follow {
        return follow::run(context, &args, file, session, header, &opener);
    }
    let mut found = examine(&mut file, &path, session, header)?;
    let agree = |share: &[u8; 32]| opener.agree(share);
    let identity = Identity { public: opener.public_key(), agree: &agree };
    let mut count = Numbering::default();
    reader::open_all(&mut file, &mut found, &identity, &mut |entry| {
        count.of(entry);
    })
    .map_err(|cause| CliError::file("read", &path, &cause))?;
    let channels = count.next;
    opens(&found, &opener)?;
    tell(context, &args, session, &found, &path)?;
    let exit = if sound(session, &found) { Exit::DONE } else { Exit::FINDINGS };
    let mut tape = Tape { file, path, scan: found, opener };
    match &args.export {
        Some(to) => {
            let title = format!("jit {} session {number}", case.id().short());
            write_out(context, &args, &mut tape, channels, to, &title)?;
        }
        None => play(context, &args, &mut tape, channels)?,
    }
    Ok(exit)
}

/// That nothing opens with a key is no verdict about the recording: it is another key's.
fn opens(found: &Scan, opener: &Opener) -> Result<(), CliError> {
    let closed = |fault: &&Fault| matches!(fault, Fault::Sealed { cause: OpenError::OtherKeys(_), .. });
    if found.frames.is_empty() || found.faults.iter().filter(closed).count() < found.frames.len() {
        return Ok(());
    }
    let print = opener.public_key().fingerprint();
    Err(CliError::failed(format!("the recording is not sealed to the key {print}"))
        .hint("name a recorder's private key: --identity FILE; jit policy show lists the recorders"))
}

/// An opened recording.
struct Tape {
    file: File,
    path: PathBuf,
    scan: Scan,
    opener: Opener,
}

impl Tape {
    /// Shows `each` what was recorded, with the number of its channel, until it says that it is enough.
    fn read(&mut self, each: &mut dyn FnMut(usize, &Entry) -> Result<bool, CliError>) -> Result<(), CliError> {
        let agree = |share: &[u8; 32]| self.opener.agree(share);
        let identity = Identity { public: self.opener.public_key(), agree: &agree };
        let mut numbering = Numbering::default();
        for frame in &self.scan.frames {
            let opened = reader::open(&mut self.file, frame, &identity);
            let (entries, _) = opened.map_err(|cause| CliError::file("read", &self.path, &cause))?;
            for entry in &entries {
                if !each(numbering.of(entry), entry)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Numbers channels in the order in which they open, from 1: a channel's own number may come again.
#[derive(Debug, Default)]
struct Numbering {
    open: std::collections::BTreeMap<u32, usize>,
    next: usize,
}

impl Numbering {
    fn of(&mut self, entry: &Entry) -> usize {
        let channel = match entry {
            Entry::Opened(channel) => {
                self.open.remove(&channel.number);
                channel.number
            }
            Entry::Event { channel, .. } | Entry::Closed { channel, .. } => *channel,
        };
        // One that never opened is of a recording whose beginning is lost.
        *self.open.entry(channel).or_insert_with(|| {
            self.next = self.next.saturating_add(1);
            self.next
        })
    }
}

fn choose(access: &Access, wanted: Option<usize>) -> Result<(usize, &Session), CliError> {
    let sessions = &access.sessions;
    let number = match (wanted, sessions.as_slice()) {
        (Some(number), _) => number,
        (None, [_]) => 1,
        (None, _) => {
            let mut error = CliError::usage(format!("the case has {} sessions", sessions.len()));
            for (at, session) in sessions.iter().enumerate() {
                let Session { host, login, started, .. } = session;
                error = error.because(format!("session {}: on {host} as {login}, {started}", at.saturating_add(1)));
            }
            return Err(error.hint("choose one: --session N"));
        }
    };
    let session = number.checked_sub(1).and_then(|at| sessions.get(at));
    session.map(|session| (number, session)).ok_or_else(|| {
        CliError::usage(format!("there is no session {number}: the case has {}", sessions.len())).hint("jit show CASE")
    })
}

/// Who, where, when.
fn introduce(context: &Context, access: &Access, number: usize, session: &Session) {
    let Session { host, login, source, started, .. } = session;
    let end = match session.ended {
        Some((time, cause)) => {
            format!("{}, ended: {cause}", span(u64::try_from(time.since(*started)).unwrap_or_default()))
        }
        None => "still running, as far as the ledger knows".to_owned(),
    };
    let start = clock(*started, context.now());
    context.output.note(format!("Session {number}: {} on {host} as {login}, from {source}", access.actor));
    context.output.note(format!("{start}, {end}"));
}

/// Holds the file against what the ledger says of it.
fn examine(file: &mut File, path: &Path, session: &Session, header: Header) -> Result<Scan, CliError> {
    let expected = Expected { header: Some(header), head: session.recorded };
    let mut found = scan(file, &expected).map_err(|cause| CliError::file("read", path, &cause))?;
    if session.ended.is_none() {
        // It grows: that its end is not there yet is as it should be.
        found.faults.retain(|fault| !matches!(fault, Fault::NoLast { .. } | Fault::Cut { .. }));
    }
    Ok(found)
}

/// Whether the recording is what the ledger says; of a running session, whether it is sound so far.
fn sound(session: &Session, found: &Scan) -> bool {
    found.faults.is_empty() && (session.ended.is_none() || session.recorded.is_some())
}

/// What is wrong, in words.
fn complaints(session: &Session, found: &Scan) -> Vec<String> {
    let mut complaints: Vec<String> = found.faults.iter().take(MOST_FAULTS).map(ToString::to_string).collect();
    let more = found.faults.len().saturating_sub(MOST_FAULTS);
    if more > 0 {
        complaints.push(format!("and {more} more"));
    }
    if session.ended.is_some() && session.recorded.is_none() {
        complaints.push("the ledger holds no head of it: session-end names no recording".to_owned());
    }
    complaints
}

/// Says that it is verified, or exactly what is wrong. What is wrong ends it, unless `--damaged` was given.
fn tell(context: &Context, args: &Args, session: &Session, found: &Scan, path: &Path) -> Result<(), CliError> {
    let output = &context.output;
    if sound(session, found) {
        match session.recorded {
            Some(head) => output.note(format!("verified against the ledger: head {head}")),
            None => output.note(format!(
                "the chain is sound up to here ({} frames, head {}); the ledger holds its head when the session ends",
                found.frames.len(),
                found.head
            )),
        }
        return Ok(());
    }
    let complaints = complaints(session, found);
    if !args.damaged {
        let message = format!("{} is not what was recorded", path.display());
        let error = CliError::new(ErrorKind::Findings, message);
        let error = complaints.into_iter().fold(error, CliError::because);
        return Err(error.hint("keep the file as it is; --damaged plays what can be read of it"));
    }
    output.warning(format!("{} is not what was recorded", path.display()));
    complaints.into_iter().for_each(|complaint| output.warning(complaint));
    output.warning("what follows is what can be read of it, and proves nothing");
    Ok(())
}

/// Plays the channels, one after the other.
fn play(context: &Context, args: &Args, tape: &mut Tape, channels: usize) -> Result<(), CliError> {
    let wanted = wanted(args, channels)?;
    let terminal = context.environment.stdout_is_terminal;
    let look = look(args, terminal);
    let pace = terminal.then_some(Pace { speed: args.speed, longest: args.max_idle });
    let interrupt = Interrupt::watch()?;
    let mut stage = Stage::new(&context.output, look, terminal, pace, interrupt.clone());
    for number in wanted {
        let mut begun = false;
        let shown = tape.read(&mut |of, entry| {
            if of != number {
                return Ok(true);
            }
            if !begun {
                begun = true;
                stage.begin(number, &opened(entry))?;
            }
            stage.show(entry)
        });
        stage.end()?;
        shown?;
        if interrupt.came() {
            break;
        }
    }
    Ok(())
}

fn look(args: &Args, terminal: bool) -> Look {
    match (args.raw, terminal) {
        (true, _) => Look::Raw,
        (false, true) => Look::Terminal,
        (false, false) => Look::Plain,
    }
}

/// The header of the channel that an entry begins; one that is lost is as plain as can be.
fn opened(entry: &Entry) -> Channel {
    match entry {
        Entry::Opened(channel) => channel.clone(),
        Entry::Event { channel, .. } | Entry::Closed { channel, .. } => {
            Channel { number: *channel, size: (80, 24), timestamp: 0, at: 0, command: None, term: None }
        }
    }
}

/// The channels that were asked for.
fn wanted(args: &Args, channels: usize) -> Result<std::ops::RangeInclusive<usize>, CliError> {
    match args.channel {
        None => Ok(1..=channels),
        Some(number) if (1..=channels).contains(&number) => Ok(number..=number),
        Some(number) => Err(CliError::usage(format!("there is no channel {number}: the session has {channels}"))
            .hint("leave --channel out")),
    }
}

/// Writes one channel as an asciicast.
fn write_out(
    context: &Context,
    args: &Args,
    tape: &mut Tape,
    channels: usize,
    to: &Path,
    title: &str,
) -> Result<(), CliError> {
    let wanted = wanted(args, channels)?;
    if wanted.clone().count() != 1 {
        let message = format!("the session has {channels} channels, and an asciicast holds one");
        return Err(CliError::usage(message).hint("choose one: --channel N"));
    }
    let number = *wanted.start();
    let mut export = Export::create(context, to)?;
    let mut begun = false;
    tape.read(&mut |of, entry| {
        if of == number {
            if !begun {
                begun = true;
                export.header(&opened(entry), title)?;
            }
            export.entry(entry)?;
        }
        Ok(true)
    })?;
    export.finish()?;
    context.output.note(format!("Exported channel {number} of {channels} to {}", to.display()));
    Ok(())
}

/// `--json`: every session, and how its recording stands against the ledger. No key is needed: nothing is opened.
fn list(context: &Context, args: &Args, access: &Access, case: CaseId, ledger: Digest, place: &Path) -> Outcome {
    let mut exit = Exit::DONE;
    let mut sessions = Vec::new();
    for (at, session) in access.sessions.iter().enumerate() {
        let number = at.saturating_add(1);
        if args.session.is_some_and(|wanted| wanted != number) {
            continue;
        }
        let path = source::file(place, case, &session.session);
        let header = Header { ledger, case, session: session.session.clone() };
        let found = match session.recording {
            Recording::Off => None,
            Recording::On => {
                Some(source::open(place, &path).and_then(|mut file| examine(&mut file, &path, session, header)))
            }
        };
        let (verified, faults, error) = match &found {
            None => (None, Vec::new(), None),
            Some(Ok(found)) if !sound(session, found) => {
                exit = Exit::FINDINGS;
                (Some(false), complaints(session, found), None)
            }
            // Of a running session nobody can say yet that it is what will be recorded.
            Some(Ok(_)) => (session.recorded.is_some().then_some(true), Vec::new(), None),
            Some(Err(error)) => {
                if exit == Exit::DONE {
                    exit = Exit(ErrorKind::Failed.exit_code());
                }
                (None, Vec::new(), Some(error.innermost().to_owned()))
            }
        };
        let scan = found.as_ref().and_then(|found| found.as_ref().ok());
        sessions.push(json!({
            "number": number, "session": session.session.as_str(), "host": session.host.as_str(),
            "login": session.login, "source": session.source, "started": session.started.to_string(),
            "ended": session.ended.map(|(time, _)| time.to_string()),
            "cause": session.ended.map(|(_, cause)| cause.to_string()),
            "recording": session.recording.to_string(), "file": path.display().to_string(),
            "ledger_head": session.recorded.map(|head| head.to_string()),
            "head": scan.map(|scan| scan.head.to_string()), "frames": scan.map(|scan| scan.frames.len()),
            "bytes": scan.map(|scan| scan.size), "complete": scan.map(|scan| scan.complete),
            "verified": verified, "faults": faults, "error": error,
        }));
    }
    context.output.result(|| json!({ "case": case.0.hex(), "sessions": sessions }), String::new)?;
    Ok(exit)
}
