//! A grant: what an approved case opens in one environment, as the certificate has to say it. Only the fold makes one, so
//! nobody mints what nobody approved.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::authority::refuse;
use super::case::{Case, CaseState};
use super::{State, access};
use crate::domain::certificate::CertificateSpec;
use crate::domain::event::Request;
use crate::domain::finding::{Code, Fault};
use crate::domain::id::{CaseId, Name, RoleRef};
use crate::domain::policy::{Class, Mfa, Policy, Role};
use crate::domain::time::{Timestamp, Ttl};

/// What may be issued now.
#[derive(Debug, Clone)]
pub struct Grant {
    case: CaseId,
    environment: Name,
    valid_after: Timestamp,
    valid_before: Timestamp,
    certificate: CertificateSpec,
}

impl Grant {
    /// The case.
    pub const fn case(&self) -> CaseId {
        self.case
    }

    /// The environment whose CA signs.
    pub const fn environment(&self) -> &Name {
        &self.environment
    }

    /// Valid from.
    pub const fn valid_after(&self) -> Timestamp {
        self.valid_after
    }

    /// Valid until.
    pub const fn valid_before(&self) -> Timestamp {
        self.valid_before
    }

    /// What the certificate says.
    pub const fn certificate(&self) -> &CertificateSpec {
        &self.certificate
    }
}

/// How long before its issuance a certificate is valid, for clocks that are slow.
const BACKDATE: u64 = 60;

impl State {
    /// The grant of `case` in `environment` to be issued by `minter` at `time`.
    ///
    /// # Errors
    /// A04 with the reason why nothing may be issued; A07 for a second emergency before the first one's reviews.
    pub fn grant(&self, case: &Case, environment: &Name, minter: &Name, time: Timestamp) -> Result<Grant, Fault> {
        let Some(policy) = self.policy() else { return refuse(Code::A04, "there is no policy") };
        let may_mint = match policy.actor(minter).map(|actor| &actor.class) {
            Some(Class::Service { mints }) => mints.contains(environment),
            _ => false,
        };
        if !may_mint {
            return refuse(Code::A04, format!("{minter} may not mint in {environment}"));
        }
        let Some(access) = case.access() else {
            return refuse(Code::A04, format!("case {} is a {}, not an access", case.id.short(), case.kind()));
        };
        self.may_issue(policy, case, access, time)?;
        let roles = roles_in(policy, access, environment)?;
        let verify_required = roles.iter().any(|(_, role)| role.mfa == Mfa::TouchPin);
        // A04: a role may have come to demand a PIN since the request. sshd ignores verify-required for software keys.
        if verify_required && !access.request.credential_key.is_hardware() {
            return refuse(
                Code::A04,
                format!(
                    "a PIN is demanded now, and case {} asks to certify a key that is none in hardware",
                    case.id.short()
                ),
            );
        }
        let Some(ca) = policy.environments.get(environment).map(|environment| environment.ca.clone()) else {
            return refuse(Code::A04, format!("environment {environment} is unknown"));
        };
        let backdate = Ttl::from_seconds(BACKDATE).map_or(time, |span| time.minus(span));
        let valid_after = access.request.not_before.unwrap_or(backdate);
        // The clock of `duration` began at the first issuance; a later one keeps the same end.
        let valid_before = access.ends().unwrap_or_else(|| time.plus(access.request.duration));
        let principals = roles.iter().map(|(role, _)| format!("{environment}/{role}")).collect();
        let certificate = CertificateSpec {
            key: access.request.credential_key.clone(),
            serial: self.next_serial(&ca),
            key_id: format!("jit:{}:{}", case.id.short(), access.actor),
            principals,
            valid_after: valid_after.unix_u64(),
            valid_before: valid_before.unix_u64(),
            source_address: source_address(&access.request, roles.iter().map(|(_, role)| *role))?,
            verify_required,
            extensions: shared_extensions(&roles),
            ca,
        };
        Ok(Grant { case: case.id, environment: environment.clone(), valid_after, valid_before, certificate })
    }

