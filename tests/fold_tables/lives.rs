//! The life of an access case (rules.md, "The life of a case"): until when it is what, and when an event may land.

use jit::domain::event::{Body, Lock, LockScope, Proposal, Residue, Subject};
use jit::domain::finding::Code;
use jit::domain::state::access::EndedBy;
use jit::domain::state::case::CaseState::{
    self, Approved, Denied, Ended, Lapsed, Live, Pending, ReviewDue, Reviewed, Withdrawn,
};

use super::ledger::{
    Ledger, answers, approval, closure, denial, end, key, name, policy, review, revocation, start, ttl, withdrawal,
};

#[test]
fn a_request_is_pending_until_decide_within_has_passed() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ()).unwrap();
    assert_eq!(ledger.around(case, "8h"), (Pending, Lapsed));
    ledger.say("bob", Some(case), approval()).unwrap();
    assert_eq!(ledger.around(case, "8h"), (Pending, Lapsed), "half a quorum decides nothing");
    ledger.wait("8h");
    let mut late = ledger.clone();
    ledger.say("dave", Some(case), approval()).unwrap();
    assert_eq!(ledger.around(case, "1h"), (Approved, Lapsed));
    late.wait("1s");
    assert_eq!(late.refused("dave", case, approval()), Some(Code::A03));
    assert_eq!(late.refused("dave", case, denial()), Some(Code::A03));
    assert_eq!(late.refused("alice", case, withdrawal()), Some(Code::A09));
    assert_eq!(late.refused("carol", case, revocation()), Some(Code::A09));
}

#[test]
fn an_approved_request_waits_for_its_credential_until_activate_within_has_passed() {
    // not_before, after the quorum was met → until when it may be issued
    for (booked, until) in [(None, "1h"), (Some("20m"), "80m"), (Some("0s"), "1h")] {
        let mut ledger = Ledger::new();
        let start = booked.map(|span| if span == "0s" { ledger.now } else { ledger.now.plus(ttl(span)) });
        let case = ledger.request("alice", |request| request.not_before = start).unwrap();
        ledger.say("bob", Some(case), approval()).unwrap();
        ledger.say("dave", Some(case), approval()).unwrap();
        assert_eq!(ledger.access(case).decided, Some(ledger.now));
        assert_eq!(ledger.around(case, until), (Approved, Lapsed), "{booked:?}");
        if booked == Some("20m") {
            ledger.wait("1199s");
            assert_eq!(ledger.mint(case), Err(Code::A04), "a second before the window");
            ledger.wait("1s");
            let from = ledger.now;
            ledger.mint(case).unwrap();
            assert_eq!(ledger.access(case).issued[0].valid_after, from, "decision 5");
        } else {
            ledger.wait(until);
            let mut late = ledger.clone();
            ledger.mint(case).unwrap();
            late.wait("1s");
            assert_eq!(late.mint(case), Err(Code::A04));
        }
    }
}

#[test]
fn a_quorum_that_is_met_with_the_window_past_counts_from_the_quorum() {
    let mut ledger = Ledger::new();
    let start = ledger.now;
    let case = ledger.request("alice", |request| request.not_before = Some(start)).unwrap();
    ledger.wait("2h");
    ledger.say("bob", Some(case), approval()).unwrap();
    ledger.say("dave", Some(case), approval()).unwrap();
    assert_eq!(ledger.around(case, "1h"), (Approved, Lapsed));
}

#[test]
fn a_credential_is_live_until_its_end_and_a_second_one_has_the_same() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let begun = ledger.now;
    let last = "1799s";
    assert_eq!(ledger.around(case, last), (Live, ReviewDue));
    assert_eq!(ledger.access(case).starts(), Some(begun));
    assert_eq!(ledger.access(case).ends(), Some(begun.plus(ttl("30m"))));
    assert_eq!(ledger.access(case).issued[0].valid_after, begun.minus(ttl("1m")), "a minute for clocks that are slow");
    ledger.wait("10m");
    ledger.mint(case).unwrap();
    assert_eq!(ledger.access(case).starts(), Some(begun));
    assert_eq!(ledger.access(case).issued[1].valid_before, begun.plus(ttl("30m")));
    assert_eq!(ledger.access(case).issued[1].time, ledger.now);
    assert_eq!(ledger.around(case, "1199s"), (Live, ReviewDue));
    ledger.wait("20m");
    assert_eq!(ledger.mint(case), Err(Code::A04));
}

