//! Evidence for examiners: a ledger as entries with their bytes and leaves ([`entry`]), and what is told of it. PURE: no
//! files, clock or randomness; whoever calls hands in the ledger, read and judged. Imports `domain`, `merkle`, `ports` and
//! `sshsig`.

pub mod bundle;
pub mod entry;
pub mod page;

pub use entry::{Entry, Ledger, Said, Signed, Voided};
