//! Limits what one person may request in a short time. Also logs refusals and answers that came too late, as one line a minute with a
//! count.
//!
//! The handler checks before it dispatches a command or a press, and `start` before an operation begins. Autocomplete requests do not
//! count, since they are answered from memory.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::messages::refusal::Refusal;
use crate::operation::ids::UserId;

/// The period of [`Limits::interactions`].
const WINDOW: Duration = Duration::from_secs(10);
/// How long refusals are counted before they are logged.
const COUNTED: Duration = Duration::from_mins(1);
/// When more people than this are recorded, inactive ones are forgotten.
const REMEMBERED: usize = 1_000;

/// How much one person may request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of commands and presses within ten seconds.
    pub interactions: usize,
    /// The maximum number of operations that run at the same time.
    pub operations: usize,
    /// The minimum time between two takes of a Droplet, regardless of who requests them.
    pub take_cooldown: Option<SignedDuration>,
}

/// Whether an interaction is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It is handled.
    Fine,
    /// It is not handled, because the person was too fast.
    TooFast {
        /// Whether it is the first since an interaction of theirs was handled. Only the first gets a refusal.
        is_first: bool,
    },
}

/// Each person's latest interactions.
#[derive(Debug)]
pub(super) struct People {
    most: usize,
    heard: Mutex<HashMap<UserId, Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    at: VecDeque<Instant>,
    was_told: bool,
}

impl People {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { most: limits.interactions, heard: Mutex::default() }
    }

    /// Records an interaction of this person, and returns whether to handle it.
    pub(super) fn hear(&self, person: UserId) -> Pace {
        self.hear_at(person, Instant::now())
    }

    fn hear_at(&self, person: UserId, now: Instant) -> Pace {
        let is_old = |at: &Instant| now.duration_since(*at) >= WINDOW;
        let mut people = self.heard.lock();
        if people.len() > REMEMBERED {
            people.retain(|_, heard| heard.at.back().is_some_and(|at| !is_old(at)));
        }
        let heard = people.entry(person).or_default();
        while heard.at.front().is_some_and(is_old) {
            heard.at.pop_front();
        }
        if heard.at.len() < self.most {
            heard.at.push_back(now);
            heard.was_told = false;
            return Pace::Fine;
        }
        Pace::TooFast { is_first: !std::mem::replace(&mut heard.was_told, true) }
    }
}

/// The refusals since the last log line. Clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct RefusalLog(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    counted: Mutex<Counted>,
    /// Notified by the first refusal since the last log line.
    first: Notify,
}

#[derive(Debug, Default)]
struct Counted {
    refusals: u64,
    latest: String,
}

impl RefusalLog {
    /// Logs the counts, at most once a minute. Run it together with the bot; it never returns.
    pub(super) async fn run(&self) -> Infallible {
        loop {
            self.write_one(COUNTED).await;
        }
    }

    /// Waits for the first refusal, counts for `counted`, and writes one line.
    async fn write_one(&self, counted: Duration) {
        self.0.first.notified().await;
        sleep(counted).await;
        let Counted { refusals, latest } = self.take();
        tracing::info!(
            refusals,
            latest,
            "commands and presses of the last minute that were refused, or not answered in time"
        );
    }

    /// Counts a refusal.
    pub(super) fn note(&self, refusal: &Refusal) {
        tracing::debug!(?refusal, "refused");
        self.note_reason(reason(refusal));
    }

    /// Counts an interaction that Discord had given up before it was answered.
    pub(super) fn note_late(&self) {
        tracing::debug!("the interaction was over before it was answered");
        self.note_reason("TooLate".to_owned());
    }

    fn note_reason(&self, reason: String) {
        metrics::counter!("snapshot_bot_refused_interactions_total", "reason" => reason.clone()).increment(1);
        if self.count(reason) {
            self.0.first.notify_one();
        }
    }

    /// Adds one, and returns whether it is the first since the last log line.
    fn count(&self, reason: String) -> bool {
        let mut counted = self.0.counted.lock();
        counted.refusals += 1;
        counted.latest = reason;
        counted.refusals == 1
    }

    fn take(&self) -> Counted {
        std::mem::take(&mut *self.0.counted.lock())
    }
}

/// The name of the refusal's variant, without its fields.
fn reason(refusal: &Refusal) -> String {
    let shown = format!("{refusal:?}");
    shown.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;
    use crate::telemetry::captured::Captured;

    const ADA: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    fn people() -> People {
        People::new(&Limits { interactions: 20, operations: 10, take_cooldown: None })
    }

    #[test]
    fn twenty_in_ten_seconds_are_heard_of_each_and_the_next_is_told_once() {
        let (people, now) = (people(), Instant::now());
        for _ in 0..20 {
            assert_eq!(people.hear_at(ADA, now), Pace::Fine);
        }
        assert_eq!(people.hear_at(ADA, now), Pace::TooFast { is_first: true });
        for _ in 0..3_000 {
            assert_eq!(people.hear_at(ADA, now), Pace::TooFast { is_first: false });
        }
        assert_eq!(people.hear_at(BOB, now), Pace::Fine);
        assert_eq!(people.hear_at(ADA, now + WINDOW), Pace::Fine);
    }

    #[test]
    fn a_crowd_is_forgotten_once_it_is_quiet() {
        let (people, now) = (people(), Instant::now());
        for person in 0..5_000 {
            people.hear_at(UserId(person), now);
        }
        people.hear_at(ADA, now + WINDOW);
        assert_eq!(people.heard.lock().len(), 1);
    }

    #[test]
    fn only_the_first_refusal_of_a_minute_asks_for_a_line_and_all_are_in_it() {
        let log = RefusalLog::default();
        let asked = (0..3_000).filter(|_| log.clone().count("UnknownButton".to_owned())).count();
        assert_eq!(asked, 1);
        let Counted { refusals, latest } = log.take();
        assert_eq!((refusals, latest.as_str()), (3_000, "UnknownButton"));
        assert!(log.count("TooFast".to_owned()));
    }

    #[tokio::test]
    async fn three_thousand_refusals_are_one_line_with_their_number() {
        let (log, captured) = (RefusalLog::default(), Captured::default());
        let listening = tracing::subscriber::set_default(captured.subscriber());
        for _ in 0..2_999 {
            log.note(&Refusal::TooFast);
        }
        log.note(&Refusal::QuestionAnswered);
        log.write_one(Duration::ZERO).await;
        // After this line, the log waits for the next refusal.
        let mut next = pin!(log.write_one(Duration::ZERO));
        assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(listening);
        let log = captured.text();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.contains("refusals=3000") && log.contains("QuestionAnswered"), "{log}");
    }

    #[test]
    fn a_reason_is_a_word_that_holds_nothing_of_what_was_typed() {
        assert_eq!(reason(&Refusal::UnknownButton), "UnknownButton");
        let named = Refusal::UnknownOperation { text: "secret".to_owned() };
        assert_eq!(reason(&named), "UnknownOperation");
    }
}
