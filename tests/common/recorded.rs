//! A ledger with a session in it that was recorded, as a host leaves both: the recording made by the library's recorder, the host's
//! events signed with the host's key.

#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use jit::domain::decide::Intent;
use jit::domain::event::{Body, EndCause, Recording, SessionEnd, SessionStart};
use jit::domain::id::{CaseId, Digest, Nonce};
use jit::domain::key::PublicKey;
use jit::domain::time::Timestamp;
use jit::git::GitStore;
use jit::ledger::append::Outbox;
use jit::ledger::{Replay, Writer};
use jit::ports::{Clock, Store as _};
use jit::recording::{ChannelOpen, Finished, Header, Recorder, Terminal};
use jit::sign::KeyFile;

use super::common::counting::Counting;
use super::common::{Place, Said, now};

struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(i64::try_from(now()).unwrap()).unwrap()
    }
}

struct NoOutbox;

impl Outbox for NoOutbox {
    fn keep(&self, _: &str, _: &[u8]) -> Result<(), String> {
        Err("there is no remote that could fail".to_owned())
    }

    fn forget(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn kept(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        Ok(Vec::new())
    }
}

/// A ledger with one live case of alice's, and a host that says what it must.
pub struct Scene<'p> {
    pub place: &'p Place,
    pub ledger: PathBuf,
    pub case: String,
    pub recordings: PathBuf,
}

impl<'p> Scene<'p> {
    pub fn new(place: &'p Place) -> Self {
        let (ledger, _) = place.ledger("ledger", false);
        let desk = |name: &str| place.desk(name, &ledger);
        let case = desk("alice").opens("30m");
        desk("bob").approves(&case).ok();
        desk("dave").approves(&case).ok();
        desk("minter").mints().ok();
        let recordings = place.path("recordings");
        fs::create_dir_all(recordings.join(&case)).unwrap();
        Self { place, ledger, case, recordings }
    }

    /// The host says something of the case.
    pub fn says(&self, make: impl Fn(u64) -> Body) {
        let store = GitStore::open(&self.ledger).unwrap();
        let mut replay = Replay::of(&store, store.head().unwrap().unwrap()).unwrap();
        let case = self.case_of(&replay);
        let serial = replay.state().case(&case).unwrap().access().unwrap().issued.last().unwrap().serial;
        let signer = KeyFile::read(&self.place.key("db1")).unwrap().unlock(&mut |_| unreachable!()).unwrap();
        let (clock, outbox) = (RealClock, NoOutbox);
        let writer = Writer {
            store: &store,
            remote: None,
            post: None,
            outbox: &outbox,
            clock: &clock,
            wait: &|_: Duration| unreachable!(),
        };
        let body = make(serial);
        let mut draft = |_: &Replay, _: Timestamp| {
            let actor = "db1".parse().unwrap();
            Ok(Intent { actor, case: Some(case), body: body.clone(), files: BTreeMap::new() })
        };
        writer.append(&mut replay, &mut draft, &signer, &mut Counting(now())).unwrap();
    }

    fn case_of(&self, replay: &Replay) -> CaseId {
        replay.state().cases().map(|case| case.id()).find(|id| id.short() == self.case).unwrap()
    }

    pub fn header(&self, session: &Nonce) -> Header {
        let store = GitStore::open(&self.ledger).unwrap();
        let replay = Replay::of(&store, store.head().unwrap().unwrap()).unwrap();
        Header { ledger: replay.state().ledger().unwrap(), case: self.case_of(&replay), session: session.clone() }
    }

    /// A session begins, which is recorded in the file.
    pub fn begins(&self, name: &str) -> (Nonce, PathBuf) {
        let session = Nonce::from_random(Digest::of(name.as_bytes()).as_bytes()[..16].try_into().unwrap());
        self.says(|serial| {
            Body::SessionStart(SessionStart {
                session: session.clone(),
                serial,
                login: "readonly".into(),
                source: "192.0.2.7".into(),
                command: None,
                recording: Recording::On,
            })
        });
        let file = self.recordings.join(&self.case).join(format!("{session}.jitrec"));
        (session, file)
    }

    pub fn ends(&self, session: &Nonce, finished: Option<Finished>) {
        self.says(|_| {
            Body::SessionEnd(SessionEnd {
                session: session.clone(),
                cause: EndCause::Exit,
                exit_code: Some(0),
                recording: finished.map(|finished| finished.head),
                bytes: finished.map_or(0, |finished| finished.bytes),
            })
        });
    }

    /// A whole session: what `act` records.
    pub fn session(&self, name: &str, act: impl FnOnce(&mut Recorder<'_, File>)) -> (Nonce, PathBuf) {
        let (session, file) = self.begins(name);
        let (sink, mut rng) = (File::create_new(&file).unwrap(), Counting(1));
        let recorder = public(self.place, "recorder");
        let mut recorder = Recorder::new(sink, &[recorder], &self.header(&session), now() * 1000, &mut rng).unwrap();
        act(&mut recorder);
        let finished = recorder.finish(60_000).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().len(), finished.bytes);
        self.ends(&session, Some(finished));
        (session, file)
    }

    /// Plays it with the recorder's key.
    #[track_caller]
    pub fn plays(&self, arguments: &[&str]) -> Said {
        let (recordings, identity) = (self.recordings.display().to_string(), self.place.key("recorder"));
        let mut all = vec!["play", &self.case, "--recordings", &recordings];
        let identity = identity.display().to_string();
        all.extend(["--identity", &identity]);
        all.extend(arguments);
        self.place.desk("rita", &self.ledger).jit(&all)
    }
}

/// Somebody's public key.
pub fn public(place: &Place, name: &str) -> PublicKey {
    place.public_key(name).parse().unwrap()
}

/// A shell at a terminal of 80 × 24.
pub fn shell() -> ChannelOpen {
    ChannelOpen { command: None, terminal: Some(Terminal { term: "xterm".into(), columns: 80, rows: 24 }) }
}
