//! The fold: commits in, state and faults out (rules.md). No clock but the time it is given.
//!
//! [`State::judge`] asks one arrival every rule, in the order of rules.md, and gives the first fault or a [`Judged`];
//! [`State::apply`] takes what was judged. Only here are a [`Judged`] and a [`grant::Grant`] made.

pub mod access;
mod apply;
pub mod arrival;
pub mod aside;
mod authority;
pub mod case;
pub mod commit;
pub mod findings;
pub mod grant;
mod issuance;
mod kept;
mod proposal;
mod rest;
pub mod snapshot;
pub mod trial;
pub mod under;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use super::event::{Event, Kind, LockScope};
use super::finding::{Code, Fault, Void};
use super::id::{CaseId, CommitId, Digest, Name};
use super::key::PublicKey;
use super::policy::Policy;
use super::time::Timestamp;
use access::Access;
use arrival::{Arrival, Signature};
use aside::Base;
use case::{Case, CaseState, Matter};
use kept::Kept;
use rest::Rest;

/// What the ledger says, after some number of commits.
#[derive(Debug, Clone, Default)]
pub struct State {
    size: u64,
    ledger: Option<Digest>,
    name: String,
    policy: Option<Arc<Policy>>,
    manifest: BTreeMap<String, Digest>,
    /// From which size of the log on which policy is in force; rising.
    policies: Vec<(u64, Digest)>,
    /// What of its first commits lies aside. What follows came since.
    base: Option<Arc<Base>>,
    /// The newest event time behind each commit since.
    newest: Vec<Timestamp>,
    /// The cases that were opened since, in that order. Shared with the states from which this one was copied, until one
    /// changes.
    opened: Vec<Kept>,
    /// Their numbers: cases are counted from 0 in the order in which they were opened.
    numbers: HashMap<CaseId, u64>,
    /// Those of the cases aside of which something was said since, by number.
    changed: BTreeMap<u64, Kept>,
    /// The policies that were proposed since.
    brought: Vec<Arc<Policy>>,
    /// The access cases that were asked for as emergencies, oldest first.
    emergencies: Vec<u64>,
    /// The access cases that wait for a credential: a change of policy counts their quorum again.
    waiting: BTreeSet<u64>,
    /// The standing locks, oldest first.
    standing: Vec<CaseId>,
    voids: Vec<Void>,
    serials: HashMap<PublicKey, u64>,
    /// Whose every key is or ever was, by its point: a key belongs to one actor for ever, as a hardware key or as none.
    key_owners: HashMap<[u8; 32], Name>,
    /// Which cases are at rest, once somebody asked.
    rest: OnceLock<Rest>,
}

/// An event that broke no rule at its position. Only [`State::judge`] makes one.
#[derive(Debug, Clone)]
pub struct Judged {
    event: Event,
    digest: Digest,
    commit: CommitId,
    key: PublicKey,
    proposed: Option<Arc<Policy>>,
}

impl Judged {
    /// The event.
    pub const fn event(&self) -> &Event {
        &self.event
    }
}

/// What of an event is needed to judge it, whether it has landed or is only meant.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The event.
    pub event: &'a Event,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Who signed, and how.
    pub signature: &'a Signature,
    /// The log's root at `seen.size`; `None` where the log was never that large.
    pub root_at_seen: Option<Digest>,
    /// The contents of a proposal's changed files.
    pub files: &'a BTreeMap<String, Vec<u8>>,
    /// The time of arrival, where the event only arrives now: nothing from the future is taken then.
    pub arrival: Option<Timestamp>,
}

impl State {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many commits the fold has seen: the next one's position.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The ledger's id, once there is a genesis.
    pub const fn ledger(&self) -> Option<Digest> {
        self.ledger
    }

    /// The ledger's name, such as `acme/production`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy in force.
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// The governed files as they shall be.
    pub const fn manifest(&self) -> &BTreeMap<String, Digest> {
        &self.manifest
    }

