//! Policies: what is taken is sound, what is derived from it can be read again, and an edit of its text changes what was
//! meant and nothing else.
#![no_main]

use jit::domain::id::Name;
use jit::domain::key::PublicKey;
use jit::domain::policy::{Class, Policy, diff, edit};

/// A key that is in no policy of the seeds.
const NEW: &str = include_str!("../../../tests/vectors/sample/keys/frank.pub");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let policy = match Policy::parse(bytes) {
        Ok(policy) => policy,
        Err(errors) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!(!errors.0.is_empty() && errors.0.iter().all(|problem| (1..=lines).contains(&problem.line)));
            return;
        }
    };
    let text = std::str::from_utf8(bytes).expect("a policy is UTF-8");
    assert!(!text.chars().any(jit::domain::text::is_bidi_control));
    // One key, one actor.
    let keys = policy.actors.values().map(|actor| actor.keys.len()).sum::<usize>();
    let derived = policy.allowed_signers();
    assert_eq!(derived.lines().count(), keys);
    for line in derived.lines() {
        let mut words = line.splitn(3, ' ');
        let name: Name = words.next().and_then(|name| name.parse().ok()).expect("a name");
        let key: PublicKey = words.nth(1).and_then(|key| key.parse().ok()).expect("a key");
        assert_eq!(policy.actor_of_key(&key), Some(&name));
    }
    assert!(policy.root_quorum(&policy.root.members.iter().cloned().collect()), "a quorum that nobody reaches");
    assert!(diff::diff(&policy, &policy).is_empty());

    let next = edit::with_version(text, policy.version.saturating_add(1)).expect("it has a version");
    if policy.version < u64::MAX / 2 {
        let next = Policy::parse(next.as_bytes()).expect("only the number has changed");
        assert!(edit::is_exactly(&policy, &next, |_| {}) && next.version == policy.version + 1);
    }
    let (name, key): (Name, PublicKey) = ("fuzz".parse().expect("a name"), jit_fuzz::public_key(NEW));
    if policy.actor(&name).is_none() && policy.actor_of_key(&key).is_none() {
        if let Ok(added) = edit::add_member(text, &name, "fuzz@acme.example", &[], &[key]) {
            // What the edit makes is compared before it is proposed: here, too.
            if let Ok(added) = Policy::parse(added.as_bytes()) {
                assert!(added.is_member(&name));
                let mut without = added.clone();
                without.actors.remove(&name);
                assert!(edit::is_exactly(&policy, &without, |_| {}));
            }
        }
    }
    for (name, actor) in &policy.actors {
        if matches!(actor.class, Class::Member { .. })
            && let Ok(removed) = edit::remove_member(text, name)
            && let Ok(removed) = Policy::parse(removed.as_bytes())
        {
            assert!(!removed.is_member(name));
        }
    }
});
