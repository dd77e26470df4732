//! What somebody who watches a ledger has to see now: which cases, locks, voids and sessions, in which order, and how many of
//! them fit. Pure: the state and a time in, rows out; the words and the drawing are `cli::watch`'s. Imports `domain`.
//!
//! Each case stands in one section only, the most pressing it belongs to; a session stands beside its case.

use crate::domain::id::{CaseId, CommitId, Name};
use crate::domain::state::State;
use crate::domain::state::access::Access;
use crate::domain::state::case::{Case, CaseState, Matter};
use crate::domain::time::{Timestamp, Ttl};

/// How long before its end an access ends soon, in seconds.
pub const SOON: i64 = 600;

/// The parts of the view, the most pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Opened before anybody agreed, until reviewed.
    Emergencies,
    /// Standing locks.
    Locks,
    /// Void commits that nobody acknowledged.
    Voids,
    /// Waits for people, for the minter, or for its window.
    Pending,
    /// Live, and ends within [`SOON`].
    Soon,
    /// Live.
    Live,
    /// Somebody is logged in.
    Sessions,
    /// Ended, and not reviewed.
    Review,
}

impl Section {
    /// All of them, in the order of the view.
    pub const ALL: [Self; 8] = [
        Self::Emergencies,
        Self::Locks,
        Self::Voids,
        Self::Pending,
        Self::Soon,
        Self::Live,
        Self::Sessions,
        Self::Review,
    ];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Emergencies => "Emergencies",
            Self::Locks => "Locks",
            Self::Voids => "Void commits",
            Self::Pending => "Pending",
            Self::Soon => "Ending soon",
            Self::Live => "Live",
            Self::Sessions => "Sessions now",
            Self::Review => "Review due",
        }
    }
}

/// What a row is about: stays the same while the row moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// A case.
    Case(CaseId),
    /// The session of a case, counted from 0 in the order in which they began.
    Session(CaseId, usize),
    /// A void commit.
    Void(CommitId),
}

impl About {
    /// The case, where there is one.
    pub const fn case(self) -> Option<CaseId> {
        match self {
            Self::Case(case) | Self::Session(case, _) => Some(case),
            Self::Void(_) => None,
        }
    }
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub section: Section,
    /// What it is about.
    pub about: About,
    /// The time that counts: an end, a deadline, a beginning that is awaited; of a session, a lock: since when.
    pub time: Option<Timestamp>,
    /// Of something live: from when to when, for the bar.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Its deadline is over.
    pub overdue: bool,
    /// It waits for whoever watches.
    pub mine: bool,
}

/// All that there is to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// In the order of the view.
    pub rows: Vec<Row>,
    /// The next time at which something changes though nothing is said.
    pub next: Option<Timestamp>,
}

/// What is known of a case that matters for where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How far it has come.
    pub state: CaseState,
    /// Whether it is a break-glass case.
    pub emergency: bool,
    /// Until when it must be decided or issued; before that, when its window opens.
    pub lapses: Option<Timestamp>,
    /// From when to when the credential holds.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Until when it must be reviewed.
    pub due: Option<Timestamp>,
}

impl Facts {
    /// The section at `now`; `None` where nothing is to be seen any more.
    pub fn section(&self, now: Timestamp) -> Option<Section> {
        let ends_soon = self.span.is_some_and(|(_, end)| end.since(now) <= SOON);
        Some(match self.state {
            CaseState::Pending | CaseState::Approved | CaseState::Live | CaseState::ReviewDue if self.emergency => {
                Section::Emergencies
            }
            CaseState::Pending | CaseState::Approved => Section::Pending,
            CaseState::Live if ends_soon => Section::Soon,
            CaseState::Live => Section::Live,
            CaseState::ReviewDue => Section::Review,
            CaseState::Locked => Section::Locks,
            _ => return None,
        })
    }

