//! Evaluates looks at DigitalOcean's own Backups: whether the Backups that would be deleted are the ones that somebody confirmed, and
//! whether a Backup has become a Snapshot.

use jiff::Timestamp;

use super::{
    Focus, Operation, Rules,
    backoff::later,
    reading::{Failure, ImageReading, SnapshotReading},
    step::{State, Step, Task},
};

/// How long a completed conversion may still read as a Backup before the bot reports a failure.
const CONVERSION_PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(30);

impl Operation {
    /// Disabling deletes every Backup that exists by then. A Backup made after somebody confirmed must be confirmed first.
    pub(super) fn check_backups(&mut self, focus: Focus, readings: &[SnapshotReading], now: Timestamp) {
        let asked_about = self.kind.backups_to_delete();
        let is_known = |backup: &SnapshotReading| asked_about.iter().any(|known| known.id == backup.id);
        if !readings.iter().all(is_known) {
            return self.fail_step(focus, Failure::ChangedMeanwhile, now);
        }
        if let Some(Step { state: State::Waiting(checks), .. }) = self.step_mut(focus) {
            checks.backups = true;
        }
    }

    /// Handles a look at the image that is to become a Snapshot.
    pub(super) fn see_image(&mut self, focus: Focus, reading: ImageReading, rules: &Rules, now: Timestamp) {
        if !reading.is_backup {
            self.snapshot = Some(reading.snapshot);
            return self.complete(focus, now);
        }
        let Some(step) = self.step_at(focus) else { return };
        let began = step.began.unwrap_or(now);
        match step.state.clone() {
            // The lost command may still convert the Backup.
            State::Intended { .. } => self.empty_round(focus, rules, now),
            State::Running(run) => {
                let broken = run.broken.is_some_and(|broken| now >= later(broken, rules.settle_time * 2));
                let late = run.completed.is_some_and(|completed| now >= later(completed, CONVERSION_PATIENCE));
                match (broken, late) {
                    (true, _) => self.fail_step(focus, Failure::ActionVanished, now),
                    (false, true) => self.fail_step(focus, Failure::NotListed, now),
                    (false, false) => {
                        self.obstacle = None;
                        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
                            run.unknown_since = None;
                        }
                        self.look_again(focus, Task::KeepBackup, began, rules, now);
                    }
                }
            }
            State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => {}
        }
    }

    /// DigitalOcean does not know the image. While a conversion runs, a single answer like that is not believed.
    pub(super) fn miss_image(&mut self, focus: Focus, rules: &Rules, now: Timestamp) {
        let pause = rules.doubt_pause();
        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
            run.looks = run.looks.saturating_add(1);
            let since = *run.unknown_since.get_or_insert(now);
            if now < later(since, pause) {
                self.timer.ask_at(later(since, pause));
                return;
            }
        }
        self.fail_step(focus, Failure::SnapshotGone, now);
    }
}
