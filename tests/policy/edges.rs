//! The policy at its edges: the largest and smallest of what is taken, what every part of a mail address or a login may be,
//! what is told of a problem, and what `[log]` demands of checkpoints (format.md, section 6; F04).

use jit::domain::id::Name;
use jit::domain::policy::edit::{EditError, change_keys, is_exactly, with_version};
use jit::domain::policy::{Builtin, Clear, Log, Pattern, Probe, ProbeWhat, Witness};
use jit::domain::time::{Timestamp, Ttl};

use super::{key, name, parse, sample, sample_key};

fn is_taken(from: &str, to: &str) -> bool {
    let base = sample();
    assert!(base.contains(from), "the sample lacks {from:?}");
    parse(&base.replacen(from, to, 1)).is_ok()
}

/// So many items, `each` with its number.
fn list(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_is_largest_is_taken_and_one_more_is_not() {
    // "The files of a proposal are at most 1 MiB together" (C06).
    let padded = |size: usize| {
        let text = sample();
        format!("{text}#{}", "x".repeat(size - text.len() - 1))
    };
    assert_eq!((parse(&padded(1 << 20)).is_ok(), parse(&padded((1 << 20) + 1)).is_ok()), (true, false));
    let keys = format!("keys = [\"{}\"]", sample_key("rita"));
    for (from, most, one_more) in [
        ("clock_skew = \"2m\"", "clock_skew = \"10m\"", "clock_skew = \"601s\""),
        ("max_duration = \"2h\"", "max_duration = \"24h\"", "max_duration = \"86401s\""),
        ("max_duration = \"15m\"", "max_duration = \"1440m\"", "max_duration = \"86401s\""),
        (
            &keys,
            &format!("keys = [{}]", list(16, |n| format!("\"{}\"", key(100 + u8::try_from(n).unwrap())))),
            &format!("keys = [{}]", list(17, |n| format!("\"{}\"", key(100 + u8::try_from(n).unwrap())))),
        ),
        ("data = [\"npi\"]", &classes(1000), &classes(1001)),
        ("logins = [\"readonly\"]", &login(32), &login(33)),
        ("\"bob@acme.example\"", &address(254), &address(255)),
        (PROBE, &named(100), &named(101)),
        (PROBE, &word(1024), &word(1025)),
        (PROBE, &words(32), &words(33)),
        (PROBE, &paths(32), &paths(33)),
        (PROBE, &probes(32), &probes(33)),
        (PROBE, &timeout(300), &timeout(301)),
        (LOG, &witness_named(200), &witness_named(201)),
        (LOG, &witnesses(2, 2), &witnesses(2, 3)),
    ] {
        assert!(is_taken(from, most), "{most}");
        assert!(!is_taken(from, one_more), "{one_more}");
    }
    // Eight parts of a rule, if there are people for them all.
    let approve = "approve = [{ group = \"sre\", count = 1 }, { group = \"security\", count = 1 }]";
    let parts = |count| {
        let slots = list(count, |n| format!("{{ group = \"g{n}\", count = 1 }}"));
        let mut text = sample().replacen(approve, &format!("approve = [{slots}]"), 1);
        for n in 0..count {
            let seed = 150 + u8::try_from(n).unwrap();
            text += &format!(
                "[member.m{n}]\nemail = \"m{n}@acme.example\"\ngroups = [\"g{n}\"]\nkeys = [\"{}\"]\n",
                key(seed)
            );
        }
        parse(&text).is_ok()
    };
    assert_eq!((parts(8), parts(9)), (true, false));
}

fn classes(count: usize) -> String {
    format!("data = [{}]", list(count, |n| format!("\"c{n}\"")))
}

fn login(length: usize) -> String {
    format!("logins = [\"{}\"]", "a".repeat(length))
}

/// An address of so many bytes.
fn address(length: usize) -> String {
    format!("\"bob@{}\"", "a".repeat(length - 4))
}

const PROBE: &str = "name = \"no open data streams\"\nbuiltin = \"connections\"";

fn named(length: usize) -> String {
    format!("name = \"{}\"\nbuiltin = \"connections\"", "é".repeat(length))
}

fn word(length: usize) -> String {
    format!("name = \"a1\"\ncommand = [\"/a\", \"{}\"]", "x".repeat(length))
}

fn words(count: usize) -> String {
    format!("name = \"a1\"\ncommand = [{}]", list(count, |_| "\"/a\"".to_owned()))
}

fn paths(count: usize) -> String {
    format!("name = \"a1\"\nbuiltin = \"files\"\npaths = [{}]", list(count, |n| format!("\"/p{n}\"")))
}

fn probes(count: usize) -> String {
    let more = (1..count).map(|n| format!("\n[[target.payments-db.probe]]\nname = \"p{n}\"\ncommand = [\"/a\"]"));
    format!("{PROBE}{}", more.collect::<String>())
}

fn timeout(seconds: u64) -> String {
    format!("{PROBE}\ntimeout = \"{seconds}s\"")
}

const LOG: &str = "[log]\n";

fn witness_named(length: usize) -> String {
    let witness = format!("name = \"{}\", key = \"{}\"", "w".repeat(length), key(70));
    format!("[log]\nquorum = 1\nwitness = [{{ {witness} }}]\n")
}

fn witnesses(count: u8, quorum: usize) -> String {
    let each = (0..count).map(|n| format!("{{ name = \"w{n}\", key = \"{}\" }}", key(70 + n)));
    format!("[log]\nquorum = {quorum}\nwitness = [{}]\n", each.collect::<Vec<_>>().join(", "))
}

#[test]
fn an_address_is_one_plain_x_at_y() {
    for good in ["b@a", "bob.x@acme.example", "bob+jit@acme.example", "b-o_b@a-b.example", "böb@acme.example"] {
        assert!(is_taken("bob@acme.example", good), "{good}");
    }
    for bad in ["", "bob", "@acme.example", "bob@", ".bob@acme.example", "bob.@acme.example"] {
        assert!(!is_taken("bob@acme.example", bad), "{bad:?}");
    }
    for bad in ["bob@.acme", "bob@acme.", "bob@acme@example", "b ob@acme.example", "bob@ac\u{a0}me.example"] {
        assert!(!is_taken("bob@acme.example", bad), "{bad:?}");
    }
    for c in ['<', '>', '(', ')', '[', ']', ',', ';', ':', '\''] {
        assert!(!is_taken("bob@acme.example", &format!("bo{c}b@acme.example")), "{c}");
    }
    for escaped in ["\\\\", "\\\""] {
        assert!(!is_taken("bob@acme.example", &format!("bo{escaped}b@acme.example")), "{escaped}");
    }
}

#[test]
fn a_login_is_what_unix_takes() {
    for good in ["a", "_", "_x", "a-1_b", "z9-"] {
        assert!(is_taken("logins = [\"readonly\"]", &format!("logins = [\"{good}\"]")), "{good}");
    }
    for bad in ["", "-a", "1a", "A", "aB", "a.b", "a b", "é", "a$"] {
        assert!(!is_taken("logins = [\"readonly\"]", &format!("logins = [\"{bad}\"]")), "{bad:?}");
    }
}

#[test]
fn a_witness_has_a_name_without_spaces_and_plus_signs() {
    let named = |text: &str| {
        let witness = format!("name = \"{text}\", key = \"{}\"", key(70));
        is_taken(LOG, &format!("[log]\nquorum = 1\nwitness = [{{ {witness} }}]\n"))
    };
    assert!(named("w") && named("witness.example/w1") && named("é"));
    for bad in ["", " ", "a b", "a\u{a0}b", "a+b", "+", "a\\tb", "a\\u202eb"] {
        assert!(!named(bad), "{bad:?}");
    }
}

/// A file that a stranger proposed may have a million problems: a hundred are told, each once.
#[test]
fn a_hundred_problems_are_told_and_each_once() {
    let many = |count: usize| {
        let keys = (0..count).map(|n| format!("x{n} = 1\n")).collect::<String>();
        parse(&format!("{keys}{}", sample())).unwrap_err()
    };
    assert_eq!((many(2).0.len(), many(99).0.len(), many(100).0.len(), many(101).0.len()), (2, 99, 100, 100));
    let text = many(2).to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("policy.toml:1:1: unknown key `x0` in the policy; expected one of version, name, "));
    assert!(lines[1].starts_with("policy.toml:2:1: unknown key `x1` in the policy; expected one of "));
}

