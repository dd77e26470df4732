//! A hardware key that tells the person when it waits for them: it only blinks, and may lie in another room.

use std::path::Path;

use super::super::output::Output;
use crate::domain::key::{Presence, PublicKey, RawSignature};
use crate::domain::text::visible;
use crate::ports::{SignError, Signer};

/// A signer that says on stderr which key waits for a touch, before it waits.
pub struct Announced {
    signer: Box<dyn Signer>,
    line: String,
    output: Output,
}

impl Announced {
    /// The signer itself for a software key; for a hardware key one that speaks. `file` is where it was found.
    pub fn wrap(signer: Box<dyn Signer>, file: Option<&Path>, output: &Output) -> Box<dyn Signer> {
        let key = signer.public_key();
        if !key.is_hardware() || !signer.presence().touch {
            return signer;
        }
        let place = file.map_or_else(|| "in ssh-agent".to_owned(), |file| visible(&file.display().to_string()));
        let line = format!("Touch your security key now: {place} ({})", key.fingerprint());
        Box::new(Self { signer, line, output: output.clone() })
    }

    fn tell(&self) {
        // With -q too: without it the command seems to hang.
        self.output.summary(&self.line);
    }
}

impl Signer for Announced {
    fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    fn sign(&self, data: &[u8]) -> Result<RawSignature, SignError> {
        self.tell();
        self.signer.sign(data)
    }

    fn sign_message(&self, namespace: &str, message: &[u8]) -> Result<RawSignature, SignError> {
        self.signer.ready()?;
        self.tell();
        self.signer.sign_message(namespace, message)
    }

    fn ready(&self) -> Result<(), SignError> {
        self.signer.ready()
    }

    fn presence(&self) -> Presence {
        self.signer.presence()
    }
}
