//! `jit init`: a new ledger from the template (format.md, sections 1 and 6). Private keys go into the user's
//! configuration directory, never into the repository.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Ledger;
use super::error::CliError;
use super::{Context, Exit, Outcome};
use crate::domain::decide::{Intent, draft};
use crate::domain::event::{Body, FileDigest, Genesis};
use crate::domain::finding::Code;
use crate::domain::id::{Digest, Name};
use crate::domain::key::PublicKey;
use crate::domain::policy::Policy;
use crate::domain::state::State;
use crate::domain::text;
use crate::git::{self, GitError, GitStore};
use crate::ledger::append::found;
use crate::merkle;
use crate::ports::{Signer, Store as _};
use crate::sign::file::generate;

/// Make a new ledger.
///
/// With --name and --email: you are its one root member, with a sample policy and fresh CA, minter and log keys in your
/// configuration directory, never in the repository. With --policy: that file is the first policy, and you are one of
/// its root members.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to make it [default: this directory].
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// The ledger's name, such as acme/production.
    #[arg(long, value_name = "NAME", conflicts_with = "policy")]
    pub name: Option<String>,
    /// Your e-mail address.
    #[arg(long, value_name = "EMAIL", conflicts_with = "policy")]
    pub email: Option<String>,
    /// The first policy.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Without a work tree.
    #[arg(long)]
    pub bare: bool,
    /// Only policy.toml and allowed_signers: no README, no CI workflows, no scenarios.
    #[arg(long)]
    pub no_template: bool,
}

const POLICY: &str = include_str!("../../ledger-template/policy.toml");
/// What the template brings besides the policy.
pub(super) const TEMPLATE: [(&str, &str); 5] = [
    (".gitattributes", include_str!("../../ledger-template/.gitattributes")),
    (".github/workflows/jit.yml", include_str!("../../ledger-template/.github/workflows/jit.yml")),
    (".gitlab-ci.yml", include_str!("../../ledger-template/.gitlab-ci.yml")),
    ("README.md", include_str!("../../ledger-template/README.md")),
    ("scenarios.toml", include_str!("../../ledger-template/scenarios.toml")),
];
/// The keys that are made for a sample policy.
const KEYS: [&str; 3] = ["ca-prod", "minter", "log"];

/// Makes the ledger and its genesis.
///
/// # Errors
/// Where the policy is unsound (A10), the key is no root member's, or the place is taken.
pub fn run(context: &mut Context, args: Args) -> Outcome {
    let directory = context.resolve(args.directory.as_deref().unwrap_or(Path::new(".")));
    // What can be refused is refused before anything is made or asked.
    // What an earlier one left that was killed.
    git::clear_unfinished(&directory, args.bare)?;
    let git_directory = if args.bare { directory.clone() } else { directory.join(".git") };
    let had_repository = git_directory.join("HEAD").exists();
    if had_repository && GitStore::open(&directory)?.head()?.is_some() {
        return Err(GitError::NotEmpty(directory).into());
    }
    let signer = context.signing_key()?;
    let plan = match &args.policy {
        Some(file) => given(context, file, &*signer)?,
        None => sample(context, &args, signer.public_key())?,
    };
    let was_there = directory.exists();
    let made = make(context, &args, &directory, plan, &*signer);
    if made.is_err() {
        // In the order in which one that is killed on the way is still known as half made.
        if !had_repository {
            let _ = git::clear_unfinished(&directory, args.bare);
        }
        // Only what was made just now goes: a folder that was there may hold other things.
        let left = match (was_there, had_repository || args.bare) {
            (false, _) => Some(&directory),
            (true, false) => Some(&git_directory),
            (true, true) => None,
        };
        let _ = left.map(fs::remove_dir_all);
    }
    let Made { ledger, keys } = made?;
    ledger.tell_left_alone(&context.output);
    let state = ledger.state();
    register(context, state.name(), &directory);
    let id = state.ledger().map(|id| id.to_string()).unwrap_or_default();
    let head = ledger.replay().head().map(|head| head.to_string()).unwrap_or_default();
    let policy = ledger.policy();
    let object = || {
        json!({
            "ledger": id,
            "head": head,
            "policy": policy.digest.to_string(),
            "directory": directory.display().to_string(),
            "keys": keys.as_ref().map(|keys| keys.display().to_string()),
        })
    };
    let words = || {
        let mut words = format!("{} in {}\n  ledger  {id}\n", state.name(), directory.display());
        if let Some(keys) = &keys {
            words.push_str(&format!("  keys    {} ({}): keep them safe\n", keys.display(), KEYS.join(", ")));
        }
        words
    };
    context.output.result(object, words)?;
    if policy.targets.is_empty() {
        context
            .output
            .hint("add people and targets to policy.toml, then: jit policy propose --bump --enact --reason \"…\"");
    } else {
        context.output.hint("jit request");
    }
    Ok(Exit::DONE)
}

