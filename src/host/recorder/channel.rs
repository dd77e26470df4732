//! One channel: its flows, and what of them the recording holds. Imports `recording` and the configuration.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::fs::{Gid, Mode, Uid};
use rustix::termios::{LocalModes, isatty, tcgetattr, tcgetwinsize, tcsetwinsize};

use super::super::Config;
use super::super::gate::message::{FromRecorder, Inbox, line};
use super::flow::{Drained, Filled, Flow};
use super::holders::{Client, is_terminal_of};
use super::journal::{Broken, Journal};
use super::transfer::Transfer;
use crate::recording::{ChannelOpen, Terminal};

/// The first flow of a channel, from the client. The others go to it: what is shown or printed, and errors.
const INPUT: usize = 0;
const OUTPUT: usize = 1;

/// How often a flow is read before another one has its turn.
const TURN: usize = 4;

/// How much of what may be a copied file is kept until it is known, in bytes.
const HELD: usize = 256 * 1024;

/// How often, and how long after one another, it is looked who else has the client's side. sshd closes its own copy of a
/// terminal only after it has started the gate.
const LOOKS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(50);

/// A channel that is open.
pub struct Channel {
    /// Its number in the recording.
    pub number: u32,
    /// Its gate.
    pub gate: UnixStream,
    /// What the gate said and was not looked at yet.
    pub inbox: Inbox,
    flows: Vec<Flow>,
    terminal: bool,
    command: Option<String>,
    content: Content,
    /// Bytes that were typed and not echoed, and are not recorded.
    unseen: u64,
    end: Option<End>,
}

/// What of the bytes is recorded.
enum Content {
    /// All.
    Whole,
    /// Their number, if the program turns out to be the one that the command names.
    Undecided { transfer: Transfer, pid: Option<u32>, answered: bool, held: Vec<(usize, Vec<u8>)> },
    /// Their number.
    Counted,
}

/// How a channel ends.
#[derive(Clone, Copy)]
enum End {
    /// What ran has ended, with this code.
    Exited(u8),
    /// Its gate is gone.
    Abandoned,
}

impl Channel {
    /// From what the gate said and handed over.
    ///
    /// # Errors
    /// Why it is no channel, for the gate.
    pub fn new(
        config: &Config,
        number: u32,
        (gate, mut inbox): (UnixStream, Inbox),
        (uid, pid): (u32, u32),
        (term, command): (Option<String>, Option<String>),
    ) -> Result<(Self, ChannelOpen), String> {
        let ends = std::mem::take(&mut inbox.descriptors);
        let terminal = term.is_some();
        let why = |error: std::io::Error| format!("what was handed over cannot be used: {error}");
        let client = Client::new(ends.get(..if terminal { 1 } else { 3 }).unwrap_or_default()).map_err(why)?;
        let flows = if terminal { terminal_flows(ends, uid) } else { piped_flows(ends) }.map_err(why)?;
        if let Some(other) = held_by_another(&client, uid, pid).map_err(why)? {
            return Err(format!("process {other} has the client's terminal or connection open too"));
        }
        let size = flows.first().and_then(Flow::from).filter(|_| terminal).map(tcgetwinsize);
        let size = size.transpose().map_err(|error| why(error.into()))?;
        let open = ChannelOpen {
            command: command.clone(),
            terminal: size.zip(term).map(|(size, term)| Terminal { term, columns: size.ws_col, rows: size.ws_row }),
        };
        let claimed = command.as_ref().filter(|_| !terminal).and_then(|command| Transfer::claimed(config, command));
        let content = claimed.map_or(Content::Whole, |transfer| Content::Undecided {
            transfer,
            pid: None,
            answered: false,
            held: Vec::new(),
        });
        Ok((Self { number, gate, inbox, flows, terminal, command, content, unseen: 0, end: None }, open))
    }

    /// Its flows, and what they wait for. What claims to be a copy passes nothing on before it is known which process to
    /// look at: on a busy machine a copy could else be half over by then, and would be recorded whole.
    pub fn interests(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>, rustix::event::PollFlags)> {
        let is_held = self.end.is_none() && matches!(self.content, Content::Undecided { pid: None, .. });
        let flows = self.flows.iter().enumerate().filter(move |_| !is_held);
        flows.filter_map(|(index, flow)| flow.interest().map(|(end, flags)| (index, end, flags)))
    }

    /// Passes on what there is in one direction.
    ///
    /// # Errors
    /// [`Broken`], here as everywhere below.
    pub fn pump(&mut self, index: usize, journal: &Journal) -> Result<(), Broken> {
        let mut turns = 0;
        loop {
            let Some(flow) = self.flows.get_mut(index) else { return Ok(()) };
            if turns == TURN && !flow.is_last() {
                return Ok(());
            }
            turns += 1;
            if flow.is_empty() {
                match flow.fill() {
                    Filled::Bytes => self.note(index, journal)?,
                    Filled::Nothing => return Ok(()),
                    Filled::End => {
                        self.over(index, index == INPUT, Flow::end);
                        return Ok(());
                    }
                }
            }
            let Some(flow) = self.flows.get_mut(index) else { return Ok(()) };
            match flow.drain() {
                Drained::All => {}
                Drained::Waiting => return Ok(()),
                Drained::Broken => {
                    self.over(index, index != INPUT, Flow::break_off);
                    return Ok(());
                }
            }
        }
    }

