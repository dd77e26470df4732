//! Builds a ledger, event by event, in a real repository, and has the real binary judge it. What the format says of
//! paths, messages, leaves and certificates is written out here a second time, so that builder and verifier must agree.
//!
//! ```text
//! event ─► sign ─► lay out ─► land          each stage open to be made wrong
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository, RepositoryInitOptions};
use jit::domain::codec::write;
use jit::domain::event::{Body, Event, FileDigest, Genesis, Request, Risk, RiskLevel, Seen};
use jit::domain::id::{CaseId, Digest, Nonce};
use jit::domain::policy::Policy;
use jit::domain::time::{Timestamp, Ttl};
use jit::merkle::{Tree, event_leaf, void_leaf};
use serde_json::Value;
use tempfile::TempDir;

use crate::bodies::approval;
use crate::commit::{Commit, Files};
use crate::keys::Key;
use crate::verdict::{Verdict, verify};

#[path = "dump.rs"]
mod dump;
use dump::dump;

/// Everybody in the policy who signs.
const NAMES: [&str; 12] =
    ["alice", "bob", "carol", "dave", "erin", "rita", "raj", "frank", "minter", "stager", "db1", "web1"];

/// The policy of these ledgers, with everybody's key in its place.
pub fn policy() -> String {
    let mut text = include_str!("policy.toml").to_owned();
    for name in NAMES.into_iter().chain(["log", "the CA of prod", "the CA of staging"]) {
        text = text.replace(&format!("{{{name}}}"), &Key::of(name).public.to_string());
    }
    for name in ["alice", "dave"] {
        text = text.replace(&format!("{{{name}'s hardware key}}"), &Key::hardware(name, 0).public.to_string());
    }
    text
}

pub fn ttl(text: &str) -> Ttl {
    text.parse().unwrap()
}

/// An event and its signature, before they have a place.
pub struct Signed {
    pub kind: String,
    pub event: Event,
    pub bytes: Vec<u8>,
    pub signature: Vec<u8>,
}

/// An access case that stands in the ledger.
#[derive(Clone)]
pub struct Case {
    pub id: CaseId,
    pub event: Event,
    pub request: Request,
    /// When its first credential was issued.
    pub issued: Option<Timestamp>,
    /// The serial of its newest credential.
    pub serial: u64,
}

/// A ledger that grows.
pub struct Ledger {
    directory: TempDir,
    repository: Repository,
    files: Files,
    /// When each case was opened: its folder says so.
    pub opened: BTreeMap<CaseId, Timestamp>,
    expected: Vec<(String, &'static str, bool)>,
    nonces: u8,
    /// The log as the format computes it.
    pub log: Tree,
    pub id: Option<Digest>,
    /// The governed files in force.
    pub governed: BTreeMap<String, Vec<u8>>,
    /// Each commit, oldest first.
    pub commits: Vec<Oid>,
    /// The time of the newest event. The next one is half a minute later.
    pub now: Timestamp,
    /// The last serial of prod's CA.
    pub serial: u64,
    /// The version of the policy in force.
    pub version: u64,
}

impl Ledger {
    /// Nothing yet.
    pub fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut options = RepositoryInitOptions::new();
        options.bare(true).initial_head("main").external_template(false);
        let repository = Repository::init_opts(directory.path().join("ledger"), &options).unwrap();
        let text = policy();
        let allowed_signers = Policy::parse(text.as_bytes()).unwrap().allowed_signers();
        let governed = BTreeMap::from([
            ("README.md".to_owned(), b"# Access to production\n".to_vec()),
            ("allowed_signers".to_owned(), allowed_signers.into_bytes()),
            ("policy.toml".to_owned(), text.into_bytes()),
        ]);
        Self {
            directory,
            repository,
            files: Files::new(),
            opened: BTreeMap::new(),
            expected: Vec::new(),
            nonces: 0,
            log: Tree::default(),
            id: None,
            governed,
            commits: Vec::new(),
            now: "2026-11-23T14:00:00Z".parse().unwrap(),
            serial: 0,
            version: 1,
        }
    }

    /// A ledger with its genesis.
    pub fn new() -> Self {
        let mut ledger = Self::empty();
        let event = ledger.genesis("rita");
        let commit = ledger.lay_genesis(event);
        ledger.id = Some(ledger.land(commit));
        ledger
    }

