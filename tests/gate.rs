//! The gate and the recorder, between a client and what it runs: without sshd, but with everything else that sshd would
//! give them. A real control group, an unprivileged login, terminals, `age` for what the recording holds.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::as_conversions)]
#![allow(clippy::disallowed_methods)] // tests read PATH and CI

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use server::{PATIENCE, Screen, Server, UID, cannot, within};

#[path = "common/harness.rs"]
mod common;
#[path = "gate/server.rs"]
mod server;

/// What the gate ends with where the recorder is not there.
const CLOSED: Option<i32> = Some(254);

fn kill(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Bytes that look like anything.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(count + 8);
    while out.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(count);
    out
}

#[test]
fn a_shell_at_a_terminal_is_recorded() {
    if cannot("a_shell_at_a_terminal_is_recorded") {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    let shown = screen.shown();
    let first = "jit: payments-db/read-only as nobody, case ";
    assert!(shown.starts_with(first) && shown.contains(", INC-4711. Ends "), "{shown}");
    assert!(shown.contains(" UTC, in 30 min. This session is recorded.\r\n"), "{shown}");
    assert_eq!(fs::metadata(&screen.device).unwrap().uid(), 0, "the login can still open the client's terminal");

    screen.answers("echo un''der $(tty) $SSH_TTY $0 $(stty size)", "under /dev/pts/", 1);
    screen.shows(" -bash 24 80");
    let device = screen.device.to_str().unwrap();
    assert!(!screen.shown().contains(&format!("{device} ")), "the shell has the client's own terminal");
    screen.answers(&format!("cat < {device}; echo de''nied"), "denied", 1);
    screen.shows("Permission denied");
    screen.answers("env | grep -c ORIGINAL", "\n0\r\n", 1);
    screen.resize(101, 41);
    // The signal that tells it may come after the next line.
    assert!(
        within(PATIENCE, || {
            screen.types("stty size\r");
            std::thread::sleep(Duration::from_millis(100));
            screen.shown().contains("41 101")
        }),
        "{}",
        screen.shown()
    );
    screen.types("exit 3\r");
    assert_eq!(screen.ends().code(), Some(3), "{}", screen.shown());

    let left = server.finish();
    assert_eq!((&left["whole"], &left["exit_code"]), (&Value::Bool(true), &Value::from(3)));
    let transcript = server.transcript();
    assert!(transcript.whole);
    assert_eq!(left["head"], format!("sha256:{}", transcript.head));
    assert_eq!(left["bytes"], fs::metadata(server.recording()).unwrap().len());
    assert_eq!(transcript.all("o"), screen.shown(), "shown is what is recorded");
    assert!(transcript.all("i").contains("echo un''der $(tty)"), "{}", transcript.all("i"));
    assert!(transcript.all("i").contains("exit 3\r"));
    assert_eq!(transcript.all("r"), "101x41");
    assert_eq!(transcript.closed(), [Some(3)]);
    assert_eq!(transcript.lines[0]["width"], 80);
    assert_eq!(transcript.lines[0]["env"]["TERM"], "xterm");
    assert!(!server.socket().exists());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&server.recording()), mode(server.recording().parent().unwrap())), (0o600, 0o700));
}

