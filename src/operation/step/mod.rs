//! One step of a plan, and the states that it may be in.

mod row;
mod task;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ids::ActionId, reading::Failure};
pub(super) use row::{StepRow, power_on};
pub use task::{Task, Traits, Work};

/// What is to be done, and its progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is to be done.
    #[serde(rename = "task")]
    pub work: Work,
    /// Its progress.
    pub state: State,
    /// When it was first intended, if ever. Elapsed times count from here.
    pub began: Option<Timestamp>,
    /// Whether an earlier answer to this step's command was lost, so that a pending event may be our own.
    pub answer_lost: bool,
}

/// The progress of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not begun, or to be started again.
    Waiting(Checks),
    /// The intent is committed; the command may have been sent.
    Intended {
        /// When the intent was committed.
        at: Timestamp,
        /// What is known while it is unknown whether the command was carried out; absent while the answer is still expected.
        doubt: Option<Doubt>,
    },
    /// DigitalOcean is working on it.
    Running(Run),
    /// Done, and seen to be so.
    Done {
        /// When it was seen to be done.
        at: Timestamp,
    },
    /// Not needed, or not reached.
    Skipped,
    /// It failed.
    Failed {
        /// When it failed.
        at: Timestamp,
        /// Why it failed.
        why: Failure,
    },
}

/// What has been checked before a command may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The Droplet was seen in the right state and unlocked.
    pub droplet: bool,
    /// No Action was in progress, and the baseline includes every Action that exists.
    pub actions: bool,
    /// When the Droplet was seen in the right state.
    #[serde(default)]
    pub looked_at: Option<Timestamp>,
    /// The Backups that would be deleted were seen to be those that somebody confirmed.
    #[serde(default)]
    pub backups: bool,
}

/// A command is sent only if the look at the Droplet is more recent than this: people turn Droplets off and remove tags while an operation
/// waits its turn.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

impl Checks {
    /// The Droplet must be looked at again; its Actions are still known.
    pub(super) const DROPLET_STALE: Self = Self { droplet: false, actions: true, looked_at: None, backups: false };

    /// The Droplet was seen in the right state by a look at `looked_at`; its Actions are yet to be read.
    pub(super) fn seen(looked_at: Timestamp) -> Self {
        Self { droplet: true, actions: false, looked_at: Some(looked_at), backups: false }
    }

    /// Whether the Droplet was seen in the right state, and recently enough.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.droplet && self.looked_at.is_some_and(|at| now.duration_since(at).abs() < FRESH)
    }
}

/// What the looks since a command with a lost answer have shown.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that an answer showed, and none follows from another"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// When a complete round of looks first found nothing of ours.
    pub first_empty: Option<Timestamp>,
    /// When a complete round of looks last found nothing of ours.
    pub last_empty: Option<Timestamp>,
    /// The round in progress.
    pub round: Round,
    /// The Droplet was seen on since the intent.
    pub seen_on: bool,
    /// The Droplet was seen off since the intent; its Actions say whether our command did that.
    #[serde(default)]
    pub seen_off: bool,
    /// DigitalOcean refused in a way that a look must confirm.
    pub refused: Option<Failure>,
    /// DigitalOcean refused because another event is pending, which is our own if something on the way sent the command twice.
    #[serde(default)]
    pub busy: bool,
    /// DigitalOcean accepted the command; what it did is yet to be seen.
    #[serde(default)]
    pub accepted: bool,
}

impl Doubt {
    /// Whether DigitalOcean refused for a reason of its own, which says nothing about an earlier copy of the same command.
    pub(super) fn is_refused_in_words(&self) -> bool {
        matches!(self.refused, Some(Failure::Refused { .. }))
    }
}

/// One round of looks during a [`Doubt`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The Droplet was looked at and is unlocked.
    pub droplet: bool,
    /// The Actions were looked at: none is ours and none is in progress.
    pub actions: bool,
}

/// How the bot knows that an Action is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    /// DigitalOcean named it in its answer to the command.
    Named,
    /// A look found it after the answer was lost.
    Presumed,
}

