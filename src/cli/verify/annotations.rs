//! What a verification found, as forges show it: workflow commands and a summary for GitHub Actions, a code quality report
//! for GitLab, SARIF 2.1.0 for whatever reads that. What others wrote cannot begin a command, break a table or leave its
//! JSON string. Imports domain. Sources: GitHub, "Workflow commands for GitHub Actions"; GitLab, "Code quality report format";
//! OASIS, SARIF 2.1.0. The rules' texts: docs/rules.md.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::session::Session;
use super::super::view::void::attempt;
use crate::domain::finding::{Finding, Void};
use crate::domain::id::Digest;
use crate::domain::state::case::Case;
use crate::domain::text::visible;

/// The page that has the rules' texts.
const RULES: &str = include_str!("../../../docs/rules.md");
/// Where a finding is shown that is about no file.
const ANYWHERE: &str = "policy.toml";

/// Something that a verification objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The rule.
    pub code: &'static str,
    /// Whether a commit broke it; else it is a finding about deadlines and files.
    pub is_fault: bool,
    /// A path of the ledger at which it can be shown.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What makes it the same objection the next time: SHA-256 of what it is about.
    pub fingerprint: Digest,
}

/// The void commits that nobody has acknowledged, and the findings.
///
/// # Errors
/// Where a commit cannot be read.
pub fn objections(session: &Session, voids: &[&Void], findings: &[Finding]) -> Result<Vec<Objection>, CliError> {
    let mut objections = Vec::new();
    for void in voids.iter().filter(|void| !void.acknowledged) {
        let parent = void.position.checked_sub(1).and_then(|position| session.replay().commit_at(position));
        let tried = attempt(session.store(), parent, void.commit)?;
        objections.push(Objection {
            code: void.fault.code.as_str(),
            is_fault: true,
            path: tried.paths.into_iter().next().unwrap_or_else(|| ANYWHERE.to_owned()),
            message: format!("commit {}: {}", void.commit, void.fault.message),
            fingerprint: Digest::of(format!("{}\n{}", void.fault.code, void.commit).as_bytes()),
        });
    }
    for finding in findings {
        let case = finding.case.and_then(|id| session.state().case(&id));
        let about = finding.case.map_or_else(|| finding.message.clone(), |id| id.0.hex());
        let case_id = finding.case.map_or_else(String::new, |id| format!("case {}: ", id.short()));
        objections.push(Objection {
            code: finding.code.as_str(),
            is_fault: false,
            path: case.and_then(opening).unwrap_or_else(|| ANYWHERE.to_owned()),
            message: format!("{case_id}{}", finding.message),
            fingerprint: Digest::of(format!("{}\n{about}\n{}", finding.code, finding.message).as_bytes()),
        });
    }
    Ok(objections)
}

/// The file of the event that opened a case.
fn opening(case: &Case) -> Option<String> {
    let event = case.events().first()?;
    Some(format!("{}/{}-{}.toml", case.folder(), event.kind, event.digest.short()))
}

/// A line that keeps the runner from taking commands out of what is printed, and the one that lets it again. `token`: what
/// nobody who wrote a commit can know.
pub fn fence(token: &str) -> (String, String) {
    (format!("::stop-commands::{token}\n"), format!("::{token}::\n"))
}

/// Workflow commands, one a line.
pub fn github(objections: &[Objection]) -> String {
    let value = |text: &str| visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| value(text).replace(':', "%3A").replace(',', "%2C");
    let mut text = String::new();
    for it in objections {
        let command = if it.is_fault { "error" } else { "warning" };
        let (file, title) = (property(&it.path), property(&format!("{} {}", it.code, short_rule(it.code))));
        text.push_str(&format!("::{command} file={file},line=1,title={title}::{}\n", value(&it.message)));
    }
    text
}

/// The summary of a job, in Markdown.
pub fn summary(name: &str, size: u64, head: &str, root: &str, ok: bool, objections: &[Objection]) -> String {
    let verdict = if ok { "verified" } else { "**not ok**" };
    let mut text = format!("### jit: {} {verdict}\n\n", escaped(name));
    text.push_str(&format!("{size} events; head `{head}`; root `{root}`\n"));
    if !objections.is_empty() {
        text.push_str("\n| rule | what |\n|---|---|\n");
    }
    for it in objections {
        text.push_str(&format!("| {} | {} |\n", it.code, escaped(&it.message)));
    }
    text.push('\n');
    text
}

/// Text in which no character means anything to Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '\n' => escaped.push(' '),
            // A forge calls whoever is named behind it; the comment keeps the two apart.
            '@' => escaped.push_str("&#64;<!-- -->"),
            ' ' | '.' | ',' | '/' | '(' | ')' | ';' | '-' => escaped.push(c),
            _ if c.is_ascii_alphanumeric() || !c.is_ascii() => escaped.push(c),
            _ => escaped.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    escaped
}