    /// A04: the state, the quorum under the policy in force, the window, and the locks.
    fn may_issue(&self, policy: &Policy, case: &Case, access: &access::Access, time: Timestamp) -> Result<(), Fault> {
        let id = case.id.short();
        let state = self.case_state(case, time);
        let emergency = access.request.emergency;
        match state {
            CaseState::Approved | CaseState::Live => {}
            CaseState::Pending if emergency => {}
            CaseState::Pending => return refuse(Code::A04, format!("case {id} is pending: its quorum is not met")),
            _ => return refuse(Code::A04, format!("case {id} is {state}")),
        }
        // The quorum is evaluated where it matters: here, under the policy in force now.
        let Some(missing) = access.missing(policy) else {
            return refuse(Code::A04, format!("{} may no longer ask for what case {id} opens", access.actor));
        };
        if !emergency && !missing.is_empty() {
            return refuse(Code::A04, format!("case {id} lacks its quorum under the policy in force"));
        }
        for target in &access.request.targets {
            let longest = policy.role(target).map(|role| match (&role.emergency, emergency) {
                (Some(rule), true) => rule.max_duration,
                _ => role.max_duration,
            });
            if longest.is_some_and(|longest| access.request.duration > longest) {
                return refuse(Code::A04, format!("case {id} asks for longer than {target} allows now"));
            }
        }
        // A07: one emergency a person until it is reviewed, though both were asked for before either was issued.
        if emergency
            && access.issued.is_empty()
            && let Some(open) = self.open_emergency(&access.actor)
        {
            return refuse(
                Code::A07,
                format!("{}'s emergency case {} still waits for its review", access.actor, open.id.short()),
            );
        }
        if access.request.not_before.is_some_and(|start| time < start) {
            return refuse(Code::A04, format!("case {id} is booked for later"));
        }
        match self.lock_on(access) {
            Some((lock, scope)) => refuse(Code::A04, format!("{scope} is locked (case {})", lock.id.short())),
            None => Ok(()),
        }
    }
}

fn roles_in<'a>(
    policy: &'a Policy,
    access: &'a access::Access,
    environment: &Name,
) -> Result<Vec<(&'a RoleRef, &'a Role)>, Fault> {
    let here = |target: &&RoleRef| policy.environment_of(target) == Some(environment);
    let roles: Vec<_> =
        access.request.targets.iter().filter(here).filter_map(|target| Some((target, policy.role(target)?))).collect();
    if roles.is_empty() {
        return refuse(Code::A04, format!("nothing in {environment} was asked for"));
    }
    Ok(roles)
}

/// The environments that a request touches, sorted.
pub fn environments(policy: &Policy, request: &Request) -> BTreeSet<Name> {
    request.targets.iter().filter_map(|target| policy.environment_of(target)).cloned().collect()
}

/// Exactly the extensions that every role lists.
fn shared_extensions(roles: &[(&RoleRef, &Role)]) -> BTreeSet<String> {
    let mut lists = roles.iter().map(|(_, role)| role.extensions.iter().cloned().collect::<BTreeSet<_>>());
    let first = lists.next().unwrap_or_default();
    lists.fold(first, |shared, list| shared.intersection(&list).cloned().collect())
}

/// The `source-address` of a certificate: the request's, else the roles' lists; `None` where neither has one.
///
/// # Errors
/// A01 where the request would widen what a role allows, or the roles have no address in common.
pub fn source_address<'a>(request: &Request, roles: impl Iterator<Item = &'a Role>) -> Result<Option<String>, Fault> {
    let mut allowed: Option<Vec<IpNet>> = None;
    for list in roles.map(|role| &role.source_address).filter(|list| !list.is_empty()) {
        allowed = Some(match allowed {
            None => list.clone(),
            Some(before) if before == *list => before,
            Some(before) => common(&before, list),
        });
    }
    if allowed.as_ref().is_some_and(Vec::is_empty) {
        return refuse(Code::A01, "the roles asked for have no source address in common");
    }
    if request.source_address.is_empty() {
        return Ok(allowed.map(|list| join(&list)));
    }
    // A01: the request narrows the role's list, never widens it.
    if let Some(allowed) = &allowed
        && let Some(wide) = request.source_address.iter().find(|net| !allowed.iter().any(|outer| outer.contains(*net)))
    {
        return refuse(Code::A01, format!("source address {wide} is not within {}", join(allowed)));
    }
    Ok(Some(join(&request.source_address)))
}

fn common(left: &[IpNet], right: &[IpNet]) -> Vec<IpNet> {
    let mut shared: Vec<IpNet> = Vec::new();
    for a in left {
        for b in right {
            // Two nets are disjoint, or one holds the other.
            let inner = if a.contains(b) {
                b
            } else if b.contains(a) {
                a
            } else {
                continue;
            };
            if !shared.contains(inner) {
                shared.push(*inner);
            }
        }
    }
    shared
}

fn join(nets: &[IpNet]) -> String {
    nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
