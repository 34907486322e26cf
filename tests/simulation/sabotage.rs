//! Rules broken from outside, to show that the laws notice: what ships has no switch for any of this.

use std::str::FromStr;

use jiff::SignedDuration;
use snapshot_bot::operation::{Operation, Rules};

/// A rule that a run breaks on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The Actions that were there before are forgotten between turns.
    NoBaseline,
    /// After a crash the state from before the intent comes back.
    NoIntent,
    /// What a lost answer was about is begun again after a single look, although DigitalOcean may still carry it out.
    NoSecondLook,
    /// What is owed is forgotten as soon as it is written down.
    NoDebt,
}

impl Sabotage {
    pub(crate) const ALL: [Self; 4] = [Self::NoBaseline, Self::NoIntent, Self::NoSecondLook, Self::NoDebt];

    /// The rules under which the worker then works.
    pub(crate) fn bend(self, rules: &mut Rules) {
        if self == Self::NoSecondLook {
            rules.settle_time = SignedDuration::ZERO;
        }
    }

    /// What becomes of an operation's state between two turns, if anything.
    pub(crate) fn spoil(self, operation: &Operation) -> Option<Operation> {
        let mut spoilt = operation.clone();
        match self {
            Self::NoBaseline => spoilt.baseline.clear(),
            Self::NoDebt => spoilt.power.owed = None,
            Self::NoIntent | Self::NoSecondLook => {}
        }
        (spoilt != *operation).then_some(spoilt)
    }
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "no-baseline" => Ok(Self::NoBaseline),
            "no-intent" => Ok(Self::NoIntent),
            "no-second-look" => Ok(Self::NoSecondLook),
            "no-debt" => Ok(Self::NoDebt),
            _ => Err("it is one of no-baseline, no-intent, no-second-look, no-debt".to_owned()),
        }
    }
}
