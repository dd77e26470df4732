//! Sessions on a whole server: what is recorded plays back, everything of a session is dead when its time comes, and what
//! it left behind is found. Real sshd, real PAM, real logins.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::world::{JIT_HOST, World};
use common::{Place, Said, environment, seconds};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;

/// The login of the role.
const READONLY: &str = "readonly";

/// A connection that runs until it is ended.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts ssh with further options and a remote command, and leaves it alone.
fn background(world: &World<'_>, certificate: &Path, options: &[&str], remote: &[&str]) -> Running {
    let mut command = world.island.ssh_command("readonly", &world.place.key("alice"), Some(certificate), options);
    command.args(remote).env_clear().envs(environment(&world.place.path("home")));
    Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// A terminal session in which these lines are typed.
fn types(world: &World<'_>, certificate: &Path, lines: &str) -> Said {
    let mut command = world.island.ssh_command("readonly", &world.place.key("alice"), Some(certificate), &["-tt"]);
    command.env_clear().envs(environment(&world.place.path("home"))).env("TERM", "xterm");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for line in lines.lines() {
        std::thread::sleep(Duration::from_millis(400));
        writeln!(stdin, "{line}").unwrap();
    }
    std::thread::sleep(Duration::from_millis(400));
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        call: "ssh -tt".to_owned(),
    }
}

fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

/// Waits until a case has so many sessions that have ended; the case.
#[track_caller]
fn ended(world: &World<'_>, case: &str, count: usize) -> Value {
    let alice = world.desk("alice");
    let over = || {
        let shown = alice.sees(case);
        let sessions = shown["sessions"].as_array().cloned().unwrap_or_default();
        sessions.iter().filter(|session| !session["ended"].is_null()).count() >= count
    };
    world.until("the sessions' ends are in the ledger", over);
    alice.sees(case)
}

/// Plays the recordings of a case on the host, as security would, with the recorder's key.
#[track_caller]
fn plays(world: &World<'_>, case: &str, more: &[&str]) -> Said {
    let ledger = world.desk("dave").ledger.display().to_string();
    let key = world.place.key("recorder").display().to_string();
    let mut arguments = vec!["--ledger", &ledger, "play", case, "--identity", &key];
    arguments.extend(more);
    world.island.jit(&arguments)
}

