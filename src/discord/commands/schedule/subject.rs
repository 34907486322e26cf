//! What a schedule takes Snapshots of, as typed: a Droplet, or all Droplets with a tag. The bot looks it up right away and refuses with a
//! reason if it cannot be taken.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{cost, refused};
use crate::{
    discord::{
        group::{self, Gathered, Unknown},
        lookup,
        messages::{
            choice,
            group::Members,
            refusal::Refusal,
            schedule::{Cost, ScheduleRefusal},
        },
        responder::Stop,
        start,
        state::AppState,
    },
    inventory::{BackupWindow, Droplet},
    operation::{ids::DropletId, warning::Warn},
    schedule::{
        Power, Schedule,
        group::{Excluded, Group, MOST_MEMBERS, NO_DROPLET, turn},
        run::Plan,
    },
};

/// What a schedule takes Snapshots of.
pub(super) struct Subject {
    /// The Droplet, or [`NO_DROPLET`] for a group.
    pub(super) droplet: DropletId,
    /// The name of the Droplet or the group.
    pub(super) name: String,
    /// The group, if it is one.
    pub(super) group: Option<Group>,
    /// The present members of the group.
    pub(super) members: Option<Members>,
    /// The cost of one Snapshot of each Droplet.
    pub(super) cost: Cost,
    /// How long one downtime usually lasts.
    pub(super) downtime: Option<SignedDuration>,
    /// The window of DigitalOcean's next Backup of the Droplet, if known.
    pub(super) backup_window: Option<BackupWindow>,
    /// Why a group would leave this Droplet out.
    pub(super) replaced: Option<Excluded>,
}

/// How a group is taken, as typed. An absent value means the default.
#[derive(Clone, Debug, Default)]
pub(in crate::discord) struct Pace {
    pub(in crate::discord) at_once: Option<i64>,
    pub(in crate::discord) gap: Option<String>,
    pub(in crate::discord) check: Option<String>,
    pub(in crate::discord) stop_after: Option<i64>,
}

/// What happens to each Droplet.
#[derive(Clone, Copy, Debug)]
pub(in crate::discord) struct Manner {
    /// Whether it is shut down.
    pub(in crate::discord) power: Power,
    /// Who is warned before.
    pub(in crate::discord) warn: Option<Warn>,
}

impl From<&Schedule> for Manner {
    fn from(schedule: &Schedule) -> Self {
        Self { power: schedule.power, warn: schedule.warn }
    }
}

impl From<&Plan> for Manner {
    fn from(plan: &Plan) -> Self {
        Self { power: plan.power, warn: plan.warn }
    }
}

impl Pace {
    /// The group with this tag, taken in this way.
    pub(in crate::discord) fn group(&self, tag: &str) -> Result<Group, Stop> {
        let group = Group::read(tag, self.at_once, self.gap.as_deref(), self.check.as_deref());
        let group = group.and_then(|group| group.stopping_after(self.stop_after));
        group.map_err(|bad| refused(ScheduleRefusal::Group(bad)))
    }

    /// An existing group, changed by what was typed.
    fn changed(&self, group: &Group, tag: &str) -> Result<Group, Stop> {
        let pace = Self {
            at_once: self.at_once.or(Some(i64::from(group.at_once))),
            gap: self.gap.clone().or(Some(format!("{}s", group.gap))),
            check: self.check.clone().or_else(|| group.check.as_ref().map(ToString::to_string)),
            stop_after: self.stop_after.or(Some(i64::from(group.stop_after))),
        };
        pace.group(tag)
    }

    fn is_empty(&self) -> bool {
        self.at_once.is_none() && self.gap.is_none() && self.check.is_none() && self.stop_after.is_none()
    }
}

impl Subject {
    /// The subject that a text means.
    pub(super) async fn find(state: &AppState, what: &str, pace: &Pace, manner: Manner) -> Result<Self, Stop> {
        if let Some(tag) = Group::tag_in(choice::key(what)) {
            return Self::of_group(state, pace.group(tag)?, manner).await;
        }
        if !pace.is_empty() {
            return Err(refused(ScheduleRefusal::NoGroup));
        }
        let found = state.inventory.resolve_droplet(what).await;
        let droplet = found.map_err(|unresolved| lookup::no_droplet(what, unresolved))?;
        if manner.power == Power::Off && state.own_droplet == Some(droplet.id) {
            return Err(Refusal::OwnDroplet { droplet: droplet.name, may_take_live: true }.into());
        }
        let (backup_window, replaced) = (droplet.next_backup_window, replaced(&droplet));
        let subject = Self::of_droplet(state, (droplet.id, droplet.name, droplet.disk_gb), manner.power).await?;
        Ok(Self { backup_window, replaced, ..subject })
    }

