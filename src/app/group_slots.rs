//! The planned time of a group: looks up and fixes the members, and begins the run.

use jiff::Timestamp;

use super::scheduler::{Begun, Scheduler};
use crate::{
    discord::group::{self, Unknown},
    operation::ids::RunId,
    schedule::{Schedule, group::Group, run::Plan},
    store::{Error, RunError},
};

impl Scheduler {
    /// Begins the run for a planned time that waits. If DigitalOcean does not list the members, that is not an error: the bot asks again. A
    /// tag without Droplets leads to a run without members, which fails.
    pub(super) async fn begin_group(
        &self,
        (schedule, group): (&Schedule, &Group),
        slot: Timestamp,
        now: Timestamp,
    ) -> Result<Begun, Error> {
        let rooms = (&*self.store, &*self.inventory);
        let gathered = match group::gather(rooms, self.own_droplet, group, schedule.power).await {
            Ok(gathered) => gathered,
            Err(Unknown::Store(error)) => return Err(error),
            Err(Unknown::Unresolved(why)) => {
                tracing::info!(schedule.id = %schedule.id, tag = group.tag, ?why, "the group does not begin before it is known who is in it");
                return Ok(Begun::NotYet);
            }
        };
        let plan = Plan::of(schedule, group, RunId::from_random(fastrand::u64(..)), Some(slot), now);
        match self.store.begin_run(&plan, &gathered.members(), None).await {
            Ok(()) => {
                let members = gathered.droplets.len();
                tracing::info!(schedule.id = %schedule.id, run.id = %plan.id, members, "a run of a group begins");
                Ok(Begun::Yes)
            }
            Err(RunError::Unavailable(error)) => Err(error),
            Err(RunError::NotFree | RunError::Unconfirmed(_)) => Ok(Begun::NotYet),
        }
    }
}
