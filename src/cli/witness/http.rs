//! As much of HTTP/1.1 as a witness needs: small requests with a length, answered in full, with limits on everything that
//! a stranger can make large or slow. Heads are parsed by `httparse`; TLS is the business of whatever stands before this.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// The largest head of a request, in bytes.
const HEAD: usize = 8 * 1024;
/// The most headers of a request.
const HEADERS: usize = 64;
/// The largest body, in bytes: a note with sixteen post-quantum signatures and a proof of 63 hashes have room.
pub(super) const BODY: usize = 256 * 1024;
/// How long one request may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections are served at once; one more is told to come back.
const CONNECTIONS: usize = 64;
/// How many requests one connection may bring.
const REQUESTS: usize = 1000;

/// A request that has arrived whole.
pub(super) struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The media type.
    pub media: &'static str,
    /// The body.
    pub body: String,
}

impl Response {
    /// Plain text, one line.
    pub fn line(status: u16, text: impl AsRef<str>) -> Self {
        Self { status, media: "text/plain; charset=utf-8", body: format!("{}\n", text.as_ref()) }
    }

    fn bytes(&self, keeps: bool) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            411 => "Length Required",
            413 => "Content Too Large",
            422 => "Unprocessable Entity",
            431 => "Request Header Fields Too Large",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let connection = if keeps { "keep-alive" } else { "close" };
        let allow = if self.status == 405 { "Allow: GET, POST\r\n" } else { "" };
        format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {connection}\r\n{allow}\
             X-Content-Type-Options: nosniff\r\n\r\n{}",
            self.status,
            self.media,
            self.body.len(),
            self.body
        )
        .into_bytes()
    }
}

/// A request and where its answer goes.
pub(super) struct Job {
    /// The request.
    pub request: Request,
    /// Takes the answer.
    pub reply: Sender<Response>,
}

/// Accepts connections in threads of their own; the requests come out one after the other, so that whoever answers them
/// needs no locks.
pub(super) fn listen(listener: TcpListener) -> Receiver<Job> {
    let (jobs, requests) = mpsc::channel();
    thread::spawn(move || {
        let open = Arc::new(AtomicUsize::new(0));
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                // Out of descriptors: they come back when connections end.
                thread::sleep(Duration::from_millis(50));
                continue;
            };
            let (jobs, open) = (jobs.clone(), Arc::clone(&open));
            if open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
                open.fetch_sub(1, Ordering::SeqCst);
                let _ = send(&stream, &Response::line(503, "too many connections"), false);
                continue;
            }
            let served = thread::Builder::new().stack_size(256 * 1024).spawn(move || {
                serve(&stream, &jobs);
                open.fetch_sub(1, Ordering::SeqCst);
            });
            drop(served);
        }
    });
    requests
}

fn serve(stream: &TcpStream, jobs: &Sender<Job>) {
    let _ = stream.set_nodelay(true);
    let mut left = Vec::new();
    for _ in 0..REQUESTS {
        let (request, keeps) = match receive(stream, &mut left) {
            Ok(Some(arrived)) => arrived,
            Ok(None) => return,
            Err(refusal) => {
                let _ = send(stream, &refusal, false);
                return;
            }
        };
        let (reply, answer) = mpsc::channel();
        if jobs.send(Job { request, reply }).is_err() {
            return;
        }
        let Ok(response) = answer.recv() else { return };
        if send(stream, &response, keeps).is_err() || !keeps {
            return;
        }
    }
}

fn send(mut stream: &TcpStream, response: &Response, keeps: bool) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&response.bytes(keeps))
}

/// What a head says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// How many bytes the body has.
    pub length: usize,
    /// Whether the connection stays.
    pub keeps: bool,
    /// Whether the other side waits for `100 Continue`.
    pub expects: bool,
    /// Where the body begins.
    pub end: usize,
}

/// The next request, and whether the connection stays; `None` where the other side has gone. `left`: bytes that came
/// with the request before.
fn receive(stream: &TcpStream, left: &mut Vec<u8>) -> Result<Option<(Request, bool)>, Response> {
    let end = Instant::now() + PATIENCE;
    let more = |bytes: &mut Vec<u8>| -> Result<bool, Response> {
        let patience = end.saturating_duration_since(Instant::now());
        // A zero timeout means none at all.
        if patience.is_zero() || stream.set_read_timeout(Some(patience)).is_err() {
            return Err(Response::line(408, "the request took too long"));
        }
        let mut buffer = [0_u8; 4096];
        match (&*stream).read(&mut buffer) {
            Ok(0) => Ok(false),
            Ok(count) => {
                bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(Response::line(408, "the request took too long"))
            }
            Err(_) => Ok(false),
        }
    };
    let head = loop {
        if let Some(head) = head(left)? {
            break head;
        }
        if left.len() > HEAD {
            return Err(Response::line(431, "the head of the request is too large"));
        }
        if !more(left)? {
            return Ok(None);
        }
    };
    if head.length > BODY {
        return Err(Response::line(413, format!("a request has at most {BODY} bytes")));
    }
    if head.expects {
        let _ = (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    let whole = head.end.saturating_add(head.length);
    while left.len() < whole {
        if !more(left)? {
            return Ok(None);
        }
    }
    let after = left.split_off(whole);
    let body = left.split_off(head.end);
    *left = after;
    Ok(Some((Request { method: head.method, path: head.path, body }, head.keeps)))
}

/// The head at the beginning of `bytes`; `None` where it is not whole yet.
///
/// # Errors
/// The answer to one that is none.
pub fn head(bytes: &[u8]) -> Result<Option<Head>, Response> {
    let bad = |why: &str| Response::line(400, why);
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let end = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Response::line(431, "too many headers")),
        Err(why) => return Err(bad(&format!("this is no HTTP request: {why}"))),
    };
    let (Some(method), Some(path), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(bad("this is no HTTP request"));
    };
    let mut length = None;
    let (mut keeps, mut expects) = (version == 1, false);
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).map_err(|_| bad("a header is not UTF-8"))?.trim();
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let digits = !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit());
            // Two lengths, and two readers see two requests.
            if !digits || length.is_some() {
                return Err(bad("the length of the request cannot be understood"));
            }
            length = Some(value.parse().unwrap_or(usize::MAX));
        } else if is("transfer-encoding") {
            return Err(Response::line(411, "send the request with a Content-Length"));
        } else if is("connection") {
            keeps = keeps && !value.eq_ignore_ascii_case("close");
        } else if is("expect") {
            expects = value.eq_ignore_ascii_case("100-continue");
        }
    }
    if method == "POST" && length.is_none() {
        return Err(Response::line(411, "send the request with a Content-Length"));
    }
    let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    Ok(Some(Head { method: method.to_owned(), path, length: length.unwrap_or(0), keeps, expects, end }))
}
