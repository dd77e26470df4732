//! What a session left behind: looked for by the host itself once the session is dead, and told to the ledger, whatever the
//! person says. Each probe comes to clear, found or failed; one that could not look is never clear.
//!
//! Imports nothing of ours but the host's shared types and the words of events. Source: docs/host.md, "Residue".

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use unicode_normalization::UnicodeNormalization as _;

use super::grants::{Probe, ProbeWhat};
use super::session_file::SessionFile;
use super::wire::Item;
use super::{Config, HostError};
use crate::domain::event::ProbeResult;
use crate::domain::text::visible;

mod changed;
mod command;
mod connections;
mod jobs;
mod processes;

pub use command::{Entry, NOT_STARTED, enter};

/// How long a built-in probe may take where the policy does not say, in seconds.
const TIMEOUT: u64 = 30;
/// How much longer is waited for a probe that ends its own look in time.
const SLACK: Duration = Duration::from_secs(10);
/// The longest detail, in characters.
const LONGEST: usize = 2_000;
/// The longest that all details together may be as an event spells them, in bytes: an event has at most 64 KiB.
const ALL: usize = 40_000;
/// How many things a detail names.
const NAMED: usize = 100;

/// Where the probes look.
#[derive(Debug, Clone)]
pub struct Places {
    /// The system's processes.
    pub proc: PathBuf,
    /// Directories of crontabs, each named after its login.
    pub crontabs: Vec<PathBuf>,
    /// Directories of at jobs, owned by who asked for them.
    pub at_jobs: Vec<PathBuf>,
    /// Where systemd notes whose units outlive their sessions.
    pub linger: PathBuf,
    /// This program, which a command is started through.
    pub program: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            crontabs: vec!["/var/spool/cron/crontabs".into(), "/var/spool/cron".into()],
            at_jobs: vec!["/var/spool/cron/atjobs".into(), "/var/spool/at".into()],
            linger: "/var/lib/systemd/linger".into(),
            // What runs now, also where the file was replaced since.
            program: "/proc/self/exe".into(),
        }
    }
}

/// What a probe came to.
struct Finding {
    result: ProbeResult,
    detail: String,
}

impl Finding {
    fn clear(detail: impl Into<String>) -> Self {
        Self { result: ProbeResult::Clear, detail: detail.into() }
    }

    fn found(detail: impl Into<String>) -> Self {
        Self { result: ProbeResult::Found, detail: detail.into() }
    }

    fn failed(detail: impl Into<String>) -> Self {
        Self { result: ProbeResult::Failed, detail: detail.into() }
    }

    /// A look that an error ended is no look.
    fn of(looked: Result<Self, HostError>) -> Self {
        looked.unwrap_or_else(|error| Self::failed(error.to_string()))
    }
}

/// Looks for what `session` left: the built-in probes always, and those of the policy for its targets. `policy` is `None`
/// where the policy is not known.
pub fn run(config: &Config, places: &Places, session: &SessionFile, policy: Option<&[Probe]>) -> Vec<Item> {
    let targets: BTreeSet<&str> = session.roles.iter().filter_map(|role| role.split('/').next()).collect();
    let mut wanted: Vec<Probe> = policy.unwrap_or_default().to_vec();
    wanted.retain(|probe| targets.contains(probe.target.as_str()));
    let mut items: Vec<Item> = Vec::new();
    for (name, what) in
        [("processes", ProbeWhat::Processes), ("connections", ProbeWhat::Connections), ("jobs", ProbeWhat::Jobs)]
    {
        if !wanted.iter().any(|probe| probe.what == what) {
            items.push(item(config, places, session, name, &what, TIMEOUT));
        }
    }
    for probe in &wanted {
        items.push(item(config, places, session, &probe.name, &probe.what, probe.timeout));
    }
    if policy.is_none() {
        let detail = "the mirror of the ledger could not be read, so the policy's probes are not known".to_owned();
        items.push(Item { probe: "probes of the policy".to_owned(), result: ProbeResult::Failed, detail });
    }
    fit(&mut items);
    items
}

/// Whether a probe found nothing.
pub fn is_clear(item: &Item) -> bool {
    item.result == ProbeResult::Clear
}

