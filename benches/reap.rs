//! What the reaper costs while it watches no session and fifty, and how soon fifty are dead after a lock:
//! `cargo bench --bench reap`. Needs root and cgroup v2, like `tests/reap.rs`, whose host it uses.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::time::{Duration, Instant};

use serde_json::json;

use reaping::{Host, alive, eventually};

#[path = "../tests/common/harness.rs"]
mod common;
#[path = "../tests/common/reaping.rs"]
mod reaping;

fn main() {
    let Some(host) = Host::new("the cost of watching sessions") else { return };
    for count in [0, 50] {
        let sessions: Vec<_> = (0..count).map(|_| host.session(|_| {})).collect();
        for session in &sessions {
            session.has_a_recorder(b"x");
        }
        host.publishes(&sessions.iter().collect::<Vec<_>>(), |_| {});
        let reaper = host.reaper();
        std::thread::sleep(Duration::from_secs(2));
        let before = reaper.cpu_ticks();
        std::thread::sleep(Duration::from_secs(20));
        let used = reaper.cpu_ticks() - before;
        println!("{count} sessions: {used} hundredths of a second in 20 s, {} resident", reaper.resident());
        if sessions.is_empty() {
            continue;
        }
        host.publishes(&sessions.iter().collect::<Vec<_>>(), |grants| {
            for grant in grants["grants"].as_array_mut().unwrap() {
                grant["ended"] = json!({"how": "locked", "why": "the ledger is locked"});
            }
        });
        let began = Instant::now();
        eventually("all are dead", || !sessions.iter().any(|session| alive(session.monitor)));
        println!("{count} sessions dead {:?} after a lock", began.elapsed());
    }
}
