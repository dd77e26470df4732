//! What sshd is told: a drop-in of one `Match User` block for the logins that jit serves, and nothing for anybody else.
//! sshd itself is asked what comes of it. Source: sshd_config(5), sshd(8) (`-t`, `-T -C`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Wanted;
use crate::host::HostError;

/// A keyword and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keyword, as sshd_config(5) spells it.
    pub keyword: &'static str,
    /// The value.
    pub value: String,
    /// What sshd is expected to say of it in `sshd -T`: the values of the keyword's lines.
    pub said: Vec<String>,
}

/// What holds for some login: the lines of `sshd -T`, by keyword in small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective(BTreeMap<String, Vec<String>>);

impl Effective {
    /// From what `sshd -T` prints.
    pub fn parse(text: &str) -> Self {
        let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines() {
            let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
            map.entry(keyword.to_ascii_lowercase()).or_default().push(value.to_owned());
        }
        Self(map)
    }

    /// The value of a keyword that has one.
    pub fn global(&self, keyword: &str) -> Option<&str> {
        self.0.get(keyword).and_then(|values| values.first()).map(String::as_str)
    }

    /// The first keyword in which the other differs.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let keys = self.0.keys().chain(other.0.keys());
        keys.into_iter().find(|key| self.0.get(*key) != other.0.get(*key)).cloned()
    }
}

/// What holds for the logins that jit serves. `known`: what this sshd knows of.
pub fn settings(wanted: &Wanted, program: &Path, known: &Effective) -> Vec<Setting> {
    let config = &wanted.config;
    let one = |keyword, value: String| Setting { keyword, said: vec![value.clone()], value };
    let plain = |keyword, value: &str| one(keyword, value.to_owned());
    let mut all = vec![
        one("TrustedUserCAKeys", config.authorities().display().to_string()),
        // Here and nowhere else: a list that is missing refuses every key there is.
        one("RevokedKeys", config.krl().display().to_string()),
        // `--`: a certificate may call itself anything, `--help` too.
        one("AuthorizedPrincipalsCommand", wanted.command(program, "principals -- %u %i %s %F %k")),
        one("AuthorizedPrincipalsCommandUser", config.user.clone()),
        plain("AuthorizedPrincipalsFile", "none"),
        plain("AuthorizedKeysFile", "none"),
        plain("AuthorizedKeysCommand", "none"),
        plain("AuthenticationMethods", "publickey"),
        plain("PubkeyAuthentication", "yes"),
        plain("PasswordAuthentication", "no"),
        plain("KbdInteractiveAuthentication", "no"),
        plain("HostbasedAuthentication", "no"),
        plain("GSSAPIAuthentication", "no"),
        plain("KerberosAuthentication", "no"),
        // `exec`: the shell that sshd starts for it must not stay and keep the terminal open.
        one("ForceCommand", format!("exec {}", wanted.command(program, "gate"))),
        plain("ChrootDirectory", "none"),
        // ~/.ssh/rc would run beside the recording.
        plain("PermitUserRC", "no"),
        plain("PermitTunnel", "no"),
    ];
    // sshd runs the gate through the login's shell. SHLVL=1 keeps bash from reading ~/.bashrc first, which it otherwise
    // does under sshd; the rest empties what ~/.pam_environment could set to run something before the gate.
    let environment = ["SHLVL=1", "BASH_ENV=", "ENV=", "LD_PRELOAD=", "LD_LIBRARY_PATH=", "LD_AUDIT="];
    all.push(Setting { keyword: "SetEnv", value: environment.join(" "), said: environment.map(str::to_owned).into() });
    // Not every sshd is built with these.
    all.retain(|it| {
        !matches!(it.keyword, "GSSAPIAuthentication" | "KerberosAuthentication")
            || known.global(&it.keyword.to_ascii_lowercase()).is_some()
    });
    all
}

/// The drop-in's text; a comment alone where no login is served.
pub fn drop_in(logins: &[String], settings: &[Setting]) -> String {
    let mut text = "# Written by jit host setup; jit host setup --undo takes it away. Everybody whom the next line\n\
                    # does not name logs in as before.\n"
        .to_owned();
    if logins.is_empty() {
        return text;
    }
    text.push_str(&format!("Match User {}\n", logins.join(",")));
    for setting in settings {
        text.push_str(&format!("    {} {}\n", setting.keyword, setting.value));
    }
    text
}

/// Whether sshd's configuration includes the drop-in, for everybody and not within a `Match`.
pub fn includes(config: &str, drop_in: &Path, root: Option<&Path>) -> bool {
    for line in config.lines() {
        let mut words = line.split(|c: char| c.is_whitespace() || c == '=').filter(|word| !word.is_empty());
        match words.next().map(str::to_ascii_lowercase).as_deref() {
            Some("match") => return false,
            Some("include") => {}
            _ => continue,
        }
        let covers = |pattern: &str| {
            let pattern = Path::new(pattern.trim_matches('"'));
            // A relative one is below /etc/ssh.
            let absolute = Path::new("/etc/ssh").join(pattern);
            [Some(drop_in.to_owned()), root.map(|root| below(root, drop_in))].iter().flatten().any(|path| {
                absolute.parent() == path.parent()
                    && absolute
                        .file_name()
                        .is_some_and(|name| name == "*.conf" || name == "*" || Some(name) == path.file_name())
            })
        };
        if words.any(covers) {
            return true;
        }
    }
    false
}

