//! The map with its counts as OSCAL assessment results (NIST, OSCAL 1.2.0, JSON form). One result with one observation an
//! area. There are no findings: in OSCAL a finding says whether an objective is satisfied, and that is not ours to say.
//!
//! The same ledger, period and time give the same bytes: every UUID is derived, with SHA-256 and the version bits of a
//! name-based one, from the ledger's id, the period and what it names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::map::Map;
use super::{Assessed, DISCLAIMER};
use crate::audit::entry::Ledger;
use crate::audit::period::Period;
use crate::audit::report::TOOL;
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;

/// The version of the format.
const VERSION: &str = "1.2.0";
/// The namespace of properties that NIST does not define.
const NAMESPACE: &str = "urn:jit:oscal:1";

/// The document. `founded`: when the ledger began.
pub fn document(
    ledger: &Ledger<'_>,
    period: Period,
    founded: Timestamp,
    map: &Map,
    assessed: &[Assessed<'_>],
) -> Value {
    let uuid = |what: &str| uuid(ledger.id, period, what);
    let at = ledger.now.to_string();
    let (start, end) = (period.from().unwrap_or(founded), period.to().unwrap_or(ledger.now));
    let selections: Vec<Value> = map.frameworks.iter().filter_map(|framework| {
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for control in assessed.iter().flat_map(|it| it.area.of(&framework.key)) {
            let (id, statement) = control_id(&framework.key, control);
            ids.entry(id).or_default().extend(statement);
        }
        let controls: Vec<Value> = ids.iter().map(|(id, statements)| match statements.is_empty() {
            true => json!({ "control-id": id }),
            false => json!({ "control-id": id, "statement-ids": statements }),
        }).collect();
        let selection = json!({ "description": format!("{}: controls for which the ledger gives evidence.", framework.name),
            "include-controls": controls });
        (!ids.is_empty()).then_some(selection)
    }).collect();
    let observations: Vec<Value> = assessed.iter().map(|it| observation(ledger, map, it, &uuid)).collect();
    json!({ "assessment-results": {
        "uuid": uuid("assessment-results"),
        "metadata": {
            "title": format!("Evidence in the ledger {}", ledger.name()),
            "last-modified": at,
            "version": format!("{}-{}", ledger.size(), ledger.root().short()),
            "oscal-version": VERSION,
            "props": [property("tool", TOOL)],
            "remarks": DISCLAIMER,
        },
        "import-ap": { "href": format!("#{}", uuid("plan")) },
        "results": [{
            "uuid": uuid("result"),
            "title": format!("What was recorded and checked, {period}"),
            "description": "Counts of records and of exceptions, recomputed from the first event of the ledger on. \
                Observations only: no finding says that a control objective is satisfied.",
            "start": start.to_string(),
            "end": end.to_string(),
            "props": [
                property("ledger", &ledger.id.to_string()),
                property("head", &ledger.head.to_string()),
                property("size", &ledger.size().to_string()),
                property("root", &ledger.root().to_string()),
            ],
            "reviewed-controls": { "control-selections": selections },
            "observations": observations,
        }],
        "back-matter": { "resources": [
            { "uuid": uuid("plan"), "title": "What is checked",
              "description": "The map of controls that jit brings along (docs/controls.md), and the rules behind it (docs/rules.md)." },
            { "uuid": uuid("ledger"), "title": "The ledger",
              "description": format!("{}, {} leaves, root {}. Anybody with a clone can recompute it offline.",
                  ledger.id, ledger.size(), ledger.root()) },
        ] },
    } })
}

fn observation(ledger: &Ledger<'_>, map: &Map, it: &Assessed<'_>, uuid: &dyn Fn(&str) -> String) -> Value {
    let area = it.area;
    let mut props = vec![
        property("area", &area.key),
        property("records", &it.counted.records.to_string()),
        property("exceptions", &it.counted.exceptions.to_string()),
        property("stopped", &it.counted.stopped.to_string()),
        property("result", it.result()),
    ];
    for framework in &map.frameworks {
        props.extend(area.of(&framework.key).iter().map(|control| {
            let (id, statement) = control_id(&framework.key, control);
            property("gives-evidence-for", &statement.unwrap_or(id))
        }));
    }
    json!({
        "uuid": uuid(&format!("observation {}", area.key)),
        "title": area.asks,
        "description": format!("Recorded: {}. Checked: {}. Counted: {}.", area.recorded, area.checked, area.counts),
        "props": props,
        "methods": ["TEST"],
        "types": ["control-objective"],
        "relevant-evidence": [{
            "href": format!("#{}", uuid("ledger")),
            "description": format!("{} of the log's {} leaves lie behind this.", it.counted.records, ledger.size()),
        }],
        "collected": ledger.now.to_string(),
    })
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NAMESPACE, "value": value })
}

