//! The program: real clock, randomness and environment; everything else is the library.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jit::cli::{self, Environment};
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

fn main() -> ExitCode {
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