    /// The time that counts.
    pub fn time(&self) -> Option<Timestamp> {
        match self.state {
            CaseState::Pending | CaseState::Approved => self.lapses,
            CaseState::Live => self.span.map(|(_, end)| end),
            CaseState::ReviewDue => self.due,
            _ => None,
        }
    }

    /// When the next thing changes by itself.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let behind = |time: Timestamp| Timestamp::from_unix(time.unix().saturating_add(1));
        let soon = |end: Timestamp| Timestamp::from_unix(end.unix().saturating_sub(SOON));
        let live = self.span.filter(|_| self.state == CaseState::Live);
        let times = [
            self.time().filter(|_| live.is_none()).and_then(behind),
            live.map(|(_, end)| end),
            live.and_then(|(_, end)| soon(end)),
        ];
        times.into_iter().flatten().filter(|time| *time > now).min()
    }
}

impl Board {
    /// What there is to see at `now`; `me`: who watches, if that is known.
    pub fn of(state: &State, me: Option<&Name>, now: Timestamp) -> Self {
        let mut board = Self::default();
        for case in state.cases() {
            let facts = facts(state, case, now);
            board.next = [board.next, facts.next(now)].into_iter().flatten().min();
            if let Some(access) = case.access() {
                board.sessions(case, access);
            }
            let Some(section) = facts.section(now) else { continue };
            board.rows.push(Row {
                section,
                about: About::Case(case.id()),
                time: if section == Section::Locks { Some(case.opened()) } else { facts.time() },
                span: facts.span.filter(|_| facts.state == CaseState::Live),
                overdue: facts.state == CaseState::ReviewDue && facts.due.is_some_and(|due| now > due),
                mine: me.is_some_and(|me| waits_for(state, case, facts.state, me)),
            });
        }
        for void in state.voids().iter().filter(|void| !void.acknowledged) {
            let about = About::Void(void.commit);
            let row = Row { section: Section::Voids, about, time: None, span: None, overdue: false, mine: false };
            board.rows.push(row);
        }
        // What waits for whoever watches stands first in its section, behind what is overdue. Stable: what has the same time
        // stays in the ledger's order, and a row without a time comes last.
        board.rows.sort_by_key(|row| {
            let newest_first = matches!(row.section, Section::Locks | Section::Sessions);
            let time = row.time.map_or(i64::MAX, Timestamp::unix);
            (row.section, !row.overdue, !row.mine, if newest_first { time.saturating_neg() } else { time })
        });
        board
    }

    fn sessions(&mut self, case: &Case, access: &Access) {
        for (number, session) in access.sessions.iter().enumerate().filter(|(_, session)| session.ended.is_none()) {
            self.rows.push(Row {
                section: Section::Sessions,
                about: About::Session(case.id(), number),
                time: Some(session.started),
                span: None,
                overdue: false,
                mine: false,
            });
        }
    }

    /// The rows of a section.
    pub fn section(&self, section: Section) -> &[Row] {
        let first = self.rows.partition_point(|row| row.section < section);
        let end = self.rows.partition_point(|row| row.section <= section);
        self.rows.get(first..end).unwrap_or_default()
    }

    /// Whether it shows something else at `now` than when it was made.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.next.is_some_and(|next| now >= next)
    }

    /// How many cases wait for whoever watches.
    pub fn mine(&self) -> usize {
        self.rows.iter().filter(|row| row.mine).count()
    }

    /// Where a row stands.
    pub fn position(&self, about: About) -> Option<usize> {
        self.rows.iter().position(|row| row.about == about)
    }
}

