//! The system's log: one datagram a line to `/dev/log`, in the form that every syslog daemon and journald read (RFC 3164).
//! Where nobody listens, nothing is said: the log never decides anything. Imports nothing of ours.

use std::os::unix::net::UnixDatagram;

/// Facility `authpriv` (10), severities warning (4) and info (6).
const WARNING: u32 = 10 * 8 + 4;
const INFO: u32 = 10 * 8 + 6;

/// The longest line, in bytes.
const LONGEST: usize = 1024;

/// Notes something that somebody should look at.
pub fn warn(message: &str) {
    send(WARNING, message);
}

/// Notes something that happened.
pub fn info(message: &str) {
    send(INFO, message);
}

fn send(priority: u32, message: &str) {
    // One line, whatever an attacker's login name or key id holds.
    let mut line: String = message.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let cut = (0..=LONGEST.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    line.truncate(cut);
    let line = format!("<{priority}>jit[{}]: {line}", std::process::id());
    if let Ok(socket) = UnixDatagram::unbound() {
        // A log that is full must not hold up a login.
        let _ = socket.set_nonblocking(true);
        let _ = socket.send_to(line.as_bytes(), "/dev/log");
    }
}
