//! `jit play`: what was recorded is shown, exported and followed; what is not as it was recorded is told and not shown.

// Helpers stand outside of test functions, where the lints allow this; the test's clock is the real one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::disallowed_methods
)]

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, Stdio};

use common::counting::Counting;
use common::terminal::Terminal as Screen;
use common::{JIT, Place, absent, environment, now};
use jit::domain::id::Digest;
use jit::recording::{ChannelOpen, Header, Recorder};
use recorded::{Scene, public, shell};
use serde_json::Value;

#[path = "common/harness.rs"]
mod common;
#[path = "common/recorded.rs"]
mod recorded;

const PROGRAMS: [&str; 2] = ["git", "ssh-keygen"];

/// A shell in which somebody looks at a queue.
fn look_at_queue(recorder: &mut Recorder<'_, File>) {
    recorder.open_channel(0, 0, &shell()).unwrap();
    recorder.output(0, 100, b"$ ").unwrap();
    recorder.input(0, 900, b"queue\r").unwrap();
    recorder.output(0, 950, b"queue\r\n").unwrap();
    recorder.output(0, 2100, "\u{1b}[1mthree\u{1b}[0m wait: ä".as_bytes()).unwrap();
    recorder.output(0, 2200, b"\x1b]52;c;cm0gLXJmIH4K\x07\r\n$ ").unwrap();
    recorder.resize(0, 3000, 100, 40).unwrap();
    recorder.close_channel(0, 4000, Some(0)).unwrap();
}

const SHOWN: &str = "$ queue\nthree wait: ä\n$ ";

