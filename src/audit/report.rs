//! A report: what it is about, its figures and its rows; and the manifest that says where they come from. Imports `domain`.

use serde_json::{Map, Value, json};

use super::entry::Ledger;
use super::period::Period;
use super::sheet::{Cell, Column, Sheet};
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;

/// The program and its version, as manifests name it.
pub const TOOL: &str = concat!("jit ", env!("CARGO_PKG_VERSION"));

/// A number that a report tells, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its name in JSON; never changes meaning.
    pub name: &'static str,
    /// What it says, with units.
    pub meaning: String,
    /// The value.
    pub value: Cell,
}

impl Figure {
    /// A figure.
    pub fn new(name: &'static str, meaning: impl Into<String>, value: Cell) -> Self {
        Self { name, meaning: meaning.into(), value }
    }
}

/// The columns of the figures, where they are told as rows.
pub const FIGURE_COLUMNS: &[Column] = &[
    Column::brief("figure", "The name of the figure"),
    Column::brief("value", "Its value"),
    Column::brief("meaning", "What it says, with its unit"),
];

/// A report over one period.
#[derive(Debug, Clone)]
pub struct Report {
    /// The word of the command, such as `population`.
    pub name: &'static str,
    /// For people, such as `Population: every case`.
    pub title: String,
    /// What it is about.
    pub period: Period,
    /// Its figures.
    pub figures: Vec<Figure>,
    /// Its rows, where it has any to tell.
    pub sheet: Option<Sheet>,
    /// The positions of the first and the last leaf that it rests on.
    pub leaves: Option<(u64, u64)>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

impl Report {
    /// A report without figures or rows.
    pub fn new(name: &'static str, title: impl Into<String>, period: Period) -> Self {
        Self { name, title: title.into(), period, figures: Vec::new(), sheet: None, leaves: None, notes: Vec::new() }
    }

    /// How many rows it has; `None` where it has figures alone.
    pub fn count(&self) -> Option<usize> {
        self.sheet.as_ref().map(|sheet| sheet.rows.len())
    }

    /// Whether there is nothing to tell. A report says so: an empty page could be a page that got lost.
    pub fn is_none(&self) -> bool {
        self.count() == Some(0)
    }

    /// As CSV: its rows, or its figures where it has no rows.
    pub fn csv(&self) -> Vec<u8> {
        match &self.sheet {
            Some(sheet) => sheet.csv(),
            None => self.figure_sheet().csv(),
        }
    }

    /// The figures as rows.
    pub fn figure_sheet(&self) -> Sheet {
        let row = |figure: &Figure| {
            vec![Cell::Text(figure.name.to_owned()), figure.value.clone(), Cell::Text(figure.meaning.clone())]
        };
        Sheet { columns: FIGURE_COLUMNS, rows: self.figures.iter().map(row).collect() }
    }

    /// As one JSON object: the manifest's facts, the figures, the rows.
    pub fn json(&self, ledger: &Ledger<'_>, query: &str) -> Value {
        let mut fields = self.facts(ledger, query);
        let figures = self.figures.iter().map(|figure| (figure.name.to_owned(), figure.value.json()));
        fields.insert("figures".to_owned(), Value::Object(figures.collect()));
        if let Some(sheet) = &self.sheet {
            fields.insert("rows".to_owned(), sheet.json());
        }
        fields.insert("notes".to_owned(), json!(self.notes));
        Value::Object(fields)
    }

    /// The manifest of a file that holds the report: which bytes, of which ledger, asked how.
    pub fn manifest(&self, ledger: &Ledger<'_>, query: &str, file: &str, bytes: &[u8]) -> Value {
        let mut fields = self.facts(ledger, query);
        let columns = match &self.sheet {
            Some(sheet) => sheet.columns,
            None => FIGURE_COLUMNS,
        };
        let columns = columns.iter().map(|column| json!({ "name": column.name, "meaning": column.meaning }));
        fields.insert("columns".to_owned(), columns.collect());
        fields.insert(
            "file".to_owned(),
            json!({ "name": file, "bytes": bytes.len(), "sha256": Digest::of(bytes).hex() }),
        );
        Value::Object(fields)
    }

    /// What a reader needs to ask the same again, and to see that it is the same.
    fn facts(&self, ledger: &Ledger<'_>, query: &str) -> Map<String, Value> {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let leaf = |position: u64| {
            ledger.log.leaf(position).map(|leaf| json!({ "position": position, "leaf": leaf.to_string() }))
        };
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("report", json!(self.name));
        put("title", json!(self.title));
        put("tool", json!(TOOL));
        put("query", json!(query));
        put("from", json!(time(self.period.from())));
        put("to", json!(time(self.period.to())));
        put("at", json!(ledger.now.to_string()));
        put("ledger", json!(ledger.id.to_string()));
        put("name", json!(ledger.name()));
        put("head", json!(ledger.head.to_string()));
        put("size", json!(ledger.size()));
        put("root", json!(ledger.root().to_string()));
        put("first", json!(self.leaves.and_then(|(first, _)| leaf(first))));
        put("last", json!(self.leaves.and_then(|(_, last)| leaf(last))));
        put("count", json!(self.count()));
        put("none", json!(self.is_none()));
        fields
    }
}
