//! When a schedule fires: parsed from what a person typed, and refused with a reason if it makes no sense.
//!
//! A [`Rule`] is civil: it names times on the clock of its zone. `calendar` converts them to moments.

use croner::parser::{CronParser, Seconds, Year};
use jiff::{
    SignedDuration,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use super::weekday::Weekday;

/// The minimum time between two runs of a schedule.
pub(super) const CLOSEST: SignedDuration = SignedDuration::from_hours(1);
/// How many runs of a cron expression are examined to find its shortest gap.
const LOOKED_AT: usize = 100;
/// The default time of a daily, weekly or monthly schedule.
const NIGHT: Time = Time::constant(3, 0, 0, 0);
/// Schedules without a typed time are spread over at most this time.
const LONGEST_SPREAD: SignedDuration = SignedDuration::from_mins(10);

/// How often a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Every {
    /// Every this many hours, counted on the clock from [`Rule::at`]; one of 1, 2, 3, 4, 6, 8 and 12.
    Hours(u8),
    /// Every day.
    Day,
    /// Once a week.
    Week(Weekday),
    /// Once a month, on this day. In a shorter month, 29 to 31 mean the last day.
    Month(u8),
    /// A cron expression of five fields.
    Cron(String),
}

/// When a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// How often.
    pub every: Every,
    /// The time of day, from which hours are counted. A cron expression has its own time.
    pub at: Time,
    /// The IANA name of the time zone.
    pub zone: String,
    /// The delay of every run, in seconds, so that schedules without a typed time do not all begin at once.
    #[serde(default)]
    pub spread: u32,
}

/// The text that a person typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    /// `day`, `6h`, `week`, `month`, `cron 0 3 * * 1-5`.
    pub every: &'a str,
    /// `03:00`.
    pub at: Option<&'a str>,
    /// `sunday` for a week, `15` or `last` for a month.
    pub on: Option<&'a str>,
    /// `Europe/Berlin`; UTC if left out.
    pub timezone: Option<&'a str>,
}

/// Why a text is not a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Not a known interval.
    Every {
        /// What was typed.
        typed: String,
    },
    /// The hours do not divide a day.
    Hours {
        /// What was typed.
        typed: String,
    },
    /// Not a time of day.
    At {
        /// What was typed.
        typed: String,
    },
    /// `at` with a cron expression, which has its own time.
    AtWithCron,
    /// Not a day of the week.
    Weekday {
        /// What was typed.
        typed: String,
    },
    /// Not a day of a month.
    MonthDay {
        /// What was typed.
        typed: String,
    },
    /// `on` with an interval that has no day to choose.
    OnWithoutUse,
    /// Not a time zone.
    Zone {
        /// What was typed.
        typed: String,
        /// Time zones with similar names.
        nearest: Vec<String>,
    },
    /// A cron expression without exactly five fields.
    CronFields {
        /// How many fields there are.
        found: usize,
    },
    /// A cron field that cannot be parsed.
    Cron {
        /// The field; `None` if each can be parsed, but not all of them together.
        field: Option<CronField>,
        /// What was typed in that field, or in all.
        typed: String,
    },
    /// It never fires.
    Never,
    /// It fires more than once an hour.
    TooOften {
        /// The shortest gap between two runs.
        gap: SignedDuration,
    },
}

/// A field of a cron expression, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum CronField {
    /// The minute of the hour.
    Minute,
    /// The hour of the day.
    Hour,
    /// The day of the month.
    Day,
    /// The month.
    Month,
    /// The day of the week.
    Weekday,
}

impl Rule {
    /// Parses what a person typed.
    pub fn read(typed: Typed<'_>) -> Result<Self, Invalid> {
        let (zone, _) = zone(typed.timezone.unwrap_or("UTC"))?;
        let every = every(typed.every.trim(), typed.on)?;
        let at = match (&every, typed.at) {
            (Every::Cron(_), Some(_)) => return Err(Invalid::AtWithCron),
            (Every::Cron(_) | Every::Hours(_), None) => Time::midnight(),
            (Every::Day | Every::Week(_) | Every::Month(_), None) => NIGHT,
            (_, Some(at)) => time(at)?,
        };
        let rule = Self { every, at, zone, spread: 0 };
        rule.check()?;
        Ok(rule)
    }

    /// Delays every run a little, for a schedule without a typed time. `seed` tells schedules apart.
    #[must_use]
    pub fn spread_by(self, seed: u64) -> Self {
        if matches!(self.every, Every::Cron(_)) {
            return self;
        }
        let most = LONGEST_SPREAD.min(self.shortest_gap().unwrap_or_default() / 10);
        let spread = seed.checked_rem(most.as_secs().unsigned_abs()).unwrap_or_default();
        Self { spread: u32::try_from(spread).unwrap_or_default(), ..self }
    }

    fn check(&self) -> Result<(), Invalid> {
        let gap = self.shortest_gap().ok_or(Invalid::Never)?;
        if gap < CLOSEST { Err(Invalid::TooOften { gap }) } else { Ok(()) }
    }

