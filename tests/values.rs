//! The values that everything is made of (format.md, section 2): what a name, a time, a key and a text may be, at the edges.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jit::domain::id::{CaseId, Digest, IdError, Name, Nonce, ObjectId, RoleRef, base32_lower};
use jit::domain::key::{KeyError, KeyKind, Presence, PublicKey, Wire, put_string};
use jit::domain::text::{TextFault, check_free, check_line, check_reason, is_bidi_control, visible, wrapped};
use jit::domain::time::{TimeError, Timestamp, Ttl};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn span(seconds: u64) -> Ttl {
    Ttl::from_seconds(seconds).unwrap()
}

/// 9999-12-31T23:59:59Z, by `date -u -d … +%s`.
const LAST: i64 = 253_402_300_799;

#[test]
fn times_are_of_four_digit_years_since_1970() {
    assert_eq!(time(0).to_string(), "1970-01-01T00:00:00Z");
    assert_eq!(time(LAST).to_string(), "9999-12-31T23:59:59Z");
    assert_eq!(format!("{:?}", time(0)), "1970-01-01T00:00:00Z");
    assert_eq!((Timestamp::from_unix(-1), Timestamp::from_unix(LAST + 1)), (None, None));
    assert_eq!("9999-12-31T23:59:59Z".parse(), Ok(time(LAST)));
    assert_eq!("10000-01-01T00:00:00Z".parse::<Timestamp>(), Err(TimeError::Timestamp));
    assert_eq!("+2026-11-23T14:05:09Z".parse::<Timestamp>(), Err(TimeError::Timestamp));
    // 2026-11-23T14:05:09Z, by `date -u -d … +%s`.
    let then = time(1_795_442_709);
    assert_eq!((then.unix(), then.unix_u64()), (1_795_442_709, 1_795_442_709));
    assert_eq!(then.utc().timestamp(), 1_795_442_709);
    assert_eq!((then.plus(span(60)).unix(), then.minus(span(60)).unix()), (1_795_442_769, 1_795_442_649));
    assert_eq!((time(LAST).plus(span(1)), time(LAST - 1).plus(span(1))), (time(LAST), time(LAST)));
    assert_eq!((time(0).minus(span(1)), time(1).minus(span(1))), (time(0), time(0)));
    assert_eq!((time(70).since(time(10)), time(10).since(time(70))), (60, -60));
    assert_eq!(time(3600 * 9 + 59).hour_path(), "1970/01/01/09");
    assert_eq!(format!("{:>22}|", time(0)), "  1970-01-01T00:00:00Z|");
}

#[test]
fn spans_are_one_second_to_a_hundred_years() {
    let longest = 100 * 366 * 24 * 3600;
    assert_eq!((Ttl::from_seconds(0), Ttl::from_seconds(longest + 1)), (None, None));
    assert_eq!((span(1).seconds(), span(longest).seconds()), (1, longest));
    // What people type, and what a file holds for it.
    for (typed, seconds, written) in [
        ("1s", 1, "1s"),
        ("59s", 59, "59s"),
        ("60s", 60, "1m"),
        ("61s", 61, "61s"),
        ("59m", 3540, "59m"),
        ("60m", 3600, "1h"),
        ("90m", 5400, "90m"),
        ("1h", 3600, "1h"),
        ("2d", 172_800, "48h"),
        ("007m", 420, "7m"),
        ("878400h", longest, "878400h"),
    ] {
        let parsed = Ttl::from_human(typed).unwrap();
        assert_eq!((parsed.seconds(), parsed.to_string().as_str()), (seconds, written), "{typed}");
        assert_eq!(typed.parse::<Ttl>().is_ok(), typed == written, "{typed}");
    }
    for bad in ["", "s", "1", "+1h", "0h", "878401h", "1w", "1S", "1 s", "-1s", "1.0s", "１s", "18446744073709551616s"]
    {
        assert_eq!(Ttl::from_human(bad), Err(TimeError::Ttl), "{bad:?}");
    }
}

