//! Fold tables: events in, a state or a code out (docs/rules.md), without Git, signatures or the program. What signatures
//! and commits show is put in as the reader of commits would find it; the golden ledgers (`tests/golden`, `tests/fold.rs`)
//! have the real ones. Here are the rules' edges: the last second at which something may be said, and the first at which it
//! may not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "fold_tables/aside.rs"]
mod aside;
#[path = "fold_tables/asked.rs"]
mod asked;
#[path = "fold_tables/findings.rs"]
mod findings;
#[path = "fold_tables/ledger.rs"]
mod ledger;
#[path = "fold_tables/lives.rs"]
mod lives;
#[path = "fold_tables/log.rs"]
mod log;
#[path = "fold_tables/roots.rs"]
mod roots;
