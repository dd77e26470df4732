//! `jit audit check`: proofs and checkpoints, checked with nothing but the file and the keys that are trusted. No ledger, no
//! network, no clock.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::context::Context;
use super::super::error::CliError;
use super::super::output::count;
use super::super::{Exit, Outcome};
use crate::domain::id::Digest;
use crate::domain::key::PublicKey;
use crate::domain::text::visible;
use crate::merkle::checkpoint::{encode_hash, parse_hash};
use crate::merkle::tlog_proof::{EXTENSION, HEADER, MAX_BYTES};
use crate::merkle::{
    Cosignature, SignatureType, SignedCheckpoint, Submission, TlogProof, VerifierKey, verify_consistency,
};

mod extra;

use extra::Extra;

/// Check a proof or a checkpoint with nothing but the file and the keys that you trust: no ledger, no network.
///
/// It takes what `jit audit prove`, `jit audit consistency` and `jit checkpoint` write. Exits with 4 for one that does not
/// hold, and with 1 where it could not be checked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The files, or folders of .tlog-proof files.
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// The log's key: a verifier key (jit/…+…), an OpenSSH public key, or a file with one of them.
    #[arg(long, value_name = "KEY", required = true)]
    pub log_key: String,
    /// A witness's verifier key, or a file with it; may be given several times.
    #[arg(long = "witness", value_name = "VKEY")]
    pub witnesses: Vec<String>,
    /// How many of the witnesses must have cosigned [default: all of them].
    #[arg(long, value_name = "N")]
    pub quorum: Option<usize>,
    /// The older checkpoint of a consistency proof.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub old: Option<PathBuf>,
    /// The older root of a consistency proof, in base64 or as sha256:….
    #[arg(long, value_name = "ROOT", conflicts_with = "old")]
    pub old_root: Option<String>,
}

/// What is trusted.
struct Trust {
    log: LogKey,
    witnesses: Vec<VerifierKey>,
    quorum: usize,
    old: Option<Old>,
}

enum LogKey {
    /// Of one log.
    Named(VerifierKey),
    /// Of whatever log the file is of.
    Key(PublicKey),
}

/// What is known of the older log.
struct Old {
    size: Option<u64>,
    root: Digest,
}

/// What was found of a file.
struct Checked {
    file: String,
    /// Why it does not hold; none where it does.
    faults: Vec<String>,
    object: Value,
    says: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// Where a file or a key cannot be read: it could not be checked.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let trust = trust(context, args)?;
    let mut checked = Vec::new();
    for file in files(context, &args.files)? {
        checked.push(check(&file, &trust)?);
    }
    let ok = checked.iter().all(|checked| checked.faults.is_empty());
    let objects = || -> Vec<Value> {
        let told = checked.iter().map(|checked| {
            let mut object = checked.object.clone();
            if let Some(map) = object.as_object_mut() {
                map.insert("file".into(), checked.file.clone().into());
                map.insert("ok".into(), checked.faults.is_empty().into());
                map.insert("faults".into(), json!(checked.faults));
            }
            object
        });
        told.collect()
    };
    context.output.result(
        || json!({ "ok": ok, "checked": objects() }),
        || {
            let mut text = String::new();
            for checked in &checked {
                let good = checked.faults.is_empty();
                let verdict = if good { context.output.green("good") } else { context.output.red("BAD") };
                text.push_str(&format!("{verdict}  {}\n", visible(&checked.file)));
                for line in &checked.says {
                    text.push_str(&format!("    {}\n", visible(line)));
                }
                for fault in &checked.faults {
                    text.push_str(&format!("    {} {}\n", context.output.red("fault:"), visible(fault)));
                }
            }
            text
        },
    )?;
    Ok(if ok { Exit::DONE } else { Exit::FINDINGS })
}

