//! TLS: whom we trust, and who we are. Certificates are checked always, against the system's authorities or those of
//! `--ca-file`; there is no way to leave the check out.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::super::super::error::CliError;
use super::{Means, Outlook, Refused, secrets};

/// The most certificates of a file.
const MOST: usize = 10_000;

/// The cryptography: one for every connection of this process.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The authorities that are trusted.
///
/// # Errors
/// Where the file, or the system's store, holds none.
pub fn authorities(means: &Means) -> Result<Vec<CertificateDer<'static>>, CliError> {
    if let Some(path) = &means.authorities {
        let bytes = std::fs::read(path).map_err(|cause| CliError::file("read", path, &cause))?;
        return certificates(path, &bytes);
    }
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let cause = found.errors.first().map_or_else(|| "none is installed".to_owned(), ToString::to_string);
        return Err(CliError::failed("the system trusts no authority")
            .because(cause)
            .hint("install the package ca-certificates, or name them: --ca-file FILE"));
    }
    Ok(found.certs)
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, CliError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).take(MOST).collect();
    let why = match read {
        Ok(found) if !found.is_empty() => return Ok(found),
        Ok(_) => "there is no CERTIFICATE block in it".to_owned(),
        Err(cause) => cause.to_string(),
    };
    Err(CliError::failed(format!("{} holds no certificates", path.display()))
        .because(why)
        .hint("name a file of certificates in PEM"))
}

/// Our own certificates and their key, where the receiver asks for them.
pub fn client(means: &Means) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, CliError> {
    let Some((chain, key)) = &means.client else { return Ok(None) };
    let bytes = std::fs::read(chain).map_err(|cause| CliError::file("read", chain, &cause))?;
    let chain = certificates(chain, &bytes)?;
    let bytes = secrets::read(key)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|cause| {
        CliError::failed(format!("{} holds no private key", key.display()))
            .because(cause.to_string())
            .hint("name a file with an unencrypted private key in PEM")
    })?;
    Ok(Some((chain, key)))
}

/// What a connection is made with.
///
/// # Errors
/// As [`authorities`] and [`client`].
pub fn config(means: &Means) -> Result<ClientConfig, CliError> {
    let wrong = |cause: rustls::Error| CliError::failed("TLS cannot be set up").because(cause.to_string());
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(authorities(means)?);
    if added == 0 {
        return Err(CliError::failed("no authority that is trusted can be used")
            .hint("name a file of X.509 certificates in PEM: --ca-file FILE"));
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_root_certificates(roots);
    match client(means)? {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(wrong),
        None => Ok(builder.with_no_client_auth()),
    }
}

/// What a failed connection means: a certificate that is refused has to be mended by somebody.
pub fn refused(what: String, cause: &io::Error) -> Refused {
    match cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => judged(what, error),
        None => Refused::passing(what, cause.to_string()),
    }
}

/// The same for what TLS itself found.
pub fn judged(what: String, error: &rustls::Error) -> Refused {
    use rustls::{AlertDescription, CertificateError, Error};
    let lasting = |hint| Refused::lasting(what.clone(), error.to_string(), hint);
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            lasting("name the authority that signed the receiver's certificate: --ca-file FILE")
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            lasting("the receiver needs a new certificate; check this machine's clock, too")
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => lasting("name the receiver as its certificate does"),
        Error::InvalidCertificate(_) => {
            lasting("look at the receiver's certificate: openssl s_client -connect HOST:PORT")
        }
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::HandshakeFailure,
        ) => lasting("the receiver may want a certificate of ours: --client-cert FILE --client-key FILE"),
        _ => Refused { outlook: Outlook::Passing, ..lasting("is the receiver one for TLS?") },
    }
}
