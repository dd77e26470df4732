//! Where ssh's own arguments lead (ssh(1), OpenSSH 9 and 10). Imports nothing of ours.

use std::ffi::OsString;

/// ssh's options that take a value.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Where ssh's own arguments lead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// The host's name, without login and port.
    pub(super) host: String,
    /// Whether a login is named.
    pub(super) has_login: bool,
    /// Whether a person will be in a shell there: no command, and not one of ssh's ways to connect without one.
    pub(super) is_login: bool,
}

impl Destination {
    /// Reads ssh's arguments as ssh does: options, which may be written together, up to the first word that is none.
    pub(super) fn find(arguments: &[OsString]) -> Option<Self> {
        let mut has_login = false;
        let mut is_login = true;
        let mut words = arguments.iter().map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            if word == "--" {
                let word = words.next()?;
                return Some(Self::of(&word, has_login, is_login && words.next().is_none()));
            }
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                return Some(Self::of(&word, has_login, is_login && words.next().is_none()));
            };
            // `-vp2222`: the first letter that takes a value ends the letters.
            let valued = letters.char_indices().find(|(_, letter)| WITH_VALUE.contains(*letter));
            let flags = letters.get(..valued.map_or(letters.len(), |(at, _)| at)).unwrap_or_default();
            is_login &= !flags.contains(['N', 'f', 's']);
            if let Some((at, letter)) = valued {
                is_login &= !matches!(letter, 'W' | 'O' | 'Q');
                let rest = letters.get(at.saturating_add(letter.len_utf8())..).unwrap_or_default();
                let value = if rest.is_empty() { words.next()?.into_owned() } else { rest.to_owned() };
                has_login |= letter == 'l' || (letter == 'o' && names_login(&value));
            }
        }
        None
    }

    fn of(word: &str, has_login: bool, is_login: bool) -> Self {
        let is_uri = word.starts_with("ssh://");
        let place = word.strip_prefix("ssh://").unwrap_or(word);
        let place = if is_uri { place.split('/').next().unwrap_or(place) } else { place };
        let (login, host) = place.rsplit_once('@').map_or((None, place), |(login, host)| (Some(login), host));
        let host = if is_uri { host.split(':').next().unwrap_or(host) } else { host };
        Self { host: host.to_owned(), has_login: has_login || login.is_some(), is_login }
    }
}

/// Whether an option of ssh_config(5) is `User`: its keyword ends at a space or `=`, and others begin like it.
fn names_login(option: &str) -> bool {
    let keyword = option.trim_start().split(|c: char| c == '=' || c.is_whitespace()).next();
    keyword.is_some_and(|keyword| keyword.eq_ignore_ascii_case("user"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_behind_sshs_options() {
        let find = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            Destination::find(&words).map(|found| (found.host, found.has_login))
        };
        let host = |host: &str, login| Some((host.to_owned(), login));
        assert_eq!(find("db1"), host("db1", false));
        assert_eq!(find("-p 2222 db1 ls -l"), host("db1", false));
        assert_eq!(find("-4vp2222 root@db1"), host("db1", true));
        assert_eq!(find("-l root db1"), host("db1", true));
        assert_eq!(find("-o User=root -oPort=2 db1"), host("db1", true));
        assert_eq!(find("-o UserKnownHostsFile=/dev/null db1"), host("db1", false));
        assert_eq!(find("-L 80:db2:80 -N -- db1"), host("db1", false));
        assert_eq!(find("ssh://root@db1:2222/x"), host("db1", true));
        for (line, is_login) in [
            ("db1", true),
            ("-4p 2222 -l root db1", true),
            ("-- db1", true),
            ("-p 2222 db1 ls", false),
            ("-- db1 ls", false),
            ("-N -L 80:db2:80 db1", false),
            ("-vfN db1", false),
            ("-W db2:22 db1", false),
            ("-lN db1", true),
        ] {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert_eq!(Destination::find(&words).unwrap().is_login, is_login, "{line}");
        }
        assert_eq!(find("-p"), None);
        assert_eq!(find("-v"), None);
    }
}
