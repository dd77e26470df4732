//! `jit host principals`: sshd's AuthorizedPrincipalsCommand. Reads `grants.json` and nothing else; runs twice a login.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{Context, Exit, Outcome};
use crate::domain::id::Digest;
use crate::host::admission::{Attempt, Refusal, admit};
use crate::host::{Config, Grants, HostError, refusals};

/// Say which principals open LOGIN to a certificate: sshd's AuthorizedPrincipalsCommand.
///
/// Prints nothing, and notes why, unless the ledger's mirror holds exactly this certificate, live, for this host and login.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The login (%u).
    pub login: String,
    /// The certificate's key id (%i).
    pub key_id: String,
    /// Its serial (%s).
    pub serial: u64,
    /// The CA's fingerprint (%F).
    pub authority: String,
    /// The certificate in base64 (%k).
    pub certificate: String,
}

/// Prints the principals. Exit code 0 also where there are none: sshd then refuses the certificate.
///
/// # Errors
/// Never for a refusal; it is noted for `jit host status` and syslog.
pub fn run(context: &mut Context, config: Result<Config, HostError>, args: Args) -> Outcome {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            crate::host::syslog::warn(&format!("principals: {error}"));
            return Err(error.into());
        }
    };
    match decide(context, &config, &args) {
        Ok(principals) => context.output.bytes((principals.join("\n") + "\n").as_bytes())?,
        Err(refusal) => {
            let now = context.now();
            refusals::note(&config, now, &args.login, &args.key_id, args.serial, None, &refusal);
        }
    }
    Ok(Exit::DONE)
}

fn decide(context: &Context, config: &Config, args: &Args) -> Result<Vec<String>, Refusal> {
    let blob = STANDARD.decode(&args.certificate).map_err(|_| Refusal::Malformed("it is not base64".to_owned()))?;
    let grants = Grants::read(config)
        .map_err(|error| Refusal::NoMirror(error.to_string()))?
        .ok_or_else(|| Refusal::NoMirror("nothing is published: jit host sync has not run yet".to_owned()))?;
    let attempt = Attempt { login: &args.login, certificate: Digest::of(&blob), serial: args.serial, source: None };
    let admitted = admit(&grants, &attempt, context.now())?;
    Ok(admitted.opens.iter().map(|open| open.principal.clone()).collect())
}
