//! Rules that are broken from outside, to show that the laws notice. The production code has no switch for any of this.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapshot_bot::operation::{
    Operation, Rules,
    baseline::Baseline,
    effect::{Answer, Effect, Look},
    power::Owed,
    reading::PowerState,
    step::{Checks, State, Step, Task},
};

use super::{mood::Mood, rows::with_power};

/// A rule that a run breaks on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The earlier Actions are forgotten between turns.
    Baseline,
    /// After a crash, the state from before the intent comes back.
    Intent,
    /// A command whose answer was lost is sent again after a single look, although DigitalOcean may still carry it out.
    SecondLook,
    /// Owed power is forgotten as soon as it is stored.
    Owed,
    /// Commands are sent without a look.
    Look,
    /// A step that began with the Droplet off continues after it was turned on.
    Forward,
    /// A long gap without a process is not noticed.
    Gap,
    /// An operation always counts as making progress.
    Call,
    /// The complete list of Droplets is not read.
    Gone,
    /// Every Snapshot is reported as taken off.
    Live,
    /// Operations that owe power take their time.
    Minute,
    /// There is no pause between two requests.
    Pace,
    /// Every command is sent twice.
    Twice,
    /// A Droplet that was off before is turned on as well.
    FirstOff,
    /// It is not checked who turned a Droplet off.
    Theirs,
    /// No place is reserved for operations that owe power.
    Places,
    /// All requests have one priority.
    Ranks,
    /// A shared reading may have any age.
    Shared,
    /// Commands leave although their intent could not be stored.
    Unstored,
    /// After a panic, nothing continues for a while.
    Panic,
    /// A process that slept for days does not notice.
    Sleep,
    /// People are not called when no token may be used.
    Unfit,
    /// A failure of the store during a takeover ends it.
    Takeover,
    /// A command that was refused because of a pending event counts as not carried out.
    Refusal,
}

impl Sabotage {
    pub(crate) const ALL: [Self; 24] = [
        Self::Baseline,
        Self::Intent,
        Self::SecondLook,
        Self::Owed,
        Self::Look,
        Self::Forward,
        Self::Gap,
        Self::Call,
        Self::Gone,
        Self::Live,
        Self::Minute,
        Self::Pace,
        Self::Twice,
        Self::FirstOff,
        Self::Theirs,
        Self::Places,
        Self::Ranks,
        Self::Shared,
        Self::Unstored,
        Self::Panic,
        Self::Sleep,
        Self::Unfit,
        Self::Takeover,
        Self::Refusal,
    ];

