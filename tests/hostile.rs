//! Repositories that were made to break whoever reads them: each is read to its end within little memory and time, and a
//! code says what is wrong with it; or it is refused, with the cause. Objects are written raw where git would not make
//! them. Every command runs under limits of the system (`prlimit`): who needs more is killed, and the test fails.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Desk, JIT, Place, Said, absent, files};
use hostile::{Hostile, entry};

#[path = "common/harness.rs"]
mod common;
#[path = "hostile/objects.rs"]
mod hostile;

/// The address space of a command that only reads what lies here, in bytes, beside what the program itself is mapped to.
const READING: u64 = 400 << 20;
/// The same for one that has git fetch it: git takes the largest object into memory.
const FETCHING: u64 = 1 << 30;
/// Seconds of processor time: some fifty times what any of these takes, however busy the machine.
const SECONDS: u64 = 60;

const FOLDER: &str = "ledger/2026/11/23/14/aaaaaaaaaaaaaaaa";
const TREE: u32 = 0o40000;
const FILE: u32 = 0o100_644;

/// Runs jit under limits.
fn limited(desk: &Desk<'_>, memory: u64, arguments: &[&str]) -> Said {
    let mut command = Command::new("prlimit");
    let memory = memory + fs::metadata(JIT).unwrap().len();
    command.args([format!("--as={memory}"), format!("--cpu={SECONDS}"), "--core=0".to_owned(), "--".to_owned()]);
    // One arena: glibc keeps 64 MiB of addresses for each thread that allocates, used or not.
    command.args(["env", "MALLOC_ARENA_MAX=1"]).arg(JIT).current_dir(&desk.home);
    command.args(["--as", &desk.name, "--key"]).arg(&desk.key).args(arguments);
    let said = desk.run(command);
    assert!(said.code >= 0 && said.code < 100, "killed, or out of memory\n{}", said.told());
    assert!(!said.err.contains("jit cannot go on"), "{}", said.told());
    said
}

/// Verifies the hostile ledger, clones it with and without a work tree, and syncs an honest clone with it. `code`: what
/// its newest commit breaks.
#[track_caller]
fn is_void(hostile: &Hostile<'_>, code: &str) {
    let (place, ledger) = (hostile.place, hostile.ledger.to_str().unwrap());
    let desk = place.desk("alice", &hostile.ledger);
    let honest = place.path("honest");
    place
        .desk("bob", &honest)
        .jit_anywhere(&["clone", "--json", hostile.before.to_str().unwrap(), honest.to_str().unwrap()])
        .ok();
    place.git(&honest, &["remote", "set-url", "origin", ledger]);

    let demand = |at: &str| {
        let said = limited(&desk, READING, &["--ledger", at, "verify", "--json"]).exits(4);
        let voids = said.json()["voids"].as_array().unwrap().clone();
        assert_eq!(voids.last().unwrap()["code"], code, "{}", said.told());
    };
    demand(ledger);
    for (name, option) in [("cloned", None), ("bare", Some("--bare"))] {
        let clone = place.path(name);
        let mut arguments = vec!["clone", ledger, clone.to_str().unwrap()];
        arguments.extend(option);
        let said = limited(&desk, FETCHING, &arguments).ok();
        assert!(said.err.contains("void commits"), "{}", said.told());
        demand(clone.to_str().unwrap());
    }
    limited(&desk, FETCHING, &["--ledger", honest.to_str().unwrap(), "sync"]).ok();
    demand(honest.to_str().unwrap());
    for clone in ["cloned", "honest"] {
        // What was written to work trees are plain files below them, and as many as a person can look at.
        let written = files(&place.path(clone));
        assert!(written.len() < 20_000, "{} files", written.len());
        assert!(!written.iter().any(|file| file.is_symlink()));
    }
}

fn here(test: &str) -> bool {
    !absent(test, &["git", "ssh-keygen", "prlimit"])
}

#[test]
fn a_blob_of_400_mb_is_never_read() {
    if !here("a_blob_of_400_mb_is_never_read") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let blob = hostile.zeros(400_000_000);
    let small = hostile.blob(b"x");
    let event = format!("{FOLDER}/request-aaaaaaaaaaaaaaaa.toml");
    hostile.adds(&[(&event, FILE, blob), (&format!("{event}.sig"), FILE, small)]);
    is_void(&hostile, "C06");
}

