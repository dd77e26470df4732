//! An HTTP endpoint: each batch is one POST, and an answer of 200 to 299 acknowledges it. No redirect is followed: events go
//! to the address that was named, or nowhere.

use std::path::PathBuf;
use std::sync::Arc;

use ureq::http::StatusCode;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use super::super::super::error::CliError;
use super::super::format::Format;
use super::{Means, Receiver, Refused, secrets, tls};

/// How much of an answer is told.
const TOLD: usize = 200;

/// An endpoint.
pub struct HttpReceiver {
    agent: ureq::Agent,
    url: String,
    format: Format,
    token: Option<PathBuf>,
}

impl HttpReceiver {
    /// The endpoint at `url`.
    ///
    /// # Errors
    /// Where certificates or the token cannot be read.
    pub fn new(url: String, format: Format, means: &Means) -> Result<Self, CliError> {
        if let Some(token) = &means.token {
            secrets::token(token)?;
        }
        let agent = agent(&url, means)?;
        Ok(Self { agent, url, format, token: means.token.clone() })
    }
}

/// What connects to `url`: certificates are checked always, no redirect is followed, every status is an answer.
///
/// # Errors
/// Where certificates cannot be read.
pub fn agent(url: &str, means: &Means) -> Result<ureq::Agent, CliError> {
    let mut tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(tls::provider())
        .root_certs(RootCerts::Specific(Arc::new(Vec::new())));
    if url.starts_with("https:") {
        // Asked for its errors: a chain and key that do not go together are told now.
        tls::config(means)?;
        let authorities = tls::authorities(means)?;
        let roots = authorities.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        tls = tls.root_certs(RootCerts::Specific(Arc::new(roots.collect())));
        if let Some((chain, _)) = tls::client(means)? {
            let chain: Vec<Certificate<'static>> =
                chain.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
            let (_, key) = means.client.as_ref().expect("a client's chain comes with its key");
            let key = PrivateKey::from_pem(&secrets::read(key)?)
                .map_err(|cause| CliError::failed("the key cannot be used").because(cause.to_string()))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
    }
    Ok(ureq::Agent::config_builder()
        .tls_config(tls.build())
        .timeout_connect(Some(means.timeout))
        .timeout_global(Some(means.timeout.saturating_mul(2)))
        .max_redirects(0)
        .http_status_as_error(false)
        // The library would read the environment itself.
        .proxy(None)
        .user_agent(concat!("jit/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent())
}

impl Receiver for HttpReceiver {
    fn deliver(&mut self, lines: &[String]) -> Result<(), Refused> {
        let mut request = self.agent.post(&self.url).content_type(self.format.content_type());
        if let Some(token) = &self.token {
            // Read for each batch: a token that was renewed needs no restart.
            let token = secrets::token(token).map_err(|error| {
                Refused::lasting("there is no token", error.line(), "write it into the file of --token-file")
            })?;
            request = request.header("authorization", format!("Bearer {}", *token));
        }
        let failed = format!("cannot send to {}", self.url);
        let mut response = match request.send(self.format.body(lines)) {
            Ok(response) => response,
            Err(ureq::Error::Rustls(error)) => return Err(tls::judged(failed, &error)),
            Err(ureq::Error::Io(cause)) => return Err(tls::refused(failed, &cause)),
            Err(error) => return Err(Refused::passing(failed, error.to_string())),
        };
        let status = response.status();
        // Read to its end, so that the connection serves again.
        let said = response.body_mut().with_config().limit(64 * 1024).lossy_utf8(true).read_to_string();
        if status.is_success() {
            return Ok(());
        }
        let said: String = said.unwrap_or_default().trim().chars().take(TOLD).collect();
        let cause = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        Err(judge(format!("{} did not take the events", self.url), cause, status))
    }
}

/// Whether trying again can help. 408, 425 and 429 ask for it, and a server's own errors pass.
fn judge(what: String, cause: String, status: StatusCode) -> Refused {
    match status.as_u16() {
        408 | 425 | 429 | 500.. => Refused::passing(what, cause),
        401 | 403 => Refused::lasting(what, cause, "check the token: --token-file FILE"),
        300..=399 => Refused::lasting(what, cause, "name the address that it answers with; no redirect is followed"),
        413 => Refused::lasting(what, cause, "give fewer events at once: --batch COUNT"),
        _ => Refused::lasting(what, cause, "check the address, and which format it takes: --format"),
    }
}
