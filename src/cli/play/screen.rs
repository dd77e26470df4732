//! What a recorded session wrote, made fit for an examiner's terminal. The bytes come from whoever is examined, and a
//! terminal obeys: it can be made to fill the clipboard (OSC 52), change its title, answer questions into the shell's
//! input, or switch on what outlives the replay. So a list says what goes through, all else is left out: colours, moving,
//! erasing, scrolling, the other screen. Without a terminal nothing but the text is left.

use crate::domain::text::is_bidi_control;

/// How a session's output is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As at a terminal, less what a replay does not need.
    Terminal,
    /// The text alone.
    Plain,
    /// As it was recorded.
    Raw,
}

/// A sequence that is longer is none that is let through.
const LONGEST: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Ground,
    /// After ESC, with the bytes between it and the last one.
    Escape(String),
    /// After CSI, with what came of it.
    Control(String),
    /// In a string that is left out (OSC, DCS, APC, PM, SOS); whether BEL ends it, and whether ESC was the last character.
    Text {
        bell: bool,
        escape: bool,
    },
}

/// Lets through what may be shown. Keeps its state between pieces: a sequence may be cut anywhere.
#[derive(Debug)]
pub struct Filter {
    look: Look,
    state: State,
    /// In plain text: a carriage return of which it is not known yet whether a line feed follows.
    returned: bool,
    other_screen: bool,
    margins: bool,
    used: bool,
    left_out: u64,
}

impl Filter {
    /// A filter for one channel, from its beginning.
    pub const fn new(look: Look) -> Self {
        Self {
            look,
            state: State::Ground,
            returned: false,
            other_screen: false,
            margins: false,
            used: false,
            left_out: 0,
        }
    }

    /// What of `text` is shown.
    pub fn push(&mut self, text: &str) -> String {
        self.used |= !text.is_empty();
        if self.look == Look::Raw {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            self.take(c, &mut out);
        }
        out
    }

    /// What puts the terminal back as it was.
    pub fn end(&self) -> String {
        match self.look {
            Look::Plain => return String::new(),
            // It may have been told anything: a soft reset, the keyboard and the mouse as usual, the first screen.
            Look::Raw => {
                return "\u{1b}\\\u{1b}[!p\u{1b}>\u{1b}[?1;1000;1002;1003;1004;1006;2004l\u{1b}[?1049l\u{1b}[0m\r\n"
                    .to_owned();
            }
            Look::Terminal => {}
        }
        let mut out = String::new();
        if self.margins {
            // These move the cursor: below all that is shown with it.
            out.push_str("\u{1b}[?6l\u{1b}[r\u{1b}[999;1H\r\n");
        }
        if self.other_screen {
            out.push_str("\u{1b}[?1049l");
        }
        out.push_str("\u{1b}[?25h\u{1b}[?7h\u{1b}[4l\u{1b}[0m\u{1b}(B\u{f}");
        out
    }

    /// How many sequences and control characters were left out that a replay at a terminal does not let through.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether anything was shown through it.
    pub const fn was_used(&self) -> bool {
        self.used
    }

    fn take(&mut self, c: char, out: &mut String) {
        let state = std::mem::replace(&mut self.state, State::Ground);
        match state {
            State::Ground => self.ground(c, out),
            State::Escape(between) => self.escape(between, c, out),
            State::Control(parameters) => self.control(parameters, c, out),
            State::Text { bell, escape } => self.text(bell, escape, c, out),
        }
    }

    fn ground(&mut self, c: char, out: &mut String) {
        if self.look == Look::Plain && std::mem::take(&mut self.returned) && c != '\n' && c != '\r' {
            // What was written over: both are shown, one below the other.
            out.push('\n');
        }
        match c {
            '\u{1b}' => self.state = State::Escape(String::new()),
            '\u{9b}' => self.state = State::Control(String::new()),
            '\u{9d}' => self.string(true),
            '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => self.string(false),
            '\n' | '\t' => out.push(c),
            '\r' if self.look == Look::Plain => self.returned = true,
            '\r' | '\u{8}' | '\u{7}' | '\u{b}' | '\u{c}' | '\u{e}' | '\u{f}' => {
                if self.look == Look::Terminal {
                    out.push(c);
                }
            }
            '\0' => {}
            // What turns the direction of text shows it as something else than it is.
            c if c.is_control() || is_bidi_control(c) => self.left_out = self.left_out.saturating_add(1),
            c => out.push(c),
        }
    }

