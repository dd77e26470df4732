//! Proofs of possession: whoever is to sign in a ledger with a key has shown once that they hold it (format.md, section
//! 6, "Proofs of possession"). A proof is four lines of text and an SSHSIG over them in a namespace of its own, so plain
//! `ssh-keygen -Y sign` makes one as well. PURE; imports `domain::{id, key}`.

use super::{SshSig, SshSigError, VerifyError, signed_data};
use crate::domain::id::{Digest, Name};
use crate::domain::key::{PublicKey, RawSignature};

/// The namespace of proofs. No kind of event is ever called `enrolment`.
pub const NAMESPACE: &str = "jit-1/enrolment";
/// The first line.
const TITLE: &str = "jit-1 enrolment";
/// The last line.
const END: &str = "-----END SSH SIGNATURE-----\n";
/// The largest proof, in bytes: four short lines and a signature file.
pub const MAX_BYTES: usize = 8 << 10;

/// What the holder of a key says: this key is mine, in this ledger, under this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The ledger's id.
    pub ledger: Digest,
    /// The member, service or host.
    pub name: Name,
    /// The key.
    pub key: PublicKey,
}

impl Enrolment {
    /// The text that is signed: four lines, each ended by LF.
    pub fn text(&self) -> String {
        format!("{TITLE}\nledger {}\nname {}\nkey {}\n", self.ledger, self.name, self.key)
    }

    /// What the key signs, as a [`crate::ports::Signer`] wants it.
    pub fn signed_data(&self) -> Vec<u8> {
        signed_data(NAMESPACE, self.text().as_bytes())
    }

    /// The proof that `signature` over [`Enrolment::signed_data`] makes of it. Nothing is verified here.
    pub fn proven_by(self, signature: RawSignature) -> Proof {
        Proof { signature: SshSig::new(self.key.clone(), NAMESPACE, signature), said: self }
    }
}

/// Why a proof is none, or proves something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is larger than any proof.
    #[error("it is {0} bytes long; a proof has at most {MAX_BYTES}")]
    TooLarge(usize),
    /// The four lines are not there, or not in their one spelling.
    #[error("it does not begin with the four lines of a proof: `{TITLE}`, `ledger …`, `name …`, `key …`")]
    Text,
    /// What follows is no signature file.
    #[error("{0}")]
    Form(#[from] SshSigError),
    /// It was made for another ledger.
    #[error("it is for another ledger: {found}, not {wanted}")]
    OtherLedger {
        /// The one it names.
        found: Digest,
        /// This one.
        wanted: Digest,
    },
    /// It was made for another name.
    #[error("it is for {found}, not for {wanted}")]
    OtherName {
        /// The one it names.
        found: Name,
        /// The one that is asked about.
        wanted: Name,
    },
    /// It names one key and was signed by another.
    #[error("it speaks of the key {said} and was signed by {signer}")]
    OtherSigner {
        /// The fingerprint of the key it names.
        said: String,
        /// The fingerprint of the key that signed.
        signer: String,
    },
    /// It was signed for something else.
    #[error("it was signed in the namespace {0:?}, expected {NAMESPACE:?}")]
    Namespace(String),
    /// The signature is not good.
    #[error("{0}")]
    Signature(VerifyError),
    /// The hardware key was not touched.
    #[error("the hardware key was not touched")]
    Untouched,
}

/// A proof as it was read. What it is worth, [`Proof::check`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    said: Enrolment,
    signature: SshSig,
}

impl Proof {
    /// Reads a proof: the four lines and the signature file, to the byte.
    ///
    /// # Errors
    /// The first cause.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_BYTES {
            return Err(ProofError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ProofError::Text)?;
        let mut rest = text;
        let mut line = |field: &str| {
            let (line, behind) = rest.split_once('\n')?;
            rest = behind;
            line.strip_prefix(field)
        };
        let said = (|| {
            line(TITLE).filter(|more| more.is_empty())?;
            let ledger = line("ledger ")?.parse().ok()?;
            let name = line("name ")?.parse().ok()?;
            let key = line("key ")?.parse().ok()?;
            Some(Enrolment { ledger, name, key })
        })()
        .ok_or(ProofError::Text)?;
        // One spelling each.
        if !text.starts_with(&said.text()) {
            return Err(ProofError::Text);
        }
        let signature = SshSig::parse(rest.as_bytes())?;
        Ok(Self { said, signature })
    }

    /// What it says.
    pub const fn said(&self) -> &Enrolment {
        &self.said
    }

    /// The file: what [`Proof::parse`] takes.
    pub fn to_text(&self) -> String {
        format!("{}{}", self.said.text(), self.signature.to_armored())
    }

    /// Whether it proves that the holder of the key that it names wants to be `name` in `ledger`.
    ///
    /// # Errors
    /// What is not so, the plainest cause first.
    pub fn check(&self, ledger: Digest, name: &Name) -> Result<&PublicKey, ProofError> {
        let said = &self.said;
        if said.ledger != ledger {
            return Err(ProofError::OtherLedger { found: said.ledger, wanted: ledger });
        }
        if said.name != *name {
            return Err(ProofError::OtherName { found: said.name.clone(), wanted: name.clone() });
        }
        if *self.signature.public_key() != said.key {
            let signer = self.signature.public_key().fingerprint();
            return Err(ProofError::OtherSigner { said: said.key.fingerprint(), signer });
        }
        if self.signature.namespace() != NAMESPACE {
            return Err(ProofError::Namespace(self.signature.namespace().to_owned()));
        }
        self.signature.verify(said.text().as_bytes()).map_err(ProofError::Signature)?;
        if said.key.is_hardware() && !self.signature.touched() {
            return Err(ProofError::Untouched);
        }
        Ok(&said.key)
    }
}