    /// The shortest gap between two runs on the wall clock; `None` if it never fires.
    pub fn shortest_gap(&self) -> Option<SignedDuration> {
        match &self.every {
            Every::Hours(hours) => Some(SignedDuration::from_hours(i64::from(*hours))),
            Every::Day => Some(SignedDuration::from_hours(24)),
            Every::Week(_) => Some(SignedDuration::from_hours(24 * 7)),
            Every::Month(_) => Some(SignedDuration::from_hours(24 * 28)),
            Every::Cron(_) => {
                // The examined runs begin a year before a leap year, so that no expression seems to fire less often than it does.
                let from = DateTime::constant(2023, 1, 1, 0, 0, 0, 0);
                let runs: Vec<DateTime> = self.civil_runs(from).take(LOOKED_AT).collect();
                let first = runs.first()?;
                let gaps = runs.windows(2).map(|pair| pair[1].duration_since(pair[0]));
                Some(gaps.min().unwrap_or_else(|| DateTime::MAX.duration_since(*first)))
            }
        }
    }

    /// Whether this program knows the time zone. A zone may disappear from a later version.
    pub fn has_known_zone(&self) -> bool {
        TimeZone::get(&self.zone).is_ok()
    }

    /// The time zone. An unknown one counts as UTC, so that the schedule continues.
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }
}

/// Parses a cron expression of five fields.
pub(super) fn cron(expression: &str) -> Result<croner::Cron, Invalid> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    if fields.len() != 5 {
        return Err(Invalid::CronFields { found: fields.len() });
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let is_bad = |field: CronField, typed: &str| {
        let alone = CronField::iter().map(|other| if other == field { typed } else { "*" });
        parser.parse(&alone.collect::<Vec<_>>().join(" ")).is_err()
    };
    parser.parse(expression).map_err(|_| {
        let bad = CronField::iter().zip(fields).find(|(field, typed)| is_bad(*field, typed));
        let (field, typed) = bad.map_or((None, expression), |(field, typed)| (Some(field), typed));
        Invalid::Cron { field, typed: typed.to_owned() }
    })
}

fn every(typed: &str, on: Option<&str>) -> Result<Every, Invalid> {
    let on = on.map(str::trim).filter(|on| !on.is_empty());
    let lower = typed.to_lowercase();
    if let Some(expression) = lower.strip_prefix("cron") {
        let expression = expression.trim();
        cron(expression)?;
        return if on.is_some() { Err(Invalid::OnWithoutUse) } else { Ok(Every::Cron(expression.to_owned())) };
    }
    match lower.trim_start_matches("every").trim() {
        "day" | "daily" | "1d" | "24h" | "night" => no_day(on, Every::Day),
        "week" | "weekly" | "7d" => match on {
            None => Ok(Every::Week(Weekday::Sunday)),
            Some(day) => Weekday::named(day).map(Every::Week).ok_or_else(|| Invalid::Weekday { typed: day.to_owned() }),
        },
        "month" | "monthly" => month_day(on.unwrap_or("1")).map(Every::Month),
        "hour" | "hourly" => no_day(on, Every::Hours(1)),
        hours => {
            let number = hours.trim_end_matches("hours").trim_end_matches("hour").trim_end_matches('h').trim();
            if number == hours {
                return Err(Invalid::Every { typed: typed.to_owned() });
            }
            match number.parse() {
                Ok(hours @ (1 | 2 | 3 | 4 | 6 | 8 | 12)) => no_day(on, Every::Hours(hours)),
                Ok(_) => Err(Invalid::Hours { typed: typed.to_owned() }),
                Err(_) => Err(Invalid::Every { typed: typed.to_owned() }),
            }
        }
    }
}

fn no_day(on: Option<&str>, every: Every) -> Result<Every, Invalid> {
    if on.is_some() { Err(Invalid::OnWithoutUse) } else { Ok(every) }
}

fn month_day(typed: &str) -> Result<u8, Invalid> {
    if typed.eq_ignore_ascii_case("last") {
        return Ok(31);
    }
    let number = typed.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '.');
    let day = number.parse().ok().filter(|day| (1..=31).contains(day));
    day.ok_or_else(|| Invalid::MonthDay { typed: typed.to_owned() })
}

fn time(typed: &str) -> Result<Time, Invalid> {
    let invalid = || Invalid::At { typed: typed.to_owned() };
    let (hour, minute) = typed.trim().split_once(':').unwrap_or((typed.trim(), "0"));
    let (hour, minute) = (hour.parse().map_err(|_| invalid())?, minute.parse().map_err(|_| invalid())?);
    Time::new(hour, minute, 0, 0).map_err(|_| invalid())
}

/// The time zone that a text names, and its canonical spelling.
fn zone(typed: &str) -> Result<(String, TimeZone), Invalid> {
    let typed = typed.trim();
    match TimeZone::get(typed) {
        Ok(zone) => Ok((zone.iana_name().unwrap_or(typed).to_owned(), zone)),
        Err(_) => Err(Invalid::Zone { typed: typed.to_owned(), nearest: zones_like(typed, 3) }),
    }
}

/// Names of time zones that contain a text, shortest first.
pub fn zones_like(typed: &str, most: usize) -> Vec<String> {
    let wanted = typed.trim().to_lowercase().replace(' ', "_");
    let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    let mut found: Vec<String> = names.filter(|name| name.to_lowercase().contains(&wanted)).collect();
    found.sort_by_key(|name| (!name.contains('/'), name.len(), name.clone()));
    found.truncate(most);
    found
}
