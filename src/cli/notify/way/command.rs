//! A program of the user's: the object on its standard input, a fixed environment, a bounded time. Exit 0 says that it has it.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::super::super::Context;
use super::super::super::error::CliError;
use super::super::super::export::receiver::Refused;
use super::super::settings::SinkSettings;
use super::super::sink::{Parcel, Way, wrong};

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How much of what it says is told.
const TOLD: u64 = 200;

/// A program and its arguments.
pub struct Program {
    file: PathBuf,
    arguments: Vec<String>,
    timeout: Duration,
}

impl Program {
    /// The program of the settings.
    ///
    /// # Errors
    /// Where it is not named by an absolute path.
    pub fn of(context: &Context, settings: &SinkSettings, timeout: Duration) -> Result<Self, CliError> {
        let Some((file, arguments)) = settings.command.split_first() else {
            return Err(wrong("it needs a command", "command = [\"/usr/local/bin/tell\", \"--json\"]"));
        };
        let home = file.starts_with("~/");
        if !home && !file.starts_with('/') {
            return Err(wrong("command names no absolute path", "command = [\"/usr/local/bin/tell\"]"));
        }
        Ok(Self { file: context.resolve(file.as_ref()), arguments: arguments.to_vec(), timeout })
    }

    fn run(&self, input: String) -> io::Result<(Option<ExitStatus>, String)> {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments).env_clear().envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8")]);
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // A group of its own, so that what it started ends with it.
        let mut child = command.process_group(0).spawn()?;
        let stdin = child.stdin.take();
        // One that does not read its input must not hold us up; whether it read is its own affair.
        let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes()).is_ok()));
        let stderr = child.stderr.take();
        let reader = std::thread::spawn(move || {
            let mut said = Vec::new();
            if let Some(stderr) = stderr {
                let mut stderr = stderr;
                let _ = (&mut stderr).take(TOLD).read_to_end(&mut said);
                // The rest is read and dropped: a full pipe would hold it up.
                let _ = io::copy(&mut stderr, &mut io::sink());
            }
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        let status = self.wait(&mut child)?;
        // Whatever it left running holds the pipes open.
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = writer.join();
        Ok((status, reader.join().unwrap_or_default()))
    }

    /// Waits for its end; `None` where its time is over, and it was killed.
    fn wait(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if began.elapsed() >= self.timeout {
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                child.wait()?;
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Way for Program {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Refused> {
        let what = format!("{} did not take it", self.file.display());
        match self.run(format!("{}\n", parcel.object)) {
            Ok((Some(status), _)) if status.success() => Ok(()),
            Ok((Some(status), said)) if said.is_empty() => Err(Refused::passing(what, status.to_string())),
            Ok((Some(status), said)) => Err(Refused::passing(what, format!("{status}: {said}"))),
            Ok((None, _)) => Err(Refused::passing(what, format!("no end after {} s", self.timeout.as_secs()))),
            Err(cause) => Err(Refused::lasting(what, cause.to_string(), "check the path and its permissions")),
        }
    }
}
