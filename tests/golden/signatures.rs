//! K: the signature file and the key.

use jit::domain::event::Body;
use jit::domain::id::CaseId;
use jit::domain::key::put_string;

use crate::bodies::approval;
use crate::keys::{Envelope, Key, TOUCHED, add_order, ed25519_blob};
use crate::ledger::Ledger;

/// bob's approval with a signature file made from the event's bytes and namespace.
fn signed_as(code: &'static str, signature: impl FnOnce(&Key, &str, &[u8]) -> Vec<u8>) {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let mut signed = ledger.sign(event);
    signed.signature = signature(&Key::of("bob"), "jit-1/approval", &signed.bytes);
    ledger.void_signed(code, &signed);
    ledger.check();
}

/// The same, from an envelope with one wrong part.
fn enveloped(code: &'static str, change: impl FnOnce(&mut Envelope)) {
    signed_as(code, |key, namespace, message| {
        let mut envelope = Envelope::new(key, namespace, message);
        // Unchanged it is the file that the library writes: what is changed is all that is wrong.
        assert_eq!(envelope.armored(), key.sshsig(namespace, message));
        change(&mut envelope);
        envelope.armored()
    });
}

#[test]
fn k01_no_signature_at_all() {
    signed_as("K01", |_, _, _| b"approved, bob\n".to_vec());
}

#[test]
fn k01_text_before_the_armor() {
    signed_as("K01", |key, namespace, message| [b"\n".as_slice(), &key.sshsig(namespace, message)].concat());
}

#[test]
fn k01_text_after_the_armor() {
    signed_as("K01", |key, namespace, message| [&key.sshsig(namespace, message), b"\n".as_slice()].concat());
}

#[test]
fn k01_two_blocks() {
    signed_as("K01", |key, namespace, message| key.sshsig(namespace, message).repeat(2));
}

#[test]
fn k01_carriage_returns() {
    signed_as("K01", |key, namespace, message| {
        String::from_utf8(key.sshsig(namespace, message)).unwrap().replace('\n', "\r\n").into_bytes()
    });
}

#[test]
fn k01_other_line_lengths() {
    signed_as("K01", |key, namespace, message| {
        let text = String::from_utf8(key.sshsig(namespace, message)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let body = lines[1..lines.len() - 1].concat();
        let (head, tail) = body.split_at(76);
        format!("{}\n{head}\n{tail}\n{}\n", lines[0], lines[lines.len() - 1]).into_bytes()
    });
}

#[test]
fn k01_version_0() {
    enveloped("K01", |envelope| envelope.version = 0);
}

#[test]
fn k01_a_filled_reserved_field() {
    enveloped("K01", |envelope| envelope.reserved = b"x".to_vec());
}

#[test]
fn k01_another_hash() {
    enveloped("K01", |envelope| envelope.hash = "sha256".into());
}

#[test]
fn k01_a_key_type_that_is_not_allowed() {
    enveloped("K01", |envelope| {
        envelope.key.clear();
        put_string(&mut envelope.key, b"ssh-rsa");
        put_string(&mut envelope.key, &[1, 0, 1]);
        put_string(&mut envelope.key, &[0x55; 256]);
    });
}

#[test]
fn k01_label_and_key_disagree() {
    enveloped("K01", |envelope| {
        let bytes = envelope.signature[envelope.signature.len() - 64..].to_vec();
        envelope.signature.clear();
        put_string(&mut envelope.signature, b"sk-ssh-ed25519@openssh.com");
        put_string(&mut envelope.signature, &bytes);
        envelope.signature.extend_from_slice(&[TOUCHED, 0, 0, 0, 7]);
    });
}

#[test]
fn k01_bytes_after_the_signature() {
    enveloped("K01", |envelope| envelope.signature.push(0));
}

#[test]
fn k02_a_signature_over_something_else() {
    signed_as("K02", |key, namespace, _| key.sshsig(namespace, b"something else"));
}

#[test]
fn k02_one_bit_of_the_signature() {
    enveloped("K02", |envelope| *envelope.signature.last_mut().unwrap() ^= 1);
}

#[test]
fn k02_somebody_elses_signature_under_ones_own_key() {
    signed_as("K02", |key, namespace, message| {
        let mut envelope = Envelope::new(&Key::of("frank"), namespace, message);
        envelope.key = key.public.blob();
        envelope.armored()
    });
}

#[test]
fn k02_s_that_is_not_reduced() {
    enveloped("K02", |envelope| {
        let mut bytes: [u8; 64] = envelope.signature[envelope.signature.len() - 64..].try_into().unwrap();
        add_order(&mut bytes);
        envelope.signature = ed25519_blob(&bytes);
    });
}

#[test]
fn k02_the_identity_as_key() {
    // With A = R = 1 and S = 0 the equation holds for every message.
    enveloped("K02", |envelope| {
        let mut identity = [0; 32];
        identity[0] = 1;
        envelope.key.clear();
        put_string(&mut envelope.key, b"ssh-ed25519");
        put_string(&mut envelope.key, &identity);
        let mut bytes = [0; 64];
        bytes[0] = 1;
        envelope.signature = ed25519_blob(&bytes);
    });
}

#[test]
fn k02_a_small_order_r() {
    enveloped("K02", |envelope| {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        envelope.signature = ed25519_blob(&bytes);
    });
}

#[test]
fn k03_another_kinds_namespace() {
    signed_as("K03", |key, _, message| key.sshsig("jit-1/denial", message));
}

#[test]
fn k03_the_namespace_of_files() {
    signed_as("K03", |key, _, message| key.sshsig("file", message));
}

#[test]
fn k04_a_foreign_key() {
    signed_as("K04", |_, namespace, message| Key::of("a stranger").sshsig(namespace, message));
}

#[test]
fn k04_another_members_key() {
    signed_as("K04", |_, namespace, message| Key::of("dave").sshsig(namespace, message));
}

#[test]
fn k04_the_cas_key() {
    signed_as("K04", |_, namespace, message| Key::of("the CA of prod").sshsig(namespace, message));
}

/// A policy with another key for bob in place of his own.
fn with_new_key(text: String) -> String {
    text.replace(&Key::of("bob").public.to_string(), &Key::of("bob's new one").public.to_string())
}

#[test]
fn k04_a_key_that_is_added_later() {
    let mut ledger = Ledger::new();
    let change = ledger.propose_policy("rita", with_new_key);
    ledger.approve(change.id, "raj");
    let case = ledger.request("alice", |_| ());
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign_with(&Key::of("bob's new one"), event);
    ledger.void_signed("K04", &signed);
    ledger.enact("rita", &change);
    ledger.check();
}

#[test]
fn k04_a_key_that_was_removed_before() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let change = ledger.propose_policy("rita", with_new_key);
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    let event = ledger.event("bob", Some(case.id), approval());
    ledger.void_event("K04", event);
    ledger.check();
}

