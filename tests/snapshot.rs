//! The snapshot: what a command finds with it is what a replay from the first commit finds, over ledgers made at random, cut
//! anywhere; and one that is cut, stale, changed or another user's is as good as none.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jit::domain::event::{Body, LockScope, ProbeResult, Subject};
use jit::domain::finding::Finding;
use jit::domain::id::{CaseId, CommitId, Digest, Nonce};
use jit::domain::state::State;
use jit::domain::time::Timestamp;
use jit::git::GitStore;
use jit::ledger::{Replay, snapshot};
use jit::ports::{ReadAt, Shelf};
use ledger::{Case, Ledger, ttl};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use verdict::Verdict;

#[path = "golden/bodies.rs"]
mod bodies;
#[path = "golden/commit.rs"]
mod commit;
#[path = "golden/governed.rs"]
mod governed;
#[path = "golden/keys.rs"]
mod keys;
#[path = "golden/ledger.rs"]
mod ledger;
#[path = "golden/minting.rs"]
mod minting;
#[path = "golden/verdict.rs"]
mod verdict;

const PEOPLE: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "rita", "raj"];

/// One thing that somebody does, whether or not they may.
#[derive(Debug, Clone)]
struct Step {
    what: u8,
    who: prop::sample::Index,
    which: prop::sample::Index,
    wait: u8,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..22_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8)
        .prop_map(|(what, who, which, wait)| Step { what, who, which, wait });
    prop::collection::vec(step, 1..40)
}

/// A ledger in which these things happen; what breaks a rule is void.
struct Random {
    ledger: Ledger,
    replay: Replay,
    cases: Vec<Case>,
    sessions: Vec<(Case, Nonce)>,
}

impl Random {
    fn new() -> Self {
        let mut random =
            Self { ledger: Ledger::new(), replay: Replay::default(), cases: Vec::new(), sessions: Vec::new() };
        random.follow();
        random
    }

    fn of(steps: &[Step]) -> Self {
        let mut random = Self::new();
        for step in steps {
            random.takes(step);
            random.follow();
        }
        random
    }

    fn store(&self) -> GitStore {
        GitStore::open(&self.ledger.path()).unwrap()
    }

    fn commits(&self) -> Vec<CommitId> {
        self.ledger.commits.iter().map(|id| id.to_string().parse().unwrap()).collect()
    }

    /// Takes the verdict on the newest commits: the next author has seen it.
    fn follow(&mut self) {
        let head = *self.commits().last().unwrap();
        self.replay.extend(&self.store(), head).unwrap();
        self.ledger.log = self.replay.log().clone();
        self.ledger.serial = self.replay.state().next_serial(&keys::Key::of("the CA of prod").public) - 1;
    }

