//! The server's side: who is admitted, what is recorded, when it ends. `sync` (in `cli::host`, over the ledger) publishes
//! what a host has to know as small files ([`grants`]); everything else here reads those, and never the ledger.
//!
//! Imports `ports`, `domain`, `sshsig`, `merkle` and `recording`. Source: docs/host.md.

pub mod admission;
pub mod cgroup;
pub mod config;
pub mod error;
pub mod files;
pub mod gate;
pub mod grants;
pub mod health;
pub mod login;
pub mod probe;
pub mod process;
pub mod reap;
pub mod recorder;
pub mod refusals;
pub mod session_file;
pub mod setup;
pub mod syslog;
mod text;
pub mod users;
pub mod wire;

pub use config::Config;
pub use error::HostError;
pub use grants::{Ended, Grant, Grants};
pub use session_file::SessionFile;