/// Appends the summary to the file that the runner named.
///
/// # Errors
/// Where it cannot be written.
pub fn append(path: &Path, text: &str) -> Result<(), CliError> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|cause| CliError::file("write", path, &cause))
}

/// GitLab's code quality report.
pub fn gitlab(objections: &[Objection]) -> Value {
    let issue = |it: &Objection| {
        json!({
            "description": format!("{}: {}", it.code, visible(&it.message)),
            "check_name": it.code,
            "fingerprint": it.fingerprint.hex(),
            "severity": if it.is_fault { "blocker" } else { "minor" },
            "location": { "path": it.path, "lines": { "begin": 1 } },
        })
    };
    objections.iter().map(issue).collect()
}

/// SARIF 2.1.0: one run, with every rule.
pub fn sarif(objections: &[Objection]) -> Value {
    let rules = rules();
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, (code, _))| (*code, at)).collect();
    let rule = |(code, text): &(&str, String)| {
        json!({
            "id": code,
            "shortDescription": { "text": text },
            "defaultConfiguration": { "level": if code.starts_with('F') { "warning" } else { "error" } },
        })
    };
    let result = |it: &Objection| {
        let mut object = json!({
            "ruleId": it.code,
            "level": if it.is_fault { "error" } else { "warning" },
            "message": { "text": visible(&it.message) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": uri(&it.path) }, "region": { "startLine": 1 } } }],
            "partialFingerprints": { "jit/v1": it.fingerprint.hex() },
        });
        if let (Some(at), Some(map)) = (index.get(it.code), object.as_object_mut()) {
            map.insert("ruleIndex".to_owned(), json!(at));
        }
        object
    };
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "jit", "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(rule).collect::<Vec<_>>() } },
            "results": objections.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

/// A path as a relative reference (RFC 3986): every byte that could mean something else is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// Each code with what it says, as docs/rules.md has them.
fn rules() -> Vec<(&'static str, String)> {
    let row = |line: &'static str| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.splitn(2, " | ");
        let (code, text) = (cells.next()?, cells.next()?);
        let is_code = code.len() == 3
            && code.starts_with(['C', 'E', 'K', 'L', 'A', 'F'])
            && code.bytes().skip(1).all(|byte| byte.is_ascii_digit());
        is_code.then(|| (code, text.replace('`', "")))
    };
    RULES.lines().filter_map(row).collect()
}

/// The beginning of a rule's text: a title.
fn short_rule(code: &str) -> String {
    let text = rules().into_iter().find(|(known, _)| *known == code).map(|(_, text)| text).unwrap_or_default();
    text.split([';', ',', '(', ':']).next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Code;

    fn objection(path: &str, message: &str) -> Objection {
        Objection {
            code: "C05",
            is_fault: true,
            path: path.to_owned(),
            message: message.to_owned(),
            fingerprint: Digest::of(b"x"),
        }
    }

    #[test]
    fn every_code_has_its_text() {
        let known = rules();
        for letter_and_count in [("C", 8), ("E", 4), ("K", 5), ("L", 6), ("A", 13), ("F", 7)] {
            let (letter, count) = letter_and_count;
            for number in 1..=count {
                let code = format!("{letter}{number:02}");
                let code: Code = code.parse().unwrap();
                let found = known.iter().filter(|(known, _)| *known == code.as_str()).count();
                assert_eq!(found, 1, "{code}");
                assert!(!short_rule(code.as_str()).is_empty(), "{code}");
            }
        }
        assert_eq!(known.len(), 43);
    }

    #[test]
    fn nobody_writes_a_command_of_their_own() {
        let evil = objection("a,line=9::b\n::error::x", "x\r\n::set-output name=a::b\n::add-mask::c %0A 100%");
        let text = github(&[evil]);
        assert_eq!(text.lines().count(), 1, "{text}");
        let (head, message) = text.strip_prefix("::error ").unwrap().split_once("::").unwrap();
        assert!(head.starts_with("file=a%2Cline=9%3A%3Ab%0A%3A%3Aerror%3A%3Ax,line=1,title=C05"), "{head}");
        assert!(!message.trim_end().contains(['\n', '\r']), "{message}");
        assert!(message.contains("%250A 100%25"), "{message}");
    }

    #[test]
    fn nobody_breaks_the_table() {
        let evil = "a | b\n| x | [y](http://evil) <img src=x> `z` @all ![](http://evil)";
        let text = summary("acme/production", 2, "ab", "sha256:cd", false, &[objection("p", evil)]);
        let row = text.lines().find(|line| line.starts_with("| C05")).unwrap();
        assert_eq!(row.matches('|').count(), 3, "{row}");
        // What stands behind an @ is no name to the forge: our comment, and nothing else, comes between.
        assert!(row.contains("&#64;<!-- -->all"), "{row}");
        let row = row.replace("<!-- -->", "");
        assert!(!row.contains(['<', '[', '`', '@', '!']), "{row}");
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("ledger/2026/a b#c?d:e%é"), "ledger/2026/a%20b%23c%3Fd%3Ae%25%C3%A9");
    }
}
