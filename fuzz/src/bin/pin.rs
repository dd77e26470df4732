//! Pins and cursors: what is read is written and read again to the same; what we write has one spelling.
#![no_main]

use jit::ledger::Pin;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(pin) = Pin::parse(bytes) else { return };
    let written = pin.write();
    assert_eq!(Pin::parse(&written).as_ref().ok(), Some(&pin));
    assert_eq!(Pin::parse(&written).expect("our own").write(), written);
});