#[test]
fn a_blob_of_400_mb_is_never_read_from_a_pack_or_as_policy() {
    if !here("a_blob_of_400_mb_is_never_read_from_a_pack_or_as_policy") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let blob = hostile.zeros(400_000_000);
    hostile.adds(&[("policy.toml", FILE, blob), ("more/x", FILE, blob)]);
    place.git(&hostile.ledger, &["repack", "-q", "-a", "-d"]);
    let desk = place.desk("alice", &hostile.ledger);
    let said = limited(&desk, READING, &["--ledger", hostile.ledger.to_str().unwrap(), "verify", "--json"]).exits(4);
    assert_eq!(said.json()["voids"][0]["code"], "C05", "{}", said.told());
}

/// A small event that is packed as a difference to something huge: to read the one, the other need not be in memory.
#[test]
fn an_event_made_from_400_mb_is_read_without_them() {
    if !here("an_event_made_from_400_mb_is_read_without_them") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let (event, huge) = hostile.made_from_zeros(400_000_000);
    let small = hostile.blob(b"x");
    let path = format!("{FOLDER}/request-aaaaaaaaaaaaaaaa.toml");
    hostile.adds(&[(&path, FILE, event), (&format!("{path}.sig"), FILE, small)]);
    let ledger = hostile.ledger.clone();
    let desk = place.desk("alice", &ledger);
    let ledger = ledger.to_str().unwrap();
    let said = limited(&desk, READING, &["--ledger", ledger, "verify", "--json"]).exits(4);
    // It was read: nothing but its text is wrong.
    assert_eq!(said.json()["voids"][0]["code"], "E02", "{}", said.told());
    // The huge one itself is too large, and not damaged.
    let path = format!("{FOLDER}/request-bbbbbbbbbbbbbbbb.toml");
    hostile.adds(&[(&path, FILE, huge), (&format!("{path}.sig"), FILE, small)]);
    let said = limited(&desk, READING, &["--ledger", ledger, "verify", "--json"]).exits(4);
    assert_eq!(said.json()["voids"][1]["code"], "C06", "{}", said.told());
}

/// Ten directories in each of ten, ten levels deep: ten thousand million files in a few hundred bytes.
#[test]
fn a_bomb_of_shared_trees_is_cut_off_below_the_ledger() {
    if !here("a_bomb_of_shared_trees_is_cut_off_below_the_ledger") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let bomb = hostile.bomb(10, 10, true);
    hostile.adds(&[("ledger/2025", TREE, bomb)]);
    is_void(&hostile, "C03");
}

#[test]
fn a_bomb_of_shared_trees_is_cut_off_beside_the_ledger() {
    if !here("a_bomb_of_shared_trees_is_cut_off_beside_the_ledger") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let bomb = hostile.bomb(10, 10, true);
    hostile.adds(&[("bomb", TREE, bomb)]);
    is_void(&hostile, "C05");
    // And once more, in another place: nothing gets worse with time.
    hostile.adds(&[("bomc", TREE, bomb)]);
    let desk = place.desk("alice", &hostile.ledger);
    let honest = place.path("honest");
    limited(&desk, FETCHING, &["--ledger", honest.to_str().unwrap(), "sync"]).ok();
    limited(&desk, READING, &["--ledger", honest.to_str().unwrap(), "verify"]).exits(4);
}

/// The same without a single file at the end: only the way there is endless.
#[test]
fn a_bomb_of_empty_trees_is_cut_off() {
    if !here("a_bomb_of_empty_trees_is_cut_off") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let bomb = hostile.bomb(100, 20, false);
    hostile.adds(&[("bomb", TREE, bomb)]);
    is_void(&hostile, "C03");
}

#[test]
fn a_path_of_two_thousand_directories_is_too_deep() {
    if !here("a_path_of_two_thousand_directories_is_too_deep") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let deep = hostile.deep(2_000);
    hostile.adds(&[("deep", TREE, deep)]);
    is_void(&hostile, "C03");
    // Git itself passes on no more than 2,048 (core.maxTreeDepth); what lies here already is read all the same.
    let deep = hostile.deep(8_000);
    hostile.adds(&[("deeper", TREE, deep)]);
    let desk = place.desk("alice", &hostile.ledger);
    let said = limited(&desk, READING, &["--ledger", hostile.ledger.to_str().unwrap(), "verify", "--json"]).exits(4);
    let codes: Vec<_> = said.json()["voids"].as_array().unwrap().iter().map(|void| void["code"].clone()).collect();
    assert_eq!(codes, ["C03", "C03"], "{}", said.told());
}

