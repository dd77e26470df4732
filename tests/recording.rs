//! Recordings: the real `age` opens what is sealed here and the other way round, and whatever is done to a recording's
//! bytes is named exactly, while everything that can still be read is read.

// Helpers stand outside of test functions, where the lints allow this.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::as_conversions)]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::counting::Counting;
use common::{Place, absent};
use jit::domain::id::{CaseId, Digest, Nonce};
use jit::domain::key::PublicKey;
use jit::recording::age::{self, Identity, OpenError};
use jit::recording::cast::{self, Entry, Kind};
use jit::recording::frame::{HEAD, HEADER, Head, TAIL};
use jit::recording::reader::{self, Tail};
use jit::recording::scan::{Expected, Scan, scan, sealed};
use jit::recording::{ChannelOpen, Fault, Finished, Header, Part, Recorder, Sink, Terminal};
use jit::sign::{KeyFile, NoPassphrase, Opener};
use serde_json::{Value, json};
use zeroize::Zeroizing;

#[path = "common/harness.rs"]
mod common;
#[path = "recording/properties.rs"]
mod properties;
#[path = "recording/sealing.rs"]
mod sealing;

fn public(place: &Place, name: &str) -> PublicKey {
    place.public_key(name).parse().unwrap()
}

/// The private key of somebody, to open with.
fn opener(file: &Path, passphrase: &str) -> Opener {
    let ask = |_: &Path| Ok::<_, NoPassphrase>(Zeroizing::new(passphrase.to_owned()));
    KeyFile::read(file).unwrap().unlock(&mut { ask }).unwrap().into_opener()
}

fn open(file: &[u8], opener: &Opener) -> Result<Vec<u8>, OpenError> {
    let agree = |share: &[u8; 32]| opener.agree(share);
    age::open(file, &Identity { public: opener.public_key(), agree: &agree }).map(|plain| plain.to_vec())
}

