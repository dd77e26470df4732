//! How the view looks: from what there is to see and what is chosen, lines for a screen of any size. Colours only help: each
//! thing has a mark or a word too.

use console::measure_text_width;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::super::output::count;
use super::view::{Pane, View};
use super::words::{self, line_of};
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::monitor::watch::{Section, allot, first_shown};

/// The smallest screen that can be drawn on.
const SMALLEST: (u16, u16) = (40, 8);

/// The keys, for the last line.
const KEYS: &str = "Enter open  a approve  d deny  r revoke  v review  l lock  ? help  q quit";
/// The same where there is little room.
const FEW_KEYS: &str = "Enter  a d r v l  ? help  q quit";
/// The same where there is room for more.
const ALL_KEYS: &str =
    "Enter open  a approve  d deny  r revoke  v review  l lock  f follow  Tab next section  F5 fetch  ? help  q quit";

/// The same while a case is open.
const CASE_KEYS: &str = "Up Down scroll  a approve  d deny  r revoke  v review  f follow  Esc back  q quit";

/// The keys, for the help.
const HELP: &[&str] = &[
    "Up Down j k          the row before, the next one",
    "Tab  Shift-Tab       the next section, the one before",
    "PgUp PgDn Home End   ten rows on or back, the first, the last",
    "Enter  o             open the case, as jit show has it",
    "a                    approve it: shows all that is signed, asks, signs",
    "d                    deny it: asks why",
    "r                    revoke it: asks why",
    "v                    review it",
    "l                    lock a member, a target, an environment or the ledger",
    "f                    follow the session, if it is recorded on this machine",
    "F5  g                ask the remote now",
    "Ctrl-L               draw it all again",
    "?  h                 these lines",
    "q  Esc  Ctrl-C       quit",
    "",
    "!  wants to be looked at       *  waits for you",
    "A bar [####------] is the part of the time that is over.",
    "Nothing is signed by a key alone: the command shows it and asks first.",
];

/// Styles, or none of them where colours are not wanted.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    colour: bool,
}

impl Palette {
    /// With colours or without.
    pub const fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn of(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    fn section(self, section: Section) -> Style {
        match section {
            Section::Emergencies | Section::Locks | Section::Voids => self.of(Color::Red),
            Section::Pending | Section::Soon | Section::Review => self.of(Color::Yellow),
            Section::Live | Section::Sessions => self.of(Color::Green),
        }
    }
}

/// Draws all of it.
pub fn draw(frame: &mut Frame<'_>, view: &View, state: &State, palette: Palette, now: Timestamp) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let text = format!("jit watch needs {} x {}; q quits", SMALLEST.0, SMALLEST.1);
        frame.render_widget(Paragraph::new(text), area);
        return;
    }
    let (width, height) = (usize::from(area.width), area.height);
    put(frame, 0, vec![title(view, state, width, now)]);
    let keys = view.notice.as_deref().unwrap_or(match view.pane {
        Pane::Board if width > ALL_KEYS.len() => ALL_KEYS,
        Pane::Board if width > KEYS.len() => KEYS,
        Pane::Board => FEW_KEYS,
        Pane::Help { .. } => "Up Down scroll   Esc back   q quit",
        Pane::Case { .. } if width > CASE_KEYS.len() => CASE_KEYS,
        Pane::Case { .. } => "Up Down  a d r v f  Esc back  q quit",
    });
    let style =
        if view.notice.is_some() { palette.of(Color::Yellow).add_modifier(Modifier::BOLD) } else { Style::new() };
    put(frame, height - 1, vec![Line::styled(fit(keys, width), style)]);
    let body = usize::from(height).saturating_sub(2);
    match &view.pane {
        Pane::Help { first } => put(frame, 1, text(wrapped(&help(), width), *first, body)),
        Pane::Case { lines, first, .. } => put(frame, 1, text(wrapped(lines, width), *first, body)),
        Pane::Board => board(frame, view, state, palette, now, body),
    }
}

/// The lines of the help.
pub fn help() -> Vec<String> {
    HELP.iter().map(|line| (*line).to_owned()).collect()
}

fn board(frame: &mut Frame<'_>, view: &View, state: &State, palette: Palette, now: Timestamp, body: usize) {
    let width = usize::from(frame.area().width);
    // More room is first of all room for rows.
    let latest = if body >= 40 {
        9
    } else if body >= 28 {
        5
    } else {
        3
    };
    let about = if body >= 40 { 7 } else { 4 };
    let (latest, about) = match body {
        0..14 => (0, 0),
        14..20 => (0, 3),
        _ => (latest, about),
    };
    // Of nothing there is nothing more to say.
    let about = if view.chosen().is_some() { about } else { 0 };
    let room = body.saturating_sub(latest).saturating_sub(about);
    let mut lines = rows(view, state, palette, now, width, room);
    lines.resize(room, Line::default());
    if about > 0 {
        lines.push(rule("", width));
        let mut more = view.chosen().map_or_else(Vec::new, |row| words::more(state, row.about, now));
        more.resize(about - 1, String::new());
        lines.extend(more.into_iter().map(|line| Line::raw(fit(&format!("  {line}"), width))));
    }
    if latest > 0 {
        lines.push(rule("Latest", width));
        let events = view.latest.iter().rev().take(latest - 1);
        lines.extend(events.map(|line| Line::raw(fit(&format!("  {line}"), width))));
    }
    put(frame, 1, lines);
}

