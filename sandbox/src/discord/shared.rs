//! The world behind its lock, as the server, the gateway and the simulated users share it.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::world::World;

/// A handle to the one world.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world, locked; never held across an await.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // A panic of a test that held the lock must not hide behind a second one.
        self.0.lock()
    }

    /// Waits until the world shows something.
    pub(super) async fn until<T>(&self, mut look: impl FnMut(&mut World) -> Option<T>) -> T {
        let mut changes = self.world().changes();
        loop {
            changes.mark_unchanged();
            if let Some(seen) = look(&mut self.world()) {
                return seen;
            }
            if changes.changed().await.is_err() {
                // The sender lives in the world, which this handle keeps alive.
                std::future::pending::<()>().await;
            }
        }
    }
}