#[test]
fn what_is_typed_unseen_is_not_recorded() {
    if cannot("what_is_typed_unseen_is_not_recorded") {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    screen.answers("read -rsp 'Pass''word: ' p; echo got ${#p}", "Password: ", 1);
    screen.answers("hunter2", "got 7", 1);
    screen.answers("echo vis''ible", "visible", 1);
    screen.types("exit\r");
    assert_eq!(screen.ends().code(), Some(0));
    server.finish();
    let transcript = server.transcript();
    assert!(!transcript.all("i").contains("hunter2") && !transcript.all("o").contains("hunter2"));
    assert_eq!(transcript.all("m"), "input not echoed: 8 bytes");
    assert!(transcript.all("i").contains("echo vis''ible\r"));
}

#[test]
fn keys_go_to_what_runs_in_the_shell() {
    if cannot("keys_go_to_what_runs_in_the_shell") {
        return;
    }
    let server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    screen.answers("trap 'echo shell-''int' INT; (echo be''gun; exec sleep 1000)", "begun", 1);
    // Between its words and the program the subshell is bash, which may lose the signal.
    std::thread::sleep(Duration::from_millis(500));
    screen.types("\u{3}");
    screen.answers("", "ready> ", 3);
    screen.answers("trap - INT; echo code $?; (echo second-''one; exec sleep 1000)", "second-one", 1);
    screen.types("\u{1a}");
    screen.shows("Stopped");
    screen.answers("jobs; echo job''s-done", "jobs-done", 1);
    screen.types("fg\r");
    screen.shows("exec sleep 1000)\r\n");
    std::thread::sleep(Duration::from_millis(300));
    screen.types("\u{3}");
    screen.answers("echo in''terrupted $?", "interrupted 130", 1);
    // End of file: the shell's, at its own terminal.
    screen.types("\u{4}");
    assert_eq!(screen.ends().code(), Some(0), "{}", screen.shown());
}

#[test]
fn a_program_that_draws_its_screen_works_and_is_recorded() {
    if cannot("a_program_that_draws_its_screen_works_and_is_recorded") || common::absent("vim", &["vim"]) {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(Some("vim -N -u NONE note.txt"));
    screen.shows("note.txt");
    screen.types("ipayments\u{1b}");
    std::thread::sleep(Duration::from_millis(300));
    screen.types(":wq\r");
    assert_eq!(screen.ends().code(), Some(0), "{}", screen.shown());
    assert_eq!(fs::read_to_string(server.place.path("nobody/note.txt")).unwrap(), "payments\n");
    server.finish();
    let transcript = server.transcript();
    assert!(transcript.all("i").contains("ipayments\u{1b}:wq\r"), "{:?}", transcript.all("i"));
    assert_eq!(transcript.lines[0]["command"], "vim -N -u NONE note.txt");
}

#[test]
fn exit_codes_are_those_of_what_ran() {
    if cannot("exit_codes_are_those_of_what_ran") {
        return;
    }
    let mut server = Server::start();
    for (command, code) in [
        ("true", 0),
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("no-such-program", 127),
        ("exit 255", 255),
    ] {
        assert_eq!(server.pipes(command, b"").0, code, "{command}");
        let mut screen = server.terminal(Some(command));
        assert_eq!(screen.ends().code(), Some(code), "{command}");
    }
    assert_eq!(server.finish()["exit_code"], 255);
    let closed = [0, 3, 143, 137, 127, 255].into_iter().flat_map(|code| [Some(code), Some(code)]).collect::<Vec<_>>();
    assert_eq!(server.transcript().closed(), closed);
}

#[test]
fn pipes_pass_everything_on_unchanged() {
    if cannot("pipes_pass_everything_on_unchanged") {
        return;
    }
    let mut server = Server::start();
    let input = noise(3_000_000);
    let (code, output, error) = server.pipes("cat; echo to''-stderr >&2; exit 5", &input);
    assert!((code, error.as_str()) == (5, "to-stderr\n") && output == input, "{code} {error} {}", output.len());
    let (_, output, error) = server.pipes("printf 'a\\nb\\0c'; printf d >&2", b"");
    assert_eq!((output.as_slice(), error.as_str()), (&b"a\nb\0c"[..], "d"));
    let left = server.finish();
    let transcript = server.transcript();
    assert_eq!(left["head"], format!("sha256:{}", transcript.head));
    assert_eq!(transcript.of(1, "i"), String::from_utf8_lossy(&input));
    assert_eq!(transcript.of(2, "o"), "a\nb\0cd");
    assert_eq!(transcript.lines[0]["command"], "cat; echo to''-stderr >&2; exit 5");
    assert_eq!(transcript.lines[0]["tty"], false);
}

#[test]
fn a_hundred_megabytes_go_both_ways_at_once() {
    if cannot("a_hundred_megabytes_go_both_ways_at_once") {
        return;
    }
    let mut server = Server::new(false, 1800);
    server.record();
    let input = noise(100_000_000);
    let (code, output, error) = server.pipes("tee >(sha256sum >&2)", &input);
    assert_eq!(code, 0, "{error}");
    assert!(output == input, "{} bytes came back", output.len());
    let digest: String = Sha256::digest(&input).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(error.split(' ').next(), Some(digest.as_str()));
    let left = server.finish();
    assert_eq!((&left["head"], &left["bytes"]), (&Value::Null, &Value::from(0)));
    assert!(!server.recording().exists());
}

#[test]
fn each_direction_ends_on_its_own() {
    if cannot("each_direction_ends_on_its_own") {
        return;
    }
    let server = Server::start();
    let mut gate = server.gate(Some("echo first; exec >&-; cat > rest; wc -c < rest >&2; exit 4"));
    let mut child = gate.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = String::new();
    // The program's stdout ends while it still reads.
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    assert_eq!(output, "first\n");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"still taken").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(4), &b"11\n"[..]));

    // Who takes no input any more does not hold up who sends it.
    let (code, output, _) = server.pipes("exec <&-; sleep 0.3; echo done", &noise(1_000_000));
    assert_eq!((code, output.as_slice()), (0, &b"done\n"[..]));
    // Nor does a job in the background that keeps the terminal.
    let mut screen = server.terminal(Some("trap '' HUP; sleep 1000 & echo left"));
    assert_eq!(screen.ends().code(), Some(0));
    screen.shows("left");
}

