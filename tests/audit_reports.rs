//! The examiners' reports over a ledger whose July is written down in `audit_reports/story.rs`: every number here was
//! worked out by hand from that table, or is counted by `audit_reports/count.py` from Git's files alone. None is what jit
//! said.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::disallowed_methods
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use common::{Said, absent};
use serde_json::{Value, json};
use story::{AT, FORMULA, Story, script};

#[path = "common/harness.rs"]
mod common;
#[path = "audit_reports/story.rs"]
mod story;

/// Made once for all tests that run at a time, and removed when the last of them is done: nothing here changes it.
fn told() -> Arc<Story> {
    static STORY: Mutex<Weak<Story>> = Mutex::new(Weak::new());
    let mut known = STORY.lock().unwrap_or_else(PoisonError::into_inner);
    known.upgrade().unwrap_or_else(|| {
        let story = Arc::new(Story::new());
        *known = Arc::downgrade(&story);
        story
    })
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen", "python3"])
}

impl Story {
    /// `jit audit …`, judged at [`AT`], by somebody without a key.
    #[track_caller]
    fn audit(&self, arguments: &[&str]) -> Said {
        let mut all = vec!["audit"];
        all.extend(arguments);
        all.extend(["--at", AT]);
        self.place.desk("examiner", &self.ledger).jit(&all)
    }

    /// The report as JSON; its exit code is 0, or 4 where there are exceptions.
    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.audit(&[arguments, &["--json"]].concat());
        assert!(said.code == 0 || said.code == 4, "{}", said.told());
        said.json()
    }

    /// What `count.py` says.
    #[track_caller]
    fn python(&self, arguments: &[&str]) -> Value {
        let file = script(&self.place, "count.py", include_str!("audit_reports/count.py"));
        let mut command = Command::new("python3");
        command.arg(file).args(arguments);
        self.place.run(command).ok().json()
    }

    /// Every event that is not void, counted by `count.py`.
    fn events(&self) -> Vec<Value> {
        let mut arguments = vec!["events", self.ledger.to_str().unwrap()];
        arguments.extend(self.voids.iter().map(String::as_str));
        self.python(&arguments).as_array().unwrap().clone()
    }

    /// The letter of a case.
    fn letter(&self, id: &Value) -> char {
        self.cases.iter().find(|(_, known)| **known == *id.as_str().unwrap()).map(|(letter, _)| *letter).unwrap()
    }
}

fn rows(report: &Value) -> Vec<Value> {
    report["rows"].as_array().unwrap_or_else(|| panic!("no rows: {report:#}")).clone()
}

