//! Notifications inside this process: loops wait here for changes in the store, and also poll it after a while.
//!
//! The store notifies; the loops of the worker and the reporter wait. A notification without a waiter is kept for the next one.

use tokio::sync::Notify;

/// The notifications that the store sends after a commit.
#[derive(Debug, Default)]
pub struct Changes {
    /// Something is due for the worker: a new operation, or an instruction.
    pub worker: Notify,
    /// Something is due for the reporter: a new operation, or a commit.
    pub reporter: Notify,
    /// Something is due for the scheduler: a schedule was added or changed, or one of its operations ended.
    pub scheduler: Notify,
    /// Something is due for the runs of groups: one was started or stopped, or one of its operations ended.
    pub groups: Notify,
    /// The message of a run that a person started shows an older version.
    pub group_messages: Notify,
    /// A schedule's message shows an older version.
    pub schedule_messages: Notify,
    /// A call to the ping address of a schedule is due.
    pub pings: Notify,
    /// A progress message was posted.
    pub(super) posted: Notify,
}
