//! Writing the lines.

use serde_json::json;

/// What an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the session wrote to its user.
    Output,
    /// What the user typed or sent.
    Input,
    /// The terminal has another size: `COLUMNSxROWS`.
    Resize,
    /// A remark of the recorder.
    Mark,
}

impl Kind {
    /// Its letter in asciicast v2.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Output => "o",
            Self::Input => "i",
            Self::Resize => "r",
            Self::Mark => "m",
        }
    }

    /// The kind of a letter.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Output, Self::Input, Self::Resize, Self::Mark].into_iter().find(|kind| kind.code() == code)
    }
}

/// A channel's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its number in the session.
    pub number: u32,
    /// Columns and rows; those of a plain terminal where it has none.
    pub size: (u16, u16),
    /// When it opened: seconds since 1970-01-01T00:00:00Z.
    pub timestamp: u64,
    /// When it opened: milliseconds since the recording began.
    pub at: u64,
    /// The command, where it was not a shell.
    pub command: Option<String>,
    /// The value of TERM, where it has a terminal.
    pub term: Option<String>,
}

impl Channel {
    /// Its line, with the line's end.
    pub fn line(&self) -> String {
        let tty = self.term.is_some();
        let (number, at) = (self.number, seconds(self.at));
        format!("{},\"channel\":{number},\"tty\":{tty},\"at\":{at}}}\n", self.fields())
    }

    /// Its line as any asciicast begins: without our own keys, with a title.
    pub fn plain_line(&self, title: &str) -> String {
        format!("{},\"title\":{}}}\n", self.fields(), json!(title))
    }

    /// The fields of every asciicast, up to the last brace. By hand, so that they stand in the usual order, and `file` knows
    /// what it is.
    fn fields(&self) -> String {
        let ((width, height), timestamp) = (self.size, self.timestamp);
        let command = self.command.as_ref().map(|command| format!(",\"command\":{}", json!(command)));
        let term = self.term.as_ref().map(|term| format!(",\"env\":{}", json!({ "TERM": term })));
        let (command, term) = (command.unwrap_or_default(), term.unwrap_or_default());
        format!("{{\"version\":2,\"width\":{width},\"height\":{height},\"timestamp\":{timestamp}{command}{term}")
    }
}

/// An event's line, with the line's end.
pub fn event(millis: u64, kind: Kind, text: &str) -> String {
    format!("[{},{},{}]\n", seconds(millis), json!(kind.code()), json!(text))
}

/// The line that makes `channel` current.
pub fn switch(channel: u32) -> String {
    format!("{{\"channel\":{channel}}}\n")
}

/// The line that says that `channel` is closed.
pub fn closed(channel: u32, millis: u64, exit: Option<i32>) -> String {
    let exit = exit.map_or_else(String::new, |code| format!(",\"exit\":{code}"));
    format!("{{\"channel\":{channel},\"closed\":{}{exit}}}\n", seconds(millis))
}

/// Milliseconds as seconds with three digits.
fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Makes text of bytes that come in pieces: a character that a piece ends in waits for the next one, and what is no
/// UTF-8 becomes U+FFFD.
#[derive(Debug, Default)]
pub struct Utf8 {
    waiting: Vec<u8>,
}

impl Utf8 {
    /// The text of what waited and `bytes`, less a character that is not whole yet.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut joined = std::mem::take(&mut self.waiting);
        joined.extend_from_slice(bytes);
        let mut text = String::with_capacity(joined.len());
        let mut chunks = joined.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            // Only at the end can it be the beginning of a character; elsewhere it is what it is.
            if chunks.peek().is_none() && is_beginning(invalid) {
                self.waiting = invalid.to_vec();
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }

    /// What still waits, when nothing follows.
    pub fn finish(&mut self) -> String {
        let waiting = std::mem::take(&mut self.waiting);
        String::from_utf8_lossy(&waiting).into_owned()
    }
}

/// Whether more bytes could make a character of these.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}
