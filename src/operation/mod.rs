//! A request by a person or a schedule, carried out in steps. Pure: no I/O, no clock, no async.
//!
//! [`next`](Operation::next) says what to ask of DigitalOcean, [`apply`](Operation::apply) folds in the answer. The worker stores the
//! result between the two; the front end renders it. This room knows neither of them.
//!
//! # A step
//!
//! ```text
//!            a look finds it free                 the answer names the Action
//!   Waiting ─────────────────────▶ Intended ───────────────────────────────▶ Running ──▶ Done
//!      ▲  ▲                         │    │ the answer is lost                   │
//!      │  └──── refused, not sent ──┘    ▼                                      └──────▶ Failed
//!      │                           Intended, in doubt ── our Action is found ─▶ Running
//!      └── long enough, nothing of ours ──┘
//! ```
//!
//! An *intent* is committed before its command is sent, so a process that finds one after a crash knows that the command may have been
//! carried out, and looks before it does anything again. A step that is not reached is `Skipped`.
//!
//! What [`next`](Operation::next) asks for, by the state of the step in focus:
//!
//! | state | asked for |
//! | --- | --- |
//! | `Waiting`, not all seen | a look at the Droplet, then at its Actions |
//! | `Waiting`, all seen less than 10 s ago | the command |
//! | `Intended`, the answer awaited | nothing: the worker that sent the command receives the answer |
//! | `Intended`, in doubt | the Droplet, its Actions, and for a Snapshot its Snapshots, round after round |
//! | `Running` | its Action, now and then the Droplet; once it ended, what it was for: the Droplet or the Snapshots |
//! | `Done`, `Skipped`, `Failed` | nothing; the focus is on the next step |
//!
//! The focus is on the first forward step that is not over. It moves to turning the Droplet on when no remaining step needs it off, when a
//! forward step failed, when nothing can be read for too long, and when a person wants it ([`power`]).
//!
//! # Three traces of a take
//!
//! *A lost answer.* `Snapshot: Waiting` → intent committed → the connection breaks → `Intended, in doubt` → Droplet locked: wait → Actions
//! show a `snapshot` above the baseline → `Running`, presumed ours → completed → the list shows our exact name → `Done`. Had two rounds, at
//! least a third of `SETTLE_TIME` apart and after all of it, shown nothing, it would be `Waiting` again.
//!
//! *A hung shutdown.* `ShutDown: Running`, the Droplet still on after `SHUTDOWN_TIMEOUT` → [`Question`] → somebody presses *Force power
//! off* → `ShutDown: Failed(Hung)`, `PowerOff: Waiting` in its place → … → off → the Snapshot as usual. Nobody answers: *Cancel*, and the
//! Droplet is watched.
//!
//! *A late off.* The take was cancelled while its shutdown hung; the Droplet reads on → power is `Watched` until 15 minutes after the
//! intent, and the operation ends → minutes later the Droplet reads off → `Owed` → its Actions show nobody else's off → `power_on` → on →
//! nothing is owed, and people read that the bot repaired it.

pub mod announce;
mod backoff;
mod backups;
pub mod baseline;
mod consequences;
pub mod effect;
mod evidence;
mod first_answer;
mod focus;
pub mod ids;
mod inherited;
mod instruction;
pub mod kinds;
mod next;
mod obstacle;
mod on_reading;
mod outcome;
pub mod power;
mod question;
pub mod reading;
mod recover;
pub mod report;
mod row;
pub mod step;
pub mod timer;
mod transition;
pub mod trigger;
pub mod undo;
pub mod warning;
mod watching;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::text;

use announce::Tell;
use baseline::Baseline;
use evidence::{Denied, Missing};
pub use first_answer::FirstAnswer;
use focus::Focus;
use ids::{ActionId, ChannelId, DropletId, GuildId, OperationId, UserId};
use inherited::Inherited;
pub use instruction::{Instructed, Instruction};
use kinds::Kind;
pub use obstacle::{Blocker, Obstacle};
pub use outcome::{Cancelled, Launched, Outcome};
use power::{Owed, Power};
pub use question::{Decision, Question};
use reading::{Failure, SnapshotReading};
use step::{Run, State, Step, Task};
use timer::Timer;
pub use transition::{IllegalTransition, LONGEST_UNATTENDED, Observation};
use trigger::Trigger;
use warning::Warning;

/// The times that an operation's rules depend on, from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a graceful shutdown may take before people are asked.
    pub shutdown_timeout: SignedDuration,
    /// How long a question stays open, from when it was shown.
    pub decision_timeout: SignedDuration,
    /// How long a request whose answer was lost may still take effect.
    pub settle_time: SignedDuration,
    /// The shortest pause between two looks at a running Action.
    pub poll_interval: SignedDuration,
    /// Only Droplets with this tag may be touched.
    pub droplet_tag: Option<String>,
    /// Whether so many operations share the account's requests that looks must be few.
    pub are_requests_scarce: bool,
}

