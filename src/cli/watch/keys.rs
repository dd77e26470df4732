//! What is typed, key by key. Bytes of a raw terminal in (ECMA-48 sequences as xterm, tmux and the Linux console send them), keys
//! out; how a key is called is crossterm's.
//!
//! crossterm reads keys too, but at the end of its input, which is how a terminal that goes away looks, it reads on without
//! end and no signal gets through (0.29, `event/source/unix/mio.rs`). Whoever closed a window would leave a process behind.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use rustix::termios::{QueueSelector, tcflush};

/// How long the rest of a sequence may take. After that an escape is the key.
const REST: Duration = Duration::from_millis(50);

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A key.
    Key(KeyEvent),
    /// Nothing, or a signal.
    Silence,
    /// The terminal is gone.
    Gone,
}

/// The keyboard: standard input, while it is raw.
#[derive(Debug, Default)]
pub struct Keys {
    /// What came and is no key yet.
    bytes: Vec<u8>,
}

impl Keys {
    /// The next key, waited for no longer than `span`.
    pub fn wait(&mut self, span: Duration) -> Heard {
        if let Some(key) = self.take(false) {
            return Heard::Key(key);
        }
        let span = if self.bytes.is_empty() { span } else { REST };
        match ready(span) {
            Ready::No if self.bytes.is_empty() => return Heard::Silence,
            Ready::No => return self.take(true).map_or(Heard::Silence, Heard::Key),
            Ready::Gone => return Heard::Gone,
            Ready::Yes => {}
        }
        let mut buffer = [0; 256];
        match rustix::io::read(stdin(), &mut buffer) {
            Ok(0) => Heard::Gone,
            Ok(count) => {
                self.bytes.extend(buffer.iter().take(count));
                self.take(false).map_or(Heard::Silence, Heard::Key)
            }
            Err(Errno::INTR | Errno::AGAIN) => Heard::Silence,
            Err(_) => Heard::Gone,
        }
    }

    /// Forgets what was typed and not heard yet: it was not meant for what comes now.
    pub fn forget(&mut self) {
        self.bytes.clear();
        let _ = tcflush(stdin(), QueueSelector::IFlush);
    }

    /// The first key among what came. `whole`: nothing more comes for now.
    fn take(&mut self, whole: bool) -> Option<KeyEvent> {
        while !self.bytes.is_empty() {
            let (read, used) = parse(&self.bytes, whole);
            self.bytes.drain(..used.min(self.bytes.len()));
            match read {
                Read::Key(code, modifiers) => return Some(KeyEvent::new(code, modifiers)),
                Read::Other => {}
                Read::More => return None,
            }
        }
        None
    }
}

/// Whether the terminal is gone.
pub fn is_gone() -> bool {
    matches!(ready(Duration::ZERO), Ready::Gone)
}

enum Ready {
    Yes,
    No,
    Gone,
}

fn ready(span: Duration) -> Ready {
    let stdin = stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let timeout = Timespec::try_from(span).ok();
    match poll(&mut fds, timeout.as_ref()) {
        Ok(0) | Err(Errno::INTR) => Ready::No,
        Ok(_) if fds.iter().any(|fd| fd.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)) => {
            Ready::Gone
        }
        Ok(_) => Ready::Yes,
        Err(_) => Ready::Gone,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Read {
    Key(KeyCode, KeyModifiers),
    /// A sequence or a byte that is none of our keys.
    Other,
    /// The rest is to come.
    More,
}

/// What the bytes begin with, and how many of them that is.
fn parse(bytes: &[u8], whole: bool) -> (Read, usize) {
    let key = |code| Read::Key(code, KeyModifiers::NONE);
    match bytes {
        [0x1b] if whole => (key(KeyCode::Esc), 1),
        [0x1b] | [0x1b, b'[' | b'O'] if !whole => (Read::More, 0),
        // The Linux console's function keys.
        [0x1b, b'[', b'[', letter, ..] => (if *letter == b'E' { key(KeyCode::F(5)) } else { Read::Other }, 4),
        [0x1b, b'[', b'['] if !whole => (Read::More, 0),
        [0x1b, b'[', rest @ ..] => match rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) {
            Some(end) => {
                let (parameters, last) = rest.split_at(end);
                (last.first().map_or(Read::Other, |last| sequence(parameters, *last)), end.saturating_add(3))
            }
            None if whole || rest.len() > 32 => (Read::Other, bytes.len()),
            None => (Read::More, 0),
        },
        [0x1b, b'O', letter, ..] => (sequence(&[], *letter), 3),
        // Alt and a key, which means nothing here.
        [0x1b, _, ..] => (Read::Other, 2),
        [b'\r' | b'\n', ..] => (key(KeyCode::Enter), 1),
        [b'\t', ..] => (key(KeyCode::Tab), 1),
        [control @ 0x01..=0x1a, ..] => (Read::Key(KeyCode::Char(char::from(control | 0x60)), KeyModifiers::CONTROL), 1),
        [letter @ 0x20..=0x7e, ..] => (key(KeyCode::Char(char::from(*letter))), 1),
        _ => (Read::Other, 1),
    }
}