#[test]
fn k04_a_key_that_was_removed_since_it_was_used() {
    // Signed before the enactment and landed after it: "in force at this position".
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let change = ledger.propose_policy("rita", with_new_key);
    ledger.approve(change.id, "raj");
    let event = ledger.event("bob", Some(case.id), approval());
    let signed = ledger.sign(event);
    ledger.enact("rita", &change);
    ledger.void_signed("K04", &signed);
    ledger.check();
}

/// alice's request for a role, signed with this key: good where there is no code.
fn asked(ledger: &mut Ledger, role: &str, key: &Key, code: Option<&'static str>) -> CaseId {
    let mut request = ledger.asks("alice");
    request.targets = vec![role.parse().unwrap()];
    request.credential_key = Key::hardware("alice", TOUCHED).public;
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    let signed = ledger.sign_with(key, event);
    let commit = ledger.lay(&signed);
    match code {
        Some(code) => {
            ledger.void(code, commit);
            ledger.id.map(CaseId).unwrap()
        }
        None => CaseId(ledger.land(commit)),
    }
}

#[test]
fn k05_no_touch() {
    // Demanded of every hardware key, whatever the role says.
    let mut ledger = Ledger::new();
    asked(&mut ledger, "payments-db/read-only", &Key::hardware("alice", 0), Some("K05"));
    ledger.check();
}

#[test]
fn k05_no_touch_where_the_role_demands_it() {
    let mut ledger = Ledger::new();
    asked(&mut ledger, "payments-db/guarded", &Key::hardware("alice", 0), Some("K05"));
    ledger.check();
}

#[test]
fn k05_a_software_key_where_touch_is_demanded() {
    let mut ledger = Ledger::new();
    asked(&mut ledger, "payments-db/guarded", &Key::of("alice"), Some("K05"));
    ledger.check();
}

#[test]
fn k05_touch_where_a_pin_is_demanded() {
    let mut ledger = Ledger::new();
    asked(&mut ledger, "payments-db/vault", &Key::hardware("alice", TOUCHED), Some("K05"));
    ledger.check();
}

#[test]
fn k05_an_approval_without_touch() {
    let mut ledger = Ledger::new();
    let case = asked(&mut ledger, "payments-db/guarded", &Key::hardware("alice", TOUCHED), None);
    let event = ledger.event("dave", Some(case), approval());
    ledger.void_event("K05", event);
    ledger.check();
}

#[test]
fn k05_an_approval_without_a_pin() {
    let mut ledger = Ledger::new();
    let case = asked(&mut ledger, "payments-db/vault", &Key::hardware("alice", 0x05), None);
    let event = ledger.event("dave", Some(case), approval());
    let signed = ledger.sign_with(&Key::hardware("dave", TOUCHED), event);
    ledger.void_signed("K05", &signed);
    ledger.check();
}
