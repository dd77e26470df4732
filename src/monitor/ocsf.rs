//! The record as an event of the Open Cybersecurity Schema Framework, 1.8.0: the class and activity of its kind, the
//! attributes that the class demands, and jit's own object whole as `unmapped`. Events of a case share
//! `metadata.correlation_uid`.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use crate::domain::event::{Kind, LockScope, Subject};
use crate::domain::id::Name;

use super::jsonl;
use super::record::{Detail, Record, SessionDetail, What};
use super::{PRODUCT, VERSION};

/// The schema's version.
pub const SCHEMA: &str = "1.8.0";

/// A class and an activity of it. `type_uid` is class × 100 + activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// The class's number.
    pub uid: u32,
    /// Its caption.
    pub name: &'static str,
    /// The category's caption; its number is the class's thousands.
    pub category: &'static str,
    /// The activity's number.
    pub activity: u32,
    /// Its caption.
    pub activity_name: &'static str,
}

const fn entity(activity: u32, activity_name: &'static str) -> Class {
    Class { uid: 3004, name: "Entity Management", category: IAM, activity, activity_name }
}

const fn privileges(activity: u32, activity_name: &'static str) -> Class {
    Class { uid: 3005, name: "User Access Management", category: IAM, activity, activity_name }
}

const fn authentication(activity: u32, activity_name: &'static str) -> Class {
    Class { uid: 3002, name: "Authentication", category: IAM, activity, activity_name }
}

const FINDING: Class =
    Class { uid: 2003, name: "Compliance Finding", category: "Findings", activity: 1, activity_name: "Create" };
const IAM: &str = "Identity & Access Management";

/// The class of a record: the table of docs/export.md.
pub fn class(record: &Record) -> Class {
    let What::Event(kind) = record.what else { return FINDING };
    match (kind, &record.detail) {
        (Kind::Genesis | Kind::Request | Kind::Proposal, _) => entity(1, "Create"),
        (Kind::Approval | Kind::Denial | Kind::Withdrawal | Kind::Closure | Kind::Review, _) => entity(3, "Update"),
        (Kind::Lock, _) => entity(12, "Suspend"),
        (Kind::Enactment, Detail::Proposal { subject: Subject::Unlock { .. }, .. }) => entity(13, "Resume"),
        (Kind::Enactment, Detail::Proposal { subject: Subject::Acknowledge { .. }, .. }) => entity(3, "Update"),
        (Kind::Enactment, _) => entity(10, "Activate"),
        (Kind::Issuance, _) => privileges(1, "Assign Privileges"),
        (Kind::Revocation, _) => privileges(2, "Revoke Privileges"),
        (Kind::SessionStart, _) => authentication(1, "Logon"),
        (Kind::SessionEnd, _) => authentication(2, "Logoff"),
        (Kind::Residue, _) => FINDING,
    }
}

/// One line.
pub fn line(record: &Record) -> String {
    let class = class(record);
    let mut event = Map::new();
    common(&mut event, record, class);
    match class.uid {
        3004 => of_entity(&mut event, record),
        3005 => of_privileges(&mut event, record),
        3002 => of_session(&mut event, record),
        _ => of_finding(&mut event, record),
    }
    event.insert("unmapped".to_owned(), Value::Object(jsonl::object(record)));
    Value::Object(event).to_string()
}

/// What the base event demands and recommends.
fn common(event: &mut Map<String, Value>, record: &Record, class: Class) {
    let mut metadata = json!({
        "version": SCHEMA,
        "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION },
        "uid": record.id.to_string(),
        "sequence": record.position,
        "event_code": record.what.as_str(),
        "log_name": record.ledger_name,
        "tenant_uid": record.ledger.to_string(),
        "original_time": record.time.to_string(),
    });
    if let (Some(case), Some(fields)) = (record.case, metadata.as_object_mut()) {
        fields.insert("correlation_uid".to_owned(), json!(case.0.hex()));
    }
    let mut put = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    put("metadata", metadata);
    put("time", json!(record.time.unix().saturating_mul(1000)));
    put("category_uid", json!(class.uid / 1000));
    put("category_name", json!(class.category));
    put("class_uid", json!(class.uid));
    put("class_name", json!(class.name));
    put("activity_id", json!(class.activity));
    put("activity_name", json!(class.activity_name));
    put("type_uid", json!(class.uid.saturating_mul(100).saturating_add(class.activity)));
    put("type_name", json!(format!("{}: {}", class.name, class.activity_name)));
    put("severity_id", json!(record.severity.ocsf()));
    put("severity", json!(record.severity.ocsf_name()));
    put("message", json!(record.sentence));
    if let Some(state) = record.state {
        put("status_detail", json!(state.as_str()));
    }
    if class.uid == FINDING.uid {
        return;
    }
    // What is in the ledger was done; a denial, too, is an update that was made.
    put("status_id", json!(1));
    put("status", json!("Success"));
    if let Some(actor) = &record.actor {
        put("actor", json!({ "user": user(actor) }));
    }
}

