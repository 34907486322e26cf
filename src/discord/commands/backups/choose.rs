//! Turns a typed Backup policy into one that DigitalOcean sells.

use crate::{
    discord::messages::{backups::BackupsRefusal, choice},
    inventory::{BackedUp, SupportedPolicy},
    operation::effect::BackupPolicy,
};

/// The parts of a policy that were typed.
pub(super) struct Typed {
    pub(super) plan: Option<String>,
    pub(super) day: Option<String>,
    pub(super) hour: Option<String>,
}

/// The policy that a Droplet has, if it could be ordered again.
pub(super) fn current(found: &BackedUp) -> Option<BackupPolicy> {
    let policy = found.record.policy.as_ref().filter(|_| found.record.enabled)?;
    let hour = u8::try_from(policy.hour?).ok()?;
    Some(BackupPolicy { plan: policy.plan.clone(), weekday: policy.weekday.clone(), hour })
}

/// The typed policy, completed by the present one and checked against the available plans.
pub(super) fn choose(
    typed: &Typed,
    before: Option<&BackupPolicy>,
    plans: &[SupportedPolicy],
) -> Result<BackupPolicy, BackupsRefusal> {
    let wanted = typed.plan.as_deref().map(|text| choice::key(text).to_lowercase());
    let wanted = wanted.or_else(|| before.map(|before| before.plan.clone())).unwrap_or_else(|| "daily".to_owned());
    let plan = plans.iter().find(|plan| plan.plan == wanted).ok_or_else(|| BackupsRefusal::NoPlan {
        text: typed.plan.clone().unwrap_or(wanted),
        plans: plans.iter().map(|plan| plan.plan.clone()).collect(),
    })?;
    let typed_day = typed.day.as_deref().map(|text| choice::key(text).to_uppercase());
    let before_day = before.and_then(|before| before.weekday.clone()).filter(|day| plan.days.contains(day));
    let weekday = match typed_day {
        Some(day) => {
            // `Sunday` is as good as `SUN`.
            let meant = plan.days.iter().find(|possible| day.starts_with(possible.as_str()));
            let no_day = || BackupsRefusal::NoDay { text: day.clone(), days: plan.days.clone() };
            Some(meant.cloned().ok_or_else(no_day)?)
        }
        None => before_day.or_else(|| plan.days.first().cloned()),
    };
    let typed_hour = typed.hour.as_deref().map(|text| choice::key(text).trim_end_matches(":00").to_owned());
    let is_possible = |hour: &u8| plan.hours.contains(&u64::from(*hour));
    let hour = if let Some(text) = typed_hour {
        let hour = text.parse().ok().filter(is_possible);
        hour.ok_or_else(|| BackupsRefusal::NoHour { text, hours: plan.hours.clone() })?
    } else {
        let before = before.map(|before| before.hour).filter(is_possible);
        let first = plan.hours.first().and_then(|hour| u8::try_from(*hour).ok());
        before.or(first).unwrap_or_default()
    };
    Ok(BackupPolicy { plan: plan.plan.clone(), weekday, hour })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans() -> Vec<SupportedPolicy> {
        let plan = |name: &str, days: &[&str]| SupportedPolicy {
            plan: name.to_owned(),
            hours: vec![0, 4, 8],
            days: days.iter().map(|day| (*day).to_owned()).collect(),
            window_hours: Some(4),
            retention_days: None,
        };
        vec![plan("weekly", &["SUN", "MON"]), plan("daily", &[])]
    }

    fn typed(plan: Option<&str>, day: Option<&str>, hour: Option<&str>) -> Typed {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Typed { plan: text(plan), day: text(day), hour: text(hour) }
    }

    fn policy(plan: &str, weekday: Option<&str>, hour: u8) -> BackupPolicy {
        BackupPolicy { plan: plan.to_owned(), weekday: weekday.map(str::to_owned), hour }
    }

    #[test]
    fn what_is_left_out_is_as_before_or_else_daily() {
        let chosen = |typed: Typed, before: Option<BackupPolicy>| choose(&typed, before.as_ref(), &plans()).unwrap();
        assert_eq!(chosen(typed(None, None, None), None), policy("daily", None, 0));
        let before = policy("weekly", Some("MON"), 8);
        assert_eq!(chosen(typed(None, None, Some("4")), Some(before.clone())), policy("weekly", Some("MON"), 4));
        assert_eq!(chosen(typed(Some("daily"), None, None), Some(before)), policy("daily", None, 8));
        assert_eq!(
            chosen(
                typed(Some("kept 28 days · weekly"), Some("Sunday · SUN"), Some("between 08:00 and 12:00 UTC · 8")),
                None
            ),
            policy("weekly", Some("SUN"), 8)
        );
    }

    #[test]
    fn what_digitalocean_does_not_sell_is_refused_with_what_it_does() {
        let refused = |typed: Typed| choose(&typed, None, &plans()).unwrap_err();
        assert!(
            matches!(refused(typed(Some("hourly"), None, None)), BackupsRefusal::NoPlan { plans, .. } if plans.len() == 2)
        );
        assert!(
            matches!(refused(typed(Some("weekly"), Some("FRI"), None)), BackupsRefusal::NoDay { days, .. } if days.len() == 2)
        );
        assert!(
            matches!(refused(typed(None, Some("SUN"), None)), BackupsRefusal::NoDay { days, .. } if days.is_empty())
        );
        for hour in ["3", "noon", "-4", "300"] {
            assert!(matches!(refused(typed(None, None, Some(hour))), BackupsRefusal::NoHour { .. }), "{hour}");
        }
    }
}
