//! Many writers at once: `cargo bench --bench writers [-- WRITERS[,…] [EVENTS [direct|inbox[,…] [file|ssh[,…]]]]]`, 16 and 64
//! writers and 20 events each, in each way, where nothing is said. Each writer is a clone of its own in which `jit request` is run EVENTS times, one after the
//! other, and the time of each call counts until the event is known to be in the ledger. Remotes are a path and a real sshd
//! on 127.0.0.1, with the hooks of `jit hook install`; the policy says `append = "direct"` or `"inbox"`.
//!
//! Afterwards everything is verified, in the remote: each event is there once, on one line, and nothing waits any more.
//! What gave up (the time for lost races is bounded) is delivered by `jit sync`, and its time counts to there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::time::{Duration, Instant};

use common::{Place, absent};
use crowd::{Crowd, Way};

#[path = "../tests/common/harness.rs"]
mod common;
#[path = "../tests/writers/crowd.rs"]
mod crowd;

fn main() {
    if absent("writers", &["git", "ssh", "sshd", "ssh-keygen"]) {
        return;
    }
    let numbers: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let crowds = numbers.first().map_or("16,64", String::as_str).to_owned();
    let events: usize = numbers.get(1).map_or(20, |word| word.parse().unwrap());
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("| writers × events | remote | append | events/s | p50 s | p95 s | max s | gave up | load |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for writers in crowds.split(',').map(|word| word.parse::<usize>().unwrap()) {
        for append in numbers.get(2).map_or("direct,inbox", String::as_str).split(',') {
            for way in numbers.get(3).map_or("file,ssh", String::as_str).split(',') {
                run(writers, events, append, if way == "ssh" { Way::Ssh } else { Way::File });
            }
        }
    }
}

fn run(writers: usize, events: usize, append: &str, way: Way) {
    let place = Place::new();
    let crowd = Crowd::new(&place, append, way, "MaxStartups 200\n");
    let desks: Vec<_> = (0..writers).map(|number| crowd.writer(number)).collect();
    let began = Instant::now();
    let (mut times, mut gave_up) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        let write = |desk| move || writes(desk, events);
        let threads: Vec<_> = desks.iter().map(|desk| scope.spawn(write(desk))).collect();
        for thread in threads {
            let (took, failed) = thread.join().unwrap();
            times.extend(took);
            gave_up += failed;
        }
    });
    let whole = began.elapsed();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    crowd.is_whole(writers * events);
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64();
    println!(
        "| {writers} × {events} | {} | {append} | {:.1} | {:.2} | {:.2} | {:.2} | {gave_up} | {} |",
        way.name(),
        f64::from(u32::try_from(times.len()).unwrap()) / whole.as_secs_f64(),
        at(50),
        at(95),
        at(100),
        load.split(' ').next().unwrap_or_default()
    );
}

/// The time until each event is in the ledger, and how many commands gave up before.
fn writes(desk: &common::Desk<'_>, events: usize) -> (Vec<Duration>, usize) {
    let (mut times, mut gave_up) = (Vec::new(), 0);
    for _ in 0..events {
        let began = Instant::now();
        gave_up += crowd::lands(desk);
        times.push(began.elapsed());
    }
    (times, gave_up)
}