/// 65,536 spellings of one name: one file on some file systems, and each against each would be 4,000 million comparisons.
#[test]
fn names_that_collide_are_told_however_many() {
    if !here("names_that_collide_are_told_however_many") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let blob = hostile.blob(b"x");
    let spelling = |number: u32| -> Vec<u8> {
        let letter = |at: u8| if number >> at & 1 == 1 { b'a' + at } else { b'A' + at };
        (0..16).map(letter).collect()
    };
    let mut names: Vec<Vec<u8>> = (0..1 << 16).map(spelling).collect();
    names.sort();
    let raw: Vec<u8> = names.iter().flat_map(|name| entry(FILE, name, blob)).collect();
    let tree = hostile.tree(&raw);
    hostile.adds(&[("names", TREE, tree)]);
    let raw = [raw, entry(FILE, b"z", blob)].concat();
    let tree = hostile.tree(&raw);
    hostile.adds(&[("names", TREE, tree)]);
    let desk = place.desk("alice", &hostile.ledger);
    let said = limited(&desk, READING, &["--ledger", hostile.ledger.to_str().unwrap(), "verify", "--json"]).exits(4);
    let codes: Vec<_> = said.json()["voids"].as_array().unwrap().iter().map(|void| void["code"].clone()).collect();
    assert_eq!(codes, ["C05", "C05"], "{}", said.told());
}

#[test]
fn a_directory_of_six_hundred_thousand_files_is_too_large() {
    if !here("a_directory_of_six_hundred_thousand_files_is_too_large") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let blob = hostile.blob(b"x");
    let raw: Vec<u8> = (0..600_000).flat_map(|number| entry(FILE, format!("{number:07}").as_bytes(), blob)).collect();
    let tree = hostile.tree(&raw);
    hostile.adds(&[("many", TREE, tree)]);
    is_void(&hostile, "C03");
}

#[test]
fn names_for_git_and_ways_out_of_the_work_tree_are_told_and_written_nowhere() {
    if !here("names_for_git_and_ways_out_of_the_work_tree_are_told_and_written_nowhere") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let blob = hostile.blob(b"[core]\n\tfsmonitor = touch owned\n");
    let config = hostile.tree(&entry(FILE, b"config", blob));
    let up = hostile.tree(&entry(FILE, b"outside", blob));
    let link = hostile.blob(b"/etc");
    let names: [(u32, &[u8], _); 14] = [
        (TREE, b".git", config),
        (TREE, b".GIT", config),
        (TREE, b"git~1", config),
        (TREE, b".git ", config),
        (TREE, b".git.", config),
        (FILE, b".git::$INDEX_ALLOCATION", blob),
        (TREE, ".g\u{200c}it".as_bytes(), config),
        (TREE, b"..", up),
        (FILE, b".", blob),
        (FILE, b"a\\b", blob),
        (FILE, b"\xff\xfe", blob),
        (FILE, b"x/y", blob),
        (0o120_000, b"link", link),
        (0o160_000, b"module", blob),
    ];
    hostile.roots(names.iter().map(|(mode, name, id)| (*mode, name.to_vec(), *id)).collect());
    is_void(&hostile, "C05");
    for clone in ["cloned", "honest"] {
        let clone = place.path(clone);
        assert!(!place.path("outside").exists() && !place.path("owned").exists());
        let config = fs::read_to_string(clone.join(".git/config")).unwrap();
        assert!(!config.contains("fsmonitor"), "{config}");
        let there: Vec<PathBuf> = fs::read_dir(&clone).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(there.iter().all(|path| !path.is_symlink() && path.file_name().unwrap() != "module"), "{there:?}");
    }
}

#[test]
fn links_and_modules_in_the_place_of_events_are_void() {
    if !here("links_and_modules_in_the_place_of_events_are_void") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let link = hostile.blob(b"/etc/passwd");
    let event = format!("{FOLDER}/request-aaaaaaaaaaaaaaaa.toml");
    hostile.adds(&[(&event, 0o120_000, link), (&format!("{event}.sig"), 0o160_000, link)]);
    is_void(&hostile, "C02");
}

