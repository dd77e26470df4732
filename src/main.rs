//! The program: real clock, randomness and environment; everything else is the library.

use std::io::{IsTerminal as _, Write as _};
use std::panic;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jit::cli::{self, Environment};
use jit::domain::text::visible;
use jit::domain::time::Timestamp;
use jit::ports::{Clock, Rng, RngError};

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that names the real clock")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 or after 9999 is told as the nearest second that there is; no rule holds at either.
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs());
        let last = Timestamp::from_unix(253_402_300_799);
        let at = i64::try_from(seconds).ok().and_then(Timestamp::from_unix).or(last);
        at.expect("the last second of 9999 is a time")
    }
}

struct SystemRng;

impl Rng for SystemRng {
    fn bytes16(&mut self) -> Result<[u8; 16], RngError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|e| RngError(e.to_string()))?;
        Ok(bytes)
    }

    fn bytes32(&mut self) -> Result<[u8; 32], RngError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| RngError(e.to_string()))?;
        Ok(bytes)
    }
}

/// What nobody foresaw ends the program in its own way of saying things. The exit is by SIGABRT: nothing is taken for done.
fn told(fault: &panic::PanicHookInfo<'_>) {
    let payload = fault.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let what = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("for a reason that it cannot tell");
    let place = fault.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    let hint = "what was told as done is done; jit doctor looks around; report this line if it comes again";
    // It may quote what others wrote. Where nobody can be told, the exit says it.
    let what = visible(what);
    let _ = writeln!(std::io::stderr(), "Error: jit cannot go on: {what}{place}\nHint: {hint}");
}

fn main() -> ExitCode {
    panic::set_hook(Box::new(told));
    let environment = Environment {
        variables: std::env::vars_os().collect(),
        // Where it is gone, whatever is relative to it fails with its own words.
        directory: std::env::current_dir().unwrap_or_default(),
        clock: Box::new(SystemClock),
        rng: Box::new(SystemRng),
        stdin_is_terminal: std::io::stdin().is_terminal(),
        stdout_is_terminal: std::io::stdout().is_terminal(),
        stderr_is_terminal: std::io::stderr().is_terminal(),
        terminal_width: console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns)),
    };
    ExitCode::from(cli::run(std::env::args_os(), environment))
}
