//! The pre-receive hook: what somebody reads who pushed by mistake, for each rule that a developer could break by mistake;
//! that nothing else comes in; that good pushes do; and that what cannot be checked is refused. Real git at both ends.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::forge::{self, Files, Forged};
use common::{Desk, JIT, Place, Said, absent, executable::executable, request};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// The texts as they were read and found good. `UPDATE=1` writes them anew.
const TEXTS: &str = "tests/hook/refusals.txt";

/// A bare repository with the hook, to which everybody pushes.
struct Shared {
    place: Place,
    remote: PathBuf,
    id: String,
}

impl Shared {
    fn new(more: &[&str]) -> Self {
        let place = Place::new();
        let (remote, id) = place.ledger("remote.git", true);
        let shared = Self { place, remote, id };
        shared.installs(&[&["install"], more].concat()).ok();
        shared
    }

    fn installs(&self, arguments: &[&str]) -> Said {
        hook(&self.place, &self.remote, arguments)
    }

    /// A clone of somebody's own, in which git knows who they are.
    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.clones(&self.remote);
            self.place.git(&ledger, &["config", "user.name", name]);
            self.place.git(&ledger, &["config", "user.email", &format!("{name}@acme.example")]);
            self.place.git(&ledger, &["config", "commit.gpgSign", "false"]);
        }
        desk
    }

    fn git(&self, desk: &Desk<'_>, arguments: &[&str]) -> String {
        self.place.git(&desk.ledger, arguments)
    }

    /// Pushes what a clone has, plainly, and demands that nothing has changed.
    #[track_caller]
    fn refused(&self, desk: &Desk<'_>, what: &[&str]) -> String {
        let before = self.place.git(&self.remote, &["for-each-ref"]);
        let said = self.place.git_says(&desk.ledger, &[&["push", "origin"], what].concat());
        assert_ne!(said.code, 0, "{}", said.told());
        assert_eq!(self.place.git(&self.remote, &["for-each-ref"]), before, "{}", said.told());
        remote_lines(&said)
    }

    /// The same of an event that was written by hand.
    #[track_caller]
    fn forged(&self, desk: &Desk<'_>, forged: &Forged, case: Option<&Value>) -> String {
        let (message, add) = forge::tree(forged, case, &Files::new());
        // A request's message says what is asked for.
        let text = String::from_utf8_lossy(&forged.event).into_owned();
        let target = text.split("targets = [\"").nth(1).and_then(|rest| rest.split('"').next());
        let message = match target {
            Some(target) => message.replacen(": alice", &format!(": alice asks {target} for 30m"), 1),
            None => message,
        };
        let id = forge::commit(desk, &forged.actor, &forged.time, &message, &add);
        self.refused(desk, &[&format!("{id}:refs/heads/main")])
    }
}

fn hook(place: &Place, remote: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(JIT);
    command.arg("hook").args(arguments).args(["--bare", remote.to_str().unwrap()]).current_dir(place.path("home"));
    place.run(command)
}

