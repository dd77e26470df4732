//! Who is to hear what: by tables, over the sample ledger that another producer made (its policy: 1 of sre and 1 of security
//! approve, where bob and carol are sre, dave and erin are security and may lock, rita and raj are root and both must agree). The
//! tables are what docs/notify.md says of it, written by hand.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::Path;
use std::process::Command;

use jit::domain::id::Name;
use jit::domain::state::State;
use jit::domain::time::Timestamp;
use jit::git::GitStore;
use jit::ledger::Walk;
use jit::monitor::notify::{Notice, digest, link, of_event, of_time, of_void, open_now, still};
use jit::ports::Store as _;

/// The states before the first event and behind each, and what each event gives people to hear at its own time.
fn walked() -> (Vec<State>, Vec<Vec<Notice>>) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample");
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    let mut clone = Command::new("git");
    clone.args(["clone", "-q", "--bare"]).arg(vectors.join("ledger.bundle")).arg(&ledger);
    assert!(clone.status().expect("git is needed for this test").success());
    let store = GitStore::open(&ledger).unwrap();
    let mut walk = Walk::new(&store);
    walk.aim(store.head().unwrap().unwrap()).unwrap();
    let mut states = vec![State::new()];
    let mut heard = Vec::new();
    while let Some(step) = walk.step().unwrap() {
        let (before, after) = (states.last().unwrap(), walk.replay().state());
        heard.push(match &step.said {
            Ok(event) => of_event(before, after, step.id, event, event.time),
            Err(fault) => vec![of_void(after, step.commit, fault, step.position, after.newest().unwrap())],
        });
        let after = after.clone();
        states.push(after);
    }
    (states, heard)
}

fn line(notice: &Notice) -> String {
    let names: Vec<&str> = notice.to.iter().map(Name::as_str).collect();
    format!("{} {}: {}", notice.role, notice.kind, names.join(" "))
}

fn lines(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(line).collect()
}

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

const ALL: &str = "approvers approval-wanted: bob carol dave erin";

#[test]
fn each_event_reaches_those_whom_it_concerns() {
    let (_, heard) = walked();
    let table: [&[&str]; 39] = [
        &[],                                                             // genesis
        &[ALL],                                                          // alice asks
        &[],                                                             // bob approves: who is left was asked
        &["requesters approved: alice"],                                 // dave approves
        &["requesters issued: alice"],                                   // issuance
        &[],                                                             // session start
        &[],                                                             // session end
        &["reviewers review-wanted: erin"],                              // closure; dave approved it
        &[],                                                             // nothing was left behind
        &[],                                                             // review
        &[ALL],                                                          // alice asks
        &["requesters denied: alice"],                                   // dave denies
        &[ALL],                                                          // alice asks
        &[],                                                             // and withdraws
        &[ALL],                                                          // alice asks
        &[],                                                             // carol approves
        &["requesters approved: alice"],                                 // erin approves
        &["requesters issued: alice"],                                   // issuance
        &["requesters revoked: alice", "reviewers review-wanted: dave"], // carol revokes
        &["security emergency: dave erin"], // alice, as an emergency: nobody is asked to approve it
        &["requesters issued: alice"],      // issuance
        &[],                                // review
        &[],                                // review
        &["approvers approval-wanted: raj"], // rita proposes
        &["requesters approved: rita"],     // raj agrees
        &[],                                // enactment
        &["security lock: dave erin"],      // dave locks
        &["approvers approval-wanted: rita"], // raj proposes to unlock
        &["requesters approved: raj"],      // rita agrees
        &[],                                // enactment
        &[ALL],                             // frank asks
        &[],                                // bob approves
        &["requesters approved: frank"],    // dave approves
        &[ALL],                             // frank asks
        &[],                                // bob approves
        &["security void: dave erin raj rita"], // oops
        &["approvers approval-wanted: raj"], // rita proposes to acknowledge
        &["requesters approved: rita"],     // raj agrees
        &[],                                // enactment
    ];
    assert_eq!(heard.len(), table.len());
    for (position, (heard, expected)) in heard.iter().zip(table).enumerate() {
        assert_eq!(lines(heard), expected, "position {position}");
    }
}

