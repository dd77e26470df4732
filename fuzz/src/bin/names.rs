//! Names, ids, times, spans, scopes and addresses: each has one spelling.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use jit::cli::outside::ExportDestination;
use jit::domain::event::{Kind, LockScope};
use jit::domain::id::{Digest, Name, Nonce, ObjectId, RoleRef};
use jit::domain::time::{Timestamp, Ttl};
use jit::merkle::KeyName;
use jit::merkle::checkpoint::{encode_hash, parse_hash, parse_number};

fn one_spelling<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    one_spelling::<Digest>(text);
    one_spelling::<ObjectId>(text);
    one_spelling::<Name>(text);
    one_spelling::<RoleRef>(text);
    one_spelling::<Nonce>(text);
    one_spelling::<Timestamp>(text);
    one_spelling::<Ttl>(text);
    one_spelling::<LockScope>(text);
    one_spelling::<Kind>(text);
    one_spelling::<KeyName>(text);
    if let Ok(span) = Ttl::from_human(text) {
        assert_eq!(Ttl::from_human(&span.to_string()), Ok(span));
    }
    if let Some(hash) = parse_hash(text) {
        assert_eq!(encode_hash(&hash), text);
    }
    if let Some(number) = parse_number(text) {
        assert_eq!(number.to_string(), text);
    }
    if let Ok(destination) = text.parse::<ExportDestination>() {
        // A default port is written out; what is written leads to the same place. Standard output is said in words.
        let told = destination.to_string();
        if destination != ExportDestination::Stdout {
            assert_eq!(told.parse::<ExportDestination>().as_ref(), Ok(&destination), "{text:?} → {told:?}");
        }
    }
    // What is shown of anybody's text hides nothing and moves no cursor.
    let shown = jit::domain::text::visible(text);
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || jit::domain::text::is_bidi_control(c)));
});
