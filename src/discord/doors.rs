//! Whether new operations are let in: open, closing before a stop, or standing by. Set by `app`, asked by the commands.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// What the doors can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// New operations may begin.
    Open,
    /// The process is about to stop: nothing new begins, everything else goes on.
    Draining,
    /// Another process is at work.
    Standby,
}

/// The doors of this process. Clones are the same doors.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<AtomicU8>);

impl Doors {
    /// Changes them.
    pub fn set(&self, door: Door) {
        let value = match door {
            Door::Open => 0,
            Door::Draining => 1,
            Door::Standby => 2,
        };
        self.0.store(value, Ordering::Release);
    }

    /// How they are now.
    pub fn now(&self) -> Door {
        match self.0.load(Ordering::Acquire) {
            0 => Door::Open,
            1 => Door::Draining,
            _ => Door::Standby,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_the_same_doors() {
        let doors = Doors::default();
        assert_eq!(doors.now(), Door::Open);
        for door in [Door::Draining, Door::Standby, Door::Open] {
            doors.clone().set(door);
            assert_eq!(doors.now(), door);
        }
    }
}