/// What the ledger will begin with.
struct Plan {
    source: Source,
    actor: Name,
}

enum Source {
    /// A policy that somebody wrote.
    Given { bytes: Vec<u8>, policy: Box<Policy> },
    /// The template's, once its keys are made.
    Sample { name: String, email: String, root_key: PublicKey, keys: PathBuf },
}

struct Made {
    ledger: Ledger,
    keys: Option<PathBuf>,
}

fn given(context: &Context, file: &Path, signer: &dyn Signer) -> Result<Plan, CliError> {
    let path = context.resolve(file);
    let bytes = fs::read(&path).map_err(|cause| CliError::file("read", &path, &cause))?;
    let policy = Policy::parse(&bytes)
        .map_err(|errors| CliError::from(errors).context(format!("{} is no policy to begin with", path.display())))?;
    let actor = context.actor(&policy, signer.public_key())?;
    if !policy.is_root(&actor) {
        let root: Vec<&str> = policy.root.members.iter().map(Name::as_str).collect();
        return Err(CliError::refused(format!("{actor} is no root member of this policy"))
            .hint(format!("the root members are {}: --as NAME --key FILE", root.join(", ")))
            .rule(Code::A10));
    }
    Ok(Plan { source: Source::Given { bytes, policy: Box::new(policy) }, actor })
}

fn sample(context: &Context, args: &Args, root_key: &PublicKey) -> Result<Plan, CliError> {
    let prompt = context.prompt();
    let plain = |text: &str| {
        let is_plain = !text.is_empty() && text::check_line(text).is_ok() && !text.contains(['"', '\\']);
        is_plain.then_some(()).ok_or_else(|| "a line of plain text is needed".to_owned())
    };
    let address = |text: &str| {
        let is_address = plain(text).is_ok() && text.contains('@') && !text.contains([' ', '<', '>']);
        is_address.then_some(()).ok_or_else(|| "an e-mail address is needed".to_owned())
    };
    let name = match &args.name {
        Some(name) => name.clone(),
        None => prompt.input("--name", "The ledger's name, such as acme/production", None, plain)?,
    };
    plain(&name).map_err(|why| CliError::usage(format!("--name {name:?}: {why}")))?;
    let email = match &args.email {
        Some(email) => email.clone(),
        None => prompt.input("--email", "Your e-mail address", None, address)?,
    };
    address(&email).map_err(|why| CliError::usage(format!("--email {email:?}: {why}")))?;
    let actor = match &context.global.actor {
        Some(actor) => actor.clone(),
        None => member_name(&email)?,
    };
    let Some(configuration) = context.environment.config_directory() else {
        return Err(CliError::failed("there is no place for the CA, minter and log keys: HOME is not set")
            .hint("set HOME or XDG_CONFIG_HOME, or bring a policy of your own: --policy FILE"));
    };
    let keys = configuration.join("keys").join(folder_name(&name));
    if let Some(taken) = KEYS.iter().map(|key| keys.join(key)).find(|key| key.exists()) {
        return Err(CliError::failed(format!("{} exists already: no key is overwritten", taken.display()))
            .hint("give the ledger another name, or move the old keys away"));
    }
    let root_key = root_key.clone();
    Ok(Plan { source: Source::Sample { name, email, root_key, keys }, actor })
}

fn make(
    context: &mut Context,
    args: &Args,
    directory: &Path,
    plan: Plan,
    signer: &dyn Signer,
) -> Result<Made, CliError> {
    let store = GitStore::init(directory, args.bare)?;
    let (bytes, policy, keys) = match plan.source {
        Source::Given { bytes, policy } => (bytes, policy, None),
        Source::Sample { name, email, root_key, keys } => {
            let text = fill(context, &name, &email, &plan.actor, &root_key, &keys)?;
            let policy = Policy::parse(text.as_bytes())?;
            (text.into_bytes(), Box::new(policy), Some(keys))
        }
    };
    let ledger = begin(context, args, store, bytes, &policy, &plan.actor, signer);
    if let (Err(_), Some(keys)) = (&ledger, &keys) {
        // Made a moment ago, for a ledger that does not exist.
        let _ = fs::remove_dir_all(keys);
    }
    Ok(Made { ledger: ledger?, keys })
}

