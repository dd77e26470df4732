//! The formats: each holds to its own rules, read by others' code, all say the same, and no text gets out of its field.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::common::{self, Place};
use super::place::{self, Receiver, check, export};
use super::{gone, sample, text, truth, url};

const FORMATS: [&str; 5] = ["jsonl", "ocsf", "cef", "syslog", "cloudevents"];

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
