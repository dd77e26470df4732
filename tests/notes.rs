//! Signed notes, checkpoints, cosignatures, proof files and tiles against what others wrote: the specifications'
//! examples (c2sp.org: signed-note v1.0.0, tlog-checkpoint, tlog-cosignature, tlog-proof, tlog-witness, tlog-tiles), the
//! tests of Go's `golang.org/x/mod/sumdb` and of `filippo.io/torchwood` (litewitness), and what the Python package
//! aics-tlog signed (`vectors/c2sp/make.py`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use jit::domain::id::Digest;
use jit::domain::key::PublicKey;
use jit::domain::time::Timestamp;
use jit::merkle::checkpoint::{self, encode_hash};
use jit::merkle::cosignature;
use jit::merkle::note::{NoteError, NoteKeyError, parse_signatures};
use jit::merkle::tile::{self, Tile, tiles_between};
use jit::merkle::tlog_proof::TlogProofError;
use jit::merkle::{
    Checkpoint, CheckpointError, KeyName, Note, SignatureType, SignedCheckpoint, Submission, TlogProof, Tree,
    VerifierKey, leaf_hash, verify_consistency,
};
use proptest::prelude::*;

/// signed-note v1.0.0, "Example".
const SPEC_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// golang.org/x/mod/sumdb/note, note_test.go.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// tlog-cosignature, the example at the top; its keys are not given.
const SPEC_COSIGNED: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

/// aics-tlog: a log key, a witness key, and two cosigned checkpoints, the second with an extension line.
const SIGNED: &str = include_str!("vectors/c2sp/signed.txt");

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

/// Whether `key` signed the note, as Ed25519 over its text: a checkpoint's rule, for notes that are none.
fn is_signed(note: &Note, key: &VerifierKey) -> bool {
    let mut lines = note.signatures_of(key);
    let good = |bytes: &[u8]| {
        let point = ed25519_dalek::VerifyingKey::from_bytes(key.key().point()).unwrap();
        point.verify_strict(note.text().as_bytes(), &bytes.try_into().unwrap()).is_ok()
    };
    lines.next().is_some_and(|line| good(&line.bytes))
}

#[test]
fn the_examples_of_signed_note_are_read_and_written_again() {
    for (vkey, text) in [(SPEC_KEY, SPEC_NOTE), (GO_KEY, GO_NOTE)] {
        let key = key(vkey);
        assert_eq!(key.to_string(), vkey);
        assert_eq!(key.kind(), SignatureType::Ed25519);
        let note = Note::parse(text.as_bytes()).unwrap();
        assert_eq!(note.to_string(), text);
        assert!(is_signed(&note, &key), "{text}");
    }
    // "The note text MAY contain empty lines": the poem at the top of the specification. Its key is not given.
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
    let text = format!(
        "{poem}\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    );
    let note = Note::parse(text.as_bytes()).unwrap();
    assert_eq!((note.text(), note.to_string()), (poem, text));
}

#[test]
fn verifier_keys_that_are_none_are_refused_by_name() {
    // note_test.go: every part of a key, and every key with one byte changed, is refused.
    for start in 0..GO_KEY.len() {
        for end in start + 1..=GO_KEY.len() {
            if (start, end) != (0, GO_KEY.len()) {
                assert!(GO_KEY[start..end].parse::<VerifierKey>().is_err(), "{}", &GO_KEY[start..end]);
            }
        }
        let mut bent = GO_KEY.as_bytes().to_vec();
        bent[start] += 1;
        assert!(String::from_utf8(bent).unwrap().parse::<VerifierKey>().is_err(), "{start}");
    }
    let refusals: [(&str, NoteKeyError); 9] = [
        ("PeterNeumann", NoteKeyError::Form),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteKeyError::Name),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteKeyError::Id),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq_LDE4izWy10TW", NoteKeyError::Base64),
        // The two of note_test.go: "wrong length key", "unknown algorithm", each with its right id.
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", NoteKeyError::Base64),
        ("PeterNeumann+c74f20a3+AQ==", NoteKeyError::Length(0)),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", NoteKeyError::Type(0x65)),
        (
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteKeyError::Mismatch("c74f20a3".into()),
        ),
        // The identity: of small order.
        (
            "x+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            NoteKeyError::Key(jit::domain::key::KeyError::Weak),
        ),
    ];
    for (text, cause) in refusals {
        assert_eq!(text.parse::<VerifierKey>(), Err(cause), "{text}");
    }
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\u{2003}b", "\u{7f}"] {
        assert!(name.parse::<KeyName>().is_err(), "{name:?}");
    }
}