fn user(name: &Name) -> Value {
    json!({ "name": name.as_str(), "uid": name.as_str() })
}

/// Whom the access is for; where a case has nobody, who said it.
fn subject(record: &Record) -> Value {
    match record.requester.as_ref().or(record.actor.as_ref()) {
        Some(name) => user(name),
        None => json!({ "name": "unknown" }),
    }
}

fn of_entity(event: &mut Map<String, Value>, record: &Record) {
    let kind = match (&record.detail, record.opened_by) {
        (Detail::Lock { scope: LockScope::Member(_) }, _) => "Member",
        (Detail::Lock { scope: LockScope::Target(_) }, _) => "Target",
        (Detail::Lock { scope: LockScope::Environment(_) }, _) => "Environment",
        (Detail::Lock { scope: LockScope::Ledger }, _) | (_, Some(Kind::Genesis)) => "Ledger",
        (_, Some(Kind::Proposal)) => "Proposal",
        (_, Some(Kind::Lock)) => "Lock",
        _ => "AccessRequest",
    };
    let case = record.case.map(|case| (case.short(), case.0.hex())).unwrap_or_default();
    let (name, uid) = match &record.detail {
        Detail::Lock { scope } => {
            let named = match scope {
                LockScope::Member(name) | LockScope::Target(name) | LockScope::Environment(name) => name.to_string(),
                LockScope::Ledger => record.ledger_name.clone(),
            };
            (named, case.1)
        }
        _ => case,
    };
    event.insert("entity".to_owned(), json!({ "name": name, "uid": uid, "type": kind, "type_id": 99 }));
    if let Some(reason) = &record.reason {
        event.insert("comment".to_owned(), json!(reason));
    }
}

fn of_privileges(event: &mut Map<String, Value>, record: &Record) {
    event.insert("user".to_owned(), subject(record));
    let privileges: Vec<String> = record.targets.iter().map(ToString::to_string).collect();
    event.insert("privileges".to_owned(), json!(privileges));
    event.insert("resources".to_owned(), resources(record));
}

fn resources(record: &Record) -> Value {
    let resource = |role: &crate::domain::id::RoleRef| json!({ "name": role.target.as_str(), "uid": role.target.as_str(), "type": "target" });
    record.targets.iter().map(resource).collect()
}

fn of_session(event: &mut Map<String, Value>, record: &Record) {
    let Some(session) = record.session() else { return };
    let mut person = subject(record);
    if let (Some(login), Some(fields)) = (&session.login, person.as_object_mut()) {
        fields.insert("account".to_owned(), json!({ "name": login }));
    }
    event.insert("user".to_owned(), person);
    event.insert("dst_endpoint".to_owned(), json!({ "hostname": session.host.as_str() }));
    event.insert("service".to_owned(), json!({ "name": "ssh" }));
    event.insert("auth_protocol_id".to_owned(), json!(99));
    event.insert("auth_protocol".to_owned(), json!("OpenSSH certificate"));
    event.insert("is_remote".to_owned(), json!(true));
    if let Some(source) = &session.source {
        let named = if source.parse::<IpAddr>().is_ok() { "ip" } else { "name" };
        event.insert("src_endpoint".to_owned(), json!({ named: source }));
    }
    event.insert("session".to_owned(), session_object(session));
}

fn session_object(session: &SessionDetail) -> Value {
    let mut object = json!({ "uid": session.session, "is_remote": true });
    let Some(fields) = object.as_object_mut() else { return object };
    if let Some(serial) = session.serial {
        fields.insert("credential_uid".to_owned(), json!(serial.to_string()));
    }
    if let Some(ends) = session.ends {
        fields.insert("expiration_time".to_owned(), json!(ends.unix().saturating_mul(1000)));
    }
    if let Some(cause) = session.cause {
        fields.insert("expiration_reason".to_owned(), json!(cause));
    }
    object
}

fn of_finding(event: &mut Map<String, Value>, record: &Record) {
    let (control, passed) = match &record.detail {
        Detail::Void { code } => (*code, false),
        Detail::Residue { clean } => ("nothing left behind", *clean),
        _ => ("", true),
    };
    let (status_id, status) = if passed { (1, "Pass") } else { (3, "Fail") };
    event.insert(
        "compliance".to_owned(),
        json!({ "control": control, "standards": ["jit/1"], "status_id": status_id, "status": status }),
    );
    let mut info = json!({ "uid": record.id.to_string(), "title": record.sentence,
        "created_time": record.time.unix().saturating_mul(1000) });
    if let (Some(reason), Some(fields)) = (&record.reason, info.as_object_mut()) {
        fields.insert("desc".to_owned(), json!(reason));
    }
    event.insert("finding_info".to_owned(), info);
    event.insert("resources".to_owned(), {
        let ledger = json!({ "name": record.ledger_name, "uid": record.ledger.to_string(), "type": "ledger" });
        match resources(record) {
            Value::Array(mut list) if !list.is_empty() => {
                list.push(ledger);
                Value::Array(list)
            }
            _ => json!([ledger]),
        }
    });
}
