//! `--format`: which form an event takes on its way to a destination. Imports monitor.

use std::fmt;

use super::destination::Destination;
use crate::monitor::syslog::{Origin, carrying, message};
use crate::monitor::{Record, cef, cloudevents, jsonl, ocsf};

/// The most bytes of a message over UDP: what every receiver should take (RFC 5426, section 3.2).
const DATAGRAM: usize = 2048;
/// The most bytes of a message elsewhere: what every receiver should take (RFC 5425, section 4.3.1).
const MESSAGE: usize = 8192;

/// The form of each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line, in jit's own words.
    Jsonl,
    /// Open Cybersecurity Schema Framework 1.8.0, one JSON object a line.
    Ocsf,
    /// ArcSight Common Event Format.
    Cef,
    /// RFC 5424 with structured data.
    Syslog,
    /// CloudEvents 1.0, one JSON object a line; over HTTP as a batch.
    Cloudevents,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jsonl => "jsonl",
            Self::Ocsf => "ocsf",
            Self::Cef => "cef",
            Self::Syslog => "syslog",
            Self::Cloudevents => "cloudevents",
        })
    }
}

impl Format {
    /// Whether an event can be as long as its author liked: the JSON formats shorten nothing.
    pub const fn is_unbounded(self) -> bool {
        matches!(self, Self::Jsonl | Self::Ocsf | Self::Cloudevents)
    }

    /// The content type of a batch over HTTP.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl | Self::Ocsf => "application/x-ndjson",
            Self::Cef | Self::Syslog => "text/plain; charset=utf-8",
            Self::Cloudevents => "application/cloudevents-batch+json; charset=utf-8",
        }
    }

    /// A batch over HTTP: lines, or for CloudEvents an array.
    pub fn body(self, lines: &[String]) -> String {
        match self {
            Self::Cloudevents => format!("[{}]", lines.join(",")),
            _ => lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect(),
        }
    }
}

/// How a record becomes a line for a destination.
#[derive(Debug, Clone)]
pub struct Shape {
    format: Format,
    /// Whether each line is a syslog message, whatever it carries.
    wrapped: bool,
    most: usize,
    origin: Origin,
}

impl Shape {
    /// The shape of `format` for `to`.
    pub fn new(format: Format, to: &Destination, enterprise: u32) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let most = if matches!(to, Destination::SyslogUdp { .. }) { DATAGRAM } else { MESSAGE };
        Self { format, wrapped: to.is_syslog(), most, origin: Origin::new(&host, enterprise) }
    }

    /// The line, without an end.
    pub fn line(&self, record: &Record) -> String {
        let line = match self.format {
            Format::Syslog => return message(record, &self.origin, self.most),
            Format::Jsonl => jsonl::line(record),
            Format::Ocsf => ocsf::line(record),
            Format::Cef => cef::line(record),
            Format::Cloudevents => cloudevents::line(record),
        };
        if self.wrapped { carrying(record, &self.origin, &line) } else { line }
    }
}
