//! Faults of the world, added and ended by tests and the page's switches.

use super::World;
use crate::discord::fault::Fault;

impl World {
    /// Adds a fault after the active ones.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Ends the faults of this name.
    pub fn end_fault(&mut self, name: &str) {
        self.faults.end(name);
    }

    /// Ends all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }
}
