//! The sample ledger, made by another producer, replays to exactly the figures of its `expected.json`.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::Path;
use std::process::Command;

use jit::domain::time::Timestamp;
use jit::git::GitStore;
use jit::ledger::Replay;
use jit::ports::Store as _;

fn sample() -> (tempfile::TempDir, serde_json::Value) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample");
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new("git")
        .args(["clone", "-q", "--bare"])
        .arg(vectors.join("ledger.bundle"))
        .arg(dir.path().join("ledger"))
        .status()
        .expect("git is needed for this test");
    assert!(status.success());
    let expected = std::fs::read(vectors.join("expected.json")).unwrap();
    (dir, serde_json::from_slice(&expected).unwrap())
}

#[test]
fn every_figure_of_the_sample() {
    let (dir, expected) = sample();
    let store = GitStore::open(&dir.path().join("ledger")).unwrap();
    let head = store.head().unwrap().unwrap();
    let replay = Replay::of(&store, head).unwrap();
    let state = replay.state();
    let at: Timestamp = expected["at"].as_str().unwrap().parse().unwrap();

    assert_eq!(head.to_string(), expected["head"]);
    assert_eq!(state.ledger().unwrap().to_string(), expected["ledger"]);
    let voids: Vec<_> = state
        .voids()
        .iter()
        .map(|void| {
            serde_json::json!({
                "commit": void.commit.to_string(),
                "code": void.fault.code.as_str(),
                "acknowledged": void.acknowledged,
            })
        })
        .collect();
    assert_eq!(serde_json::Value::from(voids), expected["voids"], "{:?}", state.voids());
    assert_eq!(state.size(), expected["size"]);
    for (position, leaf) in (0_u64..).zip(expected["leaves"].as_array().unwrap()) {
        assert_eq!(replay.log().leaf(position).unwrap().hex(), *leaf, "leaf {position}");
    }
    assert_eq!(replay.root().to_string(), expected["root"]);
    let states = expected["states_at"].as_object().unwrap();
    for case in state.cases().filter(|case| case.position() > 0) {
        let id = case.id().to_string();
        assert_eq!(state.case_state(case, at).as_str(), states[&id], "{id}");
    }
    assert_eq!(state.cases().count(), states.len() + 1, "the genesis is a case of its own");
    let events: Vec<_> = {
        let mut events: Vec<_> = state.cases().flat_map(|case| case.events()).collect();
        events.sort_by_key(|event| event.position);
        events
            .iter()
            .map(|event| {
                serde_json::json!({
                    "digest": event.digest.to_string(),
                    "kind": event.kind.as_str(),
                    "actor": event.actor.as_str(),
                })
            })
            .collect()
    };
    assert_eq!(serde_json::Value::from(events), expected["events"]);
}
