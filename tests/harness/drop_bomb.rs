//! What must be ended by its owner: forgetting it fails the test.

/// Panics when it is dropped while armed, unless the test has failed already.
pub struct DropBomb {
    is_armed: bool,
    what: &'static str,
}

impl DropBomb {
    /// Armed; `what` says what was forgotten.
    pub fn new(what: &'static str) -> Self {
        Self { is_armed: true, what }
    }

    /// What was to be done was done.
    pub fn defuse(&mut self) {
        self.is_armed = false;
    }
}

impl Drop for DropBomb {
    fn drop(&mut self) {
        assert!(!self.is_armed || std::thread::panicking(), "{}", self.what);
    }
}
