//! The table of verdicts: what was seen, and what follows.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

const CASE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
const CERTIFICATE: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
const OTHER: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";

/// 14:00 to 15:00, seen at 14:30 with everything in order, unless changed.
struct Scene {
    session: Value,
    grants: Option<Value>,
    signs: Signs,
}

fn time(text: &str) -> Timestamp {
    format!("2026-11-23T{text}Z").parse().unwrap()
}

fn left(when: &str, whole: bool) -> Option<Left> {
    Some(Left { when: time(when), whole })
}

fn scene() -> Scene {
    let session = json!({
        "session": "abcdefghijklmnopqrstuvwxyz", "case": CASE, "requester": "alice", "environment": "prod", "serial": 7,
        "certificate": CERTIFICATE, "roles": ["payments-db/read-only"], "login": "payments-ro", "uid": 4711,
        "source": "192.0.2.7", "started": "2026-11-23T14:00:00Z", "ends": "2026-11-23T15:00:00Z",
        "cgroup": "/sys/fs/cgroup/jit/abcdefghijklmnopqrstuvwxyz", "monitor": {"pid": 1, "started": 1},
        "standing": "open", "recorder": {"pid": 2, "started": 2}, "recording": "/var/lib/jit/recordings/x.jitrec",
        "recorders": [], "reason": "look", "ticket": null,
    });
    let grant = json!({
        "case": CASE, "requester": "alice", "environment": "prod", "serial": 7, "certificate": CERTIFICATE,
        "opens": [{
            "principal": "prod/payments-db/read-only", "target": "payments-db", "role": "payments-db/read-only",
            "logins": ["payments-ro"], "record": true, "recorders": [], "spool": false,
        }],
        "forwards": false, "source_address": [], "valid_after": "2026-11-23T14:00:00Z", "valid_before": "2026-11-23T15:00:00Z",
        "ended": null, "reason": "look", "ticket": null,
    });
    let grants = json!({
        "host": "db1", "ledger": OTHER, "head": "1".repeat(40), "size": 100, "root": OTHER,
        "checked": "2026-11-23T14:29:59Z", "staleness": "10m", "clock_skew": "5m", "logins": ["payments-ro"],
        "grants": [grant], "probes": [], "open": [],
    });
    let signs = Signs {
        now: time("14:30:00"),
        watched: Duration::from_secs(1800),
        leaving: Duration::ZERO,
        overdue: false,
        monitor: true,
        recorder: true,
        left: None,
        size: 100,
        login_wait: Duration::from_secs(10),
    };
    Scene { session, grants: Some(grants), signs }
}

impl Scene {
    fn judged(&self) -> Option<Verdict> {
        let session = serde_json::from_value(self.session.clone()).unwrap();
        let grants: Option<Grants> = self.grants.clone().map(|grants| serde_json::from_value(grants).unwrap());
        verdict(&session, grants.as_ref(), &self.signs)
    }

    /// The cause, `-` where it goes on, `drop` where the ledger hears nothing.
    fn cause(&self) -> String {
        match self.judged() {
            None => "-".to_owned(),
            Some(Verdict::Drop(_)) => "drop".to_owned(),
            Some(Verdict::End(cause, why)) => {
                assert!(!why.is_empty());
                cause.to_string()
            }
        }
    }

    fn ended(&mut self, how: &str) {
        self.grants.as_mut().unwrap()["grants"][0]["ended"] = json!({ "how": how, "why": "bob said so" });
    }

    fn grants(&mut self) -> &mut Value {
        self.grants.as_mut().unwrap()
    }
}

