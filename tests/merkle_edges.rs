//! Signed notes and checkpoints at their edges (C2SP signed-note, tlog-checkpoint), beside the examples of `tests/notes.rs`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jit::merkle::note::NoteError;
use jit::merkle::{KeyName, Note, SignedCheckpoint};

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
