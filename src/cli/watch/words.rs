//! The words of the view: what each row says, and more about the chosen one. Text of other people is made visible, and is one
//! line. Nothing here is said by colour alone.

use console::{Alignment, measure_text_width, pad_str, truncate_str};

use super::super::output::{clock, count, duration, span};
use super::super::view::{locks, standing, subject, waiting_on, waiting_text, window};
use crate::domain::state::State;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::monitor::Record;
use crate::monitor::watch::{About, Row, Section, filled};

/// The width of a bar, its brackets left aside.
const BAR: u16 = 10;

/// A row in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// `!` urgent, `*` waits for you, or nothing.
    pub mark: &'static str,
    /// The case's id.
    pub id: String,
    /// Who.
    pub who: String,
    /// What it is about.
    pub what: String,
    /// Where it stands.
    pub stands: String,
    /// The same for a narrow screen, where it can be said shorter.
    pub brief: Option<String>,
    /// What is left, or since when.
    pub left: String,
}

/// One line that nothing can hide in.
pub fn line_of(text: &str) -> String {
    visible(text).replace('\n', " ")
}

/// A row.
pub fn row(state: &State, row: &Row, now: Timestamp) -> Words {
    let mut words = match row.about {
        About::Void(commit) => void(state, commit),
        About::Session(id, number) => {
            state.case(&id).map_or_else(Words::default, |case| session(case, number, row, now))
        }
        About::Case(id) => state.case(&id).map_or_else(Words::default, |case| of_case(state, case, row, now)),
    };
    let urgent = matches!(row.section, Section::Emergencies | Section::Locks | Section::Voids) || row.overdue;
    words.mark = match (row.mine, urgent) {
        (true, _) => "*",
        (false, true) => "!",
        (false, false) => " ",
    };
    words
}

fn void(state: &State, commit: crate::domain::id::CommitId) -> Words {
    let Some(void) = state.voids().iter().find(|void| void.commit == commit) else { return Words::default() };
    Words {
        id: format!("#{}", void.position),
        what: format!("commit {} breaks {}", commit.short(), void.fault.code.as_str()),
        stands: line_of(&void.fault.message),
        ..Words::default()
    }
}

fn session(case: &Case, number: usize, row: &Row, now: Timestamp) -> Words {
    let Some(session) = case.access().and_then(|access| access.sessions.get(number)) else { return Words::default() };
    let recorded = if session.recording.as_str() == "on" { "recorded" } else { "not recorded" };
    Words {
        id: case.id().short(),
        who: case.actor().to_string(),
        what: line_of(&format!("on {} as {}", session.host, session.login)),
        stands: line_of(&format!("from {}, {recorded}", session.source)),
        brief: Some(line_of(&format!("{}, {recorded}", session.source))),
        left: row
            .time
            .map_or_else(String::new, |since| format!("for {}", span(now.since(since).max(0).unsigned_abs()))),
        ..Words::default()
    }
}

fn of_case(state: &State, case: &Case, row: &Row, now: Timestamp) -> Words {
    let mut words = Words { id: case.id().short(), who: case.actor().to_string(), ..Words::default() };
    words.what = match case.matter() {
        Matter::Access(access) => {
            let targets: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
            format!("{} {}", targets.join(", "), access.request.duration)
        }
        Matter::Lock(lock) => {
            words.stands = line_of(&lock.reason);
            words.left = format!("since {}", clock(case.opened(), now));
            words.what = lock.scope.to_string();
            return words;
        }
        _ => line_of(&subject(case)),
    };
    let locked = case.access().and_then(|access| locks::on(state, case, access, now)).is_some();
    let locked = if locked { "LOCKED; " } else { "" };
    words.stands = format!("{locked}{}", stands(state, case, row, now));
    if state.case_state(case, now) == CaseState::Approved {
        words.brief = Some(format!("{locked}approved"));
    }
    let missing = waiting_on(state, case, now);
    if !missing.is_empty() {
        let late = if row.overdue { "OVERDUE: " } else { "needs " };
        let groups: Vec<String> = missing.iter().map(|lack| format!("{} {}", lack.count, lack.group)).collect();
        words.brief = Some(format!("{locked}{late}{}", groups.join(", ")));
    }
    words.left = row.time.map_or_else(String::new, |time| {
        let left = left(time, row.overdue, now);
        match state.case_state(case, now) {
            _ if left.ends_with("late") => left,
            CaseState::Live => format!("ends in {left}"),
            CaseState::ReviewDue => format!("due in {left}"),
            CaseState::Approved if case.access().is_some_and(|access| window::opens(access, now).is_some()) => {
                format!("opens in {left}")
            }
            _ => format!("lapses in {left}"),
        }
        .replace("in now", "now")
    });
    words
}

