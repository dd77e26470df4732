//! Credentials: what a certificate must say (format.md, section 5), written out a second time.

use jit::domain::certificate::CertificateSpec;
use jit::domain::event::{Body, Event, Issuance};
use jit::domain::id::CaseId;
use jit::domain::time::Timestamp;
use jit::issue::ssh_cert::issue;

use crate::keys::Key;
use crate::ledger::{Case, Ledger, ttl};

impl Ledger {
    /// What the certificate of a case must say, were it issued at `self.now + 30s`.
    pub fn spec(&self, case: &Case) -> CertificateSpec {
        let issued = self.now.plus(ttl("30s"));
        let mut principals: Vec<String> = case.request.targets.iter().map(|role| format!("prod/{role}")).collect();
        principals.sort();
        let read_only = case.request.targets.iter().all(|role| role.to_string() == "payments-db/read-only");
        CertificateSpec {
            key: case.request.credential_key.clone(),
            serial: self.serial + 1,
            key_id: format!("jit:{}:{}", case.id.0.short(), case.event.actor),
            principals,
            valid_after: case.request.not_before.unwrap_or_else(|| issued.minus(ttl("1m"))).unix_u64(),
            valid_before: case.issued.unwrap_or(issued).plus(case.request.duration).unix_u64(),
            source_address: read_only.then(|| "127.0.0.0/8".to_owned()),
            verify_required: false,
            extensions: read_only.then(|| "permit-pty".to_owned()).into_iter().collect(),
            ca: Key::of("the CA of prod").public,
        }
    }

    /// An issuance of a certificate that says this.
    pub fn issuance(&mut self, actor: &str, case: CaseId, spec: &CertificateSpec, ca: &str) -> Event {
        let certificate = issue(spec, &Key::of(ca).signer, [9; 32]).unwrap();
        let time = |seconds: u64| Timestamp::from_unix(i64::try_from(seconds).unwrap()).unwrap();
        let issuance = Issuance {
            environment: "prod".parse().unwrap(),
            serial: spec.serial,
            valid_after: time(spec.valid_after),
            valid_before: time(spec.valid_before),
            certificate,
        };
        self.event(actor, Some(case), Body::Issuance(issuance))
    }

    /// A good issuance.
    pub fn mint(&mut self, case: &mut Case) {
        let spec = self.spec(case);
        let event = self.issuance("minter", case.id, &spec, "the CA of prod");
        case.issued.get_or_insert(event.time);
        case.serial = spec.serial;
        self.serial = spec.serial;
        self.say(event);
    }

    /// An issuance of what would be the right certificate, refused.
    pub fn refused_mint(&mut self, code: &'static str, case: &Case) {
        let spec = self.spec(case);
        let event = self.issuance("minter", case.id, &spec, "the CA of prod");
        self.void_event(code, event);
    }

    /// A case with a credential.
    pub fn live(&mut self) -> Case {
        let mut case = self.approved();
        self.mint(&mut case);
        case
    }
}
