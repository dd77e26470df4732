//! What the recorder itself tells the person at the terminal: what this session is at its beginning, and that it will soon
//! be over. Imports the session's file and the domain's times.

use super::super::SessionFile;
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

/// How long before the end it is said, in minutes.
const WARNINGS: [i64; 2] = [5, 1];

/// What is said at the beginning, as a line of a terminal in raw mode.
pub fn banner(session: &SessionFile, now: Timestamp) -> String {
    let ticket = session.ticket.as_ref().map(|ticket| format!(", {}", visible(ticket))).unwrap_or_default();
    let recorded = if session.recording.is_some() { "This session is recorded." } else { "It is not recorded." };
    format!(
        "jit: {} as {}, case {}{ticket}. Ends {}, in {}. {recorded}\r\n",
        visible(&session.roles.join(", ")),
        visible(&session.login),
        session.case().short(),
        clock(session.ends, now),
        span(session.ends.since(now)),
    )
}

/// What is said as many minutes before the end.
fn warning(ends: Timestamp, minutes: i64) -> String {
    format!("\r\njit: this session ends in {minutes} min ({})\r\n", clock(ends, ends))
}

/// The warnings that are still to come.
pub struct Warnings {
    ends: Timestamp,
    /// When, and how many minutes before the end that is; the first one last.
    due: Vec<(i64, i64)>,
}

impl Warnings {
    /// Those that come after `now`: a session that is shorter is not warned of what its first line said.
    pub fn after(now: Timestamp, ends: Timestamp) -> Self {
        let all = WARNINGS.iter().rev().map(|minutes| (ends.unix().saturating_sub(minutes * 60), *minutes));
        Self { ends, due: all.filter(|(at, _)| *at > now.unix()).collect() }
    }

    /// In how many seconds after `now` the next one is due.
    pub fn next(&self, now: i64) -> Option<u64> {
        self.due.last().map(|(at, _)| at.saturating_sub(now).max(0).unsigned_abs())
    }

    /// What is to be said now. Of several that are due, only the last one counts.
    pub fn say(&mut self, now: i64) -> Option<String> {
        let mut said = None;
        while let Some((_, minutes)) = self.due.last().copied().filter(|(at, _)| *at <= now) {
            said = (now < self.ends.unix()).then(|| warning(self.ends, minutes));
            self.due.pop();
        }
        said
    }
}

/// The time of day, with the date where it is not today's.
fn clock(at: Timestamp, today: Timestamp) -> String {
    let (at, today) = (at.utc(), today.utc());
    if at.date_naive() == today.date_naive() {
        at.format("%H:%M UTC").to_string()
    } else {
        at.format("%Y-%m-%d %H:%M UTC").to_string()
    }
}

/// A span as people say it; whole minutes are rounded up, so that nobody who logs in at once reads one too few.
fn span(seconds: i64) -> String {
    match seconds {
        ..=0 => "0 s".to_owned(),
        1..=90 => format!("{seconds} s"),
        91..=7200 => format!("{} min", (seconds + 59) / 60),
        _ => match ((seconds + 59) / 3600, (seconds + 59) / 60 % 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn session(ticket: Option<&str>) -> SessionFile {
        serde_json::from_value(serde_json::json!({
            "session": "a".repeat(26), "case": format!("sha256:{}", "00".repeat(32)), "requester": "alice",
            "environment": "prod", "serial": 1, "certificate": format!("sha256:{}", "11".repeat(32)),
            "roles": ["payments-db/read-only"], "login": "readonly", "uid": 1000, "source": "192.0.2.7",
            "started": "2026-11-23T14:05:00Z", "ends": "2026-11-23T14:35:00Z", "cgroup": "/sys/fs/cgroup/jit/a",
            "monitor": { "pid": 1, "started": 1 }, "standing": "open", "recorder": null,
            "recording": "/var/lib/jit/recordings/a/b.jitrec", "recorders": [], "reason": "It is stuck.",
            "ticket": ticket,
        }))
        .expect("a session")
    }

    #[test]
    fn the_first_line_says_what_and_until_when() {
        let mut session = session(Some("INC-4711"));
        let case = session.case().short();
        assert_eq!(
            banner(&session, at("2026-11-23T14:05:03Z")),
            format!(
                "jit: payments-db/read-only as readonly, case {case}, INC-4711. Ends 14:35 UTC, in 30 min. \
                 This session is recorded.\r\n"
            )
        );
        // Whoever wrote the ticket writes nothing else to this terminal.
        session.ticket = Some("\u{1b}]0;x\u{7}".to_owned());
        session.recording = None;
        session.ends = at("2026-11-24T02:00:00Z");
        let text = banner(&session, at("2026-11-23T22:30:00Z"));
        assert!(!text.contains('\u{1b}') && text.ends_with("It is not recorded.\r\n"), "{text}");
        assert!(text.contains("Ends 2026-11-24 02:00 UTC, in 3 h 30 min."), "{text}");
    }

    #[test]
    fn five_and_one_minutes_before_the_end_it_is_said() {
        let ends = at("2026-11-23T14:35:00Z");
        let begin = at("2026-11-23T14:05:00Z");
        let mut warnings = Warnings::after(begin, ends);
        let begin = begin.unix();
        assert_eq!(warnings.next(begin), Some(25 * 60));
        assert_eq!(warnings.say(begin + 25 * 60 - 1), None);
        let five = "\r\njit: this session ends in 5 min (14:35 UTC)\r\n";
        assert_eq!(warnings.say(begin + 25 * 60).as_deref(), Some(five));
        assert_eq!(warnings.say(begin + 25 * 60), None, "once");
        assert_eq!(warnings.next(begin + 25 * 60), Some(4 * 60));
        assert!(warnings.say(begin + 29 * 60 + 2).is_some_and(|text| text.contains("in 1 min")));
        assert_eq!(warnings.next(begin), None);

        assert_eq!(Warnings::after(at("2026-11-23T14:30:00Z"), ends).due.len(), 1, "a session of five minutes");
        assert_eq!(Warnings::after(at("2026-11-23T14:34:30Z"), ends).due.len(), 0, "of thirty seconds");
    }
}
