//! What a ticket looks like: a regular expression in linear time. Imports nothing of ours.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

/// How much memory a compiled pattern may take, in bytes: plenty for the shape of a ticket, and thousands of roles in a
/// policy that a stranger proposed stay in bounds.
const SIZE_LIMIT: usize = 1 << 15;

/// A regular expression, as its author wrote it. It matches where it is found, so an author who means the whole ticket
/// anchors it: `^INC-[0-9]+$`. Classes such as `\d` are ASCII; `$` is the end of the text alone, not of a line.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles `text`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str) -> Result<Self, String> {
        RegexBuilder::new(text).size_limit(SIZE_LIMIT).build().map(Self).map_err(|error| error.to_string())
    }

    /// Whether it is found in `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_anchored_only_where_its_author_did() {
        let anchored = Pattern::new("^(INC|CHG)-[0-9]+$").unwrap();
        assert!(anchored.matches("INC-4711"));
        for other in ["", "INC-", "xINC-1", "INC-1 ", "INC-1\n", "INC-1\nINC-2", "INC-١"] {
            assert!(!anchored.matches(other), "{other:?}");
        }
        assert!(Pattern::new("INC-[0-9]+").unwrap().matches("see INC-1 and more"));
        assert!(Pattern::new("^([A-Z]{2,10}-[0-9]{1,12}|(INC|CHG|TASK|PRB)[0-9]{7,10}|#[0-9]+)$").is_ok());
        assert!(Pattern::new("(").is_err());
        assert!(Pattern::new("(a{1000}){10}").is_err(), "too big to keep");
        assert!(Pattern::new("((a{1000}){1000}){1000}").is_err(), "too big to compile");
    }
}
