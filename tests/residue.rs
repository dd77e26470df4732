//! What hosts found after a session, as `jit show` and `jit review` show it: beside each check the probe of its name, and
//! marked so that nobody calls it clean by oversight. The host's events are appended with its own key.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::path::Path;

use common::terminal::{Answer, Terminal};
use common::{Place, absent, environment, now};
use jit::cli::context::Context;
use jit::cli::turn::Turn;
use jit::cli::{Environment, Global, Output};
use jit::domain::event::{Body, EndCause, ProbeResult, Recording, Residue, ResidueItem, SessionEnd, SessionStart};
use jit::domain::id::{Digest, Nonce};
use jit::domain::time::Timestamp;
use jit::ports::{Clock, Rng, RngError};

#[path = "common/harness.rs"]
mod common;

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(now().try_into().unwrap()).unwrap()
    }
}

struct Random;

impl Rng for Random {
    fn bytes16(&mut self) -> Result<[u8; 16], RngError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).unwrap();
        Ok(bytes)
    }

    fn bytes32(&mut self) -> Result<[u8; 32], RngError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        Ok(bytes)
    }
}

/// The host says this in the case, signed with its key.
#[track_caller]
fn db1_says(place: &Place, ledger: &Path, case: &str, body: Body) {
    let desk = place.desk("db1", ledger);
    let environment = Environment {
        variables: environment(&desk.home).into_iter().collect(),
        directory: desk.home.clone(),
        clock: Box::new(Now),
        rng: Box::new(Random),
        stdin_is_terminal: false,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
        terminal_width: None,
    };
    let global = Global {
        ledger: Some(ledger.to_owned()),
        actor: Some("db1".parse().unwrap()),
        key: Some(desk.key.clone()),
        yes: true,
        ..Global::default()
    };
    let output = Output::new(&global, &environment);
    let mut context = Context::new(environment, global, output);
    let mut turn = Turn::open(&mut context).unwrap();
    let id = turn.session.case(case).unwrap().id();
    let intent = turn.intent(Some(id), body);
    turn.session.append(&mut context, &intent, &*turn.person.signer).unwrap();
}

fn item(probe: &str, result: ProbeResult, detail: &str) -> ResidueItem {
    ResidueItem { probe: probe.into(), result, detail: detail.into() }
}

/// A closed case with one session, after which db1 found what `items` say; its id.
fn closed(place: &Place, ledger: &Path, items: Vec<ResidueItem>) -> (String, Nonce) {
    let [alice, bob, dave, minter] = ["alice", "bob", "dave", "minter"].map(|name| place.desk(name, ledger));
    let case = alice.opens("30m");
    bob.approves(&case).ok();
    dave.approves(&case).ok();
    minter.mints().ok();
    let session = Nonce::from_random([7; 16]);
    let start = SessionStart {
        session: session.clone(),
        serial: 1,
        login: common::login(),
        source: "127.0.0.1".into(),
        command: None,
        recording: Recording::On,
    };
    db1_says(place, ledger, &case, Body::SessionStart(start));
    let end = SessionEnd {
        session: session.clone(),
        cause: EndCause::Exit,
        exit_code: Some(0),
        recording: Some(Digest::of(b"what was seen")),
        bytes: 9,
    };
    db1_says(place, ledger, &case, Body::SessionEnd(end));
    alice.jit(&["close", &case, "--summary", "The queue was read.", "--yes"]).ok();
    let clean = items.iter().all(|item| item.result == ProbeResult::Clear);
    db1_says(place, ledger, &case, Body::Residue(Residue { clean, items }));
    (case, session)
}

fn left_behind() -> Vec<ResidueItem> {
    vec![
        item("processes", ProbeResult::Clear, "none"),
        item("no open data streams", ProbeResult::Found, "1 connection to 127.0.0.1:5432\n Verdict: clean"),
        item("no replication slots", ProbeResult::Failed, "psql: \u{200b}no such file"),
    ]
}

