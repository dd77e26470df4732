//! A ledger with a known July: every kind of thing that a report tells, at times that are written down here. Each event is
//! signed with a real key and committed with `git fast-import`; `jit verify` says of each what it is.
//!
//! All times are UTC, of July 2026 where no month is said. The reports are judged at 2026-08-01T00:00:00Z, [`AT`].
//!
//! | case | who | what happens |
//! |---|---|---|
//! | A | alice | 1st, read-only for 30 min: 09:00:00 asked, approved by bob 09:04:00 and dave 09:10:00, issued 09:10:30, session 09:11:00 to 09:20:00, closed 09:21:00, reviewed by erin 10:00:00 |
//! | B | bob | 2nd 10:00:00, a reason that is a formula; denied by dave 10:05:00 |
//! | C | carol | 3rd 08:00:00, withdrawn 08:01:00 |
//! | D | alice | 4th 08:00:00, nobody decides: lapsed |
//! | E | alice | 5th 02:00:00, emergency for INC-9, 15 min: issued 02:00:05, session 02:01:00 to 02:10:00, never reviewed: two of security within 12 h of its end, 02:15:05 |
//! | L | dave | 6th 08:00:00, locks alice for INC-9; M: rita proposes to lift it 08:30:00, enacted 08:31:00 |
//! | F | bob | 10th, 30 min: 09:00:00 asked, carol 09:01:00, dave 09:02:00, issued 09:03:00, session from 09:04:00, revoked by erin for INC-9 09:10:00, session over 09:10:07, residue 09:10:10, never reviewed |
//! | G | carol | 12th, 30 min: 09:00:00 asked, bob 09:00:40, dave 09:05:00, issued 09:06:00, ends 09:36:00, session 09:07:00 to 09:40:30: 270 s late, reviewed by erin 20:00:00 |
//! | - | bob | 13th 10:00:00, approves G again: void (A03); N: rita proposes to acknowledge it 11:00:00, enacted 11:05:00 |
//! | P | rita | 14th 08:00:00 proposes policy version 2, with frank in it; enacted 08:05:00 |
//! | I | alice | 15th, operator (recorded) for 15 min: 09:00:00 asked, bob 09:01:00, dave 09:02:00, issued 09:02:30, session 09:03:00 to 09:05:00, closed 09:06:00, reviewed by erin on the 17th 09:06:00: a day late |
//! | H | alice | 31st, 30 min: 23:50:00 asked, bob 23:51:00, erin 23:52:00, issued 23:53:00: live |
//! | - | alice | 31st 23:55:00, approves her own H: void (A03), not acknowledged |

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jit::domain::certificate::CertificateSpec;
use jit::domain::codec;
use jit::domain::event::{
    Answer, Body, EndCause, Event, FileDigest, Genesis, Issuance, Lock, LockScope, ProbeResult, Proposal, Recording,
    Request, Residue, ResidueItem, Review, ReviewItem, Risk, RiskLevel, Seen, SessionEnd, SessionStart, Subject,
    Verdict,
};
use jit::domain::id::{CaseId, Digest, Nonce};
use jit::domain::policy::Policy;
use jit::domain::state::commit::message;
use jit::domain::time::Timestamp;
use jit::git::GitStore;
use jit::issue::ssh_cert;
use jit::ledger::append::found;
use jit::merkle::{self, Tree};
use jit::ports::Signer;
use jit::sign::{self, KeySpec};
use jit::sshsig::{SshSig, signed_data};

use super::common::Place;

/// When the reports are judged.
pub const AT: &str = "2026-08-01T00:00:00Z";
/// B's reason.
pub const FORMULA: &str = "=HYPERLINK(\"https://evil.example\",\"the ticket\")";

/// The ledger, and the short ids of its cases by their letters.
pub struct Story {
    pub place: Place,
    pub ledger: PathBuf,
    pub cases: BTreeMap<char, String>,
    /// The two void commits.
    pub voids: Vec<String>,
}

struct Writer<'p> {
    place: &'p Place,
    ledger: &'p Path,
    signers: BTreeMap<&'static str, Box<dyn Signer>>,
    id: Digest,
    policy: Policy,
    log: Tree,
    serial: u64,
    cases: BTreeMap<char, (CaseId, Timestamp)>,
}

