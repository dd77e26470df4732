//! `jit ssh` from the request to the closing, against a real sshd: it asks, waits while others approve and mint, tries
//! again while the host does not know the credential yet, passes on what ran there, and closes the case.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use common::server::{self, Sshd};
use common::terminal::{Answer, Terminal};
use common::{Desk, Place, Said, absent, login};

#[path = "common/harness.rs"]
mod common;

const PRINCIPAL: &str = "prod/payments-db/read-only";

/// A ledger that everybody clones, and a server.
struct Office {
    place: Place,
    remote: PathBuf,
    id: String,
    server: Sshd,
}

impl Office {
    /// The server admits `principal`.
    fn new(principal: &str) -> Self {
        let place = Place::new();
        let server = Sshd::start(&place, principal);
        let (remote, id) = place.ledger("remote.git", true);
        Self { place, remote, id, server }
    }

    /// The desk of somebody with a clone of their own.
    fn clone_of(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        let (from, to) = (self.remote.to_str().unwrap(), ledger.to_str().unwrap());
        desk.jit_anywhere(&["clone", from, to, "--ledger-id", &self.id]).ok();
        desk
    }

    /// The case as it stands at the remote.
    fn state(&self, case: &str) -> String {
        self.place.desk("raj", &self.remote).sees(case)["state"].as_str().unwrap().to_owned()
    }

    /// A live case of alice, minted a moment ago.
    fn live(&self, alice: &Desk<'_>) -> String {
        let case = alice.opens("30m");
        self.approve_and_mint(&case);
        case
    }

    fn approve_and_mint(&self, case: &str) {
        for name in ["bob", "dave"] {
            self.place.desk(name, &self.remote).approves(case).ok();
        }
        self.place.desk("minter", &self.remote).mints().ok();
    }

    /// Lets the server admit a principal.
    fn admit(&self, principal: &str) {
        fs::write(self.place.path("sshd/principals"), format!("{principal}\n")).unwrap();
    }

    /// `jit ssh` with options of its own, ssh's to reach the server, and a remote command.
    fn ssh(&self, desk: &Desk<'_>, own: &[&str], remote: &[&str]) -> Said {
        let options = self.server.options();
        let mut arguments = vec!["ssh"];
        arguments.extend(own);
        arguments.extend(options.iter().map(String::as_str));
        arguments.push("127.0.0.1");
        arguments.extend(remote);
        desk.jit(&arguments)
    }
}

#[test]
fn it_waits_while_others_approve_and_mint() {
    const TEST: &str = "it_waits_while_others_approve_and_mint";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    let case = alice.opens("30m");
    // Without `--wait` and without a terminal nobody waits.
    let said = office.ssh(&alice, &[], &["id", "-un"]).refused(8);
    assert!(said.err.contains("--wait"), "{}", said.told());

    let said = thread::scope(|scope| {
        let waiting = scope.spawn(|| office.ssh(&alice, &["--wait=60s"], &["id", "-un"]));
        thread::sleep(Duration::from_millis(1500));
        office.place.desk("bob", &office.remote).approves(&case).ok();
        thread::sleep(Duration::from_millis(2500));
        office.place.desk("dave", &office.remote).approves(&case).ok();
        thread::sleep(Duration::from_millis(2500));
        office.place.desk("minter", &office.remote).mints().ok();
        waiting.join().unwrap()
    });
    let said = said.ok();
    assert_eq!(said.out.trim(), login(), "{}", said.told());
    // What it waited for, each change once and in order.
    let mut at = 0;
    for line in [
        format!("Waiting for {case}. Ctrl-C leaves it open: jit ssh 127.0.0.1 goes on with it."),
        "  pending: waits for 1 of sre (bob, carol) and 1 of security (dave, erin)".to_owned(),
        "  pending: waits for 1 of security (dave, erin)".to_owned(),
        "  approved: waits for the minter".to_owned(),
        format!("{case}: payments-db/read-only ends"),
    ] {
        let found = said.err.get(at..).unwrap().find(&line);
        at += found.unwrap_or_else(|| panic!("{line:?} is not there, or not in its place\n{}", said.told()));
        assert_eq!(said.err.matches(&line).count(), 1, "{line}\n{}", said.told());
    }
    assert_eq!(office.state(&case), "live", "nobody asked to close it");
}

