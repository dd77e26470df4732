//! The ways out: each takes a batch of lines and returns when the other side has them, as far as its protocol can say so
//! (docs/export.md, "When a receiver has acknowledged"). None of them queues: what is not taken is read from the ledger again.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use super::super::error::CliError;

pub mod file;
pub mod http;
pub mod secrets;
pub mod syslog;
pub mod tls;

/// What a connection needs beside its address.
#[derive(Debug, Clone)]
pub struct Means {
    /// How long each step may take.
    pub timeout: Duration,
    /// The file of the bearer token.
    pub token: Option<PathBuf>,
    /// The file of the authorities that are trusted in the place of the system's.
    pub authorities: Option<PathBuf>,
    /// The files of our own certificates and their key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Something that takes events.
pub trait Receiver {
    /// Gives it these lines, in order, and waits until it has them.
    ///
    /// # Errors
    /// Where it has not, or that cannot be known. Some of the lines may have arrived.
    fn deliver(&mut self, lines: &[String]) -> Result<(), Refused>;
}

/// Why a receiver did not take events.
#[derive(Debug, Clone)]
pub struct Refused {
    /// What failed.
    pub what: String,
    /// Why, in the words of the system or of the other side.
    pub cause: String,
    /// What to do.
    pub hint: &'static str,
    /// How it may go on.
    pub outlook: Outlook,
}

/// How it may go on after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// It may be taken when it is tried again.
    Passing,
    /// Somebody has to change something first.
    Lasting,
    /// Nobody reads any more, which is no failure.
    Gone,
}

impl Refused {
    /// A failure that may pass.
    pub fn passing(what: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: cause.into(),
            hint: "nothing is lost: run the command again, and it goes on at the cursor",
            outlook: Outlook::Passing,
        }
    }

    /// A failure that somebody has to mend.
    pub fn lasting(what: impl Into<String>, cause: impl Into<String>, hint: &'static str) -> Self {
        Self { what: what.into(), cause: cause.into(), hint, outlook: Outlook::Lasting }
    }

    /// In one line.
    pub fn line(&self) -> String {
        format!("{}: {}", self.what, self.cause)
    }

    /// As an error of the command.
    pub fn told(self) -> CliError {
        CliError::failed(self.what).because(self.cause).hint(self.hint)
    }
}

/// Standard output.
pub struct StdoutReceiver;

impl Receiver for StdoutReceiver {
    fn deliver(&mut self, lines: &[String]) -> Result<(), Refused> {
        let mut text = lines.join("\n");
        text.push('\n');
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|cause| match cause.kind() {
            io::ErrorKind::BrokenPipe => {
                Refused { outlook: Outlook::Gone, ..Refused::passing("nobody reads any more", cause.to_string()) }
            }
            _ => Refused::lasting("cannot write the events", cause.to_string(), "check free space"),
        })
    }
}
