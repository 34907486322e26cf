//! One step of a plan, and the states it may be in.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    effect::{BackupPolicy, NewDroplet},
    ids::{ActionId, SnapshotId},
    reading::{Failure, PowerState},
};

/// What a step does, with all that its command needs besides the Droplet. A plan is made of these, so a step that lacks what it works
/// with cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Ask the guest to shut down.
    ShutDown,
    /// Cut the power.
    PowerOff,
    /// Take a Snapshot under the operation's name for it.
    Snapshot,
    /// Cut the power and restore it at once.
    Restart,
    /// Put this Snapshot back.
    Restore(SnapshotId),
    /// Make this Droplet.
    Create(NewDroplet),
    /// Delete this Snapshot.
    Delete(SnapshotId),
    /// Turn the Droplet on.
    PowerOn,
    /// Have DigitalOcean back the Droplet up.
    EnableBackups(BackupPolicy),
    /// Have the Droplet backed up at other times.
    ChangeBackups(BackupPolicy),
    /// Have the Droplet backed up no more.
    DisableBackups,
    /// Make a Snapshot of this Backup.
    KeepBackup(SnapshotId),
}

impl Work {
    /// What it does, whatever it does it with.
    pub fn task(&self) -> Task {
        match self {
            Self::ShutDown => Task::ShutDown,
            Self::PowerOff => Task::PowerOff,
            Self::Snapshot => Task::Snapshot,
            Self::Restart => Task::Restart,
            Self::Restore(_) => Task::Restore,
            Self::Create(_) => Task::Create,
            Self::Delete(_) => Task::Delete,
            Self::PowerOn => Task::PowerOn,
            Self::EnableBackups(_) => Task::EnableBackups,
            Self::ChangeBackups(_) => Task::ChangeBackups,
            Self::DisableBackups => Task::DisableBackups,
            Self::KeepBackup(_) => Task::KeepBackup,
        }
    }
}

/// A row names the task alone. What it works with stands there once, in the operation's kind.
impl Serialize for Work {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.task().serialize(serializer)
    }
}

/// What steps do: the name of a [`Work`], for rows, history, logs and words. All that the rules ask of a task stands in its [`Traits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::VariantArray)]
pub enum Task {
    /// Ask the guest to shut down and see it off.
    ShutDown,
    /// Cut the power and see it off: the answer to a hung shutdown.
    PowerOff,
    /// Take a Snapshot and see it listed.
    Snapshot,
    /// Cut the power and restore it at once.
    Restart,
    /// Put a Snapshot back.
    Restore,
    /// Make a new Droplet and see it active.
    Create,
    /// Delete a Snapshot.
    Delete,
    /// Turn the Droplet on and see it active: never planned, always owed.
    PowerOn,
    /// Have DigitalOcean back the Droplet up.
    EnableBackups,
    /// Have the Droplet backed up at other times.
    ChangeBackups,
    /// Have the Droplet backed up no more, which deletes its Backups.
    DisableBackups,
    /// Make a Snapshot of a Backup and see that it is one.
    KeepBackup,
}

/// What the rules need to know of a task.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of one table, and none follows from another")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// One word for logs, metrics and history.
    pub word: &'static str,
    /// DigitalOcean's `type` of the Action that carries it out; absent where there is no Action.
    pub action: Option<&'static str>,
    /// The power state that it is for. There the Droplet has the last word on whether it was carried out.
    pub reaches: Option<PowerState>,
    /// Whether the Droplet may be off because of it, so that power is owed from its intent on.
    pub may_turn_off: bool,
    /// Whether it is not begun any more once the Droplet was told to turn on.
    pub yields_to_power: bool,
    /// Whether it acts on the operation's Droplet, which must be seen free, with its Actions, before the command leaves.
    pub needs_baseline: bool,
    /// Whether it waits for somebody else's Action to end.
    pub waits_for_others: bool,
    /// Whether it loses what was there before: it is not begun when it is old, or when somebody replaced the disk meanwhile.
    pub is_destructive: bool,
    /// Whether it may be sent again although an earlier command of it may have been carried out, and the Droplet used since.
    pub is_repeatable: bool,
    /// For how many `SETTLE_TIME`s a command of it whose answer was lost may still take effect.
    pub settle_factor: i32,
}

