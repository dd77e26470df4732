//! The record as one JSON object a line: all that there is, in jit's own words. The other JSON formats carry it whole.

use serde_json::{Map, Value, json};

use crate::domain::event::Subject;

use super::record::{Detail, Record};

/// One line.
pub fn line(record: &Record) -> String {
    Value::Object(object(record)).to_string()
}

/// The object. Fields that an event does not have are left out.
pub fn object(record: &Record) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("id", Some(json!(record.id.to_string())));
    put("kind", Some(json!(record.what.as_str())));
    put("time", Some(json!(record.time.to_string())));
    put("actor", record.actor.as_ref().map(|actor| json!(actor.as_str())));
    put("message", Some(json!(record.sentence)));
    put("severity", Some(json!(record.severity.as_str())));
    put("emergency", Some(json!(record.emergency)));
    put("case", record.case.map(|case| json!(case.0.hex())));
    put("case_id", record.case.map(|case| json!(case.short())));
    put("opened_by", record.opened_by.map(|kind| json!(kind.as_str())));
    put("state", record.state.map(|state| json!(state.as_str())));
    put("requester", record.requester.as_ref().map(|name| json!(name.as_str())));
    if !record.targets.is_empty() {
        put("targets", Some(record.targets.iter().map(|role| json!(role.to_string())).collect()));
    }
    put("reason", record.reason.as_ref().map(|text| json!(text)));
    put("ticket", record.ticket.as_ref().map(|text| json!(text)));
    put("incident", record.incident.as_ref().map(|text| json!(text)));
    put("ledger", Some(json!(record.ledger.to_string())));
    put("ledger_name", Some(json!(record.ledger_name)));
    put("position", Some(json!(record.position)));
    put("commit", Some(json!(record.commit.to_string())));
    put("root", Some(json!(record.root.to_string())));
    if let Some((name, value)) = detail(&record.detail) {
        put(name, Some(value));
    }
    fields
}

fn detail(detail: &Detail) -> Option<(&'static str, Value)> {
    Some(match detail {
        Detail::None => return None,
        Detail::Request { duration, risk } => ("request", json!({ "duration": duration.to_string(), "risk": risk })),
        Detail::Credential { environment, serial, valid_after, valid_before } => (
            "credential",
            json!({ "environment": environment.as_str(), "serial": serial, "valid_after": valid_after.to_string(),
                "valid_before": valid_before.to_string() }),
        ),
        Detail::Session(session) => (
            "session",
            json!({ "session": session.session, "host": session.host.as_str(), "serial": session.serial,
                "login": session.login, "source": session.source, "command": session.command,
                "recorded": session.recorded, "cause": session.cause,
                "ends": session.ends.map(|time| time.to_string()) }),
        ),
        Detail::Residue { clean } => ("residue", json!({ "clean": clean })),
        Detail::Review { verdict, follow_up } => ("review", json!({ "verdict": verdict, "follow_up": follow_up })),
        Detail::Lock { scope } => ("lock", json!({ "scope": scope.to_string() })),
        Detail::Proposal { subject, lifts } => {
            let mut fields = proposal(subject);
            if let (Some(scope), Some(fields)) = (lifts, fields.as_object_mut()) {
                fields.insert("lifts".to_owned(), json!(scope.to_string()));
            }
            ("proposal", fields)
        }
        Detail::Void { code } => ("void", json!({ "code": code })),
    })
}

fn proposal(subject: &Subject) -> Value {
    match subject {
        Subject::Policy { version, .. } => json!({ "subject": subject.as_str(), "version": version }),
        Subject::Acknowledge { commits } => {
            let commits: Vec<String> = commits.iter().map(ToString::to_string).collect();
            json!({ "subject": subject.as_str(), "commits": commits })
        }
        Subject::Unlock { lock } => json!({ "subject": subject.as_str(), "lock": lock.0.hex() }),
    }
}
