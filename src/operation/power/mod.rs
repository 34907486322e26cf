//! What an operation owes a Droplet: to be on again.
//!
//! Power back only ever turns on. The duty is written in the transaction of the intent that may turn the Droplet off. It ends when the
//! Droplet is seen active and nothing of ours can turn it off any more, when the Droplet does not exist any more, when somebody else
//! turned it off after us, or when a person says so.
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
mod sight;
mod status;

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
use sight::Sight;
pub use status::Status;

/// How long after its intent a shutdown may still take effect, although the Droplet reads `active`: a guest may sit on the
/// request, and DigitalOcean's `completed` says only that it was delivered.
pub const LATE_OFF: SignedDuration = SignedDuration::from_mins(15);

const _: () =
    assert!(sight::BLIND_AFTER.as_secs() < calls::CALL_AFTER.as_secs(), "the cure is tried before people are called");

/// The power side of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Power {
    /// How the Droplet was when we first looked.
    before: Option<PowerState>,
    duty: Duty,
    /// The step that fulfils the duty.
    back: Step,
    /// The Droplet was seen off while we owed.
    seen_off: bool,
    /// When this operation first intended to turn the Droplet on.
    on_intended_at: Option<Timestamp>,
    /// A person wants the Droplet on as soon as possible.
    hurried: bool,
    /// Attempts to turn it on that failed since it was last seen active.
    failures: u32,
    calls: Calls,
    sight: Sight,
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
            sight: Sight::default(),
            history: History::default(),
        }
    }
}

/// What the rules ask.
impl Power {
    /// Whether the Droplet may be off because of us and was not seen on since.
    pub fn is_owed(&self) -> bool {
        matches!(self.duty, Duty::Owed(_))
    }

    /// Whether it was seen on, and is watched because what we sent may still turn it off.
    pub fn is_watched(&self) -> bool {
        matches!(self.duty, Duty::Watched(_))
    }

    /// What is owed; also while the Droplet is only watched.
    pub fn owed(&self) -> Option<Owed> {
        match &self.duty {
            Duty::Owed(owed) | Duty::Watched(owed) => Some(*owed),
            Duty::Nothing | Duty::Theirs(_) | Duty::Released(_) | Duty::Gone => None,
        }
    }

    /// How the Droplet was when we first looked.
    pub fn before(&self) -> Option<PowerState> {
        self.before
    }

    /// The step that turns the Droplet on: never planned, always owed.
    pub fn back(&self) -> &Step {
        &self.back
    }

    /// Whether it is being turned on at this moment: too late to leave it off. While that fails again and again, it is not.
    pub fn is_turning_on(&self) -> bool {
        self.stuck().is_none() && matches!(self.back.state, State::Intended { .. } | State::Running(_))
    }

    pub(super) fn back_mut(&mut self) -> &mut Step {
        &mut self.back
    }

    /// Whether the Droplet was seen off while we owed.
    pub fn was_seen_off(&self) -> bool {
        self.seen_off
    }

    /// Whether this operation has told the Droplet to turn on, or was about to. Nothing that needs it off is sent after that.
    pub fn was_told_to_turn_on(&self) -> bool {
        self.on_intended_at.is_some()
    }

    /// Whether a person wants the Droplet on before everything was done that it is off for.
    pub fn is_hurried(&self) -> bool {
        self.hurried && self.is_owed()
    }

    /// Whether a person ever wanted that.
    pub fn was_hurried(&self) -> bool {
        self.hurried
    }

    /// Whether an off that was sent before the latest one may still land, or has landed.
    pub(super) fn may_be_off_by_earlier(&self) -> bool {
        self.seen_off || self.owed().and_then(|owed| owed.earlier_until).is_some()
    }

    /// Whether an off of ours may still land.
    pub(super) fn may_land_late(&self) -> bool {
        self.owed().and_then(|owed| owed.late_until).is_some()
    }

    /// Whether it could pass to a newer operation: no command of ours is under way.
    pub(super) fn may_be_handed_over(&self) -> bool {
        matches!(self.back.state, State::Waiting(_) | State::Skipped | State::Done { .. })
    }

