//! Raw Git trees: the entries that are read, written again, are the bytes read; whatever is malformed is named, and what is
//! not named is what git itself would write.
#![no_main]

use jit::ledger::tree::{Malformed, Tree, order};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let tree = Tree::parse(bytes.to_vec());
    let mut again = Vec::new();
    for entry in tree.entries() {
        if entry.padded {
            // How many zeroes there were is not kept.
            assert!(tree.faults().iter().any(|(fault, _)| *fault == Malformed::PaddedMode));
            return;
        }
        again.extend_from_slice(format!("{:o} ", entry.mode).as_bytes());
        again.extend_from_slice(entry.name);
        again.push(0);
        again.extend_from_slice(entry.id.as_bytes());
    }
    let is_cut = tree.faults().iter().any(|(fault, _)| *fault == Malformed::Cut);
    assert!(bytes.starts_with(&again));
    assert_eq!(again.len() == bytes.len(), !is_cut);
    if !tree.faults().is_empty() {
        return;
    }
    let entries: Vec<_> = tree.entries().collect();
    assert!(entries.windows(2).all(|pair| order(&pair[0], &pair[1]).is_lt()));
    let mut names: Vec<String> = Vec::new();
    for entry in &entries {
        let name = std::str::from_utf8(entry.name).expect("not UTF-8 is a fault");
        assert!(!name.is_empty() && !name.contains('/') && name != "." && name != "..");
        assert!(!name.eq_ignore_ascii_case(".git") && !name.eq_ignore_ascii_case("git~1"));
        names.push(name.to_lowercase());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), entries.len(), "two names of one file on some file system");
});