/// What is known of a case.
fn facts(state: &State, case: &Case, now: Timestamp) -> Facts {
    let stands = state.case_state(case, now);
    let mut facts = Facts { state: stands, emergency: false, lapses: None, span: None, due: None };
    let (Some(access), Some(policy)) = (case.access(), state.policy()) else { return facts };
    facts.emergency = access.request.emergency;
    facts.span = access.starts().zip(access.ends());
    facts.lapses = match stands {
        CaseState::Pending => Some(access.decide_by(policy)),
        CaseState::Approved => {
            let opens = access.request.not_before.filter(|opens| *opens > now);
            opens.or_else(|| access.activate_by(policy))
        }
        _ => None,
    };
    if stands == CaseState::ReviewDue {
        let within: Option<Ttl> = access.duties(policy).into_iter().map(|duty| duty.within).min();
        facts.due = access.ended(now).zip(within).map(|((ended, _), within)| ended.plus(within));
    }
    facts
}

/// Whether a case waits for somebody.
fn waits_for(state: &State, case: &Case, stands: CaseState, me: &Name) -> bool {
    let Some(policy) = state.policy() else { return false };
    let missing = match (case.matter(), stands) {
        (Matter::Proposal(_), CaseState::Pending) => state.missing_roots(case),
        (Matter::Access(access), CaseState::Pending) if !access.request.emergency => {
            access.missing(policy).unwrap_or_default()
        }
        (Matter::Access(access), CaseState::ReviewDue) => access.missing_reviews(policy),
        _ => Vec::new(),
    };
    missing.iter().any(|lack| lack.candidates.contains(me))
}

/// How many rows of each section are shown in `height` lines, headings included: a heading for each section that has rows, as
/// long as there is room; a row for each; then what is left, the most pressing section first. `None`: not even a heading.
pub fn allot(counts: &[usize], height: usize) -> Vec<Option<usize>> {
    let mut left = height;
    let mut given: Vec<Option<usize>> = counts.iter().map(|_| None).collect();
    for (slot, _) in given.iter_mut().zip(counts).filter(|(_, count)| **count > 0) {
        if left > 0 {
            left -= 1;
            *slot = Some(0);
        }
    }
    // Everybody gets a row before anybody gets a second one, up to three each; then the first take what they need.
    for most in [1, 2, 3, usize::MAX] {
        for (slot, count) in given.iter_mut().zip(counts) {
            let Some(rows) = slot else { continue };
            let wanted = (*count).min(most).saturating_sub(*rows).min(left);
            *rows = rows.saturating_add(wanted);
            left = left.saturating_sub(wanted);
        }
    }
    given
}

/// The first of `count` rows that is shown where `room` are, so that the row `at` is among them.
pub const fn first_shown(count: usize, room: usize, at: Option<usize>) -> usize {
    match at {
        Some(at) if room > 0 && at >= room => {
            let first = at.saturating_add(1).saturating_sub(room);
            let last = count.saturating_sub(room);
            if first < last { first } else { last }
        }
        _ => 0,
    }
}

