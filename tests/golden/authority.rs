//! A01 to A06: who may ask, decide and issue, and what a certificate must say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit::domain::certificate::CertificateSpec;
use jit::domain::event::{Body, Issuance, LockScope};

use crate::bodies::{approval, closure, denial, lock, revocation, withdrawal};
use crate::keys::Key;
use crate::ledger::{Ledger, ttl};

fn targets(role: &str) -> Vec<jit::domain::id::RoleRef> {
    vec![role.parse().unwrap()]
}

/// A request by `actor`, refused.
fn asked(code: &'static str, actor: &str, edit: impl FnOnce(&mut jit::domain::event::Request)) {
    let mut ledger = Ledger::new();
    ledger.refused_request(code, actor, edit);
    ledger.check();
}

#[test]
fn a01_an_unknown_target() {
    asked("A01", "alice", |request| request.targets = targets("orders-db/read-only"));
}

#[test]
fn a01_an_unknown_role() {
    asked("A01", "alice", |request| request.targets = targets("payments-db/root"));
}

#[test]
fn a01_a_requester_in_no_group_that_may_ask() {
    asked("A01", "bob", |_| ());
}

#[test]
fn a01_longer_than_the_role_allows() {
    asked("A01", "alice", |request| request.duration = ttl("3h"));
}

#[test]
fn a01_longer_than_one_of_two_roles_allows() {
    asked("A01", "alice", |request| {
        request.targets.insert(0, "payments-db/operator".parse().unwrap());
        request.least_privilege = Some("The queue must be restarted.".into());
        request.duration = ttl("1h");
    });
}

#[test]
fn a01_a_request_by_a_service() {
    asked("A01", "minter", |_| ());
}

#[test]
fn a01_a_source_address_that_widens_the_roles() {
    asked("A01", "alice", |request| request.source_address = vec!["10.0.0.0/8".parse().unwrap()]);
}

#[test]
fn a01_two_roles_without_a_network_in_common() {
    let mut ledger = Ledger::new();
    let change = ledger.propose_policy("rita", |text| {
        text.replacen("least_privilege = true\n", "least_privilege = true\nsource_address = [\"10.0.0.0/8\"]\n", 1)
    });
    ledger.approve(change.id, "raj");
    ledger.enact("raj", &change);
    ledger.refused_request("A01", "alice", |request| {
        request.targets.insert(0, "payments-db/operator".parse().unwrap());
        request.least_privilege = Some("The queue must be restarted.".into());
    });
    ledger.check();
}

#[test]
fn a04_issuance_of_what_the_policy_no_longer_gives() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let change =
        ledger.propose_policy("rita", |text| text.replacen("max_duration = \"2h\"", "max_duration = \"10m\"", 1));
    ledger.approve(change.id, "raj");
    ledger.enact("raj", &change);
    ledger.refused_mint("A04", &case);
    ledger.check_as_is();
}

#[test]
fn a02_a_data_class_that_the_policy_does_not_have() {
    asked("A02", "alice", |request| request.risk.data = vec!["pci".into()]);
}

#[test]
fn a02_an_extension_of_somebody_elses_case() {
    let mut ledger = Ledger::new();
    let case = ledger.request("frank", |_| ());
    ledger.refused_request("A02", "alice", |request| request.extends = Some(case.id));
    ledger.check();
}

#[test]
fn a02_a_software_key_to_be_certified_where_a_pin_is_demanded() {
    let mut ledger = Ledger::new();
    let mut request = ledger.asks("alice");
    request.targets = targets("payments-db/vault");
    let event = ledger.event("alice", None, Body::Request(Box::new(request)));
    let signed = ledger.sign_with(&Key::hardware("alice", 0x05), event);
    ledger.void_signed("A02", &signed);
    ledger.check();
}

#[test]
fn a02_no_ticket() {
    asked("A02", "alice", |request| request.ticket = None);
}

#[test]
fn a02_a_ticket_that_does_not_match() {
    asked("A02", "alice", |request| request.ticket = Some("JIRA-1".into()));
}

#[test]
fn a02_no_reason_why_a_smaller_role_does_not_do() {
    asked("A02", "alice", |request| request.targets = targets("payments-db/operator"));
}

#[test]
fn a02_an_emergency_without_an_incident() {
    asked("A02", "alice", |request| {
        request.emergency = true;
        request.duration = ttl("10m");
    });
}

#[test]
fn a03_approval_by_the_requester() {
    let mut ledger = Ledger::new();
    // Carol is one of those who may approve, but not her own.
    let case = ledger.request("carol", |_| ());
    ledger.refused("A03", "carol", case.id, approval());
    ledger.check();
}

#[test]
fn a03_denial_by_the_requester() {
    let mut ledger = Ledger::new();
    let case = ledger.request("carol", |_| ());
    ledger.refused("A03", "carol", case.id, denial());
    ledger.check();
}

