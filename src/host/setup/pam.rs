//! The lines of jit in `/etc/pam.d/sshd`. Pure. Source: pam.conf(5), pam_exec(8), pam_succeed_if(8).
//!
//! The test reads the other way round on purpose: for a login that jit does not serve it succeeds and jumps over jit, so
//! such a login never depends on it; for one that it serves, and where the test cannot be made, jit is asked.

const BEGIN: &str =
    "# jit: only the logins that jit serves come to the second line (jit host setup --undo takes this away)";

/// The lines, for these logins. `session` is `jit host session` as PAM runs it.
pub fn lines(session: &str, logins: &[String]) -> Vec<String> {
    if logins.is_empty() {
        return Vec::new();
    }
    vec![
        BEGIN.to_owned(),
        format!("session [success=1 default=ignore] pam_succeed_if.so quiet user notin {}", logins.join(":")),
        // `type`: not at the end of a session, too. `stdout`: what jit says reaches the person.
        format!("session required pam_exec.so quiet stdout type=open_session {session}"),
    ]
}

/// The file with exactly these lines of jit in it.
///
/// # Errors
/// Where there is no place for them.
pub fn with(text: &str, lines: &[String]) -> Result<String, String> {
    let text = without(text);
    if lines.is_empty() {
        return Ok(text);
    }
    // Right after the common part: pam_systemd has moved the process where it wants it, and pam_env has not yet read
    // what the user wrote. pam_exec hands PAM's environment to a program that root runs, so LD_PRELOAD in the user's
    // ~/.pam_environment would make that user root.
    let all: Vec<&str> = text.lines().collect();
    let Some(at) = all.iter().rposition(|line| is_common_session(line)) else {
        return Err(format!(
            "{} includes no common part for sessions (@include common-session, or session include system-auth or \
             password-auth): jit does not know where its lines belong",
            super::PAM
        ));
    };
    let before = all.get(..=at).unwrap_or_default();
    if let Some(line) = before.iter().find(|line| !is_comment(line) && line.contains("user_readenv=1")) {
        return Err(format!(
            "in {}, `{}` reads the user's own environment before the common part: it must come after it, or root would \
             run jit with it",
            super::PAM,
            line.trim()
        ));
    }
    let after = all.get(at + 1..).unwrap_or_default();
    let joined = before.iter().copied().chain(lines.iter().map(String::as_str)).chain(after.iter().copied());
    Ok(joined.map(|line| format!("{line}\n")).collect())
}

/// The file without the lines of jit.
pub fn without(text: &str) -> String {
    let mut left = 0;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim_end() == BEGIN {
            left = 2;
        } else if left > 0
            && line.starts_with("session ")
            && (line.contains("pam_succeed_if") || line.contains("pam_exec"))
        {
            left -= 1;
        } else {
            left = 0;
            out.push_str(line);
        }
    }
    out
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

fn is_common_session(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    const INCLUDED: [&str; 4] = ["common-session", "system-auth", "password-auth", "system-remote-login"];
    match words.as_slice() {
        ["@include", file, ..] => *file == "common-session",
        ["session" | "-session", "include" | "substack", file, ..] => INCLUDED.contains(file),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "@include common-auth\n# @include common-session\n@include common-session\n\
                          session required pam_env.so user_readenv=1\n@include common-password\n";

    fn ours() -> Vec<String> {
        lines("/usr/local/libexec/jit host session", &["app".to_owned(), "readonly".to_owned()])
    }

    #[test]
    fn they_stand_after_the_common_part_and_before_the_users_environment() {
        let text = with(DEBIAN, &ours()).unwrap();
        let at = |word: &str| text.find(word).unwrap();
        assert!(at("\n@include common-session") < at("notin app:readonly"));
        assert!(at("notin") < at("pam_exec") && at("pam_exec") < at("pam_env"));
        assert_eq!(with(&text, &ours()).unwrap(), text, "again changes nothing");
        assert_eq!(without(&text), DEBIAN);
        assert_eq!(with(&text, &[]).unwrap(), DEBIAN, "without logins there are no lines");
    }

    #[test]
    fn lines_of_others_stay() {
        let theirs = "session required pam_exec.so /usr/bin/true\n";
        let text = with(&format!("{DEBIAN}{theirs}"), &ours()).unwrap();
        assert_eq!(without(&text), format!("{DEBIAN}{theirs}"));
        let cut: String = text.lines().filter(|line| !line.contains("notin")).map(|line| format!("{line}\n")).collect();
        assert_eq!(without(&cut), format!("{DEBIAN}{theirs}"), "of a block that somebody cut, the rest goes");
    }

    #[test]
    fn no_place_is_refused() {
        assert!(with("auth required pam_unix.so\n", &ours()).is_err());
        let early = format!("session required pam_env.so user_readenv=1\n{DEBIAN}");
        assert!(with(&early, &ours()).is_err_and(|why| why.contains("user_readenv")));
    }
}