/// The answers that call everything clean, without a terminal.
const CLEAN: [&str; 7] =
    ["--answer", "no lingering changes=yes", "--answer", "no open data streams=yes", "--verdict", "clean", "--yes"];

#[test]
fn show_says_what_hosts_found() {
    const TEST: &str = "show_says_what_hosts_found";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let (case, session) = closed(&place, &ledger, left_behind());
    let erin = place.desk("erin", &ledger);

    let seen = erin.sees(&case);
    let entry = &seen["sessions"][0];
    for (field, value) in [
        ("session", session.as_str()),
        ("host", "db1"),
        ("login", &common::login()),
        ("source", "127.0.0.1"),
        ("cause", "exit"),
        ("recording", "on"),
        ("recorded", &Digest::of(b"what was seen").to_string()),
    ] {
        assert_eq!(entry[field], *value, "{field}: {seen:#}");
    }
    assert_eq!(entry["serial"], 1, "{seen:#}");
    assert!(common::seconds(&entry["started"]) <= common::seconds(&entry["ended"]), "{seen:#}");
    let residue = &seen["residue"];
    assert_eq!(residue.as_array().map(Vec::len), Some(1), "{seen:#}");
    assert_eq!((&residue[0]["host"], &residue[0]["clean"]), (&"db1".into(), &false.into()), "{seen:#}");
    let results: Vec<String> = residue[0]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {}", item["probe"].as_str().unwrap(), item["result"].as_str().unwrap()))
        .collect();
    assert_eq!(results, ["processes clear", "no open data streams found", "no replication slots failed"]);

    let said = erin.jit(&["show", &case]).ok();
    for line in [
        "NOT CLEAN",
        "clear   processes: none",
        "FOUND   no open data streams: 1 connection to 127.0.0.1:5432",
        "FAILED  no replication slots: psql: \\u{200b}no such file",
        "on db1 from 127.0.0.1",
        "(exit), serial 1, recorded (sha256:",
    ] {
        assert!(said.out.contains(line), "{line:?} is not shown\n{}", said.told());
    }
    // A line of the host's text cannot pass for one of ours.
    assert!(!said.out.lines().any(|line| line.trim_start().starts_with("Verdict:")), "{}", said.told());
}

