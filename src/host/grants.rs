//! `grants.json`: everything that admission and the reaper have to know of the ledger, for one host. `sync` makes it from
//! the fold and publishes it; it stays small however long the ledger is, because only what is live, or ended a short while
//! ago, is in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Config, HostError, files, text};
use crate::domain::certificate::Certificate;
use crate::domain::event::LockScope;
use crate::domain::id::{CaseId, CommitId, Digest, Name, Nonce};
use crate::domain::key::PublicKey;
use crate::domain::policy::{self, Builtin, Class, Clear, Offline, Policy, Record};
use crate::domain::state::State;
use crate::domain::state::access::{Access, EndedBy, Issued};
use crate::domain::state::case::Case;
use crate::domain::time::{Timestamp, Ttl};

/// How long after its end a grant is still listed, so that a refusal can say why. In seconds. Not for long: what is
/// published is read at each login.
const REMEMBERED: u64 = 600;

/// What a host knows of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The host.
    #[serde(with = "text")]
    pub host: Name,
    /// The ledger's id.
    #[serde(with = "text")]
    pub ledger: Digest,
    /// The verified head.
    #[serde(with = "text")]
    pub head: CommitId,
    /// How many commits that is.
    pub size: u64,
    /// Their Merkle root.
    #[serde(with = "text")]
    pub root: Digest,
    /// When the remote last answered.
    #[serde(with = "text")]
    pub checked: Timestamp,
    /// How long after that nobody is admitted any more.
    #[serde(with = "text")]
    pub staleness: Ttl,
    /// How far clocks may differ.
    #[serde(with = "text")]
    pub clock_skew: Ttl,
    /// Every login that a role of the targets served here names: what sshd and PAM must be set up for.
    pub logins: Vec<String>,
    /// The grants.
    pub grants: Vec<Grant>,
    /// What is looked for after a session.
    pub probes: Vec<Probe>,
    /// The sessions of this host that have no end in the ledger yet.
    pub open: Vec<OpenSession>,
}

/// A session whose end the ledger has not been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSession {
    /// The case.
    #[serde(with = "text")]
    pub case: Digest,
    /// The session.
    #[serde(with = "text")]
    pub session: Nonce,
    /// When it began.
    #[serde(with = "text")]
    pub started: Timestamp,
}

/// One certificate, as far as it opens something here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The case.
    #[serde(with = "text")]
    pub case: Digest,
    /// Whose access it is.
    #[serde(with = "text")]
    pub requester: Name,
    /// The environment.
    #[serde(with = "text")]
    pub environment: Name,
    /// The serial.
    pub serial: u64,
    /// SHA-256 of the certificate's blob: exactly this certificate, and no other with its serial.
    #[serde(with = "text")]
    pub certificate: Digest,
    /// What it opens here.
    pub opens: Vec<Opening>,
    /// From where; anywhere when empty.
    pub source_address: Vec<ipnet::IpNet>,
    /// Whether the certificate lets sshd forward anything: then a connection is access, also where nothing is run.
    pub forwards: bool,
    /// From when.
    #[serde(with = "text")]
    pub valid_after: Timestamp,
    /// Until when.
    #[serde(with = "text")]
    pub valid_before: Timestamp,
    /// Why it is over before that, if it is.
    pub ended: Option<Ended>,
    /// The business need, for the person who logs in.
    pub reason: String,
    /// The ticket.
    pub ticket: Option<String>,
}

/// A principal, and the logins it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// `ENVIRONMENT/TARGET/ROLE`: the certificate's principal.
    pub principal: String,
    /// The target.
    #[serde(with = "text")]
    pub target: Name,
    /// `TARGET/ROLE`.
    pub role: String,
    /// The logins.
    pub logins: Vec<String>,
    /// Whether sessions must be recorded.
    pub record: bool,
    /// To whom recordings are sealed.
    #[serde(with = "text::list")]
    pub recorders: Vec<PublicKey>,
    /// Whether somebody may get in while the ledger cannot be told.
    pub spool: bool,
}

/// Why a grant is over before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How.
    pub how: How,
    /// In words.
    pub why: String,
}

/// How a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It was revoked.
    Revoked,
    /// Its requester closed it.
    Closed,
    /// A lock stands on it, or its requester is in the policy no more.
    Locked,
}

/// A probe of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The target after whose sessions it looks.
    #[serde(with = "text")]
    pub target: Name,
    /// Its name.
    pub name: String,
    /// What it does.
    pub what: ProbeWhat,
    /// How long it may take, in seconds.
    pub timeout: u64,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeWhat {
    /// Processes of the login.
    Processes,
    /// Network connections of the login.
    Connections,
    /// Cron and at jobs, timers and lingering of the login.
    Jobs,
    /// Files below these paths that changed during the session.
    Files(Vec<String>),
    /// A command.
    Command {
        /// Program and arguments.
        argv: Vec<String>,
        /// Whether anything on stdout is a finding; else only the exit code counts.
        must_be_empty: bool,
        /// As whom; the host's unprivileged user where absent.
        run_as: Option<String>,
    },
}

