//! The two sides of a channel, as the gate makes them: the client's descriptors, and a terminal of its own or pipes for
//! the shell. pty(7), termios(3). Imports nothing of ours.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;

use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// What the shell gets, and what the recorder gets.
pub struct Ends {
    /// The shell's stdin, stdout and stderr.
    pub inner: [OwnedFd; 3],
    /// The other ends of these: one for a terminal, three for pipes.
    far: Vec<OwnedFd>,
    /// The name of the shell's terminal; `None` for pipes.
    pub terminal: Option<OsString>,
}

impl Ends {
    /// A terminal where the client has one, with its modes and size; else pipes.
    ///
    /// # Errors
    /// Where the system gives none.
    pub fn make() -> io::Result<Self> {
        let client = rustix::stdio::stdin();
        if rustix::termios::isatty(client) && rustix::termios::isatty(rustix::stdio::stdout()) {
            Self::terminal(client)
        } else {
            Self::pipes()
        }
    }

    fn terminal(client: BorrowedFd<'_>) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        // By the master itself: the name could be another terminal's in another mount namespace.
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        // The client's modes (its erase character, UTF-8, …) were set on its terminal by sshd.
        tcsetattr(&slave, OptionalActions::Now, &tcgetattr(client)?)?;
        rustix::termios::tcsetwinsize(&slave, rustix::termios::tcgetwinsize(client)?)?;
        Ok(Self {
            inner: [slave.try_clone()?, slave.try_clone()?, slave],
            far: vec![master],
            terminal: Some(OsString::from_vec(name.into_bytes())),
        })
    }

    fn pipes() -> io::Result<Self> {
        let (stdin, to_stdin) = io::pipe()?;
        let (from_stdout, stdout) = io::pipe()?;
        let (from_stderr, stderr) = io::pipe()?;
        Ok(Self {
            inner: [stdin.into(), stdout.into(), stderr.into()],
            far: vec![to_stdin.into(), from_stdout.into(), from_stderr.into()],
            terminal: None,
        })
    }

    /// What the recorder is handed: the client's side, then the far ends of the shell's.
    pub fn handed_over(&self) -> Vec<BorrowedFd<'_>> {
        use rustix::stdio::{stderr, stdin, stdout};
        let client = if self.terminal.is_some() { vec![stdin()] } else { vec![stdin(), stdout(), stderr()] };
        client.into_iter().chain(self.far.iter().map(|end| end.as_fd())).collect()
    }
}

/// The client's terminal in raw mode: every key goes through to the shell's terminal, which alone gives them a meaning.
/// As it was before, when dropped.
pub struct Terminal(Option<(Termios, OFlags)>);

impl Terminal {
    /// Sets the client's terminal raw, where there is one.
    ///
    /// # Errors
    /// Where it cannot be set.
    pub fn raw(ends: &Ends) -> io::Result<Self> {
        if ends.terminal.is_none() {
            return Ok(Self(None));
        }
        let client = rustix::stdio::stdin();
        let before = tcgetattr(client)?;
        let flags = rustix::fs::fcntl_getfl(client)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(client, OptionalActions::Now, &raw)?;
        Ok(Self(Some((before, flags))))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some((before, flags)) = &self.0 {
            let client = rustix::stdio::stdin();
            // The recorder made it one that does not wait, for whoever else has it open too.
            let _ = rustix::fs::fcntl_setfl(client, *flags);
            let _ = tcsetattr(client, OptionalActions::Now, before);
        }
    }
}
