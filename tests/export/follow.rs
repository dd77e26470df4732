//! Exporters that run on: receivers that go away and come back, exporters that are killed, remotes that are rewritten.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use super::common::daemon::Daemon;
use super::common::server::Sshd;
use super::common::server::free_port;
use super::common::{Desk, Place, absent, find};
use super::place::{Receiver, exporter, ids, until};
use super::{gone, sample, small, text, truth, url};

/// A remote, a clone that is exported, and people who go on working.
struct Works {
    place: Place,
    remote: PathBuf,
    clone: PathBuf,
}

impl Works {
    fn new() -> Self {
        let place = Place::new();
        let remote = small(&place);
        let clone = place.path("clone.git");
        let siem = place.desk("rita", &clone);
        siem.jit_anywhere(&["clone", text(&remote), text(&clone), "--json"]).ok();
        Self { place, remote, clone }
    }

    /// The desk of somebody with a clone of their own.
    fn desk(&self, name: &str) -> Desk<'_> {
        let ledger = self.place.path("home").join(name).join("ledger");
        let desk = self.place.desk(name, &ledger);
        if !ledger.exists() {
            desk.jit_anywhere(&["clone", text(&self.remote), text(&ledger), "--json"]).ok();
        }
        desk
    }

    fn truth(&self) -> Vec<String> {
        truth(&self.place, &self.remote, &BTreeSet::new())
    }
}

#[test]
fn every_event_arrives_once_after_a_restart_of_both_sides() {
    if gone("every_event_arrives_once_after_a_restart_of_both_sides") {
        return;
    }
    let works = Works::new();
    let mut tcp = Receiver::new(&works.place, "tcp", "tcp", &[]);
    let mut web = Receiver::new(&works.place, "http", "web", &[]);
    let (to_tcp, to_web) = (url("syslog+tcp", &tcp), url("http", &web));
    let start = || {
        let syslog = ["--follow", "--format", "syslog", "--to", &to_tcp, "--timeout", "2s", "--every", "60s"];
        let http = ["--follow", "--to", &to_web, "--timeout", "2s", "--every", "60s"];
        (
            exporter(&works.place, &works.clone, "syslog", &syslog),
            // The second reads the remote itself: it has no clone between.
            exporter(&works.place, &works.remote, "http", &http),
        )
    };
    let (syslog, http) = start();
    let both = |tcp: &Receiver, web: &Receiver| (tcp.ids(), web.ids());
    let all = |tcp: &Receiver, web: &Receiver| {
        let truth = works.truth();
        until("both have everything", || both(tcp, web) == (truth.clone(), truth.clone()));
    };
    all(&tcp, &web);
    // A push to a remote on this machine is seen without waiting for --every.
    works.desk("alice").opens("15m");
    all(&tcp, &web);
    syslog.terminate();
    http.terminate();
    tcp.stop();
    web.stop();
    works.desk("alice").opens("16m");
    tcp.restart();
    web.restart();
    let (syslog, http) = start();
    all(&tcp, &web);
    // The receivers are away while events come, and the exporters are killed while they wait for them.
    tcp.stop();
    web.stop();
    works.desk("alice").opens("17m");
    until("both tell it", || syslog.said().contains("trying again") && http.said().contains("trying again"));
    syslog.kill();
    http.kill();
    let (syslog, http) = start();
    works.desk("alice").opens("18m");
    tcp.restart();
    web.restart();
    all(&tcp, &web);
    // A receiver that fails for a while.
    web.behave("500");
    tcp.behave("half");
    works.desk("alice").opens("19m");
    until("both tell it", || syslog.said().contains("reset") && http.said().contains("500"));
    web.behave("ok");
    tcp.behave("ok");
    all(&tcp, &web);
    syslog.terminate();
    http.terminate();
    // What an exporter verified is what the clone's other commands go on from.
    let verified = works.place.desk("rita", &works.clone).jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["head"], *works.place.head(&works.remote));
    assert_eq!(works.place.head(&works.clone), works.place.head(&works.remote));
}

