//! How the view looks, with nothing, five cases and five hundred, on a small screen and a large one: six captures that were looked
//! at by eye (`tests/watch/*.txt`; `UPDATE=1` writes them anew, to be looked at again), and what must hold on any screen.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::common::terminal::Terminal;
use super::common::{Place, absent, login, request};
use super::{Acme, PROGRAMS, crowd};

/// No line is wider than the screen, and there are no more of them.
#[track_caller]
fn fits(screen: &str, columns: usize, rows: usize) {
    let screen = view(screen);
    assert!(screen.lines().count() <= rows, "more than {rows} lines:\n{screen}");
    for line in screen.lines() {
        assert!(console::measure_text_width(line) <= columns, "wider than {columns}: {line}");
    }
}

/// The view alone, without what the terminal showed before.
fn view(screen: &str) -> &str {
    screen.rfind("acme/production  as ").map_or(screen, |at| &screen[at..])
}

/// Shows a capture to whoever runs the tests with `--nocapture`.
fn shown(name: &str, screen: &str) {
    println!("--- {name}\n{screen}\n---");
}

fn is_wide(screen: &str) -> bool {
    screen.lines().any(|line| console::measure_text_width(line) == 200)
}

/// Waits until the screen, once it is as wanted, is as the capture that was looked at: a terminal may be seen in the midst of
/// being drawn. The screen. What differs from run to run is levelled: ids, times, what is left.
#[track_caller]
fn is_as_reviewed(name: &str, terminal: &Terminal<'_>, is_there: impl Fn(&str) -> bool) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/watch").join(format!("{name}.txt"));
    let mut screen = terminal.wait_for(name, is_there);
    if std::env::var_os("UPDATE").is_some() {
        screen = terminal.settles();
        fs::write(&file, format!("{}\n", levelled(view(&screen)))).unwrap();
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(15);
    loop {
        let found = format!("{}\n", levelled(view(&screen)));
        if found == wanted {
            return screen;
        }
        let late = Instant::now() > end;
        assert!(!late, "{name} is not as it was looked at; UPDATE=1 writes it anew.\n{found}\nIt was:\n{wanted}");
        std::thread::sleep(Duration::from_millis(50));
        screen = terminal.screen();
    }
}

fn levelled(screen: &str) -> String {
    let user = login();
    let lines: Vec<String> = screen.lines().map(|line| level(line, &user)).collect();
    lines.join("\n")
}

fn level(line: &str, user: &str) -> String {
    let is_id = |text: &[char]| text.iter().all(|letter| matches!(letter, 'a'..='z' | '2'..='7'));
    let mut letters: Vec<char> = line.replace(&format!(" as {user} "), " as root ").chars().collect();
    // A row's id where it is short, and every whole one.
    let row = letters.len() > 12 && letters[3] == ' ' && letters[12] == ' ' && "*! ".contains(letters[2]);
    if row && is_id(&letters[4..12]) {
        letters[4..12].fill('i');
    }
    for at in 0..letters.len().saturating_sub(15) {
        let free = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_none_or(|letter| !letter.is_alphanumeric());
        if is_id(&letters[at..at + 16]) && free(at.checked_sub(1)) && free(Some(at + 16)) {
            letters[at..at + 16].fill('i');
        }
    }
    let mut text: String = letters.iter().collect();
    // A bar fills while a slow machine comes this far.
    for full in ["[###", "[##", "[#"] {
        text = text.replace(full, &"[---"[..full.len()]);
    }
    // Of a time the form only: `##:##`; a day before it is there or not, whatever the hour.
    let mut parts: Vec<String> = Vec::new();
    let words: Vec<&str> = text.split(' ').collect();
    for (at, word) in words.iter().enumerate() {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let is_day = digits == 8 && word.len() == 10 && word.matches('-').count() == 2;
        if is_day && words.get(at + 1).is_some_and(|next| next.contains(':')) {
            continue;
        }
        let unit = words.get(at + 1).is_some_and(|next| ["h", "min", "min)", "s", "s)"].contains(next));
        let is_time = word.starts_with(|letter: char| letter.is_ascii_digit()) && word.contains(':');
        let level = |letter: char| if letter.is_ascii_digit() { '#' } else { letter };
        // Where a time was cut at the edge, its date alone is left.
        let is_time = is_time || word.starts_with("20") && word.contains('-');
        parts.push(if is_time || unit { word.chars().map(level).collect() } else { (*word).to_owned() });
    }
    text = parts.join(" ");
    // How long a session has gone on: seconds, or a minute.
    let Some(at) = text.find(" for ").filter(|_| text.contains(" on db1 as ")) else { return text };
    let width = text.chars().count();
    let start = text[..at].trim_end().to_owned();
    let pad = width.saturating_sub(start.chars().count()).saturating_sub("for TIME".len());
    format!("{start}{}for TIME", " ".repeat(pad))
}

#[test]
fn nothing_five_cases_and_a_push_fit_on_either_screen() {
    if absent("nothing_five_cases_and_a_push_fit_on_either_screen", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let small = acme.terminal("bob", 80, 24, &[("NO_COLOR", "1")]);
    small.types("jit watch\n");
    let screen = is_as_reviewed("nothing-80x24", &small, |screen| screen.contains("Nothing is open"));
    shown("80x24, nothing", &screen);
    fits(&screen, 80, 24);
    small.resizes(200, 50);
    let wide = is_as_reviewed("nothing-200x50", &small, is_wide);
    fits(&wide, 200, 50);
    small.resizes(80, 24);
    // Five cases, one of each sort, pushed from elsewhere.
    let live = acme.live("30m");
    let pending = acme.desk("alice").opens("1h");
    let urgent = ["--emergency", "--incident", "INC-2026-0042"];
    let mut arguments = request("payments-db/read-only", "10m", "Payments are down for everybody.");
    arguments.extend(urgent);
    let emergency = acme.desk("alice").jit(&arguments).ok().text("id");
    acme.desk("minter").mints().ok();
    let over = acme.live("2h");
    acme.desk("alice").jit(&["close", &over, "--summary", "Read the queue.", "--yes"]).ok();
    let lock = ["lock", "member:carol", "--reason", "Her laptop is gone.", "--yes", "--json"];
    acme.desk("dave").jit(&lock).ok();
    let is_there = |screen: &str| {
        ["Emergencies 1", "Locks 1", "Pending 1", "Live 1", "Review due 1"].iter().all(|part| screen.contains(part))
    };
    small.wait_for("five cases", is_there);
    // Who comes now has the first row chosen that waits for them, whatever came first.
    small.types("q");
    small.wait_for("the shell", |screen| screen.trim_end().ends_with('$'));
    small.types("jit watch\n");
    let screen = is_as_reviewed("five-80x24", &small, is_there);
    assert!(screen.lines().any(|line| line.starts_with(&format!("> * {}", &pending[..8]))), "{screen}");
    shown("80x24, five cases", &screen);
    fits(&screen, 80, 24);
    for part in [
        &live[..8],
        &pending[..8],
        &emergency[..8],
        &over[..8],
        "alice",
        "member:carol",
        "needs 1 sre, 1 security",
        "[--",
        "Latest",
    ] {
        assert!(screen.contains(part), "{part} is not shown:\n{screen}");
    }
    // Emergencies and locks come first, whatever came last.
    let place_of = |what: &str| screen.find(what).unwrap();
    assert!(place_of("Emergencies") < place_of("Locks") && place_of("Locks") < place_of("Pending"), "{screen}");
    // The same view follows the window.
    small.resizes(200, 50);
    let wide = is_as_reviewed("five-200x50", &small, is_wide);
    shown("200x50, five cases", &wide);
    fits(&wide, 200, 50);
    for part in [&*live, &*pending, &*emergency, &*over] {
        assert!(wide.contains(part), "{part} is not shown whole:\n{wide}");
    }
    small.resizes(80, 24);
    small.wait_for("the small view", |screen| {
        screen.lines().all(|line| console::measure_text_width(line) <= 80) && is_there(screen)
    });
    // A narrow screen has what matters most.
    small.resizes(40, 10);
    let narrow = small.wait_for("the narrow view", |screen| screen.contains("? help") && !screen.contains("Latest"));
    shown("40x10, five cases", &narrow);
    fits(&narrow, 40, 10);
    for part in ["Emergencies 1", "Locks 1", "Pending 1", "needs 1 s", "1 waits for you", "q quit"] {
        assert!(narrow.contains(part), "{part} is not shown:\n{narrow}");
    }
    small.types("?");
    let help = small.wait_for("the keys", |screen| screen.contains("the row before"));
    fits(&help, 40, 10);
    small.presses("End");
    small.wait_for("the last of them", |screen| {
        screen.contains("shows it and asks first") || screen.contains("asks first.")
    });
    small.presses("Escape");
    small.resizes(30, 6);
    small.wait_for("that it is too small", |screen| screen.contains("jit watch needs"));
    small.resizes(80, 24);
    small.wait_for("the small view", is_there);
    // A case opened, read and closed again.
    small.presses("Home");
    small.presses("Enter");
    let screen = small.wait_for("the case", |screen| screen.contains("EMERGENCY: the credential"));
    shown("80x24, a case", &screen);
    small.presses("Escape");
    small.wait_for("the view", is_there);
}

#[test]
fn five_hundred_cases_fit_on_either_screen() {
    if absent("five_hundred_cases_fit_on_either_screen", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let mut crowd = crowd::Crowd::new(&place, &acme.remote);
    (0..480).for_each(|number| {
        crowd.asks(number);
    });
    (480..500).for_each(|number| crowd.lives(number, number < 483));
    crowd.comes(&acme.remote);
    let said = acme.desk("bob").jit(&["verify", "--json"]).ok();
    assert_eq!(said.json()["cases"]["pending"], 480, "{}", said.json()["cases"]);
    let screen = acme.terminal("bob", 80, 24, &[]);
    screen.types("jit watch\n");
    let small = is_as_reviewed("five-hundred-80x24", &screen, |screen| screen.contains("Pending 480"));
    shown("80x24, 500 cases", &small);
    fits(&small, 80, 24);
    // So many that wait push nobody out who is in, and what is not shown is counted.
    for part in ["Live 20", "Sessions now 3", " more"] {
        assert!(small.contains(part), "{part} is not shown:\n{small}");
    }
    assert_eq!(cases_told(&small), 480 + 20 + 3, "{small}");
    screen.resizes(200, 50);
    let wide = is_as_reviewed("five-hundred-200x50", &screen, is_wide);
    shown("200x50, 500 cases", &wide);
    fits(&wide, 200, 50);
    assert_eq!(cases_told(&wide), 480 + 20 + 3, "{wide}");
    screen.resizes(80, 24);
    screen.wait_for("the small view", |screen| screen.lines().all(|line| console::measure_text_width(line) <= 80));
    // The chosen row is on the screen wherever it is.
    (0..20).for_each(|_| screen.presses("PageDown"));
    let moved = screen.wait_for("row 200", |screen| screen.contains(" above, "));
    shown("80x24, 500 cases, further down", &moved);
    assert_eq!(moved.lines().filter(|line| line.starts_with('>')).count(), 1, "{moved}");
    assert_eq!(cases_told(&moved), 480 + 20 + 3, "{moved}");
    screen.presses("End");
    screen
        .wait_for("the last row", |screen| screen.lines().any(|line| line.starts_with('>') && line.contains("on db1")));
    let stayed = screen.screen();
    assert_eq!(cases_told(&stayed), 480 + 20 + 3, "{stayed}");
}

/// How many rows are shown, and how many are said to be there besides.
fn cases_told(screen: &str) -> u64 {
    let body: Vec<&str> = screen.lines().skip(1).take_while(|line| !line.starts_with('\u{2500}')).collect();
    let heading = |line: &str| line.contains("\u{2500}\u{2500}");
    let rows = body.iter().filter(|line| !heading(line) && !line.trim().is_empty()).count();
    let besides = body.iter().filter(|line| heading(line)).map(|line| {
        let (_, rest) = line.rsplit_once('\u{2500}').unwrap();
        rest.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()).sum::<u64>()
    });
    u64::try_from(rows).unwrap() + besides.sum::<u64>()
}

#[test]
fn what_others_wrote_stays_in_its_place() {
    if absent("what_others_wrote_stays_in_its_place", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    let reason = "決済が止まっています、決済が止まっています、決済が止まっています、決済が止まっています。🚨 Café, naïve, été: \
                  long enough to leave any line, whatever the width of the screen, and then some more of it.";
    acme.desk("alice").jit(&request("payments-db/read-only", "30m", reason)).ok();
    let lock = [
        "lock",
        "member:carol",
        "--reason",
        "彼女のノートパソコンがなくなりました。彼女のノートパソコンがなくなりました。",
        "--yes",
    ];
    acme.desk("dave").jit(&lock).ok();
    for (columns, rows) in [(80, 24), (40, 10), (200, 50), (81, 25)] {
        let screen = acme.terminal("bob", columns, rows, &[]);
        screen.types("jit watch\n");
        let view = screen.wait_for("the view", |screen| screen.contains("Pending 1") && screen.contains("q quit"));
        shown(&format!("{columns}x{rows}, other alphabets"), &view);
        fits(&view, columns.into(), rows.into());
        if columns >= 80 {
            assert!(view.contains("決済が止まっています") && view.contains("彼女のノート"), "{view}");
            // What stands at the right edge stands there in each row, however wide the letters before it are.
            let row = view.lines().find(|line| line.contains("彼女")).unwrap();
            assert_eq!(console::measure_text_width(row), usize::from(columns), "{row:?}");
        }
    }
}

#[test]
fn colours_only_help() {
    if absent("colours_only_help", &PROGRAMS) {
        return;
    }
    let place = Place::new();
    let acme = Acme::new(&place);
    acme.desk("alice").opens("30m");
    let lock = ["lock", "member:carol", "--reason", "Her laptop is gone.", "--yes"];
    acme.desk("dave").jit(&lock).ok();
    let mut seen = Vec::new();
    for (variables, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")][..], false)] {
        let screen = acme.terminal("bob", 80, 24, variables);
        screen.types("jit watch\n");
        screen.wait_for("the view", |screen| screen.contains("Pending 1") && screen.contains("q quit"));
        let styled = screen.styled();
        // SGR 30 to 37, 38 and 90 to 97 are colours of letters; 39 is none, 1 and 7 are bold and reversed.
        let is_colour = |letter: char| ('0'..='8').contains(&letter);
        let has_colour = ["\u{1b}[3", "\u{1b}[9"].iter().any(|start| {
            styled.match_indices(start).any(|(at, found)| styled[at + found.len()..].starts_with(is_colour))
        });
        assert_eq!(has_colour, coloured, "{styled:?}");
        seen.push(levelled(view(&screen.screen())));
    }
    assert_eq!(seen[0], seen[1], "the same words either way");
}
