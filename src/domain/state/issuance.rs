//! A04 to A06 and A13: an issuance says exactly what the grant says.

use super::State;
use super::arrival::Signature;
use super::authority::refuse;
use crate::domain::certificate::Certificate;
use crate::domain::event::{Event, Issuance};
use crate::domain::finding::{Code, Fault};

impl State {
    pub(super) fn judge_issuance(
        &self,
        event: &Event,
        issuance: &Issuance,
        signature: &Signature,
    ) -> Result<(), Fault> {
        let (case, access) = self.access_of(event, Code::A04)?;
        // A04: the grant stands.
        let grant = self.grant(case, &issuance.environment, &event.actor, event.time)?;
        // A05: the certificate says what the grant says. The serial has a rule of its own.
        let certificate = Certificate::parse_line(&issuance.certificate)
            .map_err(|error| Fault::new(Code::A05, format!("the certificate cannot be read: {error}")))?;
        let mut spec = grant.certificate().clone();
        let next = spec.serial;
        spec.serial = issuance.serial;
        if let Some(field) = certificate.difference(&spec) {
            return refuse(Code::A05, format!("the certificate's {field} is not what was granted"));
        }
        if (issuance.valid_after, issuance.valid_before) != (grant.valid_after(), grant.valid_before()) {
            return refuse(Code::A05, "the issuance's times are not what was granted");
        }
        if !signature.ca_signature {
            return refuse(Code::A05, format!("the certificate is not signed by the CA of {}", issuance.environment));
        }
        // A06: serials count 1, 2, 3 … per CA.
        if issuance.serial != next {
            return refuse(Code::A06, format!("serial {} is not the CA's next, {next}", issuance.serial));
        }
        // A13: while a void commit is unacknowledged, nobody mints but for emergencies.
        if self.has_open_voids() && !access.request.emergency {
            return refuse(Code::A13, "a void commit is not acknowledged: nothing is minted but emergencies");
        }
        Ok(())
    }
}
