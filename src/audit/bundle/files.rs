//! The files of a bundle: evidence as it lies in the ledger, what is needed to check it, and lists that shell loops read.
//! Imports `domain` and `merkle` (format.md, sections 1 to 4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::entry::{Entry, Said, Signed};
use super::{Evidence, guide};
use crate::domain::event::Body;
use crate::domain::id::Digest;
use crate::domain::state::case::{Case, Matter};
use crate::domain::text::visible;
use crate::merkle::TlogProof;
use crate::merkle::tlog_proof::EXTENSION;

/// Contents by path, sorted.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The list of digests, which is not in itself.
const SUMS: &str = "SHA256SUMS";

/// All files of a bundle. `version`: of the program that writes it.
pub fn files(evidence: &Evidence<'_>, version: &str) -> Files {
    let mut files = Files::new();
    let mut put = |path: String, bytes: Vec<u8>| drop(files.insert(path, bytes));
    let mut events = String::new();
    for entry in &evidence.entries {
        match &entry.said {
            Said::Event(signed) => {
                let policy = evidence.policy_at(entry.position).map_or(0, |policy| policy.policy.version);
                let _ = writeln!(events, "{} {policy} {}", entry.position, signed.path);
                put(signed.path.clone(), signed.bytes.clone());
                put(format!("{}.sig", signed.path), signed.signature.clone());
                if let Some((path, line)) = certificate(signed) {
                    put(path, line);
                }
            }
            Said::Void(void) => put(format!("voids/{}.commit", entry.position), void.raw.clone()),
        }
        let (path, proof) = proof(evidence, entry);
        put(path, proof);
    }
    let mut policies = String::new();
    for policy in &evidence.policies {
        let version = policy.policy.version;
        put(format!("policies/{version}/policy.toml"), policy.bytes.clone());
        put(format!("policies/{version}/allowed_signers"), policy.policy.allowed_signers().into_bytes());
        let brought = evidence.entries.iter().find(|entry| entry.position == policy.brought).and_then(Entry::event);
        let _ = writeln!(policies, "{version} {} {}", policy.from, brought.map_or("-", |signed| signed.path.as_str()));
    }
    let mut tree = String::new();
    for node in evidence.nodes() {
        let _ = writeln!(tree, "{} {} {}", node.position, node.level, node.hash.hex());
    }
    put("events.txt".to_owned(), events.into_bytes());
    put("policies.txt".to_owned(), policies.into_bytes());
    put("tree.txt".to_owned(), tree.into_bytes());
    put("voids.txt".to_owned(), voids(evidence).into_bytes());
    put("LEDGER.txt".to_owned(), ledger(evidence).into_bytes());
    put("CASES.txt".to_owned(), cases(evidence).into_bytes());
    if let Some(checkpoint) = &evidence.checkpoint {
        put("checkpoint.txt".to_owned(), checkpoint.to_string().into_bytes());
    }
    put("HOW-TO-CHECK.txt".to_owned(), guide::text(evidence).into_bytes());
    put("manifest.json".to_owned(), manifest(evidence, version).into_bytes());
    let sums: String = files.iter().map(|(path, bytes)| format!("{}  {path}\n", Digest::of(bytes).hex())).collect();
    files.insert(SUMS.to_owned(), sums.into_bytes());
    files
}

/// The certificate of an issuance as a file of its own, for `ssh-keygen -L`.
fn certificate(signed: &Signed) -> Option<(String, Vec<u8>)> {
    let Body::Issuance(issuance) = &signed.event.body else { return None };
    let path = format!("certificates/{}-{}-{}-cert.pub", issuance.environment, issuance.serial, signed.case().short());
    Some((path, format!("{}\n", issuance.certificate).into_bytes()))
}

/// The inclusion proof of an entry: up to the checkpoint where one covers it, else up to the whole log.
fn proof(evidence: &Evidence<'_>, entry: &Entry) -> (String, Vec<u8>) {
    let (log, index) = (evidence.ledger.log, entry.position);
    if let Some(checkpoint) = &evidence.checkpoint
        && index < checkpoint.checkpoint().size
        && let Ok(hashes) = log.inclusion_proof(index, checkpoint.checkpoint().size)
    {
        // The event lies in it too, as `jit audit prove` has it: one such file can be handed on alone.
        let extra = match &entry.said {
            Said::Event(signed) => [signed.bytes.as_slice(), &signed.signature].concat(),
            Said::Void(void) => void.raw.clone(),
        };
        let proof = TlogProof { extra: Some(extra), index, hashes, checkpoint: checkpoint.clone() };
        return (format!("proofs/{index}.{EXTENSION}"), proof.to_string().into_bytes());
    }
    let size = log.size();
    let hashes = log.inclusion_proof(index, size).unwrap_or_default();
    let hex: Vec<String> = hashes.iter().map(Digest::hex).collect();
    let value =
        json!({ "index": index, "size": size, "leaf": entry.leaf.hex(), "path": hex, "root": log.root().hex() });
    (format!("proofs/{index}.json"), pretty(&value))
}

