//! Whether new operations may start. `app` sets it, and the commands read it.

use tokio::sync::watch;

/// Whether new operations may start, and if not, why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IntakeState {
    /// New operations may start.
    #[default]
    Open,
    /// The process is about to stop. Nothing new starts, and everything else goes on.
    Draining,
    /// Another process is active.
    Standby,
}

/// The process's one [`IntakeState`]. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Intake(watch::Sender<IntakeState>);

impl Intake {
    /// Sets the state.
    pub fn set(&self, state: IntakeState) {
        self.0.send_replace(state);
    }

    /// The present state.
    pub fn now(&self) -> IntakeState {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_one_state() {
        let intake = Intake::default();
        assert_eq!(intake.now(), IntakeState::Open);
        for state in [IntakeState::Draining, IntakeState::Standby, IntakeState::Open] {
            intake.clone().set(state);
            assert_eq!(intake.now(), state);
        }
    }
}
