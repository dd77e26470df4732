//! The map's data, as `controls.toml` has it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The file: part of the program, so that a report names no control that its version does not know.
pub const SOURCE: &str = include_str!("../controls.toml");

/// Controls of NIST SP 800-53 that no baseline has: choosing them is the institution's policy.
const IN_NO_BASELINE: [&str; 11] = [
    "AC-3(2)", "AC-3(10)", "AC-17(9)", "AU-9(5)", "AU-14", "MA-4(1)", "MA-4(5)", "MA-4(7)", "CM-3(7)", "CM-5(4)",
    "CM-5(5)",
];

/// The whole map.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The frameworks, in the order in which they are told.
    #[serde(rename = "framework")]
    pub frameworks: Vec<Framework>,
    /// The questions.
    #[serde(rename = "area")]
    pub areas: Vec<Area>,
}

/// A set of controls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Its short name.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What a reader must know of it; may be empty.
    pub note: String,
}

/// A question that several frameworks ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its short name.
    pub key: String,
    /// The question.
    pub asks: String,
    /// What is recorded.
    pub recorded: String,
    /// What is checked.
    pub checked: String,
    /// What is counted as a record, in words.
    pub counts: String,
    /// What is counted.
    pub records: Records,
    /// Rules and findings that are exceptions.
    pub codes: Vec<String>,
    /// Whether reciprocal approvals are exceptions, too.
    #[serde(default)]
    pub reciprocal: bool,
    /// Whether only findings about emergencies are.
    #[serde(default)]
    pub emergencies_only: bool,
    /// The identifiers of controls, by framework.
    pub controls: BTreeMap<String, Vec<String>>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each variant is explained where it is counted, in measure.rs")]
pub enum Records {
    Certificates,
    StrongSignatures,
    Accesses,
    Revocations,
    Requests,
    Decisions,
    Events,
    Leaves,
    Reviews,
    Recordings,
    Ends,
    Emergencies,
    Incidents,
    Policies,
}

impl Area {
    /// Its controls of a framework.
    pub fn of(&self, framework: &str) -> &[String] {
        self.controls.get(framework).map_or(&[], Vec::as_slice)
    }
}

impl Map {
    /// The map of this version.
    pub fn whole() -> Self {
        toml::from_str(SOURCE).expect("controls.toml is part of the program, and a test reads it")
    }

    /// The part of it that these frameworks ask about; all of it where none is named.
    ///
    /// # Errors
    /// The first name that is none of them.
    pub fn of(frameworks: &[String]) -> Result<Self, String> {
        let mut map = Self::whole();
        if let Some(unknown) = frameworks.iter().find(|name| !map.frameworks.iter().any(|it| it.key == **name)) {
            return Err(unknown.clone());
        }
        if !frameworks.is_empty() {
            map.frameworks.retain(|framework| frameworks.contains(&framework.key));
            for area in &mut map.areas {
                area.controls.retain(|key, _| frameworks.contains(key));
            }
            map.areas.retain(|area| !area.controls.is_empty());
        }
        Ok(map)
    }
}

/// Whether a control is one that no NIST baseline has.
pub fn in_no_baseline(framework: &str, control: &str) -> bool {
    framework == "nist-800-53" && IN_NO_BASELINE.contains(&control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::finding::Code;

    #[test]
    fn the_map_is_whole() {
        let map = Map::whole();
        assert_eq!(map.areas.len(), 16);
        for area in &map.areas {
            assert!(!area.controls.is_empty(), "{}", area.key);
            for framework in area.controls.keys() {
                assert!(map.frameworks.iter().any(|it| it.key == *framework), "{}: {framework}", area.key);
            }
            for code in &area.codes {
                assert!(code.parse::<Code>().is_ok(), "{}: {code}", area.key);
            }
            for text in [&area.asks, &area.recorded, &area.checked, &area.counts] {
                assert!(!text.is_empty() && text.is_ascii(), "{}: {text}", area.key);
                // What jit never claims.
                for word in ["complian", "certif", "satisf", "guarantee", "ensure"] {
                    let claims = text.to_lowercase().contains(word)
                        && !text.contains("certificate")
                        && !text.contains("certified");
                    assert!(!claims, "{}: {text}", area.key);
                }
            }
        }
        let keys: std::collections::BTreeSet<&str> = map.areas.iter().map(|area| area.key.as_str()).collect();
        assert_eq!(keys.len(), map.areas.len());
        for framework in &map.frameworks {
            assert!(map.areas.iter().any(|area| !area.of(&framework.key).is_empty()), "{}", framework.key);
        }
    }

    #[test]
    fn a_part_of_the_map_can_be_had() {
        let map = Map::of(&["occ".to_owned()]).unwrap();
        assert_eq!(map.areas.iter().map(|area| area.key.as_str()).collect::<Vec<_>>(), ["incidents"]);
        assert_eq!(Map::of(&["cat".to_owned()]).unwrap_err(), "cat");
        assert!(in_no_baseline("nist-800-53", "AU-14") && !in_no_baseline("nist-800-53", "AC-6"));
    }
}