fn text(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

fn header(session: &str) -> Header {
    Header {
        ledger: Digest::of(b"ledger"),
        case: CaseId(Digest::of(b"case")),
        session: Nonce::from_random(Digest::of(session.as_bytes()).as_bytes()[..16].try_into().unwrap()),
    }
}

/// 2026-11-23T14:00:00Z, in milliseconds.
const BEGAN: u64 = 1_795_442_400_000;

/// A recording of some frames, and where each of them begins.
struct Sample {
    bytes: Vec<u8>,
    starts: Vec<usize>,
    finished: Finished,
    header: Header,
}

/// What is written in a sample, frame by frame.
fn sample(recipient: &PublicKey, session: &str, frames: usize) -> Sample {
    let (mut sink, mut rng, header) = (Vec::new(), Counting(7), header(session));
    let mut recorder = Recorder::new(&mut sink, std::slice::from_ref(recipient), &header, BEGAN, &mut rng).unwrap();
    let terminal = Terminal { term: "xterm".into(), columns: 80, rows: 24 };
    recorder.open_channel(0, 0, &ChannelOpen { command: None, terminal: Some(terminal) }).unwrap();
    for at in 0..frames - 1 {
        recorder.output(0, at as u64 * 1000, format!("{session} {at}\r\n").as_bytes()).unwrap();
    }
    let finished = recorder.finish(frames as u64 * 1000).unwrap();
    let scan = scan(&mut Cursor::new(&sink), &Expected::default()).unwrap();
    let starts: Vec<usize> = scan.frames.iter().map(|frame| frame.offset as usize).collect();
    assert_eq!(starts.len(), frames);
    Sample { bytes: sink, starts, finished, header }
}

impl Sample {
    fn expected(&self) -> Expected {
        Expected { header: Some(self.header.clone()), head: Some(self.finished.head) }
    }

    /// A frame's bytes.
    fn frame(&self, at: usize) -> std::ops::Range<usize> {
        self.starts[at]..self.starts.get(at + 1).copied().unwrap_or(self.bytes.len())
    }

    fn scan(&self, bytes: &[u8]) -> Scan {
        scan(&mut Cursor::new(bytes), &self.expected()).unwrap()
    }

    /// The recording with its frames in this order.
    fn ordered(&self, order: &[usize]) -> Vec<u8> {
        let mut bytes = self.bytes[..HEADER].to_vec();
        order.iter().for_each(|&at| bytes.extend_from_slice(&self.bytes[self.frame(at)]));
        bytes
    }
}

/// What is said in the frames that were found.
fn said(bytes: &[u8], scan: &Scan, opener: &Opener) -> Vec<String> {
    let mut out = Vec::new();
    for frame in &scan.frames {
        let sealed = sealed(&mut Cursor::new(bytes), frame).unwrap();
        let Ok(plain) = open(&sealed, opener) else { continue };
        for entry in cast::read(&plain).unwrap() {
            if let Entry::Event { kind: Kind::Output, text, .. } = entry {
                out.push(text.trim_end().to_owned());
            }
        }
    }
    out
}

#[test]
fn a_recording_that_is_whole_has_no_fault() {
    let place = Place::new();
    let sample = sample(&public(&place, "recorder"), "a", 5);
    let scan = sample.scan(&sample.bytes);
    assert_eq!(scan.faults, []);
    assert_eq!((scan.head, scan.size), (sample.finished.head, sample.finished.bytes));
    assert_eq!(scan.header, Some(sample.header.clone()));
    assert!(scan.complete);
    let said = said(&sample.bytes, &scan, &opener(&place.key("recorder"), ""));
    assert_eq!(said, ["a 0", "a 1", "a 2", "a 3"]);
}

#[test]
fn any_bit_that_is_changed_is_named_with_its_frame_and_part() {
    let place = Place::new();
    let sample = sample(&public(&place, "recorder"), "a", 3);
    let opener = opener(&place.key("recorder"), "");
    for frame in 0..3 {
        let range = sample.frame(frame);
        for at in range.clone() {
            for bit in 0..8 {
                let mut bytes = sample.bytes.clone();
                bytes[at] ^= 1 << bit;
                let inside = at - range.start;
                let part = match inside {
                    0..4 => Part::Magic,
                    4..8 => Part::Last,
                    8..16 => Part::Sequence,
                    16..24 => Part::Time,
                    24..56 => Part::Previous,
                    56..HEAD => Part::Length,
                    _ if at >= range.end - TAIL => Part::Digest,
                    _ => Part::TimeOrSealed,
                };
                let scan = sample.scan(&bytes);
                let changed = Fault::Changed { sequence: frame as u64, offset: range.start as u64, part };
                assert_eq!(scan.faults, [changed], "bit {bit} of byte {inside} of frame {frame}");
                // All that was not touched is still read.
                assert_eq!(scan.frames.len(), 3);
                if bit == 0 && part != Part::TimeOrSealed {
                    assert_eq!(said(&bytes, &scan, &opener), ["a 0", "a 1"], "{inside}");
                }
            }
        }
    }
}

#[test]
fn any_bit_of_the_header_that_is_changed_is_named() {
    let place = Place::new();
    let sample = sample(&public(&place, "recorder"), "a", 2);
    for at in 0..HEADER {
        for bit in 0..8 {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= 1 << bit;
            let scan = sample.scan(&bytes);
            let named = matches!(scan.faults[..], [Fault::HeaderMalformed { .. } | Fault::HeaderChanged { .. }]);
            assert!(named, "bit {bit} of byte {at}: {:?}", scan.faults);
            assert_eq!(scan.frames.len(), 2);
            let blind = jit::recording::scan::scan(&mut Cursor::new(&bytes), &Expected::default()).unwrap();
            assert!(!blind.faults.is_empty(), "bit {bit} of byte {at}, with no ledger at hand");
        }
    }
}

#[test]
fn what_is_done_to_whole_frames_is_named() {
    let place = Place::new();
    let key = public(&place, "recorder");
    let other = sample(&key, "b", 5);
    let sample = sample(&key, "a", 5);
    let size = sample.bytes.len() as u64;
    let foreign = |at: usize| &other.bytes[other.frame(at)];
    let offset = |at: usize| sample.starts[at] as u64;
    let with = |at: usize, bytes: &[u8]| {
        let mut all = sample.bytes.clone();
        all.splice(at..at, bytes.iter().copied());
        all
    };
    let replaced = |at: usize, bytes: &[u8]| {
        let mut all = sample.bytes.clone();
        all.splice(sample.frame(at), bytes.iter().copied());
        all
    };
    let shorter = |digest_at: usize| {
        let frame = &sample.bytes[sample.frame(digest_at)];
        Digest::from_bytes(frame[frame.len() - TAIL..].try_into().unwrap())
    };
    let other_head = |at: usize| Fault::OtherHead { found: shorter(at), ledger: sample.finished.head };
    let table: Vec<(&str, Vec<u8>, Vec<Fault>)> = vec![
        ("the second dropped", sample.ordered(&[0, 2, 3, 4]), vec![Fault::Missing { first: 1, last: 1 }]),
        ("the first dropped", sample.ordered(&[1, 2, 3, 4]), vec![Fault::Missing { first: 0, last: 0 }]),
        ("two dropped", sample.ordered(&[0, 3, 4]), vec![Fault::Missing { first: 1, last: 2 }]),
        ("the last but one dropped", sample.ordered(&[0, 1, 2, 4]), vec![Fault::Missing { first: 3, last: 3 }]),
        ("neighbours swapped", sample.ordered(&[0, 2, 1, 3, 4]), vec![Fault::Swapped { first: 1, second: 2 }]),
        ("others swapped", sample.ordered(&[0, 3, 2, 1, 4]), vec![Fault::Swapped { first: 1, second: 3 }]),
        ("the first two swapped", sample.ordered(&[1, 0, 2, 3, 4]), vec![Fault::Swapped { first: 0, second: 1 }]),
        ("one twice", sample.ordered(&[0, 1, 1, 2, 3, 4]), vec![Fault::Twice { sequence: 1, offset: offset(2) }]),
        ("cut at a frame's end", sample.ordered(&[0, 1]), vec![Fault::NoLast { after: Some(1) }, other_head(1)]),
        (
            "cut after the header",
            sample.ordered(&[]),
            vec![
                Fault::NoLast { after: None },
                Fault::OtherHead { found: sample.header.digest(), ledger: sample.finished.head },
            ],
        ),
        ("bytes at its end", with(sample.bytes.len(), b"xyz"), vec![Fault::Trailing { offset: size, bytes: 3 }]),
        (
            "a frame at its end",
            with(sample.bytes.len(), foreign(1)),
            vec![Fault::Trailing { offset: size, bytes: foreign(1).len() as u64 }],
        ),
        ("bytes between", with(sample.starts[2], b"xyz"), vec![Fault::Debris { offset: offset(2), bytes: 3 }]),
        (
            "another session's frame between",
            with(sample.starts[2], foreign(2)),
            vec![Fault::Foreign { sequence: 2, offset: offset(2) }],
        ),
        (
            "another session's later frame between",
            with(sample.starts[2], foreign(4)),
            vec![Fault::Foreign { sequence: 4, offset: offset(2) }],
        ),
        (
            "another session's earlier frame between",
            with(sample.starts[2], foreign(0)),
            vec![Fault::Foreign { sequence: 0, offset: offset(2) }],
        ),
        (
            "another session's frame in the place of one",
            replaced(2, foreign(2)),
            vec![Fault::Foreign { sequence: 2, offset: offset(2) }],
        ),
        (
            "another session's last frame in the place of ours",
            replaced(4, foreign(4)),
            vec![
                Fault::Foreign { sequence: 4, offset: offset(4) },
                Fault::OtherHead { found: other.finished.head, ledger: sample.finished.head },
            ],
        ),
        (
            "another recording",
            other.bytes.clone(),
            vec![
                Fault::OtherSession { line: "session", found: other.header.session.to_string() },
                Fault::OtherHead { found: other.finished.head, ledger: sample.finished.head },
            ],
        ),
        (
            "nothing at all",
            Vec::new(),
            vec![
                Fault::HeaderCut { have: 0 },
                Fault::OtherHead { found: Digest::of(b""), ledger: sample.finished.head },
            ],
        ),
    ];
    for (what, bytes, faults) in table {
        assert_eq!(sample.scan(&bytes).faults, faults, "{what}");
    }
}

#[test]
fn a_recording_that_was_made_again_differs_from_the_ledger() {
    // Who holds the file and the recorder's public key can write a whole chain. Only the ledger's head tells.
    let place = Place::new();
    let (real, forged) = (sample(&public(&place, "recorder"), "a", 3), sample(&public(&place, "alice"), "a", 3));
    let scan = real.scan(&forged.bytes);
    assert_eq!(scan.faults, [Fault::OtherHead { found: forged.finished.head, ledger: real.finished.head }]);
}

/// A recording that another program made, from the format's page alone.
fn golden(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/recording").join(name)).unwrap()
}

/// The sample's private key, as ssh wants it: only its owner can read it.
fn sample_key(place: &Place, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sample/keys");
    let file = place.path(&format!("sample-{name}"));
    fs::copy(keys.join(name), &file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

#[test]
fn a_recording_that_another_program_made_is_read() {
    let place = Place::new();
    let (bytes, told): (_, Value) =
        (golden("sample.jitrec"), serde_json::from_slice(&golden("expected.json")).unwrap());
    let text = |field: &str| told[field].as_str().unwrap().to_owned();
    let header = Header {
        ledger: text("ledger").parse().unwrap(),
        case: CaseId(text("case").parse().unwrap()),
        session: text("session").parse().unwrap(),
    };
    assert_eq!(header.to_bytes(), bytes[..HEADER]);
    let expected = Expected { header: Some(header), head: Some(text("head").parse().unwrap()) };
    for name in ["recorder", "rita"] {
        let mut found = scan(&mut Cursor::new(&bytes), &expected).unwrap();
        let opener = opener(&sample_key(&place, name), "");
        let agree = |share: &[u8; 32]| opener.agree(share);
        let identity = Identity { public: opener.public_key(), agree: &agree };
        let mut output = std::collections::BTreeMap::<String, String>::new();
        let mut others = Vec::new();
        reader::open_all(&mut Cursor::new(&bytes), &mut found, &identity, &mut |entry| match entry {
            Entry::Event { kind: Kind::Output, channel, text, .. } => {
                *output.entry(channel.to_string()).or_default() += text;
            }
            other => others.push(other.clone()),
        })
        .unwrap();
        assert_eq!(found.faults, []);
        assert_eq!(
            json!({ "frames": found.frames.len(), "bytes": found.size, "output": output }),
            json!({
            "frames": told["frames"], "bytes": told["bytes"], "output": told["output"] })
        );
        let event = |channel, millis, kind, text: &str| Entry::Event { channel, millis, kind, text: text.to_owned() };
        let opened = |number, size, at, command: Option<&str>, term: Option<&str>| {
            let (command, term) = (command.map(str::to_owned), term.map(str::to_owned));
            Entry::Opened(cast::Channel { number, size, timestamp: 1_795_442_400 + at / 1000, at, command, term })
        };
        assert_eq!(
            others,
            [
                opened(1, (100, 30), 0, None, Some("xterm-256color")),
                event(1, 500, Kind::Input, "l"),
                opened(7, (80, 24), 1250, Some("scp -f /var/log/queue"), None),
                event(1, 1900, Kind::Resize, "120x40"),
                event(7, 750, Kind::Mark, "12 bytes in, 4711 bytes out"),
                Entry::Closed { channel: 7, millis: 1000, exit: Some(0) },
                Entry::Closed { channel: 1, millis: 3141, exit: None },
            ]
        );
    }
}

/// The code blocks of a page, by their language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap();
    let begin = format!("```{language}\n");
    let after = text.split(&begin).skip(1);
    after.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_recipes_of_the_pages_work_as_typed() {
    if absent("the_recipes_of_the_pages_work_as_typed", &["age", "python3", "ssh-keygen", "dd", "od", "sha256sum"]) {
        return;
    }
    let place = Place::new();
    let key = place.key("recorder");
    let sample = sample(&public(&place, "recorder"), "a", 3);
    let (file, script) = (place.path("session.jitrec"), place.path("recording.py"));
    let recipe = blocks("auditor.md", "python").into_iter().find(|block| block.contains("jitf")).unwrap();
    fs::write(&script, recipe).unwrap();
    let run = |bytes: &[u8], open: bool| {
        fs::write(&file, bytes).unwrap();
        let mut command = Command::new("python3");
        command.arg(&script).arg(&file).args(open.then_some(&key));
        place.run(command)
    };
    let said = run(&sample.bytes, true).ok();
    assert!(said.err.ends_with(&format!("head {}\n", sample.finished.head)), "{}", said.told());
    assert!(said.err.contains(&format!("session {}\n", sample.header.session)), "{}", said.told());
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["version"], 2);
    assert_eq!(lines[1], json!([0.0, "o", "a 0\r\n"]));
    assert_eq!(run(&sample.bytes, false).ok().out, "");
    for at in 0..sample.bytes.len() {
        // Any byte that is changed, and any cut, is seen: the recipe has the same verdict as ours.
        if at % 83 == 0 {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= 4;
            let said = run(&bytes, false);
            assert!(said.code != 0, "byte {at}\n{}", said.told());
            assert!(run(&sample.bytes[..at], false).code != 0, "cut after {at} bytes");
        }
    }
    assert!(run(&[&sample.bytes[..], b"x"].concat(), false).code != 0);

    // By hand: the first frame.
    let recipe = blocks("format.md", "sh").into_iter().find(|block| block.contains("age -d")).unwrap();
    fs::write(&file, &sample.bytes).unwrap();
    let mut command = Command::new("sh");
    command.args(["-euc", &recipe]).env("f", &file).env("key", &key);
    let variables = [("f", file.as_os_str()), ("key", key.as_os_str())];
    let said = place.run_with(command, &place.path("home"), &variables, b"").ok();
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[0].trim_end_matches(" -").trim_end(), lines[1]);
    assert_eq!(lines[1].len(), 64);
    assert!(lines[2].starts_with("{\"version\":2,") && lines[3].contains("a 0"), "{}", said.told());
}

#[test]
fn a_file_full_of_beginnings_is_looked_through() {
    // Each claims to be a frame of the largest size. Hashing every one of them would take hours.
    let head = Head { last: false, sequence: 0, time: 1, previous: header("a").digest(), length: 1 << 20 }.to_bytes();
    let bytes = [header("a").to_bytes(), head.repeat(100_000)].concat();
    let found = scan(&mut Cursor::new(&bytes), &Expected::default()).unwrap();
    assert!(!found.faults.is_empty() && found.frames.is_empty());
}

#[test]
fn chunks_are_sealed_when_they_are_due() {
    let place = Place::new();
    let (mut sink, mut rng) = (Vec::new(), Counting(7));
    let recipient = public(&place, "recorder");
    let mut recorder = Recorder::new(&mut sink, &[recipient], &header("a"), BEGAN, &mut rng).unwrap();
    assert_eq!((recorder.due_in(0), recorder.head()), (None, header("a").digest()));
    recorder.open_channel(3, 100, &ChannelOpen::default()).unwrap();
    assert_eq!((recorder.due_in(100), recorder.due_in(700), recorder.due_in(5000)), (Some(1000), Some(400), Some(0)));
    recorder.tick(1099).unwrap();
    assert_eq!(recorder.bytes(), HEADER as u64);
    recorder.tick(1100).unwrap();
    let one = recorder.bytes();
    assert!(one > HEADER as u64 && recorder.due_in(1100).is_none());
    // A chunk that is full waits for nobody.
    recorder.output(3, 1200, &[b'x'; 40_000]).unwrap();
    assert!(recorder.bytes() > one + 32_768);
    // Wrong numbers are refused, and time does not go back.
    assert!(recorder.output(4, 1300, b"x").is_err());
    assert!(recorder.open_channel(3, 1300, &ChannelOpen::default()).is_err());
    let command = "cä".repeat(100_000);
    recorder.open_channel(4, 10, &ChannelOpen { command: Some(command.clone()), terminal: None }).unwrap();
    recorder.finish(1400).unwrap();
    let found = scan(&mut Cursor::new(&sink), &Expected::default()).unwrap();
    assert_eq!(found.faults, []);
    let opener = opener(&place.key("recorder"), "");
    let (mut read, mut opened) = (String::new(), Vec::new());
    for frame in &found.frames {
        let plain = open(&sealed(&mut Cursor::new(&sink), frame).unwrap(), &opener).unwrap();
        assert!(plain.len() < 64 * 1024);
        for entry in cast::read(&plain).unwrap() {
            match entry {
                Entry::Opened(channel) => {
                    opened.push(channel.at);
                    read += &channel.command.unwrap_or_default();
                }
                Entry::Event { kind: Kind::Mark, text, .. } => read += text.trim_start_matches("command, continued: "),
                _ => {}
            }
        }
    }
    assert_eq!(opened, [100, 1300]);
    assert_eq!(read, command);
}

/// A disk that is full: what was written in part must not be followed by anything.
struct Full(usize);

impl Sink for Full {
    fn append(&mut self, _: &[u8]) -> std::io::Result<()> {
        self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(())
    }

    fn sync(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn after_a_failure_nothing_more_is_taken() {
    let place = Place::new();
    let recipient = public(&place, "recorder");
    let mut rng = Counting(7);
    assert!(Recorder::new(Full(0), std::slice::from_ref(&recipient), &header("a"), BEGAN, &mut rng).is_err());
    let mut recorder = Recorder::new(Full(1), &[recipient], &header("a"), BEGAN, &mut rng).unwrap();
    recorder.open_channel(0, 0, &ChannelOpen::default()).unwrap();
    let full = recorder.flush(1).unwrap_err().to_string();
    assert!(full.starts_with("cannot write the recording"), "{full}");
    let closed = recorder.finish(2).unwrap_err().to_string();
    assert_eq!(closed, "the recording takes no further frame");
}

#[test]
fn a_file_cut_at_any_byte_gives_all_whole_frames_and_says_where_it_ends() {
    let place = Place::new();
    let sample = sample(&public(&place, "recorder"), "a", 4);
    let opener = opener(&place.key("recorder"), "");
    for length in 0..sample.bytes.len() {
        let bytes = &sample.bytes[..length];
        // The ledger of a session that was killed holds no head.
        let expected = Expected { header: Some(sample.header.clone()), head: None };
        let scan = scan(&mut Cursor::new(bytes), &expected).unwrap();
        let whole = (0..4).filter(|&frame| sample.frame(frame).end <= length).count();
        assert_eq!(scan.frames.len(), whole, "{length} bytes");
        let lines: Vec<String> = (0..whole).map(|at| format!("a {at}")).collect();
        assert_eq!(said(bytes, &scan, &opener), lines, "{length} bytes");
        let begins = if whole == 0 { HEADER } else { sample.frame(whole - 1).end };
        let have = (length as u64).saturating_sub(begins as u64);
        let fault = if length < HEADER {
            Fault::HeaderCut { have: length as u64 }
        } else if have == 0 {
            Fault::NoLast { after: (whole as u64).checked_sub(1) }
        } else {
            let of = (have >= HEAD as u64).then(|| sample.frame(whole).len() as u64);
            Fault::Cut { sequence: whole as u64, have, of }
        };
        assert_eq!(scan.faults, [fault], "{length} bytes");
    }
}
