//! The kill sweep: a command is killed at each of its system calls that writes, by strace; then the next plain command has
//! to work, the ledger has to verify, and what was acknowledged has to be there once.
//!
//! `cargo test` takes some of the points of each command. All of them, with the table:
//! `cargo test --test faults -- --ignored --nocapture the_whole_sweep`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::acts::{ACTS, Act, Stage, Wrong};
use super::common::{Place, Said, absent};

/// The calls that write, as strace names them; `?`: where this machine has the call. `openat` counts where it makes a file.
const CALLS: [&str; 24] = [
    "write",
    "writev",
    "pwrite64",
    "?rename",
    "?renameat",
    "renameat2",
    "?link",
    "linkat",
    "?unlink",
    "unlinkat",
    "?rmdir",
    "?mkdir",
    "mkdirat",
    "fsync",
    "fdatasync",
    "ftruncate",
    "?chmod",
    "fchmod",
    "fchmodat",
    "?utimensat",
    "sendto",
    "sendmsg",
    "connect",
    "openat",
];

/// A moment at which a process is killed: before its so-many-th call of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    call: String,
    count: u32,
}

/// What came of the points of one command.
#[derive(Debug, Default)]
struct Row {
    points: u32,
    acknowledged: u32,
    wrong: BTreeMap<Wrong, u32>,
    cleared: u32,
    at_server: u32,
    told: Vec<String>,
}

#[test]
fn killed_at_some_of_its_writes_it_loses_and_doubles_nothing() {
    const TEST: &str = "killed_at_some_of_its_writes_it_loses_and_doubles_nothing";
    if absent(TEST, &["strace", "git", "ssh-keygen", "unshare"]) {
        return;
    }
    sweep(8);
}

#[test]
#[ignore = "every point of every command: half an hour"]
fn the_whole_sweep() {
    assert!(!absent("the_whole_sweep", &["strace", "git", "ssh-keygen", "unshare"]), "it needs all of them");
    sweep(usize::MAX);
}

/// How many commands are swept at once: most of the time goes by waiting for the disk.
const THREADS: usize = 4;

/// At most so many points of each command, spread over all of it.
fn sweep(most: usize) {
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(act) = ACTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = of(act, most);
                    eprintln!("{}", line(act.name, &row));
                    rows.lock().unwrap().insert(act.name, row);
                }
            });
        }
    });
    let rows = rows.into_inner().unwrap();
    assert_eq!(rows.len(), ACTS.len());
    println!(
        "\n| killed during | points | acknowledged | corrupt | lost | doubled | stuck | hint followed | lock at the server |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for act in ACTS {
        println!("{}", line(act.name, &rows[act.name]));
    }
    let all = rows.values().fold(Row::default(), |mut all, row| {
        all.points += row.points;
        all.acknowledged += row.acknowledged;
        all.cleared += row.cleared;
        all.at_server += row.at_server;
        row.wrong.iter().for_each(|(wrong, count)| *all.wrong.entry(*wrong).or_default() += count);
        all
    });
    println!("{}", line("**all**", &all));
    let told: Vec<&String> = rows.values().flat_map(|row| &row.told).collect();
    assert!(told.is_empty(), "{} points", told.len());
    for (name, row) in &rows {
        assert!(row.points >= 5, "{name} was killed only {} times", row.points);
    }
}

fn line(name: &str, row: &Row) -> String {
    let wrong = |kind| row.wrong.get(&kind).copied().unwrap_or_default();
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
        row.points,
        row.acknowledged,
        wrong(Wrong::Corrupt),
        wrong(Wrong::Lost),
        wrong(Wrong::Doubled),
        wrong(Wrong::Stuck),
        row.cleared,
        row.at_server
    )
}

