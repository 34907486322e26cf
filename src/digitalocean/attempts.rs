//! The progress of a call: which request is sent next, and after which pause a failed read is sent again.
//!
//! Pure: [`super::client::Client`] performs it over HTTPS, a simulation does so in its own time. A request that
//! starts or removes something is sent once.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};

use super::{
    call::{Call, Progress},
    error::{Error, Retry},
    http_types::{HttpAnswer, HttpRequest, Method, TransportError},
};

/// How often a failed read is repeated at most.
const RETRIES: usize = 3;
/// The longest wait before a read is tried again; for a longer one the caller decides.
const LONGEST_PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// A call, with the pauses between its tries.
pub struct Attempts<T> {
    call: Call<T>,
    /// The seed of the random part of each pause.
    seed: u64,
    pauses: ExponentialBackoff,
}

/// What follows an answer.
#[derive(Debug)]
pub enum Next<T> {
    /// The call is over, with this result.
    Done(Result<T, Error>),
    /// Send the request for the next page.
    Page,
    /// Send the same request again after a pause.
    Again(Duration),
}

impl<T: 'static> Attempts<T> {
    /// A call that has not been tried yet; `seed` determines the random part of its pauses.
    pub fn of(call: Call<T>, seed: u64) -> Self {
        Self { call, seed, pauses: pauses(seed) }
    }

    /// The call.
    pub fn call(&self) -> &Call<T> {
        &self.call
    }

    /// The request to send now.
    pub fn request(&self) -> HttpRequest {
        self.call.request()
    }

    /// Processes the outcome of [`Attempts::request`] at the time `now`. A read is repeated after
    /// growing, random pauses if the error allows that.
    pub fn hear(&mut self, answer: Result<HttpAnswer, TransportError>, now: Timestamp) -> Next<T> {
        match answer.map_err(Error::from).and_then(|answer| self.call.absorb(&answer)) {
            Ok(Progress::Done(result)) => Next::Done(Ok(result)),
            Ok(Progress::More) => {
                self.seed = self.seed.wrapping_add(1);
                self.pauses = pauses(self.seed);
                Next::Page
            }
            Err(error) => match self.pause_before_retry(&error, now) {
                Some(pause) => {
                    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                    tracing::debug!(%error, pause_ms, "DigitalOcean will be asked again");
                    Next::Again(pause)
                }
                None => Next::Done(Err(error)),
            },
        }
    }

    /// How long to wait before the same read is sent again; `None` if it must not be repeated.
    fn pause_before_retry(&mut self, error: &Error, now: Timestamp) -> Option<Duration> {
        let typical = self.pauses.next().filter(|_| self.call.method() == Method::Get)?;
        match error.retry() {
            Retry::Never => None,
            Retry::Soon => Some(typical),
            Retry::At(moment) => {
                let wait = moment.duration_since(now);
                (wait <= LONGEST_PATIENCE).then(|| typical.max(Duration::try_from(wait).unwrap_or_default()))
            }
        }
    }
}

fn pauses(seed: u64) -> ExponentialBackoff {
    let (first, longest) = (Duration::from_millis(200), Duration::from_secs(5));
    let pauses = ExponentialBuilder::default().with_min_delay(first).with_max_delay(longest);
    pauses.with_max_times(RETRIES).with_jitter().with_jitter_seed(seed).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digitalocean::{mutations, queries},
        operation::ids::DropletId,
    };

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn hear<T: 'static>(call: &mut Attempts<T>, status: u16, retry_after: Option<&str>) -> Next<T> {
        let headers = retry_after.map(|wait| ("retry-after".to_owned(), wait.to_owned())).into_iter().collect();
        call.hear(Ok(HttpAnswer { status, headers, body: Vec::new(), received_at: now() }), now())
    }

    #[test]
    fn a_read_is_tried_four_times_with_growing_pauses() {
        let mut read = Attempts::of(queries::droplet(DropletId(1)), 7);
        for (least, most) in [(200, 400), (400, 800), (800, 1_600)] {
            let Next::Again(pause) = hear(&mut read, 500, None) else { panic!("it is not tried again") };
            assert!((least..=most).contains(&pause.as_millis()), "{pause:?}");
        }
        assert!(matches!(hear(&mut read, 500, None), Next::Done(Err(_))));
    }

    #[test]
    fn the_same_seed_pauses_alike() {
        let pause = |seed| match hear(&mut Attempts::of(queries::droplet(DropletId(1)), seed), 500, None) {
            Next::Again(pause) => pause,
            other => panic!("{other:?}"),
        };
        assert_eq!(pause(3), pause(3));
    }

    #[test]
    fn what_starts_something_is_sent_once() {
        let mut command = Attempts::of(mutations::power_on(DropletId(1)), 7);
        assert!(matches!(hear(&mut command, 500, None), Next::Done(Err(_))));
    }

    #[test]
    fn who_is_to_wait_long_is_not_tried_again() {
        let mut read = Attempts::of(queries::droplet(DropletId(1)), 7);
        assert!(matches!(hear(&mut read, 429, Some("29")), Next::Again(pause) if pause.as_secs() == 29));
        assert!(matches!(hear(&mut read, 429, Some("31")), Next::Done(Err(_))));
    }
}
