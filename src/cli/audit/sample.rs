//! `jit audit sample`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::error::CliError;
use super::super::output::count;
use super::super::{Context, Exit, Outcome};
use super::prove::proof;
use super::read::Reading;
use super::report::{Form, Format, Window, query, tell, write};
use crate::audit::report::Report;
use crate::audit::sample::{self, Drawn, Item};
use crate::domain::id::Digest;
use crate::merkle::tlog_proof::EXTENSION;
use crate::merkle::{SignedCheckpoint, VerifierKey};

/// A sample of the accesses of a period, drawn by a seed: who draws again, draws the same.
///
/// With --out, each case's packet is written: every event with its signature and the proof that the log holds it, the
/// certificates, and a script that checks them with ssh-keygen and sha256sum alone.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many cases.
    #[arg(long, value_name = "COUNT")]
    pub size: usize,
    /// What the draw depends on: any text, best one that nobody could choose afterwards.
    #[arg(long, value_name = "TEXT", value_parser = seed)]
    pub seed: String,
    /// Which period: by when a case was opened.
    #[command(flatten)]
    pub window: Window,
    /// Print the list so [default: text; json with --json, with the packets in it].
    #[arg(long, value_name = "FORM", conflicts_with = "out")]
    pub format: Option<Format>,
    /// Write the packets into this new directory.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// A seed is one line: it is written into manifests, and hashed with a line end behind it.
pub fn seed(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("expected a text of one line".to_owned());
    }
    Ok(text.to_owned())
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked, or the sample not written.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let period = args.window.period()?;
    let reading = Reading::open(context, args.window.at)?;
    let ledger = reading.ledger();
    let drawn = sample::draw(&ledger, period, args.size, &args.seed);
    let report = sample::report(&ledger, period, &args.seed, args.size, &drawn);
    let query = asked(args.size, &args.seed, &args.window);
    if let Some(out) = &args.out {
        let path = context.resolve(out);
        let (manifest, files) = write_packets(&reading, &report, &drawn, &query, &path)?;
        context.output.result(
            || manifest,
            || {
                let what = if drawn.is_empty() { "none in this period".to_owned() } else { count(drawn.len(), "case") };
                format!("Wrote {}: {what}, {files} files\n", path.display())
            },
        )?;
        context.output.hint(format!("sh {}", path.join("check.sh").display()));
        return Ok(Exit::DONE);
    }
    let form = Form { format: args.format, out: None };
    if form.format(&context.output) != Format::Json {
        tell(context, &reading, &report, &form, &query)?;
        return Ok(Exit::DONE);
    }
    let mut object = report.json(&ledger, &query);
    let mut packets = Vec::new();
    for drawn in &drawn {
        let items = packet(&reading, drawn)?;
        packets
            .push(json!({ "case": drawn.case.id().0.hex(), "items": items.iter().map(item_json).collect::<Vec<_>>() }));
    }
    if let Some(fields) = object.as_object_mut() {
        fields.insert("packets".to_owned(), json!(packets));
    }
    context.output.print(&object.to_string())?;
    Ok(Exit::DONE)
}

/// How to ask the same again.
pub fn asked(size: usize, seed: &str, window: &Window) -> String {
    let mut flags = vec![format!("--size {size}"), format!("--seed '{}'", seed.replace('\'', "'\\''"))];
    flags.extend(window.flags());
    query("sample", &flags)
}

/// The events of a case, with their files and proofs.
fn packet(reading: &Reading, drawn: &Drawn<'_>) -> Result<Vec<Item>, CliError> {
    let mut entries = Vec::new();
    for event in drawn.case.events() {
        entries.push(reading.event(drawn.case, event)?);
    }
    sample::packet(&reading.ledger(), entries)
        .map_err(|error| CliError::failed("the log has no proof of what it holds").because(error.to_string()))
}

/// Who, what and where of an event, and its proof.
fn facts(item: &Item) -> Value {
    let path: Vec<String> = item.path.iter().map(Digest::hex).collect();
    let Some(signed) = item.entry.event() else { return Value::Null };
    json!({
        "file": item.file, "signature_file": format!("{}.sig", item.file), "kind": signed.event.kind().as_str(),
        "actor": signed.event.actor.as_str(), "time": signed.event.time.to_string(), "event": signed.digest.hex(),
        "position": item.entry.position, "commit": item.entry.commit.to_string(), "path": signed.path,
        "leaf": item.entry.leaf.hex(), "proof": path,
    })
}

