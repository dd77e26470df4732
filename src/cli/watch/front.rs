//! The view on a screen: looks at the ledger, draws, takes keys, and gives the screen to a command while it runs.

use std::time::Duration;

use super::super::error::CliError;
use super::super::output::{Output, span};
use super::super::view::case_text;
use super::super::{Context, Exit, Outcome};
use super::act;
use super::draw::{Palette, draw};
use super::feed::Feed;
use super::keys::{Heard, Keys, is_gone};
use super::screen::Screen;
use super::stop::Stop;
use super::view::{Pane, View, Wish};
use super::words;
use crate::domain::event::Kind;
use crate::domain::id::Name;
use crate::domain::state::State;
use crate::domain::time::Timestamp;
use crate::monitor::Record;
use crate::monitor::watch::{About, Board};

/// How long a key is waited for before the ledger is looked at again.
const PAUSE: Duration = Duration::from_millis(200);

/// Shows the view until somebody leaves it.
///
/// # Errors
/// As [`Feed::look`]; where the terminal cannot be used.
pub fn run(context: &Context, feed: &mut Feed<'_>, latest: &[Record], me: Option<Name>, stop: &Stop) -> Outcome {
    let palette = Palette::new(context.environment.allows_colour());
    // The screen tells of the remote itself; nothing is written across it.
    let silent = context.output.plain(usize::MAX);
    let mut view = View::new(me);
    latest.iter().for_each(|record| view.tell(words::event(record)));
    let mut screen = Screen::take()?;
    let mut keys = Keys::default();
    let mut drawn: Option<Timestamp> = None;
    let (mut first, mut away) = (true, false);
    while !stop.came() {
        let records = feed.look(&silent)?;
        let now = context.now();
        if away != feed.away().is_some() {
            away = feed.away().is_some();
            view.tell(words::remote(feed.away(), now));
        }
        records.iter().for_each(|record| view.tell(words::event(record)));
        if std::mem::take(&mut first) || !records.is_empty() || view.board.is_stale(now) {
            view.show(Board::of(feed.state(), view.me.as_ref(), now));
            refresh(&mut view, feed.state(), &silent, now);
            drawn = None;
        }
        if stop.was_resized() || drawn != Some(now) {
            view.remote = remote(feed);
            let painted = screen.draw(|frame| draw(frame, &view, feed.state(), palette, now));
            match painted {
                // Nobody is left to tell.
                Err(_) if is_gone() => return Ok(Exit::DONE),
                painted => painted?,
            }
            drawn = Some(now);
        }
        // Whatever was typed meanwhile is heard before it is drawn again.
        let mut pause = PAUSE;
        loop {
            let key = match keys.wait(std::mem::take(&mut pause)) {
                Heard::Key(key) => key,
                Heard::Silence => break,
                Heard::Gone => return Ok(Exit::DONE),
            };
            drawn = None;
            let size = ratatui::crossterm::terminal::size().map_err(gone)?;
            match view.press(key, size) {
                None => {}
                Some(Wish::Quit) => return Ok(Exit::DONE),
                Some(Wish::Fetch) => feed.hurry(),
                Some(Wish::Redraw) => screen.clear()?,
                Some(Wish::Open(about)) => {
                    view.open(about, text(feed.state(), about, &silent, context.now()));
                }
                Some(Wish::Act(act)) => {
                    let case = view.chosen().and_then(|row| row.about.case());
                    lend(context, &mut screen, &mut keys, &act::arguments(act, case), stop)?;
                    feed.hurry();
                }
                Some(Wish::Follow(about)) => match act::following(context, feed.state(), about) {
                    Ok(arguments) => lend(context, &mut screen, &mut keys, &arguments, stop)?,
                    Err(instead) => view.notice = Some(instead),
                },
            }
        }
    }
    Ok(Exit::DONE)
}

/// Gives the screen to a command, and takes it back after a key: what it said can be read. What was typed before the command
/// asked answers nothing, and what was typed while it worked does not hide what it said.
fn lend(
    context: &Context,
    screen: &mut Screen,
    keys: &mut Keys,
    arguments: &[String],
    stop: &Stop,
) -> Result<(), CliError> {
    let done = screen.lend(|| {
        context.output.summary(&format!("$ jit {}", arguments.join(" ")));
        keys.forget();
        let ran = act::run(context, arguments, stop);
        if let Err(error) = &ran {
            error.report(&context.output);
        }
        keys.forget();
        context.output.summary("\nAny key goes back to the view.");
        any_key(keys, stop)
    })?;
    keys.forget();
    done.map_err(gone)
}

/// Waits for a key. Keys come one by one while the terminal is raw; the text above stays.
fn any_key(keys: &mut Keys, stop: &Stop) -> std::io::Result<()> {
    ratatui::crossterm::terminal::enable_raw_mode()?;
    while !stop.came() && keys.wait(PAUSE) == Heard::Silence {}
    Ok(())
}

/// An opened case is shown as it stands now.
fn refresh(view: &mut View, state: &State, silent: &Output, now: Timestamp) {
    if let Pane::Case { about, lines, .. } = &mut view.pane {
        *lines = text(state, *about, silent, now);
    }
}

/// A case whole, as `jit show` has it.
fn text(state: &State, about: About, silent: &Output, now: Timestamp) -> Vec<String> {
    let Some(case) = about.case().and_then(|id| state.case(&id)) else { return words::more(state, about, now) };
    let mut lines: Vec<String> = case_text(silent, state, case, now).lines().map(str::to_owned).collect();
    if case.kind() == Kind::Proposal {
        lines.push(String::new());
        lines.push(format!("What it would change: jit show {}", case.id().short()));
    }
    lines
}

fn remote(feed: &Feed<'_>) -> String {
    match (feed.has_remote(), feed.away(), feed.asked()) {
        (false, ..) => "no remote".to_owned(),
        (true, Some(_), _) => "REMOTE AWAY".to_owned(),
        (true, None, _) if feed.is_nearby() => "follows the remote".to_owned(),
        (true, None, None) => "asks the remote".to_owned(),
        (true, None, Some(at)) => format!("remote answered {} ago", span(at.elapsed().as_secs())),
    }
}

fn gone(cause: std::io::Error) -> CliError {
    CliError::failed("the terminal is gone").because(cause.to_string())
}
