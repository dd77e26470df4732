//! Many writers at once, and one whose connection or life ends at the wrong moment: every event lands once. Directly and by
//! way of the inbox; real git, over paths and through a real sshd.

// Helpers stand outside of test functions, where the lints allow this; the tests' clock is the real one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Desk, JIT, Place, Said, absent, environment, executable::executable, find, request};
use crowd::{Crowd, Way};

#[path = "common/harness.rs"]
mod common;
#[path = "writers/crowd.rs"]
mod crowd;
#[path = "writers/library.rs"]
mod library;

const GIT: [&str; 2] = ["git", "ssh-keygen"];
const SSH: [&str; 4] = ["git", "ssh", "sshd", "ssh-keygen"];

/// Everybody asks so many times, all at once, until it is in the ledger.
fn all_ask(desks: &[Desk<'_>], times: usize) {
    std::thread::scope(|scope| {
        for desk in desks {
            scope.spawn(move || (0..times).for_each(|_| assert!(crowd::lands(desk) < 50)));
        }
    });
}

fn all_land(append: &str, way: Way, sshd: &str, writers: usize, times: usize) {
    let place = Place::new();
    let crowd = Crowd::new(&place, append, way, sshd);
    let desks: Vec<_> = (0..writers).map(|number| crowd.writer(number)).collect();
    all_ask(&desks, times);
    crowd.is_whole(writers * times);
    for desk in &desks {
        assert!(!desk.ledger.join(".git/jit/outbox").exists() || waiting(desk).is_empty(), "{:?}", waiting(desk));
    }
    // Each of them can go on from there.
    desks[0].jit(&["sync"]).ok();
    assert_eq!(place.head(&desks[0].ledger), place.head(&crowd.remote));
}

fn waiting(desk: &Desk<'_>) -> Vec<PathBuf> {
    common::files(&desk.ledger.join(".git/jit/outbox"))
}

#[test]
fn eight_who_push_directly() {
    if !absent("eight_who_push_directly", &GIT) {
        all_land("direct", Way::File, "", 8, 2);
    }
}

#[test]
fn sixteen_by_way_of_the_inbox() {
    if !absent("sixteen_by_way_of_the_inbox", &GIT) {
        all_land("inbox", Way::File, "", 16, 5);
    }
}

#[test]
fn eight_through_sshd_directly() {
    if !absent("eight_through_sshd_directly", &SSH) {
        all_land("direct", Way::Ssh, "MaxStartups 100\n", 8, 2);
    }
}

#[test]
fn sixteen_through_sshd_by_way_of_the_inbox() {
    if !absent("sixteen_through_sshd_by_way_of_the_inbox", &SSH) {
        all_land("inbox", Way::Ssh, "MaxStartups 100\n", 16, 2);
    }
}

/// sshd drops most of those who come at once, at random, before they say who they are.
#[test]
fn who_is_dropped_by_sshd_comes_again() {
    if absent("who_is_dropped_by_sshd_comes_again", &SSH) {
        return;
    }
    let place = Place::new();
    let crowd = Crowd::new(&place, "inbox", Way::Ssh, "MaxStartups 1:50:6\n");
    let desks: Vec<_> = (0..8).map(|number| crowd.writer(number)).collect();
    all_ask(&desks, 1);
    crowd.is_whole(8);
    let log = crowd.server_log();
    assert!(log.contains("MaxStartups"), "nobody was dropped: this shows nothing\n{log}");
}

/// A `git` that does what is said, and more: `script` runs in its place, and finds the real one in `$GIT`, the arguments in
/// `$@`, and the directory of the test in `$PLACE`.
fn with_git(desk: &mut Desk<'_>, script: &str) {
    let directory = desk.place().path("bin");
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("git");
    let git = find("git").unwrap();
    let place = desk.place().path("");
    executable(&file, format!("#!/bin/sh\nGIT={}\nPLACE={}\n{script}\n", git.display(), place.display()));
    let path = std::env::var_os("PATH").unwrap();
    let all = std::iter::once(directory).chain(std::env::split_paths(&path));
    desk.path = Some(std::env::join_paths(all).unwrap());
}

/// The first push runs, and then something happens; all others are as ever.
fn after_the_first_push(then: &str) -> String {
    format!(
        "case \" $* \" in *\" push \"*) if [ ! -e \"$PLACE/happened\" ]; then : >\"$PLACE/happened\"\n\
         \"$GIT\" \"$@\" >/dev/null 2>&1 || exit 70\n{then}\nfi;; esac\nexec \"$GIT\" \"$@\""
    )
}

const DROPPED: &str = "echo 'client_loop: send disconnect: Broken pipe' >&2; \
                       echo 'fatal: the remote end hung up unexpectedly' >&2; exit 128";

fn how(append: &str) -> (Place, usize) {
    assert!(matches!(append, "direct" | "inbox"));
    (Place::new(), 1)
}

/// The remote took the push, and the answer was lost.
#[test]
fn a_push_whose_answer_is_lost_lands_once() {
    if absent("a_push_whose_answer_is_lost_lands_once", &GIT) {
        return;
    }
    for append in ["direct", "inbox"] {
        let (place, events) = how(append);
        let crowd = Crowd::new(&place, append, Way::File, "");
        let mut alice = crowd.writer(1);
        with_git(&mut alice, &after_the_first_push(DROPPED));
        let said = alice.asks("30m").ok();
        assert!(place.path("happened").exists());
        crowd.is_whole(events);
        assert_eq!(waiting(&alice), Vec::<PathBuf>::new(), "{}", said.told());
    }
}

/// The same, and somebody else has gone on from it before it is looked at again.
#[test]
fn a_push_whose_answer_is_lost_lands_once_whoever_comes_next() {
    if absent("a_push_whose_answer_is_lost_lands_once_whoever_comes_next", &GIT) {
        return;
    }
    for append in ["direct", "inbox"] {
        let (place, events) = how(append);
        let crowd = Crowd::new(&place, append, Way::File, "");
        let (mut alice, other) = (crowd.writer(1), crowd.writer(2));
        let request: Vec<String> = request("payments-db/read-only", "20m", "The queue is stuck as well.")
            .iter()
            .map(|word| format!("'{word}'"))
            .collect();
        let next = format!(
            "PATH={} {JIT} --ledger {} --as alice --key {} {} >\"$PLACE/other\" 2>&1 || exit 71\n{DROPPED}",
            std::env::var("PATH").unwrap(),
            other.ledger.display(),
            other.key.display(),
            request.join(" ")
        );
        with_git(&mut alice, &after_the_first_push(&next));
        let said = alice.asks("30m").ok();
        assert!(place.path("other").exists(), "{}", said.told());
        crowd.is_whole(events + 1);
        assert_eq!(waiting(&alice), Vec::<PathBuf>::new(), "{}", said.told());
    }
}

/// The client is killed after the remote took the push: `jit sync` finds it there.
#[test]
fn a_client_that_is_killed_after_the_push_adds_nothing_twice() {
    if absent("a_client_that_is_killed_after_the_push_adds_nothing_twice", &GIT) {
        return;
    }
    for append in ["direct", "inbox"] {
        let (place, events) = how(append);
        let crowd = Crowd::new(&place, append, Way::File, "");
        let mut alice = crowd.writer(1);
        with_git(&mut alice, &after_the_first_push("kill -9 $PPID; exit 0"));
        let said = alice.asks("30m");
        assert_eq!(said.code, -1, "{}", said.told());
        assert_eq!(waiting(&alice).len(), 1, "{append}: what was signed is kept before it is sent");
        assert_eq!(alice.jit(&["status", "--json"]).ok().json()["outbox"], 0);
        crowd.is_whole(events);
        alice.jit(&["sync"]).ok();
        assert_eq!(waiting(&alice), Vec::<PathBuf>::new());
        crowd.is_whole(events);
    }
}

/// It is killed before the push: the next command delivers it.
#[test]
fn a_client_that_is_killed_before_the_push_loses_nothing() {
    if absent("a_client_that_is_killed_before_the_push_loses_nothing", &GIT) {
        return;
    }
    for append in ["direct", "inbox"] {
        let (place, events) = how(append);
        let crowd = Crowd::new(&place, append, Way::File, "");
        let mut alice = crowd.writer(1);
        with_git(
            &mut alice,
            "case \" $* \" in *\" push \"*) if [ ! -e \"$PLACE/happened\" ]; then : >\"$PLACE/happened\"\nkill -9 $PPID; \
             exit 0\nfi;; esac\nexec \"$GIT\" \"$@\"",
        );
        assert_eq!(alice.asks("30m").code, -1);
        crowd.is_whole(0);
        alice.jit(&["sync"]).ok().mentions(&["delivered what waited in the outbox"]);
        crowd.is_whole(events);
    }
}

/// A process of jit's that goes on while the test does something else.
fn starts(desk: &Desk<'_>, arguments: &[&str]) -> Child {
    let mut command = desk.command();
    command.arg("--ledger").arg(&desk.ledger).args(arguments);
    command.env_clear().envs(environment(&desk.home));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ends(child: Child) -> Said {
    Said::of("in the background".to_owned(), child.wait_with_output().unwrap())
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// A forge has no hooks of ours: a clone takes the letters in, and answers what a rule refuses.
#[test]
fn a_clone_folds_for_a_forge_and_answers_what_is_refused() {
    if absent("a_clone_folds_for_a_forge_and_answers_what_is_refused", &GIT) {
        return;
    }
    let place = Place::new();
    let crowd = Crowd::bare(&place, "inbox", Way::File, "");
    let folder = crowd.desk("minter", "folder");
    let folds = || folder.jit(&["fold", "--json"]).ok().json();
    assert_eq!(folds()["landed"].as_array().map(Vec::len), Some(0));
    let alice = crowd.writer(1);
    let asks = starts(&alice, &request("payments-db/read-only", "30m", "The queue is stuck."));
    until("alice's letter lies there", || !crowd.references("refs/jit/inbox/").is_empty());
    // Nothing of it is in the ledger, or in anybody's way.
    assert_eq!(place.commits(&crowd.remote).len(), 1);
    crowd.desk("rita", "looks").jit(&["verify", "--strict"]).ok();
    let taken = folds();
    assert_eq!((&taken["landed"][0]["kind"], &taken["landed"][0]["actor"]), (&"request".into(), &"alice".into()));
    let said = ends(asks).ok();
    let case = said.text("id");
    assert_eq!(said.json()["state"], "pending");
    crowd.is_whole(1);

    // Bob approves twice at once: the second breaks A03, and is told so as if he had pushed it himself.
    let desks = [crowd.desk("bob", "bob-1"), crowd.desk("bob", "bob-2")];
    // (Without the comments both might be one event: the same words in the same second.)
    let approves = |(desk, comment)| starts(desk, &["approve", &case, "--yes", "--json", "--comment", comment]);
    let approvals: Vec<Child> = desks.iter().zip(["Fine.", "Still fine."]).map(approves).collect();
    until("both letters lie there", || crowd.references("refs/jit/inbox/").len() == 2);
    let taken = folds();
    assert_eq!(taken["landed"].as_array().map(Vec::len), Some(1), "{taken}");
    assert_eq!(taken["refused"][0]["rule"], "A03", "{taken}");
    assert_eq!(crowd.references("refs/jit/refused/").len(), 1);
    let mut said: Vec<Said> = approvals.into_iter().map(ends).collect();
    said.sort_by_key(|said| said.code);
    let [first, second] = said.try_into().unwrap();
    first.ok();
    second.refused(3).mentions(&["(A03)", "jit show"]);
    crowd.is_whole(2);
    for desk in &desks {
        assert_eq!(waiting(desk), Vec::<PathBuf>::new());
    }
    // A letter that is found again is not taken again; nor is one that was answered.
    let answer = crowd.references("refs/jit/refused/")[0].clone();
    let again = answer.replace("/refused/", "/inbox/");
    place.git(&crowd.remote, &["update-ref", &again, "refs/heads/main"]);
    folds();
    crowd.is_whole(2);
    assert_eq!(crowd.references("refs/jit/refused/"), [answer]);
}

/// Whatever anybody with the right to push leaves there is answered or swept, and takes nobody's place.
#[test]
fn rubbish_in_an_inbox_is_swept() {
    if absent("rubbish_in_an_inbox_is_swept", &GIT) {
        return;
    }
    let place = Place::new();
    let crowd = Crowd::bare(&place, "inbox", Way::File, "");
    let alice = crowd.writer(1);
    let name = "5a".repeat(32);
    let identity = ["-c", "user.name=x", "-c", "user.email=x@acme.example"];
    place.git(&alice.ledger, &[&identity[..], &["tag", "-a", "-m", "x", "v1"]].concat());
    for (what, to) in [
        ("HEAD", "inbox/rubbish".to_owned()),
        ("HEAD", format!("inbox/{name}")),
        ("HEAD:policy.toml", "inbox/blob".to_owned()),
        ("HEAD^{tree}", "inbox/deep/er/tree".to_owned()),
        ("v1", "inbox/tag".to_owned()),
        ("HEAD", "refused/rubbish".to_owned()),
    ] {
        place.git(&alice.ledger, &["push", "-q", "origin", &format!("{what}:refs/jit/{to}")]);
    }
    let asks = starts(&alice, &request("payments-db/read-only", "30m", "The queue is stuck."));
    until("alice's letter lies there", || crowd.references("refs/jit/inbox/").len() == 6);
    // Whoever looks after the server is told that nobody empties it.
    let doctor = || crowd.without_a_key(&crowd.remote, &["doctor"]).out;
    let told = doctor();
    assert!(told.contains("6 events in the inbox here") && told.contains("jit fold"), "{told}");
    let said = crowd.desk("minter", "folder").jit(&["fold", "--json"]).ok();
    assert_eq!(said.json()["refused"].as_array().map(Vec::len), Some(5), "{}", said.told());
    ends(asks).ok();
    crowd.is_whole(1);
    assert_eq!(crowd.references("refs/jit/refused/"), [format!("refs/jit/refused/{name}")]);
    let told = doctor();
    assert!(!told.contains("inbox"), "{told}");
}

/// An inbox that nobody empties does not keep anybody from revoking.
#[test]
fn what_nobody_takes_in_is_pushed_after_all() {
    if absent("what_nobody_takes_in_is_pushed_after_all", &GIT) {
        return;
    }
    let place = Place::new();
    let crowd = Crowd::bare(&place, "inbox", Way::File, "");
    crowd.writer(1).asks("30m").ok();
    crowd.is_whole(1);
    // Nor does a remote that takes no letters at all.
    let hook = crowd.remote.join("hooks/update");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    executable(&hook, "#!/bin/sh\ncase $1 in refs/jit/*) echo 'only branches here' >&2; exit 1;; esac\n");
    crowd.writer(2).asks("30m").ok();
    crowd.is_whole(2);
}

/// Two at once, and killed at any moment: nothing is lost, nothing comes twice.
#[test]
fn whoever_folds_may_be_killed_and_may_be_two() {
    if absent("whoever_folds_may_be_killed_and_may_be_two", &GIT) {
        return;
    }
    let place = Place::new();
    let crowd = Crowd::bare(&place, "inbox", Way::File, "");
    let folders = [crowd.desk("minter", "folder-1"), crowd.desk("minter", "folder-2")];
    let desks: Vec<_> = (0..6).map(|number| crowd.writer(number)).collect();
    let asks: Vec<Child> = desks
        .iter()
        .map(|desk| starts(desk, &request("payments-db/read-only", "30m", "The queue is stuck.")))
        .collect();
    until("six letters lie there", || crowd.references("refs/jit/inbox/").len() == 6);
    let mut killed = 0;
    for step in 0..12_u64 {
        let mut child = starts(&folders[0], &["fold"]);
        let mut both = starts(&folders[1], &["fold"]);
        std::thread::sleep(Duration::from_millis(10 + 25 * step));
        for child in [&mut child, &mut both] {
            killed += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    assert!(killed > 0, "it always was faster: this shows nothing");
    let ended: Vec<Said> = [starts(&folders[0], &["fold"]), starts(&folders[1], &["fold"])].map(ends).into();
    assert!(ended.iter().all(|said| said.code == 0), "{}\n{}", ended[0].told(), ended[1].told());
    for said in asks.into_iter().map(ends) {
        said.ok();
    }
    // A killed one may have left answers for nobody; letters it has not.
    folders[0].jit(&["fold"]).ok();
    crowd.is_whole(6);
}

/// What the hook lets into an inbox: letters of somebody's, few and small enough.
#[test]
fn the_hook_takes_letters_and_nothing_else() {
    if absent("the_hook_takes_letters_and_nothing_else", &GIT) {
        return;
    }
    let place = Place::new();
    let crowd = Crowd::new(&place, "inbox", Way::File, "");
    let alice = crowd.writer(1);
    alice.opens("30m");
    let refused = |what: &[&str], words: &[&str]| {
        let before = place.git(&crowd.remote, &["for-each-ref"]);
        let said = place.git_says(&alice.ledger, &[&["push", "-q", "origin"], what].concat());
        assert_ne!(said.code, 0, "{}", said.told());
        assert_eq!(place.git(&crowd.remote, &["for-each-ref"]), before);
        said.mentions(&["push refused. Nothing was changed."]).mentions(words);
    };
    let name = "5a".repeat(32);
    refused(&[&format!("HEAD:refs/jit/inbox/{name}")], &["C03: "]);
    refused(&["HEAD:refs/jit/inbox/rubbish"], &["C04: a letter is named after"]);
    refused(&[&format!("HEAD:refs/jit/refused/{name}")], &["refs/jit/refused/"]);
    // Somebody who is nobody here: their own event, well signed.
    place.make_key("mallory");
    let event = fs::read_to_string(
        alice.ledger.join(place.events(&alice.ledger).into_iter().find(|path| path.contains("/request-")).unwrap()),
    )
    .unwrap()
    .replace("The queue", "A queue");
    let mut many = Vec::new();
    let letter = |event: &str, key: &Path| letter(&place, &alice.ledger, event, key);
    let (mallory, digest) = letter(&event, &place.key("mallory"));
    refused(&[&format!("{mallory}:refs/jit/inbox/{digest}")], &["K04: ", "not a key of alice"]);
    let (mine, digest) = letter(&event, &alice.key);
    refused(&[&format!("{mine}:refs/jit/inbox/{name}")], &["C04: "]);
    for _ in 0..65 {
        many.push(format!("{mine}:refs/jit/inbox/{:064x}", many.len()));
    }
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    refused(&many, &["at most 64 letters"]);
    let (large, other) = letter(&format!("{event}{}", "#".repeat(70_000)), &alice.key);
    refused(&[&format!("{large}:refs/jit/inbox/{other}")], &["C06: ", "more than 65536"]);
    // Who is somebody may leave it; it is judged, and answered, at once: the nonce was used before.
    let said =
        place.git_says(&alice.ledger, &["push", "-q", "origin", &format!("{mine}:refs/jit/inbox/{digest}")]).ok();
    assert!(!said.err.contains("could not be taken in"), "{}", said.told());
    assert_eq!(crowd.references("refs/jit/inbox/"), Vec::<String>::new(), "{}", said.told());
    // Where the policy appends directly, nobody would take it in.
    let place = Place::new();
    let crowd = Crowd::new(&place, "direct", Way::File, "");
    let rita = crowd.desk("rita", "rita");
    let said = place.git_says(&rita.ledger, &["push", "-q", "origin", &format!("HEAD:refs/jit/inbox/{name}")]);
    said.exits(1).mentions(&["the policy does not say append"]);
}

/// A letter of one event, written with git and ssh-keygen alone; its commit and its name.
fn letter(place: &Place, ledger: &Path, event: &str, key: &Path) -> (String, String) {
    let directory = place.path("letter");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).unwrap();
    let file = directory.join("event.toml");
    fs::write(&file, event).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-Y", "sign", "-n", "jit-1/request", "-f"]).arg(key).arg(&file);
    place.run(keygen).ok();
    let digest = {
        let mut sum = Command::new("sha256sum");
        sum.arg(&file);
        place.run(sum).ok().out.split(' ').next().unwrap().to_owned()
    };
    let blob = |name: &str| place.git(ledger, &["hash-object", "-w", directory.join(name).to_str().unwrap()]);
    let tree = format!(
        "100644 blob {}\tevent.toml\n100644 blob {}\tevent.toml.sig\n",
        blob("event.toml"),
        blob("event.toml.sig")
    );
    let mut command = Command::new("git");
    command.arg("-C").arg(ledger).arg("mktree");
    let tree = place.run_with(command, &place.path("home"), &[], tree.as_bytes()).ok().out.trim().to_owned();
    let commit = place
        .git(ledger, &["-c", "user.name=x", "-c", "user.email=x@acme.example", "commit-tree", &tree, "-m", "letter"]);
    (commit, digest)
}
