//! What PAM says about a login, and the certificate by which sshd let it in. Pure; the environment is an argument.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::certificate::Certificate;
use crate::domain::id::Digest;

/// A login as PAM tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The login.
    pub name: String,
    /// Where from: an address, or what PAM has instead.
    pub source: String,
    /// The key id that the certificate claims.
    pub key_id: String,
    /// Its serial.
    pub serial: u64,
    /// SHA-256 of its blob.
    pub certificate: Digest,
}

/// Why a login cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// A variable of PAM is missing.
    #[error("{0} is not set: PAM runs this, from sshd")]
    Missing(&'static str),
    /// It was let in in another way.
    #[error("it was not let in by one certificate alone")]
    NoCertificate,
    /// The certificate cannot be read.
    #[error("its certificate cannot be read: {0}")]
    Certificate(String),
}

impl Login {
    /// From the variables that pam_exec sets, and sshd's `SSH_AUTH_INFO_0`: one line for each way in which the login was
    /// authenticated (sshd_config(5), ExposeAuthInfo).
    ///
    /// # Errors
    /// Where one is missing, or the login was let in by anything but exactly one certificate.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, LoginError> {
        let name = variable("PAM_USER").ok_or(LoginError::Missing("PAM_USER"))?;
        let source = variable("PAM_RHOST").ok_or(LoginError::Missing("PAM_RHOST"))?;
        let info = variable("SSH_AUTH_INFO_0").ok_or(LoginError::Missing("SSH_AUTH_INFO_0"))?;
        let mut lines = info.lines();
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(LoginError::NoCertificate) };
        let mut words = line.split_ascii_whitespace();
        let (Some("publickey"), Some(kind), Some(blob), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(LoginError::NoCertificate);
        };
        if !kind.ends_with("-cert-v01@openssh.com") {
            return Err(LoginError::NoCertificate);
        }
        let certificate = Certificate::parse_line(&format!("{kind} {blob}"))
            .map_err(|error| LoginError::Certificate(error.to_string()))?;
        let blob = STANDARD.decode(blob).map_err(|error| LoginError::Certificate(error.to_string()))?;
        Ok(Self {
            name,
            source,
            key_id: certificate.key_id().to_owned(),
            serial: certificate.serial(),
            certificate: Digest::of(&blob),
        })
    }

    /// The address, where it is one. sshd gives a name only with `UseDNS yes`.
    pub fn address(&self) -> Option<IpAddr> {
        self.source.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(info: &str) -> Result<Login, LoginError> {
        Login::of(|name| match name {
            "PAM_USER" => Some("readonly".to_owned()),
            "PAM_RHOST" => Some("127.0.0.1".to_owned()),
            "SSH_AUTH_INFO_0" => Some(info.to_owned()),
            _ => None,
        })
    }

    #[test]
    fn only_one_certificate_and_nothing_else_is_a_way_in() {
        for info in [
            "",
            "password",
            "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
            "publickey",
            "publickey ssh-ed25519-cert-v01@openssh.com",
        ] {
            assert_eq!(of(info), Err(LoginError::NoCertificate), "{info:?}");
        }
        let cut = "publickey ssh-ed25519-cert-v01@openssh.com AAAA\n";
        assert!(matches!(of(cut), Err(LoginError::Certificate(_))), "{:?}", of(cut));
        assert_eq!(of(&format!("{cut}password\n")), Err(LoginError::NoCertificate));
        assert_eq!(Login::of(|_| None), Err(LoginError::Missing("PAM_USER")));
    }
}
