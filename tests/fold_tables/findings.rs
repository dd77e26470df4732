//! Findings (rules.md): at which second something begins to be reported.

use jit::domain::event::{Body, EndCause, ProbeResult, Recording, Residue, ResidueItem, Review, SessionEnd, Verdict};
use jit::domain::finding::Code;
use jit::domain::id::CaseId;

use super::ledger::{Ledger, answers, closure, end, policy, review, revocation, start, ttl};

/// The codes that are reported `span` from now, and a second later.
fn around(ledger: &Ledger, span: &str) -> (Vec<Code>, Vec<Code>) {
    let at = ledger.now.plus(ttl(span));
    let codes = |time| ledger.state.findings(time).iter().map(|finding| finding.code).collect();
    (codes(at), codes(at.plus(ttl("1s"))))
}

fn now(ledger: &Ledger) -> Vec<Code> {
    ledger.state.findings(ledger.now).iter().map(|finding| finding.code).collect()
}

/// A live case, half an hour long, with a session of it that has begun.
fn entered() -> (Ledger, CaseId) {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.say("db1", Some(case), Body::SessionStart(start(1, 1))).unwrap();
    (ledger, case)
}

#[test]
fn f01_a_review_is_overdue_when_its_time_is_over() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.wait("30m");
    assert_eq!(around(&ledger, "24h"), (vec![], vec![Code::F01]));
    let mut reviewed = ledger.clone();
    reviewed.say("erin", Some(case), review()).unwrap();
    assert_eq!(around(&reviewed, "24h"), (vec![], vec![]));
    // It counts from the end, whichever way it ended.
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.wait("5m");
    ledger.say("carol", Some(case), revocation()).unwrap();
    assert_eq!(around(&ledger, "24h"), (vec![], vec![Code::F01]));
    assert_eq!(ledger.state.findings(ledger.now.plus(ttl("25h")))[0].case, Some(case));

    let mut ledger = Ledger::new();
    let case = ledger.emergency().unwrap();
    ledger.mint(case).unwrap();
    ledger.wait("15m");
    assert_eq!(around(&ledger, "12h"), (vec![], vec![Code::F01]), "an emergency's own time");
}

#[test]
fn f01_of_two_reviews_the_first_to_be_due_counts() {
    let text = policy().replacen(
        "[target.payments-db.role.operator]\n",
        "[target.payments-db.role.operator]\nreview = { group = \"sre\", count = 1, within = \"1h\", checks = [\"x\"] }\n",
        1,
    );
    let mut ledger = Ledger::with(&text);
    let case = ledger
        .request("alice", |request| {
            request.targets = vec!["payments-db/operator".parse().unwrap(), "payments-db/read-only".parse().unwrap()];
        })
        .unwrap();
    ledger.say("bob", Some(case), super::ledger::approval()).unwrap();
    ledger.say("dave", Some(case), super::ledger::approval()).unwrap();
    ledger.mint(case).unwrap();
    ledger.wait("30m");
    assert_eq!(around(&ledger, "1h"), (vec![], vec![Code::F01]));
}

#[test]
fn f02_a_session_without_an_end_is_reported_from_the_end_of_the_access() {
    let (mut ledger, case) = entered();
    assert_eq!(around(&ledger, "1799s"), (vec![], vec![Code::F02]));
    let mut second = ledger.clone();
    second.say("db1", Some(case), Body::SessionStart(start(2, 1))).unwrap();
    ledger.say("db1", Some(case), Body::SessionEnd(end(1))).unwrap();
    assert_eq!(around(&ledger, "1799s"), (vec![], vec![]));
    second.say("db1", Some(case), Body::SessionEnd(end(1))).unwrap();
    assert_eq!(around(&second, "1799s"), (vec![], vec![Code::F02]), "the other one");
}