    fn takes(&mut self, step: &Step) {
        let who = PEOPLE[step.who.index(PEOPLE.len())];
        for _ in 0..step.wait {
            self.ledger.wait("11m");
        }
        let ledger = &mut self.ledger;
        let at = (!self.cases.is_empty()).then(|| step.which.index(self.cases.len()));
        let case = at.map(|at| self.cases[at].clone());
        let mut says = |who: &str, body: Body| {
            let Some(case) = &case else { return };
            let event = ledger.event(who, Some(case.id), body);
            ledger.say(event);
        };
        match step.what {
            0 | 1 => self.cases.push(ledger.request("alice", |_| ())),
            2 => self.cases.push(ledger.request(who, |_| ())),
            3 => self.cases.push(ledger.request(who, |request| {
                request.emergency = true;
                request.incident = Some("INC-4711".into());
                request.duration = ttl("10m");
            })),
            4 => says("bob", bodies::approval()),
            5 => says("dave", bodies::approval()),
            6 => says(who, bodies::approval()),
            7 => says(who, bodies::denial()),
            8 => says(who, bodies::withdrawal()),
            9 => says(who, bodies::revocation()),
            10 => says("alice", bodies::closure()),
            11 | 12 => says("erin", bodies::review()),
            13 => says("db1", bodies::residue(if step.wait == 0 { ProbeResult::Found } else { ProbeResult::Clear })),
            14 | 15 => {
                let Some(at) = at else { return };
                let mut case = self.cases[at].clone();
                case.issued = self.replay.state().case(&case.id).and_then(|case| case.access()?.starts());
                // A certificate that ends before it begins cannot be made.
                if case.issued.is_some_and(|time| time.plus(case.request.duration) <= ledger.now.plus(ttl("1m"))) {
                    return;
                }
                ledger.mint(&mut case);
                self.cases[at] = case;
            }
            16 => {
                let Some(case) = case else { return };
                let session = ledger.nonce();
                let body = Body::SessionStart(bodies::session_start(&session, case.serial));
                ledger.told("db1", case.id, body);
                self.sessions.push((case, session));
            }
            17 => {
                let Some((case, session)) = self.sessions.pop() else { return };
                ledger.told("db1", case.id, Body::SessionEnd(bodies::session_end(&session)));
            }
            18 => {
                let event = ledger.event("dave", None, bodies::lock(LockScope::Member(who.parse().unwrap())));
                ledger.say(event);
            }
            19 => {
                let Some(lock) = self.replay.state().locks().map(|(case, _)| case.id()).next() else { return };
                self.settles(Subject::Unlock { lock });
            }
            20 => {
                let commits: Vec<_> = self.replay.state().voids().iter().map(|void| void.commit).take(1).collect();
                if !commits.is_empty() {
                    self.settles(Subject::Acknowledge { commits });
                }
            }
            _ => {
                let change = ledger
                    .propose_policy("rita", |text| text.replace("decide_within = \"8h\"", "decide_within = \"7h\""));
                ledger.approve(change.id, "raj");
                ledger.enact("minter", &change);
            }
        }
    }

    /// The root members agree to something that is no change of policy.
    fn settles(&mut self, subject: Subject) {
        let case = self.ledger.propose_other("rita", subject);
        self.ledger.approve(case, "raj");
        self.ledger.told("rita", case, Body::Enactment);
    }
}

/// Everything that a replay says: the state, the log at every size, the commits, and what is to be looked at early and late.
#[derive(Debug, PartialEq)]
struct Told {
    state: Digest,
    cases: Vec<String>,
    roots: Vec<Option<Digest>>,
    commits: Vec<Option<CommitId>>,
    found: Vec<String>,
}

fn told(random: &Random, replay: &Replay) -> Told {
    let (state, size) = (replay.state(), replay.state().size());
    for position in 0..size {
        let commit = replay.commit_at(position).unwrap();
        assert_eq!(replay.position_of(commit), Some(position));
        let digits = &commit.to_string()[..7];
        assert_eq!(replay.positions_among(CommitId::begin(digits).unwrap()), [position]);
    }
    let cases: Vec<CaseId> = state.cases().map(|case| case.id()).collect();
    for id in cases {
        let beginnings = [CaseId::begin_short(&id.short()[..6]).unwrap(), CaseId::begin_hex(&id.0.hex()[..8]).unwrap()];
        for ids in beginnings {
            let found: Vec<CaseId> = state.cases_among(ids).iter().map(|case| case.id()).collect();
            assert_eq!(found, [id]);
        }
    }
    let mut found = Vec::new();
    for wait in ["1m", "30m", "6h", "48h"] {
        for now in [random.ledger.now.minus(ttl(wait)), random.ledger.now.plus(ttl(wait))] {
            let findings = state.findings(now);
            let (counts, all) = looked_at(state, now);
            assert_eq!(state.count_by_state(now), counts, "{now}");
            assert_eq!(format!("{findings:?}"), format!("{all:?}"), "{now}");
            found.push(format!("{findings:?} {:?}", replay.findings(&random.store(), now).unwrap()));
        }
    }
    Told {
        state: Digest::of(&state.to_bytes()),
        cases: state.cases().map(|case| format!("{case:?}")).collect(),
        roots: (0..=size).map(|size| replay.log().root_at(size)).collect(),
        commits: (0..size).map(|position| replay.commit_at(position)).collect(),
        found,
    }
}

