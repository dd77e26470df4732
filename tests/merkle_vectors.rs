//! The Merkle log against numbers that others computed (format.md, section 4; RFC 6962), against a naive reading of the RFC,
//! and against bent proofs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use data_encoding::HEXLOWER;
use jit::domain::id::Digest;
use jit::merkle::{
    ProofError, Tree, empty_root, event_leaf, leaf_hash, node_hash, verify_consistency, verify_inclusion, void_leaf,
};
use proptest::prelude::*;

fn digest(hex: &str) -> Digest {
    format!("sha256:{hex}").parse().unwrap()
}

/// The eight leaves that Certificate Transparency's implementations are tested with.
const CT_LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// Their roots, at sizes 1 to 8.
const CT_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Inner nodes, by the leaves they cover.
const NODE_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const NODE_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const NODE_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const NODE_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const NODE_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const NODE_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

fn ct_tree() -> Tree {
    CT_LEAVES.iter().map(|hex| leaf_hash(&HEXLOWER.decode(hex.as_bytes()).unwrap())).collect()
}

#[test]
fn the_roots_are_those_of_certificate_transparency() {
    let tree = ct_tree();
    assert_eq!(tree.size(), 8);
    for (size, root) in (1..).zip(CT_ROOTS) {
        assert_eq!(tree.root_at(size), Some(digest(root)), "{size}");
    }
    assert_eq!(tree.root(), digest(CT_ROOTS[7]));
    // RFC 6962, section 2.1: "The hash of an empty list is the hash of an empty string".
    let empty = digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!((empty_root(), Tree::new().root(), tree.root_at(0)), (empty, empty, Some(empty)));
    assert_eq!(tree.root_at(9), None);
    assert_eq!(tree.root_at(u64::MAX), None);
}

#[test]
fn the_proofs_are_those_of_certificate_transparency() {
    let tree = ct_tree();
    let inclusion: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (0, 8, &[NODE_1, NODE_2_3, NODE_4_7]),
        (5, 8, &[NODE_4, NODE_6_7, CT_ROOTS[3]]),
        (2, 3, &[CT_ROOTS[1]]),
        (1, 5, &[CT_ROOTS[0], NODE_2_3, NODE_4]),
    ];
    for (index, size, path) in inclusion {
        let path: Vec<_> = path.iter().map(|hex| digest(hex)).collect();
        assert_eq!(tree.inclusion_proof(index, size), Ok(path), "{index} in {size}");
    }
    let consistency: [(u64, u64, &[&str]); 5] = [
        (1, 1, &[]),
        (0, 8, &[]),
        (1, 8, &[NODE_1, NODE_2_3, NODE_4_7]),
        (6, 8, &[NODE_4_5, NODE_6_7, CT_ROOTS[3]]),
        (2, 5, &[NODE_2_3, NODE_4]),
    ];
    for (old, new, path) in consistency {
        let path: Vec<_> = path.iter().map(|hex| digest(hex)).collect();
        assert_eq!(tree.consistency_proof(old, new), Ok(path), "{old} to {new}");
    }
}

#[test]
fn leaves_of_events_and_void_commits_are_the_samples() {
    // The genesis and the first request of the sample ledger: `sha256sum` of the two files, and the leaf.
    for (event, signature, leaf) in [
        (
            "d70ae84d0e92ab997a9246788e9092b16411195254d634d5696baef6831a558e",
            "926ef528fa5fca93d02705d1aa96e7520d4bbcd1816030c53ce4fbe7f293ece4",
            "597705d76b2a7e3cdd662a19b954f7c506a2d71c6e94c77e1cd56b1d68477e75",
        ),
        (
            "f0c345b1232793affc75e3d4efd7b6b8521c20603df657af9aad0dc84d3104f0",
            "bc9c5137536cffd9b556124f48da052ec0e9161b91a528b84e657aa284416e5d",
            "3e903a96992941210c960ee4bd03d42048473bf2bd84f0cbafcab8b0a85857a7",
        ),
    ] {
        assert_eq!(event_leaf(&digest(event), &digest(signature)), digest(leaf));
    }
    // Its void commit, as `git cat-file commit` prints it, is leaf 35.
    let raw = "tree 5fc7361cb324a64b4b7368cbb30efa33d671714c\n\
               parent e3c98f3d64f5addf415d59b80c0793ff1fbb1f8a\n\
               author alice <alice@acme.example> 1795444780 +0000\n\
               committer alice <alice@acme.example> 1795444780 +0000\n\
               \n\
               oops\n";
    let leaf = digest("c94d7f137a15a74982d370aaf38d8f34ed122a51d8e477586e5175a0451fef1f");
    assert_eq!(void_leaf(raw.as_bytes()), leaf);
}