/// The files that are meant, those of folders sorted.
fn files(context: &Context, named: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for name in named {
        let path = context.resolve(name);
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let failed = |cause: io::Error| CliError::file("read", &path, &cause);
        let mut inside = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|extension| extension == EXTENSION) {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(
                CliError::failed(format!("{} holds no .{EXTENSION} file", path.display())).hint("name the files")
            );
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn trust(context: &Context, args: &Args) -> Result<Trust, CliError> {
    let text = key_text(context, &args.log_key)?;
    let log = match text.parse::<VerifierKey>() {
        Ok(key) if key.kind() == SignatureType::Ed25519 => LogKey::Named(key),
        Ok(_) => return Err(no_key("--log-key", "it is a witness's key (type 0x04), not a log's")),
        Err(why) => match PublicKey::from_pub_line(&text) {
            Ok(key) => LogKey::Key(key),
            Err(_) => return Err(no_key("--log-key", &why.to_string())),
        },
    };
    let mut witnesses = Vec::new();
    for named in &args.witnesses {
        let key: VerifierKey =
            key_text(context, named)?.parse().map_err(|why| no_key("--witness", &format!("{why}")))?;
        if key.kind() != SignatureType::CosignatureV1 {
            return Err(no_key("--witness", "it is a log's key (type 0x01), not a witness's"));
        }
        witnesses.push(key);
    }
    let quorum = args.quorum.unwrap_or(witnesses.len());
    if quorum > witnesses.len() {
        return Err(CliError::usage(format!(
            "{quorum} cosignatures are asked for, and {} witnesses named",
            witnesses.len()
        ))
        .hint("name each: --witness VKEY"));
    }
    let old = match (&args.old, &args.old_root) {
        (Some(file), _) => {
            let path = context.resolve(file);
            let bad = |why: String| CliError::failed(format!("{} is no checkpoint", path.display())).because(why);
            let checkpoint = SignedCheckpoint::parse(&read(&path)?).map_err(|why| bad(why.to_string()))?;
            let key = log.named(&checkpoint)?;
            checkpoint.verify(&key).map_err(|why| bad(why.to_string()))?;
            let told = checkpoint.checkpoint();
            Some(Old { size: Some(told.size), root: told.root })
        }
        (None, Some(root)) => {
            let root = root.parse().ok().or_else(|| parse_hash(root));
            let bad = || CliError::usage("--old-root takes 32 bytes in base64, or sha256:…");
            Some(Old { size: None, root: root.ok_or_else(bad)? })
        }
        (None, None) => None,
    };
    Ok(Trust { log, witnesses, quorum, old })
}

fn no_key(flag: &str, why: &str) -> CliError {
    CliError::failed(format!("{flag} names no usable key"))
        .because(why.to_owned())
        .hint("jit checkpoint --json shows a log's key, jit witness key a witness's")
}

/// The text of a key: as it was typed, or the first line of the file of that name.
fn key_text(context: &Context, named: &str) -> Result<String, CliError> {
    let path = context.resolve(Path::new(named));
    let text = if path.is_file() { String::from_utf8_lossy(&read(&path)?).into_owned() } else { named.to_owned() };
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |cause: io::Error| CliError::file("read", path, &cause).context("it could not be checked");
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

impl LogKey {
    /// The key for a checkpoint's log.
    fn named(&self, checkpoint: &SignedCheckpoint) -> Result<VerifierKey, CliError> {
        match self {
            Self::Named(key) => Ok(key.clone()),
            Self::Key(key) => {
                let origin = &checkpoint.checkpoint().origin;
                let name = origin
                    .parse()
                    .map_err(|_| no_key("--log-key", "the origin is no key name: give a verifier key"))?;
                VerifierKey::new(name, SignatureType::Ed25519, key.clone())
                    .map_err(|why| no_key("--log-key", &why.to_string()))
            }
        }
    }
}

fn check(path: &Path, trust: &Trust) -> Result<Checked, CliError> {
    let bytes = read(path)?;
    let file = path.display().to_string();
    let mut checked = Checked { file, faults: Vec::new(), object: json!({}), says: Vec::new() };
    let bad = |mut checked: Checked, why: String| {
        checked.faults.push(why);
        Ok(checked)
    };
    if bytes.starts_with(HEADER.as_bytes()) {
        let proof = match TlogProof::parse(&bytes) {
            Ok(proof) => proof,
            Err(why) => return bad(checked, told(&why)),
        };
        checked.object = json!({ "kind": "inclusion", "index": proof.index });
        inclusion(&proof, &mut checked);
        vouched(&proof.checkpoint, trust, &mut checked)?;
    } else if bytes.starts_with(b"old ") {
        let submission = match Submission::parse(&bytes) {
            Ok(submission) => submission,
            Err(why) => return bad(checked, told(&why)),
        };
        checked.object = json!({ "kind": "consistency", "old": submission.old });
        consistency(&submission, trust, &mut checked)?;
        vouched(&submission.checkpoint, trust, &mut checked)?;
    } else {
        let checkpoint = match SignedCheckpoint::parse(&bytes) {
            Ok(checkpoint) => checkpoint,
            Err(why) => return bad(checked, format!("it is no proof and no checkpoint: {}", told(&why))),
        };
        checked.object = json!({ "kind": "checkpoint" });
        vouched(&checkpoint, trust, &mut checked)?;
    }
    Ok(checked)
}

/// An error with its sources on one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(&format!(": {source}"));
        next = source.source();
    }
    text
}

impl Checked {
    fn put(&mut self, field: &str, value: Value) {
        if let Some(map) = self.object.as_object_mut() {
            map.insert(field.to_owned(), value);
        }
    }
}

/// The leaf that the extra data makes, and that it is where the proof says.
fn inclusion(proof: &TlogProof, checked: &mut Checked) {
    let told = proof.checkpoint.checkpoint();
    let Some(extra) = &proof.extra else {
        checked.faults.push("it holds no event (extra data): whose entry it proves cannot be told".to_owned());
        return;
    };
    let extra = Extra::read(extra);
    let leaf = extra.leaf();
    checked.put("leaf", leaf.to_string().into());
    checked.put("entry", extra.json());
    checked.says.extend(extra.says());
    checked.faults.extend(extra.faults());
    match proof.verify_leaf(&leaf) {
        Ok(()) => checked.says.push(format!("is entry {} of {}, counted from 0", proof.index, told.size)),
        Err(why) => checked.faults.push(format!("it is not entry {} of the log: {why}", proof.index)),
    }
}

fn consistency(submission: &Submission, trust: &Trust, checked: &mut Checked) -> Result<(), CliError> {
    let new = submission.checkpoint.checkpoint();
    let Some(old) = &trust.old else {
        return Err(CliError::failed(
            "a consistency proof is from one root to another, and the older one was not named",
        )
        .hint("--old FILE with the older checkpoint, or --old-root ROOT")
        .context("it could not be checked"));
    };
    checked.put("old_root", old.root.to_string().into());
    if old.size.is_some_and(|size| size != submission.old) {
        let size = old.size.unwrap_or_default();
        checked
            .faults
            .push(format!("it proves from {} on, and the older checkpoint has {size}", count(submission.old, "entry")));
        return Ok(());
    }
    match verify_consistency(submission.old, new.size, &old.root, &new.root, &submission.hashes) {
        Ok(()) => checked.says.push(format!(
            "the log of {} is the beginning of the log of {}: nothing was changed or taken out",
            count(submission.old, "entry"),
            new.size
        )),
        Err(why) => checked.faults.push(format!("the newer log does not continue the older one: {why}")),
    }
    Ok(())
}

/// Who vouches for the checkpoint: the log's key, and the witnesses.
fn vouched(checkpoint: &SignedCheckpoint, trust: &Trust, checked: &mut Checked) -> Result<(), CliError> {
    let told = checkpoint.checkpoint();
    for (field, value) in
        [("origin", json!(told.origin)), ("size", json!(told.size)), ("root", json!(told.root.to_string()))]
    {
        checked.put(field, value);
    }
    let key = trust.log.named(checkpoint)?;
    match checkpoint.verify(&key) {
        Ok(()) => checked.says.push(format!(
            "signed by the log's key: {} of {}, root {}",
            count(told.size, "entry"),
            told.origin,
            encode_hash(&told.root)
        )),
        Err(why) => checked.faults.push(why.to_string()),
    }
    let cosigned: Vec<Cosignature> = match checkpoint.cosignatures(&trust.witnesses) {
        Ok(cosigned) => cosigned,
        Err(why) => {
            checked.faults.push(why.to_string());
            Vec::new()
        }
    };
    for cosigned in &cosigned {
        checked.says.push(format!("cosigned by {} at {}", cosigned.witness.name(), cosigned.time));
    }
    if cosigned.len() < trust.quorum {
        let (count, of) = (cosigned.len(), trust.quorum);
        checked.faults.push(format!("cosigned by {count} of the witnesses; {of} are asked for"));
    }
    let cosigned = cosigned
        .iter()
        .map(|cosigned| json!({ "name": cosigned.witness.name().as_str(), "time": cosigned.time.to_string() }));
    let cosigned = Value::Array(cosigned.collect());
    checked.put("cosigned", cosigned);
    Ok(())
}