impl Grants {
    /// What `host` has to know. `None` where the policy knows no such host: then nobody gets in.
    pub fn of(
        state: &State,
        host: &Name,
        (head, root): (CommitId, Digest),
        checked: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let (policy, ledger) = (state.policy()?, state.ledger()?);
        let Class::Host { targets } = &policy.actor(host)?.class else { return None };
        let remembered = Ttl::from_seconds(REMEMBERED).map_or(now, |span| now.minus(span));
        let mut grants = Vec::new();
        let mut open = Vec::new();
        // What was at rest by then ended before, and nobody is in.
        for case in state.awake(remembered) {
            let Some(access) = case.access() else { continue };
            open.extend(access.sessions.iter().filter(|session| session.host == *host && session.ended.is_none()).map(
                |session| OpenSession { case: case.id().0, session: session.session.clone(), started: session.started },
            ));
            // While somebody is in, the reaper has to find why it is over.
            let is_in = access.sessions.iter().any(|session| session.host == *host && session.ended.is_none());
            let listed = |issued: &&Issued| {
                let over = access.ended(now).map_or(issued.valid_before, |(over, _)| over.min(issued.valid_before));
                is_in || over > remembered
            };
            for issued in access.issued.iter().filter(listed) {
                grants.extend(grant(state, policy, targets, case, access, issued, now));
            }
        }
        let roles = targets.iter().filter_map(|target| policy.targets.get(target)).flat_map(|target| &target.roles);
        let mut logins: Vec<String> = roles.flat_map(|(_, role)| role.logins.iter().cloned()).collect();
        logins.sort();
        logins.dedup();
        Some(Self {
            host: host.clone(),
            ledger,
            head,
            size: state.size(),
            root,
            checked,
            staleness: policy.staleness,
            clock_skew: policy.clock_skew,
            logins,
            grants,
            open,
            probes: targets.iter().flat_map(|name| probes(policy, name)).collect(),
        })
    }

    /// Reads what was published; `None` where nothing is.
    ///
    /// # Errors
    /// Where it cannot be read: nobody is admitted then.
    pub fn read(config: &Config) -> Result<Option<Self>, HostError> {
        let path = config.grants();
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        let grants: Self = serde_json::from_slice(&bytes).map_err(|error| HostError::content(&path, error))?;
        if grants.ledger != config.ledger || grants.host != config.host {
            return Err(HostError::content(path, "it is of another ledger or host"));
        }
        Ok(Some(grants))
    }

    /// Publishes it.
    ///
    /// # Errors
    /// Where it cannot be written; the old one stands then, and goes stale.
    pub fn write(&self, config: &Config) -> Result<(), HostError> {
        let path = config.grants();
        let bytes = serde_json::to_vec(self).map_err(|error| HostError::content(&path, error))?;
        files::write(&path, &bytes, 0o644, false)
    }

    /// Whether the mirror is too old to admit anybody at `now`; also where it seems to come from the future by more than
    /// clocks may differ.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now > self.checked.plus(self.staleness) || now.plus(self.clock_skew) < self.checked
    }

    /// The grant of exactly this certificate.
    pub fn of_certificate(&self, certificate: &Digest) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.certificate == *certificate)
    }
}

/// The CAs that sshd trusts on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    /// Those of the policy in force, and those that signed what is still live here, each once.
    pub keys: BTreeSet<PublicKey>,
    /// When the first of the latter has to be looked at again; `None` where there is none.
    pub until: Option<Timestamp>,
}

impl Authorities {
    /// What `host` has to trust at `now`. A policy that names another CA takes nothing from the people who are let in
    /// already: the CA before it is trusted until the last certificate by it that opens something here has ended, was
    /// revoked, closed or locked, and not a second longer. With a certificate that the ledger does not hold nobody gets
    /// in meanwhile, whichever CA signed it: that is for admission to say.
    pub fn of(state: &State, host: &Name, now: Timestamp) -> Self {
        let Some(policy) = state.policy() else { return Self { keys: BTreeSet::new(), until: None } };
        let present = policy.environments.values().map(|environment| environment.ca.clone());
        let mut all = Self { keys: present.collect(), until: None };
        let Some(Class::Host { targets }) = policy.actor(host).map(|actor| &actor.class) else { return all };
        let mut before = BTreeSet::new();
        for case in state.awake(now) {
            let Some(access) = case.access() else { continue };
            for issued in access.issued.iter().filter(|issued| now < issued.valid_before) {
                let grant = grant(state, policy, targets, case, access, issued, now);
                if grant.is_none_or(|grant| grant.ended.is_some() || grant.opens.is_empty()) {
                    continue;
                }
                let Ok(certificate) = Certificate::parse_line(&issued.certificate) else { continue };
                if !all.keys.contains(certificate.ca()) {
                    before.insert(certificate.ca().clone());
                    all.until = Some(all.until.map_or(issued.valid_before, |until| until.min(issued.valid_before)));
                }
            }
        }
        all.keys.extend(before);
        all
    }
}

