//! What became of operations that owe power while the database takes no writes.
//!
//! A SQLite file can be locked by another program, or lie on a disk that has become read-only. The row still says that power is owed, and no
//! other process can use the file, so the operation goes on in memory until its Droplet is on again. Nothing but turning it on is sent
//! meanwhile. A process that starts meanwhile waits until it can record that it takes the operation up.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::{
    operation::{Operation, ids::OperationId},
    store::{InstructionId, Loaded, Version},
};

/// The latest states of these operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Unwritten(Arc<Mutex<HashMap<OperationId, State>>>);

#[derive(Debug)]
struct State {
    operation: Operation,
    /// The stored version that it continues.
    version: Version,
    /// The last instruction that it contains.
    heard_up_to: Option<InstructionId>,
}

impl Unwritten {
    /// Keeps what could not be stored of an operation that owes power, or did when it was stored last.
    pub(super) fn keep(&self, loaded: &Loaded, operation: &Operation) {
        if loaded.operation.power.owed().is_some() {
            let heard_up_to = loaded.instructions.iter().map(|(number, _)| *number).max();
            let state = State { operation: operation.clone(), version: loaded.version, heard_up_to };
            self.0.lock().insert(operation.id, state);
        }
    }

    pub(super) fn forget(&self, id: OperationId) {
        self.0.lock().remove(&id);
    }

    /// The operation as it was left, and the last instruction that it contains. A row that was written since then counts instead.
    pub(super) fn latest(&self, loaded: &Loaded) -> (Operation, Option<InstructionId>) {
        let mut states = self.0.lock();
        match states.get(&loaded.operation.id) {
            Some(state) if state.version == loaded.version => (state.operation.clone(), state.heard_up_to),
            _ => {
                states.remove(&loaded.operation.id);
                (loaded.operation.clone(), None)
            }
        }
    }
}
