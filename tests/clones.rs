//! One bare remote and three clones of it, each with a key, a HOME and a pin of its own: the life of a case across them,
//! lost races, a remote that is gone, and a remote that was rewound or replaced.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use common::history::History;
use common::{BRANCH, Desk, JIT, Place, absent, environment, executable::executable, files, find, request};

#[path = "common/harness.rs"]
mod common;

/// A remote and the clones of it.
struct Office {
    place: Place,
    remote: PathBuf,
    id: String,
}

impl Office {
    fn new() -> Self {
        let place = Place::new();
        let (remote, id) = place.ledger("remote.git", true);
        Self { place, remote, id }
    }

    /// The desk of somebody with a clone of their own, pinned to the ledger's id.
    #[track_caller]
    fn clone_of(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        let arguments =
            ["clone", self.remote.to_str().unwrap(), ledger.to_str().unwrap(), "--ledger-id", &self.id, "--json"];
        let said = desk.jit_anywhere(&arguments).ok();
        assert_eq!(said.text("ledger"), self.id, "{}", said.told());
        assert_eq!(said.text("head"), self.head(), "{}", said.told());
        assert_eq!(said.json()["size"], self.size(), "{}", said.told());
        assert!(said.text("root").starts_with("sha256:"), "{}", said.told());
        desk
    }

    fn head(&self) -> String {
        self.place.head(&self.remote)
    }

    fn size(&self) -> usize {
        self.place.commits(&self.remote).len()
    }

    /// How many events of a kind the remote holds.
    fn count(&self, kind: &str) -> usize {
        let name = format!("/{kind}-");
        self.place.events(&self.remote).iter().filter(|path| path.contains(&name)).count()
    }

    /// Demands that the remote holds one event a commit, none twice, and that the ledger verifies there.
    fn is_sound(&self, desk: &Desk<'_>) {
        self.place.is_sound(&self.remote);
        assert_eq!(self.place.events(&self.remote).len(), self.size(), "one event a commit, none twice");
        let merges = self.place.git(&self.remote, &["rev-list", "--min-parents=2", BRANCH]);
        assert_eq!(merges, "", "one line of commits");
        let said = desk.jit(&["verify", "--json"]).ok();
        assert_eq!(said.json()["voids"], serde_json::json!([]), "{}", said.told());
        assert_eq!(said.text("head"), self.head(), "{}", said.told());
    }
}

/// What waits in a clone to be delivered.
fn outbox(desk: &Desk<'_>) -> Vec<PathBuf> {
    files(&desk.ledger.join(".git/jit/outbox"))
}

#[test]
fn a_case_lives_across_three_clones() {
    if absent("a_case_lives_across_three_clones", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let [alice, bob, dave, minter] = ["alice", "bob", "dave", "minter"].map(|name| office.clone_of(name));
    let case = alice.opens("30m");
    assert_eq!(office.count("request"), 1, "a request is at the remote when the command ends");
    // Bob and dave never fetch by hand.
    bob.approves(&case).ok();
    let said = dave.approves(&case).ok();
    assert_eq!(said.text("state"), "approved", "{}", said.told());
    assert_eq!(said.json()["approvals"].as_array().map(Vec::len), Some(2), "{}", said.told());
    let said = minter.mints().ok();
    assert_eq!(said.json()["issued"][0]["id"], *case, "{}", said.told());
    let said = alice.jit(&["credential", &case]).ok();
    assert!(said.out.starts_with("ssh-ed25519-cert-v01@openssh.com "), "{}", said.told());
    let said = alice.jit(&["close", &case, "--summary", "The queue was read.", "--yes", "--json"]).ok();
    assert_ne!(said.text("state"), "live", "{}", said.told());
    let answers = ["--answer", "no lingering changes=yes:looked", "--answer", "no open data streams=yes:none"];
    let erin = office.clone_of("erin");
    let mut review = vec!["review", case.as_str()];
    review.extend(answers);
    review.extend(["--verdict", "clean", "--yes", "--json"]);
    let said = erin.jit(&review).ok();
    assert_eq!(said.text("state"), "reviewed", "{}", said.told());

    let said = alice.jit(&["show", &case, "--json"]).ok();
    let told: Vec<String> = said.json()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| format!("{} {}", event["kind"].as_str().unwrap(), event["actor"].as_str().unwrap()))
        .collect();
    let expected =
        ["request alice", "approval bob", "approval dave", "issuance minter", "closure alice", "review erin"];
    assert_eq!(told, expected, "{}", said.told());
    for desk in [&alice, &bob, &dave, &minter, &erin] {
        office.is_sound(desk);
        office.place.is_sound(&desk.ledger);
        assert_eq!(office.place.git(&desk.ledger, &["status", "--porcelain"]), "", "the work tree is in step");
        assert!(outbox(desk).is_empty(), "nothing waits");
    }
}