#[test]
fn a03_approval_by_somebody_whom_the_rules_do_not_name() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.refused("A03", "frank", case.id, approval());
    ledger.check();
}

#[test]
fn a03_denial_by_somebody_whom_the_rules_do_not_name() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.refused("A03", "rita", case.id, denial());
    ledger.check();
}

#[test]
fn a03_two_approvals_by_one_person() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.approve(case.id, "bob");
    ledger.refused("A03", "bob", case.id, approval());
    ledger.check();
}

#[test]
fn a03_two_approvals_by_two_keys_of_one_person() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.approve(case.id, "dave");
    let event = ledger.event("dave", Some(case.id), approval());
    let signed = ledger.sign_with(&Key::hardware("dave", crate::keys::TOUCHED), event);
    ledger.void_signed("A03", &signed);
    ledger.check();
}

#[test]
fn a03_approval_of_an_approved_case() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    ledger.refused("A03", "carol", case.id, approval());
    ledger.check();
}

#[test]
fn a03_denial_of_an_approved_case() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    ledger.refused("A03", "erin", case.id, denial());
    ledger.check();
}

#[test]
fn a03_approval_of_a_denied_case() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.told("erin", case.id, denial());
    ledger.refused("A03", "bob", case.id, approval());
    ledger.check();
}

#[test]
fn a03_approval_of_a_withdrawn_case() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.told("alice", case.id, withdrawal());
    ledger.refused("A03", "bob", case.id, approval());
    ledger.check();
}

#[test]
fn a03_approval_of_a_lapsed_case() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.wait("9h");
    ledger.refused("A03", "bob", case.id, approval());
    ledger.check();
}

#[test]
fn a03_approval_of_a_proposal_by_no_root_member() {
    let mut ledger = Ledger::new();
    let change = ledger.propose("rita", &[("README.md", "# Access\n")]);
    ledger.refused("A03", "bob", change.id, approval());
    ledger.check();
}

#[test]
fn a03_approval_of_a_proposal_by_its_proposer() {
    let mut ledger = Ledger::new();
    let change = ledger.propose("rita", &[("README.md", "# Access\n")]);
    ledger.refused("A03", "rita", change.id, approval());
    ledger.check();
}

#[test]
fn a04_issuance_without_any_approval() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_with_half_the_quorum() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.approve(case.id, "bob");
    ledger.approve(case.id, "carol");
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_after_an_approver_left_the_group() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let change = ledger.propose_policy("rita", |text| {
        text.replace("email = \"bob@acme.example\"\ngroups = [\"sre\"]", "email = \"bob@acme.example\"\ngroups = []")
            .replace("groups = [\"developers\"]", "groups = [\"developers\", \"sre\"]")
    });
    ledger.approve(change.id, "raj");
    ledger.enact("rita", &change);
    ledger.refused_mint("A04", &case);
    ledger.check();
}

/// An issuance of an approved case, signed by `actor`.
fn minted_by(actor: &str) {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let spec = ledger.spec(&case);
    let event = ledger.issuance(actor, case.id, &spec, "the CA of prod");
    ledger.void_event("A04", event);
    ledger.check();
}

#[test]
fn a04_issuance_by_another_environments_service() {
    minted_by("stager");
}

#[test]
fn a04_issuance_by_a_member() {
    minted_by("alice");
}

