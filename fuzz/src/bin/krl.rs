//! Revocation lists: what passes the check says the same to a second reader, which knows only PROTOCOL.krl; and what is
//! written passes.
#![no_main]

use std::collections::BTreeMap;

use jit::domain::key::PublicKey;
use jit::domain::time::Timestamp;
use jit::issue::krl::{Revocations, check, write};
use jit_fuzz::Input;

const CA: &str = include_str!("../../../tests/vectors/sample/keys/ca-prod.pub");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(summary) = check(bytes, 0) {
        let read = read(bytes).expect("the second reader takes what the first one takes");
        let mut count = 0_u64;
        for (ca, ranges) in &read {
            for (first, last) in ranges {
                count = count.saturating_add(last - first).saturating_add(1);
                assert!(*first > 0 && summary.revokes(ca, *first) && summary.revokes(ca, *last));
                assert!(summary.revokes(ca, first + (last - first) / 2));
                let inside = |serial: u64| ranges.iter().any(|(first, last)| (*first..=*last).contains(&serial));
                for beside in [first.checked_sub(1), last.checked_add(1)].into_iter().flatten() {
                    assert_eq!(summary.revokes(ca, beside), inside(beside), "{beside}");
                }
            }
        }
        assert_eq!(summary.count(), count);
        assert!(check(bytes, summary.version).is_ok());
        assert!(summary.version == u64::MAX || check(bytes, summary.version + 1).is_err(), "an older list is refused");
        // A list that is cut anywhere is none.
        let cut = bytes.len() / 2;
        assert!(check(&bytes[..cut], 0).is_err() && check(&bytes[..bytes.len() - 1], 0).is_err());
    }

    // Written from numbers: runs and gaps.
    let mut input = Input(bytes);
    let mut revoked = Revocations::new();
    let mut serial = 0_u64;
    let serials = revoked.entry(jit_fuzz::public_key(CA)).or_default();
    while !input.is_empty() && serials.len() < 4096 {
        let gap = u64::from(input.byte());
        serial += 1 + if gap > 250 { gap << 32 } else { gap };
        for _ in 0..=input.byte() % 64 {
            serials.insert(serial);
            serial += 1;
        }
    }
    let list = write(7, Timestamp::from_unix(1_795_442_400).expect("a time"), "", &revoked).expect("a list");
    assert!(check(&list, 7).expect("our own").revokes_exactly(&revoked));
});

/// PROTOCOL.krl, without any doubt: every certificate section's CA and its serials, as ranges.
fn read(bytes: &[u8]) -> Option<BTreeMap<PublicKey, Vec<(u64, u64)>>> {
    let mut rest = bytes.strip_prefix(b"SSHKRL\n\0")?;
    take(&mut rest, 4 + 8 + 8 + 8)?;
    string(&mut rest)?;
    string(&mut rest)?;
    let mut found: BTreeMap<PublicKey, Vec<(u64, u64)>> = BTreeMap::new();
    while !rest.is_empty() {
        take(&mut rest, 1)?;
        let mut section = string(&mut rest)?;
        let ca = string(&mut section)?;
        string(&mut section)?;
        while !section.is_empty() {
            let kind = take(&mut section, 1)?[0];
            let mut body = string(&mut section)?;
            if kind == 0x23 {
                continue;
            }
            let ranges = found.entry(PublicKey::from_blob(ca).ok()?).or_default();
            match kind {
                0x20 => {
                    while !body.is_empty() {
                        let serial = number(&mut body)?;
                        ranges.push((serial, serial));
                    }
                }
                0x21 => ranges.push((number(&mut body)?, number(&mut body)?)),
                0x22 => {
                    let offset = number(&mut body)?;
                    let bits = string(&mut body)?;
                    for place in 0..bits.len() * 8 {
                        if bits[bits.len() - 1 - place / 8] >> (place % 8) & 1 == 1 {
                            let serial = offset + u64::try_from(place).ok()?;
                            ranges.push((serial, serial));
                        }
                    }
                }
                _ => return None,
            }
        }
    }
    Some(found)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, usize::try_from(length).ok()?)
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(take(rest, 8)?.try_into().ok()?))
}
