//! What an operation owes a Droplet: turning it back on.
//!
//! This part only ever turns Droplets on. The duty is committed in the same transaction as the intent that may turn the Droplet off. It
//! ends when the Droplet is seen active and nothing of ours can turn it off any longer, when the Droplet no longer exists, when somebody
//! else turned it off after us, or when a person says so.
//!
//! ```text
//!              owe                    see_on, an off may still land
//!   Nothing ─────────▶ Owed ────────────────────────────────▶ Watched
//!      ▲                │ ▲                                     │  │
//!      │     see_on     │ └────────────── see_off ──────────────┘  │
//!      └────────────────┴──────────────── see_on, later ───────────┘
//!   Owed, Watched ── release ──▶ Released      (a person takes it over)
//!   Owed, Watched ── theirs ───▶ Theirs        (somebody else turned it off)
//!   any           ── gone ─────▶ Gone          (the Droplet does not exist)
//! ```

mod calls;
mod duty;
mod row;
mod status;
mod visibility;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    backoff::later,
    ids::UserId,
    reading::{Failure, PowerState},
    step::{Checks, State, Step, Work},
};
use calls::Calls;
pub use calls::Stuck;
use duty::{Duty, History};
pub use duty::{Owed, Release, Released, Theirs};
use row::Row;
pub use status::Status;
use visibility::Visibility;

/// How long after its intent a shutdown may still take effect, although the Droplet reads `active`: a guest may delay the request, and
/// DigitalOcean's `completed` says only that it was delivered.
pub const LATE_OFF: SignedDuration = SignedDuration::from_mins(15);

const _: () = assert!(
    visibility::BLIND_AFTER.as_secs() < calls::CALL_AFTER.as_secs(),
    "the cure is tried before people are called"
);

/// The power side of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Power {
    /// The Droplet's power state when we first looked.
    before: Option<PowerState>,
    duty: Duty,
    /// The step that fulfils the duty.
    back: Step,
    /// Whether the Droplet was seen off while we owed it power.
    seen_off: bool,
    /// When this operation first intended to turn the Droplet on.
    on_intended_at: Option<Timestamp>,
    /// Whether a person wants the Droplet on as soon as possible.
    hurried: bool,
    /// How many attempts to turn it on have failed since it was last seen active.
    failures: u32,
    calls: Calls,
    visibility: Visibility,
    history: History,
}

impl Default for Power {
    fn default() -> Self {
        Self {
            before: None,
            duty: Duty::Nothing,
            back: Step::new(Work::PowerOn),
            seen_off: false,
            on_intended_at: None,
            hurried: false,
            failures: 0,
            calls: Calls::default(),
            visibility: Visibility::default(),
            history: History::default(),
        }
    }
}

/// Queries for the rules.
impl Power {
    /// Whether the Droplet may be off because of us and has not been seen on since.
    pub fn is_owed(&self) -> bool {
        matches!(self.duty, Duty::Owed(_))
    }

    /// Whether it was seen on, but is watched because a command of ours may still turn it off.
    pub fn is_watched(&self) -> bool {
        matches!(self.duty, Duty::Watched(_))
    }

    /// What is owed, including while the Droplet is only watched.
    pub fn owed(&self) -> Option<Owed> {
        match &self.duty {
            Duty::Owed(owed) | Duty::Watched(owed) => Some(*owed),
            Duty::Nothing | Duty::Theirs(_) | Duty::Released(_) | Duty::Gone => None,
        }
    }

    /// The Droplet's power state when we first looked.
    pub fn before(&self) -> Option<PowerState> {
        self.before
    }

    /// The step that turns the Droplet on. It is never part of a plan, but always owed.
    pub fn back(&self) -> &Step {
        &self.back
    }

    /// Whether the Droplet is being turned on right now, which is too late to leave it off. Not while that fails again and again.
    pub fn is_turning_on(&self) -> bool {
        self.stuck().is_none() && matches!(self.back.state, State::Intended { .. } | State::Running(_))
    }

    pub(super) fn back_mut(&mut self) -> &mut Step {
        &mut self.back
    }

    /// Whether the Droplet was seen off while we owed it power.
    pub fn was_seen_off(&self) -> bool {
        self.seen_off
    }

    /// Whether this operation has told the Droplet to turn on, or was about to. After that it sends nothing that needs the Droplet off.
    pub fn was_told_to_turn_on(&self) -> bool {
        self.on_intended_at.is_some()
    }

    /// Whether a person wants the Droplet on before everything that needs it off is done.
    pub fn is_hurried(&self) -> bool {
        self.hurried && self.is_owed()
    }

    /// Whether a person ever asked for the Droplet to be turned on early.
    pub fn was_hurried(&self) -> bool {
        self.hurried
    }

    /// Whether an off sent before the latest one may still land, or has landed.
    pub(super) fn may_be_off_by_earlier(&self) -> bool {
        self.seen_off || self.owed().and_then(|owed| owed.earlier_until).is_some()
    }

