//! `jit export` as its receivers see it: real sockets, real TLS, other people's parsers, processes that are killed. Every event
//! arrives, none is lost, each is known by its digest, and nothing that somebody wrote gets out of its field.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Desk, Place, absent};
use place::{Authority, Exporter, Receiver, check, export, ids, until};
use serde_json::{Value, json};

#[path = "common/harness.rs"]
mod common;
#[path = "export/place.rs"]
mod place;

const FORMATS: [&str; 5] = ["jsonl", "ocsf", "cef", "syslog", "cloudevents"];

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen", "python3", "openssl"])
}

/// A bare clone of the ledger that another producer made, with every kind of event in it.
fn sample(place: &Place) -> PathBuf {
    let ledger = place.path("sample.git");
    let bundle = place::source("vectors/sample/ledger.bundle");
    place.git(&place.path("home"), &["clone", "-q", "--bare", bundle.to_str().unwrap(), ledger.to_str().unwrap()]);
    ledger
}

/// A new ledger with a request and two approvals: four events.
fn small(place: &Place) -> PathBuf {
    let (ledger, _) = place.ledger("ledger.git", true);
    let case = place.desk("alice", &ledger).opens("30m");
    place.desk("bob", &ledger).approves(&case).ok();
    place.desk("dave", &ledger).approves(&case).ok();
    ledger
}

/// The ids of all events of a ledger, by git and SHA-256 alone: of the event file, or where a commit has none that is good, of
/// the commit.
fn truth(place: &Place, ledger: &Path, voids: &BTreeSet<usize>) -> Vec<String> {
    let hex = |bytes: &[u8]| {
        let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(bytes).into();
        data_encoding::HEXLOWER.encode(&digest)
    };
    let raw = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(ledger).args(arguments);
        command.output().unwrap().stdout
    };
    let one = |(position, commit): (usize, &String)| {
        if voids.contains(&position) {
            return hex(&raw(&["cat-file", "commit", commit]));
        }
        let names =
            place.git(ledger, &["show", "--format=", "--name-only", "--diff-filter=A", commit, "--", "ledger/"]);
        let name = names.lines().find(|name| name.ends_with(".toml") && !name.contains("/files/")).unwrap();
        hex(&raw(&["show", &format!("{commit}:{name}")]))
    };
    place.commits(ledger).iter().enumerate().map(one).collect()
}

