//! Connections that drop: which messages say so, and how long git is run again. A server that is asked by many at once
//! drops some at random before they say who they are (sshd's `MaxStartups`); a connection may also end half-way.
//! Imports nothing of ours.

use std::time::{Duration, Instant};

use super::program::Finished;

/// What ssh says when it was dropped before anything was asked.
const AT_THE_DOOR: [&str; 6] = [
    "kex_exchange_identification",
    "ssh_exchange_identification",
    "Connection closed by",
    "Connection reset by",
    "during banner exchange",
    "Exceeded MaxStartups",
];
/// What git and ssh say when it ended later on.
const HALF_WAY: [&str; 6] = [
    "Broken pipe",
    "the remote end hung up unexpectedly",
    "early EOF",
    "unexpected disconnect",
    "send disconnect",
    "Connection to",
];
/// What is none, whatever else is said: the other side has answered.
const ANSWERED: [&str; 4] =
    ["Permission denied", "does not appear to be a git repository", "Host key verification failed", "[re"];
/// For how long whoever is dropped at the door knocks again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often what ended half-way is run again.
const TRIES: u32 = 3;

/// The drops of one call.
pub struct Drops {
    began: Instant,
    patience: Duration,
    count: u32,
}

impl Drops {
    /// Of a call that may take so long.
    pub fn within(limit: Duration) -> Self {
        Self { began: Instant::now(), patience: PATIENCE.min(limit), count: 0 }
    }

    /// How long to wait before git is run again; `None` where it did not drop, or has dropped for long enough.
    pub fn pause_after(&mut self, finished: &Finished) -> Option<Duration> {
        let says = |texts: &[&str]| texts.iter().any(|text| finished.stderr.contains(text));
        // `[rejected]`, `[remote rejected]`: a verdict on a reference.
        if finished.success || finished.stdout.contains("\t[re") || says(&ANSWERED) {
            return None;
        }
        let goes_on = if says(&AT_THE_DOOR) {
            self.began.elapsed() < self.patience
        } else {
            says(&HALF_WAY) && self.count < TRIES
        };
        if !goes_on {
            return None;
        }
        self.count = self.count.saturating_add(1);
        Some(spread(self.count, std::process::id()))
    }
}

/// A pause that doubles up to 1.6 s, of which half differs from process to process: those who were dropped together do not
/// come back together. Nothing secret rests on it.
fn spread(count: u32, process: u32) -> Duration {
    let bound = 50_u32 << count.min(5);
    let mixed = process.wrapping_add(count.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b) >> 16;
    Duration::from_millis(u64::from(bound / 2 + mixed % (bound / 2 + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stderr: &str) -> Finished {
        Finished { success: false, stdout: String::new(), stderr: stderr.to_owned() }
    }

    #[test]
    fn drops_are_told_from_answers() {
        for dropped in [
            "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 127.0.0.1 port 22\nfatal: \
             Could not read from remote repository.",
            "Connection closed by 127.0.0.1 port 22\nfatal: Could not read from remote repository.",
            "client_loop: send disconnect: Broken pipe\nfatal: the remote end hung up unexpectedly",
            "fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF",
        ] {
            assert!(Drops::within(PATIENCE).pause_after(&said(dropped)).is_some(), "{dropped}");
        }
        for answered in [
            "git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "alice@127.0.0.1: Permission denied (publickey).\nConnection closed by 127.0.0.1 port 22",
            "fatal: '/x' does not appear to be a git repository\nfatal: the remote end hung up unexpectedly",
            "ssh: Could not resolve hostname x: Name or service not known\nfatal: Could not read from remote repository.",
            "ssh: connect to host 127.0.0.1 port 1: Connection refused\nfatal: Could not read from remote repository.",
            "fatal: couldn't find remote ref refs/heads/main",
        ] {
            assert!(Drops::within(PATIENCE).pause_after(&said(answered)).is_none(), "{answered}");
        }
        let rejected = Finished {
            stdout: "To x\n!\tabc:refs/heads/main\t[rejected] (fetch first)\nDone\n".to_owned(),
            ..said("the remote end hung up unexpectedly")
        };
        assert!(Drops::within(PATIENCE).pause_after(&rejected).is_none());
    }

    #[test]
    fn it_ends() {
        let mut drops = Drops::within(PATIENCE);
        let half_way = said("fatal: early EOF");
        let pauses: Vec<_> = std::iter::from_fn(|| drops.pause_after(&half_way)).take(100).collect();
        assert_eq!(pauses.len(), 3);
        assert!((1..200).all(|count| spread(count, 4711) <= Duration::from_millis(1600)));
        assert_ne!(spread(3, 4711), spread(3, 4712));
    }
}