#[test]
fn notes_that_are_none_are_refused_by_name() {
    let line = "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    let cases: Vec<(Vec<u8>, NoteError)> = vec![
        (vec![b'a'; 1_000_001], NoteError::TooLarge(1_000_001)),
        (b"a\xff\n\n".to_vec(), NoteError::Utf8),
        (format!("a\r\n\n{line}\n").into(), NoteError::Control(0x0d)),
        (format!("a\0\n\n{line}\n").into(), NoteError::Control(0)),
        (format!("a\n{line}\n").into(), NoteError::Unsigned),
        (b"a\n\n".to_vec(), NoteError::Unsigned),
        (b"".to_vec(), NoteError::Unsigned),
        (format!("a\n\n{line}").into(), NoteError::End),
        (format!("a\n\n{line}\nb\n").into(), NoteError::Line(2)),
        (b"a\n\n- example.com/foo AAAAAAA=\n".to_vec(), NoteError::Line(1)),
        ("a\n\n— example.com/foo\n".into(), NoteError::Line(1)),
        ("a\n\n—  AAAAAAA=\n".into(), NoteError::Name(1)),
        ("a\n\n— a+b AAAAAAA=\n".into(), NoteError::Name(1)),
        (format!("a\n\n{line}\n— b AAAAAAA\n").into(), NoteError::Base64(2)),
        ("a\n\n— b AAAAAAB=\n".into(), NoteError::Base64(1)), // spare bits
        ("a\n\n— b AAAAAAA= \n".into(), NoteError::Base64(1)),
        ("a\n\n— b AAAAAA==\n".into(), NoteError::Short(1)),
        ("a\n\n— b AAAA\n".into(), NoteError::Short(1)),
        (format!("a\n\n{}", format!("{line}\n").repeat(101)).into(), NoteError::TooMany),
    ];
    for (bytes, cause) in cases {
        assert_eq!(Note::parse(&bytes), Err(cause), "{}", String::from_utf8_lossy(&bytes[..bytes.len().min(80)]));
    }
    let many = format!("a\n\n{}", format!("{line}\n").repeat(100));
    assert_eq!(Note::parse(many.as_bytes()).unwrap().signatures().len(), 100);
    assert_eq!(Note::unsigned("a".into()), Err(NoteError::Text));
    assert_eq!(parse_signatures(""), Err(NoteError::Unsigned));
}

#[test]
fn the_checkpoint_of_the_specification_is_read_and_written_again() {
    let signed = SignedCheckpoint::parse(SPEC_COSIGNED.as_bytes()).unwrap();
    let checkpoint = signed.checkpoint();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(encode_hash(&checkpoint.root), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    assert_eq!(signed.to_string(), SPEC_COSIGNED);
    // "cosignature/v1\ntime 1679315147": the message the specification prints for this very cosignature.
    let line = &signed.note().signatures()[1];
    assert_eq!(u64::from_be_bytes(line.bytes[..8].try_into().unwrap()), 1_679_315_147);
    let message = cosignature::message(Timestamp::from_unix(1_679_315_147).unwrap(), signed.note().text());
    assert_eq!(
        String::from_utf8(message).unwrap(),
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    );
}

#[test]
fn checkpoints_that_are_none_are_refused_by_name() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let cases = [
        ("o\n1\n".to_owned(), CheckpointError::Lines),
        (format!("o\n1\n{root}"), CheckpointError::Lines),
        (format!("\n1\n{root}\n"), CheckpointError::Origin),
        (format!("o\n01\n{root}\n"), CheckpointError::Size),
        (format!("o\n+1\n{root}\n"), CheckpointError::Size),
        (format!("o\n\n{root}\n"), CheckpointError::Size),
        (format!("o\n0x1\n{root}\n"), CheckpointError::Size),
        (format!("o\n9223372036854775808\n{root}\n"), CheckpointError::Size),
        (format!("o\n99999999999999999999999\n{root}\n"), CheckpointError::Size),
        ("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n".to_owned(), CheckpointError::Root),
        ("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n".to_owned(), CheckpointError::Root), // spare bits
        ("o\n1\nAAAA\n".to_owned(), CheckpointError::Root),
        (format!("o\n1\n{root}\n\n"), CheckpointError::Extension),
        (format!("o\n1\n{root}\nx\n\ny\n"), CheckpointError::Extension),
    ];
    for (text, cause) in cases {
        assert_eq!(Checkpoint::parse(&text), Err(cause), "{text:?}");
    }
    // golang.org/x/mod/sumdb/tlog, note_test.go: TestParseTree.
    let text = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n";
    let tree = Checkpoint::parse(text).unwrap();
    assert_eq!((tree.size, tree.root, tree.to_string()), (123_456_789_012, leaf_hash(b"hello world"), text.into()));
    for (size, good) in [("0", true), ("9223372036854775807", true), ("00", false)] {
        assert_eq!(Checkpoint::parse(&format!("o\n{size}\n{root}\n")).is_ok(), good, "{size}");
    }
    let long = format!("o\n1\n{root}\none\ntwo\n");
    assert_eq!(Checkpoint::parse(&long).unwrap().to_string(), long);
}

