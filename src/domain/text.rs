//! Text that people wrote: what an event may hold (E03), and how it is shown so that nothing hides in it.

use unicode_normalization::is_nfc;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// A control character; LF is allowed only in free text.
    #[error("holds a control character")]
    Control,
    /// A character that changes the direction of what follows.
    #[error("holds a bidirectional control character")]
    Bidirectional,
    /// Not in normalisation form C.
    #[error("is not in Unicode normalisation form C")]
    NotNfc,
    /// No letter and no digit, where a reason is demanded.
    #[error("says nothing")]
    SaysNothing,
}

/// Whether `c` is one of Unicode's Bidi_Control characters (UAX #9).
pub const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Checks one line of text: no control characters at all.
///
/// # Errors
/// The first [`TextFault`] that it has.
pub fn check_line(text: &str) -> Result<(), TextFault> {
    check(text, false)
}

/// Checks free text (¶ in format.md): LF is allowed.
///
/// # Errors
/// The first [`TextFault`] that it has.
pub fn check_free(text: &str) -> Result<(), TextFault> {
    check(text, true)
}

/// Checks free text that must give a reason: at least one letter or digit.
///
/// # Errors
/// The first [`TextFault`] that it has.
pub fn check_reason(text: &str) -> Result<(), TextFault> {
    check_free(text)?;
    if text.chars().any(char::is_alphanumeric) { Ok(()) } else { Err(TextFault::SaysNothing) }
}

/// The text in lines of at most `width` by `measure`, broken at spaces; a longer word has a line of its own.
pub fn wrapped(text: &str, width: usize, measure: impl Fn(&str) -> usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 {
            if measure(&line).saturating_add(1).saturating_add(measure(word)) > width {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push(' ');
            }
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

fn check(text: &str, lf: bool) -> Result<(), TextFault> {
    if text.chars().any(|c| c.is_control() && !(lf && c == '\n')) {
        return Err(TextFault::Control);
    }
    if text.chars().any(is_bidi_control) {
        return Err(TextFault::Bidirectional);
    }
    if text.is_ascii() || is_nfc(text) { Ok(()) } else { Err(TextFault::NotNfc) }
}

/// `text` with every control, bidirectional and invisible formatting character made visible as `\u{…}`; LF stays.
/// Nobody hides a line from the person who signs.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = (c.is_control() && c != '\n')
            || is_bidi_control(c)
            || matches!(c, '\u{00AD}' | '\u{180E}' | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}');
        if hidden {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_may_hold() {
        assert_eq!(check_line("a\nb"), Err(TextFault::Control));
        assert_eq!(check_free("a\nb"), Ok(()));
        assert_eq!(check_free("a\tb"), Err(TextFault::Control));
        assert_eq!(check_free("a\u{7f}"), Err(TextFault::Control));
        assert_eq!(check_free("a\u{85}"), Err(TextFault::Control));
        assert_eq!(check_free("a\u{202e}b"), Err(TextFault::Bidirectional));
        assert_eq!(check_free("e\u{301}"), Err(TextFault::NotNfc));
        assert_eq!(check_free("\u{e9}"), Ok(()));
        for nothing in ["", ".", " \n", "…", "-?"] {
            assert_eq!(check_reason(nothing), Err(TextFault::SaysNothing), "{nothing:?}");
        }
        assert_eq!(check_reason("決済"), Ok(()));
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(visible("ok\u{202e}\x1b[2K\u{200b}\nnext"), "ok\\u{202e}\\u{1b}[2K\\u{200b}\nnext");
    }
}