fn of(act: &Act, most: usize) -> Row {
    let place = Place::new();
    let stage = Stage::new(&place, act);
    let points = points(&stage, act);
    assert!(!points.is_empty(), "{}: strace saw nothing", act.name);
    let step = points.len().div_ceil(most).max(1);
    let mut row = Row::default();
    for (number, point) in points.iter().enumerate().step_by(step) {
        // Once the process alone, once it and everything that it started, as when a machine stops.
        let everything = number / step % 2 == 1;
        stage.restore();
        let log = place.path("strace.log");
        let said = traced(&stage, act, &log, Some(point), everything);
        if !fs::read_to_string(&log).unwrap_or_default().contains("killed by SIGKILL") {
            continue;
        }
        row.points += 1;
        row.acknowledged += u32::from(said.code == 0);
        let (again, followed) = next(&stage, act);
        row.cleared += u32::from(followed);
        row.at_server += u32::from(stage.has_locked_server());
        let judged = stage.judge(act, &said, &again);
        if let Err((wrong, why)) = judged {
            *row.wrong.entry(wrong).or_default() += 1;
            let kind = if everything { "all" } else { "one" };
            let told = format!(
                "{} at {} {} ({kind}): {wrong:?}: {why}\nkilled: {}\nnext: {}",
                act.name,
                point.call,
                point.count,
                said.told(),
                again.told()
            );
            eprintln!("{told}\n");
            row.told.push(told);
        }
    }
    row
}

/// The next plain command; where it does not work, what its hint says is typed, and then the command again.
fn next(stage: &Stage<'_>, act: &Act) -> (Said, bool) {
    let mut said = stage.run(act.next);
    let mut followed = false;
    if said.code == 1 && act.codes.contains(&1) {
        // "If it is your clone: jit verify".
        let verified = stage.run(&["verify", "--json"]);
        return if verified.code == 0 { (said, true) } else { (verified, true) };
    }
    // A server that was killed may have left more than one lock, and it names one at a time.
    for _ in 0..3 {
        let done = said.code == 0 || stage.may_end_with(act, &said);
        let Some(typed) = typed(&said).filter(|_| !done) else { break };
        stage.shell(&typed);
        followed = true;
        // What was signed meanwhile waits: the hint ends with `jit sync`, which delivers it.
        said = if said.err.contains("jit sync") { stage.run(&["sync", "--json"]) } else { stage.run(act.next) };
    }
    (said, followed)
}

/// A command that a hint gives whole: the removal of a named file.
fn typed(said: &Said) -> Option<String> {
    let hint = said.err.lines().find_map(|line| line.strip_prefix("Hint: "))?;
    let start = hint.find("rm /")?;
    let command = hint.get(start..)?;
    Some(command.split([',', ';', ')']).next().unwrap_or(command).to_owned())
}

/// Runs the command under strace; `point`: where it is killed.
fn traced(stage: &Stage<'_>, act: &Act, log: &Path, point: Option<&Point>, everything: bool) -> Said {
    let jit = stage.command(act.killed);
    let mut command = Command::new("strace");
    command.args(["-f", "-q", "-o"]).arg(log);
    match point {
        Some(Point { call, count }) => {
            command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=KILL:when={count}")]);
        }
        None => {
            command.args(["-e", &format!("trace={}", CALLS.join(","))]);
        }
    }
    if everything {
        // Whoever is first in a process namespace takes all others along.
        command.args(["unshare", "--pid", "--fork", "--kill-child"]);
    }
    command.arg(jit.get_program()).args(jit.get_args());
    if let Some(directory) = jit.get_current_dir() {
        command.current_dir(directory);
    }
    stage.run_command(command)
}

/// The points of a command: what each of its processes and threads calls, counted as strace counts.
fn points(stage: &Stage<'_>, act: &Act) -> Vec<Point> {
    stage.restore();
    let log = stage.place.path("strace.log");
    let said = traced(stage, act, &log, None, false);
    assert!(said.code == 0, "{}: it does not work when nothing is killed\n{}", act.name, said.told());
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut points = BTreeSet::new();
    for line in fs::read_to_string(&log).unwrap().lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let Some((name, rest)) = call.trim_start().split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let count = counts.entry((pid.to_owned(), name.to_owned())).or_default();
        *count += 1;
        let writes = name != "openat" || rest.contains("O_CREAT");
        if writes {
            points.insert(Point { call: name.to_owned(), count: *count });
        }
    }
    points.into_iter().collect()
}