    fn string(&mut self, bell: bool) {
        self.left_out = self.left_out.saturating_add(1);
        self.state = State::Text { bell, escape: false };
    }

    fn escape(&mut self, mut between: String, c: char, out: &mut String) {
        match c {
            '[' if between.is_empty() => self.state = State::Control(between),
            ']' if between.is_empty() => self.string(true),
            'P' | 'X' | '^' | '_' if between.is_empty() => self.string(false),
            ' '..='/' if between.len() < 4 => {
                between.push(c);
                self.state = State::Escape(between);
            }
            '0'..='~' => {
                // Save, restore, index, next line, set a tab, reverse index; and which letters G0 and G1 hold.
                let goes = match between.as_str() {
                    "" => matches!(c, '7' | '8' | 'D' | 'E' | 'H' | 'M'),
                    "(" | ")" => matches!(c, '0' | 'A' | 'B'),
                    _ => false,
                };
                self.decide(goes, &format!("\u{1b}{between}{c}"), out);
            }
            // Cancelled, or no sequence at all.
            other => self.ground(other, out),
        }
    }

    fn control(&mut self, mut parameters: String, c: char, out: &mut String) {
        match c {
            ' '..='?' if parameters.len() < LONGEST => {
                parameters.push(c);
                self.state = State::Control(parameters);
            }
            '@'..='~' => match shown(&parameters, c) {
                Some(parameters) => {
                    self.follow(&parameters, c);
                    self.decide(true, &format!("\u{1b}[{parameters}{c}"), out);
                }
                None => self.decide(false, "", out),
            },
            '\u{1b}' => self.state = State::Escape(String::new()),
            other => {
                self.left_out = self.left_out.saturating_add(1);
                self.ground(other, out);
            }
        }
    }

    fn text(&mut self, bell: bool, escape: bool, c: char, out: &mut String) {
        match c {
            '\u{9c}' | '\u{18}' | '\u{1a}' => {}
            '\u{7}' if bell => {}
            '\\' if escape => {}
            // ESC ends the string, and begins another sequence unless it is ESC \.
            c if escape => self.escape(String::new(), c, out),
            c => self.state = State::Text { bell, escape: c == '\u{1b}' },
        }
    }

    fn decide(&mut self, goes: bool, sequence: &str, out: &mut String) {
        if !goes {
            self.left_out = self.left_out.saturating_add(1);
        } else if self.look == Look::Terminal {
            out.push_str(sequence);
        }
    }

    /// Remembers what must be put back at the end.
    fn follow(&mut self, parameters: &str, c: char) {
        self.margins |= c == 'r';
        if !matches!(c, 'h' | 'l') {
            return;
        }
        for mode in parameters.strip_prefix('?').into_iter().flat_map(|modes| modes.split(';')) {
            match mode {
                "47" | "1047" | "1049" => self.other_screen = c == 'h',
                "6" => self.margins = true,
                _ => {}
            }
        }
    }
}

