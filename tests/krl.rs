//! Revocation lists as `ssh-keygen` reads them. It says `ok` or `REVOKED` of certificates that it made itself, lists what a
//! file of ours revokes, and writes lists of the same serials to hold ours against. The cases of a ledger that are revoked
//! are tested with the golden ledgers.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};

use jit::domain::key::PublicKey;
use jit::domain::time::Timestamp;
use jit::issue::krl::{KrlError, Revocations, check, write};
use proptest::prelude::*;
use tempfile::TempDir;

const MAX: u64 = u64::MAX;

/// Consecutive serials, first and last.
type Run = (u64, u64);

/// Whether `ssh-keygen` is missing; then says that the test is skipped. In CI that is a failure.
fn absent(test: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join("ssh-keygen").is_file());
    if !found {
        println!("skipped: {test}: ssh-keygen is not installed");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: ssh-keygen must be installed in CI");
    }
    !found
}

/// A folder with CAs and somebody's key, all by the real tool.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["ca", "other-ca", "alice"] {
            desk.keygen(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name]);
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let folder = self.folder.path();
        Command::new("ssh-keygen").args(arguments).current_dir(folder).env("TZ", "UTC").output().unwrap()
    }

    fn keygen(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn key(&self, name: &str) -> PublicKey {
        PublicKey::from_pub_line(&std::fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap()).unwrap()
    }

    /// A certificate with this serial; its file.
    fn certificate(&self, ca: &str, serial: u64) -> String {
        let name = format!("{ca}-{serial}");
        let file = format!("{name}-cert.pub");
        if !self.path(&file).exists() {
            std::fs::copy(self.path("alice.pub"), self.path(&format!("{name}.pub"))).unwrap();
            let (serial, public) = (serial.to_string(), format!("{name}.pub"));
            self.keygen(&["-q", "-s", ca, "-z", &serial, "-I", "jit:6dbulmjde6j277dv:alice", "-n", "p", &public]);
        }
        file
    }

    /// Which of these serials `ssh-keygen -Q` calls revoked.
    fn revoked(&self, list: &[u8], ca: &str, serials: &BTreeSet<u64>) -> BTreeSet<u64> {
        std::fs::write(self.path("krl"), list).unwrap();
        let files: Vec<String> = serials.iter().map(|serial| self.certificate(ca, *serial)).collect();
        let mut arguments = vec!["-Q", "-f", "krl"];
        arguments.extend(files.iter().map(String::as_str));
        let output = self.run(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut revoked = BTreeSet::new();
        let mut told = 0;
        for (serial, file) in serials.iter().zip(&files) {
            let line = text.lines().find(|line| line.starts_with(&format!("{file} ")));
            let line = line.unwrap_or_else(|| panic!("nothing about {file}: {text}"));
            match line.rsplit(' ').next() {
                Some("REVOKED") => drop(revoked.insert(*serial)),
                Some("ok") => {}
                _ => panic!("{line}"),
            }
            told += 1;
        }
        assert_eq!(told, text.lines().count(), "{text}");
        assert_eq!(output.status.code(), Some(i32::from(!revoked.is_empty())), "{text}");
        revoked
    }

    /// What `ssh-keygen -Q -l` prints: the version, and the runs by the fingerprint of their CA. Each CA's are sorted.
    fn listed(&self, list: &[u8]) -> (u64, BTreeMap<String, Vec<Run>>, Vec<String>) {
        std::fs::write(self.path("krl"), list).unwrap();
        let text = self.keygen(&["-Q", "-l", "-f", "krl"]);
        let (mut version, mut runs, mut ids, mut ca) = (None, BTreeMap::new(), Vec::new(), String::new());
        for line in text.lines() {
            if let Some(number) = line.strip_prefix("# KRL version ") {
                version = Some(number.parse().unwrap());
            } else if let Some(key) = line.strip_prefix("# CA key ") {
                ca = key.split(' ').next_back().unwrap().to_owned();
            } else if line.starts_with("# Wildcard CA") {
                ca = "any".to_owned();
            } else if let Some(run) = line.strip_prefix("serial: ") {
                let (first, last) = run.split_once('-').unwrap_or((run, run));
                let run = (first.parse().unwrap(), last.parse().unwrap());
                runs.entry(ca.clone()).or_insert_with(Vec::new).push(run);
            } else if let Some(id) = line.strip_prefix("id: ") {
                ids.push(format!("{ca} {id}"));
            } else {
                assert!(line.is_empty() || line.starts_with('#'), "{line}");
            }
        }
        (version.unwrap(), runs, ids)
    }

    /// The list that `ssh-keygen -k` writes of these runs. It does not end a bitmap that becomes longer than it reads (9.2:
    /// "bignum is too large"); there is none then.
    fn theirs(&self, runs: &[Run]) -> Option<Vec<u8>> {
        let line = |(first, last): &Run| {
            if first == last { format!("serial: {first}\n") } else { format!("serial: {first}-{last}\n") }
        };
        let lines: Vec<String> = runs.iter().map(line).collect();
        std::fs::write(self.path("spec"), lines.concat()).unwrap();
        let _ = std::fs::remove_file(self.path("theirs"));
        self.keygen(&["-k", "-q", "-f", "theirs", "-s", "ca.pub", "-z", "7", "spec"]);
        let read = self.run(&["-Q", "-l", "-f", "theirs"]);
        if read.status.success() {
            return Some(std::fs::read(self.path("theirs")).unwrap());
        }
        let why = String::from_utf8_lossy(&read.stderr);
        assert!(why.contains("bignum is too large"), "{why}");
        None
    }
}

fn generated() -> Timestamp {
    "2026-11-23T14:05:09Z".parse().unwrap()
}

fn list(revoked: &Revocations) -> Vec<u8> {
    write(7, generated(), "acme/production", revoked).unwrap()
}

fn of(ca: &PublicKey, serials: impl IntoIterator<Item = u64>) -> Revocations {
    BTreeMap::from([(ca.clone(), serials.into_iter().collect())])
}

/// Consecutive serials as runs; written here a second time.
fn runs(serials: &BTreeSet<u64>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &serial in serials {
        match runs.last_mut() {
            Some(run) if run.1 + 1 == serial => run.1 = serial,
            _ => runs.push((serial, serial)),
        }
    }
    runs
}

/// The types of sections of serials in a list, in order: where each is used is part of what is tested.
fn shapes(bytes: &[u8]) -> Vec<u8> {
    let string = |at: usize| usize::try_from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
    let mut at = 40;
    at += 4 + string(at);
    let mut shapes = Vec::new();
    while at < bytes.len() {
        let end = at + 5 + string(at + 1);
        at += 5;
        at += 4 + string(at);
        at += 4 + string(at);
        while at < end {
            shapes.push(bytes[at]);
            at += 5 + string(at + 1);
        }
    }
    assert_eq!(shapes.pop(), Some(0x23), "the closing key id");
    shapes
}

/// Every serial at the edge of a section, and its neighbours on either side.
#[test]
fn ssh_keygen_says_revoked_around_every_edge() {
    if absent("ssh_keygen_says_revoked_around_every_edge") {
        return;
    }
    let desk = Desk::new();
    let ca = desk.key("ca");
    let rows: &[(&str, Vec<u64>, Vec<u8>)] = &[
        ("the first", vec![1], vec![0x20]),
        ("the last there is", vec![MAX], vec![0x20]),
        ("far apart", vec![1, 1 << 32, MAX - 1], vec![0x20]),
        ("a range from the first", (1..=1000).collect(), vec![0x21]),
        ("a range up to the last", (MAX - 500..=MAX).collect(), vec![0x21]),
        ("near each other", (100..180).step_by(2).collect(), vec![0x22]),
        ("two that are near", vec![5, 6], vec![0x22]),
        ("a bitmap up to the last", (0..40).map(|n| MAX - 3 * n).collect(), vec![0x22]),
        ("a bitmap whose highest bit fills its byte", (1..=8).chain([10, 12, 16]).collect(), vec![0x22]),
        // sshd reads no number of more than 16,384 bits.
        ("a bitmap as long as may be", (0..16_384).step_by(3).map(|n| n + 7).collect(), vec![0x22]),
        ("one bit more", (0..=16_385).step_by(3).chain([16_384]).map(|n| n + 7).collect(), vec![0x22, 0x22]),
        (
            "all three",
            (10..5000).chain((10_000..10_200).step_by(2)).chain([1 << 40, 1 << 41]).collect(),
            vec![0x21, 0x22, 0x20],
        ),
    ];
    for (name, serials, expected) in rows {
        let serials: BTreeSet<u64> = serials.iter().copied().collect();
        let bytes = list(&of(&ca, serials.iter().copied()));
        assert_eq!(shapes(&bytes), *expected, "{name}");
        let runs = runs_of_edges(&serials);
        let revoked = desk.revoked(&bytes, "ca", &runs);
        let meant: BTreeSet<u64> = runs.intersection(&serials).copied().collect();
        assert_eq!(revoked, meant, "{name}");
        // And the whole of it, not only around the edges.
        let (version, listed, _) = desk.listed(&bytes);
        assert_eq!((version, listed.values().next().unwrap()), (7, &self::runs(&serials)), "{name}");
    }
}

/// The first and last few runs' ends with a serial on either side; those of 16,384-bit bitmaps, too.
fn runs_of_edges(serials: &BTreeSet<u64>) -> BTreeSet<u64> {
    let runs = runs(serials);
    let some = runs.iter().take(4).chain(runs.iter().rev().take(4));
    let edges = some.flat_map(|(first, last)| [*first, *last]);
    let edges: BTreeSet<u64> = edges.flat_map(|at| [at.saturating_sub(1), at, at.saturating_add(1)]).collect();
    edges.into_iter().filter(|serial| *serial > 0).collect()
}

#[test]
fn each_cas_serials_are_its_own() {
    if absent("each_cas_serials_are_its_own") {
        return;
    }
    let desk = Desk::new();
    let revoked =
        BTreeMap::from([(desk.key("ca"), BTreeSet::from([1, 2, 3])), (desk.key("other-ca"), BTreeSet::from([3, 4]))]);
    let bytes = list(&revoked);
    let asked = (1..=5).collect();
    assert_eq!(desk.revoked(&bytes, "ca", &asked), BTreeSet::from([1, 2, 3]));
    assert_eq!(desk.revoked(&bytes, "other-ca", &asked), BTreeSet::from([3, 4]));
    let summary = check(&bytes, 7).unwrap();
    assert!(summary.revokes(&desk.key("ca"), 1) && !summary.revokes(&desk.key("other-ca"), 1));
    assert!(!summary.revokes(&desk.key("alice"), 3));
    assert_eq!(summary.count(), 5);
}

/// "A header-only or empty KRL admits everybody": the reason why ours has always an entry.
#[test]
fn a_list_that_revokes_nobody_is_more_than_its_header() {
    if absent("a_list_that_revokes_nobody_is_more_than_its_header") {
        return;
    }
    let desk = Desk::new();
    let none = list(&Revocations::new());
    assert_eq!(none, list(&of(&desk.key("ca"), [])));
    let (_, runs, ids) = desk.listed(&none);
    assert_eq!((runs.len(), ids), (0, vec!["any jit:none".to_owned()]));
    assert_eq!(desk.revoked(&none, "ca", &BTreeSet::from([1, 2, MAX])), BTreeSet::new());

    // What sshd makes of a cut list, and that the check lets none of it through.
    let some = list(&of(&desk.key("ca"), [1, 2]));
    let header = 44 + "acme/production".len();
    for (cut, why) in [(0, KrlError::Empty), (header, KrlError::Cut)] {
        std::fs::write(desk.path("krl"), &some[..cut]).unwrap();
        let file = desk.certificate("ca", 1);
        assert!(desk.run(&["-Q", "-f", "krl", &file]).status.success() || cut == 0, "sshd would admit it");
        assert_eq!(check(&some[..cut], 0), Err(why));
    }
    for length in 0..some.len() {
        assert!(check(&some[..length], 0).is_err(), "cut to {length} bytes");
    }
    assert_eq!(check(&some, 0).unwrap().count(), 2);
}

#[test]
fn what_is_wrong_is_named() {
    let ca = some_key(1);
    let bytes = list(&of(&ca, [1, 2, 500]));
    assert_eq!(check(&bytes, 7).unwrap().version, 7);
    assert_eq!(check(&bytes, 8), Err(KrlError::Older { found: 7, least: 8 }));
    let edited = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        check(&bytes, 0)
    };
    assert_eq!(edited(0, b's'), Err(KrlError::Magic));
    assert_eq!(edited(11, 2), Err(KrlError::Format(2)));
    assert_eq!(edited(35, 1), Err(KrlError::Field("flags")));
    assert_eq!(edited(44, b'\n'), Err(KrlError::Comment));
    let section = 44 + "acme/production".len();
    assert_eq!(edited(section, 2), Err(KrlError::Section(2)));
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(check(&longer, 0), Err(KrlError::Trailing));
    assert_eq!(write(1, generated(), "c", &of(&ca, [0, 1])), Err(KrlError::SerialZero));
    assert_eq!(write(1, generated(), "a\0b", &of(&ca, [1])), Err(KrlError::Comment));
}

