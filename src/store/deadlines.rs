//! Deadlines that depend on each other, in one place: how long the lease lasts, and what may be under way at its end.
//!
//! Read by this room, by the worker before a command leaves, by the reporter before a message leaves, and by `app`, which renews.

use std::time::Duration;

/// How long a request to DigitalOcean or Discord may take. A successor waits for so long after the end of the lease.
pub const REQUEST: Duration = Duration::from_secs(10);
/// How much of the lease must remain for a command to leave: its deadline, and a little for the way to it.
pub const NEEDED_TO_SEND: Duration = Duration::from_secs(12);
/// How long a lease lasts unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(15);
/// The pause between two renewals.
pub const RENEWAL_PAUSE: Duration = Duration::from_secs(2);
/// How long PostgreSQL may take for what is one call of ours. Longer than its own deadline for a statement, so only a connection that
/// fell silent exceeds it.
pub const CALL: Duration = Duration::from_secs(15);
/// How long it may take to say something, with what is read before and written afterwards.
pub const SAYING: Duration = Duration::from_mins(1);
/// How long a pass of a loop may take that does all that is due. With much to do, or a vendor that answers slowly, a healthy one takes minutes.
pub const PASS: Duration = Duration::from_mins(10);
/// For how long no connection may come back to the pool while all of them are in use.
pub const SILENCE: Duration = Duration::from_secs(15);
/// How long PostgreSQL may take to answer nothing but that it is there.
pub const PING: Duration = Duration::from_secs(2);
/// How long the database may take for one renewal.
pub const RENEWAL: Duration = Duration::from_secs(2);

const _: () = assert!(
    NEEDED_TO_SEND.as_millis() > REQUEST.as_millis(),
    "a command that may leave must have met its deadline before the lease ends"
);
const _: () = assert!(
    LEASE.as_millis() > NEEDED_TO_SEND.as_millis() + RENEWAL_PAUSE.as_millis(),
    "between two quick renewals commands must be able to leave at any time"
);
const _: () = assert!(
    REQUEST.as_millis() > RENEWAL_PAUSE.as_millis() + RENEWAL.as_millis(),
    "who has lost the lease must notice it before a successor begins"
);
