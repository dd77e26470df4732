//! `policy.toml`: who may do what (format.md, section 6). Owns the parsed policy, its soundness (rule A10), the count of
//! distinct people (A03, A04) and the `allowed_signers` file derived from it (section 3). PURE; imports only
//! `domain::{id, key, text, time}` and `event`'s `words!`.
//!
//! The policy is written by people, comments and all, and hashed as bytes, so there is no canonical form; but unknown
//! keys are refused, and every error says where and what was expected. A `Policy` is sound: nobody downstream asks again
//! whether a group exists or a quorum can be reached.
//!
//! Beyond format.md's example a role may say `least_privilege = true`: then a request must say why a smaller role does
//! not do (A02). What may be left out, and what that means:
//!
//! | key | absent |
//! |---|---|
//! | `append` | `"direct"`: whoever writes pushes to the branch |
//! | `log.witness`, `log.quorum`, `log.freshest` | no witnesses; none are needed; cosignatures of any age will do |
//! | `log`, `environment.E.recorder` | no checkpoints are signed; nothing to seal recordings to |
//! | `environment`, `target`, `member`, `service`, `host` | none of them yet |
//! | `target.T.description`, `target.T.data` | empty |
//! | `target.T.offline` | `"deny"`: the safe one |
//! | `target.T.probe` | the host's own probes alone |
//! | `probe.clear`, `probe.run_as`, `probe.timeout` | `"empty"`; the host's `jit` user; 30 seconds |
//! | `role.ticket` | no ticket is demanded |
//! | `role.least_privilege` | `false` |
//! | `role.mfa` | `"none"` |
//! | `role.source_address`, `role.extensions` | no restriction; no extension |
//! | `role.record` | `"required"`: the safe one |
//! | `role.review`, `role.emergency` | no review afterwards; no emergency access |
//! | `revoke.groups`, `lock.groups` may be `[]` | nobody but those whom the rules name anyway |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use super::event::words;
use super::id::{Digest, Name, RoleRef};
use super::key::PublicKey;
use super::time::Ttl;

pub mod diff;
pub mod edit;
mod errors;
mod log;
mod pattern;
mod probe;
mod quorum;
mod reach;
mod read;
mod signers;
mod sound;
mod tree;

pub use errors::{PolicyErrors, PolicyProblem};
pub use log::{Log, Witness};
pub use pattern::Pattern;
pub use probe::{Builtin, Clear, Offline, Probe, ProbeWhat};
pub use quorum::{Missing, Quorum, quorum};

/// The policy in force: parsed and sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// The text of the file: what [`Policy::parse`] makes this policy of again.
    pub source: Arc<str>,
    /// Counts 1, 2, 3 …; a proposal is the present one + 1.
    pub version: u64,
    /// The ledger's name, such as `acme/production`.
    pub name: String,
    /// How far clocks may differ (L04); at most 10 minutes.
    pub clock_skew: Ttl,
    /// A pending request lapses after this.
    pub decide_within: Ttl,
    /// An approved case without a credential lapses after this.
    pub activate_within: Ttl,
    /// A clone older than this neither mints nor admits.
    pub staleness: Ttl,
    /// How events get onto the branch. No rule of the ledger: an event is judged alike whichever way it came.
    pub append: Append,
    /// Who may change governed files.
    pub root: Root,
    /// Members, services and hosts by name. No name is used twice.
    pub actors: BTreeMap<Name, Actor>,
    /// The log: who signs checkpoints, and who witnesses them.
    pub log: Option<Log>,
    /// The environments by name.
    pub environments: BTreeMap<Name, Environment>,
    /// The targets by name.
    pub targets: BTreeMap<Name, Target>,
    /// Groups whose members may revoke any case.
    pub revoke: Vec<Name>,
    /// Groups whose members may lock.
    pub lock: Vec<Name>,
}

/// Who may change governed files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// How many of them must agree; 1 to the number of members.
    pub threshold: usize,
    /// Distinct members.
    pub members: Vec<Name>,
}

