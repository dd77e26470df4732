//! The reaper against real processes in real control groups: what has to end ends, all of it, in time, and the ledger is
//! told once and in order. The sessions' files are written by hand; the other side of the socket is played by the test.

// Helpers stand outside of test functions, where the lints allow this; what is tested is what happens in real time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jit::domain::id::Nonce;
use jit::host::HostError;
use jit::host::cgroup::{self, Group};
use serde_json::json;

use reaping::{Host, alive, eventually, stamp, unix};

#[path = "common/harness.rs"]
mod common;
#[path = "common/reaping.rs"]
mod reaping;

/// What the issue asks for, and as much again for a machine that does other things too.
const IN_TIME: Duration = Duration::from_secs(2);

/// Everything a person may leave running, as one script: an idle and a busy loop, a `setsid nohup`, a daemon that forks
/// twice, many at once.
const ESCAPEES: &str = "sleep 1000 & while :; do :; done & setsid nohup sleep 1000 >/dev/null 2>&1 & \
    ( ( setsid sh -c 'cd /; trap \"\" TERM HUP INT; sleep 1000; :' & ) & ) ; \
    for i in $(seq 200); do sleep 1000 & done; wait";

#[test]
fn a_group_holds_what_is_started_in_it() {
    let Some(host) = Host::new("a_group_holds_what_is_started_in_it") else { return };
    let config = host.config();
    cgroup::check(&config).unwrap();
    let name: Nonce = "abcdefghijklmnopqrstuvwxyz".parse().unwrap();
    let group = Group::create(&config, &name).unwrap();
    assert_eq!(Group::create(&config, &name).unwrap(), group, "one that is there is fine");
    assert_eq!(Group::all(&config).unwrap(), std::slice::from_ref(&group), "check left nothing");
    let recorders = Group::recorders(&config).unwrap();
    assert_eq!(Group::all(&config).unwrap().len(), 1, "recorders are no session: {}", recorders.path().display());

    // Its child after it entered is in the group, and so is what goes below; a zombie holds nothing up.
    let mut shell = Command::new("sh");
    shell.args(["-c", "read go; sleep 1000 & echo $!; wait"]);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(cgroup::of_process(&config, shell.id()).unwrap(), None);
    group.enter(shell.id()).unwrap();
    shell.stdin.take().unwrap().write_all(b"\n").unwrap();
    let child: u32 = reaping::first_line(&mut shell).parse().unwrap();
    let below = group.path().join("made-by-somebody");
    fs::create_dir(&below).unwrap();
    fs::write(below.join("cgroup.procs"), child.to_string()).unwrap();
    let mut both = vec![shell.id(), child];
    both.sort_unstable();
    assert_eq!(group.processes().unwrap(), both);
    assert_eq!(cgroup::of_process(&config, child).unwrap(), Some(name.clone()));
    assert!(!group.is_empty().unwrap());
    assert!(!group.wait_empty(Duration::from_millis(50)).unwrap());
    assert!(group.remove().is_err(), "what runs in it is not lost from sight");
    group.kill().unwrap();
    assert!(group.wait_empty(IN_TIME).unwrap(), "though nobody has buried the shell");
    assert!(!alive(child) && !alive(shell.id()));
    group.remove().unwrap();
    shell.wait().unwrap();

    // What is gone is dead, empty and removed; nothing enters it.
    group.kill().unwrap();
    group.remove().unwrap();
    assert!(group.is_empty().unwrap() && group.processes().unwrap().is_empty());
    assert!(group.enter(std::process::id()).is_err());
    assert!(cgroup::of_process(&config, shell.id()).is_err(), "a process that is gone is in no group");

    // Elsewhere sessions could not be ended, and that is said.
    for elsewhere in [host.path("run"), "/sys/fs/cgroup/no/such/group".into(), "/".into()] {
        let config = jit::host::Config { cgroup: elsewhere.clone(), ..host.config() };
        assert!(matches!(cgroup::check(&config), Err(HostError::NoCgroup(_))), "{elsewhere:?}");
        assert!(Group::create(&config, &name).is_err(), "{elsewhere:?}");
    }
}