#[test]
fn what_another_implementation_signed_verifies() {
    let mut parts = SIGNED.split("====\n");
    let keys: Vec<_> = parts.next().unwrap().lines().map(key).collect();
    let (log, witness) = (&keys[0], &keys[1]);
    assert_eq!((log.kind(), witness.kind()), (SignatureType::Ed25519, SignatureType::CosignatureV1));
    let notes: Vec<_> = parts.collect();
    assert_eq!(notes.len(), 2);
    for text in notes {
        let signed = SignedCheckpoint::parse(text.as_bytes()).unwrap();
        assert_eq!(signed.to_string(), text);
        assert_eq!(signed.checkpoint().size, 41);
        assert_eq!(signed.verify(log), Ok(()));
        let cosignatures = signed.cosignatures([witness]).unwrap();
        assert_eq!(cosignatures.len(), 1);
        assert_eq!(cosignatures[0].time, Timestamp::from_unix(1_679_315_147).unwrap());
        // A key of another type, name or point is another key: unsigned, not badly signed.
        let other = VerifierKey::new(witness.name().clone(), SignatureType::Ed25519, witness.key().clone()).unwrap();
        assert_eq!(signed.cosignatures([&other]).unwrap(), Vec::new());
        let renamed =
            VerifierKey::new("jit/other".parse().unwrap(), SignatureType::Ed25519, log.key().clone()).unwrap();
        assert!(matches!(signed.verify(&renamed), Err(CheckpointError::OtherLog { .. })));
        let stranger = VerifierKey::new(log.name().clone(), SignatureType::Ed25519, witness.key().clone()).unwrap();
        assert_eq!(signed.verify(&stranger), Err(CheckpointError::Unsigned(log.name().clone())));
    }
}

/// Our own signer over the same keys gives the same bytes: Ed25519 is deterministic.
#[test]
fn we_sign_as_the_other_implementation_does() {
    let mut parts = SIGNED.split("====\n");
    let keys: Vec<_> = parts.next().unwrap().lines().map(key).collect();
    let secret = |first: u8| SigningKey::from_bytes(&std::array::from_fn(|n| first + u8::try_from(n).unwrap()));
    let empty = Digest::of(b""); // its short form is the origin's
    assert_eq!(checkpoint::log_key(&empty, keys[0].key().clone()).unwrap(), keys[0]);
    let plain = Checkpoint::new(checkpoint::origin(&empty), 41, Digest::of(b"root"));
    let signature = secret(0).sign(plain.to_string().as_bytes()).to_bytes();
    let mut signed = SignedCheckpoint::new(&plain, &keys[0], signature).unwrap();
    let time = Timestamp::from_unix(1_679_315_147).unwrap();
    let signature = secret(32).sign(&cosignature::message(time, &plain.to_string())).to_bytes();
    signed.add(cosignature::line(&keys[1], time, &plain.to_string(), signature).unwrap());
    assert_eq!(signed.to_string(), parts.next().unwrap());
    // A signature by another key is not put under it in the first place.
    assert!(cosignature::line(&keys[1], time, "x\n", signature).is_err());
    assert!(SignedCheckpoint::new(&plain, &keys[0], signature).is_err());
}

/// filippo.io/torchwood, cmd/litewitness/testdata/litewitness.txt: the log's key, and the bodies it takes and refuses.
const SIGSUM: &str = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
const SIGSUM_KEY: &str = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f";

