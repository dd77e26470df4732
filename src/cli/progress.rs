//! How far long work is: one line on stderr, for somebody who waits at a terminal, gone when the work is done. Never with
//! `--json` or `-q`; no colours, and never wider than the terminal.

use std::time::{Duration, Instant};

use console::truncate_str;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{Output, span};

/// Work that takes no longer is not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often in a second the line is drawn at most.
const HERTZ: u8 = 5;

/// Work of which is told how far it is. The line goes when this is dropped.
pub struct Progress {
    doing: &'static str,
    what: &'static str,
    width: usize,
    began: Instant,
    /// When it was first told how far it is, and how far that was: what came before is no measure of what remains.
    first: Option<(Duration, u64)>,
    /// Where the line will be drawn, until it is.
    later: Option<ProgressDrawTarget>,
    bar: ProgressBar,
}

impl Progress {
    /// Work that begins now, such as `Checking` `commits`.
    pub fn new(output: &Output, doing: &'static str, what: &'static str) -> Self {
        let shown = output.shows_progress().then(|| ProgressDrawTarget::stderr_with_hz(HERTZ));
        Self::on(shown, output.width(), doing, what)
    }

    fn on(later: Option<ProgressDrawTarget>, width: usize, doing: &'static str, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template("{msg}").expect("a template with one field"));
        Self { doing, what, width, began: Instant::now(), first: None, later, bar }
    }

    /// `done` of `total` are done.
    pub fn tell(&mut self, done: u64, total: u64) {
        self.tell_after(done, total, self.began.elapsed());
    }

    fn tell_after(&mut self, done: u64, total: u64, elapsed: Duration) {
        let (since, before) = *self.first.get_or_insert((elapsed, done));
        if self.later.is_some() && elapsed < PATIENCE {
            return;
        }
        if let Some(target) = self.later.take() {
            self.bar.set_draw_target(target);
        }
        if self.bar.is_hidden() {
            return;
        }
        let left = left(done.saturating_sub(before), total.saturating_sub(done), elapsed.saturating_sub(since));
        let line = line(self.doing, self.what, done, total, left);
        self.bar.set_message(truncate_str(&line, self.width, "…").into_owned());
        self.bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `Checking commits: 12,345 of 80,001, about 20 s left`.
fn line(doing: &str, what: &str, done: u64, total: u64, left: Option<Duration>) -> String {
    let left = left.map_or_else(String::new, |left| format!(", about {} left", span(left.as_secs())));
    format!("{doing} {what}: {} of {}{left}", HumanCount(done), HumanCount(total))
}

/// How long `remaining` take where `done` took `took`; `None` where there is nothing to tell it by. Rounded up to seconds:
/// what remains is not told as less.
fn left(done: u64, remaining: u64, took: Duration) -> Option<Duration> {
    let nanos = took.as_nanos().saturating_mul(u128::from(remaining)).checked_div(u128::from(done))?;
    Some(Duration::from_secs(u64::try_from(nanos.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal of 30 columns that keeps what it was told.
    #[derive(Debug, Clone, Default)]
    struct Narrow(Arc<Mutex<Vec<String>>>);

    impl Narrow {
        fn say(&self, what: impl Into<String>) -> io::Result<()> {
            self.0.lock().unwrap().push(what.into());
            Ok(())
        }
    }

    impl TermLike for Narrow {
        fn width(&self) -> u16 {
            30
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.say(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.say(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.say("<cleared>")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(narrow: &Narrow) -> Vec<String> {
        let told = narrow.0.lock().unwrap();
        told.iter().filter(|text| !text.trim().is_empty()).cloned().collect()
    }

    #[test]
    fn what_remains_is_estimated() {
        let seconds = Duration::from_secs;
        assert_eq!(left(20_000, 60_001, seconds(5)), Some(seconds(16)));
        assert_eq!(left(64, 0, seconds(5)), Some(seconds(0)));
        assert_eq!(left(0, 5, seconds(5)), None);
        assert_eq!(
            line("Checking", "commits", 20_000, 80_001, Some(seconds(16))),
            "Checking commits: 20,000 of 80,001, about 16 s left"
        );
        assert_eq!(line("Reading", "entries", 0, 5, None), "Reading entries: 0 of 5");
    }

    #[test]
    fn it_comes_late_keeps_to_the_width_and_goes() {
        let narrow = Narrow::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(narrow.clone()), HERTZ);
        let mut progress = Progress::on(Some(target), 30, "Checking", "commits");
        progress.tell_after(64, 80_000, Duration::from_millis(999));
        assert!(told(&narrow).is_empty(), "{narrow:?}");
        progress.tell_after(20_000, 80_001, Duration::from_millis(1001));
        assert!(told(&narrow).contains(&"Checking commits: 20,000 of 8…".to_owned()), "{narrow:?}");
        assert!(told(&narrow).iter().all(|text| text.chars().count() <= 30 && !text.contains('\x1b')), "{narrow:?}");
        drop(progress);
        assert_eq!(told(&narrow).last().unwrap(), "<cleared>", "{narrow:?}");
    }

    #[test]
    fn where_nobody_looks_nothing_is_drawn() {
        let mut progress = Progress::on(None, 80, "Checking", "commits");
        progress.tell_after(5, 10, Duration::from_secs(60));
        assert!(progress.bar.is_hidden());
    }
}