#[test]
fn f05_the_last_word_of_each_host_counts_until_a_review_follows_it_up() {
    let says = |clean: bool| {
        let result = if clean { ProbeResult::Clear } else { ProbeResult::Found };
        let item = ResidueItem { probe: "processes".into(), result, detail: "of readonly".into() };
        Body::Residue(Residue { clean, items: vec![item] })
    };
    // what db1 and a service found, one after the other → whether it is reported
    for (found, open) in [
        (&[("db1", true)][..], false),
        (&[("db1", false)], true),
        (&[("db1", false), ("db1", true)], false),
        (&[("db1", true), ("db1", false)], true),
        (&[("db1", false), ("minter", true)], true),
        (&[("minter", false), ("db1", true)], true),
        (&[("minter", false), ("db1", true), ("minter", true)], false),
    ] {
        let mut ledger = Ledger::new();
        let case = ledger.live();
        for (host, clean) in found {
            ledger.say(host, Some(case), says(*clean)).unwrap();
            ledger.wait("1m");
        }
        assert_eq!(ledger.access(case).residue_open(), open, "{found:?}");
        assert_eq!(now(&ledger), if open { vec![Code::F05] } else { vec![] }, "{found:?}");
    }
    for (verdict, open) in [(Verdict::Clean, true), (Verdict::FollowUp, false)] {
        let mut ledger = Ledger::new();
        let case = ledger.live();
        ledger.say("db1", Some(case), says(false)).unwrap();
        ledger.say("alice", Some(case), closure()).unwrap();
        let follow_up = (verdict == Verdict::FollowUp).then(|| "CHG-1".into());
        let said = Review { verdict, follow_up, ..answers(&["no lingering changes", "no open data streams"]) };
        ledger.say("erin", Some(case), Body::Review(said)).unwrap();
        assert_eq!(ledger.access(case).residue_open(), open);
    }
}

#[test]
fn f06_a_recording_is_missing_where_a_role_demands_one() {
    let off = |session| {
        Body::SessionStart(jit::domain::event::SessionStart { recording: Recording::Off, ..start(session, 1) })
    };
    let without = Body::SessionEnd(SessionEnd { recording: None, ..end(1) });
    let (mut ledger, case) = entered();
    assert_eq!(now(&ledger), []);
    let mut lost = ledger.clone();
    lost.say("db1", Some(case), without.clone()).unwrap();
    assert_eq!(now(&lost), [Code::F06], "it was said to be recorded");
    ledger.say("db1", Some(case), Body::SessionEnd(end(1))).unwrap();
    assert_eq!(now(&ledger), []);
    ledger.say("db1", Some(case), off(2)).unwrap();
    assert_eq!(now(&ledger), [Code::F06], "it runs without");
    // No role demands one.
    let mut ledger = Ledger::with(&policy().replace("record = \"required\"", "record = \"off\""));
    let case = ledger.live();
    ledger.say("db1", Some(case), off(1)).unwrap();
    ledger.say("db1", Some(case), without).unwrap();
    assert_eq!(now(&ledger), []);
}

#[test]
fn f07_a_session_began_or_went_on_after_the_end() {
    // begun and ended, in seconds from the end of the access → whether it is reported. Clocks may differ by two minutes
    // where a session ends; where one begins, sshd's own clock has looked at the certificate.
    for (begun, ended, reported) in
        [(-10, 0, false), (-10, 120, false), (-10, 121, true), (-1, 60, false), (0, 60, true), (5, 6, true)]
    {
        let mut ledger = Ledger::new();
        let case = ledger.live();
        let last = ledger.now.plus(ttl("30m"));
        let at = |seconds: i64| jit::domain::time::Timestamp::from_unix(last.unix() + seconds).unwrap();
        ledger.now = at(begun);
        ledger.say("db1", Some(case), Body::SessionStart(start(1, 1))).unwrap();
        ledger.now = at(ended);
        let said = SessionEnd { cause: EndCause::Expired, ..end(1) };
        ledger.say("db1", Some(case), Body::SessionEnd(said)).unwrap();
        ledger.now = at(600);
        assert_eq!(now(&ledger), if reported { vec![Code::F07] } else { vec![] }, "{begun} to {ended}");
    }
    // While it is live, nothing is late.
    let (ledger, _) = entered();
    assert_eq!(now(&ledger), []);
}