/// The cases counted by state, and the findings, by looking at every case there is.
fn looked_at(state: &State, now: Timestamp) -> (BTreeMap<jit::domain::state::case::CaseState, u64>, Vec<Finding>) {
    let (mut counts, mut findings) = (BTreeMap::new(), Vec::new());
    for case in state.cases() {
        if case.position() > 0 {
            *counts.entry(state.case_state(case, now)).or_default() += 1;
        }
        findings.extend(state.findings_of(case, now));
    }
    (counts, findings)
}

/// A shelf in a directory of its own, and whether what is on it was ever found damaged.
struct Shelved {
    place: tempfile::TempDir,
    shelf: jit::git::State,
    was_damaged: Arc<AtomicBool>,
}

impl Shelved {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let shelf = jit::git::State::beside(place.path()).with_durability(false);
        Self { place, shelf, was_damaged: Arc::default() }
    }

    fn read(&self, random: &Random) -> Result<Option<Replay>, snapshot::SnapshotError> {
        let (path, was_damaged) = (random.ledger.path(), Arc::clone(&self.was_damaged));
        let anew = move |head: CommitId| {
            was_damaged.store(true, Ordering::Relaxed);
            Replay::of(&GitStore::open(&path).unwrap(), head).map_err(|error| error.to_string())
        };
        snapshot::read(&self.shelf, Box::new(anew))
    }

    /// Keeps it, and gives what the next command finds.
    fn keeps(&self, random: &Random, replay: &Replay) -> Replay {
        assert!(snapshot::write(replay, &self.shelf).unwrap());
        let read = self.read(random).unwrap().unwrap();
        assert_eq!(read.head(), replay.head());
        read
    }

    fn parts(&self) -> Vec<PathBuf> {
        parts(self.shelf.path())
    }
}

