//! The end of a daemon on request: SIGTERM or Ctrl-C is noted, and what is being signed is finished. A second one ends it
//! where it stands, which is safe too: the ledger holds an issuance whole or not at all.

use std::io::{ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::super::error::CliError;

/// Whether the end was asked for.
pub struct Stop {
    asked: Arc<AtomicBool>,
    wake: UnixStream,
}

impl Stop {
    /// Listens to SIGTERM and SIGINT.
    ///
    /// # Errors
    /// Where the system does not allow it.
    pub fn listen() -> Result<Self, CliError> {
        let failed = |cause: std::io::Error| {
            CliError::failed("signals cannot be listened to").because(cause.to_string()).hint("run it again")
        };
        let asked = Arc::new(AtomicBool::new(false));
        let (wake, writer) = UnixStream::pair().map_err(failed)?;
        for signal in [SIGTERM, SIGINT] {
            // In this order: only the second signal finds the flag set.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&asked)).map_err(failed)?;
            signal_hook::flag::register(signal, Arc::clone(&asked)).map_err(failed)?;
            signal_hook::low_level::pipe::register(signal, writer.try_clone().map_err(failed)?).map_err(failed)?;
        }
        Ok(Self { asked, wake })
    }

    /// Whether the end was asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits for so long, or until the end is asked for; whether it was.
    pub fn wait(&mut self, span: Duration) -> bool {
        let end = Instant::now() + span;
        while !self.is_asked() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.wake.set_read_timeout(Some(left)).is_err() {
                break;
            }
            match self.wake.read(&mut [0; 16]) {
                // The flag was set before anything was written.
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.is_asked()
    }
}
