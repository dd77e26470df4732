//! The residue probes against real files, jobs and commands, some of them prepared by somebody who does not want them
//! to be found.

// Helpers stand outside of test functions, where the lints allow this; what is tested is what happens in real time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{chown, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use common::JIT;
use common::disk::Disk;
use jit::domain::text::check_free;
use jit::host::SessionFile;
use jit::host::grants::Probe;
use jit::host::probe::{Places, run};
use jit::host::wire::Item;
use reaping::{Host, LOGIN_UID, alive, eventually, stamp, unix};
use serde_json::{Value, json};

#[path = "common/harness.rs"]
mod common;
#[path = "common/reaping.rs"]
mod reaping;

/// A host after a session that began just now, with spools of its own.
struct After {
    host: Host,
    session: SessionFile,
    places: Places,
}

impl After {
    fn new(test: &str) -> Option<Self> {
        let host = Host::new(test)?;
        let text = fs::read(host.session(|_| {}).file()).unwrap();
        let at = |part: &str| host.path(part);
        let places = Places {
            crontabs: vec![at("crontabs")],
            at_jobs: vec![at("atjobs")],
            linger: at("linger"),
            program: JIT.into(),
            ..Places::default()
        };
        Some(Self { session: serde_json::from_slice(&text).unwrap(), places, host })
    }

    /// From now on things count as changed in the session; what was made before does not.
    fn begins(&mut self) {
        std::thread::sleep(Duration::from_millis(1100));
        self.session.started = stamp(unix()).parse().unwrap();
    }

    /// The results of the probes of the policy, given as what they are.
    fn looks(&self, probes: &[Value]) -> Vec<Item> {
        let of = |(number, what): (usize, &Value)| json!({"target": "payments-db", "name": format!("probe {number}"), "what": what, "timeout": 2});
        let probes: Vec<Probe> =
            probes.iter().enumerate().map(of).map(|probe| serde_json::from_value(probe).unwrap()).collect();
        let items = run(&self.host.config(), &self.places, &self.session, Some(&probes));
        for item in &items {
            assert_eq!(check_free(&item.detail), Ok(()), "{item:?}");
            assert!(item.detail.chars().count() <= 2000 && !item.detail.is_empty(), "{item:?}");
        }
        items
    }

    /// What one probe comes to: its result and detail.
    fn look(&self, what: &Value) -> (String, String) {
        let item = self.looks(std::slice::from_ref(what)).pop().unwrap();
        assert_eq!(item.probe, "probe 0");
        (item.result.to_string(), item.detail)
    }

    fn look_for_files(&self, path: &PathBuf) -> (String, String) {
        self.look(&json!({"files": [path]}))
    }

    fn command(&self, argv: &[&str], must_be_empty: bool) -> (String, String) {
        self.look(&json!({"command": {"argv": argv, "must_be_empty": must_be_empty, "run_as": null}}))
    }

    fn script(&self, script: &str, must_be_empty: bool) -> (String, String) {
        self.command(&["/bin/sh", "-c", script], must_be_empty)
    }
}

#[test]
fn jobs_of_the_login_are_found() {
    let Some(mut after) = After::new("jobs_of_the_login_are_found") else { return };
    let jobs = |after: &After| after.looks(&[]).into_iter().find(|it| it.probe == "jobs").unwrap();
    assert_eq!(jobs(&after).result.to_string(), "clear", "no spools at all");
    for directory in ["crontabs", "atjobs", "linger"] {
        fs::create_dir(after.host.path(directory)).unwrap();
    }
    // Those of others, and at's own count.
    fs::write(after.host.path("crontabs/payments-rw"), "").unwrap();
    fs::write(after.host.path("atjobs/a00001"), "").unwrap();
    fs::write(after.host.path("atjobs/.SEQ"), "1").unwrap();
    chown(after.host.path("atjobs/.SEQ"), Some(LOGIN_UID), None).unwrap();
    assert_eq!(jobs(&after).result.to_string(), "clear", "jobs of others");

    for (number, job) in ["crontabs/payments-ro", "atjobs/a00002", "linger/payments-ro"].iter().enumerate() {
        fs::write(after.host.path(job), "").unwrap();
        chown(after.host.path(job), Some(LOGIN_UID), None).unwrap();
        let item = jobs(&after);
        assert_eq!(item.result.to_string(), "found", "{job}");
        assert!(item.detail.contains(job) && item.detail.starts_with(&format!("jobs of payments-ro: {}", number + 1)));
        assert!(item.detail.contains("changed since the session began"), "{}", item.detail);
    }
    after.begins();
    assert!(!jobs(&after).detail.contains("changed"), "a job from before is one, and is said to be from before");
    // A spool that is no directory: nothing can be said.
    after.places.at_jobs = vec![after.host.path("crontabs/payments-rw")];
    assert_eq!(jobs(&after).result.to_string(), "failed");
}

