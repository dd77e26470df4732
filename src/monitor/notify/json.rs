//! The notice as a JSON object: what webhooks and commands are given (docs/notify.md, "The object"), and what waits on disk.

use serde_json::{Value, json};

use super::{About, Notice};
use crate::domain::id::{CaseId, Digest};
use crate::domain::time::Timestamp;

impl Notice {
    /// The object, for a ledger of this id and name.
    pub fn json(&self, ledger: Digest, name: &str) -> Value {
        let case = self.case();
        let commit = match self.about {
            About::Void(commit) => Some(commit.to_string()),
            About::Case(_) | About::Many => None,
        };
        json!({
            "id": self.id(ledger).to_string(),
            "kind": self.kind.as_str(),
            "role": self.role.as_str(),
            "to": self.to.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            "ledger": ledger.to_string(),
            "ledger_name": name,
            "case": case.map(|case| case.0.hex()),
            "case_id": case.map(|case| case.short()),
            "commit": commit,
            "link": case.map(|case| format!("jit:case/{}/{}", ledger.short(), case.short())),
            "subject": self.subject.to_string(),
            "time": self.time.to_string(),
            "title": self.title,
            "lines": self.lines,
            "until": self.until.map(|time| time.to_string()),
            "command": self.command,
        })
    }

    /// The notice that such an object holds; `None` where it is none.
    pub fn of_json(object: &Value) -> Option<Self> {
        let text = |field: &str| object.get(field).and_then(Value::as_str);
        let texts = |field: &str| -> Option<Vec<&str>> {
            object.get(field)?.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
        };
        let time = |field: &str| -> Option<Option<Timestamp>> {
            match text(field) {
                Some(text) => text.parse().ok().map(Some),
                None => Some(None),
            }
        };
        let about = match (text("case"), text("commit")) {
            (Some(case), _) => About::Case(CaseId(format!("sha256:{case}").parse().ok()?)),
            (None, Some(commit)) => About::Void(commit.parse().ok()?),
            (None, None) => About::Many,
        };
        Some(Self {
            to: texts("to")?.into_iter().map(str::parse).collect::<Result<_, _>>().ok()?,
            role: text("role")?.parse().ok()?,
            kind: text("kind")?.parse().ok()?,
            about,
            subject: text("subject")?.parse().ok()?,
            time: time("time")??,
            title: text("title")?.to_owned(),
            lines: texts("lines")?.into_iter().map(str::to_owned).collect(),
            until: time("until")?,
            command: text("command").map(str::to_owned),
        })
    }
}
