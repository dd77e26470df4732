//! `[log]`: who signs checkpoints, who witnesses them, and how fresh they must be (format.md, sections 4 and 6; F04). Owns
//! reading, soundness and what changes between two of them. PURE; imports `domain::{key, text, time}` and the policy's
//! reader.

use super::super::key::PublicKey;
use super::super::text::is_bidi_control;
use super::super::time::{Timestamp, Ttl};
use super::diff::{Area, Changes, Weight, fingerprint, gained_lost};
use super::errors::Report;
use super::read::{software_key, span};
use super::tree::{Cell, Table};

/// How many witnesses a policy may name.
const MOST_WITNESSES: u64 = 64;
/// The longest name of a witness, in bytes.
const LONGEST_NAME: usize = 200;

const NAME: &str = "a name without spaces and plus signs, such as \"witness.example/w1\"";

/// The log: its key and its witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The key that signs checkpoints; a software key.
    pub key: PublicKey,
    /// Who cosigns them, in the policy's order; names and keys are distinct.
    pub witnesses: Vec<Witness>,
    /// How many of the witnesses must have cosigned a checkpoint before anything is minted or admitted; 0 where none need.
    pub quorum: usize,
    /// How old the cosignatures of so many may be; `None` for any age.
    pub freshest: Option<Ttl>,
}

/// Somebody who says of a log that it only grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The key name of its cosignatures.
    pub name: String,
    /// The key of its cosignatures; a software key.
    pub key: PublicKey,
}

impl Log {
    /// Whether anything is demanded of checkpoints at all.
    pub const fn demands(&self) -> bool {
        self.quorum > 0
    }

    /// When the quorum was last complete, given each witness's newest cosignature of one checkpoint: the time of the
    /// earliest one that is needed. Times that lie in the future count for nothing. `None` without a quorum.
    pub fn witnessed(
        &self,
        times: impl IntoIterator<Item = Timestamp>,
        now: Timestamp,
        skew: Ttl,
    ) -> Option<Timestamp> {
        let mut times: Vec<Timestamp> = times.into_iter().filter(|time| *time <= now.plus(skew)).collect();
        times.sort();
        times.reverse();
        times.get(self.quorum.checked_sub(1)?).copied()
    }

    /// Whether a quorum that was complete at `witnessed` is too old at `now`.
    pub fn is_stale(&self, witnessed: Timestamp, now: Timestamp) -> bool {
        self.freshest.is_some_and(|freshest| now > witnessed.plus(freshest))
    }
}

pub(super) fn read(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Log> {
    let mut table = cell.table(report)?;
    let key = table.required(report, "key", |report, cell| software_key(report, &cell));
    let witnesses = table
        .optional(report, "witness", |report, cell| cell.list(report, "[[log.witness]]", witness))
        .unwrap_or_default();
    let quorum = match (table.has("witness"), table.has("quorum")) {
        // Whoever names witnesses says how many are needed: nobody should believe that naming them is enough.
        (true, _) | (_, true) => {
            table.required(report, "quorum", |report, cell| cell.number(report, 0, MOST_WITNESSES))
        }
        (false, false) => Some(0),
    };
    let freshest = table.optional(report, "freshest", |report, cell| span(report, &cell, None));
    table.finish(report);
    Some(Log { key: key?, witnesses, quorum: usize::try_from(quorum?).ok()?, freshest })
}

fn witness(report: &mut Report<'_>, cell: Cell<'_>) -> Option<Witness> {
    let mut table: Table<'_> = cell.table(report)?;
    let name = table.required(report, "name", |report, cell| {
        let name = cell.line(report, NAME)?;
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+' || is_bidi_control(c);
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(forbidden) {
            return cell.refuse(report, "the name of the witness does not do", Some(NAME));
        }
        Some(name)
    });
    let key = table.required(report, "key", |report, cell| software_key(report, &cell));
    table.finish(report);
    Some(Witness { name: name?, key: key? })
}

/// A10: a quorum that nobody can reach; a demand that nothing could meet. That keys are used once is asked with all others.
pub(super) fn check(log: &Log, report: &mut Report<'_>) {
    let most = log.witnesses.len();
    if log.quorum > most {
        let message = format!("the quorum is {} and the log has {most} witnesses", log.quorum);
        report.add_at("log/quorum", message, Some(&format!("0 to {most}")));
    }
    if log.freshest.is_some() && log.quorum == 0 {
        let message = "`freshest` without a quorum: only the cosignatures of witnesses say when";
        report.add_at("log/freshest", message, Some("[[log.witness]] and `quorum = 1`, or more"));
    }
    for (index, witness) in log.witnesses.iter().enumerate() {
        if log.witnesses.iter().take(index).any(|earlier| earlier.name == witness.name) {
            let message = format!("two witnesses are named `{}`", witness.name);
            report.add_at(&format!("log/witness/{index}/name"), message, Some("a name of its own"));
        }
    }
}

/// What changes between two logs.
pub(super) fn compare(changes: &mut Changes, old: Option<&Log>, new: Option<&Log>) {
    const OF: &str = "the log";
    let said = |log: Option<&Log>| log.map_or_else(|| "none".to_owned(), |log| fingerprint(&log.key));
    if old.map(|log| &log.key) != new.map(|log| &log.key) {
        let says = format!("its checkpoints are signed by {} instead of {}", said(new), said(old));
        changes.weaker(Area::Key, OF, says);
    }
    let witnesses = |log: Option<&Log>| log.map(|log| log.witnesses.clone()).unwrap_or_default();
    let (was, is) = (witnesses(old), witnesses(new));
    let quorum = |log: Option<&Log>| log.map_or(0, |log| log.quorum);
    let (had, has) = (quorum(old), quorum(new));
    let (gained, lost) = gained_lost(&was, &is);
    for witness in gained {
        let says = format!("{} ({}) may witness it", witness.name, fingerprint(&witness.key));
        changes.weaker(Area::Key, OF, says);
    }
    for witness in lost {
        let says = format!("{} ({}) no longer witnesses it", witness.name, fingerprint(&witness.key));
        changes.put(Weight::Other, Area::Key, OF, says);
    }
    let says = format!("{has} of its {} witnesses must have cosigned, not {had} of {}", is.len(), was.len());
    match has.cmp(&had) {
        std::cmp::Ordering::Less => changes.weaker(Area::Evidence, OF, says),
        std::cmp::Ordering::Greater => changes.stronger(Area::Evidence, OF, says),
        std::cmp::Ordering::Equal => {}
    }
    match (old.and_then(|log| log.freshest), new.and_then(|log| log.freshest)) {
        (Some(before), Some(after)) => {
            changes.longer(Area::Evidence, OF, "cosignatures may be as old as", before, after);
        }
        (None, Some(after)) => changes.stronger(Area::Evidence, OF, format!("cosignatures may be {after} old at most")),
        (Some(before), None) => {
            changes.weaker(Area::Evidence, OF, format!("cosignatures may be of any age, not {before} at most"));
        }
        (None, None) => {}
    }
}