/// The files of the parts in a state directory, oldest first.
fn parts(state: &Path) -> Vec<PathBuf> {
    let first = |path: &PathBuf| -> u64 {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        name.split('-').next().unwrap().parse().unwrap()
    };
    let mut parts: Vec<PathBuf> =
        fs::read_dir(state.join("pages")).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    parts.sort_by_key(first);
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// "Incremental = from scratch."
    #[test]
    fn from_a_snapshot_on_is_from_the_first_commit_on(steps in steps(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6)) {
        let random = Random::of(&steps);
        let (store, commits) = (random.store(), random.commits());
        let head = *commits.last().unwrap();
        let whole = Replay::of(&store, head).unwrap();
        prop_assert_eq!(told(&random, &whole), told(&random, &random.replay), "commit by commit");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(commits.len())).collect();
        cuts.sort_unstable();
        // From one snapshot to the next, as one command after another leaves them.
        let shelf = Shelved::new();
        let mut replay = Replay::of(&store, commits[cuts[0]]).unwrap();
        for cut in cuts {
            replay = replay.onwards(&store, commits[cut], &mut |_, _| {}).unwrap();
            let before = told(&random, &replay);
            if !shelf.parts().is_empty() && replay.state().size() == replay.state().since().size {
                continue;
            }
            replay = shelf.keeps(&random, &replay);
            prop_assert_eq!(told(&random, &replay), before, "what is read is what was written");
        }
        let onwards = replay.onwards(&store, head, &mut |_, _| {}).unwrap();
        prop_assert_eq!(told(&random, &onwards), told(&random, &whole));
        prop_assert!(!shelf.was_damaged.load(Ordering::Relaxed), "nothing was");
    }

    #[test]
    fn whatever_is_wrong_with_its_head_it_is_none(at in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<prop::sample::Index>()) {
        let (random, shelf) = (Random::new(), Shelved::new());
        shelf.keeps(&random, &random.replay);
        let file = shelf.shelf.path().join(snapshot::HEAD);
        let bytes = fs::read(&file).unwrap();
        let mut changed = bytes.clone();
        let at = at.index(bytes.len());
        changed[at] ^= flip;
        for wrong in [changed, bytes[..cut.index(bytes.len())].to_vec(), [&*bytes, b"x"].concat()] {
            fs::write(&file, wrong).unwrap();
            prop_assert!(shelf.read(&random).is_err(), "byte {}", at);
        }
        prop_assert!(!shelf.was_damaged.load(Ordering::Relaxed));
    }

    /// Whatever is wrong with a part, what is said is right: only slowly.
    #[test]
    fn whatever_is_wrong_with_its_parts_nothing_wrong_is_said(
        steps in steps(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4), which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(), flip in 1..=255_u8, how in 0..5_u8,
    ) {
        let random = Random::of(&steps);
        let (store, commits) = (random.store(), random.commits());
        let whole = told(&random, &random.replay);
        let shelf = Shelved::new();
        let mut replay = Replay::default();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(commits.len())).collect();
        cuts.push(commits.len() - 1);
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts {
            replay = replay.onwards(&store, commits[cut], &mut |_, _| {}).unwrap();
            replay = shelf.keeps(&random, &replay);
        }
        let parts = shelf.parts();
        let part = &parts[which.index(parts.len())];
        let mut bytes = fs::read(part).unwrap();
        let place = at.index(bytes.len());
        match how {
            0 => bytes[place] ^= flip,
            1 => bytes.truncate(place),
            // A page in the place of another one.
            2 => {
                let pages = bytes.len() / 4096;
                let (one, other) = (place / 4096, usize::from(flip) % pages);
                let page = bytes[one * 4096..(one + 1) * 4096].to_vec();
                bytes[other * 4096..(other + 1) * 4096].copy_from_slice(&page);
            }
            // Another part of as many pages, or of any other number.
            3 => bytes = fs::read(&parts[at.index(parts.len())]).unwrap(),
            _ => bytes[place..].fill(0),
        }
        fs::write(part, bytes).unwrap();
        match shelf.read(&random) {
            Ok(found) => prop_assert_eq!(told(&random, &found.unwrap()), whole),
            Err(snapshot::SnapshotError::Lacks(_) | snapshot::SnapshotError::Unreadable(_)) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

/// A shelf on which somebody is killed: nothing happens any more after so many steps.
struct Killed<'a> {
    shelf: &'a jit::git::State,
    left: Cell<usize>,
}

impl Killed<'_> {
    fn step(&self) -> io::Result<()> {
        self.left.set(self.left.get().checked_sub(1).ok_or_else(|| io::Error::other("killed"))?);
        Ok(())
    }
}

impl Shelf for Killed<'_> {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Shelf::read(self.shelf, name)
    }
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn ReadAt>>> {
        Shelf::open(self.shelf, name)
    }
    fn write(&self, name: &str, fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        self.step()?;
        let mut bytes = Vec::new();
        fill(&mut bytes)?;
        if self.step().is_err() {
            // In the midst of writing: under the name of what is not finished.
            let file = self.shelf.path().join(format!("{name}.new"));
            fs::create_dir_all(file.parent().unwrap())?;
            fs::write(file, &bytes[..bytes.len() / 2])?;
        }
        self.step()?;
        Shelf::write(self.shelf, name, &mut |out| out.write_all(&bytes))?;
        self.step()
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.step()?;
        Shelf::remove(self.shelf, name)
    }
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        self.step()?;
        Shelf::list(self.shelf, directory)
    }
    fn exclusively(&self, act: &mut dyn FnMut() -> io::Result<()>) -> io::Result<bool> {
        self.shelf.exclusively(act)
    }
}

/// A ledger with something of everything in it.
fn varied() -> Random {
    let index = any::<prop::sample::Index>();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let index = index.new_tree(&mut runner).unwrap().current();
    let steps = [0, 4, 5, 14, 16, 17, 10, 11, 3, 6, 18, 19, 21, 13, 9, 20];
    Random::of(&steps.map(|what| Step { what, who: index, which: index, wait: 0 }))
}