/// What stands behind `remote: `, without git's padding.
fn remote_lines(said: &Said) -> String {
    let lines = said.err.lines().filter_map(|line| line.strip_prefix("remote: "));
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The text with what differs from run to run taken out.
fn plain(text: &str) -> String {
    let hex = |word: &str, length: usize| word.len() == length && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = |word: &str| word.len() == 16 && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    let time = |word: &str| word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    let hour = |word: &str| word.len() == 13 && word.split('/').all(|part| part.parse::<u16>().is_ok());
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-');
    let bare = |word: &str| word.trim_end_matches(':').to_owned();
    let mut told = String::new();
    for line in text.lines() {
        // `ledger/2026/11/23/17/…`: the hour is four parts.
        let words = line.split(' ').map(|word| match word {
            _ if word.starts_with("SHA256:") => "KEY",
            _ if word.starts_with('/') => "PATH",
            _ => word,
        });
        let mut line = words.collect::<Vec<_>>().join(" ");
        while let Some(at) = line.find("ledger/20") {
            let Some(found) = line.get(at + 7..at + 20).filter(|found| hour(found)).map(str::to_owned) else { break };
            line = line.replacen(&found, "HOUR", 1);
        }
        let mut word = String::new();
        for c in line.chars().chain(['\n']) {
            if is_part(c) {
                word.push(c);
                continue;
            }
            let parts: Vec<String> = if time(&word) {
                vec!["TIME".to_owned()]
            } else {
                word.split('-')
                    .map(|part| match part {
                        _ if hex(part, 40) => "COMMIT".to_owned(),
                        _ if id(&bare(part)) => part.replace(&bare(part), "CASE"),
                        _ if part.strip_prefix("sha256:").is_some_and(|rest| hex(rest, 64)) => "DIGEST".to_owned(),
                        _ => part.to_owned(),
                    })
                    .collect()
            };
            told += &parts.join("-");
            told.push(c);
            word.clear();
        }
    }
    told
}

fn gone(test: &str) -> bool {
    absent(test, &["git", "ssh-keygen"])
}

/// The event with some of its text replaced, signed anew.
fn changed(desk: &Desk<'_>, forged: &Forged, from: &str, to: &str) -> Forged {
    let text = String::from_utf8(forged.event.clone()).unwrap();
    assert!(text.contains(from), "{from:?} is not in\n{text}");
    let event = text.replacen(from, to, 1).into_bytes();
    let signature = forge::sign(desk.place(), &desk.key, &forged.kind, &event);
    Forged { event, signature, ..forged.clone() }
}

fn requested(desk: &Desk<'_>, target: &str, duration: &str, ticket: &str) -> Forged {
    let table = format!(
        "[request]\ntargets = [\"{target}\"]\nduration = \"{duration}\"\nbusiness_need = \"The queue is stuck.\"\n{ticket}\
         credential_key = \"{}\"\n\n[request.risk]\nlevel = \"low\"\nimpact = \"Reads rows.\"\nrollback = \"Nothing.\"\n\
         data = [\"npi\"]\n",
        desk.place().public_key("recorder")
    );
    forge::event(desk, &desk.key, "request", &desk.name, None, &table)
}

#[test]
fn whoever_pushes_by_mistake_is_told_what_to_do() {
    if gone("whoever_pushes_by_mistake_is_told_what_to_do") {
        return;
    }
    let shared = Shared::new(&[]);
    let mut told: Vec<(&str, &str, String)> = Vec::new();
    let (alice, bob, raj) = (shared.desk("alice"), shared.desk("bob"), shared.desk("raj"));
    let case = alice.sees(&alice.opens("30m"));
    bob.jit(&["sync"]).ok();

    // With git alone, in a clone of jit's.
    let reset = |desk: &Desk<'_>| {
        shared.git(desk, &["fetch", "-q", "origin"]);
        shared.git(desk, &["reset", "-q", "--hard", "origin/main"]);
    };
    reset(&raj);
    fs::write(raj.ledger.join("policy.toml"), "version = 2\n").unwrap();
    shared.git(&raj, &["commit", "-q", "-a", "-m", "One approver is enough"]);
    told.push(("C05", "A hand edit of the policy", shared.refused(&raj, &["main"])));
    reset(&raj);
    shared.git(&raj, &["commit", "-q", "--allow-empty", "-m", "Trigger CI"]);
    told.push(("C03", "An empty commit", shared.refused(&raj, &["main"])));
    alice.opens("20m");
    shared.git(&raj, &["pull", "-q", "--no-rebase", "--no-edit", "origin", "main"]);
    told.push(("C01", "git pull, which merged", shared.refused(&raj, &["main"])));
    reset(&raj);
    let request = format!("/{}/request-", case["id"].as_str().unwrap());
    let path = shared.place.events(&shared.remote).into_iter().find(|path| path.contains(&request)).unwrap();
    let file = raj.ledger.join(&path);
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("30m", "20m")).unwrap();
    shared.git(&raj, &["commit", "-q", "-a", "-m", "It was twenty minutes"]);
    told.push(("C02", "An event that was edited", shared.refused(&raj, &["main"])));
    reset(&raj);
    shared.git(&raj, &["reset", "-q", "--hard", "HEAD~1"]);
    told.push(("", "A forced push of an older main", shared.refused(&raj, &["--force", "main"])));
    reset(&raj);
    shared.git(&raj, &["tag", "v1"]);
    told.push(("", "A tag", shared.refused(&raj, &["v1"])));
    told.push(("", "A branch", shared.refused(&raj, &["main:refs/heads/topic"])));
    told.push(("", "Main deleted", shared.refused(&raj, &[":main"])));

    // Events that were written by hand.
    let approval = |desk: &Desk<'_>, key: &Path, more: &str| {
        forge::event(desk, key, "approval", &desk.name, Some(&case), &format!("[approval]\n{more}"))
    };
    let good = approval(&bob, &bob.key, "");
    let (message, add) = forge::tree(&good, Some(&case), &Files::new());
    let amended = forge::commit(&bob, "bob", &good.time, &message.replace("approval", "Approve"), &add);
    told.push(("C07", "An amended message", shared.refused(&bob, &[&format!("{amended}:main")])));
    let other = forge::commit(&bob, "carol", &good.time, &message, &add);
    told.push(("C07", "Somebody else's name on it", shared.refused(&bob, &[&format!("{other}:main")])));
    let comment = changed(&bob, &good, "\n[seen]", "# Looks fine.\n\n[seen]");
    told.push(("E01", "An event with a comment", shared.forged(&bob, &comment, Some(&case))));
    let unknown = approval(&bob, &bob.key, "because = \"Fine.\"\n");
    told.push(("E02", "An event with a field of its own", shared.forged(&bob, &unknown, Some(&case))));
    let mut unsigned = changed(&bob, &good, "bob", "bob");
    unsigned.signature = forge::sign(&shared.place, &bob.key, "approval", b"something else");
    told.push(("K02", "A signature of something else", shared.forged(&bob, &unsigned, Some(&case))));
    let wrong = approval(&bob, &shared.place.key("carol"), "");
    told.push(("K04", "Signed with a colleague's key", shared.forged(&bob, &wrong, Some(&case))));
    let root = String::from_utf8(good.event.clone()).unwrap();
    let root = root.split("root = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let rolled = changed(&bob, &good, &root, &format!("sha256:{}", "5a".repeat(32)));
    told.push(("L03", "Signed on another history", shared.forged(&bob, &rolled, Some(&case))));
    let tomorrow = chrono::DateTime::from_timestamp(i64::try_from(common::now()).unwrap() + 86_400, 0).unwrap();
    let tomorrow = tomorrow.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let late = Forged { time: tomorrow.clone(), ..changed(&bob, &good, &good.time, &tomorrow) };
    told.push(("L04", "A clock that is a day ahead", shared.forged(&bob, &late, Some(&case))));
    let ticket = "ticket = \"INC-1\"\n";
    let nowhere = requested(&alice, "orders-db/read-only", "30m", ticket);
    told.push(("A01", "A target that the policy does not know", shared.forged(&alice, &nowhere, None)));
    let bare = requested(&alice, "payments-db/read-only", "30m", "");
    told.push(("A02", "No ticket", shared.forged(&alice, &bare, None)));
    let own = approval(&alice, &alice.key, "");
    told.push(("A03", "Her own request", shared.forged(&alice, &own, Some(&case))));
    let withdrawn = forge::event(&bob, &bob.key, "withdrawal", "bob", Some(&case), "[withdrawal]\ncomment = \"No.\"\n");
    told.push(("A09", "Somebody else's request withdrawn", shared.forged(&bob, &withdrawn, Some(&case))));
    let stale = changed(&bob, &good, "policy = \"sha256:", "policy = \"sha256:00");
    let stale = Forged { event: stale.event.clone(), ..stale };
    let digits = String::from_utf8(stale.event.clone()).unwrap();
    let line = digits.lines().find(|line| line.starts_with("policy = ")).unwrap().to_owned();
    let cut = format!("{}\"", &line[..line.len() - 3]);
    told.push((
        "L01",
        "Signed for an older policy",
        shared.forged(&bob, &changed(&bob, &stale, &line, &cut), Some(&case)),
    ));

    let (mut all, mut wrong) = (String::new(), String::new());
    for (code, mistake, text) in &told {
        let rule = if code.is_empty() { "\n  Refused  ".to_owned() } else { format!("\n  Breaks   {code}: ") };
        let is_told = text.starts_with("jit: push refused. Nothing was changed.\n") && text.contains("\n  Do       ");
        // Ten lines: more is too long for a tired person.
        if !is_told || !text.contains(&rule) || text.lines().count() > 10 {
            wrong += &format!("{mistake}: not {code}\n{text}\n");
        }
        all += &format!("## {mistake}\n{}\n", plain(text));
    }
    assert!(wrong.is_empty(), "{wrong}");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all("tests/hook").unwrap();
        fs::write(TEXTS, &all).unwrap();
    }
    assert_eq!(all, fs::read_to_string(TEXTS).unwrap_or_default(), "UPDATE=1 writes {TEXTS}");

    // Nothing of it is in the ledger, and good events still come in.
    bob.approves(case["id"].as_str().unwrap()).ok();
    raj.jit_anywhere(&["--ledger", shared.remote.to_str().unwrap(), "verify", "--strict"]).ok();
    shared.place.is_sound(&shared.remote);
}

