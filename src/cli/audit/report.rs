//! What the reports share: which period, judged when, in which form, and where to. The text is for people; CSV and JSON are
//! for their tools, and come with a manifest.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use console::measure_text_width;

use super::super::Context;
use super::super::error::CliError;
use super::super::files;
use super::super::output::{Output, Table, count};
use super::read::Reading;
use crate::audit::period::{self, Period};
use crate::audit::report::{Figure, Report};
use crate::audit::sheet::{Cell, Sheet};
use crate::domain::text::{visible, wrapped};
use crate::domain::time::Timestamp;

/// The period of a report.
#[derive(Debug, Clone, clap::Args)]
pub struct Window {
    /// Begin here, a date (its midnight) or a time in UTC [default: the beginning].
    #[arg(long, value_name = "TIME", value_parser = boundary)]
    pub from: Option<Timestamp>,
    /// End before this, a date or a time in UTC [default: no end].
    #[arg(long, value_name = "TIME", value_parser = boundary)]
    pub to: Option<Timestamp>,
    /// Judge deadlines at this time [default: now].
    #[arg(long, value_name = "TIME", value_parser = boundary)]
    pub at: Option<Timestamp>,
}

/// The form of a report.
#[derive(Debug, Clone, clap::Args)]
pub struct Form {
    /// Print it so [default: by the name of --out, else text; json with --json].
    #[arg(long, value_name = "FORM")]
    pub format: Option<Format>,
    /// Write it to this file instead, and its manifest to FILE.manifest.json.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For spreadsheets: fixed columns, no cell is a formula.
    Csv,
    /// For programs.
    Json,
}

fn boundary(text: &str) -> Result<Timestamp, String> {
    period::boundary(text).map_err(|error| error.to_string())
}

impl Window {
    /// The period.
    ///
    /// # Errors
    /// Where nothing can lie in it.
    pub fn period(&self) -> Result<Period, CliError> {
        Period::new(self.from, self.to).map_err(|error| {
            CliError::usage(error.to_string()).hint("--from is in the period, --to is the first instant after it")
        })
    }

    /// The flags as they were given, for the manifest.
    pub fn flags(&self) -> Vec<String> {
        let flag = |name: &str, time: Option<Timestamp>| time.map(|time| format!("--{name} {time}"));
        [flag("from", self.from), flag("to", self.to), flag("at", self.at)].into_iter().flatten().collect()
    }
}

impl Form {
    /// The form that was asked for.
    pub fn format(&self, output: &Output) -> Format {
        if let Some(format) = self.format {
            return format;
        }
        let extension = self.out.as_deref().and_then(Path::extension).and_then(|extension| extension.to_str());
        match extension {
            Some("csv") => Format::Csv,
            Some("json") => Format::Json,
            _ if output.is_json() => Format::Json,
            _ => Format::Text,
        }
    }
}

/// `jit audit NAME` with its flags: how to ask the same again.
pub fn query(name: &str, flags: &[String]) -> String {
    std::iter::once(format!("jit audit {name}")).chain(flags.iter().cloned()).collect::<Vec<_>>().join(" ")
}

/// Prints a report, or writes it and its manifest to files.
///
/// # Errors
/// Where it cannot be written.
pub fn tell(context: &Context, reading: &Reading, report: &Report, form: &Form, query: &str) -> Result<(), CliError> {
    let ledger = reading.ledger();
    let output = &context.output;
    let format = form.format(output);
    let bytes = match format {
        Format::Text => text(output, reading, report, form.out.is_some()).into_bytes(),
        Format::Csv => report.csv(),
        Format::Json => format!("{}\n", report.json(&ledger, query)).into_bytes(),
    };
    let Some(out) = &form.out else {
        if format == Format::Csv && report.is_none() {
            output.note("None.");
        }
        return output.bytes(&bytes);
    };
    let path = context.resolve(out);
    deliver(context, reading, report, query, &path, &bytes)
}

/// Writes a report's bytes to `path` and their manifest beside it, and tells what was written.
///
/// # Errors
/// Where they cannot be written.
pub fn deliver(
    context: &Context,
    reading: &Reading,
    report: &Report,
    query: &str,
    path: &Path,
    bytes: &[u8],
) -> Result<(), CliError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let manifest = report.manifest(&reading.ledger(), query, &name, bytes);
    write(path, bytes)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".manifest.json");
    let beside = PathBuf::from(beside);
    let pretty = format!("{manifest:#}\n");
    write(&beside, pretty.as_bytes())?;
    context.output.result(
        || manifest.clone(),
        || {
            let rows = match report.count() {
                Some(0) => ": none".to_owned(),
                Some(rows) => format!(": {}", count(rows, "row")),
                None => String::new(),
            };
            format!("Wrote {}{rows}\nWrote {}\n", path.display(), beside.display())
        },
    )
}

