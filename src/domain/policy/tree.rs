//! Typed reading of the TOML tree with positions: a table whose unknown keys are refused, and cells that say what was
//! expected where they find something else. Imports nothing of ours but `domain::text`.

use std::collections::BTreeMap;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};

use super::super::id::Name;
use super::super::text::check_line;
use super::errors::Report;

/// How long a list may be: each item is compared with the others.
const MOST_ITEMS: usize = 1000;

/// A table being read. Every key that the format knows is asked for; [`Table::finish`] refuses the others.
pub(super) struct Table<'t> {
    path: String,
    offset: usize,
    entries: &'t DeTable<'t>,
    known: Vec<&'static str>,
}

/// One value and where it stands.
pub(super) struct Cell<'t> {
    path: String,
    offset: usize,
    value: &'t DeValue<'t>,
}

impl<'t> Table<'t> {
    /// The document itself.
    pub(super) const fn root(entries: &'t DeTable<'t>) -> Self {
        Self { path: String::new(), offset: 0, entries, known: Vec::new() }
    }

    /// The field `key`, which must be there.
    pub(super) fn required<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Report<'_>, Cell<'t>) -> Option<T>,
    ) -> Option<T> {
        if !self.entries.contains_key(key) {
            let what = self.title();
            report.add(self.offset, format!("{what} lacks `{key}`"), Some(&format!("`{key} = …`")));
        }
        self.optional(report, key, read)
    }

    /// The field `key`, if it is there.
    pub(super) fn optional<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Report<'_>, Cell<'t>) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        let (_, value) = self.entries.get_key_value(key)?;
        let path = self.child(key);
        report.remember(&path, value.span().start);
        read(report, Cell { path, offset: value.span().start, value: value.get_ref() })
    }

    /// The tables `[key.NAME]`, by name; none where the key is absent.
    pub(super) fn named<T>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        mut read: impl FnMut(&mut Report<'_>, Table<'t>) -> Option<T>,
    ) -> BTreeMap<Name, T> {
        let mut out = BTreeMap::new();
        let Some(table) = self.optional(report, key, |report, cell| cell.table(report)) else { return out };
        for (word, value) in table.entries {
            let offset = word.span().start;
            let Ok(name) = word.get_ref().parse::<Name>() else {
                let message = format!("`{}` is not a name", word.get_ref().escape_debug());
                report.add(offset, message, Some("1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit"));
                continue;
            };
            let path = table.child(name.as_str());
            report.remember(&path, offset);
            let cell = Cell { path, offset, value: value.get_ref() };
            if let Some(item) = cell.table(report).and_then(|table| read(report, table)) {
                out.insert(name, item);
            }
        }
        out
    }

    /// A problem with the field `key`.
    pub(super) fn refuse(&self, report: &mut Report<'_>, key: &str, message: &str, expected: Option<&str>) {
        report.add_at(&self.child(key), message, expected);
    }

    /// Whether the field `key` is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// A problem with the table as a whole: its title and `message`.
    pub(super) fn refuse_all(&self, report: &mut Report<'_>, message: &str, expected: Option<&str>) {
        report.add(self.offset, format!("{} {message}", self.title()), expected);
    }

    /// Refuses keys that were not asked for.
    pub(super) fn finish(self, report: &mut Report<'_>) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.get_ref().as_ref()) {
                let message = format!("unknown key `{}` in {}", key.get_ref().escape_debug(), self.title());
                report.add(key.span().start, message, Some(&format!("one of {}", self.known.join(", "))));
            }
        }
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}/{key}", self.path) }
    }

    fn title(&self) -> String {
        if self.path.is_empty() { "the policy".to_owned() } else { format!("[{}]", self.path.replace('/', ".")) }
    }
}

impl<'t> Cell<'t> {
    /// A problem with this value.
    pub(super) fn refuse<T>(
        &self,
        report: &mut Report<'_>,
        message: impl Into<String>,
        expected: Option<&str>,
    ) -> Option<T> {
        report.add(self.offset, message, expected);
        None
    }