/// The parameters with which the control sequence that ends in `c` goes through.
fn shown(parameters: &str, c: char) -> Option<String> {
    let numbers = parameters.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':');
    let goes = match c {
        // Modes: inserting; and of the private ones the origin, wrapping, the cursor, the other screen. Not the keyboard's,
        // the mouse's, nor reports of focus: they would outlive the replay.
        'h' | 'l' => {
            let Some(private) = parameters.strip_prefix('?') else {
                return (parameters == "4").then(|| "4".to_owned());
            };
            let known = |mode: &&str| matches!(*mode, "6" | "7" | "12" | "25" | "47" | "1047" | "1048" | "1049");
            let modes: Vec<&str> = private.split(';').filter(known).collect();
            return (!modes.is_empty()).then(|| format!("?{}", modes.join(";")));
        }
        // Erasing, but not what was scrolled out: that is the examiner's.
        'J' => numbers && !parameters.split(';').any(|which| which.trim_start_matches('0') == "3"),
        'A'..='I' | 'K' | 'L' | 'M' | 'P' | 'S' | 'X' | 'Z' | '@' | '`' | 'a' | 'd' | 'e' | 'f' | 'g' | 'm' | 'r' => {
            numbers
        }
        // With more parameters it is something about the mouse.
        'T' => numbers && !parameters.contains(';'),
        'b' => numbers && parameters.len() <= 4,
        's' | 'u' => parameters.is_empty(),
        _ => false,
    };
    goes.then(|| parameters.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of `text`, whether it comes whole or a character at a time.
    fn shown(look: Look, text: &str) -> String {
        let mut whole = Filter::new(look);
        let at_once = whole.push(text);
        let mut slowly = Filter::new(look);
        let pieces: String = text.chars().map(|c| slowly.push(&c.to_string())).collect();
        assert_eq!(at_once, pieces);
        at_once
    }

    #[test]
    fn what_a_replay_needs_goes_through() {
        for text in [
            "plain ä 決済\r\n\ttab\u{8}\u{7}",
            "\u{1b}[1;31mred\u{1b}[0m\u{1b}[38:2::1:2:3m",
            "\u{1b}[2J\u{1b}[H\u{1b}[10;20Hx\u{1b}[K\u{1b}[1A\u{1b}[2;5r",
            "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?25h\u{1b}[?1049l\u{1b}[4h",
            "\u{1b}7\u{1b}8\u{1b}M\u{1b}(0lqk\u{1b}(B\u{e}\u{f}",
        ] {
            assert_eq!(shown(Look::Terminal, text), text);
            assert_eq!(shown(Look::Raw, text), text);
        }
    }

    #[test]
    fn what_could_do_harm_is_left_out() {
        for harm in [
            "\u{1b}]52;c;cm0gLXJmIH4K\u{7}",
            "\u{1b}]0;title\u{1b}\\",
            "\u{9d}0;title\u{9c}",
            "\u{1b}]8;;http://example.org\u{1b}\\",
            "\u{1b}P$q\"p\u{1b}\\",
            "\u{90}q#0\u{9c}",
            "\u{1b}_apc\u{1b}\\",
            "\u{1b}^pm\u{1b}\\",
            "\u{1b}Xsos\u{9c}",
            "\u{1b}[c",
            "\u{1b}[>c",
            "\u{1b}[6n",
            "\u{1b}[?6n",
            "\u{1b}[21t",
            "\u{1b}[>q",
            "\u{1b}[3J",
            "\u{1b}[03J",
            "\u{1b}[?2004h",
            "\u{1b}[?1000;1006h",
            "\u{1b}[?1h",
            "\u{1b}[>4;1m",
            "\u{1b}[?u",
            "\u{1b}[>1u",
            "\u{1b}[$p",
            "\u{1b}[!p",
            "\u{1b}[5 q",
            "\u{9b}6n",
            "\u{5}",
            "\u{7f}",
            "\u{85}",
            "\u{1b}c",
            "\u{1b}=",
            "\u{1b}Z",
            "\u{1b}#8",
            "\u{1b}%G",
            "\u{202e}",
            "\u{2066}",
        ] {
            let text = format!("a{harm}b");
            assert_eq!(shown(Look::Terminal, &text), "ab", "{harm:?}");
            assert_eq!(shown(Look::Plain, &text), "ab", "{harm:?}");
            assert_eq!(shown(Look::Raw, &text), text);
            let mut filter = Filter::new(Look::Terminal);
            filter.push(&text);
            assert_eq!(filter.left_out(), 1, "{harm:?}");
        }
        // Of several modes at once those go through that may.
        assert_eq!(shown(Look::Terminal, "\u{1b}[?1000;25;2004h"), "\u{1b}[?25h");
        // A sequence inside of another one is not put together by what is left out.
        assert_eq!(shown(Look::Terminal, "\u{1b}\u{5}]52;c;x\u{7}"), "]52;c;x\u{7}");
        assert_eq!(shown(Look::Terminal, "\u{1b}[\u{1b}[6n"), "");
        assert!(!shown(Look::Terminal, &format!("\u{1b}[{}mx", "1".repeat(500))).contains('\u{1b}'));
    }

    #[test]
    fn plain_text_has_lines_and_nothing_else() {
        assert_eq!(shown(Look::Plain, "\u{1b}[1mone\u{1b}[0m\r\n10%\r20%\r\r\nend"), "one\n10%\n20%\nend");
    }

    proptest::proptest! {
        #[test]
        fn no_escape_goes_through_but_those_of_the_list(text in "[\\x00-\\x7f\\u{80}-\\u{9f}]{0,40}") {
            let plain = shown(Look::Plain, &text);
            proptest::prop_assert!(!plain.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            // What went through once is all let through again.
            let once = shown(Look::Terminal, &text);
            proptest::prop_assert_eq!(shown(Look::Terminal, &once), once);
        }
    }
}
