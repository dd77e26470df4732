//! From a push to whoever watches, with the settings that everybody has who sets none: what it takes is printed, and that it comes is
//! demanded. How long it may take on a machine that does much else at the same time is no promise.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::common::server::Sshd;
use super::common::{Place, absent};
use super::{Acme, Lines};

/// Far more than it takes where nothing else runs.
const BOUND: Duration = Duration::from_secs(30);
const PUSHES: usize = 5;

fn told(how: &str, took: &[Duration]) {
    let mut millis: Vec<u128> = took.iter().map(Duration::as_millis).collect();
    millis.sort_unstable();
    println!("{how}: from the push to the view, in ms: {millis:?}, median {}", millis[millis.len() / 2]);
    assert!(took.iter().all(|took| *took < BOUND), "{how}: {took:?}");
}

#[test]
fn a_push_is_on_the_screen_and_in_the_lines_soon() {
    if absent("a_push_is_on_the_screen_and_in_the_lines_soon", &["git", "ssh-keygen", "tmux", "ssh", "sshd"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let alice = acme.desk("alice");
    let bob = acme.desk("bob");
    let sshd = Sshd::of_keys(&place, &["bob"]);
    for how in ["a path", "file://", "ssh"] {
        match how {
            "ssh" => sshd.serves(&bob, &acme.remote, &bob.key),
            "file://" => {
                let url = format!("file://{}", acme.remote.display());
                place.git(&bob.ledger, &["remote", "set-url", "origin", &url]);
            }
            _ => {}
        }
        let screen = acme.terminal("bob", 120, 40, &[]);
        screen.types("jit watch\n");
        screen.wait_for("the view", |screen| screen.contains("q quit"));
        let lines = Lines::start(&bob, &["--json", "--since", "0"]);
        lines.until("genesis");
        let (mut on_screen, mut in_lines) = (Vec::new(), Vec::new());
        for _ in 0..PUSHES {
            let case = alice.opens("30m");
            let pushed = Instant::now();
            // The latest event stands at the foot of the screen, whatever else there is.
            screen.wait_for("the case", |screen| screen.contains(&case));
            on_screen.push(pushed.elapsed());
            let line: Value = serde_json::from_str(&lines.until(&case)).unwrap();
            assert_eq!(line["case_id"], *case);
            in_lines.push(pushed.elapsed());
        }
        told(&format!("{how}, on the screen"), &on_screen);
        told(&format!("{how}, as JSON"), &in_lines);
    }
    println!("{} connections to sshd", sshd.connections());
}