#[test]
fn the_story_is_what_it_says() {
    if gone("the_story_is_what_it_says") {
        return;
    }
    let story = told();
    // The verdict itself: exactly the two void commits, one of them acknowledged, both for approving what may not be.
    let verified = story.place.desk("examiner", &story.ledger).jit(&["verify", "--json", "--at", AT]).exits(4).json();
    let voids: Vec<Value> = verified["voids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["commit"], it["code"], it["acknowledged"]]))
        .collect();
    assert_eq!(voids, [json!([story.voids[0], "A03", true]), json!([story.voids[1], "A03", false])]);
    let codes: Vec<&str> =
        verified["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["F01", "F01", "F05", "F07"]);
}

#[test]
fn the_population_is_every_case() {
    if gone("the_population_is_every_case") {
        return;
    }
    let story = told();
    let out = story.place.path("population.csv");
    let said = story.audit(&["population", "--out", out.to_str().unwrap()]).ok();
    assert!(said.out.contains("13 rows"), "{}", said.told());
    let csv = story.python(&["csv", out.to_str().unwrap()]);
    let table = csv.as_array().unwrap();

    // What Git's files say, in the order of the log.
    let events = story.events();
    let opening = |event: &&Value| ["request", "lock", "proposal"].contains(&event["kind"].as_str().unwrap());
    let expected: Vec<&Value> = events.iter().filter(opening).collect();
    assert_eq!(table.len(), expected.len());
    for (row, event) in table.iter().zip(&expected) {
        let of_case: Vec<&Value> = events.iter().filter(|it| it["case"] == event["case"]).collect();
        for (column, field) in
            [("case", "case"), ("id", "id"), ("kind", "kind"), ("actor", "actor"), ("opened", "time"), ("leaf", "leaf")]
        {
            assert_eq!(row[column], event[field], "{column} of {row:#}");
        }
        assert_eq!(row["events"], of_case.len().to_string());
        assert_eq!(row["first_position"], event["position"].to_string());
        assert_eq!(row["last_position"], of_case.last().unwrap()["position"].to_string());
        let text = event["reason"].as_str().unwrap();
        let escaped = if text == FORMULA { format!("'{text}") } else { text.to_owned() };
        assert_eq!(row["reason"], *escaped);
    }
    // No cell of any row is a formula; the raw file has the apostrophe inside the quotes.
    for row in table {
        for (column, cell) in row.as_object().unwrap() {
            assert!(!cell.as_str().unwrap().starts_with(['=', '+', '-', '@', '\t', '\r']), "{column}: {cell}");
        }
    }
    assert!(
        fs::read_to_string(&out).unwrap().contains("\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"the ticket\"\")\"")
    );

    // What the table in story.rs says: letter, state, ended, why, seconds open, review due, reviewed, sessions.
    let wanted = [
        ('A', "reviewed", "2026-07-01T09:21:00Z", "closed", "630", "2026-07-02T09:21:00Z", "2026-07-01T10:00:00Z", "1"),
        ('B', "denied", "", "", "", "", "", "0"),
        ('C', "withdrawn", "", "", "", "", "", "0"),
        ('D', "lapsed", "", "", "", "", "", "0"),
        ('E', "review due", "2026-07-05T02:15:05Z", "expired", "900", "2026-07-05T14:15:05Z", "", "1"),
        ('L', "lifted", "2026-07-06T08:31:00Z", "", "", "", "", ""),
        ('M', "enacted", "", "", "", "", "", ""),
        ('F', "review due", "2026-07-10T09:10:00Z", "revoked", "420", "2026-07-11T09:10:00Z", "", "1"),
        (
            'G',
            "reviewed",
            "2026-07-12T09:36:00Z",
            "expired",
            "1800",
            "2026-07-13T09:36:00Z",
            "2026-07-12T20:00:00Z",
            "1",
        ),
        ('N', "enacted", "", "", "", "", "", ""),
        ('P', "enacted", "", "", "", "", "", ""),
        ('I', "reviewed", "2026-07-15T09:06:00Z", "closed", "210", "2026-07-16T09:06:00Z", "2026-07-17T09:06:00Z", "1"),
        // Live for 7 minutes: 23:53 to midnight.
        ('H', "live", "", "", "420", "", "", "0"),
    ];
    for (row, (letter, state, ended, why, open, due, reviewed, sessions)) in table.iter().zip(wanted) {
        assert_eq!(row["id"], story.id(letter));
        let told = ["state", "ended", "ended_by", "open_seconds", "review_due", "reviewed", "sessions"]
            .map(|name| row[name].as_str().unwrap());
        assert_eq!(told, [state, ended, why, open, due, reviewed, sessions], "{letter}");
    }
    let of = |letter: char| table.iter().find(|row| row["id"] == story.id(letter)).unwrap();
    assert_eq!(of('A')["approvers"], "bob; dave");
    assert_eq!(of('A')["approved"], "2026-07-01T09:10:00Z");
    assert_eq!(of('A')["issued"], "2026-07-01T09:10:30Z");
    assert_eq!(of('A')["serials"], "1");
    assert_eq!(of('A')["duration_seconds"], "1800");
    assert_eq!(of('B')["denied_by"], "dave");
    assert_eq!(of('C')["withdrawn"], "2026-07-03T08:01:00Z");
    assert_eq!(of('E')["emergency"], "yes");
    assert_eq!(of('E')["incident"], "INC-9");
    assert_eq!(of('E')["findings"], "F01");
    assert_eq!(of('F')["findings"], "F01; F05");
    assert_eq!(of('F')["revoked_by"], "erin");
    assert_eq!(of('F')["residue"], "found");
    assert_eq!(of('G')["findings"], "F07");
    assert_eq!(of('I')["recordings"], "1");
    assert_eq!(of('I')["subject"], "payments-db/operator");
    assert_eq!(of('L')["subject"], "member:alice");
    assert_eq!(of('P')["subject"], "policy version 2");

    // The manifest: the same ledger and the same bytes.
    let manifest: Value =
        serde_json::from_slice(&fs::read(format!("{}.manifest.json", out.display())).unwrap()).unwrap();
    let verified = story.place.desk("examiner", &story.ledger).jit(&["verify", "--json"]).exits(4).json();
    for field in ["ledger", "head", "size", "root"] {
        assert_eq!(manifest[field], verified[field], "{field}");
    }
    let mut sum = Command::new("sha256sum");
    sum.arg(&out);
    let sum = story.place.run(sum).ok().out;
    assert_eq!(manifest["file"]["sha256"], sum[..64]);
    assert_eq!(manifest["file"]["name"], "population.csv");
    assert_eq!(manifest["count"], 13);
    assert_eq!(manifest["none"], false);
    assert_eq!(manifest["query"], format!("jit audit population --at {AT}"));
    assert_eq!(manifest["tool"], concat!("jit ", env!("CARGO_PKG_VERSION")));
    // The first leaf is A's request, at position 1; the last is H's issuance, the newest event of a case.
    let leaf = |position: u64| {
        events.iter().find(|it| it["position"] == position).unwrap()["leaf"].as_str().unwrap().to_owned()
    };
    let last = events.last().unwrap()["position"].as_u64().unwrap();
    assert_eq!(manifest["first"], json!({ "position": 1, "leaf": format!("sha256:{}", leaf(1)) }));
    assert_eq!(manifest["last"], json!({ "position": last, "leaf": format!("sha256:{}", leaf(last)) }));
    let columns: Vec<&str> =
        manifest["columns"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(columns.len(), table[0].as_object().unwrap().len());
}

#[test]
fn a_split_period_adds_up() {
    if gone("a_split_period_adds_up") {
        return;
    }
    let story = told();
    let whole = rows(&story.json(&["population"]));
    let by_kind: usize = ["request", "lock", "proposal"]
        .map(|kind| rows(&story.json(&["population", "--kind", kind])).len())
        .iter()
        .sum();
    assert_eq!((whole.len(), by_kind), (13, 13));
    // Boundaries in the midst, before, after, and exactly at the second in which a case was opened.
    for boundary in ["2026-07-06", "2026-06-01", "2027-01-01", "2026-07-10T09:00:00Z", "2026-07-10T11:00:01+02:00"] {
        let mut parts = rows(&story.json(&["population", "--to", boundary]));
        parts.extend(rows(&story.json(&["population", "--from", boundary])));
        assert_eq!(parts, whole, "{boundary}");
    }
    // F was asked for at 09:00:00: in the period that begins then, not in the one that ends then.
    let at = "2026-07-10T09:00:00Z";
    assert!(rows(&story.json(&["population", "--from", at])).iter().any(|row| row["id"] == story.id('F')));
    assert!(!rows(&story.json(&["population", "--to", at])).iter().any(|row| row["id"] == story.id('F')));
    story.audit(&["population", "--from", "2026-07-02", "--to", "2026-07-02"]).refused(2).mentions(&["period"]);
    story.audit(&["population", "--from", "yesterday"]).exits(2);
}

#[test]
fn none_is_said() {
    if gone("none_is_said") {
        return;
    }
    let story = told();
    let empty = ["--from", "2026-05-01", "--to", "2026-06-01"];
    for report in [
        &["population"][..],
        &["exceptions"],
        &["emergencies"],
        &["latency"],
        &["sample", "--size", "5", "--seed", "x"],
    ] {
        let json = story.json(&[report, &empty].concat());
        assert_eq!((&json["none"], &json["count"], &json["rows"]), (&json!(true), &json!(0), &json!([])), "{report:?}");
        assert_eq!((&json["first"], &json["from"]), (&Value::Null, &json!("2026-05-01T00:00:00Z")));
        let said = story.audit(&[report, &empty].concat()).ok();
        assert!(said.out.contains("\nNone.\n"), "{}", said.told());
        let said = story.audit(&[report, &empty, &["--format", "csv"]].concat()).ok();
        assert_eq!(said.out.lines().count(), 1, "the headings alone\n{}", said.told());
        assert!(said.err.contains("None."), "{}", said.told());
    }
    let said = story.audit(&["incident", "INC-0"]).ok();
    assert!(said.out.contains("\nNone.\n"), "{}", said.told());
    let board = story.json(&[&["board"][..], &empty].concat());
    assert_eq!((&board["figures"]["requests"], &board["figures"]["emergency_rate"]), (&json!(0), &Value::Null));
    let out = story.place.path("nobody.csv");
    story.audit(&[&["population", "--out", out.to_str().unwrap()][..], &empty].concat()).ok();
    let manifest: Value =
        serde_json::from_slice(&fs::read(story.place.path("nobody.csv.manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["none"], &manifest["count"]), (&json!(true), &json!(0)));
}

#[test]
fn a_sample_is_drawn_by_its_seed() {
    if gone("a_sample_is_drawn_by_its_seed") {
        return;
    }
    let story = told();
    let drawn = |size: &str, seed: &str| -> Vec<String> {
        let report = story.json(&["sample", "--size", size, "--seed", seed]);
        assert_eq!(report["figures"]["population"], 9);
        rows(&report).iter().map(|row| row["case"].as_str().unwrap().to_owned()).collect()
    };
    for seed in ["x", "2026-Q3", "three words, and an ümlaut"] {
        // Python draws from Git's files, whatever order they come in.
        let mut arguments = vec!["draw", story.ledger.to_str().unwrap(), seed];
        arguments.extend(story.voids.iter().map(String::as_str));
        let order: Vec<String> = serde_json::from_value(story.python(&arguments)).unwrap();
        assert_eq!(order.len(), 9);
        assert_eq!(drawn("9", seed), order);
        assert_eq!(drawn("100", seed), order);
        assert_eq!(drawn("4", seed), order[..4], "a smaller sample is the beginning of a larger one");
        assert_eq!(drawn("4", seed), drawn("4", seed));
        assert!(drawn("0", seed).is_empty());
    }
    assert_ne!(drawn("9", "x"), drawn("9", "y"));
    // All of the sample is of the population, and of the period.
    let report = story.json(&["sample", "--size", "9", "--seed", "x", "--from", "2026-07-10"]);
    let mut letters: Vec<char> = rows(&report).iter().map(|row| story.letter(&row["id"])).collect();
    letters.sort_unstable();
    assert_eq!(letters, ['F', 'G', 'H', 'I']);
    story.audit(&["sample", "--size", "1", "--seed", "two\nlines"]).exits(2);
}

#[test]
fn packets_check_without_jit() {
    if gone("packets_check_without_jit") {
        return;
    }
    // One of its own: a checkpoint is made of it, and then two more events come.
    let story = Story::new();
    let rita = story.place.desk("rita", &story.ledger);
    rita.jit(&["checkpoint", "--log-key", story.place.key("log").to_str().unwrap()]).ok();
    let denial = ["deny", story.id('H'), "--comment", "Too late.", "--yes"];
    story.place.desk("dave", &story.ledger).jit(&denial).refused(3);
    let covered = story.json(&["board"])["size"].as_u64().unwrap();
    let reviewed = [
        "review",
        story.id('E'),
        "--answer",
        "no lingering changes=yes",
        "--answer",
        "no open data streams=yes",
        "--verdict",
        "clean",
        "--yes",
    ];
    story.place.desk("dave", &story.ledger).jit(&reviewed).ok();
    let out = story.place.path("packets");
    let directory = out.to_str().unwrap();
    story.audit(&["sample", "--size", "9", "--seed", "x", "--out", directory]).ok();
    story.audit(&["sample", "--size", "9", "--seed", "x", "--out", directory]).refused(1).mentions(&["there already"]);
    let check = || {
        let mut command = Command::new("sh");
        command.arg(out.join("check.sh"));
        story.place.run(command)
    };
    let said = check().ok();
    assert!(said.out.contains("All signatures verify."), "{}", said.told());

    // Every event of the nine cases, in the log with the root that verify tells.
    let verified = story.place.desk("examiner", &story.ledger).jit(&["verify", "--json"]).exits(4).json();
    let root = verified["root"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let size = verified["size"].to_string();
    let requests: Vec<Value> = story.events().into_iter().filter(|it| it["kind"] == "request").collect();
    let expected =
        story.events().iter().filter(|it| requests.iter().any(|request| request["case"] == it["case"])).count();
    assert_eq!(story.python(&["packets", directory, &root, &size]), expected);
    // Six credentials were issued; ssh-keygen reads each, and its key id leads back to the case.
    let certificates: Vec<_> =
        common::files(&out).into_iter().filter(|file| file.to_str().unwrap().ends_with("-cert.pub")).collect();
    assert_eq!(certificates.len(), 6);
    for file in certificates {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-L", "-f"]).arg(&file);
        let said = story.place.run(keygen).ok();
        let folder = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        assert!(said.out.contains(&format!("jit:{}:", &folder[5..])), "{folder}\n{}", said.told());
    }
    // The proof files: one for every event but the review that came after the checkpoint.
    let proofs: Vec<_> =
        common::files(&out).into_iter().filter(|file| file.extension().is_some_and(|it| it == "tlog-proof")).collect();
    assert_eq!(proofs.len(), expected - 1);
    let readme = fs::read_to_string(out.join("README.txt")).unwrap();
    assert!(
        readme.contains(&format!("checkpoint of {covered} leaves")) && readme.contains("One event here is newer"),
        "{readme}"
    );
    let key = readme.split("--log-key '").nth(1).unwrap().split('\'').next().unwrap();
    let mut arguments = vec!["audit", "check"];
    arguments.extend(proofs.iter().map(|file| file.to_str().unwrap()));
    arguments.extend(["--log-key", key]);
    story.place.desk("examiner", Path::new("/nowhere")).jit_anywhere(&arguments).ok();
    // The same in one JSON object.
    let report = story.json(&["sample", "--size", "9", "--seed", "x"]);
    let items: usize =
        report["packets"].as_array().unwrap().iter().map(|packet| packet["items"].as_array().unwrap().len()).sum();
    assert_eq!(items, expected);

    // One changed byte anywhere, and the check fails.
    for name in ["toml", "sig"] {
        let file = common::files(&out).into_iter().find(|file| file.extension().is_some_and(|it| it == name)).unwrap();
        let bytes = fs::read(&file).unwrap();
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&file, &changed).unwrap();
        assert_ne!(check().code, 0, "{}", file.display());
        // Whoever mends the digests still has no signature.
        let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
        let digest = |bytes: &[u8]| jit::domain::id::Digest::of(bytes).hex();
        fs::write(out.join("SHA256SUMS"), sums.replace(&digest(&bytes), &digest(&changed))).unwrap();
        assert_ne!(check().code, 0, "{}", file.display());
        fs::write(out.join("SHA256SUMS"), sums).unwrap();
        fs::write(&file, bytes).unwrap();
    }
    check().ok();
}

#[test]
fn exceptions_have_an_owner_and_an_age() {
    if gone("exceptions_have_an_owner_and_an_age") {
        return;
    }
    let story = told();
    let said = story.audit(&["exceptions", "--json"]).exits(4);
    let report = said.json();
    let told: Vec<Value> = rows(&report)
        .iter()
        .map(|row| {
            json!([row["what"], row["code"], row["status"], row["id"], row["since"], row["age_seconds"], row["owner"]])
        })
        .collect();
    let void = |at: usize| story.voids[at][..12].to_owned();
    // Ages by `echo $(( $(date -ud 2026-08-01T00:00:00Z +%s) - $(date -ud SINCE +%s) ))`.
    let wanted = [
        json!(["emergency", null, "open", story.id('E'), "2026-07-05T02:00:00Z", 2_325_600, ["dave", "erin"]]),
        json!(["overdue review", "F01", "open", story.id('E'), "2026-07-05T14:15:05Z", 2_281_495, ["dave", "erin"]]),
        json!(["residue", "F05", "open", story.id('F'), "2026-07-10T09:10:10Z", 1_867_790, ["erin"]]),
        json!(["overdue review", "F01", "open", story.id('F'), "2026-07-11T09:10:00Z", 1_781_400, ["erin"]]),
        // The newest approval between the two is bob's of G.
        json!([
            "reciprocal approvals",
            null,
            "open",
            story.id('G'),
            "2026-07-12T09:00:40Z",
            1_695_560,
            ["bob", "carol"]
        ]),
        json!(["late end", "F07", "open", story.id('G'), "2026-07-12T09:36:00Z", 1_693_440, ["db1"]]),
        // The newest event before it is G's review.
        json!(["void commit", "A03", "closed", void(0), "2026-07-12T20:00:00Z", 1_656_000, ["rita", "raj"]]),
        json!(["void commit", "A03", "open", void(1), "2026-07-31T23:53:00Z", 420, ["rita", "raj"]]),
    ];
    assert_eq!(told, wanted);
    assert_eq!(report["figures"]["open"], 7);
    let pair = rows(&report).into_iter().find(|row| row["what"] == "reciprocal approvals").unwrap();
    assert_eq!(pair["subject"], json!([story.id('G'), story.id('F')]));
    assert_eq!(pair["detail"], "bob approved 1 case of carol, carol approved 1 case of bob");
    // Half of the pair is none; and a period in which all is well exits with 0.
    let quiet = story.json(&["exceptions", "--from", "2026-07-12", "--to", "2026-07-13"]);
    assert!(!rows(&quiet).iter().any(|row| row["what"] == "reciprocal approvals"), "{quiet:#}");
    story.audit(&["exceptions", "--from", "2026-07-01", "--to", "2026-07-05"]).ok();
    story.audit(&["exceptions", "--from", "2026-07-15", "--to", "2026-07-16"]).ok();
}

#[test]
fn emergencies_are_registered() {
    if gone("emergencies_are_registered") {
        return;
    }
    let story = told();
    let report = story.json(&["emergencies"]);
    // Opened: A, E, F, G, I, H.
    assert_eq!(report["figures"], json!({ "opened": 6, "emergencies": 1, "rate": "16.7 %" }));
    let [row] = rows(&report).try_into().unwrap();
    for (column, value) in [
        ("id", json!(story.id('E'))),
        ("actor", json!("alice")),
        ("incident", json!("INC-9")),
        ("issued", json!("2026-07-05T02:00:05Z")),
        ("ended", json!("2026-07-05T02:15:05Z")),
        ("ended_by", json!("expired")),
        ("open_seconds", json!(900)),
        ("sessions", json!(1)),
        ("review_due", json!("2026-07-05T14:15:05Z")),
        ("review", json!("overdue")),
        ("waiting_on", json!(["dave", "erin"])),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    let early = story.place.desk("examiner", &story.ledger);
    let due = early.jit(&["audit", "emergencies", "--at", "2026-07-05T14:15:05Z", "--json"]).ok().json();
    assert_eq!(rows(&due)[0]["review"], "due", "to the last second it is not overdue");
}

#[test]
fn latency_is_counted_in_seconds() {
    if gone("latency_is_counted_in_seconds") {
        return;
    }
    let story = told();
    let report = story.json(&["latency"]);
    let figures = &report["figures"];
    let of = |measure: &str| {
        ["count", "median_seconds", "p95_seconds", "max_seconds", "open"]
            .map(|what| figures[format!("{measure}_{what}")].clone())
    };
    // F alone: 09:10:00 to 09:10:07.
    assert_eq!(of("revocation_to_session_end"), [json!(1), json!(7), json!(7), json!(7), json!(0)]);
    // Nobody was in when alice was locked.
    assert_eq!(of("lock_to_session_end"), [json!(0), Value::Null, Value::Null, Value::Null, json!(0)]);
    // A 600, F 120, G 300, I 120, H 120; B, C and D were never approved. Ranks ⌈0.5 × 5⌉ = 3 and ⌈0.95 × 5⌉ = 5.
    assert_eq!(of("request_to_approval"), [json!(5), json!(120), json!(600), json!(600), json!(3)]);
    // A 30, F 60, G 60, I 30, H 60.
    assert_eq!(of("approval_to_issuance"), [json!(5), json!(60), json!(60), json!(60), json!(0)]);
    // By the time of the revocation, not of the request.
    let split = story.json(&["latency", "--from", "2026-07-10T09:10:00Z", "--to", "2026-07-10T09:10:01Z"]);
    let [row] = rows(&split).try_into().unwrap();
    assert_eq!(
        json!([row["measure"], row["id"], row["by"], row["host"], row["cause"]]),
        json!(["revocation to session end", story.id('F'), "erin", "db1", "revoked"])
    );
}

#[test]
fn an_incident_is_one_timeline() {
    if gone("an_incident_is_one_timeline") {
        return;
    }
    let story = told();
    let report = story.json(&["incident", "INC-9"]);
    // Git's files: the cases that name it, the one revoked for it, and M, which lifts the lock.
    let events = story.events();
    let mut cases: Vec<&Value> = events.iter().filter(|it| it["incident"] == "INC-9").map(|it| &it["id"]).collect();
    let unlock = json!(story.id('M'));
    cases.push(&unlock);
    let expected: Vec<&Value> = events.iter().filter(|it| cases.contains(&&it["id"])).collect();
    // E 4, L 1, M 2, F 8.
    assert_eq!(expected.len(), 15);
    let told = rows(&report);
    assert_eq!(told.len(), 15);
    for (row, event) in told.iter().zip(&expected) {
        for field in ["position", "commit", "kind", "actor", "time", "case", "id", "event", "leaf"] {
            assert_eq!(row[field], event[field], "{field}");
        }
    }
    let figures = &report["figures"];
    assert_eq!(figures["cases"], 4);
    assert_eq!(figures["actors"], json!(["alice", "bob", "carol", "dave", "db1", "erin", "minter", "rita"]));
    // `echo $(( $(date -ud 2026-07-10T09:10:10Z +%s) - $(date -ud 2026-07-05T02:00:00Z +%s) ))`
    assert_eq!(figures["seconds"], 457_810);
    assert_eq!(
        told[0]["what"],
        "declares an emergency and asks for payments-db/read-only for 15m: Payments are stuck; the queue table has to be read."
    );
    let said = story.audit(&["incident", "INC-9"]).ok();
    assert!(said.out.contains("revokes: The wrong person."), "{}", said.told());
    // INC-4711 is a ticket of most requests, and no incident of any.
    assert_eq!(story.json(&["incident", "INC-4711"])["none"], true);
}

#[test]
fn who_may_is_held_against_who_did() {
    if gone("who_may_is_held_against_who_did") {
        return;
    }
    let story = told();
    let report = story.json(&["access-review"]);
    let counted = json!({ "roles_never_used": 0, "members_never_active": 2, "approval_pairs": 6, "reciprocal_pairs": 1, "policies": 2 });
    assert_eq!(report["figures"], counted);
    let about = |what: &str| -> Vec<Value> { rows(&report).into_iter().filter(|row| row["about"] == what).collect() };
    let brief = |row: &Value| json!([row["subject"], row["used"], row["note"], row["asked"]]);
    let roles: Vec<Value> = about("role").iter().map(brief).collect();
    // Read-only: asked for by A, B, C, D, E, F, G and H; opened but for B, C and D.
    assert_eq!(roles, [json!(["payments-db/operator", 1, null, 1]), json!(["payments-db/read-only", 5, null, 8])]);

    // Members by the events that Git has of them; the void ones are none.
    let events = story.events();
    for row in about("member") {
        let name = row["subject"].as_str().unwrap();
        let signed: Vec<&Value> = events.iter().filter(|it| it["actor"] == name).collect();
        assert_eq!(row["used"], signed.len(), "{name}");
        assert_eq!(row["asked"], signed.iter().filter(|it| it["kind"] == "request").count(), "{name}");
        assert_eq!(row["last"], signed.last().map_or(Value::Null, |it| it["time"].clone()), "{name}");
        assert_eq!(row["note"] == "never active", ["frank", "raj"].contains(&name), "{name}");
    }
    assert_eq!(about("member").len(), 8);

    // Who approved whom: A, H, I by bob; A, I by dave; H by erin; F of bob by carol and dave; G of carol by bob and dave.
    let pairs: Vec<Value> =
        about("approvals").iter().map(|row| json!([row["subject"], row["used"], row["note"]])).collect();
    let wanted = [
        json!(["alice and bob", 3, null]),
        json!(["alice and dave", 2, null]),
        json!(["alice and erin", 1, null]),
        json!(["bob and carol", 2, "reciprocal"]),
        json!(["bob and dave", 1, null]),
        json!(["carol and dave", 1, null]),
    ];
    assert_eq!(pairs, wanted);
    let policies: Vec<Value> = about("policy").iter().map(|row| json!([row["subject"], row["last"]])).collect();
    assert_eq!(policies, [json!(["version 1", "2026-06-30T12:00:00Z"]), json!(["version 2", "2026-07-14T08:05:00Z"])]);

    let before = story.json(&["access-review", "--from", "2026-07-01", "--to", "2026-07-14"]);
    let idle: Vec<Value> =
        rows(&before).iter().filter(|row| row["note"] == "never used").map(|row| row["subject"].clone()).collect();
    assert_eq!(idle, ["payments-db/operator"]);
    assert_eq!(before["figures"]["policies"], 0);
}

#[test]
fn the_board_has_one_page() {
    if gone("the_board_has_one_page") {
        return;
    }
    let story = told();
    let figures = story.json(&["board"])["figures"].clone();
    let wanted = json!({
        "requests": 9, "opened": 6, "people": 3, "denied": 1, "not_used": 2, "waiting": 0, "live": 1,
        "median_seconds_to_approve": 120,
        // Ended: A 630, E 900, F 420, G 1800, I 210.
        "median_open_seconds": 630, "longest_open_seconds": 1800,
        "emergencies": 1, "emergency_rate": "16.7 %",
        // In: A, G on time, I late; overdue: E, F.
        "reviews_due": 5, "reviews_on_time": 2, "review_rate": "40.0 %",
        "revocations": 1, "locks": 1, "median_seconds_to_cut": 7, "open_exceptions": 7,
    });
    assert_eq!(figures, wanted);
    let said = story.audit(&["board"]).ok();
    assert!(said.out.lines().count() <= 40, "one page\n{}", said.told());
    assert!(said.out.contains("2 min  Median time from request to approval\n"), "{}", said.told());
}

#[test]
fn tables_fit_a_terminal() {
    if gone("tables_fit_a_terminal") {
        return;
    }
    let story = told();
    for arguments in [
        &["population"][..],
        &["exceptions"],
        &["emergencies"],
        &["latency"],
        &["incident", "INC-9"],
        &["access-review"],
        &["board"],
        &["controls"],
        &["sample", "--size", "9", "--seed", "x"],
    ] {
        let desk = story.place.desk("examiner", &story.ledger);
        let mut command = desk.command();
        command.arg("--ledger").arg(&story.ledger).arg("audit").args(arguments).args(["--at", AT]);
        let said = story.place.run_with(command, &desk.home, &[("COLUMNS", "80".as_ref())], b"");
        for line in said.out.lines() {
            assert!(console::measure_text_width(line) <= 80, "{arguments:?}: {line}");
        }
        // Nothing that jit says claims what it must not.
        let text = said.out.to_lowercase();
        for word in ["complian", "certified by", "guarantee", "satisfied"] {
            assert!(!text.contains(word), "{word}\n{}", said.told());
        }
    }
}

#[test]
fn controls_count_what_is_behind_them() {
    if gone("controls_count_what_is_behind_them") {
        return;
    }
    let story = told();
    let said = story.audit(&["controls", "--json"]).exits(4);
    let events = story.events();
    let kinds = |kinds: &[&str]| events.iter().filter(|it| kinds.contains(&it["kind"].as_str().unwrap())).count();
    let size = events.len() + story.voids.len();
    // Area, records, exceptions, stopped, result. A03 is the code of both void commits, of which one was acknowledged.
    let wanted = [
        ("least-privilege", kinds(&["issuance"]), 0, 0, "pass"),
        // The policy demands no touched key of anybody.
        ("authentication", 0, 0, 0, "no records"),
        // F07 of G.
        ("temporary", 6, 1, 0, "exceptions"),
        ("revocation", 2, 1, 0, "exceptions"),
        ("formal-approval", 9, 1, 1, "exceptions"),
        // The void commit, and bob with carol.
        ("separate-duties", kinds(&["approval", "denial", "review"]), 2, 1, "exceptions"),
        ("accountability", events.len(), 0, 0, "pass"),
        ("immutability", size, 0, 0, "pass"),
        ("kept", size, 0, 0, "pass"),
        // F01 of E and F.
        ("review", kinds(&["review"]), 2, 0, "exceptions"),
        ("recording", 1, 0, 0, "pass"),
        ("channels", kinds(&["issuance"]), 0, 0, "pass"),
        // F05 of F.
        ("nothing-lingers", kinds(&["session-end", "closure", "residue"]), 1, 0, "exceptions"),
        // F01 of E, not of F.
        ("emergency", 1, 1, 0, "exceptions"),
        // E, L and F's revocation.
        ("incidents", 3, 0, 0, "pass"),
        ("who-may-what", 2, 0, 0, "pass"),
    ];
    let report = said.json();
    for (area, records, exceptions, stopped, result) in wanted {
        let of: Vec<Value> = rows(&report).into_iter().filter(|row| row["area"] == area).collect();
        assert!(!of.is_empty(), "{area}");
        for row in of {
            let told = json!([row["records"], row["exceptions"], row["stopped"], row["result"]]);
            assert_eq!(told, json!([records, exceptions, stopped, result]), "{area}");
        }
    }
    let areas: std::collections::BTreeSet<String> =
        rows(&report).iter().map(|row| row["area"].as_str().unwrap().to_owned()).collect();
    assert_eq!(areas.len(), wanted.len());
    // One framework alone, and a period in which nothing is amiss.
    let one = story.json(&["controls", "--framework", "soc2"]);
    let ids: Vec<String> = rows(&one).iter().map(|row| row["control"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["CC6.3", "CC6.2", "CC6.3", "CC7.1", "CC8.1"]);
    story.audit(&["controls", "--from", "2026-07-01", "--to", "2026-07-05"]).ok();
    story.audit(&["controls", "--framework", "cat"]).refused(2).mentions(&["ffiec"]);
    let out = story.place.path("controls.md");
    story.audit(&["controls", "--out", out.to_str().unwrap()]).exits(4);
    let text = fs::read_to_string(&out).unwrap();
    assert!(
        text.contains("| separate-duties | ") && text.contains("Gives evidence for NIST SP 800-53 Rev. 5: AC-5"),
        "{text}"
    );
    assert!(!text.to_lowercase().contains("complian"));
}

/// The rules of the published JSON schema (`oscal_assessment-results_schema.json`, OSCAL 1.2) that the document touches:
/// required fields, no others, patterns, no empty arrays; and that what is referred to is there.
#[test]
fn oscal_keeps_to_its_rules() {
    if gone("oscal_keeps_to_its_rules") {
        return;
    }
    let story = told();
    let ask = ["controls", "--format", "oscal", "--from", "2026-07-01", "--to", "2026-08-01"];
    let said = story.audit(&ask).exits(4);
    assert_eq!(said.out, story.audit(&ask).exits(4).out, "the same question has the same bytes");
    let other = story.audit(&["controls", "--format", "oscal", "--from", "2026-07-01"]).exits(4).json();
    let document = said.json();
    let checker = script(&story.place, "oscal.py", include_str!("audit_reports/oscal.py"));
    let file = script(&story.place, "oscal.json", &said.out);
    let mut python = Command::new("python3");
    python.arg(&checker).arg(&file);
    let uuids = story.place.run(python).ok().json();
    let count = uuids.as_array().unwrap().len();
    // The document, its plan, its ledger, its result, and sixteen observations; none of them the other period's.
    assert_eq!(count, 20);
    assert!(!uuids.as_array().unwrap().contains(&other["assessment-results"]["uuid"]));
    let result = &document["assessment-results"]["results"][0];
    assert_eq!(result["observations"].as_array().unwrap().len(), 16);
    assert!(result.get("findings").is_none(), "whether an objective is satisfied is not ours to say");
    assert_eq!((&result["start"], &result["end"]), (&json!("2026-07-01T00:00:00Z"), &json!("2026-08-01T00:00:00Z")));
    assert_eq!(document["assessment-results"]["metadata"]["oscal-version"], "1.2.0");
}

#[test]
fn the_page_of_controls_is_fresh() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/controls.md");
    let made = jit::audit::controls::markdown::page(&jit::audit::controls::map::Map::whole());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&page, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&page).unwrap_or_default(), made, "UPDATE=1 cargo test --test audit_reports");
    // What must not be claimed.
    assert!(!made.to_lowercase().contains("complian"));
}

#[test]
fn every_column_is_explained() {
    use jit::audit::{access_review, controls, emergencies, exceptions, incident, latency, population, sample};
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/auditor.md")).unwrap();
    for (report, columns) in [
        ("population", population::COLUMNS),
        ("sample", sample::COLUMNS),
        ("exceptions", exceptions::COLUMNS),
        ("emergencies", emergencies::COLUMNS),
        ("latency", latency::COLUMNS),
        ("incident", incident::COLUMNS),
        ("access-review", access_review::COLUMNS),
        ("controls", controls::COLUMNS),
    ] {
        let start =
            page.find(&format!("\n#### {report}\n")).unwrap_or_else(|| panic!("{report} is not in docs/auditor.md"));
        let rest = &page[start + 5..];
        let section = rest.find("\n#").map_or(rest, |end| &rest[..end]);
        for column in columns {
            let line = format!("| `{}` | {} |", column.name, column.meaning.replace('|', "\\|"));
            assert!(section.contains(&line), "docs/auditor.md, {report}:\n{line}");
        }
        assert_eq!(section.matches("\n| `").count(), columns.len(), "{report}");
    }
}
