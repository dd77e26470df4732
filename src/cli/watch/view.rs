//! What is on the screen, and what a key does to it. Knows nothing of terminals: a key in, what is wanted out.

use std::collections::VecDeque;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::draw::{help, wrapped};
use crate::domain::id::Name;
use crate::monitor::watch::{About, Board, Row, Section};

/// How many of the latest events are kept.
const LATEST: usize = 24;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pane {
    /// What there is to see.
    Board,
    /// The keys.
    Help {
        /// The first line that is shown.
        first: usize,
    },
    /// A case whole.
    Case {
        /// Which.
        about: About,
        /// Its text.
        lines: Vec<String>,
        /// The first line that is shown.
        first: usize,
    },
}

/// What a key asks for that the view cannot do itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To leave.
    Quit,
    /// A command on the chosen case.
    Act(Act),
    /// The text of a case.
    Open(About),
    /// The session of a case, as it goes on.
    Follow(About),
    /// To fetch at once.
    Fetch,
    /// To draw all of it again.
    Redraw,
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// `jit approve`.
    Approve,
    /// `jit deny`.
    Deny,
    /// `jit revoke`.
    Revoke,
    /// `jit review`.
    Review,
    /// `jit lock`, of no case.
    Lock,
}

impl Act {
    /// The command's name.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Revoke => "revoke",
            Self::Review => "review",
            Self::Lock => "lock",
        }
    }
}

/// The view.
#[derive(Debug, Clone)]
pub struct View {
    /// What there is to see.
    pub board: Board,
    /// Who watches.
    pub me: Option<Name>,
    /// What is shown.
    pub pane: Pane,
    /// The latest events in words, the newest last.
    pub latest: VecDeque<String>,
    /// A word about the remote.
    pub remote: String,
    /// Something to be said instead of the keys, until the next one.
    pub notice: Option<String>,
    chosen: Option<About>,
    /// Where the chosen row stands, for when it is gone.
    at: usize,
}

impl View {
    /// With nothing to see yet.
    pub fn new(me: Option<Name>) -> Self {
        Self {
            board: Board::default(),
            me,
            pane: Pane::Board,
            latest: VecDeque::new(),
            remote: String::new(),
            notice: None,
            chosen: None,
            at: 0,
        }
    }

    /// Takes what there is to see now. The chosen row stays chosen wherever it went; where it is gone, its neighbour is. Where
    /// none was, the first is that waits for whoever watches.
    pub fn show(&mut self, board: Board) {
        self.board = board;
        let at = match self.chosen {
            Some(about) => self.board.position(about).unwrap_or(self.at),
            None => self.board.rows.iter().position(|row| row.mine).unwrap_or(0),
        };
        self.choose(at);
    }

    /// Takes an event in words.
    pub fn tell(&mut self, line: String) {
        self.latest.push_back(line);
        while self.latest.len() > LATEST {
            self.latest.pop_front();
        }
    }

    /// The chosen row.
    pub fn chosen(&self) -> Option<&Row> {
        self.board.rows.get(self.at)
    }

    fn choose(&mut self, at: usize) {
        self.at = at.min(self.board.rows.len().saturating_sub(1));
        self.chosen = self.chosen().map(|row| row.about);
    }

    /// Opens a text in place of the board.
    pub fn open(&mut self, about: About, lines: Vec<String>) {
        self.pane = Pane::Case { about, lines, first: 0 };
    }

    /// What a key asks for, on a screen of this many columns and lines.
    pub fn press(&mut self, key: KeyEvent, screen: (u16, u16)) -> Option<Wish> {
        self.notice = None;
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if (key.code == KeyCode::Char('q') && !ctrl) || (ctrl && key.code == KeyCode::Char('c')) {
            return Some(Wish::Quit);
        }
        if ctrl {
            // Ctrl-L is what people press where a screen looks wrong; no other one means anything, least of all a letter.
            return (key.code == KeyCode::Char('l')).then_some(Wish::Redraw);
        }
        if self.pane == Pane::Board { self.press_on_board(key.code) } else { self.press_on_text(key.code, screen) }
    }

