//! The world and its lock, shared by the server, the gateway and the simulated users.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::world::World;

/// A handle to the shared world.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world, locked; never held across an await.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // If a test panicked while it held the lock, a second panic must not hide the first.
        self.0.lock()
    }

    /// Waits until `look` returns something.
    pub(super) async fn until<T>(&self, mut look: impl FnMut(&mut World) -> Option<T>) -> T {
        let mut changes = self.world().changes();
        loop {
            changes.mark_unchanged();
            if let Some(seen) = look(&mut self.world()) {
                return seen;
            }
            if changes.changed().await.is_err() {
                // The sender belongs to the world, which this handle keeps alive.
                std::future::pending::<()>().await;
            }
        }
    }
}
