//! The event file: canonical TOML ↔ [`Event`] (format.md, section 2; rules E01 to E04).
//!
//! There is one spelling of each event. Reading parses leniently, writes the result again and compares: whatever differs,
//! be it a comment, another escape or an unsorted list, is E01. So the writer is the definition of canonical.

mod raw;
mod write;

use super::event::Event;
use super::finding::{Code, Fault};

pub use write::write;

/// The most bytes that an event file may have.
pub const EVENT_LIMIT: u64 = 64 * 1024;
/// The most bytes that a signature file may have.
pub const SIGNATURE_LIMIT: u64 = 4 * 1024;
/// The most bytes that the files of one proposal may have together.
pub const PROPOSAL_LIMIT: u64 = 1024 * 1024;

/// Reads an event file.
///
/// # Errors
/// A fault with the first of E01, E02, E03 and E04 that can be told: what is not TOML has no canonical form to compare
/// with, and of an unknown version or kind only that is known.
pub fn parse(bytes: &[u8]) -> Result<Event, Fault> {
    // E01: no BOM, no CR, whatever TOML makes of them.
    if bytes.starts_with(b"\xef\xbb\xbf") || bytes.contains(&b'\r') {
        return Err(Fault::new(Code::E01, "the event begins with a byte order mark or has a carriage return"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::new(Code::E02, "the event is not UTF-8"))?;
    let event = raw::parse(text)?;
    if write(&event) != bytes {
        return Err(Fault::new(Code::E01, "the event is not in its canonical form"));
    }
    raw::check_texts(&event)?;
    Ok(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = r#"jit = 1
kind = "request"
ledger = "sha256:d70ae84d0e92ab997a9246788e9092b16411195254d634d5696baef6831a558e"
policy = "sha256:19b297a4f7d9a9eb3c0385aa02778c76fb164a20727ae72d43a8d9ed4b04fac8"
actor = "alice"
time = 2026-11-23T14:15:30Z
nonce = "6vbj325lkwnlgo6tbcbeuswhja"

[seen]
size = 10
root = "sha256:a3ddf8f9bb4ab377f79fef370000d914d9b6577524d8e03b838f225f0acd462c"

[request]
targets = ["payments-db/operator"]
duration = "15m"
business_need = "Payments stuck in state \"pending\"; need to read the queue table."
ticket = "INC-4711"
credential_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph"

[request.risk]
level = "medium"
impact = "Reads customer rows."
rollback = "Nothing is changed."
data = ["npi"]
"#;

    const APPROVAL: &str = r#"jit = 1
kind = "approval"
ledger = "sha256:d70ae84d0e92ab997a9246788e9092b16411195254d634d5696baef6831a558e"
case = "sha256:f0c345b1232793affc75e3d4efd7b6b8521c20603df657af9aad0dc84d3104f0"
policy = "sha256:19b297a4f7d9a9eb3c0385aa02778c76fb164a20727ae72d43a8d9ed4b04fac8"
actor = "dave"
time = 2026-11-23T14:02:00Z

[seen]
size = 3
root = "sha256:fdb29223ffc2bea400af1fd9e067ff7cba1e10016e730aee7b64cbe43f9b721d"

[approval]
comment = "Read only; fine.\nPlease close when done."
"#;

    fn code(text: &str) -> Code {
        parse(text.as_bytes()).unwrap_err().code
    }

    #[test]
    fn canonical_events_round_trip() {
        for text in [REQUEST, APPROVAL] {
            let event = parse(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(write(&event)).unwrap(), text);
        }
    }

    /// Each row: what is done to a good event, and the code it must get.
    #[test]
    fn each_fault_has_its_code() {
        let edits: &[(Code, &str, &str)] = &[
            (Code::E01, "jit = 1\n", "jit = 1 # ok\n"),
            (Code::E01, "jit = 1\n", "\u{feff}jit = 1\n"),
            (Code::E01, "jit = 1\n", "jit = 1\r\n"),
            (Code::E01, "jit = 1\n", "jit = 0x1\n"),
            (Code::E01, "jit = 1\n", "jit  = 1\n"),
            (Code::E01, "data = [\"npi\"]\n", "data = [\"npi\"]"),
            (Code::E01, "data = [\"npi\"]\n", "data = [\"npi\"]\n\n"),
            (Code::E01, "data = [\"npi\"]\n", "data = []\n"),
            (Code::E01, "data = [\"npi\"]\n", "data = [\"pci\", \"npi\"]\n"),
            (Code::E01, "data = [\"npi\"]\n", "data = [\"npi\", \"npi\"]\n"),
            (Code::E01, "\"15m\"", "\"900s\""),
            (Code::E01, "\"15m\"", "'15m'"),
            (Code::E01, "14:15:30Z", "15:15:30+01:00"),
            (Code::E01, "14:15:30Z", "14:15:30.0Z"),
            (Code::E01, "2026-11-23T14", "2026-11-23 14"),
            (Code::E01, "sha256:a3ddf8", "sha256:A3DDF8"),
            (Code::E01, "\"alice\"", "\"\\u0061lice\""),
            (Code::E01, "8o+kaph\"\n", "8o+kaph\"\nemergency = false\n"),
            (Code::E01, "8o+kaph\"\n", "8o+kaph alice@laptop\"\n"),
            (Code::E01, "duration = \"15m\"\nbusiness_need", "business_need"), // see the second edit below
            (Code::E02, "jit = 1\n", ""),
            (Code::E02, "jit = 1\n", "jit = 1\njit = 1\n"),
            (Code::E02, "jit = 1\n", "jit = 1\nextra = true\n"),
            (Code::E02, "jit = 1\n", "jit = \"1\"\n"),
            (Code::E02, "jit = 1\n", "= 1\n"),
            (Code::E02, "size = 10", "size = -1"),
            (Code::E02, "size = 10", "size = 10.0"),
            (Code::E02, "nonce = \"6vbj325lkwnlgo6tbcbeuswhja\"\n", ""),
            (Code::E02, "\"15m\"", "\"0m\""),
            (Code::E02, "\"15m\"", "\"15 minutes\""),
            (Code::E02, "14:15:30Z", "14:15:30"),
            (Code::E02, "14:15:30Z", "14:15:30.5Z"),
            (Code::E02, "\"alice\"", "\"Alice\""),
            (Code::E02, "\"payments-db/operator\"", ""),
            (Code::E02, "\"payments-db/operator\"", "\"payments-db\""),
            (Code::E02, "\"medium\"", "\"huge\""),
            (Code::E02, "[request.risk]", "[approval]\n\n[request.risk]"),
            (Code::E02, "kind = \"request\"", "kind = \"approval\""),
            (Code::E02, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiF", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiF"),
            (Code::E02, "ticket = ", "source_address = [\"10.0.0.0/33\"]\nticket = "),
            (Code::E03, "Reads customer rows.", "."),
            (Code::E03, "Nothing is changed.", ""),
            (Code::E03, "Reads customer rows.", "Reads\\tcustomer rows."),
            (Code::E03, "Reads customer rows.", "Reads \u{202e}customer rows."),
            (Code::E03, "Reads customer rows.", "Cafe\u{301} rows."),
            (Code::E03, "INC-4711", "INC\\n4711"),
            (Code::E04, "jit = 1\n", "jit = 2\n"),
            (Code::E04, "kind = \"request\"", "kind = \"wish\""),
        ];
        for (expected, from, to) in edits {
            assert!(REQUEST.contains(from), "{from}");
            let mut text = REQUEST.replacen(from, to, 1);
            if from.starts_with("duration") {
                text = text.replacen("ticket =", "duration = \"15m\"\nticket =", 1);
            }
            assert_eq!(code(&text), *expected, "{from:?} → {to:?}");
        }
        assert_eq!(parse(b"\xff").unwrap_err().code, Code::E02);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_changed_byte_is_refused_or_says_something_else(at in 0..REQUEST.len(), to: u8) {
            let mut bytes = REQUEST.as_bytes().to_vec();
            let same = bytes[at] == to;
            bytes[at] = to;
            if let Ok(event) = parse(&bytes) {
                proptest::prop_assert_eq!(same, event == parse(REQUEST.as_bytes()).unwrap());
                proptest::prop_assert_eq!(write(&event), bytes);
            }
        }
    }
}
