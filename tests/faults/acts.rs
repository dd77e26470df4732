//! The commands of the kill sweep: what each begins with, what is killed, what is typed next, and what must then be so.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::common::{Desk, Place, Said, files, request};

/// What can be wrong after a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The ledger, or a repository, is not whole.
    Corrupt,
    /// What was acknowledged is not there.
    Lost,
    /// Something is there twice.
    Doubled,
    /// The next command does not work.
    Stuck,
}

type Judged = Result<(), (Wrong, String)>;

/// One command.
pub struct Act {
    /// What it is called in the table.
    pub name: &'static str,
    /// Who runs it.
    pub who: &'static str,
    /// What it begins with; gives the case, or what else the command names as `{}`.
    pub before: fn(&Stage<'_>) -> String,
    /// What is killed. `{place}` is the test's directory, `{scene}` the part of it that is put back each time.
    pub killed: &'static [&'static str],
    /// What is typed next.
    pub next: &'static [&'static str],
    /// Codes of the next command that are as good as 0 where `after` finds everything.
    pub codes: &'static [i32],
    /// What must then be so.
    pub after: fn(&Stage<'_>, &After<'_>) -> Judged,
}

/// What came of a kill.
pub struct After<'s> {
    /// What the killed command said; the code is 0 where only a process that it had started was killed, and it went on.
    pub killed: &'s Said,
    /// What the next command said.
    pub next: &'s Said,
}

const REQUEST: &[&str] = &[
    "request",
    "payments-db/read-only",
    "--for",
    "10m",
    "--reason",
    "Payments are stuck.",
    "--ticket",
    "INC-4711",
    "--risk",
    "low",
    "--impact",
    "Reads customer rows.",
    "--rollback",
    "Nothing is changed.",
    "--data",
    "npi",
    "--yes",
    "--json",
];
const MINT: &[&str] = &["mint", "--ca", "prod={place}/keys/ca-prod", "--json"];
const CHECKPOINT: &[&str] = &["checkpoint", "--log-key", "{place}/keys/log", "--json"];
const WITNESS: &[&str] = &[
    "witness",
    "--witness-key",
    "{place}/keys/witness",
    "--state",
    "{scene}/witness",
    "--name",
    "witness.example/w1",
    "--json",
];
const EXPORT: &[&str] = &["export", "--to", "{scene}/events.jsonl", "--state", "{scene}/cursor.toml"];
const HOST: &[&str] = &["host", "--config", "{scene}/host.toml", "sync", "--once"];

