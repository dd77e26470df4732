//! E-mail by SMTP: a message for each person, to the address that the policy in force has for them.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, SmtpTransport, Transport as _};

use super::super::super::Context;
use super::super::super::error::CliError;
use super::super::super::export::receiver::{Means, Refused, secrets, tls};
use super::super::settings::SinkSettings;
use super::super::sink::{Parcel, Way, wrong};
use crate::monitor::text::clipped;

/// The most characters of a subject.
const SUBJECT: usize = 150;

/// A server and a sender.
pub struct Email {
    transport: SmtpTransport,
    from: Mailbox,
    server: String,
}

impl Email {
    /// The server of the settings.
    ///
    /// # Errors
    /// Where a setting is missing or cannot be used, or a password would go unencrypted.
    pub fn of(context: &Context, settings: &SinkSettings, means: &Means) -> Result<Self, CliError> {
        let Some(server) = &settings.server else {
            return Err(wrong("it needs a server", "server = \"smtp.acme.example:587\""));
        };
        let from = settings.from.as_deref().unwrap_or_default();
        let from: Mailbox =
            from.parse().map_err(|_| wrong("from is no address", "from = \"jit <jit@acme.example>\""))?;
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) => {
                let port =
                    port.parse().map_err(|_| wrong("the server's port is no number", "server = \"HOST:587\""))?;
                (host, Some(port))
            }
            None => (server.as_str(), None),
        };
        let local = ["127.0.0.1", "localhost", "::1"].contains(&host);
        let (tls, usual) = match settings.security.as_deref().unwrap_or("starttls") {
            "starttls" => (Tls::Required(parameters(host, means)?), 587),
            "tls" => (Tls::Wrapper(parameters(host, means)?), 465),
            "none" if local => (Tls::None, 25),
            "none" => {
                return Err(wrong("security = \"none\" is for a server on this machine", "security = \"starttls\""));
            }
            other => return Err(wrong(format!("security: {other:?} is unknown"), "starttls, tls or none")),
        };
        let mut builder = SmtpTransport::builder_dangerous(host)
            .port(port.unwrap_or(usual))
            .tls(tls)
            .timeout(Some(means.timeout.max(Duration::from_secs(1))));
        match (&settings.user, &settings.password_file) {
            (Some(user), Some(file)) => {
                let bytes = secrets::read(&context.resolve(file))?;
                let password = std::str::from_utf8(&bytes).unwrap_or_default().trim_end_matches(['\r', '\n']);
                builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
            }
            (None, None) => {}
            _ => return Err(wrong("user and password_file go together", "user = \"jit\"; password_file = \"FILE\"")),
        }
        Ok(Self { transport: builder.build(), from, server: server.clone() })
    }

    fn message(&self, parcel: &Parcel) -> Result<Message, Refused> {
        let lasting = |what: &str, cause: String| {
            Refused::lasting(what, cause, "check the member's email in the policy, and from in the configuration")
        };
        let address = parcel.address.as_deref().unwrap_or_default();
        let to: Address =
            address.parse().map_err(|_| lasting("there is no address", format!("{address:?} is none")))?;
        let names: Vec<&str> = parcel.notice.to.iter().map(|name| name.as_str()).collect();
        let subject = clipped(&format!("[{}] {}", parcel.ledger, parcel.notice.title), SUBJECT);
        // The library folds and encodes headers; a line end could not get here, for titles have none.
        let subject: String = subject.chars().filter(|c| !c.is_control()).collect();
        let text = format!("{}\nFor {} · {}\n{}\n", parcel.notice.text(), names.join(", "), parcel.ledger, parcel.id);
        let id = format!("<{}@{}>", parcel.id.hex(), self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| lasting("the message cannot be made", error.to_string()))
    }
}

impl Way for Email {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Refused> {
        let message = self.message(parcel)?;
        let what = format!("{} did not take it", self.server);
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() || error.is_tls() => {
                Err(Refused::lasting(what, whole(&error), "check server, security, user and the addresses"))
            }
            Err(error) => Err(Refused::passing(what, whole(&error))),
        }
    }
}

/// An error and what is behind it, in one line.
fn whole(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut at = std::error::Error::source(error);
    while let Some(cause) = at {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        at = cause.source();
    }
    text
}

fn parameters(host: &str, means: &Means) -> Result<TlsParameters, CliError> {
    let failed = |cause: lettre::transport::smtp::Error| {
        CliError::failed("TLS cannot be set up").because(cause.to_string()).hint("check server and ca_file")
    };
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
    for authority in tls::authorities(means)? {
        builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec()).map_err(failed)?);
    }
    builder.build().map_err(failed)
}
