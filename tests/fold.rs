//! The golden ledgers again, without Git and without the program: every one of `tests/golden` as it was once written down
//! (`tests/vectors/fold`), read from memory, verified and folded in this process. The verdict is that of the tables there.
//! Since the bytes are kept, this also holds that a ledger of yesterday gets the same verdict tomorrow. It takes seconds,
//! so mutation testing rests on it (tests/mutants.md).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeSet, HashMap};
use std::io::Read as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit::domain::finding::Code;
use jit::domain::id::ObjectId;
use jit::ledger::{Replay, ReplayError};
use jit::ports::{ObjectKind, Objects, StoreError};
use serde_json::Value;

/// Git objects of all the ledgers.
struct Memory(HashMap<ObjectId, (ObjectKind, Vec<u8>)>);

impl Objects for Memory {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        let (kind, bytes) = self.0.get(&id).ok_or(StoreError::Missing(id))?;
        Ok((*kind, u64::try_from(bytes.len()).unwrap()))
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        let (actual, size) = self.header(id)?;
        if actual != kind {
            return Err(StoreError::OtherKind(id, kind));
        }
        if size > limit {
            return Err(StoreError::TooLarge { id, size, limit });
        }
        Ok(self.0[&id].1.clone())
    }
}

/// The ledgers, and the objects that they are made of.
fn fixture() -> &'static (Vec<Value>, Memory) {
    static FIXTURE: OnceLock<(Vec<Value>, Memory)> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let packed = include_bytes!("vectors/fold/ledgers.json.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let objects = all["objects"].as_object().unwrap().iter().map(|(id, object)| {
            let kind = match object[0].as_str().unwrap() {
                "commit" => ObjectKind::Commit,
                "tree" => ObjectKind::Tree,
                _ => ObjectKind::Blob,
            };
            let data = object[2].as_str().unwrap();
            let bytes = match object[1].as_str().unwrap() {
                "text" => data.as_bytes().to_vec(),
                _ => STANDARD.decode(data).unwrap(),
            };
            (object_id(id), (kind, bytes))
        });
        let objects = Memory(objects.collect());
        (all["ledgers"].as_array().unwrap().clone(), objects)
    })
}

fn object_id(hex: &str) -> ObjectId {
    ObjectId::from_bytes(data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap())
}

/// What the tests of broken rules begin with, but for the module's name.
const RULES: [&str; 8] = ["c0", "e0", "k0", "l0", "a0", "a1", "f0", "control"];

/// Judges the ledgers whose tests begin so; of none of [`RULES`], those that begin otherwise. Gives how many there were.
fn judge(prefixes: &[&str]) -> usize {
    let (ledgers, objects) = fixture();
    let mine = |ledger: &&Value| {
        let name = ledger["name"].as_str().unwrap().rsplit("::").next().unwrap();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        if prefixes.is_empty() { !begins(&RULES) } else { begins(prefixes) }
    };
    ledgers.iter().filter(mine).inspect(|ledger| check(ledger, objects)).count()
}

/// Judges a ledger.
fn check(ledger: &Value, objects: &Memory) {
    let name = ledger["name"].as_str().unwrap();
    let expected = &ledger["expected"];
    let head = object_id(ledger["head"].as_str().unwrap());
    let replay = match (Replay::of(objects, head), expected["genesis"].as_str()) {
        (Ok(replay), None) => replay,
        (Err(ReplayError::Genesis { fault, .. }), Some(code)) => {
            assert_eq!(fault.code.as_str(), code, "{name}: the genesis: {fault}");
            return;
        }
        (replay, code) => panic!("{name}: {:?} instead of {code:?}", replay.map(|replay| replay.root())),
    };
    let state = replay.state();
    let voids: Vec<_> = state
        .voids()
        .iter()
        .map(|void| (void.commit.to_string(), void.position, void.fault.code.as_str().to_owned(), void.acknowledged))
        .collect();
    let demanded: Vec<(String, u64, String, bool)> = serde_json::from_value(expected["voids"].clone()).unwrap();
    assert_eq!(voids, demanded, "{name}: the void commits: {:?}", state.voids());
    if let Some(size) = expected["size"].as_u64() {
        assert_eq!((state.size(), replay.log().size()), (size, size), "{name}");
        assert_eq!(replay.root().to_string(), expected["root"], "{name}");
        assert_eq!(state.ledger().unwrap().to_string(), expected["ledger"], "{name}");
    }
    if let Some(finding) = expected["finding"].as_array() {
        let found = replay.findings(objects, ledger["at"].as_str().unwrap().parse().unwrap()).unwrap();
        let found: Vec<_> = found.iter().map(|it| (it.code.as_str(), it.case.map(|case| case.0.hex()))).collect();
        assert_eq!(found, [(finding[0].as_str().unwrap(), finding[1].as_str().map(str::to_owned))], "{name}");
    }
}

#[test]
fn commits_and_encoding() {
    assert!(judge(&RULES[..2]) > 50);
}

#[test]
fn keys_and_log() {
    assert!(judge(&RULES[2..4]) > 30);
}

#[test]
fn who_may_what() {
    assert!(judge(&RULES[4..6]) > 80);
}

#[test]
fn findings_and_ledgers_without_a_fault() {
    assert!(judge(&RULES[6..]) > 10);
    assert!(judge(&[]) > 5);
}

/// Every code is broken by a ledger of the fixture, but that of checkpoints, which lie beside a ledger.
#[test]
fn the_fixture_has_every_code() {
    let (ledgers, _) = fixture();
    let mut codes = BTreeSet::new();
    for expected in ledgers.iter().map(|ledger| &ledger["expected"]) {
        codes.extend(expected["genesis"].as_str());
        codes.extend(expected["finding"][0].as_str());
        codes.extend(expected["voids"].as_array().into_iter().flatten().filter_map(|void| void[2].as_str()));
    }
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| *code != "F04").collect();
    assert_eq!(codes, all);
}
