//! `[notify]` of the configuration as it is written (docs/notify.md, "The configuration"): nothing here is opened or read yet.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How many notices at once become one message, where the configuration does not say.
pub const DIGEST_ABOVE: usize = 10;
/// How many messages a minute a sink is given at most, where the configuration does not say.
pub const AT_MOST: u32 = 30;

/// The table `[notify]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// More notices at once than this, for the same people, become one message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_above: Option<usize>,
    /// The ways out.
    #[serde(default, rename = "sink", skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<SinkSettings>,
}

/// The ways by which people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SinkKind {
    /// A JSON object by HTTP, signed.
    Webhook,
    /// An incoming webhook of Slack, or of what takes the same.
    Slack,
    /// A workflow webhook of Teams.
    Teams,
    /// SMTP.
    Email,
    /// A program.
    Command,
    /// The terminal in which this runs.
    Terminal,
}

/// One `[[notify.sink]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkSettings {
    pub name: String,
    pub kind: SinkKind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

impl SinkSettings {
    /// The terminal, for one member.
    pub fn terminal(member: &str) -> Self {
        Self {
            name: "terminal".to_owned(),
            kind: SinkKind::Terminal,
            members: vec![member.to_owned()],
            roles: Vec::new(),
            notices: Vec::new(),
            at_most: None,
            timeout: None,
            url: None,
            url_file: None,
            secret_file: None,
            ca_file: None,
            server: None,
            security: None,
            from: None,
            user: None,
            password_file: None,
            command: Vec::new(),
        }
    }
}