/// How many of `width` cells of a bar are filled: the part of the span that is over at `now`.
pub fn filled(span: (Timestamp, Timestamp), now: Timestamp, width: u16) -> u16 {
    let (from, to) = span;
    let whole = to.since(from).max(1);
    let over = now.since(from).clamp(0, whole);
    u16::try_from(over.saturating_mul(i64::from(width)) / whole).unwrap_or(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + minute * 60).unwrap()
    }

    fn facts_of(state: CaseState, emergency: bool, end: i64) -> Facts {
        Facts { state, emergency, lapses: Some(at(8)), span: Some((at(0), at(end))), due: Some(at(90)) }
    }

    #[test]
    fn each_case_stands_where_it_presses_most() {
        use CaseState as S;
        for (state, emergency, end, wanted) in [
            (S::Pending, false, 30, Some(Section::Pending)),
            (S::Pending, true, 30, Some(Section::Emergencies)),
            (S::Approved, false, 30, Some(Section::Pending)),
            (S::Live, false, 30, Some(Section::Live)),
            (S::Live, false, 11, Some(Section::Live)),
            (S::Live, false, 10, Some(Section::Soon)),
            (S::Live, true, 5, Some(Section::Emergencies)),
            (S::ReviewDue, false, -5, Some(Section::Review)),
            (S::ReviewDue, true, -5, Some(Section::Emergencies)),
            (S::Reviewed, true, -5, None),
            (S::Ended, false, -5, None),
            (S::Denied, false, 30, None),
            (S::Withdrawn, true, 30, None),
            (S::Lapsed, true, 30, None),
            (S::Locked, false, 30, Some(Section::Locks)),
            (S::Lifted, false, 30, None),
            (S::Enacted, false, 30, None),
            (S::Founded, false, 30, None),
        ] {
            let found = facts_of(state, emergency, end).section(at(0));
            assert_eq!(found, wanted, "{state} {emergency} {end}");
        }
    }

    #[test]
    fn the_time_that_counts_and_the_next_change() {
        use CaseState as S;
        let second_after = |minute| Timestamp::from_unix(at(minute).unix() + 1);
        for (state, end, now, time, next) in [
            (S::Pending, 30, 0, Some(at(8)), second_after(8)),
            (S::Live, 30, 0, Some(at(30)), Some(at(20))),
            (S::Live, 30, 20, Some(at(30)), Some(at(30))),
            (S::Live, 30, 31, Some(at(30)), None),
            (S::ReviewDue, 30, 40, Some(at(90)), second_after(90)),
            (S::ReviewDue, 30, 91, Some(at(90)), None),
            (S::Reviewed, 30, 40, None, None),
        ] {
            let facts = facts_of(state, false, end);
            assert_eq!(facts.time(), time, "{state} at {now}");
            assert_eq!(facts.next(at(now)), next, "{state} at {now}");
        }
    }

    #[test]
    fn nothing_is_left_out_without_a_word() {
        for (counts, height, wanted) in [
            // All of it fits.
            (&[0, 2, 0, 3][..], 20, &[None, Some(2), None, Some(3)][..]),
            // 500 pending ones push nothing else out.
            (&[1, 0, 500, 2, 40], 16, &[Some(1), None, Some(6), Some(2), Some(3)]),
            // A row for each comes first.
            (&[5, 5, 5, 5], 8, &[Some(1), Some(1), Some(1), Some(1)]),
            // Then headings only, which still say how many there are.
            (&[5, 5, 5, 5], 6, &[Some(1), Some(1), Some(0), Some(0)]),
            (&[5, 5, 5, 5], 3, &[Some(0), Some(0), Some(0), None]),
            (&[], 5, &[]),
            (&[3], 0, &[None]),
        ] {
            let given = allot(counts, height);
            assert_eq!(given, wanted, "{counts:?} in {height}");
            let lines: usize = given.iter().flatten().map(|rows| rows + 1).sum();
            assert!(lines <= height, "{counts:?} in {height}: {lines} lines");
        }
    }

    #[test]
    fn the_chosen_row_is_always_among_those_shown() {
        for count in [1, 5, 500] {
            for room in 1..=7 {
                for chosen in 0..count {
                    let first = first_shown(count, room, Some(chosen));
                    assert!((first..first + room).contains(&chosen), "{chosen} of {count} in {room}: from {first}");
                    assert!(first == 0 || first + room <= count, "blank lines at the end: {first} {room} {count}");
                }
            }
        }
        assert_eq!(first_shown(500, 7, None), 0);
        assert_eq!(first_shown(500, 0, Some(3)), 0);
    }

    #[test]
    fn a_bar_fills_from_start_to_end() {
        for (now, wanted) in [(-1, 0), (0, 0), (15, 5), (29, 9), (30, 10), (31, 10)] {
            assert_eq!(filled((at(0), at(30)), at(now), 10), wanted, "minute {now}");
        }
        assert_eq!(filled((at(0), at(0)), at(0), 10), 0);
    }

    #[test]
    fn an_empty_ledger_shows_nothing() {
        let board = Board::of(&State::new(), None, at(0));
        assert_eq!(board, Board::default());
        assert!(board.section(Section::Live).is_empty() && !board.is_stale(at(0)));
    }
}
