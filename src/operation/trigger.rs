//! What started an operation: a person's command or press, a schedule, or the run of a group.
//!
//! The store lets each trigger create one operation. A schedule's operation is not part of a conversation: it needs no answer from Discord,
//! asks no question, and has no progress message or announcement of its own. Its schedule reports on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Operation,
    ids::{InteractionId, OperationId, RunId, ScheduleId},
};

/// What started an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// A person's command or press.
    Interaction(InteractionId),
    /// A schedule's planned time.
    Slot {
        /// The schedule.
        schedule: ScheduleId,
        /// The time that was planned.
        at: Timestamp,
        /// The latest moment to begin.
        until: Timestamp,
    },
    /// A Droplet's turn in the run of a group.
    Member {
        /// The run.
        run: RunId,
        /// The schedule that the Snapshot will belong to.
        schedule: Option<ScheduleId>,
        /// When the run was planned or started.
        at: Timestamp,
        /// The latest moment to begin.
        until: Timestamp,
    },
    /// A person made a schedule take an extra Snapshot.
    Run {
        /// The schedule.
        schedule: ScheduleId,
        /// The interaction of the button press.
        interaction: InteractionId,
    },
    /// A schedule's policy no longer keeps a Snapshot, as was announced.
    Prune {
        /// The schedule whose policy it is.
        schedule: ScheduleId,
        /// The operation that took the Snapshot.
        taken_by: OperationId,
    },
}

impl From<InteractionId> for Trigger {
    fn from(interaction: InteractionId) -> Self {
        Self::Interaction(interaction)
    }
}

impl Trigger {
    /// The interaction, if a person started the operation.
    pub fn interaction(self) -> Option<InteractionId> {
        match self {
            Self::Interaction(interaction) | Self::Run { interaction, .. } => Some(interaction),
            Self::Slot { .. } | Self::Member { .. } | Self::Prune { .. } => None,
        }
    }

    /// The schedule, if one started the operation.
    pub fn schedule(self) -> Option<ScheduleId> {
        match self {
            Self::Interaction(_) => None,
            Self::Member { schedule, .. } => schedule,
            Self::Slot { schedule, .. } | Self::Run { schedule, .. } | Self::Prune { schedule, .. } => Some(schedule),
        }
    }
}

impl Operation {
    /// Whether a schedule or a group's run began it and no person waits for it. Rows of earlier versions name no trigger: people asked for all of them.
    pub fn is_automatic(&self) -> bool {
        self.trigger.is_some_and(|trigger| trigger.interaction().is_none())
    }

    /// The latest moment at which its first step may begin, if its schedule has set one.
    pub(super) fn window_end(&self) -> Option<Timestamp> {
        match self.trigger? {
            Trigger::Slot { until, .. } | Trigger::Member { until, .. } => Some(until),
            Trigger::Interaction(_) | Trigger::Run { .. } | Trigger::Prune { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_read_from_rows_as_it_was_written() {
        let (schedule, operation) = (ScheduleId::from_random(1), OperationId::from_random(1));
        let at = Timestamp::UNIX_EPOCH;
        for (trigger, row) in [
            (Trigger::Interaction(InteractionId(5)), r#"{"Interaction":5}"#),
            (
                Trigger::Slot { schedule, at, until: at },
                r#"{"Slot":{"schedule":"100000","at":"1970-01-01T00:00:00Z","until":"1970-01-01T00:00:00Z"}}"#,
            ),
            (
                Trigger::Member { run: RunId::from_random(1), schedule: None, at, until: at },
                r#"{"Member":{"run":"1000000","schedule":null,"at":"1970-01-01T00:00:00Z","until":"1970-01-01T00:00:00Z"}}"#,
            ),
            (
                Trigger::Run { schedule, interaction: InteractionId(5) },
                r#"{"Run":{"schedule":"100000","interaction":5}}"#,
            ),
            (
                Trigger::Prune { schedule, taken_by: operation },
                r#"{"Prune":{"schedule":"100000","taken_by":"10000000"}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&trigger).unwrap(), row);
            assert_eq!(serde_json::from_str::<Trigger>(row).unwrap(), trigger);
        }
    }
}