#[test]
fn two_channels_are_told_apart() {
    if cannot("two_channels_are_told_apart") {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    let mut gate = server.gate(Some("cat"));
    let mut child = gate.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut stdin = child.stdin.take().unwrap();
    for round in 0..3 {
        stdin.write_all(format!("piped {round}\n").as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, format!("piped {round}\n"));
        screen.answers(&format!("echo ty''ped {round}"), &format!("typed {round}"), 1);
    }
    screen.types("exit 7\r");
    assert_eq!(screen.ends().code(), Some(7));
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // Between channels, the recorder waits: the connection stands.
    assert!(server.recorder.as_mut().unwrap().try_wait().unwrap().is_none());
    assert_eq!(server.pipes("echo third", b"").1, b"third\n");
    server.finish();
    let transcript = server.transcript();
    assert_eq!(transcript.of(1, "o"), screen.shown());
    assert_eq!(transcript.of(2, "o"), "piped 0\npiped 1\npiped 2\n");
    assert_eq!(transcript.of(2, "i"), "piped 0\npiped 1\npiped 2\n");
    assert_eq!(transcript.of(3, "o"), "third\n");
    assert_eq!(transcript.closed(), [Some(7), Some(0), Some(0)]);
}

#[test]
fn noise_at_a_terminal_harms_nobody() {
    if cannot("noise_at_a_terminal_harms_nobody") {
        return;
    }
    let mut server = Server::start();
    let mut screen =
        server.terminal(Some("stty raw -echo; head -c 300000 /dev/urandom; head -c 100000 > taken; exit 6"));
    assert!(within(PATIENCE, || screen.shown().len() > 300_000));
    let sent: String = noise(100_000).iter().map(|byte| char::from(byte & 0x7f)).collect();
    screen.types(&sent);
    assert_eq!(screen.ends().code(), Some(6));
    let taken = fs::read(server.place.path("nobody/taken")).unwrap();
    assert!(taken == sent.as_bytes(), "what was typed did not arrive unchanged");
    assert_eq!(server.finish()["whole"], true);
    assert_eq!(server.transcript().all("o"), screen.shown());
}

#[test]
fn without_its_recorder_a_session_ends() {
    if cannot("without_its_recorder_a_session_ends") {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    screen.answers("echo my''pid $$", "mypid ", 1);
    let mut gate = server.gate(Some("echo $$; exec sleep 1000"));
    let mut piped = gate.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(piped.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let shell = screen.shown().split("mypid ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let recorder = server.recorder.as_mut().unwrap();
    kill(recorder.id(), Signal::KILL);
    recorder.wait().unwrap();

    assert_eq!(screen.ends().code(), CLOSED);
    screen.shows("the recorder is gone: the session ends");
    let output = piped.wait_with_output().unwrap();
    assert_eq!(output.status.code(), CLOSED);
    assert!(String::from_utf8_lossy(&output.stderr).contains("the recorder is gone"));
    for pid in [shell.trim(), line.trim()] {
        assert!(within(PATIENCE, || !fs::exists(format!("/proc/{pid}/stat")).unwrap()), "{pid} still runs");
    }
    // What was sealed until then can be read; it does not say that it is whole.
    let transcript = server.transcript();
    assert!(!transcript.whole);
    // Nobody gets in any more.
    let mut late = server.terminal(Some("echo in"));
    assert_eq!(late.ends().code(), CLOSED);
    assert!(!late.shown().contains("in\r\n"), "{}", late.shown());
    late.shows("no recorder at ");
}

#[test]
fn without_its_gate_a_channel_ends_and_others_go_on() {
    if cannot("without_its_gate_a_channel_ends_and_others_go_on") {
        return;
    }
    let mut server = Server::start();
    let mut other = server.terminal(None);
    other.shows("ready> ");
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    screen.answers("echo my''pid $$", "mypid ", 1);
    let shell = screen.shown().split("mypid ").nth(1).unwrap().lines().next().unwrap().trim().to_owned();
    kill(screen.gate.id(), Signal::KILL);
    assert_eq!(screen.ends().signal(), Some(9));
    assert!(within(PATIENCE, || !fs::exists(format!("/proc/{shell}/stat")).unwrap()), "the shell still runs");
    other.answers("echo still''here", "stillhere", 1);
    // The client hangs up.
    drop(screen);
    other.types("exit\r");
    assert_eq!(other.ends().code(), Some(0));
    assert_eq!(server.finish()["exit_code"], 0);
    assert_eq!(server.transcript().closed(), [None, Some(0)]);
}

#[test]
fn the_end_of_the_control_group_is_recorded_to_the_last() {
    if cannot("the_end_of_the_control_group_is_recorded_to_the_last") {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    screen.answers("echo last''words; sleep 1000", "lastwords", 1);
    fs::write(server.group().join("cgroup.kill"), "1").unwrap();
    assert_eq!(screen.ends().signal(), Some(9));
    let left = server.finish();
    assert_eq!((&left["whole"], &left["exit_code"]), (&Value::Bool(true), &Value::Null));
    let transcript = server.transcript();
    assert!(transcript.all("o").contains("lastwords"));
    assert_eq!(transcript.closed(), [None]);
    assert!(transcript.whole);
}

#[test]
fn a_recorder_that_is_told_to_stop_finishes_first() {
    if cannot("a_recorder_that_is_told_to_stop_finishes_first") {
        return;
    }
    let mut server = Server::start();
    let mut screen = server.terminal(None);
    screen.shows("ready> ");
    kill(server.recorder.as_ref().unwrap().id(), Signal::TERM);
    let left = server.left();
    assert_eq!(left["whole"], true);
    assert_eq!(screen.ends().code(), CLOSED);
    assert!(server.transcript().whole);
}

#[test]
fn a_recording_that_breaks_ends_the_session() {
    const TEST: &str = "a_recording_that_breaks_ends_the_session";
    if cannot(TEST) {
        return;
    }
    let mut server = Server::new(true, 1800);
    // A disk that is full.
    let mut mount = Command::new("mount");
    let mounted = mount.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(server.place.path("recordings"));
    let mounted = mounted.status().unwrap();
    if !mounted.success() {
        common::skip(TEST, "no tmpfs can be mounted here");
        return;
    }
    server.record();
    let (code, _, error) = server.pipes("head -c 1000000 /dev/urandom; sleep 1000", b"");
    let left = server.left();
    let transcript_head = fs::read(server.recording()).unwrap();
    Command::new("umount").arg(server.place.path("recordings")).status().unwrap();
    assert_eq!(Some(code), CLOSED, "{error}");
    assert_eq!(left["whole"], false);
    assert!(left["bytes"].as_u64().unwrap() <= transcript_head.len() as u64);
}

#[test]
fn a_signal_to_the_gate_is_meant_for_what_runs() {
    if cannot("a_signal_to_the_gate_is_meant_for_what_runs") {
        return;
    }
    let server = Server::start();
    // As long as a command can be: its recording has it whole.
    let long = "x".repeat(120_000);
    let mut gate =
        server.gate(Some(&format!("trap 'echo told; exit 9' TERM; echo on; while :; do sleep 0.1; done # {long}")));
    let mut child = gate.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    kill(child.id(), Signal::TERM);
    output.read_to_string(&mut line).unwrap();
    assert_eq!((line.as_str(), child.wait().unwrap().code()), ("on\ntold\n", Some(9)));
    drop(gate);
}

#[test]
fn strangers_are_refused() {
    if cannot("strangers_are_refused") {
        return;
    }
    let server = Server::start();
    let meta = fs::metadata(server.socket()).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (UID, 0o600));
    // Root itself is not this session's user.
    let mut line = String::new();
    BufReader::new(UnixStream::connect(server.socket()).unwrap()).read_line(&mut line).unwrap();
    let refused: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(refused["say"], "refused", "{line}");
    assert!(refused["why"].as_str().unwrap().contains("user 0"), "{line}");

    // The same login, in another session that reaches for this one's recorder.
    let other = "z".repeat(26);
    fs::create_dir(server.groups.join(&other)).unwrap();
    symlink(server.socket(), server.place.path("run/gate").join(format!("{other}.sock"))).unwrap();
    let said = server.gate_in(&server.groups.join(&other), Some("touch was-here")).output().unwrap();
    assert_eq!(said.status.code(), CLOSED);
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(error.contains("the recorder refused") && error.contains("is not in this session"), "{error}");

    // In no session at all.
    let outside = server.groups.join("not-a-session");
    fs::create_dir(&outside).unwrap();
    for group in [outside.as_path(), server.groups.parent().unwrap()] {
        let said = server.gate_in(group, Some("touch was-here")).output().unwrap();
        assert_eq!(said.status.code(), CLOSED);
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(error.contains("this process is in no session"), "{error}");
    }
    assert!(!server.place.path("nobody/was-here").exists());

    // Another user cannot even connect.
    let mut command = server.gate(Some("true"));
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().replace("65534", "65533")).collect();
    let mut stranger = Command::new("sh");
    stranger.args(words).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
    let said = stranger.stdin(Stdio::null()).output().unwrap();
    assert_eq!(said.status.code(), CLOSED);
    assert!(String::from_utf8_lossy(&said.stderr).contains("Permission denied"));
    // What they tried harmed nobody.
    assert_eq!(command.stdin(Stdio::null()).status().unwrap().code(), Some(0));
}

#[test]
fn nobody_else_has_the_client_s_side() {
    if cannot("nobody_else_has_the_client_s_side") {
        return;
    }
    let server = Server::start();
    // Something of the user's lay in wait for the terminal, or was started at login before the gate.
    let mut lurker = None;
    let gate = server.gate(Some("touch was-here"));
    let mut screen = Screen::start_after(gate, |device| {
        let mut command = server.within(&server.group(), None, &["sh", "-c", "exec sleep 1000 <> \"$0\""]);
        let child = command.arg(device).stdin(Stdio::null()).spawn().unwrap();
        let link = format!("/proc/{}/fd/0", child.id());
        assert!(within(PATIENCE, || fs::read_link(&link).is_ok_and(|open| open == device)));
        lurker = Some(child);
    });
    assert_eq!(screen.ends().code(), CLOSED);
    screen.shows("has the client's terminal or connection open too");
    assert!(!server.place.path("nobody/was-here").exists());
    let mut lurker = lurker.unwrap();
    lurker.kill().and_then(|()| lurker.wait()).unwrap();

    // The same with a socket, which is what sshd gives without a terminal.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let end = || Stdio::from(OwnedFd::from(theirs.try_clone().unwrap()));
    let mut command = server.within(&server.group(), None, &["sleep", "1000"]);
    let mut lurker = command.stdin(end()).spawn().unwrap();
    let comm = format!("/proc/{}/comm", lurker.id());
    assert!(within(PATIENCE, || fs::read_to_string(&comm).is_ok_and(|name| name == "sleep\n")));
    let run = || {
        let mut gate = server.gate(Some("echo through; read word; echo $word; exec >&-; sleep 1000"));
        gate.stdin(end()).stdout(end()).stderr(Stdio::null()).spawn().unwrap()
    };
    assert_eq!(run().wait().unwrap().code(), CLOSED);
    lurker.kill().and_then(|()| lurker.wait()).unwrap();
    let mut gate = run();
    drop(command);
    drop(theirs);
    let mut line = String::new();
    let mut reader = BufReader::new(ours.try_clone().unwrap());
    reader.read_line(&mut line).unwrap();
    (&ours).write_all(b"back\n").unwrap();
    // Both directions of one socket: this end is told that nothing more comes, though the other still listens.
    reader.read_to_string(&mut line).unwrap();
    assert_eq!(line, "through\nback\n");
    gate.kill().and_then(|()| gate.wait()).unwrap();
}

#[test]
fn words_that_are_no_greeting_are_refused() {
    const TEST: &str = "words_that_are_no_greeting_are_refused";
    if cannot(TEST) || common::absent(TEST, &["perl"]) {
        return;
    }
    let server = Server::start();
    let script = r#"use IO::Socket::UNIX;
        for ("\n", "{}\n", "\xff" x 4096 . "\n", '{"say":"hello","version":1}' . "\n",
             '{"say":"hello","version":2}' . "\n", '{"say":"resized"}' . "\n", "") {
            my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!";
            $socket->print($_); $socket->flush; $socket->shutdown(1);
            print <$socket>;
        }"#;
    let socket = server.socket();
    let words = ["perl", "-e", script, socket.to_str().unwrap()];
    let said = server.within(&server.group(), None, &words).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.lines().all(|line| line.contains("\"refused\"")), "{text}");
    assert_eq!(server.pipes("echo fine", b"").1, b"fine\n");
}

#[test]
fn the_end_is_announced() {
    if cannot("the_end_is_announced") {
        return;
    }
    let mut server = Server::new(true, 65);
    server.record();
    let mut screen = server.terminal(None);
    screen.shows("this session ends in 1 min (");
    assert!(!screen.shown().contains("in 5 min"), "{}", screen.shown());
    screen.types("exit\r");
    assert_eq!(screen.ends().code(), Some(0));
    server.finish();
    assert_eq!(server.transcript().all("o").matches("jit: this session ends in 1 min (").count(), 1);
}

#[test]
fn copied_files_are_counted_not_kept() {
    const TEST: &str = "copied_files_are_counted_not_kept";
    if cannot(TEST) || common::absent(TEST, &["scp", "sftp"]) {
        return;
    }
    let mut server = Server::start();
    let file = server.place.path("payments.csv");
    let content: String = (0..50_000).map(|line| format!("a customer's secret {line}\n")).collect();
    fs::write(&file, &content).unwrap();
    // What ssh does: the last argument is what is asked for, and with -s it is a subsystem.
    let ssh = server.place.path("ssh");
    let gate = server.gate(None);
    let words: Vec<String> =
        gate.get_args().map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', "'\\''"))).collect();
    let text = format!(
        "#!/bin/sh\nfor last; do :; done\n[ \"$last\" = sftp ] && last='internal-sftp -l INFO'\n\
         cd {}; export SHELL=/bin/bash SSH_ORIGINAL_COMMAND=\"$last\"\nexec sh {}\n",
        server.place.path("nobody").display(),
        words.join(" ")
    );
    common::executable::executable(&ssh, text);
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        command.arg("-q").arg("-S").arg(&ssh).args(words).current_dir(server.place.path(""));
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("scp", &["-O", "payments.csv", "host:by-scp"]);
    run("scp", &["-s", "payments.csv", "host:by-sftp"]);
    run("scp", &["-O", "host:by-scp", "back"]);
    for name in ["nobody/by-scp", "nobody/by-sftp", "back"] {
        assert!(fs::read_to_string(server.place.path(name)).unwrap() == content, "{name}");
    }
    // A program of the same name is none of the system's: what it does is recorded.
    let impostor = server.place.path("nobody/scp");
    common::executable::executable(&impostor, "#!/bin/bash\necho copying >&2\nexec bash -i 2>&1\n");
    let (_, output, _) = server.pipes("./scp -t x", b"echo secret''ly\n");
    assert!(String::from_utf8_lossy(&output).contains("secretly"));
    server.finish();
    let transcript = server.transcript();
    assert!(!transcript.all("o").contains("customer") && !transcript.all("i").contains("customer"));
    let marks = transcript.all("m");
    for word in ["scp -t by-scp: ", "internal-sftp -l INFO: ", "scp -f by-scp: "] {
        let said = marks.split(word).nth(1).unwrap_or_else(|| panic!("{word:?} is not in {marks}"));
        let bytes: Vec<usize> = said.split(' ').filter_map(|word| word.parse().ok()).take(2).collect();
        assert!(bytes.iter().any(|bytes| *bytes >= content.len()), "{said}");
    }
    assert_eq!(transcript.of(4, "i"), "echo secret''ly\n");
    assert!(transcript.of(4, "o").contains("secretly"));
    assert_eq!(transcript.lines.iter().filter(|line| !line["command"].is_null()).count(), 4);
}
