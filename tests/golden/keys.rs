//! Everybody's keys, made from their names, and signature files: the good ones, and the parts to make bad ones of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit::domain::id::Digest;
use jit::domain::key::{HardwareSignature, PublicKey, RawSignature, put_string};
use jit::ports::Signer as _;
use jit::sign::file::FileSigner;
use jit::sshsig::{SshSig, signature_blob, signed_data};

/// Of a hardware signature: touched.
pub const TOUCHED: u8 = 0x01;

/// A key pair. A hardware key is a software key that answers as PROTOCOL.u2f says, with the flags it is told.
pub struct Key {
    pub signer: FileSigner,
    pub public: PublicKey,
    flags: Option<u8>,
    application: String,
}

impl Key {
    /// The software key of this name.
    pub fn of(name: &str) -> Self {
        let signer = FileSigner::from_seed(*Digest::of(format!("golden {name}").as_bytes()).as_bytes()).unwrap();
        Self { public: signer.public_key().clone(), signer, flags: None, application: String::new() }
    }

    /// The hardware key of this name, and what its signatures will say of touch and PIN.
    pub fn hardware(name: &str, flags: u8) -> Self {
        Self::hardware_for(name, flags, "ssh:")
    }

    /// The same device's key for an application.
    pub fn hardware_for(name: &str, flags: u8, application: &str) -> Self {
        let soft = Self::of(&format!("{name}'s hardware key"));
        let mut blob = Vec::new();
        put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
        put_string(&mut blob, soft.public.point());
        put_string(&mut blob, application.as_bytes());
        let public = PublicKey::from_blob(&blob).unwrap();
        Self { public, signer: soft.signer, flags: Some(flags), application: application.to_owned() }
    }

    /// A signature over `data` itself.
    pub fn raw(&self, data: &[u8]) -> RawSignature {
        let Some(flags) = self.flags else { return self.signer.sign(data).unwrap() };
        // PROTOCOL.u2f: SHA-256(application), flags, counter, SHA-256(message).
        let mut message = Digest::of(self.application.as_bytes()).as_bytes().to_vec();
        message.push(flags);
        message.extend_from_slice(&7_u32.to_be_bytes());
        message.extend_from_slice(Digest::of(data).as_bytes());
        let signature = self.signer.sign(&message).unwrap();
        RawSignature { hardware: Some(HardwareSignature { flags, counter: 7 }), ..signature }
    }

    /// The signature file over `message` in `namespace`.
    pub fn sshsig(&self, namespace: &str, message: &[u8]) -> Vec<u8> {
        let raw = self.raw(&signed_data(namespace, message));
        SshSig::new(self.public.clone(), namespace, raw).to_armored().into_bytes()
    }
}

/// An SSHSIG taken apart (PROTOCOL.sshsig), so that one part can be made wrong.
pub struct Envelope {
    pub version: u32,
    pub key: Vec<u8>,
    pub namespace: String,
    pub reserved: Vec<u8>,
    pub hash: String,
    pub signature: Vec<u8>,
}

impl Envelope {
    /// What [`Key::sshsig`] puts into a file.
    pub fn new(key: &Key, namespace: &str, message: &[u8]) -> Self {
        let raw = key.raw(&signed_data(namespace, message));
        Self {
            version: 1,
            key: key.public.blob(),
            namespace: namespace.to_owned(),
            reserved: Vec::new(),
            hash: "sha512".to_owned(),
            signature: signature_blob(&key.public, &raw),
        }
    }

    /// The file.
    pub fn armored(&self) -> Vec<u8> {
        let mut blob = b"SSHSIG".to_vec();
        blob.extend_from_slice(&self.version.to_be_bytes());
        put_string(&mut blob, &self.key);
        put_string(&mut blob, self.namespace.as_bytes());
        put_string(&mut blob, &self.reserved);
        put_string(&mut blob, self.hash.as_bytes());
        put_string(&mut blob, &self.signature);
        let base64 = STANDARD.encode(blob);
        let lines: Vec<&str> = base64.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n")).into_bytes()
    }
}

/// A software signature's blob for R ‖ S.
pub fn ed25519_blob(bytes: &[u8; 64]) -> Vec<u8> {
    let mut blob = Vec::new();
    put_string(&mut blob, b"ssh-ed25519");
    put_string(&mut blob, bytes);
    blob
}

/// S + L: the same signature to a verifier that does not ask whether S is reduced (RFC 8032, section 5.1.7).
pub fn add_order(bytes: &mut [u8; 64]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    for (at, order) in ORDER.into_iter().enumerate() {
        let sum = u16::from(bytes[32 + at]) + u16::from(order) + carry;
        bytes[32 + at] = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
}
