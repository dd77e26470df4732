//! Attack 2: every encoding of a point of small order, as the key and as the first half of a signature.

use jit::domain::key::put_string;

use crate::bodies::approval;
use crate::keys::{Envelope, Key, ed25519_blob};
use crate::ledger::Ledger;

/// The eight points whose order divides 8, in each encoding that some decoder takes for one of them: y = 0, 1 and −1, the
/// same plus p where that fits into 255 bits, and the two y of order 8; each with both signs of x (RFC 8032, section 5.1.3).
fn encodings() -> Vec<[u8; 32]> {
    // `TORSION` of tests/vectors/ed25519/make.py, which computes them.
    let order_8 =
        data_encoding::HEXLOWER.decode(b"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05").unwrap();
    let other_8 =
        data_encoding::HEXLOWER.decode(b"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a").unwrap();
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let with = |first: u8| {
        let mut y = p;
        y[0] = first;
        y
    };
    let small = |first: u8| {
        let mut y = [0; 32];
        y[0] = first;
        y
    };
    // y = 0, 1, −1, p, p + 1, and those of order 8; each with both signs.
    let ys: [[u8; 32]; 7] =
        [small(0), small(1), with(0xec), p, with(0xee), order_8.try_into().unwrap(), other_8.try_into().unwrap()];
    ys.into_iter()
        .flat_map(|y| {
            let mut negative = y;
            negative[31] |= 0x80;
            [y, negative]
        })
        .collect()
}

#[test]
fn small_orders_as_key_and_as_r() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    let all = encodings();
    assert_eq!(all.len(), 14);
    for point in all {
        for as_key in [true, false] {
            // S = 0: the equation holds for many messages where A and R are of small order.
            let event = ledger.event("bob", Some(case.id), approval());
            let mut signed = ledger.sign(event);
            let mut envelope = Envelope::new(&Key::of("bob"), "jit-1/approval", &signed.bytes);
            let mut bytes = [0; 64];
            if as_key {
                envelope.key.clear();
                put_string(&mut envelope.key, b"ssh-ed25519");
                put_string(&mut envelope.key, &point);
                bytes[..32].copy_from_slice(&point);
            } else {
                let good: [u8; 64] = envelope.signature[envelope.signature.len() - 64..].try_into().unwrap();
                bytes[32..].copy_from_slice(&good[32..]);
                bytes[..32].copy_from_slice(&point);
            }
            envelope.signature = ed25519_blob(&bytes);
            signed.signature = envelope.armored();
            ledger.void_signed("K02", &signed);
        }
    }
    ledger.check();
}
