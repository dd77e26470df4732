//! Proposals and enactments: how governed files change (format.md, section 6).

use std::collections::BTreeMap;

use jit::domain::event::{Body, Event, Proposal, Subject};
use jit::domain::id::CaseId;
use jit::domain::policy::Policy;

use crate::commit::Commit;
use crate::ledger::{Ledger, digests};

/// A proposal of new governed files that stands in the ledger.
pub struct Change {
    pub id: CaseId,
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Ledger {
    /// A proposal of these changes to the governed files, as it should be; nothing has landed. Where the policy is not
    /// among them, its version alone rises.
    pub fn proposal(&mut self, actor: &str, edits: &[(&str, &str)]) -> (Event, BTreeMap<String, Vec<u8>>) {
        let mut files = self.governed.clone();
        files.insert("policy.toml".to_owned(), self.next_policy(|text| text).into_bytes());
        for (path, text) in edits {
            files.insert((*path).to_owned(), text.as_bytes().to_vec());
        }
        let subject = Subject::Policy { version: self.version + 1, files: digests(&files) };
        let body = Body::Proposal(Proposal { reason: "Things change.".into(), subject });
        (self.event(actor, None, body), files)
    }

    /// The commit of a proposal: the changed files lie beside it.
    pub fn lay_proposal(&self, event: Event, files: &BTreeMap<String, Vec<u8>>) -> Commit {
        let signed = self.sign(event);
        let mut commit = self.lay(&signed);
        for (path, bytes) in files.iter().filter(|(path, bytes)| self.governed.get(*path) != Some(bytes)) {
            commit.add.insert(format!("{}/files/{path}", commit.folder), (0o100_644, bytes.clone()));
        }
        commit
    }

    /// A proposal that stands.
    pub fn propose(&mut self, actor: &str, edits: &[(&str, &str)]) -> Change {
        let (event, files) = self.proposal(actor, edits);
        let time = event.time;
        let commit = self.lay_proposal(event, &files);
        let id = CaseId(self.land(commit));
        self.opened.insert(id, time);
        Change { id, files }
    }

    /// A proposal of a policy (and the `allowed_signers` that it derives) that stands.
    pub fn propose_policy(&mut self, actor: &str, edit: impl FnOnce(String) -> String) -> Change {
        let text = self.next_policy(edit);
        let allowed_signers = Policy::parse(text.as_bytes()).unwrap().allowed_signers();
        self.propose(actor, &[("policy.toml", &text), ("allowed_signers", &allowed_signers)])
    }

    /// The policy in force with the next version's number, edited.
    pub fn next_policy(&self, edit: impl FnOnce(String) -> String) -> String {
        let text = String::from_utf8(self.governed["policy.toml"].clone()).unwrap();
        edit(text.replacen(&format!("version = {}\n", self.version), &format!("version = {}\n", self.version + 1), 1))
    }

    /// A proposal without files that stands.
    pub fn propose_other(&mut self, actor: &str, subject: Subject) -> CaseId {
        let body = Body::Proposal(Proposal { reason: "It was looked into.".into(), subject });
        let event = self.event(actor, None, body);
        self.say(event)
    }

    /// The commit of an enactment: the governed files become the manifest.
    pub fn enactment(&mut self, actor: &str, change: &Change) -> Commit {
        let event = self.event(actor, Some(change.id), Body::Enactment);
        let signed = self.sign(event);
        let mut commit = self.lay(&signed);
        for (path, bytes) in change.files.iter().filter(|(path, bytes)| self.governed.get(*path) != Some(bytes)) {
            commit.add.insert(path.clone(), (0o100_644, bytes.clone()));
        }
        commit
    }

    /// A good enactment.
    pub fn enact(&mut self, actor: &str, change: &Change) {
        let commit = self.enactment(actor, change);
        self.land(commit);
        self.governed = change.files.clone();
        self.version += 1;
    }
}
