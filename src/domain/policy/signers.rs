//! The derived `allowed_signers` file (format.md, section 3). Imports nothing of ours but the policy.

use std::fmt::Write as _;

use super::{Class, Policy};

/// One line a key, `<actor> namespaces="…" <key>`, actors sorted by name, keys in the policy's order.
pub(super) fn allowed_signers(policy: &Policy) -> String {
    let mut out = String::new();
    for (name, actor) in &policy.actors {
        let namespaces = namespaces(&actor.class);
        for key in &actor.keys {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{name} namespaces=\"{namespaces}\" {key}");
        }
    }
    out
}

/// What an actor of this class may sign.
const fn namespaces(class: &Class) -> &'static str {
    match class {
        Class::Member { .. } => "jit-1/*",
        Class::Service { .. } => "jit-1/issuance,jit-1/revocation,jit-1/residue,jit-1/lock,jit-1/enactment",
        Class::Host { .. } => "jit-1/session-start,jit-1/session-end,jit-1/residue",
    }
}
