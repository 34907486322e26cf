//! What one person may ask of the bot in a short time, and how refusals get into the log, and what nobody was told in time: one line a
//! minute, with a count.
//!
//! The handler asks before it dispatches a command or a press, `start` before an operation begins. Keys that ask for suggestions count
//! for nothing: they are answered from memory.

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

/// The time that [`Limits::interactions`] is for.
const WINDOW: Duration = Duration::from_secs(10);
/// How long refusals are counted before the log hears of them.
const COUNTED: Duration = Duration::from_mins(1);
/// Beyond so many people, those who were quiet are forgotten.
const REMEMBERED: usize = 1_000;

/// How much one person may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Commands and presses within ten seconds.
    pub interactions: usize,
    /// Operations that run at the same time.
    pub operations: usize,
    /// The least time from one take of a Droplet to the next, no matter who asks.
    pub take_cooldown: Option<SignedDuration>,
}

/// Whether an interaction is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It is.
    Fine,
    /// It is not: the person was too fast.
    TooFast {
        /// The first one since something of theirs was heard; they are told once.
        is_first: bool,
    },
}

/// Everybody's latest interactions.
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

    /// Whether what this person says now is heard.
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

/// Refusals since the log last heard of them. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct RefusalLog(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    counted: Mutex<Counted>,
    /// Rung by the first since the log last heard of any.
    first: Notify,
}

#[derive(Debug, Default)]
struct Counted {
    refusals: u64,
    latest: String,
}

impl RefusalLog {
    /// Writes what was counted, at most once a minute. To be run alongside the bot; never returns.
    pub(super) async fn run(&self) -> Infallible {
        loop {
            self.write_one(COUNTED).await;
        }
    }

    /// Waits for the first refusal, counts for so long, and writes one line.
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

    /// Counts one.
    pub(super) fn note(&self, refusal: &Refusal) {
        tracing::debug!(?refusal, "refused");
        self.note_reason(reason(refusal));
    }

    /// Counts one that Discord had given up before it was answered.
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

    /// Whether it is the first since the log last heard of any.
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

/// The refusal's name, without what it is about.
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
        // Nothing more is to be written: the next waits for the next refusal.
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
