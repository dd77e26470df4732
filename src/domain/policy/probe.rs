//! What a host looks at after a session: `[[target.T.probe]]` and `target.T.offline` (format.md, section 6). Owns the
//! probes, what each may say, and which run where the policy lists none. Imports `domain::time`, `event`'s `words!` and the
//! policy's reader.

use std::fmt;
use std::str::FromStr;

use super::super::event::words;
use super::super::time::Ttl;
use super::errors::Report;
use super::read::{login, reason, span, word};
use super::tree::{Cell, Table};

/// How many probes a target may have: each runs after every session.
const MOST_PROBES: usize = 32;
/// The longest name of a probe, in characters: it stands in the ledger and in a table.
const LONGEST_NAME: usize = 100;
/// How many words a command may have, and how many paths a probe of files.
const MOST_WORDS: usize = 32;
/// The longest such word, in bytes.
const LONGEST_WORD: usize = 1024;
/// The longest a probe may take, in seconds.
const LONGEST_TIMEOUT: u64 = 300;
/// How long a probe may take where the policy does not say.
const TIMEOUT: Ttl = Ttl::from_seconds(30).expect("30 seconds are a span");

words! {
    /// What a host does with a login while the ledger's remote cannot be reached, so that the session's start cannot be
    /// appended before the shell runs.
    Offline {
        /// Refuses it.
        Deny = "deny",
        /// Lets it in, and delivers the event when the remote answers again.
        Spool = "spool",
    }
}

words! {
    /// The probes that a host has of its own. They run after every session, whether the policy lists them or not.
    Builtin {
        /// Processes of the login that are still there.
        Processes = "processes",
        /// Its network connections.
        Connections = "connections",
        /// Its cron and at jobs.
        Jobs = "jobs",
    }
}

words! {
    /// What a clear answer of a command is.
    Clear {
        /// It exits with 0 and writes nothing on its standard output.
        Empty = "empty",
        /// It exits with 0.
        Success = "success",
    }
}

/// One thing that a host looks at after a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What it is called in the ledger: one line that says something, at most 100 characters, distinct within the target.
    pub name: String,
    /// What is looked at.
    pub what: ProbeWhat,
    /// After this it has failed; at most 5 minutes.
    pub timeout: Ttl,
}

/// What a probe looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeWhat {
    /// What every host looks at anyway.
    Builtin(Builtin),
    /// Files that changed at or below these absolute paths; 1 to 32.
    Files(Vec<String>),
    /// A program.
    Command {
        /// The program's absolute path and its arguments; 1 to 32, each at most 1,024 bytes. No shell reads them.
        argv: Vec<String>,
        /// What a clear answer is.
        clear: Clear,
        /// The Unix login that it runs as; absent: the host's `jit` user.
        run_as: Option<String>,
    },
}

impl Probe {
    /// The host's own probe as it runs where the policy does not list it: under its word as its name, for 30 seconds at
    /// most.
    pub fn of_the_host(builtin: Builtin) -> Self {
        Self { name: builtin.to_string(), what: ProbeWhat::Builtin(builtin), timeout: TIMEOUT }
    }
}

/// The probes that run on a host: those of the policy in its order, then the host's own that it does not list.
pub(super) fn all(listed: &[Probe]) -> Vec<Probe> {
    let mut out = listed.to_vec();
    for builtin in Builtin::ALL {
        if !listed.iter().any(|probe| probe.what == ProbeWhat::Builtin(*builtin)) {
            out.push(Probe::of_the_host(*builtin));
        }
    }
    out
}

/// `target.T.offline`.
pub(super) fn offline(report: &mut Report<'_>, cell: &Cell<'_>) -> Option<Offline> {
    word(report, cell, Offline::ALL)
}