impl Grant {
    /// The case.
    pub const fn case(&self) -> CaseId {
        CaseId(self.case)
    }
}

fn grant(
    state: &State,
    policy: &Policy,
    served: &[Name],
    case: &Case,
    access: &Access,
    issued: &Issued,
    now: Timestamp,
) -> Option<Grant> {
    // The fold took it, so it parses; what does not is admitted nowhere.
    let certificate = Certificate::parse_line(&issued.certificate).ok()?;
    let environment = policy.environments.get(&issued.environment);
    let mut opens = Vec::new();
    for role in access.request.targets.iter().filter(|role| served.contains(&role.target)) {
        let principal = format!("{}/{role}", issued.environment);
        let (Some(rules), Some(target)) = (policy.role(role), policy.targets.get(&role.target)) else { continue };
        if target.environment != issued.environment || !certificate.principals().contains(&principal) {
            continue;
        }
        opens.push(Opening {
            principal,
            target: role.target.clone(),
            role: role.to_string(),
            logins: rules.logins.clone(),
            record: rules.record == Record::Required,
            recorders: environment.map(|environment| environment.recorders.clone()).unwrap_or_default(),
            spool: target.offline == Offline::Spool,
        });
    }
    let source_address = match certificate.critical_options().get("source-address") {
        Some(Some(list)) => list.split(',').map(str::parse).collect::<Result<_, _>>().ok()?,
        Some(None) => return None,
        None => Vec::new(),
    };
    let forwards = certificate.extensions().keys().any(|name| name.ends_with("-forwarding"));
    Some(Grant {
        case: case.id().0,
        requester: access.actor.clone(),
        environment: issued.environment.clone(),
        serial: issued.serial,
        certificate: Digest::of(certificate.blob()),
        opens,
        source_address,
        forwards,
        valid_after: issued.valid_after,
        valid_before: issued.valid_before,
        ended: ended(state, policy, access, now),
        reason: access.request.business_need.clone(),
        ticket: access.request.ticket.clone(),
    })
}

fn probes(policy: &Policy, target: &Name) -> Vec<Probe> {
    let listed = policy.targets.get(target).map(policy::Target::all_probes).unwrap_or_default();
    let probe = |probe: policy::Probe| Probe {
        target: target.clone(),
        name: probe.name,
        what: match probe.what {
            policy::ProbeWhat::Builtin(Builtin::Processes) => ProbeWhat::Processes,
            policy::ProbeWhat::Builtin(Builtin::Connections) => ProbeWhat::Connections,
            policy::ProbeWhat::Builtin(Builtin::Jobs) => ProbeWhat::Jobs,
            policy::ProbeWhat::Files(paths) => ProbeWhat::Files(paths),
            policy::ProbeWhat::Command { argv, clear, run_as } => {
                ProbeWhat::Command { argv, must_be_empty: clear == Clear::Empty, run_as }
            }
        },
        timeout: probe.timeout.seconds(),
    };
    listed.into_iter().map(probe).collect()
}

/// Why an access is over before its time. A revocation and a closure say so themselves, whatever time it is.
fn ended(state: &State, policy: &Policy, access: &Access, now: Timestamp) -> Option<Ended> {
    if let Some((who, when)) = &access.revoked {
        return Some(Ended { how: How::Revoked, why: format!("{who} revoked it {when}") });
    }
    if let Some(when) = access.closed
        && access.ended(now).is_none_or(|(_, by)| by == EndedBy::Closed)
    {
        return Some(Ended { how: How::Closed, why: format!("its requester closed it {when}") });
    }
    if let Some((lock, scope)) = state.lock_on(access) {
        let what = match scope {
            LockScope::Ledger => "the ledger is locked".to_owned(),
            other => format!("{other} is locked"),
        };
        return Some(Ended { how: How::Locked, why: format!("{what} (case {})", lock.id().short()) });
    }
    if !policy.is_member(&access.actor) {
        return Some(Ended { how: How::Locked, why: format!("{} is in the policy no more", access.actor) });
    }
    None
}
