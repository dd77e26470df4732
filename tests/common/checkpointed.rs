//! A ledger with a checkpoint that a witness cosigned, and an event after it.

use std::fs;
use std::path::PathBuf;

use super::{Place, request};

/// Its directory. The log's key is `log`, the witness's `witness`, named `witness.example/w1`.
pub fn ledger(place: &Place) -> PathBuf {
    place.make_key("witness");
    let old = format!("[log]\nkey = \"{}\"\n", place.public_key("log"));
    let new = format!(
        "{old}quorum = 0\n\n[[log.witness]]\nname = \"witness.example/w1\"\nkey = \"{}\"\n",
        place.public_key("witness")
    );
    let text = place.policy_text(1).replace(&old, &new);
    assert!(text.contains("log.witness"), "{text}");
    let policy = place.path("witnessed.toml");
    fs::write(&policy, text).unwrap();
    let ledger = place.path("checkpointed.git");
    let rita = place.desk("rita", &ledger);
    rita.jit_anywhere(&["init", ledger.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare"]).ok();
    let alice = place.desk("alice", &ledger);
    let case = alice.opens("30m");
    place.desk("dave", &ledger).jit(&["deny", &case, "--comment", "Not today.", "--yes"]).ok();
    rita.jit(&["checkpoint", "--log-key", place.key("log").to_str().unwrap()]).ok();
    rita.jit(&["witness", "--witness-key", place.key("witness").to_str().unwrap()]).ok();
    alice.jit(&request("payments-db/read-only", "20m", "Later than the checkpoint.")).ok();
    ledger
}