#[test]
fn what_ends_an_access_first_is_why_it_ended() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let begun = ledger.now;
    ledger.wait("5m");
    let mut closed = ledger.clone();
    ledger.say("carol", Some(case), revocation()).unwrap();
    let revoked = ledger.now;
    ledger.wait("1m");
    ledger.say("alice", Some(case), closure()).unwrap();
    ledger.wait("1h");
    assert_eq!(ledger.access(case).ended(ledger.now), Some((revoked, EndedBy::Revoked)));
    assert_eq!(ledger.access(case).revoked, Some((name("carol"), revoked)));

    closed.say("alice", Some(case), closure()).unwrap();
    assert_eq!(closed.stands(case), ReviewDue);
    closed.wait("1h");
    assert_eq!(closed.access(case).ended(closed.now), Some((revoked, EndedBy::Closed)));
    assert_eq!(closed.refused("alice", case, closure()), Some(Code::A09), "it is closed already");

    // It expires first, and is closed later.
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.wait("30m");
    let expired = ledger.now;
    assert_eq!(ledger.access(case).ended(expired), Some((begun.plus(ttl("30m")), EndedBy::Expired)));
    ledger.wait("5m");
    ledger.say("alice", Some(case), closure()).unwrap();
    assert_eq!(ledger.access(case).ended(ledger.now), Some((expired, EndedBy::Expired)));
}

/// When an event may land: the table of rules.md. Each event at each state of an access, and the code where it may not.
#[test]
fn an_event_lands_at_the_states_of_the_table() {
    let mut new = Ledger::new();
    let case = new.request("alice", |_| ()).unwrap();
    new.wait("1m");
    let pending = new.clone();
    let with = |ledger: &Ledger, said: &[(&str, Body)]| {
        let mut next = ledger.clone();
        for (actor, body) in said {
            next.say(actor, Some(case), body.clone()).unwrap();
            next.wait("1m");
        }
        next
    };
    let approved = with(&pending, &[("bob", approval()), ("dave", approval())]);
    let mut live = approved.clone();
    live.mint(case).unwrap();
    live.wait("1m");
    let mut expired = live.clone();
    expired.wait("30m");
    let closed = with(&live, &[("alice", closure())]);
    let revoked = with(&live, &[("carol", revocation())]);
    let reviewed = with(&expired, &[("erin", review())]);
    let mut lapsed = pending.clone();
    lapsed.wait("8h");
    let ledgers: [(&str, Ledger, CaseState); 12] = [
        ("denied", with(&pending, &[("erin", denial())]), Denied),
        ("withdrawn", with(&approved, &[("alice", withdrawal())]), Withdrawn),
        ("lapsed", lapsed, Lapsed),
        ("revoked before", with(&approved, &[("carol", revocation())]), Ended),
        ("pending", pending, Pending),
        ("approved", approved, Approved),
        ("live", live, Live),
        ("expired", expired, ReviewDue),
        ("closed", closed.clone(), ReviewDue),
        ("revoked", revoked.clone(), ReviewDue),
        ("revoked and closed", with(&revoked, &[("alice", closure())]), ReviewDue),
        ("reviewed", reviewed, Reviewed),
    ];
    let events: [(&str, &str, Body, &[&str], Code); 9] = [
        ("approval", "carol", approval(), &["pending"], Code::A03),
        ("denial", "erin", denial(), &["pending"], Code::A03),
        ("withdrawal", "alice", withdrawal(), &["pending", "approved"], Code::A09),
        ("revocation", "carol", revocation(), &["pending", "approved", "live"], Code::A09),
        ("by the requester", "alice", revocation(), &["pending", "approved", "live"], Code::A09),
        ("by a service", "stager", revocation(), &["pending", "approved", "live"], Code::A09),
        ("closure", "alice", closure(), &["live", "expired", "revoked", "reviewed"], Code::A09),
        (
            "residue",
            "db1",
            Body::Residue(Residue { clean: true, items: Vec::new() }),
            &["live", "expired", "closed", "revoked", "revoked and closed", "reviewed"],
            Code::A09,
        ),
        ("review", "erin", review(), &["expired", "closed", "revoked", "revoked and closed"], Code::A09),
    ];
    for (state, ledger, stands) in &ledgers {
        assert_eq!(ledger.stands(case), *stands, "{state}");
        for (what, actor, body, allowed, code) in &events {
            let expected = (!allowed.contains(state)).then_some(*code);
            assert_eq!(ledger.refused(actor, case, body.clone()), expected, "{what} of a case that is {state}");
        }
        let mint = ledger.clone().mint(case).err();
        let may_mint = ["approved", "live"].contains(state);
        assert_eq!(mint, (!may_mint).then_some(Code::A04), "issuance of a case that is {state}");
        let started = Body::SessionStart(start(1, 1));
        let issued = ["live", "expired", "closed", "revoked", "revoked and closed", "reviewed"].contains(state);
        assert_eq!(ledger.refused("db1", case, started), (!issued).then_some(Code::A08), "session of {state}");
        // A second reviewer beside the first is welcome, once.
        let other = if *state == "reviewed" { ledger.refused("erin", case, review()) } else { Some(Code::A09) };
        assert_eq!(other, Some(Code::A09));
    }
}

