//! `jit witness serve`: the witness's side of C2SP tlog-witness. It cosigns for any log whose key it was given, our ledgers'
//! and others', and sees only what is submitted: whether a log grows, not what is in it.

use std::net::{SocketAddr, TcpListener};

use serde_json::json;

use super::super::context::{Context, Freshness};
use super::super::error::CliError;
use super::super::{Exit, Outcome};
use super::Who;
use super::http::{self, Request, Response};
use super::state::{CosignError, Witness};
use crate::domain::id::Digest;
use crate::domain::text::visible;
use crate::ledger::checkpoints;
use crate::merkle::witness::WitnessRefusal;
use crate::merkle::{SignatureType, Submission, VerifierKey};

/// Answer `POST /add-checkpoint` (C2SP tlog-witness): cosign what logs submit.
///
/// It listens on this machine alone unless told otherwise, and speaks plain HTTP: put a web server with TLS before it.
/// `GET /<SHA-256 of the origin>/checkpoint` shows what was cosigned last.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who cosigns.
    #[command(flatten)]
    pub who: Who,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7380")]
    pub listen: SocketAddr,
    /// A log to cosign for, by its verifier key; may be given several times [default: the ledger's].
    #[arg(long = "log", value_name = "VKEY")]
    pub logs: Vec<VerifierKey>,
}

/// Serves until it is killed, which is safe at any moment.
///
/// # Errors
/// Where it cannot listen, or there is no key, no name or no log.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let mut logs = args.logs;
    let ledger = if logs.is_empty() { Some(context.ledger(Freshness::Local)?) } else { None };
    if let Some(ledger) = &ledger {
        let (Some(log), Some(id)) = (&ledger.policy().log, ledger.state().ledger()) else {
            return Err(CliError::refused("the policy names no log key: there is nothing to cosign").hint("--log VKEY"));
        };
        logs.push(checkpoints::log_key(&id, log)?);
    }
    if let Some(other) = logs.iter().find(|log| log.kind() != SignatureType::Ed25519) {
        return Err(CliError::usage(format!("{other} is a witness's key, not a log's"))
            .hint("--log takes a key of type 0x01: jit checkpoint --json shows a ledger's"));
    }
    let witness = args.who.open(context, ledger.as_ref())?;
    let failed = |cause: std::io::Error| {
        CliError::failed(format!("cannot listen on {}", args.listen))
            .because(cause.to_string())
            .hint("another address: --listen 127.0.0.1:PORT")
    };
    let listener = TcpListener::bind(args.listen).map_err(failed)?;
    let url = format!("http://{}", listener.local_addr().map_err(failed)?);
    let requests = http::listen(listener);
    let origins: Vec<&str> = logs.iter().map(|log| log.name().as_str()).collect();
    context.output.result(
        || json!({ "url": url, "verifier_key": witness.key().to_string(), "logs": origins }),
        || format!("{url}\n{}", witness.key()),
    )?;
    context.output.note(format!("Cosigning for {}", visible(&origins.join(", "))));
    for job in requests {
        let response = answer(context, &witness, &logs, &job.request);
        let path: String = job.request.path.chars().take(100).collect();
        context.output.detail(format!("{} {path}: {}", job.request.method, response.status));
        // Whoever asked may have gone.
        let _ = job.reply.send(response);
    }
    Ok(Exit::DONE)
}

fn answer(context: &Context, witness: &Witness, logs: &[VerifierKey], request: &Request) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/add-checkpoint") => add(context, witness, logs, &request.body),
        ("GET", path) => show(context, witness, logs, path),
        ("POST", _) => Response::line(404, "there is nothing here"),
        _ => Response::line(405, "this is not how a witness is asked"),
    }
}

/// `add-checkpoint`, the statuses in the order of the specification.
fn add(context: &Context, witness: &Witness, logs: &[VerifierKey], body: &[u8]) -> Response {
    let submission = match Submission::parse(body) {
        Ok(submission) => submission,
        Err(why) => return Response::line(400, why.to_string()),
    };
    let origin = submission.checkpoint.checkpoint().origin.as_str();
    let mut keys = logs.iter().filter(|log| log.name().as_str() == origin);
    let Some(first) = keys.next() else { return Response::line(404, "unknown log") };
    // A log that changes its key has two for a while.
    let signed = |key: &&VerifierKey| submission.checkpoint.note().signatures_of(key).next().is_some();
    let log = std::iter::once(first).chain(keys).find(signed).unwrap_or(first);
    match witness.cosign(log, &submission, context.now()) {
        Ok(line) => Response { status: 200, media: "text/plain; charset=utf-8", body: line.to_string() },
        Err(CosignError::Refused(why)) => {
            let told = refused(&why);
            if told.status == 422 {
                // "the witness MAY log the request …, as it might be proof of log misbehavior"
                context.output.warning(format!("{origin}: {why}; it was submitted:\n{submission}"));
            }
            told
        }
        Err(
            error @ (CosignError::State { .. }
            | CosignError::Damaged { .. }
            | CosignError::Sign(_)
            | CosignError::Signature(_)),
        ) => {
            context.output.warning(format!("{origin}: {error}"));
            Response::line(500, "the witness cannot sign now")
        }
    }
}

fn refused(why: &WitnessRefusal) -> Response {
    match why {
        WitnessRefusal::Signature(_) => Response::line(403, "no valid signature by a trusted key of this log"),
        WitnessRefusal::Order { .. } => Response::line(400, why.to_string()),
        WitnessRefusal::Conflict { known, .. } => {
            Response { status: 409, media: "text/x.tlog.size", body: format!("{known}\n") }
        }
        WitnessRefusal::Inconsistent(cause) => Response::line(422, format!("{why}: {cause}")),
    }
}

/// `GET /<origin hash>/checkpoint`: what was cosigned last, with the cosignature.
fn show(context: &Context, witness: &Witness, logs: &[VerifierKey], path: &str) -> Response {
    let none = || Response::line(404, "there is nothing here");
    let hash = path.strip_prefix('/').and_then(|path| path.strip_suffix("/checkpoint"));
    let is_meant = |log: &&VerifierKey| Some(Digest::of(log.name().as_str().as_bytes()).hex().as_str()) == hash;
    let Some(log) = logs.iter().find(is_meant) else { return none() };
    match witness.last(log.name().as_str()) {
        // One that was verified and, after a crash, not signed yet is not shown.
        Ok(Some(last)) if last.note().signatures_of(witness.key()).next().is_some() => {
            Response { status: 200, media: "text/plain; charset=utf-8", body: last.to_string() }
        }
        Ok(_) => none(),
        Err(error) => {
            context.output.warning(error.to_string());
            Response::line(500, "the witness cannot read what it cosigned")
        }
    }
}