/// A request by a person or a schedule, and its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "row::Row")]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What was asked for.
    pub kind: Kind,
    /// Who asked, and where.
    #[serde(rename = "asker")]
    pub requester: Requester,
    /// When the operation was asked for.
    pub asked_at: Timestamp,
    /// The Droplet it is about.
    pub target: Target,
    /// The name of the Snapshot that it takes: the requested one, or the safety Snapshot.
    pub snapshot_name: String,
    /// How long its steps usually take.
    #[serde(rename = "usual")]
    pub typical: TypicalDurations,
    /// The forward steps.
    pub steps: Vec<Step>,
    /// Whether the bot still owes the Droplet power, and its attempts to turn it back on.
    pub power: Power,
    /// Actions that are known not to belong to a command whose answer was lost.
    pub baseline: Baseline,
    /// What it waits for, if that is not its own Action.
    pub obstacle: Option<Obstacle>,
    /// The question that is open in the channel.
    pub question: Option<Question>,
    /// The number of questions so far, including the open one.
    pub questions: u32,
    /// How the latest question was answered; absent while it is open, or if it became moot.
    pub decision: Option<Decision>,
    /// Who cancelled it and when, if somebody did.
    pub cancelled: Option<Cancelled>,
    /// How the forward part ended.
    #[serde(rename = "verdict")]
    pub outcome: Option<Outcome>,
    /// The Snapshot that it took, once DigitalOcean lists it.
    pub snapshot: Option<SnapshotReading>,
    /// The Droplet that it created.
    pub launched: Option<Launched>,
    /// When it ended. The duty to turn the Droplet on may outlive it.
    pub ended: Option<Timestamp>,
    /// When to send the next request to DigitalOcean.
    #[serde(rename = "not_before")]
    pub timer: Timer,
    /// Set while DigitalOcean says that it does not know the Droplet.
    missing: Option<Missing>,
    /// Set after a refusal by DigitalOcean that is not believed until it is repeated.
    denied: Option<Denied>,
    /// No process attended to this operation for so long that no destructive step may start without asking again.
    pub unattended: bool,
    /// Like `unattended`, but for cutting the power, which somebody may have decided on since.
    unattended_since_decision: bool,
    /// Whether the Droplet was seen off right before and right after its Snapshot was taken; absent until then.
    pub taken_off: Option<bool>,
    /// The result of the first answer to the person who asked.
    pub first_answer: FirstAnswer,
    /// What started it. Rows of earlier versions do not say; people asked for all of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// How the requester learns that it is done.
    #[serde(skip_serializing_if = "Tell::is_ping")]
    pub tell: Tell,
    /// The warning before its Droplet goes down, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<Warning>,
    /// What it knows about an older operation whose duty it took over.
    inherited: Option<Inherited>,
}

/// Who asked, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// The member who asked.
    pub user: UserId,
    /// The guild in which they asked.
    pub guild: GuildId,
    /// The channel that shows the progress.
    pub channel: ChannelId,
}

/// The Droplet that an operation is about, as known at the time of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Absent if the Droplet is yet to be created, or if the Snapshot's Droplet is gone.
    pub droplet: Option<DropletId>,
    /// Its name, or the name that it is to have.
    pub name: String,
    /// Region slug.
    pub region: Option<String>,
    /// Disk in GB.
    pub disk_gb: Option<u64>,
}

/// How long steps usually take, learned from earlier operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypicalDurations {
    /// The median per task, in whole milliseconds.
    pub millis: Vec<(Task, i64)>,
}

impl TypicalDurations {
    /// The usual duration of a task, if earlier operations had one.
    pub fn of(&self, task: Task) -> Option<SignedDuration> {
        let (_, millis) = self.millis.iter().find(|(known, _)| *known == task)?;
        Some(SignedDuration::from_millis(*millis))
    }
}

/// The data of a new operation, before any of its steps began.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// Its id.
    pub id: OperationId,
    /// What is asked for.
    pub kind: Kind,
    /// Who asks, and where.
    pub requester: Requester,
    /// When it is asked for.
    pub asked_at: Timestamp,
    /// The Droplet that it is about.
    pub target: Target,
    /// The name that a person wants for the Snapshot.
    pub snapshot_name: Option<String>,
    /// How long its steps usually take.
    pub typical: TypicalDurations,
}