    /// Attempts to turn it on that failed since it was last seen active.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// What the forward steps and power back write.
impl Power {
    /// A look before anything was sent, or at a Droplet that somebody turned on meanwhile.
    pub(super) fn note_before(&mut self, power: PowerState) {
        self.before = Some(power);
    }

    /// A command that may turn the Droplet off is about to leave: from here on we owe, if the Droplet was on. People are called a while after
    /// the last one that got it any further.
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

    /// The Droplet is to be on, although nothing that we sent has turned it off.
    pub(super) fn take_on(&mut self, since: Timestamp) {
        self.before = Some(PowerState::On);
        self.seen_off = true;
        self.duty = Duty::Owed(Owed { since, late_until: None, earlier_until: None });
    }

    /// Gives up what was taken on and nothing else: what an older operation owed stays owed.
    pub(super) fn give_up(&mut self, since: Timestamp) {
        if self.owed().is_some_and(|owed| owed.since == since && owed.late_until.is_none())
            && self.on_intended_at.is_none()
        {
            self.duty = Duty::Nothing;
            self.back.state = State::Skipped;
        }
    }

    /// Takes over a duty of which only its row is left.
    pub(super) fn rescue(&mut self, owed: Owed) {
        self.before = Some(PowerState::On);
        self.owe(owed.since, true);
        self.duty = Duty::Owed(owed);
    }

    /// Takes over what an ended operation still owes the same Droplet; whether there was anything.
    pub(super) fn inherit(&mut self, older: &mut Self) -> bool {
        let Some(owed) = older.owed() else { return false };
        older.back.state = State::Skipped;
        self.before = Some(PowerState::On);
        self.history.went_off = older.history.went_off.or(Some(owed.since));
        self.seen_off = older.seen_off;
        let is_to_be_on = self.is_owed();
        // What was only watched is: nobody is called for a Droplet that was last seen on, unless somebody wants it on.
        self.duty = std::mem::take(&mut older.duty);
        if is_to_be_on {
            self.duty = Duty::Owed(owed);
        }
        true
    }

    /// A person wants the Droplet on as soon as possible.
    pub(super) fn hurry(&mut self) {
        self.hurried = true;
    }

    /// A person knows that the Droplet is off for longer than expected, and it may stay so: nobody is called for a while.
    pub(super) fn keep_waiting(&mut self, at: Timestamp) {
        self.calls.keep_quiet(at);
    }

    /// A command to turn the Droplet on is about to leave.
    pub(super) fn intend_on(&mut self, now: Timestamp) {
        self.on_intended_at.get_or_insert(now);
        self.sight.turn_on(now);
    }

    /// A process takes it up that has not had it before: looks that failed in another one count no more, and no moment lies ahead. What was
    /// watched is watched for its whole time again, if the process `is_in_time`.
    pub(super) fn restart(&mut self, is_in_time: bool, now: Timestamp) {
        self.calls.restart(now);
        self.sight.restart(now);
        let History { went_off, came_back, after: _, repaired } = &mut self.history;
        for moment in [went_off, came_back, repaired, &mut self.on_intended_at] {
            *moment = moment.map(|moment| moment.min(now));
        }
        match &mut self.duty {
            Duty::Owed(owed) | Duty::Watched(owed) => {
                owed.since = owed.since.min(now);
                let longest = later(now, LATE_OFF);
                for until in [&mut owed.late_until, &mut owed.earlier_until] {
                    // By a clock that is ahead of the earlier process's, the time would be over before the shutdown lands.
                    *until = until.map(|until| if is_in_time { longest } else { until.min(longest) });
                }
            }
            Duty::Released(release) => release.at = release.at.min(now),
            Duty::Theirs(theirs) => theirs.at = theirs.at.min(now),
            Duty::Nothing | Duty::Gone => {}
        }
        self.back.restart(now);
    }