#[test]
fn large_and_deep_events_are_void() {
    if !here("large_and_deep_events_are_void") {
        return;
    }
    let event = format!("{FOLDER}/request-aaaaaaaaaaaaaaaa.toml");
    let policy = {
        let member = |number| format!("[member.m{number}]\nemail = \"m@acme.example\"\ngroups = []\nkeys = []\n");
        (0..100_000).map(member).collect::<String>()
    };
    for (code, bytes) in [
        ("C06", "jit = 1\n".repeat(130_000)),
        ("E02", format!("a = {}", "[".repeat(60_000))),
        ("E02", format!("a = {}1", "{a = ".repeat(12_000))),
        ("E02", format!("{} = 1", vec!["a"; 30_000].join("."))),
        ("E02", format!("[{}]", vec!["a"; 30_000].join("."))),
        ("E02", "[[a]]\n".repeat(10_000)),
        ("E02", "a = 1\n".repeat(10_000)),
        ("E02", "\"\"\"".repeat(20_000)),
        ("C06", policy),
    ] {
        let place = Place::new();
        let mut hostile = Hostile::new(&place);
        let (blob, small) = (hostile.blob(bytes.as_bytes()), hostile.blob(b"x"));
        hostile.adds(&[(&event, FILE, blob), (&format!("{event}.sig"), FILE, small)]);
        let desk = place.desk("alice", &hostile.ledger);
        let arguments = ["--ledger", hostile.ledger.to_str().unwrap(), "verify", "--json"];
        let said = limited(&desk, READING, &arguments).exits(4);
        assert_eq!(said.json()["voids"][0]["code"], code, "{}…\n{}", &bytes[..20], said.told());
    }
}

#[test]
fn a_policy_of_a_hundred_thousand_members_is_refused() {
    if !here("a_policy_of_a_hundred_thousand_members_is_refused") {
        return;
    }
    let place = Place::new();
    let desk = place.desk("alice", &place.path("none"));
    let member = |number: u32| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        let point = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let key = jit::domain::key::PublicKey::ed25519(point).unwrap();
        format!(
            "\n[member.m{number}]\nemail = \"m@acme.example\"\ngroups = [\"sre\", \"g{}\"]\nkeys = [\"{key}\"]\n",
            number % 97
        )
    };
    let text = place.policy_text(1);
    // As many as fit: it is sound, and asked whether every quorum can be reached.
    let most = text.clone() + &(0..6000).map(member).collect::<String>();
    assert!(most.len() > 900_000 && most.len() < 1 << 20, "{}", most.len());
    let file = place.path("most.toml");
    fs::write(&file, most).unwrap();
    limited(&desk, READING, &["policy", "check", file.to_str().unwrap()]).ok();
    let lines = "\n[member.m]\nemail = \"m@acme.example\"\ngroups = []\nkeys = []\n".repeat(100_000);
    fs::write(&file, text.clone() + &lines).unwrap();
    limited(&desk, READING, &["policy", "check", file.to_str().unwrap()]).refused(3).mentions(&["too large"]);
    for deep in ["[".repeat(500_000), format!("[{}]", vec!["a"; 500_000].join(".")), "{a = ".repeat(200_000)] {
        fs::write(&file, format!("a = {deep}")).unwrap();
        limited(&desk, READING, &["policy", "check", file.to_str().unwrap()]).refused(3);
    }
    // A thousand faults are told, and not a hundred thousand.
    fs::write(&file, "x = 1\n".repeat(170_000)).unwrap();
    let said = limited(&desk, READING, &["policy", "check", file.to_str().unwrap()]).refused(3);
    assert!(said.err.len() < 1 << 20, "{} bytes", said.err.len());
}

#[test]
fn a_commit_with_a_large_message_is_void_or_refused_by_name() {
    if !here("a_commit_with_a_large_message_is_void_or_refused_by_name") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let before = place.head(&hostile.ledger);
    hostile.commits(&"m".repeat(900_000), &[&before], false);
    is_void(&hostile, "C03");

    // Beyond what is read at all: said by name, with the way out, and nobody's clone has moved.
    let known = place.head(&hostile.ledger);
    let large = hostile.commits(&"m".repeat(100_000_000), &[&known], false);
    let desk = place.desk("alice", &hostile.ledger);
    let ledger = hostile.ledger.to_str().unwrap();
    limited(&desk, READING, &["--ledger", ledger, "verify"])
        .refused(1)
        .mentions(&[&large, "take the remote's main back"]);
    let (fresh, honest) = (place.path("fresh"), place.path("honest"));
    let said = limited(&desk, FETCHING, &["clone", ledger, fresh.to_str().unwrap()]).refused(1);
    said.mentions(&[&large]);
    assert!(!fresh.exists(), "nothing is left of a clone that was refused");
    limited(&desk, FETCHING, &["--ledger", honest.to_str().unwrap(), "sync"]).refused(1).mentions(&[&large]);
    assert_eq!(place.head(&honest), known);
    // The way out.
    place.git(&hostile.ledger, &["update-ref", "refs/heads/main", &known]);
    limited(&desk, FETCHING, &["--ledger", honest.to_str().unwrap(), "sync"]).ok();
}

