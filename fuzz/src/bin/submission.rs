//! What is submitted to a witness: one spelling, and only what continues the last cosigned checkpoint is cosigned.
#![no_main]

use jit::merkle::witness::judge;
use jit::merkle::{Submission, empty_root};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(submission) = Submission::parse(bytes) else { return };
    assert_eq!(submission.to_string().as_bytes(), bytes, "one submission, two spellings");
    jit_fuzz::check_signatures(&submission.checkpoint);
    let log = jit_fuzz::log();
    let (size, root) = (submission.checkpoint.checkpoint().size, submission.checkpoint.checkpoint().root);
    if judge(None, &submission, &log.key).is_ok() {
        assert!(log.texts.iter().any(|text| text == submission.checkpoint.note().text()));
        assert_eq!(submission.old, 0);
    }
    // A witness that has seen this size with another root never signs, nor one that has seen a longer log.
    assert!(judge(Some((size, empty_root())), &submission, &log.key).is_err());
    assert!(judge(Some((size.saturating_add(1), root)), &submission, &log.key).is_err());
});
