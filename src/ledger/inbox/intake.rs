//! The side of an inbox that takes letters in: each event is judged on top of the branch and of those before it, what
//! stands is moved in at once, and what does not is answered with its rule.
//!
//! The order is what makes it safe to kill at any moment, and to run twice at once. First the branch moves, by
//! compare-and-swap; then the answers are written; then the letters go. A letter that is found again is in the ledger (its
//! digest says so) or is answered, and is only taken away. Of two at once the slower loses the race and looks again.

use std::collections::BTreeSet;

use crate::domain::event::Kind;
use crate::domain::finding::Fault;
use crate::domain::id::{CaseId, CommitId, Digest, Name};
use crate::ports::{INBOX, Inbox, REFUSED, RemoteError, Rng, Slip, StoreError, Waiting};

use super::super::append::{AppendError, Writer, as_objects, build};
use super::super::patience::Patience;
use super::super::replay::{Replay, ReplayError};
use super::super::signed::Signed;
use super::{Answer, Letter};

/// The most letters of one round. What is left is taken in by the next one.
const ROUND: usize = 256;

/// What a round did.
#[derive(Debug, Default)]
pub struct Taken {
    /// What is in the ledger now, in order.
    pub landed: Vec<Landed>,
    /// What was refused, by the name under which it is answered.
    pub refused: Vec<(String, Fault)>,
    /// How many letters were in the ledger, or answered, already.
    pub known: usize,
    /// How many old answers were taken away.
    pub swept: usize,
    /// Letters that could not be read, and why: they lie where they lay.
    pub unread: Vec<(String, String)>,
    /// Whether there is more than one round takes.
    pub more: bool,
    /// Why this clone does not show what has landed yet, where it does not: the remote has it.
    pub behind: Option<String>,
}

/// An event that was taken in.
#[derive(Debug, Clone)]
pub struct Landed {
    /// Its digest.
    pub event: Digest,
    /// Its case.
    pub case: CaseId,
    /// Its kind.
    pub kind: Kind,
    /// Who says it.
    pub actor: Name,
    /// The commit that holds it.
    pub commit: CommitId,
}

impl Taken {
    /// Whether nothing was there to do.
    pub fn is_nothing(&self) -> bool {
        self.landed.is_empty()
            && self.refused.is_empty()
            && self.known == 0
            && self.swept == 0
            && self.unread.is_empty()
    }
}

/// A letter in its place.
struct Item {
    slip: Slip,
    events: Vec<Signed>,
}

/// What a round is about to say.
#[derive(Default)]
struct Settled {
    answers: Vec<Answer>,
    gone: Vec<Slip>,
}