/// What the refusal of a hand edit says to do is what helps.
#[test]
fn the_remedy_for_a_hand_edit_works_as_it_is_told() {
    if gone("the_remedy_for_a_hand_edit_works_as_it_is_told") {
        return;
    }
    let shared = Shared::new(&[]);
    let rita = shared.desk("rita");
    let file = rita.ledger.join("policy.toml");
    let text = fs::read_to_string(&file).unwrap().replace("decide_within = \"8h\"", "decide_within = \"4h\"");
    fs::write(&file, text).unwrap();
    shared.git(&rita, &["commit", "-q", "-a", "-m", "Faster"]);
    let told = shared.refused(&rita, &["main"]);
    let lines: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("  Do ")).map(|line| &line[11..]).collect();
    assert_eq!(lines.len(), 2, "{told}");
    // Whoever looked at it in between has verified nothing that the remote does not have.
    rita.jit(&["verify"]).exits(4);
    for line in lines {
        let line = line.replace("\"...\"", "\"People wait too long.\" --yes");
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(&rita.ledger);
        let path = [Path::new(JIT).parent().unwrap().to_owned()];
        let all =
            std::env::join_paths(path.into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())));
        let all = all.unwrap();
        let variables: [(&str, &OsStr); 2] = [("PATH", &all), ("JIT_KEY", rita.key.as_os_str())];
        shared.place.run_with(command, &rita.home, &variables, b"").ok();
    }
    let verified = rita.jit(&["verify", "--json"]).ok();
    assert_eq!(verified.json()["size"], 2, "{}", verified.told());
}