/// Writes a file that is made to be handed on.
///
/// # Errors
/// Where it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    files::write(path, bytes, files::SHARED).map_err(|cause| CliError::file("write", path, &cause))
}

/// The report for people. `to_file`: without escape sequences, however wide.
pub fn text(output: &Output, reading: &Reading, report: &Report, to_file: bool) -> String {
    let ledger = reading.ledger();
    // Nobody reads escape sequences in a file.
    let bold = |text: &str| if to_file { text.to_owned() } else { output.bold(text) };
    let mut text = format!("{}\n", bold(&visible(&report.title)));
    text.push_str(&format!("Ledger: {}\nName:   {}\n", ledger.id, visible(ledger.name())));
    text.push_str(&format!(
        "Log:    {}, head {}\nRoot:   {}\n",
        count(ledger.size(), "leaf"),
        ledger.head.short(),
        ledger.root()
    ));
    text.push_str(&format!("Period: {}\nJudged: at {}\n", report.period, ledger.now));
    if !report.figures.is_empty() {
        text.push('\n');
        text.push_str(&figures(output, &report.figures));
    }
    if let Some(sheet) = &report.sheet {
        text.push('\n');
        if sheet.rows.is_empty() {
            text.push_str("None.\n");
        } else {
            let width = if to_file { usize::MAX } else { output.width() };
            text.push_str(&table(sheet, width));
            text.push_str(&format!("{}, times in UTC; every column: --format csv\n", count(sheet.rows.len(), "row")));
        }
    }
    for note in &report.notes {
        text.push_str(&format!("\n{}\n", lines(note, if to_file { 80 } else { output.width().min(80) })));
    }
    text
}

/// Figures, one a line: the value before what it means.
fn figures(output: &Output, figures: &[Figure]) -> String {
    let values: Vec<String> = figures.iter().map(|figure| short(&figure.value)).collect();
    let width = |value: &String| measure_text_width(value);
    let widest = values.iter().map(width).filter(|width| *width <= LONG).max().unwrap_or(0);
    let mut text = String::new();
    for (figure, value) in figures.iter().zip(&values) {
        // A span is told in its own units.
        let meaning = figure.meaning.trim_end_matches(", seconds");
        if width(value) > LONG {
            text.push_str(&lines(&format!("{meaning}: {value}"), output.width()));
        } else {
            let value = if value.is_empty() { "-" } else { value };
            let padded = console::pad_str(value, widest, console::Alignment::Right, None);
            text.push_str(&console::truncate_str(&format!("{padded}  {meaning}"), output.width(), "…"));
        }
        text.push('\n');
    }
    text
}

/// The most columns that a figure may have before its meaning.
const LONG: usize = 20;

/// A column's name for people, who read spans in their own units.
fn heading(name: &str) -> String {
    match name {
        "seconds" => "took".to_owned(),
        _ => name.trim_end_matches("_seconds").replace('_', " "),
    }
}

/// The columns for people, in `width`.
fn table(sheet: &Sheet, width: usize) -> String {
    let brief: Vec<usize> =
        (0..sheet.columns.len()).filter(|at| sheet.columns.get(*at).is_some_and(|it| it.brief)).collect();
    let names: Vec<String> =
        brief.iter().filter_map(|at| sheet.columns.get(*at)).map(|column| heading(column.name)).collect();
    let mut table = Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for row in &sheet.rows {
        table.row(brief.iter().filter_map(|at| row.get(*at)).map(short));
    }
    table.render(width)
}

fn lines(text: &str, width: usize) -> String {
    wrapped(text, width, measure_text_width).join("\n")
}

/// A cell for people: times to the minute, nobody's control characters.
fn short(cell: &Cell) -> String {
    match cell {
        Cell::Time(time) => time.utc().format("%Y-%m-%d %H:%M").to_string(),
        Cell::Seconds(seconds) => span(*seconds),
        _ => visible(&cell.plain()),
    }
}

/// A span in its two largest units: `45 s`, `12 min 5 s`, `3 h 20 min`, `26 d 9 h`.
fn span(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let left = seconds.unsigned_abs();
    let (large, small) = match left {
        0..60 => return format!("{sign}{left} s"),
        60..3600 => ((left / 60, "min"), (left % 60, "s")),
        3600..86_400 => ((left / 3600, "h"), (left % 3600 / 60, "min")),
        _ => ((left / 86_400, "d"), (left % 86_400 / 3600, "h")),
    };
    match small {
        (0, _) => format!("{sign}{} {}", large.0, large.1),
        _ => format!("{sign}{} {} {} {}", large.0, large.1, small.0, small.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        let told = [0, 59, 60, 725, 3600, 12_000, 86_400, 2_280_895, -125].map(span);
        let wanted = ["0 s", "59 s", "1 min", "12 min 5 s", "1 h", "3 h 20 min", "1 d", "26 d 9 h", "-2 min 5 s"];
        assert_eq!(told, wanted);
    }
}
