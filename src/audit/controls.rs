//! The map of controls: which question of an examiner is answered by which records, how many there are, and what was
//! checked about them. Nothing here says that a control is met: jit gives evidence, others judge. Imports `domain`.
//!
//! The map is data: `controls.toml`, from which docs/controls.md is made too. [`map`] reads it, [`measure`] counts,
//! [`markdown`] and [`oscal`] are its other forms.

pub mod map;
pub mod markdown;
pub mod measure;
pub mod oscal;

use super::entry::Ledger;
use super::period::Period;
use super::report::{Figure, Report};
use super::sheet::{Cell, Column, Sheet};
use map::{Area, Map};
use measure::{Counted, Counts};

/// What every form of the map says.
pub const DISCLAIMER: &str = "jit supports these controls and gives evidence for them. It does not say that one is met: \
    that is for whoever examines. A ledger alone cannot show that nothing happened outside it; compare the servers' own \
    logs with it, both ways.";

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::brief("framework", "The short name of the framework"),
    Column::brief("control", "The control's identifier; * where it is in no NIST baseline"),
    Column::brief("area", "The question that it asks, by the name of docs/controls.md"),
    Column::brief("records", "How many records of the period there are behind it"),
    Column::brief(
        "exceptions",
        "How many exceptions stand: findings, void commits not acknowledged, reciprocal approvals where they matter",
    ),
    Column::full(
        "stopped",
        "How many void commits of the period broke one of the rules and were acknowledged; they changed nothing",
    ),
    Column::brief("result", "pass: there are records, and the checks found no exception; exceptions; or no records"),
    Column::full("asks", "The question, in our words"),
    Column::full("recorded", "What the ledger records about it"),
    Column::full("counted", "What is counted as a record"),
    Column::full("checked", "What is checked"),
    Column::full("codes", "The rules and findings behind the check, by their codes in docs/rules.md"),
];

/// What was counted for an area of the map.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// The area.
    pub area: &'a Area,
    /// What there is.
    pub counted: Counted,
}

impl Assessed<'_> {
    /// `pass`, `exceptions` or `no records`.
    pub const fn result(&self) -> &'static str {
        match (self.counted.records, self.counted.exceptions) {
            (_, 1..) => "exceptions",
            (0, _) => "no records",
            _ => "pass",
        }
    }
}

/// Counts what `period` has for every area that a chosen framework (all, where none is) asks about.
pub fn assess<'m>(ledger: &Ledger<'_>, period: Period, counts: &Counts<'_>, map: &'m Map) -> Vec<Assessed<'m>> {
    let area = |area: &'m Area| Assessed { area, counted: measure::count(ledger, period, counts, area) };
    map.areas.iter().filter(|area| !area.controls.is_empty()).map(area).collect()
}

/// The map with its counts, one row a control.
pub fn report(period: Period, map: &Map, assessed: &[Assessed<'_>]) -> Report {
    let mut report = Report::new("controls", "Controls: which records give evidence for what", period);
    let mut sheet = Sheet::new(COLUMNS);
    let mut with_exceptions = 0;
    for framework in &map.frameworks {
        for it in assessed {
            for control in it.area.of(&framework.key) {
                with_exceptions += usize::from(it.counted.exceptions > 0);
                let star = if map::in_no_baseline(&framework.key, control) { "*" } else { "" };
                sheet.push([
                    ("framework", Cell::Text(framework.key.clone())),
                    ("control", Cell::Text(format!("{control}{star}"))),
                    ("area", Cell::Text(it.area.key.clone())),
                    ("records", Cell::count(it.counted.records)),
                    ("exceptions", Cell::count(it.counted.exceptions)),
                    ("stopped", Cell::count(it.counted.stopped)),
                    ("result", Cell::Text(it.result().to_owned())),
                    ("asks", Cell::Text(it.area.asks.clone())),
                    ("recorded", Cell::Text(it.area.recorded.clone())),
                    ("counted", Cell::Text(it.area.counts.clone())),
                    ("checked", Cell::Text(it.area.checked.clone())),
                    ("codes", Cell::List(it.area.codes.clone())),
                ]);
            }
        }
    }
    report.figures = vec![
        Figure::new("controls", "Controls in the map", Cell::count(sheet.rows.len())),
        Figure::new("with_exceptions", "Of these, controls with exceptions", Cell::count(with_exceptions)),
    ];
    report.sheet = Some(sheet);
    report.notes.push(DISCLAIMER.to_owned());
    report
}
