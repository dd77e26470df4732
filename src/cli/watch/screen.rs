//! The terminal while the view has it: its own screen, keys one by one. However the view is left (a key, a signal, an error, a
//! panic), the terminal is as it was before.

use std::io::{self, Stdout, Write as _};
use std::sync::Once;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::super::error::CliError;

/// The terminal, taken.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
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
        enter().map_err(|cause| failed(&cause))?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).inspect_err(|_| release());
        Ok(Self { terminal: terminal.map_err(|cause| failed(&cause))?, before })
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
        // A new one knows nothing of what was drawn, and draws all of it.
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(|cause| failed(&cause))?;
        Ok(done)
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
    }
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
