//! Public keys, as a line and as a blob: one spelling, and no weak point.
#![no_main]

use jit::domain::key::PublicKey;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = PublicKey::from_blob(bytes) {
        assert_eq!(key.blob(), bytes, "one key, two blobs");
        assert_eq!(key.to_string().parse().as_ref(), Ok(&key));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text, "one key, two spellings");
        assert_eq!(PublicKey::from_blob(&key.blob()).as_ref(), Ok(&key));
        assert_eq!(PublicKey::from_pub_line(&format!("{key} somebody@somewhere\n")).as_ref(), Ok(&key));
    }
    if let Ok(key) = PublicKey::from_pub_line(text) {
        assert_eq!(key.to_string().parse().as_ref(), Ok(&key));
    }
});
