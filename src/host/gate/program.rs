//! What a channel runs: the login's shell, a command in it, or sftp; called as sshd would have called it (session.c,
//! `do_child`). Imports the configuration.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;

use super::super::Config;
use super::{GateError, failed};

/// A program and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file.
    pub file: OsString,
    /// Its first argument: its name.
    pub name: OsString,
    /// The others.
    pub arguments: Vec<OsString>,
    /// The command as the recording has it; `None` for a shell.
    pub told: Option<String>,
}

impl Program {
    /// What the client asked for, by the variables that sshd set.
    pub fn asked_for(config: &Config, variables: &BTreeMap<OsString, OsString>) -> Self {
        let variable = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
        let shell = variable("SHELL").cloned().unwrap_or_else(|| OsString::from("/bin/sh"));
        let base = PathBuf::from(&shell).file_name().map_or_else(|| shell.clone(), OsStr::to_owned);
        let Some(command) = variable("SSH_ORIGINAL_COMMAND") else {
            // A dash before its name makes it a login shell.
            let mut name = OsString::from("-");
            name.push(base);
            return Self { file: shell, name, arguments: Vec::new(), told: None };
        };
        let told = Some(command.to_string_lossy().into_owned());
        let mut words = command.as_bytes().split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        if words.next() == Some(b"internal-sftp") {
            let arguments = words.map(|word| OsStr::from_bytes(word).to_owned()).collect();
            let file = OsString::from(&config.sftp_server);
            return Self { name: file.clone(), file, arguments, told };
        }
        Self { file: shell, name: base, arguments: vec!["-c".into(), command.clone()], told }
    }
}

/// Becomes the program: in a session of its own, with the terminal on stdin as its controlling one, where there is one.
/// `gate` is the process that started this one; once it is gone, so is the program's reason to run.
///
/// Returns only where that failed.
pub fn become_program(gate: u32, words: &[OsString]) -> GateError {
    let Err(error) = prepare(gate) else {
        let [file, name, arguments @ ..] = words else {
            return failed("the gate's inner stage")(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let cause = Command::new(file).arg0(name).args(arguments).exec();
        return GateError::Start { program: file.into(), cause };
    };
    error
}

fn prepare(gate: u32) -> Result<(), GateError> {
    rustix::process::setsid().map_err(failed("setsid"))?;
    let stdin = rustix::stdio::stdin();
    if rustix::termios::isatty(stdin) {
        rustix::process::ioctl_tiocsctty(stdin).map_err(failed("controlling terminal"))?;
    }
    rustix::process::set_parent_process_death_signal(Some(Signal::HUP)).map_err(failed("prctl"))?;
    // The gate may have died before that was set.
    if std::os::unix::process::parent_id() == gate { Ok(()) } else { Err(GateError::RecorderGone) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(shell: Option<&str>, command: Option<&str>) -> Program {
        let config =
            "host = \"db1\"\nremote = \"ledger\"\nsftp_server = \"/usr/libexec/sftp-server\"\nledger = \"sha256:";
        let config: Config = toml::from_str(&format!("{config}{}\"\n", "0".repeat(64))).expect("a configuration");
        let pairs = [("SHELL", shell), ("SSH_ORIGINAL_COMMAND", command)];
        let set = pairs.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into())));
        Program::asked_for(&config, &set.collect())
    }

    #[test]
    fn a_shell_is_a_login_shell() {
        let program = asked(Some("/bin/bash"), None);
        assert_eq!((program.file.to_str(), program.name.to_str()), (Some("/bin/bash"), Some("-bash")));
        assert_eq!((program.arguments.len(), program.told), (0, None));
        assert_eq!(asked(None, None).file, "/bin/sh");
    }

    #[test]
    fn a_command_is_the_shell_s_to_read() {
        let program = asked(Some("/bin/bash"), Some("echo 'a  b' | wc; internal-sftp"));
        assert_eq!((program.file.to_str(), program.name.to_str()), (Some("/bin/bash"), Some("bash")));
        assert_eq!(program.arguments, ["-c", "echo 'a  b' | wc; internal-sftp"]);
        assert_eq!(program.told.as_deref(), Some("echo 'a  b' | wc; internal-sftp"));
    }

    #[test]
    fn sshd_s_own_sftp_is_the_configured_program() {
        let program = asked(Some("/bin/bash"), Some("internal-sftp -l  INFO"));
        assert_eq!(program.file, "/usr/libexec/sftp-server");
        assert_eq!(program.arguments, ["-l", "INFO"]);
        assert_eq!(asked(Some("/bin/bash"), Some("internal-sftpd")).file, "/bin/bash");
    }
}