/// `[[target.T.probe]]`: all of them, and how they relate.
pub(super) fn probes(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Vec<Probe>> {
    let mut seen: Vec<(String, Option<Builtin>)> = Vec::new();
    let most = "at most 32 probes a target";
    let found = cell.sequence(report, "[[target.T.probe]]", MOST_PROBES, most, |report, cell| {
        let mut table = cell.table(report)?;
        let probe = probe(report, &mut table);
        if let Some(probe) = &probe {
            distinct(report, &table, probe, &mut seen);
        }
        table.finish(report);
        probe
    })?;
    Some(found)
}

/// A name stands for one probe: the reviewer reads the name alone. So no two have one name, none is called like a probe
/// of the host that it is not, and none of those has two names.
fn distinct(report: &mut Report<'_>, table: &Table<'_>, probe: &Probe, seen: &mut Vec<(String, Option<Builtin>)>) {
    let builtin = match probe.what {
        ProbeWhat::Builtin(builtin) => Some(builtin),
        ProbeWhat::Files(_) | ProbeWhat::Command { .. } => None,
    };
    if seen.iter().any(|(name, _)| *name == probe.name) {
        table.refuse(report, "name", "two probes of one name", Some("a name of its own"));
    } else if let Ok(other) = probe.name.parse::<Builtin>()
        && builtin != Some(other)
    {
        let message = format!("`{other}` is the name of the host's own probe");
        table.refuse(report, "name", &message, Some("a name of its own"));
    }
    if builtin.is_some() && seen.iter().any(|(_, other)| *other == builtin) {
        table.refuse(report, "builtin", "the same again", Some("each of the host's own probes once"));
    }
    seen.push((probe.name.clone(), builtin));
}

fn probe(report: &mut Report<'_>, table: &mut Table<'_>) -> Option<Probe> {
    let name = table.required(report, "name", name);
    let builtin = table.optional(report, "builtin", builtin);
    let command = table.optional(report, "command", command);
    let paths = table.optional(report, "paths", paths);
    let clear = table.optional(report, "clear", |report, cell| word(report, &cell, Clear::ALL));
    let run_as = table.optional(report, "run_as", |report, cell| login(report, &cell));
    let timeout = table.optional(report, "timeout", |report, cell| span(report, &cell, Some(LONGEST_TIMEOUT)));
    let timeout = if table.has("timeout") { timeout? } else { TIMEOUT };

    match (table.has("builtin"), table.has("command")) {
        (true, false) => {
            for key in ["clear", "run_as"] {
                forbid(report, table, key, "belongs to a `command`");
            }
        }
        (false, true) => {}
        (true, true) => {
            table.refuse(report, "command", "a probe is a `builtin` or a `command`", Some("one of them"));
            return None;
        }
        (false, false) => {
            table.refuse_all(report, "has neither `builtin` nor `command`", Some("one of them"));
            return None;
        }
    }
    let what = match builtin {
        Some(Word::Files) => {
            if !table.has("paths") {
                table.refuse_all(report, "lacks `paths`", Some("the absolute paths to look at, such as [\"/etc\"]"));
            }
            ProbeWhat::Files(paths?)
        }
        other => {
            // A `builtin` that is no word of ours has been told; which of the keys belong to it is not known.
            if !table.has("builtin") || other.is_some() {
                forbid(report, table, "paths", "belongs to `builtin = \"files\"`");
            }
            match other {
                Some(Word::Of(builtin)) => ProbeWhat::Builtin(builtin),
                Some(Word::Files) | None => {
                    if table.has("clear") && clear.is_none() || table.has("run_as") && run_as.is_none() {
                        return None;
                    }
                    ProbeWhat::Command { argv: command?, clear: clear.unwrap_or(Clear::Empty), run_as }
                }
            }
        }
    };
    Some(Probe { name: name?, what, timeout })
}

/// What `builtin = …` may say.
enum Word {
    Of(Builtin),
    Files,
}

impl FromStr for Word {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "files" { Ok(Self::Files) } else { text.parse().map(Self::Of) }
    }
}

fn builtin(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Word> {
    cell.parsed(report, "one of \"processes\", \"connections\", \"jobs\", \"files\"")
}

fn forbid(report: &mut Report<'_>, table: &Table<'_>, key: &str, why: &str) {
    if table.has(key) {
        table.refuse(report, key, &format!("`{key}` {why}"), Some("none here"));
    }
}

fn name(report: &mut Report<'_>, cell: Cell<'_>) -> Option<String> {
    let text = reason(report, &cell, "what is looked at, in one line")?;
    if text.chars().count() > LONGEST_NAME {
        return cell.refuse(report, "the name is too long", Some("at most 100 characters"));
    }
    Some(text)
}

/// A program and its arguments; words may come twice.
fn command(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Vec<String>> {
    const WHAT: &str = "a program's absolute path and its arguments, such as [\"/usr/local/bin/slots\", \"--left\"]";
    let mut first = true;
    let argv = cell.sequence(report, WHAT, MOST_WORDS, "1 to 32 words", |report, cell| {
        let program = std::mem::take(&mut first);
        let text = short(report, &cell, "one word of the command")?;
        if program && !text.starts_with('/') {
            return cell.refuse(report, "the program's path is not absolute", Some(WHAT));
        }
        Some(text)
    })?;
    // A word that was refused is left out; the report holds why.
    (!argv.is_empty()).then_some(argv)
}

/// Paths without `.`, `..` and doubled slashes: what is read here is what is looked at there.
fn paths(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Vec<String>> {
    const WHAT: &str = "an absolute path without `.`, `..`, `//` and without a slash at its end, such as \"/etc\"";
    let mut seen = Vec::new();
    cell.sequence(report, "a list of paths, such as [\"/etc\"]", MOST_WORDS, "1 to 32 paths", |report, cell| {
        let text = short(report, &cell, WHAT)?;
        let parts = text.strip_prefix('/').map(|rest| rest.split('/').all(|part| !matches!(part, "" | "." | "..")));
        if text != "/" && parts != Some(true) {
            return cell.refuse(report, format!("`{}` does not do", text.escape_debug()), Some(WHAT));
        }
        if seen.contains(&text) {
            return cell.refuse(report, "the same again", Some("each once"));
        }
        seen.push(text.clone());
        Some(text)
    })
}

fn short(report: &mut Report<'_>, cell: &Cell<'_>, what: &str) -> Option<String> {
    let text = cell.line(report, what)?;
    if text.len() > LONGEST_WORD {
        return cell.refuse(report, "the text is too long", Some("at most 1,024 bytes"));
    }
    Some(text)
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, what, timeout } = self;
        write!(f, "{name}: {what}, at most {timeout}")
    }
}

impl fmt::Display for ProbeWhat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(Builtin::Processes) => f.write_str("processes of the login"),
            Self::Builtin(Builtin::Connections) => f.write_str("network connections of the login"),
            Self::Builtin(Builtin::Jobs) => f.write_str("cron and at jobs of the login"),
            Self::Files(paths) => write!(f, "files changed under {}", paths.join(", ")),
            Self::Command { argv, clear, run_as } => {
                write!(f, "{argv:?}")?;
                if let Some(login) = run_as {
                    write!(f, " as {login}")?;
                }
                match clear {
                    Clear::Empty => f.write_str(", clear when it says nothing"),
                    Clear::Success => f.write_str(", clear when it exits with 0"),
                }
            }
        }
    }
}