    /// A direction is over, by the client's doing or by the program's.
    fn over(&mut self, index: usize, by_client: bool, how: fn(&mut Flow)) {
        if self.terminal && by_client {
            // The client hung up: so does the shell's terminal, with the last copy of its other end.
            self.flows.iter_mut().for_each(Flow::close);
        } else if let Some(flow) = self.flows.get_mut(index) {
            how(flow);
        }
    }

    /// The program that runs.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn started(&mut self, started: u32, journal: &Journal) -> Result<(), Broken> {
        if let Content::Undecided { pid, .. } = &mut self.content {
            *pid = Some(started);
        }
        self.decide(journal)
    }

    /// The client's terminal has another size: so does the shell's, and it is recorded.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn resized(&mut self, journal: &Journal) -> Result<(), Broken> {
        let ends = self.flows.get(INPUT).filter(|_| self.terminal).and_then(|flow| flow.from().zip(flow.to()));
        let Some((client, shell)) = ends else { return Ok(()) };
        let Ok(size) = tcgetwinsize(client) else { return Ok(()) };
        let _ = tcsetwinsize(shell, size);
        journal.resize(self.number, size.ws_col, size.ws_row)
    }

    /// Shows the client a line of ours, where it has a terminal. It is recorded as anything that is shown.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn tell(&mut self, text: &str, journal: &Journal) -> Result<(), Broken> {
        let Some(flow) = self.flows.get_mut(OUTPUT).filter(|_| self.terminal) else { return Ok(()) };
        journal.output(self.number, text.as_bytes())?;
        flow.insert(text.as_bytes());
        // Where the client takes nothing now, it is written with the rest.
        if flow.drain() == Drained::Broken {
            flow.break_off();
        }
        Ok(())
    }

    /// What ran has ended: what it has said is passed on still.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn exited(&mut self, code: u8, journal: &Journal) -> Result<(), Broken> {
        self.end = Some(End::Exited(code));
        if let Some(input) = self.flows.get_mut(INPUT) {
            input.close();
        }
        if self.terminal {
            // What a job in the background still writes to the terminal has nobody to go to, as with sshd alone.
            self.take_last(journal)?;
        }
        Ok(())
    }

    /// The gate is gone without a word, or has to go: what was said until now is recorded, and passed on where that does
    /// not have to wait. The shell's terminal or pipes end with this.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn abandoned(&mut self, journal: &Journal) -> Result<(), Broken> {
        self.end.get_or_insert(End::Abandoned);
        self.take_last(journal)?;
        for flow in &mut self.flows {
            flow.close();
        }
        Ok(())
    }

    fn take_last(&mut self, journal: &Journal) -> Result<(), Broken> {
        for index in OUTPUT..self.flows.len() {
            if let Some(flow) = self.flows.get_mut(index) {
                flow.take_last();
            }
            self.pump(index, journal)?;
        }
        Ok(())
    }

    /// Whether it has ended and nothing is left of it.
    pub fn is_over(&self) -> bool {
        self.end.is_some() && self.flows.iter().skip(OUTPUT).all(Flow::is_over)
    }

    /// Closes it, and lets the gate go. The exit code, where it ended by itself.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn close(mut self, journal: &Journal) -> Result<Option<u8>, Broken> {
        self.note_unseen(journal)?;
        match std::mem::replace(&mut self.content, Content::Whole) {
            Content::Whole => {}
            Content::Undecided { held, .. } => self.release(held, journal)?,
            Content::Counted => {
                let bytes = |index: usize| self.flows.get(index).map_or(0, |flow| flow.bytes);
                let (command, to, from) = (self.command.as_deref().unwrap_or_default(), bytes(INPUT), bytes(OUTPUT));
                journal.mark(self.number, format!("{command}: {to} bytes in, {from} bytes out, not recorded"))?;
            }
        }
        let code = match self.end {
            Some(End::Exited(code)) => Some(code),
            Some(End::Abandoned) | None => None,
        };
        journal.close(self.number, code.map(i32::from))?;
        if code.is_some()
            && let Ok(line) = line(&FromRecorder::Done)
        {
            let _ = rustix::net::send(&self.gate, &line, rustix::net::SendFlags::NOSIGNAL);
        }
        Ok(code)
    }

    /// Records what a flow has read and has not yet written.
    fn note(&mut self, index: usize, journal: &Journal) -> Result<(), Broken> {
        let Some(flow) = self.flows.get(index) else { return Ok(()) };
        let bytes = flow.waiting();
        if index == INPUT && self.terminal && flow.to().is_some_and(is_unseen) {
            self.unseen = self.unseen.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            // The line is finished: what follows may be seen again.
            return if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                self.note_unseen(journal)
            } else {
                Ok(())
            };
        }
        match &mut self.content {
            Content::Whole => {}
            Content::Counted if index <= OUTPUT => return Ok(()),
            Content::Undecided { answered, held, .. } if index <= OUTPUT => {
                held.push((index, bytes.to_vec()));
                *answered |= index == OUTPUT;
                return self.decide(journal);
            }
            // What goes wrong with a copy is no part of the file.
            Content::Counted | Content::Undecided { .. } => {}
        }
        if index == INPUT {
            self.note_unseen(journal)?;
        }
        let Some(flow) = self.flows.get(index) else { return Ok(()) };
        record(journal, self.number, index, flow.waiting())
    }

    /// Says how much was typed without being seen.
    fn note_unseen(&mut self, journal: &Journal) -> Result<(), Broken> {
        match std::mem::take(&mut self.unseen) {
            0 => Ok(()),
            1 => journal.mark(self.number, "input not echoed: 1 byte".to_owned()),
            bytes => journal.mark(self.number, format!("input not echoed: {bytes} bytes")),
        }
    }

    /// Finds out whether the program is the one that the command names. It is by then when it has answered: the shell,
    /// which begins in its place, has nothing to say.
    fn decide(&mut self, journal: &Journal) -> Result<(), Broken> {
        let Content::Undecided { transfer, pid, answered, held } = &mut self.content else { return Ok(()) };
        let is_real = match pid {
            Some(pid) if *answered => transfer.is_run_by(*pid),
            _ if held.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > HELD => false,
            _ => return Ok(()),
        };
        let held = std::mem::take(held);
        if is_real {
            self.content = Content::Counted;
            return Ok(());
        }
        self.content = Content::Whole;
        self.release(held, journal)
    }

    fn release(&self, held: Vec<(usize, Vec<u8>)>, journal: &Journal) -> Result<(), Broken> {
        held.iter().try_for_each(|(index, bytes)| record(journal, self.number, *index, bytes))
    }
}

