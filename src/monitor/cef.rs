//! The record as a line of ArcSight's Common Event Format, version 0 (implementation standard, revision 25): in the header
//! `\` and `|` are escaped, in extension values `\`, `=` and line ends. No text can begin a field of its own.

use std::net::IpAddr;

use crate::domain::event::Kind;
use crate::domain::text::visible;

use super::record::{Detail, Record, What};
use super::text::clipped;
use super::{PRODUCT, VERSION};

/// The longest `msg` and `reason` of the standard, in characters.
const LONGEST: usize = 1023;

/// One line.
pub fn line(record: &Record) -> String {
    let header = [PRODUCT, PRODUCT, VERSION, record.what.as_str(), name(record.what)].map(header).join("|");
    let mut line = format!("CEF:0|{header}|{}|", record.severity.cef());
    let mut first = true;
    for (key, value) in extension(record) {
        if !first {
            line.push(' ');
        }
        first = false;
        line.push_str(key);
        line.push('=');
        line.push_str(&escaped(&clipped(&visible(&value), LONGEST)));
    }
    line
}

/// The signature's name: a phrase for each kind.
const fn name(what: What) -> &'static str {
    match what {
        What::Void => "Commit broke a rule",
        What::Event(kind) => match kind {
            Kind::Genesis => "Ledger founded",
            Kind::Request => "Access requested",
            Kind::Approval => "Approved",
            Kind::Denial => "Denied",
            Kind::Withdrawal => "Request withdrawn",
            Kind::Issuance => "Credential issued",
            Kind::SessionStart => "Session started",
            Kind::SessionEnd => "Session ended",
            Kind::Revocation => "Access revoked",
            Kind::Closure => "Access closed",
            Kind::Residue => "Host looked for what was left behind",
            Kind::Review => "Access reviewed",
            Kind::Lock => "Lock set",
            Kind::Proposal => "Change proposed",
            Kind::Enactment => "Change put in force",
        },
    }
}

/// A field of the header: on one line, `\` and `|` escaped.
fn header(text: &str) -> String {
    super::text::flat(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// A value of the extension: `\`, `=` and line ends escaped. Carriage returns are visible text by then.
fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('=', "\\=").replace('\n', "\\n")
}

fn extension(record: &Record) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let mut put = |key: &'static str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            fields.push((key, value));
        }
    };
    let labelled = |key: &'static str, label: &'static str, value: Option<String>| {
        let label = value.as_ref().filter(|value| !value.is_empty()).map(|_| label.to_owned());
        [(key, value), (label_of(key), label)]
    };
    put("rt", Some(record.time.unix().saturating_mul(1000).to_string()));
    put("act", Some(record.what.as_str().to_owned()));
    // The standard gives externalId 40 characters: the short form; the whole digest is cs1.
    put("externalId", Some(record.id.short()));
    // Of a session the host speaks; who it is about is the person.
    let subject = if record.session().is_some() { &record.requester } else { &record.actor };
    put("suser", subject.as_ref().map(ToString::to_string));
    put("outcome", record.state.map(|state| state.to_string()));
    put("msg", Some(record.sentence.clone()));
    put("reason", record.reason.clone());
    for (key, value) in [
        labelled("cs1", "eventId", Some(record.id.to_string())),
        labelled("cs2", "case", record.case.map(|case| case.0.hex())),
        match &record.detail {
            Detail::Lock { scope } => labelled("cs3", "scope", Some(scope.to_string())),
            _ => labelled("cs3", "targets", Some(record.targets_text())),
        },
        labelled("cs4", "incident", record.incident.clone()),
        labelled("cs5", "ledger", Some(record.ledger.to_string())),
        labelled("cs6", "ledgerName", Some(record.ledger_name.clone())),
        labelled("cn1", "position", Some(record.position.to_string())),
        labelled("flexString1", "commit", Some(record.commit.to_string())),
        labelled("flexString2", "emergency", record.emergency.then(|| "true".to_owned())),
    ]
    .into_iter()
    .flatten()
    {
        put(key, value);
    }
    match &record.detail {
        Detail::Session(session) => {
            put("duser", session.login.clone());
            put("dhost", Some(session.host.to_string()));
            let address = session.source.as_deref().and_then(|source| source.parse::<IpAddr>().ok());
            match address {
                Some(IpAddr::V4(address)) => put("src", Some(address.to_string())),
                Some(IpAddr::V6(address)) => {
                    put("c6a2", Some(address.to_string()));
                    put("c6a2Label", Some("Source IPv6 Address".to_owned()));
                }
                None => put("shost", session.source.clone()),
            }
        }
        Detail::Credential { serial, valid_before, .. } => {
            put("duser", record.requester.as_ref().map(ToString::to_string));
            put("cn2", Some(serial.to_string()));
            put("cn2Label", Some("serial".to_owned()));
            put("deviceCustomDate1", Some(valid_before.unix().saturating_mul(1000).to_string()));
            put("deviceCustomDate1Label", Some("ends".to_owned()));
        }
        Detail::Lock { .. } => {}
        Detail::Void { code } => put("cat", Some((*code).to_owned())),
        _ => put("duser", record.requester.as_ref().map(ToString::to_string)),
    }
    fields
}

fn label_of(key: &str) -> &'static str {
    match key {
        "cs1" => "cs1Label",
        "cs2" => "cs2Label",
        "cs3" => "cs3Label",
        "cs4" => "cs4Label",
        "cs5" => "cs5Label",
        "cs6" => "cs6Label",
        "cn1" => "cn1Label",
        "flexString1" => "flexString1Label",
        _ => "flexString2Label",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_field() {
        assert_eq!(header("a|b\\c\nd"), "a\\|b\\\\c\\\\nd");
        assert_eq!(escaped("a=b\\c|d\ne\rf"), "a\\=b\\\\c|d\\ne\\\\u{d}f");
    }

    /// What a receiver reads of a value: by the standard's words, not by our code.
    fn read(value: &str) -> Option<String> {
        let (mut out, mut rest) = (String::new(), value.chars());
        while let Some(c) = rest.next() {
            match c {
                '\\' => out.push(match rest.next()? {
                    'n' => '\n',
                    c @ ('\\' | '=') => c,
                    _ => return None,
                }),
                '=' | '\n' | '\r' => return None,
                c => out.push(c),
            }
        }
        Some(out)
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_one_value(text in "(?s)[a=|\\\\\n\r\u{202e} \"\\]]*|.*") {
            proptest::prop_assert_eq!(read(&escaped(&text)), Some(visible(&text)));
        }
    }
}