#[test]
fn the_loser_of_a_race_decides_again_and_lands() {
    if absent("the_loser_of_a_race_decides_again_and_lands", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.clone_of("alice");
    let bob = office.clone_of("bob");
    let mut dave = office.clone_of("dave");
    let case = alice.opens("30m");
    // Between dave's fetch and his push, bob's approval lands: dave's git is one that lets bob go first, once.
    let first = office.place.path("bob-went-first");
    let mut others: Vec<String> = environment(&bob.home)
        .into_iter()
        .map(|(name, value)| format!("'{}={}'", name.to_string_lossy(), value.to_string_lossy()))
        .collect();
    others.push(format!(
        "'{JIT}' --as bob --key '{}' --ledger '{}' approve {case} --yes",
        bob.key.display(),
        bob.ledger.display()
    ));
    let script = format!(
        "#!/bin/sh\nfor word; do\n  if [ \"$word\" = push ] && mkdir '{0}' 2>/dev/null; then\n    \
         env -i {1} >'{0}/said' 2>&1 || echo failed >>'{0}/said'\n  fi\ndone\nexec '{2}' \"$@\"\n",
        first.display(),
        others.join(" "),
        find("git").unwrap().display()
    );
    dave.path = Some(with_git(&office.place, "slow", &script));
    let said = dave.approves(&case).ok();
    let by_bob = fs::read_to_string(first.join("said")).unwrap_or_else(|_| panic!("no push: {}", said.told()));
    assert!(!by_bob.contains("failed"), "bob: {by_bob}");
    assert_eq!(said.text("state"), "approved", "dave decided again and saw bob's\n{}", said.told());
    assert_eq!(office.count("approval"), 2);
    let log = office.place.git(&office.remote, &["log", "--reverse", "--format=%an", BRANCH]);
    assert_eq!(log.lines().collect::<Vec<_>>(), ["rita", "alice", "bob", "dave"]);
    for desk in [&alice, &bob, &dave] {
        office.is_sound(desk);
        assert!(outbox(desk).is_empty());
    }
}

/// A PATH in which `git` is this script.
fn with_git(place: &Place, name: &str, script: &str) -> OsString {
    let directory = place.path(name);
    fs::create_dir(&directory).unwrap();
    let file = directory.join("git");
    executable(&file, script);
    let mut path = directory.into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}

#[test]
fn writers_at_the_same_time_all_land_once() {
    const EACH: usize = 3;
    if absent("writers_at_the_same_time_all_land_once", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let desks = ["alice", "bob", "dave"].map(|name| office.clone_of(name));
    let cases: Vec<String> = (0..EACH).map(|_| desks[0].opens("30m")).collect();
    thread::scope(|scope| {
        for desk in &desks {
            let cases = &cases;
            scope.spawn(move || {
                for case in cases {
                    let said = if desk.name == "alice" { desk.asks("10m") } else { desk.approves(case) };
                    said.ok();
                }
            });
        }
    });
    assert_eq!(office.count("request"), 2 * EACH);
    assert_eq!(office.count("approval"), 2 * EACH);
    for desk in &desks {
        office.is_sound(desk);
        assert!(outbox(desk).is_empty());
    }
}

#[test]
fn what_is_signed_while_the_remote_is_gone_waits_and_lands_once() {
    if absent("what_is_signed_while_the_remote_is_gone_waits_and_lands_once", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.clone_of("alice");
    let bob = office.clone_of("bob");
    let away = office.place.path("away.git");
    fs::rename(&office.remote, &away).unwrap();
    alice.asks("30m").refused(1).mentions(&["sync"]);
    assert_eq!(outbox(&alice).len(), 1, "it waits in the outbox");
    assert_eq!(office.place.events(&away).len(), 1, "and nowhere else");
    // The remote is still gone: it goes on waiting.
    alice.jit(&["sync"]).refused(1);
    assert_eq!(outbox(&alice).len(), 1);

    fs::rename(&away, &office.remote).unwrap();
    alice.jit(&["sync"]).ok();
    assert!(outbox(&alice).is_empty());
    assert_eq!(office.count("request"), 1, "delivered");
    let head = office.head();
    alice.jit(&["sync"]).ok();
    assert_eq!(office.head(), head, "delivered once");

    // A remote that is there and refuses; meanwhile somebody else's event lands before ours.
    let said = bob.jit(&["list", "--json"]).ok();
    assert!(said.out.contains("pending"), "{}", said.told());
    let hook = office.remote.join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    executable(&hook, "#!/bin/sh\necho 'closed for an hour' >&2\nexit 1\n");
    let said = alice.asks("10m").refused(1).mentions(&["closed for an hour"]);
    assert_eq!(outbox(&alice).len(), 1, "{}", said.told());
    assert_eq!(office.head(), head);
    fs::remove_file(&hook).unwrap();
    let first = office.place.events(&office.remote);
    let case = first.iter().find(|path| path.contains("/request-")).unwrap().split('/').nth(5).unwrap();
    bob.approves(case).ok();
    // The next command delivers it, whatever the command is.
    alice.asks("20m").ok();
    assert!(outbox(&alice).is_empty());
    assert_eq!(office.count("request"), 3);
    assert_eq!(office.count("approval"), 1);
    office.is_sound(&alice);
    office.is_sound(&bob);
}

/// Every command with which somebody looks or acts, for a case.
fn everything<'a>(case: &'a str, authority: &'a str) -> Vec<Vec<&'a str>> {
    vec![
        vec!["sync"],
        vec!["verify"],
        vec!["list"],
        vec!["status"],
        vec!["show", case],
        vec!["log"],
        request("payments-db/read-only", "10m", "The queue table has to be read again."),
        vec!["approve", case, "--yes"],
        vec!["deny", case, "--comment", "Use another way.", "--yes"],
        vec!["revoke", case, "--reason", "It looks wrong.", "--yes"],
        vec!["mint", "--ca", authority],
    ]
}

/// Demands that every command ends with 5, names both heads, and writes nothing here or there.
fn all_exit_5(office: &Office, desk: &Desk<'_>, case: &str, heads: [&str; 2]) {
    let authority = format!("prod={}", office.place.key("ca-prod").display());
    for arguments in everything(case, &authority) {
        desk.jit(&arguments).refused(5).mentions(&heads.map(|head| &head[..12]));
        assert_eq!(office.head(), heads[1], "the remote is left as it is: {arguments:?}");
        assert!(outbox(desk).is_empty(), "nothing was signed: {arguments:?}");
    }
    let objects = office.place.git_says(&desk.ledger, &["cat-file", "-e", heads[0]]);
    objects.ok();
}

#[test]
fn a_remote_that_was_rewound_is_seen_by_every_command() {
    if absent("a_remote_that_was_rewound_is_seen_by_every_command", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.clone_of("alice");
    let bob = office.clone_of("bob");
    let case = alice.opens("30m");
    bob.approves(&case).ok();
    let before = office.head();
    let older = office.place.git(&office.remote, &["rev-parse", &format!("{BRANCH}^")]);
    office.place.git(&office.remote, &["update-ref", BRANCH, &older]);
    all_exit_5(&office, &bob, &case, [&before, &older]);
    // Put back as it was, the ledger is as good as before.
    office.place.git(&office.remote, &["update-ref", BRANCH, &before]);
    office.is_sound(&bob);
}

/// A commit made by hand in a clone is neither the ledger nor a rewritten one: it is said what it is, how it is taken
/// away, and nothing of it is remembered as verified.
#[test]
fn what_was_committed_by_hand_here_is_told_and_forgotten_once_taken_away() {
    if absent("what_was_committed_by_hand_here_is_told_and_forgotten_once_taken_away", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.clone_of("alice");
    let bob = office.clone_of("bob");
    let case = alice.opens("30m");
    bob.jit(&["sync"]).ok();
    let pin = fs::read(bob.ledger.join(".git/jit/pin")).unwrap();
    for name in ["one", "two"] {
        fs::write(bob.ledger.join("notes.txt"), name).unwrap();
        office.place.git(&bob.ledger, &["add", "notes.txt"]);
        let by = ["-c", "user.name=bob", "-c", "user.email=bob@acme.example", "commit", "-q", "-m", name];
        office.place.git(&bob.ledger, &by);
    }
    let committed = office.place.git(&bob.ledger, &["rev-parse", "HEAD"]);
    let expected = ["2 commits on main here are not in the remote's", "git branch mine", "git reset --keep"];
    // What they would do can be seen; nobody signs on top of them.
    let said = bob.jit(&["verify"]).exits(4);
    assert!(said.err.contains("2 commits on main here, made by hand, the remote does not have"), "{}", said.told());
    bob.jit(&["status"]).ok();
    bob.approves(&case).refused(1).mentions(&expected);
    // The same where the remote has gone on meanwhile.
    alice.jit(&["deny", &case, "--comment", "Withdrawn.", "--yes"]);
    let other = alice.opens("20m");
    bob.jit(&["list"]).refused(1).mentions(&expected);
    assert_eq!(fs::read(bob.ledger.join(".git/jit/pin")).unwrap(), pin, "nothing of it is remembered");
    // As the hint says.
    office.place.git(&bob.ledger, &["branch", "mine"]);
    office.place.git(&bob.ledger, &["reset", "-q", "--keep", "origin/main"]);
    bob.approves(&other).ok();
    assert_eq!(office.place.git(&bob.ledger, &["rev-parse", "mine"]), committed);
    office.is_sound(&bob);
}

#[test]
fn a_remote_whose_history_was_rewritten_is_seen_by_every_command() {
    if absent("a_remote_whose_history_was_rewritten_is_seen_by_every_command", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.clone_of("alice");
    let bob = office.clone_of("bob");
    let denied = alice.opens("20m");
    bob.jit(&["deny", &denied, "--comment", "Use another way.", "--yes"]).ok();
    let case = alice.opens("30m");
    bob.approves(&case).ok();
    let before = office.head();
    // The denial never was: everything after it is written anew, longer than before.
    let mut history = History::read(&office.place, &office.remote);
    assert_eq!(history.len(), office.size());
    history.drop_step(history.position("denial"));
    let after = history.write(&office.place, &office.remote);
    assert_ne!(before, after);
    all_exit_5(&office, &bob, &case, [&before, &after]);
}

#[test]
fn another_ledger_is_not_cloned() {
    if absent("another_ledger_is_not_cloned", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let other = format!("sha256:{}", "0".repeat(64));
    let ledger = office.place.path("home/alice/ledger");
    let desk = office.place.desk("alice", &ledger);
    let url = office.remote.to_str().unwrap();
    let arguments = ["clone", url, ledger.to_str().unwrap(), "--ledger-id", &other];
    desk.jit_anywhere(&arguments).refused(5).mentions(&[&office.id]);
    assert!(!ledger.join(".git/jit/pin").exists(), "nothing was pinned");
    // The same directory can be used with the right id.
    let arguments = ["clone", url, ledger.to_str().unwrap(), "--ledger-id", &office.id];
    desk.jit_anywhere(&arguments).ok();
    // A remote that is replaced by another ledger afterwards.
    let before = office.head();
    let (replacement, _) = office.place.ledger("replacement.git", true);
    let after = office.place.head(&replacement);
    fs::rename(&office.remote, office.place.path("old.git")).unwrap();
    fs::rename(&replacement, &office.remote).unwrap();
    desk.jit(&["verify"]).refused(5).mentions(&[&before[..12], &after[..12]]);
    desk.asks("10m").refused(5).mentions(&[&before[..12], &after[..12]]);
}

#[test]
fn a_clone_without_history_is_incomplete_and_never_good() {
    if absent("a_clone_without_history_is_incomplete_and_never_good", &["git", "ssh-keygen"]) {
        return;
    }
    let office = Office::new();
    let alice = office.clone_of("alice");
    alice.opens("30m");
    let shallow = office.place.path("shallow");
    let url = format!("file://{}", office.remote.display());
    let target: &Path = &shallow;
    office.place.git(&office.place.path("home"), &["clone", "-q", "--depth=1", &url, target.to_str().unwrap()]);
    let desk = office.place.desk("bob", target);
    desk.jit(&["verify"]).refused(1).mentions(&["shallow"]);
}
