//! What may be asked for, by whom (A01, A02, A07), with which key (K03 to K05), and what is told beforehand: drafts,
//! refusals, trials.

use std::collections::BTreeMap;

use jit::domain::decide::{Intent, draft, refusal};
use jit::domain::event::{Body, Request};
use jit::domain::finding::Code;
use jit::domain::id::{Name, Nonce};
use jit::domain::key::{Presence, PublicKey};
use jit::domain::policy::{Mfa, Missing, Policy};
use jit::domain::state::arrival::Signature;
use jit::domain::state::grant::{environments, source_address};
use jit::domain::state::trial::{Trial, trial};

use super::ledger::{Ledger, approval, closure, denial, hardware, key, name, policy, root, ttl};

type Edit = fn(&mut Request);

fn urgent(request: &mut Request) {
    request.emergency = true;
    request.incident = Some("INC-4711".into());
    request.duration = ttl("15m");
}

#[test]
fn a_request_asks_for_what_the_policy_gives() {
    let rows: [(&str, &str, Edit, Option<Code>); 26] = [
        ("as it should be", "alice", |_| (), None),
        ("as long as the role allows", "alice", |it| it.duration = ttl("2h"), None),
        ("a second longer", "alice", |it| it.duration = ttl("7201s"), Some(Code::A01)),
        ("no such target", "alice", |it| it.targets = vec!["orders-db/read-only".parse().unwrap()], Some(Code::A01)),
        ("no such role", "alice", |it| it.targets = vec!["payments-db/root".parse().unwrap()], Some(Code::A01)),
        ("in no group that may", "bob", |_| (), Some(Code::A01)),
        ("no person", "minter", |_| (), Some(Code::A01)),
        ("no ticket", "alice", |it| it.ticket = None, Some(Code::A02)),
        ("another ticket", "alice", |it| it.ticket = Some("XINC-1".into()), Some(Code::A02)),
        (
            "no ticket, where none is demanded",
            "alice",
            |it| {
                it.targets = vec!["shop-web/deploy".parse().unwrap()];
                it.ticket = None;
            },
            None,
        ),
        (
            "no smaller role's reason",
            "alice",
            |it| {
                it.targets = vec!["payments-db/operator".parse().unwrap()];
                it.least_privilege = None;
            },
            Some(Code::A02),
        ),
        ("a data class of the policy", "alice", |it| it.risk.data = vec!["npi".into()], None),
        ("a data class of nobody", "alice", |it| it.risk.data = vec!["npi".into(), "pci".into()], Some(Code::A02)),
        ("a network within the role's", "alice", |it| it.source_address = vec!["127.1.0.0/16".parse().unwrap()], None),
        (
            "a network without",
            "alice",
            |it| {
                it.source_address = vec!["127.1.0.0/16".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
            },
            Some(Code::A01),
        ),
        (
            "any network, where the role has none",
            "alice",
            |it| {
                it.targets = vec!["shop-web/deploy".parse().unwrap()];
                it.source_address = vec!["10.0.0.0/8".parse().unwrap()];
            },
            None,
        ),
        (
            "a software key where a PIN is demanded",
            "alice",
            |it| {
                it.targets = vec!["payments-db/vault".parse().unwrap()];
            },
            Some(Code::K05),
        ),
        ("an emergency", "alice", urgent, None),
        (
            "a second longer than an emergency's",
            "alice",
            |it| {
                urgent(it);
                it.duration = ttl("901s");
            },
            Some(Code::A07),
        ),
        (
            "as long as an ordinary one",
            "alice",
            |it| {
                urgent(it);
                it.duration = ttl("2h");
            },
            Some(Code::A07),
        ),
        ("an emergency of somebody who may ask", "frank", urgent, Some(Code::A07)),
        (
            "an emergency without an incident",
            "alice",
            |it| {
                urgent(it);
                it.incident = None;
            },
            Some(Code::A02),
        ),
        (
            "an emergency without a ticket",
            "alice",
            |it| {
                urgent(it);
                it.ticket = None;
            },
            Some(Code::A02),
        ),
        (
            "an emergency of a role that has none",
            "alice",
            |it| {
                urgent(it);
                it.targets = vec!["shop-web/deploy".parse().unwrap()];
            },
            Some(Code::A07),
        ),
        (
            "two roles, one of them too long",
            "alice",
            |it| {
                it.targets = vec!["payments-db/operator".parse().unwrap(), "payments-db/read-only".parse().unwrap()];
                it.duration = ttl("31m");
            },
            Some(Code::A01),
        ),
        ("an ordinary one with an incident", "alice", |it| it.incident = Some("INC-1".into()), None),
    ];
    for (what, actor, edit, code) in rows {
        assert_eq!(Ledger::new().request(actor, edit).err(), code, "{what}");
    }
}

#[test]
fn a_request_extends_an_access_of_its_own_author() {
    let mut ledger = Ledger::new();
    let own = ledger.request("alice", |_| ()).unwrap();
    let other = ledger.request("frank", |_| ()).unwrap();
    let genesis = ledger.state.cases().next().unwrap().id();
    ledger.request("alice", |request| request.extends = Some(own)).unwrap();
    for case in [other, genesis] {
        assert_eq!(ledger.request("alice", |request| request.extends = Some(case)), Err(Code::A02));
    }
}

#[test]
fn several_roles_allow_the_networks_that_all_of_them_allow() {
    // "An identical next list changes nothing" (format.md, section 5), though one of its networks lies in another.
    const NESTED: &str = "10.0.0.0/8,192.168.0.0/16,10.1.0.0/16";
    // the lists of two roles, what is asked for → the certificate's source-address
    type Row = (&'static str, &'static str, &'static str, Result<Option<&'static str>, Code>);
    let rows: [Row; 13] = [
        ("", "", "", Ok(None)),
        ("", "", "10.1.0.0/16", Ok(Some("10.1.0.0/16"))),
        ("10.0.0.0/8", "", "", Ok(Some("10.0.0.0/8"))),
        ("", "10.0.0.0/8", "", Ok(Some("10.0.0.0/8"))),
        ("10.0.0.0/8,192.168.0.0/16", "10.0.0.0/8,192.168.0.0/16", "", Ok(Some("10.0.0.0/8,192.168.0.0/16"))),
        ("10.0.0.0/8", "10.1.0.0/16", "", Ok(Some("10.1.0.0/16"))),
        ("10.1.0.0/16", "10.0.0.0/8", "", Ok(Some("10.1.0.0/16"))),
        ("10.0.0.0/8,192.168.0.0/16", "10.1.0.0/16,192.168.1.0/24", "", Ok(Some("10.1.0.0/16,192.168.1.0/24"))),
        ("10.0.0.0/8,10.1.0.0/16", "10.1.0.0/16,10.0.0.0/8", "", Ok(Some("10.1.0.0/16,10.0.0.0/8"))),
        (NESTED, NESTED, "", Ok(Some(NESTED))),
        ("10.0.0.0/8", "192.168.0.0/16", "", Err(Code::A01)),
        ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", Ok(Some("10.1.2.0/24"))),
        ("10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16", Err(Code::A01)),
    ];
    let ledger = Ledger::new();
    let nets = |text: &str| text.split(',').filter(|net| !net.is_empty()).map(|net| net.parse().unwrap()).collect();
    for (one, other, asked, expected) in rows {
        let mut role = ledger.policy().role(&"payments-db/read-only".parse().unwrap()).unwrap().clone();
        let mut second = role.clone();
        role.source_address = nets(one);
        second.source_address = nets(other);
        let mut request = ledger.asks();
        request.source_address = nets(asked);
        let result = source_address(&request, [&role, &second].into_iter()).map_err(|fault| fault.code);
        assert_eq!(result, expected.map(|net| net.map(str::to_owned)), "{one} and {other}, asked {asked}");
    }
}

#[test]
fn a_grant_holds_only_what_every_role_gives() {
    let mut ledger = Ledger::with(&policy().replacen(
        "least_privilege = true\nextensions = [\"permit-pty\"]",
        "least_privilege = true\nextensions = [\"permit-port-forwarding\", \"permit-pty\"]",
        1,
    ));
    let case = ledger
        .request("alice", |request| {
            request.targets = ["payments-db/operator", "payments-db/read-only", "shop-web/deploy"]
                .map(|role| role.parse().unwrap())
                .to_vec();
        })
        .unwrap();
    ledger.say("bob", Some(case), approval()).unwrap();
    ledger.say("dave", Some(case), approval()).unwrap();
    let grant = ledger.state.grant(ledger.case(case), &name("prod"), &name("minter"), ledger.now).unwrap();
    assert!(grant.certificate().extensions.is_empty(), "the shop gives none");
    assert_eq!(grant.certificate().principals.len(), 3);
    assert_eq!((grant.case(), grant.environment().as_str()), (case, "prod"));
    assert!(!grant.certificate().verify_required);
    let here = |targets: &[&str]| {
        let request = Request { targets: targets.iter().map(|role| role.parse().unwrap()).collect(), ..ledger.asks() };
        environments(ledger.policy(), &request).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(here(&["payments-db/operator", "shop-web/deploy"]), ["prod"]);
    assert!(here(&["payments-db/root"]).is_empty());

    // Two of one target share what both list.
    let two = ledger.request("alice", |request| {
        request.targets = ["payments-db/operator", "payments-db/read-only"].map(|role| role.parse().unwrap()).to_vec();
    });
    let two = two.unwrap();
    ledger.say("bob", Some(two), approval()).unwrap();
    ledger.say("dave", Some(two), approval()).unwrap();
    let grant = ledger.state.grant(ledger.case(two), &name("prod"), &name("minter"), ledger.now).unwrap();
    assert_eq!(grant.certificate().extensions.iter().collect::<Vec<_>>(), ["permit-pty"]);
    // A04: whoever may not mint there, and where nothing was asked for.
    for (environment, minter) in [("prod", "stager"), ("prod", "alice"), ("staging", "minter"), ("staging", "stager")] {
        let refused = ledger.state.grant(ledger.case(two), &name(environment), &name(minter), ledger.now);
        assert_eq!(refused.map(|_| ()).map_err(|fault| fault.code), Err(Code::A04), "{minter} in {environment}");
    }
}

#[test]
fn a_credential_with_a_pin_is_for_a_hardware_key() {
    let mut ledger = Ledger::new();
    let mut request = ledger.asks();
    request.targets = vec!["payments-db/vault".parse().unwrap()];
    // K05 is asked first: the request itself is signed in hardware, with touch and PIN.
    let signed = |ledger: &mut Ledger, body: Body, case| {
        let event = ledger.event("alice", case, body);
        let mut arrival = ledger.arrival(event, BTreeMap::new());
        let signature = arrival.signature.as_mut().unwrap();
        (signature.key, signature.touched, signature.pin) = (hardware("alice"), true, true);
        ledger.take(arrival)
    };
    let software = signed(&mut ledger, Body::Request(Box::new(request.clone())), None);
    assert_eq!(software, Err(Code::A02));
    request.credential_key = hardware("alice");
    let case = signed(&mut ledger, Body::Request(Box::new(request)), None).unwrap();
    assert_eq!(ledger.state.demanded_presence(ledger.policy(), Some(case), &approval()), Mfa::TouchPin);
    assert_eq!(ledger.state.demanded_presence(ledger.policy(), Some(case), &denial()), Mfa::TouchPin);
    assert_eq!(ledger.state.demanded_presence(ledger.policy(), Some(case), &closure()), Mfa::None);
    assert_eq!(ledger.say("erin", Some(case), approval()), Err(Code::K05));
    let event = ledger.event("dave", Some(case), approval());
    let mut arrival = ledger.arrival(event, BTreeMap::new());
    let signature = arrival.signature.as_mut().unwrap();
    (signature.key, signature.touched, signature.pin) = (hardware("dave"), true, true);
    ledger.take(arrival).unwrap();
    let grant = ledger.state.grant(ledger.case(case), &name("prod"), &name("minter"), ledger.now).unwrap();
    assert!(grant.certificate().verify_required);
}

#[test]
fn k05_what_a_signature_shows_is_what_is_demanded() {
    let software = key("alice");
    let hardware = hardware("alice");
    // key, touched, PIN → whether it will do where nothing, a touch, touch and PIN are demanded
    let rows: [(&PublicKey, bool, bool, [bool; 3]); 5] = [
        (&software, false, false, [true, false, false]),
        (&hardware, false, false, [false, false, false]),
        (&hardware, true, false, [true, true, false]),
        (&hardware, false, true, [false, false, false]),
        (&hardware, true, true, [true, true, true]),
    ];
    for (key, touched, pin, will_do) in rows {
        for (demanded, good) in Mfa::ALL.iter().zip(will_do) {
            let mut signature = Signature {
                key: key.clone(),
                namespace: "jit-1/request".into(),
                touched,
                pin,
                foreign_application: None,
                ca_signature: false,
            };
            let told = signature.presence(*demanded).map_err(|fault| fault.code);
            assert_eq!(told, if good { Ok(()) } else { Err(Code::K05) }, "{key} {touched} {pin} {demanded}");
            signature.foreign_application = Some("ssh:other".into());
            assert_eq!(signature.presence(*demanded).map_err(|fault| fault.code), Err(Code::K05));
        }
    }
}

#[test]
fn the_strictest_role_says_what_presence_is_demanded() {
    let ledger = Ledger::new();
    for (targets, demanded) in [
        (&["payments-db/read-only"][..], Mfa::None),
        (&["payments-db/guarded", "payments-db/read-only"], Mfa::Touch),
        (&["payments-db/guarded", "payments-db/vault"], Mfa::TouchPin),
        (&["payments-db/vault", "shop-web/deploy"], Mfa::TouchPin),
        (&["payments-db/root"], Mfa::None),
    ] {
        let targets = targets.iter().map(|role| role.parse().unwrap()).collect();
        let body = Body::Request(Box::new(Request { targets, ..ledger.asks() }));
        assert_eq!(ledger.state.demanded_presence(ledger.policy(), None, &body), demanded);
    }
    assert_eq!(ledger.state.demanded_presence(ledger.policy(), None, &approval()), Mfa::None);
}

#[test]
fn a_decision_is_somebody_elses_whom_the_rules_name() {
    let mut ledger = Ledger::new();
    let case = ledger.request("carol", |_| ()).unwrap();
    for (who, code) in [
        ("carol", Some(Code::A03)), // asked
        ("bob", None),
        ("erin", None),
        ("frank", Some(Code::A03)), // in no group that decides
        ("rita", Some(Code::A03)),  // root members decide proposals
        ("minter", Some(Code::A03)),
    ] {
        assert_eq!(ledger.refused(who, case, approval()), code, "{who} approves");
        assert_eq!(ledger.refused(who, case, denial()), code, "{who} denies");
    }
    ledger.say("bob", Some(case), approval()).unwrap();
    assert_eq!(ledger.refused("bob", case, approval()), Some(Code::A03), "twice");
    assert_eq!(ledger.refused("bob", case, denial()), Some(Code::A03), "after approving it");
    assert_eq!(ledger.refused("frank", case, Body::Withdrawal { comment: None }), Some(Code::A09));
    assert_eq!(
        ledger.refused("frank", case, Body::Revocation { reason: "No.".into(), incident: None }),
        Some(Code::A09)
    );
}

fn missing(missing: &[Missing]) -> String {
    let lack = |it: &Missing| {
        let names: Vec<&str> = it.candidates.iter().map(Name::as_str).collect();
        format!("{} {}: {}", it.group, it.count, names.join(" "))
    };
    missing.iter().map(lack).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_trial_says_what_would_become_of_a_request() {
    let policy = Policy::parse(policy().as_bytes()).unwrap();
    let ledger = Ledger::new();
    let told = |actor: &str, edit: Edit, approvers: &[&str]| {
        let mut request = ledger.asks();
        edit(&mut request);
        let approvers: Vec<Name> = approvers.iter().map(|who| name(who)).collect();
        match trial(&policy, &name(actor), &request, &approvers, ledger.now) {
            Trial::Refused { by, fault } => format!("{} of {by}", fault.code),
            Trial::Pending(lacks) => format!("pending: {}", missing(&lacks)),
            Trial::Approved => "approved".into(),
            Trial::Emergency => "emergency".into(),
        }
    };
    let plain: Edit = |_| ();
    assert_eq!(told("alice", plain, &[]), "pending: sre 1: bob carol; security 1: dave erin");
    assert_eq!(told("alice", plain, &["bob"]), "pending: security 1: dave erin");
    assert_eq!(told("alice", plain, &["bob", "dave"]), "approved");
    assert_eq!(told("alice", plain, &["bob", "dave", "erin"]), "A03 of erin");
    assert_eq!(told("alice", plain, &["bob", "bob"]), "A03 of bob");
    assert_eq!(told("alice", plain, &["alice"]), "A03 of alice");
    assert_eq!(told("alice", plain, &["zoe"]), "K04 of zoe");
    assert_eq!(told("zoe", plain, &[]), "K04 of zoe");
    assert_eq!(told("bob", plain, &[]), "A01 of bob");
    assert_eq!(told("alice", urgent, &[]), "emergency");
    assert_eq!(told("alice", |request| request.ticket = None, &["bob", "dave"]), "A02 of alice");
}

#[test]
fn a_draft_has_seen_what_its_author_has_and_is_refused_as_the_event_would_be() {
    let mut ledger = Ledger::new();
    let nonce = Nonce::from_random([9; 16]);
    let here = root(1);
    let intent = |actor: &str, case, body| Intent { actor: name(actor), case, body, files: BTreeMap::new() };
    let asks = intent("alice", None, Body::Request(Box::new(ledger.asks())));
    let event = draft(&ledger.state, here, &asks, ledger.now, nonce.clone());
    let mut again = ledger.event("alice", None, asks.body.clone());
    again.nonce = Some(nonce.clone());
    assert_eq!(event, again);
    let told = |ledger: &Ledger, event: &jit::domain::event::Event, key: &PublicKey, now| {
        let presence = Presence::at_best(key);
        let result = refusal(&ledger.state, Some(here), event, key, presence, &BTreeMap::new(), now);
        result.map_err(|fault| fault.code)
    };
    assert_eq!(told(&ledger, &event, &key("alice"), ledger.now), Ok(()));
    assert_eq!(told(&ledger, &event, &hardware("alice"), ledger.now), Ok(()));
    assert_eq!(told(&ledger, &event, &key("bob"), ledger.now), Err(Code::K04));
    let early = ledger.now.minus(ttl("2m"));
    assert_eq!(told(&ledger, &event, &key("alice"), early), Ok(()));
    assert_eq!(told(&ledger, &event, &key("alice"), early.minus(ttl("1s"))), Err(Code::L04), "from the future");
    let mut empty = event.clone();
    if let Body::Request(request) = &mut empty.body {
        request.business_need = "...".into();
    }
    assert_eq!(told(&ledger, &empty, &key("alice"), ledger.now), Err(Code::E03));
    assert_eq!(told(&ledger, &event, &key("minter"), ledger.now), Err(Code::K04));
    // Only what opens a case has a nonce; only the genesis has seen nothing.
    let case = ledger.request("alice", |_| ()).unwrap();
    let said = draft(&ledger.state, root(2), &intent("bob", Some(case), approval()), ledger.now, nonce.clone());
    assert_eq!((said.nonce, said.case, said.seen.map(|seen| seen.size)), (None, Some(case), Some(2)));
    let first = draft(&jit::domain::state::State::new(), root(0), &asks, ledger.now, nonce);
    assert_eq!((first.seen, first.ledger, first.policy), (None, None, None));
}

/// The minter prints why it issues nothing: of a case that waits, that its quorum is not met.
#[test]
fn a_grant_of_a_case_that_waits_says_that_its_quorum_is_not_met() {
    let mut ledger = Ledger::new();
    let case = ledger.request("alice", |_| ()).unwrap();
    let grant = |ledger: &Ledger| ledger.state.grant(ledger.case(case), &name("prod"), &name("minter"), ledger.now);
    let fault = grant(&ledger).unwrap_err();
    assert_eq!(fault.code, Code::A04);
    assert!(fault.message.ends_with("is pending: its quorum is not met"), "{fault}");
    ledger.say("bob", Some(case), approval()).unwrap();
    assert!(grant(&ledger).unwrap_err().message.ends_with("is pending: its quorum is not met"));
    ledger.say("dave", Some(case), approval()).unwrap();
    assert!(grant(&ledger).is_ok());
}

/// "Of what the policy in force no longer gives" (A04): an emergency is held against what the role gives emergencies.
#[test]
fn an_emergency_that_the_policy_no_longer_gives_is_not_issued() {
    let mut ledger = Ledger::new();
    let case = ledger.emergency().unwrap();
    assert!(ledger.clone().mint(case).is_ok());
    ledger.change(|text| text.replace("max_duration = \"15m\"", "max_duration = \"14m\""));
    assert_eq!(ledger.mint(case), Err(Code::A04));
    ledger.change(|text| text.replace("max_duration = \"14m\"", "max_duration = \"15m\""));
    assert!(ledger.mint(case).is_ok());
}