    fn press_on_text(&mut self, key: KeyCode, (columns, rows): (u16, u16)) -> Option<Wish> {
        let room = usize::from(rows).saturating_sub(2);
        let (lines, first) = match &mut self.pane {
            Pane::Board => return None,
            Pane::Help { first } => (wrapped(&help(), usize::from(columns)).len(), first),
            Pane::Case { lines, first, .. } => (wrapped(lines, usize::from(columns)).len(), first),
        };
        let last = lines.saturating_sub(room);
        let to = match key {
            KeyCode::Down | KeyCode::Char('j') | KeyCode::Enter => first.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => first.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => first.saturating_add(room),
            KeyCode::PageUp => first.saturating_sub(room),
            KeyCode::Home => 0,
            KeyCode::End => last,
            KeyCode::Char(letter)
                if matches!(self.pane, Pane::Case { .. }) && (act(letter).is_some() || letter == 'f') =>
            {
                self.pane = Pane::Board;
                return self.press_on_board(key);
            }
            _ => {
                self.pane = Pane::Board;
                return None;
            }
        };
        *first = to.min(last);
        None
    }

    fn press_on_board(&mut self, key: KeyCode) -> Option<Wish> {
        let about = self.chosen().map(|row| row.about);
        match key {
            KeyCode::Esc => return Some(Wish::Quit),
            KeyCode::Down | KeyCode::Char('j') => self.choose(self.at.saturating_add(1)),
            KeyCode::Up | KeyCode::Char('k') => self.choose(self.at.saturating_sub(1)),
            KeyCode::PageDown | KeyCode::Char(' ') => self.choose(self.at.saturating_add(10)),
            KeyCode::PageUp => self.choose(self.at.saturating_sub(10)),
            KeyCode::Home => self.choose(0),
            KeyCode::End => self.choose(usize::MAX),
            KeyCode::Tab => self.next_section(),
            KeyCode::BackTab => self.section_before(),
            KeyCode::Char('?' | 'h') => self.pane = Pane::Help { first: 0 },
            KeyCode::F(5) | KeyCode::Char('g') => return Some(Wish::Fetch),
            KeyCode::Enter | KeyCode::Char('o') => return about.map(Wish::Open),
            KeyCode::Char('f') => return about.map(Wish::Follow),
            KeyCode::Char(letter) => match act(letter) {
                Some(Act::Lock) => return Some(Wish::Act(Act::Lock)),
                Some(act) if about.and_then(About::case).is_some() => return Some(Wish::Act(act)),
                Some(act) => self.notice = Some(format!("There is no case here to {}.", act.verb())),
                None => {}
            },
            _ => {}
        }
        None
    }

    fn next_section(&mut self) {
        let Some(here) = self.chosen().map(|row| row.section) else { return };
        let next = self.board.rows.iter().position(|row| row.section > here);
        self.choose(next.unwrap_or(0));
    }

    fn section_before(&mut self) {
        let Some(here) = self.chosen().map(|row| row.section) else { return };
        let before = self.board.rows.iter().rev().find(|row| row.section < here).or(self.board.rows.last());
        let section: Option<Section> = before.map(|row| row.section);
        let first = self.board.rows.iter().position(|row| Some(row.section) == section);
        self.choose(first.unwrap_or(0));
    }
}