impl Writer<'_> {
    /// Takes in what waits in the inbox, all in one move of the branch. `replay` stands at the new head afterwards.
    ///
    /// # Errors
    /// Where the inbox or the ledger cannot be read or written. Nothing is lost: what was not settled is found again.
    pub fn take_in(&self, replay: &mut Replay, inbox: &dyn Inbox, rng: &mut dyn Rng) -> Result<Taken, AppendError> {
        let mut patience = Patience::new();
        loop {
            let mut waiting = inbox.waiting().map_err(AppendError::Remote)?;
            match waiting.head {
                Some(head) => self.follow(replay, head)?,
                None => self.catch_up(replay)?,
            }
            let mut taken = Taken { more: waiting.letters.len() > ROUND, ..Taken::default() };
            waiting.letters.truncate(ROUND);
            let mut settled = Settled::default();
            let items = self.open(&waiting, &mut taken, &mut settled)?;
            let mut ahead = replay.clone();
            for Item { slip, events } in items {
                let mut is_settled = true;
                for signed in events {
                    is_settled &= self.take(&mut ahead, &waiting, &signed, &mut taken, &mut settled)?;
                }
                settled.gone.extend(is_settled.then_some(slip));
            }
            if !self.moves(replay, ahead, &mut taken)? {
                let Some(pause) = patience.after_loss(rng)? else {
                    let (times, seconds) = (patience.lost(), patience.spent().as_secs());
                    return Err(AppendError::Busy { times, seconds, name: None });
                };
                (self.wait)(pause);
                continue;
            }
            self.settle(inbox, settled)?;
            return Ok(taken);
        }
    }

    /// Reads the letters, in the order in which they are taken: by the time of their first event.
    fn open(&self, waiting: &Waiting, taken: &mut Taken, settled: &mut Settled) -> Result<Vec<Item>, AppendError> {
        let now = self.clock.now();
        let mut items = Vec::new();
        for slip in &waiting.letters {
            let name = slip.reference.strip_prefix(INBOX).unwrap_or_default();
            match Letter::read(as_objects(self.store), name, slip.id) {
                Ok(Ok(letter)) => items.push(Item { slip: slip.clone(), events: letter.events }),
                Ok(Err(fault)) => {
                    // Under its name it can be answered where that is a digest's.
                    if let Ok(event) = format!("sha256:{name}").parse() {
                        settled.answers.push(Answer { event, fault: fault.clone(), time: now });
                    }
                    taken.refused.push((name.to_owned(), fault));
                    settled.gone.push(slip.clone());
                }
                // Could not be read is not the same as bad.
                Err(error) => taken.unread.push((name.to_owned(), error.to_string())),
            }
        }
        items.sort_by_key(|item| {
            let time = item.events.first().map(|signed| signed.event().time);
            (time, item.slip.reference.clone())
        });
        for slip in &waiting.answers {
            match Answer::read(as_objects(self.store), slip.id) {
                Ok(Some(answer)) if !answer.is_old(now) => {}
                Ok(_) => {
                    taken.swept = taken.swept.saturating_add(1);
                    settled.gone.push(slip.clone());
                }
                Err(_) => {}
            }
        }
        Ok(items)
    }

    /// Puts one event on top of `ahead`, or says which rule it breaks. Not where neither could be done.
    fn take(
        &self,
        ahead: &mut Replay,
        waiting: &Waiting,
        signed: &Signed,
        taken: &mut Taken,
        settled: &mut Settled,
    ) -> Result<bool, AppendError> {
        let (digest, now) = (signed.digest(), self.clock.now());
        let answer = format!("{REFUSED}{}", digest.hex());
        if ahead.state().holds(signed.event(), &digest) || waiting.answers.iter().any(|slip| slip.reference == answer) {
            taken.known = taken.known.saturating_add(1);
            return Ok(true);
        }
        let fault = match self.stands(ahead, signed) {
            Ok(()) => {
                let commit = match build(self.store, ahead, signed, now) {
                    Ok(commit) => commit,
                    // Of this event alone: it must not stand in the way of the others.
                    Err(AppendError::Other(why)) => {
                        taken.unread.push((digest.hex(), why));
                        return Ok(false);
                    }
                    Err(error) => return Err(error),
                };
                match ahead.admit(as_objects(self.store), commit, now) {
                    Ok(()) => {
                        taken.landed.push(Landed {
                            event: digest,
                            case: signed.case(),
                            kind: signed.event().kind(),
                            actor: signed.event().actor.clone(),
                            commit,
                        });
                        return Ok(true);
                    }
                    Err(ReplayError::WouldBeVoid(fault)) => fault,
                    Err(error) => return Err(error.into()),
                }
            }
            Err(fault) => fault,
        };
        taken.refused.push((digest.hex(), fault.clone()));
        settled.answers.push(Answer { event: digest, fault, time: now });
        Ok(true)
    }

    /// Moves the branch to what was taken. Not where somebody else was faster.
    fn moves(&self, replay: &mut Replay, ahead: Replay, taken: &mut Taken) -> Result<bool, AppendError> {
        let Some(head) = ahead.head().filter(|head| replay.head() != Some(*head)) else { return Ok(true) };
        if let Some(remote) = self.remote {
            match remote.push(head) {
                Ok(()) => {}
                Err(RemoteError::LostRace) => return Ok(false),
                Err(cause) => return Err(AppendError::Remote(cause)),
            }
        }
        match self.store.advance(replay.head(), head, "jit: taken in") {
            Ok(()) => {}
            Err(StoreError::Moved { .. }) if self.remote.is_some() => {}
            Err(StoreError::Moved { .. }) => return Ok(false),
            Err(error) if self.remote.is_some() => taken.behind = Some(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        *replay = ahead;
        Ok(true)
    }

    fn settle(&self, inbox: &dyn Inbox, settled: Settled) -> Result<(), AppendError> {
        let (mut answers, mut said) = (Vec::new(), BTreeSet::new());
        for answer in &settled.answers {
            if said.insert(answer.event) {
                answers.push((answer.event, answer.write(self.store)?));
            }
        }
        if answers.is_empty() && settled.gone.is_empty() {
            return Ok(());
        }
        inbox.settle(&answers, &settled.gone).map_err(AppendError::Remote)
    }
}