fn stands(state: &State, case: &Case, row: &Row, now: Timestamp) -> String {
    let waits = waiting_text(&waiting_on(state, case, now));
    match (state.case_state(case, now), case.access()) {
        (CaseState::Pending, Some(access)) if access.request.emergency => standing(state, case, now),
        (CaseState::Pending, _) => format!("waits for {waits}"),
        (CaseState::Approved, Some(access)) => match window::opens(access, now) {
            Some(opens) => format!("approved, opens {}", clock(opens, now)),
            None => "approved, waits for the minter".to_owned(),
        },
        (CaseState::Approved, None) => "approved, to be put in force".to_owned(),
        (CaseState::Live, Some(access)) => {
            let bar = row.span.map_or_else(String::new, |span| bar(span, now));
            let open = access.sessions.iter().filter(|session| session.ended.is_none()).count();
            match open {
                0 => format!("{bar} nobody in"),
                open => format!("{bar} {}", count(u64::try_from(open).unwrap_or(u64::MAX), "session")),
            }
        }
        (CaseState::ReviewDue, _) if row.overdue => format!("review OVERDUE: {waits}"),
        (CaseState::ReviewDue, _) => format!("review by {waits}"),
        (stands, _) => stands.to_string(),
    }
}

/// `[####------]`: how much of the time is over.
fn bar(span: (Timestamp, Timestamp), now: Timestamp) -> String {
    let over = usize::from(filled(span, now, BAR));
    let rest = usize::from(BAR).saturating_sub(over);
    format!("[{}{}]", "#".repeat(over), "-".repeat(rest))
}

/// What is left: to the second below an hour, else in words; `3 h late` after the time.
pub fn left(time: Timestamp, overdue: bool, now: Timestamp) -> String {
    let seconds = time.since(now);
    match seconds {
        0..3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        3600.. => span(seconds.unsigned_abs()),
        _ if overdue => format!("{} late", span(seconds.unsigned_abs())),
        _ => "now".to_owned(),
    }
}

/// A row as one line of `width` columns.
pub fn line(words: &Words, width: usize) -> String {
    // As much of the id as no other case is likely to begin with: all of it where there is room.
    let (id, who, right) = match width {
        110.. => (16, 14, 17),
        58.. => (8, 7, 9),
        _ => (8, 5, 6),
    };
    let fixed = [1, 1, id, 1, who, 1, 1, right].iter().sum::<usize>();
    let room = width.saturating_sub(fixed);
    let narrow = width < 58;
    let what = if narrow { 0 } else { room.saturating_mul(52) / 100 };
    let stands = room.saturating_sub(what).saturating_sub(usize::from(!narrow));
    let said = match (&words.brief, words.stands.split_once("] ")) {
        (Some(brief), _) if narrow || measure_text_width(&words.stands) > stands => brief,
        // On a very narrow screen, that somebody is in matters more than a bar, and on whom a lock lies more than why.
        (None, Some((_, rest))) if narrow => rest,
        (None, None) if narrow => &words.what,
        _ => &words.stands,
    };
    let head: String = words.id.chars().take(id).collect();
    // Where there is no room, the number alone: the heading says of what.
    let short = words.left.trim_start_matches("since ").rsplit(" in ").next().unwrap_or_default();
    let left = if measure_text_width(&words.left) > right { short } else { &*words.left };
    let left = if narrow { left.trim_end_matches(" UTC") } else { left };
    let mut parts =
        vec![words.mark.to_owned(), cell(&head, id, Alignment::Left), cell(&words.who, who, Alignment::Left)];
    parts.extend((what > 0).then(|| cell(&words.what, what, Alignment::Left)));
    parts.push(cell(said, stands, Alignment::Left));
    parts.push(cell(left, right, Alignment::Right));
    parts.join(" ")
}

fn cell(text: &str, width: usize, side: Alignment) -> String {
    pad_str(&truncate_str(text, width, "…"), width, side, None).into_owned()
}

/// What there is to say about a row, for whoever cannot see columns: `7kq2… alice payments-db/read-only: waits for …, 7 h`.
pub fn spoken(words: &Words) -> String {
    let head: Vec<&str> = [&*words.id, &*words.who, &*words.what].into_iter().filter(|part| !part.is_empty()).collect();
    let mark = match words.mark {
        "*" => " Waits for you.",
        _ => "",
    };
    let left = if words.left.is_empty() { String::new() } else { format!(", {}", words.left) };
    // A bar is nothing to listen to.
    let stands = words.stands.split_once("] ").map_or(&*words.stands, |(_, rest)| rest);
    format!("{}: {stands}{left}.{mark}", head.join(" "))
}

