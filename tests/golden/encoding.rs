//! E: the event file.

use jit::domain::event::Body;

use crate::bodies::denial;
use crate::ledger::Ledger;

/// alice's request with `from` replaced by `to` in its bytes, signed as it then is.
fn request(code: &'static str, from: &str, to: &str) {
    let mut ledger = Ledger::new();
    let request = ledger.asks("alice");
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    let signed = ledger.sign_edited(event, from, to);
    ledger.void_signed(code, &signed);
    ledger.check();
}

/// bob's denial, edited in the same way.
fn denied(code: &'static str, from: &str, to: &str) {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), denial());
    let signed = ledger.sign_edited(event, from, to);
    ledger.void_signed(code, &signed);
    ledger.check();
}

macro_rules! edits {
    ($($name:ident: $how:ident $code:literal $from:literal => $to:literal;)*) => {
        $(#[test] fn $name() { $how($code, $from, $to); })*
    };
}

edits! {
    e01_a_byte_order_mark: request "E01" "jit = 1\n" => "\u{feff}jit = 1\n";
    e01_a_carriage_return: request "E01" "jit = 1\n" => "jit = 1\r\n";
    e01_a_comment: request "E01" "jit = 1\n" => "jit = 1 # as agreed\n";
    e01_another_spelling_of_a_number: request "E01" "jit = 1\n" => "jit = 0x1\n";
    e01_another_unit: request "E01" "\"30m\"" => "\"1800s\"";
    e01_another_quote: request "E01" "\"30m\"" => "'30m'";
    e01_an_escape_too_many: request "E01" "INC-4711" => "INC\\u002D4711";
    e01_false_written_out: request "E01" "\n\n[request.risk]" => "\nemergency = false\n\n[request.risk]";
    e01_an_empty_list_written_out: request "E01" "data = [\"npi\"]" => "data = []";
    e01_an_unsorted_list: request "E01" "data = [\"npi\"]" => "data = [\"pci\", \"npi\"]";
    e01_a_comment_on_the_key: request "E01" "\"\n\n[request.risk]" => " alice@laptop\"\n\n[request.risk]";
    e01_trailing_bytes: denied "E01" "freeze.\"\n" => "freeze.\"\n\n";
    e01_no_last_line_feed: denied "E01" "freeze.\"\n" => "freeze.\"";

    e02_no_toml: request "E02" "jit = 1\n" => "jit = 1\n= 2\n";
    e02_an_unknown_field: request "E02" "\nduration" => "\napproved = true\nduration";
    e02_an_unknown_table: denied "E02" "freeze.\"\n" => "freeze.\"\n\n[approval]\n";
    e02_a_missing_field: request "E02" "duration = \"30m\"\n" => "";
    e02_a_wrong_type: request "E02" "\"30m\"" => "30";
    e02_a_duplicate_key: request "E02" "duration = \"30m\"\n" => "duration = \"30m\"\nduration = \"2h\"\n";
    e02_a_duration_of_nothing: request "E02" "\"30m\"" => "\"0m\"";
    e02_a_local_time: request "E02" "Z\nnonce" => "\nnonce";
    e02_a_key_of_another_type: request "E02" "credential_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" =>
        "credential_key = \"ssh-rsa AAAAC3NzaC1lZDI1NTE5";
    e02_an_unknown_word: request "E02" "[request.risk]\nlevel = \"medium\"" => "[request.risk]\nlevel = \"none\"";
    e02_no_comment_on_a_denial: denied "E02" "comment = \"Not during the freeze.\"\n" => "";

    e03_a_reason_that_says_nothing: request "E03" "\"Nothing is changed.\"" => "\".\"";
    e03_an_empty_reason: request "E03" "\"Nothing is changed.\"" => "\"\"";
    e03_a_control_character: request "E03" "Reads customer" => "Reads\\u001B[2J customer";
    e03_a_line_feed_in_a_ticket: request "E03" "INC-4711" => "INC-4711\\nINC-4712";
    e03_a_bidirectional_control: request "E03" "Reads customer" => "Reads \u{202e}customer";
    e03_not_nfc: request "E03" "Reads customer" => "Reads cafe\u{301} customer";
    e03_a_denial_for_no_reason: denied "E03" "Not during the freeze." => "…";

    e04_a_version_to_come: request "E04" "jit = 1\n" => "jit = 2\n";
}

#[test]
fn e04_an_unknown_kind() {
    let mut ledger = Ledger::new();
    let request = ledger.asks("alice");
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    let mut signed = ledger.sign_edited(event, "kind = \"request\"", "kind = \"wish\"");
    signed.kind = "wish".into();
    signed.signature = crate::keys::Key::of("alice").sshsig("jit-1/wish", &signed.bytes);
    let mut commit = ledger.lay(&signed);
    commit.reword(" asks payments-db/read-only for 30m", "");
    ledger.void("E04", commit);
    ledger.check();
}