#[test]
fn good_pushes_come_in_however_many_at_once() {
    if gone("good_pushes_come_in_however_many_at_once") {
        return;
    }
    let shared = Shared::new(&["--allow", "refs/heads/draft/*"]);
    // git's own lock decides; whoever loses pushes again.
    let clones: Vec<PathBuf> = (0..5).map(|number| shared.place.path(&format!("clone-{number}"))).collect();
    std::thread::scope(|scope| {
        let runs: Vec<_> = clones
            .iter()
            .map(|clone| {
                let desk = shared.place.desk("alice", clone);
                desk.clones(&shared.remote);
                desk
            })
            .map(|desk| scope.spawn(move || desk.asks("30m")))
            .collect();
        for run in runs {
            run.join().unwrap().ok();
        }
    });
    assert_eq!(shared.place.commits(&shared.remote).len(), 6);
    let alice = shared.desk("alice");
    let case = alice.opens("30m");
    shared.desk("bob").approves(&case).ok();
    shared.desk("erin").approves(&case).ok();
    shared.desk("minter").mints().ok();
    let log = shared.place.key("log");
    let rita = shared.desk("rita");
    rita.jit(&["checkpoint", "--log-key", log.to_str().unwrap()]).ok();
    let verified = rita.jit(&["verify", "--strict", "--json"]).ok();
    assert_eq!(verified.json()["voids"].as_array().map(Vec::len), Some(0));

    // The branch of checkpoints: nothing else, and no way back.
    rita.jit(&["checkpoint", "--log-key", log.to_str().unwrap()]).ok();
    alice.opens("20m");
    rita.jit(&["checkpoint", "--log-key", log.to_str().unwrap()]).ok();
    shared.git(&rita, &["fetch", "-q", "origin", "checkpoints"]);
    let (tree, tip) =
        (shared.git(&rita, &["rev-parse", "HEAD^{tree}"]), shared.git(&rita, &["rev-parse", "FETCH_HEAD"]));
    let foreign = shared.git(&rita, &["commit-tree", &tree, "-p", &tip, "-m", "x"]);
    let told = shared.refused(&rita, &[&format!("{foreign}:checkpoints")]);
    assert!(told.contains("it holds no file `checkpoint`") || told.contains("more than a checkpoint"), "{told}");
    let older = shared.git(&rita, &["rev-parse", &format!("{tip}~1")]);
    let told = shared.refused(&rita, &["--force", &format!("{older}:checkpoints")]);
    assert!(told.contains("does not lie on top"), "{told}");
    let again = shared.git(&rita, &["rev-parse", &format!("{older}^{{tree}}")]);
    let again = shared.git(&rita, &["commit-tree", &again, "-p", &tip, "-m", "An older one again"]);
    let told = shared.refused(&rita, &[&format!("{again}:checkpoints")]);
    assert!(told.contains("of fewer entries"), "{told}");
    shared.refused(&rita, &[":checkpoints"]);

    // What the owner allows is not looked at; one bad reference refuses the whole push.
    shared.git(&rita, &["push", "-q", "origin", "main:refs/heads/draft/rita"]);
    let told = shared.refused(&rita, &["main:refs/heads/draft/two", "main:refs/heads/other"]);
    assert!(told.contains("Branch   other"), "{told}");
    shared.place.is_sound(&shared.remote);
}