#[test]
fn submissions_of_litewitness_are_read_and_their_proofs_hold() {
    let point = data_encoding::HEXLOWER.decode(SIGSUM_KEY.as_bytes()).unwrap().try_into().unwrap();
    let log = PublicKey::ed25519(point).unwrap();
    let log = VerifierKey::new(SIGSUM.parse().unwrap(), SignatureType::Ed25519, log).unwrap();
    let body = |old: u64, hashes: &[&str], size: u64, root: &str, signature: &str| {
        let hashes: String = hashes.iter().map(|hash| format!("{hash}\n")).collect();
        format!("old {old}\n{hashes}\n{SIGSUM}\n{size}\n{root}\n\n— {SIGSUM} {signature}\n")
    };
    let one = "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let three = "RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=";
    let five = "QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=";
    let leaf = |n: u8| {
        let mut bytes = [0; 32];
        (bytes[0], bytes[1]) = (0x2a, n);
        STANDARD.encode(bytes)
    };
    let good = [
        body(
            0,
            &[],
            1,
            one,
            "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=",
        ),
        body(
            1,
            &[&leaf(1), &leaf(2)],
            3,
            three,
            "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=",
        ),
        body(
            3,
            &[&leaf(2), &leaf(3), "wgiIFdZfYNv6WU1OllBKsWnLYIS/DBMqt8Uh/S4OukE=", &leaf(4)],
            5,
            five,
            "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=",
        ),
    ];
    let mut before = (0, Digest::of(b""));
    for text in good {
        let submission = Submission::parse(text.as_bytes()).unwrap();
        assert_eq!(submission.to_string(), text);
        assert_eq!(submission.checkpoint.verify(&log), Ok(()));
        let newer = submission.checkpoint.checkpoint();
        assert_eq!(submission.old, before.0);
        assert_eq!(verify_consistency(before.0, newer.size, &before.1, &newer.root, &submission.hashes), Ok(()));
        before = (newer.size, newer.root);
    }
    // The one that litewitness answers with 403 "invalid signature".
    let bad = body(
        1,
        &[],
        3,
        three,
        "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6gx=",
    );
    // Its last character has spare bits: in our strict reading not even base64.
    let cause = TlogProofError::Checkpoint(CheckpointError::Note(NoteError::Base64(1)));
    assert_eq!(Submission::parse(bad.as_bytes()), Err(cause));

    for (text, cause) in [
        ("", TlogProofError::Old),
        ("old\n", TlogProofError::Old),
        ("old 01\n\n", TlogProofError::Old),
        ("old 1", TlogProofError::Old),
        ("old 1\nAAAA\n\n", TlogProofError::Hash(1)),
        ("old 1\n", TlogProofError::NoCheckpoint),
        ("old 1\n\n", TlogProofError::Checkpoint(CheckpointError::Note(NoteError::Unsigned))),
    ] {
        assert_eq!(Submission::parse(text.as_bytes()), Err(cause), "{text:?}");
    }
    let many = format!("old 1\n{}\n", format!("{one}\n").repeat(64));
    assert_eq!(Submission::parse(many.as_bytes()), Err(TlogProofError::TooMany));
    // tlog-witness, "Example request body".
    let spec = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n";
    let text = format!("{spec}{SPEC_COSIGNED}");
    let submission = Submission::parse(text.as_bytes()).unwrap();
    assert_eq!((submission.old, submission.hashes.len(), submission.to_string()), (20_852_014, 4, text));
}

