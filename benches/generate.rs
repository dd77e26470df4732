//! Makes a ledger long: appends whole cases, each from request to review, with real signatures and real certificates, by
//! one run of `git fast-import`. Every event is what `jit` would have written; `jit verify` afterwards says so.
//!
//! `cargo bench --bench generate -- LEDGER KEYS POLICY EVENTS`: the directory of a new bare ledger, the directory of the
//! private keys (rita, raj, alice, bob, dave, erin, minter, db1, ca-prod), a policy that names them, and how many events the
//! ledger shall have at least. One event a second; the last one is an hour old.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use jit::domain::certificate::CertificateSpec;
use jit::domain::codec;
use jit::domain::event::{
    Answer, Body, EndCause, Event, FileDigest, Genesis, Issuance, Kind, Lock, LockScope, ProbeResult, Proposal,
    Recording, Request, Residue, ResidueItem, Review, ReviewItem, Risk, RiskLevel, Seen, SessionEnd, SessionStart,
    Subject, Verdict,
};
use jit::domain::id::{CaseId, Digest, Name, Nonce};
use jit::domain::key::PublicKey;
use jit::domain::policy::Policy;
use jit::domain::state::commit::message;
use jit::domain::time::{Timestamp, Ttl};
use jit::git::GitStore;
use jit::issue::ssh_cert;
use jit::ledger::append::found;
use jit::merkle::{self, Tree};
use jit::ports::Signer;
use jit::sign::{self, KeySpec, Keygen};
use jit::sshsig::{SshSig, signed_data};

const TARGET: &str = "payments-db/read-only";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [ledger, keys, policy, events] = arguments.as_slice() else {
        println!("usage: cargo bench --bench generate -- LEDGER KEYS POLICY EVENTS");
        return;
    };
    let events: u64 = events.parse().expect("EVENTS is a number");
    let mut generator = Generator::new(Path::new(ledger), Path::new(keys), Path::new(policy), events);
    let mut case = 0;
    while generator.log.size() < events {
        // Most accesses go well. The rest is there, too: every kind of event, and people who come and go.
        match case % 64 {
            7 | 39 => generator.refused(case, true),
            15 | 47 => generator.refused(case, false),
            23 => generator.revoked(case),
            31 => generator.locked(case),
            55 => generator.somebody_comes_or_goes(case),
            _ => generator.case(case),
        }
        case += 1;
    }
    let size = generator.log.size();
    generator.finish();
    println!("{size} events, {case} cases more");
}

struct Generator {
    signers: BTreeMap<&'static str, Box<dyn Signer>>,
    ledger: Digest,
    policy: Digest,
    /// Files that come with the next event.
    beside: Option<Vec<(String, Vec<u8>)>>,
    /// The text of the policy in force.
    text: String,
    log: Tree,
    time: Timestamp,
    serial: u64,
    ca: PublicKey,
    import: std::process::Child,
    out: BufWriter<std::process::ChildStdin>,
    first: Option<String>,
}