    /// The subject of a schedule after an edit.
    pub(super) async fn changed(
        state: &AppState,
        schedule: &Schedule,
        what: Option<&str>,
        pace: &Pace,
        manner: Manner,
    ) -> Result<Self, Stop> {
        match (what, &schedule.group) {
            (None, Some(group)) => Self::of_group(state, pace.changed(group, &group.tag)?, manner).await,
            (Some(what), group) => match (Group::tag_in(choice::key(what)), group) {
                (Some(tag), Some(group)) => Self::of_group(state, pace.changed(group, tag)?, manner).await,
                (_, _) => Self::find(state, what, pace, manner).await,
            },
            (None, None) if !pace.is_empty() => Err(refused(ScheduleRefusal::NoGroup)),
            (None, None) => {
                // The Droplet may be gone, and the retention can be changed all the same.
                let found = state.inventory.resolve_droplet(&schedule.droplet.to_string()).await.ok();
                let found = found.filter(|found| found.id == schedule.droplet);
                let disk_gb = found.as_ref().and_then(|found| found.disk_gb);
                let droplet = (schedule.droplet, schedule.droplet_name.clone(), disk_gb);
                let subject = Self::of_droplet(state, droplet, manner.power).await?;
                let (window, replaced) =
                    (found.as_ref().and_then(|it| it.next_backup_window), found.as_ref().and_then(replaced));
                Ok(Self { backup_window: window, replaced, ..subject })
            }
        }
    }

    async fn of_droplet(
        state: &AppState,
        (droplet, name, disk_gb): (DropletId, String, Option<u64>),
        power: Power,
    ) -> Result<Self, Stop> {
        let downtime = group::typical(&state.store.typical(Some(droplet)).await?, power);
        let cost = cost::cost(state, droplet, disk_gb).await;
        Ok(Self { droplet, name, group: None, members: None, cost, downtime, backup_window: None, replaced: None })
    }

    /// A group, if it has members, not too many of them, and a run can take them in time.
    async fn of_group(state: &AppState, group: Group, manner: Manner) -> Result<Self, Stop> {
        let (gathered, members) = members(state, &group, manner).await?;
        Ok(Self {
            droplet: NO_DROPLET,
            name: group.label(),
            cost: cost::group_cost(state, &gathered.droplets).await,
            downtime: gathered.each,
            backup_window: None,
            replaced: None,
            members: Some(members),
            group: Some(group),
        })
    }
}

/// Why a group would leave this Droplet out. The bot's own Droplet is checked elsewhere.
fn replaced(droplet: &Droplet) -> Option<Excluded> {
    Excluded::by_tags(droplet.tags.as_deref().unwrap_or_default())
}

/// The members of a group. Refused if a run of it makes no sense.
pub(in crate::discord) async fn members(
    state: &AppState,
    group: &Group,
    manner: Manner,
) -> Result<(Gathered, Members), Stop> {
    counted(group, gather(state, group, manner.power).await?, manner)
}

/// The members to take now because a person asked, limited to `only` if given. As for every manual take, a Droplet that was taken a moment
/// ago is left out.
pub(in crate::discord) async fn members_now(
    state: &AppState,
    group: &Group,
    manner: Manner,
    only: Option<&BTreeSet<DropletId>>,
) -> Result<(Gathered, Members), Stop> {
    let mut gathered = gather(state, group, manner.power).await?;
    if let Some(only) = only {
        gathered.droplets.retain(|droplet| only.contains(&droplet.id));
        if gathered.droplets.is_empty() {
            return Err(Refusal::NoneLeft { tag: group.tag.clone() }.into());
        }
    }
    let (mut droplets, mut waits) = (Vec::new(), None);
    for droplet in std::mem::take(&mut gathered.droplets) {
        match start::waits_until(state, droplet.id).await? {
            None => droplets.push(droplet),
            Some(until) => {
                waits = waits.or_else(|| Some(Refusal::TakenLately { droplet: droplet.name.clone(), until }));
                gathered.excluded.push((droplet, Excluded::Lately));
            }
        }
    }
    match waits {
        Some(refusal) if droplets.is_empty() => Err(refusal.into()),
        _ => counted(group, Gathered { droplets, ..gathered }, manner),
    }
}

async fn gather(state: &AppState, group: &Group, power: Power) -> Result<Gathered, Stop> {
    let found = group::gather((&state.store, &state.inventory), state.own_droplet, group, power).await;
    found.map_err(|unknown| match unknown {
        Unknown::Store(error) => Stop::from(error),
        Unknown::Unresolved(unresolved) => lookup::no_droplet(&group.label(), unresolved).into(),
    })
}

fn counted(group: &Group, gathered: Gathered, Manner { power, warn }: Manner) -> Result<(Gathered, Members), Stop> {
    let (tag, count) = (group.tag.clone(), gathered.droplets.len());
    if count == 0 {
        return Err(refused(ScheduleRefusal::Nobody { tag, excluded: gathered.excluded.len() }));
    }
    if count > MOST_MEMBERS {
        return Err(refused(ScheduleRefusal::TooManyMembers { tag, count }));
    }
    let each = turn(gathered.each, power, warn);
    let length = group.length(count, each);
    if !group.fits(count, each) {
        let at_once = group.at_once_that_fits(count, each);
        return Err(refused(ScheduleRefusal::TooLong { tag, count, length, at_once }));
    }
    let names = gathered.droplets.iter().map(|droplet| droplet.name.clone()).collect();
    let excluded = gathered.excluded.iter().map(|(droplet, why)| (droplet.name.clone(), *why)).collect();
    let has_none = |droplet: &&Droplet| group.check.is_some() && droplet.public_ipv4.is_none();
    let unreachable = gathered.droplets.iter().filter(has_none).map(|droplet| droplet.name.clone()).collect();
    Ok((gathered, Members { names, excluded, unreachable, length }))
}