#[test]
fn all_of_it_is_dead_at_the_deadline() {
    let Some(host) = Host::new("all_of_it_is_dead_at_the_deadline") else { return };
    let ends = unix() + 4;
    let session = host.session(|file| file["ends"] = json!(stamp(ends)));
    session.runs(ESCAPEES);
    eventually("everything runs", || session.processes().len() > 200);
    let pids = session.processes();
    let sync = host.sync();
    let reaper = host.reaper();

    let until = Duration::from_secs(ends.saturating_sub(unix()).saturating_sub(1));
    std::thread::sleep(until);
    assert!(pids.iter().filter(|pid| alive(**pid)).count() > 200, "nothing ends before the deadline");
    eventually("the deadline", || unix() >= ends);
    let began = Instant::now();
    eventually("everything is dead", || !pids.iter().any(|pid| alive(*pid)));
    let after = began.elapsed();
    println!("dead {after:?} after the deadline");
    assert!(after < IN_TIME, "dead {after:?} after the deadline");

    eventually("the session is cleared away", || session.is_cleared());
    drop(reaper);
    let asked = sync.asked();
    assert_eq!(asked.iter().map(|it| it["ask"].as_str().unwrap()).collect::<Vec<_>>(), ["session-end", "residue"]);
    assert_eq!(asked[0]["session"], json!(session.name));
    assert_eq!(asked[0]["cause"], "expired");
    assert_eq!(asked[0]["bytes"], 4711);
    assert_eq!(asked[0]["exit_code"], 3);
    let results: Vec<_> =
        asked[1]["items"].as_array().unwrap().iter().map(|it| (&it["probe"], &it["result"])).collect();
    let clear = json!("clear");
    assert_eq!(
        results,
        [(&json!("processes"), &clear), (&json!("connections"), &clear), (&json!("jobs"), &clear)],
        "{asked:?}"
    );
}

#[test]
fn a_revocation_ends_one_session_and_no_other() {
    let Some(host) = Host::new("a_revocation_ends_one_session_and_no_other") else { return };
    let (first, second) = (host.session(|_| {}), host.session(|_| {}));
    for session in [&first, &second] {
        session.runs(ESCAPEES);
        eventually("everything runs", || session.processes().len() > 200);
    }
    let sync = host.sync();
    host.publishes(&[&first, &second], |_| {});
    let _reaper = host.reaper();
    std::thread::sleep(Duration::from_millis(700));
    let (pids, others) = (first.processes(), second.processes());
    assert!(pids.len() > 200 && others.len() > 200, "both go on");

    host.publishes(&[&first, &second], |grants| {
        grants["grants"][0]["ended"] = json!({"how": "revoked", "why": "bob revoked it"});
    });
    let began = Instant::now();
    eventually("everything is dead", || !pids.iter().any(|pid| alive(*pid)));
    let after = began.elapsed();
    println!("dead {after:?} after the revocation");
    assert!(after < IN_TIME, "dead {after:?} after the revocation");
    eventually("the first session is cleared away", || first.is_cleared());
    assert!(others.iter().all(|pid| alive(*pid)), "the second session goes on");
    assert!(second.file().exists());
    assert_eq!(sync.asked()[0]["cause"], "revoked");
    // The other session's processes have the same user, and are nobody's residue.
    assert_eq!(sync.asked()[1]["items"][0]["result"], "clear", "{:?}", sync.asked());
}

#[test]
fn a_mirror_that_cannot_be_read_ends_nobody() {
    let Some(host) = Host::new("a_mirror_that_cannot_be_read_ends_nobody") else { return };
    let session = host.session(|_| {});
    session.runs("sleep 1000");
    let _sync = host.sync();
    let _reaper = host.reaper();
    for broken in [None, Some("{\"host\":"), Some("")] {
        match broken {
            None => drop(fs::remove_file(host.grants())),
            Some(text) => fs::write(host.grants(), text).unwrap(),
        }
        std::thread::sleep(Duration::from_millis(600));
        assert!(session.file().exists() && alive(session.monitor), "{broken:?} ended a session");
    }
    // Nothing is known of the case now; what is known later counts.
    host.publishes(&[&session], |grants| {
        grants["grants"][0]["ended"] = json!({"how": "closed", "why": "its requester closed it"});
    });
    eventually("it ends", || session.is_cleared());
}

