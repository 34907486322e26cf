//! Metrics for operators: which operations ended, how, and how long they took.

use crate::operation::{Operation, step::Step};

/// Counts what one commit changed.
pub(super) fn changes(before: &Operation, after: &Operation) {
    let kind = after.kind.word();
    for step in after.steps.iter().chain([after.power.back()]) {
        let earlier = before.steps.iter().chain([before.power.back()]).find(|earlier| earlier.task() == step.task());
        if step.is_over() && !earlier.is_some_and(Step::is_over) {
            let (task, outcome) = (step.task().word(), if step.is_done() { "done" } else { "not_done" });
            metrics::counter!("snapshot_bot_steps_total", "kind" => kind, "step" => task, "outcome" => outcome)
                .increment(1);
            if let Some(took) = step.took() {
                metrics::histogram!("snapshot_bot_step_seconds", "kind" => kind, "step" => task)
                    .record(took.as_secs_f64());
            }
        }
    }
    if let (None, Some(ended), Some(outcome)) = (before.ended, after.ended, after.outcome()) {
        metrics::counter!("snapshot_bot_operations_total", "kind" => kind, "outcome" => outcome).increment(1);
        metrics::histogram!("snapshot_bot_operation_seconds", "kind" => kind, "outcome" => outcome)
            .record(ended.duration_since(after.asked_at).as_secs_f64());
    }
    match (before.power.owed(), after.power.owed()) {
        (None, Some(_)) => metrics::gauge!("snapshot_bot_power_owed").increment(1),
        (Some(_), None) => metrics::gauge!("snapshot_bot_power_owed").decrement(1),
        (None, None) | (Some(_), Some(_)) => {}
    }
}
