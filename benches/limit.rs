//! The limit that cold verification is held against, on this machine, now: every object of a ledger read once, in the order
//! of the pack, and one strict verification for every signature, by the same code, with nothing else done.
//!
//! `cargo bench --bench limit -- LEDGER` prints one line: `objects N read MS signatures N verify US limit MS`, the
//! milliseconds being CPU time of all cores together (those of others stretch the clock more than this).

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use ed25519_dalek::{Signer as _, SigningKey};
use jit::domain::key::{PublicKey, RawSignature};
use jit::git::GitStore;
use jit::ports::{ObjectKind, Objects as _};
use jit::sshsig::UnpackedKey;

/// How many signatures are verified to see how long one takes, and by how many keys.
const SIGNATURES: usize = 20_000;
const KEYS: u8 = 9;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [ledger] = arguments.as_slice() else {
        println!("usage: cargo bench --bench limit -- LEDGER");
        return;
    };
    let objects = objects(ledger);
    let store = GitStore::open(Path::new(ledger)).unwrap();
    let began = Cpu::now();
    for (id, kind) in &objects {
        let id = id.parse().unwrap();
        std::hint::black_box(store.read(id, *kind, 8 << 20).unwrap());
    }
    let read = began.milliseconds();
    let signatures = signatures(ledger);
    let verify = verification();
    let limit = read + f64::from(signatures) * verify / 1000.0;
    let count = objects.len();
    println!("objects {count} read {read:.0} signatures {signatures} verify {verify:.2} limit {limit:.0}");
}

/// All commits, trees and blobs, in the order of the pack.
fn objects(ledger: &str) -> Vec<(String, ObjectKind)> {
    let format = "--batch-check=%(objecttype) %(objectname)";
    let list = git(ledger, &["cat-file", "--batch-all-objects", "--unordered", format]);
    let kind = |line: &str| match line.split_once(' ').unwrap() {
        ("commit", id) => (id.to_owned(), ObjectKind::Commit),
        ("tree", id) => (id.to_owned(), ObjectKind::Tree),
        ("blob", id) => (id.to_owned(), ObjectKind::Blob),
        other => panic!("{other:?} in a ledger"),
    };
    list.lines().map(kind).collect()
}

/// One for each event, and one more for each certificate.
fn signatures(ledger: &str) -> u32 {
    let subjects = git(ledger, &["log", "--format=%s", "main"]);
    let count = subjects.lines().count() + subjects.lines().filter(|line| line.starts_with("issuance ")).count();
    count.try_into().unwrap()
}

/// The microseconds of one strict verification, as `verify` does it: the keys are unpacked.
fn verification() -> f64 {
    let keys: Vec<(SigningKey, UnpackedKey)> = (1..=KEYS)
        .map(|byte| {
            let key = SigningKey::from_bytes(&[byte; 32]);
            let public = PublicKey::ed25519(key.verifying_key().to_bytes()).unwrap();
            (key, UnpackedKey::new(public))
        })
        .collect();
    let signed: Vec<_> = (0..SIGNATURES)
        .zip(keys.iter().cycle())
        .map(|(number, (key, unpacked))| {
            // As long as what an SSHSIG signs.
            let data = format!("{number:0128}").into_bytes();
            let signature = RawSignature { bytes: key.sign(&data).to_bytes(), hardware: None };
            (unpacked, data, signature)
        })
        .collect();
    let began = Cpu::now();
    for (key, data, signature) in &signed {
        key.verify(data, signature).unwrap();
    }
    began.milliseconds() * 1000.0 / f64::from(u32::try_from(SIGNATURES).unwrap())
}

fn git(ledger: &str, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("--git-dir").arg(ledger).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The processor time of this thread; where the system does not tell it, the clock.
struct Cpu(Option<u64>, Instant);

impl Cpu {
    fn now() -> Self {
        Self(nanoseconds(), Instant::now())
    }

    fn milliseconds(&self) -> f64 {
        let spent = self.0.and_then(|before| nanoseconds()?.checked_sub(before));
        spent.map_or(self.1.elapsed(), std::time::Duration::from_nanos).as_secs_f64() * 1000.0
    }
}

fn nanoseconds() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
