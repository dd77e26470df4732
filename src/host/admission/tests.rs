//! Each reason against a login, alone, beside the login that it refuses otherwise.

use super::*;
use crate::domain::id::CommitId;
use crate::host::grants::{Ended, How};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000 + seconds).unwrap()
}

fn certificate() -> Digest {
    Digest::of(b"certificate")
}

fn grants() -> Grants {
    let opening = Opening {
        principal: "prod/payments-db/read-only".into(),
        target: "payments-db".parse().unwrap(),
        role: "payments-db/read-only".into(),
        logins: vec!["readonly".into()],
        record: true,
        recorders: Vec::new(),
        spool: false,
    };
    let grant = Grant {
        case: Digest::of(b"case"),
        requester: "alice".parse().unwrap(),
        environment: "prod".parse().unwrap(),
        serial: 7,
        certificate: certificate(),
        opens: vec![opening],
        source_address: vec!["10.0.0.0/8".parse().unwrap()],
        forwards: false,
        valid_after: at(0),
        valid_before: at(1800),
        ended: None,
        reason: "Payments are stuck.".into(),
        ticket: None,
    };
    Grants {
        host: "db1".parse().unwrap(),
        ledger: Digest::of(b"genesis"),
        head: "0123456789012345678901234567890123456789".parse::<CommitId>().unwrap(),
        size: 9,
        root: Digest::of(b"root"),
        checked: at(100),
        staleness: "10m".parse().unwrap(),
        clock_skew: "2m".parse().unwrap(),
        logins: vec!["readonly".into()],
        grants: vec![grant],
        probes: Vec::new(),
        open: Vec::new(),
    }
}

/// What becomes of the login at a time, after a change to what is published or to the attempt.
fn refused(now: i64, change: impl FnOnce(&mut Grants, &mut Attempt<'static>)) -> Option<&'static str> {
    let mut grants = grants();
    let source = Some("10.1.2.3".parse().unwrap());
    let mut attempt = Attempt { login: "readonly", certificate: certificate(), serial: 7, source };
    change(&mut grants, &mut attempt);
    admit(&grants, &attempt, at(now)).err().map(|refusal| refusal.word())
}

#[test]
fn the_grant_opens_its_login_and_nothing_more() {
    assert_eq!(refused(200, |_, _| {}), None);
    assert_eq!(refused(0, |_, _| {}), None, "its first second");
    type Change = fn(&mut Grants, &mut Attempt<'static>);
    let cases: [(i64, &str, Change); 13] = [
        (-1, "not-yet", |_, _| {}),
        (1800, "expired", |grants, _| grants.checked = at(1800)),
        (701, "stale", |_, _| {}),
        // The mirror cannot be from the future: a clock went backwards, by more than clocks may differ.
        (0, "stale", |grants, _| grants.checked = at(121)),
        (200, "not-in-ledger", |_, attempt| attempt.certificate = Digest::of(b"the same serial, another certificate")),
        (200, "not-in-ledger", |grants, _| grants.grants.clear()),
        (200, "wrong-host", |grants, _| grants.grants[0].opens.clear()),
        (200, "wrong-login", |_, attempt| attempt.login = "root"),
        (200, "wrong-login", |_, attempt| attempt.login = "readonl"),
        (200, "ended", |grants, _| {
            grants.grants[0].ended = Some(Ended { how: How::Revoked, why: "dave revoked it".into() });
        }),
        (200, "wrong-source", |_, attempt| attempt.source = Some("192.0.2.1".parse().unwrap())),
        (200, "wrong-source", |_, attempt| attempt.source = Some("::1".parse().unwrap())),
        (200, "wrong-source", |grants, attempt| {
            grants.grants[0].source_address = vec!["2001:db8::/32".parse().unwrap()];
            attempt.source = Some("10.1.2.3".parse().unwrap());
        }),
    ];
    for (row, (now, word, change)) in cases.into_iter().enumerate() {
        assert_eq!(refused(now, change), Some(word), "row {row}");
    }
    // At the edges of what is refused above.
    assert_eq!(refused(1799, |grants, _| grants.checked = at(1799)), None);
    assert_eq!(refused(700, |_, _| {}), None);
    assert_eq!(refused(0, |grants, _| grants.checked = at(120)), None);
    // An IPv4 address that sshd writes as IPv6; and sshd that does not tell, having looked itself.
    assert_eq!(refused(200, |_, attempt| attempt.source = Some("::ffff:10.1.2.3".parse().unwrap())), None);
    assert_eq!(refused(200, |_, attempt| attempt.source = None), None);
}

#[test]
fn what_is_published_reads_back() {
    let grants = grants();
    let bytes = serde_json::to_vec(&grants).unwrap();
    assert_eq!(serde_json::from_slice::<Grants>(&bytes).unwrap(), grants);
    // Cut anywhere it is nothing that admits.
    for end in 0..bytes.len() {
        assert!(serde_json::from_slice::<Grants>(&bytes[..end]).is_err(), "{end}");
    }
}
