//! Reads what a bundle or page carries, and writes it down: the one way from `--from`, `--to`, `--case` and `--incident`
//! to [`Evidence`]. Imports `audit`, `domain` and `ledger`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use super::super::Context;
use super::super::checkpoint::branch::Checkpoints;
use super::super::error::CliError;
use super::super::files;
use super::super::session::Session;
use super::read::Reading;
use crate::audit::Entry;
use crate::audit::bundle::{Evidence, InForce, Query, Selection, enacted};
use crate::audit::period::boundary;
use crate::domain::event::Body;
use crate::domain::id::CaseId;
use crate::domain::policy::Policy;
use crate::domain::state::case::Matter;
use crate::domain::time::Timestamp;
use crate::ledger::{Replay, governed};
use crate::merkle::SignedCheckpoint;

/// The file that a proposal or genesis must bring.
const POLICY: &str = "policy.toml";

/// Which cases.
#[derive(Debug, Default, clap::Args)]
pub struct Chosen {
    /// Only cases opened from here on, a date (its midnight) or a time in UTC.
    #[arg(long, value_name = "TIME", value_parser = boundary)]
    pub from: Option<Timestamp>,
    /// Only cases opened before this, a date or a time in UTC.
    #[arg(long, value_name = "TIME", value_parser = boundary)]
    pub to: Option<Timestamp>,
    /// Only this case; may be given several times.
    #[arg(long = "case", value_name = "CASE", conflicts_with_all = ["from", "to"])]
    pub cases: Vec<String>,
    /// Only what names this incident.
    #[arg(long, value_name = "INCIDENT", conflicts_with_all = ["from", "to", "cases"])]
    pub incident: Option<String>,
}

impl Chosen {
    /// What is asked for.
    ///
    /// # Errors
    /// Where a case is unknown, or the period ends before it begins.
    pub fn query(&self, reading: &Reading) -> Result<Query, CliError> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return Err(CliError::usage(format!("the period from {from} to {to} is empty")).hint("--from before --to"));
        }
        if let Some(incident) = &self.incident {
            return Ok(Query::Incident(incident.clone()));
        }
        if !self.cases.is_empty() {
            let named: Result<_, CliError> =
                self.cases.iter().map(|text| Ok(reading.session().case(text)?.id())).collect();
            return named.map(Query::Cases);
        }
        match (self.from, self.to) {
            (None, None) => Ok(Query::All),
            (from, to) => Ok(Query::Period { from, to }),
        }
    }
}

/// Reads what was chosen, with all that is needed to check it.
///
/// # Errors
/// Where something cannot be read, or nothing names the incident.
pub fn evidence<'a>(context: &Context, reading: &'a Reading, query: Query) -> Result<Evidence<'a>, CliError> {
    let ledger = reading.ledger();
    let more = match &query {
        Query::Incident(incident) => revoked_in(reading, incident)?,
        Query::All | Query::Period { .. } | Query::Cases(_) => BTreeSet::new(),
    };
    let checkpoint = checkpoint(context, reading)?;
    let selection = Selection::of(ledger.state, &query, &more, checkpoint.is_some());
    if let Query::Incident(incident) = &query
        && selection.asked.is_empty()
    {
        let hint = "jit list, and what its cases say of incidents: jit show CASE";
        return Err(CliError::failed(format!("no case, lock or revocation names incident {incident:?}")).hint(hint));
    }
    let entries = entries(reading, &query, &selection)?;
    let mut policies = policies(reading.session())?;
    policies.retain(|policy| entries.iter().any(|entry| entry.position == policy.brought));
    Ok(Evidence { ledger, query, selection, entries, policies, checkpoint })
}

/// The newest checkpoint that the log's key has signed and this ledger continues, where there is one.
fn checkpoint(context: &Context, reading: &Reading) -> Result<Option<SignedCheckpoint>, CliError> {
    let Some(seen) = Checkpoints::tried(context, reading.session().ledger())? else { return Ok(None) };
    if seen.is_ahead {
        context.output.warning("the log's key has signed a longer log than lies here: its checkpoint is left out");
        return Ok(None);
    }
    Ok(seen.newest)
}

