//! What takes two minutes or a day, with a clock and a patience of its own: the time for lost races ends, and nothing is
//! lost; an answer stands for a day.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use jit::domain::decide::Intent;
use jit::domain::event::Body;
use jit::domain::id::{CommitId, ObjectId};
use jit::domain::time::Timestamp;
use jit::git::{GitStore, LocalInbox};
use jit::ledger::append::{AppendError, Outbox};
use jit::ledger::{Replay, Writer};
use jit::ports::{Clock, ObjectKind, Objects, Remote, RemoteError, Store, StoreError};
use jit::sign::KeyFile;

use super::common::counting::Counting;
use super::common::{Place, absent, now};

struct At(Cell<u64>);

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.get().try_into().unwrap()).unwrap()
    }
}

/// Somebody else is always faster.
struct Lost(CommitId, Cell<u32>);

impl Remote for Lost {
    fn fetch(&self) -> Result<Option<CommitId>, RemoteError> {
        Ok(Some(self.0))
    }

    fn push(&self, _: CommitId) -> Result<(), RemoteError> {
        self.1.set(self.1.get() + 1);
        Err(RemoteError::LostRace)
    }
}

/// Takes what is pushed.
struct Taking(Cell<CommitId>);

impl Remote for Taking {
    fn fetch(&self) -> Result<Option<CommitId>, RemoteError> {
        Ok(Some(self.0.get()))
    }

    fn push(&self, commit: CommitId) -> Result<(), RemoteError> {
        self.0.set(commit);
        Ok(())
    }
}

/// A clone whose branch cannot be moved for a while.
struct Stuck<'a>(&'a GitStore, Cell<bool>);

impl Objects for Stuck<'_> {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        self.0.header(id)
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        self.0.read(id, kind, limit)
    }
}

impl Store for Stuck<'_> {
    fn head(&self) -> Result<Option<CommitId>, StoreError> {
        self.0.head()
    }

    fn write(&self, kind: ObjectKind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        self.0.write(kind, bytes)
    }

    fn advance(&self, expected: Option<CommitId>, new: CommitId, note: &str) -> Result<(), StoreError> {
        if self.1.get() {
            return Err(StoreError::Write("the disk is full".to_owned()));
        }
        self.0.advance(expected, new, note)
    }
}

#[derive(Default)]
struct Kept(RefCell<BTreeMap<String, Vec<u8>>>);

impl Outbox for Kept {
    fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.0.borrow_mut().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        self.0.borrow_mut().remove(name);
        Ok(())
    }

    fn kept(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        Ok(self.0.borrow().clone().into_iter().collect())
    }
}