/// An Action in progress.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that a look showed, and none follows from another"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The Action; absent for a Droplet that was found by its tag.
    pub action: Option<ActionId>,
    /// When DigitalOcean says it began.
    pub started_at: Option<Timestamp>,
    /// When the intent was committed. The time of a shutdown counts from here, however often it was refused before.
    #[serde(default)]
    pub intended_at: Option<Timestamp>,
    /// The Action was found by a look, not named in the answer to our command: we presume that it is ours.
    pub presumed: bool,
    /// When it was seen completed; its result is yet to be seen.
    pub completed: Option<Timestamp>,
    /// When it was seen errored or gone, if the Droplet's state decides.
    pub broken: Option<Timestamp>,
    /// How often it was looked at.
    pub looks: u32,
    /// Since when DigitalOcean says that it does not know the Action. A single answer like that is not believed.
    #[serde(default)]
    pub unknown_since: Option<Timestamp>,
    /// How many consecutive looks at the Action brought no reading.
    #[serde(default)]
    pub unread: u32,
    /// The Droplet was seen locked since the command was sent.
    #[serde(default)]
    pub seen_locked: bool,
    /// The latest look showed the Droplet off: an Action to turn it off has done its work, whatever else holds the Droplet.
    #[serde(default)]
    pub seen_off: bool,
    /// When the latest look was requested, if it showed the Droplet off and unlocked: with the Action's end, that is all there is to see.
    #[serde(default)]
    pub free_at: Option<Timestamp>,
    /// The Droplet's state did not show the progress, so the next look reads the Action itself.
    #[serde(default)]
    pub asks_action: bool,
    /// Its completion was concluded from the Droplet, because the Action could not be read.
    #[serde(default)]
    pub concluded: bool,
    /// A list lacked the Snapshot after an earlier one had it. Such a list may be old, so the Snapshot is read by itself from then on.
    #[serde(default)]
    pub unlisted: bool,
}

impl Run {
    /// Whether the Action is known to have ended.
    pub fn ended(&self) -> bool {
        self.completed.is_some() || self.broken.is_some()
    }
}

impl Step {
    /// A step that has not begun.
    pub fn new(work: Work) -> Self {
        Self { work, state: State::Waiting(Checks::default()), began: None, answer_lost: false }
    }

    /// Records that nobody will look whether the last command was carried out. An Action like it may be ours.
    pub(super) fn abandon(&mut self) {
        self.answer_lost |= matches!(self.state, State::Intended { .. });
    }

    /// The task of this step's work.
    pub fn task(&self) -> Task {
        self.work.task()
    }

    /// Moves times that lie in the future to `now`, since the clock may have been set back.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.began = self.began.map(|began| began.min(now));
        match &mut self.state {
            State::Waiting(checks) => *checks = Checks::default(),
            State::Intended { at, doubt } => {
                // The clocks may differ, so it is unknown how long ago that was, and the command may still take effect.
                *at = now;
                if let Some(doubt) = doubt {
                    (doubt.first_empty, doubt.last_empty) = (None, None);
                }
            }
            State::Running(run) => {
                for moment in [&mut run.intended_at, &mut run.completed, &mut run.broken, &mut run.unknown_since] {
                    *moment = moment.map(|moment| moment.min(now));
                }
            }
            State::Done { at } | State::Failed { at, .. } => *at = (*at).min(now),
            State::Skipped => {}
        }
    }

    /// Whether nothing more will happen in this step.
    pub fn is_over(&self) -> bool {
        match self.state {
            State::Done { .. } | State::Skipped | State::Failed { .. } => true,
            State::Waiting(_) | State::Intended { .. } | State::Running(_) => false,
        }
    }

    /// Whether the step reached its goal.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. })
    }

    /// The Action that runs, or ran last, for this step while the step is in progress.
    pub fn run(&self) -> Option<&Run> {
        match &self.state {
            State::Running(run) => Some(run),
            State::Waiting(_) | State::Intended { .. } | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                None
            }
        }
    }

    /// The Action that runs for this step, for recording what was seen of it.
    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match &mut self.state {
            State::Running(run) => Some(run),
            State::Waiting(_) | State::Intended { .. } | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                None
            }
        }
    }

    /// What is known while it is unknown whether the command was carried out.
    pub(super) fn doubt(&self) -> Option<&Doubt> {
        match &self.state {
            State::Intended { doubt, .. } => doubt.as_ref(),
            State::Waiting(_) | State::Running(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => None,
        }
    }

    /// When the intent of the command in flight was committed.
    pub(super) fn intended_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Intended { at, .. } => Some(*at),
            State::Running(run) => run.intended_at,
            State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => None,
        }
    }

    /// When the running command was sent, if known: the row may be older than this field.
    pub(super) fn sent_at(&self) -> Option<Timestamp> {
        self.intended_at().or(self.began)
    }

    /// When the step was done or failed, if it was.
    pub(super) fn over_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Done { at } | State::Failed { at, .. } => Some(at),
            State::Waiting(_) | State::Intended { .. } | State::Running(_) | State::Skipped => None,
        }
    }

    /// How long a finished step took, from its first intent.
    pub fn took(&self) -> Option<jiff::SignedDuration> {
        match self.state {
            State::Done { at } => self.began.map(|began| at.duration_since(began)),
            State::Waiting(_) | State::Intended { .. } | State::Running(_) | State::Skipped | State::Failed { .. } => {
                None
            }
        }
    }
}
