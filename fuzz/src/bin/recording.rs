//! Recordings: any bytes are looked through to the end; a recording that is whole is told so, and one that was changed in
//! any place is told to be changed.
#![no_main]

use std::io::Cursor;

use jit::domain::id::{CaseId, Digest};
use jit::recording::Header;
use jit::recording::frame::{Head, Writer};
use jit::recording::scan::{Expected, scan, sealed};
use jit_fuzz::Input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = Header::parse(bytes) {
        assert_eq!(header.to_bytes(), bytes, "one header, two spellings");
    }
    if let Some(head) = Head::parse(bytes) {
        assert_eq!(head.to_bytes(), bytes, "one head, two spellings");
    }
    let mut source = Cursor::new(bytes);
    let found = scan(&mut source, &Expected::default()).expect("bytes in memory can be read");
    let mut read = 0;
    for frame in &found.frames {
        let text = sealed(&mut source, frame).expect("what was found is there");
        read += text.len();
        assert!(text.len() <= usize::try_from(frame.length).expect("small"));
    }
    assert!(read <= bytes.len(), "no byte is shown twice");
    if found.faults.is_empty() {
        assert!(found.complete && found.header.is_some());
    }

    // A true one, of pieces of the input; then one byte of it, or its length, is changed.
    let mut input = Input(bytes);
    let header = Header {
        ledger: Digest::of(b"ledger"),
        case: CaseId(Digest::of(b"case")),
        session: "mfrggzdfmztwq2lkobqxg43xn4".parse().expect("a nonce"),
    };
    let (at, with, cut) = (input.short(), input.byte(), input.byte());
    let mut writer = Writer::begin(Vec::new(), &header).expect("memory takes it");
    let mut out = Vec::new();
    let frames = 1 + input.byte() % 4;
    let head = (1..=frames).map(|number| {
        let length = usize::from(input.byte());
        writer.append(u64::from(number), number == frames, input.take(length)).expect("memory takes it")
    });
    let head = head.last().expect("one at least");
    rewrite(&header, bytes, frames, &mut out);
    let expected = Expected { header: Some(header), head: Some(head) };
    let whole = scan(&mut Cursor::new(&out), &expected).expect("readable");
    assert_eq!((whole.faults.as_slice(), whole.head, whole.complete), (&[][..], head, true));
    let mut changed = out.clone();
    let place = at % changed.len();
    changed[place] ^= with;
    changed.truncate(out.len() - usize::from(cut % 8).min(out.len()));
    if changed != out {
        let told = scan(&mut Cursor::new(&changed), &expected).expect("readable");
        assert!(!told.faults.is_empty(), "byte {place} ^ {with}, {} cut", cut % 8);
    }
});

/// The same recording once more: a writer does not give its bytes back.
fn rewrite(header: &Header, bytes: &[u8], frames: u8, out: &mut Vec<u8>) {
    let mut input = Input(bytes);
    let _ = (input.short(), input.byte(), input.byte(), input.byte());
    let mut writer = Writer::begin(&mut *out, header).expect("memory takes it");
    for number in 1..=frames {
        let length = usize::from(input.byte());
        writer.append(u64::from(number), number == frames, input.take(length)).expect("memory takes it");
    }
}