fn expected(from: &str, to: &str) -> Vec<(String, Option<String>)> {
    let errors = parse(&sample().replacen(from, to, 1)).unwrap_err();
    errors.0.into_iter().map(|problem| (problem.message, problem.expected)).collect()
}

#[test]
fn a_problem_says_what_was_expected() {
    for (from, to, message, wanted) in [
        ("threshold = 2", "threshold = 65", "65 is out of range", "1 to 64"),
        ("threshold = 2", "threshold = 3", "the threshold is 3 and the root has 2 members", "1 to 2"),
        ("threshold = 2", "threshold = true", "`threshold` is a boolean", "1 to 64"),
        ("threshold = 2", "threshold = 2.0", "`threshold` is a float", "1 to 64"),
        ("threshold = 2", "threshold = 2026-11-23", "`threshold` is a date or time", "1 to 64"),
        ("threshold = 2", "threshold = {}", "`threshold` is a table", "1 to 64"),
        ("threshold = 2", "threshold = []", "`threshold` is an array", "1 to 64"),
        ("version = 1", "version = \"1\"", "`version` is a string", "a number of at least 1"),
        ("mfa = \"none\"", "mfa = \"loud\"", "`loud` does not do", "one of \"none\", \"touch\", \"touch+pin\""),
        ("clock_skew = \"2m\"", "clock_skew = \"601s\"", "601s is too long", "at most 10m"),
        ("\"127.0.0.0/8\"", "\"127.0.0.1/8\"", "`127.0.0.1/8` is not the network's plain spelling", "127.0.0.0/8"),
        ("threshold = 2", "", "[root] lacks `threshold`", "`threshold = …`"),
        (
            "groups = [\"security\", \"sre\"]",
            "groups = [\"audit\"]",
            "group `audit` is unknown: no member is in it",
            "a group that a member lists, such as developers, on-call, security, sre",
        ),
        (
            "[environment.prod]\nca = ",
            "[environment.prod]\ncb = 1\nca = ",
            "unknown key `cb` in [environment.prod]",
            "one of ca, recorder",
        ),
    ] {
        let told = expected(from, to);
        assert!(told.contains(&(message.to_owned(), Some(wanted.to_owned()))), "{to}: {told:?}");
    }
    // Where there is no group at all none can be named.
    let lone = format!(
        "version = 1\nname = \"t1\"\nclock_skew = \"1m\"\ndecide_within = \"1h\"\nactivate_within = \"1h\"\nstaleness = \"1h\"\n\
         root = {{ threshold = 1, members = [\"rita\"] }}\nrevoke = {{ groups = [\"sre\"] }}\nlock = {{ groups = [] }}\n\
         [member.rita]\nemail = \"rita@acme.example\"\ngroups = []\nkeys = [\"{}\"]\n",
        key(1)
    );
    let errors = parse(&lone).unwrap_err();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert_eq!(
        (errors.0[0].message.as_str(), &errors.0[0].expected),
        ("group `sre` is unknown: no member is in it", &None)
    );
}