#[test]
fn waiting_ends_with_its_time_or_with_the_case() {
    const TEST: &str = "waiting_ends_with_its_time_or_with_the_case";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    let case = alice.opens("30m");
    let began = Instant::now();
    let said = office.ssh(&alice, &["--wait=2s"], &["id", "-un"]).refused(8);
    assert!(began.elapsed() >= Duration::from_secs(2), "{}", said.told());
    assert!(said.err.contains("1 of sre"), "{}", said.told());
    assert_eq!(office.state(&case), "pending");

    let said = thread::scope(|scope| {
        let waiting = scope.spawn(|| office.ssh(&alice, &["--wait", "--case", &case], &["id", "-un"]));
        thread::sleep(Duration::from_secs(2));
        let dave = office.place.desk("dave", &office.remote);
        dave.jit(&["deny", &case, "--comment", "Not during the freeze.", "--yes"]).ok();
        waiting.join().unwrap()
    });
    let said = said.refused(3);
    assert!(said.err.contains("denied"), "{}", said.told());

    // Where there is nothing to wait for, nothing is waited for.
    let said = office.ssh(&alice, &["--wait"], &["id", "-un"]).refused(1);
    assert!(said.err.contains("no live credential"), "{}", said.told());
    assert_eq!(office.ssh(&alice, &["--wait", "--case", &case], &["true"]).code, 1);
}

#[test]
fn a_host_that_does_not_know_the_credential_yet_is_asked_again() {
    const TEST: &str = "a_host_that_does_not_know_the_credential_yet_is_asked_again";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new("prod/nothing/yet");
    let alice = office.clone_of("alice");
    office.live(&alice);
    let said = thread::scope(|scope| {
        let trying = scope.spawn(|| office.ssh(&alice, &[], &["id", "-un"]));
        thread::sleep(Duration::from_secs(3));
        office.admit(PRINCIPAL);
        trying.join().unwrap()
    });
    let said = said.ok();
    assert_eq!(said.out.trim(), login(), "{}", said.told());
    assert_eq!(said.err.matches("does not know the new credential yet").count(), 1, "{}", said.told());
    assert!(!said.err.contains("Permission denied"), "what was mended is not told\n{}", said.told());
}

#[test]
fn a_host_that_stays_with_its_no_has_the_last_word() {
    const TEST: &str = "a_host_that_stays_with_its_no_has_the_last_word";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new("prod/nothing/yet");
    let alice = office.clone_of("alice");
    let case = office.live(&alice);
    let own = ["--close=The queue was read.", "--yes"];
    let said = office.ssh(&alice, &own, &["id", "-un"]);
    assert_eq!(said.code, 255, "{}", said.told());
    assert_eq!(said.err.matches("Permission denied (").count(), 1, "{}", said.told());
    assert!(said.err.contains(&format!("ssh failed: {case} stays open")), "{}", said.told());
    assert_eq!(office.state(&case), "live");
    // Ten seconds later it is no longer new: one try, and no word of ours about it.
    let said = office.ssh(&alice, &[], &["id", "-un"]);
    assert_eq!(said.code, 255, "{}", said.told());
    assert!(!said.err.contains("does not know"), "{}", said.told());
    assert_eq!(said.err.matches("Permission denied (").count(), 1, "{}", said.told());
}

/// A command that ran is never run again, whatever it says and exits with.
#[test]
fn what_ran_is_not_run_twice() {
    const TEST: &str = "what_ran_is_not_run_twice";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    office.live(&alice);
    let ran = office.place.path("ran");
    let script =
        format!("echo ran >> {}; echo 'alice@127.0.0.1: Permission denied (publickey).' >&2; exit 255", ran.display());
    let said = office.ssh(&alice, &[], &[&script]);
    assert_eq!(said.code, 255, "{}", said.told());
    assert_eq!(fs::read_to_string(ran).unwrap(), "ran\n");
    assert!(said.err.contains("alice@127.0.0.1: Permission denied (publickey)."), "{}", said.told());
    // What ssh says beside it is passed on, too, and what the command writes to stderr is not touched.
    let said = office.ssh(&alice, &[], &["printf 'a\\001b' >&2; exit 3"]).exits(3);
    assert!(said.err.contains("a\u{1}b"), "{}", said.told());
    let mut options = office.server.options();
    options.retain(|option| option != "LogLevel=ERROR");
    options.pop();
    let mut arguments: Vec<&str> = vec!["ssh"];
    arguments.extend(options.iter().map(String::as_str));
    arguments.extend(["-o", "LogLevel=DEBUG1", "127.0.0.1", "true"]);
    let said = alice.jit(&arguments).ok();
    assert!(said.err.contains("debug1: "), "{}", said.told());
}