#[test]
fn what_was_never_issued_or_needs_no_review_is_over_when_it_ends() {
    let mut ledger = Ledger::new();
    let case =
        ledger.request("alice", |request| request.targets = vec!["payments-db/operator".parse().unwrap()]).unwrap();
    ledger.say("bob", Some(case), approval()).unwrap();
    ledger.say("dave", Some(case), approval()).unwrap();
    ledger.mint(case).unwrap();
    assert_eq!(ledger.around(case, "1799s"), (Live, Ended));
    ledger.wait("30m");
    assert_eq!(ledger.refused("erin", case, review()), Some(Code::A09), "no role names a reviewer");
}

#[test]
fn a_session_is_begun_and_ended_once_by_its_host() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let began = |session, serial| Body::SessionStart(start(session, serial));
    let ended = |session| Body::SessionEnd(end(session));
    assert_eq!(ledger.refused("web1", case, began(1, 1)), Some(Code::A08), "it serves another target");
    assert_eq!(ledger.refused("alice", case, began(1, 1)), Some(Code::A08), "she is no host");
    assert_eq!(ledger.refused("db1", case, began(1, 2)), Some(Code::A08), "another serial");
    assert_eq!(ledger.refused("db1", case, ended(1)), Some(Code::A08), "an end without a start");
    ledger.say("db1", Some(case), began(1, 1)).unwrap();
    assert_eq!(ledger.refused("db1", case, began(1, 1)), Some(Code::A08), "the same name");
    assert_eq!(ledger.refused("web1", case, ended(1)), Some(Code::A08), "another host");
    assert_eq!(ledger.refused("alice", case, ended(1)), Some(Code::A08), "no host");
    ledger.say("db1", Some(case), began(2, 1)).unwrap();
    ledger.wait("1m");
    ledger.say("db1", Some(case), ended(2)).unwrap();
    let sessions = &ledger.access(case).sessions;
    assert_eq!((sessions[0].ended, sessions[0].recorded), (None, None), "its own end, not another's");
    assert_eq!(sessions[1].ended.map(|(time, _)| time), Some(ledger.now));
    assert_eq!((sessions[1].host.as_str(), sessions[1].serial, sessions[1].login.as_str()), ("db1", 1, "readonly"));
    assert_eq!(ledger.refused("db1", case, ended(2)), Some(Code::A08), "it ended already");
    assert_eq!(ledger.refused("db1", case, began(2, 1)), Some(Code::A08), "a name that was used");
    ledger.say("db1", Some(case), ended(1)).unwrap();
}

#[test]
fn a_host_that_left_its_target_may_still_end_its_session() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.say("db1", Some(case), Body::SessionStart(start(1, 1))).unwrap();
    ledger.change(|text| text.replace("targets = [\"payments-db\"]", "targets = [\"shop-web\"]"));
    assert_eq!(ledger.refused("db1", case, Body::SessionStart(start(2, 1))), Some(Code::A08));
    ledger.say("db1", Some(case), Body::SessionEnd(end(1))).unwrap();
}

