//! Deadlines that depend on each other, in one place: how long the lease lasts, and what may be in flight when it ends.
//!
//! Used by the store, by the worker before it sends a command, by the reporter before it sends a message, and by `app`, which renews the
//! lease.

use std::time::Duration;

/// How long a request to DigitalOcean or Discord may take. A successor waits this long after the lease ends.
pub const REQUEST: Duration = Duration::from_secs(10);
/// How much of the lease must remain before a command is sent: the request's deadline and a small margin.
pub const NEEDED_TO_SEND: Duration = Duration::from_secs(12);
/// How long a lease lasts unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(15);
/// The pause between two renewals.
pub const RENEWAL_PAUSE: Duration = Duration::from_secs(2);
/// How long PostgreSQL may take for one call of the store. This is longer than the deadline for a statement, so only a silent connection
/// exceeds it.
pub const CALL: Duration = Duration::from_secs(15);
/// How long posting or editing a message may take, including the reads before and the writes after it.
pub const SAYING: Duration = Duration::from_mins(1);
/// How long one pass of a loop may take to do everything that is due. With much to do, or a vendor that answers slowly, a healthy pass
/// takes minutes.
pub const PASS: Duration = Duration::from_mins(10);
/// The longest time without a returned connection while all connections of the pool are in use.
pub const SILENCE: Duration = Duration::from_secs(15);
/// How long PostgreSQL may take to answer a ping.
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
