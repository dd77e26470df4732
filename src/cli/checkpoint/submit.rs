//! Asks a witness to cosign (C2SP tlog-witness, the client's side). Transport is the `curl` program, as that of Git is the
//! `git` program: whatever proxies and certificates people have set up hold, and there is no TLS in this process.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use super::super::context::Context;
use super::super::error::CliError;
use crate::domain::id::Digest;
use crate::domain::text::visible;
use crate::merkle::checkpoint::parse_number;
use crate::merkle::note::parse_signatures;
use crate::merkle::{NoteSignature, SignedCheckpoint, Submission, Tree};

/// How long a witness may take, in seconds.
const PATIENCE: &str = "30";
/// The most that is read of an answer, in bytes.
const MOST: u64 = 1 << 17;
/// How often a conflict is answered with the size that the witness named: somebody else may submit at the same time.
const TRIES: usize = 4;

/// What a witness says.
pub(super) enum Answer {
    /// These lines: nothing in them is verified yet.
    Cosigned(Vec<NoteSignature>),
    /// It has cosigned a log of so many entries, which is more than there are here.
    Larger(u64),
    /// It says that the log did not only grow; the checkpoint that it cosigned last, where it shows it.
    Inconsistent(Option<SignedCheckpoint>),
}

/// `http://…` or `https://…`: where a witness takes checkpoints.
pub(super) fn url(text: &str) -> Result<String, String> {
    let expected = "expected http://… or https://…, such as https://witness.example/w1";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or(expected)?;
    if rest.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(expected.to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Submits a checkpoint of `log`, learning from the witness which size it knows.
pub(super) fn submit(
    context: &Context,
    log: &Tree,
    checkpoint: &SignedCheckpoint,
    url: &str,
) -> Result<Answer, CliError> {
    let size = checkpoint.checkpoint().size;
    // "If a client doesn't have information on the latest cosigned checkpoint, it MAY initially make a request with a
    // old size of zero to obtain it."
    let mut old = 0;
    for _ in 0..TRIES {
        let hashes = log
            .consistency_proof(old, size)
            .map_err(|why| CliError::failed("no consistency proof").because(why.to_string()))?;
        let body = Submission { old, hashes, checkpoint: checkpoint.clone() }.to_string();
        let (status, answer) = curl(context, &format!("{url}/add-checkpoint"), Some(&body))?;
        match status {
            200 => {
                let lines = parse_signatures(&answer).map_err(|why| {
                    CliError::failed("the witness's answer is no cosignature").because(why.to_string())
                })?;
                return Ok(Answer::Cosigned(lines));
            }
            409 => {
                let known = answer.strip_suffix('\n').and_then(parse_number);
                let known = known.ok_or_else(|| CliError::failed("the witness names no size (409)"))?;
                if known > size {
                    return Ok(Answer::Larger(known));
                }
                old = known;
            }
            422 => return Ok(Answer::Inconsistent(last(context, checkpoint, url))),
            status => {
                let why = match status {
                    400 => "it does not understand the request",
                    403 => "it does not take the log key's signature",
                    404 => "it does not know this log",
                    _ => "it did not cosign",
                };
                let line = answer.lines().next().unwrap_or_default();
                let line: String = line.chars().take(200).collect();
                return Err(CliError::failed(format!("{why} ({status})")).because(visible(&line)));
            }
        }
    }
    Err(CliError::failed("the witness names another size each time"))
}

/// The checkpoint that the witness cosigned last, where it shows it.
fn last(context: &Context, checkpoint: &SignedCheckpoint, url: &str) -> Option<SignedCheckpoint> {
    let origin = Digest::of(checkpoint.checkpoint().origin.as_bytes()).hex();
    let (status, body) = curl(context, &format!("{url}/{origin}/checkpoint"), None).ok()?;
    (status == 200).then(|| SignedCheckpoint::parse(body.as_bytes()).ok())?
}

/// One request; the status and the body. Redirects are not followed.
fn curl(context: &Context, url: &str, body: Option<&str>) -> Result<(u16, String), CliError> {
    let failed = |why: String| CliError::failed("the witness cannot be asked").because(why);
    let mut command = Command::new("curl");
    command.env_clear().envs(&context.environment.variables).current_dir(&context.environment.directory);
    command.args(["--disable", "--silent", "--show-error", "--proto", "=http,https", "--max-time", PATIENCE]);
    command.args(["--write-out", "\n%{http_code}"]);
    if body.is_some() {
        command.args(["--data-binary", "@-", "--header", "Content-Type: text/plain; charset=utf-8"]);
    }
    command.args(["--url", url]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => {
            CliError::failed("the curl program is not installed").hint("apt-get install curl, or your system's way")
        }
        _ => failed(cause.to_string()),
    })?;
    // At most a note and a proof: they fit into the pipe's reader's hands, and curl reads all before it sends.
    if let (Some(mut stdin), Some(body)) = (child.stdin.take(), body) {
        let _ = stdin.write_all(body.as_bytes());
    }
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MOST).read_to_end(&mut bytes).map_err(|cause| failed(cause.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|cause| failed(cause.to_string()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("curl: ").to_owned();
        return Err(failed(visible(&why)));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed("its answer is not UTF-8".to_owned()))?;
    let (body, status) = text.rsplit_once('\n').ok_or_else(|| failed("its answer is too large".to_owned()))?;
    let status = status.parse().map_err(|_| failed("its answer is too large".to_owned()))?;
    Ok((status, body.to_owned()))
}
