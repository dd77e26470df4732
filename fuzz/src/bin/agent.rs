//! Answers of ssh-agent: what is taken is whole, and written again it is what was read.
#![no_main]

use jit::domain::key::{PublicKey, put_string};
use jit::sign::agent::{parse_identities, parse_signature};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(identities) = parse_identities(bytes) {
        assert!(identities.len() * 8 < bytes.len());
        let mut again = vec![12];
        again.extend_from_slice(&u32::try_from(identities.len()).expect("few").to_be_bytes());
        for identity in &identities {
            put_string(&mut again, &identity.key.blob());
            put_string(&mut again, identity.comment.as_bytes());
        }
        assert_eq!(parse_identities(&again).as_ref().ok(), Some(&identities));
    }
    let mut point = [0; 32];
    point[0] = 3;
    for key in [PublicKey::ed25519(point), hardware(point)] {
        let key = key.expect("y = 3 is on the curve");
        let Ok(signature) = parse_signature(bytes, &key) else { continue };
        assert_eq!(signature.hardware.is_some(), key.is_hardware());
        let mut inner = Vec::new();
        put_string(&mut inner, key.label().as_bytes());
        put_string(&mut inner, &signature.bytes);
        if let Some(hardware) = signature.hardware {
            inner.push(hardware.flags);
            inner.extend_from_slice(&hardware.counter.to_be_bytes());
        }
        let mut again = vec![14];
        put_string(&mut again, &inner);
        assert_eq!(again, bytes, "one answer, two spellings");
    }
});

fn hardware(point: [u8; 32]) -> Result<PublicKey, jit::domain::key::KeyError> {
    let mut blob = Vec::new();
    put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
    put_string(&mut blob, &point);
    put_string(&mut blob, b"ssh:");
    PublicKey::from_blob(&blob)
}
