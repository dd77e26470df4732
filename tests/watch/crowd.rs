//! Makes a ledger busy: hundreds of open cases, each event signed and written as `jit` would, by one `git fast-import`.

use std::io::Write as _;
use std::path::Path;

use jit::domain::certificate::CertificateSpec;
use jit::domain::codec;
use jit::domain::event::{Body, Event, Issuance, Recording, Request, Risk, RiskLevel, Seen, SessionStart};
use jit::domain::id::{CaseId, Digest, Nonce};
use jit::domain::state::commit::message;
use jit::domain::time::{Timestamp, Ttl};
use jit::git::GitStore;
use jit::issue::ssh_cert;
use jit::ledger::Replay;
use jit::merkle::{self, Tree};
use jit::ports::{Signer, Store as _};
use jit::sign::{self, KeySpec, Keygen};
use jit::sshsig::{SshSig, signed_data};

use super::common::Place;

/// A ledger under construction.
pub struct Crowd<'p> {
    place: &'p Place,
    ledger: Digest,
    policy: Digest,
    log: Tree,
    time: Timestamp,
    serial: u64,
    stream: Vec<u8>,
    first: Option<String>,
}

impl<'p> Crowd<'p> {
    /// On top of a ledger; all of it happens in this second.
    pub fn new(place: &'p Place, repository: &Path) -> Self {
        let store = GitStore::open(repository).unwrap();
        let head = store.head().unwrap().unwrap();
        let replay = Replay::of(&store, head).unwrap();
        let now = i64::try_from(super::common::now()).unwrap();
        Self {
            place,
            ledger: replay.state().ledger().unwrap(),
            policy: replay.state().policy().unwrap().digest,
            log: replay.log().clone(),
            time: Timestamp::from_unix(now).unwrap(),
            serial: 1,
            stream: Vec::new(),
            first: Some(head.to_string()),
        }
    }

    fn signer(&self, name: &str) -> Box<dyn Signer> {
        let keygen = Keygen::new(std::collections::BTreeMap::new(), false);
        let spec = KeySpec { path: self.place.key(name), agent: None, keygen };
        sign::open(&spec, &mut |_| panic!("{name} has a passphrase")).unwrap()
    }

    /// A request of alice's.
    pub fn asks(&mut self, number: u64) -> CaseId {
        let digest = Digest::of(format!("case {number}").as_bytes());
        let nonce = Nonce::from_random(digest.as_bytes()[..16].try_into().unwrap());
        let request = Request {
            targets: vec!["payments-db/read-only".parse().unwrap()],
            duration: "30m".parse().unwrap(),
            not_before: None,
            business_need: format!("Payments are stuck; the queue table has to be read (case {number})."),
            least_privilege: None,
            ticket: Some(format!("INC-{}", 1000 + number)),
            incident: None,
            extends: None,
            emergency: false,
            source_address: Vec::new(),
            credential_key: self.signer("alice").public_key().clone(),
            risk: Risk {
                level: RiskLevel::Low,
                impact: "Reads customer rows.".into(),
                rollback: "Nothing is changed.".into(),
                data: vec!["npi".into()],
            },
        };
        self.put("alice", None, Some(nonce), self.time, Body::Request(Box::new(request)))
    }

    /// A live case of alice's, with a session in it if wanted.
    pub fn lives(&mut self, number: u64, session: bool) {
        let asked = self.time;
        let case = self.asks(number);
        self.put("bob", Some(case), None, asked, Body::Approval { comment: None });
        self.put("dave", Some(case), None, asked, Body::Approval { comment: None });
        let (after, before) = (self.time.minus(seconds(60)), self.time.plus(seconds(1800)));
        let authority = self.signer("ca-prod");
        let spec = CertificateSpec {
            key: self.signer("alice").public_key().clone(),
            serial: self.serial,
            key_id: format!("jit:{}:alice", case.short()),
            principals: vec!["prod/payments-db/read-only".to_owned()],
            valid_after: after.unix_u64(),
            valid_before: before.unix_u64(),
            source_address: Some("127.0.0.0/8".into()),
            verify_required: false,
            extensions: ["permit-pty".to_owned()].into(),
            ca: authority.public_key().clone(),
        };
        let certificate = ssh_cert::issue(&spec, &*authority, [7; 32]).unwrap();
        let environment = "prod".parse().unwrap();
        let issuance =
            Issuance { environment, serial: self.serial, valid_after: after, valid_before: before, certificate };
        self.put("minter", Some(case), None, asked, Body::Issuance(issuance));
        if session {
            let digest = Digest::of(format!("session {number}").as_bytes());
            let start = SessionStart {
                session: Nonce::from_random(digest.as_bytes()[..16].try_into().unwrap()),
                serial: self.serial,
                login: super::common::login(),
                source: "127.0.0.1".into(),
                command: None,
                recording: Recording::Off,
            };
            self.put("db1", Some(case), None, asked, Body::SessionStart(start));
        }
        self.serial += 1;
    }

    fn put(
        &mut self,
        actor: &str,
        case: Option<CaseId>,
        nonce: Option<Nonce>,
        opened: Timestamp,
        body: Body,
    ) -> CaseId {
        let signer = self.signer(actor);
        let event = Event {
            ledger: Some(self.ledger),
            case,
            policy: Some(self.policy),
            actor: actor.parse().unwrap(),
            time: self.time,
            nonce,
            seen: Some(Seen { size: self.log.size(), root: self.log.root() }),
            body,
        };
        let bytes = codec::write(&event);
        let namespace = event.kind().namespace();
        let raw = signer.sign(&signed_data(&namespace, &bytes)).unwrap();
        let signature = SshSig::new(signer.public_key().clone(), &namespace, raw).to_armored();
        let digest = Digest::of(&bytes);
        let case = case.unwrap_or(CaseId(digest));
        let path = format!("ledger/{}/{}/{}-{}.toml", opened.hour_path(), case.short(), event.kind(), digest.short());
        let text = message(&event, &digest);
        let out = &mut self.stream;
        writeln!(out, "commit refs/heads/main").unwrap();
        for role in ["author", "committer"] {
            writeln!(out, "{role} {actor} <{actor}@acme.example> {} +0000", self.time.unix()).unwrap();
        }
        write!(out, "data {}\n{text}", text.len()).unwrap();
        if let Some(first) = self.first.take() {
            writeln!(out, "from {first}").unwrap();
        }
        write!(out, "M 100644 inline {path}\ndata {}\n", bytes.len()).unwrap();
        out.write_all(&bytes).unwrap();
        write!(out, "\nM 100644 inline {path}.sig\ndata {}\n{signature}\n", signature.len()).unwrap();
        self.log.append(merkle::event_leaf(&digest, &Digest::of(signature.as_bytes())));
        case
    }

    /// Writes all of it into the repository.
    pub fn comes(self, repository: &Path) {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(repository).args(["fast-import", "--quiet", "--force"]);
        self.place.run_with(command, &self.place.path("home"), &[], &self.stream).ok();
    }
}

fn seconds(count: u64) -> Ttl {
    Ttl::from_seconds(count).unwrap()
}