impl Generator {
    fn new(path: &Path, keys: &Path, policy: &Path, events: u64) -> Self {
        let names = ["rita", "raj", "alice", "bob", "dave", "erin", "minter", "db1", "ca-prod"];
        let signers: BTreeMap<_, _> = names
            .into_iter()
            .map(|name| {
                let keygen = Keygen::new(BTreeMap::new(), false);
                let spec = KeySpec { path: keys.join(name), agent: None, keygen };
                (name, sign::open(&spec, &mut |_| panic!("{name} has a passphrase")).unwrap())
            })
            .collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let start = i64::try_from(now).unwrap() - 3600 - i64::try_from(events).unwrap();
        let time = Timestamp::from_unix(start).unwrap();
        let bytes = std::fs::read(policy).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let policy = Policy::parse(&bytes).unwrap();
        let files: BTreeMap<String, Vec<u8>> =
            [("allowed_signers".to_owned(), policy.allowed_signers().into_bytes()), ("policy.toml".to_owned(), bytes)]
                .into();
        let manifest = files.iter().map(|(path, bytes)| FileDigest { path: path.clone(), sha256: Digest::of(bytes) });
        let genesis = Event {
            ledger: None,
            case: None,
            policy: None,
            actor: "rita".parse().unwrap(),
            time,
            nonce: Some(Nonce::from_random(*b"a genesis' nonce")),
            seen: None,
            body: Body::Genesis(Genesis { name: policy.name.clone(), files: manifest.collect() }),
        };
        let store = GitStore::init(path, true).expect("a new ledger");
        let (replay, _) = found(&store, &genesis, &files, &*signers["rita"], time).expect("a genesis");
        let head = replay.head().unwrap();
        let ca = policy.environments.values().next().unwrap().ca.clone();
        let mut import = Command::new("git")
            .arg(format!("--git-dir={}", path.display()))
            .args(["-c", "core.fsync=none", "fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufWriter::new(import.stdin.take().unwrap());
        Self {
            signers,
            ledger: replay.state().ledger().unwrap(),
            policy: policy.digest,
            beside: None,
            text,
            log: replay.log().clone(),
            time,
            serial: 1,
            ca,
            import,
            out,
            first: Some(head.to_string()),
        }
    }

    /// A case's whole life: eight events.
    fn case(&mut self, number: u64) {
        let (case, asked) = self.opened(number);
        self.issued(number, case, asked);
        let closure = Body::Closure { summary: "Looked, found it.".into(), changes: Vec::new() };
        self.put("alice", Some(case), None, asked, closure);
        self.reviewed(case, asked);
    }

    /// A request that somebody denies, or that its author takes back.
    fn refused(&mut self, number: u64, is_denied: bool) {
        let (case, asked) = self.asked(number);
        if is_denied {
            self.put("bob", Some(case), None, asked, Body::Denial { comment: "Not during the freeze.".into() });
        } else {
            self.put("alice", Some(case), None, asked, Body::Withdrawal { comment: None });
        }
    }

    /// An access that security ends, and of which something is found.
    fn revoked(&mut self, number: u64) {
        let (case, asked) = self.opened(number);
        self.issued(number, case, asked);
        let revocation = Body::Revocation { reason: "No longer needed.".into(), incident: None };
        self.put("dave", Some(case), None, asked, revocation);
        let item =
            |result: ProbeResult| ResidueItem { probe: "processes".into(), result, detail: "of readonly".into() };
        let residue =
            |result| Body::Residue(Residue { clean: result == ProbeResult::Clear, items: vec![item(result)] });
        self.put("db1", Some(case), None, asked, residue(ProbeResult::Found));
        self.put("db1", Some(case), None, asked, residue(ProbeResult::Clear));
        self.reviewed(case, asked);
    }

    /// A lock that the root lifts again.
    fn locked(&mut self, number: u64) {
        let scope = LockScope::Member("carol".parse().unwrap());
        let opened = self.time;
        let lock = Lock { scope, reason: "Laptop stolen.".into(), incident: Some("INC-4712".into()) };
        let lock = self.put("dave", None, Some(nonce("lock", number)), opened, Body::Lock(lock));
        let opened = self.time;
        let proposal = Proposal { reason: "It was found.".into(), subject: Subject::Unlock { lock } };
        let case = self.put("rita", None, Some(nonce("unlock", number)), opened, Body::Proposal(proposal));
        self.agreed(case, opened);
        self.put("rita", Some(case), None, opened, Body::Enactment);
    }

    /// A policy with one member more, or without the one who came last.
    fn somebody_comes_or_goes(&mut self, number: u64) {
        let old = Policy::parse(self.text.as_bytes()).unwrap();
        let text = match self.text.split_once("\n[member.guest]\n") {
            Some((before, _)) => before.to_owned(),
            None => {
                let key = guest();
                format!(
                    "{}\n[member.guest]\nemail = \"guest@acme.example\"\ngroups = [\"developers\"]\nkeys = [\"{key}\"]\n",
                    self.text
                )
            }
        };
        let version = old.version + 1;
        let text = text.replacen(&format!("version = {}\n", old.version), &format!("version = {version}\n"), 1);
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let new: Vec<(String, Vec<u8>)> = vec![
            ("allowed_signers".into(), policy.allowed_signers().into_bytes()),
            ("policy.toml".into(), text.clone().into_bytes()),
        ];
        let files =
            new.iter().map(|(path, bytes)| FileDigest { path: path.clone(), sha256: Digest::of(bytes) }).collect();
        let proposal = Proposal { reason: "People come and go.".into(), subject: Subject::Policy { version, files } };
        let opened = self.time;
        self.beside = Some(new.clone());
        let case = self.put("rita", None, Some(nonce("policy", number)), opened, Body::Proposal(proposal));
        self.agreed(case, opened);
        self.beside = Some(new);
        self.put("rita", Some(case), None, opened, Body::Enactment);
        (self.text, self.policy) = (text, policy.digest);
    }

    /// The second root member agrees, where the proposer alone is not enough.
    fn agreed(&mut self, case: CaseId, opened: Timestamp) {
        if Policy::parse(self.text.as_bytes()).unwrap().root.threshold > 1 {
            self.put("raj", Some(case), None, opened, Body::Approval { comment: None });
        }
    }

    /// A request that bob and dave approve.
    fn opened(&mut self, number: u64) -> (CaseId, Timestamp) {
        let (case, asked) = self.asked(number);
        self.put("bob", Some(case), None, asked, Body::Approval { comment: None });
        self.put("dave", Some(case), None, asked, Body::Approval { comment: Some("Agreed on the phone.".into()) });
        (case, asked)
    }

    /// A request.
    fn asked(&mut self, number: u64) -> (CaseId, Timestamp) {
        let asked = self.time;
        let key = self.signers["alice"].public_key().clone();
        let request = Request {
            targets: vec![TARGET.parse().unwrap()],
            duration: "30m".parse().unwrap(),
            not_before: None,
            business_need: format!("Payments are stuck; the queue table has to be read (case {number})."),
            least_privilege: None,
            ticket: Some(format!("INC-{}", 1000 + number % 9000)),
            incident: None,
            extends: None,
            emergency: false,
            source_address: Vec::new(),
            credential_key: key.clone(),
            risk: Risk {
                level: RiskLevel::Low,
                impact: "Reads customer rows.".into(),
                rollback: "Nothing is changed.".into(),
                data: vec!["npi".into()],
            },
        };
        (self.put("alice", None, Some(nonce("case", number)), asked, Body::Request(Box::new(request))), asked)
    }

    /// A credential, and a session with it.
    fn issued(&mut self, number: u64, case: CaseId, asked: Timestamp) {
        let key = self.signers["alice"].public_key().clone();
        let (after, before) = (self.time.minus(seconds(60)), self.time.plus(seconds(1800)));
        let spec = CertificateSpec {
            key,
            serial: self.serial,
            key_id: format!("jit:{}:alice", case.short()),
            principals: vec![format!("prod/{TARGET}")],
            valid_after: after.unix_u64(),
            valid_before: before.unix_u64(),
            source_address: Some("127.0.0.0/8".into()),
            verify_required: false,
            extensions: ["permit-pty".to_owned()].into(),
            ca: self.ca.clone(),
        };
        let random = *Digest::of(format!("certificate {number}").as_bytes()).as_bytes();
        let certificate = ssh_cert::issue(&spec, &*self.signers["ca-prod"], random).unwrap();
        let issuance = Issuance {
            environment: "prod".parse().unwrap(),
            serial: self.serial,
            valid_after: after,
            valid_before: before,
            certificate,
        };
        self.serial += 1;
        self.put("minter", Some(case), None, asked, Body::Issuance(issuance));
        let start = SessionStart {
            session: nonce("session", number),
            serial: self.serial - 1,
            login: "readonly".into(),
            source: "127.0.0.1".into(),
            command: None,
            recording: Recording::Off,
        };
        self.put("db1", Some(case), None, asked, Body::SessionStart(start));
        let end = SessionEnd {
            session: nonce("session", number),
            cause: EndCause::Exit,
            exit_code: Some(0),
            recording: None,
            bytes: 0,
        };
        self.put("db1", Some(case), None, asked, Body::SessionEnd(end));
    }

    /// A review of what ended.
    fn reviewed(&mut self, case: CaseId, asked: Timestamp) {
        let items = ["no lingering changes", "no open data streams"];
        let review = Review {
            verdict: Verdict::Clean,
            follow_up: None,
            items: items.map(|check| ReviewItem { check: check.into(), answer: Answer::Yes, note: None }).into(),
        };
        self.put("erin", Some(case), None, asked, Body::Review(review));
    }

    fn put(
        &mut self,
        actor: &'static str,
        case: Option<CaseId>,
        nonce: Option<Nonce>,
        opened: Timestamp,
        body: Body,
    ) -> CaseId {
        let signer = &self.signers[actor];
        let name: Name = actor.parse().unwrap();
        let event = Event {
            ledger: Some(self.ledger),
            case,
            policy: Some(self.policy),
            actor: name,
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
        let out = &mut self.out;
        writeln!(out, "commit refs/heads/main").unwrap();
        writeln!(out, "author {actor} <{actor}@acme.example> {} +0000", self.time.unix()).unwrap();
        writeln!(out, "committer {actor} <{actor}@acme.example> {} +0000", self.time.unix()).unwrap();
        write!(out, "data {}\n{text}", text.len()).unwrap();
        if let Some(first) = self.first.take() {
            writeln!(out, "from {first}").unwrap();
        }
        write!(out, "M 100644 inline {path}\ndata {}\n", bytes.len()).unwrap();
        out.write_all(&bytes).unwrap();
        write!(out, "\nM 100644 inline {path}.sig\ndata {}\n{signature}\n", signature.len()).unwrap();
        for (name, bytes) in self.beside.take().unwrap_or_default() {
            // Beside a proposal, and in force with its enactment.
            let place = match event.kind() {
                Kind::Proposal => format!("ledger/{}/{}/files/{name}", opened.hour_path(), case.short()),
                _ => name,
            };
            write!(out, "M 100644 inline {place}\ndata {}\n", bytes.len()).unwrap();
            out.write_all(&bytes).unwrap();
            writeln!(out).unwrap();
        }
        self.log.append(merkle::event_leaf(&digest, &Digest::of(signature.as_bytes())));
        self.time = self.time.plus(seconds(1));
        case
    }

    fn finish(mut self) {
        self.out.flush().unwrap();
        drop(self.out);
        assert!(self.import.wait().unwrap().success(), "git fast-import failed");
    }
}

fn nonce(salt: &str, number: u64) -> Nonce {
    let digest = Digest::of(format!("{salt} {number}").as_bytes());
    Nonce::from_random(digest.as_bytes()[..16].try_into().unwrap())
}

/// A key that nobody else has: the first point that a hash gives.
fn guest() -> PublicKey {
    let point = |salt: u32| PublicKey::ed25519(*Digest::of(&salt.to_be_bytes()).as_bytes());
    (0..).find_map(|salt| point(salt).ok()).unwrap()
}

fn seconds(count: u64) -> Ttl {
    Ttl::from_seconds(count).unwrap()
}