impl Task {
    /// All that the rules ask of a task, in one table.
    pub const fn traits(self) -> Traits {
        /// What is true of most tasks: they act on a Droplet that is there, and change nothing but it.
        const fn on_droplet(word: &'static str, action: &'static str) -> Traits {
            Traits {
                word,
                action: Some(action),
                reaches: None,
                may_turn_off: false,
                yields_to_power: true,
                needs_baseline: true,
                waits_for_others: true,
                is_destructive: false,
                is_repeatable: true,
                settle_factor: 1,
            }
        }
        /// What is true of a task that needs no Droplet: there is nothing to be looked at before.
        const fn without_droplet(word: &'static str, action: Option<&'static str>) -> Traits {
            Traits { action, yields_to_power: false, needs_baseline: false, ..on_droplet(word, "") }
        }
        match self {
            Self::ShutDown => {
                Traits { reaches: Some(PowerState::Off), may_turn_off: true, ..on_droplet("shut_down", "shutdown") }
            }
            // Cutting the power is the way out of a shutdown that hangs: it waits for nothing but DigitalOcean's own refusal.
            Self::PowerOff => Traits {
                reaches: Some(PowerState::Off),
                may_turn_off: true,
                waits_for_others: false,
                is_destructive: true,
                ..on_droplet("power_off", "power_off")
            },
            Self::Snapshot => on_droplet("snapshot", "snapshot"),
            // What is not written to the disk is lost, and it may stop halfway, with the power cut.
            Self::Restart => {
                Traits { may_turn_off: true, is_destructive: true, ..on_droplet("restart", "power_cycle") }
            }
            // DigitalOcean may leave the Droplet off after it, whatever it was before.
            Self::Restore => Traits {
                may_turn_off: true,
                is_destructive: true,
                is_repeatable: false,
                ..on_droplet("restore", "restore")
            },
            // Nothing fences a create but its tag, so it settles longer.
            Self::Create => Traits { settle_factor: 4, ..without_droplet("create", Some("create")) },
            Self::Delete => Traits { is_destructive: true, ..without_droplet("delete", None) },
            Self::PowerOn => Traits {
                reaches: Some(PowerState::On),
                yields_to_power: false,
                waits_for_others: false,
                ..on_droplet("power_on", "power_on")
            },
            // They bear neither on power nor on the disk, so it does not matter whether the Droplet was turned on before.
            Self::EnableBackups => Traits { yields_to_power: false, ..on_droplet("enable_backups", "enable_backups") },
            Self::ChangeBackups => {
                Traits { yields_to_power: false, ..on_droplet("change_backups", "change_backup_policy") }
            }
            Self::DisableBackups => Traits {
                yields_to_power: false,
                is_destructive: true,
                ..on_droplet("disable_backups", "disable_backups")
            },
            Self::KeepBackup => without_droplet("keep_backup", Some("convert")),
        }
    }

    /// DigitalOcean's `type` of the Action that carries this task out; Snapshots are deleted without an Action.
    pub fn action_kind(self) -> Option<&'static str> {
        self.traits().action
    }

    /// One word for logs, metrics and history.
    pub fn word(self) -> &'static str {
        self.traits().word
    }

    /// Whether the end of its Action is all that there is to see.
    pub(super) fn ends_with_its_action(self) -> bool {
        match self {
            Self::EnableBackups | Self::ChangeBackups | Self::DisableBackups => true,
            Self::ShutDown
            | Self::PowerOff
            | Self::Snapshot
            | Self::Restart
            | Self::Restore
            | Self::Create
            | Self::Delete
            | Self::PowerOn
            | Self::KeepBackup => false,
        }
    }

    /// Whether what it is for shows in the image that it works on, so that ordering it twice does no harm.
    pub(super) fn shows_in_its_image(self) -> bool {
        match self {
            Self::Delete | Self::KeepBackup => true,
            Self::ShutDown
            | Self::PowerOff
            | Self::Snapshot
            | Self::Restart
            | Self::Restore
            | Self::Create
            | Self::PowerOn
            | Self::EnableBackups
            | Self::ChangeBackups
            | Self::DisableBackups => false,
        }
    }

    /// Whether it is for turning the Droplet off.
    pub fn turns_off(self) -> bool {
        self.traits().reaches == Some(PowerState::Off)
    }

    /// The work of a task that works with nothing but the Droplet; absent where more is needed.
    pub(super) fn on_droplet_alone(self) -> Option<Work> {
        match self {
            Self::ShutDown => Some(Work::ShutDown),
            Self::PowerOff => Some(Work::PowerOff),
            Self::Snapshot => Some(Work::Snapshot),
            Self::PowerOn => Some(Work::PowerOn),
            Self::Restart => Some(Work::Restart),
            Self::Restore
            | Self::Create
            | Self::Delete
            | Self::EnableBackups
            | Self::ChangeBackups
            | Self::DisableBackups
            | Self::KeepBackup => None,
        }
    }
}

/// What is to be done, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is to be done.
    #[serde(rename = "task")]
    pub work: Work,
    /// How far it is.
    pub state: State,
    /// When it was first intended, if ever: where elapsed times count from.
    pub began: Option<Timestamp>,
    /// Whether an earlier answer to this step's command was lost, so that a pending event may be our own.
    pub answer_lost: bool,
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not begun, or to be begun again.
    Waiting(Checks),
    /// Written down, and perhaps sent.
    Intended {
        /// When it was written down.
        at: Timestamp,
        /// What we know while we do not know whether it was carried out; absent while the answer is still expected.
        doubt: Option<Doubt>,
    },
    /// DigitalOcean works on it.
    Running(Run),
    /// Done and seen.
    Done {
        /// When.
        at: Timestamp,
    },
    /// Not needed, or not reached.
    Skipped,
    /// Ended badly.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        why: Failure,
    },
}

