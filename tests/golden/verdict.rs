//! Runs the real binary on a ledger and keeps what it said.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use jit::domain::time::Timestamp;
use serde_json::Value;

/// What `jit verify` said.
pub struct Verdict {
    pub exit: i32,
    pub json: Value,
    pub stderr: String,
}

impl Verdict {
    /// The codes of the findings, without F04: these ledgers hold no checkpoints.
    pub fn findings(&self) -> Vec<(String, Option<String>)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let findings = self.json["findings"].as_array().unwrap();
        findings
            .iter()
            .map(|finding| (text(&finding["code"]).unwrap(), text(&finding["case"])))
            .filter(|(code, _)| code != "F04")
            .collect()
    }
}

/// `jit verify --json` in an environment of its own.
pub fn verify(ledger: &Path, at: Timestamp, more: &[&str]) -> Verdict {
    let home = tempfile::tempdir().unwrap();
    let path: OsString = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, path)| path).unwrap_or_default();
    let output = Command::new(env!("CARGO_BIN_EXE_jit"))
        .args(["verify", "--json", "--ledger"])
        .arg(ledger)
        .args(["--at", &at.to_string()])
        .args(more)
        .env_clear()
        .envs([("PATH", path), ("HOME", home.path().into())])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Verdict { exit: output.status.code().unwrap_or(-1), json, stderr }
}