#[test]
fn changed_files_are_found_whatever_was_done_to_hide_them() {
    let Some(mut after) = After::new("changed_files_are_found_whatever_was_done_to_hide_them") else { return };
    let root = after.host.path("etc");
    fs::create_dir_all(root.join("deep/deeper")).unwrap();
    fs::create_dir(after.host.path("elsewhere")).unwrap();
    for file in ["etc/a", "etc/deep/b", "etc/deep/deeper/c", "elsewhere/d"] {
        fs::write(after.host.path(file), "x").unwrap();
    }
    symlink(after.host.path("elsewhere"), root.join("link")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    assert!(Command::new("mkfifo").arg(root.join("fifo")).status().unwrap().success());
    after.begins();
    let (result, detail) = after.look_for_files(&root);
    assert_eq!(result, "clear", "{detail}");
    // The root, two directories, three files, two links, a pipe.
    assert!(detail.starts_with("none of 9 entries changed"), "{detail}");

    // Behind a link nothing counts; what lies there is not below the path.
    fs::write(after.host.path("elsewhere/d"), "y").unwrap();
    assert_eq!(after.look_for_files(&root).0, "clear");
    // Changed, and its time set back.
    fs::write(root.join("deep/deeper/c"), "y").unwrap();
    let touched = Command::new("touch").args(["-d", "2001-01-01"]).arg(root.join("deep/deeper/c")).status();
    assert!(touched.unwrap().success());
    let (result, detail) = after.look_for_files(&root);
    assert_eq!(result, "found");
    assert!(detail.ends_with(&format!("\n{}", root.join("deep/deeper/c").display())), "{detail}");
    assert!(detail.contains(": 1\n"), "{detail}");

    // A name that would write over the others on a terminal, and one that is not UTF-8.
    fs::write(root.join("x\x1b[2K\u{202e}\ny"), "").unwrap();
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "").unwrap();
    let (_, detail) = after.look_for_files(&root);
    assert!(detail.contains("x\\u{1b}[2K\\u{202e}\\ny"), "{detail}");
    // The directory changed too.
    assert!(detail.contains(": 4\n"), "{detail}");

    for number in 0..150 {
        fs::write(root.join(format!("n{number}")), "").unwrap();
    }
    let (_, detail) = after.look_for_files(&root);
    assert!(detail.contains(": 154\n"), "{detail}");
}

#[test]
fn a_look_that_could_not_see_everything_is_not_clear() {
    let Some(mut after) = After::new("a_look_that_could_not_see_everything_is_not_clear") else { return };
    let at = |part: &str| after.host.path(part);
    fs::create_dir(at("true")).unwrap();
    symlink(at("true"), at("link")).unwrap();
    fs::create_dir(at("true/below")).unwrap();
    for path in [at("link"), at("link/below"), at("missing")] {
        let (result, detail) = after.look_for_files(&path);
        // A link that is named itself is looked at itself: it is new.
        let expected = if path == at("link") { ["found", "failed"].as_slice() } else { &["failed"] };
        assert!(expected.contains(&result.as_str()), "{path:?}: {result} {detail}");
    }

    // Deeper than a path can say.
    fs::create_dir(at("deep")).unwrap();
    let script = "for (1..1200) { mkdir 'down' or die; chdir 'down' or die }";
    assert!(Command::new("perl").args(["-e", script]).current_dir(at("deep")).status().unwrap().success());
    let deep = at("deep");
    after.begins();
    let (result, detail) = after.look_for_files(&deep);
    assert_eq!(result, "failed", "{detail}");

    // More than is looked at, and what is mounted below.
    let Some(disk) = Disk::new(after.host.path("disk/many"), 256 * 1024) else {
        common::skip("a_look_that_could_not_see_everything_is_not_clear", "no tmpfs can be mounted: half of it");
        return;
    };
    let script = "for (1..200_001) { open(F, '>', $_) or die; close F }";
    assert!(Command::new("perl").args(["-e", script]).current_dir(disk.path()).status().unwrap().success());
    let many = disk.path().to_owned();
    after.begins();
    let (result, detail) = after.look_for_files(&many);
    assert_eq!(result, "failed", "{detail}");
    fs::write(many.join("1"), "changed").unwrap();
    let (result, detail) = after.look_for_files(&after.host.path("disk"));
    assert_eq!(result, "clear", "{detail}");
    assert!(detail.ends_with("1 mounted below them not looked at"), "{detail}");
}

