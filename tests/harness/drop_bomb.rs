//! A guard for values that their owner must end: forgetting it fails the test.

/// Panics when it is dropped while armed, unless the test has already failed.
pub(crate) struct DropBomb {
    is_armed: bool,
    what: &'static str,
}

impl DropBomb {
    /// Arms the guard. `what` names what was forgotten.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { is_armed: true, what }
    }

    /// Disarms the guard, because the owner did what was needed.
    pub(crate) fn defuse(&mut self) {
        self.is_armed = false;
    }
}

impl Drop for DropBomb {
    fn drop(&mut self) {
        assert!(!self.is_armed || std::thread::panicking(), "{}", self.what);
    }
}