/// Somebody or something that signs events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The e-mail of the commit's author line.
    pub email: String,
    /// 1 to 16 keys, in the policy's order. One key belongs to one actor.
    pub keys: Vec<PublicKey>,
    /// What it is.
    pub class: Class,
}

/// What an actor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// A person.
    Member {
        /// The groups that the person is in.
        groups: Vec<Name>,
    },
    /// A minter.
    Service {
        /// The environments whose credentials it may make.
        mints: Vec<Name>,
    },
    /// A server.
    Host {
        /// The targets that it serves.
        targets: Vec<Name>,
    },
}

/// A realm with one CA: a credential of one environment opens nothing in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The CA's key, a software key.
    pub ca: PublicKey,
    /// The keys that recordings are encrypted to.
    pub recorders: Vec<PublicKey>,
}

/// A system that people ask to enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The environment it lies in.
    pub environment: Name,
    /// For people; may be empty.
    pub description: String,
    /// The classes of data in it.
    pub data: Vec<String>,
    /// What a host does with a login while the ledger's remote cannot be reached.
    pub offline: Offline,
    /// What a host looks at after a session, in the policy's order; at most 32. [`Target::all_probes`] has the host's own
    /// as well.
    pub probes: Vec<Probe>,
    /// The roles by name.
    pub roles: BTreeMap<Name, Role>,
}

/// A way into a target, and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Unix logins on the server; at least one.
    pub logins: Vec<String>,
    /// Groups whose members may ask; at least one.
    pub requesters: Vec<Name>,
    /// How many distinct people of which groups must agree; at least one.
    pub approve: Vec<GroupCount>,
    /// The longest duration; at most 24 hours.
    pub max_duration: Ttl,
    /// What a ticket looks like; present means that one is demanded.
    pub ticket: Option<Pattern>,
    /// Whether a request must say why a smaller role does not do.
    pub least_privilege: bool,
    /// What a request and its approvals must be signed with.
    pub mfa: Mfa,
    /// Where a login may come from; empty means anywhere.
    pub source_address: Vec<IpNet>,
    /// Extensions of the certificate, in the policy's order.
    pub extensions: Vec<String>,
    /// Whether sessions must be recorded.
    pub record: Record,
    /// The review afterwards.
    pub review: Option<ReviewRule>,
    /// Access before approval.
    pub emergency: Option<EmergencyRule>,
}

/// So many distinct people of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupCount {
    /// The group.
    pub group: Name,
    /// How many; 1 to 64.
    pub count: usize,
}

/// The review after an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRule {
    /// Whose members review.
    pub group: Name,
    /// How many; 1 to 64.
    pub count: usize,
    /// How long after the end it is overdue.
    pub within: Ttl,
    /// What each review answers; distinct, at least one.
    pub checks: Vec<String>,
}

impl ReviewRule {
    /// The rule as a quorum's slots.
    pub fn slots(&self) -> [GroupCount; 1] {
        [GroupCount { group: self.group.clone(), count: self.count }]
    }
}

/// Access before approval (break-glass).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRule {
    /// Whose members may.
    pub group: Name,
    /// The longest duration; at most 24 hours.
    pub max_duration: Ttl,
    /// The review that must follow.
    pub review: EmergencyReview,
}

/// The review after an emergency access. Its checks are the role's, where it has a `review`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyReview {
    /// Whose members review.
    pub group: Name,
    /// How many; 1 to 64.
    pub count: usize,
    /// How long after the end it is overdue.
    pub within: Ttl,
}

impl EmergencyReview {
    /// The rule as a quorum's slots.
    pub fn slots(&self) -> [GroupCount; 1] {
        [GroupCount { group: self.group.clone(), count: self.count }]
    }
}

words! {
    /// What a signature must prove, from least to most.
    Mfa {
        /// Any key of the actor.
        None = "none",
        /// A hardware key that was touched.
        Touch = "touch",
        /// A hardware key that was touched and given its PIN.
        TouchPin = "touch+pin",
    }
}