#[test]
fn a04_issuance_before_the_window() {
    let mut ledger = Ledger::new();
    let from = ledger.now.plus(ttl("30m"));
    let case = ledger.request("alice", |request| request.not_before = Some(from));
    ledger.approve(case.id, "bob");
    ledger.approve(case.id, "dave");
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_of_a_lapsed_case() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    ledger.wait("61m");
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_of_a_denied_case() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ());
    ledger.told("dave", case.id, denial());
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_of_a_withdrawn_case() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    ledger.told("alice", case.id, withdrawal());
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_of_a_revoked_case() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("carol", case.id, revocation());
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_of_a_closed_case() {
    let mut ledger = Ledger::new();
    let case = ledger.live();
    ledger.told("alice", case.id, closure());
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_of_an_expired_case() {
    let mut ledger = Ledger::new();
    let mut case = ledger.live();
    ledger.wait("40m");
    // As if the clock of the duration started anew.
    case.issued = None;
    ledger.refused_mint("A04", &case);
    ledger.check();
}

fn locked(scope: LockScope) {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let event = ledger.event("erin", None, lock(scope));
    ledger.say(event);
    ledger.refused_mint("A04", &case);
    ledger.check();
}

#[test]
fn a04_issuance_to_a_locked_member() {
    locked(LockScope::Member("alice".parse().unwrap()));
}

#[test]
fn a04_issuance_for_a_locked_target() {
    locked(LockScope::Target("payments-db".parse().unwrap()));
}

#[test]
fn a04_issuance_in_a_locked_environment() {
    locked(LockScope::Environment("prod".parse().unwrap()));
}

#[test]
fn a04_issuance_in_a_locked_ledger() {
    locked(LockScope::Ledger);
}

/// An issuance of a certificate that says other than the grant.
fn certified(change: impl FnOnce(&mut CertificateSpec)) {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let mut spec = ledger.spec(&case);
    change(&mut spec);
    let event = ledger.issuance("minter", case.id, &spec, "the CA of prod");
    ledger.void_event("A05", event);
    ledger.check();
}

/// An issuance that says other than its certificate, or holds another one.
fn stated(change: impl FnOnce(&mut Issuance)) {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let spec = ledger.spec(&case);
    let mut event = ledger.issuance("minter", case.id, &spec, "the CA of prod");
    let Body::Issuance(issuance) = &mut event.body else { unreachable!() };
    change(issuance);
    ledger.void_event("A05", event);
    ledger.check();
}

#[test]
fn a05_another_key() {
    certified(|spec| spec.key = Key::of("frank").public);
}

#[test]
fn a05_another_key_id() {
    certified(|spec| spec.key_id = spec.key_id.replace("alice", "frank"));
}

#[test]
fn a05_another_principal() {
    certified(|spec| spec.principals = vec!["prod/payments-db/operator".into()]);
}

#[test]
fn a05_a_principal_too_many() {
    certified(|spec| spec.principals.push("prod/shop-web/deploy".into()));
}

#[test]
fn a05_a_later_end() {
    certified(|spec| spec.valid_before += 1);
}

#[test]
fn a05_an_earlier_beginning() {
    certified(|spec| spec.valid_after -= 1);
}

#[test]
fn a05_no_source_address() {
    certified(|spec| spec.source_address = None);
}

#[test]
fn a05_a_wider_source_address() {
    certified(|spec| spec.source_address = Some("0.0.0.0/0".into()));
}

#[test]
fn a05_an_extension_too_many() {
    certified(|spec| {
        spec.extensions.insert("permit-agent-forwarding".into());
    });
}

#[test]
fn a05_an_extension_too_few() {
    certified(|spec| spec.extensions.clear());
}

#[test]
fn a05_another_environments_ca() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let mut spec = ledger.spec(&case);
    spec.ca = Key::of("the CA of staging").public;
    let event = ledger.issuance("minter", case.id, &spec, "the CA of staging");
    ledger.void_event("A05", event);
    ledger.check();
}

#[test]
fn a05_a_second_certificate_with_a_later_end() {
    let mut ledger = Ledger::new();
    let mut case = ledger.live();
    ledger.wait("5m");
    // As if the clock of the duration started anew.
    case.issued = None;
    ledger.refused_mint("A05", &case);
    ledger.check();
}

#[test]
fn a05_a_cas_signature_that_does_not_verify() {
    stated(|issuance| {
        let (label, base64) = issuance.certificate.split_once(' ').unwrap();
        let mut blob = STANDARD.decode(base64).unwrap();
        *blob.last_mut().unwrap() ^= 1;
        issuance.certificate = format!("{label} {}", STANDARD.encode(blob));
    });
}

#[test]
fn a05_a_certificate_for_hosts() {
    stated(|issuance| {
        let (label, base64) = issuance.certificate.split_once(' ').unwrap();
        let mut blob = STANDARD.decode(base64).unwrap();
        // The type follows label, nonce, point and serial: strings of 32, 32 and 32 bytes and a number of 8.
        let kind = 3 * (4 + 32) + 8 + 3;
        assert_eq!(blob[kind], 1);
        blob[kind] = 2;
        issuance.certificate = format!("{label} {}", STANDARD.encode(blob));
    });
}

#[test]
fn a05_no_certificate_at_all() {
    stated(|issuance| issuance.certificate = Key::of("alice").public.to_string());
}

#[test]
fn a05_times_that_are_not_the_certificates() {
    stated(|issuance| issuance.valid_before = issuance.valid_before.plus(ttl("1h")));
}

#[test]
fn a06_a_serial_left_out() {
    let mut ledger = Ledger::new();
    let case = ledger.approved();
    let mut spec = ledger.spec(&case);
    spec.serial = 2;
    let event = ledger.issuance("minter", case.id, &spec, "the CA of prod");
    ledger.void_event("A06", event);
    ledger.check();
}

#[test]
fn a06_a_serial_used_again() {
    let mut ledger = Ledger::new();
    ledger.live();
    let case = ledger.approved();
    let mut spec = ledger.spec(&case);
    spec.serial = 1;
    let event = ledger.issuance("minter", case.id, &spec, "the CA of prod");
    ledger.void_event("A06", event);
    ledger.check();
}