#[test]
fn what_follows_from_what_was_seen() {
    type Change = fn(&mut Scene);
    let table: &[(&str, &str, Change)] = &[
        ("all is in order", "-", |_| {}),
        ("the last second", "-", |it| it.signs.now = time("14:59:59")),
        ("its end", "expired", |it| it.signs.now = time("15:00:00")),
        ("long after its end", "expired", |it| it.signs.now = time("19:00:00")),
        ("the clock was set back, but the time is over", "expired", |it| {
            it.signs.now = time("12:00:00");
            it.signs.overdue = true;
        }),
        ("revoked", "revoked", |it| it.ended("revoked")),
        ("locked", "revoked", |it| it.ended("locked")),
        ("closed", "closed", |it| it.ended("closed")),
        ("revoked, seen after its end", "revoked", |it| {
            it.ended("revoked");
            it.signs.now = time("16:00:00");
        }),
        ("revoked in a mirror that is stale now", "revoked", |it| {
            it.ended("revoked");
            it.grants()["checked"] = json!("2026-11-23T13:00:00Z");
        }),
        ("no mirror", "-", |it| it.grants = None),
        ("no mirror, at its end", "expired", |it| {
            it.grants = None;
            it.signs.now = time("15:00:00");
        }),
        ("the ledger holds the certificate no more", "revoked", |it| it.grants()["grants"] = json!([])),
        ("the same, in a stale mirror", "-", |it| {
            it.grants()["grants"] = json!([]);
            it.grants()["checked"] = json!("2026-11-23T14:10:00Z");
        }),
        ("the same, in a mirror from before the session", "-", |it| {
            it.grants()["grants"] = json!([]);
            it.grants()["checked"] = json!("2026-11-23T13:59:59Z");
            it.signs.now = time("14:00:05");
        }),
        ("the same, in a mirror that shrank", "-", |it| {
            it.grants()["grants"] = json!([]);
            it.grants()["size"] = json!(99);
        }),
        ("the same, after its end", "expired", |it| {
            it.grants()["grants"] = json!([]);
            it.signs.now = time("15:00:01");
        }),
        ("another certificate of the case", "revoked", |it| {
            it.grants()["grants"][0]["certificate"] = json!(OTHER);
        }),
        ("the role lost the login", "revoked", |it| {
            it.grants()["grants"][0]["opens"][0]["logins"] = json!(["payments-rw"]);
        }),
        ("the host lost the target", "revoked", |it| it.grants()["grants"][0]["opens"] = json!([])),
        ("the recorder died", "lost", |it| it.signs.recorder = false),
        ("the recorder ended well, but the connection goes on", "lost", |it| {
            it.signs.recorder = false;
            it.signs.left = left("14:29:58", true);
        }),
        ("the recorder has done its work", "exit", |it| {
            it.signs.monitor = false;
            it.signs.recorder = false;
            it.signs.left = left("14:29:58", true);
        }),
        ("the recording broke, and the connection with it", "lost", |it| {
            it.signs.monitor = false;
            it.signs.recorder = false;
            it.signs.left = left("14:29:58", false);
        }),
        ("nothing had to be recorded, and nothing was", "exit", |it| {
            it.signs.monitor = false;
            it.signs.recorder = false;
            it.signs.left = left("14:29:58", false);
            it.session["recording"] = Value::Null;
        }),
        ("there is nothing to record", "-", |it| {
            it.signs.recorder = false;
            it.session["recording"] = Value::Null;
            it.session["recorder"] = Value::Null;
        }),
        ("the recorder is being started", "-", |it| {
            it.signs.recorder = false;
            it.signs.now = time("14:00:01");
            it.signs.watched = Duration::from_secs(1);
            it.session["recorder"] = Value::Null;
        }),
        ("the recorder was never started", "lost", |it| {
            it.signs.recorder = false;
            it.session["recorder"] = Value::Null;
        }),
        ("the connection ended", "exit", |it| it.signs.monitor = false),
        ("connection and recorder are both gone, and nothing was left", "lost", |it| {
            it.signs.monitor = false;
            it.signs.recorder = false;
        }),
        ("it had ended in time while nobody looked", "exit", |it| {
            it.signs.monitor = false;
            it.signs.recorder = false;
            it.signs.left = left("14:45:00", true);
            it.signs.now = time("17:00:00");
        }),
        ("a recorder that closed at the end does not make it an exit", "expired", |it| {
            it.signs.monitor = false;
            it.signs.recorder = false;
            it.signs.left = left("15:00:00", true);
            it.signs.now = time("15:00:00");
        }),
        ("refused", "drop", |it| it.session["standing"] = json!("refused")),
        ("refused, and being told", "-", |it| {
            it.session["standing"] = json!("leaving");
            it.signs.leaving = Duration::from_secs(4);
        }),
        ("refused, and gone", "drop", |it| {
            it.session["standing"] = json!("leaving");
            it.signs.monitor = false;
        }),
        ("refused, and lingering", "drop", |it| {
            it.session["standing"] = json!("leaving");
            it.signs.leaving = Duration::from_secs(5);
        }),
        ("waiting for its session-start", "-", |it| {
            it.session["standing"] = json!("starting");
            it.signs.now = time("14:00:15");
            it.signs.watched = Duration::from_secs(15);
            it.signs.monitor = false;
        }),
        ("waiting for too long", "drop", |it| {
            it.session["standing"] = json!("starting");
            it.signs.now = time("14:00:16");
            it.signs.watched = Duration::ZERO;
        }),
        ("waiting for too long, with a clock set back", "drop", |it| {
            it.session["standing"] = json!("starting");
            it.signs.now = time("13:00:00");
            it.signs.watched = Duration::from_secs(16);
        }),
    ];
    for (what, expected, change) in table {
        let mut scene = scene();
        change(&mut scene);
        assert_eq!(scene.cause(), *expected, "{what}");
    }
}
