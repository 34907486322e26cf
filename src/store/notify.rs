//! Wake-ups inside this process: who waits for news of the store waits here, and polls it anyway after a while.
//!
//! The store rings; the worker's and the reporter's loops wait. A ring that nobody waits for is kept for the next who does.

use tokio::sync::Notify;

/// The bells that the store rings after a commit.
#[derive(Debug, Default)]
pub struct Changes {
    /// Something is due for the worker: a new operation, or a wish.
    pub worker: Notify,
    /// Something is due for the reporter: a new operation, or a commit.
    pub reporter: Notify,
    /// Something is due for the scheduler: a schedule was added or changed, or an operation of one ended.
    pub scheduler: Notify,
    /// Something is due for the runs of groups: one was begun or stopped, or an operation of one ended.
    pub groups: Notify,
    /// The message of a run that a person began shows an older version.
    pub group_messages: Notify,
    /// A schedule's message shows an older version.
    pub schedule_messages: Notify,
    /// The address of a schedule is to be told something.
    pub pings: Notify,
    /// A progress message became known.
    pub(super) posted: Notify,
}