    /// Its name on a command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Intent => "intent",
            Self::SecondLook => "second-look",
            Self::Owed => "owed",
            Self::Look => "look",
            Self::Forward => "forward",
            Self::Gap => "gap",
            Self::Call => "call",
            Self::Gone => "gone",
            Self::Live => "live",
            Self::Minute => "minute",
            Self::Pace => "pace",
            Self::Twice => "twice",
            Self::FirstOff => "first-off",
            Self::Theirs => "theirs",
            Self::Places => "places",
            Self::Ranks => "ranks",
            Self::Shared => "shared",
            Self::Unstored => "unstored",
            Self::Panic => "panic",
            Self::Sleep => "sleep",
            Self::Unfit => "unfit",
            Self::Takeover => "takeover",
            Self::Refusal => "refusal",
        }
    }

    /// A part of the law that must notice it, if one law is meant.
    pub(crate) fn law(self) -> &'static str {
        match self {
            Self::Baseline | Self::Intent | Self::SecondLook | Self::Owed | Self::Refusal => "",
            Self::Look => "without a fresh look",
            Self::Forward => "after it turned the Droplet on",
            Self::Gap | Self::Sleep => "nobody looked after it for long",
            Self::Call | Self::Takeover => "nobody is called",
            Self::Unfit => "although no token may be used",
            Self::Gone => "says that its Droplet is gone",
            Self::Live => "does not say so",
            Self::Minute | Self::Panic => "is still off",
            Self::Pace => "requests within a minute",
            Self::Twice => "two commands are under way",
            Self::FirstOff => "was off before anything of ours",
            Self::Theirs => "which somebody else turned off",
            Self::Places => "waits for a place that is kept for it",
            Self::Ranks => "has to wait for those that come after it",
            Self::Shared => "is told what was true before its own command",
            Self::Unstored => "without a committed intent",
        }
    }

    /// The mood of the world in which it shows, if there is one.
    pub(crate) fn mood(self) -> Option<Mood> {
        match self {
            Self::Forward => Some(Mood::Outages),
            Self::Gap => Some(Mood::Absences),
            Self::Gone => Some(Mood::Denials),
            Self::Theirs => Some(Mood::Strangers),
            Self::Places | Self::Ranks | Self::Shared => Some(Mood::Crowd),
            Self::Unstored | Self::Takeover => Some(Mood::BadDisk),
            Self::Sleep => Some(Mood::Sleeps),
            Self::Unfit => Some(Mood::UnfitTokens),
            Self::Panic => Some(Mood::Panics),
            Self::Baseline
            | Self::Intent
            | Self::SecondLook
            | Self::Owed
            | Self::Look
            | Self::Call
            | Self::Live
            | Self::Minute
            | Self::Pace
            | Self::Twice
            | Self::Refusal
            | Self::FirstOff => None,
        }
    }

    /// Changes the rules for the worker.
    pub(crate) fn bend(self, rules: &mut Rules) {
        if self == Self::SecondLook {
            rules.settle_time = SignedDuration::ZERO;
        }
    }

    /// Replaces the answer to a look, if it affects it.
    pub(crate) fn twist(self, asked: &Effect) -> Option<Answer> {
        let is_of_the_list = matches!(asked, Effect::Look(Look::Listed(_)));
        (self == Self::Gone && is_of_the_list).then(|| Answer::Droplets(Vec::new()))
    }

    /// Changes an operation's state between two turns, if it affects it. `now` is by the process's clock.
    pub(crate) fn spoil(self, operation: &Operation, now: Timestamp) -> Option<Operation> {
        let mut spoilt = operation.clone();
        match self {
            Self::Baseline => spoilt.baseline = Baseline::default(),
            Self::Owed => spoilt = with_power(operation, |power| power["owed"] = Value::Null),
            Self::Look => {
                let steps = spoilt.steps.iter_mut().filter(|step| step.task() != Task::PowerOn);
                for step in steps.filter(|step| matches!(step.state, State::Waiting(_))) {
                    step.state =
                        State::Waiting(Checks { droplet: true, actions: true, looked_at: Some(now), backups: true });
                }
            }
            Self::Forward => spoilt = with_power(operation, |power| power["on_intended_at"] = Value::Null),
            Self::Gap => spoilt.unattended = false,
            Self::Call => {
                spoilt = with_power(operation, |power| {
                    if !power["got_on_at"].is_null() {
                        power["got_on_at"] = json!(now);
                    }
                });
            }
            Self::Live => spoilt.taken_off = spoilt.taken_off.map(|_| true),
            Self::Minute if operation.power.is_owed() && operation.timer.moment().is_some() => {
                spoilt.timer = operation.timer.moment().max(Some(operation.asked_at + LONG)).into();
            }
            Self::Pace => spoilt.timer.ask_at_once(),
            Self::FirstOff if operation.power.before() == Some(PowerState::Off) && operation.is_running() => {
                spoilt = with_power(operation, |power| {
                    power["before"] = json!(PowerState::On);
                    power["owed"] = json!(Owed { since: now, late_until: None, earlier_until: None });
                });
            }
            Self::Theirs => spoilt.baseline = all_known(),
            Self::Refusal => {
                let is_busy =
                    |step: &&mut Step| matches!(&step.state, State::Intended { doubt: Some(doubt), .. } if doubt.busy);
                if let Some(step) = spoilt.steps.iter_mut().find(is_busy) {
                    step.state = State::Waiting(Checks::default());
                }
            }
            Self::Intent
            | Self::SecondLook
            | Self::Gone
            | Self::Minute
            | Self::Twice
            | Self::FirstOff
            | Self::Places
            | Self::Ranks
            | Self::Shared
            | Self::Unstored
            | Self::Panic
            | Self::Sleep
            | Self::Unfit
            | Self::Takeover => {}
        }
        (spoilt != *operation).then_some(spoilt)
    }
}

/// For how long [`Sabotage::Minute`] leaves a new operation alone.
const LONG: SignedDuration = SignedDuration::from_mins(20);

/// A baseline that contains every Action that will ever exist.
fn all_known() -> Baseline {
    serde_json::from_str("[9000000000000000]").unwrap_or_default()
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words = Self::ALL.map(Self::word);
        let known = Self::ALL.into_iter().find(|rule| rule.word() == text);
        known.ok_or_else(|| format!("it is one of {}", words.join(", ")))
    }
}
