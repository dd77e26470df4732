//! How a command speaks (product.md, "How it speaks"): the result on stdout, everything else on stderr, JSON where it is
//! asked for, colours only at a terminal. Imports domain.

use std::io::{self, Write};

use console::{Alignment, Style, measure_text_width, pad_str, truncate_str};
use serde_json::Value;

use super::Global;
use super::context::Environment;
use super::error::CliError;
use crate::domain::text::visible;
use crate::domain::time::{Timestamp, Ttl};

/// Where and how results and notes are written.
#[derive(Debug, Clone)]
pub struct Output {
    json: bool,
    quiet: bool,
    verbose: u8,
    colour: bool,
    width: usize,
    shows_progress: bool,
}

impl Output {
    /// From the flags and the environment.
    pub fn new(global: &Global, environment: &Environment) -> Self {
        let colour = environment.stdout_is_terminal && environment.stderr_is_terminal && environment.allows_colour();
        let redraws = environment.stderr_is_terminal && environment.variable("TERM").is_none_or(|term| term != "dumb");
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            colour,
            width: environment.width(),
            shows_progress: redraws && !global.json && !global.quiet,
        }
    }

    /// The same without colours, for text that is shown elsewhere than on stdout; it writes results and errors only.
    #[must_use]
    pub fn plain(&self, width: usize) -> Self {
        Self { quiet: true, colour: false, width, ..self.clone() }
    }

    /// Whether the result is to be JSON.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// How many columns a line may have.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether somebody sees how far long work is, and a line can be drawn again.
    pub const fn shows_progress(&self) -> bool {
        self.shows_progress
    }

    /// Writes the result: `json` where it was asked for, else `text`. Text of other people in it must have gone through
    /// [`visible`]; JSON is escaped by its own rules.
    ///
    /// # Errors
    /// Where stdout cannot be written, unless nobody reads it any more.
    pub fn result(&self, json: impl FnOnce() -> Value, text: impl FnOnce() -> String) -> Result<(), CliError> {
        if self.json { self.print(&json().to_string()) } else { self.print(&text()) }
    }

    /// Writes `text` and a line end, if it has none, to stdout; an empty text is nothing.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn print(&self, text: &str) -> Result<(), CliError> {
        if text.is_empty() {
            return Ok(());
        }
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let mut stdout = io::stdout().lock();
        let written = write!(stdout, "{text}{end}").and_then(|()| stdout.flush());
        told(written)
    }

    /// Writes bytes to stdout as they are.
    ///
    /// # Errors
    /// As [`Output::result`].
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        told(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// A note for people, on stderr; not with `-q`.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            tell(&visible(text.as_ref()));
        }
    }

    /// What will be signed, on stderr, with `-q` too. What others wrote in it has gone through [`visible`] already; the
    /// colours are ours.
    pub fn summary(&self, text: &str) {
        if !text.is_empty() {
            tell(text.trim_end());
        }
    }

    /// A note that only `-v` shows.
    pub fn detail(&self, text: impl AsRef<str>) {
        if self.verbose > 0 {
            tell(&self.dim(&visible(text.as_ref())));
        }
    }

    /// Something that is done all the same, but should be known.
    pub fn warning(&self, text: impl AsRef<str>) {
        if !self.quiet {
            tell(&format!("{} {}", self.yellow("Warning:"), visible(text.as_ref())));
        }
    }

    /// What to type next.
    pub fn hint(&self, text: impl AsRef<str>) {
        if !self.quiet {
            tell(&format!("{} {}", self.cyan("Hint:"), visible(text.as_ref())));
        }
    }

    fn paint(&self, style: &Style, text: &str) -> String {
        if self.colour { style.clone().force_styling(true).apply_to(text).to_string() } else { text.to_owned() }
    }

    /// Something wrong.
    pub fn red(&self, text: &str) -> String {
        self.paint(&Style::new().red().bold(), text)
    }

    /// Something good or live.
    pub fn green(&self, text: &str) -> String {
        self.paint(&Style::new().green(), text)
    }

    /// Something that waits.
    pub fn yellow(&self, text: &str) -> String {
        self.paint(&Style::new().yellow(), text)
    }

    /// Something to type.
    pub fn cyan(&self, text: &str) -> String {
        self.paint(&Style::new().cyan(), text)
    }

    /// What matters in a text.
    pub fn bold(&self, text: &str) -> String {
        self.paint(&Style::new().bold(), text)
    }

    /// What matters less.
    pub fn dim(&self, text: &str) -> String {
        self.paint(&Style::new().dim(), text)
    }
}

