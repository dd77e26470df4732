//! The lines inside the chunks: asciicast v2 (asciinema's format), a line of JSON each. A session may have several
//! channels: a channel opens with its asciicast header, which has our keys `channel`, `command`, `tty` and `at`; the
//! events after it are the current channel's; `{"channel":N}` makes another one current, and stands at the beginning of
//! each chunk, so that a chunk can be read without those before it. Event times are seconds since the channel opened, so
//! that one channel's lines are an asciicast as they stand.

pub use read::{Entry, LineError, read};
pub use write::{Channel, Kind, Utf8, closed, event, switch};

mod read;
mod write;
