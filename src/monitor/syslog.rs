//! RFC 5424: the header, the record as structured data, and the sentence as the message. In a parameter's value `"`, `\` and
//! `]` are escaped (section 6.3.3) and there is no line end; the message begins with the byte order mark, as section 6.4 wants
//! it of UTF-8. Facility 13 (log audit).

use super::PRODUCT;
use super::record::Record;
use super::text::{clipped, flat};

/// The facility "log audit" (section 6.2.1).
const FACILITY: u8 = 13;
/// The most characters of a text in a message.
const LONGEST: usize = 1000;
/// The byte order mark.
const BOM: char = '\u{feff}';

/// What a sender says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The host's name; `-` where it is unknown.
    pub host: String,
    /// The private enterprise number of the structured data's id.
    pub enterprise: u32,
}

impl Origin {
    /// A sender of this name and number. A name that the header cannot hold (section 6.2.4) is left out.
    pub fn new(host: &str, enterprise: u32) -> Self {
        let fits = !host.is_empty() && host.len() <= 255 && host.bytes().all(|byte| byte.is_ascii_graphic());
        Self { host: if fits { host.to_owned() } else { "-".to_owned() }, enterprise }
    }
}

/// The record as one message. Where it would have more than `most` bytes, the texts in it are shortened.
pub fn message(record: &Record, origin: &Origin, most: usize) -> String {
    let mut message = String::new();
    // The rest of a message is bounded by the format; what people wrote is cut until it fits.
    for longest in [LONGEST, 300, 80, 1] {
        let text = clipped(&flat(&record.sentence), longest.max(80));
        let reason = record.reason.as_deref().map(|reason| clipped(&flat(reason), longest));
        let said = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let data = structured(record, origin, reason.as_deref(), longest);
        message = format!("{}{data} {BOM}{text}{said}", header(record, origin));
        if message.len() <= most {
            break;
        }
    }
    message
}

/// A message that carries another format's line. That is no UTF-8 text of the RFC but any octets, so there is no mark.
pub fn carrying(record: &Record, origin: &Origin, line: &str) -> String {
    format!("{}- {line}", header(record, origin))
}

/// Up to the structured data, and the space before it.
fn header(record: &Record, origin: &Origin) -> String {
    let priority = FACILITY.saturating_mul(8).saturating_add(record.severity.syslog());
    format!("<{priority}>1 {} {} {PRODUCT} - {} ", record.time, origin.host, record.what.as_str())
}

fn structured(record: &Record, origin: &Origin, reason: Option<&str>, longest: usize) -> String {
    let mut out = format!("[{PRODUCT}@{}", origin.enterprise);
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.push_str(&format!(" {name}=\"{}\"", parameter(&value)));
        }
    };
    put("id", Some(record.id.to_string()));
    put("kind", Some(record.what.as_str().to_owned()));
    put("case", record.case.map(|case| case.0.hex()));
    put("caseId", record.case.map(|case| case.short()));
    put("actor", record.actor.as_ref().map(ToString::to_string));
    put("requester", record.requester.as_ref().map(ToString::to_string));
    put("state", record.state.map(|state| state.to_string()));
    put("targets", Some(record.targets_text()));
    put("emergency", record.emergency.then(|| "true".to_owned()));
    put("severity", Some(record.severity.to_string()));
    put("incident", record.incident.as_deref().map(|text| clipped(&flat(text), longest.min(200))));
    put("ticket", record.ticket.as_deref().map(|text| clipped(&flat(text), longest.min(200))));
    put("reason", reason.map(str::to_owned));
    put("code", record.code().map(str::to_owned));
    if let Some(session) = record.session() {
        put("session", Some(session.session.clone()));
        put("host", Some(session.host.to_string()));
        put("login", session.login.as_deref().map(|text| clipped(&flat(text), 200)));
        put("source", session.source.as_deref().map(|text| clipped(&flat(text), 200)));
        put("cause", session.cause.map(str::to_owned));
    }
    put("ledger", Some(record.ledger.to_string()));
    put("ledgerName", Some(flat(&record.ledger_name)));
    put("position", Some(record.position.to_string()));
    put("commit", Some(record.commit.to_string()));
    out.push(']');
    out
}

/// Section 6.3.3: `"`, `\` and `]` are escaped with a backslash, and nothing else is.
fn parameter(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_should() {
        assert_eq!(parameter(r#"a"b\c]d=e"#), r#"a\"b\\c\]d=e"#);
    }

    #[test]
    fn a_name_fits_the_header() {
        assert_eq!(Origin::new("db1.acme.example", 1).host, "db1.acme.example");
        for bad in ["", "two words", "höst", &"x".repeat(256)] {
            assert_eq!(Origin::new(bad, 1).host, "-", "{bad}");
        }
    }

    /// What a receiver reads of a value and what is left behind it, by RFC 5424's words.
    fn read(value: &str) -> Option<(String, &str)> {
        let (mut out, mut rest) = (String::new(), value.chars());
        while let Some(c) = rest.next() {
            match c {
                '"' => return Some((out, rest.as_str())),
                ']' => return None,
                '\\' => out.push(rest.next().filter(|c| matches!(c, '"' | '\\' | ']'))?),
                c => out.push(c),
            }
        }
        None
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_one_value(text in "(?s)[a\"\\\\\\]\n =]*|.*") {
            let value = format!("{}\"]", parameter(&flat(&text)));
            proptest::prop_assert!(!value.contains(['\n', '\r']));
            proptest::prop_assert_eq!(read(&value), Some((flat(&text), "]")));
        }
    }
}