/// All of them.
pub const ACTS: &[Act] = &[
    Act {
        name: "request, no remote",
        who: "alice",
        before: |stage| stage.uses(&stage.remote()),
        killed: REQUEST,
        next: REQUEST,
        codes: &[],
        after: |stage, after| stage.requests_are_there_once(after),
    },
    Act {
        name: "request, pushed",
        who: "alice",
        before: |stage| stage.clones(),
        killed: REQUEST,
        next: REQUEST,
        codes: &[],
        after: |stage, after| stage.requests_are_there_once(after),
    },
    Act {
        name: "approve, pushed",
        who: "bob",
        before: |stage| {
            let case = stage.at_remote("alice").opens("30m");
            stage.clones();
            case
        },
        killed: &["approve", "{}", "--yes", "--json"],
        next: &["approve", "{}", "--yes", "--json"],
        // 3: the first one landed, and nobody approves twice.
        codes: &[3],
        after: |stage, _| stage.is_there_once("approval"),
    },
    Act {
        name: "sync, three events",
        who: "bob",
        before: |stage| {
            stage.clones();
            (0..3).for_each(|_| drop(stage.at_remote("alice").opens("30m")));
            String::new()
        },
        killed: &["sync", "--json"],
        next: &["sync", "--json"],
        codes: &[],
        after: |_, _| Ok(()),
    },
    Act {
        name: "sync, the outbox",
        who: "alice",
        before: |stage| {
            stage.clones();
            let away = stage.scene().join("away.git");
            fs::rename(stage.remote(), &away).unwrap();
            stage.desk().jit(REQUEST).refused(1);
            fs::rename(&away, stage.remote()).unwrap();
            String::new()
        },
        killed: &["sync", "--json"],
        next: &["sync", "--json"],
        codes: &[],
        after: |stage, _| {
            let waiting = files(&stage.ledger().join(".git/jit/outbox")).len();
            demand(waiting == 0, Wrong::Stuck, || format!("{waiting} still wait"))?;
            stage.is_there_once("request")
        },
    },
    Act {
        name: "mint, one round",
        who: "minter",
        before: |stage| {
            let case = stage.at_remote("alice").opens("30m");
            stage.at_remote("bob").approves(&case).ok();
            stage.at_remote("dave").approves(&case).ok();
            stage.clones_bare()
        },
        killed: MINT,
        next: MINT,
        codes: &[],
        after: |stage, _| stage.is_there_once("issuance"),
    },
    Act {
        name: "checkpoint",
        who: "rita",
        before: |stage| {
            stage.clones();
            stage.desk().jit(&stage.filled(CHECKPOINT)).ok();
            stage.at_remote("alice").opens("30m");
            String::new()
        },
        killed: CHECKPOINT,
        next: CHECKPOINT,
        codes: &[],
        after: |stage, _| stage.checkpoints(2..=2, 1),
    },
    Act {
        name: "witness",
        who: "erin",
        before: |stage| {
            stage.clones();
            stage.at_remote("rita").jit(&stage.filled(CHECKPOINT)).ok();
            String::new()
        },
        killed: WITNESS,
        next: WITNESS,
        codes: &[],
        // A witness that was killed after its push says the same again, with a later time, in the place of the first.
        after: |stage, _| stage.checkpoints(2..=3, 2),
    },
    Act {
        name: "export, the cursor",
        who: "rita",
        before: |stage| {
            stage.uses(&stage.remote());
            stage.at_remote("alice").opens("30m");
            stage.desk().jit(&stage.filled(EXPORT)).ok();
            stage.at_remote("alice").opens("20m");
            stage.at_remote("alice").opens("10m");
            String::new()
        },
        killed: EXPORT,
        next: EXPORT,
        codes: &[],
        after: |stage, _| stage.exported(),
    },
    Act {
        name: "host sync",
        who: "db1",
        before: |stage| stage.becomes_a_host(),
        killed: HOST,
        next: HOST,
        codes: &[],
        after: |stage, _| stage.is_published(),
    },
    Act {
        name: "clone",
        who: "bob",
        before: |stage| {
            stage.at_remote("alice").opens("30m");
            stage.uses(&stage.scene().join("clone"))
        },
        killed: &["clone", "{scene}/remote.git", "{scene}/clone", "--json"],
        next: &["clone", "{scene}/remote.git", "{scene}/clone", "--json"],
        // 1: it was made already, and is good.
        codes: &[1],
        after: |stage, _| {
            let said = stage.desk().jit(&["verify", "--strict", "--json"]);
            demand(said.code == 0, Wrong::Corrupt, || said.told())
        },
    },
    Act {
        name: "init",
        who: "rita",
        before: |stage| stage.uses(&stage.scene().join("new")),
        killed: &["init", "{scene}/new", "--policy", "{place}/policy.toml", "--json"],
        next: &["init", "{scene}/new", "--policy", "{place}/policy.toml", "--json"],
        // 1: it is made already.
        codes: &[1],
        after: |stage, _| {
            let said = stage.desk().jit(&["verify", "--strict", "--json"]);
            demand(said.code == 0, Wrong::Corrupt, || said.told())
        },
    },
];

fn demand(holds: bool, wrong: Wrong, why: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err((wrong, why())) }
}

