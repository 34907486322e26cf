//! How many Snapshots a schedule keeps: so many of the last, and one for each day, week, month and year.

use serde::{Deserialize, Serialize};

/// No rule may ask for more than this.
const MOST: u16 = 1000;

/// What is kept. Rules are independent of each other: what one of them wants is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// So many of the newest.
    #[serde(default)]
    pub last: u16,
    /// The newest of each day, for so many days that have one.
    #[serde(default)]
    pub daily: u16,
    /// The newest of each ISO week.
    #[serde(default)]
    pub weekly: u16,
    /// The newest of each month.
    #[serde(default)]
    pub monthly: u16,
    /// The newest of each year.
    #[serde(default)]
    pub yearly: u16,
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPolicy {
    /// It would keep nothing.
    Empty,
    /// A part that says nothing.
    Part {
        /// Which.
        typed: String,
    },
    /// A part that keeps more than a thousand.
    TooMany {
        /// Which.
        typed: String,
    },
}

impl Policy {
    /// What is offered, the usual one first.
    pub const PRESETS: [Self; 4] = [
        Self { last: 0, daily: 7, weekly: 4, monthly: 6, yearly: 0 },
        Self { last: 0, daily: 7, weekly: 0, monthly: 0, yearly: 0 },
        Self { last: 3, daily: 0, weekly: 0, monthly: 0, yearly: 0 },
        Self { last: 0, daily: 7, weekly: 4, monthly: 12, yearly: 3 },
    ];

    /// Reads `7 daily, 4 weekly`, `7d 4w 6m`, or `3 last`.
    pub fn read(typed: &str) -> Result<Self, BadPolicy> {
        let spaced = typed.to_lowercase().replace(['·', ',', '+'], " ");
        let mut words = spaced.split_whitespace().peekable();
        let mut policy = Self::default();
        while let Some(word) = words.next() {
            let digits = word.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(word.len());
            let (number, unit) = word.split_at(digits);
            let unit = if unit.is_empty() { words.next().unwrap_or_default() } else { unit };
            let part = || format!("{number} {unit}").trim().to_owned();
            let Ok(number) = number.parse::<u64>() else { return Err(BadPolicy::Part { typed: word.to_owned() }) };
            let number = u16::try_from(number).ok().filter(|number| *number <= MOST);
            let number = number.ok_or_else(|| BadPolicy::TooMany { typed: part() })?;
            *match unit {
                "l" | "last" | "latest" => &mut policy.last,
                "d" | "day" | "days" | "daily" => &mut policy.daily,
                "w" | "week" | "weeks" | "weekly" => &mut policy.weekly,
                "m" | "month" | "months" | "monthly" => &mut policy.monthly,
                "y" | "year" | "years" | "yearly" => &mut policy.yearly,
                _ => return Err(BadPolicy::Part { typed: part() }),
            } = number;
        }
        if policy.is_empty() { Err(BadPolicy::Empty) } else { Ok(policy) }
    }

    /// Whether it keeps nothing.
    pub fn is_empty(&self) -> bool {
        self.most() == 0
    }

    /// The most Snapshots that it keeps.
    pub fn most(&self) -> u32 {
        [self.last, self.daily, self.weekly, self.monthly, self.yearly].into_iter().map(u32::from).sum()
    }
}
