//! The armor of a signature file: BEGIN line, base64 wrapped at 70, END line, and not a byte more (format.md, section 3;
//! OpenSSH PROTOCOL.sshsig, "Armored format"). One blob has one armor and the other way round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{MAX_BYTES, SshSigError};

const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----\n";
const END: &[u8] = b"-----END SSH SIGNATURE-----\n";
/// Base64 characters a line.
const WIDTH: usize = 70;

/// The blob inside the armor.
pub(super) fn decode(armored: &[u8]) -> Result<Vec<u8>, SshSigError> {
    // C06: "signature > 4 KiB".
    if armored.len() > MAX_BYTES {
        return Err(SshSigError::TooLarge(armored.len()));
    }
    let body = armored.strip_prefix(BEGIN).ok_or(SshSigError::Begin)?;
    let body = body.strip_suffix(END).ok_or(SshSigError::End)?;
    // "base64 wrapped at 70": every line full but the last, which is not empty, each with its line feed.
    let body = body.strip_suffix(b"\n").filter(|body| !body.is_empty()).ok_or(SshSigError::Wrap)?;
    let mut base64 = Vec::with_capacity(body.len());
    let mut lines = body.chunks(WIDTH + 1).peekable();
    while let Some(line) = lines.next() {
        let text = match lines.peek() {
            Some(_) => line.strip_suffix(b"\n").ok_or(SshSigError::Wrap)?,
            None => line,
        };
        // A line feed at any other place means that some line is shorter or longer than 70.
        if text.is_empty() || text.len() > WIDTH || text.contains(&b'\n') {
            return Err(SshSigError::Wrap);
        }
        base64.extend_from_slice(text);
    }
    // STANDARD wants the canonical padding and zero spare bits, so that no two texts give one blob.
    STANDARD.decode(&base64).map_err(|_| SshSigError::Base64)
}

/// The armor around a blob.
pub(super) fn encode(blob: &[u8]) -> String {
    let base64 = STANDARD.encode(blob);
    let mut out = String::with_capacity(BEGIN.len() + base64.len() + base64.len() / WIDTH + 1 + END.len());
    out.push_str("-----BEGIN SSH SIGNATURE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(WIDTH).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    out.push_str("-----END SSH SIGNATURE-----\n");
    out
}