const fn act(letter: char) -> Option<Act> {
    Some(match letter {
        'a' => Act::Approve,
        'd' => Act::Deny,
        'r' => Act::Revoke,
        'v' => Act::Review,
        'l' => Act::Lock,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{CaseId, Digest};

    fn about(text: &str) -> About {
        About::Case(CaseId(Digest::of(text.as_bytes())))
    }

    fn board(rows: &[(Section, &str)]) -> Board {
        let row = |(section, name): &(Section, &str)| Row {
            section: *section,
            about: about(name),
            time: None,
            span: None,
            overdue: false,
            mine: false,
        };
        Board { rows: rows.iter().map(row).collect(), next: None }
    }

    fn press(view: &mut View, key: KeyCode) -> Option<Wish> {
        view.press(KeyEvent::new(key, KeyModifiers::NONE), (80, 24))
    }

    #[test]
    fn the_chosen_row_stays_chosen_while_others_come_and_go() {
        let mut view = View::new(None);
        view.show(board(&[(Section::Pending, "a"), (Section::Pending, "b"), (Section::Live, "c")]));
        press(&mut view, KeyCode::Down);
        assert_eq!(view.chosen().map(|row| row.about), Some(about("b")));
        // It becomes live, and something else comes before it.
        view.show(board(&[(Section::Locks, "l"), (Section::Pending, "a"), (Section::Live, "c"), (Section::Live, "b")]));
        assert_eq!(view.chosen().map(|row| row.about), Some(about("b")));
        // It is over: the last one is its neighbour.
        view.show(board(&[(Section::Locks, "l"), (Section::Live, "c")]));
        assert_eq!(view.chosen().map(|row| row.about), Some(about("c")));
        view.show(board(&[]));
        assert_eq!(view.chosen(), None);
        // Nothing was chosen: the first that waits for whoever watches is.
        let mut mine = board(&[(Section::Locks, "l"), (Section::Pending, "a"), (Section::Pending, "b")]);
        mine.rows.iter_mut().filter(|row| row.about == about("b")).for_each(|row| row.mine = true);
        view.show(mine);
        assert_eq!(view.chosen().map(|row| row.about), Some(about("b")));
    }

    #[test]
    fn keys_do_what_the_help_says() {
        let mut view = View::new(None);
        view.show(board(&[(Section::Pending, "a"), (Section::Pending, "b"), (Section::Live, "c")]));
        for (key, wanted) in [
            (KeyCode::Tab, "c"),
            (KeyCode::Tab, "a"),
            (KeyCode::BackTab, "c"),
            (KeyCode::Home, "a"),
            (KeyCode::End, "c"),
            (KeyCode::Up, "b"),
            (KeyCode::PageUp, "a"),
            (KeyCode::Up, "a"),
            (KeyCode::PageDown, "c"),
        ] {
            assert_eq!(press(&mut view, key), None);
            assert_eq!(view.chosen().map(|row| row.about), Some(about(wanted)), "{key:?}");
        }
        assert_eq!(press(&mut view, KeyCode::Char('a')), Some(Wish::Act(Act::Approve)));
        assert_eq!(press(&mut view, KeyCode::Enter), Some(Wish::Open(about("c"))));
        assert_eq!(press(&mut view, KeyCode::Char('f')), Some(Wish::Follow(about("c"))));
        assert_eq!(press(&mut view, KeyCode::Char('q')), Some(Wish::Quit));
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(view.press(interrupt, (80, 24)), Some(Wish::Quit));
        // A control key is not its letter: Ctrl-L locks nothing, Ctrl-A approves nothing.
        for (letter, wanted) in [('l', Some(Wish::Redraw)), ('a', None), ('d', None), ('r', None), ('q', None)] {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
            assert_eq!(view.press(key, (80, 24)), wanted, "Ctrl-{letter}");
        }
    }

    #[test]
    fn an_opened_case_is_scrolled_and_closed() {
        let mut view = View::new(None);
        view.show(board(&[(Section::Pending, "a")]));
        view.open(about("a"), (0..100).map(|line| line.to_string()).collect());
        for (key, wanted) in
            [(KeyCode::Down, 1), (KeyCode::PageDown, 23), (KeyCode::End, 78), (KeyCode::Down, 78), (KeyCode::Home, 0)]
        {
            assert_eq!(press(&mut view, key), None);
            assert!(matches!(view.pane, Pane::Case { first, .. } if first == wanted), "{key:?}: {:?}", view.pane);
        }
        assert_eq!(press(&mut view, KeyCode::Esc), None);
        assert_eq!(view.pane, Pane::Board);
        // The keys are scrolled where they do not fit, and a letter there does nothing but go back.
        press(&mut view, KeyCode::Char('h'));
        assert_eq!(view.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE), (80, 10)), None);
        assert!(matches!(view.pane, Pane::Help { first } if first == help().len() - 8), "{:?}", view.pane);
        assert_eq!(press(&mut view, KeyCode::Char('a')), None);
        assert_eq!(view.pane, Pane::Board);
        assert_eq!(press(&mut view, KeyCode::Esc), Some(Wish::Quit));
    }

    #[test]
    fn without_a_case_there_is_nothing_to_approve() {
        let mut view = View::new(None);
        assert_eq!(press(&mut view, KeyCode::Char('a')), None);
        assert!(view.notice.is_some());
        assert_eq!(press(&mut view, KeyCode::Char('l')), Some(Wish::Act(Act::Lock)));
        assert_eq!(view.notice, None);
    }
}
