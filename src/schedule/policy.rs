//! How many Snapshots a schedule keeps: a number of the latest, and one for each day, week, month and year.

use serde::{Deserialize, Serialize};

/// The maximum number of Snapshots that a rule may keep.
const MOST: u16 = 1000;

/// The retention rules. They are independent: a Snapshot is kept if one of them wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The number of newest Snapshots to keep.
    #[serde(default)]
    pub last: u16,
    /// The number of days for which to keep the newest Snapshot. Days without a Snapshot do not count.
    #[serde(default)]
    pub daily: u16,
    /// As `daily`, for ISO weeks.
    #[serde(default)]
    pub weekly: u16,
    /// As `daily`, for months.
    #[serde(default)]
    pub monthly: u16,
    /// As `daily`, for years.
    #[serde(default)]
    pub yearly: u16,
}

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPolicy {
    /// It would keep nothing.
    Empty,
    /// A part cannot be parsed.
    Part {
        /// The part.
        typed: String,
    },
    /// A part keeps more than a thousand.
    TooMany {
        /// The part.
        typed: String,
    },
}

impl Policy {
    /// The offered policies, the usual one first.
    pub const PRESETS: [Self; 4] = [
        Self { last: 0, daily: 7, weekly: 4, monthly: 6, yearly: 0 },
        Self { last: 0, daily: 7, weekly: 0, monthly: 0, yearly: 0 },
        Self { last: 3, daily: 0, weekly: 0, monthly: 0, yearly: 0 },
        Self { last: 0, daily: 7, weekly: 4, monthly: 12, yearly: 3 },
    ];

    /// Parses `7 daily, 4 weekly`, `7d 4w 6m`, or `3 last`.
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

    /// The maximum number of Snapshots that it keeps.
    pub fn most(&self) -> u32 {
        [self.last, self.daily, self.weekly, self.monthly, self.yearly].into_iter().map(u32::from).sum()
    }
}
