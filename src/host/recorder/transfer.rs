//! Copying files: of sftp, scp and rsync the recording holds what was run and how many bytes went each way, not the files.
//! What is let off so has to be what it says: a command that could run anything else, and a program that is not the
//! system's own, is recorded whole. Imports the configuration.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::super::Config;

/// A program that copies files, by where the system's own lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer(Vec<PathBuf>);

impl Transfer {
    /// What the command claims to be; `None` where it is no copying of files. No shell reads such a command as anything
    /// but one program and its arguments.
    pub fn claimed(config: &Config, command: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || " _-./,:=@%+~*?[]".contains(c) || !c.is_ascii();
        // U+FFFD stands for bytes that were not UTF-8; nobody knows what they are to a shell.
        if !command.chars().all(|c| plain(c) && c != char::REPLACEMENT_CHARACTER) {
            return None;
        }
        let mut words = command.split(' ').filter(|word| !word.is_empty());
        let program = Path::new(words.next()?).file_name()?.to_str()?;
        let words: Vec<&str> = words.collect();
        match program {
            "internal-sftp" | "sftp-server" => Some(Self(vec![config.sftp_server.clone()])),
            "scp" if words.iter().any(|word| matches!(*word, "-t" | "-f")) => Some(Self::system(program)),
            "rsync" if words.first() == Some(&"--server") && !words.contains(&"--daemon") => {
                Some(Self::system(program))
            }
            _ => None,
        }
    }

    fn system(program: &str) -> Self {
        Self(["/usr/bin", "/usr/local/bin", "/bin"].iter().map(|place| Path::new(place).join(program)).collect())
    }

    /// Whether the process runs the system's own program: the same file, not one of the same name.
    pub fn is_run_by(&self, pid: u32) -> bool {
        let file = |meta: Metadata| (meta.dev(), meta.ino());
        let Ok(runs) = std::fs::metadata(format!("/proc/{pid}/exe")).map(file) else { return false };
        self.0.iter().any(|path| std::fs::metadata(path).is_ok_and(|meta| meta.uid() == 0 && file(meta) == runs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let head = "host = \"db1\"\nremote = \"ledger\"\nledger = \"sha256:";
        toml::from_str(&format!("{head}{}\"\n", "0".repeat(64))).expect("a configuration")
    }

    #[test]
    fn only_a_plain_copy_is_one() {
        let config = config();
        let sftp = Some(Transfer(vec![config.sftp_server.clone()]));
        for (command, claimed) in [
            ("internal-sftp", sftp.clone()),
            ("internal-sftp -l INFO", sftp.clone()),
            ("/usr/lib/openssh/sftp-server", sftp),
            ("scp -t /tmp/a", Some(Transfer::system("scp"))),
            ("scp -r -f -- /var/log/*.log", Some(Transfer::system("scp"))),
            ("rsync --server -logDtpre.iLsfxCIvu . /tmp/ü", Some(Transfer::system("rsync"))),
            ("rsync --server --daemon --config=x .", None),
            ("rsync -a /etc /tmp", None),
            ("scp a b", None),
            ("scp -t /tmp; bash", None),
            ("scp -t /tmp\nbash", None),
            ("scp -t `bash`", None),
            ("scp -t $(bash)", None),
            ("scp -t '/tmp/a b'", None),
            ("scp -t a|bash", None),
            ("scp -t \\\u{fffd}", None),
            ("scp\t-t x", None),
            ("bash", None),
            ("", None),
            ("/", None),
        ] {
            assert_eq!(Transfer::claimed(&config, command), claimed, "{command:?}");
        }
    }

    #[test]
    fn a_program_of_the_same_name_is_none() {
        let place = tempfile::tempdir().expect("a directory");
        let sleep = std::fs::canonicalize("/bin/sleep").expect("sleep");
        let copy = place.path().join("sleep");
        std::fs::copy(&sleep, &copy).expect("copied");
        let real = Transfer(vec![sleep.clone()]);
        for (program, is_real) in [(&sleep, true), (&copy, false)] {
            let mut child = std::process::Command::new(program).arg("60").spawn().expect("started");
            let is = real.is_run_by(child.id());
            child.kill().and_then(|()| child.wait()).expect("ended");
            assert_eq!(is, is_real, "{}", program.display());
            assert!(!real.is_run_by(child.id()), "it is gone");
        }
    }
}