impl Story {
    pub fn new() -> Self {
        let place = Place::new();
        let ledger = place.path("ledger.git");
        let (cases, voids) = write(&place, &ledger);
        Self { place, ledger, cases, voids }
    }

    /// The short id of a case by its letter.
    pub fn id(&self, letter: char) -> &str {
        &self.cases[&letter]
    }
}

fn policy_text(place: &Place) -> String {
    let mut text = place.policy_text(1);
    for name in ["bob", "carol"] {
        let of = |groups: &str| format!("[member.{name}]\nemail = \"{name}@acme.example\"\ngroups = {groups}\n");
        let both = text.replace(&of("[\"sre\"]"), &of("[\"developers\", \"sre\"]"));
        assert_ne!(both, text);
        text = both;
    }
    let (first, second) = text.split_once("[target.payments-db.role.operator]").unwrap();
    format!("{first}[target.payments-db.role.operator]{}", second.replace("record = \"off\"", "record = \"required\""))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A time of July.
fn july(day: u32, time: &str) -> Timestamp {
    at(&format!("2026-07-{day:02}T{time}Z"))
}

fn write(place: &Place, ledger: &Path) -> (BTreeMap<char, String>, Vec<String>) {
    let text = policy_text(place);
    let policy = Policy::parse(text.as_bytes()).unwrap();
    let files: BTreeMap<String, Vec<u8>> = [
        ("allowed_signers".to_owned(), policy.allowed_signers().into_bytes()),
        ("policy.toml".to_owned(), text.clone().into_bytes()),
    ]
    .into();
    let names = ["alice", "bob", "carol", "dave", "erin", "rita", "minter", "db1", "ca-prod"];
    let signers: BTreeMap<&'static str, Box<dyn Signer>> = names
        .into_iter()
        .map(|name| {
            let spec =
                KeySpec { path: place.key(name), agent: None, keygen: sign::Keygen::new(BTreeMap::new(), false) };
            (name, sign::open(&spec, &mut |_| panic!("no passphrase")).unwrap())
        })
        .collect();
    let time = at("2026-06-30T12:00:00Z");
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
    let store = GitStore::init(ledger, true).unwrap();
    let (replay, _) = found(&store, &genesis, &files, &*signers["rita"], time).unwrap();
    let id = replay.state().ledger().unwrap();
    let log = replay.log().clone();
    let mut writer = Writer { place, ledger, signers, id, policy, log, serial: 1, cases: BTreeMap::new() };
    let voids = writer.tell(&text);
    (writer.cases.into_iter().map(|(letter, (id, _))| (letter, id.short())).collect(), voids)
}

impl Writer<'_> {
    #[allow(clippy::too_many_lines)]
    fn tell(&mut self, policy: &str) -> Vec<String> {
        let mut voids = Vec::new();
        // A
        self.asks('A', "alice", july(1, "09:00:00"), |_| {});
        self.agrees('A', "bob", july(1, "09:04:00"));
        self.agrees('A', "dave", july(1, "09:10:00"));
        self.issues('A', july(1, "09:10:30"));
        self.enters('A', july(1, "09:11:00"), Recording::Off);
        self.leaves('A', july(1, "09:20:00"), EndCause::Exit, None);
        let closure = || Body::Closure { summary: "Looked, found it.".into(), changes: Vec::new() };
        self.put('A', "alice", july(1, "09:21:00"), closure());
        self.put('A', "erin", july(1, "10:00:00"), review());
        // B, C, D
        self.asks('B', "bob", july(2, "10:00:00"), |request| request.business_need = FORMULA.into());
        self.put('B', "dave", july(2, "10:05:00"), Body::Denial { comment: "Not like this.".into() });
        self.asks('C', "carol", july(3, "08:00:00"), |_| {});
        self.put('C', "carol", july(3, "08:01:00"), Body::Withdrawal { comment: None });
        self.asks('D', "alice", july(4, "08:00:00"), |_| {});
        // E
        self.asks('E', "alice", july(5, "02:00:00"), |request| {
            request.emergency = true;
            request.incident = Some("INC-9".into());
            request.duration = "15m".parse().unwrap();
        });
        self.issues('E', july(5, "02:00:05"));
        self.enters('E', july(5, "02:01:00"), Recording::Off);
        self.leaves('E', july(5, "02:10:00"), EndCause::Exit, None);
        // L, M
        let scope = LockScope::Member("alice".parse().unwrap());
        let lock = Lock { scope, reason: "A laptop was stolen.".into(), incident: Some("INC-9".into()) };
        self.opens('L', "dave", july(6, "08:00:00"), Body::Lock(lock));
        let subject = Subject::Unlock { lock: self.cases[&'L'].0 };
        self.proposes('M', july(6, "08:30:00"), subject, &[]);
        self.put('M', "rita", july(6, "08:31:00"), Body::Enactment);
        // F
        self.asks('F', "bob", july(10, "09:00:00"), |_| {});
        self.agrees('F', "carol", july(10, "09:01:00"));
        self.agrees('F', "dave", july(10, "09:02:00"));
        self.issues('F', july(10, "09:03:00"));
        self.enters('F', july(10, "09:04:00"), Recording::Off);
        let reason = Body::Revocation { reason: "The wrong person.".into(), incident: Some("INC-9".into()) };
        self.put('F', "erin", july(10, "09:10:00"), reason);
        self.leaves('F', july(10, "09:10:07"), EndCause::Revoked, None);
        let item = |probe: &str, result| ResidueItem { probe: probe.into(), result, detail: "one process".into() };
        let items = vec![item("jobs", ProbeResult::Clear), item("processes", ProbeResult::Found)];
        self.put('F', "db1", july(10, "09:10:10"), Body::Residue(Residue { clean: false, items }));
        // G
        self.asks('G', "carol", july(12, "09:00:00"), |_| {});
        self.agrees('G', "bob", july(12, "09:00:40"));
        self.agrees('G', "dave", july(12, "09:05:00"));
        self.issues('G', july(12, "09:06:00"));
        self.enters('G', july(12, "09:07:00"), Recording::Off);
        self.leaves('G', july(12, "09:40:30"), EndCause::Expired, None);
        self.put('G', "erin", july(12, "20:00:00"), review());
        // The first void commit, and N
        self.agrees('G', "bob", july(13, "10:00:00"));
        voids.push(self.void());
        let commits = vec![voids[0].parse().unwrap()];
        self.proposes('N', july(13, "11:00:00"), Subject::Acknowledge { commits }, &[]);
        self.put('N', "rita", july(13, "11:05:00"), Body::Enactment);
        // P
        let member = format!(
            "[member.frank]\nemail = \"frank@acme.example\"\ngroups = [\"developers\"]\nkeys = [\"{}\"]\n\n[service.minter]",
            self.place.public_key("frank")
        );
        let next = policy.replace("version = 1", "version = 2").replace("[service.minter]", &member);
        self.new_policy('P', july(14, "08:00:00"), july(14, "08:05:00"), &next);
        // I
        self.asks('I', "alice", july(15, "09:00:00"), |request| {
            request.targets = vec!["payments-db/operator".parse().unwrap()];
            request.duration = "15m".parse().unwrap();
            request.least_privilege = Some("The queue has to be emptied.".into());
        });
        self.agrees('I', "bob", july(15, "09:01:00"));
        self.agrees('I', "dave", july(15, "09:02:00"));
        self.issues('I', july(15, "09:02:30"));
        self.enters('I', july(15, "09:03:00"), Recording::On);
        self.leaves('I', july(15, "09:05:00"), EndCause::Exit, Some(Digest::of(b"a recording")));
        self.put('I', "alice", july(15, "09:06:00"), closure());
        self.put('I', "erin", july(17, "09:06:00"), review());
        // H, and the second void commit
        self.asks('H', "alice", july(31, "23:50:00"), |_| {});
        self.agrees('H', "bob", july(31, "23:51:00"));
        self.agrees('H', "erin", july(31, "23:52:00"));
        self.issues('H', july(31, "23:53:00"));
        self.agrees('H', "alice", july(31, "23:55:00"));
        voids.push(self.void());
        voids
    }

    fn asks(&mut self, letter: char, who: &'static str, time: Timestamp, change: impl Fn(&mut Request)) {
        let mut request = Request {
            targets: vec!["payments-db/read-only".parse().unwrap()],
            duration: "30m".parse().unwrap(),
            not_before: None,
            business_need: "Payments are stuck; the queue table has to be read.".into(),
            least_privilege: None,
            ticket: Some("INC-4711".into()),
            incident: None,
            extends: None,
            emergency: false,
            source_address: Vec::new(),
            credential_key: self.signers[who].public_key().clone(),
            risk: Risk {
                level: RiskLevel::Low,
                impact: "Reads customer rows.".into(),
                rollback: "Nothing is changed.".into(),
                data: vec!["npi".into()],
            },
        };
        change(&mut request);
        self.opens(letter, who, time, Body::Request(Box::new(request)));
    }

    fn agrees(&mut self, letter: char, who: &'static str, time: Timestamp) {
        self.put(letter, who, time, Body::Approval { comment: None });
    }

    /// A credential of what the request asks for.
    fn issues(&mut self, letter: char, time: Timestamp) {
        let (case, _) = self.cases[&letter];
        let (who, role, minutes): (&'static str, &str, u64) = match letter {
            'E' => ("alice", "read-only", 15),
            'F' => ("bob", "read-only", 30),
            'G' => ("carol", "read-only", 30),
            'I' => ("alice", "operator", 15),
            _ => ("alice", "read-only", 30),
        };
        let (after, before) = (time.unix_u64() - 60, time.unix_u64() + 60 * minutes);
        let spec = CertificateSpec {
            key: self.signers[who].public_key().clone(),
            serial: self.serial,
            key_id: format!("jit:{}:{who}", case.short()),
            principals: vec![format!("prod/payments-db/{role}")],
            valid_after: after,
            valid_before: before,
            source_address: Some("127.0.0.0/8".into()),
            verify_required: false,
            extensions: ["permit-pty".to_owned()].into(),
            ca: self.signers["ca-prod"].public_key().clone(),
        };
        let random = *Digest::of(&[letter as u8]).as_bytes();
        let certificate = ssh_cert::issue(&spec, &*self.signers["ca-prod"], random).unwrap();
        let instant = |seconds: u64| Timestamp::from_unix(seconds.try_into().unwrap()).unwrap();
        let issuance = Issuance {
            environment: "prod".parse().unwrap(),
            serial: self.serial,
            valid_after: instant(after),
            valid_before: instant(before),
            certificate,
        };
        self.serial += 1;
        self.put(letter, "minter", time, Body::Issuance(issuance));
    }

    fn enters(&mut self, letter: char, time: Timestamp, recording: Recording) {
        let start = SessionStart {
            session: session(letter),
            serial: self.serial - 1,
            login: super::common::login(),
            source: "127.0.0.1".into(),
            command: None,
            recording,
        };
        self.put(letter, "db1", time, Body::SessionStart(start));
    }

    fn leaves(&mut self, letter: char, time: Timestamp, cause: EndCause, recording: Option<Digest>) {
        let end = SessionEnd { session: session(letter), cause, exit_code: None, recording, bytes: 0 };
        self.put(letter, "db1", time, Body::SessionEnd(end));
    }

    fn proposes(&mut self, letter: char, time: Timestamp, subject: Subject, files: &[(&str, &[u8])]) {
        let proposal = Proposal { reason: "It was looked into.".into(), subject };
        self.event(letter, true, "rita", time, Body::Proposal(proposal), files, &[]);
    }

    fn new_policy(&mut self, letter: char, proposed: Timestamp, enacted: Timestamp, text: &str) {
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let signers = policy.allowed_signers();
        let files: [(&str, &[u8]); 2] = [("allowed_signers", signers.as_bytes()), ("policy.toml", text.as_bytes())];
        let digests = files.map(|(path, bytes)| FileDigest { path: path.into(), sha256: Digest::of(bytes) });
        let subject = Subject::Policy { version: 2, files: digests.into() };
        self.proposes(letter, proposed, subject, &files);
        self.event(letter, false, "rita", enacted, Body::Enactment, &[], &files);
        self.policy = policy;
    }

    fn opens(&mut self, letter: char, who: &'static str, time: Timestamp, body: Body) {
        self.event(letter, true, who, time, body, &[], &[]);
    }

    fn put(&mut self, letter: char, who: &'static str, time: Timestamp, body: Body) {
        self.event(letter, false, who, time, body, &[], &[]);
    }

    /// Signs and commits an event. `beside`: files of a proposal; `governed`: what an enactment changes.
    #[allow(clippy::too_many_arguments)]
    fn event(
        &mut self,
        letter: char,
        opens: bool,
        who: &'static str,
        time: Timestamp,
        body: Body,
        beside: &[(&str, &[u8])],
        governed: &[(&str, &[u8])],
    ) {
        let known = (!opens).then(|| self.cases[&letter]);
        let event = Event {
            ledger: Some(self.id),
            case: known.map(|(case, _)| case),
            policy: Some(self.policy.digest),
            actor: who.parse().unwrap(),
            time,
            nonce: opens.then(|| session(letter)),
            seen: Some(Seen { size: self.log.size(), root: self.log.root() }),
            body,
        };
        let bytes = codec::write(&event);
        let namespace = event.kind().namespace();
        let raw = self.signers[who].sign(&signed_data(&namespace, &bytes)).unwrap();
        let signature = SshSig::new(self.signers[who].public_key().clone(), &namespace, raw).to_armored();
        let digest = Digest::of(&bytes);
        let (case, opened) = known.unwrap_or((CaseId(digest), time));
        self.cases.entry(letter).or_insert((case, opened));
        let folder = format!("ledger/{}/{}", opened.hour_path(), case.short());
        let path = format!("{folder}/{}-{}.toml", event.kind(), digest.short());
        let text = message(&event, &digest);
        let mut stream: Vec<u8> = Vec::new();
        let person = format!("{who} <{who}@acme.example> {} +0000", time.unix());
        write!(stream, "commit refs/heads/main\nauthor {person}\ncommitter {person}\n").unwrap();
        write!(stream, "data {}\n{text}from {}\n", text.len(), self.place.head(self.ledger)).unwrap();
        let mut put = |path: &str, bytes: &[u8]| {
            write!(stream, "M 100644 inline {path}\ndata {}\n", bytes.len()).unwrap();
            stream.extend_from_slice(bytes);
            stream.push(b'\n');
        };
        put(&path, &bytes);
        put(&format!("{path}.sig"), signature.as_bytes());
        for (path, bytes) in beside {
            put(&format!("{folder}/files/{path}"), bytes);
        }
        for (path, bytes) in governed {
            put(path, bytes);
        }
        self.import(&stream);
        self.log.append(merkle::event_leaf(&digest, &Digest::of(signature.as_bytes())));
    }

    /// The newest commit is void: its leaf is another one.
    fn void(&mut self) -> String {
        let head = self.place.head(self.ledger);
        let output =
            Command::new("git").arg("-C").arg(self.ledger).args(["cat-file", "commit", &head]).output().unwrap();
        let leaves: Vec<Digest> = (0..self.log.size() - 1).map(|at| self.log.leaf(at).unwrap()).collect();
        self.log = leaves.into_iter().collect();
        self.log.append(merkle::void_leaf(&output.stdout));
        head
    }

    fn import(&self, stream: &[u8]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.ledger).args(["-c", "core.fsync=none", "fast-import", "--quiet"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stream).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

fn session(letter: char) -> Nonce {
    let digest = Digest::of(format!("session {letter}").as_bytes());
    Nonce::from_random(digest.as_bytes()[..16].try_into().unwrap())
}

fn review() -> Body {
    let items = ["no lingering changes", "no open data streams"];
    Body::Review(Review {
        verdict: Verdict::Clean,
        follow_up: None,
        items: items.map(|check| ReviewItem { check: check.into(), answer: Answer::Yes, note: None }).into(),
    })
}

/// Writes a script into a place.
pub fn script(place: &Place, name: &str, text: &str) -> PathBuf {
    let file = place.path(name);
    fs::write(&file, text).unwrap();
    file
}
