//! What is done from the view: each key runs the usual command with the own key, which shows what is signed and asks; nothing is
//! signed by a key alone, by what was typed before it asked, or with `--yes`.

use std::fs;
use std::fs::File;

use jit::recording::Recorder;

use super::common::counting::Counting;
use super::common::terminal::Terminal;
use super::common::{Place, absent, now};
use super::recorded::{Scene, public, shell};
use super::{Acme, PROGRAMS};

/// The last line of a screen.
fn last(screen: &str) -> &str {
    screen.trim_end().lines().last().unwrap_or_default()
}

#[test]
fn who_approves_from_the_view_sees_what_is_signed_and_comes_back() {
    if absent("who_approves_from_the_view_sees_what_is_signed_and_comes_back", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let case = acme.desk("alice").opens("30m");
    let screen = acme.terminal("bob", 80, 50, &[]);
    // `-y` answers what is typed, not a key that was touched.
    screen.types("jit -y watch\n");
    screen.wait_for("the case", |screen| screen.contains(&case[..8]) && screen.contains("needs 1 sre"));
    screen.types("a");
    screen.wait_for("the comment", |screen| screen.contains("Comment (optional)"));
    screen.presses("Enter");
    let summary = screen.wait_for("the question", |screen| screen.to_lowercase().contains("sign this"));
    for word in ["alice", "payments-db/read-only", "Payments are stuck", "INC-4711", "Reads customer rows."] {
        assert!(summary.contains(word), "{word} is not shown before the signature:\n{summary}");
    }
    screen.types("y");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view", |screen| screen.contains("Pending 1") && screen.contains("needs 1 security"));
    let seen = acme.desk("alice").sees(&case);
    assert_eq!(seen["approvals"][0]["actor"], "bob", "{seen}");
    assert_eq!(seen["approvals"].as_array().map(Vec::len), Some(1), "{seen}");
    // Ctrl-C in a command ends the command, not the view.
    screen.types("d");
    screen.wait_for("the question", |screen| screen.contains("Why not?"));
    screen.presses("C-c");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view", |screen| screen.contains("Pending 1"));
    assert_eq!(acme.desk("alice").sees(&case)["state"], "pending");
}

#[test]
fn who_denies_or_revokes_from_the_view_is_asked_why() {
    if absent("who_denies_or_revokes_from_the_view_is_asked_why", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let case = acme.desk("alice").opens("30m");
    let screen = acme.terminal("bob", 80, 50, &[]);
    screen.types("jit -y watch\n");
    screen.wait_for("the case", |screen| screen.contains(&case[..8]));
    let acts = |key: &str, question: &str, because: &str| {
        // What is typed at once goes to the view, not into the answers of the command.
        screen.types(&format!("{key}yy"));
        screen.wait_for("the question", |screen| last(screen).contains(question));
        assert!(last(&screen.settles()).contains(question), "{}", screen.screen());
        screen.types(because);
        screen.presses("Enter");
        let shown = screen.wait_for("what is signed", |screen| last(screen).contains("Sign this"));
        assert!(shown.contains(because) && shown.contains("alice") && shown.contains(&case), "{shown}");
        acme.desk("alice").sees(&case)
    };
    // Shown and not agreed to: nothing is signed.
    let before = acts("d", "Why not?", "The queue is empty again.");
    assert_eq!(before["state"], "pending");
    screen.types("n");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view", |screen| screen.contains("Pending 1"));
    assert_eq!(acme.desk("alice").sees(&case)["events"].as_array().map(Vec::len), Some(1));
    acts("d", "Why not?", "The queue is empty again.");
    screen.types("y");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view without it", |screen| screen.contains("Nothing is open"));
    let seen = acme.desk("alice").sees(&case);
    let denial = &seen["events"][1];
    assert_eq!(
        (&seen["state"], &denial["kind"], &denial["actor"]),
        (&"denied".into(), &"denial".into(), &"bob".into())
    );

    let case = acme.live("20m");
    screen.wait_for("the live case", |screen| screen.contains("Live 1") && screen.contains(&case[..8]));
    screen.types("ryy");
    screen.wait_for("the question", |screen| last(screen).starts_with("? Why"));
    screen.types("She has left the building.");
    screen.presses("Enter");
    let shown = screen.wait_for("what is signed", |screen| last(screen).contains("Sign this"));
    assert!(shown.contains("She has left the building.") && shown.contains(&case), "{shown}");
    assert_eq!(acme.desk("alice").sees(&case)["state"], "live");
    screen.types("y");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view without it", |screen| last(screen).contains("q quit") && !screen.contains("Live 1"));
    let seen = acme.desk("alice").sees(&case);
    let revocation = seen["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&revocation["kind"], &revocation["actor"]), (&"revocation".into(), &"bob".into()), "{seen}");
}

#[test]
fn who_locks_from_the_view_chooses_what_and_says_why() {
    if absent("who_locks_from_the_view_chooses_what_and_says_why", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let screen = acme.terminal("dave", 80, 50, &[]);
    screen.types("jit watch\n");
    screen.wait_for("the view", |screen| screen.contains("Nothing is open"));
    // Ctrl-L draws again what was written across the screen, and locks nothing.
    screen.presses("C-l");
    let stays = screen.settles();
    assert!(stays.contains("Nothing is open") && !stays.contains("$ jit"), "{stays}");
    screen.types("l");
    screen.wait_for("the question", |screen| screen.contains("$ jit lock") && screen.contains("? "));
    let asked = screen.settles();
    println!("{asked}");
    assert!(asked.contains("member") && asked.contains("ledger"), "{asked}");
    screen.presses("C-c");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view", |screen| screen.contains("Nothing is open"));
    assert_eq!(acme.place.commits(&acme.remote).len(), 1, "nothing was signed");
}

#[test]
fn a_session_is_followed_from_the_view() {
    if absent("a_session_is_followed_from_the_view", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let scene = Scene::new(&place);
    let (session, file) = scene.begins("first");
    let at_desk = |name: &str, key: &str, config: bool| {
        let desk = place.desk(name, &scene.ledger);
        if config {
            let folder = desk.home.join(".config/jit");
            fs::create_dir_all(&folder).unwrap();
            let recordings = format!("recordings = {:?}\n", scene.recordings.display().to_string());
            fs::write(folder.join("config.toml"), recordings).unwrap();
        }
        let key = place.key(key).display().to_string();
        let screen = Terminal::open(&place, &desk.home, &scene.ledger, &[("JIT_AS", name), ("JIT_KEY", &key)]);
        screen.resizes(80, 24);
        screen.types("jit watch\n");
        screen.wait_for("the session", |screen| screen.contains("Sessions now 1"));
        screen
    };
    // Where the recording is not, what to type and where is said in one line, whole.
    let elsewhere = at_desk("dave", "dave", false);
    elsewhere.types("f");
    let line = format!("On db1, as root: jit play {} --session 1 --follow", scene.case);
    let shown = elsewhere.wait_for("where it is", |screen| screen.contains(&line));
    assert!(shown.lines().last().is_some_and(|last| last.trim_end() == line), "{shown}");
    drop(elsewhere);

    let sink = File::create_new(&file).unwrap();
    let mut rng = Counting(1);
    let recipient = public(&place, "recorder");
    let mut recorder = Recorder::new(sink, &[recipient], &scene.header(&session), now() * 1000, &mut rng).unwrap();
    recorder.open_channel(0, 0, &shell()).unwrap();
    recorder.output(0, 10, b"before\r\n").unwrap();
    recorder.flush(20).unwrap();
    // With a key that opens nothing: the command says so, and the view is there again.
    let other = at_desk("erin", "erin", true);
    other.types("f");
    let shown = other.wait_for("the refusal", |screen| screen.contains("Any key goes back"));
    assert!(shown.contains("is not sealed to the key") && shown.contains("--identity"), "{shown}");
    other.presses("Enter");
    other.wait_for("the view", |screen| screen.contains("Sessions now 1"));
    drop(other);

    let screen = at_desk("rita", "recorder", true);
    screen.types("f");
    let shown = screen.wait_for("what was done", |screen| screen.contains("before"));
    let command = format!("$ jit play {} --session 1 --follow", scene.case);
    assert!(shown.contains(&command), "the command is said: {shown}");
    assert!(shown.contains("alice on db1 as readonly, from 192.0.2.7"), "{shown}");
    // It goes on as the session does.
    recorder.output(0, 1000, b"meanwhile\r\n").unwrap();
    recorder.flush(1001).unwrap();
    screen.wait_for("what is done", |screen| screen.contains("meanwhile"));
    // Ctrl-C ends the following, not the view.
    screen.presses("C-c");
    screen.wait_for("the end of the command", |screen| last(screen).contains("Any key goes back"));
    screen.presses("Enter");
    screen.wait_for("the view", |screen| screen.contains("Sessions now 1"));
    // From the case as well as from the session.
    screen.presses("Home");
    screen.presses("Enter");
    screen.wait_for("the case", |screen| screen.contains("Esc back"));
    screen.types("f");
    screen.wait_for("what was done", |screen| screen.contains("meanwhile"));
    let finished = recorder.finish(2000).unwrap();
    screen.wait_for("the end of the recording", |screen| {
        screen.contains("The recording has ended") && last(screen).contains("Any key goes back")
    });
    screen.presses("Enter");
    scene.ends(&session, Some(finished));
    screen.wait_for("the view without it", |screen| !screen.contains("Sessions now") && screen.contains("Live 1"));
}
