//! Attacks 22 to 25: the repository around the commits is tampered with. What git takes for true there, jit does not; and
//! what cannot be read is never called good, by no command.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::common::{BRANCH, Place, absent};

const PROGRAMS: [&str; 2] = ["git", "ssh-keygen"];

/// A ledger with a case that waits for dave; its path, its commits and the case.
fn ledger(place: &Place) -> (PathBuf, Vec<String>, String) {
    let (ledger, _) = place.ledger("ledger.git", true);
    let case = place.desk("alice", &ledger).opens("30m");
    place.desk("bob", &ledger).approves(&case).ok();
    let commits = place.commits(&ledger);
    (ledger, commits, case)
}

/// No command says that all is well, shows anything, or appends anything; each says this word.
#[track_caller]
fn is_never_good(place: &Place, ledger: &Path, case: &str, word: &str) {
    // git itself may be misled here: the branch is read as the file that it is.
    let branch = || fs::read_to_string(ledger.join(BRANCH)).unwrap();
    let before = branch();
    for (name, arguments) in [
        ("alice", &["verify"][..]),
        ("alice", &["verify", "--json"]),
        ("dave", &["approve", case, "--yes"]),
        ("dave", &["lock", "ledger", "--reason", "Somebody is in here.", "--yes"]),
        ("alice", &["list"]),
        ("alice", &["show", case]),
        ("minter", &["mint"]),
    ] {
        let said = place.desk(name, ledger).jit(arguments).refused(1).mentions(&[word]);
        assert!(!said.out.contains("\"ok\": true") && !said.out.contains("\"ok\":true"), "{}", said.told());
    }
    assert_eq!(branch(), before, "nothing was appended");
}

#[test]
fn a_replaced_commit_is_ignored_and_told() {
    const TEST: &str = "a_replaced_commit_is_ignored_and_told";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, commits, case) = ledger(&place);
    let desk = place.desk("dave", &ledger);
    let before = desk.jit(&["verify", "--json"]).ok().json();
    // bob's approval never was: git shows the ledger without it.
    place.git(&ledger, &["replace", &commits[2], &commits[1]]);
    assert_eq!(place.git(&ledger, &["rev-list", "--count", BRANCH]), "2", "git is misled");
    let said = desk.jit(&["verify", "--json"]).ok().mentions(&["Warning: 1 replace reference"]);
    assert_eq!(said.json(), before, "jit is not");
    assert_eq!(desk.sees(&case)["approvals"][0]["actor"], "bob");
    // The other way round: an approval is shown that nobody gave.
    place.git(&ledger, &["replace", "-d", &commits[2]]);
    place.git(&ledger, &["update-ref", BRANCH, &commits[1]]);
    fs::remove_dir_all(ledger.join("jit")).unwrap();
    place.git(&ledger, &["replace", &commits[1], &commits[2]]);
    assert_eq!(desk.sees(&case)["approvals"], serde_json::json!([]));
}

#[test]
fn grafts_are_refused_by_every_command() {
    const TEST: &str = "grafts_are_refused_by_every_command";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, commits, case) = ledger(&place);
    fs::create_dir_all(ledger.join("info")).unwrap();
    fs::write(ledger.join("info/grafts"), format!("{} {}\n", commits[2], commits[0])).unwrap();
    assert_eq!(place.git(&ledger, &["rev-list", "--count", BRANCH]), "2", "git is misled");
    is_never_good(&place, &ledger, &case, "graft");
}

#[test]
fn a_shallow_clone_is_never_good() {
    const TEST: &str = "a_shallow_clone_is_never_good";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, _, case) = ledger(&place);
    let clone = place.path("shallow.git");
    let url = format!("file://{}", ledger.display());
    place.git(&place.path("home"), &["clone", "-q", "--bare", "--depth=1", &url, clone.to_str().unwrap()]);
    loose_branch(&place, &clone);
    is_never_good(&place, &clone, &case, "shallow");
}

#[test]
fn a_partial_clone_is_never_good() {
    const TEST: &str = "a_partial_clone_is_never_good";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, _, case) = ledger(&place);
    place.git(&ledger, &["config", "uploadpack.allowFilter", "true"]);
    for filter in ["blob:none", "tree:0"] {
        let clone = place.path(&format!("{}.git", filter.replace(':', "-")));
        let url = format!("file://{}", ledger.display());
        let arguments = ["clone", "-q", "--bare", "--filter", filter, &url, clone.to_str().unwrap()];
        place.git(&place.path("home"), &arguments);
        // Where it came from is gone, so nobody can fill it up.
        place.git(&clone, &["config", "remote.origin.url", "/nowhere"]);
        loose_branch(&place, &clone);
        is_never_good(&place, &clone, &case, "missing");
    }
}

/// Writes the branch as a file of its own, as it is where nobody has packed references.
fn loose_branch(place: &Place, ledger: &Path) {
    let head = place.head(ledger);
    fs::write(ledger.join(BRANCH), format!("{head}\n")).unwrap();
}

#[test]
fn a_tampered_object_is_never_good() {
    const TEST: &str = "a_tampered_object_is_never_good";
    if absent(TEST, &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let (ledger, commits, case) = ledger(&place);
    let approval = place.events(&ledger).into_iter().find(|path| path.contains("/approval-")).unwrap();
    let request = place.events(&ledger).into_iter().find(|path| path.contains("/request-")).unwrap();
    let object = |name: &str| {
        let id = place.git(&ledger, &["rev-parse", name]);
        ledger.join("objects").join(&id[..2]).join(&id[2..])
    };
    // The approval, the request, the policy, a folder, and a commit.
    for name in [
        format!("{BRANCH}:{approval}"),
        format!("{BRANCH}:{request}"),
        format!("{BRANCH}:policy.toml"),
        format!("{BRANCH}:ledger"),
        commits[1].clone(),
    ] {
        let file = object(&name);
        let kind = place.git(&ledger, &["cat-file", "-t", &name]);
        let before = fs::read(&file).unwrap_or_else(|why| panic!("{name} is not loose: {why}"));
        let said = place.git_says(&ledger, &["cat-file", &kind, &name]).ok().out.into_bytes();
        let mut edited = said;
        let last = edited.len() - 2;
        edited[last] ^= 1;
        let others: [(&str, Vec<u8>); 4] = [
            ("one bit, packed as git would", loose(&kind, &edited)),
            (
                "another object's bytes",
                fs::read(object(&format!("{BRANCH}:README.md"))).unwrap_or_else(|_| loose("blob", b"x\n")),
            ),
            ("nothing, as after a power cut", Vec::new()),
            ("the first half", before[..before.len() / 2].to_vec()),
        ];
        for (what, bytes) in others {
            fs::remove_file(&file).unwrap();
            fs::write(&file, &bytes).unwrap();
            println!("{name}: {what}");
            let said = place.desk("alice", &ledger).jit(&["verify", "--json"]).exits(1);
            assert_eq!(said.json()["error"], "the ledger could not be checked", "{}", said.told());
            assert_eq!(said.json()["ok"], serde_json::Value::Null);
            // One of each stands for all the commands.
            if name.contains("/approval-") {
                is_never_good(&place, &ledger, &case, "could not be checked");
            }
        }
        fs::remove_file(&file).unwrap();
        fs::write(&file, before).unwrap();
    }
    place.desk("alice", &ledger).jit(&["verify"]).ok();
}

/// A loose object as git writes it: zlib over `KIND SIZE NUL BYTES`.
fn loose(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(format!("{kind} {}\0", bytes.len()).as_bytes()).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
