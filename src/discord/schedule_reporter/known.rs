//! What a notice is about, looked up when it is said.

use crate::{
    discord::group_reporter,
    operation::Operation,
    schedule::{Schedule, notice::Notice, run::Run},
    store::{self, ScheduleSnapshot, Store},
};

/// What a notice is about, as far as it is still known.
#[derive(Default)]
pub(super) struct Known {
    pub(super) run: Option<Run>,
    /// Those that failed.
    pub(super) operations: Vec<Operation>,
    /// All of the schedule, where it is about some of them.
    pub(super) snapshots: Option<Vec<ScheduleSnapshot>>,
}

impl Known {
    /// What the store knows of it.
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