    /// Whether an off of ours may still land.
    pub(super) fn may_land_late(&self) -> bool {
        self.owed().and_then(|owed| owed.late_until).is_some()
    }

    /// Whether the duty could pass to a newer operation: no command of ours is in flight or being carried out.
    pub(super) fn may_be_handed_over(&self) -> bool {
        matches!(self.back.state, State::Waiting(_) | State::Skipped | State::Done { .. })
    }

    /// How many attempts to turn it on have failed since it was last seen active.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// Changes made by the forward steps and by turning the Droplet back on.
impl Power {
    /// Records the power state seen before any command was sent, or after somebody turned the Droplet on meanwhile.
    pub(super) fn note_before(&mut self, power: PowerState) {
        self.before = Some(power);
    }

    /// Records that a command is about to be sent that may turn the Droplet off: from now on power is owed, if the Droplet was on.
    /// `gets_on` says whether the command counts as progress; people are called a while after the last one that does.
    pub(super) fn owe(&mut self, now: Timestamp, gets_on: bool) {
        if self.before != Some(PowerState::On) || matches!(self.duty, Duty::Released(_) | Duty::Gone) {
            return;
        }
        self.history.went_off.get_or_insert(now);
        let earlier = self.owed();
        self.duty = Duty::Owed(Owed {
            since: earlier.map_or(now, |owed| owed.since),
            late_until: Some(later(now, LATE_OFF)),
            earlier_until: earlier.and_then(|owed| owed.late_until),
        });
        if gets_on || earlier.is_none() {
            self.get_on(now);
        }
    }

    /// Takes on the duty to turn on a Droplet that nothing of ours has turned off.
    pub(super) fn take_on(&mut self, since: Timestamp) {
        self.before = Some(PowerState::On);
        self.seen_off = true;
        self.duty = Duty::Owed(Owed { since, late_until: None, earlier_until: None });
    }

    /// Gives up only a duty that [`take_on`](Self::take_on) created: what an older operation owed is still owed.
    pub(super) fn give_up(&mut self, since: Timestamp) {
        if self.owed().is_some_and(|owed| owed.since == since && owed.late_until.is_none())
            && self.on_intended_at.is_none()
        {
            self.duty = Duty::Nothing;
            self.back.state = State::Skipped;
        }
    }

    /// Takes over a duty of which only the database row is left.
    pub(super) fn rescue(&mut self, owed: Owed) {
        self.before = Some(PowerState::On);
        self.owe(owed.since, true);
        self.duty = Duty::Owed(owed);
    }

    /// Takes over what an ended operation still owes the same Droplet. Returns whether there was anything.
    pub(super) fn inherit(&mut self, older: &mut Self) -> bool {
        let Some(owed) = older.owed() else { return false };
        older.back.state = State::Skipped;
        self.before = Some(PowerState::On);
        // A Droplet that is on again begins another downtime.
        let since = older.history.went_off.or(Some(owed.since));
        self.history.went_off = if older.is_watched() { None } else { since };
        self.seen_off = older.seen_off;
        let is_to_be_on = self.is_owed();
        // A duty that was only watched stays so: nobody is called for a Droplet last seen on, unless somebody wants it on.
        self.duty = std::mem::take(&mut older.duty);
        if is_to_be_on {
            self.duty = Duty::Owed(owed);
        }
        true
    }

    /// Records that a person wants the Droplet on as soon as possible.
    pub(super) fn hurry(&mut self) {
        self.hurried = true;
    }

    /// Records that a person accepts the long downtime: nobody is called for a while.
    pub(super) fn keep_waiting(&mut self, at: Timestamp) {
        self.calls.keep_quiet(at);
    }

    /// Records that a command to turn the Droplet on is about to be sent.
    pub(super) fn intend_on(&mut self, now: Timestamp) {
        self.on_intended_at.get_or_insert(now);
        self.visibility.turn_on(now);
    }

    /// Adapts the state to a process that newly takes up the operation: looks that failed in another process no longer count, and no stored
    /// time lies in the future. If the process `is_in_time`, a late off is watched for its whole time again.
    pub(super) fn restart(&mut self, is_in_time: bool, now: Timestamp) {
        self.calls.restart(now);
        self.visibility.restart(now);
        let History { went_off, came_back, after: _, repaired } = &mut self.history;
        for moment in [went_off, came_back, repaired, &mut self.on_intended_at] {
            *moment = moment.map(|moment| moment.min(now));
        }
        match &mut self.duty {
            Duty::Owed(owed) | Duty::Watched(owed) => {
                owed.since = owed.since.min(now);
                let longest = later(now, LATE_OFF);
                for until in [&mut owed.late_until, &mut owed.earlier_until] {
                    // If this clock is ahead of the earlier process's, the stored time would end before the shutdown lands.
                    *until = until.map(|until| if is_in_time { longest } else { until.min(longest) });
                }
            }
            Duty::Released(release) => release.at = release.at.min(now),
            Duty::Theirs(theirs) => theirs.at = theirs.at.min(now),
            Duty::Nothing | Duty::Gone => {}
        }
        self.back.restart(now);
    }