#[test]
fn what_cannot_be_checked_is_refused() {
    if gone("what_cannot_be_checked_is_refused") {
        return;
    }
    let shared = Shared::new(&[]);
    let alice = shared.desk("alice");
    let script = shared.remote.join("hooks/pre-receive");
    let good = fs::read_to_string(&script).unwrap();
    assert!(good.contains(JIT), "{good}");
    let killed = shared.place.path("killed");
    executable(&killed, "#!/bin/sh\nkill -9 $$\n");
    // The same is not signed twice: each time something else is asked for.
    for (program, long) in [("/nowhere/jit", "30m"), (killed.to_str().unwrap(), "20m")] {
        fs::write(&script, good.replace(JIT, program)).unwrap();
        let head = shared.place.head(&shared.remote);
        let said = alice.asks(long).refused(1).mentions(&["could not be checked", "jit sync"]);
        assert!(said.err.contains("Caused by: "), "{}", said.told());
        assert_eq!(shared.place.head(&shared.remote), head);
    }
    fs::write(&script, good).unwrap();
    // What was signed waited.
    alice.jit(&["sync"]).ok();
    let size = shared.desk("bob").jit(&["verify", "--json"]).ok().json()["size"].clone();
    assert_eq!(size, 3);

    // By hand: stdin that is none, a quarantine that is none, a repository that does not answer.
    let head = shared.place.head(&shared.remote);
    let zero = "0".repeat(40);
    let line = format!("{zero} {head} refs/heads/main\n");
    let run = |directory: &Path, quarantine: Option<&Path>, input: &str| {
        let mut command = Command::new(JIT);
        command.args(["hook", "pre-receive", "--timeout", "2s"]).current_dir(directory);
        // Git's other variables count for nothing, nor do jit's own.
        let mut variables: Vec<(&str, &OsStr)> = vec![
            ("GIT_DIR", OsStr::new("/nowhere")),
            ("GIT_OBJECT_DIRECTORY", OsStr::new("/nowhere")),
            ("JIT_LEDGER", OsStr::new("/nowhere")),
        ];
        variables.extend(quarantine.map(|path| ("GIT_QUARANTINE_PATH", path.as_os_str())));
        shared.place.run_with(command, &shared.place.path("home"), &variables, input.as_bytes())
    };
    run(&shared.remote, None, &line).ok();
    let foreign = shared.place.path("tmp_objdir-incoming-x");
    fs::create_dir(&foreign).unwrap();
    let linked = shared.remote.join("objects/tmp_objdir-incoming-link");
    std::os::unix::fs::symlink(&foreign, &linked).unwrap();
    let stuck = shared.place.path("stuck.git");
    shared.place.git(&shared.place.path(""), &["init", "-q", "--bare", stuck.to_str().unwrap()]);
    fs::remove_file(stuck.join("config")).unwrap();
    let mut fifo = Command::new("mkfifo");
    fifo.arg(stuck.join("config"));
    shared.place.run(fifo).ok();
    let missing = format!("{head} {} refs/heads/main\n", "ab".repeat(20));
    let cases: [(&Path, Option<&Path>, &str, &str); 8] = [
        (&shared.remote, None, "", "did not say"),
        (&shared.remote, None, "hello\n", "did not say"),
        (&shared.remote, None, &missing, "missing"),
        (&shared.remote, Some(&foreign), &line, "not where git keeps"),
        (&shared.remote, Some(&linked), &line, "not where git keeps"),
        (&shared.remote, Some(Path::new("/")), &line, ""),
        (&shared.remote.join("objects"), None, &line, "Git repository"),
        (&stuck, None, &line, "time for checking is up"),
    ];
    for (directory, quarantine, input, why) in cases {
        let said = run(directory, quarantine, input).exits(1);
        assert!(
            said.err.starts_with("jit: push refused: it could not be checked. Nothing was changed.\n"),
            "{}",
            said.told()
        );
        assert!(said.err.contains(why), "{why:?}\n{}", said.told());
    }
}

