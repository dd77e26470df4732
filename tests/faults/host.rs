//! A host's published files after something else wrote them: an empty revocation list admits everybody, and so does one that
//! was cut to its header. (Daemons that are killed: tests/reap.rs, tests/gate.rs, tests/host_sessions.rs, the kill sweep.)

use std::fs;

use super::acts::{ACTS, Stage};
use super::common::{Place, absent};

#[test]
fn a_revocation_list_that_was_emptied_or_cut_is_written_anew() {
    if absent("a_revocation_list_that_was_emptied_or_cut_is_written_anew", &["git", "ssh-keygen"]) {
        return;
    }
    let place = Place::new();
    let act = ACTS.iter().find(|act| act.name == "host sync").unwrap();
    let stage = Stage::new(&place, act);
    stage.run(act.next).ok();
    let list = stage.scene().join("published/krl");
    let whole = fs::read(&list).unwrap();
    assert!(whole.len() > 44, "{}", whole.len());
    for left in [0, 44, whole.len() - 1] {
        fs::write(&list, &whole[..left]).unwrap();
        stage.run(act.next).ok();
        stage.is_published().unwrap_or_else(|why| panic!("{left} bytes: {why:?}"));
        assert_eq!(fs::read(&list).unwrap().len(), whole.len(), "{left} bytes");
    }
}
