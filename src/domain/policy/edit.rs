//! `policy.toml` changed as text: a member comes or goes, keys are exchanged, the version rises. Every other byte stays as
//! people wrote it, comments, order and spacing among them. PURE; imports `domain::{id, key}` and the policy.
//!
//! The places come from the parser's spans, so nothing is guessed but where a table begins, and [`is_exactly`] compares
//! what the edited text means with what was to be changed: an edit that hit something else is not proposed.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::id::Name;
use super::super::key::PublicKey;
use super::{Class, Policy};

/// Why a policy cannot be edited as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is not TOML.
    #[error("policy.toml is not TOML")]
    Syntax,
    /// There is no such table or list.
    #[error("policy.toml has no `{0}`")]
    Missing(String),
    /// The table is written in another way than with a header of its own.
    #[error("policy.toml writes `{0}` without a header of its own, `[{0}]`")]
    Header(String),
    /// The list has comments where they cannot be kept.
    #[error("the list `{0}` of policy.toml has a comment inside that would be lost")]
    List(String),
    /// No line `version = …` before the first table.
    #[error("the line of the version was not found in policy.toml")]
    Version,
}

impl Class {
    /// The table that the policy has it in: `member`, `service` or `host`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Member { .. } => "member",
            Self::Service { .. } => "service",
            Self::Host { .. } => "host",
        }
    }
}

/// The text with another version: the number alone changes.
///
/// # Errors
/// [`EditError::Version`].
pub fn with_version(text: &str, version: u64) -> Result<String, EditError> {
    let mut out = String::with_capacity(text.len().saturating_add(8));
    let mut done = false;
    let mut in_table = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        in_table |= trimmed.starts_with('[');
        let number = trimmed
            .strip_prefix("version")
            .and_then(|rest| rest.trim_start().strip_prefix('='))
            .filter(|_| !done && !in_table);
        match number {
            Some(rest) => {
                let tail = rest.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
                out.push_str(&format!("version = {version}{tail}"));
                done = true;
            }
            None => out.push_str(line),
        }
    }
    if done { Ok(out) } else { Err(EditError::Version) }
}

/// Adds `[member.NAME]` behind the last member.
///
/// # Errors
/// [`EditError::Syntax`].
pub fn add_member(
    text: &str,
    name: &Name,
    email: &str,
    groups: &[Name],
    keys: &[PublicKey],
) -> Result<String, EditError> {
    let groups: Vec<String> = groups.iter().map(|group| quoted(group.as_str())).collect();
    let keys: Vec<String> = keys.iter().map(|key| quoted(&key.to_string())).collect();
    let keys = match keys.as_slice() {
        [one] => format!("[{one}]"),
        many => format!("[\n{}]", many.iter().map(|key| format!("    {key},\n")).collect::<String>()),
    };
    let block = format!(
        "{}\nemail = {}\ngroups = [{}]\nkeys = {keys}\n",
        header("member", name),
        quoted(email),
        groups.join(", ")
    );
    let document = parse(text)?;
    let members = find(document.get_ref(), &["member"]).and_then(|value| value.get_ref().as_table());
    let last = members.iter().flat_map(|members| members.values()).map(end_of).max();
    let at = last.map_or(text.len(), |last| line_end(text, last));
    let (before, after) = split(text, at);
    let gap = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    let line = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    let behind = if after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n") { "" } else { "\n" };
    Ok(format!("{before}{line}{gap}{block}{behind}{after}"))
}

/// Takes `[member.NAME]` away, and the name out of the root. Comments stay, but for those right above the header that
/// name the person.
///
/// # Errors
/// Where the member is not written as a table of its own.
pub fn remove_member(text: &str, name: &Name) -> Result<String, EditError> {
    let document = parse(text)?;
    let path = format!("member.{name}");
    let member = find(document.get_ref(), &["member", name.as_str()]);
    let end = line_end(text, end_of(member.ok_or_else(|| EditError::Missing(path.clone()))?));
    let header = header_line(text, "member", name).ok_or_else(|| EditError::Header(path.clone()))?;
    if header >= end {
        return Err(EditError::Header(path));
    }
    let (mut before, _) = split(text, header);
    while let Some(line) = before.split_inclusive('\n').next_back() {
        if !line.trim_start().starts_with('#') || !names(line, name) {
            break;
        }
        before = before.strip_suffix(line).unwrap_or(before);
    }
    let (_, mut after) = split(text, end);
    if before.is_empty() || before.ends_with("\n\n") || before.ends_with("\r\n\r\n") {
        while let Some(rest) = after.strip_prefix("\r\n").or_else(|| after.strip_prefix('\n')) {
            after = rest;
        }
    }
    let text = format!("{before}{after}");
    let is_root = list(&text, &["root", "members"]).is_ok_and(|list| list.position(name.as_str()).is_some());
    if is_root { remove_item(&text, &["root", "members"], name.as_str()) } else { Ok(text) }
}

