//! Reading the lines of a chunk. They were sealed by a host that may lie: nothing in them is trusted to be small, in order
//! or printable.

use serde_json::{Map, Value};

use super::{Channel, Kind};

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A channel opened.
    Opened(Channel),
    /// Something was said.
    Event {
        /// On which channel.
        channel: u32,
        /// When: milliseconds since the channel opened.
        millis: u64,
        /// What it is.
        kind: Kind,
        /// The text.
        text: String,
    },
    /// A channel closed.
    Closed {
        /// Which.
        channel: u32,
        /// When: milliseconds since it opened.
        millis: u64,
        /// Its exit code.
        exit: Option<i32>,
    },
}

/// A line is none of ours; which, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is no line of a recording")]
pub struct LineError(pub usize);

/// Reads the lines of one chunk.
///
/// # Errors
/// The first line that is none, and what stands before it.
pub fn read(chunk: &[u8]) -> Result<Vec<Entry>, (Vec<Entry>, LineError)> {
    let mut entries = Vec::new();
    let mut current = None;
    for (at, line) in chunk.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let Some(read) = line.strip_suffix(b"\n").and_then(|line| entry(line, &mut current)) else {
            return Err((entries, LineError(at.saturating_add(1))));
        };
        entries.extend(read);
    }
    Ok(entries)
}

/// The entry of a line; an empty one for a line that only makes another channel current.
fn entry(line: &[u8], current: &mut Option<u32>) -> Option<Option<Entry>> {
    let value = match serde_json::from_slice(line).ok()? {
        Value::Array(items) => return event(&items, (*current)?).map(Some),
        Value::Object(value) => value,
        _ => return None,
    };
    let channel = value.get("channel").and_then(number)?;
    if value.contains_key("version") {
        *current = Some(channel);
        return opened(&value, channel).map(Some);
    }
    if let Some(closed) = value.get("closed") {
        let exit = match value.get("exit") {
            Some(code) => Some(i32::try_from(code.as_i64()?).ok()?),
            None => None,
        };
        return Some(Some(Entry::Closed { channel, millis: millis(closed)?, exit }));
    }
    if value.len() != 1 {
        return None;
    }
    *current = Some(channel);
    Some(None)
}

fn opened(value: &Map<String, Value>, number_of: u32) -> Option<Entry> {
    if value.get("version")?.as_u64() != Some(2) {
        return None;
    }
    let side = |name| value.get(name).and_then(Value::as_u64).and_then(|side| u16::try_from(side).ok());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Entry::Opened(Channel {
        number: number_of,
        size: (side("width")?, side("height")?),
        timestamp: value.get("timestamp")?.as_u64()?,
        at: millis(value.get("at")?)?,
        command: value.get("command").and_then(text),
        term: value.get("env").and_then(|env| env.get("TERM")).and_then(text),
    }))
}

fn event(items: &[Value], channel: u32) -> Option<Entry> {
    let [time, code, text] = items else { return None };
    let kind = Kind::from_code(code.as_str()?)?;
    Some(Entry::Event { channel, millis: millis(time)?, kind, text: text.as_str()?.to_owned() })
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// Seconds as milliseconds.
fn millis(value: &Value) -> Option<u64> {
    let span = std::time::Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    // Half a microsecond more, for a fraction that binary cannot say.
    u64::try_from(span.saturating_add(std::time::Duration::from_nanos(500)).as_millis()).ok()
}
