//! Changing a policy by quorum from the command line: three roots of whom two must agree, real keys, real git. One root
//! alone changes nothing by any path; two do; what a void commit spoilt is looked into, acknowledged and put back.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::PathBuf;

use common::terminal::{Answer, Terminal};
use common::{Desk, Place, absent};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// A bare remote whose root is dave, raj and rita, two of whom must agree.
struct Office {
    place: Place,
    remote: PathBuf,
    policy: String,
}

const ROOT: &str = "members = [\"rita\", \"raj\"]";

impl Office {
    fn new(threshold: usize) -> Self {
        let place = Place::new();
        let remote = place.path("remote.git");
        let policy = place.policy_text(threshold).replace(ROOT, "members = [\"rita\", \"raj\", \"dave\"]");
        let file = place.path("first.toml");
        fs::write(&file, &policy).unwrap();
        let rita = place.desk("rita", &remote);
        let (remote_path, file) = (remote.to_str().unwrap(), file.to_str().unwrap());
        rita.jit_anywhere(&["init", remote_path, "--policy", file, "--bare", "--json"]).ok();
        Self { place, remote, policy }
    }

    /// The desk of somebody with a clone of their own.
    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
        }
        desk
    }

    /// A policy file of this version with `edit`.
    fn file(&self, version: u64, edit: impl Fn(String) -> String) -> String {
        let text = edit(self.policy.replace("version = 1\n", &format!("version = {version}\n")));
        let directory = self.place.path(&format!("proposed-{}", self.place.commits(&self.remote).len()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("policy.toml");
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// Proposes a file; the case object.
    fn proposed(&self, who: &str, file: &str) -> Value {
        let arguments = ["policy", "propose", file, "--reason", "The rota changes.", "--yes", "--json"];
        self.desk(who).jit(&arguments).ok().json()
    }

    /// The policy in force, as the remote has it for anybody.
    fn version(&self) -> u64 {
        self.desk("erin").jit(&["policy", "show", "--json"]).ok().json()["version"].as_u64().unwrap()
    }

    fn git_show(&self, path: &str) -> String {
        self.place.git(&self.remote, &["show", &format!("main:{path}")])
    }

    /// Commits what stands in somebody's work tree and pushes it, as git lets anybody do who may push.
    fn push_by_hand(&self, desk: &Desk<'_>) -> String {
        let ledger = &desk.ledger;
        self.place.git(ledger, &["add", "-A", "-f"]);
        let identity = ["-c", "user.name=Raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
        self.place.git(ledger, &[&identity[..], &["commit", "-q", "-m", "A small mend"]].concat());
        self.place.git(ledger, &["push", "-q", "origin", "main"]);
        self.place.head(&self.remote)
    }
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen"])
}

/// A new key comes for bob, the old one goes.
fn rota(place: &Place) -> impl Fn(String) -> String + '_ {
    let new = place.make_key("bob-2");
    assert!(new.exists());
    |text: String| text.replace(&place.public_key("bob"), &place.public_key("bob-2"))
}

#[test]
fn two_of_three_roots_put_a_policy_in_force() {
    if gone("two_of_three_roots_put_a_policy_in_force") {
        return;
    }
    let office = Office::new(2);
    let file = office.file(2, rota(&office.place));
    let case = office.proposed("rita", &file);
    let id = case["id"].as_str().unwrap();
    assert_eq!(case["state"], "pending");
    assert_eq!(case["waiting_on"][0]["group"], "root");
    assert_eq!(case["waiting_on"][0]["count"], 1);
    assert_eq!(case["waiting_on"][0]["members"], serde_json::json!(["dave", "raj"]));
    assert_eq!(case["waiting_on"].as_array().unwrap().len(), 1, "the root stays as it is");
    let says: Vec<&str> = case["changes"].as_array().unwrap().iter().map(|c| c["says"].as_str().unwrap()).collect();
    assert!(says.iter().any(|says| says.starts_with("gains the key SHA256:")), "{says:?}");
    assert_eq!(case["files"], serde_json::json!(["allowed_signers", "policy.toml"]));

    // One root is not enough, whoever enacts; nobody of the root is asked twice.
    office.desk("rita").jit(&["policy", "enact", id, "--yes"]).refused(3).mentions(&["A11", "1 of root (dave, raj)"]);
    office.desk("rita").approves(id).refused(3).mentions(&["A03"]);
    office.desk("alice").approves(id).refused(3).mentions(&["A03"]);
    assert_eq!(office.version(), 1);

    // What an approver sees: the reason, what it does to people, each changed line.
    let shown = office.desk("raj").jit(&["show", id]).ok().out;
    for part in [
        "The rota changes.",
        "member bob: gains the key",
        "policy.toml changes",
        "    - version = 1",
        "    + version = 2",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    let said = office.desk("raj").approves(id).ok();
    assert!(said.err.contains(&format!("jit policy enact {id}")), "{}", said.told());
    let case = office.desk("alice").jit(&["policy", "enact", id, "--yes", "--json"]).ok().json();
    assert_eq!(case["state"], "enacted");
    assert_eq!(office.version(), 2);
    assert!(office.git_show("allowed_signers").contains(&office.place.public_key("bob-2")));
    assert!(!office.git_show("allowed_signers").contains(&office.place.public_key("bob")));
    office.desk("erin").jit(&["verify", "--strict"]).ok();
    office.place.is_sound(&office.remote);
    // bob's old key signs nothing any more.
    office.desk("bob").asks("30m").refused(3).mentions(&["K04"]);
    office.desk("raj").jit(&["policy", "enact", id, "--yes"]).refused(3).mentions(&["A11"]);
}

#[test]
fn versions_go_up_by_one() {
    if gone("versions_go_up_by_one") {
        return;
    }
    let office = Office::new(2);
    let edit = |text: String| text.replace("staleness = \"10m\"", "staleness = \"11m\"");
    for version in [0, 1, 3] {
        let file = office.file(version, edit);
        let arguments = ["policy", "propose", &file, "--reason", "Later.", "--yes"];
        let said = office.desk("rita").jit(&arguments).refused(3);
        if version > 0 {
            said.mentions(&["version = 2", "--bump", "A10"]);
        }
    }
    let rita = office.desk("rita");
    let file = office.file(1, edit);
    let first = rita.jit(&["policy", "propose", &file, "--bump", "--reason", "Later.", "--yes", "--json"]).ok().json();
    assert_eq!(first["version"], 2);
    // Another of the same version is overtaken once the first is enacted.
    let other = office.file(2, |text| text.replace("staleness = \"10m\"", "staleness = \"12m\""));
    let second = office.proposed("raj", &other);
    let (first, second) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());
    office.desk("raj").approves(first).ok();
    office.desk("rita").approves(second).ok();
    office.desk("rita").jit(&["policy", "enact", first, "--yes"]).ok();
    office.desk("raj").jit(&["policy", "enact", second, "--yes"]).refused(3).mentions(&["overtaken"]);
    // What was in force does not come back as it was.
    let file = office.file(1, |text| text);
    let arguments = ["policy", "propose", &file, "--reason", "Back.", "--yes"];
    office.desk("rita").jit(&arguments).refused(3).mentions(&["version 2 is in force", "version = 3"]);
    assert_eq!(office.version(), 2);
}

#[test]
fn an_unsound_policy_is_not_proposed() {
    if gone("an_unsound_policy_is_not_proposed") {
        return;
    }
    let office = Office::new(2);
    let file = office.file(2, |text| text.replace("threshold = 2", "threshold = 4"));
    let arguments = ["policy", "propose", &file, "--reason", "More.", "--yes"];
    office.desk("rita").jit(&arguments).refused(3).mentions(&["policy.toml:", "threshold is 4", "A10"]);
    // One key, two people: not even with a quorum.
    let bob = office.place.public_key("bob");
    let file = office.file(2, |text| text.replace(&office.place.public_key("carol"), &bob));
    let arguments = ["policy", "propose", &file, "--reason", "More.", "--yes"];
    office.desk("rita").jit(&arguments).refused(3).mentions(&["one key with two owners"]);
    let arguments = ["policy", "propose", "allowed_signers=/dev/null", "--reason", "More.", "--yes"];
    office.desk("rita").jit(&arguments).refused(2).mentions(&["follows from the policy"]);
    let arguments = ["policy", "propose", "ledger/x=/dev/null", "--reason", "More.", "--yes"];
    office.desk("rita").jit(&arguments).refused(2);
    assert_eq!(office.place.commits(&office.remote).len(), 1, "nothing was appended");
}

#[test]
fn old_and_new_root_agree() {
    if gone("old_and_new_root_agree") {
        return;
    }
    let office = Office::new(2);
    let root = "members = [\"rita\", \"raj\", \"dave\"]";
    let file = office.file(2, |text| text.replace(root, "members = [\"rita\", \"erin\"]"));
    let case = office.proposed("rita", &file);
    let id = case["id"].as_str().unwrap();
    let groups: Vec<&str> =
        case["waiting_on"].as_array().unwrap().iter().map(|lack| lack["group"].as_str().unwrap()).collect();
    assert_eq!(groups, ["root", "new-root"]);
    assert_eq!(case["changes"][0]["weight"], "weaker");
    assert_eq!(case["changes"][0]["of"], "root");
    office.desk("raj").approves(id).ok();
    office.desk("raj").jit(&["policy", "enact", id, "--yes"]).refused(3).mentions(&["new-root", "erin"]);
    office.desk("erin").approves(id).ok();
    office.desk("erin").jit(&["policy", "enact", id, "--yes"]).ok();
    assert_eq!(office.version(), 2);
    // Whoever left the root no longer counts.
    let file = office.file(3, |text| text.replace(root, "members = [\"rita\", \"erin\", \"carol\"]"));
    let id = office.proposed("rita", &file)["id"].as_str().unwrap().to_owned();
    office.desk("raj").approves(&id).refused(3).mentions(&["A03"]);
}

#[test]
fn an_approval_by_somebody_who_was_removed_no_longer_counts() {
    if gone("an_approval_by_somebody_who_was_removed_no_longer_counts") {
        return;
    }
    let office = Office::new(2);
    let alice = office.desk("alice");
    let case = alice.opens("30m");
    office.desk("bob").approves(&case).ok();
    office.desk("erin").approves(&case).ok();
    assert_eq!(alice.sees(&case)["state"], "approved");
    let file = office.file(2, |text| {
        let at = text.find("[member.bob]").unwrap();
        let (head, tail) = text.split_at(at);
        let end = tail.find("[member.carol]").unwrap();
        format!("{head}{}", &tail[end..])
    });
    let id = office.proposed("rita", &file)["id"].as_str().unwrap().to_owned();
    office.desk("dave").approves(&id).ok();
    office.desk("dave").jit(&["policy", "enact", &id, "--yes"]).ok();
    let seen = alice.sees(&case);
    assert_eq!(seen["state"], "pending", "{seen:#}");
    assert_eq!(seen["waiting_on"][0]["group"], "sre");
    assert_eq!(office.desk("minter").mints().ok().json()["issued"], serde_json::json!([]));
}

#[test]
fn one_root_alone_changes_nothing_by_hand_and_two_mend_it() {
    if gone("one_root_alone_changes_nothing_by_hand_and_two_mend_it") {
        return;
    }
    let office = Office::new(2);
    let before = office.git_show("policy.toml");
    let alice = office.desk("alice");
    let case = alice.opens("30m");
    office.desk("bob").approves(&case).ok();
    office.desk("erin").approves(&case).ok();

    // raj makes himself the only root by hand, adds a workflow and pushes both.
    let raj = office.desk("raj");
    raj.jit(&["sync"]).ok();
    let alone = before.replace("threshold = 2", "threshold = 1").replace("version = 1", "version = 2");
    fs::write(raj.ledger.join("policy.toml"), alone).unwrap();
    let first = office.push_by_hand(&raj);
    let workflow = office.git_show(".github/workflows/jit.yml");
    fs::write(raj.ledger.join(".github/workflows/jit.yml"), "on: push\n").unwrap();
    fs::remove_file(raj.ledger.join("README.md")).unwrap();
    fs::create_dir(raj.ledger.join("README.md")).unwrap();
    fs::write(raj.ledger.join("README.md/more.sh"), "true\n").unwrap();
    let second = office.push_by_hand(&raj);

    assert_eq!(office.version(), 1, "the policy in force is the old one");
    let said = office.desk("erin").jit(&["verify"]).exits(4);
    for part in [
        "C05",
        "policy.toml",
        ".github/workflows/jit.yml",
        "Raj <raj@acme.example>",
        "anybody can write it",
        "A small mend",
    ] {
        assert!(said.out.contains(part), "{part:?}\n{}", said.told());
    }
    said.mentions(&["jit policy acknowledge"]);
    let said = office.desk("minter").mints().exits(4).mentions(&["jit policy acknowledge"]);
    assert_eq!(said.json()["issued"], serde_json::json!([]));

    let dave = office.desk("dave");
    let reason = "raj tried it alone; we talked.";
    let arguments = ["policy", "acknowledge", &first[..10], &second, "--reason", reason, "--enact", "--yes", "--json"];
    let said = dave.jit(&arguments).ok();
    let proposal = said.json();
    assert_eq!(proposal["state"], "pending", "one root does not acknowledge either: {}", said.told());
    assert_eq!(proposal["commits"].as_array().unwrap().len(), 2);
    let id = proposal["id"].as_str().unwrap();
    dave.jit(&["policy", "enact", id, "--yes"]).refused(3).mentions(&["A11"]);
    office.desk("erin").jit(&["verify"]).exits(4).mentions(&[&format!("jit approve {id}")]);
    office.desk("rita").approves(id).ok();
    office.desk("minter").mints().exits(4).mentions(&[&format!("jit policy enact {id}")]);
    office.desk("rita").jit(&["policy", "enact", id, "--yes"]).ok();

    // What is in force lies in the tree again, and nothing else.
    assert_eq!(office.git_show("policy.toml"), before);
    let names = office.place.git(&office.remote, &["ls-tree", "-r", "--name-only", "main"]);
    assert!(!names.contains("more.sh"), "{names}");
    assert_eq!(office.git_show(".github/workflows/jit.yml"), workflow);
    office.desk("erin").jit(&["verify", "--strict"]).ok();
    let issued = office.desk("minter").mints().ok().json();
    assert_eq!(issued["issued"].as_array().unwrap().len(), 1, "{issued:#}");
    office.place.is_sound(&office.remote);
    dave.jit(&["policy", "acknowledge", "--reason", "Again.", "--yes"])
        .refused(1)
        .mentions(&["nothing to acknowledge"]);
}

#[test]
fn a_root_of_one_proposes_and_enacts_at_once() {
    if gone("a_root_of_one_proposes_and_enacts_at_once") {
        return;
    }
    let office = Office::new(1);
    let rita = office.desk("rita");
    // Other files alone take the policy in force along, under its next version.
    let readme = office.place.path("README.md");
    fs::write(&readme, "# How to ask\u{202e}\n").unwrap();
    let named = format!("docs/README.md={}", readme.display());
    let said = rita.jit(&["policy", "propose", &named, "--reason", "A start.", "--yes", "--json"]).ok();
    let id = said.text("id");
    assert!(said.err.contains(&format!("jit policy enact {id}")), "{}", said.told());
    let shown = rita.jit(&["show", &id]).ok().out;
    assert!(shown.contains("docs/README.md is new") && shown.contains("    + # How to ask\\u{202e}"), "{shown}");
    rita.jit(&["policy", "enact", &id, "--yes"]).ok();
    assert_eq!(office.version(), 2);
    assert!(office.git_show("docs/README.md").starts_with("# How to ask"));
    // The work tree is what is proposed where no file is named.
    let file = rita.ledger.join("policy.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("version = 2\n"), "{text}");
    fs::write(&file, text.replace("staleness = \"10m\"", "staleness = \"5m\"")).unwrap();
    let arguments = ["policy", "propose", "--bump", "--reason", "Hosts hear oftener.", "--enact", "--yes", "--json"];
    assert_eq!(rita.jit(&arguments).ok().json()["state"], "enacted");
    assert_eq!(office.version(), 3);
    let arguments = ["policy", "propose", "--remove", "docs/README.md", "--reason", "Moved.", "--enact", "--yes"];
    rita.jit(&arguments).ok();
    let names = office.place.git(&office.remote, &["ls-tree", "-r", "--name-only", "main"]);
    assert!(!names.lines().any(|name| name == "docs/README.md"), "{names}");
    let said = rita.jit(&["policy", "diff", "@1", "@4", "--json"]).ok().json();
    assert_eq!(said["changes"].as_array().unwrap().len(), 1, "{said:#}");
    assert_eq!(said["changes"][0]["weight"], "stronger");
    office.desk("erin").jit(&["verify", "--strict"]).ok();
}

/// The example of docs/administrator.md, and the rules that it does not show.
#[test]
fn scenarios_are_judged_by_the_rules() {
    if gone("scenarios_are_judged_by_the_rules") {
        return;
    }
    let office = Office::new(2);
    let manual = include_str!("../docs/administrator.md");
    let from = manual.find("    [[scenario]]").unwrap();
    let to = from + manual[from..].find("\nKeys, touch and PIN").unwrap();
    let example: String = manual[from..to].lines().map(|line| format!("{}\n", line.trim_start())).collect();
    let ask = "who = \"alice\"\nasks = \"payments-db/read-only\"\nfor = \"30m\"\nticket = \"INC-1\"\n";
    let rows = [
        format!("{ask}approved_by = [\"bob\", \"erin\"]\nexpect = \"approved\""),
        format!("{ask}expect = \"pending\"\nwaits_on = [\"sre\", \"security\"]"),
        format!("{ask}approved_by = [\"bob\", \"bob\"]\nexpect = \"refused\"\ncode = \"A03\""),
        format!("{ask}approved_by = [\"mallory\"]\nexpect = \"refused\"\ncode = \"K04\""),
        format!("{ask}emergency = true\nincident = \"INC-1\"\nexpect = \"refused\"\ncode = \"A07\""),
        format!("{ask}emergency = true\nincident = \"INC-1\"\nexpect = \"emergency\"").replace("30m", "15m"),
        format!("{ask}expect = \"refused\"\ncode = \"A01\"").replace("30m", "3h"),
        format!("{ask}expect = \"refused\"\ncode = \"A01\"").replace("alice", "bob"),
        format!("{ask}expect = \"refused\"\ncode = \"A02\"").replace("INC-1", "soon"),
        format!("{ask}data = [\"other\"]\nexpect = \"refused\"\ncode = \"A02\""),
    ];
    let mut text = example;
    for (number, row) in rows.iter().enumerate() {
        text += &format!("[[scenario]]\nname = \"row {number}\"\n{row}\n");
    }
    let file = office.place.path("scenarios.toml");
    fs::write(&file, &text).unwrap();
    let path = file.to_str().unwrap();
    let erin = office.desk("erin");
    let said = erin.jit(&["policy", "test", path, "--json"]);
    assert_eq!(said.json()["scenarios"].as_array().unwrap().len(), 12);
    assert_eq!(said.json()["ok"], true, "{}", said.told());
    said.ok();

    // Against a policy that is only proposed, two of them end otherwise.
    let both = "approve = [{ group = \"sre\", count = 1 }, { group = \"security\", count = 1 }]";
    let next = office.file(2, |text| text.replace(both, "approve = [{ group = \"sre\", count = 1 }]"));
    let said = erin.jit(&["policy", "test", path, "--policy", &next]).exits(1);
    assert!(said.out.contains("FAILED  operators need both groups: approved; expected pending"), "{}", said.told());
    assert!(!said.out.contains("FAILED  nobody approves"), "{}", said.told());

    fs::write(&file, text.replace("expect =", "expects =")).unwrap();
    erin.jit(&["policy", "test", path]).refused(1).mentions(&["expects"]);
}

/// Who agrees or refuses at a terminal has seen everything before the question.
#[test]
fn whoever_decides_sees_all_that_is_signed() {
    if absent("whoever_decides_sees_all_that_is_signed", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let office = Office::new(2);
    let file = office.file(2, |text| text.replace("max_duration = \"2h\"", "max_duration = \"8h\""));
    let workflow = office.place.path("jit.yml");
    fs::write(&workflow, "on: push # \u{202e}hsup\n").unwrap();
    let named = format!(".github/workflows/jit.yml={}", workflow.display());
    let arguments = ["policy", "propose", &file, &named, "--reason", "Longer\nnights.", "--yes", "--json"];
    let id = office.desk("rita").jit(&arguments).ok().text("id");
    for (command, question) in [("approve", "sign this approval"), ("deny", "sign this denial")] {
        let raj = office.desk("raj");
        let key = raj.key.display().to_string();
        let screen = Terminal::open(&office.place, &raj.home, &raj.ledger, &[("JIT_AS", "raj"), ("JIT_KEY", &key)]);
        let answers = [
            Answer { when: &["why not"], keys: &["text:Not so long.", "Enter"] },
            Answer { when: &["comment"], keys: &["Enter"] },
            Answer { when: &[question], keys: &["text:n"] },
        ];
        let said = screen.converses(&format!("jit {command} {id}"), &answers);
        let shown = said.when_asked(&[question]);
        for part in [
            "Longer",
            "| nights.",
            "weaker    payments-db/read-only: lasts up to 8h instead of 2h",
            "- max_duration",
            "+ max_duration",
            ".github/workflows/jit.yml changes",
            "+ on: push # \\u{202e}hsup",
        ] {
            assert!(shown.contains(part), "{part:?} is not shown before {command}\n{shown}");
        }
        assert_ne!(said.code, 0, "{}", said.all());
    }
    let seen = office.desk("raj").sees(&id);
    assert_eq!(seen["state"], "pending", "no answer, no signature");
}

/// The contents of what is in force are found though a void commit took them out of the tree.
#[test]
fn what_was_removed_by_hand_comes_back() {
    if gone("what_was_removed_by_hand_comes_back") {
        return;
    }
    let office = Office::new(1);
    let rita = office.desk("rita");
    let readme = office.place.path("README.md");
    fs::write(&readme, "# How to ask\n").unwrap();
    let arguments = ["policy", "propose", readme.to_str().unwrap(), "--reason", "A start.", "--enact", "--yes"];
    rita.jit(&arguments).ok();
    let raj = office.desk("raj");
    raj.jit(&["sync"]).ok();
    for name in ["ledger", ".github"] {
        fs::remove_dir_all(raj.ledger.join(name)).unwrap();
    }
    for name in ["README.md", "policy.toml", "allowed_signers"] {
        fs::remove_file(raj.ledger.join(name)).unwrap();
    }
    office.push_by_hand(&raj);
    office.desk("erin").jit(&["verify"]).exits(4);
    let arguments = ["policy", "acknowledge", "--reason", "All was removed.", "--enact", "--yes", "--json"];
    assert_eq!(office.desk("rita").jit(&arguments).ok().json()["state"], "enacted");
    assert_eq!(office.git_show("README.md"), "# How to ask");
    assert!(office.git_show("policy.toml").contains("version = 2\n"));
    assert!(!office.git_show(".github/workflows/jit.yml").is_empty());
    office.desk("erin").jit(&["verify", "--strict"]).ok();
}
