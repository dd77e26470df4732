//! One HTML file that carries evidence and checks it again in the reader's browser. PURE: evidence in, text out. It fetches
//! nothing and runs nothing but its own program, which a content security policy names by its hash; what others wrote is
//! data, and goes into the page as text alone. Imports `domain` and the evidence beside it.
//!
//! `page/check.js` checks (format.md, sections 2 to 4), `page/verify.js` says in which order, `page/read.js` reads,
//! `page/charts.js` draws and `page/view.js` shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::bundle::{Evidence, Query};
use super::entry::{Entry, Said};
use crate::domain::finding::Finding;
use crate::domain::state::case::{Case, Matter};
use crate::domain::text::visible;
use crate::domain::time::Timestamp;

const HTML: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: [&str; 5] = [
    include_str!("page/check.js"),
    include_str!("page/read.js"),
    include_str!("page/verify.js"),
    include_str!("page/charts.js"),
    include_str!("page/view.js"),
];

/// The page. `findings`: what jit found at the ledger's `now`; `version`: of the program that writes it.
pub fn html(evidence: &Evidence<'_>, findings: &[Finding], version: &str) -> String {
    let script = format!("'use strict';\n{}", SCRIPT.concat());
    let data = inert(&data(evidence, findings, version).to_string());
    // Ours first, so that nothing in the data can be taken for a mark that is still to be filled.
    let [head, tail] = HTML.split("{{evidence}}").collect::<Vec<_>>().try_into().unwrap_or([HTML, ""]);
    let fill = |part: &str| {
        part.replace("{{script-hash}}", &hash(&script))
            .replace("{{style-hash}}", &hash(STYLE))
            .replace("{{style}}", STYLE)
            .replace("{{script}}", &script)
            // Last: it is other people's text, in which a mark is none.
            .replace("{{title}}", &escaped(&visible(evidence.ledger.name())))
    };
    [fill(head), data, fill(tail)].concat()
}

/// The source of a content security policy for this text between its tags.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that no browser takes for markup, whatever is in it: without `<` there is no tag and no comment.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// Text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn data(evidence: &Evidence<'_>, findings: &[Finding], version: &str) -> Value {
    let ledger = &evidence.ledger;
    let carried = |finding: &&Finding| match finding.case {
        Some(case) => evidence.selection.asked.contains(&case) || evidence.selection.along.contains(&case),
        None => evidence.query.is_all(),
    };
    let findings: Vec<Value> = findings
        .iter()
        .filter(carried)
        .map(|finding| {
            json!({ "code": finding.code.as_str(), "case": finding.case.map(|case| case.0.hex()), "message": finding.message })
        })
        .collect();
    json!({
        "jit": version,
        "at": ledger.now.to_string(),
        "query": { "all": evidence.query.is_all(), "say": capital(&evidence.query) },
        "ledger": {
            "id": ledger.id.to_string(), "name": ledger.name(), "head": ledger.head.to_string(),
            "size": ledger.size(), "root": ledger.root().to_string(),
        },
        "policies": evidence.policies.iter().map(|policy| json!({
            "version": policy.policy.version, "from": policy.from, "brought": policy.brought,
            "policy": String::from_utf8_lossy(&policy.bytes), "allowed_signers": policy.policy.allowed_signers(),
        })).collect::<Vec<_>>(),
        "cases": evidence.selection.cases(ledger.state).map(|case| told(evidence, case)).collect::<Vec<_>>(),
        "events": evidence.entries.iter().filter_map(event).collect::<Vec<_>>(),
        "voids": evidence.entries.iter().filter_map(void).collect::<Vec<_>>(),
        "tree": evidence.nodes().iter().map(|node| {
            json!([node.position, node.level, STANDARD.encode(node.hash.as_bytes())])
        }).collect::<Vec<_>>(),
        "findings": findings,
        "checkpoint": evidence.checkpoint.as_ref().map(ToString::to_string),
    })
}

fn capital(query: &Query) -> String {
    let words = query.words();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A case as jit judged it, and where its events are. What it says of itself is read from its events.
fn told(evidence: &Evidence<'_>, case: &Case) -> Value {
    let (state, now) = (evidence.ledger.state, evidence.ledger.now);
    let mut told = json!({
        "case": case.id().0.hex(),
        "state": state.case_state(case, now).as_str(),
        "events": case.events().iter().map(|event| event.position).collect::<Vec<_>>(),
    });
    let Some(fields) = told.as_object_mut() else { return told };
    if !evidence.selection.asked.contains(&case.id()) {
        fields.insert("context".to_owned(), json!(true));
    }
    let time = |time: Option<Timestamp>| time.map_or(Value::Null, |time| json!(time.to_string()));
    if let Matter::Access(access) = case.matter() {
        fields.insert("decided".to_owned(), time(access.decided));
        fields.insert("starts".to_owned(), time(access.starts()));
        fields.insert("ends".to_owned(), time(access.ends()));
        if let Some((at, by)) = access.ended(now) {
            fields.insert("ended".to_owned(), json!({ "time": at.to_string(), "by": by.as_str() }));
        }
    }
    told
}

/// Position, event file, signature (the base64 of its armor alone: the rest has one spelling), commit.
fn event(entry: &Entry) -> Option<Value> {
    let signed = entry.event()?;
    let armor = String::from_utf8_lossy(&signed.signature);
    let base64: String = armor.lines().filter(|line| !line.starts_with("-----")).collect();
    // An event that broke no rule is UTF-8 (E02).
    Some(json!([entry.position, String::from_utf8_lossy(&signed.bytes), base64, entry.commit.to_string()]))
}

fn void(entry: &Entry) -> Option<Value> {
    let Said::Void(void) = &entry.said else { return None };
    Some(json!({
        "position": entry.position, "commit": entry.commit.to_string(), "code": void.fault.code.as_str(),
        "message": void.fault.message, "acknowledged": void.acknowledged, "raw": STANDARD.encode(&void.raw),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_holds_nothing_that_opens_a_tag() {
        let hostile = json!({ "reason": "</script><script>alert(1)</script><!--" }).to_string();
        let text = inert(&hostile);
        assert!(!text.contains('<'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::from_str::<Value>(&hostile).unwrap());
    }

    #[test]
    fn the_program_makes_no_markup_and_asks_nobody() {
        let script = SCRIPT.concat();
        let calls =
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "XMLHttp", "import("];
        for call in calls {
            assert!(!script.contains(call), "{call}");
        }
        assert!(!script.contains("</script") && !STYLE.contains("</style"), "it would end its own element");
        for (name, _) in HTML.match_indices("=\"").map(|(at, _)| HTML.split_at(at)).map(|(before, rest)| {
            (before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or(""), rest)
        }) {
            assert!(!name.starts_with("on") && name != "src" && name != "style", "attribute {name}");
        }
    }
}
