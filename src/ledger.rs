//! ledger: under construction.

pub mod commit;
pub mod tree;