words! {
    /// How events get onto the branch of the ledger's remote.
    Append {
        /// Whoever writes pushes to the branch, and tries again when somebody else was faster.
        Direct = "direct",
        /// Whoever writes puts the event into the inbox (`refs/jit/inbox/`), and `jit fold` takes it onto the branch.
        Inbox = "inbox",
    }
}

words! {
    /// Whether sessions must be recorded.
    Record {
        /// They must.
        Required = "required",
        /// They need not.
        Off = "off",
    }
}

impl Policy {
    /// Parses `policy.toml` and checks that it is sound (A10). At most 1 MiB (C06).
    ///
    /// # Errors
    /// [`PolicyErrors`]: every problem that could be told, in the order of the file. Where the syntax is broken only
    /// that is told; where a field is, the relations between fields are not asked.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyErrors> {
        let source = read::source(bytes)?;
        let mut report = errors::Report::new(source);
        let policy = read::policy(source, Digest::of(bytes), &mut report);
        if let Some(policy) = &policy
            && report.is_clean()
        {
            sound::check(policy, &mut report);
        }
        match policy {
            Some(policy) if report.is_clean() => Ok(policy),
            _ => Err(report.into_errors()),
        }
    }

    /// The member, service or host of this name.
    pub fn actor(&self, name: &Name) -> Option<&Actor> {
        self.actors.get(name)
    }

    /// Whose key it is.
    pub fn actor_of_key(&self, key: &PublicKey) -> Option<&Name> {
        self.actors.iter().find(|(_, actor)| actor.keys.contains(key)).map(|(name, _)| name)
    }

    /// Whether `name` is a person.
    pub fn is_member(&self, name: &Name) -> bool {
        self.actor(name).is_some_and(|actor| matches!(actor.class, Class::Member { .. }))
    }

    /// Whether `member` is a person in `group`.
    pub fn in_group(&self, member: &Name, group: &Name) -> bool {
        self.actor(member).is_some_and(|actor| actor.groups().contains(group))
    }

    /// Whether `member` is a person in one of `groups`.
    pub fn in_any_group(&self, member: &Name, groups: &[Name]) -> bool {
        groups.iter().any(|group| self.in_group(member, group))
    }

    /// The people in `group`, sorted by name.
    pub fn members_of<'a>(&'a self, group: &'a Name) -> impl Iterator<Item = &'a Name> {
        self.actors.iter().filter(move |(_, actor)| actor.groups().contains(group)).map(|(name, _)| name)
    }

    /// The role.
    pub fn role(&self, role: &RoleRef) -> Option<&Role> {
        self.targets.get(&role.target)?.roles.get(&role.role)
    }

    /// The environment of the role's target; `None` where target or role is unknown.
    pub fn environment_of(&self, role: &RoleRef) -> Option<&Name> {
        self.role(role)?;
        self.targets.get(&role.target).map(|target| &target.environment)
    }

    /// Whether `name` may change governed files.
    pub fn is_root(&self, name: &Name) -> bool {
        self.root.members.contains(name)
    }

    /// Whether enough distinct root members are among `approvers`.
    pub fn root_quorum(&self, approvers: &BTreeSet<Name>) -> bool {
        approvers.iter().filter(|name| self.is_root(name)).count() >= self.root.threshold
    }

    /// All classes of data that the targets name.
    pub fn data_classes(&self) -> BTreeSet<&str> {
        self.targets.values().flat_map(|target| &target.data).map(String::as_str).collect()
    }

    /// The derived `allowed_signers` file (format.md, section 3).
    pub fn allowed_signers(&self) -> String {
        signers::allowed_signers(self)
    }
}

impl Target {
    /// Everything that a host looks at after a session: the policy's probes in its order, then those of the host's own
    /// that the policy does not list. No name comes twice.
    pub fn all_probes(&self) -> Vec<Probe> {
        probe::all(&self.probes)
    }
}

impl Actor {
    /// The groups of a person; none for services and hosts.
    pub fn groups(&self) -> &[Name] {
        match &self.class {
            Class::Member { groups } => groups,
            Class::Service { .. } | Class::Host { .. } => &[],
        }
    }
}
