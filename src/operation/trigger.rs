//! What an operation comes from: a person's command or press, a schedule, or the run of a group.
//!
//! The store lets each trigger create one operation. A schedule's operation is nobody's conversation: it needs no answer from Discord,
//! asks no question, and has no progress message and no announcement of its own. Its schedule speaks for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Operation,
    ids::{InteractionId, OperationId, RunId, ScheduleId},
};

/// What an operation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// A person's command or press.
    Interaction(InteractionId),
    /// A schedule's time has come.
    Slot {
        /// Whose.
        schedule: ScheduleId,
        /// The time that was planned.
        at: Timestamp,
        /// The latest moment to begin.
        until: Timestamp,
    },
    /// It is a Droplet's turn in the run of a group.
    Member {
        /// Which run.
        run: RunId,
        /// Whose Snapshot it will be.
        schedule: Option<ScheduleId>,
        /// When the run was planned, or begun.
        at: Timestamp,
        /// The latest moment to begin.
        until: Timestamp,
    },
    /// A person had a schedule take one more Snapshot.
    Run {
        /// Which schedule.
        schedule: ScheduleId,
        /// The press.
        interaction: InteractionId,
    },
    /// A schedule's policy does not want a Snapshot any more, as was announced.
    Prune {
        /// Whose policy.
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
    /// The interaction, where a person is behind it.
    pub fn interaction(self) -> Option<InteractionId> {
        match self {
            Self::Interaction(interaction) | Self::Run { interaction, .. } => Some(interaction),
            Self::Slot { .. } | Self::Member { .. } | Self::Prune { .. } => None,
        }
    }

    /// The schedule, where one is behind it.
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

    /// The latest moment at which its first step may begin, where its schedule has set one.
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
