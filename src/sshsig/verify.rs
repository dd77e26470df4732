//! Verification of Ed25519 signatures by software and hardware keys, strictly (rules K02 and K05; RFC 8032, section 5.1.7;
//! OpenSSH PROTOCOL.u2f). The hot path of `verify`: a key is decompressed once, a signature costs one double-scalar
//! multiplication.

use std::collections::BTreeMap;
use std::sync::Arc;

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::domain::key::{HardwareSignature, KeyError, KeyKind, PublicKey, RawSignature};

/// The one application that hardware keys of a ledger are made for (K05).
const APPLICATION: &str = "ssh:";

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It does not verify, strictly: another message or key, S not reduced, R not canonical or of small order (K02).
    #[error("the signature does not verify")]
    Signature,
    /// A software signature for a hardware key, or the other way round. No parsed [`super::SshSig`] is like that.
    #[error("the signature is not of the kind that its key makes")]
    Kind,
    /// The signature is good, and the hardware key was made for another application than `ssh:` (K05).
    #[error("the hardware key was made for the application {0:?}, expected \"ssh:\"")]
    Application(String),
}

/// A public key ready to verify with: its point is decompressed once, not at each signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedKey {
    public: PublicKey,
    point: VerifyingKey,
}

impl UnpackedKey {
    /// Decompresses the key's point.
    ///
    /// # Panics
    /// Never: a [`PublicKey`] holds a point.
    pub fn new(public: PublicKey) -> Self {
        let point = VerifyingKey::from_bytes(public.point()).expect("a PublicKey holds a point on the curve");
        Self { public, point }
    }

    /// The key.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Verifies `signature` over `data`, strictly.
    ///
    /// # Errors
    /// See [`VerifyError`]. [`VerifyError::Application`] is told only of a signature that is good.
    pub fn verify(&self, data: &[u8], signature: &RawSignature) -> Result<(), VerifyError> {
        match (self.public.kind(), signature.hardware) {
            (KeyKind::Ed25519, None) => self.verify_bytes(data, &signature.bytes),
            (KeyKind::SkEd25519 { application }, Some(hardware)) => {
                self.verify_bytes(&hardware_data(application, hardware, data), &signature.bytes)?;
                // K05: "sk application not `ssh:`". After K02: the first code that fails is the one told.
                if application != APPLICATION {
                    return Err(VerifyError::Application(application.clone()));
                }
                Ok(())
            }
            (KeyKind::Ed25519, Some(_)) | (KeyKind::SkEd25519 { .. }, None) => Err(VerifyError::Kind),
        }
    }

    /// The verdict of `VerifyingKey::verify_strict`, a tenth cheaper. Strict is: S reduced, A and R canonical and not of
    /// small order, [S]B = R + [k]A. `verify` refuses S ≥ L, computes R and compares *encodings*, so that a canonical R is
    /// implied; a `PublicKey` is canonical and not of small order; what is left is R, which need not be decompressed
    /// to see that it is one of the eight points of small order.
    fn verify_bytes(&self, data: &[u8], bytes: &[u8; 64]) -> Result<(), VerifyError> {
        if has_small_order_r(bytes) {
            return Err(VerifyError::Signature);
        }
        self.point.verify(data, &Signature::from_bytes(bytes)).map_err(|_| VerifyError::Signature)
    }
}

/// What a hardware key signs in place of `data` (PROTOCOL.u2f): SHA-256(application) ‖ flags ‖ counter ‖ SHA-256(data).
fn hardware_data(application: &str, hardware: HardwareSignature, data: &[u8]) -> [u8; 69] {
    let mut out = [0; 69];
    let (application_part, rest) = out.split_at_mut(32);
    let (flags_part, rest) = rest.split_at_mut(1);
    let (counter_part, data_part) = rest.split_at_mut(4);
    application_part.copy_from_slice(&Sha256::digest(application));
    flags_part.copy_from_slice(&[hardware.flags]);
    counter_part.copy_from_slice(&hardware.counter.to_be_bytes());
    data_part.copy_from_slice(&Sha256::digest(data));
    out
}

/// The y coordinates, little endian, of the eight points whose order divides 8: 0 and the two of order 8 belong to two
/// points each, x and −x, told apart by the sign bit; 1 is the identity and −1 the point of order 2.
pub(super) const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether R, the first half of a signature, is the canonical encoding of a point of small order.
fn has_small_order_r(bytes: &[u8; 64]) -> bool {
    let (r, _) = bytes.split_at(32);
    let mut y = [0; 32];
    y.copy_from_slice(r);
    if let Some(last) = y.last_mut() {
        *last &= 0x7f; // the sign bit of x
    }
    SMALL_ORDER_Y.contains(&y)
}

/// Verifies a signature over `data` itself, without SSHSIG around it: what certificates carry.
///
/// # Errors
/// See [`VerifyError`].
pub fn verify_raw(key: &PublicKey, data: &[u8], signature: &RawSignature) -> Result<(), VerifyError> {
    UnpackedKey::new(key.clone()).verify(data, signature)
}

/// Keys seen before, by their wire blob. A ledger has few signers and many signatures; checking and decompressing a key
/// costs a third of verifying a signature.
#[derive(Debug, Clone, Default)]
pub struct KeyCache {
    keys: BTreeMap<Vec<u8>, Arc<UnpackedKey>>,
}

impl KeyCache {
    /// How many keys are kept. Anybody may push signatures by keys that nobody knows: what they can fill is bounded.
    pub(super) const LIMIT: usize = 4096;

    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self { keys: BTreeMap::new() }
    }

    /// How many keys are kept now.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of a wire blob.
    ///
    /// # Errors
    /// As [`PublicKey::from_blob`]; nothing is kept then.
    pub fn unpack(&mut self, blob: &[u8]) -> Result<Arc<UnpackedKey>, KeyError> {
        if let Some(known) = self.keys.get(blob) {
            return Ok(Arc::clone(known));
        }
        let key = Arc::new(UnpackedKey::new(PublicKey::from_blob(blob)?));
        if self.keys.len() >= Self::LIMIT {
            self.keys.clear();
        }
        self.keys.insert(blob.to_vec(), Arc::clone(&key));
        Ok(key)
    }
}
