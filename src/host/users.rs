//! The accounts of the system: `/etc/passwd`, and what `getent` knows beyond it (LDAP, SSSD). Imports the errors only.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{HostError, files};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Its home.
    pub home: PathBuf,
    /// Its shell.
    pub shell: PathBuf,
}

impl User {
    /// The account of this name; `None` where there is none.
    ///
    /// # Errors
    /// Where the system cannot be asked.
    pub fn named(name: &str) -> Result<Option<Self>, HostError> {
        let path = Path::new("/etc/passwd");
        let bytes = files::read(path)?.ok_or_else(|| HostError::content(path, "there is none"))?;
        let text = String::from_utf8_lossy(&bytes);
        if let Some(user) = text.lines().filter_map(Self::parse).find(|user| user.name == name) {
            return Ok(Some(user));
        }
        let asked = Command::new("getent")
            .args(["passwd", "--", name])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        // A system without getent knows its own file only.
        let Ok(asked) = asked else { return Ok(None) };
        let text = String::from_utf8_lossy(&asked.stdout);
        Ok(text.lines().filter_map(Self::parse).find(|user| user.name == name))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        let (home, shell) = (fields.nth(1)?.into(), fields.next()?.into());
        Some(Self { name, uid, gid, home, shell })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_everywhere() {
        let root = User::named("root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(User::named("nobody-of-this-name").unwrap(), None);
    }
}