#[test]
fn a_recording_is_verified_and_played() {
    if absent("a_recording_is_verified_and_played", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    let (session, file) = scene.session("first", look_at_queue);
    let said = scene.plays(&[]).ok();
    assert_eq!(said.out, SHOWN);
    let bytes = fs::read(&file).unwrap();
    // The head as anybody computes it: the SHA-256 of the last frame, which is also what the file ends in.
    let head = Digest::from_bytes(bytes[bytes.len() - 32..].try_into().unwrap());
    let verified = format!("verified against the ledger: head {head}");
    let said = said.mentions(&["alice on db1 as readonly, from 192.0.2.7", "ended: exit", "a shell", &verified]);
    assert!(!said.out.contains('\u{1b}'));
    let raw = scene.plays(&["--raw"]).ok();
    assert!(raw.out.contains("\u{1b}]52;c;cm0gLXJmIH4K\u{7}"), "{}", raw.told());

    // The file itself, the configuration's folder, and the recorder's key as the one that signs.
    let desk = place.desk("rita", &scene.ledger);
    let key = place.key("recorder").display().to_string();
    let named = file.display().to_string();
    let said = desk.jit(&["play", &scene.case, "--recordings", &named, "--identity", &key]).ok();
    assert_eq!(said.out, SHOWN);
    let folder = desk.home.join(".config/jit");
    fs::create_dir_all(&folder).unwrap();
    let config = format!("key = {key:?}\nrecordings = {:?}\n", scene.recordings.display().to_string());
    fs::write(folder.join("config.toml"), config).unwrap();
    let mut command = Command::new(JIT);
    command.args(["--ledger".as_ref(), scene.ledger.as_os_str(), "play".as_ref(), scene.case.as_ref()]);
    assert_eq!(desk.run(command).ok().out, SHOWN);

    let list = scene.plays(&["--json"]).ok().json();
    let entry = &list["sessions"][0];
    assert_eq!(entry["session"], session.as_str());
    assert_eq!((&entry["verified"], &entry["complete"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(entry["head"], head.to_string());
}

#[test]
fn who_cannot_open_is_told_so() {
    if absent("who_cannot_open_is_told_so", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    scene.plays(&[]).refused(1).mentions(&["has no session"]);
    scene.session("first", look_at_queue);
    let desk = place.desk("rita", &scene.ledger);
    let recordings = scene.recordings.display().to_string();
    // Rita's own key, with which she signs, is no recorder's.
    let said = desk.jit(&["play", &scene.case, "--recordings", &recordings]).refused(1);
    said.mentions(&["is not sealed to the key", "--identity"]);
    let public = place.path("keys").join("recorder.pub").display().to_string();
    let said = desk.jit(&["play", &scene.case, "--recordings", &recordings, "--identity", &public]).refused(1);
    said.mentions(&["ssh-agent can sign but not open"]);
    let nowhere = place.path("home").display().to_string();
    let said = desk.jit(&["play", &scene.case, "--recordings", &nowhere]).refused(1);
    said.mentions(&["--recordings DIR"]);
    scene.plays(&["--session", "2"]).refused(2).mentions(&["there is no session 2"]);
    scene.plays(&["--channel", "2"]).refused(2).mentions(&["there is no channel 2"]);
    scene.plays(&["--speed", "0"]).exits(2);
    // A link that somebody put there is not followed.
    let (_, file) = scene.session("second", look_at_queue);
    let elsewhere = place.path("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    scene.plays(&["--session", "2"]).refused(1).mentions(&["cannot read", "no link to one is followed"]);
    let folder = scene.recordings.join(&scene.case);
    fs::remove_file(&file).unwrap();
    fs::rename(&elsewhere, &file).unwrap();
    scene.plays(&["--session", "2"]).ok();
    let moved = place.path("moved");
    fs::rename(&folder, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &folder).unwrap();
    scene.plays(&["--session", "2"]).refused(1).mentions(&["cannot read"]);
}

#[test]
fn a_recording_that_differs_is_named_and_not_shown() {
    if absent("a_recording_that_differs_is_named_and_not_shown", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    let (_, file) = scene.session("first", look_at_queue);
    let whole = fs::read(&file).unwrap();
    // The second frame: its sealed text ends 32 bytes before the third begins.
    let starts: Vec<usize> = (0..whole.len() - 4).filter(|&at| &whole[at..at + 4] == b"jitf").collect();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let last = whole.len() - 33;
    let table: Vec<(Vec<u8>, &str, bool)> = vec![
        (flipped(starts[1] + 100), "frame 1 (at byte", true),
        (flipped(starts[2] - 33), "its sealed text was changed", true),
        (flipped(starts[1] + 20), "its time was changed", true),
        (flipped(last), "its sealed text was changed", true),
        (whole[..starts[2]].to_vec(), "it ends after frame 1 without its last frame", true),
        (whole[..starts[2] - 1].to_vec(), "it ends inside frame 1", true),
        ([&whole[..starts[0]], &whole[starts[1]..]].concat(), "frame 0 is missing", false),
        ([&whole[..], b"x"].concat(), "1 bytes follow its last frame", true),
    ];
    for (bytes, words, begins) in table {
        fs::write(&file, bytes).unwrap();
        let said = scene.plays(&[]).refused(4).mentions(&[words, "is not what was recorded", "--damaged"]);
        assert_eq!(said.out, "");
        let list = scene.plays(&["--json"]).exits(4).json();
        assert_eq!(list["sessions"][0]["verified"], false);
        let said = scene.plays(&["--damaged"]).exits(4).mentions(&["Warning", words, "proves nothing"]);
        assert_eq!(said.out.starts_with("$ "), begins, "{}", said.told());
        assert!(!said.err.contains("verified against"), "{}", said.told());
    }

    // A chain that is whole, but made by somebody else.
    let header = Header { ..scene.header(&file.file_stem().unwrap().to_str().unwrap().parse().unwrap()) };
    let (mut sink, mut rng) = (Vec::new(), Counting(9));
    let recorder = public(&place, "recorder");
    let mut forged = Recorder::new(&mut sink, &[recorder], &header, now() * 1000, &mut rng).unwrap();
    forged.open_channel(0, 0, &shell()).unwrap();
    forged.output(0, 1, b"nothing happened").unwrap();
    forged.finish(10).unwrap();
    fs::write(&file, sink).unwrap();
    scene.plays(&[]).refused(4).mentions(&["its head is sha256:", "and the ledger holds sha256:"]);
    fs::remove_file(&file).unwrap();
    let list = scene.plays(&["--json"]).exits(1).json();
    assert_eq!(list["sessions"][0]["verified"], Value::Null);
    assert!(list["sessions"][0]["error"].is_string());
}

#[test]
fn a_recording_of_which_the_ledger_holds_no_head_is_not_vouched_for() {
    if absent("a_recording_of_which_the_ledger_holds_no_head_is_not_vouched_for", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    let (session, file) = scene.begins("first");
    let mut rng = Counting(1);
    let recorder = public(&place, "recorder");
    let sink = File::create_new(&file).unwrap();
    let mut recorder = Recorder::new(sink, &[recorder], &scene.header(&session), now() * 1000, &mut rng).unwrap();
    recorder.open_channel(0, 0, &shell()).unwrap();
    recorder.output(0, 10, b"on the way").unwrap();
    recorder.flush(20).unwrap();
    // While it runs, what is there is sound.
    let said = scene.plays(&[]).ok().mentions(&["the chain is sound up to here", "still running"]);
    assert_eq!(said.out, "on the way");
    assert_eq!(scene.plays(&["--json"]).ok().json()["sessions"][0]["verified"], Value::Null);
    drop(recorder);
    scene.ends(&session, None);
    // Whoever still follows it is told, and does not wait for what will not come.
    let said = scene.plays(&["--follow"]).refused(4);
    said.mentions(&["ends after frame 0 without its last frame"]);
    let said = scene.plays(&[]).refused(4);
    said.mentions(&["ends after frame 0 without its last frame", "the ledger holds no head of it"]);
}

#[test]
fn channels_and_sessions_are_chosen_by_number() {
    if absent("channels_and_sessions_are_chosen_by_number", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    scene.session("first", |recorder| {
        recorder.open_channel(0, 0, &shell()).unwrap();
        let copy = ChannelOpen { command: Some("scp -t /tmp".into()), terminal: None };
        recorder.open_channel(1, 10, &copy).unwrap();
        // Both speak at once, a character of one cut by the other.
        recorder.output(0, 20, b"first \xc3").unwrap();
        recorder.output(1, 21, b"second\n").unwrap();
        recorder.output(0, 22, b"\xa4\xff\n").unwrap();
        recorder.mark(1, 30, "4711 bytes in, 12 bytes out").unwrap();
        recorder.close_channel(1, 40, Some(1)).unwrap();
        // The number is used again: another channel.
        recorder.open_channel(1, 50, &shell()).unwrap();
        recorder.output(1, 60, b"third\n").unwrap();
    });
    let said = scene.plays(&[]).ok();
    assert_eq!(said.out, "first ä\u{fffd}\nsecond\nthird\n");
    said.mentions(&["channel 2: the command scp -t /tmp", "exit code 1", "recorder: 4711 bytes in, 12 bytes out"]);
    assert_eq!(scene.plays(&["--channel", "2"]).ok().out, "second\n");
    let to = place.path("export.cast").display().to_string();
    scene.plays(&["--export", &to]).refused(2).mentions(&["3 channels", "--channel N"]);
    scene.session("second", look_at_queue);
    scene.plays(&[]).refused(2).mentions(&["the case has 2 sessions", "session 2: on db1 as readonly", "--session N"]);
    assert_eq!(scene.plays(&["--session", "2"]).ok().out, SHOWN);
}

#[test]
fn an_export_is_an_asciicast() {
    if absent("an_export_is_an_asciicast", &["git", "ssh-keygen", "python3"]) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    scene.session("first", look_at_queue);
    let to = place.path("export.cast");
    scene.plays(&["--export", to.to_str().unwrap()]).ok();
    // What is typed is in it: nobody else may read it, and nothing is overwritten.
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    scene.plays(&["--export", to.to_str().unwrap()]).refused(1).mentions(&["is there already"]);
    let text = fs::read_to_string(&to).unwrap();
    assert_eq!(scene.plays(&["--export", "-"]).ok().out, text);
    // asciicast v2 as its description has it, read by another program.
    let check = "import json, sys\n\
                 head, *events = [json.loads(line) for line in open(sys.argv[1])]\n\
                 assert head['version'] == 2 and head['width'] == 80 and head['height'] == 24, head\n\
                 assert head['env'] == {'TERM': 'xterm'} and type(head['timestamp']) is int, head\n\
                 last = 0\n\
                 for time, code, data in events:\n\
                 \x20   assert time >= last and code in 'oimr' and type(data) is str, (time, code, data)\n\
                 \x20   last = time\n\
                 print(''.join(data for _, code, data in events if code == 'o'), end='')\n\
                 print('typed', [data for _, code, data in events if code == 'i'])\n\
                 print('sized', [(time, data) for time, code, data in events if code == 'r'])\n";
    let mut command = Command::new("python3");
    command.arg("-c").arg(check).arg(&to).env("PYTHONUTF8", "1");
    let said = place.run(command).ok();
    let expected = "$ queue\r\n\u{1b}[1mthree\u{1b}[0m wait: ä\u{1b}]52;c;cm0gLXJmIH4K\u{7}\r\n$ typed ['queue\\r']\n\
                    sized [(3.0, '100x40')]\n";
    assert_eq!(said.out, expected);
}

#[test]
fn a_running_session_is_followed() {
    if absent("a_running_session_is_followed", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    let (session, file) = scene.begins("first");
    let mut rng = Counting(1);
    let sink = File::create_new(&file).unwrap();
    let recipient = public(&place, "recorder");
    let mut recorder = Recorder::new(sink, &[recipient], &scene.header(&session), now() * 1000, &mut rng).unwrap();
    recorder.open_channel(0, 0, &shell()).unwrap();
    recorder.output(0, 10, b"before\r\n").unwrap();
    recorder.flush(20).unwrap();

    let home = place.path("home");
    let mut command = Command::new(JIT);
    command.env_clear().envs(environment(&home)).current_dir(&home);
    command.args(["--ledger".as_ref(), scene.ledger.as_os_str(), "play".as_ref(), scene.case.as_ref()]);
    command.args(["--follow".as_ref(), "--recordings".as_ref(), scene.recordings.as_os_str()]);
    command.args(["--identity".as_ref(), place.key("recorder").as_os_str()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut read = |wanted: &str| {
        let mut bytes = vec![0; wanted.len()];
        out.read_exact(&mut bytes).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), wanted);
    };
    read("before\n");
    // It comes while the session goes on.
    recorder.output(0, 1000, b"meanwhile\r\n").unwrap();
    recorder.flush(1001).unwrap();
    read("meanwhile\n");
    recorder.finish(2000).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("The recording has ended; the chain is sound"), "{err}");

    // What does not go on as a recording does ends it.
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() - 40;
    bytes[at] ^= 1;
    fs::write(&file, bytes).unwrap();
    scene.plays(&["--follow"]).refused(4).mentions(&["does not go on as it was made", "frame 2"]);
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal() {
    if absent("a_passphrase_is_asked_for_at_the_terminal", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    scene.session("first", look_at_queue);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-p", "-P", "", "-N", "a long passphrase", "-f"]).arg(place.key("recorder"));
    place.run(command).ok();
    scene.plays(&[]).refused(1).mentions(&["needs a passphrase", "ssh-agent can sign but not open"]);
    let (screen, line) = at_terminal(&scene);
    screen.types(&format!("{line} --speed 1000; echo \"ended with $?.\""));
    screen.presses("Enter");
    screen.wait_for("the question", |screen| screen.contains("Passphrase of"));
    screen.types("another passphrase");
    screen.presses("Enter");
    screen.wait_for("the question again", |screen| screen.contains("Wrong passphrase, try again."));
    screen.settles();
    screen.types("a long passphrase");
    screen.presses("Enter");
    let shown = screen.wait_for("its end", |screen| screen.contains("\nended with 0."));
    assert!(shown.contains("three wait: ä") && !shown.contains("long passphrase"), "{shown}");
}

fn at_terminal<'p>(scene: &Scene<'p>) -> (Screen<'p>, String) {
    let desk = scene.place.desk("rita", &scene.ledger);
    let screen = Screen::open(scene.place, &desk.home, &scene.ledger, &[("JIT_AS", "rita")]);
    let line = format!(
        "jit play {} --recordings {} --identity {}",
        scene.case,
        scene.recordings.display(),
        scene.place.key("recorder").display()
    );
    (screen, line)
}

#[test]
fn a_terminal_shows_what_was_recorded_and_nothing_else_happens_to_it() {
    if absent("a_terminal_shows_what_was_recorded_and_nothing_else_happens_to_it", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    scene.session("first", look_at_queue);
    let (screen, line) = at_terminal(&scene);
    screen.types(&format!("{line} --speed 4; echo \"ended with $?.\""));
    screen.presses("Enter");
    // What was on the screen then is on it now, in the order in which it came.
    screen.wait_for("the first line", |screen| screen.contains("$ queue"));
    let shown = screen.wait_for("its end", |screen| screen.contains("\nended with 0."));
    for words in ["$ queue\nthree wait: ä\n$\n", "verified against the ledger", "Left out: 1 sequence that"] {
        assert!(shown.contains(words), "{words} is not shown:\n{shown}");
    }
}

#[test]
fn interrupting_leaves_the_terminal_as_it_was() {
    if absent("interrupting_leaves_the_terminal_as_it_was", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    scene.session("first", |recorder| {
        recorder.open_channel(0, 0, &shell()).unwrap();
        recorder.output(0, 0, b"\x1b[?1049h\x1b[?25l\x1b[2J\x1b[Hon the other screen").unwrap();
        recorder.output(0, 3_600_000, b"an hour later").unwrap();
        recorder.close_channel(0, 3_600_001, None).unwrap();
    });
    let (screen, line) = at_terminal(&scene);
    screen.types(&format!("echo first; {line}; echo \"ended with $?.\""));
    screen.presses("Enter");
    screen.wait_for("the recording", |screen| screen.contains("on the other screen"));
    screen.presses("C-c");
    let shown = screen.wait_for("its end", |screen| screen.contains("ended with 0."));
    // The first screen is there again.
    assert!(shown.contains("first") && !shown.contains("on the other screen"), "{shown}");
    assert!(!shown.contains("an hour later"), "{shown}");
    // With a limit to idle time it is over at once.
    let said = screen.converses(&format!("{line} --max-idle 0.1"), &[]);
    assert_eq!(said.code, 0, "{}", said.all());
}
