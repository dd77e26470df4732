//! ssh with a credential so new that the host may not know it yet: where it refuses, it is asked again for a few seconds.
//!
//! Only ssh's own word counts. Its messages go to a file (`-E`), where nothing of what runs on the host can write, so that
//! no command that ran is ever run a second time; what is in the file is passed on to stderr as it comes.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cli::credential::code;
use crate::cli::error::CliError;
use crate::cli::{Context, Exit, Outcome};

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// How soon a message of ssh is passed on.
const SOON: Duration = Duration::from_millis(50);
/// What ssh exits with where it could not log in.
const REFUSED: u8 = 255;

/// Runs the ssh that `command` makes, which is given the file for its messages; again, while it is refused and `until`
/// has not come. Its exit code.
///
/// # Errors
/// Where ssh cannot be started.
pub(super) fn patiently(
    context: &Context,
    host: &str,
    until: Instant,
    command: impl Fn(Option<&Path>) -> Command,
) -> Outcome {
    let failed = |cause: io::Error| CliError::failed("cannot make a temporary file").because(cause.to_string());
    let mut told = false;
    loop {
        let log = tempfile::Builder::new().prefix("jit-ssh-").tempfile().map_err(failed)?;
        let mut child = command(Some(log.path())).spawn().map_err(|cause| {
            let hint = "check that it is installed and in PATH";
            CliError::failed("cannot run ssh").because(cause.to_string()).hint(hint)
        })?;
        let reader = log.reopen().map_err(failed)?;
        let (ended, end) = channel();
        let tail = std::thread::spawn(move || {
            let mut messages = Messages { reader, held: Vec::new(), refusal: false };
            while end.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
                messages.pass_on();
            }
            messages.pass_on();
            messages
        });
        let status = child.wait();
        let _ = ended.send(());
        // A thread that only reads and writes ends; were it gone, there would be no refusal to act on.
        let messages = tail.join().ok();
        let code = code(status.map_err(|cause| CliError::failed("cannot wait for ssh").because(cause.to_string()))?);
        let refused = code == REFUSED && messages.as_ref().is_some_and(|messages| messages.refusal);
        if !refused || Instant::now() >= until {
            if let Some(mut messages) = messages {
                messages.let_go();
            }
            return Ok(Exit(code));
        }
        if !told {
            let left = until.saturating_duration_since(Instant::now()).as_secs();
            context.output.note(format!("{host} does not know the new credential yet: trying for {left} s more"));
            told = true;
        }
        sleep(PAUSE);
    }
}

/// What ssh says, line by line. A refusal is held back until it is known whether it is the last word.
struct Messages {
    reader: File,
    held: Vec<u8>,
    refusal: bool,
}

impl Messages {
    /// Passes on what has come, up to a refusal.
    fn pass_on(&mut self) {
        if self.reader.read_to_end(&mut self.held).is_err() || self.refusal {
            return;
        }
        while let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
            let rest = self.held.split_off(end.saturating_add(1));
            if is_refusal(&self.held) {
                self.refusal = true;
                self.held.extend(rest);
                return;
            }
            tell(&std::mem::replace(&mut self.held, rest));
        }
    }

    /// Passes on what was held back.
    fn let_go(&mut self) {
        tell(&std::mem::take(&mut self.held));
    }
}

/// `LOGIN@HOST: Permission denied (METHODS).`, as ssh says it when nothing is left to try.
fn is_refusal(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    line.contains(": Permission denied (") && line.trim_end().ends_with(").")
}

fn tell(bytes: &[u8]) {
    // Where stderr is gone nobody is left to tell.
    let _ = io::stderr().write_all(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_sshs_last_word() {
        assert!(is_refusal(b"alice@db1: Permission denied (publickey).\r\n"));
        assert!(is_refusal(b"alice@db1: Permission denied (publickey,password).\n"));
        for other in ["ssh: connect to host db1 port 22: Connection refused", "Permission denied, please try again."] {
            assert!(!is_refusal(other.as_bytes()), "{other}");
        }
    }
}