#[test]
fn a_commit_with_many_parents_is_void_or_refused_by_name() {
    if !here("a_commit_with_many_parents_is_void_or_refused_by_name") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let before = place.head(&hostile.ledger);
    hostile.commits("many\n", &vec![before.as_str(); 20_000], false);
    is_void(&hostile, "C01");
    let known = place.head(&hostile.ledger);
    let large = hostile.commits("many\n", &vec![known.as_str(); 100_000], false);
    let desk = place.desk("alice", &hostile.ledger);
    limited(&desk, READING, &["--ledger", hostile.ledger.to_str().unwrap(), "verify"]).refused(1).mentions(&[&large]);
}

/// Git follows an id in capital letters, so it can be pushed; whoever could not read it could not pass it any more.
#[test]
fn a_commit_with_ids_in_capital_letters_is_void() {
    if !here("a_commit_with_ids_in_capital_letters_is_void") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let before = place.head(&hostile.ledger);
    hostile.commits("loud\n", &[&before], true);
    // Real git takes it: it clones, and says what it is.
    place.git(&hostile.ledger, &["clone", "-q", "--bare", ".", place.path("git.git").to_str().unwrap()]);
    is_void(&hostile, "C03");
}

#[test]
fn a_hundred_thousand_references_are_no_matter() {
    if !here("a_hundred_thousand_references_are_no_matter") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let blob = hostile.blob(b"x");
    hostile.adds(&[("x", FILE, blob)]);
    let head = place.head(&hostile.ledger);
    let mut lines = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    (0..100_000).for_each(|number| lines += &format!("{head} refs/heads/b{number:06}\n"));
    (0..100_000).for_each(|number| lines += &format!("{head} refs/replace/{number:040x}\n"));
    let git = PathBuf::from(place.git(&hostile.ledger, &["rev-parse", "--absolute-git-dir"]));
    fs::write(git.join("packed-refs"), lines).unwrap();
    is_void(&hostile, "C05");
    for clone in ["cloned", "bare", "honest"] {
        let count = place.git(&place.path(clone), &["for-each-ref"]).lines().count();
        assert!(count < 5, "{count} references came along");
    }
}

#[test]
fn an_object_that_inflates_to_more_than_it_says_is_an_error() {
    if !here("an_object_that_inflates_to_more_than_it_says_is_an_error") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let (bomb, small) = (hostile.inflating(100, 1_000_000_000), hostile.blob(b"x"));
    let event = format!("{FOLDER}/request-aaaaaaaaaaaaaaaa.toml");
    hostile.adds(&[(&event, FILE, bomb), (&format!("{event}.sig"), FILE, small)]);
    let desk = place.desk("alice", &hostile.ledger);
    let ledger = hostile.ledger.to_str().unwrap();
    limited(&desk, READING, &["--ledger", ledger, "verify"]).refused(1).mentions(&[&bomb.to_string()]);
    let clone = place.path("clone");
    limited(&desk, FETCHING, &["clone", ledger, clone.to_str().unwrap()]).refused(1);
    assert!(!clone.exists());
}

/// The daemon of a host follows what is there, and goes on admitting by what it has verified.
#[test]
fn a_host_follows_a_hostile_remote_within_its_limits() {
    if !here("a_host_follows_a_hostile_remote_within_its_limits") {
        return;
    }
    let place = Place::new();
    let mut hostile = Hostile::new(&place);
    let file = place.host_at(&place.path("host"), &hostile.id, &hostile.ledger);
    let desk = place.desk("db1", &hostile.ledger);
    let sync = || {
        let arguments = ["host", "--config", file.to_str().unwrap(), "sync", "--once"];
        let mut command = Command::new("prlimit");
        command.args([format!("--as={FETCHING}"), format!("--cpu={SECONDS}"), "--".to_owned(), JIT.to_owned()]);
        command.args(arguments);
        desk.run(command)
    };
    let published = || {
        let grants: serde_json::Value =
            serde_json::from_slice(&fs::read(place.path("host/published/grants.json")).unwrap()).unwrap();
        grants["size"].as_u64().unwrap()
    };
    sync().ok();
    assert_eq!(published(), 1);
    let bomb = hostile.bomb(10, 10, true);
    hostile.adds(&[("bomb", TREE, bomb)]);
    let blob = hostile.zeros(100_000_000);
    hostile.adds(&[("large", FILE, blob)]);
    sync().ok();
    assert_eq!(published(), 3);
    let head = place.head(&hostile.ledger);
    hostile.commits(&"m".repeat(20_000_000), &[&head], false);
    let said = sync().exits(1);
    assert!(said.err.contains("where one of a ledger has at most"), "{}", said.told());
    assert_eq!(published(), 3);
}
