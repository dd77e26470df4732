//! What goes into the folder, written one after the other from one replay; the entries are read once where the whole ledger
//! is asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::Context;
use super::super::super::error::CliError;
use super::super::super::verify::report as verification;
use super::super::carry;
use super::super::read::Reading;
use super::super::report::{Window, query, text};
use super::super::{sample as packets, tiles};
use super::folder::Folder;
use crate::audit::bundle::{Evidence, Query, files, write_archive};
use crate::audit::controls::map::Map;
use crate::audit::controls::measure::Counts;
use crate::audit::controls::{self, markdown, oscal};
use crate::audit::period::Period;
use crate::audit::report::Report;
use crate::audit::{Entry, access_review, board, emergencies, exceptions, incident, latency, page, population, sample};
use crate::domain::event::Kind;
use crate::domain::id::Digest;
use crate::domain::state::case::{Case, EventRef, Matter};
use crate::ledger::checkpoints::FILE;

/// The version that bundle and page name.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is asked for.
pub struct Contents<'a> {
    /// For the remote's checkpoints and the settings of the output.
    pub context: &'a Context,
    /// The ledger.
    pub reading: &'a Reading,
    /// The period.
    pub period: Period,
    /// The same as flags, with the time at which is judged.
    pub window: Window,
    /// How many cases are drawn.
    pub size: usize,
    /// By which seed.
    pub seed: String,
}

/// What was written.
pub struct Told {
    /// How many rows each report has, by its name; none where it has figures alone.
    pub rows: BTreeMap<&'static str, Option<usize>>,
    /// The incidents that have a timeline, and the name of its files.
    pub incidents: BTreeMap<String, String>,
    /// How many cases were drawn.
    pub sampled: usize,
    /// The size of the newest checkpoint, where there is one.
    pub checkpoint: Option<u64>,
    /// What is to be looked at.
    pub exceptions: Report,
}