impl Operation {
    /// The operation for a request: its plan, with no step begun.
    pub fn new(request: NewOperation) -> Self {
        let NewOperation { id, mut kind, requester, asked_at, target, snapshot_name, typical } = request;
        kind.mark(id);
        let stem = kind.snapshot_stem(&target.name);
        let snapshot_name = snapshot_name_of(snapshot_name.as_deref(), &stem, asked_at, id);
        let steps = kind.plan();
        let mut power = Power::default();
        if kind.owes_power() {
            power.take_on(asked_at);
        }
        Self {
            id,
            kind,
            requester,
            asked_at,
            target,
            snapshot_name,
            typical,
            steps,
            power,
            baseline: Baseline::default(),
            obstacle: None,
            question: None,
            questions: 0,
            decision: None,
            cancelled: None,
            outcome: None,
            snapshot: None,
            launched: None,
            ended: None,
            timer: Timer::default(),
            missing: None,
            denied: None,
            unattended: false,
            unattended_since_decision: false,
            taken_off: None,
            first_answer: FirstAnswer::default(),
            trigger: None,
            tell: Tell::default(),
            warning: None,
            inherited: None,
        }
    }

    /// What remains of an operation whose state can no longer be read: the duty to turn the Droplet back on.
    pub fn rescue(request: NewOperation, owed: Option<Owed>) -> Self {
        let mut operation = Self::new(request);
        operation.outcome = Some(Outcome::Failed(Failure::Internal));
        for step in &mut operation.steps {
            step.state = State::Skipped;
        }
        if let Some(owed) = owed {
            operation.power.rescue(owed);
        }
        operation
    }

    /// Whether a newer operation could take over what this one still owes: none of its commands is in flight or being carried out.
    pub fn may_hand_over(&self) -> bool {
        self.ended.is_some() && self.power.may_be_handed_over()
    }

    /// Whether forward steps or turning the Droplet on are still to come. Only one such operation per Droplet may exist.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether it has taken its Snapshot.
    pub fn has_taken_its_snapshot(&self) -> bool {
        self.outcome == Some(Outcome::Completed) && self.snapshot.is_some()
    }

    /// Whether the worker has anything left to do: a running operation, or an ended one that still owes power.
    pub fn is_open(&self) -> bool {
        self.is_running() || self.power.owed().is_some()
    }

    /// Whether a Droplet may be off because of this operation.
    pub fn owes_power(&self) -> bool {
        self.power.is_owed()
    }

    /// Whether DigitalOcean does not answer, or wants no requests.
    pub fn is_cut_off(&self) -> bool {
        let is_silent = |obstacle: &Obstacle| matches!(obstacle.what, Blocker::Outage | Blocker::Throttled);
        self.obstacle.as_ref().is_some_and(is_silent)
    }

    /// Whether a new operation creates a duty that no older operation had.
    pub fn begins_a_duty(&self) -> bool {
        self.kind.owes_power() && self.power.owed().is_some_and(|owed| owed.since == self.asked_at)
    }

    /// The forward step that is in progress or comes next.
    pub fn current(&self) -> Option<&Step> {
        if self.outcome.is_some() { None } else { self.steps.iter().find(|step| !step.is_over()) }
    }

    /// The step that people are shown as in progress: a forward step, or turning the Droplet back on.
    pub fn active_step(&self) -> Option<&Step> {
        match self.focus() {
            Focus::Forward(index) => self.steps.get(index),
            Focus::Back => Some(self.power.back()),
            Focus::Rest => None,
        }
    }

    /// The Action that this operation knows to be its own and running.
    pub fn running_action(&self) -> Option<ActionId> {
        self.active_step().and_then(Step::run).and_then(|run: &Run| run.action)
    }

    /// Whether the Droplet was on before or after its Snapshot was taken, although the bot shut it down.
    pub fn may_have_been_taken_live(&self) -> bool {
        let was_shut_down = self.steps.iter().any(|step| step.task().turns_off() && step.is_done());
        was_shut_down && self.taken_off == Some(false)
    }

    /// The tag that marks a Droplet as created by this operation, by which it is found if the answer was lost.
    pub fn tag(&self) -> String {
        launch_tag(self.id)
    }
}

/// How the tag begins that marks a Droplet as created by an operation.
pub const LAUNCH_TAG: &str = "snapshot-bot-";

/// The tag that marks a Droplet as created by an operation.
pub fn launch_tag(id: OperationId) -> String {
    format!("{LAUNCH_TAG}{id}")
}

/// The longest name that we give a Snapshot. DigitalOcean documents no limit, but its panel shows no more.
const LONGEST_NAME: usize = 200;

/// `<wanted or stem-YYYYMMDD-HHMM>-<operation>`: every name ends in the operation's id, which identifies the Snapshot as ours.
fn snapshot_name_of(wanted: Option<&str>, stem: &str, at: Timestamp, id: OperationId) -> String {
    let short = |name: &str| text::start(&text::one_line(name), LONGEST_NAME).to_owned();
    match wanted.map(short).filter(|wanted| !wanted.is_empty()) {
        Some(wanted) => format!("{wanted}-{id}"),
        None => format!("{}-{}-{id}", short(stem), at.strftime("%Y%m%d-%H%M")),
    }
}

#[cfg(test)]
mod tests;