#[test]
fn lost_races_end_and_the_event_waits() {
    if absent("lost_races_end_and_the_event_waits", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let case = place.desk("alice", &ledger).opens("30m");
    let store = GitStore::open(&ledger).unwrap();
    let head = store.head().unwrap().unwrap();
    let mut replay = Replay::of(&store, head).unwrap();
    let case = replay.state().cases().map(|case| case.id()).find(|id| id.short() == case).unwrap();
    let signer = KeyFile::read(&place.key("bob")).unwrap().unlock(&mut |_| unreachable!()).unwrap();
    let (remote, outbox, clock) = (Lost(head, Cell::new(0)), Kept::default(), At(Cell::new(now())));
    let waited = Cell::new(Duration::ZERO);
    let wait = |pause: Duration| waited.set(waited.get() + pause);
    let writer =
        Writer { store: &store, remote: Some(&remote), post: None, outbox: &outbox, clock: &clock, wait: &wait };
    let mut draft = |_: &Replay, _: Timestamp| {
        let body = Body::Approval { comment: None };
        Ok(Intent { actor: "bob".parse().unwrap(), case: Some(case), body, files: BTreeMap::new() })
    };
    let error = writer.append(&mut replay, &mut draft, &signer, &mut Counting(1)).unwrap_err();
    let AppendError::Busy { times, name: Some(name), .. } = &error else { panic!("{error}") };
    assert_eq!(*times, remote.1.get());
    assert!(waited.get() >= Duration::from_secs(110) && waited.get() < Duration::from_secs(130), "{:?}", waited.get());
    // Once signed, whatever was lost.
    let kept = outbox.0.borrow().clone();
    assert_eq!(kept.keys().collect::<Vec<_>>(), [name]);
    assert!(error.to_string().contains("waits in the outbox"), "{error}");
    assert_eq!(store.head().unwrap(), Some(head));

    // The race is won by nobody: it is delivered, once.
    let alone = Writer { remote: None, ..writer };
    let appended = alone.deliver_kept(&mut replay, &kept[name], &mut Counting(2)).unwrap();
    assert_eq!(appended.digest.short(), *name);
    let again = alone.deliver_kept(&mut replay, &kept[name], &mut Counting(3)).unwrap();
    assert_eq!((again.commit, again.digest), (appended.commit, appended.digest));
    assert_eq!(replay.state().size(), 3);
}

/// What the remote took has not failed, and whoever goes on, as a daemon does, does not take the clone for rewound.
#[test]
fn who_is_behind_follows_later() {
    if absent("who_is_behind_follows_later", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (ledger, _) = place.ledger("ledger", false);
    let case = place.desk("alice", &ledger).opens("30m");
    let store = GitStore::open(&ledger).unwrap();
    let head = store.head().unwrap().unwrap();
    let mut replay = Replay::of(&store, head).unwrap();
    let case = replay.state().cases().map(|case| case.id()).find(|id| id.short() == case).unwrap();
    let (remote, outbox, clock) = (Taking(Cell::new(head)), Kept::default(), At(Cell::new(now())));
    let stuck = Stuck(&store, Cell::new(true));
    let wait = |_: Duration| unreachable!();
    let writer =
        Writer { store: &stuck, remote: Some(&remote), post: None, outbox: &outbox, clock: &clock, wait: &wait };
    let approves = |replay: &mut Replay, name: &str, seed| {
        let signer = KeyFile::read(&place.key(name)).unwrap().unlock(&mut |_| unreachable!()).unwrap();
        let mut draft = |_: &Replay, _: Timestamp| {
            let body = Body::Approval { comment: None };
            Ok(Intent { actor: name.parse().unwrap(), case: Some(case), body, files: BTreeMap::new() })
        };
        writer.append(replay, &mut draft, &signer, &mut Counting(seed))
    };
    let first = approves(&mut replay, "bob", 1).unwrap();
    assert!(first.behind.as_deref().is_some_and(|why| why.contains("disk is full")), "{first:?}");
    assert_eq!((remote.0.get(), store.head().unwrap()), (first.commit, Some(head)));
    assert!(outbox.0.borrow().is_empty(), "it is known what became of it");
    // It cannot follow yet, and says that, and not that the ledger was rewritten.
    assert!(matches!(writer.catch_up(&mut replay), Err(AppendError::Store(StoreError::Write(_)))));
    stuck.1.set(false);
    writer.catch_up(&mut replay).unwrap();
    assert_eq!(store.head().unwrap(), Some(first.commit));
    let second = approves(&mut replay, "dave", 2).unwrap();
    assert_eq!((second.behind, store.head().unwrap()), (None, Some(second.commit)));
    assert_eq!(replay.state().size(), 4);
}

#[test]
fn an_answer_stands_for_a_day() {
    if absent("an_answer_stands_for_a_day", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let (remote, _) = place.ledger("remote.git", true);
    let name = "5a".repeat(32);
    place.git(&remote, &["update-ref", &format!("refs/jit/inbox/{name}"), "refs/heads/main"]);
    let store = GitStore::open(&remote).unwrap();
    let mut replay = Replay::of(&store, store.head().unwrap().unwrap()).unwrap();
    let (outbox, clock) = (Kept::default(), At(Cell::new(now())));
    let writer = Writer {
        store: &store,
        remote: None,
        post: None,
        outbox: &outbox,
        clock: &clock,
        wait: &|_: Duration| unreachable!(),
    };
    let references = || place.git(&remote, &["for-each-ref", "--format=%(refname)", "refs/jit/"]);
    let inbox = LocalInbox(&store);
    let mut takes = || writer.take_in(&mut replay, &inbox, &mut Counting(1)).unwrap();
    let taken = takes();
    assert_eq!(taken.refused.iter().map(|(name, _)| name).collect::<Vec<_>>(), [&name]);
    assert_eq!(references(), format!("refs/jit/refused/{name}"));
    let text = place.git(&remote, &["show", &format!("refs/jit/refused/{name}:answer.toml")]);
    assert!(text.contains(&format!("event = \"sha256:{name}\"")) && text.contains("code = \"C03\""), "{text}");
    clock.0.set(clock.0.get() + 24 * 3600 - 5);
    assert!(takes().is_nothing());
    clock.0.set(clock.0.get() + 5);
    assert_eq!(takes().swept, 1);
    assert_eq!(references(), "");
}
