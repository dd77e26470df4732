//! `jit host sync` as the root parts of a host meet it: what is asked over its socket is in the ledger once, whatever
//! becomes of the remote, of others who write, and of the daemon itself. Who gets in is the business of `tests/host.rs`.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Desk, JIT, Place, environment, executable::executable, now, seconds};
use jit::domain::event::{EndCause, ProbeResult};
use jit::domain::id::{Digest, Nonce};
use jit::host::wire::{self, Answer, Ask, Item};
use jit::host::{Config, Grants};

#[path = "common/harness.rs"]
mod common;

const WAIT: Duration = Duration::from_secs(20);

/// A remote, a host that follows it, and a live case.
struct Host<'p> {
    place: &'p Place,
    remote: PathBuf,
    file: PathBuf,
    config: Config,
    daemon: Option<Child>,
    case: String,
}

impl<'p> Host<'p> {
    fn new(place: &'p Place, offline: &str) -> Self {
        let policy = place.path("policy.toml");
        let target = "[target.payments-db]\n";
        let text = place.policy_text(1).replacen(target, &format!("{target}offline = \"{offline}\"\n"), 1);
        fs::write(&policy, text).unwrap();
        let remote = place.path("remote.git");
        let desk = place.desk("rita", &remote);
        let arguments = ["init", remote.to_str().unwrap(), "--policy", policy.to_str().unwrap(), "--bare", "--json"];
        let id = desk.jit_anywhere(&arguments).ok().text("ledger");
        let (alice, bob, dave) =
            (place.desk("alice", &remote), place.desk("bob", &remote), place.desk("dave", &remote));
        let short = alice.opens("30m");
        bob.approves(&short).ok();
        dave.approves(&short).ok();
        place.desk("minter", &remote).mints().ok();
        let case = alice.sees(&short)["case"].as_str().unwrap().to_owned();
        let file = place.host_at(&place.path("host"), &id, &remote);
        let config = Config::read(&file).unwrap();
        let mut host = Self { place, remote, file, config, daemon: None, case };
        host.start();
        host
    }

    fn start(&mut self) {
        let mut command = Command::new(JIT);
        command.args(["host", "--config"]).arg(&self.file).arg("sync").env_clear();
        command.envs(environment(&self.place.path("home"))).stdin(Stdio::null()).stdout(Stdio::null());
        let log = fs::OpenOptions::new().create(true).append(true).open(self.place.path("sync.log")).unwrap();
        self.daemon = Some(command.stderr(log).spawn().unwrap());
        self.until("it publishes", |host| {
            let checked = Grants::read(&host.config).unwrap().map(|grants| grants.checked.unix_u64());
            checked.is_some_and(|checked| checked + 2 >= now()) && UnixStream::connect(host.config.socket()).is_ok()
        });
    }

