//! One log line for each change made by a commit, so that the log of a night shows what happened, in which step, and why.

use crate::operation::{
    Blocker, Operation,
    power::Status,
    step::{State, Step},
};

/// Logs what one commit changed.
pub(super) fn changes(before: &Operation, after: &Operation) {
    let span = tracing::info_span!(
        "commit",
        operation.id = %after.id,
        kind = after.kind.word(),
        droplet.id = after.target.droplet.map(|droplet| droplet.0),
        droplet.name = after.target.name,
        guild.id = after.requester.guild.0,
    );
    let _entered = span.enter();
    for step in after.steps.iter().chain([after.power.back()]) {
        let earlier = before.steps.iter().chain([before.power.back()]).find(|earlier| earlier.task() == step.task());
        step_changed(earlier, step);
    }
    if before.obstacle != after.obstacle {
        obstacle_changed(after);
    }
    if let (None, Some(question)) = (&before.question, &after.question) {
        tracing::info!(?question, "asks what to do");
    }
    if let (None, Some(cancelled)) = (before.cancelled, after.cancelled) {
        tracing::info!(by = cancelled.by.map(|user| user.0), "cancelled");
    }
    power_changed(before.power.status(), after.power.status());
    if let (None, Some(_), Some(outcome)) = (before.ended, after.ended, after.outcome()) {
        tracing::info!(outcome, "the operation ended");
    }
}

fn step_changed(before: Option<&Step>, after: &Step) {
    let (step, state) = (after.task().word(), word(&after.state));
    if before.map_or("waiting", |before| word(&before.state)) == state {
        return;
    }
    match &after.state {
        State::Failed { why, .. } => tracing::warn!(step, state, reason = ?why, "step"),
        State::Running(run) => tracing::info!(step, state, action = run.action.map(|action| action.0), "step"),
        State::Waiting(_) | State::Intended { .. } | State::Done { .. } | State::Skipped => {
            tracing::info!(step, state, "step");
        }
    }
}

/// The state in one word; changes within a state are not logged.
fn word(state: &State) -> &'static str {
    match state {
        State::Waiting(_) => "waiting",
        State::Intended { doubt: None, .. } => "intended",
        State::Intended { doubt: Some(_), .. } => "answer lost",
        State::Running(_) => "running",
        State::Done { .. } => "done",
        State::Skipped => "skipped",
        State::Failed { .. } => "failed",
    }
}

fn obstacle_changed(after: &Operation) {
    match after.obstacle.as_ref().map(|obstacle| &obstacle.what) {
        // With many operations, most of them wait like this most of the time.
        Some(Blocker::Turn | Blocker::Throttled) | None => tracing::debug!(obstacle = ?after.obstacle, "waits"),
        Some(what) => tracing::info!(obstacle = ?what, "waits"),
    }
}

/// Logs changes of the power status: an operator must not miss a Droplet that is off without progress.
fn power_changed(before: Status<'_>, after: Status<'_>) {
    let is_same = std::mem::discriminant(&before) == std::mem::discriminant(&after);
    match after {
        Status::Stuck(stuck) if before != after => {
            tracing::warn!(?stuck, "power: off and not getting on, people are called");
        }
        _ if is_same => {}
        Status::Owed => tracing::info!("power: owed"),
        Status::Back(downtime) => tracing::info!(seconds = downtime.as_secs(), "power: back on"),
        Status::Theirs(theirs) => tracing::warn!(?theirs, "power: somebody else turned it off, it stays off"),
        Status::Released(release) => tracing::info!(?release, "power: a person takes care of it"),
        Status::Gone => tracing::warn!("power: the Droplet does not exist any more"),
        Status::Watched(until) => tracing::debug!(?until, "power: on, a late off is still possible"),
        Status::Untouched | Status::OffBefore | Status::Stuck(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        discord::messages::examples::{
            ago, completed, failed, powering_on, released, shutting_down, taking, theirs, waiting,
        },
        operation::{
            Obstacle,
            power::{Released, Stuck},
            reading::Failure,
        },
        telemetry::captured::logged,
    };

    fn lines(before: &Operation, after: &Operation) -> Vec<String> {
        logged(|| changes(before, after)).lines().map(|line| line.trim().to_owned()).collect()
    }

    /// The level and message of each line, after checking that every line names its operation.
    fn said(lines: &[String]) -> Vec<String> {
        let said = lines.iter().map(|line| {
            let span =
                r#"commit{operation.id=7f3kq2xa kind="take" droplet.id=11 droplet.name="web-1" guild.id=1}: snapshot_bot::worker::commit_log: "#;
            assert!(line.contains(span), "{line}");
            line.replace(span, "")
        });
        said.collect()
    }

    #[test]
    fn a_night_can_be_read_step_by_step() {
        let story = [waiting(), shutting_down(), taking(), powering_on(), completed()];
        let told: Vec<String> = story.windows(2).flat_map(|pair| said(&lines(&pair[0], &pair[1]))).collect();
        assert_eq!(
            told,
            [
                r#"INFO step step="shut_down" state="running""#,
                "INFO power: owed",
                r#"INFO step step="shut_down" state="done""#,
                r#"INFO step step="snapshot" state="running""#,
                r#"INFO step step="snapshot" state="done""#,
                r#"INFO step step="power_on" state="running""#,
                r#"INFO step step="power_on" state="done""#,
                "INFO power: back on seconds=192",
                r#"INFO the operation ended outcome="completed""#,
            ]
        );
    }

    #[test]
    fn what_did_not_change_is_not_said_again() {
        for operation in [waiting(), taking(), completed(), failed(Failure::Hung), theirs()] {
            assert_eq!(lines(&operation, &operation), [""; 0]);
        }
    }

    #[test]
    fn a_failure_warns_and_says_why() {
        let said = said(&lines(&taking(), &failed(Failure::ActionErrored)));
        let warned = said.iter().any(|line| line.starts_with("WARN") && line.contains("ActionErrored"));
        assert!(warned, "{said:#?}");
    }

    #[test]
    fn power_that_a_person_must_see_to_warns() {
        let mut stuck = taking();
        stuck.power.edit(|power| power.stuck = Some(Stuck { since: ago(5), why: None }));
        for (after, level) in [(stuck, "WARN"), (theirs(), "WARN"), (released(Released::Handled), "INFO")] {
            let said = said(&lines(&taking(), &after));
            assert!(said.iter().any(|line| line.starts_with(level) && line.contains("power: ")), "{said:#?}");
        }
    }

    #[test]
    fn what_is_waited_for_is_said_unless_it_is_only_a_turn() {
        let waits = |what| {
            let mut operation = taking();
            operation.obstacle = Some(Obstacle { what, since: ago(5) });
            operation
        };
        let said = said(&lines(&taking(), &waits(Blocker::Locked)));
        assert!(matches!(said.as_slice(), [line] if line.contains("Locked")), "{said:#?}");
        assert_eq!(lines(&taking(), &waits(Blocker::Turn)), [""; 0]);
    }
}