#[test]
fn residue_is_reported_by_a_service_or_a_host_of_the_case() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    let found = Body::Residue(Residue { clean: true, items: Vec::new() });
    for (actor, code) in [
        ("db1", None),
        ("minter", None),
        ("web1", Some(Code::A09)),
        ("alice", Some(Code::A09)),
        ("erin", Some(Code::A09)),
    ] {
        assert_eq!(ledger.refused(actor, case, found.clone()), code, "{actor}");
    }
}

#[test]
fn a_review_is_by_somebody_independent_and_answers_every_check_once() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.wait("29m");
    assert_eq!(ledger.refused("erin", case, review()), Some(Code::A09), "it is live");
    ledger.wait("1m");
    let checks = ["no lingering changes", "no open data streams"];
    for (who, answered, code) in [
        ("erin", &checks[..], None),
        ("erin", &checks[..1], Some(Code::A09)),
        ("erin", &["no lingering changes", "no open data streams", "no open data streams"], Some(Code::A09)),
        // What nobody asked for may be answered, too.
        ("erin", &["no lingering changes", "no open data streams", "the weather"], None),
        ("dave", &checks[..], Some(Code::A09)),  // approved it
        ("alice", &checks[..], Some(Code::A09)), // asked for it
        ("carol", &checks[..], Some(Code::A09)), // is in no reviewing group
    ] {
        assert_eq!(ledger.refused(who, case, Body::Review(answers(answered))), code, "{who} answers {answered:?}");
    }
    ledger.say("erin", Some(case), review()).unwrap();
    assert_eq!(ledger.stands(case), Reviewed);
    assert_eq!(ledger.refused("erin", case, review()), Some(Code::A09), "twice");
}

#[test]
fn the_reviews_that_are_missing_are_counted() {
    let mut ledger = Ledger::new();
    let case = ledger.emergency().unwrap();
    assert_eq!(ledger.stands(case), Pending);
    ledger.mint(case).unwrap();
    ledger.wait("15m");
    assert_eq!(ledger.stands(case), ReviewDue);
    let missing = |ledger: &Ledger| -> Vec<(String, usize, Vec<String>)> {
        let missing = ledger.access(case).missing_reviews(ledger.policy());
        missing
            .iter()
            .map(|lack| (lack.group.to_string(), lack.count, lack.candidates.iter().map(ToString::to_string).collect()))
            .collect()
    };
    let security = |count, names: &[&str]| {
        vec![("security".to_owned(), count, names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())]
    };
    assert_eq!(missing(&ledger), security(2, &["dave", "erin"]));
    ledger.say("erin", Some(case), review()).unwrap();
    assert_eq!((ledger.stands(case), missing(&ledger)), (ReviewDue, security(1, &["dave"])));
    ledger.say("dave", Some(case), review()).unwrap();
    assert_eq!((ledger.stands(case), missing(&ledger)), (Reviewed, Vec::new()));

    // Who approved is no candidate.
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.wait("30m");
    let missing = ledger.access(case).missing_reviews(ledger.policy());
    assert_eq!((missing.len(), missing[0].count, missing[0].candidates.clone()), (1, 1, vec![name("erin")]));
    let duties = ledger.access(case).duties(ledger.policy());
    assert_eq!(
        (duties.len(), duties[0].role.to_string(), duties[0].within),
        (1, "payments-db/read-only".into(), ttl("24h"))
    );
}

/// A policy where two roles want reviews of two groups, and one that is wanted twice.
fn two_reviews() -> String {
    policy().replacen(
        "[target.payments-db.role.guarded]\n",
        "[target.payments-db.role.guarded]\nreview = { group = \"sre\", count = 1, within = \"1h\", \
         checks = [\"no open data streams\", \"keys rotated\"] }\n",
        1,
    )
}

#[test]
fn two_roles_want_both_their_reviews_and_each_check_once() {
    let mut ledger = Ledger::with(&two_reviews().replace("mfa = \"touch\"", "mfa = \"none\""));
    let case = ledger
        .request("alice", |request| {
            request.targets = vec!["payments-db/guarded".parse().unwrap(), "payments-db/read-only".parse().unwrap()];
        })
        .unwrap();
    ledger.say("bob", Some(case), approval()).unwrap();
    ledger.say("dave", Some(case), approval()).unwrap();
    ledger.mint(case).unwrap();
    ledger.wait("30m");
    let access = ledger.access(case);
    assert_eq!(
        access.checks(ledger.policy()),
        ["no open data streams", "keys rotated", "no lingering changes"],
        "each once, in the order of the roles"
    );
    let lacks: Vec<String> =
        access.missing_reviews(ledger.policy()).iter().map(|it| format!("{} {}", it.group, it.count)).collect();
    assert_eq!(lacks, ["sre 1", "security 1"]);
    let all = || Body::Review(answers(&["no open data streams", "keys rotated", "no lingering changes"]));
    assert_eq!(ledger.refused("erin", case, review()), Some(Code::A09), "one check is not answered");
    ledger.say("erin", Some(case), all()).unwrap();
    assert_eq!(ledger.stands(case), ReviewDue);
    ledger.say("carol", Some(case), all()).unwrap();
    assert_eq!(ledger.stands(case), Reviewed);
}

