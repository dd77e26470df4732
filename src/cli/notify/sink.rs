//! A sink: who hears by it, what, how often, and the way out behind it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::super::Context;
use super::super::error::CliError;
use super::super::export::receiver::{Means, Refused};
use super::settings::{AT_MOST, SinkKind, SinkSettings};
use super::way;
use crate::domain::id::{Digest, Name};
use crate::domain::time::{Timestamp, Ttl};
use crate::monitor::notify::{Kind, Notice, Role};

/// How long a sink may take for one message, where the configuration does not say.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is given to a way out.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The notice.
    pub notice: Notice,
    /// Its id.
    pub id: Digest,
    /// The object of docs/notify.md.
    pub object: Value,
    /// The ledger's name.
    pub ledger: String,
    /// The address of the one whom it is for, as the policy has it; of personal sinks.
    pub address: Option<String>,
    /// The present second.
    pub now: Timestamp,
}

/// A way out.
pub trait Way: Send {
    /// Gives it one message, and waits until the other side has it.
    ///
    /// # Errors
    /// Where it has not, or that cannot be known.
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Refused>;
}

/// Who hears what by a sink. What is left empty does not choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// These members only.
    pub members: BTreeSet<Name>,
    /// What people hear as one of these only.
    pub roles: BTreeSet<Role>,
    /// These kinds only.
    pub kinds: BTreeSet<Kind>,
}

impl Filter {
    /// The notice for those of its people who hear it here.
    pub fn of(&self, notice: &Notice) -> Option<Notice> {
        let wanted = (self.roles.is_empty() || self.roles.contains(&notice.role))
            && (self.kinds.is_empty() || self.kinds.contains(&notice.kind));
        let people = notice.to.iter().filter(|name| self.members.is_empty() || self.members.contains(*name));
        if wanted { notice.only(people.cloned().collect()) } else { None }
    }
}

/// A sink.
pub struct Sink {
    /// Its name.
    pub name: String,
    /// By which way.
    pub kind: SinkKind,
    /// Who hears what.
    pub filter: Filter,
    /// How many messages a minute.
    pub at_most: u32,
    /// The way out; taken by the one who delivers.
    pub way: Option<Box<dyn Way>>,
}

impl Sink {
    /// Whether each person gets a message of their own.
    pub const fn is_personal(&self) -> bool {
        matches!(self.kind, SinkKind::Email)
    }

    /// From the configuration; secrets are read now, so that a missing one is told at the start.
    ///
    /// # Errors
    /// Where a setting is missing, not one of this kind's, or cannot be used.
    pub fn of(context: &Context, settings: &SinkSettings) -> Result<Self, CliError> {
        let place = format!("[[notify.sink]] {:?}", settings.name);
        let build = || -> Result<Self, CliError> {
            check(settings)?;
            let filter = Filter {
                members: words(&settings.members, "members", "a member's name")?,
                roles: words(&settings.roles, "roles", "approvers, requesters, reviewers or security")?,
                kinds: words(&settings.notices, "notices", "a kind of notice (docs/notify.md)")?,
            };
            let timeout = match &settings.timeout {
                None => TIMEOUT,
                Some(text) => Duration::from_secs(
                    Ttl::from_human(text)
                        .map_err(|error| wrong(format!("timeout: {error}"), "timeout = \"10s\""))?
                        .seconds(),
                ),
            };
            let means = Means {
                timeout,
                token: None,
                authorities: settings.ca_file.as_deref().map(|path| context.resolve(path)),
                client: None,
            };
            let at_most = settings.at_most.unwrap_or(AT_MOST);
            if at_most == 0 {
                return Err(wrong("at_most is 0: nothing would ever be sent", "leave it out, or take the sink out"));
            }
            let way = way::open(context, settings, &means)?;
            Ok(Self { name: settings.name.clone(), kind: settings.kind, filter, at_most, way: Some(way) })
        };
        build().map_err(|error| error.context(format!("{place} cannot be used")))
    }
}

/// A setting that cannot be used.
pub fn wrong(what: impl Into<String>, hint: &str) -> CliError {
    CliError::failed(what).hint(hint.to_owned())
}

fn words<T: std::str::FromStr + Ord>(texts: &[String], key: &str, what: &str) -> Result<BTreeSet<T>, CliError> {
    let read =
        |text: &String| text.parse().map_err(|_| wrong(format!("{key}: {text:?} is not {what}"), "docs/notify.md"));
    texts.iter().map(read).collect()
}

/// Each setting belongs to a kind: one that would have no effect is told.
fn check(settings: &SinkSettings) -> Result<(), CliError> {
    let name = &settings.name;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(wrong("its name is not letters, digits, -, _ and . (64 at most)", "name = \"sre-channel\""));
    }
    let given = [
        ("url", settings.url.is_some()),
        ("url_file", settings.url_file.is_some()),
        ("secret_file", settings.secret_file.is_some()),
        ("ca_file", settings.ca_file.is_some()),
        ("server", settings.server.is_some()),
        ("security", settings.security.is_some()),
        ("from", settings.from.is_some()),
        ("user", settings.user.is_some()),
        ("password_file", settings.password_file.is_some()),
        ("command", !settings.command.is_empty()),
    ];
    let may: &[&str] = match settings.kind {
        SinkKind::Webhook => &["url", "url_file", "secret_file", "ca_file"],
        SinkKind::Slack | SinkKind::Teams => &["url", "url_file", "ca_file"],
        SinkKind::Email => &["server", "security", "from", "user", "password_file", "ca_file"],
        SinkKind::Command => &["command"],
        SinkKind::Terminal => &[],
    };
    match given.iter().find(|(key, is)| *is && !may.contains(key)) {
        Some((key, _)) => Err(wrong(format!("{key} has no meaning for this kind of sink"), "take the line out")),
        None => Ok(()),
    }
}