fn item(config: &Config, places: &Places, session: &SessionFile, name: &str, what: &ProbeWhat, timeout: u64) -> Item {
    let timeout = Duration::from_secs(timeout);
    let (on, at, after, wanted) = (config.clone(), places.clone(), session.clone(), what.clone());
    // A probe's own time ends first; then it says what it saw until then.
    let finding = within(timeout + SLACK, move || match wanted {
        ProbeWhat::Processes => Finding::of(processes::look(&on, &at, &after)),
        ProbeWhat::Connections => Finding::of(connections::look(&on, &at, &after)),
        ProbeWhat::Jobs => Finding::of(jobs::look(&on, &at, &after)),
        ProbeWhat::Files(paths) => changed::look(&paths, after.started, Instant::now() + timeout),
        ProbeWhat::Command { argv, must_be_empty, run_as } => {
            let command = command::Wanted { argv: &argv, must_be_empty, run_as: run_as.as_deref() };
            Finding::of(command::look(&on, &at, &after, &command, timeout))
        }
    });
    Item { probe: name.to_owned(), result: finding.result, detail: finding.detail }
}

/// A look, but no longer than so long. The system may be made to answer never: reading the command line of a process
/// waits for the process's own memory, and that may lie on a file system that the process itself provides. Such a look is
/// left behind in its thread.
fn within(longest: Duration, look: impl FnOnce() -> Finding + Send + 'static) -> Finding {
    let (send, receive) = channel();
    let begun = std::thread::Builder::new().name("probe".to_owned()).spawn(move || send.send(look()));
    if let Err(cause) = begun {
        return Finding::failed(format!("no thread for it: {cause}"));
    }
    match receive.recv_timeout(longest) {
        Ok(finding) => finding,
        Err(RecvTimeoutError::Timeout) => Finding::failed(format!("not done within {} s", longest.as_secs())),
        Err(RecvTimeoutError::Disconnected) => Finding::failed("it broke down"),
    }
}

/// Makes the details such that an event may hold them (E03) and is not too long with them.
fn fit(items: &mut [Item]) {
    let share = ALL / items.len().max(1);
    for item in items {
        item.detail = fitted(&item.detail, share);
    }
}

fn fitted(text: &str, share: usize) -> String {
    let clean: String = visible(text).nfc().collect();
    let mut room = share;
    let mut out = String::new();
    for (count, c) in clean.trim_end().chars().enumerate() {
        // In an event these are written with a backslash.
        let cost = if matches!(c, '"' | '\\' | '\n') { 2 } else { c.len_utf8() };
        // Room for the sign that something was cut off.
        if count + 1 >= LONGEST || cost + '…'.len_utf8() > room {
            out.push('…');
            return out;
        }
        room -= cost;
        out.push(c);
    }
    out
}

/// A list for people: how many, the first of them, and how many more.
fn list(what: &str, found: &[String]) -> String {
    let mut lines = vec![format!("{what}: {}", found.len())];
    lines.extend(found.iter().take(NAMED).map(|line| line.replace('\n', "\\n")));
    if found.len() > NAMED {
        lines.push(format!("and {} more", found.len() - NAMED));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::check_free;

    #[test]
    fn whatever_was_seen_an_event_may_hold_it() {
        let seen = ["a\u{202e}b\x1b[2Jc\r\td\0", "e\u{301}", "\u{1}\n\n", "\u{fffd}\u{85}"];
        for text in seen {
            let fitted = fitted(text, 1000);
            assert_eq!(check_free(&fitted), Ok(()), "{text:?} became {fitted:?}");
        }
        assert_eq!(fitted("one\ntwo \"three\"", 1000), "one\ntwo \"three\"");
        assert_eq!(fitted(&"x".repeat(3000), 10_000).chars().count(), LONGEST);
        let quotes = fitted(&"\"".repeat(3000), 100);
        assert!(quotes.ends_with('…') && quotes.chars().count() <= 50, "{quotes}");
    }

    #[test]
    fn a_look_that_never_ends_is_failed_and_one_that_breaks_too() {
        let (_held, never) = channel::<()>();
        let finding = within(Duration::from_millis(50), move || {
            let _ = never.recv();
            Finding::clear("it cannot say this")
        });
        assert_eq!(finding.result, ProbeResult::Failed);
        assert_eq!(within(SLACK, || Finding::found("x")).result, ProbeResult::Found);
        assert_eq!(within(SLACK, || panic!("it breaks")).result, ProbeResult::Failed);
    }

    #[test]
    fn all_details_together_fit_into_an_event() {
        let long = Item { probe: "p".to_owned(), result: ProbeResult::Found, detail: "\\\"\n✗".repeat(2000) };
        let mut items = vec![long; 35];
        fit(&mut items);
        let bytes: usize = items.iter().map(|item| format!("{:?}", item.detail).len()).sum();
        assert!(bytes < 48 * 1024, "{bytes} bytes");
    }
}
