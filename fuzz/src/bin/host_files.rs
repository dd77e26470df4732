//! What the parts of a host write for each other, and say to each other over sockets: read, written and read again it is
//! the same.
#![no_main]

use jit::host::gate::message::{FromGate, FromRecorder};
use jit::host::session_file::Recorded;
use jit::host::wire::{Answer, Ask};
use jit::host::{Config, Grants, SessionFile};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return };
    let once = serde_json::to_vec(&value).expect("it has a form in JSON");
    let value: T = serde_json::from_slice(&once).expect("our own");
    assert_eq!(serde_json::to_vec(&value).expect("it has a form in JSON"), once);
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    again::<Grants>(bytes);
    again::<SessionFile>(bytes);
    again::<Recorded>(bytes);
    again::<Ask>(bytes);
    again::<Answer>(bytes);
    again::<FromGate>(bytes);
    again::<FromRecorder>(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(config) = toml::from_str::<Config>(text) {
        let written = toml::to_string(&config).expect("it has a form in TOML");
        let read: Config = toml::from_str(&written).expect("our own");
        assert_eq!(toml::to_string(&read).expect("it has a form in TOML"), written);
    }
});
