//! A partial edit of a rule: what the person leaves out stays as it was.

use super::rule::{Every, Invalid, Rule, Typed};

/// What a person typed; an absent field stays as it was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed<'a> {
    /// See [`Typed::every`].
    pub every: Option<&'a str>,
    /// See [`Typed::at`].
    pub at: Option<&'a str>,
    /// See [`Typed::on`].
    pub on: Option<&'a str>,
    /// See [`Typed::timezone`].
    pub timezone: Option<&'a str>,
}

impl Rule {
    /// The rule with these changes. A time of day stays only if it keeps its meaning. If the new rule has no typed time, `seed` spreads it.
    pub fn changed(&self, changed: Changed<'_>, seed: u64) -> Result<Self, Invalid> {
        let (every, on) = self.every.typed();
        let on = if changed.every.is_some() { None } else { on };
        let mut typed = Typed {
            every: changed.every.unwrap_or(&every),
            at: changed.at,
            on: changed.on.or(on.as_deref()),
            timezone: Some(changed.timezone.unwrap_or(&self.zone)),
        };
        let rule = Self::read(typed)?;
        let counts_alike = match (&self.every, &rule.every) {
            (Every::Cron(_), _) | (_, Every::Cron(_)) => false,
            (was, is) => matches!(was, Every::Hours(_)) == matches!(is, Every::Hours(_)),
        };
        if changed.at.is_some() {
            return Ok(rule);
        }
        if !counts_alike {
            // The new rule has no typed time, so it is spread like a new schedule.
            return Ok(rule.spread_by(seed));
        }
        let at = format!("{:02}:{:02}", self.at.hour(), self.at.minute());
        typed.at = Some(&at);
        // Neither the old nor the new rule has a typed time.
        Ok(Self::read(typed)?.spread_by(u64::from(self.spread)))
    }
}

impl Every {
    /// How a person would type the interval, and the day if it has one.
    fn typed(&self) -> (String, Option<String>) {
        match self {
            Self::Hours(hours) => (format!("{hours}h"), None),
            Self::Day => ("day".to_owned(), None),
            Self::Week(day) => ("week".to_owned(), Some(day.name().to_owned())),
            Self::Month(day) => ("month".to_owned(), Some(day.to_string())),
            Self::Cron(expression) => (format!("cron {expression}"), None),
        }
    }
}