/// Where a group is unknown that alone is told, and not that nobody in it can be asked.
#[test]
fn of_an_unknown_group_nothing_more_is_told() {
    for (from, to) in [
        ("requesters = [\"developers\"]", "requesters = [\"interns\"]"),
        ("{ group = \"sre\", count = 1 }", "{ group = \"ops\", count = 1 }"),
        ("review = { group = \"security\", count = 1", "review = { group = \"audit\", count = 1"),
        ("emergency = { group = \"on-call\"", "emergency = { group = \"duty\""),
        ("review = { group = \"security\", count = 2", "review = { group = \"audit\", count = 2"),
        ("groups = [\"security\", \"sre\"]", "groups = [\"audit\"]"),
    ] {
        let told = expected(from, to);
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert!(told[0].0.ends_with("is unknown: no member is in it"), "{to}: {told:?}");
    }
}

fn probe(what: ProbeWhat, seconds: u64) -> String {
    Probe { name: "left".into(), what, timeout: Ttl::from_seconds(seconds).unwrap() }.to_string()
}

#[test]
fn a_probe_is_told_in_words() {
    assert_eq!(probe(ProbeWhat::Builtin(Builtin::Processes), 30), "left: processes of the login, at most 30s");
    assert_eq!(
        probe(ProbeWhat::Builtin(Builtin::Connections), 60),
        "left: network connections of the login, at most 1m"
    );
    assert_eq!(probe(ProbeWhat::Builtin(Builtin::Jobs), 60), "left: cron and at jobs of the login, at most 1m");
    let files = ProbeWhat::Files(vec!["/etc".into(), "/usr/local".into()]);
    assert_eq!(probe(files, 60), "left: files changed under /etc, /usr/local, at most 1m");
    let command = |clear, run_as: Option<&str>| ProbeWhat::Command {
        argv: vec!["/bin/slots".into(), "a b".into()],
        clear,
        run_as: run_as.map(str::to_owned),
    };
    assert_eq!(
        probe(command(Clear::Empty, None), 60),
        "left: [\"/bin/slots\", \"a b\"], clear when it says nothing, at most 1m"
    );
    assert_eq!(
        probe(command(Clear::Success, Some("postgres")), 60),
        "left: [\"/bin/slots\", \"a b\"] as postgres, clear when it exits with 0, at most 1m"
    );
}

