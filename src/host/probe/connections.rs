//! Network sockets of the login that no session's process holds: `/proc/net/{tcp,tcp6,udp,udp6}`, which name the user and
//! the number of each socket. Source: the kernel's Documentation/networking/proc_net_tcp.rst.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::session_file::SessionFile;
use super::super::{Config, HostError};
use super::processes::sockets_of_sessions;
use super::{Finding, Places, list};

/// TCP states in which nobody holds the socket any more, only the kernel: FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE,
/// LAST_ACK, CLOSING, NEW_SYN_RECV.
const CLOSING: [&str; 7] = ["04", "05", "06", "07", "09", "0B", "0C"];

pub fn look(config: &Config, places: &Places, session: &SessionFile) -> Result<Finding, HostError> {
    if session.uid == 0 {
        return Ok(Finding::failed("the login is root: its connections cannot be told from the system's"));
    }
    let mut sockets = Vec::new();
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        // As this process sees it, through its own network namespace.
        let path = places.proc.join("net").join(table);
        match fs::read_to_string(&path) {
            Ok(text) => sockets.extend(text.lines().skip(1).filter_map(|line| Socket::parse(table, line))),
            // A kernel without IPv6 has no such connections.
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound && table.ends_with('6') => {}
            Err(cause) => return Err(HostError::file(path, cause)),
        }
    }
    sockets.retain(|socket| socket.uid == session.uid && !socket.is_orphan);
    if !sockets.is_empty() {
        let others = sockets_of_sessions(config, places)?;
        sockets.retain(|socket| !others.contains_key(&socket.inode));
    }
    if sockets.is_empty() {
        return Ok(Finding::clear(format!("no connection of {} outside of a session", session.login)));
    }
    let lines: Vec<String> = sockets.iter().map(Socket::line).collect();
    Ok(Finding::found(list(&format!("connections of {} outside of a session", session.login), &lines)))
}

/// One line of a table.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    table: &'static str,
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    uid: u32,
    inode: u64,
    is_orphan: bool,
}

impl Socket {
    /// `sl local remote st tx:rx tr:when retrnsmt uid timeout inode …`
    fn parse(table: &'static str, line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, remote, state) = (fields.next()?, fields.next()?, fields.next()?);
        let uid = fields.nth(3)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok()?;
        let is_orphan = inode == 0 && table.starts_with("tcp") && CLOSING.contains(&state);
        Some(Self { table, local: address(local), remote: address(remote), uid, inode, is_orphan })
    }

    fn line(&self) -> String {
        let said = |address: Option<SocketAddr>| address.map_or_else(|| "?".to_owned(), |address| address.to_string());
        format!("{} {} to {}", self.table, said(self.local), said(self.remote))
    }
}

/// `0100007F:0016`: the address as 32-bit words in this machine's order, the port as a number.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..host.len()).step_by(8) {
        bytes.extend(u32::from_str_radix(host.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    }
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernels_own_page() {
        // proc_net_tcp.rst: "46: 010310AC:9C4C 030310AC:1770 01 00000150:00000000 01:00000019 00000000 1000 0 54165785 4 cd1e6040 …"
        let line = "  46: 010310AC:9C4C 030310AC:1770 01 00000150:00000000 01:00000019 00000000  1000        0 54165785 4 cd1e6040 25 4 27 3 -1";
        let socket = Socket::parse("tcp", line).unwrap();
        assert_eq!((socket.uid, socket.inode, socket.is_orphan), (1000, 54_165_785, false));
        if cfg!(target_endian = "little") {
            assert_eq!(socket.line(), "tcp 172.16.3.1:40012 to 172.16.3.3:6000");
        }
        assert_eq!(Socket::parse("tcp", "46: 010310AC"), None);
        assert_eq!(address("00000000000000000000000001000000:0016").map(|it| it.port()), Some(22));
        assert_eq!(address("zz:1"), None);
    }
}