    fn kill(&mut self) {
        let mut daemon = self.daemon.take().unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    #[track_caller]
    fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + WAIT;
        while !done(self) {
            let log = fs::read_to_string(self.place.path("sync.log")).unwrap_or_default();
            assert!(Instant::now() < end, "{what}: not after 20 s\n{log}");
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn digest(&self) -> Digest {
        format!("sha256:{}", self.case).parse().unwrap()
    }

    fn starts(&self, session: &Nonce) -> Ask {
        Ask::SessionStart {
            case: self.digest(),
            session: session.clone(),
            serial: 1,
            login: common::login(),
            source: "127.0.0.1".into(),
            recorded: false,
        }
    }

    fn ends(&self, session: &Nonce) -> Ask {
        Ask::SessionEnd {
            case: self.digest(),
            session: session.clone(),
            cause: EndCause::Exit,
            exit_code: Some(0),
            recording: None,
            bytes: 0,
        }
    }

    fn residue(&self, session: &Nonce, detail: &str) -> Ask {
        let item = Item { probe: "processes".into(), result: ProbeResult::Clear, detail: detail.into() };
        Ask::Residue { case: self.digest(), session: session.clone(), items: vec![item] }
    }

    #[track_caller]
    fn asks(&self, ask: &Ask) -> Answer {
        wire::ask(&self.config, ask, WAIT).unwrap()
    }

    /// How many events of a kind the remote holds.
    fn count(&self, kind: &str) -> usize {
        let name = format!("/{kind}-");
        self.place.events(&self.remote).iter().filter(|path| path.contains(&name)).count()
    }

    fn outbox(&self) -> usize {
        fs::read_dir(self.config.mirror.join("jit/outbox")).map_or(0, Iterator::count)
    }

    fn rita(&self) -> Desk<'_> {
        self.place.desk("rita", &self.remote)
    }

    /// The ledger is whole, everything in it is valid, and git finds nothing half-written.
    #[track_caller]
    fn is_sound(&self) {
        let verified = self.rita().jit(&["verify", "--json"]).ok().json();
        assert_eq!(verified["voids"].as_array().map(Vec::len), Some(0), "{verified:#}");
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn session(number: u8) -> Nonce {
    Nonce::from_random([number; 16])
}

#[test]
fn what_is_asked_twice_is_said_once() {
    let place = Place::new();
    let host = Host::new(&place, "deny");
    let one = session(1);
    // An end without a start breaks a rule, and nothing of it is kept.
    assert!(matches!(host.asks(&host.ends(&one)), Answer::Refused { why } if why.contains("A08")));
    for ask in [host.starts(&one), host.ends(&one), host.residue(&one, "nothing")] {
        assert_eq!(host.asks(&ask), Answer::Landed, "{ask:?}");
        assert_eq!(host.asks(&ask), Answer::Landed, "{ask:?}");
    }
    assert_eq!([host.count("session-start"), host.count("session-end"), host.count("residue")], [1, 1, 1]);
    assert_eq!(host.outbox(), 0);
    host.is_sound();
    let shown = host.rita().sees(&host.case[..12]);
    assert!(seconds(&shown["sessions"][0]["started"]) <= now(), "{shown:#}");
}

#[test]
fn fifty_logins_at_once_are_few_pushes() {
    let place = Place::new();
    let host = Host::new(&place, "deny");
    let counter = place.path("pushes");
    let hook = host.remote.join("hooks/post-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    executable(&hook, format!("#!/bin/sh\necho push >> {}\n", counter.display()));
    let alice = place.desk("alice", &host.remote);
    thread::scope(|scope| {
        for number in 1..=50 {
            let host = &host;
            scope.spawn(move || assert_eq!(host.asks(&host.starts(&session(number))), Answer::Landed));
        }
        // Others write at the same time.
        scope.spawn(|| (0..5).for_each(|_| drop(alice.opens("5m"))));
    });
    assert_eq!(host.count("session-start"), 50);
    assert_eq!(host.count("request"), 6);
    let pushes = fs::read_to_string(&counter).unwrap().lines().count();
    assert!(pushes <= 20, "{pushes} pushes for 50 sessions");
    host.is_sound();
}

#[test]
fn while_the_remote_is_away() {
    let place = Place::new();
    for (offline, start) in [("deny", false), ("spool", true)] {
        let room = Place::new();
        let mut host = Host::new(&room, offline);
        let (one, two) = (session(1), session(2));
        assert_eq!(host.asks(&host.starts(&one)), Answer::Landed);
        let away = room.path("away.git");
        fs::rename(&host.remote, &away).unwrap();
        // What has happened is kept; whether somebody gets in meanwhile is for the policy to say.
        assert!(matches!(host.asks(&host.ends(&one)), Answer::Kept { .. }));
        assert!(matches!(host.asks(&host.ends(&one)), Answer::Kept { .. }), "asked again it is kept once");
        let answer = host.asks(&host.starts(&two));
        match start {
            true => assert!(matches!(answer, Answer::Kept { .. }), "{answer:?}"),
            false => assert!(matches!(answer, Answer::Failed { .. }), "{answer:?}"),
        }
        if start {
            assert!(matches!(host.asks(&host.ends(&two)), Answer::Kept { .. }));
        }
        assert!(matches!(host.asks(&host.residue(&one, "nothing")), Answer::Kept { .. }));
        let waiting = if start { 4 } else { 2 };
        assert_eq!(host.outbox(), waiting, "{offline}");
        // The daemon is killed; what it signed is not lost.
        host.kill();
        fs::rename(&away, &host.remote).unwrap();
        host.start();
        host.until("everything is delivered", |host| host.outbox() == 0);
        assert_eq!(host.count("session-start"), if start { 2 } else { 1 }, "{offline}");
        assert_eq!(host.count("session-end"), if start { 2 } else { 1 }, "{offline}");
        assert_eq!(host.count("residue"), 1, "{offline}");
        host.is_sound();
        // Delivered once: another round changes nothing.
        let head = room.head(&host.remote);
        thread::sleep(Duration::from_secs(3));
        assert_eq!(room.head(&host.remote), head, "{offline}");
    }
    drop(place);
}

#[test]
fn a_rewritten_remote_is_not_followed() {
    let place = Place::new();
    let host = Host::new(&place, "deny");
    let before = Grants::read(&host.config).unwrap().unwrap();
    place.git(&host.remote, &["update-ref", "refs/heads/main", "main~1"]);
    thread::sleep(Duration::from_secs(3));
    let after = Grants::read(&host.config).unwrap().unwrap();
    assert_eq!((after.head, after.size), (before.head, before.size));
    // It does not count as fresh either: soon nobody gets in.
    let age = now() - after.checked.unix_u64();
    assert!(age >= 2, "{age} s");
    let log = fs::read_to_string(place.path("sync.log")).unwrap();
    assert!(log.contains("rewritten"), "{log}");
    // What both histories say is kept, and told once, however often the remote is asked.
    let kept = common::files(&host.config.mirror.join("jit/forks"));
    assert_eq!(kept.len(), 1, "{log}");
    let evidence = fs::read_to_string(&kept[0]).unwrap();
    for words in ["Two histories of the log", "What the remote shows", "Consistency:"] {
        assert!(evidence.contains(words) && log.contains(words), "{words}\n{evidence}\n{log}");
    }
    assert_eq!(log.matches("Two histories").count(), 1, "{log}");
    assert!(log.contains(&kept[0].display().to_string()), "{log}");
}

#[test]
fn only_root_and_its_own_user_are_heard() {
    let place = Place::new();
    let host = Host::new(&place, "deny");
    let talk = |bytes: &[u8]| -> String {
        let mut stream = UnixStream::connect(host.config.socket()).unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    for rubbish in [&b"\n"[..], b"{}\n", b"\xff\xfe\n", b"{\"ask\":\"session-start\"}\n", &[b'a'; 300_000]] {
        let answer = talk(rubbish);
        assert!(answer.is_empty() || answer.contains("refused"), "{answer}");
    }
    let mode = fs::metadata(host.config.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // It still listens.
    assert_eq!(host.asks(&host.starts(&session(1))), Answer::Landed);
    let mut second = Command::new(JIT);
    second.args(["host", "--config"]).arg(&host.file).arg("sync");
    place.run(second).refused(1).mentions(&["another jit host sync runs"]);
}
