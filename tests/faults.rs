//! What goes wrong with machines, disks, clocks and networks: of everything that was acknowledged nothing is lost, nothing
//! is there twice, nothing is half-written, and the next command works or says what to type.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

#[path = "common/harness.rs"]
mod common;

#[path = "faults/acts.rs"]
mod acts;
#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/damage.rs"]
mod damage;
#[path = "faults/disks.rs"]
mod disks;
#[path = "faults/durable.rs"]
mod durable;
#[path = "faults/host.rs"]
mod host;
#[path = "faults/locks.rs"]
mod locks;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/sweep.rs"]
mod sweep;