#[test]
fn whoever_is_killed_while_writing_leaves_the_old_one_or_the_new_one() {
    let random = varied();
    let (store, commits) = (random.store(), random.commits());
    let cuts = [commits.len() / 3, commits.len() * 2 / 3, commits.len() - 1];
    for steps in 0.. {
        let shelf = Shelved::new();
        let first = Replay::of(&store, commits[cuts[0]]).unwrap();
        let old = shelf.keeps(&random, &first).onwards(&store, commits[cuts[1]], &mut |_, _| {}).unwrap();
        let killed = Killed { shelf: &shelf.shelf, left: Cell::new(steps) };
        let done = snapshot::write(&old, &killed);
        let found = shelf.read(&random).unwrap().unwrap();
        let size = found.state().size();
        assert!([first.state().size(), old.state().size()].contains(&size), "{size}");
        // The next command goes on, and tidies up.
        let next = found.onwards(&store, commits[cuts[2]], &mut |_, _| {}).unwrap();
        let next = shelf.keeps(&random, &next);
        assert_eq!(told(&random, &next), told(&random, &random.replay), "{steps} steps");
        assert!(!shelf.was_damaged.load(Ordering::Relaxed));
        let names: Vec<String> = Shelf::list(&shelf.shelf, "pages").unwrap();
        assert!(names.iter().all(|name| !name.ends_with(".new")), "{names:?}");
        assert!(names.len() <= 3, "{names:?}");
        if done.is_ok() {
            assert!(steps > 8, "it was killed {steps} times");
            return;
        }
    }
}

/// Two processes of a clone: one reads while the other writes, and both write.
#[test]
fn several_processes_of_a_clone_do_not_get_in_each_others_way() {
    let random = varied();
    let (store, commits) = (random.store(), random.commits());
    let shelf = Shelved::new();
    let third = commits.len() / 3;
    let first = shelf.keeps(&random, &Replay::of(&store, commits[third]).unwrap());
    let slow = shelf.read(&random).unwrap().unwrap();
    let quick = first.onwards(&store, commits[2 * third], &mut |_, _| {}).unwrap();
    shelf.keeps(&random, &quick);
    // Its parts were taken away, and are still open.
    let slow = slow.onwards(&store, *commits.last().unwrap(), &mut |_, _| {}).unwrap();
    assert_eq!(told(&random, &slow), told(&random, &random.replay));
    assert_eq!(told(&random, &shelf.keeps(&random, &slow)), told(&random, &random.replay));
    // One that has seen less takes nothing back.
    assert!(!snapshot::write(&quick, &shelf.shelf).unwrap());
    assert_eq!(shelf.read(&random).unwrap().unwrap().head(), random.replay.head());
    // While another one writes, nobody waits.
    let held = shelf.shelf.exclusively(&mut || {
        assert!(!snapshot::write(&slow, &shelf.shelf).unwrap());
        Ok(())
    });
    assert!(held.unwrap());
    assert!(!shelf.was_damaged.load(Ordering::Relaxed));
    drop(shelf.place);
}

/// A ledger for which a snapshot is worth its while.
fn long() -> Ledger {
    let mut ledger = Ledger::new();
    for _ in 0..80 {
        ledger.request("alice", |_| ());
    }
    ledger
}

fn file(ledger: &Ledger) -> PathBuf {
    ledger.path().join("jit/snapshot")
}

/// How many events `jit verify` checked, with all else as it should be.
#[track_caller]
fn checks(ledger: &Ledger, more: &[&str]) -> u64 {
    let Verdict { exit, json, stderr } = ledger.judged(more);
    assert_eq!((exit, &json["ok"]), (0, &true.into()), "{json:#}\n{stderr}");
    assert_eq!(json["head"], ledger.commits.last().unwrap().to_string());
    assert_eq!(
        (json["size"].as_u64(), &json["root"]),
        (Some(ledger.log.size()), &ledger.log.root().to_string().into())
    );
    json["checked"].as_u64().unwrap()
}