    /// Applies what follows from time alone: calls people, and decides to turn on a Droplet that cannot be looked at.
    pub(super) fn judge(&mut self, is_restoring: bool, now: Timestamp) {
        if !self.is_owed() {
            return self.visibility.on_reading();
        }
        self.calls.judge(now);
        if self.visibility.judge(is_restoring, now) {
            self.back.state = State::Waiting(Checks::default());
        }
    }

    /// Records that somebody else turned the Droplet off after us.
    pub(super) fn mark_theirs(&mut self, theirs: Theirs) {
        self.duty = Duty::Theirs(theirs);
        self.before = Some(PowerState::Off);
        self.back.state = State::Skipped;
    }

    /// Records that the Droplet is off, but never because of us.
    pub(super) fn mark_never_ours(&mut self) {
        self.duty = Duty::Nothing;
        self.before = Some(PowerState::Off);
        self.history.went_off = None;
        self.back.state = State::Skipped;
    }

    /// Records that the Droplet no longer exists.
    pub(super) fn mark_gone(&mut self) {
        self.duty = Duty::Gone;
        self.back.state = State::Skipped;
    }

    /// Records that the latest command has ended, or never took effect: it can no longer turn the Droplet off. Commands before it still
    /// may.
    pub(super) fn settle(&mut self) {
        if let Duty::Owed(owed) | Duty::Watched(owed) = &mut self.duty {
            owed.late_until = owed.earlier_until;
        }
    }

    /// Records that the command to turn off was certainly not carried out. The duty stays until the Droplet is seen active, but the
    /// downtime has not begun.
    pub(super) fn withdraw(&mut self) {
        self.settle();
        if !self.seen_off {
            self.history.went_off = None;
        }
    }

    /// Records that the Droplet was seen off while we owe it power, although the command to turn it off may not be over.
    pub(super) fn note_off(&mut self, now: Timestamp) {
        let Some(owed) = self.owed() else { return };
        if owed.late_until.is_some() {
            self.history.went_off.get_or_insert(now);
        }
        if !self.seen_off || self.is_watched() {
            self.get_on(now);
        }
        self.seen_off = true;
    }

    /// Records that the Droplet was seen off while we owe it power: whichever command was to turn it off has done so.
    pub(super) fn see_off(&mut self, now: Timestamp) {
        let Some(owed) = self.owed() else { return };
        self.note_off(now);
        self.duty = Duty::Owed(Owed { late_until: None, earlier_until: None, ..owed });
    }

    /// Records that the Droplet was seen off while the answer to our own off is lost: that command may still be carried out, and turn the
    /// Droplet off again.
    pub(super) fn see_off_in_doubt(&mut self, lost_until: Timestamp, now: Timestamp) {
        self.see_off(now);
        if let Duty::Owed(owed) = &mut self.duty {
            owed.late_until = Some(lost_until);
        }
    }

    /// Records that the Droplet was seen active, which fulfils the duty unless a late off is still possible.
    pub(super) fn see_on(&mut self, now: Timestamp, ended: bool) {
        let Some(owed) = self.owed() else { return };
        self.get_on(now);
        if owed.late_until.is_some_and(|until| now < until) {
            self.duty = Duty::Watched(owed);
            return;
        }
        self.duty = Duty::Nothing;
        self.failures = 0;
        if self.seen_off {
            self.history.came_back = Some(now);
            self.history.repaired = ended.then_some(now);
        }
        // If DigitalOcean refused to turn on a Droplet that is now on, it may have carried out the command anyway, so do not report that
        // somebody else was quicker.
        let turned_on_by_us =
            matches!(self.back.state, State::Running(_) | State::Intended { .. }) || self.was_told_to_turn_on();
        self.back.state = if turned_on_by_us { State::Done { at: now } } else { State::Skipped };
    }

    /// Records the Droplet's power state right after a restore.
    pub(super) fn note_after(&mut self, power: Option<PowerState>) {
        self.history.after = power;
    }

    /// Records that an attempt to turn the Droplet on failed: the next one starts with a new look.
    pub(super) fn fail(&mut self, why: Option<Failure>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.back.state = State::Waiting(Checks::default());
        let hopeless = matches!(why, Some(Failure::Unauthorized | Failure::OtherAccount | Failure::Forbidden { .. }));
        // It was last seen on, and a late off still has time to land: nobody is called for that.
        let has_time_left = self.owed().is_some_and(|owed| owed.late_until.is_some_and(|until| now < until));
        let is_called_for = !(self.is_watched() && has_time_left);
        if is_called_for && (hopeless || self.failures >= 2) {
            self.calls.call_for(why, now);
        }
    }

    /// Records that a person takes over the duty.
    pub(super) fn release(&mut self, by: UserId, how: Released, at: Timestamp) {
        if self.owed().is_some() {
            self.duty = Duty::Released(Release { by, at, how });
            self.back.state = State::Skipped;
        }
    }
}