/// Ours of 10,000 and 100,000 revoked serials beside `ssh-keygen`'s own, which must say the same.
#[test]
fn ours_are_no_larger_than_ssh_keygens() {
    if absent("ours_are_no_larger_than_ssh_keygens") {
        return;
    }
    let desk = Desk::new();
    let ca = desk.key("ca");
    // xorshift64*: the same numbers in each run.
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut compared = 0;
    for count in [10_000_u64, 100_000] {
        for (name, serials) in [
            ("all", (1..=count).collect::<BTreeSet<u64>>()),
            ("nine of ten", (1..=count * 10 / 9).filter(|_| random() % 10 > 0).collect()),
            ("one of two", (1..=count * 2).filter(|_| random() % 2 == 0).collect()),
            ("one of ten", (1..=count * 10).filter(|_| random() % 10 == 0).collect()),
            ("one of a hundred", (1..=count * 100).filter(|_| random() % 100 == 0).collect()),
        ] {
            let ours = list(&of(&ca, serials.iter().copied()));
            println!("{:>6} serials, {name} revoked: {} bytes", serials.len(), ours.len());
            let (_, listed, _) = desk.listed(&ours);
            assert_eq!(listed.into_values().next().unwrap(), runs(&serials), "{name}");
            let Some(theirs) = desk.theirs(&runs(&serials)) else {
                println!("{:>50}what ssh-keygen writes it cannot read", "");
                continue;
            };
            println!("{:>50}{} bytes by ssh-keygen", "", theirs.len());
            assert!(ours.len() <= theirs.len() + overhead(), "{name}: {} and {}", ours.len(), theirs.len());
            compared += 1;
        }
    }
    assert!(compared >= 4, "{compared}");
}