    /// The first event, by `actor`.
    pub fn genesis(&mut self, actor: &str) -> Event {
        let files = digests(&self.governed);
        let event = self.event(actor, None, Body::Genesis(Genesis { name: "acme/production".into(), files }));
        Event { ledger: None, policy: None, seen: None, ..event }
    }

    /// The first commit: all governed files come with it.
    pub fn lay_genesis(&self, event: Event) -> Commit {
        let signed = self.sign(event);
        let mut commit = self.lay(&signed);
        commit.add.extend(self.governed.iter().map(|(path, bytes)| (path.clone(), (0o100_644, bytes.clone()))));
        commit
    }

    /// A draft of what `actor` says next, having seen everything. `case`: the case that it belongs to.
    pub fn event(&mut self, actor: &str, case: Option<CaseId>, body: Body) -> Event {
        self.now = self.now.plus(ttl("30s"));
        Event {
            ledger: self.id,
            case,
            policy: Some(Digest::of(&self.governed["policy.toml"])),
            actor: actor.parse().unwrap(),
            time: self.now,
            nonce: body.kind().opens_case().then(|| self.nonce()),
            seen: Some(Seen { size: self.log.size(), root: self.log.root() }),
            body,
        }
    }

    /// A fresh nonce; the same in each run.
    pub fn nonce(&mut self) -> Nonce {
        self.nonces += 1;
        Nonce::from_random([self.nonces; 16])
    }

    /// Signs with the actor's first key.
    pub fn sign(&self, event: Event) -> Signed {
        let key = Key::of(event.actor.as_str());
        self.sign_with(&key, event)
    }

    pub fn sign_with(&self, key: &Key, event: Event) -> Signed {
        let bytes = write(&event);
        Signed {
            kind: event.kind().to_string(),
            signature: key.sshsig(&event.kind().namespace(), &bytes),
            bytes,
            event,
        }
    }

    /// Signs other bytes than the event's own: `from` replaced by `to`.
    pub fn sign_edited(&self, event: Event, from: &str, to: &str) -> Signed {
        let mut signed = self.sign(event);
        let text = String::from_utf8(signed.bytes).unwrap();
        assert!(text.contains(from), "{from:?} is not in {text}");
        signed.bytes = text.replacen(from, to, 1).into_bytes();
        let namespace = signed.event.kind().namespace();
        signed.signature = Key::of(signed.event.actor.as_str()).sshsig(&namespace, &signed.bytes);
        signed
    }

    /// The canonical commit of a signed event.
    pub fn lay(&self, signed: &Signed) -> Commit {
        let digest = Digest::of(&signed.bytes);
        let event = &signed.event;
        let case = event.case.unwrap_or(CaseId(digest));
        let opened = self.opened.get(&case).copied().unwrap_or(event.time);
        let folder = format!("ledger/{}/{}", opened.utc().format("%Y/%m/%d/%H"), case.0.short());
        let path = format!("{folder}/{}-{}.toml", signed.kind, digest.short());
        let add = BTreeMap::from([
            (path.clone(), (0o100_644, signed.bytes.clone())),
            (format!("{path}.sig"), (0o100_644, signed.signature.clone())),
        ]);
        let asks = match &event.body {
            Body::Request(request) => {
                let targets: Vec<String> = request.targets.iter().map(ToString::to_string).collect();
                format!(" asks {} for {}", targets.join(", "), request.duration)
            }
            _ => String::new(),
        };
        let subject = format!("{} {}: {}{asks}", signed.kind, case.0.short(), event.actor);
        let who = format!("{0} <{0}@acme.example> {1} +0000", event.actor, event.time.unix());
        Commit {
            event: signed.bytes.clone(),
            signature: signed.signature.clone(),
            path,
            folder,
            add,
            remove: Vec::new(),
            parents: self.commits.last().copied().into_iter().collect(),
            author: who.clone(),
            committer: who,
            headers: String::new(),
            message: format!("{subject}\n\nJit-Event: {digest}\n").into_bytes(),
            reshape: None,
        }
    }

    /// Appends a good commit.
    pub fn land(&mut self, commit: Commit) -> Digest {
        self.append(&commit);
        let (event, signature) = (Digest::of(&commit.event), Digest::of(&commit.signature));
        self.log.append(event_leaf(&event, &signature));
        event
    }

    /// Appends a commit that breaks the rule `code`.
    pub fn void(&mut self, code: &'static str, commit: Commit) {
        let raw = self.append(&commit);
        self.log.append(void_leaf(&raw));
        self.expected.push((self.commits.last().unwrap().to_string(), code, false));
    }

