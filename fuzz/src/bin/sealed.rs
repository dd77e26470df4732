//! Age files, as recordings are sealed: whatever the bytes, what opens is what somebody sealed; and a changed byte opens
//! nothing.
#![no_main]

use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use jit::domain::key::PublicKey;
use jit::ports::{Rng, RngError};
use jit::recording::age::{Identity, open, seal};
use jit_fuzz::Input;
use zeroize::Zeroizing;

struct Counting(u8);

impl Counting {
    fn next<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        std::array::from_fn(|_| {
            self.0 = self.0.wrapping_mul(141).wrapping_add(3);
            self.0
        })
    }
}

impl Rng for Counting {
    fn bytes16(&mut self) -> Result<[u8; 16], RngError> {
        Ok(self.next())
    }

    fn bytes32(&mut self) -> Result<[u8; 32], RngError> {
        Ok(self.next())
    }
}

fn key() -> &'static (SigningKey, PublicKey) {
    static KEY: OnceLock<(SigningKey, PublicKey)> = OnceLock::new();
    KEY.get_or_init(|| {
        // The key of tests/vectors/sample/keys/recorder.
        let file = include_str!("../../../tests/vectors/sample/keys/recorder");
        let private = ssh_key::PrivateKey::from_openssh(file).expect("a private key");
        let seed = private.key_data().ed25519().expect("an Ed25519 key").private.to_bytes();
        let key = SigningKey::from_bytes(&seed);
        let public = PublicKey::ed25519(key.verifying_key().to_bytes()).expect("a strong key");
        (key, public)
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (private, public) = key();
    let agree = |share: &[u8; 32]| Zeroizing::new(x25519_dalek::x25519(private.to_scalar_bytes(), *share));
    let identity = Identity { public, agree: &agree };
    let _ = open(bytes, &identity);

    let mut input = Input(bytes);
    let (at, with) = (input.short(), input.byte());
    let text = input.take(300);
    let recipients = std::slice::from_ref(public);
    let mut file = seal(recipients, text, &mut Counting(input.byte())).expect("it is sealed");
    assert_eq!(open(&file, &identity).as_deref().map(Vec::as_slice), Ok(text));
    if with != 0 {
        let place = at % file.len();
        file[place] ^= with;
        assert!(open(&file, &identity).is_err(), "byte {place} ^ {with}");
    }
});
