//! A person at a terminal: `tmux` shows the program a real one, keys are typed, the screen is read.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{JIT, Place, environment};

/// How long a person waits for the screen to change.
const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal of 120 × 60 with a shell in it.
pub struct Terminal<'p> {
    place: &'p Place,
    home: PathBuf,
    socket: PathBuf,
}

impl<'p> Terminal<'p> {
    /// Opens one at `directory`, with a HOME and further variables; `jit` is in its PATH.
    pub fn open(place: &'p Place, home: &Path, directory: &Path, variables: &[(&str, &str)]) -> Self {
        // A server each: one that is ending would still answer at its socket, and end the next one's terminal too.
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let terminal = Self { place, home: home.to_owned(), socket: place.path(&format!("tmux-{number}.sock")) };
        let mut command = terminal.tmux();
        command.args(["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "60", "-c"]).arg(directory);
        let mut shell = vec!["env".to_owned(), "-i".to_owned()];
        // As most people have it: with colours, in which the questions look different.
        for (name, value) in environment(home).into_iter().filter(|(name, _)| name != "NO_COLOR") {
            let mut value = value.to_string_lossy().into_owned();
            if name == "PATH" {
                value = format!("{}:{value}", Path::new(JIT).parent().unwrap().display());
            }
            shell.push(format!("{}={value}", name.to_string_lossy()));
        }
        shell.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
        shell.extend(["TERM=screen".to_owned(), "PS1=$ ".to_owned(), "sh".to_owned()]);
        command.args(shell);
        place.run_with(command, home, &[("TERM", OsStr::new("xterm"))], b"").ok();
        terminal.wait_for("the shell", |screen| screen.trim_end().ends_with('$'));
        terminal
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket);
        command
    }

    fn keys(&self, arguments: &[&str]) {
        let mut command = self.tmux();
        command.arg("send-keys").args(arguments);
        self.place.run_with(command, &self.home, &[], b"").ok();
    }

    /// Types a text.
    pub fn types(&self, text: &str) {
        self.keys(&["-l", text]);
    }

    /// Presses a key by its name in tmux (`Enter`, `Down`, `Space`).
    pub fn presses(&self, key: &str) {
        self.keys(&[key]);
    }

    /// Gives the window another size.
    pub fn resizes(&self, columns: u16, rows: u16) {
        let mut command = self.tmux();
        command.args(["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        self.place.run_with(command, &self.home, &[], b"").ok();
    }

    /// Whether a program has the screen to itself.
    pub fn is_alternate(&self) -> bool {
        self.asks("#{alternate_on}") == "1"
    }

    /// Whether the cursor is seen.
    pub fn has_cursor(&self) -> bool {
        self.asks("#{cursor_flag}") == "1"
    }

    /// The id of the shell's process.
    pub fn process(&self) -> String {
        self.asks("#{pane_pid}")
    }

    fn asks(&self, what: &str) -> String {
        let mut command = self.tmux();
        command.args(["display-message", "-p", what]);
        self.place.run_with(command, &self.home, &[], b"").ok().out.trim().to_owned()
    }

    /// All that was shown since the terminal was opened or cleared, trailing blanks left out.
    pub fn screen(&self) -> String {
        let mut command = self.tmux();
        command.args(["capture-pane", "-p", "-J", "-S", "-2000"]);
        let said = self.place.run_with(command, &self.home, &[], b"").ok();
        let lines: Vec<&str> = said.out.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// What the screen shows, with the sequences that style it.
    pub fn styled(&self) -> String {
        let mut command = self.tmux();
        command.args(["capture-pane", "-p", "-e"]);
        self.place.run_with(command, &self.home, &[], b"").ok().out
    }

    /// Waits until the screen is as wanted; the screen.
    #[track_caller]
    pub fn wait_for(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "waited in vain for {what}; the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the screen has stopped changing; the screen.
    pub fn settles(&self) -> String {
        let mut before = self.screen();
        let mut calm = 0;
        while calm < 4 {
            std::thread::sleep(Duration::from_millis(75));
            let now = self.screen();
            calm = if now == before { calm + 1 } else { 0 };
            before = now;
        }
        before
    }

    /// Types a command line and answers what it asks, until it has ended; what was shown from the command line on, at
    /// each step. A question is known by words in the last lines of the screen (any case); each answer is used in the
    /// order of the list, again if the question comes again.
    #[track_caller]
    pub fn converses(&self, line: &str, answers: &[Answer<'_>]) -> Conversation {
        let before = self.screen().len();
        self.types(&format!("{line}; echo \"ended with $?.\""));
        self.presses("Enter");
        let mut said = Conversation { steps: Vec::new(), code: -1 };
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            assert!(Instant::now() < end, "no end; the screen:\n{}", self.screen());
            let screen = self.settles();
            let shown = screen.get(before..).unwrap_or(&screen).to_owned();
            let ended = shown.lines().rev().find_map(|line| line.trim().strip_prefix("ended with "));
            if let Some(code) = ended.and_then(|code| code.strip_suffix('.')).and_then(|code| code.parse().ok()) {
                said.steps.push(shown);
                said.code = code;
                return said;
            }
            assert!(said.steps.len() < 60, "asked without end; the screen:\n{screen}");
            let question = last_question(&shown);
            if question.is_empty() {
                // It still works: nothing was asked yet, or the answer is being thought about.
                continue;
            }
            let answer = answers.iter().find(|answer| answer.when.iter().any(|words| question.contains(words)));
            let Some(answer) = answer else { panic!("nobody knows the answer to {question:?}; the screen:\n{screen}") };
            said.steps.push(shown);
            for key in answer.keys {
                match key.strip_prefix("text:") {
                    Some(text) => self.types(text),
                    None => self.presses(key),
                }
            }
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        let mut command = self.tmux();
        command.arg("kill-server").env_clear();
        let _ = command.output();
    }
}

/// What to do when a question is asked: words of the question in small letters, and the keys to press.
pub struct Answer<'a> {
    /// One of these is in the question.
    pub when: &'a [&'a str],
    /// Names of keys, or `text:` and what is typed.
    pub keys: &'a [&'a str],
}

/// What a command showed, at each of its questions and at its end.
pub struct Conversation {
    /// All that was shown until then.
    pub steps: Vec<String>,
    /// The exit code.
    pub code: i32,
}

impl Conversation {
    /// What had been shown when a question with one of these words was asked.
    #[track_caller]
    pub fn when_asked(&self, words: &[&str]) -> &str {
        let asks = |step: &&String| words.iter().any(|word| last_question(step).contains(word));
        self.steps.iter().find(asks).unwrap_or_else(|| panic!("never asked for {words:?}\n{}", self.all()))
    }

    /// All that was shown at the end.
    pub fn all(&self) -> &str {
        self.steps.last().map_or("", String::as_str)
    }
}

/// The question that stands open, in small letters: the last line that begins as questions do. One that was answered
/// begins otherwise.
fn last_question(screen: &str) -> String {
    let asks = |line: &&str| line.trim_start().starts_with("? ");
    screen.lines().rev().find(asks).map(str::to_lowercase).unwrap_or_default()
}