/// A reader that went away (`jit log | head`) is no failure.
fn told(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::failed("cannot write the result").because(cause.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// One write a line; where stderr is gone nobody is left to tell.
fn tell(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// A table: columns as wide as they must be, the last one cut where the terminal ends. Cells may be coloured.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| heading.to_uppercase()).collect()] }
    }

    /// Adds a row. A line end in a cell becomes a space.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| cell.as_ref().replace('\n', " ")).collect());
    }

    /// Whether there is no row below the headings.
    pub fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// The lines, none longer than `width` columns where the columns before the last leave room for it.
    pub fn render(&self, width: usize) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let wide = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(wide).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                if column + 1 == row.len() {
                    let left = width.saturating_sub(measure_text_width(&line)).max(8);
                    line.push_str(&truncate_str(cell, left, "…"));
                } else {
                    let wide = widths.get(column).copied().unwrap_or(0);
                    line.push_str(&pad_str(cell, wide, Alignment::Left, None));
                    line.push_str("  ");
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// How far `time` is from `now`, in words: `in 12 min`, `3 h ago`, `now`.
pub fn relative(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.since(now);
    let span = span(seconds.unsigned_abs());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

/// `1 event`, `2 events`, `2 entries`, `2 leaves`.
pub fn count(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 1 {
        return format!("1 {what}");
    }
    let endings =
        [("ay", "ays"), ("ey", "eys"), ("oy", "oys"), ("y", "ies"), ("leaf", "leaves"), ("s", "ses"), ("", "s")];
    let plural = endings.iter().find_map(|(one, many)| what.strip_suffix(one).map(|stem| format!("{stem}{many}")));
    format!("{number} {}", plural.unwrap_or_default())
}

/// A length of time in one unit: `45 s`, `12 min`, `3 h`, `5 d`. Rounded down: what remains is never told as more.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A duration for people, exact: `30 min`, `2 h`, `90 s`.
pub fn duration(ttl: Ttl) -> String {
    match ttl.seconds() {
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// A time of day in UTC, with the date where it is another day than `now`: `14:35 UTC`, `2026-11-24 01:00 UTC`.
pub fn clock(time: Timestamp, now: Timestamp) -> String {
    let (at, today) = (time.utc(), now.utc());
    let format = if at.date_naive() == today.date_naive() { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    at.format(format).to_string()
}

/// Both: `14:35 UTC, in 12 min`.
pub fn moment(time: Timestamp, now: Timestamp) -> String {
    format!("{}, {}", clock(time, now), relative(time, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_told_from_now() {
        let now = at("2026-11-23T14:22:30Z");
        assert_eq!(moment(at("2026-11-23T14:35:00Z"), now), "14:35 UTC, in 12 min");
        assert_eq!(moment(at("2026-11-24T01:00:00Z"), now), "2026-11-24 01:00 UTC, in 10 h");
        assert_eq!(relative(at("2026-11-23T14:22:00Z"), now), "30 s ago");
        assert_eq!(relative(now, now), "now");
        assert_eq!(relative(at("2026-11-20T14:22:30Z"), now), "3 d ago");
        assert_eq!(duration(Ttl::from_human("90m").unwrap()), "90 min");
    }

    #[test]
    fn tables_keep_to_the_width() {
        let mut table = Table::new(&["case", "what"]);
        assert!(table.is_empty());
        table.row(["7kq2", "a reason that is\nlonger than the line"]);
        table.row(["決済", "x"]);
        assert_eq!(table.render(20), "CASE  WHAT\n7kq2  a reason that…\n決済  x\n");
    }
}
