//! HTTP: one POST a notice, answered with 200 to 299. The address may itself be a secret (that of a chat's webhook is), so no
//! message of ours holds more of it than its host.

use std::path::PathBuf;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use ureq::http::StatusCode;
use zeroize::Zeroizing;

use super::super::super::Context;
use super::super::super::error::CliError;
use super::super::super::export::receiver::{Means, Refused, http, secrets, tls};
use super::super::settings::{SinkKind, SinkSettings};
use super::super::sink::{Parcel, Way, wrong};
use super::card;
use crate::domain::time::Timestamp;

/// How much of an answer is told.
const TOLD: usize = 120;
/// The fewest bytes of a secret.
const SHORTEST: usize = 16;

/// An address that takes notices.
pub struct Web {
    agent: ureq::Agent,
    url: Zeroizing<String>,
    host: String,
    kind: SinkKind,
    secret: Option<PathBuf>,
}

impl Web {
    /// The address of the settings.
    ///
    /// # Errors
    /// Where there is none, it is not encrypted, or a secret cannot be read.
    pub fn of(context: &Context, settings: &SinkSettings, means: &Means) -> Result<Self, CliError> {
        let url = match (&settings.url, &settings.url_file) {
            (Some(url), None) => Zeroizing::new(url.clone()),
            (None, Some(file)) => {
                let bytes = secrets::read(&context.resolve(file))?;
                Zeroizing::new(std::str::from_utf8(&bytes).unwrap_or_default().trim().to_owned())
            }
            _ => return Err(wrong("it needs either url or url_file", "url_file = \"~/.config/jit/slack-url\"")),
        };
        let host = host(&url)?;
        let secret = settings.secret_file.as_deref().map(|file| context.resolve(file));
        if let Some(secret) = &secret {
            read(secret)?;
        } else if settings.kind == SinkKind::Webhook {
            return Err(wrong(
                "a webhook needs a secret: without it the receiver could not know who speaks",
                "head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE; then: secret_file = \"FILE\"",
            ));
        }
        Ok(Self { agent: http::agent(&url, means)?, url, host, kind: settings.kind, secret })
    }
}

impl Way for Web {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Refused> {
        let body = match self.kind {
            SinkKind::Slack => card::slack(&parcel.notice, &parcel.ledger),
            SinkKind::Teams => card::teams(&parcel.notice, &parcel.ledger),
            _ => parcel.object.clone(),
        }
        .to_string();
        let failed = format!("cannot send to {}", self.host);
        let mut request = self.agent.post(self.url.as_str()).content_type("application/json; charset=utf-8");
        request = request.header("jit-notice-id", parcel.id.to_string());
        if let Some(secret) = &self.secret {
            // Read for each message: a secret that was renewed needs no restart.
            let secret = read(secret)
                .map_err(|error| Refused::lasting("there is no secret", error.line(), "write it into secret_file"))?;
            request = request
                .header("jit-timestamp", parcel.now.unix().to_string())
                .header("jit-signature", format!("v1={}", signature(&secret, parcel.now, &body)));
        }
        let mut response = match request.send(body) {
            Ok(response) => response,
            Err(ureq::Error::Rustls(error)) => return Err(tls::judged(failed, &error)),
            Err(ureq::Error::Io(cause)) => return Err(tls::refused(failed, &cause)),
            Err(error) => return Err(Refused::passing(failed, self.hidden(&error.to_string()))),
        };
        let status = response.status();
        let said = response.body_mut().with_config().limit(64 * 1024).lossy_utf8(true).read_to_string();
        if status.is_success() {
            return Ok(());
        }
        let said: String = self.hidden(said.unwrap_or_default().trim()).chars().take(TOLD).collect();
        let cause = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
        Err(judge(format!("{} did not take it", self.host), cause, status))
    }
}

impl Web {
    /// Without the address, which may be a secret.
    fn hidden(&self, text: &str) -> String {
        text.replace(self.url.as_str(), "URL")
    }
}

/// HMAC-SHA256 (RFC 2104) over the timestamp, a point and the body, in lower-case hexadecimal.
fn signature(secret: &[u8], now: Timestamp, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{}.", now.unix()).as_bytes());
    mac.update(body.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

fn read(path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut bytes = secrets::read(path)?;
    while bytes.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        bytes.pop();
    }
    if bytes.len() < SHORTEST {
        return Err(wrong(
            format!("the secret in {} has fewer than {SHORTEST} bytes", path.display()),
            "head -c 32 /dev/urandom | base64 > FILE; chmod 600 FILE",
        ));
    }
    Ok(bytes)
}

/// The host of an address that may be used: encrypted, or on this machine.
fn host(url: &str) -> Result<String, CliError> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(wrong("the address does not begin with https://", "url = \"https://…\"")),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let local = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| authority.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(plain) || !url.chars().all(|c| c.is_ascii_graphic()) {
        return Err(wrong("the address is none", "url = \"https://HOST/PATH\""));
    }
    if !secure && !local {
        return Err(wrong("a notice is not sent without encryption, unless to this machine", "url = \"https://…\""));
    }
    Ok(authority.to_owned())
}

/// Whether trying again can help. 408, 425 and 429 ask for it, and a server's own errors pass.
fn judge(what: String, cause: String, status: StatusCode) -> Refused {
    match status.as_u16() {
        408 | 425 | 429 | 500.. => Refused::passing(what, cause),
        300..=399 => Refused::lasting(what, cause, "name the address that it answers with; no redirect is followed"),
        _ => Refused::lasting(what, cause, "check the address and the kind of the sink"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_encrypted_or_here() {
        for good in ["https://hooks.acme.example/a?b", "http://127.0.0.1:80/x", "http://[::1]:9/", "http://localhost"] {
            assert!(host(good).is_ok(), "{good}");
        }
        for bad in ["http://acme.example/", "http://127.0.0.1.acme.example/", "https://", "ftp://a", "https://a b/", ""]
        {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    /// By another tool: `printf '100.{}' | openssl dgst -sha256 -hmac 0123456789abcdef`.
    #[test]
    fn the_signature_is_what_openssl_makes() {
        let now = Timestamp::from_unix(100).expect("a time");
        let by_openssl = "fadefcfba0465a51a33c796286593ee0293d1af3b09deff4e2f5fa9091858e6b";
        assert_eq!(signature(b"0123456789abcdef", now, "{}"), by_openssl);
    }
}