/// Reads `key_proofs`: proofs, one behind the other.
///
/// # Errors
/// The first cause.
pub fn parse_all(bytes: &[u8]) -> Result<Vec<Proof>, ProofError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ProofError::Text)?;
    let mut rest = text;
    let mut proofs = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(END).map(|at| at.saturating_add(END.len())).ok_or(ProofError::Text)?;
        let (one, behind) = rest.split_at_checked(end).ok_or(ProofError::Text)?;
        proofs.push(Proof::parse(one.as_bytes())?);
        rest = behind;
    }
    Ok(proofs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::{HardwareSignature, PublicKey, put_string};
    use ed25519_dalek::{Signer as _, SigningKey};
    use sha2::{Digest as _, Sha256};

    fn proof(seed: u8, change: impl Fn(&mut Enrolment)) -> (Proof, Digest) {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public = PublicKey::ed25519(key.verifying_key().to_bytes()).unwrap();
        let ledger = Digest::of(b"ledger");
        let mut said = Enrolment { ledger, name: "dave".parse().unwrap(), key: public.clone() };
        change(&mut said);
        let bytes = key.sign(&said.signed_data()).to_bytes();
        let signature = SshSig::new(public, NAMESPACE, RawSignature { bytes, hardware: None });
        (Proof { said, signature }, ledger)
    }

    #[test]
    fn a_proof_is_for_one_ledger_name_and_key() {
        let dave: Name = "dave".parse().unwrap();
        let (good, ledger) = proof(1, |_| {});
        assert_eq!(good.check(ledger, &dave), Ok(&good.said.key));
        assert_eq!(Proof::parse(good.to_text().as_bytes()), Ok(good.clone()));
        assert!(matches!(good.check(Digest::of(b"other"), &dave), Err(ProofError::OtherLedger { .. })));
        assert!(matches!(good.check(ledger, &"erin".parse().unwrap()), Err(ProofError::OtherName { .. })));
        let (other, _) = proof(2, |_| {});
        let (foreign, _) = proof(1, |said| said.key = other.said.key.clone());
        assert!(matches!(foreign.check(ledger, &dave), Err(ProofError::OtherSigner { .. })));
        let event = SshSig::new(good.said.key.clone(), "jit-1/approval", good.signature.raw().clone());
        let event = Proof { said: good.said.clone(), signature: event };
        assert_eq!(event.check(ledger, &dave), Err(ProofError::Namespace("jit-1/approval".to_owned())));
    }

    #[test]
    fn a_hardware_key_was_touched() {
        let secret = SigningKey::from_bytes(&[3; 32]);
        let mut blob = Vec::new();
        put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
        put_string(&mut blob, &secret.verifying_key().to_bytes());
        put_string(&mut blob, b"ssh:");
        let key = PublicKey::from_blob(&blob).unwrap();
        let (ledger, dave) = (Digest::of(b"ledger"), "dave".parse::<Name>().unwrap());
        // PROTOCOL.u2f: bit 0 of the flags is the touch, bit 2 the PIN.
        for (flags, is_taken) in [(0, false), (1, true), (4, false), (5, true)] {
            let said = Enrolment { ledger, name: dave.clone(), key: key.clone() };
            let mut data = Sha256::digest("ssh:").to_vec();
            data.extend_from_slice(&[flags, 0, 0, 0, 9]);
            data.extend_from_slice(&Sha256::digest(said.signed_data()));
            let hardware = Some(HardwareSignature { flags, counter: 9 });
            let proof = said.proven_by(RawSignature { bytes: secret.sign(&data).to_bytes(), hardware });
            let proof = Proof::parse(proof.to_text().as_bytes()).unwrap();
            let expected = if is_taken { Ok(&key) } else { Err(ProofError::Untouched) };
            assert_eq!(proof.check(ledger, &dave), expected, "flags {flags}");
            assert_eq!((&proof.said().key, &proof.said().name), (&key, &dave));
        }
    }

    #[test]
    fn what_is_no_proof_is_told_by_its_size_and_its_lines() {
        assert_eq!(Proof::parse(&[b'x'; 8192]), Err(ProofError::Text));
        assert_eq!(Proof::parse(&[b'x'; 8193]), Err(ProofError::TooLarge(8193)));
        let (good, ledger) = proof(1, |_| {});
        assert_eq!(
            good.said.text(),
            format!("jit-1 enrolment\nledger {ledger}\nname dave\nkey {}\n", good.said.key),
            "format.md, section 6"
        );
        let text = good.to_text();
        for (from, to) in [("enrolment\n", "enrolment \n"), ("name dave", "name  dave"), ("ledger sha", "ledger SHA")] {
            assert_eq!(Proof::parse(text.replacen(from, to, 1).as_bytes()), Err(ProofError::Text), "{to}");
        }
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let dave: Name = "dave".parse().unwrap();
        let (good, ledger) = proof(1, |_| {});
        let text = good.to_text().into_bytes();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bad = text.clone();
                bad[at] ^= 1 << bit;
                let taken = Proof::parse(&bad).is_ok_and(|proof| proof.check(ledger, &dave).is_ok());
                assert!(!taken, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn many_stand_behind_each_other() {
        let (one, _) = proof(1, |_| {});
        let (two, _) = proof(2, |_| {});
        let text = one.to_text() + &two.to_text();
        assert_eq!(parse_all(text.as_bytes()), Ok(vec![one.clone(), two]));
        assert_eq!(parse_all(b""), Ok(Vec::new()));
        for bad in [format!("{text}\n"), format!("# all\n{text}"), text.replacen('\n', "\r\n", 1)] {
            assert_eq!(parse_all(bad.as_bytes()), Err(ProofError::Text), "{bad}");
        }
    }
}
