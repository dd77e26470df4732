//! The signals that end the view. The terminal is put right by whoever drew on it, on the way out; so they are only noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::error::CliError;

/// Which signals came.
#[derive(Debug, Clone)]
pub struct Stop {
    end: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
}

impl Stop {
    /// From now on SIGTERM, SIGHUP and SIGINT are noted, and do not end the process.
    ///
    /// # Errors
    /// Where the system does not allow it.
    pub fn watch() -> Result<Self, CliError> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let stop = Self { end: Arc::default(), interrupt: Arc::default() };
        let register = |signal, flag: &Arc<AtomicBool>| signal_hook::flag::register(signal, Arc::clone(flag));
        register(SIGTERM, &stop.end)
            .and_then(|_| register(SIGHUP, &stop.end))
            .and_then(|_| register(SIGINT, &stop.interrupt))
            .map_err(|cause| CliError::failed("cannot watch for signals").because(cause.to_string()))?;
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
}