/// Where a command is killed again and again, from the same beginning.
pub struct Stage<'p> {
    /// The test's directory.
    pub place: &'p Place,
    who: &'static str,
    word: String,
    /// Which events were there before.
    before: Vec<String>,
}

impl<'p> Stage<'p> {
    /// Sets the scene and keeps a copy of it.
    pub fn new(place: &'p Place, act: &Act) -> Self {
        let mut stage = Self { place, who: act.who, word: String::new(), before: Vec::new() };
        fs::create_dir(stage.scene()).unwrap();
        place.make_key("witness");
        place.ledger("scene/remote.git", true);
        stage.word = (act.before)(&stage);
        stage.before = place.events(&stage.remote());
        stage.copy("scene", "saved");
        stage
    }

    /// Everything as it was before the command.
    pub fn restore(&self) {
        fs::remove_dir_all(self.scene()).unwrap();
        self.copy("saved", "scene");
    }

    fn copy(&self, from: &str, to: &str) {
        let mut command = Command::new("cp");
        command.arg("-a").arg(self.place.path(from)).arg(self.place.path(to));
        self.place.run(command).ok();
    }

    /// What is put back each time.
    pub fn scene(&self) -> PathBuf {
        self.place.path("scene")
    }

    /// The bare repository that everybody shares.
    pub fn remote(&self) -> PathBuf {
        self.scene().join("remote.git")
    }

    /// The ledger that the command works on.
    pub fn ledger(&self) -> PathBuf {
        let named = fs::read_to_string(self.place.path("ledger")).unwrap_or_default();
        PathBuf::from(named)
    }

    fn uses(&self, ledger: &Path) -> String {
        fs::write(self.place.path("ledger"), ledger.to_str().unwrap()).unwrap();
        String::new()
    }

    fn clones(&self) -> String {
        let clone = self.scene().join("clone");
        self.uses(&clone);
        let arguments =
            ["clone", self.remote().to_str().unwrap(), clone.to_str().unwrap(), "--json"].map(str::to_owned);
        self.desk().jit_anywhere(&arguments.each_ref().map(String::as_str)).ok();
        String::new()
    }

    fn clones_bare(&self) -> String {
        let clone = self.scene().join("clone.git");
        self.uses(&clone);
        let (from, to) = (self.remote().display().to_string(), clone.display().to_string());
        self.desk().jit_anywhere(&["clone", &from, &to, "--bare", "--json"]).ok();
        String::new()
    }