/// The genesis: the governed files and the event that names them, in the first commit.
fn begin(
    context: &mut Context,
    args: &Args,
    store: GitStore,
    policy_bytes: Vec<u8>,
    policy: &Policy,
    actor: &Name,
    signer: &dyn Signer,
) -> Result<Ledger, CliError> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    files.insert("allowed_signers".to_owned(), policy.allowed_signers().into_bytes());
    files.insert("policy.toml".to_owned(), policy_bytes);
    if !args.no_template {
        files.extend(TEMPLATE.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())));
    }
    let manifest = files.iter().map(|(path, bytes)| FileDigest { path: path.clone(), sha256: Digest::of(bytes) });
    let genesis = Genesis { name: policy.name.clone(), files: manifest.collect() };
    let intent = Intent { actor: actor.clone(), case: None, body: Body::Genesis(genesis), files: BTreeMap::new() };
    let (now, nonce) = (context.now(), context.nonce()?);
    let event = draft(&State::new(), merkle::tree::empty_root(), &intent, now, nonce);
    let (replay, _) = found(&store, &event, &files, signer, now)?;
    Ok(Ledger::from_parts(store, context.git(), replay, &context.output))
}

/// The template's policy with its blanks filled, and the keys made that it names.
fn fill(
    context: &mut Context,
    name: &str,
    email: &str,
    root: &Name,
    root_key: &PublicKey,
    keys: &Path,
) -> Result<String, CliError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(keys).map_err(|cause| CliError::file("make", keys, &cause))?;
    let mut text = POLICY
        .replace("{{name}}", name)
        .replace("{{root_member}}", root.as_str())
        .replace("{{root_email}}", email)
        .replace("{{root_key}}", &root_key.to_string());
    for (key, blank) in KEYS.iter().zip(["{{ca_key}}", "{{minter_key}}", "{{log_key}}"]) {
        let seed = context.rng().bytes32()?;
        let public = generate(&keys.join(key), &format!("jit {name} {key}"), seed)?;
        text = text.replace(blank, &public.to_string());
    }
    Ok(text)
}

/// `rita@acme.example` is rita.
fn member_name(email: &str) -> Result<Name, CliError> {
    let local = email.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let local: String = local.chars().take_while(|c| *c != '+').collect();
    local.parse().map_err(|_| CliError::usage(format!("{email} gives no member's name")).hint("--as NAME names you"))
}

/// A ledger's name as a path below the keys: `acme/production` as it is, anything odd with `-` in its place.
fn folder_name(name: &str) -> PathBuf {
    if name.split('/').all(|part| part.parse::<Name>().is_ok()) {
        return PathBuf::from(name);
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    PathBuf::from(name.chars().map(plain).collect::<String>())
}

/// Adds the ledger to the user's configuration. It is made all the same where that cannot be written.
pub(super) fn register(context: &Context, name: &str, directory: &Path) {
    let Some(file) = context.config_file() else { return };
    let added = context.config().cloned().and_then(|mut config| {
        let path = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let own = config.add(name, &path);
        let is_default = config.default_ledger.as_deref() == Some(&*own);
        config.write(&file).map(|()| (own, is_default))
    });
    match added {
        Ok((own, true)) => context.output.detail(format!("{own} is the default ledger in {}", file.display())),
        Ok((own, false)) => context.output.detail(format!("{own} is known in {}", file.display())),
        Err(error) => context.output.warning(format!("the ledger is not in your configuration: {}", error.message())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_after_the_address() {
        assert_eq!(member_name("Rita+jit@acme.example").unwrap().as_str(), "rita");
        assert!(member_name("@acme.example").is_err());
        assert!(member_name("r ita@acme.example").is_err());
    }

    #[test]
    fn keys_stay_below_their_folder() {
        assert_eq!(folder_name("acme/production"), PathBuf::from("acme/production"));
        for odd in ["../../etc", "/etc", "a//b", "Acme Prod", ".."] {
            let folder = folder_name(odd);
            assert_eq!(folder.components().count(), 1, "{odd}");
            assert!(matches!(folder.components().next(), Some(std::path::Component::Normal(_))), "{odd}");
        }
    }

    #[test]
    fn the_template_leaves_no_blank() {
        let blanks = ["name", "root_member", "root_email", "root_key", "ca_key", "minter_key", "log_key"];
        let mut text = POLICY.to_owned();
        for blank in blanks {
            assert!(text.contains(&format!("{{{{{blank}}}}}")), "{blank}");
            text = text.replace(&format!("{{{{{blank}}}}}"), "x");
        }
        assert!(!text.contains("{{"));
    }
}