    fn append(&mut self, commit: &Commit) -> Vec<u8> {
        let (id, raw) = commit.write(&self.repository, &mut self.files);
        self.repository.reference("refs/heads/main", id, true, "golden").unwrap();
        self.commits.push(id);
        raw
    }

    /// From now on the root quorum has acknowledged every void commit so far.
    pub fn acknowledged(&mut self) {
        self.expected.iter_mut().for_each(|(_, _, acknowledged)| *acknowledged = true);
    }

    /// The paths of the newest commit's tree.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.files.keys()
    }

    /// The bytes of one of them.
    pub fn blob(&self, path: &str) -> Vec<u8> {
        self.repository.find_blob(self.files[path].1).unwrap().content().to_vec()
    }

    /// Where the repository lies.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("ledger")
    }

    /// Copies another repository's objects into this one; returns its head.
    pub fn fetch(&self, other: &Path) -> Oid {
        let other = Repository::open(other).unwrap();
        let (from, to) = (other.odb().unwrap(), self.repository.odb().unwrap());
        from.foreach(|id| {
            let object = from.read(*id).unwrap();
            to.write(object.kind(), object.data()).unwrap();
            true
        })
        .unwrap();
        other.refname_to_id("refs/heads/main").unwrap()
    }

    /// The void commits so far.
    pub fn voids(&self) -> Vec<Oid> {
        self.expected.iter().map(|(commit, _, _)| Oid::from_str(commit).unwrap()).collect()
    }

    /// A good event, as it should be.
    pub fn say(&mut self, event: Event) -> CaseId {
        let opens = event.case.is_none();
        let (time, case) = (event.time, event.case);
        let signed = self.sign(event);
        let commit = self.lay(&signed);
        let id = CaseId(self.land(commit));
        if opens {
            self.opened.insert(id, time);
        }
        case.unwrap_or(id)
    }

    /// A good event with a commit as it should be, refused for what it says.
    pub fn void_event(&mut self, code: &'static str, event: Event) {
        let signed = self.sign(event);
        self.void_signed(code, &signed);
    }

    pub fn void_signed(&mut self, code: &'static str, signed: &Signed) {
        let commit = self.lay(signed);
        self.void(code, commit);
    }

    /// `actor` says `body` in `case`, and it is refused.
    pub fn refused(&mut self, code: &'static str, actor: &str, case: CaseId, body: Body) {
        let event = self.event(actor, Some(case), body);
        self.void_event(code, event);
    }

    /// `actor` says `body` in `case`.
    pub fn told(&mut self, actor: &str, case: CaseId, body: Body) {
        let event = self.event(actor, Some(case), body);
        self.say(event);
    }

    /// A request for payments-db/read-only as it should be.
    pub fn asks(&self, actor: &str) -> Request {
        Request {
            targets: vec!["payments-db/read-only".parse().unwrap()],
            duration: ttl("30m"),
            not_before: None,
            business_need: "Payments stuck; need to read the queue table.".into(),
            least_privilege: None,
            ticket: Some("INC-4711".into()),
            incident: None,
            extends: None,
            emergency: false,
            source_address: Vec::new(),
            credential_key: Key::of(actor).public,
            risk: Risk {
                level: RiskLevel::Medium,
                impact: "Reads customer rows.".into(),
                rollback: "Nothing is changed.".into(),
                data: vec!["npi".into()],
            },
        }
    }

    /// A request that stands.
    pub fn request(&mut self, actor: &str, edit: impl FnOnce(&mut Request)) -> Case {
        let mut request = self.asks(actor);
        edit(&mut request);
        let event = self.event(actor, None, Body::Request(Box::new(request.clone())));
        let id = self.say(event.clone());
        Case { id, event, request, issued: None, serial: 0 }
    }

    /// A request that is refused.
    pub fn refused_request(&mut self, code: &'static str, actor: &str, edit: impl FnOnce(&mut Request)) {
        let mut request = self.asks(actor);
        edit(&mut request);
        let event = self.event(actor, None, Body::Request(Box::new(request)));
        self.void_event(code, event);
    }

    /// A good approval.
    pub fn approve(&mut self, case: CaseId, actor: &str) {
        self.told(actor, case, approval());
    }

    /// A request by alice that bob and dave approved.
    pub fn approved(&mut self) -> Case {
        let case = self.request("alice", |_| ());
        self.approve(case.id, "bob");
        self.approve(case.id, "dave");
        case
    }

    /// Waits so long before the next event.
    pub fn wait(&mut self, span: &str) {
        self.now = self.now.plus(ttl(span));
    }

    /// What `jit verify` says half a minute after the newest event.
    pub fn judged(&self, more: &[&str]) -> Verdict {
        self.judged_at(self.now.plus(ttl("30s")), more)
    }

    pub fn judged_at(&self, at: Timestamp, more: &[&str]) -> Verdict {
        verify(&self.path(), at, more)
    }

    /// Asserts that exactly the void commits that were landed as such are void, each for its code, and that everything
    /// else counts: head, size and root are the builder's own. A last good event has seen the whole log.
    pub fn check(&mut self) {
        self.request("frank", |_| ());
        self.check_as_is();
    }

    /// [`Ledger::check`] without the last good event.
    pub fn check_as_is(&self) {
        let verdict = self.judged(&[]);
        let expected: Vec<_> = self
            .expected
            .iter()
            .map(|(commit, code, acknowledged)| {
                let position = self.commits.iter().position(|id| id.to_string() == *commit).unwrap();
                (commit.clone(), u64::try_from(position).unwrap(), (*code).to_owned(), *acknowledged)
            })
            .collect();
        let voids = verdict.json["voids"]
            .as_array()
            .unwrap_or_else(|| panic!("exit {}, no list of voids: {} {}", verdict.exit, verdict.json, verdict.stderr));
        let actual: Vec<_> = voids
            .iter()
            .map(|void| {
                (
                    void["commit"].as_str().unwrap().to_owned(),
                    void["position"].as_u64().unwrap(),
                    void["code"].as_str().unwrap().to_owned(),
                    void["acknowledged"].as_bool().unwrap(),
                )
            })
            .collect();
        assert_eq!(actual, expected, "the void commits; verify said {:#}", verdict.json);
        for void in voids {
            assert!(void["message"].as_str().is_some_and(|it| !it.is_empty()), "a void commit says why: {void}");
        }
        let said = serde_json::json!({"voids": expected, "size": self.log.size(), "root": self.log.root().to_string(), "ledger": self.id.unwrap().to_string()});
        dump(&self.path(), self.now.plus(ttl("30s")), &said);
        let open = self.expected.iter().any(|(_, _, acknowledged)| !acknowledged);
        assert_eq!(verdict.json["ok"], Value::Bool(!open));
        assert_eq!(verdict.exit, if open { 4 } else { 0 }, "{}", verdict.stderr);
        assert_eq!(verdict.json["head"], self.commits.last().unwrap().to_string());
        assert_eq!(verdict.json["size"], self.log.size());
        assert_eq!(verdict.json["root"], self.log.root().to_string());
        assert_eq!(verdict.json["ledger"], self.id.unwrap().to_string());
    }

    /// Asserts that the genesis breaks the rule `code`: then there is no ledger, and verify names commit and code.
    pub fn check_void_genesis(mut self, code: &str, commit: &Commit) {
        self.append(commit);
        let verdict = self.judged(&[]);
        assert_eq!(verdict.exit, 4, "{} {}", verdict.json, verdict.stderr);
        dump(&self.path(), self.now, &serde_json::json!({"genesis": code}));
        let said = format!("{} {}", verdict.json, verdict.stderr);
        assert!(said.contains(code), "{code}: {said}");
        assert!(said.contains(&self.commits[0].to_string()), "{said}");
    }

    /// Asserts that nothing is void, and that exactly this finding is reported at `at`: no fault without `--strict`.
    pub fn check_finding(&self, code: &str, case: Option<CaseId>, at: Timestamp) {
        let plain = self.judged_at(at, &[]);
        let case = case.map(|case| case.0.hex());
        dump(&self.path(), at, &serde_json::json!({"voids": [], "finding": [code, case]}));
        assert_eq!(plain.json["voids"], serde_json::json!([]), "{:#}", plain.json);
        assert_eq!(plain.findings(), [(code.to_owned(), case)], "{:#}", plain.json);
        assert_eq!(plain.exit, 0, "{}", plain.stderr);
        assert_eq!(self.judged_at(at, &["--strict"]).exit, 4, "a finding is a fault where it is strict");
    }
}

/// Paths and digests, sorted by path.
pub fn digests(files: &BTreeMap<String, Vec<u8>>) -> Vec<FileDigest> {
    files.iter().map(|(path, bytes)| FileDigest { path: path.clone(), sha256: Digest::of(bytes) }).collect()
}
