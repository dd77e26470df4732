//! `/etc/jit/host.toml`: which host this is and where its things lie. `jit host setup` writes it; only root may.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{HostError, files, text};
use crate::domain::id::{Digest, Name};
use crate::domain::time::Ttl;

/// Where the file lies unless `--config` says otherwise.
pub const DEFAULT: &str = "/etc/jit/host.toml";

/// The configuration of a host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The host's name in the policy.
    #[serde(with = "text")]
    pub host: Name,
    /// The ledger's id: no other ledger is ever followed.
    #[serde(with = "text")]
    pub ledger: Digest,
    /// Where the ledger is fetched from and pushed to.
    pub remote: String,
    /// The unprivileged user that follows the ledger and holds the host's key.
    #[serde(default = "defaults::user")]
    pub user: String,
    /// The host's signing key, readable by that user alone.
    #[serde(default = "defaults::key")]
    pub key: PathBuf,
    /// The bare mirror of the ledger; that user's.
    #[serde(default = "defaults::mirror")]
    pub mirror: PathBuf,
    /// What `sync` publishes: `grants.json`, `krl`, `ca.pub`; that user's.
    #[serde(default = "defaults::published")]
    pub published: PathBuf,
    /// Sockets and sessions; root's.
    #[serde(default = "defaults::run")]
    pub run: PathBuf,
    /// The recordings; root's, readable by root alone.
    #[serde(default = "defaults::recordings")]
    pub recordings: PathBuf,
    /// A directory of cgroup v2 under which every session has one of its own.
    #[serde(default = "defaults::cgroup")]
    pub cgroup: PathBuf,
    /// What sshd's `internal-sftp` stands for: a session through the gate runs this program.
    #[serde(default = "defaults::sftp_server")]
    pub sftp_server: PathBuf,
    /// How often the remote is asked.
    #[serde(default = "defaults::interval", with = "text")]
    pub interval: Ttl,
    /// How long a login waits for its session-start to land.
    #[serde(default = "defaults::login_wait", with = "text")]
    pub login_wait: Ttl,
    /// Whether commands of the policy's probes are run; the built-in ones always are.
    #[serde(default = "defaults::yes")]
    pub probe_commands: bool,
}

mod defaults {
    use std::path::PathBuf;

    use crate::domain::time::Ttl;

    pub fn user() -> String {
        "jit".to_owned()
    }
    pub fn key() -> PathBuf {
        "/etc/jit/host_key".into()
    }
    pub fn mirror() -> PathBuf {
        "/var/lib/jit/ledger.git".into()
    }
    pub fn published() -> PathBuf {
        "/run/jit/published".into()
    }
    pub fn run() -> PathBuf {
        "/run/jit".into()
    }
    pub fn recordings() -> PathBuf {
        "/var/lib/jit/recordings".into()
    }
    pub fn cgroup() -> PathBuf {
        "/sys/fs/cgroup/jit".into()
    }
    pub fn sftp_server() -> PathBuf {
        "/usr/lib/openssh/sftp-server".into()
    }
    pub fn interval() -> Ttl {
        Ttl::from_seconds(1).expect("one second is a span")
    }
    pub fn login_wait() -> Ttl {
        Ttl::from_seconds(10).expect("ten seconds are a span")
    }
    pub const fn yes() -> bool {
        true
    }
}

impl Config {
    /// Reads the configuration. It must be root's, or the caller's own where the caller is not root, and nobody else may
    /// write it.
    ///
    /// # Errors
    /// Where it is missing, others could have written it, or it says something wrong.
    pub fn read(path: &Path) -> Result<Self, HostError> {
        let bytes =
            files::read(path)?.ok_or_else(|| HostError::content(path, "there is none: jit host setup writes it"))?;
        let meta = std::fs::symlink_metadata(path).map_err(|cause| HostError::file(path, cause))?;
        let me = rustix::process::geteuid().as_raw();
        if (meta.uid() != 0 && meta.uid() != me) || meta.mode() & 0o022 != 0 {
            return Err(HostError::Writable { path: path.to_owned(), owner: "root" });
        }
        let text = String::from_utf8(bytes).map_err(|_| HostError::content(path, "it is not UTF-8"))?;
        toml::from_str(&text).map_err(|error| HostError::content(path, error.message()))
    }

    /// The grants.
    pub fn grants(&self) -> PathBuf {
        self.published.join("grants.json")
    }

    /// The key revocation list.
    pub fn krl(&self) -> PathBuf {
        self.published.join("krl")
    }

    /// The CAs that sshd trusts.
    pub fn authorities(&self) -> PathBuf {
        self.published.join("ca.pub")
    }

    /// The refusals of `principals`, one JSON line each; the same user's.
    pub fn refusals(&self) -> PathBuf {
        self.published.join("refused.jsonl")
    }

    /// The socket of `sync`.
    pub fn socket(&self) -> PathBuf {
        self.published.join("host.sock")
    }

    /// Where the sessions' files lie.
    pub fn sessions(&self) -> PathBuf {
        self.run.join("sessions")
    }

    /// Where the gates meet their recorders.
    pub fn gates(&self) -> PathBuf {
        self.run.join("gate")
    }

    /// How long a login waits for its session-start.
    pub const fn login_wait(&self) -> Duration {
        Duration::from_secs(self.login_wait.seconds())
    }

    /// How often the remote is asked.
    pub const fn interval(&self) -> Duration {
        Duration::from_secs(self.interval.seconds())
    }
}