/// An identifier as OSCAL's own catalogues spell it for NIST SP 800-53 (`ac-6.5`; for AC-2e the control `ac-2` and its
/// statement `ac-2_smt.e`); with the framework before it for others, since a token begins with a letter.
fn control_id(framework: &str, control: &str) -> (String, Option<String>) {
    let plain = control.to_ascii_lowercase().replace('&', "");
    let mut id = String::new();
    for c in plain.chars() {
        match c {
            'a'..='z' | '0'..='9' | '-' | '.' => id.push(c),
            '(' => id.push('.'),
            ' ' => id.push('-'),
            _ => {}
        }
    }
    if framework != "nist-800-53" {
        return (format!("{framework}-{id}"), None);
    }
    match id.chars().last().filter(char::is_ascii_lowercase) {
        Some(part) => {
            id.pop();
            let statement = format!("{id}_smt.{part}");
            (id, Some(statement))
        }
        None => (id, None),
    }
}

/// A UUID derived from what it names.
fn uuid(ledger: Digest, period: Period, what: &str) -> String {
    let bound = |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let name = format!("jit\n{ledger}\n{}\n{}\n{what}", bound(period.from()), bound(period.to()));
    let hex = Digest::of(name.as_bytes()).hex();
    let mut text: String = hex.chars().take(32).collect();
    // RFC 9562, section 5.5: version 5 in the 13th digit, the variant in the 17th.
    text.replace_range(12..13, "5");
    let variant = match text.as_bytes().get(16) {
        Some(b'0' | b'4' | b'8' | b'c') => "8",
        Some(b'1' | b'5' | b'9' | b'd') => "9",
        Some(b'2' | b'6' | b'a' | b'e') => "a",
        _ => "b",
    };
    text.replace_range(16..17, variant);
    for at in [8, 13, 18, 23] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_tokens() {
        for (framework, control, id) in [
            ("nist-800-53", "AC-6(5)", "ac-6.5"),
            ("pci-dss", "7.2.2", "pci-dss-7.2.2"),
            ("ffiec", "IS II.C.7(b)", "ffiec-is-ii.c.7.b"),
            ("ffiec", "DA&M VII.B.4(a)", "ffiec-dam-vii.b.4.a"),
            ("nydfs", "500.17(a)(1)", "nydfs-500.17.a.1"),
        ] {
            assert_eq!(control_id(framework, control), (id.to_owned(), None));
        }
        assert_eq!(control_id("nist-800-53", "AC-2e"), ("ac-2".to_owned(), Some("ac-2_smt.e".to_owned())));
    }

    #[test]
    fn uuids_are_derived() {
        let ledger = Digest::of(b"a ledger");
        let one = uuid(ledger, Period::ALL, "result");
        assert_eq!(one, uuid(ledger, Period::ALL, "result"));
        assert_ne!(one, uuid(ledger, Period::ALL, "plan"));
        assert_eq!(one.len(), 36);
        // `printf 'jit\nsha256:%s\n-\n-\nresult' "$(printf 'a ledger' | sha256sum | cut -c1-64)" | sha256sum`, digits 13 and 17 set.
        assert_eq!(&one[14..15], "5");
    }
}