fn url(scheme: &str, receiver: &Receiver) -> String {
    format!("{scheme}://127.0.0.1:{}{}", receiver.port, if scheme.starts_with("http") { "/in" } else { "" })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn each_format_holds_to_its_rules_and_says_the_same() {
    if gone("each_format_holds_to_its_rules_and_says_the_same") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let expected: Value =
        serde_json::from_slice(&fs::read(place::source("vectors/sample/expected.json")).unwrap()).unwrap();
    let mut events = BTreeMap::new();
    for format in FORMATS {
        let file = place.path(&format!("out.{format}"));
        let said = export(&place, &ledger, &["--format", format, "--to", text(&file), "--json"]).ok();
        let summary = said.json();
        assert_eq!(summary["exported"], expected["size"], "{}", said.told());
        for field in ["ledger", "head", "size", "root"] {
            assert_eq!(summary["cursor"][field], expected[field], "{format}: {field}");
        }
        events.insert(format, if format == "jsonl" { lines(&file) } else { check(&place, format, &file) });
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let voids: BTreeSet<usize> = [35].into();
    let truth = truth(&place, &ledger, &voids);
    let commits = place.commits(&ledger);
    let log: Vec<Value> = export_log(&place, &ledger);
    let mut kinds = BTreeSet::new();
    for (position, event) in events["jsonl"].iter().enumerate() {
        let id = format!("sha256:{}", truth[position]);
        assert_eq!(event["id"], *id);
        assert_eq!(event["position"], position);
        assert_eq!(event["commit"], *commits[position]);
        assert_eq!(event["ledger"], expected["ledger"]);
        let logged = log.iter().find(|logged| logged["position"] == position).unwrap();
        for field in ["kind", "actor", "case"] {
            assert_eq!(event[field], logged[field], "{position}: {field}");
        }
        kinds.insert(event["kind"].as_str().unwrap().to_owned());
        let (ocsf, cef) = (&events["ocsf"][position], &events["cef"][position]);
        let (syslog, cloud) = (&events["syslog"][position], &events["cloudevents"][position]);
        let data = &syslog["data"]["jit@32473"];
        for same in [&ocsf["metadata"]["uid"], &cef["values"]["cs1"], &data["id"], &cloud["id"]] {
            assert_eq!(*same, event["id"], "{position}");
        }
        for same in [&ocsf["metadata"]["correlation_uid"], &cef["values"]["cs2"], &data["case"], &cloud["subject"]] {
            assert_eq!(*same, event["case"], "{position}");
        }
        for same in [&ocsf["message"], &cef["values"]["msg"]] {
            assert_eq!(*same, event["message"], "{position}");
        }
        assert!(syslog["message"].as_str().unwrap().starts_with(event["message"].as_str().unwrap()));
        for same in [&cef["header"][4], &data["kind"], &syslog["msgid"], &ocsf["metadata"]["event_code"]] {
            assert_eq!(*same, event["kind"], "{position}");
        }
        assert_eq!(ocsf["unmapped"], *event);
        assert_eq!(cloud["data"], *event);
        assert_eq!(cloud["source"], expected["ledger"]);
        assert_eq!(syslog["time"], event["time"]);
        assert_eq!(cloud["time"], event["time"]);
        assert_eq!(syslog["facility"], 13);
        assert_eq!(syslog["bom"], true);
        // The severity table, three ways.
        let grades = json!([ocsf["severity_id"], cef["header"][6], syslog["severity"]]);
        let wanted = match event["severity"].as_str().unwrap() {
            "informational" => json!([1, "1", 6]),
            "low" => json!([2, "3", 5]),
            "medium" => json!([3, "5", 4]),
            "high" => json!([4, "8", 3]),
            "critical" => json!([5, "10", 2]),
            other => panic!("{other}"),
        };
        assert_eq!(grades, wanted, "{position}");
    }
    let all: BTreeSet<String> = [
        "genesis",
        "request",
        "approval",
        "denial",
        "withdrawal",
        "issuance",
        "session-start",
        "session-end",
        "revocation",
        "closure",
        "residue",
        "review",
        "lock",
        "proposal",
        "enactment",
        "void",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(kinds, all, "the sample has every kind");
    the_tables(&events["jsonl"], &events["ocsf"]);
}

/// The lines of a file as JSON.
fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn export_log(place: &Place, ledger: &Path) -> Vec<Value> {
    let said = place.desk("alice", ledger).jit(&["log", "--json"]).ok();
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The classes and severities of docs/export.md, and the state of the case behind each event of one life.
fn the_tables(events: &[Value], ocsf: &[Value]) {
    let at = |position: usize| &events[position];
    let life: Vec<&str> = (1..10).map(|position| at(position)["state"].as_str().unwrap()).collect();
    assert_eq!(
        life,
        ["pending", "pending", "approved", "live", "live", "live", "review due", "review due", "reviewed"]
    );
    for (position, kind, class, severity) in [
        (0, "genesis", 300401, "informational"),
        (1, "request", 300401, "informational"),
        (2, "approval", 300403, "informational"),
        (4, "issuance", 300501, "informational"),
        (5, "session-start", 300201, "informational"),
        (6, "session-end", 300202, "informational"),
        (7, "closure", 300403, "informational"),
        (8, "residue", 200301, "informational"),
        (9, "review", 300403, "informational"),
        (11, "denial", 300403, "low"),
        (13, "withdrawal", 300403, "informational"),
        (18, "revocation", 300502, "high"),
        (19, "request", 300401, "high"),
        (20, "issuance", 300501, "high"),
        (21, "review", 300403, "medium"),
        (23, "proposal", 300401, "medium"),
        (25, "enactment", 300410, "medium"),
        (26, "lock", 300412, "high"),
        (29, "enactment", 300413, "medium"),
        (35, "void", 200301, "critical"),
        (38, "enactment", 300403, "medium"),
    ] {
        assert_eq!(at(position)["kind"], kind, "{position}");
        assert_eq!(at(position)["severity"], severity, "{position} {kind}");
        assert_eq!(ocsf[position]["type_uid"], class, "{position} {kind}");
    }
    assert_eq!(at(19)["emergency"], true);
    assert_eq!(at(20)["incident"], "INC-4711");
    assert_eq!(at(35)["void"]["code"], "C03");
    assert_eq!(at(35)["actor"], Value::Null, "who made a void commit is not known");
    assert_eq!(at(29)["proposal"]["lifts"], "member:alice");
    assert_eq!(at(38)["proposal"]["commits"][0], at(35)["commit"]);
}

const HOSTILE: &str = "a|b=c\\d\"]e] [x@1 y=\"z\"] act=evil suser=root\nCEF:0|x|y|1|z|n|10|act=evil\n<34>1 - - - - - - {\"id\":\"sha256:0\"}\\n\\";

#[test]
fn hostile_text_stays_in_its_field() {
    if gone("hostile_text_stays_in_its_field") {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger.git", true);
    place.desk("alice", &ledger).jit(&common::request("payments-db/read-only", "30m", HOSTILE)).ok();
    let incident = "INC|1=2]\"\\ act=evil";
    let arguments = ["lock", "member:bob", "--reason", HOSTILE, "--incident", incident, "--yes", "--json"];
    place.desk("dave", &ledger).jit(&arguments).ok();
    // A commit past jit, with a path that tries every format at once; it is void.
    let clone = place.path("by-hand");
    place.git(&place.path("home"), &["clone", "-q", text(&ledger), text(&clone)]);
    let name = "x\"]|a=b\\ act=evil\n<34>1 - - - - - -\u{1b}[2J\u{202e}";
    fs::write(clone.join(name), "x").unwrap();
    place.git(&clone, &["add", "-A", "-f"]);
    let identity = ["-c", "user.name=x", "-c", "user.email=x@x.example", "-c", "commit.gpgSign=false"];
    place.git(&clone, &[&identity[..], &["commit", "-q", "-m", "a small mend"]].concat());
    place.git(&clone, &["push", "-q", "origin", "HEAD:main"]);

    let count = place.commits(&ledger).len();
    let mut events = BTreeMap::new();
    for format in FORMATS {
        let file = place.path(&format!("out.{format}"));
        export(&place, &ledger, &["--format", format, "--to", text(&file)]).ok();
        let raw = fs::read(&file).unwrap();
        assert!(!raw.contains(&0x1b), "{format}: an escape sequence goes out as it is");
        let read = if format == "jsonl" { lines(&file) } else { check(&place, format, &file) };
        assert_eq!(read.len(), count, "{format}: one line an event");
        events.insert(format, read);
    }
    let flat = HOSTILE.replace('\n', "\\n");
    let voided = &events["jsonl"][3]["reason"];
    assert!(voided.as_str().unwrap().contains(name), "{voided}");
    for (position, reason, incident) in [(1, HOSTILE, None), (2, HOSTILE, Some(incident))] {
        let incident = json!(incident);
        assert_eq!(events["jsonl"][position]["reason"], reason);
        assert_eq!(events["jsonl"][position]["incident"], incident);
        assert_eq!(events["ocsf"][position]["comment"], reason);
        assert_eq!(events["cloudevents"][position]["data"]["reason"], reason);
        let cef = &events["cef"][position]["values"];
        assert_eq!(cef["reason"], reason);
        assert_eq!(cef["cs4"], incident);
        assert_eq!(cef["act"], events["jsonl"][position]["kind"]);
        let data = &events["syslog"][position]["data"];
        assert_eq!(data.as_object().unwrap().len(), 1, "one structured element: {data}");
        assert_eq!(data["jit@32473"]["reason"], *flat);
        assert_eq!(data["jit@32473"]["incident"], incident);
    }
    assert_eq!(events["cef"][3]["values"]["act"], "void");
    assert_eq!(events["syslog"][3]["data"]["jit@32473"]["code"], "C05");
    // Nor on its way through syslog, one message a frame.
    let receiver = Receiver::new(&place, "tcp", "tcp", &[]);
    for format in FORMATS {
        export(&place, &ledger, &["--format", format, "--to", &url("syslog+tcp", &receiver)]).ok();
    }
    let taken = receiver.taken();
    assert_eq!(taken.len(), count * FORMATS.len());
    let file = place.path("frames");
    let frames: String = taken.iter().map(|taken| format!("{}\n", taken["text"].as_str().unwrap())).collect();
    fs::write(&file, frames).unwrap();
    assert_eq!(check(&place, "syslog", &file).len(), taken.len(), "no frame holds a line end");
}

#[test]
fn the_cursor_goes_on_where_it_was() {
    if gone("the_cursor_goes_on_where_it_was") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let file = place.path("events.jsonl");
    let to = ["--to", text(&file), "--json"];
    let first = export(&place, &ledger, &to).ok().json();
    assert_eq!(first["exported"], 4);
    let state = PathBuf::from(first["state"].as_str().unwrap());
    assert!(state.starts_with(place.path("home/siem/.local/state/jit/export")), "{}", state.display());
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(export(&place, &ledger, &to).ok().json()["exported"], 0);
    place.desk("alice", &ledger).opens("15m");
    let second = export(&place, &ledger, &to).ok().json();
    assert_eq!((&second["exported"], &second["first"]), (&json!(1), &json!(4)));
    let truth = truth(&place, &ledger, &BTreeSet::new());
    assert_eq!(ids(&fs::read_to_string(&file).unwrap()), truth, "each once");

    // Another destination has a cursor of its own; one event at a time is the same.
    let other = place.path("other.jsonl");
    export(&place, &ledger, &["--to", text(&other), "--batch", "1"]).ok();
    assert_eq!(fs::read(&other).unwrap(), fs::read(&file).unwrap());

    // A process that died while it wrote: the half line goes, the events behind the cursor come, with the same ids.
    let cursor = fs::read_to_string(&state).unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let until_third: usize = whole.split_inclusive('\n').take(3).map(str::len).sum();
    fs::write(&file, &whole[..until_third + 40]).unwrap();
    let at_third = export(&place, &ledger, &["--since", "3", "--to", text(&file), "--json"]).ok().json();
    assert_eq!(at_third["exported"], 2);
    assert_eq!(fs::read_to_string(&file).unwrap(), whole);
    assert_eq!(fs::read_to_string(&state).unwrap(), cursor, "the cursor stands where it stood");

    // From now on: what comes next, even if nothing came before the process was started again.
    let later = place.path("later.jsonl");
    let arguments = ["--since", "now", "--to", text(&later), "--json"];
    let said = export(&place, &ledger, &arguments).ok().json();
    assert_eq!((&said["exported"], &said["cursor"]["size"]), (&json!(0), &json!(5)));
    export(&place, &ledger, &arguments).refused(2).mentions(&["there is a cursor already"]);
    // Where to begin.
    let commits = place.commits(&ledger);
    for (since, expected) in [
        ("start", 5),
        ("now", 0),
        ("0", 5),
        ("5", 0),
        (commits[1].as_str(), 3),
        (&commits[1][..12], 3),
        (&format!("sha256:{}", truth[3]), 1),
    ] {
        let said = export(&place, &ledger, &["--since", since]).ok();
        assert_eq!(ids(&said.out), truth[5 - expected..], "{since}");
    }
}

#[test]
fn a_cursor_that_does_not_fit_is_refused() {
    if gone("a_cursor_that_does_not_fit_is_refused") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let (file, state) = (place.path("out"), place.path("cursor.toml"));
    let arguments = ["--to", text(&file), "--state", text(&state)];
    export(&place, &ledger, &arguments).ok();
    let good = fs::read_to_string(&state).unwrap();
    let before = fs::read(&file).unwrap();
    let other = place.path("other.git");
    let policy = place.path("policy.toml");
    place.desk("rita", &other).jit_anywhere(&["init", text(&other), "--policy", text(&policy), "--bare"]).ok();
    export(&place, &other, &arguments).refused(5).mentions(&["another ledger"]);

    // A clone of the history as it was before, without a pin: what the receiver has is not in it.
    let behind = place.path("behind.git");
    let commits = place.commits(&ledger);
    place.git(&place.path("home"), &["clone", "-q", "--bare", text(&ledger), text(&behind)]);
    place.git(&behind, &["remote", "remove", "origin"]);
    place.git(&behind, &["update-ref", "refs/heads/main", &commits[2]]);
    export(&place, &behind, &arguments).refused(5).mentions(&["no longer in the history", &commits[3]]);
    // The same length, another last event.
    place.desk("alice", &behind).opens("15m");
    export(&place, &behind, &arguments).refused(5).mentions(&["no longer in the history"]);
    for since in [&commits[3], "9", &format!("sha256:{}", "0".repeat(64))] {
        export(&place, &behind, &["--since", since]).refused(5);
    }
    // A root that is not the log's.
    let root = good.lines().find(|line| line.starts_with("root")).unwrap();
    let wrong = good.replace(root, &format!("root = \"sha256:{}\"", "0".repeat(64)));
    fs::write(&state, &wrong).unwrap();
    export(&place, &ledger, &arguments).refused(5).mentions(&["another root"]);
    // No cursor at all.
    fs::write(&state, "head = 1\n").unwrap();
    export(&place, &ledger, &arguments).refused(1).mentions(&["is no cursor"]);
    fs::remove_file(&state).unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere"), &state).unwrap();
    export(&place, &ledger, &arguments).refused(1);
    assert!(!place.path("elsewhere").exists());
    assert_eq!(fs::read(&file).unwrap(), before, "nothing was given with any of them");

    // Two at a time with one cursor.
    fs::remove_file(&state).unwrap();
    fs::write(&state, &good).unwrap();
    let running = Exporter::start(&place, &ledger, "first", &[&arguments[..], &["--follow"]].concat());
    place.desk("alice", &ledger).opens("15m");
    until("the first is at work", || fs::read(&file).unwrap().len() > before.len());
    export(&place, &ledger, &arguments).refused(1).mentions(&["another export uses the cursor"]);
    running.terminate();
    export(&place, &ledger, &arguments).ok();
}

#[test]
fn what_cannot_be_verified_is_not_given_away() {
    if gone("what_cannot_be_verified_is_not_given_away") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let clone = place.path("clone");
    let desk = place.desk("rita", &clone);
    desk.jit_anywhere(&["clone", text(&ledger), text(&clone)]).ok();
    // The remote was rewound behind what this clone has verified.
    let commits = place.commits(&ledger);
    place.git(&ledger, &["update-ref", "refs/heads/main", &commits[1]]);
    let said = export(&place, &clone, &[]).refused(5);
    assert_eq!(said.out, "", "nothing is given before the history stands");
    // And the branch here, too: the pin remembers.
    place.git(&clone, &["remote", "remove", "origin"]);
    place.git(&clone, &["update-ref", "refs/heads/main", &commits[1]]);
    let said = export(&place, &clone, &[]).refused(5).mentions(&["rewound or rewritten"]);
    assert_eq!(said.out, "");
    // An event whose object is gone: what stands before it was verified, what comes behind is not told.
    let damaged = place.path("damaged.git");
    place.git(&place.path("home"), &["clone", "-q", "--bare", "--no-local", text(&ledger), text(&damaged)]);
    let empty = place.path("empty");
    place.git(&place.path("home"), &["init", "-q", "--bare", text(&empty)]);
    let said = export(&place, &empty, &[]).refused(1);
    assert_eq!(said.out, "");
    let tree = place.git(&damaged, &["ls-tree", "-r", "main", "ledger/"]);
    let blob = tree.lines().find(|line| line.contains("/request-") && line.ends_with(".toml")).unwrap();
    let blob = blob.split_whitespace().nth(2).unwrap();
    // Loose objects, without this one.
    let pack = common::files(&damaged.join("objects/pack"))
        .into_iter()
        .find(|file| file.extension().is_some_and(|e| e == "pack"));
    let pack = fs::read(pack.unwrap()).unwrap();
    for file in common::files(&damaged.join("objects/pack")) {
        fs::remove_file(file).unwrap();
    }
    let mut unpack = std::process::Command::new("git");
    unpack.arg("-C").arg(&damaged).args(["unpack-objects", "-q"]);
    place.run_with(unpack, &place.path("home"), &[], &pack).ok();
    fs::remove_file(damaged.join("objects").join(&blob[..2]).join(&blob[2..])).unwrap();
    let file = place.path("given");
    export(&place, &damaged, &["--to", text(&file)]).refused(1).mentions(&["could not be checked"]);
    assert!(!file.exists(), "the batch that could not be verified whole was not given");
}

#[test]
fn syslog_over_tcp_and_udp() {
    if gone("syslog_over_tcp_and_udp") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let truth = truth(&place, &ledger, &BTreeSet::new());
    let udp = Receiver::new(&place, "udp", "udp", &[]);
    export(&place, &ledger, &["--format", "syslog", "--to", &url("syslog+udp", &udp)]).ok();
    until("datagrams arrive", || udp.ids().len() == truth.len());
    assert_eq!(udp.ids(), truth);
    let usage = export(&place, &ledger, &["--to", &url("syslog+udp", &udp)]).refused(2);
    usage.mentions(&["datagram"]);

    let mut tcp = Receiver::new(&place, "tcp", "tcp", &[]);
    let to = url("syslog+tcp", &tcp);
    let arguments = ["--format", "syslog", "--to", &to, "--timeout", "1s", "--json"];
    // A receiver that breaks off, hangs, or is not there has not acknowledged; the cursor does not move.
    for how in ["half", "hang"] {
        tcp.behave(how);
        let said = export(&place, &ledger, &[&arguments[..], &["--retry-for", "4s"]].concat()).refused(1);
        said.mentions(&["did not take the events", "trying again", "run the command again"]);
        assert!(tcp.ids().is_empty());
    }
    tcp.stop();
    export(&place, &ledger, &[&arguments[..], &["--retry-for", "1s"]].concat())
        .refused(1)
        .mentions(&["cannot connect"]);
    tcp.behave("ok");
    tcp.restart();
    assert_eq!(export(&place, &ledger, &arguments).ok().json()["exported"], 4);
    assert_eq!(tcp.ids(), truth, "each once, in order");
    assert_eq!(export(&place, &ledger, &arguments).ok().json()["exported"], 0);
}

#[test]
fn tls_is_checked() {
    if gone("tls_is_checked") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let truth = truth(&place, &ledger, &BTreeSet::new());
    let (ours, theirs) = (Authority::new(&place, "ours"), Authority::new(&place, "theirs"));
    let authority = ours.file();
    let good = Receiver::new(&place, "tls", "good", &ours.signs("good", "server", false));
    let expired = Receiver::new(&place, "tls", "expired", &ours.signs("expired", "server", true));
    let misnamed = Receiver::new(&place, "tls", "misnamed", &ours.signs("misnamed", "other", false));
    let foreign = Receiver::new(&place, "tls", "foreign", &theirs.signs("foreign", "server", false));
    let [certificate, key] = ours.signs("strict", "server", false);
    let strict = Receiver::new(&place, "tls", "strict", &[certificate, key, ours.file()]);
    let try_it = |receiver: &Receiver, further: &[&str]| {
        let to = url("syslog+tls", receiver);
        let arguments = ["--format", "syslog", "--to", &to, "--timeout", "2s", "--retry-for", "1s"];
        export(&place, &ledger, &[&arguments[..], further].concat())
    };
    let trusted = ["--ca-file", text(&authority)];
    // Refused at once, and told why: nobody has to wait for the end of --retry-for.
    try_it(&foreign, &trusted).refused(1).mentions(&["UnknownIssuer", "--ca-file"]);
    try_it(&expired, &trusted).refused(1).mentions(&["expired"]);
    try_it(&misnamed, &trusted).refused(1).mentions(&["not valid for name", "as its certificate does"]);
    try_it(&strict, &trusted).refused(1);
    for none in [&foreign, &expired, &misnamed, &strict] {
        assert!(none.ids().is_empty());
    }
    // The system's authorities know nothing of ours.
    try_it(&good, &[]).refused(1);
    try_it(&good, &trusted).ok();
    assert_eq!(good.ids(), truth);
    // With a certificate of ours.
    let [certificate, key] = ours.signs("client", "client", false);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let mine = [&trusted[..], &["--client-cert", text(&certificate), "--client-key", text(&key)]].concat();
    try_it(&strict, &mine).refused(1).mentions(&["others can read", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    try_it(&strict, &mine).ok();
    assert_eq!(strict.ids(), truth);
    // An end of the stream that TLS does not vouch for is no acknowledgement.
    let rude = Receiver::new(&place, "tls", "rude", &ours.signs("rude", "server", false));
    rude.behave("rude");
    try_it(&rude, &trusted).refused(1).mentions(&["close_notify"]);
    rude.behave("ok");
    try_it(&rude, &trusted).ok();
    // HTTPS is checked by the same authorities.
    let web = Receiver::new(&place, "https", "web", &ours.signs("web", "server", false));
    let old = Receiver::new(&place, "https", "old", &ours.signs("old", "server", true));
    let to = url("https", &old);
    export(&place, &ledger, &["--to", &to, "--ca-file", text(&authority)]).refused(1).mentions(&["expired"]);
    let to = url("https", &web);
    export(&place, &ledger, &["--to", &to, "--retry-for", "1s"]).refused(1).mentions(&["UnknownIssuer"]);
    export(&place, &ledger, &["--to", &to, "--ca-file", text(&authority)]).ok();
    assert_eq!(web.ids(), truth);
}

#[test]
fn http_takes_batches_and_says_when_it_cannot() {
    if gone("http_takes_batches_and_says_when_it_cannot") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    let truth = truth(&place, &ledger, &BTreeSet::new());
    let web = Receiver::new(&place, "http", "web", &[]);
    let to = url("http", &web);
    let arguments = ["--to", &to, "--timeout", "1s", "--retry-for", "1s"];
    for (how, words) in [
        ("500", "500"),
        ("hang", "timeout"),
        ("half", "cannot send"),
        ("429", "429"),
        ("401", "check the token"),
        ("302", "no redirect is followed"),
        ("413", "--batch"),
        ("404", "check the address"),
    ] {
        web.behave(how);
        let said = export(&place, &ledger, &arguments).refused(1).mentions(&[words]);
        assert!(!said.err.contains('\u{1b}'), "what a receiver says cannot drive the terminal: {:?}", said.err);
        assert!(web.taken().is_empty(), "{how}");
    }
    web.behave("ok");
    export(&place, &ledger, &arguments).ok();
    assert_eq!(web.ids(), truth);
    assert_eq!(web.taken()[0]["type"], "application/x-ndjson");
    assert_eq!(web.taken()[0]["authorization"], Value::Null);

    // The other formats, one event a batch; CloudEvents as the batch of its HTTP binding.
    let other = Receiver::new(&place, "http", "other", &[]);
    let token = place.path("token");
    fs::write(&token, "s3cr3t-T0ken\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    for (format, kind) in [
        ("ocsf", "application/x-ndjson"),
        ("cef", "text/plain; charset=utf-8"),
        ("syslog", "text/plain; charset=utf-8"),
        ("cloudevents", "application/cloudevents-batch+json; charset=utf-8"),
    ] {
        let before = other.taken().len();
        let to = url("http", &other);
        let arguments = ["--format", format, "--to", &to, "--batch", "3", "--token-file", text(&token)];
        let said = export(&place, &ledger, &arguments).ok();
        assert!(!said.told().contains("s3cr3t"), "{}", said.told());
        let taken = &other.taken()[before..];
        assert_eq!(taken.len(), 2, "{format}: three and one");
        assert_eq!(taken[0]["type"], kind);
        assert_eq!(taken[0]["authorization"], "Bearer s3cr3t-T0ken");
        if format == "cloudevents" {
            let batch: Vec<Value> = serde_json::from_str(taken[0]["text"].as_str().unwrap()).unwrap();
            assert_eq!(batch.len(), 3);
            assert_eq!(batch[0]["id"], format!("sha256:{}", truth[0]));
        } else {
            assert_eq!(taken[0]["text"].as_str().unwrap().lines().count(), 3);
        }
    }
    // A token is a secret.
    let with = |token: &Path, to: &str| export(&place, &ledger, &["--to", to, "--token-file", text(token)]);
    fs::set_permissions(&token, fs::Permissions::from_mode(0o640)).unwrap();
    with(&token, &url("http", &other)).refused(1).mentions(&["others can read", "chmod 600"]);
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    with(&token, "http://log.acme.example/in").refused(2).mentions(&["without encryption"]);
    with(&token, text(&place.path("file"))).refused(2);
    fs::write(&token, "two\nlines\r\nx: y\n").unwrap();
    with(&token, &url("http", &other)).refused(1).mentions(&["no bearer token"]);
}

#[test]
fn a_wrong_address_is_no_file() {
    if gone("a_wrong_address_is_no_file") {
        return;
    }
    let place = Place::new();
    let ledger = small(&place);
    for to in
        ["syslog://x", "syslog+tls://", "syslog+tcp://x", "htps://x", "https://me:secret@x/", "syslog+udp://x:99999"]
    {
        let said = export(&place, &ledger, &["--to", to]);
        assert_eq!(said.code, 2, "{}", said.told());
    }
    assert!(common::files(&place.path("home/siem")).is_empty(), "no file of such a name");
    export(&place, &ledger, &["--since", "yesterday"]).refused(2).mentions(&["is no cursor"]);
    let link = place.path("link");
    std::os::unix::fs::symlink(place.path("target"), &link).unwrap();
    export(&place, &ledger, &["--to", text(&link)]).refused(1).mentions(&["cannot write"]);
    export(&place, &ledger, &["--to", text(&place.path("home"))]).refused(1).mentions(&["cannot write"]);
    assert!(!place.path("target").exists());
}

/// A remote, a clone that is exported, and people who go on working.
struct Works {
    place: Place,
    remote: PathBuf,
    clone: PathBuf,
}

impl Works {
    fn new() -> Self {
        let place = Place::new();
        let remote = small(&place);
        let clone = place.path("clone.git");
        let siem = place.desk("rita", &clone);
        siem.jit_anywhere(&["clone", text(&remote), text(&clone), "--json"]).ok();
        Self { place, remote, clone }
    }

    /// The desk of somebody with a clone of their own.
    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.jit_anywhere(&["clone", text(&self.remote), text(&ledger), "--json"]).ok();
        }
        desk
    }

    fn truth(&self) -> Vec<String> {
        truth(&self.place, &self.remote, &BTreeSet::new())
    }
}

#[test]
fn every_event_arrives_once_after_a_restart_of_both_sides() {
    if gone("every_event_arrives_once_after_a_restart_of_both_sides") {
        return;
    }
    let works = Works::new();
    let mut tcp = Receiver::new(&works.place, "tcp", "tcp", &[]);
    let mut web = Receiver::new(&works.place, "http", "web", &[]);
    let (to_tcp, to_web) = (url("syslog+tcp", &tcp), url("http", &web));
    let start = || {
        let syslog = ["--follow", "--format", "syslog", "--to", &to_tcp, "--timeout", "2s", "--every", "60s"];
        let http = ["--follow", "--to", &to_web, "--timeout", "2s", "--every", "60s"];
        (
            Exporter::start(&works.place, &works.clone, "syslog", &syslog),
            // The second reads the remote itself: it has no clone between.
            Exporter::start(&works.place, &works.remote, "http", &http),
        )
    };
    let (syslog, http) = start();
    let both = |tcp: &Receiver, web: &Receiver| (tcp.ids(), web.ids());
    let all = |tcp: &Receiver, web: &Receiver| {
        let truth = works.truth();
        until("both have everything", || both(tcp, web) == (truth.clone(), truth.clone()));
    };
    all(&tcp, &web);
    // A push to a remote on this machine is seen without waiting for --every.
    works.desk("alice").opens("15m");
    all(&tcp, &web);
    syslog.terminate();
    http.terminate();
    tcp.stop();
    web.stop();
    works.desk("alice").opens("16m");
    tcp.restart();
    web.restart();
    let (syslog, http) = start();
    all(&tcp, &web);
    // The receivers are away while events come, and the exporters are killed while they wait for them.
    tcp.stop();
    web.stop();
    works.desk("alice").opens("17m");
    until("both tell it", || syslog.said().contains("trying again") && http.said().contains("trying again"));
    syslog.kill();
    http.kill();
    let (syslog, http) = start();
    works.desk("alice").opens("18m");
    tcp.restart();
    web.restart();
    all(&tcp, &web);
    // A receiver that fails for a while.
    web.behave("500");
    tcp.behave("half");
    works.desk("alice").opens("19m");
    until("both tell it", || syslog.said().contains("reset") && http.said().contains("500"));
    web.behave("ok");
    tcp.behave("ok");
    all(&tcp, &web);
    syslog.terminate();
    http.terminate();
    // What an exporter verified is what the clone's other commands go on from.
    let verified = works.place.desk("rita", &works.clone).jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["head"], *works.place.head(&works.remote));
    assert_eq!(works.place.head(&works.clone), works.place.head(&works.remote));
}

#[test]
fn a_remote_that_is_rewritten_ends_a_follower() {
    if gone("a_remote_that_is_rewritten_ends_a_follower") {
        return;
    }
    let works = Works::new();
    let file = works.place.path("out");
    let arguments = ["--follow", "--to", text(&file), "--every", "1s"];
    let mut exporter = Exporter::start(&works.place, &works.clone, "follower", &arguments);
    until("it has everything", || file.exists() && ids(&fs::read_to_string(&file).unwrap()).len() == 4);
    let commits = works.place.commits(&works.remote);
    works.place.git(&works.remote, &["update-ref", "refs/heads/main", &commits[2]]);
    assert_eq!(exporter.code(), 5, "{}", exporter.said());
    assert!(exporter.said().contains("rewritten"), "{}", exporter.said());
    assert_eq!(works.place.head(&works.clone), commits[3], "the clone stays where it was");
}

#[test]
fn killed_in_the_midst_it_goes_on_and_loses_nothing() {
    if gone("killed_in_the_midst_it_goes_on_and_loses_nothing") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let web = Receiver::new(&place, "http", "web", &[]);
    let to = url("http", &web);
    let arguments = ["--to", &to, "--batch", "1", "--follow"];
    let mut seen = 0;
    for _ in 0..4 {
        let exporter = Exporter::start(&place, &ledger, "killed", &arguments);
        until("it is under way", || web.taken().len() > seen + 3);
        exporter.kill();
        seen = web.taken().len();
        if seen > 30 {
            break;
        }
    }
    let exporter = Exporter::start(&place, &ledger, "killed", &arguments);
    let truth = truth(&place, &ledger, &[35].into());
    until("it has everything", || web.ids().last() == truth.last());
    exporter.terminate();
    let ids = web.ids();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), truth.len(), "every event");
    // A duplicate is at the seam: the same event again, and then on.
    let mut again = ids.clone();
    again.dedup();
    assert_eq!(again, truth);
}
