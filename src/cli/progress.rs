//! How far long work is: one line on stderr, for somebody who waits at a terminal, gone when the work is done. Never with
//! `--json` or `-q`; no colours, and never wider than the terminal.

use std::time::{Duration, Instant};

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
    began: Instant,
    /// Where the line will be drawn, until it is.
    later: Option<ProgressDrawTarget>,
    bar: ProgressBar,
}

impl Progress {
    /// Work that begins now, such as `Checking` `commits`.
    pub fn new(output: &Output, doing: &'static str, what: &'static str) -> Self {
        let shown = output.shows_progress().then(|| ProgressDrawTarget::stderr_with_hz(HERTZ));
        Self::on(shown, doing, what)
    }

    fn on(later: Option<ProgressDrawTarget>, doing: &'static str, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template("{wide_msg}").expect("a template with one field"));
        Self { doing, what, began: Instant::now(), later, bar }
    }

    /// `done` of `total` are done.
    pub fn tell(&mut self, done: u64, total: u64) {
        self.tell_after(done, total, self.began.elapsed());
    }

    fn tell_after(&mut self, done: u64, total: u64, elapsed: Duration) {
        if self.later.is_some() && elapsed < PATIENCE {
            return;
        }
        if let Some(target) = self.later.take() {
            self.bar.set_draw_target(target);
        }
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_message(line(self.doing, self.what, done, total, elapsed));
        self.bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `Checking commits: 12,345 of 80,001, about 20 s left`. The estimate is by what the work took so far.
fn line(doing: &str, what: &str, done: u64, total: u64, elapsed: Duration) -> String {
    let mut line = format!("{doing} {what}: {} of {}", HumanCount(done), HumanCount(total));
    let left = u128::from(total.saturating_sub(done));
    if let Some(left) = (elapsed.as_millis().saturating_mul(left)).checked_div(u128::from(done)) {
        // Rounded up: what remains is not told as less.
        let seconds = u64::try_from(left.div_ceil(1000)).unwrap_or(u64::MAX);
        line.push_str(&format!(", about {} left", span(seconds)));
    }
    line
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
    fn the_line_estimates_what_remains() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line("Checking", "commits", 20_000, 80_001, 5 * second),
            "Checking commits: 20,000 of 80,001, about 16 s left"
        );
        assert_eq!(
            line("Checking", "commits", 64, 80_000, second),
            "Checking commits: 64 of 80,000, about 20 min left"
        );
        assert_eq!(line("Reading", "entries", 0, 5, second), "Reading entries: 0 of 5");
        assert_eq!(line("Reading", "entries", 5, 5, second), "Reading entries: 5 of 5, about 0 s left");
    }

    #[test]
    fn it_comes_late_keeps_to_the_width_and_goes() {
        let narrow = Narrow::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(narrow.clone()), HERTZ);
        let mut progress = Progress::on(Some(target), "Checking", "commits");
        progress.tell_after(64, 80_000, Duration::from_millis(999));
        assert!(told(&narrow).is_empty(), "{narrow:?}");
        progress.tell_after(20_000, 80_001, Duration::from_millis(1001));
        assert!(told(&narrow).contains(&"Checking commits: 20,000 of 8".to_owned()), "{narrow:?}");
        assert!(told(&narrow).iter().all(|text| text.chars().count() <= 30 && !text.contains('\x1b')), "{narrow:?}");
        drop(progress);
        assert_eq!(told(&narrow).last().unwrap(), "<cleared>", "{narrow:?}");
    }

    #[test]
    fn where_nobody_looks_nothing_is_drawn() {
        let mut progress = Progress::on(None, "Checking", "commits");
        progress.tell_after(5, 10, Duration::from_secs(60));
        assert!(progress.bar.is_hidden());
    }
}