/// Takes `old` keys of a member, service or host away and adds `new` ones: each new one in the place of an old one where
/// there is one, so that a list keeps its form.
///
/// # Errors
/// Where the actor or an old key is not there, or a comment would be lost.
pub fn change_keys(
    text: &str,
    class: &Class,
    name: &Name,
    old: &[PublicKey],
    new: &[PublicKey],
) -> Result<String, EditError> {
    let path = [class.word(), name.as_str(), "keys"];
    let mut text = text.to_owned();
    let both = old.len().min(new.len());
    for (old, new) in old.iter().zip(new) {
        let keys = list(&text, &path)?;
        let at = keys.position(&old.to_string()).and_then(|at| keys.items.get(at));
        let (span, _) = at.ok_or_else(|| EditError::Missing(path.join(".")))?;
        let (before, after) = (split(&text, span.start).0, split(&text, span.end).1);
        text = format!("{before}{}{after}", quoted(&new.to_string()));
    }
    for key in new.iter().skip(both) {
        text = add_item(&text, &path, &key.to_string())?;
    }
    for key in old.iter().skip(both) {
        text = remove_item(&text, &path, &key.to_string())?;
    }
    Ok(text)
}

/// Whether `new` is `old` with `change` and another version, and nothing else.
pub fn is_exactly(old: &Policy, new: &Policy, change: impl FnOnce(&mut Policy)) -> bool {
    let mut expected = old.clone();
    change(&mut expected);
    expected.version = new.version;
    expected.digest = new.digest;
    expected.source = Arc::clone(&new.source);
    // The order of keys says nothing.
    let sorted = |policy: &Policy| {
        let mut policy = policy.clone();
        for actor in policy.actors.values_mut() {
            actor.keys.sort();
        }
        policy
    };
    sorted(&expected) == sorted(new)
}

/// A list of texts and where it and its items stand.
struct List {
    span: Range<usize>,
    items: Vec<(Range<usize>, String)>,
}

impl List {
    fn position(&self, item: &str) -> Option<usize> {
        self.items.iter().position(|(_, text)| text == item)
    }
}

fn list(text: &str, path: &[&str]) -> Result<List, EditError> {
    let document = parse(text)?;
    let missing = || EditError::Missing(path.join("."));
    let value = find(document.get_ref(), path).ok_or_else(missing)?;
    let array = value.get_ref().as_array().ok_or_else(missing)?;
    let items = array
        .iter()
        .map(|item| item.get_ref().as_str().map(|text| (item.span(), text.to_owned())))
        .collect::<Option<_>>()
        .ok_or_else(missing)?;
    Ok(List { span: value.span(), items })
}

fn add_item(text: &str, path: &[&str], item: &str) -> Result<String, EditError> {
    let list = list(text, path)?;
    let item = quoted(item);
    let Some((last, _)) = list.items.last() else {
        let (before, after) = split(text, list.span.start.saturating_add(1));
        return Ok(format!("{before}{item}{after}"));
    };
    let start = line_start(text, last.start);
    let indent = text.get(start..last.start).unwrap_or_default();
    let (before, after) = split(text, last.end);
    if start <= list.span.start || !indent.trim().is_empty() {
        return Ok(format!("{before}, {item}{after}"));
    }
    // One item a line: the new one gets a line of its own, behind the comma and the comment of the last one.
    let inside = text.get(last.end..list.span.end.saturating_sub(1)).unwrap_or_default();
    let comma = comma_in(inside);
    let missing = if comma.is_some() { "" } else { "," };
    let from = comma.map_or(0, |comma| comma.saturating_add(1));
    let (head, tail) = split(after, from);
    match split(inside, from).1.find('\n') {
        Some(newline) => {
            let (rest, behind) = split(tail, newline.saturating_add(1));
            Ok(format!("{before}{missing}{head}{rest}{indent}{item},\n{behind}"))
        }
        None => Ok(format!("{before}{missing}{head}\n{indent}{item}{tail}")),
    }
}

