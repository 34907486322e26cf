//! The facts behind a notice, read when it is sent.

use crate::{
    discord::group_reporter,
    operation::Operation,
    schedule::{Schedule, notice::Notice, run::Run},
    store::{self, ScheduleSnapshot, Store},
};

/// The subject of a notice, as far as it is still known.
#[derive(Default)]
pub(super) struct Known {
    pub(super) run: Option<Run>,
    /// The operations that failed.
    pub(super) operations: Vec<Operation>,
    /// All Snapshots of the schedule, if the notice is about some of them.
    pub(super) snapshots: Option<Vec<ScheduleSnapshot>>,
}

impl Known {
    /// Reads the facts from the store.
    pub(super) async fn about(store: &Store, schedule: &Schedule, notice: &Notice) -> Result<Self, store::Error> {
        let mut known = Self::default();
        match notice {
            Notice::Failed { operation, .. } | Notice::Undeleted { operation, .. } => {
                known.operations.extend(store.operation(*operation).await?.map(|stored| stored.operation));
            }
            Notice::Group { run, .. } => {
                if let Some(run) = store.run(*run).await? {
                    known.operations = group_reporter::explained(store, &run).await?;
                    known.run = Some(run);
                }
            }
            Notice::Deletions { .. } | Notice::Doubtful { .. } | Notice::Stale { .. } => {
                known.snapshots = Some(store.schedule_snapshots(schedule.id).await?);
            }
            _ => {}
        }
        Ok(known)
    }
}