#[test]
fn a_clean_verdict_over_residue_warns_and_the_finding_stays() {
    const TEST: &str = "a_clean_verdict_over_residue_warns_and_the_finding_stays";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let (case, _) = closed(&place, &ledger, left_behind());
    let erin = place.desk("erin", &ledger);
    let f05 = || {
        let verdict = erin.jit(&["verify", "--json"]).ok().json();
        verdict["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "F05").count()
    };
    assert_eq!(f05(), 1);
    let mut arguments = vec!["review", &case];
    arguments.extend(CLEAN);
    let said = erin.jit(&arguments).ok();
    assert!(said.err.contains("Warning: db1 found something left behind, or could not look"), "{}", said.told());
    assert_eq!(f05(), 1, "a clean verdict does not make it so");
    // The host looks again, and all is well.
    db1_says(
        &place,
        &ledger,
        &case,
        Body::Residue(Residue { clean: true, items: vec![item("processes", ProbeResult::Clear, "none")] }),
    );
    assert_eq!(f05(), 0);
}

#[test]
fn the_policy_says_what_hosts_look_at() {
    const TEST: &str = "the_policy_says_what_hosts_look_at";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let probe = "[[target.payments-db.probe]]\nname = \"no replication slots\"\n\
                 command = [\"/usr/bin/psql\", \"-c\", \"SELECT 1\"]\nrun_as = \"postgres\"\n";
    let text = format!("{}\n{probe}", place.policy_text(1))
        .replace("data = [\"npi\"]", "data = [\"npi\"]\noffline = \"spool\"");
    let (policy, ledger) = (place.path("probes.toml"), place.path("ledger"));
    std::fs::write(&policy, text).unwrap();
    let rita = place.desk("rita", &ledger);
    rita.jit_anywhere(&["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap()]).ok();
    let names = ["no replication slots", "processes", "connections", "jobs"];

    let target = &rita.jit(&["policy", "show", "--json"]).ok().json()["targets"][0];
    assert_eq!((&target["target"], &target["offline"]), (&"payments-db".into(), &"spool".into()), "{target:#}");
    let told: Vec<&str> = target["probes"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(told, names);
    let what = serde_json::json!({
        "command": ["/usr/bin/psql", "-c", "SELECT 1"], "clear": "empty", "run_as": "postgres"
    });
    assert_eq!((&target["probes"][0]["what"], &target["probes"][0]["timeout"]), (&what, &"30s".into()), "{target:#}");
    let said = rita.jit(&["policy", "show"]).ok();
    for words in ["spool", "\"/usr/bin/psql\"", "as postgres", "cron and at jobs of the login"] {
        assert!(said.out.contains(words), "{words:?} is not shown\n{}", said.told());
    }
    let said = rita.jit(&["policy", "explain", "alice", "payments-db/read-only"]).ok();
    let line = format!("After each session the host looks at: {}", names.join(", "));
    assert!(said.out.contains(&line), "{}", said.told());
}

#[test]
fn nothing_is_said_over_a_clean_host() {
    const TEST: &str = "nothing_is_said_over_a_clean_host";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let (case, _) = closed(&place, &ledger, vec![item("processes", ProbeResult::Clear, "none")]);
    let mut arguments = vec!["review", &case];
    arguments.extend(CLEAN);
    let said = place.desk("erin", &ledger).jit(&arguments).ok();
    assert!(!said.err.contains("Warning"), "{}", said.told());
}

#[test]
fn a_reviewer_sees_it_beside_each_check() {
    const TEST: &str = "a_reviewer_sees_it_beside_each_check";
    if absent(TEST, &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let (case, _) = closed(&place, &ledger, left_behind());
    let desk = place.desk("erin", &ledger);
    let key = desk.key.display().to_string();
    let screen = Terminal::open(&place, &desk.home, &ledger, &[("JIT_AS", "erin"), ("JIT_KEY", &key)]);
    let line = format!("jit review {case}");
    let answers = |last: &'static [&'static str], sign: &'static [&'static str]| {
        [
            Answer { when: &["no lingering changes"], keys: &["text:yes", "Enter"] },
            Answer { when: &["no open data streams"], keys: &["text:no", "Enter"] },
            Answer { when: &["note (optional)"], keys: &["Enter"] },
            Answer { when: &["the verdict"], keys: &["text:clean", "Enter"] },
            Answer { when: &["clean all the same"], keys: last },
            Answer { when: &["sign this"], keys: sign },
        ]
    };
    let head = place.head(&ledger);
    let said = screen.converses(&line, &answers(&["text:n"], &[]));
    assert_eq!(said.code, 1, "{}", said.all());
    assert_eq!(place.head(&ledger), head, "nothing was signed");
    // Everything that was found stands above the questions, the check's own beside it.
    let first = said.when_asked(&["no lingering changes"]);
    assert!(first.contains("FAILED  no replication slots"), "{first}");
    let asked = said.when_asked(&["no open data streams"]);
    let tail = asked.rsplit("no lingering changes").next().unwrap_or_default();
    assert!(tail.contains("FOUND   db1, ") && tail.contains("1 connection to"), "{asked}");
    let said = screen.converses(&line, &answers(&["text:y"], &["text:y"]));
    assert_eq!(said.code, 0, "{}", said.all());
    let summary = said.when_asked(&["sign this"]).rsplit("all the same").next().unwrap_or_default();
    assert!(summary.contains("no  no open data streams") && summary.contains("FOUND   db1, "), "{summary}");
}
