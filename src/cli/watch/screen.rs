//! The terminal while the view has it: its own screen, keys one by one. However the view is left (a key, a signal, an error, a
//! panic), the terminal is as it was before.

use std::io::{self, Stdout, Write as _};
use std::mem::ManuallyDrop;
use std::sync::{Mutex, Once};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::super::error::CliError;

/// How the terminal was before, while it is taken.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal, taken.
pub struct Screen {
    /// Never dropped: at its end it would show the cursor, which is done here, and say on stderr that it cannot where the
    /// terminal is gone, which is a panic.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    /// How it was before.
    before: Option<Termios>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where it cannot be set.
    pub fn take() -> Result<Self, CliError> {
        static HOOK: Once = Once::new();
        // A panic writes its message to a terminal that can show it; the program may end without unwinding.
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                release();
                usual(panic);
            }));
        });
        let before = tcgetattr(rustix::stdio::stdin()).ok();
        keep(before.clone());
        enter().map_err(|cause| failed(&cause))?;
        let terminal = blank().inspect_err(|_| release()).map_err(|cause| failed(&cause))?;
        Ok(Self { terminal, before })
    }

    /// Draws.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut ratatui::Frame<'_>)) -> Result<(), CliError> {
        self.terminal.draw(render).map(|_| ()).map_err(|cause| failed(&cause))
    }

    /// Gives the terminal back while `act` runs, and takes it again, whatever `act` left behind.
    ///
    /// # Errors
    /// Where the terminal cannot be set.
    pub fn lend<T>(&mut self, act: impl FnOnce() -> T) -> Result<T, CliError> {
        self.give_back();
        let done = act();
        // Whoever reads keys one by one in there has left it raw, and believes that it still is.
        let _ = disable_raw_mode();
        self.restore();
        enter().map_err(|cause| failed(&cause))?;
        self.terminal = blank().map_err(|cause| failed(&cause))?;
        Ok(done)
    }

    /// Draws everything again at the next time, whatever was written across it.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn clear(&mut self) -> Result<(), CliError> {
        // Not the terminal's own way, which asks where the cursor is and reads the answer among the keys.
        execute!(io::stdout(), Clear(ClearType::All)).map_err(|cause| failed(&cause))?;
        self.terminal = blank().map_err(|cause| failed(&cause))?;
        Ok(())
    }

    fn give_back(&self) {
        release();
        self.restore();
    }

    /// The settings of the terminal exactly as they were.
    fn restore(&self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.give_back();
        keep(None);
    }
}

fn keep(before: Option<Termios>) {
    if let Ok(mut kept) = BEFORE.lock() {
        *kept = before;
    }
}

/// Gives the terminal back without waiting for whoever draws on it: a terminal that takes nothing more holds that up for ever.
pub fn abandon() {
    let Some(before) = BEFORE.try_lock().ok().and_then(|mut kept| kept.take()) else { return };
    let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &before);
    let stdout = rustix::stdio::stdout();
    let takes = {
        let mut fds = [PollFd::new(&stdout, PollFlags::OUT)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    };
    let mut sequences = Vec::new();
    if takes && execute!(sequences, LeaveAlternateScreen, Show).is_ok() {
        let _ = rustix::io::write(stdout, &sequences);
    }
}

/// One that knows nothing of what was drawn, and draws all of it.
fn blank() -> io::Result<ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>> {
    Terminal::new(CrosstermBackend::new(io::stdout())).map(ManuallyDrop::new)
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All)).inspect_err(|_| release())
}

/// Gives the terminal back. Where it is gone nobody is left to tell.
fn release() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = io::stdout().flush();
}

fn failed(cause: &io::Error) -> CliError {
    CliError::failed("cannot use the terminal").because(cause.to_string()).hint("jit watch --plain needs no screen")
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::process::Command;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    #[test]
    #[ignore = "the half of a_panic_gives_the_terminal_back that panics, at a terminal which that makes"]
    fn half_that_panics() {
        let screen = Screen::take().unwrap();
        // As where a panic ends the process without unwinding, which a release build does: only the hook is left.
        std::mem::forget(screen);
        assert!(std::hint::black_box(false), "a panic while the screen is taken");
    }

    #[test]
    fn a_panic_gives_the_terminal_back() {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let noctty = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
        let side = File::options().read(true).write(true).custom_flags(noctty).open(name).unwrap();
        let before = format!("{:?}", tcgetattr(&side).unwrap());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "cli::watch::screen::tests::half_that_panics", "--ignored", "--nocapture"]);
        command.env("TERM", "xterm").stdin(side.try_clone().unwrap()).stdout(side.try_clone().unwrap());
        let status = command.stderr(side.try_clone().unwrap()).status().unwrap();
        assert_eq!(status.code(), Some(101));
        drop(command);
        assert_eq!(format!("{:?}", tcgetattr(&side).unwrap()), before);
        drop(side);
        let mut shown = Vec::new();
        // The end of a terminal's output is an error on Linux.
        let _ = File::from(master).read_to_end(&mut shown);
        let shown = String::from_utf8(shown).unwrap();
        let at = |what: &str| shown.find(what).unwrap_or_else(|| unreachable!("{what:?} is not in {shown:?}"));
        let (taken, given, cursor) = (at("\u{1b}[?1049h"), at("\u{1b}[?1049l"), at("\u{1b}[?25h"));
        let told = at("a panic while the screen is taken");
        assert!(taken < given && given < told && cursor < told, "{shown:?}");
    }
}