fn remove_item(text: &str, path: &[&str], item: &str) -> Result<String, EditError> {
    let list = list(text, path)?;
    let missing = || EditError::Missing(path.join("."));
    let at = list.position(item).ok_or_else(missing)?;
    let (span, _) = list.items.get(at).ok_or_else(missing)?;
    let (start, end) = (line_start(text, span.start), line_end(text, span.end));
    let around = format!(
        "{}{}",
        text.get(start..span.start).unwrap_or_default(),
        code(text.get(span.end..end).unwrap_or_default()).replacen(',', "", 1)
    );
    let cut = if start > list.span.start && end < list.span.end && around.trim().is_empty() {
        // A line of its own: the comment behind it is about it.
        start..end
    } else if let Some((next, _)) = list.items.get(at.saturating_add(1)) {
        span.start..next.start
    } else if let Some((previous, _)) = at.checked_sub(1).and_then(|before| list.items.get(before)) {
        previous.end..span.end
    } else {
        span.clone()
    };
    let gone = text.get(cut.clone()).unwrap_or_default();
    if cut != (start..end) && gone.lines().any(|line| code(line) != line) {
        return Err(EditError::List(path.join(".")));
    }
    Ok(format!("{}{}", split(text, cut.start).0, split(text, cut.end).1))
}

fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, EditError> {
    DeTable::parse(text).map_err(|_| EditError::Syntax)
}

fn find<'d, 't>(table: &'d DeTable<'t>, path: &[&str]) -> Option<&'d Spanned<DeValue<'t>>> {
    let (first, rest) = path.split_first()?;
    let (_, found) = table.get_key_value(*first)?;
    if rest.is_empty() { Some(found) } else { find(found.get_ref().as_table()?, rest) }
}

/// Where the last value in it ends.
fn end_of(value: &Spanned<DeValue<'_>>) -> usize {
    match value.get_ref().as_table() {
        Some(table) => table.values().map(end_of).max().unwrap_or_else(|| value.span().end),
        None => value.span().end,
    }
}

/// Where the line `[class.name]` begins. Asked of the parser, so that any spelling of it is found.
fn header_line(text: &str, class: &str, name: &Name) -> Option<usize> {
    let mut at = 0_usize;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[')
            && let Ok(header) = DeTable::parse(line.trim())
            && find(header.get_ref(), &[class, name.as_str()]).is_some_and(|value| value.get_ref().is_table())
        {
            return Some(at);
        }
        at = at.saturating_add(line.len());
    }
    None
}

/// Whether a comment speaks of somebody.
fn names(comment: &str, name: &Name) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    comment.to_lowercase().split(|c| !is_word(c)).any(|word| word == name.as_str())
}

/// Where the comma stands, comments left out.
fn comma_in(text: &str) -> Option<usize> {
    let mut in_comment = false;
    for (at, c) in text.char_indices() {
        match c {
            '#' => in_comment = true,
            '\n' => in_comment = false,
            ',' if !in_comment => return Some(at),
            _ => {}
        }
    }
    None
}

/// A line without its comment. Good for what stands between items of a list, where no text can hold a `#`.
fn code(line: &str) -> String {
    line.split('\n').map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn header(class: &str, name: &Name) -> String {
    if name.as_str().contains('.') { format!("[{class}.\"{name}\"]") } else { format!("[{class}.{name}]") }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn line_start(text: &str, at: usize) -> usize {
    split(text, at).0.rfind('\n').map_or(0, |newline| newline.saturating_add(1))
}

/// Behind the line end that follows `at`.
fn line_end(text: &str, at: usize) -> usize {
    split(text, at).1.find('\n').map_or(text.len(), |newline| at.saturating_add(newline).saturating_add(1))
}

#[cfg(test)]
mod tests;