    fn wrong_type<T>(&self, report: &mut Report<'_>, expected: &str) -> Option<T> {
        let field = self.path.rsplit('/').find(|part| !part.bytes().all(|c| c.is_ascii_digit())).unwrap_or_default();
        let found = match self.value {
            DeValue::Integer(_) => "an integer",
            DeValue::Array(_) => "an array",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Float(_) => "a float",
            DeValue::String(_) => "a string",
            DeValue::Table(_) => "a table",
        };
        self.refuse(report, format!("`{field}` is {found}"), Some(expected))
    }

    /// A table.
    pub(super) fn table(self, report: &mut Report<'_>) -> Option<Table<'t>> {
        match self.value {
            DeValue::Table(entries) => Some(Table { path: self.path, offset: self.offset, entries, known: Vec::new() }),
            _ => self.wrong_type(report, "a table"),
        }
    }

    /// A string, `what` in words.
    pub(super) fn string(&self, report: &mut Report<'_>, what: &str) -> Option<&'t str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type(report, what),
        }
    }

    /// One line of text: NFC, without control or bidirectional characters.
    pub(super) fn line(&self, report: &mut Report<'_>, what: &str) -> Option<String> {
        let text = self.string(report, what)?;
        match check_line(text) {
            Ok(()) => Some(text.to_owned()),
            Err(fault) => self.refuse(report, format!("the text {fault}"), Some(what)),
        }
    }

    /// A string that is one `T`.
    pub(super) fn parsed<T: FromStr>(&self, report: &mut Report<'_>, what: &str) -> Option<T> {
        let text = self.string(report, what)?;
        let Ok(value) = text.parse() else {
            return self.refuse(report, format!("`{}` does not do", text.escape_debug()), Some(what));
        };
        Some(value)
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&self, report: &mut Report<'_>, least: u64, most: u64) -> Option<u64> {
        let what =
            if most == u64::MAX { format!("a number of at least {least}") } else { format!("{least} to {most}") };
        let DeValue::Integer(number) = self.value else { return self.wrong_type(report, &what) };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if (least..=most).contains(&value) => Some(value),
            _ => self.refuse(report, format!("{number} is out of range"), Some(&what)),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, report: &mut Report<'_>) -> Option<bool> {
        match self.value {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type(report, "true or false"),
        }
    }

    /// An array; items that are refused are left out (the report holds why). No item may come twice.
    pub(super) fn list<T: PartialEq>(
        self,
        report: &mut Report<'_>,
        what: &str,
        mut read: impl FnMut(&mut Report<'_>, Cell<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(items) = self.value else { return self.wrong_type(report, what) };
        if items.len() > MOST_ITEMS {
            return self.refuse(report, "the list is too long", Some("at most 1000 items"));
        }
        let mut out = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}/{index}", self.path);
            let offset = item.span().start;
            report.remember(&path, offset);
            let Some(value) = read(report, Cell { path, offset, value: item.get_ref() }) else { continue };
            if out.contains(&value) {
                report.add(offset, "the same again", Some("each once"));
            } else {
                out.push(value);
            }
        }
        Some(out)
    }

    /// An array of 1 to `most` items (`expected` in words) in which an item may come twice; items that are refused are
    /// left out (the report holds why).
    pub(super) fn sequence<T>(
        self,
        report: &mut Report<'_>,
        what: &str,
        most: usize,
        expected: &str,
        mut read: impl FnMut(&mut Report<'_>, Cell<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let DeValue::Array(items) = self.value else { return self.wrong_type(report, what) };
        if items.is_empty() {
            return self.refuse(report, "the list is empty", Some(what));
        }
        if items.len() > most {
            return self.refuse(report, "the list is too long", Some(expected));
        }
        let mut out = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}/{index}", self.path);
            let offset = item.span().start;
            report.remember(&path, offset);
            out.extend(read(report, Cell { path, offset, value: item.get_ref() }));
        }
        Some(out)
    }

    /// An array that is not empty.
    pub(super) fn some<T: PartialEq>(
        self,
        report: &mut Report<'_>,
        what: &str,
        read: impl FnMut(&mut Report<'_>, Cell<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if matches!(self.value, DeValue::Array(items) if items.is_empty()) {
            return self.refuse(report, "the list is empty", Some(what));
        }
        self.list(report, what, read)
    }
}
