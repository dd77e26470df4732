//! The writer's side of an inbox: a letter is posted, and its outcome awaited.

use std::time::{Duration, Instant};

use crate::domain::id::Digest;
use crate::ports::{Post, RemoteError, Rng};

use super::super::append::{AppendError, Writer, landed, queued};
use super::super::patience::jitter;
use super::super::replay::Replay;
use super::super::signed::Signed;
use super::{LETTER_EVENTS, Letter};

/// So long nothing may come onto the branch while a letter waits: then nobody empties the inbox.
const QUIET: Duration = Duration::from_secs(20);
/// So long a letter waits at most.
const LONGEST: Duration = Duration::from_secs(90);

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// Each of its events is in the ledger, or was refused.
    Settled {
        /// Why this clone does not show it yet, where it does not.
        behind: Option<String>,
    },
    /// The remote takes no letters, or nobody has taken this one in.
    Unanswered,
}

impl Writer<'_> {
    /// Posts events as one letter and waits until each is in the ledger or refused; `replay` stands at what was seen last.
    pub(in crate::ledger) fn by_inbox(
        &self,
        replay: &mut Replay,
        post: &dyn Post,
        events: &[Signed],
        rng: &mut dyn Rng,
    ) -> Result<Posted, AppendError> {
        let (Some(first), true) = (events.first(), events.len() <= LETTER_EVENTS) else {
            return Ok(Posted::Unanswered);
        };
        let kept = |cause: RemoteError| AppendError::Queued { name: first.digest().short(), cause };
        let (name, letter) = Letter::write(self.store, events)?;
        match post.post(&name, letter) {
            // Something lies there: this letter, posted by another process of ours, or what will be swept.
            Ok(()) | Err(RemoteError::LostRace) => {}
            Err(RemoteError::Refused(_)) => return Ok(Posted::Unanswered),
            Err(cause) => return Err(kept(cause)),
        }
        let digests: Vec<Digest> = events.iter().map(Signed::digest).collect();
        let (began, mut moved, mut waited) = (Instant::now(), Instant::now(), Duration::ZERO);
        let mut asked = 0_u32;
        loop {
            let news = post.news(&digests).map_err(kept)?;
            let before = replay.head();
            let followed = news.head.map_or(Ok(()), |head| self.follow(replay, head));
            let is_answered = |digest: &Digest| news.answers.iter().any(|(known, _)| known == digest);
            if events.iter().all(|signed| landed(replay, signed).is_some() || is_answered(&signed.digest())) {
                // The remote has them, or has said no, whether or not this clone can show it.
                let behind = match followed {
                    Err(AppendError::Store(error)) => Some(error.to_string()),
                    followed => followed.map(|()| None).map_err(|error| queued(error, first))?,
                };
                return Ok(Posted::Settled { behind });
            }
            followed.map_err(|error| queued(error, first))?;
            if replay.head() != before {
                moved = Instant::now();
                waited = Duration::ZERO;
            }
            if moved.elapsed().max(waited) >= QUIET || began.elapsed() >= LONGEST {
                // Best left to nobody: whoever empties the inbox later finds that it is in the ledger already.
                let _ = post.withdraw(&name, letter);
                return Ok(Posted::Unanswered);
            }
            // At first soon: a server's hook takes it in while it is pushed. Then at most twice a second.
            let pause = jitter(100_u64 << asked.min(4), rng)?;
            asked = asked.saturating_add(1);
            waited = waited.saturating_add(pause);
            (self.wait)(pause);
        }
    }
}