#[test]
fn ids_have_one_spelling() {
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let empty = Digest::of(b"");
    assert_eq!(
        (empty.hex().as_str(), format!("{empty:?}"), empty.to_string()),
        (hex, format!("sha256:{hex}"), format!("sha256:{hex}"))
    );
    assert_eq!(Digest::from_bytes(*empty.as_bytes()), empty);
    assert_eq!((CaseId(empty).to_string(), CaseId(empty).short()), (empty.to_string(), "4oymiquy7qobjgx3".into()));
    for bad in [
        hex.to_owned(),
        format!("sha256:{}", &hex[..62]),
        format!("sha256:{hex}00"),
        format!("sha256:{}", hex.to_uppercase()),
    ] {
        assert_eq!(bad.parse::<Digest>(), Err(IdError::Digest), "{bad}");
    }
    // `git hash-object -t tree /dev/null`.
    let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let id: ObjectId = tree.parse().unwrap();
    assert_eq!((id.to_string(), format!("{id:?}"), id.short()), (tree.into(), tree.into(), "4b825dc642cb".into()));
    assert_eq!(ObjectId::from_bytes(*id.as_bytes()), id);
    for bad in [&tree[..38], &format!("{tree}00"), &tree.to_uppercase(), ""] {
        assert_eq!(bad.parse::<ObjectId>(), Err(IdError::Commit), "{bad}");
    }
}