#[test]
fn the_case_is_closed_after_logout() {
    const TEST: &str = "the_case_is_closed_after_logout";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    let case = office.live(&alice);
    // What is missing is said before anybody connects.
    let before = office.server.log().len();
    office.ssh(&alice, &["--close", "--yes"], &["id", "-un"]).refused(2);
    office.ssh(&alice, &["--close=The queue was read."], &["id", "-un"]).refused(2);
    assert_eq!(office.ssh(&alice, &["--close=...", "--yes"], &["id", "-un"]).code, 2);
    assert_eq!(office.ssh(&alice, &["--close=x", "--no-close", "--yes"], &["id", "-un"]).code, 2);
    assert_eq!(office.server.log().len(), before, "nobody has connected");

    // The exit code is the command's, and stdout is the command's alone.
    let own = ["--close=The queue was read.", "--yes"];
    let said = office.ssh(&alice, &own, &["id -un; exit 3"]).exits(3);
    assert_eq!(said.out.trim(), login(), "{}", said.told());
    assert!(said.err.contains(&format!("Closed {case}")), "{}", said.told());
    assert_eq!(office.state(&case), "review due");
    let seen = alice.sees(&case);
    assert_eq!(seen["ended"]["by"], "closed", "{seen:#}");
    let words = seen["events"].as_array().unwrap().last().unwrap()["words"].as_str().unwrap();
    assert!(words.contains("The queue was read."), "{words}");
    // Now there is no credential any more.
    office.ssh(&alice, &own, &["true"]).refused(1);
}

#[test]
fn a_case_stays_open_where_nobody_says_otherwise() {
    const TEST: &str = "a_case_stays_open_where_nobody_says_otherwise";
    if absent(TEST, &server::PROGRAMS) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    let case = office.live(&alice);
    office.ssh(&alice, &[], &["true"]).ok();
    office.ssh(&alice, &["--no-close"], &["true"]).ok();
    assert_eq!(office.state(&case), "live");
}

// ---- at a terminal -----------------------------------------------------------------------------------------------

const TERMINAL: [&str; 5] = ["sshd", "ssh", "ssh-keygen", "git", "tmux"];

fn terminal<'p>(place: &'p Place, desk: &Desk<'_>) -> Terminal<'p> {
    let key = desk.key.display().to_string();
    Terminal::open(place, &desk.home, &desk.ledger, &[("JIT_AS", desk.name.as_str()), ("JIT_KEY", &key)])
}

/// Types the answer to each question as it comes, until `is_there`.
fn answer(screen: &Terminal<'_>, answers: &[Answer<'_>], what: &str, is_there: impl Fn(&str) -> bool) -> String {
    let end = Instant::now() + Duration::from_secs(90);
    let mut answered = String::new();
    loop {
        assert!(Instant::now() < end, "waited in vain for {what}; the screen:\n{}", screen.screen());
        let shown = screen.settles();
        if is_there(&shown) {
            return shown;
        }
        let open = shown.lines().rev().find(|line| line.trim_start().starts_with("? ")).unwrap_or("").to_lowercase();
        let Some(known) = answers.iter().find(|answer| answer.when.iter().any(|words| open.contains(words))) else {
            continue;
        };
        if shown == answered {
            continue;
        }
        for key in known.keys {
            match key.strip_prefix("text:") {
                Some(text) => screen.types(text),
                None => screen.presses(key),
            }
        }
        answered = shown;
    }
}

const REQUEST: [Answer<'_>; 10] = [
    Answer { when: &["request access now"], keys: &["text:y"] },
    Answer { when: &["access to what"], keys: &["text:read-only", "Enter"] },
    Answer { when: &["for how long"], keys: &["Enter"] },
    Answer { when: &["why is it needed"], keys: &["text:The payment queue is stuck.", "Enter"] },
    Answer { when: &["ticket"], keys: &["text:INC-4711", "Enter"] },
    Answer { when: &["how high is the risk"], keys: &["Enter"] },
    Answer { when: &["can go wrong"], keys: &["text:Reads customer rows.", "Enter"] },
    Answer { when: &["undone"], keys: &["text:Nothing is changed.", "Enter"] },
    Answer { when: &["sign this request"], keys: &["text:y"] },
    Answer { when: &["comment"], keys: &["Enter"] },
];