#[test]
fn killed_at_any_moment_it_ends_what_is_due_when_it_is_started_again() {
    let Some(host) = Host::new("killed_at_any_moment_it_ends_what_is_due_when_it_is_started_again") else { return };
    let ends = unix() + 3;
    let session = host.session(|file| file["ends"] = json!(stamp(ends)));
    session.runs(ESCAPEES);
    eventually("everything runs", || session.processes().len() > 200);
    let pids = session.processes();
    host.reaper().killed();
    eventually("the deadline passes", || unix() > ends);
    assert!(pids.iter().all(|pid| alive(*pid)), "without a reaper nothing ends");

    // Again and again, with nobody to tell: the ending begins, and its cause stays what it was at first.
    for _ in 0..6 {
        let reaper = host.reaper();
        std::thread::sleep(Duration::from_millis(150));
        reaper.killed();
    }
    assert!(!pids.iter().any(|pid| alive(*pid)), "what was due is dead");
    assert!(session.file().exists(), "nothing is forgotten before the ledger was told");
    host.publishes(&[&session], |grants| {
        grants["grants"][0]["ended"] = json!({"how": "revoked", "why": "bob revoked it after its end"});
    });

    // `sync` takes it, but cannot say so the first time; killed once more between.
    let sync = host.sync();
    sync.answers("hang-up");
    let reaper = host.reaper();
    eventually("it was asked", || !sync.asked().is_empty());
    reaper.killed();
    sync.answers("landed");
    let _reaper = host.reaper();
    eventually("the session is cleared away", || session.is_cleared());
    let asked = sync.asked();
    let kinds: Vec<_> = asked.iter().map(|it| it["ask"].as_str().unwrap()).collect();
    let first_residue = kinds.iter().position(|kind| *kind == "residue").unwrap();
    assert!(kinds[..first_residue].iter().all(|kind| *kind == "session-end"), "{kinds:?}");
    assert_eq!(first_residue, kinds.len() - 1, "what was taken is not asked again: {kinds:?}");
    // What is asked again is the same to the byte, so that it is appended once.
    assert!(asked[..first_residue].windows(2).all(|pair| pair[0] == pair[1]), "{asked:?}");
    assert_eq!(asked[0]["cause"], "expired");
}

#[test]
fn killed_at_each_of_its_writes_it_is_told_once_and_in_order() {
    const TEST: &str = "killed_at_each_of_its_writes_it_is_told_once_and_in_order";
    if common::absent(TEST, &["strace"]) {
        return;
    }
    let Some(host) = Host::new(TEST) else { return };
    let sync = host.sync();
    // Names as strace has them; `?`: where this machine has the call.
    let calls = ["write", "/^rename", "?/^unlink", "?/^rmdir", "fsync", "?/^connect", "/^send"];
    let mut kills = 0;
    for call in calls {
        for count in 1.. {
            let session = host.session(|file| file["ends"] = json!(stamp(unix())));
            session.runs("sleep 1000 & wait");
            let before = sync.asked().len();
            let was_killed = host.once_killed_at(call, count);
            kills += u32::from(was_killed);
            for _ in 0..3 {
                host.once();
            }
            assert!(session.is_cleared(), "{call} {count}: it goes on where it was");
            assert!(!alive(session.monitor));
            let asked = sync.asked().split_off(before);
            let kinds: Vec<_> = asked.iter().map(|it| it["ask"].as_str().unwrap()).collect();
            let ends = kinds.iter().take_while(|kind| **kind == "session-end").count();
            assert!(ends > 0 && ends < kinds.len(), "{call} {count}: {kinds:?}");
            assert!(kinds[ends..].iter().all(|kind| *kind == "residue"), "{call} {count}: {kinds:?}");
            // What is asked again is the same, so `sync` knows it.
            let same = |asks: &[serde_json::Value]| asks.windows(2).all(|pair| pair[0] == pair[1]);
            assert!(same(&asked[..ends]) && same(&asked[ends..]), "{call} {count}: {asked:?}");
            assert!(asked.iter().all(|it| it["session"] == json!(session.name)));
            if !was_killed {
                break;
            }
        }
    }
    assert!(kills > 20, "strace killed it only {kills} times");
}

#[test]
fn with_sync_away_nothing_is_lost_and_others_still_end() {
    let Some(host) = Host::new("with_sync_away_nothing_is_lost_and_others_still_end") else { return };
    let first = host.session(|file| file["ends"] = json!(stamp(unix())));
    first.runs("sleep 1000");
    let pid = first.monitor;
    let _reaper = host.reaper();
    eventually("the first is dead", || !alive(pid));
    // The first one waits for `sync`; the second one does not wait for the first.
    let ends = unix() + 2;
    let second = host.session(|file| file["ends"] = json!(stamp(ends)));
    second.runs("sleep 1000");
    eventually("the deadline", || unix() >= ends);
    let began = Instant::now();
    eventually("the second is dead", || !alive(second.monitor));
    let after = began.elapsed();
    println!("dead {after:?} after the deadline");
    assert!(after < IN_TIME, "dead {after:?} after the deadline");
    assert!(first.file().exists() && second.file().exists());

    let sync = host.sync();
    sync.answers("failed");
    eventually("both were asked for", || sync.sessions_asked().len() == 2);
    sync.answers("kept");
    eventually("both are cleared away", || first.is_cleared() && second.is_cleared());
    for session in [&first, &second] {
        let of_it: Vec<_> = sync.asked().into_iter().filter(|it| it["session"] == json!(session.name)).collect();
        let taken: Vec<_> = of_it.iter().filter(|it| it["answered"] == "kept").map(|it| it["ask"].clone()).collect();
        assert_eq!(taken, ["session-end", "residue"]);
    }
}

