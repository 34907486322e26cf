//! An operation as stored in its row, before its steps are checked against its kind.
//!
//! A row names only each step's task; what the task works with is stored in the kind. A pair that does not fit makes the row unreadable. An
//! unreadable row is ended in a way that keeps what is owed; taken as it is, it would wait forever.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Baseline, Cancelled, Decision, Denied, FirstAnswer, Launched, Missing, Obstacle, Operation, Outcome, Power,
    Question, Requester, SnapshotReading, Target, TypicalDurations, announce::Tell, ids::OperationId,
    inherited::Inherited, kinds::Kind, step::StepRow, timer::Timer, trigger::Trigger, warning::Warning,
};

/// The fields of a row; [`Operation`] documents what each means.
#[derive(Deserialize)]
pub(super) struct Row {
    id: OperationId,
    kind: Kind,
    #[serde(rename = "asker")]
    requester: Requester,
    asked_at: Timestamp,
    target: Target,
    snapshot_name: String,
    #[serde(rename = "usual")]
    typical: TypicalDurations,
    steps: Vec<StepRow>,
    power: Power,
    baseline: Baseline,
    obstacle: Option<Obstacle>,
    question: Option<Question>,
    #[serde(default)]
    questions: u32,
    #[serde(default)]
    decision: Option<Decision>,
    cancelled: Option<Cancelled>,
    #[serde(rename = "verdict")]
    outcome: Option<Outcome>,
    snapshot: Option<SnapshotReading>,
    launched: Option<Launched>,
    ended: Option<Timestamp>,
    #[serde(rename = "not_before")]
    timer: Timer,
    #[serde(default)]
    missing: Option<Missing>,
    #[serde(default)]
    denied: Option<Denied>,
    #[serde(default)]
    unattended: bool,
    #[serde(default)]
    unattended_since_decision: bool,
    #[serde(default)]
    taken_off: Option<bool>,
    #[serde(default)]
    first_answer: FirstAnswer,
    #[serde(default)]
    trigger: Option<Trigger>,
    #[serde(default)]
    tell: Tell,
    #[serde(default)]
    warning: Option<Warning>,
    #[serde(default)]
    inherited: Option<Inherited>,
}

/// Why a step in a row cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnfitStep {
    /// The operation's kind has no use for the step.
    #[error("a {kind} has nothing that its step {task} could work with")]
    Foreign { kind: &'static str, task: &'static str },
    /// The step needs a Droplet, and the row names none.
    #[error("the step {task} needs a Droplet, and there is none")]
    WithoutDroplet { task: &'static str },
}

impl TryFrom<Row> for Operation {
    type Error = UnfitStep;

    fn try_from(row: Row) -> Result<Self, UnfitStep> {
        let step = |step: StepRow| {
            let task = step.task;
            let foreign = UnfitStep::Foreign { kind: row.kind.word(), task: task.word() };
            let step = step.with(row.kind.work(task).ok_or(foreign)?);
            let lacks_droplet = row.target.droplet.is_none() && task.traits().needs_baseline && !step.is_over();
            if lacks_droplet { Err(UnfitStep::WithoutDroplet { task: task.word() }) } else { Ok(step) }
        };
        let steps = row.steps.into_iter().map(step).collect::<Result<_, _>>()?;
        Ok(Self {
            id: row.id,
            kind: row.kind,
            requester: row.requester,
            asked_at: row.asked_at,
            target: row.target,
            snapshot_name: row.snapshot_name,
            typical: row.typical,
            steps,
            power: row.power,
            baseline: row.baseline,
            obstacle: row.obstacle,
            question: row.question,
            questions: row.questions,
            decision: row.decision,
            cancelled: row.cancelled,
            outcome: row.outcome,
            snapshot: row.snapshot,
            launched: row.launched,
            ended: row.ended,
            timer: row.timer,
            missing: row.missing,
            denied: row.denied,
            unattended: row.unattended,
            unattended_since_decision: row.unattended_since_decision,
            taken_off: row.taken_off,
            first_answer: row.first_answer,
            trigger: row.trigger,
            tell: row.tell,
            warning: row.warning,
            inherited: row.inherited,
        })
    }
}
