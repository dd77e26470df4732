//! The signals that end the view. The terminal is put right by whoever drew on it, on the way out; so they are only noted. Where
//! nobody comes to look at them, because the terminal or the pipe takes nothing more, the process ends all the same.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};

use super::super::error::CliError;
use super::screen;

/// How long the usual way out may take.
const GRACE: Duration = Duration::from_millis(700);

/// Which signals came.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    end: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
    resized: Arc<AtomicBool>,
}

impl Stop {
    /// From now on SIGTERM, SIGHUP and SIGINT are noted, and do not end the process at once. `lends`: whether commands run in
    /// front, for which a SIGINT may be meant.
    ///
    /// # Errors
    /// Where the system does not allow it.
    pub fn watch(lends: bool) -> Result<Self, CliError> {
        let stop = Self::default();
        let watch = || {
            for (signal, flag) in
                [(SIGTERM, &stop.end), (SIGHUP, &stop.end), (SIGINT, &stop.interrupt), (SIGWINCH, &stop.resized)]
            {
                signal_hook::flag::register(signal, Arc::clone(flag))?;
            }
            let ends: &[i32] = if lends { &[SIGTERM, SIGHUP] } else { &[SIGTERM, SIGHUP, SIGINT] };
            insist(ends)
        };
        watch()
            .map_err(|cause: std::io::Error| CliError::failed("cannot watch for signals").because(cause.to_string()))?;
        Ok(stop)
    }

    /// Whether the process was told to end.
    pub fn came(&self) -> bool {
        self.ends() || self.interrupt.load(Ordering::Relaxed)
    }

    /// The same, Ctrl-C left aside: that may be meant for a command that runs in front.
    pub fn ends(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    /// Forgets a Ctrl-C.
    pub fn forget_interrupt(&self) {
        self.interrupt.store(false, Ordering::Relaxed);
    }

    /// Whether the window has another size than at the last question.
    pub fn was_resized(&self) -> bool {
        self.resized.swap(false, Ordering::Relaxed)
    }
}

/// After one of these signals and [`GRACE`], the process ends as it would have without us.
fn insist(signals: &[i32]) -> std::io::Result<()> {
    let (mut reader, writer) = UnixStream::pair()?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    thread::spawn(move || {
        // The handlers keep the other end, so there is an answer only when one of them writes.
        if reader.read_exact(&mut [0]).is_ok() {
            thread::sleep(GRACE);
            screen::abandon();
            let _ = signal_hook::low_level::emulate_default_handler(SIGTERM);
        }
    });
    Ok(())
}
