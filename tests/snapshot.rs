//! The snapshot: what a command finds with it is what a replay from the first commit finds, over ledgers made at random, cut
//! anywhere; and one that is cut, stale, changed or another user's is as good as none.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use jit::domain::event::{Body, LockScope, ProbeResult, Subject};
use jit::domain::id::{CommitId, Digest, Nonce};
use jit::git::GitStore;
use jit::ledger::{Replay, snapshot};
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

/// Everything that a replay says, as bytes.
fn told(random: &Random, replay: &Replay) -> (Vec<u8>, String) {
    let findings = replay.findings(&random.store(), random.ledger.now.plus(ttl("48h"))).unwrap();
    (snapshot::write(replay).unwrap(), format!("{findings:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// "Incremental = from scratch."
    #[test]
    fn from_a_snapshot_on_is_from_the_first_commit_on(steps in steps(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
        let random = Random::of(&steps);
        let (store, commits) = (random.store(), random.commits());
        let head = *commits.last().unwrap();
        let whole = Replay::of(&store, head).unwrap();
        prop_assert_eq!(told(&random, &whole), told(&random, &random.replay), "commit by commit");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(commits.len())).collect();
        cuts.sort_unstable();
        // From one snapshot to the next, as one command after another leaves them.
        let mut replay = Replay::of(&store, commits[cuts[0]]).unwrap();
        for cut in cuts {
            replay = replay.onwards(&store, commits[cut], &mut |_, _| {}).unwrap();
            let bytes = snapshot::write(&replay).unwrap();
            replay = snapshot::read(bytes.clone()).unwrap();
            prop_assert_eq!(snapshot::write(&replay).unwrap(), bytes, "what is read is written again");
        }
        let onwards = replay.onwards(&store, head, &mut |_, _| {}).unwrap();
        prop_assert_eq!(told(&random, &onwards), told(&random, &whole));
        for (one, other) in onwards.state().cases().zip(whole.state().cases()) {
            prop_assert_eq!(format!("{one:?}"), format!("{other:?}"));
        }
    }

    #[test]
    fn whatever_is_wrong_with_a_snapshot_it_is_none(at in any::<prop::sample::Index>(), flip in 1..=255_u8, cut in any::<prop::sample::Index>()) {
        let bytes = snapshot::write(&Random::new().replay).unwrap();
        let mut changed = bytes.clone();
        let at = at.index(bytes.len());
        changed[at] ^= flip;
        prop_assert!(snapshot::read(changed).is_err(), "byte {}", at);
        prop_assert!(snapshot::read(bytes[..cut.index(bytes.len())].to_vec()).is_err());
        prop_assert!(snapshot::read([&*bytes, b"x"].concat()).is_err());
    }
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
    let steps = [0, 4, 5, 14, 16, 17, 10, 11, 3, 6, 18, 19, 21, 13, 9, 20];
    let index = any::<prop::sample::Index>();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let index = index.new_tree(&mut runner).unwrap().current();
    let steps: Vec<Step> = steps.map(|what| Step { what, who: index, which: index, wait: 0 }).to_vec();
    let random = Random::of(&steps);
    let state = Digest::of(&random.replay.state().to_bytes()).to_string();
    assert_eq!(
        (snapshot::LAYOUT, &*state),
        (1, "sha256:92b0ec45e1912f70f17d461ad7f95c80f38fa4dc681595eb263c2673674698b6")
    );
}