/// tlog-proof, the example at the top, with whole signatures in place of the ones it cuts short.
#[test]
fn the_proof_of_the_specification_is_read_and_written_again() {
    let head = "c2sp.org/tlog-proof@v1\nextra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\nindex 73894\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\nB95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\nEKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\nRoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\nAHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\n";
    let text = format!("{head}{SPEC_COSIGNED}");
    let proof = TlogProof::parse(text.as_bytes()).unwrap();
    assert_eq!((proof.index, proof.hashes.len()), (73_894, 5));
    assert!(proof.extra.as_ref().unwrap().starts_with(b"age-v1.2.1-darwin-arm64.tar.gz"));
    assert_eq!(proof.to_string(), text);
    let plain: String = text.split_inclusive('\n').filter(|line| !line.starts_with("extra ")).collect();
    let proof = TlogProof::parse(plain.as_bytes()).unwrap();
    assert_eq!((proof.extra.clone(), proof.to_string()), (None, plain.clone()));

    let cases = [
        (plain.replace("@v1", "@v2"), TlogProofError::Header),
        (plain.replace("index 73894\n", ""), TlogProofError::Index),
        (plain.replace("index 73894", "index 073894"), TlogProofError::Index),
        (plain.replace("index 73894", "index -1"), TlogProofError::Index),
        (plain.replace("index", "extra =\nindex"), TlogProofError::Extra),
        (plain.replace("EKNzo", "EKNz"), TlogProofError::Hash(3)),
        (plain.replace('\n', "\r\n"), TlogProofError::Header),
        (plain.split("\n\n").next().unwrap().to_owned() + "\n", TlogProofError::NoCheckpoint),
    ];
    for (text, cause) in cases {
        assert_eq!(TlogProof::parse(text.as_bytes()), Err(cause), "{text}");
    }
    assert_eq!(TlogProof::parse(&vec![b'a'; 2_000_001]), Err(TlogProofError::TooLarge(2_000_001)));
}