#[test]
fn what_was_typed_and_shown_plays_back() {
    const TEST: &str = "what_was_typed_and_shown_plays_back";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, certificate) = world.live("payments-db/read-only", "5m");
    let said = types(&world, &certificate, "echo shown-$((40 + 2))\nid -un\nexit 7\n");
    assert_eq!(said.code, 7, "{}\n{}", said.told(), world.island.log("sshd"));
    for words in ["shown-42", "readonly", &case, "INC-4711", "recorded", "payments-db/read-only"] {
        assert!(said.out.contains(words), "`{words}` is not shown\n{}", said.told());
    }
    let shown = ended(&world, &case, 1);
    let session = &shown["sessions"][0];
    assert_eq!(session["cause"], "exit", "{shown:#}");
    assert_eq!(session["recording"], "on", "{shown:#}");
    assert!(session["recorded"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{shown:#}");
    let desk = world.desk("dave");
    desk.jit(&["sync"]).ok();
    let said = plays(&world, &case, &[]).ok();
    assert!(said.out.contains("shown-42") && said.err.contains("verified"), "{}", said.told());
    // Standard asciicast, with what was typed: other players read it.
    let said = plays(&world, &case, &["--export", "-"]).ok();
    let mut lines = said.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(lines.next().unwrap()["version"], 2, "{}", said.told());
    let events: Vec<Value> = lines.collect();
    let text = |kind: &str| -> String {
        events.iter().filter(|event| event[1] == kind).filter_map(|event| event[2].as_str()).collect()
    };
    assert!(text("i").contains("echo shown-$((40 + 2))"), "{}", said.told());
    assert!(text("o").contains("shown-42"), "{}", said.told());
    // Nobody but root reads the file, and nobody at all without the key.
    let listed = world.island.shell("find /var/lib/jit/recordings -type f -printf '%U %m %p\\n'").ok();
    assert!(listed.out.starts_with("0 600 ") && listed.out.lines().count() == 1, "{}", listed.told());
    let key = place.key("alice").display().to_string();
    let ledger = desk.ledger.display().to_string();
    let said = world.island.jit(&["--ledger", &ledger, "play", &case, "--identity", &key]);
    assert_ne!(said.code, 0, "{}", said.told());
    // One changed byte is named.
    world
        .island
        .shell("f=$(find /var/lib/jit/recordings -type f); printf X | dd of=$f bs=1 seek=700 conv=notrunc status=none")
        .ok();
    let said = plays(&world, &case, &[]).exits(4);
    assert!(said.err.contains("frame"), "{}", said.told());
}

#[test]
fn commands_and_copies_are_recorded() {
    const TEST: &str = "commands_and_copies_are_recorded";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, certificate) = world.live("payments-db/read-only", "5m");
    let said = world.ssh("readonly", &certificate, &["cat; echo to-stderr >&2"]);
    assert_eq!((said.code, said.err.trim()), (0, "to-stderr"), "{}", said.told());
    // A megabyte each way, by both of the protocols that scp knows.
    let big = place.path("big");
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    fs::write(&big, &bytes).unwrap();
    for (protocol, name) in [("-s", "by-sftp"), ("-O", "by-scp")] {
        let copy = |from: &str, to: &str| {
            let mut scp = Command::new("scp");
            let options =
                world.island.options().into_iter().map(|option| if option == "-p" { "-P".into() } else { option });
            scp.args(options).arg("-i").arg(place.key("alice"));
            scp.arg("-o").arg(format!("CertificateFile={}", certificate.display())).args([protocol, "-q", from, to]);
            place.run(scp).ok();
        };
        copy(big.to_str().unwrap(), &format!("readonly@127.0.0.1:{name}"));
        let back = place.path(name);
        copy(&format!("readonly@127.0.0.1:{name}"), back.to_str().unwrap());
        assert!(fs::read(back).unwrap() == bytes, "{name}: it came back changed");
    }
    ended(&world, &case, 5);
    world.desk("dave").jit(&["sync"]).ok();
    let listed = plays(&world, &case, &["--json"]).ok();
    assert_eq!(listed.json()["sessions"].as_array().map(Vec::len), Some(5), "{}", listed.told());
    let mut marks = String::new();
    for session in 1..=5 {
        marks += &plays(&world, &case, &["--session", &session.to_string(), "--export", "-"]).ok().out;
    }
    assert!(marks.contains("sftp-server") && marks.contains("scp -t"), "{marks}");
    assert!(marks.contains("to-stderr"), "{marks}");
    // What was run and how much, not the bytes.
    assert!(marks.len() < 20_000, "{} bytes", marks.len());
}

/// What of a session tries to outlive it.
const STUBBORN: &str = "setsid nohup sleep 1000 >/dev/null 2>&1 & (trap '' TERM HUP INT; while :; do :; done) & \
                        (setsid sh -c 'trap \"\" TERM HUP; sleep 1001' &) ; sleep 1002";

#[test]
fn everything_of_a_session_is_dead_at_its_end() {
    const TEST: &str = "everything_of_a_session_is_dead_at_its_end";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, certificate) = world.live("payments-db/read-only", "9s");
    let alice = world.desk("alice");
    let ends = u128::from(seconds(&alice.sees(&case)["ends"])) * 1000;
    // A master that others use, whose own shell is idle; a busy one; one that left children behind and is gone already.
    let socket = place.path("master").display().to_string();
    let path = format!("ControlPath={socket}");
    let _master = background(&world, &certificate, &["-M", "-N", "-o", &path], &[]);
    world.until("the master listens", || Path::new(&socket).exists());
    let _slave = background(&world, &certificate, &["-o", &path], &[STUBBORN]);
    let _busy = background(&world, &certificate, &[], &[STUBBORN]);
    let said = world.ssh("readonly", &certificate, &["setsid nohup sleep 1003 >/dev/null 2>&1 & echo gone"]);
    assert_eq!(said.out.trim(), "gone", "{}", said.told());
    world.until("both run", || {
        let running = world.island.processes_of(READONLY);
        running.iter().filter(|line| line.ends_with("sleep 1002")).count() >= 2
    });
    assert!(millis() < ends, "this machine is too slow for this test");
    // What the connection that is gone left behind was ended with it, before the deadline.
    world.until("what was left behind is gone", || {
        !world.island.processes_of(READONLY).iter().any(|line| line.ends_with("sleep 1003"))
    });
    let alive = || world.island.processes_of(READONLY);
    let mut last = millis();
    while !alive().is_empty() {
        last = millis();
        assert!(
            last < ends + 10_000,
            "10 s after the end there still run {:#?}\n{}",
            alive(),
            world.island.log("reap")
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(last + 50 >= ends, "ended {} ms before its time", ends - last);
    println!("the last process ended {} ms after the deadline", last.saturating_sub(ends));
    assert!(last <= ends + 1000, "the last process lived {} ms beyond the end", last - ends);
    let shown = ended(&world, &case, 3);
    let causes: Vec<&str> =
        shown["sessions"].as_array().unwrap().iter().map(|session| session["cause"].as_str().unwrap()).collect();
    assert_eq!(causes.iter().filter(|cause| **cause == "expired").count(), 2, "{shown:#}");
    assert_eq!(causes.iter().filter(|cause| **cause == "exit").count(), 1, "{shown:#}");
    assert!(
        fs::read_dir(&world.island.cgroup)
            .unwrap()
            .flatten()
            .all(|entry| { !entry.path().is_dir() || entry.file_name() == "recorders" })
    );
}

#[test]
fn a_revocation_ends_a_session_within_two_seconds() {
    const TEST: &str = "a_revocation_ends_a_session_within_two_seconds";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    for (how, cause) in [("revoke", "revoked"), ("close", "closed"), ("lock", "revoked")] {
        let (case, certificate) = world.live("payments-db/read-only", "10m");
        let (alice, dave) = (world.desk("alice"), world.desk("dave"));
        let _busy = background(&world, &certificate, &[], &[STUBBORN]);
        let idle = background(&world, &certificate, &["-tt"], &[]);
        world.until("both run", || {
            let running = world.island.processes_of(READONLY);
            running.iter().any(|line| line.ends_with("sleep 1002")) && running.iter().any(|line| line.contains("-bash"))
        });
        match how {
            "revoke" => drop(dave.jit(&["revoke", &case, "--reason", "Somebody else is in.", "--yes"]).ok()),
            "close" => drop(alice.jit(&["close", &case, "--summary", "Looked, found it.", "--yes"]).ok()),
            _ => {
                let known = || dave.sees(&case)["sessions"].as_array().is_some_and(|sessions| sessions.len() == 2);
                world.until("the ledger knows both", known);
                let said = dave.jit(&["lock", "target:payments-db", "--reason", "Somebody is in it.", "--yes"]).ok();
                assert!(said.out.contains("1 live case with 2 open sessions"), "{}", said.told());
            }
        }
        // From the moment at which the push is over.
        let pushed = Instant::now();
        while !world.island.processes_of(READONLY).is_empty() {
            let still = world.island.processes_of(READONLY);
            assert!(pushed.elapsed() < Duration::from_secs(15), "{how}: {still:#?}\n{}", world.island.log("reap"));
            std::thread::sleep(Duration::from_millis(20));
        }
        let took = pushed.elapsed();
        println!("{how}: the last process ended {} ms after the push", took.as_millis());
        assert!(took <= Duration::from_secs(2), "{how}: dead after {took:?}");
        let shown = ended(&world, &case, 2);
        for session in shown["sessions"].as_array().unwrap() {
            assert_eq!(session["cause"], cause, "{how}: {shown:#}");
        }
        drop(idle);
        if how == "lock" {
            // While it stands nobody gets in with it; lifted, the credential opens again until its end.
            let said = world.ssh("readonly", &certificate, &["echo in"]);
            assert_eq!((said.code, said.out.as_str()), (255, ""), "{}", said.told());
            let rita = world.desk("rita");
            let lock = rita.jit(&["list", "--state", "locked", "--json"]).ok().text("id");
            rita.jit(&["unlock", &lock, "--reason", "It was a drill.", "--yes"]).ok();
            let opens = || world.ssh("readonly", &certificate, &["echo in"]).out.trim() == "in";
            world.until("the credential opens again", opens);
        }
    }
}

#[test]
fn what_dies_is_taken_up_again() {
    const TEST: &str = "what_dies_is_taken_up_again";
    let place = Place::new();
    let Some(mut world) = World::new(TEST, &place, |text| text) else { return };
    // The recorder is killed: the session ends with it, and all but the open chunk can be read.
    let (case, certificate) = world.live("payments-db/read-only", "10m");
    let _one = background(&world, &certificate, &["-tt"], &["echo before-the-kill; sleep 1004"]);
    world.until("it runs", || world.island.processes_of(READONLY).iter().any(|line| line.ends_with("sleep 1004")));
    std::thread::sleep(Duration::from_secs(2));
    let session = world.island.shell("cat /run/jit/sessions/*.json").ok().json();
    world.island.shell(&format!("kill -9 {}", session["recorder"]["pid"])).ok();
    world.until("the session is dead", || world.island.processes_of(READONLY).is_empty());
    let shown = ended(&world, &case, 1);
    assert_eq!(shown["sessions"][0]["cause"], "lost", "{shown:#}");
    world.desk("dave").jit(&["sync"]).ok();
    let said = plays(&world, &case, &["--damaged"]);
    assert!(said.out.contains("before-the-kill"), "{}", said.told());
    assert!(said.err.contains("last frame"), "{}", said.told());

    // The reaper is killed while a session runs out: after its restart it ends what is due.
    let (case, certificate) = world.live("payments-db/read-only", "6s");
    let _two = background(&world, &certificate, &[], &[STUBBORN]);
    world.until("it runs", || world.island.processes_of(READONLY).iter().any(|line| line.ends_with("sleep 1002")));
    world.island.kill("reap");
    common::wait_past(seconds(&world.desk("alice").sees(&case)["ends"]) + 1);
    assert!(!world.island.processes_of(READONLY).is_empty(), "without the reaper nobody ends it");
    world.island.start("reap", &[&JIT_HOST[..], &["reap"]].concat());
    let began = Instant::now();
    world.until("it is dead", || world.island.processes_of(READONLY).is_empty());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let shown = ended(&world, &case, 1);
    assert_eq!(shown["sessions"][0]["cause"], "expired", "{shown:#}");

    // Without the daemon that tells the ledger, nobody gets in, fresh as the mirror may be.
    let (_, certificate) = world.live("payments-db/read-only", "5m");
    world.island.kill("sync");
    let said = world.ssh("readonly", &certificate, &["id"]);
    assert_eq!(said.code, 254, "{}", said.told());
    assert!(said.out.contains("jit: no session"), "{}", said.told());
    world.until("nothing is left of it", || world.island.processes_of(READONLY).is_empty());
}

#[test]
fn fifty_at_once() {
    const TEST: &str = "fifty_at_once";
    let place = Place::new();
    let Some(world) = World::new(TEST, &place, |text| text) else { return };
    let (case, good) = world.live("payments-db/read-only", "10m");
    let principal =
        ["-I", "jit:aaaaaaaaaaaaaaaa:alice", "-n", "prod/payments-db/read-only", "-V", "-1m:+1h", "-z", "1"];
    let bad = world.forged("forged", &principal);
    let codes: Vec<(bool, Said)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|number| {
                let (world, good, bad) = (&world, &good, &bad);
                scope.spawn(move || {
                    let right = number % 2 == 0;
                    (right, world.ssh("readonly", if right { good } else { bad }, &["echo in"]))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (right, said) in codes {
        if right {
            assert_eq!((said.code, said.out.trim()), (0, "in"), "{}\n{}", said.told(), world.island.log("sync"));
        } else {
            assert_eq!((said.code, said.out.as_str()), (255, ""), "{}", said.told());
        }
    }
    let shown = ended(&world, &case, 25);
    assert_eq!(shown["sessions"].as_array().map(Vec::len), Some(25));
    let verified = world.desk("dave").jit(&["verify", "--json"]).ok().json();
    assert_eq!(verified["voids"].as_array().map(Vec::len), Some(0), "{verified:#}");
}

#[test]
fn what_is_left_behind_is_found() {
    const TEST: &str = "what_is_left_behind_is_found";
    let place = Place::new();
    let watched = |text: String| {
        text.replacen(
            "\n[target.payments-db.role.read-only]",
            "\n[[target.payments-db.probe]]\nname = \"no lingering changes\"\nbuiltin = \"files\"\npaths = [\"/usr/local/share\"]\n\n\
             [[target.payments-db.probe]]\nname = \"a command\"\ncommand = [\"/bin/echo\", \"one prepared transaction\"]\n\n\
             [target.payments-db.role.read-only]",
            1,
        )
    };
    let Some(world) = World::new(TEST, &place, watched) else { return };
    world.island.shell("chown readonly /usr/local/share; mkdir -p /var/spool/cron/crontabs").ok();
    let (case, certificate) = world.live("payments-db/read-only", "5m");
    world.island.shell("echo '* * * * * true' > /var/spool/cron/crontabs/readonly; chown readonly /var/spool/cron/crontabs/readonly").ok();
    world.ssh("readonly", &certificate, &["echo changed > /usr/local/share/left-behind"]).ok();
    ended(&world, &case, 1);
    let alice = world.desk("alice");
    world.until("the residue is in the ledger", || {
        alice.sees(&case)["residue"].as_array().is_some_and(|found| !found.is_empty())
    });
    let shown = alice.sees(&case);
    let found = &shown["residue"][0];
    assert_eq!(found["clean"], false, "{shown:#}");
    let result = |name: &str| -> (String, String) {
        let items = found["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["probe"] == name).unwrap_or_else(|| panic!("{name}: {found:#}"));
        (item["result"].as_str().unwrap().to_owned(), item["detail"].as_str().unwrap().to_owned())
    };
    let (said, detail) = result("no lingering changes");
    assert!(said == "found" && detail.contains("left-behind"), "{found:#}");
    let (said, detail) = result("a command");
    assert!(said == "found" && detail.contains("one prepared transaction"), "{found:#}");
    let (said, detail) = result("jobs");
    assert!(said == "found" && detail.contains("cron"), "{found:#}");
    assert_eq!(result("processes").0, "clear", "{found:#}");
    assert_eq!(result("connections").0, "clear", "{found:#}");
    // The ledger says so until somebody follows it up.
    let verified = world.desk("dave").jit(&["verify", "--json"]).ok().json();
    let findings = verified["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["code"] == "F05"), "{verified:#}");
}