#[test]
fn a_command_checks_what_came_since_the_last() {
    let mut ledger = long();
    let size = ledger.log.size();
    assert_eq!(checks(&ledger, &[]), size, "there was none");
    assert_eq!(checks(&ledger, &[]), 0);
    assert_eq!(fs::metadata(file(&ledger)).unwrap().permissions().mode() & 0o777, 0o600);
    ledger.request("alice", |_| ());
    assert_eq!(checks(&ledger, &[]), 1);
    assert_eq!(checks(&ledger, &["--full"]), size + 1, "all of it");
    fs::remove_file(file(&ledger)).unwrap();
    assert_eq!(checks(&ledger, &[]), size + 1, "deleting it only costs time");
    assert_eq!(checks(&ledger, &[]), 0);
    fs::remove_file(ledger.path().join("jit/pin")).unwrap();
    assert_eq!(checks(&ledger, &[]), size + 1, "without a pin nothing was verified here");
}

/// What `hook pre-receive` says of a push to main, of the newest commits of a ledger.
fn pushed(ledger: &Ledger, commits: usize) -> serde_json::Value {
    let new = ledger.commits.len() - 1;
    let line = format!("{} {} refs/heads/main\n", ledger.commits[new - commits], ledger.commits[new]);
    // As git has it while the hook runs: main still stands where the push begins.
    let git = git2::Repository::open(ledger.path()).unwrap();
    git.reference("refs/heads/main", ledger.commits[new - commits], true, "before the push").unwrap();
    let mut hook = Command::new(env!("CARGO_BIN_EXE_jit"))
        .args(["hook", "pre-receive", "--json"])
        .current_dir(ledger.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    hook.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    let output = hook.wait_with_output().unwrap();
    git.reference("refs/heads/main", ledger.commits[new], true, "pushed").unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"))
}

#[test]
fn a_hook_checks_just_the_push() {
    let mut ledger = long();
    ledger.request("alice", |_| ());
    let good = serde_json::json!({ "ok": true });
    assert_eq!(pushed(&ledger, 1), good);
    assert_eq!(fs::metadata(file(&ledger)).unwrap().permissions().mode() & 0o777, 0o600, "left for the next one");
    // What is not looked at again need not be there: so it shows that it is not.
    let id = ledger.commits[1].to_string();
    let object = ledger.path().join("objects").join(&id[..2]).join(&id[2..]);
    let moved = ledger.path().join("moved");
    fs::rename(&object, &moved).unwrap();
    ledger.request("alice", |_| ());
    assert_eq!(pushed(&ledger, 2), good);
    // Neither does it hide what a push brings, nor where it would lead.
    ledger.refused_request("A01", "dave", |_| ());
    let said = pushed(&ledger, 1);
    assert_eq!((&said["ok"], &said["refused"]["rule"]), (&false.into(), &"A01".into()), "{said}");
    ledger.commits.pop();
    let length = ledger.commits.len();
    ledger.commits.swap(length - 1, length - 2);
    let said = pushed(&ledger, 1);
    assert_eq!(said["ok"], false, "main would go back: {said}");
    ledger.commits.swap(length - 1, length - 2);
    // Without a snapshot, or with another history's, everything is looked at.
    let kept = fs::read(file(&ledger)).unwrap();
    let mut other = long();
    other.request("carol", |_| ());
    checks(&other, &[]);
    for none in [kept[..kept.len() / 2].to_vec(), fs::read(file(&other)).unwrap()] {
        fs::write(file(&ledger), none).unwrap();
        let said = pushed(&ledger, 1);
        assert!(said["unchecked"].is_string(), "{said}");
    }
    fs::rename(&moved, &object).unwrap();
    assert_eq!(pushed(&ledger, 1), good);
}

#[test]
fn a_void_commit_is_found_behind_a_snapshot() {
    let mut ledger = long();
    checks(&ledger, &[]);
    ledger.refused_request("A01", "dave", |_| ());
    ledger.check();
}

#[test]
fn one_that_is_cut_changed_or_of_another_build_is_written_anew() {
    let ledger = long();
    let size = checks(&ledger, &[]);
    let good = fs::read(file(&ledger)).unwrap();
    let spoilt = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        edit(&mut bytes);
        fs::write(file(&ledger), bytes).unwrap();
        assert_eq!(checks(&ledger, &[]), size, "it is as good as none");
        assert_eq!(fs::read(file(&ledger)).unwrap(), good, "and the next command finds a good one");
        assert_eq!(checks(&ledger, &[]), 0);
    };
    spoilt(&|bytes| bytes.truncate(bytes.len() / 2));
    spoilt(&Vec::clear);
    spoilt(&|bytes| bytes[3000] ^= 1);
    spoilt(&|bytes| bytes.extend(b"more"));
    spoilt(&|bytes| bytes[13] = b'9');
}

