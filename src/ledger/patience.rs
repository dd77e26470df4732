//! How long somebody who writes goes on when others are faster: full jitter, and an end. Imports `ports`.

use std::time::{Duration, Instant};

use crate::ports::{Rng, RngError};

/// After this long, whoever still loses races is told so; what was signed waits in the outbox.
const LIMIT: Duration = Duration::from_secs(120);
/// The same for a daemon that has other things to do than to wait: what it cannot deliver now it delivers a moment later.
const HURRIED: Duration = Duration::from_secs(5);
/// The longest pause, in milliseconds.
const LONGEST: u64 = 3200;

/// The races lost so far.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    began: Instant,
    waited: Duration,
    lost: u32,
}

impl Patience {
    pub fn new() -> Self {
        Self { limit: LIMIT, began: Instant::now(), waited: Duration::ZERO, lost: 0 }
    }

    /// That of a daemon.
    pub fn hurried() -> Self {
        Self { limit: HURRIED, ..Self::new() }
    }

    /// How long to wait after one more lost race: between nothing and a bound that doubles from 100 ms to 3.2 s. `None`
    /// when the time is up.
    pub fn after_loss(&mut self, rng: &mut dyn Rng) -> Result<Option<Duration>, RngError> {
        self.lost = self.lost.saturating_add(1);
        if self.spent() >= self.limit {
            return Ok(None);
        }
        let pause = jitter(50_u64.saturating_mul(1 << self.lost.min(6)).min(LONGEST), rng)?;
        self.waited = self.waited.saturating_add(pause);
        Ok(Some(pause))
    }

    /// How many races were lost.
    pub const fn lost(&self) -> u32 {
        self.lost
    }

    /// The time that went by, as far as it is known: a clock that stands still does not make it endless.
    pub fn spent(&self) -> Duration {
        self.began.elapsed().max(self.waited)
    }
}

/// Between nothing and this many milliseconds.
pub fn jitter(most: u64, rng: &mut dyn Rng) -> Result<Duration, RngError> {
    let [low, high, ..] = rng.bytes16()?;
    Ok(Duration::from_millis(u64::from(u16::from_be_bytes([low, high])).saturating_mul(most) / u64::from(u16::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a counter: not random, and all over the range.
    struct Steps(u8);

    impl Rng for Steps {
        fn bytes16(&mut self) -> Result<[u8; 16], RngError> {
            self.0 = self.0.wrapping_mul(5).wrapping_add(59);
            Ok([self.0; 16])
        }

        fn bytes32(&mut self) -> Result<[u8; 32], RngError> {
            Ok([0; 32])
        }
    }

    #[test]
    fn pauses_grow_to_a_bound_and_end() {
        let (mut patience, mut rng) = (Patience::new(), Steps(7));
        let mut pauses = Vec::new();
        while let Some(pause) = patience.after_loss(&mut rng).unwrap() {
            pauses.push(pause);
            assert!(pauses.len() < 1000, "it never ends");
        }
        assert!(pauses.iter().zip(0..).all(|(pause, n)| *pause <= Duration::from_millis(100 << std::cmp::min(n, 5))));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(LONGEST)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(LONGEST / 2)));
        assert!(patience.spent() >= LIMIT && patience.spent() < LIMIT + Duration::from_millis(2 * LONGEST));
    }
}