#[test]
fn an_end_that_the_ledger_holds_already_is_not_asked_for_ever() {
    let Some(host) = Host::new("an_end_that_the_ledger_holds_already_is_not_asked_for_ever") else { return };
    let session = host.session(|file| file["ends"] = json!(stamp(unix())));
    let sync = host.sync();
    sync.answers("refused-end");
    let _reaper = host.reaper();
    eventually("the session is cleared away", || session.is_cleared());
    let asked: Vec<_> = sync.asked().iter().map(|it| it["ask"].as_str().unwrap().to_owned()).collect();
    assert_eq!(asked, ["session-end", "session-end", "residue"]);
}

#[test]
fn a_person_who_leaves_leaves_nothing_running() {
    let Some(host) = Host::new("a_person_who_leaves_leaves_nothing_running") else { return };
    let session = host.session(|_| {});
    session.runs("setsid nohup sleep 1000 >/dev/null 2>&1 & wait");
    eventually("it runs", || session.processes().len() >= 3);
    let pids = session.processes();
    let sync = host.sync();
    let _reaper = host.reaper();
    std::thread::sleep(Duration::from_millis(500));
    session.monitor_ends();
    eventually("everything is dead", || !pids.iter().any(|pid| alive(*pid)));
    eventually("the session is cleared away", || session.is_cleared());
    assert_eq!(sync.asked()[0]["cause"], "exit");
}

#[test]
fn without_its_recorder_a_session_ends() {
    const TEST: &str = "without_its_recorder_a_session_ends";
    if common::absent(TEST, &["ssh-keygen"]) {
        return;
    }
    let Some(host) = Host::new(TEST) else { return };
    let session = host.session(|_| {});
    // What a recorder has sealed, and the beginning of a frame that the kill cut off.
    let (mut recording, head) = host.recording();
    recording.extend(b"jitF and nothing more");
    session.has_a_recorder(&recording);
    session.runs("sleep 1000");
    let sync = host.sync();
    let _reaper = host.reaper();
    std::thread::sleep(Duration::from_millis(700));
    assert!(alive(session.monitor), "with its recorder it goes on");
    session.recorder_ends();
    eventually("it is dead", || !alive(session.monitor));
    eventually("the session is cleared away", || session.is_cleared());
    let end = &sync.asked()[0];
    assert_eq!((&end["cause"], &end["bytes"]), (&json!("lost"), &json!(recording.len())));
    assert_eq!(end["recording"], json!(head), "the last whole frame");
    assert_eq!(fs::read(session.recording()).unwrap(), recording, "what was recorded stays as it was");

    // A file that is no recording has no head, only a size.
    let session = host.session(|_| {});
    session.has_a_recorder(b"cut");
    session.recorder_ends();
    eventually("the session is cleared away", || session.is_cleared());
    let end = &sync.asked()[2];
    assert_eq!((&end["recording"], &end["bytes"]), (&json!(null), &json!(3)));
}

#[test]
fn what_the_ledger_never_heard_of_it_does_not_hear_now() {
    let Some(host) = Host::new("what_the_ledger_never_heard_of_it_does_not_hear_now") else { return };
    let refused = host.session(|file| file["standing"] = json!("refused"));
    let late = host.session(|file| {
        file["standing"] = json!("starting");
        file["started"] = json!(stamp(unix() - 60));
    });
    let begins = host.session(|file| file["standing"] = json!("starting"));
    // A group that nobody knows: its login died between making it and writing its file.
    let nobody = host.group("zzzzzzzzzzzzzzzzzzzzzzzzzz");
    let lost = nobody.sleeps();
    // And one of a session whose file says nothing any more.
    let broken = host.session(|_| {});
    fs::write(broken.file(), "{").unwrap();
    let recorder = host.group("recorders").sleeps();
    for session in [&refused, &late, &begins, &broken] {
        session.runs("sleep 1000");
    }
    let sync = host.sync();
    let _reaper = host.reaper();
    eventually("the refused and the late one are gone", || refused.is_cleared() && late.is_cleared());
    eventually("so is what nobody knows", || !alive(lost) && !nobody.path.exists());
    eventually("and what says nothing", || !alive(broken.monitor));
    assert!(alive(begins.monitor) && begins.file().exists(), "a login that begins may begin");
    assert!(alive(recorder), "recorders are no session");
    assert!(sync.asked().is_empty(), "{:?}", sync.asked());
}