/// A sequence of its parameters and its last byte.
fn sequence(parameters: &[u8], last: u8) -> Read {
    let number = parameters.split(|byte| *byte == b';').next().unwrap_or_default();
    let code = match (last, number) {
        (b'A', _) => KeyCode::Up,
        (b'B', _) => KeyCode::Down,
        (b'H', _) | (b'~', b"1" | b"7") => KeyCode::Home,
        (b'F', _) | (b'~', b"4" | b"8") => KeyCode::End,
        (b'~', b"5") => KeyCode::PageUp,
        (b'~', b"6") => KeyCode::PageDown,
        (b'~', b"15") => KeyCode::F(5),
        (b'Z', _) => KeyCode::BackTab,
        (b'M', b"") => KeyCode::Enter,
        _ => return Read::Other,
    };
    Read::Key(code, KeyModifiers::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All keys of some bytes, which come in one piece or one by one.
    fn heard(bytes: &[u8], piecewise: bool) -> Vec<(KeyCode, KeyModifiers)> {
        let mut keys = Keys::default();
        let mut heard = Vec::new();
        for piece in bytes.chunks(if piecewise { 1 } else { bytes.len().max(1) }) {
            keys.bytes.extend(piece);
            while let Some(key) = keys.take(false) {
                heard.push((key.code, key.modifiers));
            }
        }
        while let Some(key) = keys.take(true) {
            heard.push((key.code, key.modifiers));
        }
        assert!(keys.bytes.is_empty(), "left over: {:?}", keys.bytes);
        heard
    }

    // The sequences are those of terminfo's xterm-256color, tmux-256color, linux, rxvt and vt220 (infocmp -1).
    #[test]
    fn what_terminals_send_is_understood() {
        let plain = |codes: &[KeyCode]| codes.iter().map(|code| (*code, KeyModifiers::NONE)).collect::<Vec<_>>();
        for (bytes, wanted) in [
            (&b"jq"[..], &[KeyCode::Char('j'), KeyCode::Char('q')][..]),
            (b"\x1b[A\x1b[B\x1bOA\x1bOB", &[KeyCode::Up, KeyCode::Down, KeyCode::Up, KeyCode::Down]),
            (b"\x1b[H\x1bOH\x1b[1~\x1b[7~", &[KeyCode::Home; 4]),
            (b"\x1b[F\x1bOF\x1b[4~\x1b[8~", &[KeyCode::End; 4]),
            (b"\x1b[5~\x1b[6~", &[KeyCode::PageUp, KeyCode::PageDown]),
            (b"\x1b[15~\x1b[[E", &[KeyCode::F(5); 2]),
            (b"\r\n\t\x1b[Z", &[KeyCode::Enter, KeyCode::Enter, KeyCode::Tab, KeyCode::BackTab]),
            (b"\x1b[1;5A", &[KeyCode::Up]),
            (b"?\x1b", &[KeyCode::Char('?'), KeyCode::Esc]),
            // None of ours: F1, mouse, Alt-a, Delete, letters of other people's alphabets, an answer of the terminal.
            (b"\x1bOP\x1b[<0;1;2M\x1ba\x1b[3~\xc3\xa4\xe6\xb1\xba\x00\x7f\xff\x1b[?62;c\x1b[[A", &[]),
        ] {
            assert_eq!(heard(bytes, false), plain(wanted), "{bytes:?}");
            assert_eq!(heard(bytes, true), plain(wanted), "{bytes:?} one by one");
        }
        let control = |letter| (KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(heard(b"\x03\x0c", false), [control('c'), control('l')]);
    }

    #[test]
    fn what_never_ends_is_dropped() {
        assert_eq!(heard(&[b"\x1b[".as_slice(), &[b'1'; 300]].concat(), true).len(), 267, "the digits behind it");
        assert_eq!(heard(b"\x1b[", true), []);
        assert_eq!(heard(b"\x1bO", true), []);
    }
}
