//! The canonical spelling: fields in the order of format.md, tables after plain fields, one `key = value` a line.

use std::fmt::Write as _;

use crate::domain::event::{
    Body, Event, FileDigest, Issuance, Proposal, Request, Review, SessionEnd, SessionStart, Subject,
};

/// The bytes of the event file.
pub fn write(event: &Event) -> Vec<u8> {
    let mut out = Lines(String::with_capacity(1024));
    out.bare("jit", 1);
    out.text("kind", event.kind().as_str());
    out.optional("ledger", event.ledger.as_ref());
    out.optional("case", event.case.as_ref());
    out.optional("policy", event.policy.as_ref());
    out.text("actor", event.actor.as_str());
    out.bare("time", event.time);
    out.optional("nonce", event.nonce.as_ref());
    if let Some(seen) = &event.seen {
        out.table("seen");
        out.bare("size", seen.size);
        out.text("root", seen.root);
    }
    out.table(event.kind().as_str());
    body(&mut out, &event.body);
    out.0.into_bytes()
}

fn body(out: &mut Lines, body: &Body) {
    match body {
        Body::Genesis(genesis) => {
            out.text("name", &genesis.name);
            out.files("genesis.file", &genesis.files);
        }
        Body::Request(request) => self::request(out, request),
        Body::Approval { comment } | Body::Withdrawal { comment } => out.optional("comment", comment.as_ref()),
        Body::Denial { comment } => out.text("comment", comment),
        Body::Issuance(issuance) => self::issuance(out, issuance),
        Body::SessionStart(start) => session_start(out, start),
        Body::SessionEnd(end) => session_end(out, end),
        Body::Revocation { reason, incident } => {
            out.text("reason", reason);
            out.optional("incident", incident.as_ref());
        }
        Body::Closure { summary, changes } => {
            out.text("summary", summary);
            out.list("changes", changes);
        }
        Body::Residue(residue) => {
            out.bare("clean", residue.clean);
            for item in &residue.items {
                out.array_table("residue.item");
                out.text("probe", &item.probe);
                out.text("result", item.result);
                out.text("detail", &item.detail);
            }
        }
        Body::Review(review) => self::review(out, review),
        Body::Lock(lock) => {
            out.text("scope", &lock.scope);
            out.text("reason", &lock.reason);
            out.optional("incident", lock.incident.as_ref());
        }
        Body::Proposal(proposal) => self::proposal(out, proposal),
        Body::Enactment => {}
    }
}

fn request(out: &mut Lines, request: &Request) {
    out.list("targets", &request.targets);
    out.text("duration", request.duration);
    if let Some(time) = request.not_before {
        out.bare("not_before", time);
    }
    out.text("business_need", &request.business_need);
    out.optional("least_privilege", request.least_privilege.as_ref());
    out.optional("ticket", request.ticket.as_ref());
    out.optional("incident", request.incident.as_ref());
    out.optional("extends", request.extends.as_ref());
    if request.emergency {
        out.bare("emergency", true);
    }
    if !request.source_address.is_empty() {
        out.list("source_address", &request.source_address);
    }
    out.text("credential_key", &request.credential_key);
    out.table("request.risk");
    out.text("level", request.risk.level);
    out.text("impact", &request.risk.impact);
    out.text("rollback", &request.risk.rollback);
    if !request.risk.data.is_empty() {
        out.list("data", &request.risk.data);
    }
}

fn issuance(out: &mut Lines, issuance: &Issuance) {
    out.text("type", "ssh-certificate");
    out.text("environment", &issuance.environment);
    out.bare("serial", issuance.serial);
    out.bare("valid_after", issuance.valid_after);
    out.bare("valid_before", issuance.valid_before);
    out.text("certificate", &issuance.certificate);
}

fn session_start(out: &mut Lines, start: &SessionStart) {
    out.text("session", &start.session);
    out.bare("serial", start.serial);
    out.text("login", &start.login);
    out.text("source", &start.source);
    out.optional("command", start.command.as_ref());
    out.text("recording", start.recording);
}

fn session_end(out: &mut Lines, end: &SessionEnd) {
    out.text("session", &end.session);
    out.text("cause", end.cause);
    if let Some(code) = end.exit_code {
        out.bare("exit_code", code);
    }
    out.optional("recording", end.recording.as_ref());
    out.bare("bytes", end.bytes);
}

fn review(out: &mut Lines, review: &Review) {
    out.text("verdict", review.verdict);
    out.optional("follow_up", review.follow_up.as_ref());
    for item in &review.items {
        out.array_table("review.item");
        out.text("check", &item.check);
        out.text("answer", item.answer);
        out.optional("note", item.note.as_ref());
    }
}

fn proposal(out: &mut Lines, proposal: &Proposal) {
    out.text("subject", proposal.subject.as_str());
    if let Subject::Policy { version, .. } = &proposal.subject {
        out.bare("version", version);
    }
    out.text("reason", &proposal.reason);
    match &proposal.subject {
        Subject::Policy { files, .. } => out.files("proposal.file", files),
        Subject::Acknowledge { commits } => out.list("commits", commits),
        Subject::Unlock { lock } => out.text("lock", lock),
    }
}

/// Lines of TOML. Writing to a `String` cannot fail.
struct Lines(String);

impl Lines {
    fn bare(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = write!(self.0, "{key} = ");
        self.quoted(&value.to_string());
        self.0.push('\n');
    }

    fn optional(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn list(&mut self, key: &str, values: &[impl std::fmt::Display]) {
        let _ = write!(self.0, "{key} = [");
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.0.push_str(", ");
            }
            self.quoted(&value.to_string());
        }
        self.0.push_str("]\n");
    }

    fn table(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n[{name}]");
    }

    fn array_table(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n[[{name}]]");
    }

    fn files(&mut self, table: &str, files: &[FileDigest]) {
        for file in files {
            self.array_table(table);
            self.text("path", &file.path);
            self.text("sha256", file.sha256);
        }
    }

    /// A basic string with the shortest escape of each character that needs one.
    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\t' => self.0.push_str("\\t"),
                '\r' => self.0.push_str("\\r"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                c if c < ' ' || c == '\u{7f}' => {
                    let _ = write!(self.0, "\\u{:04X}", u32::from(c));
                }
                c => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}
