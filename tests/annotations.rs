//! `jit verify --github`, `--gitlab` and `--sarif`: what a runner, a merge request and a scanner get, of a ledger into which
//! somebody pushed commits whose texts would like to be commands.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Place, Said, absent};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// A path and a message that a hostile committer chose.
const EVIL_PATH: &str = "x\n::set-output name=a::b,line=7 ##[add-mask]c %0A::error::d";
const EVIL_MESSAGE: &str = "::add-mask::secret ##[error]x\n\n::warning::y | <img src=x> [a](http://evil.example)";

struct Hostile {
    place: Place,
    ledger: PathBuf,
    commit: String,
}

/// A ledger with an overdue nothing, one void commit, and nothing acknowledged.
fn hostile() -> Hostile {
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    place.desk("alice", &ledger).opens("30m");
    fs::create_dir_all(ledger.join(EVIL_PATH).parent().unwrap()).unwrap();
    fs::write(ledger.join(EVIL_PATH), "x").unwrap();
    place.git(&ledger, &["add", "-A"]);
    let identity = ["-c", "user.name=::error::raj", "-c", "user.email=raj@acme.example", "-c", "commit.gpgSign=false"];
    place.git(&ledger, &[&identity[..], &["commit", "-q", "-m", EVIL_MESSAGE]].concat());
    let commit = place.head(&ledger);
    Hostile { place, ledger, commit }
}

impl Hostile {
    fn verifies(&self, arguments: &[&str], variables: &[(&str, &OsStr)]) -> Said {
        let desk = self.place.desk("carol", &self.ledger);
        let mut command: Command = desk.command();
        command.arg("--ledger").arg(&self.ledger).arg("verify").args(arguments);
        self.place.run_with(command, &desk.home, variables, b"")
    }
}

/// The commands that a runner would take out of this output (actions/runner, ActionCommand: a line that begins with `::`
/// behind blanks, or `##[` anywhere; none between `stop-commands` and its token).
fn commands(text: &str) -> Vec<String> {
    let (mut found, mut token): (Vec<String>, Option<String>) = (Vec::new(), None);
    for line in text.lines() {
        match &token {
            Some(waited) => {
                if line.trim() == format!("::{waited}::") {
                    token = None;
                }
            }
            None => {
                if let Some(told) = line.trim_start().strip_prefix("::stop-commands::") {
                    token = Some(told.to_owned());
                } else if line.trim_start().starts_with("::") || line.contains("##[") {
                    found.push(line.to_owned());
                }
            }
        }
    }
    assert_eq!(token, None, "commands stay stopped\n{text}");
    found
}

#[test]
fn a_runner_takes_our_commands_and_nobody_elses() {
    if absent("a_runner_takes_our_commands_and_nobody_elses", &["git", "ssh-keygen"]) {
        return;
    }
    let hostile = hostile();
    let summary = hostile.place.path("summary.md");
    fs::write(&summary, "# Before\n").unwrap();
    let said = hostile.verifies(&["--github"], &[("GITHUB_STEP_SUMMARY", summary.as_os_str())]).exits(4);
    let found = commands(&said.out);
    let errors: Vec<&String> = found.iter().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(errors.len(), 1, "{}", said.told());
    assert!(found.iter().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")), "{found:?}");
    let error = errors[0];
    assert!(error.starts_with("::error file=x%0A%3A%3Aset-output name=a%3A%3Ab%2Cline=7 "), "{error}");
    assert!(error.contains(",line=1,title=C05 it touches a governed file"), "{error}");
    assert!(error.contains(&format!("::commit {}: ", hostile.commit)), "{error}");
    // Two tokens are never the same: nobody can write the next one.
    let token = |text: &str| text.lines().next().unwrap().to_owned();
    let again = hostile.verifies(&["--github"], &[]).exits(4);
    assert_ne!(token(&said.out), token(&again.out));
    // What stands on stderr is read by the runner as well.
    assert_eq!(commands(&said.err), Vec::<String>::new(), "{}", said.told());

    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("# Before\n### jit: acme/production **not ok**\n"), "{text}");
    let row = text.lines().find(|line| line.starts_with("| C05")).unwrap();
    assert_eq!(row.matches('|').count(), 3, "{row}");
    assert!(!text.contains("<img") && !text.contains("::"), "{text}");
    assert!(text.contains(&hostile.place.head(&hostile.ledger)), "{text}");
    hostile.verifies(&["--github", "--sarif"], &[]).exits(2);
}

#[test]
fn gitlab_gets_its_report_and_nothing_else_on_stdout() {
    if absent("gitlab_gets_its_report_and_nothing_else_on_stdout", &["git", "ssh-keygen"]) {
        return;
    }
    let hostile = hostile();
    let said = hostile.verifies(&["--gitlab"], &[]).exits(4);
    assert!(said.err.contains("NOT OK"), "{}", said.told());
    let report = said.json();
    let issues = report.as_array().unwrap();
    // "Code quality report format": these five are required.
    for issue in issues {
        for field in ["description", "check_name", "fingerprint", "severity"] {
            assert!(issue[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {issue}");
        }
        let severity = issue["severity"].as_str().unwrap();
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&severity), "{issue}");
        assert_eq!(issue["location"]["lines"]["begin"], 1);
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with("./") && !path.starts_with('/'), "{issue}");
    }
    let void = issues.iter().find(|issue| issue["severity"] == "blocker").unwrap();
    assert_eq!(void["location"]["path"], EVIL_PATH);
    assert_eq!(void["check_name"], "C05");
    // The same objection is the same the next time, and each has its own.
    assert_eq!(hostile.verifies(&["--gitlab"], &[]).json(), report);
    let mut prints: Vec<&Value> = issues.iter().map(|issue| &issue["fingerprint"]).collect();
    prints.sort_by_key(|print| print.to_string());
    prints.dedup();
    assert_eq!(prints.len(), issues.len());
}

/// The published schema (sarif-schema-2.1.0.json, OASIS) demands these properties of what the document uses.
#[test]
fn sarif_has_what_its_schema_demands() {
    if absent("sarif_has_what_its_schema_demands", &["git", "ssh-keygen"]) {
        return;
    }
    let hostile = hostile();
    let said = hostile.verifies(&["--sarif"], &[]).exits(4);
    if let Some(keep) = std::env::var_os("JIT_SARIF_OUT") {
        fs::write(keep, &said.out).unwrap();
    }
    let log = said.json();
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let driver = &runs[0]["tool"]["driver"];
    assert_eq!(driver["name"], "jit");
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 43);
    let levels = ["none", "note", "warning", "error"];
    for rule in rules {
        assert_eq!(rule["id"].as_str().map(str::len), Some(3));
        assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| text.len() > 10), "{rule}");
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    let results = runs[0]["results"].as_array().unwrap();
    let mut errors = 0;
    for result in results {
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[at]["id"], result["ruleId"]);
        errors += usize::from(result["level"] == "error");
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line >= 1));
        // uri-reference: nothing but what RFC 3986 has.
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte)), "{uri}");
        assert_eq!(result["partialFingerprints"]["jit/v1"].as_str().map(str::len), Some(64));
    }
    assert_eq!(errors, 1);
}