#[test]
fn tiles_are_those_that_the_specification_names() {
    // "index 1234067 will be encoded as x001/x234/067"
    let path = |level, index, width| Tile { level, index, width }.path();
    assert_eq!(path(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(path(None, 1_234_067, 17), "tile/entries/x001/x234/067.p/17");
    assert_eq!(path(Some(1), 0, 1), "tile/1/000.p/1");
    assert_eq!(path(Some(0), 1000, 256), "tile/0/x001/000");
    // "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width 112, one
    // full level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1"
    let count = |size, level| {
        let tiles: Vec<_> = tiles_between(0, size).into_iter().filter(|tile| tile.level == level).collect();
        let full = tiles.iter().filter(|tile| tile.is_full()).count();
        (full, tiles.iter().filter(|tile| !tile.is_full()).map(|tile| tile.width).collect::<Vec<_>>())
    };
    assert_eq!(count(70_000, Some(0)), (273, vec![112]));
    assert_eq!(count(70_000, None), (273, vec![112]));
    assert_eq!(count(70_000, Some(1)), (1, vec![17]));
    assert_eq!(count(70_000, Some(2)), (0, vec![1]));
    assert_eq!(count(70_000, Some(3)), (0, vec![]));
    // "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of width 1"
    assert_eq!((count(256, Some(0)), count(256, Some(1))), ((1, vec![]), (0, vec![1])));
    assert_eq!(tiles_between(0, 0), Vec::new());
    assert_eq!(tiles_between(70_000, 70_000), Vec::new());
    // One leaf more: the partial tile of level 0 and the bundle, nothing above.
    let paths: Vec<_> = tiles_between(70_000, 70_001).iter().map(Tile::path).collect();
    assert_eq!(paths, ["tile/entries/273.p/113", "tile/0/273.p/113"]);
    let paths: Vec<_> = tiles_between(255, 257).iter().map(Tile::path).collect();
    let expected = ["tile/entries/000", "tile/entries/001.p/1", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"];
    assert_eq!(paths, expected);
    // "sequences of big-endian uint16 length-prefixed log entries"
    assert_eq!(tile::bundle([b"ab".as_slice(), b""]).unwrap(), b"\0\x02ab\0\0");
    assert!(tile::bundle([vec![0; 65_536]]).is_err());
}

#[test]
fn the_hashes_of_tiles_are_those_of_the_tree() {
    let leaves: Vec<_> = (0..600_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let tree: Tree = leaves.iter().copied().collect();
    let bytes = tile::hashes(&tree, &Tile { level: Some(0), index: 2, width: 88 }).unwrap();
    assert_eq!(bytes, leaves[512..].iter().flat_map(|leaf| *leaf.as_bytes()).collect::<Vec<_>>());
    // MTH of the first and second 256 leaves.
    let second: Tree = leaves[256..512].iter().copied().collect();
    let bytes = tile::hashes(&tree, &Tile { level: Some(1), index: 0, width: 2 }).unwrap();
    assert_eq!(bytes, [*tree.root_at(256).unwrap().as_bytes(), *second.root().as_bytes()].concat());
    assert!(tile::hashes(&tree, &Tile { level: Some(0), index: 2, width: 89 }).is_err());
    assert!(tile::hashes(&tree, &Tile { level: None, index: 0, width: 1 }).is_err());
    assert!(tile::hashes(&tree, &Tile { level: Some(9), index: u64::MAX, width: 1 }).is_err());
}

/// A log of `size` leaves, its key, and the proof file of leaf `index`.
fn proof_of(size: u64, index: u64) -> (TlogProof, Digest, VerifierKey, SigningKey) {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let public = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
    let key = checkpoint::log_key(&Digest::of(b"ledger"), public).unwrap();
    let tree: Tree = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let plain = Checkpoint::new(key.name().as_str().into(), size, tree.root());
    let signature = secret.sign(plain.to_string().as_bytes()).to_bytes();
    let checkpoint = SignedCheckpoint::new(&plain, &key, signature).unwrap();
    let hashes = tree.inclusion_proof(index, size).unwrap();
    let extra = Some(index.to_be_bytes().to_vec());
    (TlogProof { extra, index, hashes, checkpoint }, leaf_hash(&index.to_be_bytes()), key, secret)
}

/// What a reader does: leaf from the extra data, log signature, inclusion.
fn holds(bytes: &[u8], key: &VerifierKey) -> bool {
    TlogProof::parse(bytes).is_ok_and(|proof| {
        let leaf = leaf_hash(proof.extra.as_deref().unwrap_or_default());
        proof.checkpoint.verify(key).is_ok() && proof.verify_leaf(&leaf).is_ok()
    })
}

proptest! {
    #[test]
    fn every_proof_file_holds_and_any_flipped_bit_fails(size in 1_u64..700, at: u64, bit: usize) {
        let (proof, leaf, key, _) = proof_of(size, at % size);
        prop_assert_eq!(proof.verify_leaf(&leaf), Ok(()));
        let text = proof.to_string();
        prop_assert_eq!(TlogProof::parse(text.as_bytes()), Ok(proof));
        prop_assert!(holds(text.as_bytes(), &key));
        let mut bytes = text.into_bytes();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!holds(&bytes, &key), "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_cosignature_with_a_turned_bit_fails(bit in 0_usize..72 * 8, time in 0_i64..253_402_300_799) {
        let (proof, _, _, _) = proof_of(5, 0);
        let secret = SigningKey::from_bytes(&[9; 32]);
        let public = PublicKey::ed25519(secret.verifying_key().to_bytes()).unwrap();
        let key = VerifierKey::new("w".parse().unwrap(), SignatureType::CosignatureV1, public).unwrap();
        let time = Timestamp::from_unix(time).unwrap();
        let text = proof.checkpoint.note().text();
        let signature = secret.sign(&cosignature::message(time, text)).to_bytes();
        let mut line = cosignature::line(&key, time, text, signature).unwrap();
        prop_assert_eq!(cosignature::verify(&key, text, &line), Ok(time));
        prop_assert!(cosignature::verify(&key, &text.replace('5', "6"), &line).is_err());
        line.bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(cosignature::verify(&key, text, &line).is_err());
    }

    #[test]
    fn no_bytes_make_a_reader_panic_and_what_is_read_is_written_again(text in "(c2sp.org/tlog-proof@v1|old 1|o)?\n?(extra [A-Za-z+/=]{0,8}\n)?(index [0-9]{1,3}\n)?([A-Za-z+/]{43}=\n){0,3}\n?[a-z0-9\n— +/=]{0,80}\n") {
        if let Ok(note) = Note::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text.clone());
        }
        if let Ok(proof) = TlogProof::parse(text.as_bytes()) {
            prop_assert_eq!(proof.to_string(), text.clone());
        }
        if let Ok(submission) = Submission::parse(text.as_bytes()) {
            prop_assert_eq!(submission.to_string(), text.clone());
        }
        if let Ok(plain) = Checkpoint::parse(&text) {
            prop_assert_eq!(plain.to_string(), text.clone());
        }
    }

    #[test]
    fn the_tiles_of_two_steps_are_those_of_one(a in 0_u64..200_000, b in 0_u64..200_000) {
        // Every full tile of the larger log, and its partial ones, come from either step.
        let (a, b) = (a.min(b), a.max(b));
        let steps: std::collections::BTreeSet<_> =
            tiles_between(0, a).into_iter().chain(tiles_between(a, b)).collect();
        for tile in tiles_between(0, b) {
            prop_assert!(steps.contains(&tile), "{}", tile.path());
        }
    }
}