/// The one case of alice in the ledger.
fn only_case(office: &Office) -> String {
    let said = office.place.desk("raj", &office.remote).jit(&["list", "--json"]).ok();
    let text = said.out.clone();
    let at = text.find("\"id\":\"").unwrap_or_else(|| panic!("no case\n{}", said.told())) + 6;
    text[at..at + 16].to_owned()
}

fn command_line(office: &Office) -> String {
    format!("jit ssh {} 127.0.0.1", office.server.options().join(" "))
}

#[test]
fn who_types_only_jit_ssh_gets_in_and_out() {
    const TEST: &str = "who_types_only_jit_ssh_gets_in_and_out";
    if absent(TEST, &TERMINAL) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    let screen = terminal(&office.place, &alice);
    screen.types(&command_line(&office));
    screen.presses("Enter");
    let waits = |shown: &str| shown.contains("pending: waits for 1 of sre");
    let shown = answer(&screen, &REQUEST, "the wait", waits);
    let case = only_case(&office);
    assert!(shown.contains(&format!("Waiting for {case}. Ctrl-C leaves it open")), "{shown}");

    // Whoever leaves has lost nothing.
    screen.presses("C-c");
    screen.wait_for("the shell", |shown| shown.trim_end().ends_with('$'));
    assert_eq!(office.state(&case), "pending");
    screen.types(&command_line(&office));
    screen.presses("Enter");
    screen.wait_for("the wait again", |shown| shown.matches("pending: waits for 1 of sre").count() >= 2);

    office.approve_and_mint(&case);
    screen.wait_for("the login", |shown| shown.contains("payments-db/read-only ends"));
    screen.settles();
    screen.types("echo in as $(id -un) with $((40+2))");
    screen.presses("Enter");
    let inside = format!("in as {} with 42", login());
    screen.wait_for("the shell there", |shown| shown.contains(&inside));
    screen.types("exit");
    screen.presses("Enter");
    let closing = [
        Answer { when: &["done with"], keys: &["text:y"] },
        Answer { when: &["what was done"], keys: &["text:The queue was read.", "Enter"] },
        Answer { when: &["a change, and how"], keys: &["Enter"] },
        Answer { when: &["sign this closure"], keys: &["text:y"] },
    ];
    let shown = answer(&screen, &closing, "the closing", |shown| shown.contains(&format!("Closed {case}")));
    assert!(shown.contains(&format!("Done with {case}? Closing it ends the access at once")), "{shown}");
    assert_eq!(office.state(&case), "review due");
}

#[test]
fn who_does_not_want_to_close_is_told_how_to() {
    const TEST: &str = "who_does_not_want_to_close_is_told_how_to";
    if absent(TEST, &TERMINAL) {
        return;
    }
    let office = Office::new(PRINCIPAL);
    let alice = office.clone_of("alice");
    let case = office.live(&alice);
    let screen = terminal(&office.place, &alice);
    let hint = format!("jit close {case}   when the work is done");
    // A command is no login: nobody is asked.
    screen.types(&format!("{} true; echo code $?", command_line(&office)));
    screen.presses("Enter");
    let shown = screen.wait_for("the hint", |shown| shown.contains(&hint) && shown.contains("\ncode 0"));
    assert!(!shown.contains("Done with"), "{shown}");

    screen.types(&command_line(&office));
    screen.presses("Enter");
    screen.wait_for("the login", |shown| shown.matches("payments-db/read-only ends").count() >= 2);
    screen.settles();
    screen.types("exit 7");
    screen.presses("Enter");
    screen.wait_for("the question", |shown| shown.contains(&format!("Done with {case}?")));
    screen.presses("n");
    screen.wait_for("the hint", |shown| shown.matches(&hint).count() >= 2);
    screen.types("echo code $?");
    screen.presses("Enter");
    screen.wait_for("the shell's code, which is ours", |shown| shown.contains("\ncode 7"));
    assert_eq!(office.state(&case), "live");

    screen.types(&command_line(&office).replacen("ssh", "ssh --no-close", 1));
    screen.presses("Enter");
    screen.wait_for("the login", |shown| shown.matches("payments-db/read-only ends").count() >= 3);
    screen.settles();
    screen.types("exit");
    screen.presses("Enter");
    screen.wait_for("the end", |shown| shown.trim_end().ends_with("\n$"));
    let shown = screen.settles();
    assert_eq!(shown.matches("Done with").count(), 1, "{shown}");
}
