//! `--to`: where events go. Read strictly: a misspelt address must not become a file of that name.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::super::error::CliError;
use super::format::Format;
use super::receiver::file::FileReceiver;
use super::receiver::http::HttpReceiver;
use super::receiver::syslog::{Encrypted, Plain, StreamReceiver, UdpReceiver};
use super::receiver::{Means, Receiver, StdoutReceiver};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// The end of a file.
    File(PathBuf),
    /// RFC 5426.
    SyslogUdp(Address),
    /// RFC 6587, octet counting.
    SyslogTcp(Address),
    /// RFC 5425.
    SyslogTls(Address),
    /// POST to a URL.
    Http {
        /// The URL.
        url: String,
        /// Whether it is https.
        secure: bool,
        /// Whether it is this machine.
        local: bool,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::SyslogUdp(address) => write!(f, "syslog+udp://{address}"),
            Self::SyslogTcp(address) => write!(f, "syslog+tcp://{address}"),
            Self::SyslogTls(address) => write!(f, "syslog+tls://{address}"),
            Self::Http { url, .. } => f.write_str(url),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdout);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text {
                "" => Err("it is empty".to_owned()),
                path => Ok(Self::File(path.into())),
            };
        };
        match scheme {
            "syslog+udp" => address(rest, Some(514)).map(Self::SyslogUdp),
            // RFC 6587 names no port.
            "syslog+tcp" => address(rest, None).map(Self::SyslogTcp),
            "syslog+tls" => address(rest, Some(6514)).map(Self::SyslogTls),
            "http" | "https" => http(text, scheme == "https"),
            _ => Err(format!(
                "{scheme}:// is not known: a file, -, syslog+udp://, syslog+tcp://, syslog+tls://, https:// or http://"
            )),
        }
    }
}

/// `HOST[:PORT]`, an IPv6 address in brackets.
fn address(text: &str, default: Option<u16>) -> Result<Address, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("the bracket is not closed")?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| format!("[{host}] is no IPv6 address"))?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or("expected [HOST]:PORT")?) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || (!text.starts_with('[') && !host.chars().all(named)) {
        return Err("expected HOST:PORT, and nothing behind it".to_owned());
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or(format!("{port:?} is no port"))?,
        None => default.ok_or("the port is missing: HOST:PORT")?,
    };
    Ok(Address { host: host.to_owned(), port })
}

fn http(text: &str, secure: bool) -> Result<Destination, String> {
    let uri: ureq::http::Uri = text.parse().map_err(|cause| format!("{cause}"))?;
    let authority = uri.authority().ok_or("there is no host in it")?;
    if authority.as_str().contains('@') {
        return Err("a password does not belong on the command line: --token-file FILE".to_owned());
    }
    if text.contains('#') {
        return Err("a fragment (#…) is not sent".to_owned());
    }
    let host = authority.host();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if bare.is_empty() {
        return Err("there is no host in it".to_owned());
    }
    let local = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    Ok(Destination::Http { url: text.to_owned(), secure, local })
}

impl Destination {
    /// Whether lines are syslog messages there.
    pub const fn is_syslog(&self) -> bool {
        matches!(self, Self::SyslogUdp(_) | Self::SyslogTcp(_) | Self::SyslogTls(_))
    }

    /// Whether it is encrypted on the way.
    pub const fn is_encrypted(&self) -> bool {
        matches!(self, Self::SyslogTls(_) | Self::Http { secure: true, .. })
    }

    /// The same, with a file's path made absolute.
    #[must_use]
    pub fn resolved(&self, resolve: impl Fn(&Path) -> PathBuf) -> Self {
        match self {
            Self::File(path) => Self::File(resolve(path)),
            other => other.clone(),
        }
    }

    /// The receiver there. Nothing is sent yet.
    ///
    /// # Errors
    /// Where certificates or the token cannot be read.
    pub fn open(&self, means: &Means, format: Format) -> Result<Box<dyn Receiver>, CliError> {
        Ok(match self {
            Self::Stdout => Box::new(StdoutReceiver),
            Self::File(path) => Box::new(FileReceiver::new(path.clone())),
            Self::SyslogUdp(address) => Box::new(UdpReceiver::new(address.clone())),
            Self::SyslogTcp(address) => Box::new(StreamReceiver::new(address.clone(), means.timeout, Plain)),
            Self::SyslogTls(address) => {
                Box::new(StreamReceiver::new(address.clone(), means.timeout, Encrypted::new(means, &address.host)?))
            }
            Self::Http { url, .. } => Box::new(HttpReceiver::new(url.clone(), format, means)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        let read = |text: &str| text.parse::<Destination>();
        let at = |host: &str, port| Address { host: host.to_owned(), port };
        assert_eq!(read("-"), Ok(Destination::Stdout));
        assert_eq!(read("/var/log/jit.jsonl"), Ok(Destination::File("/var/log/jit.jsonl".into())));
        assert_eq!(read("syslog+udp://log.acme.example"), Ok(Destination::SyslogUdp(at("log.acme.example", 514))));
        assert_eq!(read("syslog+tls://[::1]"), Ok(Destination::SyslogTls(at("::1", 6514))));
        assert_eq!(read("syslog+tcp://10.0.0.1:601/"), Ok(Destination::SyslogTcp(at("10.0.0.1", 601))));
        for bad in [
            "",
            "syslog://x",
            "sylog+tls://x",
            "ftp://x",
            "syslog+tcp://x",
            "syslog+tcp://x:0",
            "syslog+tcp://x:65536",
            "syslog+tcp://:514",
            "syslog+tcp://x:1/path",
            "syslog+udp://a b",
            "syslog+udp://::1",
            "syslog+udp://[::1",
            "syslog+udp://[::1]x",
            "syslog+udp://user@x",
            "https://",
            "https:///path",
            "https://user:secret@x/",
            "https://x/#part",
            "https://a b/",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
