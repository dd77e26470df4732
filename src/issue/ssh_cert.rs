//! The OpenSSH certificate issuer (format.md, section 5, `[issuance]`). Imports ports and domain.

use crate::domain::certificate::{Certificate, CertificateError, CertificateField, CertificateSpec, SpecError};
use crate::domain::key::PublicKey;
use crate::ports::{SignError, Signer};

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The key at hand is not the CA's that the policy names.
    #[error("the CA's key is {actual}, but the policy names {expected}")]
    OtherCa {
        /// The key that the policy names.
        expected: Box<PublicKey>,
        /// The key at hand.
        actual: Box<PublicKey>,
    },
    /// Such a certificate must not be made.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The CA's key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What was made does not parse: it is thrown away.
    #[error("the certificate that was made is malformed: {0}")]
    Malformed(#[from] CertificateError),
    /// What was made says other than it should: it is thrown away.
    #[error("the certificate that was made has another {0} than it should")]
    Differs(CertificateField),
    /// What was made holds another nonce or signature than was put in: it is thrown away.
    #[error("the certificate that was made is not the one that was signed")]
    NotWhatWasSigned,
}

/// Makes the certificate that `spec` describes and has `ca` sign it, with `nonce` from the system's randomness. The
/// result is parsed again and each field compared with `spec` before it is returned, so that no fault of encoder or
/// agent reaches the ledger. The line is `LABEL BASE64` without comment or line end. Whether the CA's signature
/// verifies is judged by the same rule (A05) that judges it for every reader, before the event is appended.
///
/// # Errors
/// [`IssueError`], the cause in each case; nothing was issued then.
pub fn issue(spec: &CertificateSpec, ca: &dyn Signer, nonce: [u8; 32]) -> Result<String, IssueError> {
    if *ca.public_key() != spec.ca {
        return Err(IssueError::OtherCa {
            expected: Box::new(spec.ca.clone()),
            actual: Box::new(ca.public_key().clone()),
        });
    }
    let to_be_signed = spec.to_be_signed(nonce)?;
    let signature = ca.sign(to_be_signed.bytes())?;
    let signed = to_be_signed.bytes().to_vec();
    let line = to_be_signed.finish(&signature)?;
    // "The result parsed again and compared before it is written."
    let certificate = Certificate::parse_line(&line)?;
    if let Some(field) = certificate.difference(spec) {
        return Err(IssueError::Differs(field));
    }
    let as_signed = certificate.nonce() == nonce
        && certificate.signed_bytes() == signed
        && *certificate.signature() == signature
        && certificate.to_string() == line;
    if as_signed { Ok(line) } else { Err(IssueError::NotWhatWasSigned) }
}