    /// All cases, in the order in which they were opened. They stay in memory: [`State::each_case`] does without, and
    /// [`State::awake`] gives those that are not done with.
    pub fn cases(&self) -> impl DoubleEndedIterator<Item = &Case> {
        (0..self.case_count()).filter_map(|number| self.at(number))
    }

    /// How many cases there are.
    pub fn case_count(&self) -> u64 {
        let before = self.base.as_ref().map_or(0, |base| base.cases);
        before.saturating_add(u64::try_from(self.opened.len()).unwrap_or(u64::MAX))
    }

    /// A case.
    pub fn case(&self, id: &CaseId) -> Option<&Case> {
        self.at(self.number(id)?)
    }

    /// Cases whose ids lie in `ids`, in the order in which they were opened; at least two where there are as many.
    pub fn cases_among(&self, ids: RangeInclusive<CaseId>) -> Vec<&Case> {
        let old = self.base.as_ref().map(|base| base.aside().numbers(ids.clone(), 2));
        let new = self.numbers.iter().filter(|(id, _)| ids.contains(id)).map(|(_, number)| *number);
        let mut numbers: Vec<u64> = old.into_iter().flatten().chain(new).collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.at(number)).collect()
    }

    /// A case as it is kept since; `None` where it lies aside.
    fn kept(&self, number: u64) -> Option<&Kept> {
        let before = self.base.as_ref().map_or(0, |base| base.cases);
        match number.checked_sub(before) {
            Some(since) => usize::try_from(since).ok().and_then(|since| self.opened.get(since)),
            None => self.changed.get(&number),
        }
    }

    fn at(&self, number: u64) -> Option<&Case> {
        match self.kept(number) {
            Some(kept) => Some(kept.case()),
            None => self.base.as_ref().filter(|base| number < base.cases).map(|base| base.case(number)),
        }
    }

    /// Shows a case, and keeps no more of it than before.
    fn look<T>(&self, number: u64, look: impl FnOnce(&Case) -> T) -> Option<T> {
        match self.kept(number) {
            Some(kept) => Some(kept.look(look)),
            None => self.base.as_ref().filter(|base| number < base.cases).map(|base| base.look(number, look)),
        }
    }

    /// A case as it is kept, to be changed: what lay aside is taken at hand.
    fn kept_mut(&mut self, number: u64) -> Option<&mut Kept> {
        let before = self.base.as_ref().map_or(0, |base| base.cases);
        if let Some(since) = number.checked_sub(before) {
            return usize::try_from(since).ok().and_then(|since| self.opened.get_mut(since));
        }
        let base = self.base.as_ref()?;
        Some(self.changed.entry(number).or_insert_with(|| Kept::from(base.look(number, Case::clone))))
    }

    fn case_mut(&mut self, id: &CaseId) -> Option<&mut Case> {
        let number = self.number(id)?;
        self.kept_mut(number).map(Kept::case_mut)
    }

    /// Shows every case, in the order in which they were opened. Unlike [`State::cases`] it leaves in memory only what was
    /// there before: for whoever looks at all of a long history.
    pub fn each_case(&self, mut look: impl FnMut(&Case)) {
        for number in 0..self.case_count() {
            self.look(number, &mut look);
        }
    }

    /// Whether the ledger holds an event, whose bytes have this digest. They name its case: it can be nowhere else.
    pub fn holds(&self, event: &Event, digest: &Digest) -> bool {
        let case = event.case.unwrap_or(CaseId(*digest));
        self.case(&case).is_some_and(|case| case.events().iter().any(|known| known.digest == *digest))
    }

    /// Commits that broke a rule.
    pub fn voids(&self) -> &[Void] {
        &self.voids
    }

    /// Whether a void commit waits for the root quorum.
    pub fn has_open_voids(&self) -> bool {
        self.voids.iter().any(|void| !void.acknowledged)
    }

    /// The newest time that an event in the log claims.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest.last().copied().or_else(|| self.base.as_ref().map(|base| base.newest))
    }

    /// The newest time that the first `size` commits claim; `None` where there are not as many, or none.
    pub fn newest_at(&self, size: u64) -> Option<Timestamp> {
        let before = self.base.as_ref().map_or(0, |base| base.size);
        match size.checked_sub(before).and_then(|since| since.checked_sub(1)) {
            Some(since) => self.newest.get(usize::try_from(since).ok()?).copied(),
            None if size == before => self.base.as_ref().map(|base| base.newest),
            None => self.base.as_ref().filter(|_| size > 0).map(|base| base.aside().newest(size)),
        }
    }

    /// The next serial of a CA.
    pub fn next_serial(&self, ca: &PublicKey) -> u64 {
        self.serials.get(ca).map_or(1, |last| last.saturating_add(1))
    }

    /// Whose key it is, or once was under any policy in force.
    pub fn key_owner(&self, key: &PublicKey) -> Option<&Name> {
        self.key_owners.get(key.point())
    }

    /// The state of a case at `now`.
    pub fn case_state(&self, case: &Case, now: Timestamp) -> CaseState {
        match case.matter() {
            Matter::Genesis => CaseState::Founded,
            Matter::Access(access) => self.access_state(access, now),
            Matter::Lock(lock) if lock.lifted.is_some() => CaseState::Lifted,
            Matter::Lock(_) => CaseState::Locked,
            Matter::Proposal(proposal) => self.proposal_state(case, proposal),
        }
    }

    /// The standing locks.
    pub fn locks(&self) -> impl Iterator<Item = (&Case, &LockScope)> {
        self.standing.iter().filter_map(|id| self.case(id)).filter_map(|case| match case.matter() {
            Matter::Lock(lock) if lock.lifted.is_none() => Some((case, &lock.scope)),
            _ => None,
        })
    }

    /// The standing lock that covers an access case, if there is one.
    pub fn lock_on(&self, access: &Access) -> Option<(&Case, &LockScope)> {
        self.locks().find(|(_, scope)| self.covers(scope, access))
    }

    /// Whether a lock of `scope` stops an access.
    pub fn covers(&self, scope: &LockScope, access: &Access) -> bool {
        let Some(policy) = self.policy.as_ref() else { return false };
        let mut targets = access.request.targets.iter();
        match scope {
            LockScope::Ledger => true,
            LockScope::Member(name) => *name == access.actor,
            LockScope::Target(name) => targets.any(|role| role.target == *name),
            LockScope::Environment(name) => targets.any(|role| policy.environment_of(role) == Some(name)),
        }
    }

    /// Asks an arrival every rule, in the order of rules.md.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn judge(&self, arrival: Arrival) -> Result<Judged, Fault> {
        self.judge_commit(&arrival)?;
        let event = arrival.event?;
        let digest = arrival.digest;
        let signature = arrival.signature?;
        let claim = Claim {
            event: &event,
            digest,
            signature: &signature,
            root_at_seen: arrival.root_at_seen,
            files: &arrival.files,
            arrival: arrival.now,
        };
        let proposed = self.judge_event(&claim)?;
        Ok(Judged { event, digest, commit: arrival.commit, key: signature.key, proposed })
    }

    /// Asks an event the rules K03 to A13: the same for one that landed and for one that is only meant.
    /// Gives the policy of a policy proposal or genesis, parsed.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn judge_event(&self, claim: &Claim<'_>) -> Result<Option<Arc<Policy>>, Fault> {
        let event = claim.event;
        if event.kind() == Kind::Genesis {
            return self.judge_genesis(claim).map(Some);
        }
        let (Some(policy), Some(ledger)) = (self.policy.as_ref(), self.ledger) else {
            return Err(Fault::new(Code::L01, "there is no ledger before its genesis"));
        };
        self.judge_key(policy, claim)?;
        self.judge_log(policy, ledger, claim)?;
        self.judge_authority(policy, claim)
    }

    /// K03 to K05: whose key signed, for which kind, and with how much presence.
    fn judge_key(&self, policy: &Policy, claim: &Claim<'_>) -> Result<(), Fault> {
        let (event, signature) = (claim.event, claim.signature);
        // K03: the namespace is the kind's: a signature for one kind is worth nothing for another.
        if signature.namespace != event.kind().namespace() {
            return Err(Fault::new(
                Code::K03,
                format!("signed as {:?}, but this is a {}", signature.namespace, event.kind()),
            ));
        }
        // K04: the key is the actor's in the policy in force at this position.
        let Some(actor) = policy.actor(&event.actor) else {
            return Err(Fault::new(Code::K04, format!("{} is not in the policy in force", event.actor)));
        };
        if !actor.keys.contains(&signature.key) {
            let owner = match policy.actor_of_key(&signature.key) {
                Some(owner) => format!("it is {owner}'s"),
                None => "nobody's in the policy in force".to_owned(),
            };
            return Err(Fault::new(
                Code::K04,
                format!("key {} is not a key of {}: {owner}", signature.key.fingerprint(), event.actor),
            ));
        }
        // K05: a hardware key shows touch always, and what the roles demand.
        signature.presence(self.demanded_presence(policy, event.case, &event.body))
    }

    /// L01 to L06: which ledger, which policy, which log, when.
    fn judge_log(&self, policy: &Policy, ledger: Digest, claim: &Claim<'_>) -> Result<(), Fault> {
        let event = claim.event;
        let (Some(seen), Some(seen_policy)) = (event.seen, event.policy) else {
            return Err(Fault::new(Code::E02, "seen and policy are missing"));
        };
        // L01: another ledger's id, or another policy's digest than the one in force at `seen`.
        if event.ledger != Some(ledger) {
            return Err(Fault::new(Code::L01, "the event belongs to another ledger"));
        }
        if seen.size <= self.size && self.policy_at(seen.size) != Some(seen_policy) {
            return Err(Fault::new(Code::L01, format!("policy {seen_policy} was not in force at size {}", seen.size)));
        }
        // L02: `seen.size` is more than the commit's position.
        if seen.size > self.size {
            return Err(Fault::new(
                Code::L02,
                format!("the author saw {} leaves, but there were only {}", seen.size, self.size),
            ));
        }
        // L03: `seen.root` is not the root at `seen.size`: a fork or a rollback.
        if claim.root_at_seen != Some(seen.root) {
            return Err(Fault::new(
                Code::L03,
                format!("the author saw another history: the root at size {} is not {}", seen.size, seen.root),
            ));
        }
        // L04: earlier than the newest event it has seen, beyond the clock skew.
        let newest = self.newest_at(seen.size);
        if newest.is_some_and(|newest| event.time.plus(policy.clock_skew) < newest) {
            let newest = newest.map_or_else(String::new, |time| time.to_string());
            return Err(Fault::new(
                Code::L04,
                format!(
                    "{} is earlier than {newest}, which its author had seen, by more than {}",
                    event.time, policy.clock_skew
                ),
            ));
        }
        if claim.arrival.is_some_and(|now| event.time > now.plus(policy.clock_skew)) {
            return Err(Fault::new(
                Code::L04,
                format!("{} is in the future by more than {}", event.time, policy.clock_skew),
            ));
        }
        // L05: the same event again.
        if self.holds(event, &claim.digest) {
            return Err(Fault::new(Code::L05, "the ledger holds this event already"));
        }
        // L06: its case is unknown, or lies after what it has seen.
        let Some(case) = event.case else { return Ok(()) };
        match self.case(&case) {
            None => Err(Fault::new(Code::L06, format!("case {} is unknown", case.short()))),
            Some(known) if known.position() >= seen.size => {
                Err(Fault::new(Code::L06, format!("case {} was opened after what the author had seen", case.short())))
            }
            Some(_) => Ok(()),
        }
    }

    /// The policy in force when the log had `size` leaves.
    fn policy_at(&self, size: u64) -> Option<Digest> {
        let after = self.policies.partition_point(|(from, _)| *from <= size);
        after.checked_sub(1).and_then(|at| self.policies.get(at)).map(|(_, digest)| *digest)
    }
}
