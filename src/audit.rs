//! Evidence for examiners: a ledger as entries with their bytes and leaves ([`entry`]), and what is told of it over a
//! [`period`], each [`report`] with the same facts about where it comes from. PURE: no files, clock or randomness; whoever
//! calls hands in the ledger, read and judged. Imports `domain`, `merkle`, `ports` and `sshsig`.

pub mod access_review;
pub mod board;
pub mod bundle;
pub mod controls;

mod course;
pub mod emergencies;
pub mod entry;
pub mod exceptions;
pub mod incident;
pub mod latency;
pub mod page;
pub mod period;
pub mod population;
pub mod report;
pub mod sample;
pub mod sheet;

pub use entry::{Entry, Ledger, Said, Signed, Voided};
pub use period::Period;
pub use report::Report;
