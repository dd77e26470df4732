//! Attack 21, its second half: an event from the future. jit signs none; one that is signed and pushed by other means is
//! part of the history, which everybody judges alike, and whoever comes after it with an honest clock is told (L04).

use std::process::Command;

use jit::domain::time::Timestamp;

use crate::certified::key_file;
use crate::common::{JIT, Place, absent, request};
use crate::ledger::Ledger;

#[test]
fn an_event_from_the_future() {
    const TEST: &str = "an_event_from_the_future";
    if absent(TEST, &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let mut ledger = Ledger::new();
    ledger.now = "2199-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    ledger.request("frank", |_| ());
    // History is judged alike by everybody, whatever their clocks say.
    ledger.check_as_is();
    let key = place.path("alice-golden");
    key_file("alice", &key);
    let mut command = Command::new(JIT);
    command.arg("--ledger").arg(ledger.path()).args(["--as", "alice", "--key"]).arg(&key);
    command.args(request("payments-db/read-only", "30m", "Payments are stuck; the queue table has to be read."));
    let said = place.run(command).refused(3).mentions(&["L04", "2199-01-01", "clock"]);
    assert_eq!(said.json()["rule"], "L04", "{}", said.told());
    // Nothing was appended.
    ledger.check_as_is();
}
