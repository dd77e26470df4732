//! Files that hold a secret: read only where nobody but their owner can read them.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::super::super::error::CliError;

/// The most bytes of such a file.
const LIMIT: u64 = 64 * 1024;

/// The bytes of the secret at `path`.
///
/// # Errors
/// Where it cannot be read, is no file, or others can read it.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |cause: std::io::Error| CliError::file("read", path, &cause);
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(CliError::failed(format!("{} is not a file", path.display())).hint("name a file"));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(CliError::failed(format!("others can read {}", path.display()))
            .because("whoever reads it can speak in our name")
            .hint(format!("chmod 600 {}", path.display())));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LIMIT).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The bearer token in the file at `path`: the characters that RFC 6750 allows, on one line.
///
/// # Errors
/// As [`read`], and where it is no token.
pub fn token(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let bytes = read(path)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim_end_matches(['\n', '\r']);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if text.is_empty() || !text.bytes().all(plain) {
        return Err(CliError::failed(format!("{} holds no bearer token", path.display()))
            .because("a token is letters, digits and -._~+/= on one line (RFC 6750)")
            .hint("write the token into it, and nothing else"));
    }
    Ok(Zeroizing::new(text.to_owned()))
}
