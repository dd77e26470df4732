//! `jit audit bundle`: what is in it checks by the instructions in it, run as they stand, with real `tar`, `sha256sum` and
//! `ssh-keygen` and without jit; any changed byte is found, also by whoever trusts nothing of the list of digests.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Place, Said, absent, files, find};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// What the instructions say that is needed: they run with nothing else in reach.
const TOOLS: [&str; 14] = [
    "sh",
    "sha256sum",
    "sed",
    "grep",
    "awk",
    "ssh-keygen",
    "cat",
    "cut",
    "dirname",
    "find",
    "head",
    "ls",
    "tail",
    "wc",
];

/// The sample ledger: made by another producer from the format's page alone.
fn sample(place: &Place) -> PathBuf {
    let ledger = place.path("sample.git");
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/ledger.bundle");
    place.git(&place.path("home"), &["clone", "-q", "--bare", bundle.to_str().unwrap(), ledger.to_str().unwrap()]);
    ledger
}

fn bundle(place: &Place, ledger: &Path, out: &str, chosen: &[&str]) -> Said {
    let out = place.path(out);
    let arguments = [&["audit", "bundle", "--json", "--out", out.to_str().unwrap()], chosen].concat();
    place.desk("alice", ledger).jit(&arguments)
}

/// Packs what was chosen and unpacks it with `tar`; the folder.
fn unpacked(place: &Place, ledger: &Path, chosen: &[&str]) -> PathBuf {
    let name = format!("{}.tar.gz", chosen.join("-").replace([':', '/'], ""));
    bundle(place, ledger, &name, chosen).ok();
    let folder = place.path(&format!("{name}.d"));
    fs::create_dir(&folder).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(place.path(&name)).arg("-C").arg(&folder);
    place.run(tar).ok();
    folder.join("jit-bundle")
}

/// The lines between the marks of the instructions, each block as it stands.
fn blocks(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("HOW-TO-CHECK.txt")).unwrap();
    text.split("\n```\n").skip(1).step_by(2).map(|block| format!("{block}\n")).collect()
}

/// Types the blocks in one shell, with nothing in reach but `tools`.
fn typed(place: &Place, folder: &Path, blocks: &[String], tools: &[&str]) -> Said {
    let reach = place.path("reach");
    fs::remove_dir_all(&reach).ok();
    fs::create_dir(&reach).unwrap();
    for tool in tools {
        symlink(find(tool).unwrap_or_else(|| panic!("{tool} is needed")), reach.join(tool)).unwrap();
    }
    let script = blocks.concat();
    let mut shell = Command::new(find("sh").unwrap());
    shell.current_dir(folder).arg("-c").arg(script);
    place.run_with(shell, &place.path("home"), &[("PATH", reach.as_os_str())], b"")
}

