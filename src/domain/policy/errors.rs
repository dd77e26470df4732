//! What is wrong with a policy, and where: lines and columns for people, byte offsets while reading. Imports nothing.

use std::collections::BTreeMap;
use std::fmt;

/// How many problems are kept. A file that a stranger proposed may have a million of them, and each costs a look for its
/// line; nobody reads more.
const MOST_PROBLEMS: usize = 100;

/// Everything that is wrong with a policy, in the order of the file; at least one, at most 100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyErrors(pub Vec<PolicyProblem>);

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was expected there.
    pub expected: Option<String>,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy.toml:{}:{}: {}", self.line, self.column, self.message)?;
        match &self.expected {
            Some(expected) => write!(f, "; expected {expected}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}

/// Problems as they are found, and where each part of the policy stands. A place is a path such as
/// `member/alice/keys/0`; names hold no slash, so no two parts share one.
pub(super) struct Report<'s> {
    source: &'s str,
    places: BTreeMap<String, usize>,
    found: Vec<(usize, PolicyProblem)>,
}

impl<'s> Report<'s> {
    pub(super) const fn new(source: &'s str) -> Self {
        Self { source, places: BTreeMap::new(), found: Vec::new() }
    }

    pub(super) const fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    /// Remembers that `place` stands at byte `offset`.
    pub(super) fn remember(&mut self, place: &str, offset: usize) {
        self.places.entry(place.to_owned()).or_insert(offset);
    }

    /// The byte where `place`, or the nearest part around it, stands.
    pub(super) fn offset_of(&self, place: &str) -> usize {
        let mut place = place;
        loop {
            if let Some(offset) = self.places.get(place) {
                return *offset;
            }
            let Some((around, _)) = place.rsplit_once('/') else { return 0 };
            place = around;
        }
    }

    /// A problem at byte `offset`.
    pub(super) fn add(&mut self, offset: usize, message: impl Into<String>, expected: Option<&str>) {
        if self.found.len() >= MOST_PROBLEMS {
            return;
        }
        let (line, column) = position(self.source, offset);
        let problem = PolicyProblem { line, column, message: message.into(), expected: expected.map(str::to_owned) };
        if !self.found.iter().any(|(_, earlier)| *earlier == problem) {
            self.found.push((offset, problem));
        }
    }

    /// A problem at `place`.
    pub(super) fn add_at(&mut self, place: &str, message: impl Into<String>, expected: Option<&str>) {
        self.add(self.offset_of(place), message, expected);
    }

    pub(super) fn into_errors(mut self) -> PolicyErrors {
        self.found.sort_by_key(|(offset, _)| *offset);
        PolicyErrors(self.found.into_iter().map(|(_, problem)| problem).collect())
    }
}

/// Line and column, both from 1, of byte `offset`; the end where it lies beyond.
pub(super) fn position(source: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset = offset.saturating_sub(1);
    }
    let (before, _) = source.split_at(offset);
    let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
    let (lines, last) = before.split_at(line_start);
    (lines.matches('\n').count().saturating_add(1), last.chars().count().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "a\nçé = 1\n";
        for (offset, expected) in [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (6, (2, 3)), (7, (2, 4)), (99, (3, 1))] {
            assert_eq!(position(text, offset), expected, "{offset}");
        }
        assert_eq!(position(text, 3), (2, 1), "inside a character");
        assert_eq!(position("", 0), (1, 1));
    }

    #[test]
    fn a_place_falls_back_to_what_is_around_it() {
        let mut report = Report::new("one\ntwo\n");
        report.remember("member/alice", 4);
        report.add_at("member/alice/keys/0", "no", Some("yes"));
        assert_eq!(report.into_errors().to_string(), "policy.toml:2:1: no; expected yes");
    }
}
