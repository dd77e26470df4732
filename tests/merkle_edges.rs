//! Signed notes and checkpoints at their edges (C2SP signed-note, tlog-checkpoint), beside the examples of `tests/notes.rs`;
//! and trees at theirs, beside the numbers of `tests/merkle_vectors.rs`: proofs for sizes that there never were, and trees
//! whose first hashes are kept elsewhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use jit::domain::id::Digest;
use jit::domain::key::PublicKey;
use jit::merkle::note::NoteError;
use jit::merkle::tlog_proof::TlogProofError;
use jit::merkle::witness::{WitnessRefusal, judge};
use jit::merkle::{
    Checkpoint, Hashes, KeyName, Note, ProofError, SignatureType, SignedCheckpoint, Submission, TlogProof, Tree,
    VerifierKey, empty_root, event_entry, event_leaf, leaf_hash, void_entry, void_leaf,
};

/// tlog-cosignature, the example at the top.
const COSIGNED: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

#[test]
fn a_signature_line_is_there_once_and_goes_when_it_is_not_kept() {
    let mut signed = SignedCheckpoint::parse(COSIGNED.as_bytes()).unwrap();
    let lines = signed.note().signatures().to_vec();
    assert_eq!(lines.len(), 2);
    signed.add(lines[1].clone());
    assert_eq!(signed.to_string(), COSIGNED, "the same line again");
    signed.retain(|line| line.name.as_str().starts_with("witness"));
    assert_eq!(signed.note().signatures(), &lines[1..]);
    signed.add(lines[0].clone());
    assert_eq!(signed.note().signatures(), [lines[1].clone(), lines[0].clone()]);
}

#[test]
fn a_note_has_at_most_a_million_bytes() {
    assert_eq!(Note::parse(&vec![b'a'; 1_000_000]), Err(NoteError::Unsigned));
    assert_eq!(Note::parse(&vec![b'a'; 1_000_001]), Err(NoteError::TooLarge(1_000_001)));
}

#[test]
fn a_key_name_is_shown_as_it_is() {
    let name: KeyName = "example.com/log42".parse().unwrap();
    assert_eq!(
        (format!("{name:>18}"), format!("{name:?}")),
        (" example.com/log42".into(), "\"example.com/log42\"".into())
    );
    for bad in ["", "a b", "a+b", "a\tb", "a\u{a0}b", "a\u{7f}b"] {
        assert!(bad.parse::<KeyName>().is_err(), "{bad:?}");
    }
}

fn leaves(count: u64) -> impl Iterator<Item = Digest> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes()))
}

/// What a proof would need may all be there although the log never had as many leaves: the last leaf, or a log and itself.
#[test]
fn there_is_no_proof_for_a_size_that_there_never_was() {
    let tree: Tree = leaves(7).collect();
    assert_eq!(tree.inclusion_proof(7, 8), Err(ProofError::Size { asked: 8, have: 7 }));
    assert_eq!(tree.inclusion_proof(8, 9), Err(ProofError::Size { asked: 9, have: 7 }));
    assert_eq!(tree.consistency_proof(8, 8), Err(ProofError::Size { asked: 8, have: 7 }));
    assert_eq!(tree.consistency_proof(0, 8), Err(ProofError::Size { asked: 8, have: 7 }));
    assert_eq!(tree.consistency_proof(7, 7), Ok(vec![]));
}

/// Hashes that are kept elsewhere: here, in another tree.
#[derive(Debug)]
struct Kept(Tree);

impl Hashes for Kept {
    fn subtree(&self, level: u32, index: u64) -> Digest {
        self.0.subtree(level, index).unwrap()
    }
}

#[test]
fn a_tree_above_hashes_that_are_kept_elsewhere_is_the_whole_tree() {
    let whole: Tree = leaves(40).collect();
    for base in 0..=33 {
        // What is kept ends where the tree that was kept did: whoever asks for more is told nothing.
        let mut tree = Tree::above(base, Arc::new(Kept(leaves(base).collect())));
        assert_eq!((tree.size(), tree.root()), (base, whole.root_at(base).unwrap()), "{base}");
        for (size, leaf) in (base + 1..).zip(leaves(40).skip(usize::try_from(base).unwrap())) {
            tree.append(leaf);
            assert_eq!((tree.size(), tree.root()), (size, whole.root_at(size).unwrap()), "{size} above {base}");
        }
        assert_eq!(tree, whole);
        for index in 0..40 {
            assert_eq!(tree.leaf(index), whole.leaf(index), "{index} above {base}");
            assert_eq!(tree.inclusion_proof(index, 37), whole.inclusion_proof(index, 37), "{index} above {base}");
        }
        for level in 0..6 {
            for index in 0..42 {
                assert_eq!(tree.subtree(level, index), whole.subtree(level, index), "{level}, {index} above {base}");
            }
        }
        for size in 0..=40 {
            assert_eq!(tree.root_at(size), whole.root_at(size), "{size} above {base}");
        }
        assert_eq!((tree.root_at(41), tree.leaf(40), tree.subtree(64, 0)), (None, None, None));
    }
}

