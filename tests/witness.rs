//! `jit witness`, and the protocol over HTTP (C2SP tlog-witness): the flow that litewitness's own test plays, the statuses of
//! the specification, what is remembered across a kill, and `jit checkpoint --witness` against it.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::log::Logged;
use common::{JIT, Place, absent, environment, files};

#[path = "common/harness.rs"]
mod common;

/// The log of litewitness's test (filippo.io/torchwood, cmd/litewitness/testdata/litewitness.txt): its origin, and its key
/// as a vkey: SHA-256(name ‖ LF ‖ 0x01 ‖ key).
const SIGSUM: &str = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
const SIGSUM_KEY: &str = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f";
const ONE: &str = "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const THREE: &str = "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=";
const FIVE: &str = "QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=";
const SIGNED_ONE: &str = "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=";
const SIGNED_THREE: &str =
    "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=";
const SIGNED_FIVE: &str =
    "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=";

fn sigsum_key() -> String {
    let key = data_encoding::HEXLOWER.decode(SIGSUM_KEY.as_bytes()).unwrap();
    let material = [&[0x01], key.as_slice()].concat();
    let hashed = [SIGSUM.as_bytes(), b"\n", &material].concat();
    let id = &jit::domain::id::Digest::of(&hashed).hex()[..8];
    format!("{SIGSUM}+{id}+{}", STANDARD.encode(material))
}

fn body(old: u64, hashes: &[&str], origin: &str, size: u64, root: &str, signature: &str) -> String {
    let hashes: String = hashes.iter().map(|hash| format!("{hash}\n")).collect();
    format!("old {old}\n{hashes}\n{origin}\n{size}\n{root}\n\n— {origin} {signature}\n")
}

/// The leaf hash 2a NN 00 … of litewitness's test.
fn leaf(number: u8) -> String {
    let mut bytes = [0; 32];
    (bytes[0], bytes[1]) = (0x2a, number);
    STANDARD.encode(bytes)
}

/// A witness that serves.
struct Server {
    child: Child,
    url: String,
    key: String,
}