/// The same with the files in it.
fn item_json(item: &Item) -> Value {
    let mut object = facts(item);
    if let (Some(fields), Some(signed)) = (object.as_object_mut(), item.entry.event()) {
        // Events and signatures are UTF-8: what is not was void.
        fields.insert("text".to_owned(), json!(String::from_utf8_lossy(&signed.bytes)));
        fields.insert("signature".to_owned(), json!(String::from_utf8_lossy(&signed.signature)));
        fields.insert("certificate".to_owned(), json!(item.certificate));
    }
    object
}

/// The packets as a folder: what is in it, its digests, and the script that checks it.
struct Folder<'a> {
    root: &'a Path,
    written: BTreeMap<String, Digest>,
    checks: String,
    /// The newest checkpoint and the log's key; none where there is none yet.
    checkpoint: Option<(SignedCheckpoint, VerifierKey)>,
    /// How many events are newer than it.
    beyond: usize,
}

impl Folder<'_> {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let path = self.root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|cause| CliError::file("make", folder, &cause))?;
        }
        write(&path, bytes)?;
        self.written.insert(name.to_owned(), Digest::of(bytes));
        Ok(())
    }
}

/// Writes the packets into a new directory; the manifest of their list, and how many files they are.
///
/// # Errors
/// Where the directory is there already, or something cannot be read or written.
pub fn write_packets(
    reading: &Reading,
    report: &Report,
    drawn: &[Drawn<'_>],
    query: &str,
    root: &Path,
) -> Result<(Value, usize), CliError> {
    match fs::create_dir(root) {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
            return Err(CliError::failed(format!("{} is there already", root.display())).hint("name a new directory"));
        }
        Err(cause) => return Err(CliError::file("make", root, &cause)),
    }
    let seen = reading.checkpoints().filter(|seen| !seen.is_ahead);
    let checkpoint = seen.and_then(|seen| Some((seen.newest.clone()?, seen.key.clone())));
    let mut folder = Folder { root, written: BTreeMap::new(), checks: String::new(), checkpoint, beyond: 0 };
    let signers = reading.signers()?;
    for (number, drawn) in (1..).zip(drawn) {
        let number: usize = number;
        one(reading, &mut folder, &signers, number, drawn)?;
    }
    let ledger = reading.ledger();
    let list = report.csv();
    folder.put("sample.csv", &list)?;
    let manifest = report.manifest(&ledger, query, "sample.csv", &list);
    folder.put("manifest.json", format!("{manifest:#}\n").as_bytes())?;
    let text = readme(reading, report, query, &folder);
    folder.put("README.txt", text.as_bytes())?;
    let script = format!(
        "#!/bin/sh\n# Checks every file's digest and every event's signature. Needs sha256sum and ssh-keygen; not jit.\n\
         set -eu\ncd -- \"$(dirname -- \"$0\")\"\nsha256sum --quiet --check SHA256SUMS\n{}echo 'All signatures verify.'\n",
        folder.checks
    );
    folder.put("check.sh", script.as_bytes())?;
    let sums: String = folder.written.iter().map(|(name, digest)| format!("{}  {name}\n", digest.hex())).collect();
    write(&root.join("SHA256SUMS"), sums.as_bytes())?;
    Ok((manifest, folder.written.len().saturating_add(1)))
}

