//! The switches next to the Channel: faults at DigitalOcean that a visitor can turn on, with texts that a visitor understands.
//!
//! A switch has no state of its own: it is on while its fault is active, so one that happens once turns itself off.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::digitalocean::{
    fault::{Disturbance, Fault, HungAction, Pattern, Quirk},
    http_types::Method,
    world::World,
};

/// A fault that can be turned on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Switch {
    SnapshotErrs,
    ShutdownHangs,
    AnswersLost,
    Down,
}

impl Switch {
    const ALL: [Self; 4] = [Self::SnapshotErrs, Self::ShutdownHangs, Self::AnswersLost, Self::Down];

    fn key(self) -> &'static str {
        match self {
            Self::SnapshotErrs => "snapshot_errs",
            Self::ShutdownHangs => "shutdown_hangs",
            Self::AnswersLost => "answers_lost",
            Self::Down => "down",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::SnapshotErrs => "The next snapshot fails",
            Self::ShutdownHangs => "The next shutdown gets stuck",
            Self::AnswersLost => "Answers get lost",
            Self::Down => "DigitalOcean is down",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::SnapshotErrs => "The Droplet comes back on all the same.",
            Self::ShutdownHangs => "The bot asks what to do.",
            Self::AnswersLost => "There is still exactly one snapshot.",
            Self::Down => "The bot waits, and goes on afterwards.",
        }
    }

    fn fault(self) -> Fault {
        match self {
            Self::SnapshotErrs => Fault::once(Pattern::action("snapshot"), Quirk::Err),
            Self::ShutdownHangs => {
                let hang = Quirk::ShutdownHangs { action: HungAction::Completes, off_after: None };
                Fault::once(Pattern::action("shutdown"), hang)
            }
            Self::AnswersLost => {
                let begins = Pattern::of(Method::Post, "/**");
                Fault::always(begins, Disturbance::CutAfter)
            }
            Self::Down => Fault::always(Pattern::any(), Disturbance::Down),
        }
    }

    /// Turns it on or off.
    pub(super) fn set(self, world: &mut World, on: bool) {
        let fault = self.fault();
        let others: Vec<Fault> = world.faults().iter().filter(|other| **other != fault).cloned().collect();
        world.clear_faults();
        others.into_iter().chain(on.then_some(fault)).for_each(|fault| world.add_fault(fault));
    }

    fn is_on(self, world: &World) -> bool {
        world.faults().contains(&self.fault())
    }
}

/// All switches, as the page shows them.
pub(super) fn all(world: &World) -> Value {
    let shown = |switch: &Switch| json!({"key": switch.key(), "label": switch.label(), "hint": switch.hint(), "on": switch.is_on(world)});
    Switch::ALL.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::digitalocean::settings::Settings;

    #[test]
    fn a_switch_is_on_exactly_while_its_fault_is_in_force() {
        let mut world = World::new(Settings::default(), Timestamp::UNIX_EPOCH);
        for switch in Switch::ALL {
            assert!(!switch.is_on(&world));
            switch.set(&mut world, true);
            switch.set(&mut world, true);
            assert!(switch.is_on(&world));
        }
        assert_eq!(world.faults().len(), Switch::ALL.len(), "throwing one leaves the others, and twice is once");
        Switch::Down.set(&mut world, false);
        assert!(!Switch::Down.is_on(&world) && Switch::AnswersLost.is_on(&world));
    }

    #[test]
    fn the_page_asks_by_the_keys_that_it_was_shown() {
        for switch in Switch::ALL {
            assert_eq!(serde_json::from_value::<Switch>(switch.key().into()).unwrap(), switch);
        }
    }
}
