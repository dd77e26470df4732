//! The lines inside a recording's frames (asciicast and ours): what is read is written and read again to the same; and
//! what is shown of it obeys the terminal's owner.
#![no_main]

use jit::cli::outside::{Filter, Look};
use jit::recording::cast::{Entry, closed, event, read, switch};

/// Times beyond this are no longer exact in a double; no session lasts so long.
const EXACT: u64 = 1 << 42;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (Ok(entries) | Err((entries, _))) = read(bytes);
    let mut text = String::new();
    let mut expected = Vec::new();
    let mut filter = Filter::new(Look::Terminal);
    for entry in entries {
        match &entry {
            Entry::Opened(channel) if channel.at < EXACT => {
                text.push_str(&channel.line());
            }
            Entry::Event { channel, millis, kind, text: said } if *millis < EXACT => {
                text.push_str(&switch(*channel));
                text.push_str(&event(*millis, *kind, said));
                check(&filter.push(said));
            }
            Entry::Closed { channel, millis, exit } if *millis < EXACT => {
                text.push_str(&closed(*channel, *millis, *exit));
            }
            _ => continue,
        }
        expected.push(entry);
    }
    assert_eq!(read(text.as_bytes()), Ok(expected), "{text}");
});

/// Nothing but what the list of the filter says reaches a terminal.
fn check(shown: &str) {
    let bad = |c: char| ('\u{80}'..='\u{9f}').contains(&c) || jit::domain::text::is_bidi_control(c);
    assert!(!shown.contains(bad), "{shown:?}");
}