#[test]
fn a_review_that_two_roles_want_of_one_group_is_one() {
    // read-only wants one of security, and two where guarded does.
    let text = two_reviews().replace("group = \"sre\", count = 1, within", "group = \"security\", count = 2, within");
    let text = text.replace(
        "email = \"rita@acme.example\"\ngroups = []",
        "email = \"rita@acme.example\"\ngroups = [\"security\"]",
    );
    let mut ledger = Ledger::with(&text.replace("mfa = \"touch\"", "mfa = \"none\""));
    let case = ledger
        .request("alice", |request| {
            request.targets = vec!["payments-db/guarded".parse().unwrap(), "payments-db/read-only".parse().unwrap()];
        })
        .unwrap();
    let lacks: Vec<String> = ledger
        .access(case)
        .missing_reviews(ledger.policy())
        .iter()
        .map(|it| format!("{} {}", it.group, it.count))
        .collect();
    assert_eq!(lacks, ["security 2"]);
    // What is missing of the quorum is counted the same way: the most that a role wants of a group.
    let missing = ledger.access(case).missing(ledger.policy()).unwrap();
    let missing: Vec<String> = missing.iter().map(|it| format!("{} {}", it.group, it.count)).collect();
    assert_eq!(missing, ["security 1", "sre 1"]);
}

#[test]
fn the_most_that_a_role_wants_of_a_group_is_missing() {
    let text = policy()
        .replacen(
            "approve = [{ group = \"security\", count = 1 }]",
            "approve = [{ group = \"security\", count = 2 }]",
            1,
        )
        .replace("mfa = \"touch\"", "mfa = \"none\"");
    let mut ledger = Ledger::with(&text);
    for targets in [["payments-db/guarded", "payments-db/read-only"], ["payments-db/read-only", "payments-db/vault"]] {
        let targets = targets.map(|role| role.parse().unwrap()).to_vec();
        let case = ledger.request("alice", |request| {
            request.targets = targets;
            request.credential_key = super::ledger::hardware("alice");
        });
        let Ok(case) = case else { continue };
        let missing = ledger.access(case).missing(ledger.policy()).unwrap();
        let security = missing.iter().find(|it| it.group == name("security")).unwrap();
        assert_eq!(security.count, 2);
        assert!(!ledger.access(case).has_quorum(ledger.policy()));
    }
}

#[test]
fn a_quorum_is_counted_again_when_the_policy_changes() {
    // Met, and no longer: bob leaves the group.
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let met = ledger.now;
    ledger.wait("5m");
    let mut stays = ledger.clone();
    let leave = |text: String| {
        text.replace("email = \"bob@acme.example\"\ngroups = [\"sre\"]", "email = \"bob@acme.example\"\ngroups = []")
            .replace("email = \"raj@acme.example\"\ngroups = []", "email = \"raj@acme.example\"\ngroups = [\"sre\"]")
    };
    ledger.change(leave);
    assert_eq!((ledger.access(case).decided, ledger.stands(case)), (None, Pending));
    assert_eq!(ledger.mint(case), Err(Code::A04));
    // Whoever is named now may approve, and it is decided then.
    ledger.wait("1m");
    ledger.say("raj", Some(case), approval()).unwrap();
    assert_eq!(ledger.access(case).decided, Some(ledger.now));
    // Met, and still: it was decided when it was decided.
    stays.change(|text| text);
    assert_eq!(stays.access(case).decided, Some(met));

    // Not met, and now it is: from now on, where it is still time.
    for (wait, decided) in [("7h", true), ("8h", true), ("28801s", false)] {
        let mut ledger = Ledger::new();
        let case = ledger.request("alice", |_| ()).unwrap();
        let silent = ledger.request("alice", |_| ()).unwrap();
        ledger.say("bob", Some(case), approval()).unwrap();
        ledger.wait(wait);
        ledger.change(|text| {
            text.replace(
                "approve = [{ group = \"sre\", count = 1 }, { group = \"security\", count = 1 }]\nmax_duration = \"2h\"",
                "approve = [{ group = \"sre\", count = 1 }]\nmax_duration = \"2h\"",
            )
        });
        assert_eq!(ledger.access(case).decided, decided.then_some(ledger.now), "{wait}");
        assert_eq!(ledger.access(silent).decided, None, "nobody approved it");
    }
}