#[test]
fn a_pattern_is_shown_as_it_was_written() {
    let pattern = Pattern::new("^INC-\\d+$").unwrap();
    assert_eq!((pattern.to_string(), format!("{pattern:?}")), ("^INC-\\d+$".into(), "\"^INC-\\\\d+$\"".into()));
    assert_eq!((pattern.as_str(), format!("{pattern:>10}")), ("^INC-\\d+$", " ^INC-\\d+$".into()));
    assert!(pattern == Pattern::new("^INC-\\d+$").unwrap() && pattern != Pattern::new("^INC-[0-9]+$").unwrap());
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_795_442_709 + seconds).unwrap()
}

fn span(seconds: u64) -> Ttl {
    Ttl::from_seconds(seconds).unwrap()
}

/// "Cosignatures by so many of the named witnesses, and, with `freshest`, cosignatures of so many that are no older than
/// that; times in the future by more than the skew count for nothing" (format.md, section 4).
#[test]
fn a_quorum_of_witnesses_is_as_old_as_the_oldest_that_it_needs() {
    let log = |quorum, freshest: Option<u64>| Log {
        key: key(1),
        witnesses: (0..3).map(|n| Witness { name: format!("w{n}"), key: key(70 + n) }).collect(),
        quorum,
        freshest: freshest.map(span),
    };
    assert_eq!((log(0, None).demands(), log(1, None).demands()), (false, true));
    let witnessed = |quorum, times: &[i64]| {
        log(quorum, None).witnessed(times.iter().map(|time| at(*time)), at(0), span(60)).map(|time| time.since(at(0)))
    };
    assert_eq!(witnessed(0, &[-10, -20]), None, "nothing is demanded");
    assert_eq!(witnessed(1, &[-20, -10, -30]), Some(-10));
    assert_eq!(witnessed(2, &[-20, -10, -30]), Some(-20));
    assert_eq!(witnessed(3, &[-20, -10, -30]), Some(-30));
    assert_eq!((witnessed(3, &[-20, -10]), witnessed(1, &[])), (None, None));
    assert_eq!((witnessed(1, &[60]), witnessed(1, &[61]), witnessed(1, &[61, -5])), (Some(60), None, Some(-5)));

    let fresh = log(1, Some(3600));
    assert!(!fresh.is_stale(at(0), at(3600)) && fresh.is_stale(at(0), at(3601)) && !fresh.is_stale(at(10), at(0)));
    assert!(!log(1, None).is_stale(at(0), at(1_000_000)), "any age will do");
}

