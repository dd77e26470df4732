//! One direction of a channel: bytes from one descriptor to another. Nothing is read while anything waits to be written,
//! so that no more than one piece is ever held, and a slow side slows the other one down. Imports nothing of ours.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::Shutdown;

/// The most that is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// How much is still taken from a terminal once its shell has ended, in bytes. What a job in the background writes on and
/// on is not waited for.
const LAST: usize = 1024 * 1024;

/// What reading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// There are bytes to be passed on.
    Bytes,
    /// Nothing yet.
    Nothing,
    /// There will be nothing more.
    End,
}

/// What writing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// All is written.
    All,
    /// The other side takes no more for now.
    Waiting,
    /// The other side takes no more at all.
    Broken,
}

/// One direction.
pub struct Flow {
    from: Option<OwnedFd>,
    to: Option<OwnedFd>,
    buffer: Vec<u8>,
    /// How much of the buffer is written.
    written: usize,
    /// How much may still be read, once only what is there already counts.
    last: Option<usize>,
    /// How many bytes came, all in all.
    pub bytes: u64,
}

impl Flow {
    /// From one descriptor to another; both are set not to wait.
    ///
    /// # Errors
    /// Where one is none that this can be said of.
    pub fn new(from: OwnedFd, to: OwnedFd) -> std::io::Result<Self> {
        for end in [&from, &to] {
            let flags = rustix::fs::fcntl_getfl(end)?;
            rustix::fs::fcntl_setfl(end, flags | rustix::fs::OFlags::NONBLOCK)?;
        }
        Ok(Self { from: Some(from), to: Some(to), buffer: Vec::with_capacity(PIECE), written: 0, last: None, bytes: 0 })
    }

    /// What to wait for; nothing where it is over.
    pub fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        if self.is_empty() {
            Some((self.from.as_ref()?.as_fd(), PollFlags::IN))
        } else {
            Some((self.to.as_ref()?.as_fd(), PollFlags::OUT))
        }
    }

    /// Where it comes from.
    pub fn from(&self) -> Option<BorrowedFd<'_>> {
        self.from.as_ref().map(OwnedFd::as_fd)
    }

    /// Where it goes.
    pub fn to(&self) -> Option<BorrowedFd<'_>> {
        self.to.as_ref().map(OwnedFd::as_fd)
    }

    /// Whether nothing waits to be written.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Whether nothing waits, and nothing will come.
    pub fn is_over(&self) -> bool {
        self.from.is_none() && self.is_empty()
    }

    /// Whether only what is there already counts.
    pub const fn is_last(&self) -> bool {
        self.last.is_some()
    }

    /// From now on, only what is there already counts.
    pub const fn take_last(&mut self) {
        self.last = Some(LAST);
    }

    /// What was read and waits to be written.
    pub fn waiting(&self) -> &[u8] {
        self.buffer.get(self.written..).unwrap_or_default()
    }

    /// Puts `bytes` of ours behind what waits.
    pub fn insert(&mut self, bytes: &[u8]) {
        if self.to.is_some() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Reads, where nothing waits.
    pub fn fill(&mut self) -> Filled {
        let Some(from) = &self.from else { return Filled::End };
        if !self.is_empty() {
            return Filled::Bytes;
        }
        if self.last == Some(0) {
            return Filled::End;
        }
        match rustix::io::read(from, rustix::buffer::spare_capacity(&mut self.buffer)) {
            // EIO: the other side of a terminal is closed (pty(7)).
            Ok(0) => Filled::End,
            Ok(count) => {
                self.bytes = self.bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                self.last = self.last.map(|left| left.saturating_sub(count));
                Filled::Bytes
            }
            Err(Errno::AGAIN) if self.last.is_some() => Filled::End,
            Err(Errno::AGAIN | Errno::INTR) => Filled::Nothing,
            Err(_) => Filled::End,
        }
    }

    /// Writes what waits.
    pub fn drain(&mut self) -> Drained {
        let Some(to) = &self.to else { return Drained::Broken };
        while !self.waiting().is_empty() {
            match rustix::io::write(to, self.buffer.get(self.written..).unwrap_or_default()) {
                Ok(count) => self.written = self.written.saturating_add(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Drained::Waiting,
                Err(_) => return Drained::Broken,
            }
        }
        self.buffer.clear();
        self.written = 0;
        Drained::All
    }

    /// Nothing will come: the other side is told, once what waits is written.
    pub fn end(&mut self) {
        self.from = None;
        if self.is_empty()
            && let Some(to) = self.to.take()
        {
            // sshd's stdin and stdout are one socket: closing this copy alone would tell it nothing.
            let _ = rustix::net::shutdown(&to, Shutdown::Write);
        }
    }

    /// The other side takes no more: this side is told.
    pub fn break_off(&mut self) {
        if let Some(from) = self.from.take() {
            let _ = rustix::net::shutdown(&from, Shutdown::Read);
        }
        self.close();
    }

    /// Lets go of both sides.
    pub fn close(&mut self) {
        (self.from, self.to) = (None, None);
        self.buffer.clear();
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn a_slow_side_holds_the_other_up_and_nothing_is_lost() {
        let (from, mut source) = std::io::pipe().expect("a pipe");
        let (mut target, to) = std::io::pipe().expect("a pipe");
        let mut flow = Flow::new(from.into(), to.into()).expect("a flow");
        let sent: Vec<u8> = (0..400_000_u32).map(|n| (n % 251).to_le_bytes()[0]).collect();
        let writer = std::thread::spawn({
            let sent = sent.clone();
            move || source.write_all(&sent)
        });
        let mut got = Vec::new();
        let mut held = 0;
        loop {
            match flow.fill() {
                Filled::Bytes => {
                    while flow.drain() == Drained::Waiting {
                        held += 1;
                        assert!(flow.waiting().len() <= PIECE);
                        let mut piece = vec![0; 10_000];
                        let count = target.read(&mut piece).expect("read");
                        got.extend_from_slice(&piece[..count]);
                    }
                }
                Filled::Nothing => std::thread::yield_now(),
                Filled::End => break,
            }
        }
        flow.end();
        assert!(flow.is_over());
        target.read_to_end(&mut got).expect("its end");
        assert!(got == sent, "not what was sent");
        assert!(held > 0, "the slow side was never full");
        assert_eq!(flow.bytes, 400_000);
        writer.join().expect("no panic").expect("written");
    }

    #[test]
    fn who_closes_is_noticed_on_the_other_side() {
        let (from, mut source) = std::io::pipe().expect("a pipe");
        let (target, to) = std::io::pipe().expect("a pipe");
        let mut flow = Flow::new(from.into(), to.into()).expect("a flow");
        drop(target);
        source.write_all(b"x").expect("written");
        assert_eq!(flow.fill(), Filled::Bytes);
        assert_eq!(flow.drain(), Drained::Broken);
        flow.break_off();
        assert_eq!(source.write_all(b"x").map_err(|error| error.kind()), Err(std::io::ErrorKind::BrokenPipe));
        assert!(flow.is_over() && flow.interest().is_none());
    }
}