/// What lies in the parts is believed page by page: a command that meets a damaged one replays, and the next finds a good one.
#[test]
fn parts_that_are_cut_changed_gone_or_of_another_ledger_cost_only_time() {
    let (ledger, other) = (long(), long());
    checks(&ledger, &[]);
    checks(&other, &[]);
    let (state, others) = (ledger.path().join("jit"), parts(&other.path().join("jit")));
    let spoilt = |spoil: &dyn Fn(&Path, Vec<u8>)| {
        let found = parts(&state);
        assert_eq!(found.len(), 1, "{found:?}");
        spoil(&found[0], fs::read(&found[0]).unwrap());
        // `checks` holds size, root and head against what they are.
        checks(&ledger, &[]);
        checks(&ledger, &[]);
        assert_eq!(checks(&ledger, &[]), 0, "there is a good one again");
        // As it was.
        fs::remove_file(file(&ledger)).unwrap();
        checks(&ledger, &[]);
        assert_eq!(fs::metadata(&parts(&state)[0]).unwrap().permissions().mode() & 0o777, 0o600);
    };
    spoilt(&|part, bytes| fs::write(part, &bytes[..bytes.len() / 8192 * 4096]).unwrap());
    spoilt(&|part, bytes| fs::write(part, flipped(&bytes)).unwrap());
    spoilt(&|part, _| fs::write(part, fs::read(&others[0]).unwrap()).unwrap());
    spoilt(&|part, _| fs::remove_file(part).unwrap());
    spoilt(&|part, _| fs::set_permissions(part, fs::Permissions::from_mode(0o620)).unwrap());
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 1).collect()
}