/// A few lines more about the chosen row: where it stands whole, and why it is there.
pub fn more(state: &State, about: About, now: Timestamp) -> Vec<String> {
    let Some(case) = about.case().and_then(|id| state.case(&id)) else {
        let About::Void(commit) = about else { return Vec::new() };
        let words = void(state, commit);
        return vec![format!("{} at {}: {}", words.what, words.id, words.stands), "jit verify tells more".to_owned()];
    };
    let mut lines = vec![format!("{}  {}", case.id().short(), line_of(&standing(state, case, now)))];
    let missing = waiting_on(state, case, now);
    if !missing.is_empty() {
        lines.push(format!("Waits for {}", waiting_text(&missing)));
    }
    match case.matter() {
        Matter::Access(access) => {
            let request = &access.request;
            let tied: Vec<&str> =
                [request.incident.as_deref(), request.ticket.as_deref()].into_iter().flatten().collect();
            let tied = if tied.is_empty() { String::new() } else { format!(" ({})", tied.join(", ")) };
            lines.push(line_of(&format!("Why: {}{tied}", request.business_need)));
            let risk = format!("Risk: {}: {}", request.risk.level.as_str(), request.risk.impact);
            lines.push(line_of(&format!("{risk} For {}.", duration(request.duration))));
        }
        Matter::Lock(lock) => {
            lines.push(line_of(&locks::line(state, case, lock, now)));
            lines.push(format!("Stops {}", locks::Stopped::by(state, &lock.scope, now)));
        }
        Matter::Proposal(proposed) => lines.push(line_of(&format!("Why: {}", proposed.reason))),
        Matter::Genesis => {}
    }
    lines
}

/// An event in a line: `17:05:12  bob approved …`.
pub fn event(record: &Record) -> String {
    let case = record.case.map_or_else(String::new, |case| format!("  [{}]", case.short()));
    let time = record.time.utc().format("%H:%M:%S");
    format!("{time}  {}{case}", line_of(&record.sentence))
}

/// That the remote went away, and why; or that it is back.
pub fn remote(away: Option<&str>, now: Timestamp) -> String {
    let time = now.utc().format("%H:%M:%S");
    match away {
        Some(why) => format!("{time}  the remote does not answer; what lies here is shown ({})", line_of(why)),
        None => format!("{time}  the remote answers again"),
    }
}

/// `3 wait for you`; nothing where nothing does.
pub fn wait_for_you(number: usize) -> String {
    match number {
        0 => String::new(),
        1 => "1 waits for you".to_owned(),
        many => format!("{many} wait for you"),
    }
}

/// `2 emergencies, 1 lock, …`: only what there is.
pub fn counted(counts: &[(Section, usize)]) -> String {
    let words = |section: Section, number: usize| {
        let (one, many) = match section {
            Section::Emergencies => ("emergency", "emergencies"),
            Section::Locks => ("lock", "locks"),
            Section::Voids => ("void commit", "void commits"),
            Section::Pending => ("pending", "pending"),
            Section::Soon => ("ending soon", "ending soon"),
            Section::Live => ("live", "live"),
            Section::Sessions => ("session", "sessions"),
            Section::Review => ("review due", "reviews due"),
        };
        format!("{number} {}", if number == 1 { one } else { many })
    };
    let there = counts.iter().filter(|(_, number)| *number > 0);
    let words: Vec<String> = there.map(|(section, number)| words(*section, *number)).collect();
    if words.is_empty() { "nothing is open".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_left_is_told_to_the_second_when_it_presses() {
        let now = at("2026-11-23T14:00:00Z");
        for (time, overdue, wanted) in [
            ("2026-11-23T14:00:09Z", false, "0:09"),
            ("2026-11-23T14:59:59Z", false, "59:59"),
            ("2026-11-23T15:00:00Z", false, "60 min"),
            ("2026-11-25T15:00:00Z", false, "2 d"),
            ("2026-11-23T13:00:00Z", true, "60 min late"),
            ("2026-11-23T13:59:58Z", false, "now"),
        ] {
            assert_eq!(left(at(time), overdue, now), wanted, "{time}");
        }
    }

    #[test]
    fn a_line_is_as_wide_as_the_screen_whatever_others_wrote() {
        let words = Words {
            mark: "*",
            id: "7kq2abcdefghijkl".to_owned(),
            who: "a-very-long-name-of-somebody".to_owned(),
            what: line_of(
                "決済決済決済決済決済決済決済\u{202e}決済\n決済決済決済決済決済決済決済決済決済決済決済決済決済決済決済決済",
            ),
            stands: "waits for 1 of sre (bob, carol) and 1 of security (dave, erin)".to_owned(),
            brief: None,
            left: "since 2026-11-23 14:35 UTC".to_owned(),
        };
        for width in [38, 57, 58, 60, 80, 109, 110, 200] {
            let line = line(&words, width);
            assert_eq!(measure_text_width(&line), width, "{line}");
            assert!(!line.contains('\u{202e}') && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn only_what_there_is_is_counted() {
        assert_eq!(counted(&[(Section::Locks, 0)]), "nothing is open");
        assert_eq!(
            counted(&[(Section::Emergencies, 1), (Section::Locks, 0), (Section::Review, 2)]),
            "1 emergency, 2 reviews due"
        );
    }
}
