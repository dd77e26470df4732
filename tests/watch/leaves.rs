//! How the view ends when nobody presses a key: signals, a terminal that goes away, a reader that has enough. Each time within a
//! moment, by itself, and without a word to anybody who is not there any more.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::common::{Desk, JIT, Place, absent, environment};
use super::crowd::Crowd;
use super::{Acme, kill};

/// How long an end may take here, where other tests run at the same time; what it takes is printed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A view at a terminal that is nobody's controlling one: when it is closed no signal comes, and reading ends.
struct View {
    master: Option<OwnedFd>,
    child: Child,
}

impl View {
    fn start(desk: &Desk<'_>, arguments: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let side = || {
            use std::os::unix::fs::OpenOptionsExt as _;
            let noctty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
            File::options().read(true).write(true).custom_flags(noctty).open(&name).unwrap()
        };
        let mut command = Command::new(JIT);
        command.env_clear().envs(environment(&desk.home)).env("TERM", "xterm").current_dir(&desk.home);
        command.args(["--as", &desk.name, "--key"]).arg(&desk.key).arg("--ledger").arg(&desk.ledger);
        command.arg("watch").args(arguments).stdin(side()).stdout(side()).stderr(side());
        Self { master: Some(master), child: command.spawn().unwrap() }
    }

    /// Reads until this was shown.
    fn shows(&self, what: &str) {
        let mut terminal = File::from(self.master.as_ref().unwrap().try_clone().unwrap());
        let mut shown = String::new();
        let mut buffer = [0; 4096];
        while !shown.contains(what) {
            let count = terminal.read(&mut buffer).unwrap();
            shown.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn signals(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process.
#[track_caller]
fn ends(child: &mut Child, how: &str) -> ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            println!("ended {} ms after {how}: {status}", began.elapsed().as_millis());
            return status;
        }
        assert!(began.elapsed() < PATIENCE, "it did not end after {how}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The share of a processor that a process used for a while.
fn share(child: &Child) -> f64 {
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
    };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(2));
    (ticks() - before) / 200.0
}

#[test]
fn a_view_whose_terminal_is_gone_ends() {
    if absent("a_view_whose_terminal_is_gone_ends", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let bob = acme.desk("bob");
    for (arguments, shown) in [(&[][..], "Nothing"), (&["--plain"], "Each change is a line")] {
        let mut view = View::start(&bob, arguments);
        view.shows(shown);
        drop(view.master.take());
        let status = ends(&mut view.child, &format!("its terminal was closed {arguments:?}"));
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
    for signal in ["TERM", "HUP", "INT"] {
        for (arguments, shown) in [(&[][..], "Nothing"), (&["--plain"], "Each change is a line")] {
            let mut view = View::start(&bob, arguments);
            view.shows(shown);
            // What it says on the way out has to be read by somebody.
            let mut rest = File::from(view.master.as_ref().unwrap().try_clone().unwrap());
            std::thread::spawn(move || while rest.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
            view.signals(signal);
            let status = ends(&mut view.child, &format!("SIG{signal} {arguments:?}"));
            assert_eq!(status.code(), Some(0), "{signal} {arguments:?}");
        }
    }
}

#[test]
fn a_terminal_that_takes_nothing_more_keeps_no_view_alive() {
    if absent("a_terminal_that_takes_nothing_more_keeps_no_view_alive", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    // As behind a connection that hangs: what is drawn piles up until nothing more fits.
    let mut view = View::start(&acme.desk("bob"), &[]);
    view.shows("Nothing");
    let size = |columns| {
        let size = Winsize { ws_row: 200, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(view.master.as_ref().unwrap(), size).unwrap();
        view.signals("WINCH");
        std::thread::sleep(Duration::from_millis(150));
    };
    (0..40).for_each(|number| size(200 + number));
    view.signals("TERM");
    // Ended by the signal itself, the usual way out being blocked.
    let status = ends(&mut view.child, "SIGTERM, the terminal being full");
    assert_eq!(status.signal(), Some(15), "{status}");
}

#[test]
fn a_view_in_a_window_that_is_closed_ends() {
    if absent("a_view_in_a_window_that_is_closed_ends", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    for (arguments, shown) in [("", "Nothing is open"), ("--plain", "Each change is a line")] {
        let screen = acme.terminal("bob", 80, 24, &[]);
        screen.types(&format!("jit watch {arguments}\n"));
        screen.wait_for("the view", |screen| screen.contains(shown));
        let shell = screen.process();
        let find = Command::new("pgrep").args(["-P", &shell, "-x", "jit"]).output().unwrap();
        let id = String::from_utf8(find.stdout).unwrap().trim().to_owned();
        assert!(!id.is_empty(), "no view runs");
        // The whole server goes, as when the machine of whoever watches does.
        drop(screen);
        let began = Instant::now();
        // Ended, whether or not whoever inherited it has taken notice.
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            stat.contains("(jit) ") && !stat.contains("(jit) Z")
        };
        while runs() {
            assert!(began.elapsed() < PATIENCE, "jit watch {arguments} is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
        println!("ended {} ms after its window {arguments}", began.elapsed().as_millis());
    }
}

#[test]
fn who_has_read_enough_ends_it() {
    if absent("who_has_read_enough_ends_it", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let bob = acme.desk("bob");
    for (arguments, first) in [(&["--json", "--since", "0"][..], "genesis"), (&["--plain"], "acme/production")] {
        let mut command = Command::new(JIT);
        command.env_clear().envs(environment(&bob.home)).current_dir(&bob.home);
        command.args(["--as", "bob", "--key"]).arg(&bob.key).arg("--ledger").arg(&bob.ledger);
        command.arg("watch").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.contains(first), "{line}");
        assert!(share(&child) < 0.5, "it does not turn in circles");
        // `| head -1`: it ends though nothing more happens in the ledger.
        drop(out);
        assert_eq!(ends(&mut child, &format!("its reader {arguments:?}")).code(), Some(0), "{arguments:?}");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "", "{arguments:?}");
    }
    // A reader that is there and does not read: what is written waits, and a signal ends it all the same.
    let mut crowd = Crowd::new(&place, &acme.remote);
    (0..100).for_each(|number| {
        crowd.asks(number);
    });
    crowd.comes(&acme.remote);
    let mut command = Command::new(JIT);
    command.env_clear().envs(environment(&bob.home)).current_dir(&bob.home).arg("--ledger").arg(&bob.ledger);
    command.args(["watch", "--json", "--since", "0"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0]).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let sent = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let status = ends(&mut child, "SIGINT, nobody reading");
    assert_eq!(status.signal(), Some(15), "the usual way out is blocked: {status}");
    drop(out);
}

#[test]
fn a_signal_ends_the_command_in_front_and_the_view_behind_it() {
    if absent("a_signal_ends_the_command_in_front_and_the_view_behind_it", &["git", "ssh-keygen", "tmux"]) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let case = acme.desk("alice").opens("30m");
    let screen = acme.terminal("bob", 80, 24, &[]);
    screen.types("jit watch; echo \"ended: \"$?\n");
    screen.wait_for("the case", |screen| screen.contains(&case[..8]));
    screen.types("d");
    screen.wait_for("the question", |screen| screen.contains("Why not?"));
    kill(&screen, "TERM");
    screen.wait_for("the shell", |screen| screen.contains("ended: 0"));
    assert!(!screen.is_alternate() && screen.has_cursor());
    screen.types("stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo | tr '\\n' ' '\n");
    screen.wait_for("a usable terminal", |screen| screen.contains("icanon echo"));
    assert_eq!(acme.desk("alice").sees(&case)["state"], "pending");
}
