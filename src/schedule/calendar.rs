//! Converts wall-clock times to moments: daylight saving time, short months, and the next run.
//!
//! One rule covers every expression. A time that the clock skips happens at the end of the gap, unless a time that the clock does show is
//! less than an hour from there: that run serves for both. A time that the clock shows twice happens the first time. So each run happens
//! once, in the order of the clock, and at least an hour after the one before.

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

use super::rule::{CLOSEST, Every, Rule, cron};

/// No clock jumps by more than this. A day that a zone skips when it crosses the date line counts too.
const LARGEST_JUMP: SignedDuration = SignedDuration::from_hours(26);
/// The maximum number of runs that one answer looks through. No rule has more runs in its window.
const MOST: usize = 100_000;

impl Rule {
    /// The runs after a moment, in order.
    pub fn runs_after(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        let (zone, spread) = (self.time_zone(), SignedDuration::from_secs(i64::from(self.spread)));
        let earlier = after.saturating_sub(spread + LARGEST_JUMP).unwrap_or(Timestamp::MIN);
        let runs = self.civil_runs(zone.to_datetime(earlier));
        let moments = runs.filter_map(move |civil| self.moment(civil, &zone)?.checked_add(spread).ok());
        // Where the clock jumps by half an hour, two times that it shows an hour apart are half an hour apart.
        let mut before: Option<Timestamp> = None;
        moments.filter(move |moment| {
            let is_apart = before.is_none_or(|before| moment.duration_since(before) >= CLOSEST);
            if is_apart {
                before = Some(*moment);
            }
            is_apart && *moment > after
        })
    }

    /// The next run after a moment.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.runs_after(after).next()
    }

    /// Every run after one moment and up to another, in order.
    pub fn runs_between(&self, after: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        self.runs_after(after).take_while(|run| *run <= until).take(MOST).collect()
    }

    /// The moment of the run at this time; `None` if it has none of its own.
    fn moment(&self, civil: DateTime, zone: &TimeZone) -> Option<Timestamp> {
        match moment(civil, zone)? {
            Moment::Shown(at) => Some(at),
            Moment::Skipped { until } => (!self.has_shown_run_near(until, zone)).then_some(until),
        }
    }

    /// Whether a run whose time the clock shows is less than an hour from this moment.
    fn has_shown_run_near(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let (Ok(from), Ok(until)) = (at.checked_sub(CLOSEST), at.checked_add(CLOSEST)) else { return false };
        let near = self.civil_runs(zone.to_datetime(from)).take_while(|civil| *civil < zone.to_datetime(until));
        let shown = near.filter_map(|civil| match moment(civil, zone)? {
            Moment::Shown(shown) => Some(shown),
            Moment::Skipped { .. } => None,
        });
        shown.map(|shown| shown.duration_since(at).abs()).any(|gap| gap < CLOSEST)
    }

    /// The wall-clock times of runs, from this one on.
    pub(super) fn civil_runs(&self, from: DateTime) -> Box<dyn Iterator<Item = DateTime> + '_> {
        let days = (0_i32..).map_while(move |day| from.date().checked_add(Span::new().days(day)).ok());
        let at = self.at;
        match &self.every {
            Every::Hours(hours) => {
                let step = i8::try_from(*hours).unwrap_or(24).max(1);
                // Counted from `at` in both directions, so each day has the same times.
                let mut times: Vec<_> = (0..24 / step)
                    .filter_map(|number| at.with().hour((at.hour() + number * step) % 24).build().ok())
                    .collect();
                times.sort_unstable();
                Box::new(days.flat_map(move |day| times.clone().into_iter().map(move |time| day.to_datetime(time))))
            }
            Every::Day => Box::new(days.map(move |day| day.to_datetime(at))),
            Every::Week(weekday) => {
                let weekday = weekday.civil();
                Box::new(days.filter(move |day| day.weekday() == weekday).map(move |day| day.to_datetime(at)))
            }
            Every::Month(wanted) => {
                let wanted = i8::try_from(*wanted).unwrap_or(31);
                let is_it = move |day: &Date| day.day() == wanted.min(day.days_in_month());
                Box::new(days.filter(is_it).map(move |day| day.to_datetime(at)))
            }
            Every::Cron(expression) => match cron(expression) {
                Ok(cron) => {
                    let first = cron.find_next_occurrence(&from, true).ok();
                    Box::new(std::iter::successors(first, move |last| cron.find_next_occurrence(last, false).ok()))
                }
                // The expression was parsed before it was stored. One that can no longer be parsed never fires, and people are notified of
                // that.
                Err(_) => Box::new(std::iter::empty()),
            },
        }
    }
}

/// What a clock of a zone makes of a time.
enum Moment {
    /// It shows the time then.
    Shown(Timestamp),
    /// It skips the time, and continues then.
    Skipped { until: Timestamp },
}

/// When a clock of this zone shows a time. One that it shows twice counts the first time.
fn moment(civil: DateTime, zone: &TimeZone) -> Option<Moment> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            // With the later offset, a skipped time lies before the jump.
            let before_the_jump = after.to_timestamp(civil).ok()?;
            zone.following(before_the_jump).next().map(|jump| Moment::Skipped { until: jump.timestamp() })
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok().map(Moment::Shown)
        }
    }
}
