//! A ledger that is nothing but its fold.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use jit::domain::codec;
use jit::domain::event::{
    Answer, Body, Event, FileDigest, Genesis, Issuance, Proposal, Recording, Request, Review, ReviewItem, Risk,
    RiskLevel, Seen, SessionEnd, SessionStart, Subject, Verdict,
};
use jit::domain::finding::{Code, Fault};
use jit::domain::id::{CaseId, CommitId, Digest, Name, Nonce, ObjectId};
use jit::domain::key::{PublicKey, RawSignature, put_string};
use jit::domain::policy::Policy;
use jit::domain::state::State;
use jit::domain::state::access::Access;
use jit::domain::state::arrival::{Arrival, Layout, Metadata, Signature};
use jit::domain::state::case::{Case, CaseState};
use jit::domain::state::commit::message;
use jit::domain::time::{Timestamp, Ttl};

use super::aside::{followed, judged_alike, kept_up};

pub fn ttl(text: &str) -> Ttl {
    text.parse().unwrap()
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn point(name: &str) -> [u8; 32] {
    SigningKey::from_bytes(Digest::of(name.as_bytes()).as_bytes()).verifying_key().to_bytes()
}

/// The software key of somebody.
pub fn key(name: &str) -> PublicKey {
    PublicKey::ed25519(point(name)).unwrap()
}

/// The hardware key of somebody.
pub fn hardware(name: &str) -> PublicKey {
    let mut blob = Vec::new();
    put_string(&mut blob, b"sk-ssh-ed25519@openssh.com");
    put_string(&mut blob, &point(&format!("{name} in hardware")));
    put_string(&mut blob, b"ssh:");
    PublicKey::from_blob(&blob).unwrap()
}

/// The policy of the golden ledgers, with keys of these tables in it.
pub fn policy() -> String {
    let mut text = include_str!("../golden/policy.toml").to_owned();
    for name in ["alice", "bob", "carol", "dave", "erin", "rita", "raj", "frank", "minter", "stager", "db1", "web1"] {
        text = text.replace(&format!("{{{name}}}"), &key(name).to_string());
        text = text.replace(&format!("{{{name}'s hardware key}}"), &hardware(name).to_string());
    }
    for name in ["log", "the CA of prod", "the CA of staging"] {
        text = text.replace(&format!("{{{name}}}"), &key(name).to_string());
    }
    text
}

/// A ledger that grows.
#[derive(Clone)]
pub struct Ledger {
    pub state: State,
    pub now: Timestamp,
    /// The governed files in force.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What proposals put in force.
    proposed: BTreeMap<CaseId, BTreeMap<String, Vec<u8>>>,
    nonces: u8,
    commits: u8,
    /// The same, its past laid aside a few commits ago.
    older: Option<State>,
}

/// The digests of files.
pub fn digests(files: &BTreeMap<String, Vec<u8>>) -> Vec<FileDigest> {
    files.iter().map(|(path, bytes)| FileDigest { path: path.clone(), sha256: Digest::of(bytes) }).collect()
}

/// The log's root at a size, as everybody in these tables has it.
pub fn root(size: u64) -> Digest {
    Digest::of(&size.to_be_bytes())
}

impl Ledger {
    pub fn new() -> Self {
        Self::with(&policy())
    }

    /// A ledger whose genesis has this policy.
    pub fn with(policy: &str) -> Self {
        let files = BTreeMap::from([("policy.toml".to_owned(), policy.as_bytes().to_vec())]);
        let now = "2026-11-23T14:00:00Z".parse().unwrap();
        let mut ledger =
            Self { state: State::new(), now, files, proposed: BTreeMap::new(), nonces: 0, commits: 0, older: None };
        let body = Body::Genesis(Genesis { name: "acme/production".into(), files: digests(&ledger.files) });
        ledger.say("rita", None, body).unwrap();
        ledger
    }

    /// What `actor` would say now, having seen everything.
    pub fn event(&mut self, actor: &str, case: Option<CaseId>, body: Body) -> Event {
        self.nonces += 1;
        Event {
            ledger: self.state.ledger(),
            case,
            policy: self.state.policy().map(|policy| policy.digest),
            actor: name(actor),
            time: self.now,
            nonce: body.kind().opens_case().then(|| Nonce::from_random([self.nonces; 16])),
            seen: self.state.ledger().map(|_| Seen { size: self.state.size(), root: root(self.state.size()) }),
            body,
        }
    }

    /// An event as it arrives, signed with the first key of its actor, in a commit as it should be.
    pub fn arrival(&mut self, event: Event, files: BTreeMap<String, Vec<u8>>) -> Arrival {
        self.commits += 1;
        let digest = Digest::of(&codec::write(&event));
        let opened = event.case.and_then(|case| self.state.case(&case)).map(Case::folder);
        let folder =
            opened.unwrap_or_else(|| format!("ledger/{}/{}", event.time.utc().format("%Y/%m/%d/%H"), digest.short()));
        let governs = matches!(event.body, Body::Genesis(_) | Body::Enactment);
        let signature = Signature {
            key: key(event.actor.as_str()),
            namespace: event.kind().namespace(),
            touched: false,
            pin: false,
            foreign_application: None,
            ca_signature: true,
        };
        Arrival {
            commit: ObjectId::from_bytes([self.commits; 20]),
            parents: Ok(()),
            untouched: Ok(()),
            governed_change: governs.then(|| "policy.toml".to_owned()),
            governed: governs
                .then(|| files.iter().map(|(path, bytes)| (path.clone(), Some(Digest::of(bytes)))).collect()),
            layout: Ok(Layout {
                event_path: format!("{folder}/{}-{}.toml", event.kind(), digest.short()),
                file_paths: Vec::new(),
                sizes: Ok(()),
            }),
            metadata: Ok(Metadata {
                name: event.actor.to_string(),
                email: format!("{}@acme.example", event.actor),
                time: event.time.unix(),
                zone: "+0000".into(),
                message: message(&event, &digest),
            }),
            tree: Ok(()),
            root_at_seen: event.seen.map(|seen| root(seen.size)),
            event: Ok(event),
            digest,
            signature: Ok(signature),
            files,
            now: None,
        }
    }

    /// Takes an arrival, or gives the rule that it breaks; then nothing has changed.
    pub fn take(&mut self, arrival: Arrival) -> Result<CaseId, Code> {
        let digest = arrival.digest;
        judged_alike(&self.state, &arrival, self.now);
        followed(&mut self.older, &arrival);
        let judged = self.state.judge(arrival).map_err(|fault| fault.code)?;
        let case = judged.event().case.unwrap_or(CaseId(digest));
        self.state.apply(judged);
        kept_up(&mut self.older, &self.state, self.now);
        Ok(case)
    }

    pub fn say(&mut self, actor: &str, case: Option<CaseId>, body: Body) -> Result<CaseId, Code> {
        let event = self.event(actor, case, body);
        let files = match &event.body {
            Body::Genesis(_) => self.files.clone(),
            Body::Enactment => case.and_then(|case| self.proposed.get(&case)).unwrap_or(&self.files).clone(),
            _ => BTreeMap::new(),
        };
        let arrival = self.arrival(event, files.clone());
        let enacts = arrival.event.as_ref().is_ok_and(|event| event.body == Body::Enactment);
        let case = self.take(arrival)?;
        if enacts {
            self.files = files;
        }
        Ok(case)
    }

    /// The rule that this would break; `None` where it may be said. It is not.
    pub fn refused(&self, actor: &str, case: CaseId, body: Body) -> Option<Code> {
        self.clone().say(actor, Some(case), body).err()
    }

    pub fn wait(&mut self, span: &str) {
        self.now = self.now.plus(ttl(span));
    }

    /// A void commit.
    pub fn void(&mut self) -> CommitId {
        self.commits += 1;
        let commit = ObjectId::from_bytes([self.commits; 20]);
        self.state.apply_void(commit, Fault::new(Code::C03, "nothing in it"));
        if let Some(older) = &mut self.older {
            older.apply_void(commit, Fault::new(Code::C03, "nothing in it"));
        }
        commit
    }

    /// What alice asks for as it should be.
    pub fn asks(&self) -> Request {
        Request {
            targets: vec!["payments-db/read-only".parse().unwrap()],
            duration: ttl("30m"),
            not_before: None,
            business_need: "Payments stuck.".into(),
            least_privilege: Some("Nothing smaller does.".into()),
            ticket: Some("INC-4711".into()),
            incident: None,
            extends: None,
            emergency: false,
            source_address: Vec::new(),
            credential_key: key("alice"),
            risk: Risk { level: RiskLevel::Low, impact: "None.".into(), rollback: "None.".into(), data: Vec::new() },
        }
    }

    pub fn request(&mut self, actor: &str, edit: impl FnOnce(&mut Request)) -> Result<CaseId, Code> {
        let mut request = self.asks();
        edit(&mut request);
        self.say(actor, None, Body::Request(Box::new(request)))
    }

    /// An emergency by alice.
    pub fn emergency(&mut self) -> Result<CaseId, Code> {
        self.request("alice", |request| {
            request.emergency = true;
            request.incident = Some("INC-4711".into());
            request.duration = ttl("15m");
        })
    }

    /// A request by alice that bob and dave approved.
    pub fn approved(&mut self) -> CaseId {
        let case = self.request("alice", |_| ()).unwrap();
        self.say("bob", Some(case), approval()).unwrap();
        self.say("dave", Some(case), approval()).unwrap();
        case
    }

    /// The issuance that the grant of a case asks for, in prod. Whether a grant says the right thing the golden ledgers
    /// tell.
    pub fn mint(&mut self, case: CaseId) -> Result<CaseId, Code> {
        let body = self.issuance(case)?;
        self.say("minter", Some(case), body)
    }

    pub fn issuance(&self, case: CaseId) -> Result<Body, Code> {
        let grant = self.state.grant(self.case(case), &name("prod"), &name("minter"), self.now);
        let grant = grant.map_err(|fault| fault.code)?;
        let unsigned = grant.certificate().to_be_signed([7; 32]).unwrap();
        let signature = RawSignature { bytes: [0; 64], hardware: None };
        Ok(Body::Issuance(Issuance {
            environment: name("prod"),
            serial: grant.certificate().serial,
            valid_after: grant.valid_after(),
            valid_before: grant.valid_before(),
            certificate: unsigned.finish(&signature).unwrap(),
        }))
    }

    /// A case with a credential.
    pub fn live(&mut self) -> CaseId {
        let case = self.approved();
        self.mint(case).unwrap();
        case
    }

    pub fn case(&self, case: CaseId) -> &Case {
        self.state.case(&case).unwrap()
    }

    pub fn access(&self, case: CaseId) -> &Access {
        self.case(case).access().unwrap()
    }

    /// The state of a case now.
    pub fn stands(&self, case: CaseId) -> CaseState {
        self.state.case_state(self.case(case), self.now)
    }

    /// The states of a case at two seconds that follow one another, the first of them `span` from now.
    pub fn around(&self, case: CaseId, span: &str) -> (CaseState, CaseState) {
        let at = self.now.plus(ttl(span));
        let state = |time| self.state.case_state(self.case(case), time);
        (state(at), state(at.plus(ttl("1s"))))
    }

    /// A proposal by rita of a policy that is edited so, with the next version.
    pub fn propose(&mut self, edit: impl FnOnce(String) -> String) -> Result<CaseId, Code> {
        let (event, files) = self.proposal(edit);
        let arrival = self.arrival(event, files.clone());
        let case = self.take(arrival)?;
        self.proposed.insert(case, files);
        Ok(case)
    }

    pub fn proposal(&mut self, edit: impl FnOnce(String) -> String) -> (Event, BTreeMap<String, Vec<u8>>) {
        let version = self.state.policy().unwrap().version;
        let text = String::from_utf8(self.files["policy.toml"].clone()).unwrap();
        let text = edit(text.replacen(&format!("version = {version}\n"), &format!("version = {}\n", version + 1), 1));
        let files = BTreeMap::from([("policy.toml".to_owned(), text.into_bytes())]);
        let subject = Subject::Policy { version: version + 1, files: digests(&files) };
        let event = self.event("rita", None, Body::Proposal(Proposal { reason: "Things change.".into(), subject }));
        (event, files)
    }

    /// A policy in force.
    pub fn change(&mut self, edit: impl FnOnce(String) -> String) {
        let case = self.propose(edit).unwrap();
        self.say("raj", Some(case), approval()).unwrap();
        self.say("raj", Some(case), Body::Enactment).unwrap();
    }

    pub fn policy(&self) -> &Policy {
        self.state.policy().unwrap()
    }
}

pub fn approval() -> Body {
    Body::Approval { comment: None }
}

pub fn denial() -> Body {
    Body::Denial { comment: "Not now.".into() }
}

pub fn revocation() -> Body {
    Body::Revocation { reason: "Enough.".into(), incident: None }
}

pub fn closure() -> Body {
    Body::Closure { summary: "Done.".into(), changes: Vec::new() }
}

pub fn withdrawal() -> Body {
    Body::Withdrawal { comment: None }
}

/// A review of a read-only access.
pub fn review() -> Body {
    Body::Review(answers(&["no lingering changes", "no open data streams"]))
}

pub fn answers(checks: &[&str]) -> Review {
    let item = |check: &&str| ReviewItem { check: (*check).to_owned(), answer: Answer::Yes, note: None };
    Review { verdict: Verdict::Clean, follow_up: None, items: checks.iter().map(item).collect() }
}

pub fn start(session: u8, serial: u64) -> SessionStart {
    SessionStart {
        session: Nonce::from_random([session; 16]),
        serial,
        login: "readonly".into(),
        source: "127.0.0.1".into(),
        command: None,
        recording: Recording::On,
    }
}

pub fn end(session: u8) -> SessionEnd {
    SessionEnd {
        session: Nonce::from_random([session; 16]),
        cause: jit::domain::event::EndCause::Exit,
        exit_code: Some(0),
        recording: Some(Digest::of(b"seen")),
        bytes: 9,
    }
}
