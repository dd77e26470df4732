//! Text that people wrote, on its way into formats of one line: nothing in it may end a field, a line or a message, and
//! nothing may hide (`domain::text::visible`).

use crate::domain::text::visible;

/// On one line: what cannot be seen is made visible, and a line end is the two characters `\n`.
pub fn flat(text: &str) -> String {
    visible(text).replace('\n', "\\n")
}

/// At most `most` characters; what was cut off is marked with `…`.
pub fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_a_bounded_length() {
        assert_eq!(flat("a\nb\u{202e}c\r"), "a\\nb\\u{202e}c\\u{d}");
        assert_eq!(clipped("abc", 3), "abc");
        assert_eq!(clipped("äbcd", 3), "äb…");
    }
}