#[test]
fn a_session_that_only_the_ledger_knows_is_lost() {
    let Some(host) = Host::new("a_session_that_only_the_ledger_knows_is_lost") else { return };
    let case = format!("sha256:{}", "4".repeat(64));
    let (lost, begins) = ("lostlostlostlostlostlostlo", "beginsbeginsbeginsbeginsbe");
    let here = host.session(|file| file["started"] = json!(stamp(unix() - 600)));
    // Given up here, and in the ledger all the same.
    let dropped = host.session(|file| {
        file["started"] = json!(stamp(unix() - 600));
        file["standing"] = json!("starting");
    });
    let dropped = &dropped.name;
    let sync = host.sync();
    let open = |session: &str, started: u64| json!({"case": case, "session": session, "started": stamp(started)});
    let entries = json!([
        open(lost, unix() - 600),
        open(begins, unix()),
        open(&here.name, unix() - 600),
        open(dropped, unix() - 600)
    ]);
    host.publishes(&[&here], |grants| grants["open"] = entries.clone());
    // While nobody can say it, it is said again; once it was taken, the mirror may be late.
    sync.answers("failed");
    let _reaper = host.reaper();
    eventually("they were asked for twice", || sync.sessions_asked().len() == 2 && sync.asked().len() >= 4);
    sync.answers("landed");
    let taken = || sync.asked().into_iter().filter(|it| it["answered"].is_null()).collect::<Vec<_>>();
    eventually("they were taken", || taken().len() >= 2);
    std::thread::sleep(Duration::from_millis(700));
    host.publishes(&[&here], |grants| grants["open"] = entries);
    std::thread::sleep(Duration::from_millis(700));
    let mut sessions: Vec<_> = taken().iter().map(|it| it["session"].as_str().unwrap().to_owned()).collect();
    sessions.sort();
    assert_eq!(sessions, [lost, dropped], "each once, and nobody else");
    let asked = sync.asked();
    assert!(asked.iter().all(|it| it["case"] == json!(case)), "{asked:?}");
    assert!(asked.iter().all(|it| it["ask"] == "session-end" && it["cause"] == "lost"), "{asked:?}");
    assert!(alive(here.monitor) && here.file().exists());
}

#[test]
fn once_says_what_it_did_and_stops() {
    let Some(host) = Host::new("once_says_what_it_did_and_stops") else { return };
    let session = host.session(|file| file["ends"] = json!(stamp(unix())));
    session.runs("sleep 1000");
    // Nobody to tell: it says so, and leaves the rest to the next one.
    let said = host.once();
    assert!(said.contains(&format!("session {}", session.name)) && said.contains("not taken"), "{said}");
    assert!(!alive(session.monitor) && session.file().exists());
    let _sync = host.sync();
    let said = host.once();
    assert!(said.contains("ended: expired"), "{said}");
    assert!(session.is_cleared());
    assert_eq!(host.once().trim(), "Nothing had to end");

    let daemon = host.reaper();
    eventually("the daemon has its lock", || host.once().contains("another jit host reap"));
    drop(daemon);
}

#[test]
fn what_is_left_outside_of_every_session_is_found() {
    let Some(host) = Host::new("what_is_left_outside_of_every_session_is_found") else { return };
    let session = host.session(|file| file["ends"] = json!(stamp(unix())));
    session.runs("sleep 1000");
    // What cron would have started: the login's user, in nobody's group, with a socket.
    let script = "use IO::Socket::INET; \
        $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die; print $s->sockport, \"\\n\"; \
        close STDOUT; sleep 1000";
    let mut child = reaping::as_login(Command::new("perl").args(["-e", script])).unwrap();
    let port = reaping::first_line(&mut child);
    let sync = host.sync();
    let _reaper = host.reaper();
    eventually("the session is cleared away", || session.is_cleared());
    assert!(alive(child.id()), "it is told, not killed");
    child.kill().unwrap();
    child.wait().unwrap();
    let asked = sync.asked();
    let items = asked[1]["items"].as_array().unwrap();
    let of = |name: &str| items.iter().find(|it| it["probe"] == name).unwrap();
    let detail = of("processes")["detail"].as_str().unwrap();
    assert_eq!(of("processes")["result"], "found");
    assert!(detail.contains(&format!("{} perl -e", child.id())), "{detail}");
    assert_eq!(of("connections")["result"], "found");
    let detail = of("connections")["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("tcp 127.0.0.1:{port} to 0.0.0.0:0")), "{detail}");
}
