//! Rules broken from outside, to show that the laws notice: what ships has no switch for any of this.

use std::str::FromStr;

use jiff::SignedDuration;
use snapshot_bot::operation::{Operation, Rules, baseline::Baseline};

/// A rule that a run does without, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The Actions that were there before are forgotten between turns.
    Baseline,
    /// After a crash the state from before the intent comes back.
    Intent,
    /// What a lost answer was about is begun again after a single look, although DigitalOcean may still carry it out.
    SecondLook,
    /// What is owed is forgotten as soon as it is written down.
    Debt,
}

impl Sabotage {
    pub(crate) const ALL: [Self; 4] = [Self::Baseline, Self::Intent, Self::SecondLook, Self::Debt];

    /// Its name on a command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Intent => "intent",
            Self::SecondLook => "second-look",
            Self::Debt => "debt",
        }
    }

    /// The rules under which the worker then works.
    pub(crate) fn bend(self, rules: &mut Rules) {
        if self == Self::SecondLook {
            rules.settle_time = SignedDuration::ZERO;
        }
    }

    /// What becomes of an operation's state between two turns, if anything.
    pub(crate) fn spoil(self, operation: &Operation) -> Option<Operation> {
        let mut spoilt = operation.clone();
        match self {
            Self::Baseline => spoilt.baseline = Baseline::default(),
            Self::Debt => spoilt.power.owed = None,
            Self::Intent | Self::SecondLook => {}
        }
        (spoilt != *operation).then_some(spoilt)
    }
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = Self::ALL.map(Self::word);
        let known = Self::ALL.into_iter().find(|rule| rule.word() == text);
        known.ok_or_else(|| format!("it is one of {}", words.join(", ")))
    }
}
