//! The pauses of all tasks that post and edit messages on their own.

use jiff::SignedDuration;

/// The pause after the store did not answer or refused.
pub(super) const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How long Discord can be relied upon to remember a nonce; documented as "the past few minutes". After that, a message whose answer was
/// lost is looked for in the channel before it is posted again.
pub(super) const NONCE_MEMORY: SignedDuration = SignedDuration::from_mins(2);
/// The longest pause before another attempt.
const LONGEST: SignedDuration = SignedDuration::from_mins(1);

/// The pause before another attempt: it doubles each time, up to a minute, with jitter.
pub(super) fn before_another_try(attempts: i64) -> SignedDuration {
    let pause = SignedDuration::from_secs(1 << attempts.clamp(0, 6)).min(LONGEST);
    pause + SignedDuration::from_millis(fastrand::i64(0..=250) * pause.as_secs())
}
