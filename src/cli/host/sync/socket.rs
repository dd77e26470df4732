//! The socket on which the root parts ask: one JSON line each way. Only root and the daemon's own user are heard.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::host::wire::{Answer, Ask, LIMIT};
use crate::host::{Config, HostError, files};

/// How long somebody may take to say what they want.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the first question waits for others, so that many logins at once become one push.
const GATHER: Duration = Duration::from_millis(10);

/// Something that was asked, and who waits for the answer.
pub struct Asked {
    /// What.
    pub ask: Ask,
    answer: Sender<Answer>,
}

impl Asked {
    /// Answers. Whoever asked may be gone.
    pub fn reply(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}

/// The socket.
pub struct Socket(Receiver<Asked>);

impl Socket {
    /// Listens.
    ///
    /// # Errors
    /// Where the socket cannot be made.
    pub fn listen(config: &Config) -> Result<Self, HostError> {
        let path = config.socket();
        let failed = |cause| HostError::file(&path, cause);
        // The lock says that no other daemon runs: what lies there is left over.
        files::remove(&path)?;
        let listener = UnixListener::bind(&path).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                match stream {
                    Ok(stream) => {
                        let sender = sender.clone();
                        thread::spawn(move || serve(stream, &sender));
                    }
                    // Out of descriptors: whoever waits is served once there are some.
                    Err(_) => thread::sleep(Duration::from_millis(50)),
                }
            }
        });
        Ok(Self(receiver))
    }

    /// What is asked until `end`; returns as soon as something was, with everything that came with it.
    pub fn wait(&self, end: Instant) -> Vec<Asked> {
        let mut asked = Vec::new();
        let Ok(first) = self.0.recv_timeout(end.saturating_duration_since(Instant::now())) else {
            // Where nobody can ask any more the listener is gone; waiting on keeps the mirror alive.
            thread::sleep(end.saturating_duration_since(Instant::now()));
            return asked;
        };
        asked.push(first);
        let gathered = Instant::now() + GATHER;
        while let Ok(more) = self.0.recv_timeout(gathered.saturating_duration_since(Instant::now())) {
            asked.push(more);
        }
        asked
    }
}

fn serve(stream: UnixStream, sender: &Sender<Asked>) {
    let Ok(peer) = rustix::net::sockopt::socket_peercred(&stream) else { return };
    if !peer.uid.is_root() && peer.uid != rustix::process::geteuid() {
        return;
    }
    let set = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    let Ok(reading) = set.and_then(|()| stream.try_clone()) else { return };
    let mut line = String::new();
    let answer = match BufReader::new(reading.take(LIMIT)).read_line(&mut line).map(|_| serde_json::from_str(&line)) {
        Ok(Ok(ask)) => {
            let (answer, wait) = channel();
            if sender.send(Asked { ask, answer }).is_err() {
                return;
            }
            let Ok(answer) = wait.recv() else { return };
            answer
        }
        Ok(Err(error)) => Answer::Refused { why: error.to_string() },
        Err(_) => return,
    };
    let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
    bytes.push(b'\n');
    let mut stream = stream;
    let _ = stream.write_all(&bytes);
}