/// A disk that took both: nothing is made up, and the next command has no snapshot to begin with.
#[test]
fn where_the_ledger_is_gone_with_the_snapshot_there_is_no_verdict() {
    let ledger = long();
    checks(&ledger, &[]);
    let part = parts(&ledger.path().join("jit")).remove(0);
    fs::write(&part, flipped(&fs::read(&part).unwrap())).unwrap();
    let genesis = ledger.commits[0].to_string();
    fs::remove_file(ledger.path().join(format!("objects/{}/{}", &genesis[..2], &genesis[2..]))).unwrap();
    let show = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jit"));
        command.arg("--ledger").arg(ledger.path()).args(["show", &ledger.commits[40].to_string()]);
        command.env("HOME", ledger.path()).stdin(Stdio::null()).output().unwrap()
    };
    let told = String::from_utf8(show().stderr).unwrap();
    assert!(
        told.contains("Error: jit cannot go on: the snapshot is damaged, and the ledger cannot be replayed"),
        "{told}"
    );
    let again = show();
    assert_eq!(again.status.code(), Some(1), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn another_users_or_one_that_others_can_write_is_none() {
    let ledger = long();
    let size = checks(&ledger, &[]);
    fs::set_permissions(file(&ledger), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(checks(&ledger, &[]), size);
    assert_eq!(checks(&ledger, &[]), 0, "written anew");
    fs::set_permissions(ledger.path().join("jit"), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(checks(&ledger, &[]), size, "others can put one there");
    fs::set_permissions(ledger.path().join("jit"), fs::Permissions::from_mode(0o700)).unwrap();
    if chown(file(&ledger), Some(65_534), None).is_err() {
        println!("skipped: another user's snapshot: only root can give files away");
        return;
    }
    assert_eq!(checks(&ledger, &[]), size);
}

#[test]
fn a_snapshot_of_another_history_says_nothing_about_this_one() {
    let (mut ledger, other) = (long(), {
        let mut other = long();
        other.request("carol", |_| ());
        other
    });
    let size = checks(&ledger, &[]);
    checks(&other, &[]);
    fs::copy(file(&other), file(&ledger)).unwrap();
    assert_eq!(checks(&ledger, &[]), size, "another ledger's");
    // The branch is rewound behind the snapshot, and goes on otherwise: the pin says so, with it and without it.
    let head = ledger.commits.len();
    ledger.request("alice", |_| ());
    checks(&ledger, &[]);
    ledger.commits.truncate(head);
    let git = git2::Repository::open(ledger.path()).unwrap();
    git.reference("refs/heads/main", *ledger.commits.last().unwrap(), true, "rewound").unwrap();
    for _ in 0..2 {
        let said = ledger.judged(&[]);
        assert_eq!(said.exit, 5, "{}", said.stderr);
        let _ = fs::remove_file(file(&ledger));
    }
}

/// What was made by hand in a clone may be taken away again: the pin does not hold it, and so the snapshot beside it does not.
#[test]
fn a_snapshot_holds_no_more_than_the_remote_was_seen_to_have() {
    let mut ledger = long();
    let (size, there) = (ledger.log.size(), ledger.commits.last().unwrap().to_string());
    let home = tempfile::tempdir().unwrap();
    let (remote, clone) = (home.path().join("remote.git"), home.path().join("clone"));
    git2::build::RepoBuilder::new().bare(true).clone(ledger.path().to_str().unwrap(), &remote).unwrap();
    let repository = git2::Repository::clone(remote.to_str().unwrap(), &clone).unwrap();
    let judged = |ledger: &Ledger| verdict::verify(&clone, ledger.now.plus(ttl("30s")), &[]);
    let kept = || ["pin", "snapshot"].map(|name| fs::read(clone.join(".git/jit").join(name)).unwrap());
    let said = judged(&ledger);
    assert_eq!((said.exit, said.json["checked"].as_u64()), (0, Some(size)), "{}", said.stderr);
    let before = kept();
    // Enough for a new snapshot, if they were the remote's.
    for _ in 0..80 {
        ledger.request("alice", |_| ());
    }
    let mut from = repository.remote_anonymous(ledger.path().to_str().unwrap()).unwrap();
    from.fetch(&["refs/heads/main:refs/heads/mine"], None, None).unwrap();
    let here = *ledger.commits.last().unwrap();
    repository.reference("refs/heads/main", here, true, "by hand").unwrap();
    let said = judged(&ledger);
    assert_eq!(said.json["head"], here.to_string(), "{}", said.stderr);
    assert_eq!(said.json["checked"].as_u64(), Some(80), "{}", said.stderr);
    assert!(kept() == before, "what is remembered is what the remote has\n{}", said.stderr);
    // Taken away again, as the hint says.
    repository.reference("refs/heads/main", there.parse().unwrap(), true, "reset").unwrap();
    let said = judged(&ledger);
    assert_eq!((said.exit, &said.json["head"]), (0, &there.into()), "{}", said.stderr);
    assert_eq!(said.json["checked"].as_u64(), Some(0), "{}", said.stderr);
}

/// The bytes of a snapshot mean what they mean in one [`snapshot::LAYOUT`] alone. Where this fails and the golden policy did not
/// change, count it up, and write the new digest here in either case: an older build's snapshot must not be read as something else. The ledger is the same in each run.
#[test]
fn the_layout_is_counted_up_when_it_changes() {
    let random = varied();
    let state = Digest::of(&random.replay.state().to_bytes()).to_string();
    assert_eq!(
        (snapshot::LAYOUT, &*state),
        (2, "sha256:6883960062be4159cf2dbd220a41998003f84d864326c0c0186ebe0ac745a00c")
    );
}
