//! Event files: what is read is written again to the byte, and everything a reader shows of it can be read again.
#![no_main]

use jit::domain::codec;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match codec::parse(bytes) {
        Ok(event) => {
            assert_eq!(codec::write(&event), bytes, "one event, two spellings");
            assert_eq!(event.kind().opens_case(), event.case.is_none());
            // Nothing that hides text from whoever signs got through.
            let text = std::str::from_utf8(bytes).expect("an event is UTF-8");
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
            assert!(!text.chars().any(jit::domain::text::is_bidi_control));
        }
        // A fault's text goes to terminals.
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
});
