//! DigitalOcean's own Backups: which policies exist, how one is parsed and rendered, and when its next window opens.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// The days, as the API writes them. The first day of 1970 was a Thursday.
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// The hours at which a window may open, in UTC.
const HOURS: [u64; 6] = [0, 4, 8, 12, 16, 20];
/// How long a window is open.
const WINDOW_HOURS: i64 = 4;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// When a Droplet is backed up automatically.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPolicy {
    /// The day of a weekly policy; `None` for a daily one.
    pub weekday: Option<&'static str>,
    /// The hour at which its window opens, in UTC.
    pub hour: u64,
}

impl BackupPolicy {
    /// The policy of a Droplet for which none was given.
    pub const DAILY: Self = Self { weekday: None, hour: 0 };

    /// Parses the policy in a request; `None` if the request contains none.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Option<Self>, Refusal> {
        let Some(policy) = body.get("backup_policy").filter(|policy| !policy.is_null()) else { return Ok(None) };
        let plan = policy["plan"].as_str().unwrap_or("daily");
        let hour = match &policy["hour"] {
            Value::Null => Some(0),
            hour => hour.as_u64().filter(|hour| HOURS.contains(hour)),
        };
        let hour = hour.ok_or_else(|| Refusal::malformed("hour is not a possible window start"))?;
        match plan {
            "daily" => Ok(Some(Self { weekday: None, hour })),
            "weekly" => {
                let wanted = policy["weekday"].as_str().unwrap_or("SUN");
                let weekday = DAYS.into_iter().find(|day| *day == wanted);
                let weekday = weekday.ok_or_else(|| Refusal::malformed("weekday is not a possible day"))?;
                Ok(Some(Self { weekday: Some(weekday), hour }))
            }
            other => Err(Refusal::malformed(format!("{other} is not a supported backup plan"))),
        }
    }

    pub(super) fn render(&self) -> Value {
        let retention = if self.weekday.is_some() { 28 } else { 7 };
        let mut policy =
            json!({"hour": self.hour, "window_length_hours": WINDOW_HOURS, "retention_period_days": retention});
        match self.weekday {
            None => policy["plan"] = "daily".into(),
            Some(day) => {
                policy["plan"] = "weekly".into();
                policy["weekday"] = day.into();
            }
        }
        policy
    }

    /// The next window that opens after `now`.
    pub(super) fn next_window(&self, now: Timestamp) -> Value {
        let today = now.as_second().div_euclid(DAY);
        let opens = (today..=today + 7).find_map(|day| {
            let start = day * DAY + i64::try_from(self.hour).unwrap_or(0) * HOUR;
            let weekday = usize::try_from((day + 4).rem_euclid(7)).ok().and_then(|index| DAYS.get(index));
            let is_day = self.weekday.is_none_or(|wanted| weekday == Some(&wanted));
            (is_day && start > now.as_second()).then_some(start)
        });
        let moment = |second| Timestamp::from_second(second).map(|at| format!("{at:.0}")).ok();
        opens.map_or(Value::Null, |start| json!({"start": moment(start), "end": moment(start + WINDOW_HOURS * HOUR)}))
    }

    /// The policies that exist.
    pub(super) fn supported() -> Value {
        let policy = |name: &str, days: &[&str], retention: u64| {
            json!({
                "name": name, "possible_window_starts": HOURS, "window_length_hours": WINDOW_HOURS,
                "retention_period_days": retention, "possible_days": days,
            })
        };
        json!([policy("weekly", &DAYS, 28), policy("daily", &[], 7)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekly_window_opens_on_its_day() {
        let policy = BackupPolicy { weekday: Some("SUN"), hour: 20 };
        let friday: Timestamp = "2024-09-13T20:00:00Z".parse().unwrap();
        let window = json!({"start": "2024-09-15T20:00:00Z", "end": "2024-09-16T00:00:00Z"});
        assert_eq!(policy.next_window(friday), window);
        let sunday: Timestamp = "2024-09-15T20:00:00Z".parse().unwrap();
        assert_eq!(policy.next_window(sunday)["start"], "2024-09-22T20:00:00Z");
    }
}
