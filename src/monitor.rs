//! What other systems read of a ledger: each event as a [`Record`], and the record in their formats. Pure: an event and the
//! state right behind it in, text out; nothing here knows where it goes. Imports `domain` and `merkle`.
//!
//! A record is a function of the history up to its event: whoever writes it twice writes the same bytes. docs/export.md
//! has the fields of each format.

pub mod cef;
pub mod cloudevents;
pub mod jsonl;
pub mod notify;
pub mod ocsf;
pub mod record;
pub mod sentence;
pub mod severity;
pub mod syslog;
pub mod text;
pub mod watch;

pub use record::{Record, What};
pub use severity::Severity;

/// The name and vendor that receivers see.
pub const PRODUCT: &str = "jit";

/// The version that receivers see.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
