//! A sample of the accesses of a period, drawn so that anybody draws the same: no generator of random numbers, but the
//! order of SHA-256 digests (docs/auditor.md, "Reports"). And the packet of a sampled case. Imports `domain` and `merkle`.
//!
//! The algorithm, which never changes: of every access case of the period, SHA-256 over the seed, one LF and the case in
//! 64 hex digits; the cases in the rising order of these digests; the first `size` of them.

use super::entry::{Entry, Ledger};
use super::period::Period;
use super::population::accesses;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use crate::domain::event::Body;
use crate::domain::id::Digest;
use crate::domain::state::access::Access;
use crate::domain::state::case::Case;
use crate::merkle::ProofError;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("number", "1 for the case whose digest is the lowest, and so on"),
    Column::brief("id", "The case, 16 characters"),
    Column::full("case", "The case, 64 hex digits"),
    Column::brief("actor", "Who asked"),
    Column::brief("opened", "When, UTC"),
    Column::brief("state", "Where the case stands at the time of the report"),
    Column::full("subject", "TARGET/ROLE asked for"),
    Column::full("emergency", "Whether it was opened as break-glass"),
    Column::brief("events", "How many events its packet has"),
    Column::full("drawn", "SHA-256 of seed, LF and case, 64 hex digits: what the order comes from"),
];

/// The sampled cases, in the order in which they were drawn.
pub fn draw<'a>(ledger: &Ledger<'a>, period: Period, size: usize, seed: &str) -> Vec<Drawn<'a>> {
    let mut drawn: Vec<Drawn<'a>> = accesses(ledger, period)
        .map(|(case, access)| Drawn { case, access, order: order(seed, &case.id().0) })
        .collect();
    drawn.sort_unstable_by_key(|drawn| drawn.order);
    drawn.truncate(size);
    drawn
}

/// SHA-256 over the seed, LF and the case in hex.
pub fn order(seed: &str, case: &Digest) -> Digest {
    Digest::of(format!("{seed}\n{}", case.hex()).as_bytes())
}

/// A case that was drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawn<'a> {
    /// The case.
    pub case: &'a Case,
    /// What it is about.
    pub access: &'a Access,
    /// Where it comes in the order.
    pub order: Digest,
}

/// The list of what was drawn.
pub fn report(ledger: &Ledger<'_>, period: Period, seed: &str, size: usize, drawn: &[Drawn<'_>]) -> Report {
    let mut report = Report::new("sample", "Sample: cases drawn by a seed", period);
    let population = accesses(ledger, period).count();
    report.figures = vec![
        Figure::new("seed", "The seed", Cell::Text(seed.to_owned())),
        Figure::new("size", "How many cases were asked for", Cell::count(size)),
        Figure::new("population", "How many access cases the period has", Cell::count(population)),
    ];
    if size > population && population > 0 {
        report.notes.push("The period has fewer cases than were asked for: this is all of them.".to_owned());
    }
    let positions = || drawn.iter().flat_map(|drawn| drawn.case.events().iter().map(|event| event.position));
    report.leaves = positions().min().zip(positions().max());
    let mut sheet = Sheet::new(COLUMNS);
    for (number, Drawn { case, access, order }) in (1..).zip(drawn) {
        sheet.push([
            ("number", Cell::Number(number)),
            ("id", Cell::Text(case.id().short())),
            ("case", Cell::Text(case.id().0.hex())),
            ("actor", Cell::Text(case.actor().to_string())),
            ("opened", Cell::Time(case.opened())),
            ("state", Cell::Text(ledger.state.case_state(case, ledger.now).to_string())),
            ("subject", Cell::List(access.request.targets.iter().map(ToString::to_string).collect())),
            ("emergency", Cell::Flag(access.request.emergency)),
            ("events", Cell::count(case.events().len())),
            ("drawn", Cell::Text(order.hex())),
        ]);
    }
    report.sheet = Some(sheet);
    report
}

/// One event of a packet: its files, and the proof that the log holds it.
#[derive(Debug, Clone)]
pub struct Item {
    /// The event, with its bytes.
    pub entry: Entry,
    /// The name of its file in the packet, such as `02-approval-mzxw6ytboi5hcyta.toml`.
    pub file: String,
    /// The audit path (RFC 6962, section 2.1.1), from the leaf upwards, in the log as the report names it.
    pub path: Vec<Digest>,
    /// A certificate, where the event issued one: a line of OpenSSH.
    pub certificate: Option<String>,
}

/// The packet of a case: its events in the log's order.
///
/// # Errors
/// Where an entry is not of this log.
pub fn packet(ledger: &Ledger<'_>, entries: Vec<Entry>) -> Result<Vec<Item>, ProofError> {
    let mut items = Vec::with_capacity(entries.len());
    for (number, entry) in (1..).zip(entries) {
        let Some(signed) = entry.event() else { continue };
        let number: usize = number;
        let certificate = match &signed.event.body {
            Body::Issuance(issuance) => Some(issuance.certificate.clone()),
            _ => None,
        };
        let file = format!("{number:02}-{}-{}.toml", signed.event.kind(), signed.digest.short());
        let path = ledger.log.inclusion_proof(entry.position, ledger.size())?;
        items.push(Item { file, path, certificate, entry });
    }
    Ok(items)
}