    /// Who runs the command.
    pub fn desk(&self) -> Desk<'p> {
        self.place.desk(self.who, &self.ledger())
    }

    /// Somebody who works on the shared repository itself.
    pub fn at_remote(&self, name: &str) -> Desk<'p> {
        self.place.desk(name, &self.remote())
    }

    /// Arguments with their blanks filled.
    fn filled(&self, arguments: &[&'static str]) -> Vec<&'static str> {
        let fill = |word: &str| {
            word.replace("{place}", self.place.path("").display().to_string().trim_end_matches('/'))
                .replace("{scene}", &self.scene().display().to_string())
                .replace("{}", &self.word)
        };
        arguments.iter().map(|word| &*Box::leak(fill(word).into_boxed_str())).collect()
    }

    /// The command line.
    pub fn command(&self, arguments: &[&'static str]) -> Command {
        let mut command = self.desk().command();
        if !matches!(arguments.first(), Some(&"init" | &"clone" | &"host")) {
            command.arg("--ledger").arg(self.ledger());
        }
        command.args(self.filled(arguments));
        command
    }

    /// Runs a command of the program.
    pub fn run(&self, arguments: &[&'static str]) -> Said {
        self.run_command(self.command(arguments))
    }

    /// Runs any command as whoever runs the act.
    pub fn run_command(&self, command: Command) -> Said {
        self.desk().run(command)
    }

    /// Types a line.
    pub fn shell(&self, line: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        self.run_command(command).ok();
    }

    /// Whether the next command may end like this.
    pub fn may_end_with(&self, act: &Act, said: &Said) -> bool {
        act.codes.contains(&said.code)
    }

    /// What is wrong now.
    pub fn judge(&self, act: &Act, killed: &Said, next: &Said) -> Judged {
        let gave_up = |said: &Said| said.err.contains("jit cannot go on");
        demand(!gave_up(killed) && !gave_up(next), Wrong::Stuck, || "a panic".into())?;
        let ended = next.code == 0 || self.may_end_with(act, next);
        demand(ended, Wrong::Stuck, || "the next command does not work".into())?;
        for repository in [self.remote(), self.ledger()] {
            self.is_whole(&repository)?;
        }
        let said = self.at_remote("rita").jit(&["verify", "--strict", "--json"]);
        demand(said.code == 0, Wrong::Corrupt, || said.told())?;
        let events = self.place.events(&self.remote());
        let commits = self.place.commits(&self.remote()).len();
        demand(events.len() == commits, Wrong::Doubled, || format!("{} events in {commits} commits", events.len()))?;
        let gone = self.before.iter().find(|event| !events.contains(event));
        demand(gone.is_none(), Wrong::Lost, || format!("{gone:?}"))?;
        let is_clone = self.ledger() != self.remote() && act.name != "init";
        if is_clone && self.ledger().join(".git").exists() {
            let (here, there) = (self.place.head(&self.ledger()), self.place.head(&self.remote()));
            demand(here == there, Wrong::Lost, || format!("{here} here, {there} there"))?;
            let status = self.place.git(&self.ledger(), &["status", "--porcelain"]);
            demand(status.is_empty(), Wrong::Corrupt, || format!("the work tree is not in step: {status}"))?;
        }
        (act.after)(self, &After { killed, next })
    }

    /// Whether a killed server left locks of its own.
    pub fn has_locked_server(&self) -> bool {
        let is_lock = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "lock");
        let is_ours = |file: &PathBuf| file.starts_with(self.remote().join("jit"));
        let left = files(&self.remote()).into_iter().any(|file| is_lock(&file) && !is_ours(&file));
        left && self.ledger() != self.remote()
    }

    /// Git finds nothing wrong, and no lock is left.
    fn is_whole(&self, repository: &Path) -> Judged {
        let said = self.place.git_says(repository, &["fsck", "--full", "--strict", "--no-dangling"]);
        let whole = said.code == 0 && !said.err.contains("error") && !said.err.contains("missing");
        demand(whole, Wrong::Corrupt, || said.told())?;
        let kernel = ["lock", "advance.lock", "sync.lock"];
        let locks: Vec<PathBuf> = files(repository)
            .into_iter()
            .filter(|file| file.extension().is_some_and(|ending| ending == "lock"))
            // Locks of the kernel's: that the file exists says nothing.
            .filter(|file| !kernel.iter().any(|name| file.ends_with(Path::new("jit").join(name))))
            // What a server left is for whoever runs it; who pushes is told which (tests/faults/network.rs).
            .filter(|_| repository != self.remote() || self.ledger() == self.remote())
            .collect();
        demand(locks.is_empty(), Wrong::Stuck, || format!("left behind: {locks:?}"))
    }

    /// How many events of a kind were not there before.
    fn new_ones(&self, kind: &str) -> usize {
        let name = format!("/{kind}-");
        let is_new = |path: &&String| path.contains(&name) && !self.before.contains(path);
        self.place.events(&self.remote()).iter().filter(is_new).count()
    }

    fn is_there_once(&self, kind: &str) -> Judged {
        let count = self.new_ones(kind);
        demand(count > 0, Wrong::Lost, || format!("no {kind}"))?;
        demand(count == 1, Wrong::Doubled, || format!("{count} of {kind}"))
    }

    /// Each request that was acknowledged is there once; one that was killed may be there, once.
    fn requests_are_there_once(&self, after: &After<'_>) -> Judged {
        let events = self.place.events(&self.remote());
        let mut acknowledged = 0;
        for said in [after.killed, after.next] {
            if said.code != 0 {
                continue;
            }
            acknowledged += 1;
            let json: Value = serde_json::from_str(&said.out).unwrap();
            // It had to be delivered by `jit sync`, which does not say which it was.
            let Some(id) = json["id"].as_str() else { continue };
            let count = events.iter().filter(|path| path.contains(&format!("/{id}/request-{id}"))).count();
            demand(count > 0, Wrong::Lost, || format!("{id} was acknowledged"))?;
            demand(count == 1, Wrong::Doubled, || format!("{count} of {id}"))?;
        }
        let count = self.new_ones("request");
        let most = acknowledged + usize::from(after.killed.code != 0);
        demand((acknowledged..=most).contains(&count), Wrong::Doubled, || format!("{count} requests of two commands"))
    }

    fn checkpoints(&self, commits: RangeInclusive<usize>, lines: usize) -> Judged {
        const BRANCH: &str = "refs/heads/checkpoints";
        let found = self.place.git(&self.remote(), &["rev-list", BRANCH]).lines().count();
        let wrong = if found < *commits.start() { Wrong::Lost } else { Wrong::Doubled };
        demand(commits.contains(&found), wrong, || format!("{found} commits of checkpoints"))?;
        let note = self.place.git(&self.remote(), &["cat-file", "blob", &format!("{BRANCH}:checkpoint")]);
        let signatures = note.lines().filter(|line| line.starts_with("— ")).count();
        demand(signatures == lines, Wrong::Doubled, || note)
    }

    /// Every line is whole; every event is there. Twice is allowed: at least once is what was promised.
    fn exported(&self) -> Judged {
        let text = fs::read_to_string(self.scene().join("events.jsonl")).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for line in text.lines() {
            let parsed: Result<Value, _> = serde_json::from_str(line);
            demand(parsed.is_ok(), Wrong::Corrupt, || format!("half a line: {line}"))?;
            ids.insert(parsed.unwrap()["id"].as_str().unwrap().to_owned());
        }
        let (count, commits) = (ids.len(), self.place.commits(&self.remote()).len());
        demand(count == commits, Wrong::Lost, || format!("{count} of {commits} events"))
    }

    /// A live case, a host that follows, and then a case that is revoked.
    fn becomes_a_host(&self) -> String {
        let id = self.at_remote("rita").jit(&["verify", "--json"]).ok().text("ledger");
        let cases: Vec<String> = (0..2).map(|_| self.at_remote("alice").opens("30m")).collect();
        for case in &cases {
            self.at_remote("bob").approves(case).ok();
            self.at_remote("dave").approves(case).ok();
        }
        self.at_remote("minter").mints().ok();
        self.place.host_at(&self.scene(), &id, &self.scene().join("remote.git"));
        self.uses(&self.scene().join("mirror"));
        self.run(HOST).ok();
        self.at_remote("bob").jit(&["revoke", &cases[0], "--reason", "It looks wrong.", "--yes"]).ok();
        String::new()
    }

    /// What root's parts and sshd read is whole, and as the ledger says.
    pub fn is_published(&self) -> Judged {
        let published = self.scene().join("published");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-Q", "-l", "-f"]).arg(published.join("krl"));
        let said = self.run_command(keygen);
        let revoked = said.out.contains("serial: 1") || said.out.contains("serial: 2");
        demand(said.code == 0 && revoked, Wrong::Corrupt, || said.told())?;
        let grants = fs::read_to_string(published.join("grants.json")).unwrap_or_default();
        let head = self.place.head(&self.remote());
        demand(grants.contains(&head), Wrong::Lost, || grants)
    }
}

/// The arguments of a request are those of the other tests.
#[test]
fn a_request_leaves_nothing_out() {
    let usual = request("payments-db/read-only", "10m", "Payments are stuck.");
    assert_eq!(REQUEST, usual);
}