#[test]
fn what_is_issued_denied_or_withdrawn_is_not_counted_again() {
    let mut ledger = Ledger::new();
    let live = ledger.live();
    let met = ledger.now;
    ledger.wait("1m");
    ledger.change(|text| {
        text.replace("email = \"bob@acme.example\"\ngroups = [\"sre\"]", "email = \"bob@acme.example\"\ngroups = []")
    });
    assert_eq!(ledger.access(live).decided, Some(met));
}

#[test]
fn what_a_role_demanded_at_the_issuance_is_owed_when_the_role_is_gone() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.change(|text| {
        let from = text.find("[target.payments-db.role.read-only]").unwrap();
        let to = text.find("[target.payments-db.role.operator]").unwrap();
        format!("{}{}", &text[..from], &text[to..])
    });
    ledger.wait("30m");
    assert_eq!(ledger.stands(case), ReviewDue);
    assert_eq!(ledger.access(case).missing(ledger.policy()), None, "no approval can stand");
    ledger.say("erin", Some(case), review()).unwrap();
    assert_eq!(ledger.stands(case), Reviewed);
}

#[test]
fn one_emergency_a_person_until_it_is_reviewed() {
    let mut ledger = Ledger::new();
    let first = ledger.emergency().unwrap();
    let second = ledger.emergency().unwrap();
    assert!(ledger.state.open_emergency(&name("alice")).is_none(), "nothing is issued");
    ledger.mint(first).unwrap();
    assert_eq!(ledger.state.open_emergency(&name("alice")).map(|case| case.id()), Some(first));
    assert!(ledger.state.open_emergency(&name("bob")).is_none());
    assert_eq!(ledger.mint(second), Err(Code::A07));
    assert_eq!(ledger.emergency(), Err(Code::A07));
    // The first one's second credential is no second emergency.
    ledger.mint(first).unwrap();
    ledger.wait("15m");
    ledger.say("erin", Some(first), review()).unwrap();
    assert_eq!(ledger.mint(second), Err(Code::A07), "one review of two");
    ledger.say("dave", Some(first), review()).unwrap();
    assert!(ledger.state.open_emergency(&name("alice")).is_none());
    ledger.mint(second).unwrap();
    // An ordinary access waits for nobody's emergency.
    assert!(ledger.request("alice", |_| ()).is_ok());
}

#[test]
fn a_lock_stops_the_issuance_of_what_it_covers_until_it_is_lifted() {
    let scopes = [
        (LockScope::Ledger, true),
        (LockScope::Member(name("alice")), true),
        (LockScope::Member(name("bob")), false),
        (LockScope::Target(name("payments-db")), true),
        (LockScope::Target(name("shop-web")), false),
        (LockScope::Environment(name("prod")), true),
        (LockScope::Environment(name("staging")), false),
    ];
    for (scope, stops) in scopes {
        let mut ledger = Ledger::new();
        let case = ledger.approved();
        let lock = Body::Lock(Lock { scope: scope.clone(), reason: "Stolen.".into(), incident: None });
        let lock = ledger.say("erin", None, lock).unwrap();
        assert_eq!(ledger.state.covers(&scope, ledger.access(case)), stops, "{scope}");
        assert_eq!(ledger.state.lock_on(ledger.access(case)).map(|(case, _)| case.id()), stops.then_some(lock));
        assert_eq!(
            ledger.state.locks().map(|(case, what)| (case.id(), what.clone())).collect::<Vec<_>>(),
            [(lock, scope.clone())]
        );
        assert_eq!(ledger.stands(lock), CaseState::Locked);
        assert_eq!(ledger.clone().mint(case).err(), stops.then_some(Code::A04), "{scope}");
        let lift = Proposal { reason: "Found again.".into(), subject: Subject::Unlock { lock } };
        let lift = ledger.say("rita", None, Body::Proposal(lift)).unwrap();
        ledger.say("raj", Some(lift), approval()).unwrap();
        ledger.say("raj", Some(lift), Body::Enactment).unwrap();
        assert_eq!((ledger.stands(lock), ledger.stands(lift)), (CaseState::Lifted, CaseState::Enacted));
        assert_eq!(ledger.state.locks().count(), 0);
        assert!(ledger.state.lock_on(ledger.access(case)).is_none());
        ledger.mint(case).unwrap();
    }
}