#[test]
fn the_first_push_is_a_ledger_and_the_one_that_was_meant() {
    if gone("the_first_push_is_a_ledger_and_the_one_that_was_meant") {
        return;
    }
    let shared = Shared::new(&[]);
    let empty = shared.place.path("empty.git");
    shared.place.git(&shared.place.path(""), &["init", "-q", "--bare", "-b", "main", empty.to_str().unwrap()]);
    hook(&shared.place, &empty, &["install", "--ledger-id", &shared.id]).ok();
    let alice = shared.desk("alice");
    alice.opens("30m");
    let to = |from: &Path| shared.place.git_says(from, &["push", empty.to_str().unwrap(), "main"]);
    let (other, _) = shared.place.ledger("other", false);
    let said = to(&other).exits(1).mentions(&["this repository is for sha256:"]);
    assert!(remote_lines(&said).contains("  Do       git remote -v"), "{}", said.told());
    let code = shared.place.path("code");
    shared.place.git(&shared.place.path(""), &["init", "-q", "-b", "main", code.to_str().unwrap()]);
    let identity = ["-c", "user.name=raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
    fs::write(code.join("main.rs"), "fn main() {}\n").unwrap();
    shared.place.git(&code, &["add", "-A"]);
    shared.place.git(&code, &[&identity[..], &["commit", "-q", "-m", "Code"]].concat());
    to(&code).exits(1).mentions(&["must be a ledger", "jit init DIR"]);
    to(&alice.ledger).ok();
    assert_eq!(shared.place.head(&empty), shared.place.head(&shared.remote));
}

#[test]
fn an_installation_keeps_what_is_there_and_can_be_undone() {
    if gone("an_installation_keeps_what_is_there_and_can_be_undone") {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let script = remote.join("hooks/pre-receive");
    let config = || place.git(&remote, &["config", "--local", "--list"]);
    place.git(&remote, &["config", "receive.denyDeletes", "false"]);
    let before = config();
    let say = |arguments: &[&str]| hook(&place, &remote, arguments);
    let said = say(&["install", "--dry-run", "--json"]).ok();
    assert_eq!(said.json()["done"].as_array().map(Vec::len), Some(6), "{}", said.told());
    assert!(!script.exists());
    assert_eq!(config(), before);

    say(&["install"]).ok();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let after = remote.join("hooks/post-receive");
    assert_eq!((mode(&script), mode(&after)), (0o755, 0o755));
    for line in ["receive.denydeletes=true", "receive.denynonfastforwards=true", "receive.fsckobjects=true"] {
        assert!(config().contains(line), "{line}\n{}", config());
    }
    let first = fs::read(&script).unwrap();
    let said = say(&["install"]).ok();
    assert!(said.out.contains("nothing to do"), "{}", said.told());
    assert_eq!(fs::read(&script).unwrap(), first);
    say(&["uninstall", "--dry-run"]).ok();
    assert!(script.exists());
    say(&["uninstall"]).ok();
    assert!(!script.exists() && !after.exists());
    assert_eq!(config(), before);
    assert!(say(&["uninstall"]).ok().out.contains("nothing to do"));

    // Another's hook.
    let foreign = "#!/bin/sh\nwhile read -r old new name; do echo \"foreign saw $name\" >&2; done\n[ ! -e refuse ]\n";
    fs::create_dir_all(script.parent().unwrap()).unwrap();
    executable(&script, foreign);
    say(&["install"]).refused(1).mentions(&["not jit's", "--chain"]);
    assert_eq!(fs::read_to_string(&script).unwrap(), foreign);
    let told = "#!/bin/sh\nsed 's/^/after the push: /' >&2\n";
    executable(&after, told);
    say(&["install", "--chain"]).ok();
    assert!(say(&["install", "--chain"]).ok().out.contains("nothing to do"));
    assert!(say(&["install"]).ok().out.contains("nothing to do"));
    let alice = place.desk("alice", &place.path("home").join("alice").join("ledger"));
    alice.clones(&remote);
    alice.opens("30m");
    fs::write(remote.join("refuse"), "").unwrap();
    alice.asks("20m").refused(1).mentions(&["foreign saw refs/heads/main"]);
    // It is not asked about what jit has refused.
    let said = place.git_says(&alice.ledger, &["push", "origin", "main:refs/heads/topic"]).exits(1);
    assert!(!said.err.contains("foreign"), "{}", said.told());
    fs::remove_file(remote.join("refuse")).unwrap();
    let head = place.git(&alice.ledger, &["rev-parse", "HEAD"]);
    let said = place.git_says(&alice.ledger, &["push", "--dry-run", "origin", "main"]).ok();
    assert!(!said.err.contains("after the push"), "{}", said.told());
    alice.jit(&["sync"]).ok();
    assert_ne!(place.git(&alice.ledger, &["rev-parse", "HEAD"]), head);
    let said = place.git_says(&alice.ledger, &["push", "origin", "HEAD:refs/heads/main"]).ok();
    assert!(said.err.contains("up-to-date"), "{}", said.told());
    say(&["uninstall"]).ok();
    assert_eq!(fs::read_to_string(&script).unwrap(), foreign);
    assert_eq!(fs::read_to_string(&after).unwrap(), told);
    assert_eq!(config(), before);

    // Where it would not run, or nobody pushes to.
    place.git(&remote, &["config", "core.hooksPath", "/etc/hooks"]);
    say(&["install"]).refused(1).mentions(&["core.hooksPath"]);
    hook(&place, &alice.ledger, &["install"]).refused(1).mentions(&["work tree"]);
    say(&["install", "--allow", "refs/heads/main"]).exits(2);
}

/// The arguments of the harness are the ones that a request leaves nothing out of: they are good.
#[test]
fn a_request_of_jit_is_taken() {
    if gone("a_request_of_jit_is_taken") {
        return;
    }
    let shared = Shared::new(&[]);
    let alice = shared.desk("alice");
    let said = alice.jit(&request("payments-db/read-only", "30m", "The queue is stuck.")).ok();
    assert!(!said.err.contains("refused"), "{}", said.told());
}
