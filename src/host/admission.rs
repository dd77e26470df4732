//! Who gets in: one pure function over what `sync` published, asked twice at each login (by sshd through `principals`, and
//! by PAM through `session`). Whatever is not certainly right is refused, and says why.

use std::fmt;
use std::net::IpAddr;

use super::grants::{Grant, Grants, Opening};
use crate::domain::id::Digest;
use crate::domain::time::Timestamp;

/// A login, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The login on the host.
    pub login: &'a str,
    /// SHA-256 of the certificate's blob.
    pub certificate: Digest,
    /// The serial, for what is said.
    pub serial: u64,
    /// Where from, where that is known. sshd has held the certificate's own `source-address` against it already.
    pub source: Option<IpAddr>,
}

/// Who is let in, and through what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// What it opens for this login; at least one.
    pub opens: Vec<&'a Opening>,
}

/// Why nobody is let in. Each has a word that log readers can count on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was published, or it cannot be read.
    NoMirror(String),
    /// The mirror is too old.
    Stale(String),
    /// The ledger does not hold this certificate.
    NotInLedger(String),
    /// It opens nothing on this host.
    WrongHost(String),
    /// It opens no such login.
    WrongLogin(String),
    /// It begins later.
    NotYet(String),
    /// It has ended by itself.
    Expired(String),
    /// It was revoked, closed or locked.
    Ended(String),
    /// It comes from elsewhere.
    WrongSource(String),
    /// It is no certificate that we can read.
    Malformed(String),
}

impl Refusal {
    /// The word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoMirror(_) => "no-mirror",
            Self::Stale(_) => "stale",
            Self::NotInLedger(_) => "not-in-ledger",
            Self::WrongHost(_) => "wrong-host",
            Self::WrongLogin(_) => "wrong-login",
            Self::NotYet(_) => "not-yet",
            Self::Expired(_) => "expired",
            Self::Ended(_) => "ended",
            Self::WrongSource(_) => "wrong-source",
            Self::Malformed(_) => "malformed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMirror(why)
            | Self::Stale(why)
            | Self::NotInLedger(why)
            | Self::WrongHost(why)
            | Self::WrongLogin(why)
            | Self::NotYet(why)
            | Self::Expired(why)
            | Self::Ended(why)
            | Self::WrongSource(why)
            | Self::Malformed(why) => f.write_str(why),
        }
    }
}

/// Decides about a login at `now`.
///
/// # Errors
/// The first reason against it.
pub fn admit<'a>(grants: &'a Grants, attempt: &Attempt<'_>, now: Timestamp) -> Result<Admitted<'a>, Refusal> {
    let host = &grants.host;
    if grants.is_stale(now) {
        return Err(Refusal::Stale(format!(
            "the mirror was last held against its remote {}, and now it is {now}",
            grants.checked
        )));
    }
    let Some(grant) = grants.of_certificate(&attempt.certificate) else {
        return Err(Refusal::NotInLedger(format!("the ledger holds no live certificate {}", attempt.serial)));
    };
    let case = grant.case().short();
    if grant.opens.is_empty() {
        return Err(Refusal::WrongHost(format!("case {case} opens nothing on {host}")));
    }
    let opens: Vec<&Opening> =
        grant.opens.iter().filter(|open| open.logins.iter().any(|login| login == attempt.login)).collect();
    if opens.is_empty() {
        return Err(Refusal::WrongLogin(format!("case {case} does not open the login {}", attempt.login)));
    }
    if let Some(ended) = &grant.ended {
        return Err(Refusal::Ended(format!("case {case} is over: {}", ended.why)));
    }
    if now >= grant.valid_before {
        return Err(Refusal::Expired(format!("case {case} ended {}", grant.valid_before)));
    }
    if now < grant.valid_after {
        return Err(Refusal::NotYet(format!("case {case} begins {}", grant.valid_after)));
    }
    if let Some(source) = attempt.source.map(|source| source.to_canonical())
        && !grant.source_address.is_empty()
        && !grant.source_address.iter().any(|net| net.contains(&source))
    {
        return Err(Refusal::WrongSource(format!("case {case} may not be used from {source}")));
    }
    Ok(Admitted { grant, opens })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests;