/// What was looked at just before a command may leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// The Droplet was seen in the right state and unlocked.
    pub droplet: bool,
    /// No Action was in progress, and all Actions there are were written into the baseline.
    pub actions: bool,
    /// When the Droplet was seen so.
    #[serde(default)]
    pub looked_at: Option<Timestamp>,
    /// The Backups that would be deleted were seen to be those that somebody was asked about.
    #[serde(default)]
    pub backups: bool,
}

/// A command leaves only on a look at the Droplet that is younger than this: people turn Droplets off and remove tags while an
/// operation waits for its turn.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

impl Checks {
    /// The Droplet must be looked at again; its Actions are still known.
    pub(super) const DROPLET_STALE: Self = Self { droplet: false, actions: true, looked_at: None, backups: false };

    /// The Droplet was seen in the right state, by a look of this moment.
    pub(super) fn seen(looked_at: Timestamp, actions: bool) -> Self {
        Self { droplet: true, actions, looked_at: Some(looked_at), backups: false }
    }

    /// Whether the Droplet was seen in the right state, and a moment ago.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.droplet && self.looked_at.is_some_and(|at| now.duration_since(at).abs() < FRESH)
    }
}

/// A command whose answer was lost: what the looks since then have shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// When a complete round of looks first found nothing of ours.
    pub first_empty: Option<Timestamp>,
    /// When a complete round of looks last found nothing of ours.
    pub last_empty: Option<Timestamp>,
    /// The round that is under way.
    pub round: Round,
    /// The Droplet was seen on since the intent.
    pub seen_on: bool,
    /// The Droplet was seen off since the intent; its Actions say whether that is our doing.
    #[serde(default)]
    pub seen_off: bool,
    /// DigitalOcean refused in a way that the Droplet's own state must confirm.
    pub refused: Option<Failure>,
}

/// One round of looks during a [`Doubt`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The Droplet was looked at and is unlocked.
    pub droplet: bool,
    /// The Actions were looked at: none is ours and none is in progress.
    pub actions: bool,
}

/// An Action under way.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that a look showed, and none follows from another"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The Action; a Droplet that was found by its tag runs without one.
    pub action: Option<ActionId>,
    /// When DigitalOcean says it began.
    pub started_at: Option<Timestamp>,
    /// When its command was written down: a shutdown has its whole time from here on, however often it was refused before.
    #[serde(default)]
    pub intended_at: Option<Timestamp>,
    /// The Action was found, not given in answer to our command: ours by all we know.
    pub presumed: bool,
    /// When it was seen completed; what it promises is yet to be seen.
    pub completed: Option<Timestamp>,
    /// When it was seen errored or gone, where the Droplet has the last word.
    pub broken: Option<Timestamp>,
    /// How often it was looked at.
    pub looks: u32,
    /// Since when DigitalOcean says that it does not know the Action. One such answer is not believed.
    #[serde(default)]
    pub unknown_since: Option<Timestamp>,
    /// How many looks at the Action in a row brought no reading.
    #[serde(default)]
    pub unread: u32,
    /// The Droplet was seen locked since the command was sent.
    #[serde(default)]
    pub seen_locked: bool,
    /// The latest look showed the Droplet off: an Action to turn it off has done its work, whatever else holds the Droplet.
    #[serde(default)]
    pub seen_off: bool,
    /// The Droplet alone did not tell how far it is, so the Action itself is looked at next.
    #[serde(default)]
    pub asks_action: bool,
    /// That it completed was concluded from the Droplet, because the Action could not be read.
    #[serde(default)]
    pub concluded: bool,
}

impl Run {
    /// Whether the Action is known to have ended.
    pub fn ended(&self) -> bool {
        self.completed.is_some() || self.broken.is_some()
    }
}

impl Step {
    /// A step not yet begun.
    pub fn new(work: Work) -> Self {
        Self { work, state: State::Waiting(Checks::default()), began: None, answer_lost: false }
    }

    /// What it does.
    pub fn task(&self) -> Task {
        self.work.task()
    }

    /// No moment of it lies ahead of a clock that may have been set back.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.began = self.began.map(|began| began.min(now));
        match &mut self.state {
            State::Waiting(checks) => *checks = Checks::default(),
            State::Intended { at, doubt } => {
                // How long ago that was by a clock that nobody set is not known any more, so the command may still take effect.
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

    /// Whether the step did what it is for.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. })
    }

    /// The Action that runs, or ran last, for this step while it is under way.
    pub fn run(&self) -> Option<&Run> {
        match &self.state {
            State::Running(run) => Some(run),
            State::Waiting(_) | State::Intended { .. } | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                None
            }
        }
    }

    /// The Action that runs for this step, to note what was seen of it.
    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match &mut self.state {
            State::Running(run) => Some(run),
            State::Waiting(_) | State::Intended { .. } | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                None
            }
        }
    }

    /// When the command that is under way was written down.
    pub(super) fn intended_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Intended { at, .. } => Some(*at),
            State::Running(run) => run.intended_at,
            State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => None,
        }
    }

    /// When what runs was sent, as far as that is known: a row may be older than this knowledge.
    pub(super) fn sent_at(&self) -> Option<Timestamp> {
        self.intended_at().or(self.began)
    }

    /// When nothing more was to happen in this step, if that is so and known.
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
