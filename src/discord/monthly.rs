//! The monthly cost report in `REPORT_CHANNEL_ID`, posted on the first of each month. Runs together with the reporter, over REST only.
//!
//! The store records each posted month. If the process was down, it posts the report when it is back; a new database waits for the next
//! month.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serenity::{http::Http, model::id::UserId};
use tokio_util::sync::CancellationToken;

use super::{
    costs, delivery,
    incident::chain,
    messages::{
        cost::{self as words, By},
        message::Message,
    },
    posted,
    reporter::deadline::{deadline, in_time},
    responder::Stop,
    state::AppState,
    wire::{self, Trouble},
};
use crate::{
    operation::ids::{ChannelId, MessageId},
    store::{self, deadlines::PASS},
};

/// The hour on the first of the month, in UTC.
const HOUR: i8 = 9;
/// The pause before a retry when Discord, DigitalOcean or the store fails.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// How many months the report compares.
const MONTHS: usize = 6;

/// Posts the monthly cost report.
#[derive(Clone)]
pub struct Monthly {
    pub(super) http: Arc<Http>,
    pub(super) state: Arc<AppState>,
    pub(super) channel: Option<ChannelId>,
    pub(super) me: UserId,
}

/// Why a month could not be reported.
#[derive(Debug)]
enum Untold {
    Store(store::Error),
    Stopped(Stop),
    Discord(serenity::Error),
}

impl From<store::Error> for Untold {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// When the month of this moment is reported, and its number since January 1970.
fn month_of(now: Timestamp) -> (i64, Timestamp) {
    let today = now.to_zoned(TimeZone::UTC).date();
    (number_of(today), due_in(today).unwrap_or(now))
}

fn number_of(day: Date) -> i64 {
    (i64::from(day.year()) - 1970) * 12 + i64::from(day.month()) - 1
}

/// The first day of the month with this number.
fn first_of(month: i64) -> Date {
    let (year, month) = (1970 + month.div_euclid(12), month.rem_euclid(12) + 1);
    let year = i16::try_from(year).unwrap_or(i16::MAX);
    Date::new(year, i8::try_from(month).unwrap_or(1), 1).unwrap_or(Date::MAX)
}

fn due_in(day: Date) -> Option<Timestamp> {
    Some(day.first_of_month().at(HOUR, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// When the month after this one is reported.
fn next_due(now: Timestamp) -> Timestamp {
    let today = now.to_zoned(TimeZone::UTC).date();
    let next = today.last_of_month().tomorrow().ok().and_then(due_in);
    next.unwrap_or_else(|| now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX))
}

impl Monthly {
    /// Posts each month's report until `shutdown`. Returns at once if no channel is configured.
    pub async fn run(self, shutdown: CancellationToken) {
        if self.channel.is_some() {
            shutdown.run_until_cancelled(self.tell_forever()).await;
        }
    }

    async fn tell_forever(&self) {
        loop {
            let now = self.state.clock.now();
            let next = match self.state.store.bounded_pass(PASS, Box::pin(self.tell_if_due(now))).await {
                Ok(next) => next,
                Err(untold) => {
                    match untold {
                        Untold::Store(error) => {
                            tracing::warn!(cause = chain(&error), "could not tell what Snapshots cost");
                        }
                        Untold::Stopped(stop) => tracing::warn!(?stop, "could not tell what Snapshots cost"),
                        Untold::Discord(error) => {
                            tracing::warn!(cause = wire::describe(&error), "could not tell what Snapshots cost");
                        }
                    }
                    now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX)
                }
            };
            self.state.clock.sleep_until(next).await;
        }
    }

    /// Posts the report if it is due. Returns when to look again.
    async fn tell_if_due(&self, now: Timestamp) -> Result<Timestamp, Untold> {
        let (month, due) = month_of(now);
        let Some(told) = self.state.store.last_month_told().await? else {
            // On a first start, the operator knows the present Snapshots. From the next month on there is something to compare.
            self.state.store.month_was_told(month, None).await?;
            return Ok(next_due(now));
        };
        if told >= month {
            return Ok(next_due(now));
        }
        if now < due {
            return Ok(due);
        }
        let message = self.tell(month).await?;
        self.state.store.month_was_told(month, message).await?;
        Ok(next_due(now))
    }

    async fn post(&self, channel: ChannelId, month: i64, said: &Message) -> serenity::Result<MessageId> {
        // After a lost answer, Discord returns the first message for some minutes.
        let message = delivery::create(said, format!("cost-{month}"), None);
        let post = wire::post(&self.http, delivery::channel_id(channel), &message, delivery::file(said));
        Ok(MessageId(in_time(deadline(), post).await?.id.get()))
    }

    async fn tell(&self, month: i64) -> Result<Option<MessageId>, Untold> {
        let Some(channel) = self.channel else { return Ok(None) };
        let state = &self.state;
        let listing = costs::listing(state).await.map_err(Untold::Stopped)?;
        let found = costs::costs(state, &listing, By::Droplet, MONTHS).await.map_err(Untold::Stopped)?;
        let left = costs::leftovers(state, &listing).await.map_err(Untold::Stopped)?;
        let beside = state.inventory.unattached().await;
        let (first, price) = (first_of(month), state.wording.price_per_gb);
        // An earlier process may have died between posting the message and recording it.
        if let Some(posted) =
            posted::find(&self.http, self.me, channel, &words::month_marker(first)).await.map_err(Untold::Discord)?
        {
            return Ok(Some(posted));
        }
        let picture = costs::picture(&found).await;
        let mut posted =
            self.post(channel, month, &words::monthly((&found, picture.clone()), (&left, &beside), price, first)).await;
        // Files may be forbidden there. If the cause is another one, Discord refuses the text too.
        if picture.is_some() && posted.as_ref().is_err_and(|error| Trouble::of(error) != Trouble::Later) {
            posted = self.post(channel, month, &words::monthly((&found, None), (&left, &beside), price, first)).await;
        }
        Ok(Some(posted.map_err(Untold::Discord)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_told_on_its_first_at_nine() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(month_of(at("2026-12-31T23:59:59Z")), (56 * 12 + 11, at("2026-12-01T09:00:00Z")));
        assert_eq!(next_due(at("2026-12-31T23:59:59Z")), at("2027-01-01T09:00:00Z"));
        assert_eq!(next_due(at("2028-02-01T00:00:00Z")), at("2028-03-01T09:00:00Z"));
        assert_eq!(first_of(56 * 12 + 11), at("2026-12-01T09:00:00Z").to_zoned(TimeZone::UTC).date());
        assert_eq!(number_of(at("1970-01-05T00:00:00Z").to_zoned(TimeZone::UTC).date()), 0);
    }
}
