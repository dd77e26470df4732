//! Proof files: one spelling; and a leaf that is not in the log has no proof, whatever the path says.
#![no_main]

use std::sync::OnceLock;

use jit::domain::id::Digest;
use jit::merkle::{ProofError, TlogProof, Tree, leaf_hash, node_hash, verify_consistency, verify_inclusion};
use jit_fuzz::Input;

/// A log of 300 leaves.
fn log() -> &'static Tree {
    static LOG: OnceLock<Tree> = OnceLock::new();
    LOG.get_or_init(|| {
        let mut tree = Tree::default();
        (0..300_u32).for_each(|number| tree.append(leaf(u64::from(number))));
        tree
    })
}

fn leaf(number: u64) -> Digest {
    leaf_hash(&number.to_be_bytes())
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = TlogProof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes, "one proof, two spellings");
        jit_fuzz::check_signatures(&proof.checkpoint);
        // A digest that nobody has hashed anything into.
        assert!(proof.verify_leaf(&Digest::from_bytes([7; 32])).is_err());
    }

    // True proofs of a known log hold; changed ones hold for nothing else.
    let mut input = Input(bytes);
    let size = 1 + u64::try_from(input.short()).expect("small") % 300;
    let index = u64::try_from(input.short()).expect("small") % size;
    let root = log().root_at(size).expect("it is that long");
    let mut path = log().inclusion_proof(index, size).expect("it is in there");
    assert_eq!(verify_inclusion(&leaf(index), index, size, &path, &root), Ok(()));
    let old = index + 1;
    let old_root = log().root_at(old).expect("it is that long");
    let mut growth = log().consistency_proof(old, size).expect("it grew");
    assert_eq!(verify_consistency(old, size, &old_root, &root, &growth), Ok(()));
    let is_changed = |path: &mut Vec<Digest>, input: &mut Input<'_>| match input.byte() % 4 {
        0 => {
            let at = usize::from(input.byte());
            let Some(hash) = path.get_mut(at) else { return false };
            let mut changed = *hash.as_bytes();
            changed[usize::from(input.byte()) % 32] ^= 1 << (input.byte() % 8);
            *hash = Digest::from_bytes(changed);
            true
        }
        1 => path.pop().is_some(),
        2 => {
            path.push(node_hash(&root, &root));
            true
        }
        _ => {
            let (one, other) = (usize::from(input.byte()), usize::from(input.byte()));
            let differ = path.get(one).is_some_and(|one| path.get(other).is_some_and(|other| one != other));
            if differ {
                path.swap(one, other);
            }
            differ
        }
    };
    if is_changed(&mut path, &mut input) {
        assert!(verify_inclusion(&leaf(index), index, size, &path, &root).is_err());
    }
    if is_changed(&mut growth, &mut input) && old < size {
        let verdict: Result<(), ProofError> = verify_consistency(old, size, &old_root, &root, &growth);
        assert!(verdict.is_err());
    }
    let other = u64::try_from(input.short()).expect("small") % size;
    if other != index {
        let path = log().inclusion_proof(index, size).expect("it is in there");
        assert!(verify_inclusion(&leaf(index), other, size, &path, &root).is_err());
    }
});
