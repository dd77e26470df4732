//! What a recorded session wrote, on its way to an examiner's terminal: cut anywhere it comes out the same, what comes
//! out goes through once more unchanged, and nothing in it does more than draw.
#![no_main]

use jit::cli::outside::{Filter, Look};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for look in [Look::Terminal, Look::Plain] {
        let mut whole = Filter::new(look);
        let shown = whole.push(&text);
        let mut pieces = Filter::new(look);
        let cut: String = text.chars().map(|c| pieces.push(c.encode_utf8(&mut [0; 4]))).collect();
        assert_eq!(shown, cut, "{look:?}");
        let mut again = Filter::new(look);
        assert_eq!(again.push(&shown), shown, "{look:?}");
        assert_eq!(again.left_out(), 0, "{look:?}");
        check(look, &shown);
        check(Look::Terminal, &whole.end());
    }
    assert_eq!(Filter::new(Look::Raw).push(&text), text);
});

/// A second reader of sequences, which knows nothing of the filter's states.
fn check(look: Look, shown: &str) {
    let allowed = |c: char| match look {
        Look::Plain => matches!(c, '\n' | '\t'),
        _ => matches!(c, '\n' | '\t' | '\r' | '\u{7}' | '\u{8}' | '\u{b}' | '\u{c}' | '\u{e}' | '\u{f}' | '\u{1b}'),
    };
    for c in shown.chars() {
        assert!(!c.is_control() || allowed(c), "{c:?} in {shown:?}");
        assert!(!jit::domain::text::is_bidi_control(c), "{c:?} in {shown:?}");
    }
    for sequence in shown.split('\u{1b}').skip(1) {
        match sequence.chars().next() {
            // OSC, DCS, SOS, PM, APC; a reset of all; and what makes a terminal answer.
            Some(']' | 'P' | 'X' | '^' | '_' | 'c' | 'Z') | None => panic!("{shown:?}"),
            Some('[') => {
                let body = &sequence[1..];
                let end = body.find(|c: char| ('@'..='~').contains(&c)).unwrap_or_else(|| panic!("{shown:?}"));
                let last = body[end..].chars().next();
                // Reports (n, c, q), windows (t), keyboard modes (u, >), media copy (i), leds (q), rectangles with `$`.
                assert!(!matches!(last, Some('n' | 'c' | 't' | 'i' | 'q' | 'p' | 'x' | 'y')), "{shown:?}");
                assert!(!body[..end].contains(['$', '\'', '"', ' ', '!', '=', '<', '>']), "{shown:?}");
            }
            Some(_) => {}
        }
    }
}
