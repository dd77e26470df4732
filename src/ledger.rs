//! The use cases over the ports: replaying a ledger, verifying it, appending to it, keeping the pin. Imports `ports`,
//! `domain`, `sshsig` and `merkle`.

pub mod append;
mod check;
pub mod checkpoints;
pub mod commit;
pub mod governed;
pub mod inbox;
mod patience;
pub mod pin;
mod pipeline;
pub mod queue;
mod read;
pub mod replay;
mod signed;
pub mod snapshot;
pub mod tree;

pub use append::{Appended, Draft, Writer};
pub use pin::Pin;
pub use queue::{Delivered, Queue};
pub use replay::{Replay, ReplayError, Step, Walk};
