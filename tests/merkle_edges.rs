//! Signed notes and checkpoints at their edges (C2SP signed-note, tlog-checkpoint), beside the examples of `tests/notes.rs`;
//! and trees at theirs, beside the numbers of `tests/merkle_vectors.rs`: proofs for sizes that there never were, and trees
//! whose first hashes are kept elsewhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use jit::domain::id::Digest;
use jit::merkle::note::NoteError;
use jit::merkle::{Hashes, KeyName, Note, ProofError, SignedCheckpoint, Tree, leaf_hash};

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