/// Comment and closing entry, which `ssh-keygen`'s lists do not have.
fn overhead() -> usize {
    list(&Revocations::new()).len() - 44
}

fn some_key(seed: u8) -> PublicKey {
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    PublicKey::ed25519(key.verifying_key().to_bytes()).unwrap()
}

/// Serials as they come: runs of some length with gaps of some length, from somewhere.
fn serial_sets() -> impl Strategy<Value = BTreeSet<u64>> {
    let start = prop_oneof![1..20_u64, any::<u64>().prop_map(|n| n.max(1)), Just(MAX - 3000)];
    let gap = prop_oneof![1..4_u64, 4..200_u64, 200..40_000_u64, any::<u64>()];
    let length = prop_oneof![Just(1_u64), 1..12_u64, 12..300_u64];
    (start, prop::collection::vec((gap, length), 1..60)).prop_map(|(start, parts)| {
        let mut serials = BTreeSet::new();
        let mut at = start;
        for (gap, length) in parts {
            for n in 0..length {
                serials.insert(at.saturating_add(n));
            }
            let Some(next) = at.checked_add(length).and_then(|at| at.checked_add(gap)) else { break };
            at = next;
        }
        serials
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_reader_reads_what_our_writer_wrote(
        serials in serial_sets(), other in serial_sets(), version: u64, asked in prop::collection::vec(any::<u64>(), 20),
    ) {
        let revoked = BTreeMap::from([(some_key(1), serials.clone()), (some_key(2), other.clone())]);
        let bytes = write(version, generated(), "", &revoked).unwrap();
        let summary = check(&bytes, version).unwrap();
        let total = u64::try_from(serials.len() + other.len()).unwrap();
        prop_assert_eq!((summary.version, summary.count()), (version, total));
        for (ca, serials) in &revoked {
            let near = serials.iter().flat_map(|at| [at.saturating_sub(1), *at, at.saturating_add(1)]);
            for serial in near.chain(asked.iter().copied()) {
                prop_assert_eq!(summary.revokes(ca, serial), serials.contains(&serial), "{}", serial);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        serials in serial_sets(), at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut list = list(&of(&some_key(1), serials));
        prop_assert!(check(&list[..cut.index(list.len())], 0).is_err());
        let at = at.index(list.len());
        list[at] = byte;
        let _ = check(&list, 0);
        let _ = check(&bytes, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ssh_keygen_reads_what_we_write(serials in serial_sets()) {
        if absent("ssh_keygen_reads_what_we_write") {
            return Ok(());
        }
        let desk = Desk::new();
        let ours = list(&of(&desk.key("ca"), serials.iter().copied()));
        let (_, listed, _) = desk.listed(&ours);
        prop_assert_eq!(listed.into_values().next().unwrap(), runs(&serials));
        let Some(theirs) = desk.theirs(&runs(&serials)) else { return Ok(()) };
        prop_assert!(ours.len() <= theirs.len() + overhead(), "{} and {}", ours.len(), theirs.len());
        // Both say the same of certificates.
        let asked: BTreeSet<u64> = runs_of_edges(&serials).into_iter().take(6).collect();
        prop_assert_eq!(desk.revoked(&ours, "ca", &asked), desk.revoked(&theirs, "ca", &asked));
    }
}
