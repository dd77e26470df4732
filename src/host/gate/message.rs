//! What a gate and its recorder say to each other: one JSON object a line over the session's Unix socket. The gate's
//! first line comes with its file descriptors (SCM_RIGHTS, unix(7)). Both sides take the other's bytes for what they are:
//! bytes from outside. Imports nothing of ours.

use std::io::{self, IoSlice, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage};
use rustix::net::{SendFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Which form of these messages this is.
pub const VERSION: u32 = 1;

/// The longest line, in bytes: a command of 128 KiB, every byte of it escaped.
const LONGEST: usize = 1024 * 1024;

/// The most descriptors that come with a line.
const DESCRIPTORS: usize = 6;

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromGate {
    /// A channel wants to begin. With a terminal two descriptors come along: the client's terminal, and the master of the
    /// shell's. Without one six: the client's stdin, stdout, stderr, and the other ends of the shell's.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// TERM, where there is a terminal.
        term: Option<String>,
        /// The command; `None` for a shell. What is not UTF-8 in it is replaced.
        command: Option<String>,
    },
    /// The shell or command runs.
    Started {
        /// Its number.
        pid: u32,
    },
    /// The client's terminal has another size.
    Resized,
    /// The shell or command is over.
    Exited {
        /// Its exit code, or 128 and the number of the signal that ended it.
        code: u8,
    },
}

/// What the recorder says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum FromRecorder {
    /// The channel is open: the shell may start.
    Ready {
        /// Its number in the recording.
        channel: u32,
    },
    /// It is not opened.
    Refused {
        /// Why.
        why: String,
    },
    /// Everything that was said has been passed on and recorded: the gate may go.
    Done,
}

/// Why the other side is not understood.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Its line is no message.
    #[error("no message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its line does not end.
    #[error("a line of more than {LONGEST} bytes")]
    TooLong,
}

/// One message as a line.
///
/// # Errors
/// Never in practice: these types have a form in JSON.
pub fn line(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// Says `message` and hands over `descriptors` with it.
///
/// # Errors
/// Where the other side is gone.
pub fn send(stream: &mut UnixStream, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let line = line(message)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // The descriptors go with the first byte; a long line may need more than one call.
    let sent = sendmsg(stream.as_fd(), &[IoSlice::new(&line)], &mut control, SendFlags::NOSIGNAL)?;
    stream.write_all(line.get(sent..).unwrap_or_default())
}

/// Bytes that came, as lines.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// What came along.
    pub descriptors: Vec<OwnedFd>,
}

impl Inbox {
    /// Takes what there is. `false` where the other side has closed.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] where there is nothing yet on a stream that does not wait.
    pub fn receive(&mut self, stream: &UnixStream) -> io::Result<bool> {
        let mut piece = [0; 8192];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut into = [io::IoSliceMut::new(&mut piece)];
        let got = recvmsg(stream.as_fd(), &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                // More than belong to a channel are closed here.
                let room = DESCRIPTORS.saturating_sub(self.descriptors.len());
                self.descriptors.extend(descriptors.take(room));
            }
        }
        self.bytes.extend_from_slice(piece.get(..got.bytes).unwrap_or_default());
        Ok(got.bytes > 0)
    }

    /// The next message, where a whole line is there.
    ///
    /// # Errors
    /// Where the line is none, or does not end.
    pub fn message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, MessageError> {
        let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') else {
            return if self.bytes.len() > LONGEST { Err(MessageError::TooLong) } else { Ok(None) };
        };
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Ok(Some(serde_json::from_slice(&line)?))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_line_and_its_descriptors_arrive_together() {
        let (mut gate, recorder) = UnixStream::pair().expect("a pair of sockets");
        let (mut reader, writer) = io::pipe().expect("a pipe");
        // Longer than what one call takes.
        let command = Some("\u{1}".repeat(20_000));
        let hello = FromGate::Hello { version: VERSION, term: None, command };
        let sent = hello.clone();
        let sender = std::thread::spawn(move || {
            send(&mut gate, &sent, &[writer.as_fd()]).expect("sent");
            send(&mut gate, &FromGate::Resized, &[]).expect("sent");
        });
        let mut inbox = Inbox::default();
        let mut said = Vec::new();
        while inbox.receive(&recorder).expect("received") {
            while let Some(message) = inbox.message::<FromGate>().expect("a message") {
                said.push(message);
            }
        }
        sender.join().expect("no panic");
        assert_eq!(said, [hello, FromGate::Resized]);
        let [descriptor] = <[OwnedFd; 1]>::try_from(inbox.descriptors).expect("one descriptor");
        assert_eq!(rustix::io::write(&descriptor, b"through"), Ok(7));
        drop(descriptor);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("read");
        assert_eq!(text, "through");
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        for bytes in [&b"\n"[..], b"{}\n", b"{\"say\":\"exited\",\"code\":256}\n", b"\xff\n", b"{\"say\":\"x\"}\n"] {
            let mut inbox = Inbox { bytes: bytes.to_vec(), descriptors: Vec::new() };
            assert!(inbox.message::<FromGate>().is_err(), "{bytes:?}");
        }
        let mut inbox = Inbox { bytes: vec![b' '; LONGEST + 1], descriptors: Vec::new() };
        assert!(matches!(inbox.message::<FromGate>(), Err(MessageError::TooLong)));
    }
}
