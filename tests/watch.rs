//! Somebody who watches: what a push changes is on the screen within two seconds, whatever its size; keys run the usual
//! commands; the terminal is as it was however the view is left; and programs and screen readers are told the same in lines.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use common::terminal::Terminal;
use common::{Desk, JIT, Place, absent, environment};
use serde_json::Value;

#[path = "watch/acts.rs"]
mod acts;
#[path = "watch/captures.rs"]
mod captures;
#[path = "common/harness.rs"]
mod common;
#[path = "watch/crowd.rs"]
mod crowd;
#[path = "watch/delay.rs"]
mod delay;
#[path = "watch/leaves.rs"]
mod leaves;
#[path = "common/recorded.rs"]
mod recorded;

const PROGRAMS: [&str; 3] = ["git", "ssh-keygen", "tmux"];

/// A remote, and clones of it for everybody.
struct Acme<'p> {
    place: &'p Place,
    remote: PathBuf,
}

impl<'p> Acme<'p> {
    fn new(place: &'p Place) -> Self {
        let (remote, _) = place.ledger("remote.git", true);
        Self { place, remote }
    }

    /// Somebody at a clone of their own.
    fn desk(&self, name: &str) -> Desk<'p> {
        let clone = self.place.path(&format!("clone-{name}"));
        let desk = self.place.desk(name, &clone);
        if !clone.exists() {
            desk.clones(&self.remote);
        }
        desk
    }

    /// A terminal of this size in somebody's clone.
    fn terminal(&self, name: &str, columns: u16, rows: u16, variables: &[(&str, &str)]) -> Terminal<'p> {
        let desk = self.desk(name);
        let key = desk.key.display().to_string();
        let mut all = vec![("JIT_AS", name), ("JIT_KEY", &*key)];
        all.extend(variables);
        let terminal = Terminal::open(self.place, &desk.home, &desk.ledger, &all);
        terminal.resizes(columns, rows);
        terminal
    }

    /// A case that both have agreed to and that has a credential.
    fn live(&self, role: &str) -> String {
        let case = self.desk("alice").opens(role);
        self.desk("bob").approves(&case).ok();
        self.desk("dave").approves(&case).ok();
        self.desk("minter").mints().ok();
        case
    }
}

/// The lines that a running `jit watch` says.
struct Lines {
    child: Child,
    lines: Receiver<String>,
}

impl Lines {
    fn start(desk: &Desk<'_>, arguments: &[&str]) -> Self {
        let mut command = Command::new(JIT);
        command.env_clear().envs(environment(&desk.home)).current_dir(&desk.home);
        command.args(["--as", &desk.name, "--key"]).arg(&desk.key).arg("--ledger").arg(&desk.ledger);
        command.arg("watch").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("a line")
    }