fn voids(evidence: &Evidence<'_>) -> String {
    let mut out = String::new();
    for (entry, void) in evidence.entries.iter().filter_map(|entry| match &entry.said {
        Said::Void(void) => Some((entry, void)),
        Said::Event(_) => None,
    }) {
        let standing = if void.acknowledged { "acknowledged" } else { "open" };
        let message = visible(&void.fault.message).replace('\n', " ");
        let _ = writeln!(out, "{} {} {} {standing} {message}", entry.position, entry.commit, void.fault.code);
    }
    out
}

fn ledger(evidence: &Evidence<'_>) -> String {
    let ledger = &evidence.ledger;
    let (id, size, root, head) = (ledger.id, ledger.size(), ledger.root(), ledger.head);
    format!("name {}\nledger {id}\nsize {size}\nroot {root}\nhead {head}\n", visible(ledger.name()))
}

/// What happened, to be read: each case, and its events in a line each. Said by the events alone.
fn cases(evidence: &Evidence<'_>) -> String {
    let mut out = format!("{} of {}\n", capital(&evidence.query.words()), visible(evidence.ledger.name()));
    if evidence.selection.asked.is_empty() {
        out.push_str("\nNone.\n");
    }
    let signed: BTreeMap<u64, &Signed> =
        evidence.entries.iter().filter_map(|entry| Some((entry.position, entry.event()?))).collect();
    for case in evidence.selection.cases(evidence.ledger.state) {
        let along = if evidence.selection.asked.contains(&case.id()) { "" } else { "  (carried along)" };
        let _ = writeln!(out, "\n{}  {}{along}", case.id().short(), subject(case));
        for event in case.events() {
            let path = signed.get(&event.position).map_or("", |signed| signed.path.as_str());
            let _ = writeln!(out, "  {}  {:<13} {:<12} {path}", event.time, event.kind.as_str(), event.actor.as_str());
        }
    }
    out
}

/// What a case is about, in a line.
pub(super) fn subject(case: &Case) -> String {
    let text = match case.matter() {
        Matter::Genesis => "the ledger".to_owned(),
        Matter::Access(access) => {
            let targets: Vec<String> = access.request.targets.iter().map(ToString::to_string).collect();
            let emergency = if access.request.emergency { ", emergency" } else { "" };
            format!("{} for {}{emergency}", targets.join(", "), access.request.duration)
        }
        Matter::Lock(lock) => format!("lock {}", lock.scope),
        Matter::Proposal(proposed) => format!("proposal: {}", proposed.subject.as_str()),
    };
    visible(&text).replace('\n', " ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn manifest(evidence: &Evidence<'_>, version: &str) -> String {
    let ledger = &evidence.ledger;
    let cases: Vec<Value> = evidence
        .selection
        .cases(ledger.state)
        .map(|case| {
            json!({
                "case": case.id().0.hex(), "id": case.id().short(), "kind": case.kind().as_str(),
                "actor": case.actor().as_str(), "opened": case.opened().to_string(),
                "asked": evidence.selection.asked.contains(&case.id()),
                "positions": case.events().iter().map(|event| event.position).collect::<Vec<_>>(),
            })
        })
        .collect();
    let policies: Vec<Value> = evidence
        .policies
        .iter()
        .map(|policy| {
            json!({ "version": policy.policy.version, "from": policy.from, "brought": policy.brought,
                    "policy": policy.policy.digest.to_string() })
        })
        .collect();
    let value = json!({
        "format": "jit-bundle/1", "written_by": format!("jit {version}"), "query": evidence.query.words(),
        "ledger": ledger.id.to_string(), "name": ledger.name(), "head": ledger.head.to_string(),
        "size": ledger.size(), "root": ledger.root().to_string(), "cases": cases, "policies": policies,
        "entries": evidence.entries.len(),
        "checkpoint": evidence.checkpoint.as_ref().map(|checkpoint| checkpoint.checkpoint().size),
    });
    String::from_utf8_lossy(&pretty(&value)).into_owned()
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
