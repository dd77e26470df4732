//! `jit member list`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::output::{Table, relative};
use super::super::session::{Fresh, Session};
use super::super::view::proofs::{FILE, Proofs};
use super::super::{Context, Exit, Outcome};
use crate::domain::id::Name;
use crate::domain::key::PublicKey;
use crate::domain::policy::{Actor, Class, Policy};
use crate::domain::state::State;
use crate::domain::state::case::EventRef;
use crate::ledger::governed;

/// List the members: groups, keys, whether they are proven, and the last thing that each signed.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Services and hosts, too.
    #[arg(long)]
    pub all: bool,
}

/// Runs the command.
///
/// # Errors
/// Where the ledger cannot be checked.
pub fn run(context: &mut Context, args: &Args) -> Outcome {
    let session = Session::open(context, Fresh::Try)?;
    let (policy, state, now) = (session.policy(), session.state(), context.now());
    let files = governed::in_force(session.store(), session.replay())?;
    let proofs = Proofs::read(state, files.get(FILE).map(|content| content.bytes.as_slice()));
    let last = last(state);
    let listed: Vec<(&Name, &Actor)> =
        policy.actors.iter().filter(|(name, _)| args.all || policy.is_member(name)).collect();
    let output = &context.output;
    if output.is_json() {
        for (name, actor) in listed {
            output.print(&object(policy, name, actor, &proofs, last.get(name).copied()).to_string())?;
        }
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(&["who", "in", "key", "type", "proof", "last signed"]);
    for (name, actor) in listed {
        let signed = last
            .get(name)
            .map_or_else(|| "never".to_owned(), |event| format!("{}, {}", relative(event.time, now), event.kind));
        for (index, key) in actor.keys.iter().enumerate() {
            let proof = if proofs.of(name, key).is_ok() { "yes" } else { "none" };
            let (who, of, signed) = if index == 0 {
                (name.to_string(), belongs(policy, name, actor), signed.as_str())
            } else {
                (String::new(), String::new(), "")
            };
            table.row([&who, &of, &key.fingerprint(), kind(key), proof, signed]);
        }
    }
    output.print(&table.render(output.width()))?;
    Ok(Exit::DONE)
}

/// The last event of each, by the ledger's order.
fn last(state: &State) -> BTreeMap<&Name, &EventRef> {
    let mut last: BTreeMap<&Name, &EventRef> = BTreeMap::new();
    for event in state.cases().flat_map(|case| case.events()) {
        let newest = last.entry(&event.actor).or_insert(event);
        if newest.position < event.position {
            *newest = event;
        }
    }
    last
}

fn kind(key: &PublicKey) -> &'static str {
    if key.is_hardware() { "hardware" } else { "software" }
}

fn belongs(policy: &Policy, name: &Name, actor: &Actor) -> String {
    let join = |names: &[Name]| names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    match &actor.class {
        Class::Member { groups } => {
            let root = policy.is_root(name).then(|| "root".to_owned());
            let groups = (!groups.is_empty()).then(|| join(groups));
            root.into_iter().chain(groups).collect::<Vec<_>>().join(", ")
        }
        Class::Service { mints } => format!("service: mints {}", join(mints)),
        Class::Host { targets } => format!("host: serves {}", join(targets)),
    }
}

fn object(policy: &Policy, name: &Name, actor: &Actor, proofs: &Proofs, last: Option<&EventRef>) -> Value {
    let keys: Vec<Value> = actor
        .keys
        .iter()
        .map(|key| {
            json!({ "key": key.to_string(), "type": key.label(), "fingerprint": key.fingerprint(),
                "proven": proofs.of(name, key).is_ok() })
        })
        .collect();
    let last = last.map(
        |event| json!({ "time": event.time.to_string(), "kind": event.kind.as_str(), "id": event.digest.short() }),
    );
    json!({ "name": name.as_str(), "class": actor.class.word(), "email": actor.email, "root": policy.is_root(name),
        "groups": actor.groups().iter().map(Name::as_str).collect::<Vec<_>>(), "keys": keys, "last": last })
}
