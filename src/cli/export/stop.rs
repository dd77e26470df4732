//! Ends a long run when the process is told to: a signal wakes whoever waits, and nobody asks in circles.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::error::CliError;

/// Whether the process was told to end (SIGTERM, SIGINT, SIGHUP).
pub struct Stop(UnixStream);

impl Stop {
    /// From now on these signals are noticed here, and do not end the process.
    ///
    /// # Errors
    /// Where the system does not allow it.
    pub fn watch() -> Result<Self, CliError> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let watch = || -> std::io::Result<Self> {
            let (reader, writer) = UnixStream::pair()?;
            for signal in [SIGTERM, SIGINT, SIGHUP] {
                signal_hook::low_level::pipe::register(signal, writer.try_clone()?)?;
            }
            Ok(Self(reader))
        };
        watch().map_err(|cause| CliError::failed("cannot watch for signals").because(cause.to_string()))
    }

    /// Whether it was told to.
    pub fn came(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits for `span`, unless it is told to meanwhile. Says whether it was. What the signal wrote is left to be read, so
    /// that every later question has the same answer.
    pub fn wait(&self, span: Duration) -> bool {
        let timeout = Timespec {
            tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(span.subsec_nanos()),
        };
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => ready > 0,
            // Woken by a signal: what it wrote is seen the next time.
            Err(rustix::io::Errno::INTR) => self.came(),
            Err(_) => {
                std::thread::sleep(span);
                false
            }
        }
    }
}