    /// Draws the conclusions of time: people are called, and a Droplet that cannot be looked at is turned on all the same.
    pub(super) fn judge(&mut self, is_restoring: bool, now: Timestamp) {
        if !self.is_owed() {
            return self.sight.on_reading();
        }
        self.calls.judge(now);
        if self.sight.judge(is_restoring, now) {
            self.back.state = State::Waiting(Checks::default());
        }
    }

    /// Somebody else turned the Droplet off after us.
    pub(super) fn is_theirs(&mut self, theirs: Theirs) {
        self.duty = Duty::Theirs(theirs);
        self.before = Some(PowerState::Off);
        self.back.state = State::Skipped;
    }

    /// The Droplet is off, and never by us.
    pub(super) fn was_never_ours(&mut self) {
        self.duty = Duty::Nothing;
        self.before = Some(PowerState::Off);
        self.history.went_off = None;
        self.back.state = State::Skipped;
    }

    /// The Droplet does not exist any more.
    pub(super) fn is_gone(&mut self) {
        self.duty = Duty::Gone;
        self.back.state = State::Skipped;
    }

    /// The latest command has ended, or never took effect: it can no longer turn the Droplet off. What was sent before
    /// it still may.
    pub(super) fn settle(&mut self) {
        if let Duty::Owed(owed) | Duty::Watched(owed) = &mut self.duty {
            owed.late_until = owed.earlier_until;
        }
    }

    /// The command to turn off was certainly not carried out. The duty stays until the Droplet is seen active, but the downtime
    /// has not begun.
    pub(super) fn withdraw(&mut self) {
        self.settle();
        if !self.seen_off {
            self.history.went_off = None;
        }
    }

    /// The Droplet was seen off while we owe, and what is to turn it off may not be over.
    pub(super) fn note_off(&mut self, now: Timestamp) {
        if self.owed().is_none() {
            return;
        }
        if !self.seen_off || self.is_watched() {
            self.get_on(now);
        }
        self.seen_off = true;
    }

    /// The Droplet was seen off while we owe: whatever was to turn it off has done so.
    pub(super) fn see_off(&mut self, now: Timestamp) {
        let Some(owed) = self.owed() else { return };
        self.note_off(now);
        self.duty = Duty::Owed(Owed { late_until: None, earlier_until: None, ..owed });
    }

    /// The Droplet was seen off while the answer to our own off is lost: that command may still be carried out, and turn the
    /// Droplet off once more.
    pub(super) fn see_off_in_doubt(&mut self, lost_until: Timestamp, now: Timestamp) {
        self.see_off(now);
        if let Duty::Owed(owed) = &mut self.duty {
            owed.late_until = Some(lost_until);
        }
    }

    /// The Droplet was seen active: fulfils the duty, unless a late off is still possible.
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
        // What DigitalOcean refused to turn on, and is on, it may have turned on all the same: nobody is said to have been quicker.
        let turned_on_by_us =
            matches!(self.back.state, State::Running(_) | State::Intended { .. }) || self.was_told_to_turn_on();
        self.back.state = if turned_on_by_us { State::Done { at: now } } else { State::Skipped };
    }

    /// How the Droplet was seen right after a restore.
    pub(super) fn note_after(&mut self, power: Option<PowerState>) {
        self.history.after = power;
    }

    /// An attempt at power back failed: the next one begins from a new look.
    pub(super) fn fail(&mut self, why: Option<Failure>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.back.state = State::Waiting(Checks::default());
        let hopeless = matches!(why, Some(Failure::Unauthorized | Failure::OtherAccount | Failure::Forbidden { .. }));
        // It was last seen on, and what may still turn it off has time left: nobody is called for that.
        let has_time_left = self.owed().is_some_and(|owed| owed.late_until.is_some_and(|until| now < until));
        let is_called_for = !(self.is_watched() && has_time_left);
        if is_called_for && (hopeless || self.failures >= 2) {
            self.calls.call_for(why, now);
        }
    }

    /// A person takes the duty from us.
    pub(super) fn release(&mut self, by: UserId, how: Released, at: Timestamp) {
        if self.owed().is_some() {
            self.duty = Duty::Released(Release { by, at, how });
            self.back.state = State::Skipped;
        }
    }
}