#[test]
fn names_roles_and_nonces_have_one_spelling() {
    let name: Name = "db-1.eu_west".parse().unwrap();
    assert_eq!(
        (name.as_str(), name.to_string().as_str(), format!("{name:?}").as_str()),
        ("db-1.eu_west", "db-1.eu_west", "\"db-1.eu_west\"")
    );
    assert_eq!((format!("{name:>14}|"), String::from(name.clone())), ("  db-1.eu_west|".into(), "db-1.eu_west".into()));
    assert_eq!(Name::try_from("db-1.eu_west"), Ok(name.clone()));
    assert!(std::collections::BTreeSet::from([name]).contains("db-1.eu_west"));
    for good in ["0", "9a", "z", "a-", "a.", "a_"] {
        assert!(good.parse::<Name>().is_ok(), "{good}");
    }
    for bad in ["_a", "a/b", "a{", "a`", "a:", "a@", "É", " a", "a "] {
        assert_eq!(bad.parse::<Name>(), Err(IdError::Name), "{bad}");
        assert_eq!(Name::try_from(bad), Err(IdError::Name));
    }
    let role: RoleRef = "payments-db/read-only".parse().unwrap();
    assert_eq!((role.target.as_str(), role.role.as_str()), ("payments-db", "read-only"));
    assert_eq!(format!("{role:>23}|"), "  payments-db/read-only|");

    // `head -c 16 /dev/zero | base32`, without padding, in lower case; and of 16 times 0xff.
    assert_eq!(Nonce::from_random([0; 16]).as_str(), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(Nonce::from_random([0xff; 16]).to_string(), "77777777777777777777777774");
    for good in ["abcdefghijklmnopqrstuvwxyz", "22222222222222222222222222", "77777777777777777777777777"] {
        assert_eq!(good.parse::<Nonce>().unwrap().as_str(), good);
    }
    for bad in [
        "a",
        "aaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "1aaaaaaaaaaaaaaaaaaaaaaaaa",
        "8aaaaaaaaaaaaaaaaaaaaaaaaa",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        assert_eq!(bad.parse::<Nonce>(), Err(IdError::Nonce), "{bad}");
    }
    // RFC 4648, section 10, in lower case and without padding.
    let base32 = base32_lower().encoding().unwrap();
    assert_eq!((base32.encode(b"foobar"), base32.encode(b"foo")), ("mzxw6ytboi".into(), "mzxw6".into()));
}

/// `bytes` and then `fill`, to 32 bytes.
fn case(bytes: &[u8], fill: u8) -> CaseId {
    let mut all = [fill; 32];
    all[..bytes.len()].copy_from_slice(bytes);
    CaseId(Digest::from_bytes(all))
}

#[test]
fn the_beginning_of_an_id_is_a_range_of_ids() {
    // RFC 4648, section 6: five bits a character; a is 0, b is 1, z is 25, 2 is 26, 7 is 31.
    for (text, low, high) in [
        ("a", &[0x00][..], &[0x07][..]),
        ("b", &[0x08], &[0x0f]),
        ("z", &[0xc8], &[0xcf]),
        ("2", &[0xd0], &[0xd7]),
        ("7", &[0xf8], &[0xff]),
        ("ab", &[0x00, 0x40], &[0x00, 0x7f]),
        ("4oym", &[0xe3, 0xb0, 0xc0], &[0xe3, 0xb0, 0xcf]),
    ] {
        assert_eq!(CaseId::begin_short(text), Some(case(low, 0)..=case(high, 0xff)), "{text}");
    }
    for (text, low, high) in [
        ("0", &[0x00][..], &[0x0f][..]),
        ("e", &[0xe0], &[0xef]),
        ("e3b", &[0xe3, 0xb0], &[0xe3, 0xbf]),
        ("e3b0", &[0xe3, 0xb0], &[0xe3, 0xb0]),
    ] {
        assert_eq!(CaseId::begin_hex(text), Some(case(low, 0)..=case(high, 0xff)), "{text}");
    }
    // An id is among those that each of its beginnings names; its neighbour is not once they differ.
    let id = CaseId(Digest::of(b""));
    let mut other = *id.0.as_bytes();
    other[9] ^= 1;
    let other = CaseId(Digest::from_bytes(other));
    for length in 1..=16 {
        let range = CaseId::begin_short(&id.short()[..length]).unwrap();
        assert_eq!((range.contains(&id), range.contains(&other)), (true, length < 16), "{length}");
    }
    for length in 1..=64 {
        let range = CaseId::begin_hex(&id.0.hex()[..length]).unwrap();
        assert_eq!((range.contains(&id), range.contains(&other)), (true, length < 20), "{length}");
    }
    for bad in ["", "1", "8", "A", "4oy ", "4oymiquy7qobjgx3a"] {
        assert_eq!(CaseId::begin_short(bad), None, "{bad:?}");
    }
    for bad in ["", "g", "e3 ", &"0".repeat(65)] {
        assert_eq!(CaseId::begin_hex(bad), None, "{bad:?}");
    }
    let object = |bytes: &[u8], fill: u8| {
        let mut all = [fill; 20];
        all[..bytes.len()].copy_from_slice(bytes);
        ObjectId::from_bytes(all)
    };
    assert_eq!(ObjectId::begin("4b8"), Some(object(&[0x4b, 0x80], 0)..=object(&[0x4b, 0x8f], 0xff)));
    let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    assert_eq!(ObjectId::begin(tree), Some(tree.parse().unwrap()..=tree.parse().unwrap()));
    assert_eq!((ObjectId::begin(""), ObjectId::begin("x"), ObjectId::begin(&format!("{tree}0"))), (None, None, None));
}

/// The labels and bytes of a key, as RFC 4253 strings.
fn blob(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[test]
fn keys_are_of_two_kinds() {
    let alice = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcLYJiFdFj95YaXsHuvhjvt6d0nPiBSeWxAU8o+kaph";
    let software: PublicKey = alice.parse().unwrap();
    assert_eq!((software.kind(), software.is_hardware(), software.label()), (&KeyKind::Ed25519, false, "ssh-ed25519"));
    assert_eq!(software.blob(), blob(&[b"ssh-ed25519", software.point()]));
    assert_eq!(PublicKey::ed25519(*software.point()), Ok(software.clone()));
    assert_eq!(format!("{software:?}"), alice);

    let sk: &[u8] = b"sk-ssh-ed25519@openssh.com";
    let written = blob(&[sk, software.point(), b"ssh:"]);
    let hardware = PublicKey::from_blob(&written).unwrap();
    assert_eq!(hardware.kind(), &KeyKind::SkEd25519 { application: "ssh:".into() });
    assert_eq!(
        (hardware.is_hardware(), hardware.label(), hardware.blob()),
        (true, "sk-ssh-ed25519@openssh.com", written)
    );
    assert_eq!((hardware.point(), hardware == software), (software.point(), false));
    assert_eq!(hardware.to_string().parse(), Ok(hardware.clone()));
    for (parts, error) in [
        (&[b"ssh-rsa", &software.point()[..]][..], KeyError::Type("ssh-rsa".into())),
        (&[b"ssh-ed25519"], KeyError::Blob),
        (&[b"ssh-ed25519", &software.point()[..31]], KeyError::Blob),
        (&[b"ssh-ed25519", software.point(), b""], KeyError::Blob),
        (&[sk, software.point()], KeyError::Blob),
        (&[sk, software.point(), b"\xff"], KeyError::Blob),
        (&[sk, software.point(), b"ssh:", b""], KeyError::Blob),
        (&[b"ssh-ed25519", &[0; 32]], KeyError::Weak),
    ] {
        assert_eq!(PublicKey::from_blob(&blob(parts)), Err(error), "{parts:?}");
    }
    let body = alice.split_once(' ').unwrap().1;
    for (text, error) in [
        (body.to_owned(), KeyError::Text),
        (format!("ssh-rsa {body}"), KeyError::Type("ssh-rsa".into())),
        (format!("sk-ssh-ed25519@openssh.com {body}"), KeyError::Blob),
        (format!("{alice} alice"), KeyError::Blob),
        (format!("{alice}="), KeyError::Blob),
    ] {
        assert_eq!(text.parse::<PublicKey>(), Err(error), "{text}");
    }
    assert_eq!(PublicKey::from_pub_line(&format!(" {alice}  alice@laptop\n")), Ok(software.clone()));
    assert_eq!(PublicKey::from_pub_line("ssh-ed25519"), Err(KeyError::Text));
    assert_eq!((Presence::at_best(&software).touch, Presence::at_best(&software).pin), (false, false));
    assert_eq!((Presence::at_best(&hardware).touch, Presence::at_best(&hardware).pin), (true, true));
    // A weak key cannot be held, wherever it is read from.
    let kept = serde_json::to_string(&hardware).unwrap();
    assert_eq!(serde_json::from_str::<PublicKey>(&kept).unwrap(), hardware);
    let weak = serde_json::to_string(&(KeyKind::Ed25519, [0_u8; 32])).unwrap();
    assert!(serde_json::from_str::<PublicKey>(&weak).is_err());
}

#[test]
fn the_wire_is_read_to_its_end_and_no_further() {
    let bytes = [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, b'o', b'k', 0, 0, 0, 1, 0xff, 9];
    let mut wire = Wire::new(&bytes);
    assert_eq!((wire.u8(), wire.u32(), wire.u64(), wire.text()), (Some(1), Some(2), Some(3), Some("ok")));
    assert_eq!((wire.rest(), wire.is_empty()), (&[0, 0, 0, 1, 0xff, 9][..], false));
    assert_eq!(wire.text(), None, "no UTF-8");
    assert_eq!((wire.rest(), wire.take(2)), (&[9][..], None));
    assert_eq!((wire.take(1), wire.is_empty(), wire.u8()), (Some(&[9][..]), true, None));
    assert_eq!((wire.take(0), wire.rest().len()), (Some(&[][..]), 0));
    for length in 0..4 {
        assert_eq!((Wire::new(&bytes[..length]).u32(), Wire::new(&bytes[..length]).string()), (None, None));
    }
    assert_eq!(Wire::new(&[0, 0, 0, 2, 1]).string(), None);
    assert_eq!(Wire::new(&[0; 7]).u64(), None);
    let mut out = b"x".to_vec();
    put_string(&mut out, &[7; 258]);
    assert_eq!((&out[..6], out.len()), (&b"x\0\0\x01\x02\x07"[..], 263));
}

#[test]
fn text_holds_nothing_that_hides() {
    // UAX #9, Bidi_Control: the marks, the embeddings and overrides, the isolates; and their neighbours.
    let controls = [
        '\u{061c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}',
        '\u{2067}', '\u{2068}', '\u{2069}',
    ];
    for c in controls {
        assert!(is_bidi_control(c));
        assert_eq!(check_line(&format!("a{c}")), Err(TextFault::Bidirectional), "{c:?}");
        assert_eq!(check_free(&format!("a{c}")), Err(TextFault::Bidirectional), "{c:?}");
        assert_eq!(visible(&c.to_string()), format!("\\u{{{:x}}}", u32::from(c)));
    }
    for c in ['\u{061b}', '\u{061d}', '\u{200d}', '\u{2010}', '\u{2029}', '\u{202f}', '\u{2065}', '\u{206a}', 'a'] {
        assert!(!is_bidi_control(c), "{c:?}");
    }
    assert_eq!(
        (check_line("plain"), check_line("a\nb"), check_line("e\u{301}")),
        (Ok(()), Err(TextFault::Control), Err(TextFault::NotNfc))
    );
    assert_eq!(
        (check_reason("a"), check_reason("7"), check_reason("a\u{7}")),
        (Ok(()), Ok(()), Err(TextFault::Control))
    );
    // What nobody can see is shown.
    for c in [
        '\u{ad}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{2064}',
        '\u{feff}',
        '\u{fff9}',
        '\u{fffb}',
        '\u{e0001}',
        '\u{e007f}',
        '\r',
        '\t',
        '\u{9b}',
    ] {
        assert_eq!(visible(&format!("a{c}b")), format!("a\\u{{{:x}}}b", u32::from(c)), "{c:?}");
    }
    assert_eq!(visible("é\n決済 ok"), "é\n決済 ok");
}

#[test]
fn text_is_wrapped_at_spaces() {
    let lines = |text: &str, width| wrapped(text, width, |line| line.chars().count());
    assert_eq!(lines("one two three", 7), ["one two", "three"]);
    assert_eq!(lines("one two three", 6), ["one", "two", "three"]);
    assert_eq!(lines("one two three", 13), ["one two three"]);
    assert_eq!(lines("a considerable word", 5), ["a", "considerable", "word"]);
    assert_eq!(lines("", 5), [""]);
    assert_eq!(lines("éé éé", 5), ["éé éé"]);
}
