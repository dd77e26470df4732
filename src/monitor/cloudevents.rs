//! The record as a CloudEvents 1.0.2 event in the JSON format: `id` the event's digest, `source` the ledger, `subject` the
//! case, and jit's own object as `data`.

use serde_json::{Value, json};

use super::jsonl;
use super::record::Record;

/// One line.
pub fn line(record: &Record) -> String {
    let mut event = json!({
        "specversion": "1.0",
        "id": record.id.to_string(),
        // `sha256:…` is a URI as it stands: a scheme and an opaque part.
        "source": record.ledger.to_string(),
        "type": format!("dev.jit.{}.v1", record.what.as_str()),
        "time": record.time.to_string(),
        "datacontenttype": "application/json",
        // The extension `sequence`: it must sort as text does.
        "sequence": format!("{:012}", record.position),
        "data": Value::Object(jsonl::object(record)),
    });
    if let (Some(case), Some(fields)) = (record.case, event.as_object_mut()) {
        fields.insert("subject".to_owned(), json!(case.0.hex()));
    }
    event.to_string()
}