/// One case's packet.
fn one(
    reading: &Reading,
    folder: &mut Folder<'_>,
    signers: &[(u64, String)],
    number: usize,
    drawn: &Drawn<'_>,
) -> Result<(), CliError> {
    let name = format!("{number:04}-{}", drawn.case.id().short());
    let items = packet(reading, drawn)?;
    for item in &items {
        let Some(signed) = item.entry.event() else { continue };
        let file = format!("{name}/{}", item.file);
        folder.put(&file, &signed.bytes)?;
        folder.put(&format!("{file}.sig"), &signed.signature)?;
        if let Some(certificate) = &item.certificate {
            let file = file.trim_end_matches(".toml");
            folder.put(&format!("{file}-cert.pub"), format!("{certificate}\n").as_bytes())?;
        }
        match folder.checkpoint.as_ref().filter(|(signed, _)| item.entry.position < signed.checkpoint().size) {
            Some((signed, _)) => {
                let proof = proof(reading.session().replay().log(), &item.entry, signed)?;
                let file = file.trim_end_matches(".toml");
                folder.put(&format!("{file}.{EXTENSION}"), proof.to_string().as_bytes())?;
            }
            None => folder.beyond += 1,
        }
        let in_force = signers.iter().rev().find(|(from, _)| *from <= item.entry.position);
        let Some((from, text)) = in_force else { continue };
        let signers = format!("allowed_signers-from-{from}");
        if !folder.written.contains_key(&signers) {
            folder.put(&signers, text.as_bytes())?;
        }
        let kind = signed.event.kind();
        // Actors are names of a-z, 0-9, '.', '_' and '-', and so are our files: nothing to quote.
        folder.checks.push_str(&format!(
            "ssh-keygen -q -Y verify -f {signers} -I {} -n jit-1/{kind} -s {file}.sig < {file}\n",
            signed.event.actor
        ));
    }
    let ledger = reading.ledger();
    let packet = json!({
        "case": drawn.case.id().0.hex(), "drawn": drawn.order.hex(), "size": ledger.size(), "root": ledger.root().hex(),
        "items": items.iter().map(facts).collect::<Vec<_>>(),
    });
    folder.put(&format!("{name}/packet.json"), format!("{packet:#}\n").as_bytes())
}

fn readme(reading: &Reading, report: &Report, query: &str, folder: &Folder<'_>) -> String {
    let ledger = reading.ledger();
    let proofs = match (&folder.checkpoint, folder.beyond) {
        (None, _) => "There are no .tlog-proof files: this log has no signed checkpoint yet.".to_owned(),
        (Some((signed, key)), beyond) => {
            let newer = match beyond {
                0 => String::new(),
                1 => " One event here is newer and has none.".to_owned(),
                _ => format!(" {beyond} events here are newer and have none."),
            };
            format!(
                "Each .tlog-proof file (C2SP tlog-proof) proves its event against the checkpoint of {} leaves that the\n\
                 log's key and its witnesses signed.{newer} With jit: jit audit check FILE --log-key '{key}'",
                signed.checkpoint().size
            )
        }
    };
    format!(
        "{title}\n\n\
         Ledger: {id}\nName:   {name}\nLog:    {size} leaves\nRoot:   {root}\nPeriod: {period}\nJudged: at {now}\nAsked:  {query}\n\n\
         sample.csv    the cases, in the order in which they were drawn\n\
         manifest.json where it comes from, and what each column means\n\
         NNNN-CASE/    the packet of a case: its events in order, each with its signature; the certificates;\n\
         \x20             packet.json with the position, leaf hash and inclusion proof of each event\n\
         allowed_signers-from-N  whose keys were whose from position N of the log on\n\
         SHA256SUMS    the digest of every file\n\
         check.sh      checks the digests and the signatures: sh check.sh\n\n\
         Whether this is the sample: for each case of the population (jit audit population --kind request) take\n\
         SHA-256 over the seed, one line feed and the case in 64 hex digits, sort by it, take the first ones.\n\
         \x20   printf '%s\\n%s' SEED CASE | sha256sum\n\n\
         Whether the log holds an event (RFC 6962, RFC 9162 section 2.1.3.2): its leaf hash is SHA-256 over the bytes\n\
         00 01, the SHA-256 of the event file and the SHA-256 of the signature file; with the hashes of `proof` it leads\n\
         to the root above. Get the root from a second source: another clone, or a witness.\n\n\
         {proofs}\n\n\
         A certificate can be read with: ssh-keygen -L -f FILE-cert.pub\n",
        title = report.title,
        id = ledger.id,
        name = crate::domain::text::visible(ledger.name()),
        size = ledger.size(),
        root = ledger.root(),
        period = report.period,
        now = ledger.now,
    )
}