impl Contents<'_> {
    /// Writes everything but the README and the list of digests.
    ///
    /// # Errors
    /// Where something cannot be read or written.
    pub fn write(&self, folder: &mut Folder) -> Result<Told, CliError> {
        let ledger = self.reading.ledger();
        let seen = verification::Verification {
            session: self.reading.session(),
            checkpoints: self.reading.checkpoints(),
            findings: ledger.findings,
            at: ledger.now,
            now: self.context.now(),
        };
        folder.put("verification.txt", verification::text(&seen)?.as_bytes())?;

        let (first, founded) = (self.reading.first_policy()?, self.reading.founded());
        let exceptions = exceptions::report(&ledger, self.period);
        let mut rows = BTreeMap::new();
        for report in [
            &population::report(&ledger, self.period, None),
            &exceptions,
            &emergencies::report(&ledger, self.period),
            &latency::report(&ledger, self.period),
            &access_review::report(&ledger, self.period, Some((&first, founded))),
            &board::report(&ledger, self.period),
        ] {
            rows.insert(report.name, report.count());
            let query = query(report.name, &self.window.flags());
            self.report(folder, &format!("reports/{}", report.name), report, &query)?;
        }
        let revocations = self.reading.revocations()?;
        self.controls(folder, &revocations)?;

        let period = (self.window.from, self.window.to);
        let asked = match period {
            (None, None) => Query::All,
            (from, to) => Query::Period { from, to },
        };
        let evidence = carry::evidence(self.context, self.reading, asked)?;
        let incidents = self.incidents(folder, &evidence, &revocations)?;
        let sampled = self.sample(folder)?;
        self.log(folder, &evidence)?;
        let html = page::html(&evidence, ledger.findings, VERSION);
        folder.put("page.html", html.as_bytes())?;
        drop(html);
        let mut archive = Vec::new();
        let time = ledger.state.newest().unwrap_or(ledger.now);
        write_archive(&files(&evidence, VERSION), time, &mut archive)
            .map_err(|cause| CliError::failed("cannot pack the bundle").because(cause.to_string()))?;
        folder.put("bundle.tar.gz", &archive)?;
        let checkpoint = evidence.checkpoint.as_ref().map(|signed| signed.checkpoint().size);
        Ok(Told { rows, incidents, sampled, checkpoint, exceptions })
    }

    /// A report as text, CSV and JSON, each with its manifest.
    fn report(&self, folder: &mut Folder, name: &str, report: &Report, query: &str) -> Result<(), CliError> {
        let ledger = self.reading.ledger();
        let told = text(&self.context.output, self.reading, report, true);
        self.form(folder, &format!("{name}.txt"), report, query, told.as_bytes())?;
        self.form(folder, &format!("{name}.csv"), report, query, &report.csv())?;
        self.form(
            folder,
            &format!("{name}.json"),
            report,
            query,
            format!("{}\n", report.json(&ledger, query)).as_bytes(),
        )
    }

    /// One form of a report, and its manifest.
    fn form(
        &self,
        folder: &mut Folder,
        name: &str,
        report: &Report,
        query: &str,
        bytes: &[u8],
    ) -> Result<(), CliError> {
        let file = name.rsplit('/').next().unwrap_or(name);
        let manifest = report.manifest(&self.reading.ledger(), query, file, bytes);
        folder.put(name, bytes)?;
        folder.put(&format!("{name}.manifest.json"), format!("{manifest:#}\n").as_bytes())
    }

    fn controls(&self, folder: &mut Folder, revocations: &BTreeMap<Digest, String>) -> Result<(), CliError> {
        let (ledger, founded, map) = (self.reading.ledger(), self.reading.founded(), Map::whole());
        let counts = Counts { revocations, founded };
        let assessed = controls::assess(&ledger, self.period, &counts, &map);
        let report = controls::report(self.period, &map, &assessed);
        let query = query("controls", &self.window.flags());
        self.report(folder, "controls/controls", &report, &query)?;
        let document = markdown::report(&ledger, &report, &map, &assessed);
        self.form(folder, "controls/controls.md", &report, &query, document.as_bytes())?;
        let document = oscal::document(&ledger, self.period, founded, &map, &assessed);
        self.form(folder, "controls/oscal.json", &report, &query, format!("{document:#}\n").as_bytes())
    }

    /// A timeline for each incident that a case of the period names, or was revoked for.
    fn incidents(
        &self,
        folder: &mut Folder,
        evidence: &Evidence<'_>,
        revocations: &BTreeMap<Digest, String>,
    ) -> Result<BTreeMap<String, String>, CliError> {
        let ledger = self.reading.ledger();
        let mut named: BTreeSet<String> = BTreeSet::new();
        for case in population::cases(&ledger, self.period) {
            named.extend(match case.matter() {
                Matter::Access(access) => access.request.incident.clone(),
                Matter::Lock(lock) => lock.incident.clone(),
                Matter::Genesis | Matter::Proposal(_) => None,
            });
            let revoked = case.events().iter().filter(|event| event.kind == Kind::Revocation);
            named.extend(revoked.filter_map(|event| revocations.get(&event.digest).cloned()));
        }
        let mut told = BTreeMap::new();
        for (number, incident) in (1..).zip(named) {
            let number: usize = number;
            let mut entries = Vec::new();
            for case in incident::cases(&ledger, &incident, revocations) {
                for event in case.events() {
                    entries.push(self.entry(evidence, case, event)?);
                }
            }
            let report = incident::report(&incident, entries);
            let name = format!("{number:04}-{}", file_name(&incident));
            let at = self.window.at.map(|at| format!("--at {at}"));
            let flags: Vec<String> =
                std::iter::once(format!("'{}'", incident.replace('\'', "'\\''"))).chain(at).collect();
            self.report(folder, &format!("incidents/{name}"), &report, &query("incident", &flags))?;
            told.insert(incident, name);
        }
        Ok(told)
    }

    /// An event of a case: read already, or read now.
    fn entry(&self, evidence: &Evidence<'_>, case: &Case, event: &EventRef) -> Result<Entry, CliError> {
        let at = evidence.entries.binary_search_by_key(&event.position, |entry| entry.position).ok();
        match at.and_then(|at| evidence.entries.get(at)) {
            Some(entry) => Ok(entry.clone()),
            None => self.reading.event(case, event),
        }
    }

    fn sample(&self, folder: &mut Folder) -> Result<usize, CliError> {
        let ledger = self.reading.ledger();
        let drawn = sample::draw(&ledger, self.period, self.size, &self.seed);
        let report = sample::report(&ledger, self.period, &self.seed, self.size, &drawn);
        let query = packets::asked(self.size, &self.seed, &self.window);
        packets::write_packets(self.reading, &report, &drawn, &query, &folder.path("sample"))?;
        Ok(drawn.len())
    }

    /// The newest checkpoint, and the tiles that lead to it.
    fn log(&self, folder: &mut Folder, evidence: &Evidence<'_>) -> Result<(), CliError> {
        let Some(signed) = &evidence.checkpoint else { return Ok(()) };
        let (log, size) = (evidence.ledger.log, signed.checkpoint().size);
        let root = folder.path("log");
        folder.make(&root)?;
        if evidence.query.is_all() {
            let leaves = evidence.entries.iter().map(|entry| Ok(tiles::leaf_data(&entry.said)));
            tiles::put(log, &root, 0, size, leaves)?;
        } else {
            let leaves = self.reading.entries().map(|entry| Ok(tiles::leaf_data(&entry?.said)));
            tiles::put(log, &root, 0, size, leaves)?;
        }
        folder.put(&format!("log/{FILE}"), signed.to_string().as_bytes())
    }
}

/// What of an incident's name may stand in a file's.
fn file_name(incident: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    incident.chars().take(40).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name("INC-4711"), "INC-4711");
        assert_eq!(file_name("../../etc/pass\nwd"), ".._.._etc_pass_wd");
        assert_eq!(file_name(&"é".repeat(50)), "_".repeat(40));
    }
}
