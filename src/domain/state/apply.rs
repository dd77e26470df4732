//! Taking what was judged into the state. Nothing is checked here: [`Judged`] is the proof that it was.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::access::{Access, Approved, Found, Issued, Reviewed, Session};
use super::case::{Case, EventRef, Locked, Matter, Proposed};
use super::kept::Kept;
use super::under::Under;
use super::{Judged, State};
use crate::domain::event::{Body, Event, Subject};
use crate::domain::finding::{Fault, Void};
use crate::domain::id::{CaseId, CommitId};
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;

impl State {
    /// Takes a void commit: it changes nothing but the size of the log and the list of voids.
    pub fn apply_void(&mut self, commit: CommitId, fault: Fault) {
        self.voids.push(Void { commit, position: self.size, fault, acknowledged: false });
        self.advance(None);
    }

    /// Takes an event that was judged at this position.
    pub fn apply(&mut self, judged: Judged) {
        let Judged { event, digest, commit, key, proposed } = judged;
        let case = event.case.unwrap_or(CaseId(digest));
        let reference = EventRef {
            kind: event.kind(),
            digest,
            actor: event.actor.clone(),
            time: event.time,
            position: self.size,
            commit,
            words: event.body.words(),
        };
        if event.kind().opens_case() {
            self.open(&event, case, reference, proposed);
        } else {
            if let Some(case) = self.case_mut(&case) {
                case.events.push(reference);
            }
            self.turn(event.clone(), case, key);
        }
        self.advance(Some(event.time));
    }

    fn advance(&mut self, time: Option<Timestamp>) {
        let newest = self.newest().max(time);
        if let Some(newest) = newest {
            self.newest.push(newest);
        }
        self.size = self.size.saturating_add(1);
        self.rest = OnceLock::new();
    }

    fn open(&mut self, event: &Event, id: CaseId, reference: EventRef, proposed: Option<Arc<Policy>>) {
        self.brought.extend(proposed.clone());
        let number = self.case_count();
        let matter = match &event.body {
            Body::Genesis(genesis) => {
                self.ledger = Some(id.0);
                self.name.clone_from(&genesis.name);
                let files = genesis.files.iter().map(|file| (file.path.clone(), file.sha256)).collect();
                if let Some(policy) = proposed {
                    self.put_in_force(policy, files, event.time);
                }
                Matter::Genesis
            }
            Body::Request(request) => {
                Matter::Access(Box::new(Access::draft(event.actor.clone(), event.time, (**request).clone())))
            }
            Body::Lock(lock) => {
                let lock = lock.clone();
                Matter::Lock(Locked { scope: lock.scope, reason: lock.reason, incident: lock.incident, lifted: None })
            }
            Body::Proposal(proposal) => Matter::Proposal(Box::new(Proposed {
                reason: proposal.reason.clone(),
                subject: proposal.subject.clone(),
                approvals: BTreeMap::new(),
                denied: None,
                enacted: None,
                policy: proposed.map(Under::from),
            })),
            _ => return,
        };
        let case = Case {
            id,
            position: self.size,
            opened: event.time,
            actor: event.actor.clone(),
            events: vec![reference],
            matter,
        };
        if matches!(case.matter, Matter::Lock(_)) {
            self.standing.push(id);
        }
        if case.access().is_some_and(|access| access.request.emergency) {
            self.emergencies.push(number);
        }
        if case.access().is_some_and(Access::waits) {
            self.waiting.insert(number);
        }
        self.numbers.insert(id, number);
        self.opened.push(Kept::from(case));
    }

    /// A later turn of a case.
    fn turn(&mut self, event: Event, id: CaseId, key: crate::domain::key::PublicKey) {
        let policy = self.policy.clone();
        if matches!(event.body, Body::Enactment) {
            return self.enact(id, event.time);
        }
        if let Body::Issuance(issuance) = &event.body
            && let Some(ca) = policy.as_ref().and_then(|policy| policy.environments.get(&issuance.environment))
        {
            self.serials.insert(ca.ca.clone(), issuance.serial);
        }
        let Some(number) = self.number(&id) else { return };
        let Some(kept) = self.kept_mut(number) else { return };
        let case = kept.case_mut();
        match &mut case.matter {
            Matter::Proposal(proposed) => match event.body {
                Body::Approval { .. } => {
                    proposed.approvals.insert(event.actor, event.time);
                }
                Body::Denial { .. } => proposed.denied = Some(event.actor),
                _ => {}
            },
            Matter::Access(access) => {
                turn_access(access, event, policy, key);
                let (waits, is_laid_aside) = (access.waits(), access.is_laid_aside());
                if is_laid_aside {
                    kept.lay_aside();
                }
                if !waits {
                    self.waiting.remove(&number);
                }
            }
            Matter::Genesis | Matter::Lock(_) => {}
        }
    }

