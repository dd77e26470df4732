//! C01 to C08: the shape of a commit. Asked in the order of rules.md, with C05 before C03.

use super::State;
use super::arrival::{Arrival, Layout, Metadata};
use crate::domain::event::{Body, Event, Kind, Subject};
use crate::domain::finding::{Code, Fault};
use crate::domain::id::Digest;
use crate::domain::policy::Policy;
use crate::domain::state::case::Matter;
use std::collections::BTreeMap;

impl State {
    /// The C rules. What depends on the event is not asked where there is none: its fault (E) follows.
    pub(super) fn judge_commit(&self, arrival: &Arrival) -> Result<(), Fault> {
        let event = arrival.event.as_ref().ok();
        arrival.parents.clone()?;
        arrival.untouched.clone()?;
        self.judge_governed(arrival, event)?;
        let layout = arrival.layout.as_ref().map_err(Clone::clone)?;
        if let Some(event) = event {
            self.judge_paths(layout, event, &arrival.digest)?;
        }
        layout.sizes.clone()?;
        let metadata = arrival.metadata.as_ref().map_err(Clone::clone)?;
        if let Some(event) = event {
            self.judge_metadata(metadata, event, arrival)?;
        }
        arrival.tree.clone()
    }

    /// C05: a governed file changes only with an enactment, which makes the tree exactly the manifest.
    fn judge_governed(&self, arrival: &Arrival, event: Option<&Event>) -> Result<(), Fault> {
        let fault = |why: String| Err(Fault::new(Code::C05, why));
        let manifest = match event.map(|event| &event.body) {
            Some(Body::Genesis(genesis)) => {
                Some(genesis.files.iter().map(|file| (file.path.clone(), file.sha256)).collect())
            }
            Some(Body::Enactment) => event.and_then(|event| self.manifest_after(event)),
            _ => None,
        };
        let Some(manifest) = manifest else {
            return match &arrival.governed_change {
                Some(path) => fault(format!("{path} changes outside an enactment")),
                None => Ok(()),
            };
        };
        let Some(governed) = &arrival.governed else { return fault("the governed files were not read".into()) };
        let manifest: BTreeMap<String, Digest> = manifest;
        for path in governed.keys().chain(manifest.keys()) {
            match (governed.get(path), manifest.get(path)) {
                (Some(Some(here)), Some(there)) if here == there => {}
                (Some(None), _) => return fault(format!("{path} is not a plain file of mode 100644")),
                (Some(_), Some(_)) => return fault(format!("{path} is not what the manifest says")),
                (None, _) => return fault(format!("{path} of the manifest is missing")),
                (Some(_), None) => return fault(format!("{path} is not in the manifest")),
            }
        }
        Ok(())
    }

    /// The manifest that an enactment puts in force; `None` where its case is unknown or no proposal.
    fn manifest_after(&self, event: &Event) -> Option<BTreeMap<String, Digest>> {
        let Matter::Proposal(proposed) = self.case(&event.case?)?.matter() else { return None };
        Some(match &proposed.subject {
            Subject::Policy { files, .. } => files.iter().map(|file| (file.path.clone(), file.sha256)).collect(),
            Subject::Acknowledge { .. } | Subject::Unlock { .. } => self.manifest.clone(),
        })
    }

    /// C04: every path is the one that the event's bytes give. A folder that cannot be known is L06.
    fn judge_paths(&self, layout: &Layout, event: &Event, digest: &Digest) -> Result<(), Fault> {
        let folder = match event.case {
            None => format!("ledger/{}/{}", event.time.hour_path(), digest.short()),
            Some(case) => match self.case(&case) {
                Some(case) => case.folder(),
                None => return Ok(()),
            },
        };
        let expected = format!("{folder}/{}-{}.toml", event.kind(), digest.short());
        if layout.event_path != expected {
            return Err(Fault::new(Code::C04, format!("{} should be {expected}", layout.event_path)));
        }
        let prefix = format!("{folder}/files/");
        match layout.file_paths.iter().find(|path| !path.starts_with(&prefix)) {
            Some(path) => Err(Fault::new(Code::C04, format!("{path} should lie under {prefix}"))),
            None => Ok(()),
        }
    }

    /// C07: what people read of the commit says what the event says.
    fn judge_metadata(&self, metadata: &Metadata, event: &Event, arrival: &Arrival) -> Result<(), Fault> {
        let fault = |why: String| Err(Fault::new(Code::C07, why));
        let message = message(event, &arrival.digest);
        if metadata.message != message {
            return fault(format!("the message is not {:?}", message.lines().next().unwrap_or_default()));
        }
        if metadata.name != event.actor.as_str() {
            return fault(format!("the author is {:?}, but the actor is {}", metadata.name, event.actor));
        }
        if metadata.time != event.time.unix() || metadata.zone != "+0000" {
            return fault(format!("the author date is not the event's time {} (+0000)", event.time));
        }
        match self.email_of(event, arrival) {
            Some(email) if email != metadata.email => {
                fault(format!("the author's e-mail is {:?}, but {}'s is {email}", metadata.email, event.actor))
            }
            _ => Ok(()),
        }
    }

    /// The actor's e-mail in the policy in force; of a genesis in its own. Who is not in it is K04's matter.
    fn email_of(&self, event: &Event, arrival: &Arrival) -> Option<String> {
        let email = |policy: &Policy| policy.actor(&event.actor).map(|actor| actor.email.clone());
        if event.kind() == Kind::Genesis {
            return Policy::parse(arrival.files.get("policy.toml")?).ok().as_ref().and_then(email);
        }
        self.policy.as_deref().and_then(email)
    }
}

/// The canonical message of an event's commit.
pub fn message(event: &Event, digest: &Digest) -> String {
    let case = event.case.map_or_else(|| digest.short(), |case| case.short());
    let subject = match &event.body {
        Body::Request(request) => {
            let targets: Vec<String> = request.targets.iter().map(ToString::to_string).collect();
            format!("{} asks {} for {}", event.actor, targets.join(", "), request.duration)
        }
        _ => event.actor.to_string(),
    };
    format!("{} {case}: {subject}\n\nJit-Event: {digest}\n", event.kind())
}