/// The numbers of the steps that said "ok".
fn held(said: &Said) -> Vec<String> {
    let lines = said.out.lines().filter_map(|line| line.strip_prefix("ok "));
    lines.map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

fn write_sums(folder: &Path) {
    let mut sums = Command::new("sh");
    let script = "find . -type f ! -name 'SHA256SUMS*' | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS.new && \
                  mv SHA256SUMS.new SHA256SUMS";
    assert!(sums.current_dir(folder).arg("-c").arg(script).status().unwrap().success());
}

fn case_of_kind(place: &Place, ledger: &Path, fits: impl Fn(&Value) -> bool) -> String {
    let said = place.desk("alice", ledger).jit(&["list", "--json"]).ok();
    let cases: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    cases.iter().find(|case| fits(case)).expect("such a case is in the sample")["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_bundle_of_any_case_checks_as_its_instructions_say() {
    if absent("a_bundle_of_any_case_checks_as_its_instructions_say", &["git", "tar", "ssh-keygen", "sha256sum"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let said = place.desk("alice", &ledger).jit(&["list", "--json"]).ok();
    let mut choices: Vec<Vec<String>> = said
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|case| vec!["--case".to_owned(), case["id"].as_str().unwrap().to_owned()])
        .collect();
    assert_eq!(choices.len(), 11, "{}", said.told());
    choices.push(vec!["--incident".into(), "INC-4711".into()]);
    choices.push(vec!["--from".into(), "2026-11-23T14:16:00Z".into(), "--to".into(), "2026-11-23T14:36:00Z".into()]);
    choices.push(Vec::new());
    for chosen in &choices {
        let chosen: Vec<&str> = chosen.iter().map(String::as_str).collect();
        let folder = unpacked(&place, &ledger, &chosen);
        let said = typed(&place, &folder, &blocks(&folder), &TOOLS);
        assert_eq!(held(&said), ["1", "1", "2", "3", "4", "5", "7"], "{chosen:?}\n{}", said.told());
        assert!(!said.out.contains("BAD"), "{chosen:?}\n{}", said.told());
        // Python is the one thing that it may do without, and that was not in reach.
        let rest: Vec<&str> = said.err.lines().filter(|line| !line.contains("python3")).collect();
        assert!(rest.is_empty(), "{chosen:?}\n{}", said.told());
    }
}

#[test]
fn the_python_of_the_instructions_says_the_same() {
    if absent("the_python_of_the_instructions_says_the_same", &["git", "tar", "python3"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let folder = unpacked(&place, &ledger, &[]);
    let block: Vec<String> = blocks(&folder).into_iter().filter(|block| block.starts_with("python3")).collect();
    let python = || {
        let mut shell = Command::new("sh");
        shell.current_dir(&folder).arg("-c").arg(block.concat());
        place.run(shell)
    };
    let said = python().ok();
    assert_eq!(said.out, "ok 5: every leaf, and the root over 39 entries, in Python\n");
    let events = fs::read_to_string(folder.join("events.txt")).unwrap();
    let file = folder.join(events.lines().nth(3).unwrap().split(' ').nth(2).unwrap());
    fs::write(&file, fs::read_to_string(&file).unwrap() + "\n").unwrap();
    let said = python();
    assert!(said.out.contains("BAD leaf") && !said.out.contains("ok"), "{}", said.told());
}

#[test]
fn a_changed_byte_in_any_file_is_found() {
    if absent("a_changed_byte_in_any_file_is_found", &["git", "tar", "sha256sum"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let case = case_of_kind(&place, &ledger, |case| case["state"] == "reviewed");
    let folder = unpacked(&place, &ledger, &["--case", &case]);
    let first: Vec<String> = blocks(&folder).into_iter().take(1).collect();
    assert_eq!(held(&typed(&place, &folder, &first, &TOOLS)), ["1", "1"]);
    let all = files(&folder);
    assert!(all.len() > 40, "{all:?}");
    for file in &all {
        let whole = fs::read(file).unwrap();
        let mut changed = whole.clone();
        match changed.len() / 2 {
            0 => changed.push(b'x'),
            middle => changed[middle] ^= 1,
        }
        fs::write(file, &changed).unwrap();
        let said = typed(&place, &folder, &first, &TOOLS);
        assert!(!said.out.contains("as it was packed"), "{}\n{}", file.display(), said.told());
        fs::write(file, &whole).unwrap();
    }
    fs::write(folder.join("more.txt"), "more").unwrap();
    assert_eq!(held(&typed(&place, &folder, &first, &TOOLS)), ["1"], "a file that is not in the list");
    fs::remove_file(folder.join("more.txt")).unwrap();
    assert_eq!(held(&typed(&place, &folder, &first, &TOOLS)), ["1", "1"], "it is as it was");
}

/// Whoever changes evidence can write a new list of digests: the signatures, the tree and the policies still tell.
#[test]
fn a_forger_who_mends_the_list_is_found_all_the_same() {
    if absent("a_forger_who_mends_the_list_is_found_all_the_same", &["git", "tar", "ssh-keygen", "sha256sum"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let case = case_of_kind(&place, &ledger, |case| case["state"] == "reviewed" && case["emergency"] == false);
    let folder = unpacked(&place, &ledger, &["--case", &case]);
    let blocks = blocks(&folder);
    let events = fs::read_to_string(folder.join("events.txt")).unwrap();
    let event = |kind: &str| {
        let line = events.lines().find(|line| line.contains(&format!("{case}/{kind}-"))).expect("such an event");
        line.split(' ').nth(2).unwrap().to_owned()
    };
    let swap = |old: &'static str, new: &'static str| move |text: String| text.replacen(old, new, 1);
    let other_key = place.public_key("erin");
    type Forgery<'a> = (String, Box<dyn Fn(String) -> String + 'a>, &'a [&'a str]);
    let forgeries: Vec<Forgery<'_>> = vec![
        (event("request"), Box::new(swap("Payments", "payments")), &["BAD signature", "BAD place", "BAD leaf"]),
        (event("approval"), Box::new(swap("actor = \"bob\"", "actor = \"eve\"")), &["BAD signature", "BAD leaf"]),
        (format!("{}.sig", event("issuance")), Box::new(|text| flipped(&text)), &["BAD signature", "BAD leaf"]),
        ("policies/1/policy.toml".into(), Box::new(swap("threshold = ", "threshold =  ")), &["BAD policy"]),
        (
            "policies/1/allowed_signers".into(),
            Box::new(move |text| text + "bob namespaces=\"jit-1/*\" " + &other_key + "\n"),
            &["BAD policy"],
        ),
        ("policies.txt".into(), Box::new(|text| text.replacen("1 0 ", "1 5 ", 1)), &["BAD policy"]),
        ("events.txt".into(), Box::new(|text| text.replacen("1 1 ", "2 1 ", 1)), &["BAD leaf"]),
        ("tree.txt".into(), Box::new(|text| digit_changed(&text)), &["BAD"]),
        ("LEDGER.txt".into(), Box::new(|text| text.replacen("root sha256:", "root sha256:0", 1)), &["BAD root"]),
        ("LEDGER.txt".into(), Box::new(|text| text.replacen("ledger sha256:", "ledger sha256:0", 1)), &["BAD place"]),
    ];
    for (path, change, found) in forgeries {
        let file = folder.join(&path);
        let whole = fs::read_to_string(&file).unwrap();
        let changed = change(whole.clone());
        assert_ne!(changed, whole, "{path}: nothing was forged");
        fs::write(&file, changed).unwrap();
        write_sums(&folder);
        let said = typed(&place, &folder, &blocks, &TOOLS);
        assert!(held(&said).starts_with(&["1".to_owned(), "1".to_owned()]), "the list was mended\n{}", said.told());
        for word in found {
            assert!(said.out.contains(word), "{path}: no {word:?}\n{}", said.told());
        }
        fs::write(&file, &whole).unwrap();
    }
    let certificate = files(&folder.join("certificates")).remove(0);
    let whole = fs::read_to_string(&certificate).unwrap();
    fs::write(&certificate, whole.replacen("AAAA", "AAAB", 1)).unwrap();
    write_sums(&folder);
    let said = typed(&place, &folder, &blocks, &TOOLS);
    assert!(said.out.contains("BAD certificate"), "{}", said.told());
    fs::write(&certificate, &whole).unwrap();
    write_sums(&folder);
    assert_eq!(held(&typed(&place, &folder, &blocks, &TOOLS)).len(), 7, "it is as it was");
}

/// The middle character of base64 changed.
fn flipped(text: &str) -> String {
    let at = text.len() / 2;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// The last digit of the last hash changed.
fn digit_changed(text: &str) -> String {
    let text = text.trim_end();
    let other = if text.ends_with('0') { "1" } else { "0" };
    format!("{}{other}\n", &text[..text.len() - 1])
}

#[test]
fn the_same_choice_gives_the_same_bytes() {
    if absent("the_same_choice_gives_the_same_bytes", &["git", "tar", "gzip"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let one = bundle(&place, &ledger, "one.tar.gz", &[]).ok();
    common::wait_past(common::now());
    let again = place.path("again.git");
    place.git(&place.path("home"), &["clone", "-q", "--bare", ledger.to_str().unwrap(), again.to_str().unwrap()]);
    let two = bundle(&place, &again, "two.tar.gz", &[]).ok();
    assert_eq!(one.text("sha256"), two.text("sha256"), "the digests that it says");
    assert_eq!(fs::read(place.path("one.tar.gz")).unwrap(), fs::read(place.path("two.tar.gz")).unwrap());
    let mut tar = Command::new("tar");
    tar.args(["--numeric-owner", "-tvf"]).arg(place.path("one.tar.gz"));
    let listed = place.run(tar).ok();
    let names: Vec<&str> = listed.out.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    for line in listed.out.lines() {
        assert!(line.starts_with("-rw-r--r-- 0/0 ") && line.contains(" 2026-11-23 14:41 "), "{line}");
    }
    let mut sum = Command::new("sha256sum");
    sum.arg(place.path("one.tar.gz"));
    assert_eq!(format!("sha256:{}", place.run(sum).ok().out.split(' ').next().unwrap()), one.text("sha256"));
}

#[test]
fn what_cannot_be_bundled_is_refused() {
    if absent("what_cannot_be_bundled_is_refused", &["git"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    bundle(&place, &ledger, "a.tar.gz", &["--case", "zzzz"]).exits(1);
    bundle(&place, &ledger, "a.tar.gz", &["--incident", "INC-0"]).refused(1).mentions(&["INC-0"]);
    let backwards = ["--from", "2026-11-24T00:00:00Z", "--to", "2026-11-23T00:00:00Z"];
    bundle(&place, &ledger, "a.tar.gz", &backwards).refused(2);
    bundle(&place, &ledger, "a.tar.gz", &["--case", "6dbu", "--incident", "INC-4711"]).exits(2);
    assert!(!place.path("a.tar.gz").exists(), "nothing was written");
    bundle(&place, &ledger, "a.tar.gz", &[]).ok();
    let before = fs::read(place.path("a.tar.gz")).unwrap();
    bundle(&place, &ledger, "a.tar.gz", &["--case", "6dbu"]).refused(1).mentions(&["is there already"]);
    assert_eq!(fs::read(place.path("a.tar.gz")).unwrap(), before, "nothing is overwritten");
    // A period in which nothing was opened is a bundle too, and says so.
    let folder = unpacked(&place, &ledger, &["--from", "2027-01-01"]);
    assert!(fs::read_to_string(folder.join("CASES.txt")).unwrap().contains("\nNone.\n"));
    let said = typed(&place, &folder, &blocks(&folder), &TOOLS);
    assert_eq!(held(&said).len(), 7, "{}", said.told());
}

#[test]
fn it_carries_what_was_asked_for_and_what_that_rests_on() {
    if absent("it_carries_what_was_asked_for_and_what_that_rests_on", &["git", "tar"]) {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    // A case under version 1 alone: the genesis comes along, the later policy does not.
    let early = unpacked(&place, &ledger, &["--case", "6dbu"]);
    let manifest: Value = serde_json::from_slice(&fs::read(early.join("manifest.json")).unwrap()).unwrap();
    let cases: Vec<(&str, bool)> = manifest["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (case["id"].as_str().unwrap(), case["asked"].as_bool().unwrap()))
        .collect();
    assert_eq!(cases, [("24foqtioskvzs6us", false), ("6dbulmjde6j277dv", true)]);
    assert_eq!(manifest["cases"][1]["positions"], serde_json::json!([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    assert!(early.join("policies/1/policy.toml").exists() && !early.join("policies/2").exists());
    assert_eq!(files(&early.join("certificates")).len(), 1);
    // A later one: version 2, and the proposal that brought it.
    let late = unpacked(&place, &ledger, &["--case", "m37m"]);
    assert!(late.join("policies/2/policy.toml").exists() && late.join("policies/1/policy.toml").exists());
    let cases = fs::read_to_string(late.join("CASES.txt")).unwrap();
    assert!(cases.contains("l3yfqxhwv6fgrlln  proposal: policy  (carried along)"), "{cases}");
    // The bytes are Git's.
    for line in fs::read_to_string(late.join("events.txt")).unwrap().lines() {
        let path = line.split(' ').nth(2).unwrap();
        for path in [path.to_owned(), format!("{path}.sig")] {
            let there = place.git_says(&ledger, &["show", &format!("main:{path}")]).ok().out;
            assert_eq!(fs::read_to_string(late.join(&path)).unwrap(), there, "{path}");
        }
    }
}

#[test]
fn a_checkpoint_is_carried_and_checked_with_openssl() {
    let test = "a_checkpoint_is_carried_and_checked_with_openssl";
    if absent(test, &["git", "tar", "ssh-keygen", "sha256sum", "openssl", "base64", "od"]) {
        return;
    }
    let place = Place::new();
    let ledger = common::checkpointed::ledger(&place);
    let folder = unpacked(&place, &ledger, &[]);
    let tools = [&TOOLS[..], &["openssl", "base64", "od", "tr", "mktemp", "rm"]].concat();
    let blocks = blocks(&folder);
    let said = typed(&place, &folder, &blocks, &tools);
    assert_eq!(held(&said), ["1", "1", "2", "3", "4", "5", "6", "6", "7"], "{}", said.told());
    assert!(said.out.contains("ok 6: the checkpoint's root over 3 entries"), "{}", said.told());
    // The proofs are those of `jit audit prove`: each says by itself that its event is in the log.
    let key = place.key("log").with_extension("pub");
    let proofs = folder.join("proofs");
    let names: Vec<PathBuf> = files(&proofs);
    let ends = |ending: &str| names.iter().filter(|name| name.extension().is_some_and(|found| found == ending)).count();
    assert_eq!((ends("tlog-proof"), ends("json")), (3, 1), "{names:?}");
    for proof in names.iter().filter(|name| name.extension().is_some_and(|ending| ending == "tlog-proof")) {
        let arguments = ["audit", "check", proof.to_str().unwrap(), "--log-key", key.to_str().unwrap()];
        place.desk("erin", &place.path("nothing")).jit_anywhere(&arguments).ok();
    }
    // Another size, root or signature.
    let file = folder.join("checkpoint.txt");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let another = |number: usize, text: String| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines[number] = text;
        lines.join("\n") + "\n"
    };
    let changes = [
        (another(1, "2".to_owned()), "ok 6: signed", "BAD checkpoint: another root"),
        (another(2, flipped(lines[2])), "ok 6: signed", "BAD checkpoint: not signed"),
        (another(4, flipped(lines[4])), "ok 6: signed", "BAD checkpoint: not signed"),
    ];
    for (changed, not, found) in changes {
        fs::write(&file, changed).unwrap();
        write_sums(&folder);
        let said = typed(&place, &folder, &blocks, &tools);
        assert!(said.out.contains(found) && !said.out.contains(not), "{found}\n{}", said.told());
    }
}