#[test]
fn lifting_one_lock_leaves_the_others() {
    let mut ledger = Ledger::new();
    let lock = |scope| Body::Lock(Lock { scope, reason: "Stolen.".into(), incident: None });
    let first = ledger.say("erin", None, lock(LockScope::Ledger)).unwrap();
    let second = ledger.say("minter", None, lock(LockScope::Member(name("alice")))).unwrap();
    let lift = Proposal { reason: "Found again.".into(), subject: Subject::Unlock { lock: first } };
    let lift = ledger.say("rita", None, Body::Proposal(lift)).unwrap();
    ledger.say("raj", Some(lift), approval()).unwrap();
    ledger.say("raj", Some(lift), Body::Enactment).unwrap();
    assert_eq!(ledger.state.locks().map(|(case, _)| case.id()).collect::<Vec<_>>(), [second]);
    // A12: whom the policy names, and services; and nobody lifts what does not stand.
    assert_eq!(ledger.say("bob", None, lock(LockScope::Ledger)), Err(Code::A12));
    assert_eq!(ledger.say("db1", None, lock(LockScope::Ledger)), Err(Code::A12));
    let again = Proposal { reason: "Again.".into(), subject: Subject::Unlock { lock: first } };
    assert_eq!(ledger.say("rita", None, Body::Proposal(again)), Err(Code::A12));
    let case = ledger.request("alice", |_| ()).unwrap();
    let other = Proposal { reason: "No lock.".into(), subject: Subject::Unlock { lock: case } };
    assert_eq!(ledger.say("rita", None, Body::Proposal(other)), Err(Code::A12));
}

#[test]
fn a_case_says_what_opened_it_and_what_came_of_it() {
    let mut ledger = Ledger::new();
    let opened = ledger.now;
    let case = ledger.request("alice", |_| ()).unwrap();
    let position = ledger.case(case).position();
    assert_eq!(position, 1);
    ledger.wait("1m");
    ledger.say("bob", Some(case), approval()).unwrap();
    ledger.void();
    ledger.wait("1m");
    ledger.say("erin", Some(case), denial()).unwrap();
    let known = ledger.case(case);
    assert_eq!((known.opened(), known.actor().as_str(), known.kind().as_str()), (opened, "alice", "request"));
    let positions: Vec<_> =
        known.events().iter().map(|event| (event.kind.as_str(), event.position, event.actor.as_str())).collect();
    assert_eq!(positions, [("request", 1, "alice"), ("approval", 2, "bob"), ("denial", 4, "erin")]);
    assert_eq!(known.events()[2].words.as_deref(), Some("Not now."));
    assert_eq!(known.events()[2].time, ledger.now);
    assert_eq!(ledger.access(case).denied, Some((name("erin"), ledger.now)));
    assert_eq!(ledger.access(case).approvals[0].key, key("bob"));
    assert_eq!(ledger.state.cases().map(jit::domain::state::case::Case::id).nth(1), Some(case));
    let mut seen = 0;
    ledger.state.each_case(|_| seen += 1);
    assert_eq!(seen, 2);
    let genesis = ledger.state.cases().next().unwrap();
    assert_eq!(genesis.position(), 0);
    assert_eq!((genesis.kind().as_str(), ledger.stands(genesis.id())), ("genesis", CaseState::Founded));
    assert_eq!(ledger.state.name(), "acme/production");
    assert_eq!(ledger.refused("bob", genesis.id(), approval()), Some(Code::A03), "there is nothing to decide");
    assert_eq!(ledger.refused("bob", genesis.id(), closure()), Some(Code::A09), "it is no access");
}
