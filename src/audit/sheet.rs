//! Rows with fixed columns, as CSV and as JSON. What others wrote is escaped here, so that no cell is ever a formula of a
//! spreadsheet (RFC 4180; OWASP, "CSV Injection"). Imports `domain`.

use serde_json::{Map, Value};

use crate::domain::id::Name;
use crate::domain::time::{Timestamp, Ttl};

/// A column: its name never changes meaning, and columns are only ever added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: &'static str,
    /// What it says, with units.
    pub meaning: &'static str,
    /// Whether the table for people shows it: all of them fit in no terminal.
    pub brief: bool,
}

impl Column {
    /// A column of the full form alone.
    pub const fn full(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning, brief: false }
    }

    /// A column that people see in the table, too.
    pub const fn brief(name: &'static str, meaning: &'static str) -> Self {
        Self { name, meaning, brief: true }
    }
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing: it does not apply, or has not happened.
    Empty,
    /// Text, perhaps somebody else's.
    Text(String),
    /// A whole number; its unit is the column's.
    Number(i64),
    /// A span, in seconds.
    Seconds(i64),
    /// An instant, UTC.
    Time(Timestamp),
    /// Yes or no.
    Flag(bool),
    /// Several texts.
    List(Vec<String>),
}

impl Cell {
    /// Text, or nothing.
    pub fn optional(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    /// An instant, or nothing.
    pub fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Empty, Self::Time)
    }

    /// A number of things.
    pub fn count(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// A position in the log, or a serial.
    pub fn position(position: u64) -> Self {
        Self::Number(i64::try_from(position).unwrap_or(i64::MAX))
    }

    /// A span, in seconds.
    pub fn seconds(span: Ttl) -> Self {
        Self::Seconds(i64::try_from(span.seconds()).unwrap_or(i64::MAX))
    }

    /// A span in seconds, or nothing.
    pub fn span(seconds: Option<i64>) -> Self {
        seconds.map_or(Self::Empty, Self::Seconds)
    }

    /// A name, or nothing.
    pub fn name(name: Option<&Name>) -> Self {
        name.map_or(Self::Empty, |name| Self::Text(name.to_string()))
    }

    /// Names, in the order given.
    pub fn names<'a>(names: impl IntoIterator<Item = &'a Name>) -> Self {
        Self::List(names.into_iter().map(ToString::to_string).collect())
    }

    /// As JSON: a number, `true`, an array, or a string; nothing is `null`.
    pub fn json(&self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) | Self::Seconds(number) => Value::from(*number),
            Self::Time(time) => Value::from(time.to_string()),
            Self::Flag(flag) => Value::from(*flag),
            Self::List(list) => list.iter().map(|text| Value::from(text.as_str())).collect(),
        }
    }

    /// As plain text: a list joined with `; `.
    pub fn plain(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) | Self::Seconds(number) => number.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::List(list) => list.join("; "),
        }
    }

    /// As a cell of CSV: plain text, and no formula.
    fn csv(&self) -> String {
        match self {
            // Our own numbers may be negative; they are no text of anybody's.
            Self::Number(number) | Self::Seconds(number) => number.to_string(),
            _ => unformula(self.plain()),
        }
    }
}

/// Text with an apostrophe before it where a spreadsheet would take it for a formula. The full-width signs are taken for
/// the plain ones by some.
fn unformula(text: String) -> String {
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(STARTS) { format!("'{text}") } else { text }
}

/// Rows with fixed columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The columns, in order.
    pub columns: &'static [Column],
    /// The rows; each has a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

impl Sheet {
    /// Without rows.
    pub const fn new(columns: &'static [Column]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row: cells by the names of their columns, in any order. A column that is not named is empty.
    pub fn push(&mut self, cells: impl IntoIterator<Item = (&'static str, Cell)>) {
        let mut row = vec![Cell::Empty; self.columns.len()];
        for (name, cell) in cells {
            let at = self.columns.iter().position(|column| column.name == name);
            let place = at.and_then(|at| row.get_mut(at)).expect("the sheet has the columns that its report fills");
            *place = cell;
        }
        self.rows.push(row);
    }

    /// As CSV (RFC 4180): UTF-8, a line of headings, CRLF, quotes where they must be.
    pub fn csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        // A row of another width than the headings would be the only fault that writing to memory can have.
        let written = writer
            .write_record(self.columns.iter().map(|column| column.name))
            .and_then(|()| self.rows.iter().try_for_each(|row| writer.write_record(row.iter().map(Cell::csv))));
        written.expect("every row has a cell for every column");
        writer.into_inner().expect("memory takes what is written")
    }

    /// As JSON: an array of objects, each with every column.
    pub fn json(&self) -> Value {
        let object = |row: &Vec<Cell>| -> Value {
            let fields = self.columns.iter().zip(row).map(|(column, cell)| (column.name.to_owned(), cell.json()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::brief("a", "the first"), Column::full("b", "the second")];

    #[test]
    fn no_cell_is_a_formula() {
        let mut sheet = Sheet::new(COLUMNS);
        for text in ["=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "a=1"] {
            sheet.rows.push(vec![Cell::Text(text.into()), Cell::Number(-5)]);
        }
        sheet.rows.push(vec![Cell::List(vec!["=x".into(), "y, z".into()]), Cell::Empty]);
        assert_eq!(
            String::from_utf8(sheet.csv()).unwrap(),
            "a,b\r\n\"'=HYPERLINK(\"\"x\"\")\",-5\r\n'+1,-5\r\n'-1,-5\r\n'@SUM(A1),-5\r\n'\tx,-5\r\n\"'\rx\",-5\r\n'＝1+1,-5\r\na=1,-5\r\n\
             \"'=x; y, z\",\r\n"
        );
    }

    #[test]
    fn json_keeps_what_was_said() {
        let mut sheet = Sheet::new(COLUMNS);
        sheet.rows.push(vec![Cell::Text("=1".into()), Cell::Flag(true)]);
        assert_eq!(sheet.json(), serde_json::json!([{ "a": "=1", "b": true }]));
        assert_eq!(Sheet::new(COLUMNS).json(), serde_json::json!([]));
    }
}
