//! Edits of a schedule that a person reviewed. The answer is used up in the same transaction, so each edit takes effect once.

use super::{AddError, Consent, Deed, Error, Store, StoredSchedule, act, confirmation, schedule};
use crate::{
    operation::ids::ScheduleId,
    schedule::{
        Due, Schedule, State,
        slot::{Skipped, SlotState},
    },
};

impl Store {
    /// Changes a schedule to what a person reviewed. A planned time that waits for its turn is skipped, since it belongs to the old
    /// schedule.
    ///
    /// [`Error::LeaseLost`] means that the schedule has changed since it was read.
    pub async fn edit_schedule(
        &self,
        stored: &StoredSchedule,
        edited: &Schedule,
        consent: &Consent,
    ) -> Result<(), AddError> {
        let left_out = self.left_out(&stored.schedule).await?;
        let waiting = self.accounts(stored.schedule.id).await?.waiting;
        let given_up = left_out.given_up.or(waiting.map(|at| (at, SlotState::Skipped(Skipped::Edited))));
        let due = Due { given_up, ..left_out };
        let now = self.clock.now();
        let mut transaction = self.begin_as_owner().await?;
        confirmation::use_up(&mut transaction, consent).await?.map_err(AddError::Unconfirmed)?;
        schedule::write_schedule(&mut transaction, stored, edited, &due, Some(now)).await?;
        act::note(&mut transaction, &consent.act(Deed::Edited), edited, now).await?;
        transaction.commit().await.map_err(Error::from)?;
        self.ring_schedules();
        Ok(())
    }

    /// Reverts an action whose answer Discord did not accept: a schedule that was added is removed, and one that was edited becomes what it
    /// `was`.
    pub async fn withdraw_schedule(&self, id: ScheduleId, was: Option<&Schedule>) -> Result<(), Error> {
        let put_back = |schedule: &mut Schedule| match was {
            Some(was) => schedule.clone_from(was),
            None => schedule.state = State::Removed,
        };
        self.change_schedule(id, put_back).await.map(drop)
    }
}