/// The cases in which a revocation names the incident: only its bytes say so.
fn revoked_in(reading: &Reading, incident: &str) -> Result<BTreeSet<CaseId>, CliError> {
    let mut found = BTreeSet::new();
    for entry in reading.entries() {
        if let Some(signed) = entry?.event()
            && let Body::Revocation { incident: Some(named), .. } = &signed.event.body
            && named == incident
        {
            found.insert(signed.case());
        }
    }
    Ok(found)
}

/// The entries of the chosen cases. Of a period, the void commits between its first and last entry too; of everything,
/// all of them.
fn entries(reading: &Reading, query: &Query, selection: &Selection) -> Result<Vec<Entry>, CliError> {
    let ledger = reading.ledger();
    let state = ledger.state;
    let wanted: BTreeSet<u64> =
        selection.cases(state).flat_map(|case| case.events().iter().map(|event| event.position)).collect();
    match query {
        Query::Cases(_) | Query::Incident(_) => {
            let mut entries = Vec::with_capacity(wanted.len());
            for case in selection.cases(state) {
                for event in case.events() {
                    entries.push(reading.event(case, event)?);
                }
            }
            entries.sort_by_key(|entry| entry.position);
            Ok(entries)
        }
        Query::All | Query::Period { .. } => {
            let span = if query.is_all() { Some((0, u64::MAX)) } else { selection.span(state) };
            let within = |position: u64| span.is_some_and(|(first, last)| (first..=last).contains(&position));
            let fits = |entry: &Entry| match entry.event() {
                Some(_) => wanted.contains(&entry.position),
                None => within(entry.position),
            };
            reading.entries().filter(|entry| entry.as_ref().map_or(true, fits)).collect()
        }
    }
}

/// Every policy that was ever in force, with its bytes, the first one first.
///
/// # Errors
/// Where one cannot be read.
pub fn policies(session: &Session) -> Result<Vec<InForce>, CliError> {
    let state = session.state();
    let store = session.store();
    let mut policies = Vec::new();
    for enacted in enacted(state) {
        let lost = || {
            CliError::failed(format!("the policy that entry {} brought cannot be read", enacted.brought))
                .hint("git fsck --full")
        };
        let case = state.case(&enacted.case).ok_or_else(lost)?;
        let mut files = match case.matter() {
            // The replay of the first commit alone has the first policy in force.
            Matter::Genesis => {
                let first = session.replay().commit_at(0).ok_or_else(lost)?;
                governed::in_force(store, &Replay::of(store, first)?)?
            }
            _ => governed::brought(store, case)?,
        };
        let bytes = files.remove(POLICY).ok_or_else(lost)?.bytes;
        let policy = Policy::parse(&bytes).map_err(|problems| lost().because(problems.to_string()))?;
        policies.push(InForce { from: enacted.from, brought: enacted.brought, bytes, policy });
    }
    Ok(policies)
}

/// Writes the file whole or not at all: beside, synced, renamed. It says who asked for what and why: only its owner reads
/// it, until they hand it on. A file that is there already is not overwritten.
///
/// # Errors
/// Where it cannot be written, or is there.
pub fn write(
    context: &Context,
    out: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
) -> Result<u64, CliError> {
    let path = context.resolve(out);
    let failed = |cause: &io::Error| CliError::file("write", &path, cause);
    let mut beside = files::beside(&path, files::OWN).map_err(|cause| failed(&cause))?;
    {
        let mut buffered = io::BufWriter::new(&mut beside);
        fill(&mut buffered)?;
        buffered.flush().map_err(|cause| failed(&cause))?;
    }
    beside.as_file().sync_all().map_err(|cause| failed(&cause))?;
    let size = beside.as_file().metadata().map_err(|cause| failed(&cause))?.len();
    beside.persist_noclobber(&path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => CliError::failed(format!("{} is there already", path.display()))
            .hint("name another file with --out, or remove it"),
        _ => failed(&error.error),
    })?;
    Ok(size)
}