fn record(journal: &Journal, channel: u32, index: usize, bytes: &[u8]) -> Result<(), Broken> {
    if index == INPUT { journal.input(channel, bytes) } else { journal.output(channel, bytes) }
}

/// Whether what is typed into this terminal is not shown: line by line, without an echo, as a password is asked for. A
/// program that draws its own screen (an editor, a shell's line) echoes by itself; what is typed into it is recorded.
fn is_unseen(master: BorrowedFd<'_>) -> bool {
    // The master answers with the modes of the terminal (tty_ioctl(4)).
    let Ok(modes) = tcgetattr(master) else { return false };
    modes.local_modes.contains(LocalModes::ICANON) && !modes.local_modes.contains(LocalModes::ECHO)
}

fn terminal_flows(ends: Vec<OwnedFd>, uid: u32) -> std::io::Result<Vec<Flow>> {
    let [client, shell] = exactly(ends)?;
    if !isatty(&client) || !isatty(&shell) {
        return Err(std::io::Error::other("not two terminals"));
    }
    take_over(&client, uid)?;
    let (to_client, from_shell) = (client.try_clone()?, shell.try_clone()?);
    Ok(vec![Flow::new(client, shell)?, Flow::new(from_shell, to_client)?])
}

fn piped_flows(ends: Vec<OwnedFd>) -> std::io::Result<Vec<Flow>> {
    let [stdin, stdout, stderr, to_stdin, from_stdout, from_stderr] = exactly(ends)?;
    Ok(vec![Flow::new(stdin, to_stdin)?, Flow::new(from_stdout, stdout)?, Flow::new(from_stderr, stderr)?])
}

fn exactly<const N: usize>(ends: Vec<OwnedFd>) -> std::io::Result<[OwnedFd; N]> {
    let count = ends.len();
    ends.try_into().map_err(|_| std::io::Error::other(format!("{count} descriptors, not {N}")))
}

/// Takes the client's terminal from the login, which could open it by its name and talk past the recorder. Only what is
/// the login's own terminal: it could have handed over any file that it can read.
fn take_over(client: impl AsFd, uid: u32) -> std::io::Result<()> {
    if is_terminal_of(&client, uid)? {
        rustix::fs::fchown(&client, Some(Uid::ROOT), Some(Gid::ROOT))?;
        rustix::fs::fchmod(&client, Mode::from_raw_mode(0o600))?;
    }
    Ok(())
}

/// Looks until nobody else has it, or it is plain that somebody does.
fn held_by_another(client: &Client, uid: u32, gate: u32) -> std::io::Result<Option<u32>> {
    let mut holder = client.held_by_another(uid, gate)?;
    for _ in 1..LOOKS {
        if holder.is_some() {
            std::thread::sleep(BETWEEN);
            holder = client.held_by_another(uid, gate)?;
        }
    }
    Ok(holder)
}