    #[track_caller]
    fn until(&self, what: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(what) {
                return line;
            }
        }
    }

    /// Nothing more is said for a while, and the process is still there.
    fn is_silent(&mut self) {
        let more = self.lines.recv_timeout(Duration::from_secs(2));
        assert!(more.is_err(), "{more:?}");
        assert!(self.child.try_wait().unwrap().is_none(), "it has ended");
    }

    /// Ends it as a service manager does; its exit code.
    fn ends(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_terminal_is_as_it_was_however_the_view_ends() {
    if absent("the_terminal_is_as_it_was_however_the_view_ends", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let screen = acme.terminal("bob", 80, 24, &[]);
    let settings = |name: &str| {
        screen.types(&format!("stty -a > {}; echo 'written: '{name}\n", place.path(name).display()));
        screen.wait_for("stty", |screen| screen.contains(&format!("written: {name}")));
        std::fs::read_to_string(place.path(name)).unwrap()
    };
    let before = settings("before");
    let ends: [(&str, &dyn Fn()); 4] = [
        ("q", &|| screen.types("q")),
        ("ctrl-c", &|| screen.presses("C-c")),
        ("term", &|| kill(&screen, "TERM")),
        ("int", &|| kill(&screen, "INT")),
    ];
    for (name, end) in ends {
        screen.types(&format!("jit watch; echo \"ended: \"$?\" {name}\"\n"));
        screen.wait_for("the view", |screen| screen.contains("Nothing is open"));
        assert!(screen.is_alternate(), "{name}");
        end();
        screen.wait_for("the shell", |screen| screen.contains(&format!("ended: 0 {name}")));
        assert!(!screen.is_alternate() && screen.has_cursor(), "{name}");
        assert_eq!(settings(&format!("after-{name}")), before, "{name}");
    }
}

/// Sends a signal to the view that runs in a terminal.
fn kill(screen: &Terminal<'_>, signal: &str) {
    let shell = screen.process();
    let find = Command::new("pgrep").args(["-P", &shell, "-x", "jit"]).output().unwrap();
    let id = String::from_utf8(find.stdout).unwrap().trim().to_owned();
    assert!(!id.is_empty(), "no view runs");
    assert!(Command::new("kill").arg(format!("-{signal}")).arg(&id).status().unwrap().success());
}

#[test]
fn programs_are_told_each_event_once_and_in_order() {
    let test = "programs_are_told_each_event_once_and_in_order";
    if absent(test, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    acme.desk("alice").opens("10m");
    // Without a terminal it is JSON, from now on.
    let mut watch = Lines::start(&acme.desk("bob"), &[]);
    let ready = || std::thread::sleep(Duration::from_secs(2));
    ready();
    let case = acme.live("30m");
    let mut told: Vec<Value> = Vec::new();
    while told.len() < 4 {
        let line = watch.next();
        told.push(serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}")));
    }
    let kinds: Vec<&str> = told.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["request", "approval", "approval", "issuance"]);
    let positions: Vec<u64> = told.iter().map(|line| line["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [2, 3, 4, 5]);
    let commits = place.commits(&acme.remote);
    for line in &told {
        let position = usize::try_from(line["position"].as_u64().unwrap()).unwrap();
        assert_eq!(line["commit"], *commits[position], "{line}");
        assert_eq!(line["case_object"]["id"], *case, "{line}");
        assert_eq!(line["case_id"], *case, "{line}");
    }
    assert_eq!(told[3]["case_object"], acme.desk("bob").sees(&case), "as jit show has it");
    watch.is_silent();
    assert_eq!(watch.ends(), Some(0));
    // From a position on: nothing is told twice, nothing is left out.
    let again = Lines::start(&acme.desk("bob"), &["--since", "3", "--json"]);
    let positions: Vec<u64> =
        (0..3).map(|_| serde_json::from_str::<Value>(&again.next()).unwrap()["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [3, 4, 5]);
}

#[test]
fn a_remote_that_goes_away_and_comes_back_loses_nothing() {
    if absent("a_remote_that_goes_away_and_comes_back_loses_nothing", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    // As a path that is reached by git's own transport, so that it is asked and not looked at.
    let bob = acme.desk("bob");
    let alice = acme.desk("alice");
    let away = place.path("away.git");
    let relative = "../remote.git";
    place.git(&bob.ledger, &["remote", "set-url", "origin", relative]);
    let mut watch = Lines::start(&bob, &["--json", "--since", "0"]);
    watch.until("\"genesis\"");
    std::fs::rename(&acme.remote, &away).unwrap();
    std::thread::sleep(Duration::from_secs(4));
    assert!(watch.child.try_wait().unwrap().is_none(), "it has ended");
    std::fs::rename(&away, &acme.remote).unwrap();
    let case = alice.opens("30m");
    let line: Value = serde_json::from_str(&watch.next()).unwrap();
    assert_eq!((line["kind"].as_str(), line["case_id"].as_str()), (Some("request"), Some(&*case)));
    watch.is_silent();
}

#[test]
fn a_screen_reader_is_told_all_of_it_and_then_each_change() {
    if absent("a_screen_reader_is_told_all_of_it_and_then_each_change", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let case = acme.desk("alice").opens("30m");
    let mut watch = Lines::start(&acme.desk("bob"), &["--plain"]);
    let first = watch.next();
    assert!(first.starts_with("acme/production, ") && first.ends_with("1 pending; 1 waits for you."), "{first}");
    let row = watch.until(&case);
    assert!(
        row.contains("alice") && row.contains("waits for 1 of sre (bob, carol)") && row.contains("Waits for you"),
        "{row}"
    );
    watch.until("Each change is a line");
    acme.desk("carol").approves(&case).ok();
    let line = watch.next();
    assert!(line.contains("carol approved") && line.contains(&case), "{line}");
    assert!(!line.contains('\u{1b}'), "{line:?}");
    watch.is_silent();
    assert_eq!(watch.ends(), Some(0));
}