/// format.md, section 4: 0x01 ‖ SHA-256(event) ‖ SHA-256(signature) of an event; 0x02 ‖ SHA-256(raw commit) of a void one.
#[test]
fn the_data_of_a_leaf_is_what_its_hash_is_over() {
    let (event, signature) = (Digest::of(b"event"), Digest::of(b"signature"));
    let entry = event_entry(&event, &signature);
    assert_eq!((entry.len(), entry[0]), (65, 1));
    assert_eq!((&entry[1..33], &entry[33..]), (&event.as_bytes()[..], &signature.as_bytes()[..]));
    assert_eq!(leaf_hash(&entry), event_leaf(&event, &signature));
    let entry = void_entry(b"tree 1");
    assert_eq!((entry.len(), entry[0], &entry[1..]), (33, 2, &Digest::of(b"tree 1").as_bytes()[..]));
    assert_eq!(leaf_hash(&entry), void_leaf(b"tree 1"));
}

#[test]
fn there_is_no_leaf_behind_the_last_one() {
    for size in [1, 511, 512, 513] {
        let tree: Tree = leaves(size).collect();
        assert_eq!(tree.leaf(size - 1), leaves(size).last());
        for index in [size, size + 1, size + 511, size + 512, 1 << 20, u64::MAX] {
            assert_eq!(tree.leaf(index), None, "{index} of {size}");
        }
    }
}

#[test]
fn a_proof_has_at_most_two_million_bytes() {
    let long = vec![b'a'; 2_000_001];
    assert_eq!(TlogProof::parse(&long), Err(TlogProofError::TooLarge(2_000_001)));
    assert_ne!(TlogProof::parse(&long[1..]), Err(TlogProofError::TooLarge(2_000_000)));
    assert_eq!(Submission::parse(&long[1..]), Err(TlogProofError::Old));
}

fn key(seed: u8) -> (SigningKey, VerifierKey) {
    let secret = SigningKey::from_bytes(&[seed; 32]);
    let public = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let name = "example.com/log".parse().unwrap();
    (secret, VerifierKey::new(name, SignatureType::Ed25519, public).unwrap())
}

#[test]
fn a_verifier_key_is_shown_as_its_text() {
    let (_, key) = key(1);
    assert_eq!(format!("{key:?}"), key.to_string());
    assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
}

/// C2SP tlog-witness, `add-checkpoint`: what is asked of a checkpoint that continues another, and in which order.
#[test]
fn a_witness_cosigns_what_continues_what_it_cosigned() {
    let (secret, log) = key(1);
    let tree: Tree = leaves(8).collect();
    let other: Tree = (100..108_u64).map(|number| leaf_hash(&number.to_be_bytes())).collect();
    let submission = |old: u64, size: u64, hashes: Vec<Digest>| {
        let checkpoint = Checkpoint::new("example.com/log".into(), size, tree.root_at(size).unwrap());
        let signature = secret.sign(checkpoint.to_string().as_bytes()).to_bytes();
        Submission { old, hashes, checkpoint: SignedCheckpoint::new(&checkpoint, &log, signature).unwrap() }
    };
    let at = |size: u64| Some((size, tree.root_at(size).unwrap()));
    let proof = |old, new| tree.consistency_proof(old, new).unwrap();

    // The first one, a larger one, and the same again.
    assert_eq!(judge(None, &submission(0, 5, vec![]), &log), Ok(()));
    assert_eq!(judge(Some((0, empty_root())), &submission(0, 5, vec![]), &log), Ok(()));
    assert_eq!(judge(at(5), &submission(5, 8, proof(5, 8)), &log), Ok(()));
    assert_eq!(judge(at(5), &submission(5, 5, vec![]), &log), Ok(()));

    // 400, 409 and 422; the earlier one where two would do.
    assert_eq!(judge(at(6), &submission(6, 5, vec![]), &log), Err(WitnessRefusal::Order { old: 6, new: 5 }));
    assert_eq!(judge(at(5), &submission(6, 5, vec![]), &log), Err(WitnessRefusal::Order { old: 6, new: 5 }));
    assert_eq!(judge(at(5), &submission(4, 8, proof(4, 8)), &log), Err(WitnessRefusal::Conflict { known: 5, old: 4 }));
    assert_eq!(judge(at(5), &submission(0, 8, vec![]), &log), Err(WitnessRefusal::Conflict { known: 5, old: 0 }));
    assert_eq!(judge(None, &submission(5, 8, proof(5, 8)), &log), Err(WitnessRefusal::Conflict { known: 0, old: 5 }));
    let refused = judge(at(5), &submission(5, 8, proof(4, 8)), &log);
    assert!(matches!(refused, Err(WitnessRefusal::Inconsistent(_))), "{refused:?}");
    let forked = judge(Some((5, other.root_at(5).unwrap())), &submission(5, 8, proof(5, 8)), &log);
    assert_eq!(forked, Err(WitnessRefusal::Inconsistent(ProofError::OldRoot)));

    // 403 before anything else.
    let (_, stranger) = key(2);
    let refused = judge(at(5), &submission(6, 5, vec![]), &stranger);
    assert!(matches!(refused, Err(WitnessRefusal::Signature(_))), "{refused:?}");
}
