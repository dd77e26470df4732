//! The domain: what a ledger means. PURE: no files, processes, network, environment, clock or randomness, and nothing
//! of ours is imported from outside this folder. Everything else in the crate serves these types.

pub mod certificate;
pub mod codec;
pub mod decide;
pub mod event;
pub mod finding;
pub mod id;
pub mod key;
pub mod policy;
pub mod state;
pub mod text;
pub mod time;