/// The line that includes it.
pub fn include_line(drop_in: &Path, root: Option<&Path>) -> String {
    let path = root.map_or_else(|| drop_in.to_owned(), |root| below(root, drop_in));
    format!("Include {}", path.with_file_name("*.conf").display())
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The sshd of this machine, asked about one configuration file. It starts nothing.
#[derive(Debug, Clone)]
pub struct Sshd {
    /// The program.
    pub program: PathBuf,
    /// The configuration.
    pub config: PathBuf,
    /// The host's name, for `Match Host`.
    pub host: String,
}

impl Sshd {
    /// Where sshd is.
    pub fn find() -> Option<PathBuf> {
        let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd", "/usr/bin/sshd"];
        places.iter().map(PathBuf::from).find(|path| path.is_file())
    }

    /// Whether sshd would start with the configuration.
    ///
    /// # Errors
    /// What it says.
    pub fn test(&self) -> Result<(), HostError> {
        self.run(&["-t".to_owned()]).map(|_| ())
    }

    /// What holds for a login.
    ///
    /// # Errors
    /// What sshd says.
    pub fn effective(&self, login: &str) -> Result<Effective, HostError> {
        let connection = format!("user={login},host={},addr=127.0.0.1,laddr=127.0.0.1,lport=22", self.host);
        let said = self.run(&["-T".to_owned(), "-C".to_owned(), connection])?;
        Ok(Effective::parse(&said))
    }

    /// That the settings hold for each of the logins, and that nothing else than before holds for the others.
    ///
    /// # Errors
    /// Where sshd does not take the configuration, or something in it comes before ours.
    pub fn check(
        &self,
        logins: &[String],
        settings: &[Setting],
        others: &[(String, Effective)],
    ) -> Result<(), HostError> {
        self.test()?;
        let wrong = |text: String| HostError::Refused(text);
        for login in logins {
            let now = self.effective(login)?;
            for setting in settings {
                let found = now.0.get(&setting.keyword.to_ascii_lowercase()).cloned().unwrap_or_default();
                if found != setting.said {
                    return Err(wrong(format!(
                        "for {login}, sshd has `{} {}` instead of `{}`: another Match block, in {} or what it includes, \
                         comes first",
                        setting.keyword,
                        found.join(" "),
                        setting.value,
                        self.config.display()
                    )));
                }
            }
        }
        for (login, before) in others {
            if let Some(keyword) = before.difference(&self.effective(login)?) {
                return Err(wrong(format!("sshd's {keyword} would change for {login}, whom jit does not serve")));
            }
        }
        Ok(())
    }

    fn run(&self, arguments: &[String]) -> Result<String, HostError> {
        let what = || format!("{} {}", self.program.display(), arguments.join(" "));
        let done = Command::new(&self.program)
            .args(arguments)
            .arg("-f")
            .arg(&self.config)
            .stdin(Stdio::null())
            .output()
            .map_err(|cause| HostError::system(what(), cause))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&done.stderr).trim().replace(['\r', '\n'], " ");
        Err(HostError::system(what(), std::io::Error::other(said)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_include_counts_where_it_holds_for_everybody() {
        let drop_in = Path::new("/etc/ssh/sshd_config.d/50-jit.conf");
        for good in [
            "Include /etc/ssh/sshd_config.d/*.conf",
            "include sshd_config.d/*.conf",
            "UsePAM yes\nInclude \"/x\" /etc/ssh/sshd_config.d/*",
        ] {
            assert!(includes(good, drop_in, None), "{good}");
        }
        for bad in [
            "",
            "#Include /etc/ssh/sshd_config.d/*.conf",
            "Match User a\nInclude sshd_config.d/*.conf",
            "Include /etc/ssh/*.conf",
        ] {
            assert!(!includes(bad, drop_in, None), "{bad}");
        }
        assert!(includes("Include /r/etc/ssh/sshd_config.d/*.conf", drop_in, Some(Path::new("/r"))));
    }

    #[test]
    fn a_difference_is_named() {
        let one = Effective::parse("usepam yes\nsetenv A=1\nsetenv B=2\n");
        assert_eq!(one.global("usepam"), Some("yes"));
        assert_eq!(one.difference(&one.clone()), None);
        assert_eq!(one.difference(&Effective::parse("usepam yes\nsetenv A=1\n")), Some("setenv".to_owned()));
        assert_eq!(one.difference(&Effective::parse("setenv A=1\nsetenv B=2\n")), Some("usepam".to_owned()));
    }
}