#[test]
fn time_reaches_people_once() {
    let (states, _) = walked();
    // The size of the log, the second before the threshold, and who hears at it.
    let table: [(usize, &str, &[&str]); 7] = [
        // Issued 14:02:30 for 30 minutes.
        (5, "23T14:27:29", &["requesters ending: alice"]),
        (5, "23T14:32:29", &["reviewers review-wanted: erin"]),
        // Wanted within 24 hours of the end.
        (5, "24T14:32:30", &["reviewers review-overdue: erin", "security review-overdue: dave"]),
        // Approved 14:38:10 and never issued: an hour.
        (39, "23T15:38:10", &["requesters lapsed: frank"]),
        // Asked 14:38:40, approved by bob, never decided: eight hours, and a quarter of an hour before them.
        (39, "23T22:23:39", &["approvers deciding-ends: dave erin"]),
        (39, "23T22:38:40", &["requesters lapsed: frank"]),
        // The emergency, from 14:20:30 for 10 minutes, reviewed by two: both are asked.
        (21, "23T14:30:29", &["reviewers review-wanted: dave erin"]),
    ];
    let one = jit::domain::time::Ttl::from_seconds(1).unwrap();
    for (size, before, expected) in table {
        let state = states.get(size).unwrap();
        let (before, now) = (at(before), at(before).plus(one));
        assert_eq!(lines(&of_time(state, before.minus(one), before)), [""; 0], "{size} {before}: too early");
        assert_eq!(lines(&of_time(state, before, now)), expected, "{size} {now}");
        assert_eq!(lines(&of_time(state, now, now.plus(one))), [""; 0], "{size} {now}: again");
    }
    // Nobody looked for a day: of what is over nobody hears that it is about to be.
    let long = of_time(states.get(5).unwrap(), at("23T14:10:00"), at("24T14:10:00"));
    assert_eq!(lines(&long), ["reviewers review-wanted: erin"]);
}

#[test]
fn what_is_open_is_told_and_what_is_over_is_not() {
    let (states, heard) = walked();
    let open = |size: usize, now: &str| lines(&open_now(states.get(size).unwrap(), at(now)));
    assert_eq!(open(2, "23T14:01:10"), [ALL]);
    assert_eq!(open(3, "23T14:01:40"), ["approvers approval-wanted: dave erin"]);
    assert_eq!(open(5, "23T14:10:00"), [""; 0]);
    assert_eq!(open(5, "23T14:30:00"), ["requesters ending: alice"]);
    // carol revoked, erin had approved, and nobody has reviewed it to the end.
    let dave = "reviewers review-wanted: dave";
    assert_eq!(open(27, "23T14:35:20"), [dave, "security lock: dave erin"]);
    let waits = "approvers approval-wanted: dave erin";
    assert_eq!(open(36, "23T14:40:00"), [dave, waits, "security void: dave erin raj rita"]);
    assert_eq!(open(39, "23T14:42:00"), [dave, waits]);

    let names = |position: usize, size: usize, now: &str| -> String {
        let notice = heard.get(position).unwrap().first().unwrap();
        let people = still(notice, states.get(size).unwrap(), at(now));
        people.iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(1, 2, "23T14:01:10"), "bob carol dave erin");
    assert_eq!(names(1, 3, "23T14:01:40"), "dave erin", "sre has approved");
    assert_eq!(names(1, 4, "23T14:02:10"), "", "it is approved");
    assert_eq!(names(1, 3, "23T22:30:00"), "", "it has lapsed");
    assert_eq!(names(3, 4, "23T14:02:10"), "alice");
    assert_eq!(names(3, 5, "23T14:02:40"), "", "it is issued: that is told");
    assert_eq!(names(26, 27, "23T20:00:00"), "dave erin");
    assert_eq!(names(26, 30, "23T20:00:00"), "", "it was lifted");
    assert_eq!(names(35, 36, "23T20:00:00"), "dave erin raj rita");
    assert_eq!(names(35, 39, "23T20:00:00"), "", "it was acknowledged");
    assert_eq!(names(11, 12, "23T14:30:00"), "alice");
    assert_eq!(names(11, 12, "23T16:30:00"), "", "no news any more");
}

#[test]
fn a_notice_is_known_by_its_id_and_survives_the_disk() {
    let (states, heard) = walked();
    let last = states.last().unwrap();
    let ledger = last.ledger().unwrap();
    let all: Vec<&Notice> = heard.iter().flatten().collect();
    let ids: std::collections::BTreeSet<_> = all.iter().map(|notice| notice.id(ledger)).collect();
    assert_eq!(ids.len(), all.len(), "no two are the same");
    for notice in &all {
        assert_eq!(Notice::of_json(&notice.json(ledger, last.name())).as_ref(), Some(*notice));
        assert!(notice.title.lines().count() == 1 && notice.lines.iter().all(|line| line.lines().count() <= 1));
    }
    // The same, told when it is found open and when it comes, is the same.
    let asked = open_now(states.get(2).unwrap(), at("23T14:01:10"));
    assert_eq!(asked.first().unwrap().id(ledger), heard.get(1).unwrap().first().unwrap().id(ledger));
    let many: Vec<Notice> = all.into_iter().cloned().collect();
    let one = digest(&many, ["bob".parse().unwrap()].into(), at("23T15:00:00")).unwrap();
    assert_eq!(one.lines.len(), 21);
    let case = last.cases().last().unwrap().id();
    assert_eq!(link(last, case).unwrap(), format!("jit:case/{}/{}", ledger.short(), case.short()));
}