    fn enact(&mut self, id: CaseId, time: Timestamp) {
        let Some(case) = self.case_mut(&id) else { return };
        let Matter::Proposal(proposed) = &mut case.matter else { return };
        proposed.enacted = Some(time);
        let (subject, policy) = (proposed.subject.clone(), proposed.policy.clone());
        match subject {
            Subject::Policy { files, .. } => {
                let files = files.into_iter().map(|file| (file.path, file.sha256)).collect();
                if let Some(policy) = policy {
                    self.put_in_force(Arc::clone(policy.policy()), files, time);
                }
            }
            Subject::Acknowledge { commits } => {
                for void in self.voids.iter_mut().filter(|void| commits.contains(&void.commit)) {
                    void.acknowledged = true;
                }
            }
            Subject::Unlock { lock } => {
                if let Some(Matter::Lock(locked)) = self.case_mut(&lock).map(|case| &mut case.matter) {
                    locked.lifted = Some(time);
                }
                self.standing.retain(|standing| *standing != lock);
            }
        }
    }

    /// A policy comes into force behind the present commit. Quorums are counted again: an approval by somebody who has
    /// left the group no longer counts.
    fn put_in_force(
        &mut self,
        policy: Arc<Policy>,
        files: BTreeMap<String, crate::domain::id::Digest>,
        time: Timestamp,
    ) {
        self.policies.push((self.size.saturating_add(1), policy.digest));
        for (name, actor) in &policy.actors {
            for key in &actor.keys {
                self.key_owners.entry(*key.point()).or_insert_with(|| name.clone());
            }
        }
        self.manifest = files;
        for number in self.waiting.clone() {
            let counted = self.look(number, |case| {
                let access = case.access()?;
                let stands = access.has_quorum(&policy);
                let in_time = time <= access.decide_by(&policy);
                let decided = match access.decided {
                    Some(decided) if stands => Some(decided),
                    None if stands && in_time && !access.approvals.is_empty() => Some(time),
                    _ => None,
                };
                (decided != access.decided).then_some(decided)
            });
            // Of many that lapsed long ago few change.
            if let Some(decided) = counted.flatten()
                && let Some(Matter::Access(access)) = self.kept_mut(number).map(|kept| &mut kept.case_mut().matter)
            {
                access.decided = decided;
            }
        }
        self.policy = Some(policy);
    }
}

fn turn_access(access: &mut Access, event: Event, policy: Option<Arc<Policy>>, key: crate::domain::key::PublicKey) {
    let (actor, time) = (event.actor, event.time);
    match event.body {
        Body::Approval { .. } => {
            access.approvals.push(Approved { actor, time, key });
            if access.decided.is_none() && policy.is_some_and(|policy| access.has_quorum(&policy)) {
                access.decided = Some(time);
            }
        }
        Body::Denial { .. } => access.denied = Some((actor, time)),
        Body::Withdrawal { .. } => access.withdrawn = Some(time),
        Body::Issuance(issuance) => {
            access.issued_under = policy.map(Under::from);
            access.issued.push(Issued {
                environment: issuance.environment,
                serial: issuance.serial,
                time,
                valid_after: issuance.valid_after,
                valid_before: issuance.valid_before,
                certificate: issuance.certificate,
            });
        }
        Body::SessionStart(start) => access.sessions.push(Session {
            session: start.session,
            host: actor,
            serial: start.serial,
            login: start.login,
            source: start.source,
            started: time,
            recording: start.recording,
            ended: None,
            recorded: None,
        }),
        Body::SessionEnd(end) => {
            if let Some(session) = access.sessions.iter_mut().find(|session| session.session == end.session) {
                session.ended = Some((time, end.cause));
                session.recorded = end.recording;
            }
        }
        Body::Revocation { .. } => {
            access.revoked.get_or_insert((actor, time));
        }
        Body::Closure { .. } => access.closed = Some(time),
        Body::Residue(residue) => {
            access.residues.push(Found { host: actor, time, clean: residue.clean, items: residue.items });
        }
        Body::Review(review) => access.reviews.push(Reviewed { actor, time, review }),
        Body::Genesis(_) | Body::Request(_) | Body::Lock(_) | Body::Proposal(_) | Body::Enactment => {}
    }
}