#[test]
fn commands_are_judged_by_what_the_policy_calls_clear() {
    let Some(after) = After::new("commands_are_judged_by_what_the_policy_calls_clear") else { return };
    let table = [
        ("exit 0", true, "clear", "exit 0"),
        ("echo slot left", true, "found", "slot left"),
        ("echo slot left; exit 3", true, "found", "exit 3"),
        // It could not look.
        ("echo no server >&2; exit 3", true, "failed", "no server"),
        ("echo careful >&2", true, "clear", "careful"),
        ("echo fine", false, "clear", "fine"),
        ("exit 3", false, "found", "exit 3"),
        ("kill -9 $$", false, "failed", "signal 9"),
        ("kill -9 $$", true, "failed", "signal 9"),
        ("no-such-program", false, "failed", "exit 127"),
    ];
    for (script, must_be_empty, result, says) in table {
        let (found, detail) = after.script(script, must_be_empty);
        assert_eq!(found, result, "{script}: {detail}");
        assert!(detail.contains(says), "{script}: {detail}");
    }
    for must_be_empty in [true, false] {
        let (found, detail) = after.command(&["/no/such/program"], must_be_empty);
        assert_eq!(found, "failed");
        assert!(detail.contains("/no/such/program") && detail.contains("could not be started"), "{detail}");
    }
    // No more than its beginning is kept, and it does not stand still.
    let (found, detail) = after.script("head -c 1000000 /dev/zero | tr '\\0' x", true);
    assert_eq!(found, "found");
    assert!(detail.starts_with("xxx") && detail.ends_with('…'), "{detail}");
}

#[test]
fn a_command_has_nothing_of_root_and_nothing_of_it_stays() {
    let Some(after) = After::new("a_command_has_nothing_of_root_and_nothing_of_it_stays") else { return };
    let (_, detail) =
        after.script("id -u; id -g; id -G; pwd; env | sort | grep -v ^_=; cat; echo; cat /proc/self/cgroup", true);
    let lines: Vec<&str> = detail.lines().filter(|line| !line.is_empty()).collect();
    let nobody = Command::new("id").args(["-u", "nobody"]).output().unwrap().stdout;
    let nobody = String::from_utf8(nobody).unwrap().trim().to_owned();
    assert_eq!(&lines[..3], [nobody.as_str(); 3], "{detail}");
    assert_eq!(&lines[3..7], ["/", "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PWD=/"], "{detail}");
    assert!(lines.iter().any(|line| line.starts_with("0::") && line.contains("/probe-")), "{detail}");

    // What it leaves running ends with it, and a pipe that is held open holds nobody up.
    let marker = "100042";
    let began = Instant::now();
    let (found, detail) = after.script(&format!("setsid nohup sleep {marker} & echo $!; sleep {marker}"), true);
    assert_eq!(found, "failed", "{detail}");
    assert!(detail.starts_with("not done within 2 s"), "{detail}");
    let pid: u32 = detail.lines().nth(1).unwrap().parse().unwrap();
    eventually("it is dead", || !alive(pid));
    let (found, _) = after.script(&format!("setsid nohup sleep {marker} & exit 0"), true);
    assert_eq!(found, "clear");
    assert!(began.elapsed() < Duration::from_secs(10));
    let left = fs::read_dir(after.host.config().cgroup).unwrap().flatten();
    assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("probe-")));

    let as_root = json!({"command": {"argv": ["/usr/bin/id", "-u"], "must_be_empty": true, "run_as": "root"}});
    let (found, detail) = after.look(&as_root);
    assert_eq!(found, "failed");
    assert!(detail.contains("may not run as root"), "{detail}");
    let as_mallory = json!({"command": {"argv": ["/usr/bin/id"], "must_be_empty": true, "run_as": "no-such-user"}});
    assert_eq!(after.look(&as_mallory).0, "failed");
    after.host.configured("probe_commands = false\n");
    let (found, detail) = after.script("exit 0", true);
    assert_eq!(found, "failed");
    assert!(detail.contains("host.toml"), "{detail}");
}

#[test]
fn the_built_in_probes_always_run_and_have_the_policys_names() {
    let Some(mut after) = After::new("the_built_in_probes_always_run_and_have_the_policys_names") else { return };
    let names = |items: &[Item]| items.iter().map(|item| item.probe.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after.looks(&[])), ["processes", "connections", "jobs"]);
    assert_eq!(names(&after.looks(&[json!("jobs")])), ["processes", "connections", "probe 0"]);
    // Probes of another target are not for this session.
    let other: Probe =
        serde_json::from_value(json!({"target": "ledger-db", "name": "x", "what": "jobs", "timeout": 2})).unwrap();
    let config = after.host.config();
    let items = run(&config, &after.places, &after.session, Some(&[other]));
    assert_eq!(names(&items), ["processes", "connections", "jobs"]);
    // Where the policy is not known, its probes were not run, and that is said.
    let items = run(&config, &after.places, &after.session, None);
    assert_eq!(items.last().unwrap().result.to_string(), "failed");
    // Nobody can tell root's processes from the system's.
    after.session.uid = 0;
    let items = run(&config, &after.places, &after.session, Some(&[]));
    assert_eq!(items[0].result.to_string(), "failed");
    assert_eq!(items[1].result.to_string(), "failed");
}