/// A real rsyslogd that writes what it takes to a file, as it came.
fn rsyslogd(place: &Place, port: u16) -> Daemon {
    let at = |name: &str| place.path(name).display().to_string();
    let configuration = format!(
        "global(workDirectory=\"{}\" maxMessageSize=\"64k\")\nmodule(load=\"imtcp\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         template(name=\"whole\" type=\"string\" string=\"%rawmsg%\\n\")\n\
         action(type=\"omfile\" file=\"{}\" template=\"whole\")\n",
        at(""),
        at("rsyslog.taken")
    );
    fs::write(at("rsyslog.conf"), configuration).unwrap();
    let mut command = Command::new(find("rsyslogd").unwrap());
    command.args(["-n", "-f", &at("rsyslog.conf"), "-i", &at("rsyslog.pid")]).env_clear();
    let daemon = Daemon::start(command, place.path("rsyslog.err"));
    until("rsyslogd listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    daemon
}

#[test]
fn a_real_syslog_daemon_has_each_event_once_after_a_restart_of_both() {
    let test = "a_real_syslog_daemon_has_each_event_once_after_a_restart_of_both";
    if gone(test) || absent(test, &["rsyslogd"]) {
        return;
    }
    let works = Works::new();
    let port = free_port();
    let to = format!("syslog+tcp://127.0.0.1:{port}");
    let exporter = || {
        let arguments = ["--follow", "--format", "syslog", "--to", &to, "--timeout", "5s"];
        exporter(&works.place, &works.clone, "rsyslog", &arguments)
    };
    let taken = || ids(&fs::read_to_string(works.place.path("rsyslog.taken")).unwrap_or_default());
    let all = || {
        let truth = works.truth();
        until("it has each once, in order", || taken() == truth);
    };
    let (daemon, exports) = (rsyslogd(&works.place, port), exporter());
    all();
    works.desk("alice").opens("15m");
    all();
    exports.terminate();
    daemon.terminate();
    works.desk("alice").opens("16m");
    let (daemon, exports) = (rsyslogd(&works.place, port), exporter());
    works.desk("alice").opens("17m");
    all();
    exports.terminate();
    daemon.terminate();
    assert_eq!(taken(), works.truth());
}

#[test]
fn with_its_defaults_an_event_arrives_soon_from_a_remote_over_ssh() {
    let test = "with_its_defaults_an_event_arrives_soon_from_a_remote_over_ssh";
    if gone(test) || absent(test, &["ssh", "sshd"]) {
        return;
    }
    let works = Works::new();
    let sshd = Sshd::of_keys(&works.place, &["rita"]);
    let rita = works.place.desk("rita", &works.clone);
    sshd.serves(&rita, &works.remote, &rita.key);
    let tcp = Receiver::new(&works.place, "tcp", "tcp", &[]);
    let web = Receiver::new(&works.place, "http", "web", &[]);
    let (to_tcp, to_web) = (url("syslog+tcp", &tcp), url("http", &web));
    // A clone each: each fetches for itself, as on machines of their own.
    let other = works.place.path("other.git");
    works.place.git(&works.place.path("home"), &["clone", "-q", "--bare", text(&works.remote), text(&other)]);
    let rita = works.place.desk("rita", &other);
    sshd.serves(&rita, &works.remote, &rita.key);
    let syslog = ["--follow", "--format", "syslog", "--to", &to_tcp];
    let syslog = exporter(&works.place, &works.clone, "syslog", &syslog);
    let http = exporter(&works.place, &other, "http", &["--follow", "--to", &to_web]);
    let both = |count: usize| tcp.ids().len() == count && web.ids().len() == count;
    let before = works.truth().len();
    until("both have what was there", || both(before));
    let mut took = Vec::new();
    let alice = works.desk("alice");
    for number in 1..=5 {
        alice.opens(&format!("{}m", 15 + number));
        let pushed = Instant::now();
        until("both have it", || both(before + number));
        took.push(pushed.elapsed().as_millis());
    }
    let truth = works.truth();
    assert_eq!((tcp.ids(), web.ids()), (truth.clone(), truth), "each once, in order");
    took.sort_unstable();
    println!(
        "over ssh: from the push to a syslog and an HTTP receiver, in ms: {took:?}, median {}",
        took[took.len() / 2]
    );
    println!("{} connections to sshd", sshd.connections());
    // Far more than it takes where nothing else runs.
    assert!(took.iter().all(|took| *took < 30_000), "{took:?}");
    syslog.terminate();
    http.terminate();
}

#[test]
fn a_remote_that_is_rewritten_ends_a_follower() {
    if gone("a_remote_that_is_rewritten_ends_a_follower") {
        return;
    }
    let works = Works::new();
    let file = works.place.path("out");
    let arguments = ["--follow", "--to", text(&file), "--every", "1s"];
    let mut running = exporter(&works.place, &works.clone, "follower", &arguments);
    until("it has everything", || file.exists() && ids(&fs::read_to_string(&file).unwrap()).len() == 4);
    let commits = works.place.commits(&works.remote);
    works.place.git(&works.remote, &["update-ref", "refs/heads/main", &commits[2]]);
    assert_eq!(running.code(), 5, "{}", running.said());
    assert!(running.said().contains("rewritten"), "{}", running.said());
    assert_eq!(works.place.head(&works.clone), commits[3], "the clone stays where it was");
}

#[test]
fn killed_in_the_midst_it_goes_on_and_loses_nothing() {
    if gone("killed_in_the_midst_it_goes_on_and_loses_nothing") {
        return;
    }
    let place = Place::new();
    let ledger = sample(&place);
    let web = Receiver::new(&place, "http", "web", &[]);
    let to = url("http", &web);
    let arguments = ["--to", &to, "--batch", "1", "--follow"];
    let mut seen = 0;
    for _ in 0..4 {
        let exporter = exporter(&place, &ledger, "killed", &arguments);
        until("it is under way", || web.taken().len() > seen + 3);
        exporter.kill();
        seen = web.taken().len();
        if seen > 30 {
            break;
        }
    }
    let exporter = exporter(&place, &ledger, "killed", &arguments);
    let truth = truth(&place, &ledger, &[35].into());
    until("it has everything", || web.ids().last() == truth.last());
    exporter.terminate();
    let ids = web.ids();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), truth.len(), "every event");
    // A duplicate is at the seam: the same event again, and then on.
    let mut again = ids.clone();
    again.dedup();
    assert_eq!(again, truth);
}
