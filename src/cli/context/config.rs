//! The user's `config.toml` (XDG): ledgers by name, the default one, the member's name and key, where recordings lie, who is
//! notified. Unknown keys are refused
//! with their line: a misspelt key must not be silently without effect.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::error::CliError;
use super::super::files;
use super::super::notify::settings::Settings;
use crate::domain::id::Name;

/// The configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The name of the default ledger.
    pub default_ledger: Option<String>,
    /// Who acts, where the key does not say.
    pub member: Option<Name>,
    /// The key that signs.
    pub key: Option<PathBuf>,
    /// Where recordings of sessions lie.
    pub recordings: Option<PathBuf>,
    /// The ledgers that this user knows.
    pub ledgers: Vec<LedgerEntry>,
    /// Who is told what, and by which way.
    pub notify: Option<Settings>,
}

/// A ledger that the user knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// What the user calls it.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(skip_serializing_if = "Option::is_none")]
    default_ledger: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recordings: Option<PathBuf>,
    #[serde(default, rename = "ledger", skip_serializing_if = "Vec::is_empty")]
    ledgers: Vec<LedgerEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify: Option<Settings>,
}

impl Config {
    /// Reads `file`; one that is not there is empty.
    ///
    /// # Errors
    /// Where it cannot be read, or is no configuration; with the line.
    pub fn read(file: &Path) -> Result<Self, CliError> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).map_err(|error| error.context(format!("{} is of no use", file.display()))),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(cause) => Err(CliError::file("read", file, &cause)),
        }
    }

    fn parse(text: &str) -> Result<Self, CliError> {
        let wrong = |line: Option<usize>, message: &str| {
            let place = line.map_or_else(String::new, |line| format!("line {line}: "));
            CliError::failed(format!("{place}{message}"))
                .hint("it knows default_ledger, member, key, recordings, [[ledger]] with name and path, and [notify] (docs/notify.md)")
        };
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            wrong(before.map(|before| before.matches('\n').count() + 1), error.message())
        })?;
        let member = match file.member {
            Some(member) => Some(member.parse::<Name>().map_err(|e| wrong(None, &format!("member: {e}")))?),
            None => None,
        };
        let File { default_ledger, key, recordings, ledgers, notify, .. } = file;
        let config = Self { default_ledger, member, key, recordings, ledgers, notify };
        if let Some(default) = &config.default_ledger
            && config.default_path().is_none()
        {
            return Err(wrong(None, &format!("default_ledger: there is no [[ledger]] named {default}")));
        }
        Ok(config)
    }

    /// Where the default ledger lies.
    pub fn default_path(&self) -> Option<&Path> {
        let name = self.default_ledger.as_ref()?;
        self.ledgers.iter().find(|entry| entry.name == *name).map(|entry| entry.path.as_path())
    }

    /// Adds a ledger, in the place of one at the same path. It becomes the default where there is none. Returns the
    /// name it got: another one of the same name keeps its own.
    pub fn add(&mut self, name: &str, path: &Path) -> String {
        self.ledgers.retain(|entry| entry.path != path);
        let taken = |wanted: &str| self.ledgers.iter().any(|entry| entry.name == wanted);
        let mut own = name.to_owned();
        let mut count = 2;
        while taken(&own) {
            own = format!("{name}-{count}");
            count += 1;
        }
        self.ledgers.push(LedgerEntry { name: own.clone(), path: path.to_owned() });
        if self.default_path().is_none() {
            self.default_ledger = Some(own.clone());
        }
        own
    }

    /// Writes it whole or not at all.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), CliError> {
        let content = File {
            default_ledger: self.default_ledger.clone(),
            member: self.member.as_ref().map(ToString::to_string),
            key: self.key.clone(),
            recordings: self.recordings.clone(),
            ledgers: self.ledgers.clone(),
            notify: self.notify.clone(),
        };
        let text = toml::to_string(&content)
            .map_err(|e| CliError::failed("cannot write the configuration").because(e.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            files::write(file, text.as_bytes(), files::OWN)
        };
        write().map_err(|cause| CliError::file("write", file, &cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_told_with_its_line() {
        let error = Config::parse("member = \"alice\"\n\n[[ledger]]\nname = \"a\"\npaht = \"/l\"\n").unwrap_err();
        assert!(error.message().starts_with("line 5: unknown field `paht`"), "{}", error.message());
        let error = Config::parse("default_ledger = \"gone\"\n").unwrap_err();
        assert!(error.message().contains("gone"));
        assert!(Config::parse("member = \"Alice\"\n").is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jit").join("config.toml");
        assert_eq!(Config::read(&file).unwrap(), Config::default());
        let recordings = Some(PathBuf::from("/srv/recordings"));
        let mut config = Config { member: Some("alice".parse().unwrap()), recordings, ..Config::default() };
        assert_eq!(config.add("acme", Path::new("/a")), "acme");
        assert_eq!(config.add("acme", Path::new("/b")), "acme-2");
        assert_eq!(config.default_path(), Some(Path::new("/a")));
        config.write(&file).unwrap();
        assert_eq!(Config::read(&file).unwrap(), config);
    }
}