// ---- the policy edited as text, and what it means then -----------------------------------------------------------

#[test]
fn keys_take_each_others_place() {
    let base = sample();
    let old = parse(&base).unwrap();
    let bob = name("bob");
    let class = old.actor(&bob).unwrap().class.clone();
    let had: jit::domain::key::PublicKey = sample_key("bob").parse().unwrap();
    let line = format!("keys = [\"{had}\"]");
    for (gone, come, expected) in [
        (std::slice::from_ref(&had), &[key(80)][..], format!("keys = [\"{}\"]", key(80))),
        (&[], &[key(80), key(81)], format!("keys = [\"{had}\", \"{}\", \"{}\"]", key(80), key(81))),
        (std::slice::from_ref(&had), &[key(80), key(81)], format!("keys = [\"{}\", \"{}\"]", key(80), key(81))),
        (&[], &[], line.clone()),
        (std::slice::from_ref(&had), &[], "keys = []".to_owned()),
    ] {
        let text = change_keys(&base, &class, &bob, gone, come).unwrap();
        assert_eq!(text, base.replace(&line, &expected), "{expected}");
    }
    let two = base.replace(&line, &format!("keys = [\"{had}\", \"{}\"]", key(80)));
    let text = change_keys(&two, &class, &bob, &[key(80), had.clone()], &[key(81)]).unwrap();
    assert_eq!(text, base.replace(&line, &format!("keys = [\"{}\"]", key(81))));

    let stranger = change_keys(&base, &class, &bob, &[key(82)], &[key(81)]);
    assert_eq!(stranger, Err(EditError::Missing("member.bob.keys".into())));
    let host = old.actor(&name("db1")).unwrap().class.clone();
    assert_eq!((class.word(), host.word()), ("member", "host"));
    assert_eq!(old.actor(&name("minter")).unwrap().class.word(), "service");
    assert_eq!(change_keys(&base, &host, &bob, &[], &[key(81)]), Err(EditError::Missing("host.bob.keys".into())));
    let text = change_keys(&base, &host, &name("db1"), &[], &[key(81)]).unwrap();
    assert_eq!(parse(&text).unwrap().actor(&name("db1")).unwrap().keys.len(), 2);
}

#[test]
fn an_edit_is_what_was_meant_and_nothing_else() {
    let old = parse(&sample()).unwrap();
    let bob: Name = name("bob");
    let class = old.actor(&bob).unwrap().class.clone();
    let text = change_keys(&sample(), &class, &bob, &[], &[key(80)]).unwrap();
    let text = with_version(&text, 2).unwrap();
    let new = parse(&text).unwrap();
    let add = |which: u8| {
        let bob = bob.clone();
        move |policy: &mut jit::domain::policy::Policy| {
            policy.actors.get_mut(&bob).unwrap().keys.insert(0, key(which));
        }
    };
    assert_eq!((new.version, new != old), (2, true));
    assert!(is_exactly(&old, &new, add(80)), "in whatever order the keys are");
    assert!(!is_exactly(&old, &new, |_| {}), "a key came");
    assert!(!is_exactly(&old, &new, add(81)), "another one than was meant");
    let more = parse(&text.replace("threshold = 2", "threshold = 1")).unwrap();
    assert!(!is_exactly(&old, &more, add(80)), "something else as well");
    assert!(is_exactly(&old, &old, |_| {}));
}