/// The sections, each with as many of its rows as there is room for, and how many more there are.
fn rows(view: &View, state: &State, palette: Palette, now: Timestamp, width: usize, room: usize) -> Vec<Line<'static>> {
    if view.board.rows.is_empty() {
        let middle = "Nothing is open: no request waits, nobody has access.";
        let mut lines = vec![Line::default(); room / 2];
        lines.push(Line::raw(format!("{middle:^width$}")));
        return lines;
    }
    let counts: Vec<usize> = Section::ALL.iter().map(|section| view.board.section(*section).len()).collect();
    let mut lines = Vec::new();
    for ((section, count), given) in Section::ALL.into_iter().zip(&counts).zip(allot(&counts, room)) {
        let Some(given) = given else { continue };
        let rows = view.board.section(section);
        let chosen = view.chosen().and_then(|chosen| rows.iter().position(|row| row.about == chosen.about));
        let first = first_shown(*count, given, chosen);
        lines.push(heading(section, *count, first, given, palette, width));
        for row in rows.iter().skip(first).take(given) {
            let is_chosen = view.chosen().is_some_and(|chosen| chosen.about == row.about);
            let said = words::line(&words::row(state, row, now), width.saturating_sub(2));
            let style =
                if row.overdue || section == Section::Emergencies { palette.of(Color::Red) } else { Style::new() };
            let style = if is_chosen { style.add_modifier(Modifier::REVERSED) } else { style };
            lines.push(Line::styled(format!("{} {said}", if is_chosen { ">" } else { " " }), style));
        }
    }
    lines
}

/// `Pending 500 ───── 12 above, 480 more below`.
fn heading(
    section: Section,
    count: usize,
    first: usize,
    given: usize,
    palette: Palette,
    width: usize,
) -> Line<'static> {
    let below = count.saturating_sub(first).saturating_sub(given);
    let rest = match (first, below) {
        (0, 0) => String::new(),
        (0, below) => format!(" and {below} more"),
        (above, 0) => format!(" {above} above"),
        (above, below) => format!(" {above} above, {below} below"),
    };
    let title = format!("{} {count} ", section.title());
    let used = title.chars().count().saturating_add(rest.chars().count());
    let dashes = "\u{2500}".repeat(width.saturating_sub(used));
    Line::from(vec![
        Span::styled(title, palette.section(section).add_modifier(Modifier::BOLD)),
        Span::raw(dashes),
        Span::raw(rest),
    ])
}

/// `acme/production  14:35:02 UTC  as bob, 3 wait for you        follows the remote  14 events`. What is most needed stays where
/// there is no room for all of it: how the remote is, and what waits.
fn title(view: &View, state: &State, width: usize, now: Timestamp) -> Line<'static> {
    let (wide, narrow) = (width >= 110, width < 60);
    let form = match (wide, narrow) {
        (true, _) => "%Y-%m-%d %H:%M:%S UTC",
        (false, false) => "%H:%M:%S UTC",
        (false, true) => "%H:%M:%S",
    };
    let time = now.utc().format(form);
    let waits = words::wait_for_you(view.board.mine());
    let me = match (&view.me, waits.is_empty()) {
        (None, _) => String::new(),
        (Some(_), false) if narrow => format!("{waits}  "),
        (Some(me), true) => format!("as {me}  "),
        (Some(me), false) => format!("as {me}, {waits}  "),
    };
    let events = if wide { format!("  {}", count(state.size(), "event")) } else { String::new() };
    let right = if !narrow || view.remote.starts_with("REMOTE") { &*view.remote } else { "" };
    let right = format!("{right}{events}");
    let apart = if right.is_empty() { 0 } else { 2 };
    let room = width.saturating_sub(measure_text_width(&right)).saturating_sub(apart);
    let rest = format!("{me}{time}");
    let name = fit(&line_of(state.name()), room.saturating_sub(measure_text_width(&rest)).saturating_sub(2));
    let left = fit(&format!("{name}  {rest}"), room);
    let gap = width.saturating_sub(measure_text_width(&left)).saturating_sub(measure_text_width(&right));
    Line::styled(fit(&format!("{left}{}{right}", " ".repeat(gap)), width), Style::new().add_modifier(Modifier::BOLD))
}

fn rule(title: &str, width: usize) -> Line<'static> {
    let title = if title.is_empty() { String::new() } else { format!("{title} ") };
    let dashes = width.saturating_sub(title.chars().count());
    Line::raw(format!("{title}{}", "\u{2500}".repeat(dashes)))
}

fn text(lines: Vec<String>, first: usize, room: usize) -> Vec<Line<'static>> {
    lines.into_iter().skip(first).take(room).map(Line::raw).collect()
}

/// Lines of at most `width` columns; nothing is cut off.
pub fn wrapped(lines: &[String], width: usize) -> Vec<String> {
    let mut all = Vec::new();
    for line in lines {
        let mut part = String::new();
        for letter in line.chars() {
            let mut longer = part.clone();
            longer.push(letter);
            if measure_text_width(&longer) > width.max(1) {
                all.push(std::mem::replace(&mut part, format!("    {letter}")));
            } else {
                part = longer;
            }
        }
        all.push(part);
    }
    all
}

fn fit(text: &str, width: usize) -> String {
    console::truncate_str(text, width, "…").into_owned()
}

/// Lines from the top of the screen on, `at` being the first.
fn put(frame: &mut Frame<'_>, at: u16, lines: Vec<Line<'static>>) {
    let area = frame.area();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(at));
    frame.render_widget(Paragraph::new(lines), Rect::new(area.x, area.y.saturating_add(at), area.width, height));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_continued_and_lose_nothing() {
        let lines = wrapped(&["abcdefghij".to_owned(), String::new(), "決済決済決済".to_owned()], 6);
        assert!(lines.iter().all(|line| measure_text_width(line) <= 6), "{lines:?}");
        let letters: String = lines.concat().chars().filter(|letter| *letter != ' ').collect();
        assert_eq!(letters, "abcdefghij決済決済決済");
    }
}
