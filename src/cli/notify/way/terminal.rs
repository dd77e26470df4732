//! The terminal: the bell, the notification of the terminal program (OSC 9) where there is a terminal, and the lines with the
//! exact command. It writes to standard error, as everything that is no result.

use std::io::{self, Write as _};

use super::super::super::Context;
use super::super::super::export::receiver::Refused;
use super::super::sink::{Parcel, Way};

/// Standard error.
pub struct Terminal {
    /// Whether somebody looks at it, and a terminal reads the sequences.
    seen: bool,
}

impl Terminal {
    /// The terminal of this process.
    pub const fn of(context: &Context) -> Self {
        Self { seen: context.environment.stderr_is_terminal }
    }
}

impl Way for Terminal {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Refused> {
        // The title has no control character in it: nothing that somebody wrote ends the sequence.
        let bell = if self.seen { format!("\x07\x1b]9;{}\x07", parcel.notice.title) } else { String::new() };
        let mut out = io::stderr().lock();
        out.write_all(format!("{bell}{}\n", parcel.notice.text()).as_bytes()).and_then(|()| out.flush()).map_err(
            |cause| Refused::lasting("cannot write to the terminal", cause.to_string(), "run it at a terminal"),
        )
    }
}
