//! K01, K02, K04 and K05 of hardware keys: the shape of their signatures, and each bit of their flags.

use jit::domain::event::Body;
use jit::domain::id::CaseId;
use jit::domain::key::{PublicKey, put_string};

use crate::bodies::approval;
use crate::keys::{Envelope, Key, TOUCHED};
use crate::ledger::{Ledger, Signed};

const PIN: u8 = 0x04;

/// alice's request for a role, signed by her hardware key with these flags.
fn request(ledger: &mut Ledger, role: &str, flags: u8) -> Signed {
    let mut request = ledger.asks("alice");
    request.targets = vec![role.parse().unwrap()];
    request.credential_key = Key::hardware("alice", TOUCHED).public;
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    ledger.sign_with(&Key::hardware("alice", flags), event)
}

/// Her request for the role that wants a touch, with one part of the signature made wrong.
fn enveloped(code: &'static str, change: impl FnOnce(&mut Envelope)) {
    let mut ledger = Ledger::new();
    let mut signed = request(&mut ledger, "payments-db/guarded", TOUCHED);
    let mut envelope = Envelope::new(&Key::hardware("alice", TOUCHED), "jit-1/request", &signed.bytes);
    assert_eq!(envelope.armored(), signed.signature);
    change(&mut envelope);
    signed.signature = envelope.armored();
    ledger.void_signed(code, &signed);
    ledger.check();
}

#[test]
fn only_touch_and_pin_count_among_the_flags() {
    // FIDO has other bits (0x40 attested data, 0x80 extensions): they prove nothing, and take nothing away.
    for (role, flags, good) in [
        ("payments-db/guarded", TOUCHED | 0x40, true),
        ("payments-db/guarded", 0xff, true),
        ("payments-db/guarded", !TOUCHED, false),
        ("payments-db/guarded", PIN, false),
        ("payments-db/vault", TOUCHED | PIN | 0x80, true),
        ("payments-db/vault", !PIN, false),
        ("payments-db/vault", !TOUCHED, false),
        ("payments-db/read-only", !TOUCHED, false),
    ] {
        let mut ledger = Ledger::new();
        let signed = request(&mut ledger, role, flags);
        if good {
            let commit = ledger.lay(&signed);
            ledger.land(commit);
        } else {
            ledger.void_signed("K05", &signed);
        }
        ledger.check();
    }
}

#[test]
fn k05_the_strictest_of_several_roles() {
    for (flags, good) in [(TOUCHED, false), (TOUCHED | PIN, true)] {
        let mut ledger = Ledger::new();
        let mut request = ledger.asks("alice");
        request.targets = ["payments-db/guarded", "payments-db/vault"].map(|role| role.parse().unwrap()).to_vec();
        request.credential_key = Key::hardware("alice", TOUCHED).public;
        let event = ledger.event("alice", None, Body::Request(Box::new(request)));
        let signed = ledger.sign_with(&Key::hardware("alice", flags), event);
        let commit = ledger.lay(&signed);
        if !good {
            ledger.void("K05", commit);
            ledger.check();
            continue;
        }
        let case = CaseId(ledger.land(commit));
        let event = ledger.event("dave", Some(case), approval());
        let signed = ledger.sign_with(&Key::hardware("dave", TOUCHED), event);
        ledger.void_signed("K05", &signed);
        ledger.check();
    }
}

#[test]
fn k02_flags_that_were_not_signed() {
    // The flags are what the key signed, or the signature is none: nobody adds a touch afterwards.
    let mut ledger = Ledger::new();
    let mut signed = request(&mut ledger, "payments-db/guarded", 0);
    let mut envelope = Envelope::new(&Key::hardware("alice", 0), "jit-1/request", &signed.bytes);
    let at = envelope.signature.len() - 5;
    envelope.signature[at] = TOUCHED;
    signed.signature = envelope.armored();
    ledger.void_signed("K02", &signed);
    ledger.check();
    enveloped("K02", |envelope| *envelope.signature.last_mut().unwrap() ^= 1); // the counter
}

#[test]
fn k01_a_software_label_under_a_hardware_key() {
    enveloped("K01", |envelope| {
        let bytes = envelope.signature[envelope.signature.len() - 69..][..64].to_vec();
        envelope.signature.clear();
        put_string(&mut envelope.signature, b"ssh-ed25519");
        put_string(&mut envelope.signature, &bytes);
    });
}

#[test]
fn k01_no_flags_no_counter_or_more_than_both() {
    enveloped("K01", |envelope| envelope.signature.truncate(envelope.signature.len() - 5));
    enveloped("K01", |envelope| envelope.signature.truncate(envelope.signature.len() - 4));
    enveloped("K01", |envelope| envelope.signature.push(0));
}

#[test]
fn k01_a_hardware_key_without_application() {
    enveloped("K01", |envelope| envelope.key.truncate(envelope.key.len() - 8));
}

#[test]
fn a04_a_software_key_where_a_pin_is_demanded_since() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let change = ledger.propose_policy("rita", |text| text.replacen("mfa = \"none\"", "mfa = \"touch+pin\"", 1));
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    ledger.refused_mint("A04", &case);
    // As it is: a request for the role by a software key would be void, too.
    ledger.check_as_is();
}

/// A policy takes no key for another application than `ssh:`, so one is nobody's.
#[test]
fn k04_the_same_point_for_another_application() {
    let mut blob = Vec::new();
    put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
    put_string(&mut blob, Key::hardware("alice", TOUCHED).public.point());
    put_string(&mut blob, b"ssh:backup");
    let foreign = PublicKey::from_blob(&blob).unwrap();
    let mut ledger = Ledger::new();
    let mut signed = request(&mut ledger, "payments-db/guarded", TOUCHED);
    let key = Key::hardware_for("alice", TOUCHED, "ssh:backup");
    assert_eq!(key.public, foreign);
    signed.signature = key.sshsig("jit-1/request", &signed.bytes);
    ledger.void_signed("K04", &signed);
    ledger.check();
}
