//! Git objects in memory, byte for byte.

use std::cell::RefCell;
use std::collections::HashMap;

use git2::{ObjectType, Oid};
use jit::domain::id::ObjectId;
use jit::ports::{ObjectKind, Objects, StoreError};

/// An object store.
#[derive(Default)]
pub struct Memory {
    objects: RefCell<HashMap<ObjectId, (ObjectKind, Vec<u8>)>>,
}

impl Memory {
    pub fn write(&self, kind: ObjectKind, bytes: Vec<u8>) -> ObjectId {
        let git_kind = match kind {
            ObjectKind::Commit => ObjectType::Commit,
            ObjectKind::Tree => ObjectType::Tree,
            ObjectKind::Blob => ObjectType::Blob,
        };
        let oid = Oid::hash_object(git_kind, &bytes).unwrap();
        let id = ObjectId::from_bytes(oid.as_bytes().try_into().unwrap());
        self.objects.borrow_mut().entry(id).or_insert((kind, bytes));
        id
    }

    /// Takes an object away.
    pub fn forget(&self, id: ObjectId) {
        self.objects.borrow_mut().remove(&id).unwrap();
    }

    /// Every object's id, in an order that does not change.
    pub fn ids(&self) -> Vec<ObjectId> {
        let mut ids: Vec<ObjectId> = self.objects.borrow().keys().copied().collect();
        ids.sort_by_key(|id| *id.as_bytes());
        ids
    }
}

impl Objects for Memory {
    fn header(&self, id: ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        let objects = self.objects.borrow();
        let (kind, bytes) = objects.get(&id).ok_or(StoreError::Missing(id))?;
        Ok((*kind, u64::try_from(bytes.len()).unwrap()))
    }

    fn read(&self, id: ObjectId, kind: ObjectKind, limit: u64) -> Result<Vec<u8>, StoreError> {
        let (actual, size) = self.header(id)?;
        if actual != kind {
            return Err(StoreError::OtherKind(id, kind));
        }
        if size > limit {
            return Err(StoreError::TooLarge { id, size, limit });
        }
        Ok(self.objects.borrow()[&id].1.clone())
    }
}