impl Server {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = Command::new(JIT);
        command.args(["witness", "serve", "--listen", "127.0.0.1:0", "--name", "example.com/witness"]).args(arguments);
        command.arg("--witness-key").arg(place.key("w1")).arg("--state").arg(place.path("state"));
        command.env_clear().envs(environment(&place.path("home"))).current_dir(place.path("home"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || lines.next().expect("the witness ended").unwrap();
        let (url, key) = (next(), next());
        Self { child, url, key }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Sends these bytes and nothing more; the whole answer.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    /// `curl`: status, media type and body.
    fn curl(&self, arguments: &[&str], path: &str, body: &str) -> (u16, String, String) {
        let mut command = Command::new("curl");
        command.args(["-sS", "-w", "\n%{http_code} %{content_type}"]).args(arguments);
        command.arg(format!("{}{path}", self.url)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, last) = text.rsplit_once('\n').unwrap();
        let (status, media) = last.split_once(' ').unwrap();
        (status.parse().unwrap(), media.to_owned(), body.to_owned())
    }

    fn post(&self, body: &str) -> (u16, String, String) {
        self.curl(&["--data-binary", "@-"], "/add-checkpoint", body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn place() -> Place {
    let place = Place::new();
    place.make_key("w1");
    place
}

#[test]
fn the_flow_of_litewitness_gives_the_statuses_of_the_specification() {
    if absent("the_flow_of_litewitness_gives_the_statuses_of_the_specification", &["curl", "ssh-keygen"]) {
        return;
    }
    let place = place();
    let log = sigsum_key();
    let mut server = Server::start(&place, &["--log", &log]);
    let post = |server: &Server, old, hashes: &[&str], size, root, signature: &str| {
        server.post(&body(old, hashes, SIGSUM, size, root, signature))
    };
    let (leaf1, leaf2, leaf3, leaf4) = (leaf(1), leaf(2), leaf(3), leaf(4));
    let hash = jit::domain::id::Digest::of(SIGSUM.as_bytes()).hex();
    let shows = format!("/{hash}/checkpoint");
    assert_eq!(server.curl(&[], &shows, "").0, 404, "nothing was cosigned yet");

    let (status, _, text) = post(&server, 0, &[], 1, ONE, SIGNED_ONE);
    assert_eq!((status, text.starts_with("— example.com/witness ")), (200, true), "{text}");
    assert!(text.ends_with('\n') && text.lines().count() == 1);
    let key: jit::merkle::VerifierKey = server.key.parse().unwrap();
    let lines = jit::merkle::note::parse_signatures(&text).unwrap();
    let note = format!("{SIGSUM}\n1\n{ONE}\n");
    let time = jit::merkle::cosignature::verify(&key, &note, &lines[0]).unwrap();
    assert!(time.unix_u64().abs_diff(common::now()) < 60);

    // "invalid signature": one bit of the signature turned.
    let mut bytes = STANDARD.decode(SIGNED_THREE).unwrap();
    bytes[40] ^= 1;
    let (status, ..) = post(&server, 1, &[&leaf1, &leaf2], 3, THREE, &STANDARD.encode(bytes));
    assert_eq!(status, 403);
    // Signed by nobody that is known.
    let (status, ..) = post(&server, 1, &[&leaf1, &leaf2], 3, THREE, &STANDARD.encode([7; 68]));
    assert_eq!(status, 403);
    // "If the checkpoint origin is unknown, the witness MUST respond with a 404"
    let other = SIGSUM.replace("e562", "e563");
    assert_eq!(server.post(&body(1, &[&leaf1, &leaf2], &other, 3, THREE, SIGNED_THREE)).0, 404);
    // "The old size MUST be equal to or lower than the checkpoint size. Otherwise … 400"
    assert_eq!(post(&server, 4, &[], 3, THREE, SIGNED_THREE).0, 400);
    // Without a proof, and with a wrong one.
    let (status, _, text) = post(&server, 1, &[], 3, THREE, SIGNED_THREE);
    assert_eq!((status, text.contains("does not continue")), (422, true), "{text}");
    let wrong = leaf2.replace("AAAA=", "ABAA=");
    assert_eq!(post(&server, 1, &[&leaf1, &wrong], 3, THREE, SIGNED_THREE).0, 422);
    // A right one, twice: after the first the old size is not that of the last cosigned checkpoint any more.
    assert_eq!(post(&server, 1, &[&leaf1, &leaf2], 3, THREE, SIGNED_THREE).0, 200);
    let conflict = (409, "text/x.tlog.size".to_owned(), "3\n".to_owned());
    assert_eq!(post(&server, 1, &[&leaf1, &leaf2], 3, THREE, SIGNED_THREE), conflict);
    let far = "+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=";
    assert_eq!(post(&server, 1, &[&leaf1, far, &leaf4], 5, FIVE, SIGNED_FIVE), conflict);

    // Killed and started again it remembers.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = Server::start(&place, &["--log", &log]);
    assert_eq!(post(&server, 1, &[&leaf1, far, &leaf4], 5, FIVE, SIGNED_FIVE), conflict);
    let proof: [&str; 4] = [&leaf2, &leaf3, "wgiIFdZfYNv6WU1OllBKsWnLYIS/DBMqt8Uh/S4OukE=", &leaf4];
    assert_eq!(post(&server, 3, &proof, 5, FIVE, SIGNED_FIVE).0, 200);
    assert_eq!(post(&server, 0, &[], 5, FIVE, SIGNED_FIVE).2, "5\n");
    // The same size again: a new time, if the root is the same; a proof has no place there.
    assert_eq!(post(&server, 5, &[], 5, FIVE, SIGNED_FIVE).0, 200);
    assert_eq!(post(&server, 5, &[&leaf2], 5, FIVE, SIGNED_FIVE).0, 422);
    // An older one than was cosigned.
    assert_eq!(post(&server, 3, &[], 3, THREE, SIGNED_THREE).2, "5\n");

    // "The response body MUST be a checkpoint … it MUST include the cosignature(s) …" and the log's signature.
    let (status, _, text) = server.curl(&[], &shows, "");
    assert_eq!(status, 200);
    let shown = jit::merkle::SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(shown.verify(&log.parse().unwrap()), Ok(()));
    assert_eq!(shown.cosignatures([&key]).unwrap().len(), 1);
    // One state file, its lock, and nothing half-written.
    let names: Vec<_> =
        files(&place.path("state")).into_iter().map(|file| file.extension().unwrap().to_owned()).collect();
    assert_eq!(names, ["checkpoint", "lock"]);
}

#[test]
fn strange_requests_are_answered_and_end() {
    if absent("strange_requests_are_answered_and_end", &["curl", "ssh-keygen"]) {
        return;
    }
    let place = place();
    let server = Server::start(&place, &["--log", &sigsum_key()]);
    let status = |bytes: &[u8]| -> String {
        let answer = server.raw(bytes);
        answer.split(' ').nth(1).unwrap_or("nothing").to_owned()
    };
    let post =
        |headers: &str, body: &str| status(format!("POST /add-checkpoint HTTP/1.1\r\n{headers}\r\n{body}").as_bytes());
    assert_eq!(status(b"\0\x01\x02garbage\r\n\r\n"), "400");
    assert_eq!(status(b"GET / HTTP/1.1\r\n\r\n"), "404");
    assert_eq!(status(b"POST /other HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), "404");
    assert_eq!(status(b"DELETE /add-checkpoint HTTP/1.1\r\n\r\n"), "405");
    assert_eq!(post("", ""), "411");
    assert_eq!(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), "411");
    assert_eq!(post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), "400");
    assert_eq!(post("Content-Length: +3\r\n", "abc"), "400");
    assert_eq!(post("Content-Length: 3\r\n", "abc"), "400");
    // Too much is refused by its length alone, before a byte of it was read.
    assert_eq!(post("Content-Length: 99999999999999999999999\r\n", ""), "413");
    assert_eq!(post("Content-Length: 262145\r\n", ""), "413");
    assert_eq!(post(&format!("X: {}\r\nContent-Length: 0\r\n", "a".repeat(20_000)), ""), "431");
    let many: String = (0..100).map(|n| format!("X-{n}: y\r\n")).collect();
    assert_eq!(post(&many, ""), "431");
    // Gone in the middle of it: no answer, and nothing hangs.
    assert_eq!(post("Content-Length: 100\r\n", "old 0"), "nothing");
    // 64 hashes: "The client MUST NOT send more than 63 consistency proof lines."
    let hashes = vec![ONE; 64];
    assert_eq!(server.post(&body(1, &hashes, SIGSUM, 3, THREE, SIGNED_THREE)).0, 400);
    // Two requests on one connection.
    let one = body(0, &[], SIGSUM, 1, ONE, SIGNED_ONE);
    let request = format!("POST /add-checkpoint HTTP/1.1\r\nContent-Length: {}\r\n\r\n{one}", one.len());
    let answers = server.raw(format!("{request}{request}").as_bytes());
    assert!(answers.contains("HTTP/1.1 200 OK") && answers.contains("HTTP/1.1 409 Conflict"), "{answers}");
    // More connections than are served at once: those beyond are told, and the next is served again.
    let idle: Vec<TcpStream> = (0..80).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let told = idle.iter().rev().any(|stream| {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut answer = [0; 12];
        (&*stream).read_exact(&mut answer).is_ok() && answer.ends_with(b"503")
    });
    assert!(told);
    drop(idle);
    let served = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        server.post(&body(0, &[], SIGSUM, 1, ONE, SIGNED_ONE)).0 == 409
    });
    assert!(served);
}

#[test]
fn a_checkpoint_is_submitted_and_its_cosignature_kept() {
    if absent("a_checkpoint_is_submitted_and_its_cosignature_kept", &["curl", "git", "ssh-keygen"]) {
        return;
    }
    let demands = "quorum = 1\n\n[[log.witness]]\nname = \"example.com/witness\"\nkey = \"{w1}\"\n";
    let logged = Logged::new(demands);
    let minter = logged.clone_of("minter");
    let made = logged.checkpoint(&minter, &[]).ok();
    let server = Server::start(&logged.place, &["--log", &made.text("log_key")]);
    let asks = |more: &[&str]| logged.checkpoint(&minter, &[&["--witness", server.url.as_str()], more].concat());
    let said = asks(&[]).ok();
    assert_eq!(said.json()["cosigned"][0]["name"], "example.com/witness", "{}", said.told());
    assert_eq!(said.json()["lacking"], serde_json::Value::Null, "{}", said.told());
    assert!(logged.note().contains("— example.com/witness "), "{}", logged.note());
    let commits = logged.commits();
    assert_eq!(asks(&[]).ok().json()["new"], false);
    assert_eq!(logged.commits(), commits, "what is cosigned is not asked for again");
    // It grows: the client learns from the witness from where on it has to prove.
    let alice = logged.clone_of("alice");
    for _ in 0..3 {
        alice.opens("30m");
    }
    let said = asks(&[]).ok();
    assert_eq!(
        (&said.json()["size"], said.json()["cosigned"].as_array().unwrap().len()),
        (&4.into(), 1),
        "{}",
        said.told()
    );
    // A witness that is not there, and one that does not know the log: the checkpoint stands, and the exit code tells.
    alice.opens("20m");
    let said = logged.checkpoint(&minter, &["--witness", "http://127.0.0.1:9"]);
    let said = said.exits(1).mentions(&["did not cosign", "the checkpoint stands"]);
    assert!(said.err.contains("Hint:"), "{}", said.told());
    assert!(logged.note().contains("\n5\n"));
    logged.checkpoint(&minter, &["--witness", "ftp://x"]).exits(2);

    // A fork that the witness has not seen: it refuses, and both notes are printed and kept.
    let other = logged.fork();
    asks(&[]).ok();
    alice.opens("10m");
    asks(&[]).ok();
    let rita = logged.place.desk("rita", &other);
    logged.place.desk("alice", &other).opens("12m");
    let said =
        logged.checkpoint(&rita, &["--witness", &server.url]).refused(5).mentions(&["two histories", "Consistency"]);
    assert_eq!(said.err.matches("— jit/").count(), 2, "both notes\n{}", said.told());
    assert!(!files(&other.join("jit/forks")).is_empty());
}

#[test]
fn what_cannot_be_remembered_is_not_cosigned() {
    if absent("what_cannot_be_remembered_is_not_cosigned", &["git", "ssh-keygen"]) {
        return;
    }
    let logged = Logged::new("");
    let dave = logged.clone_of("dave");
    let who = ["--name", "w1.example"];
    logged.witness(&dave, "w1", &who).refused(1).mentions(&["no checkpoint"]);
    logged.checkpoint(&dave, &[]).ok();
    // A witness has a name and a key of its own; a person's usual key is not taken.
    logged.witness(&dave, "w1", &[]).refused(2).mentions(&["--name"]);
    let mut command = Command::new(JIT);
    command.arg("--ledger").arg(&dave.ledger).args(["witness", "--name", "w1.example"]);
    dave.run(command).refused(2).mentions(&["--witness-key"]);

    // Printed, not pushed; what was cosigned is remembered all the same.
    let said = logged.witness(&dave, "w1", &["--name", "w1.example", "--print"]).ok();
    assert!(said.text("cosignature").starts_with("— w1.example "), "{}", said.told());
    assert_eq!(logged.commits().len(), 1);
    let state = files(&dave.home.join(".local/state/jit/witness"));
    let file = state.iter().find(|file| file.extension().is_some_and(|it| it == "checkpoint")).unwrap();
    assert!(fs::read_to_string(file).unwrap().contains("\n1\n"));
    // Its memory is damaged, or cannot be written: nothing is signed.
    let kept = fs::read(file).unwrap();
    fs::write(file, "forgotten\n").unwrap();
    logged.witness(&dave, "w1", &who).refused(1).mentions(&["does not hold a checkpoint", "backup"]);
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
    logged.witness(&dave, "w1", &who).refused(1).mentions(&["nothing was signed"]);
    assert_eq!(logged.commits().len(), 1);
    fs::remove_dir(file).unwrap();
    fs::write(file, kept).unwrap();
    logged.witness(&dave, "w1", &who).ok();
    assert_eq!(logged.commits().len(), 2);
}