#[test]
fn the_sample_log_has_the_roots_that_its_authors_saw() {
    let mut tree = Tree::new();
    let mut roots = Vec::new();
    for line in include_str!("vectors/merkle/sample.txt").lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<_> = line.split(' ').collect();
        let number: u64 = words[1].parse().unwrap();
        match words[0] {
            "leaf" => {
                assert_eq!(tree.size(), number);
                tree.append(digest(words[2]));
            }
            "root" => roots.push((number, digest(words[2]))),
            other => panic!("{other}"),
        }
    }
    assert_eq!(tree.size(), 39);
    assert_eq!(tree.root(), digest("5741825e2a36cd225740db13fd68702737bf83b948b745345239fc8dc486600a"));
    assert!(roots.len() > 20, "{}", roots.len());
    for (size, root) in roots {
        assert_eq!(tree.root_at(size), Some(root), "{size}");
    }
}

/// MTH of RFC 6962, section 2.1, word for word.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

#[test]
fn every_size_up_to_300_is_the_naive_root_and_so_are_chunk_borders() {
    let all = leaves(300);
    let tree: Tree = all.iter().copied().collect();
    for size in 0..=300_usize {
        assert_eq!(tree.root_at(u64::try_from(size).unwrap()), Some(naive_root(&all[..size])), "{size}");
    }
    let all = leaves(2100);
    let mut tree = Tree::new();
    for (size, leaf) in (1..).zip(&all) {
        tree.append(*leaf);
        if [511, 512, 513, 1023, 1024, 1025, 1026, 2047, 2048, 2049, 2100].contains(&size) {
            assert_eq!(tree.root(), naive_root(&all[..size]), "{size}");
            assert_eq!(tree.root_at(512).is_some(), size >= 512);
        }
    }
    assert_eq!(tree.root_at(1025), Some(naive_root(&all[..1025])));
    assert_eq!((tree.leaf(1024), tree.leaf(2099), tree.leaf(2100)), (Some(all[1024]), Some(all[2099]), None));
}

#[test]
fn a_clone_grows_apart() {
    let mut left: Tree = leaves(1000).into_iter().collect();
    let mut right = left.clone();
    assert_eq!(left, right);
    left.append(leaf_hash(b"left"));
    right.append(leaf_hash(b"right"));
    assert_ne!(left, right);
    assert_eq!(left.root_at(1000), right.root_at(1000));
}

#[test]
fn every_proof_of_every_size_up_to_70_holds() {
    let all = leaves(70);
    let tree: Tree = all.iter().copied().collect();
    let root = |size: u64| tree.root_at(size).unwrap();
    for size in 0..=70 {
        for (index, leaf) in (0..size).zip(&all) {
            let proof = tree.inclusion_proof(index, size).unwrap();
            assert_eq!(verify_inclusion(leaf, index, size, &proof, &root(size)), Ok(()), "{index} in {size}");
            // For no other place: not even one whose path has the same length.
            for other in (0..size).filter(|&other| other != index) {
                assert!(verify_inclusion(leaf, other, size, &proof, &root(size)).is_err(), "{index} as {other}");
            }
        }
        for old in 0..=size {
            let proof = tree.consistency_proof(old, size).unwrap();
            assert_eq!(verify_consistency(old, size, &root(old), &root(size), &proof), Ok(()), "{old} to {size}");
            for other in (1..size).filter(|&other| other != old && old != 0) {
                let wrong = verify_consistency(other, size, &root(old), &root(size), &proof);
                assert!(wrong.is_err(), "{old} as {other} to {size}");
            }
        }
    }
}

