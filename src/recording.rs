//! What the recording of a session is, as bytes (format.md, "Recordings"): asciicast v2 lines ([`cast`]), sealed a chunk at
//! a time to the recorder keys of the policy ([`age`]), in frames that are chained by their digests ([`frame`]). A host
//! writes one with a [`Recorder`]; [`scan`] and [`reader`] say exactly what is wrong with one. No clock, no terminal, no
//! paths: bytes, keys and times are arguments. Imports ports and domain.

pub mod age;
pub mod cast;
pub mod fault;
pub mod frame;
pub mod reader;
pub mod recorder;
pub mod scan;

pub use fault::{Fault, Part};
pub use frame::{Header, Sink};
pub use recorder::{ChannelOpen, Finished, Recorder, RecorderError, Terminal};
