//! Syslog over UDP (RFC 5426), over TCP with octet counting (RFC 6587) and over TLS (RFC 5425).
//!
//! Syslog has no acknowledgement. Over TCP and TLS each batch has a connection of its own, which we end after the last message
//! and which the receiver then ends, too: it does so when it has read everything. Over TLS the end must be TLS's own
//! (close_notify; RFC 5425, section 4.4, demands the answer), for a bare end of the stream can come from anybody on the way.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::super::super::error::CliError;
use super::super::destination::Address;
use super::{Means, Receiver, Refused, tls};

/// How long the network may take to say that nobody listens for datagrams.
const UNREACHABLE: Duration = Duration::from_millis(50);

fn resolve(address: &Address) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = (address.host.as_str(), address.port).to_socket_addrs()?.collect();
    if found.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")) } else { Ok(found) }
}

/// Datagrams. Whether they arrive is not known; that nobody listens may be.
pub struct UdpReceiver {
    address: Address,
}

impl UdpReceiver {
    /// A receiver at `address`.
    pub const fn new(address: Address) -> Self {
        Self { address }
    }

    fn send(&self, lines: &[String]) -> io::Result<()> {
        let mut last = io::Error::other("no address");
        for to in resolve(&self.address)? {
            let any: SocketAddr = if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
            let socket = UdpSocket::bind(any)?;
            match socket.connect(to) {
                Ok(()) => {
                    for line in lines {
                        socket.send(line.as_bytes())?;
                    }
                    // An answer of the network ("port unreachable") is told by the next call.
                    sleep(UNREACHABLE);
                    return socket.take_error()?.map_or(Ok(()), Err);
                }
                Err(cause) => last = cause,
            }
        }
        Err(last)
    }
}

impl Receiver for UdpReceiver {
    fn deliver(&mut self, lines: &[String]) -> Result<(), Refused> {
        self.send(lines).map_err(|cause| {
            Refused::passing(format!("cannot send to syslog+udp://{}", self.address), cause.to_string())
        })
    }
}

/// What makes a stream of a connection.
pub trait Wrap {
    /// Sends everything, ends our side, and waits until the other side ends.
    ///
    /// # Errors
    /// Where that does not happen in time.
    fn give(&self, socket: TcpStream, bytes: &[u8]) -> io::Result<()>;

    /// The scheme of the address.
    fn scheme(&self) -> &'static str;
}

/// As it is.
pub struct Plain;

impl Wrap for Plain {
    fn give(&self, mut socket: TcpStream, bytes: &[u8]) -> io::Result<()> {
        socket.write_all(bytes)?;
        socket.shutdown(Shutdown::Write)?;
        until_end(&mut socket)
    }

    fn scheme(&self) -> &'static str {
        "syslog+tcp"
    }
}

/// Within TLS.
pub struct Encrypted {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Encrypted {
    /// To the receiver of this name.
    ///
    /// # Errors
    /// Where certificates cannot be read, or the name is none that a certificate could have.
    pub fn new(means: &Means, host: &str) -> Result<Self, CliError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| CliError::usage(format!("{host} is no name that a certificate could have")).hint("--to"))?;
        Ok(Self { config: Arc::new(tls::config(means)?), name })
    }
}

impl Wrap for Encrypted {
    fn give(&self, socket: TcpStream, bytes: &[u8]) -> io::Result<()> {
        let connection =
            ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.write_all(bytes)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        until_end(&mut stream)
    }

    fn scheme(&self) -> &'static str {
        "syslog+tls"
    }
}

/// Reads until the other side ends; what it says is of no meaning here.
fn until_end(stream: &mut impl Read) -> io::Result<()> {
    let mut buffer = [0; 1024];
    for _ in 0..64 {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "it did not end the connection in time, so it may not have read everything",
                ));
            }
            // TLS's own end is missing; anybody on the way can make this one.
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it ended the connection without close_notify (RFC 5425, section 4.4), so it may not have read everything",
                ));
            }
            Err(cause) => return Err(cause),
        }
    }
    Err(io::Error::other("it talks and talks; a syslog receiver says nothing"))
}

/// A stream of messages, each behind its length.
pub struct StreamReceiver<W> {
    address: Address,
    timeout: Duration,
    wrap: W,
}

impl<W: Wrap> StreamReceiver<W> {
    /// A receiver at `address`.
    pub const fn new(address: Address, timeout: Duration, wrap: W) -> Self {
        Self { address, timeout, wrap }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let began = Instant::now();
        let mut last = io::Error::other("no address");
        for to in resolve(&self.address)? {
            let left = self.timeout.saturating_sub(began.elapsed()).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&to, left) {
                Ok(socket) => {
                    socket.set_read_timeout(Some(self.timeout))?;
                    socket.set_write_timeout(Some(self.timeout))?;
                    return Ok(socket);
                }
                Err(cause) => last = cause,
            }
        }
        Err(last)
    }
}

impl<W: Wrap> Receiver for StreamReceiver<W> {
    fn deliver(&mut self, lines: &[String]) -> Result<(), Refused> {
        // RFC 6587, section 3.4.1: the length in octets, a space, the message.
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(format!("{} ", line.len()).as_bytes());
            bytes.extend_from_slice(line.as_bytes());
        }
        let place = format!("{}://{}", self.wrap.scheme(), self.address);
        let socket = self
            .connect()
            .map_err(|cause| Refused::passing(format!("cannot connect to {place}"), cause.to_string()))?;
        self.wrap.give(socket, &bytes).map_err(|cause| tls::refused(format!("{place} did not take the events"), &cause))
    }
}