#[test]
fn proofs_that_cannot_be_are_refused_by_name() {
    let tree = ct_tree();
    let (root, other) = (tree.root(), digest(CT_ROOTS[0]));
    assert_eq!(tree.inclusion_proof(8, 8), Err(ProofError::Index { index: 8, size: 8 }));
    assert_eq!(tree.inclusion_proof(0, 9), Err(ProofError::Size { asked: 9, have: 8 }));
    assert_eq!(tree.consistency_proof(5, 4), Err(ProofError::Order { old: 5, new: 4 }));
    assert_eq!(tree.consistency_proof(1, 9), Err(ProofError::Size { asked: 9, have: 8 }));
    let max = u64::MAX;
    assert_eq!(verify_inclusion(&root, max, max, &[], &root), Err(ProofError::Index { index: max, size: max }));
    assert_eq!(verify_inclusion(&root, 0, 0, &[], &root), Err(ProofError::Index { index: 0, size: 0 }));
    assert_eq!(verify_inclusion(&root, 0, max, &[], &root), Err(ProofError::Length(0)));
    assert_eq!(verify_inclusion(&root, 0, 1, &[root], &root), Err(ProofError::Length(1)));
    assert_eq!(verify_inclusion(&root, 0, 1, &[], &other), Err(ProofError::Root));
    assert_eq!(verify_consistency(2, 1, &root, &root, &[]), Err(ProofError::Order { old: 2, new: 1 }));
    assert_eq!(verify_consistency(8, 8, &root, &other, &[]), Err(ProofError::Root));
    assert_eq!(verify_consistency(8, 8, &root, &root, &[root]), Err(ProofError::Length(1)));
    assert_eq!(verify_consistency(0, 8, &root, &root, &[]), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(0, 8, &empty_root(), &root, &[root]), Err(ProofError::Length(1)));
    assert_eq!(verify_consistency(0, 0, &empty_root(), &root, &[]), Err(ProofError::Root));
    assert_eq!(verify_consistency(3, 8, &root, &root, &[]), Err(ProofError::Length(0)));
    assert_eq!(verify_consistency(4, 8, &root, &root, &[]), Err(ProofError::Length(0)));
    // The new root right, the old one not, and the other way round.
    let proof = tree.consistency_proof(6, 8).unwrap();
    let old = tree.root_at(6).unwrap();
    assert_eq!(verify_consistency(6, 8, &other, &root, &proof), Err(ProofError::OldRoot));
    assert_eq!(verify_consistency(6, 8, &old, &other, &proof), Err(ProofError::Root));
}

/// `digest` with one bit turned.
fn bent(digest: &Digest, bit: usize) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Digest::from_bytes(bytes)
}

proptest! {
    #[test]
    fn the_root_at_any_size_is_that_of_a_fresh_tree(size in 0_u64..3000, more in 0_u64..3000) {
        let all = leaves(size + more);
        let tree: Tree = all.iter().copied().collect();
        let fresh: Tree = all.iter().copied().take(usize::try_from(size).unwrap()).collect();
        prop_assert_eq!(tree.root_at(size), Some(fresh.root()));
    }

    #[test]
    fn a_proof_with_a_turned_bit_fails(size in 2_u64..2000, a: u64, b: u64, bit in 0_usize..256, at: usize) {
        let all = leaves(size);
        let tree: Tree = all.iter().copied().collect();
        let root = tree.root();

        let index = a % size;
        let leaf = all[usize::try_from(index).unwrap()];
        let proof = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
        let mut wrong = proof.clone();
        let place = at % wrong.len();
        wrong[place] = bent(&wrong[place], bit);
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &wrong, &root), Err(ProofError::Root));
        prop_assert_eq!(verify_inclusion(&bent(&leaf, bit), index, size, &proof, &root), Err(ProofError::Root));
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &bent(&root, bit)), Err(ProofError::Root));
        let short = &proof[1..];
        prop_assert!(verify_inclusion(&leaf, index, size, short, &root).is_err());

        let old = 1 + b % (size - 1);
        let old_root = tree.root_at(old).unwrap();
        let proof = tree.consistency_proof(old, size).unwrap();
        prop_assert_eq!(verify_consistency(old, size, &old_root, &root, &proof), Ok(()));
        let mut wrong = proof.clone();
        let place = at % wrong.len();
        wrong[place] = bent(&wrong[place], bit);
        prop_assert!(verify_consistency(old, size, &old_root, &root, &wrong).is_err());
        prop_assert!(verify_consistency(old, size, &bent(&old_root, bit), &root, &proof).is_err());
        prop_assert!(verify_consistency(old, size, &old_root, &bent(&root, bit), &proof).is_err());
    }

    #[test]
    fn no_numbers_make_a_verifier_panic_or_agree(
        a: u64, b: u64, proof in prop::collection::vec(any::<[u8; 32]>(), 0..70), one: [u8; 32], two: [u8; 32],
    ) {
        let proof: Vec<_> = proof.into_iter().map(Digest::from_bytes).collect();
        let (one, two) = (Digest::from_bytes(one), Digest::from_bytes(two));
        for (a, b) in [(a, b), (a % 64, b % 64), (0, b), (a, a), (a, u64::MAX), (1 << (a % 64), b)] {
            prop_assert!(verify_inclusion(&one, a, b, &proof, &two).is_err());
            prop_assert!(verify_consistency(a, b, &one, &two, &proof).is_err());
            let _ = ct_tree().inclusion_proof(a, b);
            let _ = ct_tree().consistency_proof(a, b);
        }
    }
}
